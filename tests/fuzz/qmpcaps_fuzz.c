/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcaps_fuzz.c: any JSON as what a QEMU answers to the prober, a line for each question; what
 * comes out is printed and must be readable again. And any text as a capability cache. */
#include <string.h>

#include "qmp/qmpcapsprobe.h"
#include "qmp/qmpcapsxml.h"
#include "util/virerror.h"
#include "util/virxml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    qmpTransport base; /* first */
    char **lines;
    size_t next;
} fuzzTalk;

static bool
fuzzCall(qmpTransport *transport, const char *command, virJSON *arguments, virJSON **retValue,
         qmpErrorClass *retClass, GError **error)
{
    fuzzTalk *talk = (fuzzTalk *)transport;
    const char *line = talk->lines[talk->next];

    *retValue = NULL;
    if (!line)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "end");
    talk->next++;
    if (!(*retValue = virJSONParse(line, -1, NULL)))
        *retClass = QMP_ERROR_GENERIC;
    return true;
}

static void
fuzzReread(const qmpCaps *caps)
{
    g_autofree char *text = qmpCapsFormat(caps);
    g_autoptr(qmpCaps) again G_GNUC_UNUSED = qmpCapsParse(text, -1, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    fuzzTalk talk = {{NULL, fuzzCall}, lines, 0};
    g_autoptr(qmpCaps) caps = NULL;
    g_autoptr(qmpCaps) cached = NULL;

    if (!ready) {
        virXMLInit();
        ready = true;
    }
    caps = qmpCapsProbe(&talk.base, "/usr/bin/qemu-system-x86_64", NULL);
    if (caps && qmpCapsProbeTcg(caps, &talk.base, NULL))
        fuzzReread(caps);
    if ((cached = qmpCapsParse(text, -1, NULL)))
        fuzzReread(cached);
    return 0;
}
