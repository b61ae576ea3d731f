/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * schema.c: rows to a RELAX NG grammar. Rows name paths below their element; they are first joined
 * to a tree of elements, which is then written. The order of elements is free, as it is for our
 * parser; how often one may stand is not. */
#include "domain/schema.h"

#include <inttypes.h>
#include <string.h>

#include "device/device.h"
#include "domain/def.h"
#include "domain/section.h"
#include "util/virerror.h"
#include "util/virxml.h"
#include "util/virxmlschema.h"

static const char QEMU_PREFIX[] = "qemu:";
/* <backingStore> nests in itself; deeper than this the grammar doesn't look */
enum { VIR_SCHEMA_DEPTH_MAX = 12 };

typedef struct {
    char *name;
    const virField *row; /* what its value may be; NULL: any text */
    bool required;
} virSchemaAttr;

typedef struct virSchemaElement virSchemaElement;
struct virSchemaElement {
    char *name;
    const virField *text; /* NULL: none */
    bool many, any;
    GPtrArray *attrs;    /* virSchemaAttr */
    GPtrArray *children; /* virSchemaElement */
};

/* --- the tree --- */

static void
virSchemaAttrFree(void *opaque)
{
    virSchemaAttr *attr = opaque;

    g_free(attr->name);
    g_free(attr);
}

static void
virSchemaElementFree(void *opaque)
{
    virSchemaElement *element = opaque;

    if (!element)
        return;
    g_ptr_array_unref(element->attrs);
    g_ptr_array_unref(element->children);
    g_free(element->name);
    g_free(element);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virSchemaElement, virSchemaElementFree)

static virSchemaElement *
virSchemaElementNew(const char *name)
{
    virSchemaElement *element = g_new0(virSchemaElement, 1);

    element->name = g_strdup(name);
    element->attrs = g_ptr_array_new_with_free_func(virSchemaAttrFree);
    element->children = g_ptr_array_new_with_free_func(virSchemaElementFree);
    return element;
}

static virSchemaElement *
virSchemaElementChild(virSchemaElement *element, const char *name)
{
    virSchemaElement *child;

    for (guint i = 0; i < element->children->len; i++) {
        child = g_ptr_array_index(element->children, i);
        if (g_str_equal(child->name, name))
            return child;
    }
    child = virSchemaElementNew(name);
    g_ptr_array_add(element->children, child);
    return child;
}

static void
virSchemaElementAttr(virSchemaElement *element, const char *name, const virField *row)
{
    virSchemaAttr *attr;

    for (guint i = 0; i < element->attrs->len; i++) {
        attr = g_ptr_array_index(element->attrs, i);
        if (!g_str_equal(attr->name, name))
            continue;
        /* two tables, of which one is meant: what both take */
        attr->row = NULL;
        attr->required = false;
        return;
    }
    attr = g_new0(virSchemaAttr, 1);
    attr->name = g_strdup(name);
    attr->row = row;
    attr->required = (row->flags & VIR_FIELD_REQUIRED) != 0;
    g_ptr_array_add(element->attrs, attr);
}

static void virSchemaAddRows(virSchemaElement *element, const virField *rows, unsigned depth);

/* What stands at the path: an attribute, or the element itself. */
static void
virSchemaAddAt(virSchemaElement *at, const char *attr, const virField *row, unsigned depth)
{
    switch (row->type) {
    case VIR_FIELD_TYPE_CODE:
        if (row->flags & VIR_FIELD_MANY)
            at->many = true;
        if (attr)
            virSchemaElementAttr(at, attr, row);
        else if (row->names)
            at->text = row;
        else if (!row->holds)
            at->any = at->many = true;
        if (row->holds)
            virSchemaAddRows(at, row->holds, depth);
        return;
    case VIR_FIELD_TYPE_ELEMENTS:
        at->many = true;
        if (row->mixin)
            virSchemaAddRows(at, row->mixin, depth);
        else
            at->any = true;
        return;
    case VIR_FIELD_TYPE_REFUSED: /* the parser has better words for it */
        if (attr)
            virSchemaElementAttr(at, attr, row);
        else
            at->any = at->many = true;
        return;
    case VIR_FIELD_TYPE_KIB:
        virSchemaElementAttr(at, "unit", &(virField){0});
        ((virSchemaAttr *)g_ptr_array_index(at->attrs, at->attrs->len - 1))->row = NULL;
        break;
    default:
        break;
    }
    if (attr)
        virSchemaElementAttr(at, attr, row);
    else if (row->type != VIR_FIELD_TYPE_PRESENT)
        at->text = row;
}

static void
virSchemaAddRow(virSchemaElement *element, const virField *row, unsigned depth)
{
    g_auto(GStrv) path = g_strsplit(row->path, "@", 2);
    g_auto(GStrv) names = g_strsplit(path[0] ? path[0] : "", "/", -1);
    virSchemaElement *at = element;

    for (char **name = names; *name; name++) {
        if (**name && !g_str_equal(*name, "."))
            at = virSchemaElementChild(at, *name);
    }
    virSchemaAddAt(at, path[0] ? path[1] : NULL, row, depth);
}

static void
virSchemaAddRows(virSchemaElement *element, const virField *rows, unsigned depth)
{
    if (depth >= VIR_SCHEMA_DEPTH_MAX) {
        element->any = true;
        return;
    }
    for (const virField *row = rows; row->type != VIR_FIELD_TYPE_END; row++) {
        if (row->flags & VIR_FIELD_IN_STATUS)
            continue;
        if (row->type == VIR_FIELD_TYPE_MIXIN)
            virSchemaAddRows(element, row->mixin, depth + 1);
        else
            virSchemaAddRow(element, row, depth + 1);
    }
}

/* --- writing --- */

static void
virSchemaFormatParam(virXMLWriter *w, const char *name, const char *value)
{
    virXMLWriterOpen(w, "param");
    virXMLWriterAttr(w, "name", name);
    virXMLWriterText(w, value);
    virXMLWriterClose(w);
}

static void
virSchemaFormatData(virXMLWriter *w, const char *type, const char *pattern)
{
    virXMLWriterOpen(w, "data");
    virXMLWriterAttr(w, "type", type);
    if (pattern)
        virSchemaFormatParam(w, "pattern", pattern);
    virXMLWriterClose(w);
}

static void
virSchemaFormatNumber(virXMLWriter *w, const virField *row)
{
    g_autofree char *min = g_strdup_printf("%" PRIu64, row->min);
    g_autofree char *max = g_strdup_printf("%" PRIu64, row->max);

    virXMLWriterOpen(w, "data");
    virXMLWriterAttr(w, "type", "unsignedLong");
    if (row->min)
        virSchemaFormatParam(w, "minInclusive", min);
    if (row->max != UINT64_MAX)
        virSchemaFormatParam(w, "maxInclusive", max);
    virXMLWriterClose(w);
}

static void
virSchemaFormatChoice(virXMLWriter *w, const char *const *values, int count)
{
    virXMLWriterOpen(w, "choice");
    for (int i = 0; i < count; i++)
        virXMLWriterElement(w, "value", values[i]);
    virXMLWriterClose(w);
}

static void
virSchemaFormatNames(virXMLWriter *w, const virField *row)
{
    bool zero = row->type == VIR_FIELD_TYPE_CODE ||
                (row->flags & (VIR_FIELD_ZERO | VIR_FIELD_READ_ZERO)) != 0;

    virSchemaFormatChoice(w, row->names->names + !zero, row->names->count - !zero);
}

static void
virSchemaFormatValue(virXMLWriter *w, const virField *row)
{
    static const char *const yesno[] = {"yes", "no"};
    static const char *const onoff[] = {"on", "off"};

    if (row && row->names)
        virSchemaFormatNames(w, row);
    else if (row && row->type == VIR_FIELD_TYPE_YESNO)
        virSchemaFormatChoice(w, yesno, G_N_ELEMENTS(yesno));
    else if (row && row->type == VIR_FIELD_TYPE_ONOFF)
        virSchemaFormatChoice(w, onoff, G_N_ELEMENTS(onoff));
    else if (row && row->type == VIR_FIELD_TYPE_UINT)
        virSchemaFormatNumber(w, row);
    else if (row && row->type == VIR_FIELD_TYPE_HEX)
        virSchemaFormatData(w, "string", "0[xX][0-9a-fA-F]+|[0-9]+");
    else if (row && row->type == VIR_FIELD_TYPE_KIB)
        virSchemaFormatData(w, "unsignedLong", NULL);
    else if (row && row->type == VIR_FIELD_TYPE_INT)
        virSchemaFormatData(w, "long", NULL);
    else
        virXMLWriterElement(w, "text", "");
}

static void
virSchemaFormatAttr(virXMLWriter *w, const virSchemaAttr *attr)
{
    if (!attr->required)
        virXMLWriterOpen(w, "optional");
    virXMLWriterOpen(w, "attribute");
    virXMLWriterAttr(w, "name", attr->name);
    virSchemaFormatValue(w, attr->row);
    virXMLWriterClose(w);
    if (!attr->required)
        virXMLWriterClose(w);
}

static void
virSchemaFormatRef(virXMLWriter *w, const char *name)
{
    virXMLWriterOpen(w, "ref");
    virXMLWriterAttr(w, "name", name);
    virXMLWriterClose(w);
}

static void virSchemaFormatElement(virXMLWriter *w, const virSchemaElement *element);

static void
virSchemaFormatChildren(virXMLWriter *w, const virSchemaElement *element)
{
    virXMLWriterOpen(w, "interleave");
    for (guint i = 0; i < element->children->len; i++) {
        const virSchemaElement *child = g_ptr_array_index(element->children, i);

        virXMLWriterOpen(w, child->many ? "zeroOrMore" : "optional");
        virSchemaFormatElement(w, child);
        virXMLWriterClose(w);
    }
    if (element->text)
        virXMLWriterElement(w, "text", "");
    virXMLWriterClose(w);
}

static void
virSchemaFormatContent(virXMLWriter *w, const virSchemaElement *element)
{
    if (element->any) {
        virSchemaFormatRef(w, "anything");
        return;
    }
    for (guint i = 0; i < element->attrs->len; i++)
        virSchemaFormatAttr(w, g_ptr_array_index(element->attrs, i));
    if (element->children->len) {
        virSchemaFormatChildren(w, element);
    } else if (element->text) {
        /* an element without text says nothing, whatever it may say with one */
        virXMLWriterOpen(w, "choice");
        virSchemaFormatValue(w, element->text);
        virXMLWriterElement(w, "empty", "");
        virXMLWriterClose(w);
    } else {
        virXMLWriterElement(w, "empty", "");
    }
}

static void
virSchemaFormatElement(virXMLWriter *w, const virSchemaElement *element)
{
    bool qemu = g_str_has_prefix(element->name, QEMU_PREFIX);

    virXMLWriterOpen(w, "element");
    virXMLWriterAttr(w, "name", element->name + (qemu ? strlen(QEMU_PREFIX) : 0));
    if (qemu)
        virXMLWriterAttr(w, "ns", VIR_QEMU_NAMESPACE);
    virSchemaFormatContent(w, element);
    virXMLWriterClose(w);
}

/* --- the grammar --- */

static void
virSchemaFormatDefine(virXMLWriter *w, const virSchemaElement *element)
{
    virXMLWriterOpen(w, "define");
    virXMLWriterAttr(w, "name", element->name);
    virSchemaFormatElement(w, element);
    virXMLWriterClose(w);
}

/* Any attributes, text and elements, of any namespace. */
static void
virSchemaFormatAnything(virXMLWriter *w)
{
    virXMLWriterOpen(w, "define");
    virXMLWriterAttr(w, "name", "anything");
    virXMLWriterOpen(w, "zeroOrMore");
    virXMLWriterOpen(w, "choice");
    virXMLWriterOpen(w, "attribute");
    virXMLWriterElement(w, "anyName", "");
    virXMLWriterClose(w);
    virXMLWriterElement(w, "text", "");
    virXMLWriterOpen(w, "element");
    virXMLWriterElement(w, "anyName", "");
    virSchemaFormatRef(w, "anything");
    virXMLWriterClose(w);
    virXMLWriterClose(w);
    virXMLWriterClose(w);
    virXMLWriterClose(w);
}

static void
virSchemaFormatKinds(virXMLWriter *w)
{
    for (const virDeviceKind *const *kind = virDeviceKinds; *kind; kind++) {
        g_autoptr(virSchemaElement) element = virSchemaElementNew((*kind)->element);

        virSchemaAddRows(element, (*kind)->fields, 0);
        virSchemaFormatDefine(w, element);
    }
}

static void
virSchemaFormatDevices(virXMLWriter *w)
{
    virXMLWriterOpen(w, "define");
    virXMLWriterAttr(w, "name", "devices");
    virXMLWriterOpen(w, "element");
    virXMLWriterAttr(w, "name", "devices");
    virXMLWriterOpen(w, "zeroOrMore");
    virXMLWriterOpen(w, "choice");
    virXMLWriterOpen(w, "element");
    virXMLWriterAttr(w, "name", "emulator");
    virXMLWriterElement(w, "text", "");
    virXMLWriterClose(w);
    for (const virDeviceKind *const *kind = virDeviceKinds; *kind; kind++)
        virSchemaFormatRef(w, (*kind)->element);
    virXMLWriterClose(w);
    virXMLWriterClose(w);
    virXMLWriterClose(w);
    virXMLWriterClose(w);
}

static void
virSchemaAddSections(virSchemaElement *domain, const virDomainSection *const *sections)
{
    for (; *sections; sections++)
        virSchemaAddRows(domain, (*sections)->fields, 0);
}

static void
virSchemaFormatDomain(virXMLWriter *w)
{
    static const virField rootRows[] = {
        {.path = "@type",
         .type = VIR_FIELD_TYPE_ENUM,
         .names = &virDomainVirtTypeNames,
         .flags = VIR_FIELD_REQUIRED},
        VIR_HOLDS_INT("@id"),
        VIR_FIELD_END,
    };
    g_autoptr(virSchemaElement) domain = virSchemaElementNew("domain");

    virSchemaAddRows(domain, rootRows, 0);
    virSchemaAddSections(domain, virDomainSectionsBefore);
    virSchemaAddSections(domain, virDomainSectionsAfter);
    virXMLWriterOpen(w, "start");
    virXMLWriterOpen(w, "element");
    virXMLWriterAttr(w, "name", "domain");
    for (guint i = 0; i < domain->attrs->len; i++)
        virSchemaFormatAttr(w, g_ptr_array_index(domain->attrs, i));
    virXMLWriterOpen(w, "interleave");
    for (guint i = 0; i < domain->children->len; i++) {
        const virSchemaElement *child = g_ptr_array_index(domain->children, i);

        virXMLWriterOpen(w, child->many ? "zeroOrMore" : "optional");
        virSchemaFormatElement(w, child);
        virXMLWriterClose(w);
    }
    virXMLWriterOpen(w, "optional");
    virSchemaFormatRef(w, "devices");
    virXMLWriterClose(w);
    virXMLWriterClose(w);
    virXMLWriterClose(w);
    virXMLWriterClose(w);
}

char *
virDomainSchemaFormat(void)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();

    virXMLWriterOpen(w, "grammar");
    virXMLWriterAttr(w, "xmlns", "http://relaxng.org/ns/structure/1.0");
    virXMLWriterAttr(w, "datatypeLibrary", "http://www.w3.org/2001/XMLSchema-datatypes");
    virSchemaFormatDomain(w);
    virSchemaFormatDevices(w);
    virSchemaFormatKinds(w);
    virSchemaFormatAnything(w);
    virXMLWriterClose(w);
    return virXMLWriterEnd(w);
}

/* --- checking --- */

static virXMLSchema *
virDomainSchema(void)
{
    static virXMLSchema *schema;
    static gsize made;

    if (g_once_init_enter(&made)) {
        g_autofree char *text = virDomainSchemaFormat();
        g_autoptr(GError) error = NULL;

        schema = virXMLSchemaNew(text, PKGDATADIR "/schemas/domain.rng", &error);
        if (!schema)
            g_error("the schema made of the rows is none: %s", error->message);
        g_once_init_leave(&made, 1);
    }
    return schema;
}

bool
virDomainSchemaCheck(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = virXMLParse(xml, -1, "domain_definition", error);

    return doc && virXMLSchemaCheck(virDomainSchema(), doc, error);
}
