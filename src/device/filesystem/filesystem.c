/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * filesystem.c: <filesystem> as a document. */
#include "device/filesystem/filesystem.h"

#include <inttypes.h>
#include <stdlib.h>

#include "util/virerror.h"
#include "util/virscale.h"

enum { VIR_FILESYSTEM_MODE_MAX = 0777 };

VIR_ENUM_IMPL(virFilesystemType, VIR_FILESYSTEM_LAST, "mount", "block", "file", "template", "ram",
              "bind", "volume");
VIR_ENUM_IMPL(virFilesystemDriver, VIR_FILESYSTEM_DRIVER_LAST, "default", "path", "handle", "loop",
              "nbd", "ploop", "virtiofs");
VIR_ENUM_IMPL(virFilesystemAccess, VIR_FILESYSTEM_ACCESS_LAST, "default", "passthrough", "mapped",
              "squash");
VIR_ENUM_IMPL(virFilesystemModel, VIR_FILESYSTEM_MODEL_LAST, "default", "virtio",
              "virtio-transitional", "virtio-non-transitional");

static const char *const multidevs[] = {"default", "remap", "forbid", "warn"};
const virEnum virFilesystemMultidevsNames = {multidevs, G_N_ELEMENTS(multidevs)};
static const char *const wrpolicies[] = {"default", "immediate"};
static const virEnum wrpolicyNames = {wrpolicies, G_N_ELEMENTS(wrpolicies)};
static const char *const caches[] = {"default", "none", "always"};
static const virEnum cacheNames = {caches, G_N_ELEMENTS(caches)};
static const char *const sandboxes[] = {"default", "namespace", "chroot"};
static const virEnum sandboxNames = {sandboxes, G_N_ELEMENTS(sandboxes)};

/* --- file modes are octal --- */

static bool
virFilesystemParseMode(const xmlNode *node, const char *name, virOptUInt *ret, GError **error)
{
    if (!virFieldAttrOptUInt(node, name, 8, UINT32_MAX, ret, error))
        return false;
    if (ret->set && ret->value > VIR_FILESYSTEM_MODE_MAX)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("invalid %s: '0%" PRIo64 "'"), name,
                           ret->value);
    return true;
}

static bool
virFilesystemParseModes(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virFilesystem *fs = object;

    return virFilesystemParseMode(node, "fmode", &fs->fmode, error) &&
           virFilesystemParseMode(node, "dmode", &fs->dmode, error);
}

static void
virFilesystemFormatModes(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virFilesystem *fs = object;

    if (fs->fmode.value)
        virXMLWriterAttrF(w, "fmode", "%04" PRIo64, fs->fmode.value);
    if (fs->dmode.value)
        virXMLWriterAttrF(w, "dmode", "%04" PRIo64, fs->dmode.value);
}

/* --- the source, a different attribute for each type --- */

static const char *
virFilesystemSourceAttr(int type)
{
    switch ((virFilesystemType)type) {
    case VIR_FILESYSTEM_FILE:
        return "file";
    case VIR_FILESYSTEM_BLOCK:
        return "dev";
    case VIR_FILESYSTEM_TEMPLATE:
        return "name";
    case VIR_FILESYSTEM_RAM:
        return "usage";
    default:
        return "dir";
    }
}

static bool
virFilesystemParseUsage(virFilesystem *fs, const xmlNode *source, GError **error)
{
    g_autofree char *units = virXMLAttr(source, "units");
    uint64_t value = 0;

    if (!fs->source)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing 'usage' attribute for RAM filesystem"));
    value = g_ascii_strtoull(fs->source, NULL, 10);
    if (!virScaleInteger(&value, units, 1024, UINT64_MAX, error))
        return false;
    g_free(fs->source);
    fs->source = g_strdup_printf("%" PRIu64, value / 1024);
    return true;
}

static bool
virFilesystemParseSource(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virFilesystem *fs = object;
    xmlNode *source = virXMLFirstChild(node, "source");

    fs->socket = virXMLAttr(source, "socket");
    if (fs->type == VIR_FILESYSTEM_VOLUME) {
        fs->pool = virXMLAttr(source, "pool");
        fs->volume = virXMLAttr(source, "volume");
        if (!fs->pool || !fs->volume)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("Missing required attribute '%s' in element '%s'"),
                               fs->pool ? "volume" : "pool", "source");
        return true;
    }
    fs->source = virXMLAttr(source, virFilesystemSourceAttr(fs->type));
    if (fs->type == VIR_FILESYSTEM_RAM)
        return virFilesystemParseUsage(fs, source, error);
    if (!fs->source && !fs->socket)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing 'source' element for filesystem"));
    return true;
}

static void
virFilesystemFormatSource(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virFilesystem *fs = object;

    virXMLWriterOpen(w, "source");
    if (fs->socket) {
        virXMLWriterAttr(w, "socket", fs->socket);
    } else if (fs->type == VIR_FILESYSTEM_VOLUME) {
        virXMLWriterAttr(w, "pool", fs->pool);
        virXMLWriterAttr(w, "volume", fs->volume);
    } else {
        virXMLWriterAttr(w, virFilesystemSourceAttr(fs->type), fs->source);
        if (fs->type == VIR_FILESYSTEM_RAM)
            virXMLWriterAttr(w, "units", "KiB");
    }
    virXMLWriterClose(w);
}

static void
virFilesystemClearSource(void *object)
{
    virFilesystem *fs = object;

    g_clear_pointer(&fs->socket, g_free);
    g_clear_pointer(&fs->source, g_free);
    g_clear_pointer(&fs->pool, g_free);
    g_clear_pointer(&fs->volume, g_free);
}

/* --- limits --- */

static bool
virFilesystemParseLimit(xmlNode *node, const char *name, virOptUInt *ret, GError **error)
{
    xmlNode *limit = virXMLFirstChild(node, name);
    g_autofree char *text = virXMLText(limit);
    g_autofree char *unit = virXMLAttr(limit, "unit");
    uint64_t value;
    char *end;

    if (!limit)
        return true;
    value = g_ascii_strtoull(text, &end, 10);
    if (end == text || *end)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("Invalid value for element '%s': '%s'."),
                           name, text);
    if (!virScaleInteger(&value, unit, 1, UINT64_MAX, error))
        return false;
    *ret = virOptUIntOf(value);
    return true;
}

static bool
virFilesystemParseLimits(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virFilesystem *fs = object;

    return virFilesystemParseLimit(node, "space_hard_limit", &fs->hardLimit, error) &&
           virFilesystemParseLimit(node, "space_soft_limit", &fs->softLimit, error);
}

static void
virFilesystemFormatLimit(virXMLWriter *w, const char *name, uint64_t bytes)
{
    g_autofree char *text = NULL;

    if (!bytes)
        return;
    text = g_strdup_printf("%" PRIu64, bytes);
    virXMLWriterOpen(w, name);
    virXMLWriterAttr(w, "unit", "bytes");
    virXMLWriterText(w, text);
    virXMLWriterClose(w);
}

static void
virFilesystemFormatLimits(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virFilesystem *fs = object;

    virFilesystemFormatLimit(w, "space_hard_limit", fs->hardLimit.value);
    virFilesystemFormatLimit(w, "space_soft_limit", fs->softLimit.value);
}

static const virField limitHolds[] = {
    VIR_HOLDS("@unit"),
    VIR_HOLDS_UINT("."),
    VIR_FIELD_END,
};

static const virField sourceHolds[] = {
    VIR_HOLDS("@socket"), VIR_HOLDS("@pool"),          VIR_HOLDS("@volume"), VIR_HOLDS("@dir"),
    VIR_HOLDS("@file"),   VIR_HOLDS("@dev"),           VIR_HOLDS("@name"),   VIR_HOLDS("@usage"),
    VIR_HOLDS("@units"),  VIR_HOLDS("@startupPolicy"), VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_ENUM("@type", virFilesystem, type, virFilesystemTypeNames, .flags = VIR_FIELD_ZERO),
    VIR_FIELD_ENUM("@accessmode", virFilesystem, access, virFilesystemAccessNames,
                   .flags = VIR_FIELD_ABI),
    VIR_FIELD_ENUM("@model", virFilesystem, model, virFilesystemModelNames, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ENUM("@multidevs", virFilesystem, multidevs, virFilesystemMultidevsNames),
    VIR_FIELD_CODE("@fmode", virFilesystemParseModes, virFilesystemFormatModes),
    VIR_FIELD_ENUM("driver@type", virFilesystem, driver, virFilesystemDriverNames),
    VIR_FIELD_STRING("driver@format", virFilesystem, format),
    VIR_FIELD_ENUM("driver@wrpolicy", virFilesystem, wrpolicy, wrpolicyNames),
    VIR_FIELD_UINT("driver@queue", virFilesystem, queue, 0, UINT32_MAX),
    VIR_FIELD_MIXIN(virFilesystem, virtio, virVirtioFields),
    VIR_FIELD_STRING("binary@path", virFilesystem, binary),
    VIR_FIELD_ONOFF("binary@xattr", virFilesystem, xattr),
    VIR_FIELD_ENUM("binary/cache@mode", virFilesystem, cache, cacheNames),
    VIR_FIELD_ENUM("binary/sandbox@mode", virFilesystem, sandbox, sandboxNames),
    VIR_FIELD_ONOFF("binary/lock@posix", virFilesystem, posixLock),
    VIR_FIELD_ONOFF("binary/lock@flock", virFilesystem, flock),
    VIR_FIELD_UINT("binary/thread_pool@size", virFilesystem, threads, 0, INT32_MAX),
    VIR_FIELD_CODE("source", virFilesystemParseSource, virFilesystemFormatSource,
                   .clear = virFilesystemClearSource, .holds = sourceHolds),
    VIR_FIELD_STRING("target@dir", virFilesystem, target, .flags = VIR_FIELD_ABI),
    VIR_FIELD_PRESENT("readonly", virFilesystem, readonly, .flags = VIR_FIELD_ABI),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_CODE("space_hard_limit", virFilesystemParseLimits, virFilesystemFormatLimits,
                   .holds = limitHolds),
    VIR_FIELD_CODE("space_soft_limit", NULL, NULL, .holds = limitHolds),
    VIR_FIELD_CODE("@dmode", NULL, NULL),
    VIR_FIELD_END,
};

static bool
virFilesystemParse(virDevice *dev, xmlNode *node, unsigned parseFlags, GError **error)
{
    const virFilesystem *fs = VIR_FILESYSTEM(dev);

    if (!fs->target)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing 'target' element for filesystem"));
    return true;
}

static bool
virFilesystemComplete(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags,
                      GError **error)
{
    virFilesystem *fs = VIR_FILESYSTEM(dev);

    if (fs->access == VIR_FILESYSTEM_ACCESS_DEFAULT)
        fs->access = VIR_FILESYSTEM_ACCESS_PASSTHROUGH;
    return true;
}

/* The guest tells them apart by the target alone. */
static bool
virFilesystemTargetCheck(const virFilesystem *fs, const virDomainFacts *facts, GError **error)
{
    unsigned same = 0;

    for (guint i = 0; i < facts->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(facts->devices, i);

        same += dev->kind == &virFilesystemKind &&
                g_strcmp0(VIR_FILESYSTEM(dev)->target, fs->target) == 0;
    }
    if (same > 1)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("filesystem target '%s' specified twice"), fs->target);
    return true;
}

static bool
virFilesystemCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virFilesystem *fs = VIR_FILESYSTEM(dev);

    if (fs->sandbox && fs->driver != VIR_FILESYSTEM_DRIVER_VIRTIOFS)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("sandbox can only be used with driver=virtiofs"));
    return virFilesystemTargetCheck(fs, facts, error);
}

static bool
virFilesystemMatches(const virDevice *dev, const virDevice *wanted)
{
    return g_strcmp0(VIR_FILESYSTEM(dev)->target, VIR_FILESYSTEM(wanted)->target) == 0;
}

virVirtioModel
virFilesystemVariant(const virFilesystem *fs)
{
    switch (fs->model) {
    case VIR_FILESYSTEM_MODEL_VIRTIO_TRANSITIONAL:
        return VIR_VIRTIO_MODEL_TRANSITIONAL;
    case VIR_FILESYSTEM_MODEL_VIRTIO_NON_TRANSITIONAL:
        return VIR_VIRTIO_MODEL_NON_TRANSITIONAL;
    default:
        return VIR_VIRTIO_MODEL_DEFAULT;
    }
}

static unsigned
virFilesystemPCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    return virVirtioPCIConnect(facts, virFilesystemVariant(VIR_FILESYSTEM(dev)));
}

static bool
virFilesystemMayJoin(const virDevice *dev, const GPtrArray *devices, bool live, GError **error)
{
    virDevicesForEach(devices, &virFilesystemKind, other)
    {
        if (!live && virFilesystemMatches(other, dev))
            return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("Target already exists"));
    }
    return true;
}

const virDeviceKind virFilesystemKind = {
    .element = "filesystem",
    .noun = "filesystem",
    .size = sizeof(virFilesystem),
    .fields = fields,
    .parse = virFilesystemParse,
    .complete = virFilesystemComplete,
    .check = virFilesystemCheck,
    .matches = virFilesystemMatches,
    .pciConnect = virFilesystemPCIConnect,
    .aliasPrefix = "fs",
    .live = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
             N_("matching filesystem device was not found")},
    .stored = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
               N_("no matching filesystem device was found")},
    .mayJoin = virFilesystemMayJoin,
};
