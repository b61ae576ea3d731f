/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * device.c: what is the same for all kinds: making, reading, writing, copying, comparing. */
#include "device/device.h"

#include <string.h>

#include "util/virerror.h"

static bool
virDeviceAliasIsUsers(const char *name)
{
    return g_str_has_prefix(name, "ua-") &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] ==
               '\0';
}

static bool
virDeviceInfoParseAlias(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDeviceInfo *info = object;
    g_autofree char *name = virXMLAttr(virXMLFirstChild(node, "alias"), "name");

    /* an alias of our own making ("pci.0") has no place in a stored definition, a user's has */
    if (!name || ((parseFlags & VIR_PARSE_INACTIVE) && !virDeviceAliasIsUsers(name)))
        return true;
    info->alias = g_steal_pointer(&name);
    return true;
}

static void
virDeviceInfoFormatAlias(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDeviceInfo *info = object;

    if (!info->alias ||
        ((formatFlags & VIR_FORMAT_INACTIVE) && !g_str_has_prefix(info->alias, "ua-")))
        return;
    virXMLWriterOpen(w, "alias");
    virXMLWriterAttr(w, "name", info->alias);
    virXMLWriterClose(w);
}

static void
virDeviceInfoClearAlias(void *object)
{
    g_clear_pointer(&((virDeviceInfo *)object)->alias, g_free);
}

static bool
virDeviceInfoParseAddress(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    xmlNode *address = virXMLFirstChild(node, "address");

    return !address || virAddressParse(&((virDeviceInfo *)object)->address, address, error);
}

static void
virDeviceInfoFormatAddress(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    virAddressFormat(&((const virDeviceInfo *)object)->address, w);
}

static bool
virDeviceInfoSameAddress(const void *a, const void *b, GError **error)
{
    const virDeviceInfo *was = a;
    const virDeviceInfo *is = b;

    if (virAddressEqual(&was->address, &is->address))
        return true;
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                       _("Target device address type %s does not match source %s, or they name "
                         "different places"),
                       virAddressTypeToString(is->address.type),
                       virAddressTypeToString(was->address.type));
}

/* of all types together */
static const virField addressHolds[] = {
    VIR_HOLDS("@type"),
    VIR_HOLDS("@port"),
    VIR_HOLDS("@target"),
    VIR_HOLDS_ONOFF("@multifunction"),
    VIR_HOLDS_NUMBER("@domain"),
    VIR_HOLDS_NUMBER("@bus"),
    VIR_HOLDS_NUMBER("@slot"),
    VIR_HOLDS_NUMBER("@function"),
    VIR_HOLDS_NUMBER("@controller"),
    VIR_HOLDS_NUMBER("@unit"),
    VIR_HOLDS_NUMBER("@base"),
    VIR_HOLDS_NUMBER("@iobase"),
    VIR_HOLDS_NUMBER("@irq"),
    VIR_HOLDS_NUMBER("@cssid"),
    VIR_HOLDS_NUMBER("@ssid"),
    VIR_HOLDS_NUMBER("@devno"),
    VIR_HOLDS_NUMBER("@reg"),
    VIR_HOLDS_NUMBER("zpci@uid"),
    VIR_HOLDS_NUMBER("zpci@fid"),
    VIR_FIELD_END,
};

const virField virDeviceInfoFields[] = {
    VIR_FIELD_UINT("boot@order", virDeviceInfo, bootIndex, 1, UINT32_MAX),
    VIR_FIELD_STRING("boot@loadparm", virDeviceInfo, bootLoadparm),
    VIR_FIELD_CODE("alias@name", virDeviceInfoParseAlias, virDeviceInfoFormatAlias,
                   .clear = virDeviceInfoClearAlias),
    VIR_FIELD_UINT("master@startport", virDeviceInfo, masterStartPort, 0, UINT32_MAX),
    VIR_FIELD_YESNO("rom@enabled", virDeviceInfo, romEnabled),
    VIR_FIELD_ONOFF("rom@bar", virDeviceInfo, romBar, .flags = VIR_FIELD_ABI),
    VIR_FIELD_STRING("rom@file", virDeviceInfo, romFile),
    VIR_FIELD_UINT("acpi@index", virDeviceInfo, acpiIndex, 1, UINT32_MAX, .flags = VIR_FIELD_ABI),
    VIR_FIELD_CODE("address", virDeviceInfoParseAddress, virDeviceInfoFormatAddress,
                   .same = virDeviceInfoSameAddress, .holds = addressHolds),
    VIR_FIELD_END,
};

const virDeviceKind *
virDeviceKindByElement(const char *element)
{
    for (const virDeviceKind *const *kind = virDeviceKinds; *kind; kind++) {
        if (g_str_equal((*kind)->element, element))
            return *kind;
    }
    return NULL;
}

virDevice *
virDeviceNew(const virDeviceKind *kind)
{
    virDevice *dev = g_malloc0(kind->size);

    dev->kind = kind;
    return dev;
}

void
virDeviceFree(virDevice *dev)
{
    if (!dev)
        return;
    virFieldClear(dev->kind->fields, dev);
    if (dev->kind->clear)
        dev->kind->clear(dev);
    g_free(dev);
}

virDevice *
virDeviceParse(xmlNode *node, unsigned parseFlags, GError **error)
{
    const virDeviceKind *kind = virDeviceKindByElement((const char *)node->name);
    g_autoptr(virDevice) dev = NULL;

    if (!kind) {
        virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("unknown device type '%s'"),
                    (const char *)node->name);
        return NULL;
    }
    dev = virDeviceNew(kind);
    if (!virFieldParse(kind->fields, dev, node, parseFlags, error) ||
        (kind->parse && !kind->parse(dev, node, parseFlags, error)))
        return NULL;
    return g_steal_pointer(&dev);
}

void
virDeviceFormat(const virDevice *dev, virXMLWriter *w, unsigned formatFlags)
{
    if (dev->kind->hidden && dev->kind->hidden(dev, formatFlags))
        return;
    virXMLWriterOpen(w, dev->kind->element);
    virFieldFormat(dev->kind->fields, dev, w, formatFlags);
    virXMLWriterClose(w);
}

virDevice *
virDeviceParseText(const char *xml, unsigned parseFlags, GError **error)
{
    g_autoptr(xmlDoc) doc = virXMLParse(xml, -1, "device_definition", error);
    xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;

    return root ? virDeviceParse(root, parseFlags, error) : NULL;
}

virDevice *
virDeviceCopy(const virDevice *dev)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();
    g_autofree char *xml = NULL;
    g_autoptr(GError) error = NULL;
    virDevice *copy;

    virDeviceFormat(dev, w, VIR_FORMAT_STATUS | VIR_FORMAT_SECURE);
    xml = virXMLWriterEnd(w);
    copy = virDeviceParseText(xml, VIR_PARSE_STATUS, &error);
    if (!copy)
        g_error("a %s that was written cannot be read: %s", dev->kind->element, error->message);
    copy->implicit = dev->implicit;
    return copy;
}

bool
virDeviceSameABI(const virDevice *a, const virDevice *b, GError **error)
{
    if (a->kind != b->kind)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target device <%s> does not match source <%s>"), b->kind->element,
                           a->kind->element);
    return virFieldSameABI(a->kind->fields, a->kind->element, a, b, error) &&
           (!a->kind->sameABI || a->kind->sameABI(a, b, error));
}

static unsigned
virDevicePCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    return dev->kind->pciConnect ? dev->kind->pciConnect(dev, facts) : 0;
}

static int
virDeviceController(const virDevice *dev)
{
    unsigned index;

    return dev->kind->controller ? dev->kind->controller(dev, &index) : -1;
}

static bool
virDeviceOnUSB(const virDevice *dev)
{
    return dev->kind->onUSB && dev->kind->onUSB(dev);
}

bool
virDeviceSitsAlike(const virDevice *a, const virDevice *b, const virDomainFacts *facts)
{
    return virDevicePCIConnect(a, facts) == virDevicePCIConnect(b, facts) &&
           virDeviceController(a) == virDeviceController(b) &&
           virDeviceOnUSB(a) == virDeviceOnUSB(b);
}

virDevice *
virDevicesNth(const GPtrArray *devices, const virDeviceKind *kind, unsigned n)
{
    for (guint i = 0; i < devices->len; i++) {
        virDevice *dev = g_ptr_array_index(devices, i);

        if (dev->kind == kind && n-- == 0)
            return dev;
    }
    return NULL;
}

unsigned
virDevicesCount(const GPtrArray *devices, const virDeviceKind *kind)
{
    unsigned count = 0;

    for (guint i = 0; i < devices->len; i++)
        count += ((virDevice *)g_ptr_array_index(devices, i))->kind == kind;
    return count;
}
