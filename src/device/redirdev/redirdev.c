/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * redirdev.c: <redirdev> as a document. */
#include "device/redirdev/redirdev.h"

#include "util/virerror.h"

VIR_ENUM_IMPL(virRedirdevBus, VIR_REDIRDEV_BUS_LAST, "usb");

static const virField fields[] = {
    VIR_FIELD_ENUM("@bus", virRedirdev, bus, virRedirdevBusNames,
                   .flags = VIR_FIELD_ABI | VIR_FIELD_ZERO),
    VIR_FIELD_MIXIN(virRedirdev, source, virChrSourceTypeFields),
    VIR_FIELD_MIXIN(virRedirdev, source, virChrSourceBodyFields),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

static bool
virRedirdevParse(virDevice *dev, xmlNode *node, unsigned parseFlags, GError **error)
{
    if (!virXMLAttrPeek(node, "type"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("missing type in redirdev"));
    return true;
}

static bool
virRedirdevCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    return virChrSourceCheck(&VIR_REDIRDEV(dev)->source, false, error);
}

static bool
virRedirdevMatches(const virDevice *dev, const virDevice *wanted)
{
    const virAddress *where = &wanted->info.address;

    if (!virChrSourceEqual(&VIR_REDIRDEV(dev)->source, &VIR_REDIRDEV(wanted)->source))
        return false;
    if (wanted->info.alias && g_strcmp0(dev->info.alias, wanted->info.alias) != 0)
        return false;
    return where->type == VIR_ADDRESS_NONE || virAddressEqual(&dev->info.address, where);
}

static bool
virRedirdevOnUSB(const virDevice *dev)
{
    return true;
}

const virDeviceKind virRedirdevKind = {
    .element = "redirdev",
    .noun = "redirdev",
    .size = sizeof(virRedirdev),
    .fields = fields,
    .parse = virRedirdevParse,
    .check = virRedirdevCheck,
    .matches = virRedirdevMatches,
    .onUSB = virRedirdevOnUSB,
    .aliasPrefix = "redir",
    .live = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
             N_("no matching redirdev was not found")},
    .stored = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
               N_("no matching redirdev was not found")},
};
