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

/* libxml2 recurses while it reads and while it frees; we refuse depth before either. */
static bool
virXMLTooDeep(const char *text, size_t len)
{
    size_t depth = 0;

    for (const char *p = text; (p = memchr(p, '<', text + len - p)); p++) {
        size_t left = text + len - p;

        if (left < 2)
            break;
        if (left >= 4 && memcmp(p, "<!--", 4) == 0) {
            const char *end = memmem(p + 4, left - 4, "-->", 3);

            if (!end)
                break;
            p = end;
        } else if (left >= 9 && memcmp(p, "<![CDATA[", 9) == 0) {
            const char *end = memmem(p + 9, left - 9, "]]>", 3);

            if (!end)
                break;
            p = end;
        } else if (p[1] == '/') {
            depth -= depth > 0;
        } else if (p[1] != '!' && p[1] != '?') {
            char quote = 0;
            const char *q = p + 1;

            for (; q < text + len && (quote || *q != '>'); q++) {
                if (quote && *q == quote)
                    quote = 0;
                else if (!quote && (*q == '"' || *q == '\''))
                    quote = *q;
            }
            if (q >= text + len)
                break;
            if (q[-1] != '/' && ++depth > VIR_XML_DEPTH_MAX)
                return true;
            p = q;
        }
    }
    return false;
}

xmlDoc *
virXMLParse(const char *text, gssize len, const char *what, GError **error)
{
    size_t size = len < 0 ? strlen(text) : (size_t)len;
    xmlParserCtxt *parser;
    xmlDoc *doc;

    if (size > VIR_XML_SIZE_MAX) {
        virErrorSet(error, VIR_ERR_XML_ERROR, _("%s has %zu bytes, at most %d are taken"), what,
                    size, VIR_XML_SIZE_MAX);
        return NULL;
    }
    if (virXMLTooDeep(text, size)) {
        virErrorSet(error, VIR_ERR_XML_ERROR, _("elements of %s are nested deeper than %d"), what,
                    VIR_XML_DEPTH_MAX);
        return NULL;
    }
    parser = xmlNewParserCtxt();
    parser->sax->serror = virXMLIgnoreMessage;
    doc = xmlCtxtReadMemory(parser, text, (int)size, what, NULL,
                            XML_PARSE_NONET | XML_PARSE_NOWARNING | XML_PARSE_NOERROR);
    if (doc && doc->intSubset) {
        virErrorSet(error, VIR_ERR_XML_ERROR, _("%s has a document type, which is not taken"),
                    what);
        g_clear_pointer(&doc, xmlFreeDoc);
    } else if (!doc || !parser->wellFormed) {
        const xmlError *err = xmlCtxtGetLastError(parser);
        g_autofree char *message = g_strdup(err && err->message ? err->message : "");

        virErrorSet(error, VIR_ERR_XML_ERROR, "(%s):%d: %s", what, err ? err->line : 0,
                    message[0] ? g_strchomp(message) : _("not a well-formed document"));
        g_clear_pointer(&doc, xmlFreeDoc);
    }
    xmlFreeParserCtxt(parser);
    return doc;
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
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    xmlNode *at = (xmlNode *)node;

    for (char **name = names; *name && at; name++)
        at = virXMLFirstChild(at, *name);
    return at;
}

const char *
virXMLAttrPeek(const xmlNode *node, const char *name)
{
    for (const xmlAttr *attr = node ? node->properties : NULL; attr; attr = attr->next) {
        if (attr->ns || strcmp((const char *)attr->name, name) != 0)
            continue;
        if (!attr->children)
            return "";
        if (attr->children->type == XML_TEXT_NODE && !attr->children->next)
            return (const char *)attr->children->content;
    }
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
    return node ? virXMLSteal(xmlGetNoNsProp((xmlNode *)node, (const xmlChar *)name)) : NULL;
}

char *
virXMLText(const xmlNode *node)
{
    return node ? virXMLSteal(xmlNodeGetContent(node)) : NULL;
}

/* --- the writer --- */

typedef struct {
    char *element;
    size_t start; /* length of the text before this element */
    bool inTag;   /* '>' not written yet */
    bool hasAttrs;
    bool hasText;
    bool hasChildren;
} virXMLLevel;

struct virXMLWriter {
    GString *text;
    GArray *levels; /* virXMLLevel */
};

virXMLWriter *
virXMLWriterNew(void)
{
    virXMLWriter *w = g_new0(virXMLWriter, 1);

    w->text = g_string_sized_new(4096);
    w->levels = g_array_new(FALSE, FALSE, sizeof(virXMLLevel));
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
    for (guint i = 0; i < w->levels->len; i++)
        g_free(g_array_index(w->levels, virXMLLevel, i).element);
    g_array_unref(w->levels);
    virSecureErase(w->text->str, w->text->allocated_len);
    g_string_free(w->text, TRUE);
    g_free(w);
}

static void
virXMLWriterIndent(virXMLWriter *w)
{
    for (guint i = 0; i < w->levels->len; i++)
        g_string_append(w->text, "  ");
}

/* A child is about to be written: finish the tag of its parent. */
static void
virXMLWriterBeginChild(virXMLWriter *w)
{
    virXMLLevel *top = virXMLWriterTop(w);

    if (!top)
        return;
    if (top->inTag) {
        g_string_append(w->text, ">\n");
        top->inTag = false;
    }
    top->hasChildren = true;
}

/* Quotes as libvirt does: only what XML demands, ' in attributes as &apos;. */
static void
virXMLWriterEscape(virXMLWriter *w, const char *value)
{
    for (const char *p = value; *p; p++) {
        switch (*p) {
        case '&':
            g_string_append(w->text, "&amp;");
            break;
        case '<':
            g_string_append(w->text, "&lt;");
            break;
        case '>':
            g_string_append(w->text, "&gt;");
            break;
        case '\'':
            g_string_append(w->text, "&apos;");
            break;
        case '"':
            g_string_append(w->text, "&quot;");
            break;
        default:
            /* characters that no XML document may hold are left out */
            if ((unsigned char)*p >= 0x20 || *p == '\n' || *p == '\t' || *p == '\r')
                g_string_append_c(w->text, *p);
        }
    }
}

void
virXMLWriterOpen(virXMLWriter *w, const char *element)
{
    virXMLLevel level = {.element = g_strdup(element), .start = w->text->len, .inTag = true};

    virXMLWriterBeginChild(w);
    virXMLWriterIndent(w);
    g_string_append_printf(w->text, "<%s", element);
    g_array_append_val(w->levels, level);
}

void
virXMLWriterAttr(virXMLWriter *w, const char *name, const char *value)
{
    virXMLLevel *top = virXMLWriterTop(w);

    if (!value)
        return;
    g_return_if_fail(top && top->inTag);
    top->hasAttrs = true;
    g_string_append_printf(w->text, " %s='", name);
    virXMLWriterEscape(w, value);
    g_string_append_c(w->text, '\'');
}

void
virXMLWriterAttrF(virXMLWriter *w, const char *name, const char *fmt, ...)
{
    g_autofree char *value = NULL;
    va_list ap;

    va_start(ap, fmt);
    value = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    virXMLWriterAttr(w, name, value);
    virSecureEraseString(value);
}

void
virXMLWriterText(virXMLWriter *w, const char *text)
{
    virXMLLevel *top = virXMLWriterTop(w);

    g_return_if_fail(top && !top->hasChildren);
    if (!text || !*text)
        return;
    if (top->inTag)
        g_string_append_c(w->text, '>');
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
        g_string_append(w->text, "/>\n");
    } else {
        if (!level.hasText)
            virXMLWriterIndent(w);
        g_string_append_printf(w->text, "</%s>\n", level.element);
    }
    g_free(level.element);
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
    g_free(top->element);
    g_array_set_size(w->levels, w->levels->len - 1);
    /* start lies before the ">\n" that this child made its parent write */
    parent = virXMLWriterTop(w);
    first = parent && strncmp(w->text->str + start, ">\n", 2) == 0;
    g_string_truncate(w->text, start);
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
    g_string_append(w->text, (const char *)xmlBufferContent(buf));
    g_string_append_c(w->text, '\n');
    xmlBufferFree(buf);
}

char *
virXMLWriterEnd(virXMLWriter *w)
{
    char *text;

    g_return_val_if_fail(w->levels->len == 0, NULL);
    text = g_strndup(w->text->str, w->text->len);
    virSecureErase(w->text->str, w->text->len);
    g_string_truncate(w->text, 0);
    return text;
}
