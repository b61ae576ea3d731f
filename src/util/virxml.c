/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virxml.c: libxml2 with the doors shut, and a writer that keeps libvirt's layout. */
#include "util/virxml.h"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "util/virerror.h"
#include "util/virsecure.h"
#include "util/virutil.h"

/* libxml2 frees nodes one by one and wipes none; a definition may hold a password. */
static void
virXMLMemFree(void *ptr)
{
    if (ptr)
        virSecureErase(ptr, malloc_usable_size(ptr));
    free(ptr);
}

static void *
virXMLMemRealloc(void *ptr, size_t size)
{
    size_t old = ptr ? malloc_usable_size(ptr) : 0;
    void *fresh;

    if (ptr && size <= old)
        return ptr;
    fresh = malloc(size);
    if (fresh && ptr) {
        memcpy(fresh, ptr, old);
        virXMLMemFree(ptr);
    }
    return fresh;
}

static char *
virXMLMemStrdup(const char *str)
{
    return strdup(str);
}

void
virXMLInit(void)
{
    xmlMemSetup(virXMLMemFree, malloc, virXMLMemRealloc, virXMLMemStrdup);
    xmlInitParser();
}

static void
virXMLIgnoreMessage(void *opaque, xmlErrorPtr err)
{
    (void)opaque; /* the last error is read from the parser when it is done */
    (void)err;
}

/* --- what is refused before libxml2 sees it --- */

/* The scan reads bytes as ASCII. A document in an encoding where '<' may be another byte, or a byte
 * '<' something else, would show libxml2 what the scan hasn't seen. */
static bool
virXMLIsReadable(const char *text, size_t len)
{
    static const char *const taken[] = {"utf-8", "us-ascii", "ascii", "iso-8859-", "windows-125"};
    const char *end = memmem(text, MIN(len, 256), "?>", 2);
    g_autofree char *head = NULL;
    const char *name;

    if (len >= 4 && (memchr(text, '\0', 4) || (unsigned char)text[0] >= 0xFE))
        return false; /* two or four bytes to a character */
    if (len < 5 || memcmp(text, "<?xml", 5) != 0 || !end)
        return true;
    head = g_ascii_strdown(text, end - text);
    if (!(name = strstr(head, "encoding")))
        return true;
    name += strlen("encoding");
    name += strspn(name, " \t\r\n='\"");
    for (size_t i = 0; i < G_N_ELEMENTS(taken); i++) {
        if (g_str_has_prefix(name, taken[i]))
            return true;
    }
    return false;
}

/* The '>' of the tag at p, or the end of the text; how many attributes it may have. */
static const char *
virXMLTagEnd(const char *p, const char *end, size_t *retAttrs)
{
    char quote = 0;

    *retAttrs = 0;
    for (; p < end && (quote || *p != '>'); p++) {
        if (quote && *p == quote)
            quote = 0;
        else if (!quote && (*p == '"' || *p == '\''))
            quote = *p;
        else if (!quote && *p == '=')
            (*retAttrs)++;
    }
    return p;
}

/* The last byte of the comment, section or tag at p, or what stands in a comment where its '>' must
 * be; NULL if it doesn't end. */
static const char *
virXMLMarkupEnd(const char *p, const char *end, size_t *depth, size_t *retAttrs)
{
    size_t left = (size_t)(end - p);

    *retAttrs = 0;
    if (left >= 4 && memcmp(p, "<!--", 4) == 0) {
        const char *hyphens = memmem(p + 4, left - 4, "--", 2);

        return hyphens && hyphens + 2 < end ? hyphens + 2 : NULL;
    }
    if (left >= 9 && memcmp(p, "<![CDATA[", 9) == 0)
        return memmem(p + 9, left - 9, "]]>", 3);
    if (left >= 2 && p[1] == '/') {
        *depth -= *depth > 0;
    } else if (left >= 2 && p[1] != '!' && p[1] != '?') {
        const char *close = virXMLTagEnd(p + 1, end, retAttrs);

        if (close == end)
            return NULL;
        *depth += close[-1] != '/';
        return close;
    }
    return p;
}

static unsigned
virXMLLineAt(const char *text, const char *at)
{
    unsigned line = 1;

    for (const char *p = text; (p = memchr(p, '\n', (size_t)(at - p))); p++)
        line++;
    return line;
}

/* libxml2 recurses while it reads and frees, compares the attributes of an element each with each,
 * expands entities, and is minutes over a comment of hyphens: depth, attributes, document types and
 * such comments (XML 1.0 has none, 2.5) are refused before any of that. */
static bool
virXMLCheckShape(const char *text, size_t len, const char *what, GError **error)
{
    const char *end = text + len;
    const char *at;
    size_t depth = 0;
    size_t attrs;
    unsigned marks = 0;

    if (len > VIR_XML_SIZE_MAX)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("%s has %zu bytes, at most %d are taken"),
                           what, len, VIR_XML_SIZE_MAX);
    if (!virXMLIsReadable(text, len))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("the encoding of %s is not taken"), what);
    for (const char *p = text; p && (p = memchr(p, '<', (size_t)(end - p)));) {
        if ((size_t)(end - p) >= 9 && memcmp(p, "<!DOCTYPE", 9) == 0)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("%s has a document type, which is not taken"), what);
        at = p;
        p = virXMLMarkupEnd(p, end, &depth, &attrs);
        if (p && end - at >= 4 && memcmp(at, "<!--", 4) == 0 && *p != '>')
            return virErrorSet(error, VIR_ERR_XML_DETAIL,
                               _("(%s):%u: Double hyphen within comment"), what,
                               virXMLLineAt(text, p));
        if (depth > VIR_XML_DEPTH_MAX)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("elements of %s are nested deeper than %d"), what,
                               VIR_XML_DEPTH_MAX);
        if (++marks > VIR_XML_MARKS_MAX)
            return virErrorSet(error, VIR_ERR_XML_ERROR, _("%s has more than %d tags"), what,
                               VIR_XML_MARKS_MAX);
        if (attrs > VIR_XML_ATTRS_MAX)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("an element of %s has more than %d attributes"), what,
                               VIR_XML_ATTRS_MAX);
        p = p ? p + 1 : NULL;
    }
    return true;
}

xmlDoc *
virXMLParse(const char *text, gssize len, const char *what, GError **error)
{
    size_t size = len < 0 ? strlen(text) : (size_t)len;
    xmlParserCtxt *parser;
    xmlDoc *doc;

    if (!virXMLCheckShape(text, size, what, error))
        return NULL;
    parser = xmlNewParserCtxt();
    parser->sax->serror = virXMLIgnoreMessage;
    doc = xmlCtxtReadMemory(parser, text, (int)size, what, NULL,
                            XML_PARSE_NONET | XML_PARSE_COMPACT | XML_PARSE_NOWARNING |
                                XML_PARSE_NOERROR);
    if (doc && doc->intSubset) {
        virErrorSet(error, VIR_ERR_XML_ERROR, _("%s has a document type, which is not taken"),
                    what);
        g_clear_pointer(&doc, xmlFreeDoc);
    } else if (!doc || !parser->wellFormed) {
        const xmlError *err = xmlCtxtGetLastError(parser);
        g_autofree char *message = g_strdup(err && err->message ? err->message : "");

        /* the line itself is not repeated: it may hold a secret */
        virErrorSet(error, VIR_ERR_XML_DETAIL, "(%s):%d: %s", what, err ? err->line : 0,
                    message[0] ? g_strchomp(message) : _("not a well-formed document"));
        g_clear_pointer(&doc, xmlFreeDoc);
    }
    xmlFreeParserCtxt(parser);
    return doc;
}

xmlDoc *
virXMLReread(const char *text)
{
    xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL,
                                XML_PARSE_NONET | XML_PARSE_COMPACT | XML_PARSE_HUGE |
                                    XML_PARSE_NOWARNING | XML_PARSE_NOERROR);

    if (!doc)
        g_error("an XML subtree that was written cannot be read");
    return doc;
}

char *
virXMLNodeText(const xmlNode *node)
{
    xmlBuffer *buf = xmlBufferCreate();
    char *text;

    (void)xmlNodeDump(buf, node->doc, (xmlNode *)node, 0, /* format: */ 0); /* memory only */
    text = g_strndup((const char *)xmlBufferContent(buf), (gsize)xmlBufferLength(buf));
    xmlBufferFree(buf);
    return text;
}

bool
virXMLNameIs(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

xmlNode *
virXMLRoot(xmlDoc *doc, const char *name, GError **error)
{
    xmlNode *root = xmlDocGetRootElement(doc);

    if (!root || !virXMLNameIs(root, name)) {
        virErrorSet(error, VIR_ERR_XML_ERROR, _("unexpected root element <%s>, expecting <%s>"),
                    root ? (const char *)root->name : "", name);
        return NULL;
    }
    return root;
}

static xmlNode *
virXMLSkip(xmlNode *node, const char *name)
{
    while (node && (node->type != XML_ELEMENT_NODE || node->ns ||
                    (name && strcmp((const char *)node->name, name) != 0)))
        node = node->next;
    return node;
}

xmlNode *
virXMLFirstChild(const xmlNode *node, const char *name)
{
    return node ? virXMLSkip(node->children, name) : NULL;
}

xmlNode *
virXMLNext(const xmlNode *node, const char *name)
{
    return virXMLSkip(node->next, name);
}

xmlNode *
virXMLChildAt(const xmlNode *node, const char *path)
{
    const xmlNode *at = node;
    const char *slash;

    while ((slash = strchr(path, '/'))) {
        g_autofree char *name = g_strndup(path, (gsize)(slash - path));

        at = virXMLFirstChild(at, name);
        path = slash + 1;
    }
    return virXMLFirstChild(at, path);
}

/* NULL if there is none; the defaults of a document type are none, as that is not taken. */
static const xmlAttr *
virXMLAttrFind(const xmlNode *node, const char *name)
{
    const xmlAttr *attr = node ? node->properties : NULL;

    while (attr && (attr->ns || strcmp((const char *)attr->name, name) != 0))
        attr = attr->next;
    return attr;
}

const char *
virXMLAttrPeek(const xmlNode *node, const char *name)
{
    const xmlAttr *attr = virXMLAttrFind(node, name);

    if (!attr)
        return NULL;
    if (!attr->children)
        return "";
    if (attr->children->type == XML_TEXT_NODE && !attr->children->next)
        return (const char *)attr->children->content;
    return NULL;
}

static char *
virXMLSteal(xmlChar *str)
{
    char *copy = g_strdup((const char *)str);

    xmlFree(str);
    return copy;
}

char *
virXMLAttr(const xmlNode *node, const char *name)
{
    const char *plain = virXMLAttrPeek(node, name);

    if (plain || !virXMLAttrFind(node, name))
        return g_strdup(plain);
    return virXMLSteal(xmlGetNoNsProp((xmlNode *)node, (const xmlChar *)name));
}

const char *
virXMLTextPeek(const xmlNode *node)
{
    const xmlNode *text = node ? node->children : NULL;

    return text && text->type == XML_TEXT_NODE && !text->next ? (const char *)text->content : NULL;
}

char *
virXMLText(const xmlNode *node)
{
    const char *plain = virXMLTextPeek(node);

    if (plain || !node)
        return g_strdup(plain);
    return virXMLSteal(xmlNodeGetContent(node));
}

/* --- the writer --- */

typedef struct {
    size_t start; /* length of the text before this element */
    size_t name;  /* where in the text its name stands */
    size_t nameLen;
    bool inTag; /* '>' not written yet */
    bool hasAttrs;
    bool hasText;
    bool hasChildren;
} virXMLLevel;

struct virXMLWriter {
    char *text;
    size_t len;
    size_t room;    /* bytes at text */
    GArray *levels; /* virXMLLevel */
};

/* What most documents need. */
enum { VIR_XML_WRITER_ROOM = 8192 };

virXMLWriter *
virXMLWriterNew(void)
{
    virXMLWriter *w = g_new0(virXMLWriter, 1);

    w->room = VIR_XML_WRITER_ROOM;
    w->text = g_malloc(w->room);
    w->levels = g_array_sized_new(FALSE, FALSE, sizeof(virXMLLevel), 16);
    return w;
}

static virXMLLevel *
virXMLWriterTop(virXMLWriter *w)
{
    return w->levels->len ? &g_array_index(w->levels, virXMLLevel, w->levels->len - 1) : NULL;
}

void
virXMLWriterFree(virXMLWriter *w)
{
    if (!w)
        return;
    g_array_unref(w->levels);
    virSecureErase(w->text, w->room);
    g_free(w->text);
    g_free(w);
}

/* A document may hold a password, so what is outgrown is wiped. */
static void
virXMLWriterGrow(virXMLWriter *w, size_t len)
{
    size_t room = MAX(w->room * 2, w->len + len);
    char *text = g_malloc(room);

    memcpy(text, w->text, w->len);
    virSecureErase(w->text, w->len);
    g_free(w->text);
    w->text = text;
    w->room = room;
}

static void
virXMLWriterAppend(virXMLWriter *w, const char *text, size_t len)
{
    if (len > w->room - w->len)
        virXMLWriterGrow(w, len);
    memcpy(w->text + w->len, text, len);
    w->len += len;
}

#define virXMLWriterPut(w, literal) virXMLWriterAppend((w), (literal), sizeof(literal) - 1)

static void
virXMLWriterIndent(virXMLWriter *w)
{
    static const char blanks[] = "                                ";
    size_t left = 2 * (size_t)w->levels->len;

    while (left > 0) {
        size_t some = MIN(left, sizeof(blanks) - 1);

        virXMLWriterAppend(w, blanks, some);
        left -= some;
    }
}

/* A child is about to be written: finish the tag of its parent. */
static void
virXMLWriterBeginChild(virXMLWriter *w)
{
    virXMLLevel *top = virXMLWriterTop(w);

    if (!top)
        return;
    if (top->inTag) {
        virXMLWriterPut(w, ">\n");
        top->inTag = false;
    }
    top->hasChildren = true;
}

/* What an escaped character is written as; NULL: as it is. */
static const char *
virXMLWriterEntity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\'':
        return "&apos;";
    case '"':
        return "&quot;";
    case '\n':
    case '\t':
    case '\r':
        return NULL;
    default:
        /* characters that no XML document may hold are left out */
        return (unsigned char)c < 0x20 ? "" : NULL;
    }
}

/* Quotes as libvirt does: only what XML demands, ' in attributes as &apos;. */
static void
virXMLWriterEscape(virXMLWriter *w, const char *value)
{
    const char *plain = value;
    const char *p = value;

    for (; *p; p++) {
        const char *entity = virXMLWriterEntity(*p);

        if (!entity)
            continue;
        virXMLWriterAppend(w, plain, (size_t)(p - plain));
        virXMLWriterAppend(w, entity, strlen(entity));
        plain = p + 1;
    }
    virXMLWriterAppend(w, plain, (size_t)(p - plain));
}

void
virXMLWriterOpenLen(virXMLWriter *w, const char *element, size_t len)
{
    virXMLLevel level = {.start = w->len, .nameLen = len, .inTag = true};

    virXMLWriterBeginChild(w);
    virXMLWriterIndent(w);
    virXMLWriterPut(w, "<");
    level.name = w->len;
    virXMLWriterAppend(w, element, len);
    g_array_append_val(w->levels, level);
}

void
virXMLWriterOpen(virXMLWriter *w, const char *element)
{
    virXMLWriterOpenLen(w, element, strlen(element));
}

void
virXMLWriterAttr(virXMLWriter *w, const char *name, const char *value)
{
    virXMLLevel *top = virXMLWriterTop(w);

    if (!value)
        return;
    g_return_if_fail(top && top->inTag);
    top->hasAttrs = true;
    virXMLWriterPut(w, " ");
    virXMLWriterAppend(w, name, strlen(name));
    virXMLWriterPut(w, "='");
    virXMLWriterEscape(w, value);
    virXMLWriterPut(w, "'");
}

void
virXMLWriterAttrF(virXMLWriter *w, const char *name, const char *fmt, ...)
{
    char value[128];
    char *rest = NULL;
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = g_vsnprintf(value, sizeof(value), fmt, ap);
    va_end(ap);
    if (len >= (int)sizeof(value)) {
        va_start(ap, fmt);
        rest = g_strdup_vprintf(fmt, ap);
        va_end(ap);
    }
    virXMLWriterAttr(w, name, rest ? rest : value);
    virSecureErase(value, sizeof(value));
    virSecureFreeString(rest);
}

void
virXMLWriterText(virXMLWriter *w, const char *text)
{
    virXMLLevel *top = virXMLWriterTop(w);

    g_return_if_fail(top && !top->hasChildren);
    if (!text || !*text)
        return;
    if (top->inTag)
        virXMLWriterPut(w, ">");
    top->inTag = false;
    top->hasText = true;
    virXMLWriterEscape(w, text);
}

void
virXMLWriterChildren(virXMLWriter *w)
{
    virXMLWriterBeginChild(w);
}

void
virXMLWriterClose(virXMLWriter *w)
{
    virXMLLevel *top = virXMLWriterTop(w);
    virXMLLevel level = *top;

    g_array_set_size(w->levels, w->levels->len - 1);
    if (level.inTag) {
        virXMLWriterPut(w, "/>\n");
        return;
    }
    if (!level.hasText)
        virXMLWriterIndent(w);
    virXMLWriterPut(w, "</");
    if (level.nameLen > w->room - w->len)
        virXMLWriterGrow(w, level.nameLen); /* before its name is looked for */
    virXMLWriterAppend(w, w->text + level.name, level.nameLen);
    virXMLWriterPut(w, ">\n");
}

void
virXMLWriterCloseUnlessEmpty(virXMLWriter *w)
{
    virXMLLevel *top = virXMLWriterTop(w);
    virXMLLevel *parent;
    size_t start = top->start;
    bool first;

    if (top->hasAttrs || top->hasText || top->hasChildren) {
        virXMLWriterClose(w);
        return;
    }
    g_array_set_size(w->levels, w->levels->len - 1);
    /* start lies before the ">\n" that this child made its parent write */
    parent = virXMLWriterTop(w);
    first = parent && memcmp(w->text + start, ">\n", 2) == 0;
    w->len = start;
    if (first) {
        parent->inTag = true;
        parent->hasChildren = false;
    }
}

void
virXMLWriterElement(virXMLWriter *w, const char *element, const char *text)
{
    if (!text)
        return;
    virXMLWriterOpen(w, element);
    virXMLWriterText(w, text);
    virXMLWriterClose(w);
}

void
virXMLWriterElementF(virXMLWriter *w, const char *element, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    virXMLWriterElement(w, element, text);
}

void
virXMLWriterTextF(virXMLWriter *w, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    virXMLWriterText(w, text);
}

void
virXMLWriterNode(virXMLWriter *w, const xmlNode *node)
{
    xmlBuffer *buf = xmlBufferCreate();

    virXMLWriterBeginChild(w);
    virXMLWriterIndent(w);
    (void)xmlNodeDump(buf, node->doc, (xmlNode *)node, (int)w->levels->len, 1); /* memory only */
    virXMLWriterAppend(w, (const char *)xmlBufferContent(buf), (size_t)xmlBufferLength(buf));
    virXMLWriterPut(w, "\n");
    xmlBufferFree(buf);
}

char *
virXMLWriterEnd(virXMLWriter *w)
{
    char *text;

    g_return_val_if_fail(w->levels->len == 0, NULL);
    text = g_strndup(w->text, w->len);
    virSecureErase(w->text, w->len);
    w->len = 0;
    return text;
}
