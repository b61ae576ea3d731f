/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * source.c: reading and writing <source> of <hostdev>, by bus. */
#include "device/hostdev/source.h"

#include <inttypes.h>
#include <string.h>

#include "util/virerror.h"
#include "util/viruuid.h"

VIR_ENUM_IMPL(virHostdevType, VIR_HOSTDEV_TYPE_LAST, NULL, "usb", "pci", "scsi", "scsi_host",
              "mdev");

static const char *const startups[] = {NULL, "mandatory", "requisite", "optional"};
static const virEnum startupNames = {startups, G_N_ELEMENTS(startups)};
static const char *const resets[] = {NULL, "off", "uninitialized", "on"};
static const virEnum resetNames = {resets, G_N_ELEMENTS(resets)};

static const virField usbFields[] = {
    VIR_FIELD_ENUM("@startupPolicy", virHostdevSource, startupPolicy, startupNames),
    VIR_FIELD_ENUM("@guestReset", virHostdevSource, guestReset, resetNames),
    VIR_FIELD_END,
};

static const virField pciFields[] = {
    VIR_FIELD_YESNO("@writeFiltering", virHostdevSource, writeFiltering),
    VIR_FIELD_END,
};

static const virField iscsiFields[] = {
    VIR_FIELD_STRING("@name", virHostdevSource, iqn),
    VIR_FIELD_STRING("host@name", virHostdevSource, host),
    VIR_FIELD_STRING("host@port", virHostdevSource, port3260),
    VIR_FIELD_STRING("auth@username", virHostdevSource, user),
    VIR_FIELD_STRING("initiator/iqn@name", virHostdevSource, initiator),
    VIR_FIELD_END,
};

const char *
virHostdevSourceGuestReset(const virHostdevSource *source)
{
    return virEnumToString(&resetNames, source->guestReset);
}

/* --- usb --- */

/* id of <vendor> or <product>, from min */
static bool
virHostdevUSBId(const xmlNode *node, uint64_t min, virOptUInt *ret, GError **error)
{
    if (!virFieldAttrOptUInt(node, "id", 0, 0xffff, ret, error))
        return false;
    if (!ret->set)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), "id",
                           (const char *)node->name);
    if (ret->value < min)
        return virErrorSet(
            error, VIR_ERR_XML_ERROR,
            _("Invalid value for attribute '%s' in element '%s': Zero is not permitted"), "id",
            (const char *)node->name);
    return true;
}

static bool
virHostdevUSBNumber(const xmlNode *node, const char *attr, unsigned *ret, GError **error)
{
    uint64_t value;
    bool set;

    if (!virFieldAttrUInt(node, attr, 0, UINT32_MAX, &set, &value, error))
        return false;
    if (set)
        *ret = (unsigned)value;
    return true;
}

static bool
virHostdevUSBAddress(virHostdevSource *source, const xmlNode *address, unsigned parseFlags,
                     GError **error)
{
    const char *automatic = virXMLAttrPeek(address, "autoAddress");

    source->autoAddress = g_strcmp0(automatic, "yes") == 0;
    if (source->autoAddress && !(parseFlags & VIR_PARSE_STATUS))
        return true;
    source->port = virXMLAttr(address, "port");
    return virHostdevUSBNumber(address, "bus", &source->bus, error) &&
           virHostdevUSBNumber(address, "device", &source->device, error);
}

static bool
virHostdevUSBParse(virHostdevSource *source, xmlNode *node, unsigned parseFlags, GError **error)
{
    xmlNode *vendor = virXMLFirstChild(node, "vendor");
    xmlNode *product = virXMLFirstChild(node, "product");
    xmlNode *address = virXMLFirstChild(node, "address");

    if (!virFieldParse(usbFields, source, node, parseFlags, error) ||
        (vendor && !virHostdevUSBId(vendor, 1, &source->vendor, error)) ||
        (product && !virHostdevUSBId(product, 0, &source->product, error)) ||
        (address && !virHostdevUSBAddress(source, address, parseFlags, error)))
        return false;
    if (vendor && !product)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("missing product"));
    if (product && !vendor)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("missing vendor"));
    return true;
}

static void
virHostdevUSBFormatId(virXMLWriter *w, const char *element, virOptUInt id)
{
    if (!id.set)
        return;
    virXMLWriterOpen(w, element);
    virXMLWriterAttrF(w, "id", "0x%.4x", (unsigned)id.value);
    virXMLWriterClose(w);
}

static void
virHostdevUSBFormat(const virHostdevSource *source, virXMLWriter *w, unsigned formatFlags)
{
    bool inactive = formatFlags & VIR_FORMAT_INACTIVE;

    virFieldFormat(usbFields, source, w, formatFlags);
    if (source->missing && !inactive)
        virXMLWriterAttr(w, "missing", "yes");
    virHostdevUSBFormatId(w, "vendor", source->vendor);
    virHostdevUSBFormatId(w, "product", source->product);
    if ((!source->bus && !source->device && !source->port) || (source->autoAddress && inactive))
        return;
    virXMLWriterOpen(w, "address");
    if ((formatFlags & VIR_FORMAT_STATUS) && source->autoAddress)
        virXMLWriterAttr(w, "autoAddress", "yes");
    virXMLWriterAttrF(w, "bus", "%u", source->bus);
    if (source->device)
        virXMLWriterAttrF(w, "device", "%u", source->device);
    virXMLWriterAttr(w, "port", source->port);
    virXMLWriterClose(w);
}

/* --- pci --- */

static bool
virHostdevPCIParse(virHostdevSource *source, xmlNode *node, unsigned parseFlags, GError **error)
{
    xmlNode *address = virXMLFirstChild(node, "address");

    return virFieldParse(pciFields, source, node, parseFlags, error) &&
           (!address || virPCIAddressParse(&source->pci, address, error));
}

static void
virHostdevPCIFormat(const virHostdevSource *source, virXMLWriter *w, unsigned formatFlags)
{
    virFieldFormat(pciFields, source, w, formatFlags);
    virXMLWriterOpen(w, "address");
    virPCIAddressFormatAttrs(&source->pci, w);
    virXMLWriterClose(w);
}

/* --- scsi --- */

static bool
virHostdevISCSIParse(virHostdevSource *source, xmlNode *node, unsigned parseFlags, GError **error)
{
    xmlNode *host = virXMLFirstChild(node, "host");
    xmlNode *secret = virXMLChildAt(node, "auth/secret");

    if (!virFieldParse(iscsiFields, source, node, parseFlags, error))
        return false;
    if (!source->iqn)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing iSCSI hostdev source path name"));
    if (!host || !source->host)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing the host address for the iSCSI hostdev"));
    if (virXMLNext(host, "host"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("only one source host address may be specified for the iSCSI "
                             "hostdev"));
    if (!strchr(source->iqn, '/')) { /* the first unit of the target */
        char *whole = g_strconcat(source->iqn, "/0", NULL);

        g_free(source->iqn);
        source->iqn = whole;
    }
    if (secret) {
        const char *type = virXMLAttrPeek(secret, "type");

        if (g_strcmp0(type, "iscsi") != 0)
            return virErrorSet(error, VIR_ERR_XML_ERROR, _("hostdev invalid secret type '%s'"),
                               type ? type : "");
        source->secretUsage = virXMLAttr(secret, "usage");
        source->secretUUID = virXMLAttr(secret, "uuid");
    }
    return true;
}

static bool
virHostdevSCSIParse(virHostdevSource *source, xmlNode *node, unsigned parseFlags, GError **error)
{
    const char *protocol = virXMLAttrPeek(node, "protocol");
    xmlNode *adapter = virXMLFirstChild(node, "adapter");
    xmlNode *address = virXMLFirstChild(node, "address");
    bool set;

    if (protocol && g_str_equal(protocol, "iscsi"))
        return virHostdevISCSIParse(source, node, parseFlags, error);
    if (protocol && !g_str_equal(protocol, "adapter"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("Invalid hostdev protocol '%s'"), protocol);
    if (!address)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("'address' must be specified for scsi hostdev source"));
    if (!virHostdevUSBNumber(address, "bus", &source->scsiBus, error) ||
        !virHostdevUSBNumber(address, "target", &source->scsiTarget, error) ||
        !virFieldAttrUInt(address, "unit", 0, UINT64_MAX, &set, &source->scsiUnit, error))
        return false;
    if (!adapter || !(source->adapter = virXMLAttr(adapter, "name")))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("'adapter' name must be specified for scsi hostdev source"));
    return true;
}

static void
virHostdevISCSIFormat(const virHostdevSource *source, virXMLWriter *w)
{
    virXMLWriterAttr(w, "protocol", "iscsi");
    virXMLWriterAttr(w, "name", source->iqn);
    virXMLWriterOpen(w, "host");
    virXMLWriterAttr(w, "name", source->host);
    virXMLWriterAttr(w, "port", source->port3260);
    virXMLWriterClose(w);
    if (source->user) {
        virXMLWriterOpen(w, "auth");
        virXMLWriterAttr(w, "username", source->user);
        virXMLWriterOpen(w, "secret");
        virXMLWriterAttr(w, "type", "iscsi");
        virXMLWriterAttr(w, "uuid", source->secretUUID);
        virXMLWriterAttr(w, "usage", source->secretUsage);
        virXMLWriterClose(w);
        virXMLWriterClose(w);
    }
    if (source->initiator) {
        virXMLWriterOpen(w, "initiator");
        virXMLWriterOpen(w, "iqn");
        virXMLWriterAttr(w, "name", source->initiator);
        virXMLWriterClose(w);
        virXMLWriterClose(w);
    }
}

static void
virHostdevSCSIFormat(const virHostdevSource *source, virXMLWriter *w)
{
    if (source->iqn) {
        virHostdevISCSIFormat(source, w);
        return;
    }
    virXMLWriterOpen(w, "adapter");
    virXMLWriterAttr(w, "name", source->adapter);
    virXMLWriterClose(w);
    virXMLWriterOpen(w, "address");
    virXMLWriterAttrF(w, "bus", "%u", source->scsiBus);
    virXMLWriterAttrF(w, "target", "%u", source->scsiTarget);
    virXMLWriterAttrF(w, "unit", "%" PRIu64, source->scsiUnit);
    virXMLWriterClose(w);
}

/* --- scsi_host, mdev --- */

/* "naa." and 16 hexadecimal digits */
static bool
virHostdevIsWWPN(const char *text)
{
    return g_str_has_prefix(text, "naa.") && strlen(text) == 20 &&
           strspn(text + 4, "0123456789abcdefABCDEF") == 16;
}

static bool
virHostdevSCSIHostParse(virHostdevSource *source, xmlNode *node, GError **error)
{
    const char *protocol = virXMLAttrPeek(node, "protocol");

    if (!protocol)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("Missing scsi_host subsystem protocol"));
    if (!g_str_equal(protocol, "vhost"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("Unknown scsi_host subsystem protocol '%s'"),
                           protocol);
    source->wwpn = virXMLAttr(node, "wwpn");
    if (!source->wwpn)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing vhost-scsi hostdev source wwpn"));
    return virHostdevIsWWPN(source->wwpn) ||
           virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("malformed 'wwpn' value"));
}

static bool
virHostdevMdevParse(virHostdevSource *source, xmlNode *node, GError **error)
{
    g_autofree char *text = virXMLAttr(virXMLFirstChild(node, "address"), "uuid");
    unsigned char uuid[VIR_UUID_SIZE];

    if (!text)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Missing 'uuid' attribute for element <address>"));
    if (!virUUIDParse(text, uuid))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("Cannot parse uuid attribute of element <address>"));
    source->uuid = g_malloc(VIR_UUID_TEXT_SIZE);
    virUUIDFormat(uuid, source->uuid);
    return true;
}

/* --- all --- */

bool
virHostdevSourceParse(virHostdevSource *source, int type, xmlNode *node, unsigned parseFlags,
                      GError **error)
{
    switch (type) {
    case VIR_HOSTDEV_TYPE_USB:
        return virHostdevUSBParse(source, node, parseFlags, error);
    case VIR_HOSTDEV_TYPE_PCI:
        return virHostdevPCIParse(source, node, parseFlags, error);
    case VIR_HOSTDEV_TYPE_SCSI:
        return virHostdevSCSIParse(source, node, parseFlags, error);
    case VIR_HOSTDEV_TYPE_SCSI_HOST:
        return virHostdevSCSIHostParse(source, node, error);
    default:
        return virHostdevMdevParse(source, node, error);
    }
}

void
virHostdevSourceFormat(const virHostdevSource *source, int type, virXMLWriter *w,
                       unsigned formatFlags)
{
    virXMLWriterOpen(w, "source");
    switch (type) {
    case VIR_HOSTDEV_TYPE_USB:
        virHostdevUSBFormat(source, w, formatFlags);
        break;
    case VIR_HOSTDEV_TYPE_PCI:
        virHostdevPCIFormat(source, w, formatFlags);
        break;
    case VIR_HOSTDEV_TYPE_SCSI:
        virHostdevSCSIFormat(source, w);
        break;
    case VIR_HOSTDEV_TYPE_SCSI_HOST:
        virXMLWriterAttr(w, "protocol", "vhost");
        virXMLWriterAttr(w, "wwpn", source->wwpn);
        break;
    default:
        virXMLWriterOpen(w, "address");
        virXMLWriterAttr(w, "uuid", source->uuid);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w); /* also an empty one: without it the device is not read */
}

void
virHostdevSourceClear(virHostdevSource *source)
{
    virFieldClear(iscsiFields, source);
    g_clear_pointer(&source->port, g_free);
    g_clear_pointer(&source->adapter, g_free);
    g_clear_pointer(&source->secretUsage, g_free);
    g_clear_pointer(&source->secretUUID, g_free);
    g_clear_pointer(&source->wwpn, g_free);
    g_clear_pointer(&source->uuid, g_free);
}

static bool
virHostdevUSBSame(const virHostdevSource *a, const virHostdevSource *b)
{
    if (a->bus && b->bus)
        return a->bus == b->bus && a->device == b->device && g_strcmp0(a->port, b->port) == 0;
    return a->vendor.set && b->vendor.set && a->vendor.value == b->vendor.value &&
           a->product.value == b->product.value;
}

bool
virHostdevSourceSame(const virHostdevSource *a, const virHostdevSource *b, int type)
{
    switch (type) {
    case VIR_HOSTDEV_TYPE_USB:
        return virHostdevUSBSame(a, b);
    case VIR_HOSTDEV_TYPE_PCI:
        return a->pci.domain == b->pci.domain && a->pci.bus == b->pci.bus &&
               a->pci.slot == b->pci.slot && a->pci.function == b->pci.function;
    case VIR_HOSTDEV_TYPE_SCSI:
        if (a->iqn || b->iqn)
            return g_strcmp0(a->iqn, b->iqn) == 0 && g_strcmp0(a->host, b->host) == 0 &&
                   g_strcmp0(a->port3260, b->port3260) == 0;
        return g_strcmp0(a->adapter, b->adapter) == 0 && a->scsiBus == b->scsiBus &&
               a->scsiTarget == b->scsiTarget && a->scsiUnit == b->scsiUnit;
    case VIR_HOSTDEV_TYPE_SCSI_HOST:
        return g_strcmp0(a->wwpn, b->wwpn) == 0;
    default:
        return g_strcmp0(a->uuid, b->uuid) == 0;
    }
}
