/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * neighbours.c: /proc/net/arp, whose lines are address, type, flags, link address, mask, device. */
#include "host/neighbours.h"

#include <stdio.h>

#include "util/virerror.h"

enum { NEIGHBOUR_COMPLETE = 0x02 }; /* ATF_COM: the link address is known */

static bool
virHostNeighbourParse(const char *line, virHostNeighbour *ret)
{
    unsigned flags, mac[6];

    if (sscanf(line, "%15s 0x%*x 0x%x %2x:%2x:%2x:%2x:%2x:%2x", ret->address, &flags, &mac[0],
               &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) != 8 ||
        !(flags & NEIGHBOUR_COMPLETE))
        return false;
    for (int i = 0; i < 6; i++)
        ret->mac[i] = (uint8_t)mac[i];
    return true;
}

GArray *
virHostNeighboursRead(const char *proc, GError **error)
{
    g_autofree char *path = g_build_filename(proc ? proc : "/proc", "net/arp", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) wrong = NULL;
    g_auto(GStrv) lines = NULL;
    GArray *neighbours;

    if (!g_file_get_contents(path, &text, NULL, &wrong)) {
        virErrorSet(error, VIR_ERR_SYSTEM_ERROR, "%s", wrong->message);
        return NULL;
    }
    neighbours = g_array_new(FALSE, TRUE, sizeof(virHostNeighbour));
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        virHostNeighbour neighbour = {{0}};

        if (virHostNeighbourParse(*line, &neighbour))
            g_array_append_val(neighbours, neighbour);
    }
    return neighbours;
}
