/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virxml.h: reading XML from strangers and writing it as libvirt's clients expect.
 *
 * Reading: no entities, no network, bounded size and depth; errors name the line. Writing:
 * two-space indent, single quotes, an element without content closes itself. Any thread, one object
 * a thread. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>
#include <stdint.h>

typedef xmlDoc virXMLDoc;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

/* The longest document taken, and the deepest nesting: chains of up to 200 backing images nest. */
#define VIR_XML_SIZE_MAX (8 * 1024 * 1024)
#define VIR_XML_DEPTH_MAX 240
#define VIR_XML_ATTRS_MAX 512
/* Tags, comments and the like together; a guest of a thousand devices has some fifty thousand. */
#define VIR_XML_MARKS_MAX 250000

/* Once, before any other thread: erasing allocators for libxml2, its global state. */
void virXMLInit(void);

/* Parses len bytes (-1: up to the NUL). what names the document in errors, e.g.
 * "domain_definition". VIR_ERR_XML_ERROR if it is no XML or too large or deep. Caller frees with
 * xmlFreeDoc. */
xmlDoc *virXMLParse(const char *text, gssize len, const char *what, GError **error);

/* The root element if it is called name, else VIR_ERR_XML_ERROR naming both. */
xmlNode *virXMLRoot(xmlDoc *doc, const char *name, GError **error);

/* Elements only; text, comments and foreign-namespace elements are passed over. */
xmlNode *virXMLFirstChild(const xmlNode *node, const char *name /* NULL: any */);
xmlNode *virXMLNext(const xmlNode *node, const char *name /* NULL: any */);
#define virXMLForEachChild(parent, child)                                                          \
    for (xmlNode *child = virXMLFirstChild(parent, NULL); child; child = virXMLNext(child, NULL))
#define virXMLForEachChildNamed(parent, child, name)                                               \
    for (xmlNode *child = virXMLFirstChild(parent, name); child; child = virXMLNext(child, name))
/* The element at a path of child names below node ("source/reservations"), or NULL. */
xmlNode *virXMLChildAt(const xmlNode *node, const char *path);
bool virXMLNameIs(const xmlNode *node, const char *name);

/* A copy of the attribute (of the node's text), or NULL if there is none. Caller frees. */
char *virXMLAttr(const xmlNode *node, const char *name);
char *virXMLText(const xmlNode *node);
/* The attribute as it stands in the document, borrowed; NULL if absent or not one plain text. */
const char *virXMLAttrPeek(const xmlNode *node, const char *name);
/* The text of an element that holds nothing else, borrowed; NULL if it holds none or more. */
const char *virXMLTextPeek(const xmlNode *node);

typedef struct virXMLWriter virXMLWriter;
virXMLWriter *virXMLWriterNew(void);
void virXMLWriterFree(virXMLWriter *w);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virXMLWriter, virXMLWriterFree)

/* Opens an element; attributes follow, then text or children, then Close. */
void virXMLWriterOpen(virXMLWriter *w, const char *element);
/* The same for a name of len bytes that ends without NUL. */
void virXMLWriterOpenLen(virXMLWriter *w, const char *element, size_t len);
/* Nothing is written for a NULL value; the value is escaped. Only between Open and content. */
void virXMLWriterAttr(virXMLWriter *w, const char *name, const char *value);
void virXMLWriterAttrF(virXMLWriter *w, const char *name, const char *fmt, ...) G_GNUC_PRINTF(3, 4);
void virXMLWriterText(virXMLWriter *w, const char *text);
/* Children follow, or might have: the element gets an end tag of its own in any case. */
void virXMLWriterChildren(virXMLWriter *w);
void virXMLWriterClose(virXMLWriter *w);
/* Closes, or takes the element back if it got neither attribute nor content. */
void virXMLWriterCloseUnlessEmpty(virXMLWriter *w);
/* Open, Text, Close; nothing for NULL text. */
void virXMLWriterElement(virXMLWriter *w, const char *element, const char *text);
void virXMLWriterElementF(virXMLWriter *w, const char *element, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4);
/* Formatted text into the open element. */
void virXMLWriterTextF(virXMLWriter *w, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* A subtree as it was read (metadata), re-indented; its namespaces are kept. */
void virXMLWriterNode(virXMLWriter *w, const xmlNode *node);

/* A subtree as the shortest text that gives it back, its white space being what was read; all the
 * namespaces that it uses must be declared in it (xmlDocCopyNode sees to that). Caller frees. */
char *virXMLNodeText(const xmlNode *node);
/* What virXMLNodeText has written. Never NULL. */
xmlDoc *virXMLReread(const char *text);
/* The whole document with its final newline; the writer is empty afterwards. Caller frees. */
char *virXMLWriterEnd(virXMLWriter *w);
