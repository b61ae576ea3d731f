/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * metadata.c: one piece of a document's metadata at a time. */
#include "domain/metadata.h"

#include <libxml/tree.h>
#include <string.h>

#include "util/virerror.h"

/* --- elements --- */

static xmlNode *
virMetadataFind(xmlDoc *doc, const char *uri)
{
    xmlNode *root = xmlDocGetRootElement(doc);

    for (xmlNode *child = root ? root->children : NULL; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE && child->ns && uri &&
            xmlStrEqual(child->ns->href, BAD_CAST uri))
            return child;
    }
    return NULL;
}

/* Takes the elements below and beside node out of the namespace. */
static void
virMetadataUnqualify(xmlNode *node, const char *uri)
{
    for (; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        if (node->ns && xmlStrEqual(node->ns->href, BAD_CAST uri))
            xmlSetNs(node, NULL);
        virMetadataUnqualify(node->children, uri);
        for (xmlNs **ns = &node->nsDef; *ns;) {
            xmlNs *declared = *ns;

            if (!xmlStrEqual(declared->href, BAD_CAST uri)) {
                ns = &declared->next;
                continue;
            }
            *ns = declared->next;
            xmlFreeNs(declared);
        }
    }
}

/* The element as the application wrote it: what belongs to its namespace says so no more. */
static char *
virMetadataText(xmlDoc *doc, xmlNode *node, const char *uri)
{
    xmlBuffer *buffer = xmlBufferCreate();
    xmlNode *plain = xmlDocCopyNode(node, doc, 1);
    char *text;

    virMetadataUnqualify(plain, uri);
    (void)xmlNodeDump(buffer, doc, plain, 0, 1); /* into memory: can't fail */
    text = g_strdup((const char *)xmlBufferContent(buffer));
    xmlFreeNode(plain);
    xmlBufferFree(buffer);
    return text;
}

/* The element and all below that say no other namespace belong to the application's. */
static void
virMetadataSetNamespace(xmlNode *node, xmlNs *ns)
{
    for (; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        xmlSetNs(node, ns);
        virMetadataSetNamespace(node->children, ns);
    }
}

/* All of a document, to be changed and put back; <metadata/> if there is none. */
static xmlDoc *
virMetadataTake(const virDomainDef *def)
{
    return virXMLReread(def->metadata ? def->metadata : "<metadata/>");
}

/* False if it could not be read again. Nothing is changed then. */
static bool
virMetadataPut(virDomainDef *def, xmlDoc *metadata, GError **error)
{
    xmlNode *root = xmlDocGetRootElement(metadata);
    g_autofree char *text = xmlFirstElementChild(root) ? virXMLNodeText(root) : NULL;
    g_autoptr(xmlDoc) again = text ? virXMLParse(text, -1, "metadata", error) : NULL;

    if (text && !again)
        return false;
    g_free(def->metadata);
    def->metadata = g_steal_pointer(&text);
    return true;
}

static void
virMetadataRemove(xmlDoc *metadata, const char *uri)
{
    xmlNode *old = virMetadataFind(metadata, uri);

    if (!old)
        return;
    xmlUnlinkNode(old);
    xmlFreeNode(old);
}

/* The application's element out of its text; NULL with the error set. */
static xmlNode *
virMetadataElement(const char *text, const char *key, const char *uri, GError **error)
{
    g_autoptr(xmlDoc) doc = NULL;
    xmlNode *node;
    xmlNs *ns;

    if (!key || xmlValidateNCName(BAD_CAST key, 0) != 0) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("failed to validate prefix '%s'"),
                    key ? key : "");
        return NULL;
    }
    if (!(doc = virXMLParse(text, -1, "metadata", error)))
        return NULL;
    node = xmlDocCopyNode(xmlDocGetRootElement(doc), NULL, 1);
    ns = xmlNewNs(node, BAD_CAST uri, BAD_CAST key);
    if (!ns) /* the element has the prefix already */
        ns = xmlSearchNs(NULL, node, BAD_CAST key);
    if (!*uri || !ns || !xmlStrEqual(ns->href, BAD_CAST uri)) {
        xmlFreeNode(node);
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("failed to add namespace '%s'"), uri);
        return NULL;
    }
    node->next = NULL;
    virMetadataSetNamespace(node, ns);
    return node;
}

static bool
virMetadataSetElement(virDomainDef *def, const char *text, const char *key, const char *uri,
                      GError **error)
{
    g_autoptr(xmlDoc) metadata = virMetadataTake(def);
    xmlNode *node = NULL;

    if (text && !(node = virMetadataElement(text, key, uri, error)))
        return false;
    virMetadataRemove(metadata, uri);
    if (node)
        xmlAddChild(xmlDocGetRootElement(metadata), node);
    return virMetadataPut(def, metadata, error);
}

/* --- all --- */

char *
virDomainMetadataGet(const virDomainDef *def, virMetadataType type, const char *uri, GError **error)
{
    g_autoptr(xmlDoc) metadata = NULL;
    xmlNode *element;
    char *ret = NULL;

    switch (type) {
    case VIR_METADATA_DESCRIPTION:
        ret = g_strdup(def->description);
        break;
    case VIR_METADATA_TITLE:
        ret = g_strdup(def->title);
        break;
    case VIR_METADATA_ELEMENT:
        metadata = virMetadataTake(def);
        element = virMetadataFind(metadata, uri);
        ret = element ? virMetadataText(metadata, element, uri) : NULL;
        break;
    default:
        virErrorSet(error, VIR_ERR_INVALID_ARG, "%s", _("unknown metadata type"));
        return NULL;
    }
    if (!ret)
        virErrorSet(error, VIR_ERR_NO_DOMAIN_METADATA, "%s",
                    _("Requested metadata element is not present"));
    return ret;
}

bool
virDomainMetadataSet(virDomainDef *def, virMetadataType type, const char *text, const char *key,
                     const char *uri, GError **error)
{
    const char *value = text && *text ? text : NULL;

    switch (type) {
    case VIR_METADATA_DESCRIPTION:
        g_free(def->description);
        def->description = g_strdup(value);
        return true;
    case VIR_METADATA_TITLE:
        if (value && strchr(value, '\n'))
            return virErrorSetPlain(error, VIR_ERR_INVALID_ARG, "%s",
                                    _("metadata title can't contain newlines"));
        g_free(def->title);
        def->title = g_strdup(value);
        return true;
    case VIR_METADATA_ELEMENT:
        if (!uri)
            return virErrorSetPlain(error, VIR_ERR_INVALID_ARG, "%s",
                                    _("uri in virDomainSetMetadata must not be NULL"));
        return virMetadataSetElement(def, value, key, uri, error);
    default:
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s", _("unknown metadata type"));
    }
}
