/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * identity.c: name, uuid, genid, title, description and the metadata of applications. */
#include <string.h>

#include "domain/def.h"
#include "domain/section.h"
#include "util/virerror.h"

static bool
virDomainNameParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainDef *def = object;

    def->name = virXMLText(virXMLFirstChild(node, "name"));
    if (!def->name || !*def->name)
        return virErrorSetPlain(error, VIR_ERR_NO_NAME, "%s", _("missing name information"));
    return true;
}

static void
virDomainNameFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    virXMLWriterElement(w, "name", ((const virDomainDef *)object)->name);
}

static void
virDomainNameClear(void *object)
{
    g_clear_pointer(&((virDomainDef *)object)->name, g_free);
}

static bool
virDomainUUIDParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainDef *def = object;
    g_autofree char *text = virXMLText(virXMLFirstChild(node, "uuid"));

    if (!text || !*text) {
        virUUIDGenerate(def->uuid);
        def->uuidGenerated = true;
        return true;
    }
    if (!virUUIDParse(text, def->uuid))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("malformed uuid element"));
    return true;
}

static void
virDomainUUIDFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    char text[VIR_UUID_TEXT_SIZE];

    virXMLWriterElement(w, "uuid", virUUIDFormat(((const virDomainDef *)object)->uuid, text));
}

static bool
virDomainGenIdParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainGenId *genid = &((virDomainDef *)object)->genid;
    xmlNode *element = virXMLFirstChild(node, "genid");
    g_autofree char *text = virXMLText(element);

    if (!element)
        return true;
    if (virXMLNext(element, "genid"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("element 'genid' can only appear once"));
    genid->requested = true;
    if (!*text) {
        virUUIDGenerate(genid->uuid);
        genid->generated = true;
        return true;
    }
    if (!virUUIDParse(text, genid->uuid))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("malformed genid element"));
    return true;
}

static void
virDomainGenIdFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainGenId *genid = &((const virDomainDef *)object)->genid;
    char text[VIR_UUID_TEXT_SIZE];

    if (genid->requested)
        virXMLWriterElement(w, "genid", virUUIDFormat(genid->uuid, text));
}

static bool
virDomainSameNamespace(const xmlNode *a, const xmlNode *b)
{
    return a->ns && b->ns && xmlStrEqual(a->ns->href, b->ns->href);
}

/* An application's data is one element in a namespace of its own; the rest is left out. */
static void
virDomainMetadataTidy(xmlNode *metadata)
{
    xmlNode *next;

    for (xmlNode *child = metadata->children; child; child = next) {
        bool keep = child->ns && child->ns->href;

        next = child->next;
        for (xmlNode *earlier = metadata->children; keep && earlier != child;
             earlier = earlier->next)
            keep = !virDomainSameNamespace(earlier, child);
        if (!keep) {
            xmlUnlinkNode(child);
            xmlFreeNode(child);
        }
    }
}

static bool
virDomainMetadataParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainDef *def = object;
    xmlNode *metadata = virXMLFirstChild(node, "metadata");

    if (!metadata)
        return true;
    metadata = xmlDocCopyNode(metadata, node->doc, 1);
    virDomainMetadataTidy(metadata);
    def->metadata = virXMLNodeText(metadata);
    xmlFreeNode(metadata);
    return true;
}

static void
virDomainMetadataFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainDef *def = object;
    g_autoptr(xmlDoc) doc = def->metadata ? virXMLReread(def->metadata) : NULL;

    if (doc)
        virXMLWriterNode(w, xmlDocGetRootElement(doc));
}

static void
virDomainMetadataClear(void *object)
{
    g_clear_pointer(&((virDomainDef *)object)->metadata, g_free);
}

static const virField textHolds[] = {
    VIR_HOLDS("."),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_CODE("name", virDomainNameParse, virDomainNameFormat, .clear = virDomainNameClear,
                   .holds = textHolds),
    VIR_FIELD_CODE("uuid", virDomainUUIDParse, virDomainUUIDFormat, .holds = textHolds),
    VIR_FIELD_CODE("genid", virDomainGenIdParse, virDomainGenIdFormat, .holds = textHolds),
    VIR_FIELD_STRING("title", virDomainDef, title),
    VIR_FIELD_STRING("description", virDomainDef, description),
    VIR_FIELD_CODE("metadata", virDomainMetadataParse, virDomainMetadataFormat,
                   .clear = virDomainMetadataClear),
    VIR_FIELD_END,
};

static bool
virDomainIdentityCheck(const virDomainDef *def, GError **error)
{
    if (strchr(def->name, '/'))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("name %s cannot contain '/'"), def->name);
    if (strchr(def->name, '\n'))
        return virErrorSet(error, VIR_ERR_XML_DETAIL, _("invalid char in %s: %c"), "name", '\n');
    if (def->title && strchr(def->title, '\n'))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("Domain title can't contain newlines"));
    return true;
}

static bool
virDomainIdentitySame(const virDomainDef *a, const virDomainDef *b, GError **error)
{
    char was[VIR_UUID_TEXT_SIZE];
    char is[VIR_UUID_TEXT_SIZE];

    if (memcmp(a->uuid, b->uuid, VIR_UUID_SIZE) != 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target domain uuid %s does not match source %s"),
                           virUUIDFormat(b->uuid, is), virUUIDFormat(a->uuid, was));
    if (!g_str_equal(a->name, b->name))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target domain name '%s' does not match source '%s'"), b->name,
                           a->name);
    if (a->genid.requested != b->genid.requested ||
        (a->genid.requested && memcmp(a->genid.uuid, b->genid.uuid, VIR_UUID_SIZE) != 0))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target domain genid %s does not match source %s"),
                           virUUIDFormat(b->genid.uuid, is), virUUIDFormat(a->genid.uuid, was));
    return true;
}

const virDomainSection virDomainIdentitySection = {
    .name = "identity",
    .offset = 0,
    .fields = fields,
    .check = virDomainIdentityCheck,
    .sameABI = virDomainIdentitySame,
};
