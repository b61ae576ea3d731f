/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guests.c: which guests run, read from their status files; and tables on standard output. */
#include <stdio.h>
#include <string.h>

#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virutil.h"
#include "util/viruuid.h"
#include "util/virxml.h"
#include "virtward.h"

enum { STATUS_SIZE_MAX = 16 * 1024 * 1024 };

void
virtwardGuestFree(virtwardGuest *guest)
{
    if (!guest)
        return;
    g_free(guest->name);
    g_free(guest->group);
    g_free(guest);
}

static int
compareNames(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *
virtwardGuestNames(const virtwardContext *context, GError **error)
{
    g_autofree char *folder = g_build_filename(context->layout->run, "qemu", NULL);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) cause = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &cause);
    const char *entry;

    if (!dir && !g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        virErrorSet(error, VIR_ERR_SYSTEM_ERROR, "%s", cause->message);
        g_ptr_array_unref(names);
        return NULL;
    }
    while (dir && (entry = g_dir_read_name(dir))) {
        if (g_str_has_suffix(entry, ".xml"))
            g_ptr_array_add(names, g_strndup(entry, strlen(entry) - strlen(".xml")));
    }
    g_ptr_array_sort(names, compareNames);
    return names;
}

/* NULL: it was started where there are no groups. */
static char *
readGroup(const xmlNode *status)
{
    const xmlNode *own = virXMLFirstChild(status, "virtward");
    xmlNode *resource = own ? virXMLFirstChild(own, "resource") : NULL;

    for (; resource; resource = virXMLNext(resource, "resource")) {
        g_autofree char *type = virXMLAttr(resource, "type");

        if (g_strcmp0(type, "group") == 0)
            return virXMLAttr(resource, "name");
    }
    return NULL;
}

static virtwardGuest *
readGuest(const xmlNode *status, const char *name, GError **error)
{
    const xmlNode *domain = virXMLFirstChild(status, "domain");
    const xmlNode *uuidNode = domain ? virXMLChildAt(domain, "uuid") : NULL;
    g_autofree char *uuid = uuidNode ? virXMLText(uuidNode) : NULL;
    g_autoptr(virtwardGuest) guest = g_new0(virtwardGuest, 1);

    if (!uuid || !virUUIDParse(uuid, guest->uuid)) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("the status file of '%s' is incomplete"),
                    name);
        return NULL;
    }
    guest->name = g_strdup(name);
    guest->group = readGroup(status);
    return g_steal_pointer(&guest);
}

virtwardGuest *
virtwardGuestFind(const virtwardContext *context, const char *name, GError **error)
{
    g_autofree char *path = g_strdup_printf("%s/qemu/%s.xml", context->layout->run, name);
    g_autofree char *text = NULL;
    virtwardGuest *guest = NULL;
    xmlDoc *doc;
    xmlNode *root;

    if (strchr(name, '/') || !g_file_test(path, G_FILE_TEST_EXISTS)) {
        virErrorSet(error, VIR_ERR_NO_DOMAIN, _("no guest '%s' is running"), name);
        return NULL;
    }
    text = virFileRead(path, STATUS_SIZE_MAX, NULL, error);
    doc = text ? virXMLParse(text, -1, "domain_status", error) : NULL;
    root = doc ? virXMLRoot(doc, "domstatus", error) : NULL;
    if (root)
        guest = readGuest(root, name, error);
    xmlFreeDoc(doc);
    return guest;
}

void
virtwardPrintTable(const GPtrArray *cells, guint count)
{
    g_autofree glong *widths = g_new0(glong, count);

    for (guint i = 0; i < cells->len; i++)
        widths[i % count] = MAX(widths[i % count], g_utf8_strlen(cells->pdata[i], -1));
    for (guint i = 0; i < cells->len; i++) {
        bool last = i % count == count - 1;
        glong pad = widths[i % count] - g_utf8_strlen(cells->pdata[i], -1);

        printf("%s%*s%s", (const char *)cells->pdata[i], last ? 0 : (int)pad, "",
               last ? "\n" : "  ");
    }
}
