/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * metadata.c: one piece of a document's metadata at a time. */
#include "domain/metadata.h"

#include <libxml/tree.h>
#include <string.h>

#include "util/virerror.h"

/* --- elements --- */

static xmlNode *
virMetadataFind(const virDomainDef *def, const char *uri)
{
    xmlNode *root = def->metadataDoc ? xmlDocGetRootElement(def->metadataDoc) : NULL;

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

static xmlNode *
virMetadataRoot(virDomainDef *def)
{
    xmlNode *root;

    if (def->metadataDoc)
        return xmlDocGetRootElement(def->metadataDoc);
    def->metadataDoc = xmlNewDoc(BAD_CAST "1.0");
    root = xmlNewDocNode(def->metadataDoc, NULL, BAD_CAST "metadata", NULL);
    xmlDocSetRootElement(def->metadataDoc, root);
    return root;
}

static void
virMetadataRemove(virDomainDef *def, const char *uri)
{
    xmlNode *old = virMetadataFind(def, uri);

    if (!old)
        return;
    xmlUnlinkNode(old);
    xmlFreeNode(old);
    if (!xmlFirstElementChild(xmlDocGetRootElement(def->metadataDoc)))
        g_clear_pointer(&def->metadataDoc, xmlFreeDoc);
}

static bool
virMetadataSetElement(virDomainDef *def, const char *text, const char *key, const char *uri,
                      GError **error)
{
    xmlDoc *doc;
    xmlNode *node;
    xmlNs *ns;

    if (!text) {
        virMetadataRemove(def, uri);
        return true;
    }
    if (!key || xmlValidateNCName(BAD_CAST key, 0) != 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("failed to validate prefix '%s'"),
                           key ? key : "");
    if (!(doc = virXMLParse(text, -1, "metadata", error)))
        return false;
    node = xmlDocCopyNode(xmlDocGetRootElement(doc), NULL, 1);
    xmlFreeDoc(doc);
    ns = xmlNewNs(node, BAD_CAST uri, BAD_CAST key);
    if (!ns) /* the element has the prefix already */
        ns = xmlSearchNs(NULL, node, BAD_CAST key);
    if (!ns || !xmlStrEqual(ns->href, BAD_CAST uri)) {
        xmlFreeNode(node);
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("failed to add namespace '%s'"), uri);
    }
    node->next = NULL;
    virMetadataSetNamespace(node, ns);
    virMetadataRemove(def, uri);
    xmlAddChild(virMetadataRoot(def), node);
    return true;
}

/* --- all --- */

char *
virDomainMetadataGet(const virDomainDef *def, virMetadataType type, const char *uri, GError **error)
{
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
        element = virMetadataFind(def, uri);
        ret = element ? virMetadataText(def->metadataDoc, element, uri) : NULL;
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
