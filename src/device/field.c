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

/* The element of the row read last: rows of one element stand together. */
typedef struct {
    const char *path;
    size_t len; /* of the path without attribute */
    xmlNode *at;
} virFieldPlace;

static xmlNode *
virFieldChild(const xmlNode *node, const char *name, size_t len)
{
    for (xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE && !child->ns &&
            strncmp((const char *)child->name, name, len) == 0 && !child->name[len])
            return child;
    }
    return NULL;
}

static xmlNode *
virFieldWalk(xmlNode *node, const char *path, size_t len)
{
    const char *end = path + len;

    if (len == 1 && path[0] == '.')
        return node;
    while (node && path < end) {
        const char *slash = memchr(path, '/', (size_t)(end - path));
        size_t step = (size_t)((slash ? slash : end) - path);

        node = virFieldChild(node, path, step);
        path += step + 1;
    }
    return node;
}

/* The element that a row is about, or NULL. */
static xmlNode *
virFieldPlaceFind(virFieldPlace *place, xmlNode *node, const char *path, const char **retAttr)
{
    const char *at = strchr(path, '@');
    size_t len = at ? (size_t)(at - path) : strlen(path);

    *retAttr = at ? at + 1 : NULL;
    if (!place->path || place->len != len || memcmp(place->path, path, len) != 0)
        *place = (virFieldPlace){path, len, virFieldWalk(node, path, len)};
    return place->at;
}

static bool
virFieldIsUnread(const virField *field, unsigned parseFlags)
{
    return (parseFlags & VIR_PARSE_INACTIVE) && (field->flags & VIR_FIELD_LIVE);
}

static bool
virFieldInvalid(const virField *field, const char *attr, const xmlNode *node, const char *value,
                GError **error)
{
    if (field->unknown)
        return virErrorSet(error,
                           field->type == VIR_FIELD_TYPE_ENUM ? VIR_ERR_CONFIG_UNSUPPORTED
                                                              : VIR_ERR_XML_ERROR,
                           _(field->unknown), value);
    if (field->type == VIR_FIELD_TYPE_UINT && field->min == 1 && g_str_equal(value, "0") && attr)
        return virErrorSet(
            error, VIR_ERR_XML_ERROR,
            _("Invalid value for attribute '%s' in element '%s': Zero is not permitted"), attr,
            (const char *)node->name);
    if (attr && field->type == VIR_FIELD_TYPE_UINT && strspn(value, "0123456789") != strlen(value))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'. Expected "
                             "non-negative integer value"),
                           attr, (const char *)node->name, value);
    if (attr)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), attr,
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

bool
virFieldAttrOptUInt(const xmlNode *node, const char *name, int base, uint64_t max, virOptUInt *ret,
                    GError **error)
{
    uint64_t value = 0;
    bool set;

    if (!virFieldAttrUInt(node, name, base, max, &set, &value, error))
        return false;
    *ret = (virOptUInt){value, set};
    return true;
}

static bool
virFieldStore(const virField *field, const char *attr, void *object, const xmlNode *node,
              const char *text, GError **error)
{
    void *at = (char *)object + field->offset;
    int value;

    switch (field->type) {
    case VIR_FIELD_TYPE_STRING:
        g_free(*(char **)at);
        *(char **)at = g_strdup(text);
        return true;
    case VIR_FIELD_TYPE_ENUM:
        value = virEnumFromString(field->names, text);
        if (value < 0 || (value == 0 && !(field->flags & (VIR_FIELD_ZERO | VIR_FIELD_READ_ZERO))))
            break;
        *(int *)at = value;
        return true;
    case VIR_FIELD_TYPE_YESNO:
    case VIR_FIELD_TYPE_ONOFF: {
        bool yesno = field->type == VIR_FIELD_TYPE_YESNO;

        if (g_str_equal(text, yesno ? "yes" : "on"))
            *(virTristate *)at = VIR_TRISTATE_YES;
        else if (g_str_equal(text, yesno ? "no" : "off"))
            *(virTristate *)at = VIR_TRISTATE_NO;
        else
            break;
        return true;
    }
    case VIR_FIELD_TYPE_UINT:
    case VIR_FIELD_TYPE_HEX: {
        uint64_t min = field->type == VIR_FIELD_TYPE_UINT ? field->min : 0;
        uint64_t number;

        if (!virFieldNumber(text, field->type == VIR_FIELD_TYPE_HEX ? 0 : 10, &number) ||
            number < min || number > field->max)
            break;
        *(virOptUInt *)at = virOptUIntOf(number);
        return true;
    }
    case VIR_FIELD_TYPE_INT: {
        int64_t number;

        if (!virFieldSignedNumber(text, &number))
            break;
        *(virOptInt *)at = (virOptInt){number, true};
        return true;
    }
    default:
        g_assert_not_reached();
    }
    return virFieldInvalid(field, attr, node, text, error);
}

static bool
virFieldParseKiB(const virField *field, void *object, const xmlNode *node, GError **error)
{
    uint64_t value = 0;
    bool set;

    if (!virXMLMemory(node, field->path, field->flags & VIR_FIELD_REQUIRED, &set, &value, error))
        return false;
    *(virOptUInt *)((char *)object + field->offset) = (virOptUInt){value, set};
    return true;
}

/* The text of a plain attribute or element is borrowed; what is pieced together stands in *retOwn,
 * which the caller frees. */
static const char *
virFieldTextOf(const char *attr, const xmlNode *node, char **retOwn)
{
    const char *text = attr ? virXMLAttrPeek(node, attr) : virXMLTextPeek(node);

    if (!text)
        text = *retOwn = attr ? virXMLAttr(node, attr) : virXMLText(node);
    return text;
}

static bool
virFieldParseText(const virField *field, const char *attr, void *object, const xmlNode *node,
                  const xmlNode *at, const char *text, GError **error)
{
    if (!attr && text && !*text && field->type != VIR_FIELD_TYPE_REFUSED)
        text = NULL;
    if (!text) {
        if (field->missing)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _(field->missing));
        if (field->flags & VIR_FIELD_REQUIRED)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("Missing required attribute '%s' in element '%s'"), attr,
                               (const char *)at->name);
        return true;
    }
    if (field->type == VIR_FIELD_TYPE_REFUSED)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("%s%s%s of <%s>: %s"),
                           attr ? _("attribute '") : _("element <"),
                           attr ? attr : (const char *)at->name, attr ? "'" : ">",
                           (const char *)(attr ? at->name : node->name), _(field->reason));
    return virFieldStore(field, attr, object, at, text, error);
}

static bool
virFieldParseOne(const virField *field, void *object, xmlNode *node, virFieldPlace *place,
                 GError **error)
{
    const char *attr;
    xmlNode *at = virFieldPlaceFind(place, node, field->path, &attr);
    char *own = NULL;
    bool ok;

    if (field->type == VIR_FIELD_TYPE_PRESENT) {
        *(bool *)((char *)object + field->offset) = at != NULL;
        return true;
    }
    if (!at)
        return true;
    if (field->type == VIR_FIELD_TYPE_KIB)
        return virFieldParseKiB(field, object, node, error);
    ok = virFieldParseText(field, attr, object, node, at, virFieldTextOf(attr, at, &own), error);
    if (field->flags & VIR_FIELD_SECRET)
        virSecureEraseString(own);
    g_free(own);
    return ok;
}

bool
virFieldParse(const virField *fields, void *object, xmlNode *node, unsigned parseFlags,
              GError **error)
{
    virFieldPlace place = {0};

    for (const virField *f = fields; f->type != VIR_FIELD_TYPE_END; f++) {
        bool ok;

        if (virFieldIsUnread(f, parseFlags))
            continue;
        if (f->type == VIR_FIELD_TYPE_MIXIN)
            ok = virFieldParse(f->mixin, (char *)object + f->offset, node, parseFlags, error);
        else if (f->type == VIR_FIELD_TYPE_CODE)
            ok = !f->parse || f->parse(object, node, parseFlags, error);
        else
            ok = virFieldParseOne(f, object, node, &place, error);
        if (!ok)
            return false;
    }
    return true;
}

/* --- writing --- */

/* Room for a number as text. */
typedef char virFieldNumberText[24];

/* The value as text, or NULL if it has nothing to say. Borrowed from the object or the tables; a
 * number stands in number. */
static const char *
virFieldText(const virField *field, const void *object, virFieldNumberText number)
{
    const void *at = (const char *)object + field->offset;

    switch (field->type) {
    case VIR_FIELD_TYPE_STRING:
        return *(char *const *)at;
    case VIR_FIELD_TYPE_ENUM:
        if (*(const int *)at == 0 && !(field->flags & VIR_FIELD_ZERO))
            return NULL;
        return virEnumToString(field->names, *(const int *)at);
    case VIR_FIELD_TYPE_YESNO:
    case VIR_FIELD_TYPE_ONOFF: {
        bool yesno = field->type == VIR_FIELD_TYPE_YESNO;
        virTristate value = *(const virTristate *)at;

        if (value == VIR_TRISTATE_ABSENT)
            return NULL;
        if (value == VIR_TRISTATE_YES)
            return yesno ? "yes" : "on";
        return yesno ? "no" : "off";
    }
    case VIR_FIELD_TYPE_UINT:
    case VIR_FIELD_TYPE_KIB:
    case VIR_FIELD_TYPE_HEX: {
        const virOptUInt *value = at;

        if (!value->set)
            return NULL;
        if (field->type != VIR_FIELD_TYPE_HEX)
            g_snprintf(number, sizeof(virFieldNumberText), "%" PRIu64, value->value);
        else
            g_snprintf(number, sizeof(virFieldNumberText), "0x%0*" PRIx64, (int)field->min,
                       value->value);
        return number;
    }
    case VIR_FIELD_TYPE_INT: {
        const virOptInt *value = at;

        if (!value->set)
            return NULL;
        g_snprintf(number, sizeof(virFieldNumberText), "%" PRId64, value->value);
        return number;
    }
    case VIR_FIELD_TYPE_PRESENT:
        return *(const bool *)at ? "" : NULL;
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

/* A path, taken apart where it stands: elements[0..depth), lens of their names, and then an
 * attribute, or text if attr is NULL. */
typedef struct {
    const char *elements[VIR_FIELD_DEPTH_MAX];
    size_t lens[VIR_FIELD_DEPTH_MAX];
    unsigned depth;
    const char *attr;
} virFieldPath;

static void
virFieldPathSplit(virFieldPath *path, const char *text)
{
    const char *begin = text;

    path->depth = 0;
    path->attr = NULL;
    if (text[0] == '.' && !text[1])
        return;
    for (const char *p = text;; p++) {
        if (*p && *p != '/' && *p != '@')
            continue;
        if (p > begin) {
            g_assert(path->depth < VIR_FIELD_DEPTH_MAX);
            path->elements[path->depth] = begin;
            path->lens[path->depth++] = (size_t)(p - begin);
        }
        begin = p + 1;
        if (*p != '/') {
            path->attr = *p ? begin : NULL;
            return;
        }
    }
}

/* The elements that are open below the table's own. */
typedef struct {
    virXMLWriter *w;
    virFieldPath path; /* of the last row written */
    unsigned depth;
} virFieldOpen;

static bool
virFieldOpenIs(const virFieldOpen *open, unsigned level, const virFieldPath *path)
{
    return open->path.lens[level] == path->lens[level] &&
           memcmp(open->path.elements[level], path->elements[level], path->lens[level]) == 0;
}

static void
virFieldOpenTo(virFieldOpen *open, const virFieldPath *path)
{
    unsigned common = 0;

    while (common < open->depth && common < path->depth && virFieldOpenIs(open, common, path))
        common++;
    for (; open->depth > common; open->depth--)
        virXMLWriterClose(open->w);
    for (; open->depth < path->depth; open->depth++)
        virXMLWriterOpenLen(open->w, path->elements[open->depth], path->lens[open->depth]);
    open->path = *path;
}

static void virFieldFormatInto(const virField *fields, const void *object, virFieldOpen *open,
                               unsigned formatFlags);

static void
virFieldFormatOne(const virField *field, const void *object, virFieldOpen *open)
{
    virFieldNumberText number;
    const char *text = virFieldText(field, object, number);
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
    virFieldNumberText wasNumber;
    virFieldNumberText isNumber;
    const char *was = virFieldText(field, a, wasNumber);
    const char *is = virFieldText(field, b, isNumber);

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
        virFieldNumberText isNumber;
        virFieldNumberText askedNumber;
        const char *is;
        const char *asked;

        if (f->type == VIR_FIELD_TYPE_MIXIN) {
            if (!virFieldMatches(f->mixin, (const char *)object + f->offset,
                                 (const char *)wanted + f->offset))
                return false;
            continue;
        }
        asked = virFieldText(f, wanted, askedNumber);
        is = asked ? virFieldText(f, object, isNumber) : NULL;
        if (asked && g_strcmp0(asked, is) != 0)
            return false;
    }
    return true;
}
