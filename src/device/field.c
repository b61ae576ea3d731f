/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * field.c: what is done with rows: read, write, clear, compare. */
#include "device/field.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/virerror.h"
#include "util/virscale.h"
#include "util/virsecure.h"

enum { VIR_FIELD_DEPTH_MAX = 6 };

/* A path, taken apart: elements[0..depth) and then an attribute, or text if attr is NULL. */
typedef struct {
    char buffer[128];
    const char *elements[VIR_FIELD_DEPTH_MAX];
    unsigned depth;
    const char *attr;
} virFieldPath;

static void
virFieldPathSplit(virFieldPath *path, const char *text)
{
    char *at;
    char *rest = path->buffer;

    path->depth = 0;
    path->attr = NULL;
    g_strlcpy(path->buffer, text, sizeof(path->buffer));
    if ((at = strchr(path->buffer, '@'))) {
        *at = '\0';
        path->attr = at + 1;
    }
    if (g_str_equal(rest, "."))
        return;
    while (*rest) {
        char *slash = strchr(rest, '/');

        g_assert(path->depth < VIR_FIELD_DEPTH_MAX);
        path->elements[path->depth++] = rest;
        if (!slash)
            break;
        *slash = '\0';
        rest = slash + 1;
    }
}

static xmlNode *
virFieldPathNode(const virFieldPath *path, xmlNode *node)
{
    for (unsigned i = 0; i < path->depth && node; i++)
        node = virXMLFirstChild(node, path->elements[i]);
    return node;
}

static bool
virFieldIsUnread(const virField *field, unsigned parseFlags)
{
    return (parseFlags & VIR_PARSE_INACTIVE) && (field->flags & VIR_FIELD_LIVE);
}

static bool
virFieldInvalid(const virField *field, const virFieldPath *path, const xmlNode *node,
                const char *value, GError **error)
{
    if (field->unknown)
        return virErrorSet(error,
                           field->type == VIR_FIELD_TYPE_ENUM ? VIR_ERR_CONFIG_UNSUPPORTED
                                                              : VIR_ERR_XML_ERROR,
                           _(field->unknown), value);
    if (field->type == VIR_FIELD_TYPE_UINT && field->min == 1 && g_str_equal(value, "0") &&
        path->attr)
        return virErrorSet(
            error, VIR_ERR_XML_ERROR,
            _("Invalid value for attribute '%s' in element '%s': Zero is not permitted"),
            path->attr, (const char *)node->name);
    if (path->attr && field->type == VIR_FIELD_TYPE_UINT &&
        strspn(value, "0123456789") != strlen(value))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'. Expected "
                             "non-negative integer value"),
                           path->attr, (const char *)node->name, value);
    if (path->attr)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), path->attr,
                           (const char *)node->name, value);
    return virErrorSet(error, VIR_ERR_XML_ERROR, _("Invalid value for element '%s': '%s'."),
                       (const char *)node->name, value);
}

/* libvirt reads numbers without sign, white space or rest. */
static bool
virFieldNumber(const char *text, int base, uint64_t *ret)
{
    char *end;

    if (!g_ascii_isdigit(text[0]))
        return false;
    errno = 0;
    *ret = strtoull(text, &end, base);
    return errno == 0 && *end == '\0';
}

static bool
virFieldSignedNumber(const char *text, int64_t *ret)
{
    char *end;

    if (!g_ascii_isdigit(text[text[0] == '-']))
        return false;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

bool
virFieldAttrUInt(const xmlNode *node, const char *name, int base, uint64_t max, bool *retSet,
                 uint64_t *ret, GError **error)
{
    g_autofree char *text = virXMLAttr(node, name);
    uint64_t value;

    *retSet = false;
    if (!text)
        return true;
    if (!virFieldNumber(text, base, &value) || value > max)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), name,
                           (const char *)node->name, text);
    *retSet = true;
    *ret = value;
    return true;
}

/* text belongs to the caller */
static bool
virFieldStore(const virField *field, const virFieldPath *path, void *object, const xmlNode *node,
              char **text, GError **error)
{
    void *at = (char *)object + field->offset;
    int value;

    switch (field->type) {
    case VIR_FIELD_TYPE_STRING:
        g_free(*(char **)at);
        *(char **)at = g_steal_pointer(text);
        return true;
    case VIR_FIELD_TYPE_ENUM:
        value = virEnumFromString(field->names, *text);
        if (value < 0 || (value == 0 && !(field->flags & (VIR_FIELD_ZERO | VIR_FIELD_READ_ZERO))))
            break;
        *(int *)at = value;
        return true;
    case VIR_FIELD_TYPE_YESNO:
    case VIR_FIELD_TYPE_ONOFF: {
        bool yesno = field->type == VIR_FIELD_TYPE_YESNO;

        if (g_str_equal(*text, yesno ? "yes" : "on"))
            *(virTristate *)at = VIR_TRISTATE_YES;
        else if (g_str_equal(*text, yesno ? "no" : "off"))
            *(virTristate *)at = VIR_TRISTATE_NO;
        else
            break;
        return true;
    }
    case VIR_FIELD_TYPE_UINT:
    case VIR_FIELD_TYPE_HEX: {
        virOptUInt *number = at;
        uint64_t min = field->type == VIR_FIELD_TYPE_UINT ? field->min : 0;

        if (!virFieldNumber(*text, field->type == VIR_FIELD_TYPE_HEX ? 0 : 10, &number->value) ||
            number->value < min || number->value > field->max)
            break;
        number->set = true;
        return true;
    }
    case VIR_FIELD_TYPE_INT:
        if (!virFieldSignedNumber(*text, &((virOptInt *)at)->value))
            break;
        ((virOptInt *)at)->set = true;
        return true;
    default:
        g_assert_not_reached();
    }
    return virFieldInvalid(field, path, node, *text, error);
}

static bool
virFieldParseKiB(const virField *field, void *object, const xmlNode *node, GError **error)
{
    virOptUInt *number = (virOptUInt *)((char *)object + field->offset);

    return virXMLMemory(node, field->path, field->flags & VIR_FIELD_REQUIRED, &number->set,
                        &number->value, error);
}

static bool
virFieldParseOne(const virField *field, void *object, xmlNode *node, GError **error)
{
    virFieldPath path;
    xmlNode *at;
    g_autofree char *text = NULL;
    bool ok;

    virFieldPathSplit(&path, field->path);
    at = virFieldPathNode(&path, node);
    if (field->type == VIR_FIELD_TYPE_PRESENT) {
        *(bool *)((char *)object + field->offset) = at != NULL;
        return true;
    }
    if (!at)
        return true;
    if (field->type == VIR_FIELD_TYPE_KIB)
        return virFieldParseKiB(field, object, node, error);
    text = path.attr ? virXMLAttr(at, path.attr) : virXMLText(at);
    if (!path.attr && text && !*text && field->type != VIR_FIELD_TYPE_REFUSED)
        g_clear_pointer(&text, g_free);
    if (!text) {
        if (field->missing)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _(field->missing));
        if (field->flags & VIR_FIELD_REQUIRED)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("Missing required attribute '%s' in element '%s'"), path.attr,
                               (const char *)at->name);
        return true;
    }
    if (field->type == VIR_FIELD_TYPE_REFUSED)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("%s%s%s of <%s>: %s"),
                           path.attr ? _("attribute '") : _("element <"),
                           path.attr ? path.attr : (const char *)at->name, path.attr ? "'" : ">",
                           (const char *)(path.attr ? at->name : node->name), _(field->reason));
    ok = virFieldStore(field, &path, object, at, &text, error);
    if (field->flags & VIR_FIELD_SECRET)
        virSecureEraseString(text);
    return ok;
}

bool
virFieldParse(const virField *fields, void *object, xmlNode *node, unsigned parseFlags,
              GError **error)
{
    for (const virField *f = fields; f->type != VIR_FIELD_TYPE_END; f++) {
        bool ok;

        if (virFieldIsUnread(f, parseFlags))
            continue;
        if (f->type == VIR_FIELD_TYPE_MIXIN)
            ok = virFieldParse(f->mixin, (char *)object + f->offset, node, parseFlags, error);
        else if (f->type == VIR_FIELD_TYPE_CODE)
            ok = !f->parse || f->parse(object, node, parseFlags, error);
        else
            ok = virFieldParseOne(f, object, node, error);
        if (!ok)
            return false;
    }
    return true;
}

/* --- writing --- */

/* The value as text, or NULL if it has nothing to say. */
static char *
virFieldText(const virField *field, const void *object)
{
    const void *at = (const char *)object + field->offset;

    switch (field->type) {
    case VIR_FIELD_TYPE_STRING:
        return g_strdup(*(char *const *)at);
    case VIR_FIELD_TYPE_ENUM:
        if (*(const int *)at == 0 && !(field->flags & VIR_FIELD_ZERO))
            return NULL;
        return g_strdup(virEnumToString(field->names, *(const int *)at));
    case VIR_FIELD_TYPE_YESNO:
    case VIR_FIELD_TYPE_ONOFF: {
        bool yesno = field->type == VIR_FIELD_TYPE_YESNO;
        virTristate value = *(const virTristate *)at;

        if (value == VIR_TRISTATE_ABSENT)
            return NULL;
        if (value == VIR_TRISTATE_YES)
            return g_strdup(yesno ? "yes" : "on");
        return g_strdup(yesno ? "no" : "off");
    }
    case VIR_FIELD_TYPE_UINT:
    case VIR_FIELD_TYPE_KIB:
    case VIR_FIELD_TYPE_HEX: {
        const virOptUInt *number = at;

        if (!number->set)
            return NULL;
        if (field->type != VIR_FIELD_TYPE_HEX)
            return g_strdup_printf("%" PRIu64, number->value);
        return g_strdup_printf("0x%0*" PRIx64, (int)field->min, number->value);
    }
    case VIR_FIELD_TYPE_INT: {
        const virOptInt *number = at;

        return number->set ? g_strdup_printf("%" PRId64, number->value) : NULL;
    }
    case VIR_FIELD_TYPE_PRESENT:
        return *(const bool *)at ? g_strdup("") : NULL;
    default:
        return NULL;
    }
}

static bool
virFieldIsUnwritten(const virField *field, unsigned formatFlags)
{
    if (field->flags & VIR_FIELD_SILENT)
        return true;
    if ((field->flags & VIR_FIELD_IN_STATUS) && !(formatFlags & VIR_FORMAT_STATUS))
        return true;
    if ((field->flags & VIR_FIELD_SECRET) && !(formatFlags & VIR_FORMAT_SECURE))
        return true;
    return (field->flags & VIR_FIELD_LIVE) && (formatFlags & VIR_FORMAT_INACTIVE);
}

/* The elements that are open below the table's own. */
typedef struct {
    virXMLWriter *w;
    const char *names[VIR_FIELD_DEPTH_MAX];
    char buffer[VIR_FIELD_DEPTH_MAX][64];
    unsigned depth;
} virFieldOpen;

static void
virFieldOpenTo(virFieldOpen *open, const virFieldPath *path)
{
    unsigned common = 0;

    while (common < open->depth && common < path->depth &&
           g_str_equal(open->names[common], path->elements[common]))
        common++;
    for (; open->depth > common; open->depth--)
        virXMLWriterClose(open->w);
    for (; open->depth < path->depth; open->depth++) {
        g_strlcpy(open->buffer[open->depth], path->elements[open->depth], 64);
        open->names[open->depth] = open->buffer[open->depth];
        virXMLWriterOpen(open->w, open->names[open->depth]);
    }
}

static void virFieldFormatInto(const virField *fields, const void *object, virFieldOpen *open,
                               unsigned formatFlags);

static void
virFieldFormatOne(const virField *field, const void *object, virFieldOpen *open)
{
    g_autofree char *text = virFieldText(field, object);
    virFieldPath path;

    if (!text)
        return;
    virFieldPathSplit(&path, field->path);
    virFieldOpenTo(open, &path);
    if (path.attr)
        virXMLWriterAttr(open->w, path.attr, text);
    if (field->type == VIR_FIELD_TYPE_KIB)
        virXMLWriterAttr(open->w, "unit", "KiB");
    if (!path.attr)
        virXMLWriterText(open->w, text);
    if (field->flags & VIR_FIELD_SECRET)
        virSecureEraseString(text);
}

static void
virFieldFormatInto(const virField *fields, const void *object, virFieldOpen *open,
                   unsigned formatFlags)
{
    static const virFieldPath outside;

    for (const virField *f = fields; f->type != VIR_FIELD_TYPE_END; f++) {
        if (virFieldIsUnwritten(f, formatFlags))
            continue;
        if (f->type == VIR_FIELD_TYPE_MIXIN) {
            virFieldFormatInto(f->mixin, (const char *)object + f->offset, open, formatFlags);
        } else if (f->type == VIR_FIELD_TYPE_CODE) {
            if (!f->format)
                continue;
            /* attributes by code belong to the element the table is about */
            virFieldOpenTo(open, &outside);
            f->format(object, open->w, formatFlags);
        } else {
            virFieldFormatOne(f, object, open);
        }
    }
}

void
virFieldFormat(const virField *fields, const void *object, virXMLWriter *w, unsigned formatFlags)
{
    static const virFieldPath outside;
    virFieldOpen open = {.w = w};

    virFieldFormatInto(fields, object, &open, formatFlags);
    virFieldOpenTo(&open, &outside);
}

void
virFieldClear(const virField *fields, void *object)
{
    for (const virField *f = fields; f->type != VIR_FIELD_TYPE_END; f++) {
        char **text = (char **)((char *)object + f->offset);

        if (f->type == VIR_FIELD_TYPE_MIXIN) {
            virFieldClear(f->mixin, (char *)object + f->offset);
        } else if (f->type == VIR_FIELD_TYPE_CODE) {
            if (f->clear)
                f->clear(object);
        } else if (f->type == VIR_FIELD_TYPE_STRING) {
            if (f->flags & VIR_FIELD_SECRET)
                virSecureEraseString(*text);
            g_clear_pointer(text, g_free);
        }
    }
}

static bool
virFieldSameOne(const virField *field, const char *element, const void *a, const void *b,
                GError **error)
{
    g_autofree char *was = virFieldText(field, a);
    g_autofree char *is = virFieldText(field, b);

    if (g_strcmp0(was, is) == 0)
        return true;
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                       _("Target <%s> %s '%s' does not match source '%s'"), element, field->path,
                       is ? is : "", was ? was : "");
}

bool
virFieldSameABI(const virField *fields, const char *element, const void *a, const void *b,
                GError **error)
{
    for (const virField *f = fields; f->type != VIR_FIELD_TYPE_END; f++) {
        bool ok = true;

        if (f->type == VIR_FIELD_TYPE_MIXIN)
            ok = virFieldSameABI(f->mixin, element, (const char *)a + f->offset,
                                 (const char *)b + f->offset, error);
        else if (f->type == VIR_FIELD_TYPE_CODE)
            ok = !f->same || f->same(a, b, error);
        else if (f->flags & VIR_FIELD_ABI)
            ok = virFieldSameOne(f, element, a, b, error);
        if (!ok)
            return false;
    }
    return true;
}

bool
virFieldMatches(const virField *fields, const void *object, const void *wanted)
{
    for (const virField *f = fields; f->type != VIR_FIELD_TYPE_END; f++) {
        g_autofree char *is = NULL;
        g_autofree char *asked = NULL;

        if (f->type == VIR_FIELD_TYPE_MIXIN) {
            if (!virFieldMatches(f->mixin, (const char *)object + f->offset,
                                 (const char *)wanted + f->offset))
                return false;
            continue;
        }
        asked = virFieldText(f, wanted);
        is = asked ? virFieldText(f, object) : NULL;
        if (asked && g_strcmp0(asked, is) != 0)
            return false;
    }
    return true;
}
