/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * filterref.c: see filterref.h. */
#include "device/interface/filterref.h"

#include <string.h>

static const char NAME_CHARS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
static const char VALUE_CHARS[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:";

static bool
virFilterRefIsPlain(const char *text, const char *chars)
{
    return text && *text && !text[strspn(text, chars)];
}

static void
virFilterRefInsert(GPtrArray *parameters, char *name, char *value)
{
    char **pair = g_new0(char *, 3);
    guint at = 0;

    pair[0] = name;
    pair[1] = value;
    while (at < parameters->len &&
           strcmp(((char **)g_ptr_array_index(parameters, at))[0], name) <= 0)
        at++;
    g_ptr_array_insert(parameters, (int)at, pair);
}

/* What is no name or no value is passed over, as libvirt does. */
void
virFilterRefParse(virFilterRef *ref, const xmlNode *node)
{
    xmlNode *element = virXMLFirstChild(node, "filterref");

    ref->filter = virXMLAttr(element, "filter");
    if (!ref->filter)
        return;
    ref->parameters = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    virXMLForEachChildNamed (element, child, "parameter") {
        g_autofree char *name = virXMLAttr(child, "name");
        g_autofree char *value = virXMLAttr(child, "value");

        if (virFilterRefIsPlain(name, NAME_CHARS) && virFilterRefIsPlain(value, VALUE_CHARS))
            virFilterRefInsert(ref->parameters, g_steal_pointer(&name), g_steal_pointer(&value));
    }
}

void
virFilterRefFormat(const virFilterRef *ref, virXMLWriter *w)
{
    if (!ref->filter)
        return;
    virXMLWriterOpen(w, "filterref");
    virXMLWriterAttr(w, "filter", ref->filter);
    for (guint i = 0; i < ref->parameters->len; i++) {
        char **pair = g_ptr_array_index(ref->parameters, i);

        virXMLWriterOpen(w, "parameter");
        virXMLWriterAttr(w, "name", pair[0]);
        virXMLWriterAttr(w, "value", pair[1]);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

void
virFilterRefClear(virFilterRef *ref)
{
    g_clear_pointer(&ref->filter, g_free);
    g_clear_pointer(&ref->parameters, g_ptr_array_unref);
}

bool
virFilterRefEqual(const virFilterRef *a, const virFilterRef *b)
{
    if (g_strcmp0(a->filter, b->filter) != 0)
        return false;
    if (!a->filter)
        return true;
    if (a->parameters->len != b->parameters->len)
        return false;
    for (guint i = 0; i < a->parameters->len; i++) {
        if (!g_strv_equal(g_ptr_array_index(a->parameters, i), g_ptr_array_index(b->parameters, i)))
            return false;
    }
    return true;
}
