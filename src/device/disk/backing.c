/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * backing.c: reading and writing chains of images: <backingStore>, and what it shares with
 * <mirror>. */
#include <inttypes.h>

#include "device/disk/source.h"
#include "util/virerror.h"
#include "util/virscale.h"

bool
virStorageMetadataCacheParse(virStorageSource *src, const xmlNode *node, GError **error)
{
    uint64_t bytes = 0;
    bool set;

    if (!virXMLScaled(node, "metadata_cache/max_size", 1, UINT64_MAX, false, &set, &bytes, error))
        return false;
    src->metadataCache = (virOptUInt){bytes, set};
    return true;
}

void
virStorageMetadataCacheFormat(const virStorageSource *src, virXMLWriter *w)
{
    if (!src->metadataCache.set || src->metadataCache.value == 0)
        return;
    virXMLWriterOpen(w, "metadata_cache");
    virXMLWriterOpen(w, "max_size");
    virXMLWriterAttr(w, "unit", "bytes");
    g_autofree char *text = g_strdup_printf("%" PRIu64, src->metadataCache.value);
    virXMLWriterText(w, text);
    virXMLWriterClose(w);
    virXMLWriterClose(w);
}

void
virStorageImageFormatFormat(const virStorageSource *src, virXMLWriter *w)
{
    virXMLWriterOpen(w, "format");
    virXMLWriterAttr(w, "type", virStorageFormatToString(src->format));
    virStorageMetadataCacheFormat(src, w);
    virXMLWriterClose(w);
}

static bool
virStorageImageParseHead(virStorageSource *src, xmlNode *node, const char *type,
                         const char *formatName, unsigned parseFlags, GError **error)
{
    g_autofree char *index = virXMLAttr(node, "index");
    uint64_t id;

    src->type = virStorageTypeFromString(type);
    if (src->type <= VIR_STORAGE_TYPE_NONE)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("unknown storage source type '%s'"), type);
    if (formatName) {
        src->format = virStorageFormatFromString(formatName);
        if (src->format <= VIR_STORAGE_FORMAT_NONE)
            return virErrorSet(error, VIR_ERR_XML_ERROR, _("unknown storage source format '%s'"),
                               formatName);
    }
    if (!index || (parseFlags & VIR_PARSE_INACTIVE))
        return true;
    if (!virStringToUInt(index, UINT32_MAX, &id))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("invalid storage source index '%s'"), index);
    src->id = (unsigned)id;
    return true;
}

virStorageSource *
virStorageImageParse(xmlNode *node, const char *type, unsigned parseFlags, GError **error)
{
    xmlNode *format = virXMLFirstChild(node, "format");
    xmlNode *place = virXMLFirstChild(node, "source");
    g_autofree char *formatName = format ? virXMLAttr(format, "type") : NULL;
    g_autoptr(virStorageSource) src = virStorageSourceNew();

    if (!virStorageImageParseHead(src, node, type, formatName, parseFlags, error) ||
        (format && !virStorageMetadataCacheParse(src, format, error)) ||
        (place && !virStorageSourceParse(src, place, parseFlags, error)))
        return NULL;
    return g_steal_pointer(&src);
}

bool
virStorageBackingParse(virStorageSource *src, xmlNode *node, unsigned parseFlags, GError **error)
{
    xmlNode *backing = virXMLFirstChild(node, "backingStore");

    /* down the chain by a loop: depth is bounded by the document's */
    for (; backing; backing = virXMLFirstChild(backing, "backingStore")) {
        g_autofree char *type = virXMLAttr(backing, "type");
        xmlNode *format = virXMLFirstChild(backing, "format");

        if (!type) {
            src->backing = virStorageSourceNew();
            return true;
        }
        if (!format || !virXMLAttrPeek(format, "type"))
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                               _("missing disk backing store format"));
        if (!(src->backing = virStorageImageParse(backing, type, parseFlags, error)))
            return false;
        src = src->backing;
        if (virStorageSourceIsEmpty(src))
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                               _("missing disk backing store source"));
        src->readonly = true;
    }
    return true;
}

void
virStorageBackingFormat(const virStorageSource *src, virXMLWriter *w, unsigned formatFlags)
{
    static const virStorageSourceFormatOptions options;
    unsigned depth = 0;

    for (src = src->backing; src; src = src->backing) {
        if (src->detected && (formatFlags & VIR_FORMAT_INACTIVE))
            break;
        virXMLWriterOpen(w, "backingStore");
        depth++;
        if (!virStorageSourceIsBacking(src))
            break;
        virXMLWriterAttr(w, "type", virStorageTypeToString(src->type));
        if (src->id != 0)
            virXMLWriterAttrF(w, "index", "%u", src->id);
        virStorageImageFormatFormat(src, w);
        virStorageSourceFormat(src, w, &options, formatFlags);
    }
    while (depth-- > 0)
        virXMLWriterClose(w);
}
