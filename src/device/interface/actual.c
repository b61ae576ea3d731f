/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * actual.c: <actual>: what the network of a running guest's interface turned out to be. Only status
 * files hold it; guests that another daemon started bring it along. */
#include <inttypes.h>

#include "device/interface/interface.h"
#include "util/virerror.h"

static bool
virInterfaceActualParseSource(virInterfaceActual *actual, const xmlNode *source, GError **error)
{
    g_autofree char *mode = virXMLAttr(source, "mode");

    actual->bridge = virXMLAttr(source, "bridge");
    actual->dev = virXMLAttr(source, "dev");
    if (mode && (actual->mode = virInterfaceDirectModeFromString(mode)) < 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("Unknown mode '%s' in interface <actual> element"), mode);
    if (actual->type == VIR_INTERFACE_BRIDGE && !actual->bridge)
        return virErrorSet(
            error, VIR_ERR_INTERNAL_ERROR, "%s",
            _("Missing <source> element with bridge name in interface's <actual> element"));
    return true;
}

static bool
virInterfaceActualParseClass(virInterfaceActual *actual, const xmlNode *node, GError **error)
{
    return virFieldAttrOptUInt(virXMLFirstChild(node, "class"), "id", 10, UINT32_MAX,
                               &actual->classId, error);
}

bool
virInterfaceActualParse(virInterfaceActual **retActual, const xmlNode *node, GError **error)
{
    g_autoptr(virInterfaceActual) actual = NULL;
    g_autofree char *type = virXMLAttr(node, "type");
    g_autofree char *trust = virXMLAttr(node, "trustGuestRxFilters");

    if (!node)
        return true;
    actual = g_new0(virInterfaceActual, 1);
    actual->type = type ? virInterfaceTypeFromString(type) : -1;
    if (actual->type != VIR_INTERFACE_BRIDGE && actual->type != VIR_INTERFACE_DIRECT &&
        actual->type != VIR_INTERFACE_NETWORK)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("unsupported type '%s' in interface's <actual> element"),
                           type ? type : "");
    if (trust)
        actual->trustGuestRxFilters = virTristateFromBool(g_str_equal(trust, "yes"));
    if (!virInterfaceActualParseSource(actual, virXMLFirstChild(node, "source"), error) ||
        !virInterfaceActualParseClass(actual, node, error) ||
        !virVlanParse(&actual->vlan, node, error) ||
        !virVirtualPortParse(&actual->port, node, /* whole: */ true, error) ||
        !virBandwidthParse(&actual->bandwidth, node, /* mayFloor: */ true, error))
        return false;
    *retActual = g_steal_pointer(&actual);
    return true;
}

void
virInterfaceActualFormat(const virInterfaceActual *actual, virXMLWriter *w)
{
    if (!actual)
        return;
    virXMLWriterOpen(w, "actual");
    virXMLWriterAttr(w, "type", virInterfaceTypeToString(actual->type));
    if (actual->trustGuestRxFilters != VIR_TRISTATE_ABSENT)
        virXMLWriterAttr(w, "trustGuestRxFilters",
                         actual->trustGuestRxFilters == VIR_TRISTATE_YES ? "yes" : "no");
    virXMLWriterOpen(w, "source");
    virXMLWriterAttr(w, "bridge", actual->bridge);
    if (actual->dev) {
        virXMLWriterAttr(w, "dev", actual->dev);
        virXMLWriterAttr(w, "mode", virInterfaceDirectModeToString(actual->mode));
    }
    virXMLWriterCloseUnlessEmpty(w);
    if (actual->classId.set) {
        virXMLWriterOpen(w, "class");
        virXMLWriterAttrF(w, "id", "%" PRIu64, actual->classId.value);
        virXMLWriterClose(w);
    }
    virVlanFormat(&actual->vlan, w);
    virVirtualPortFormat(&actual->port, w);
    virBandwidthFormat(&actual->bandwidth, w);
    virXMLWriterClose(w);
}

void
virInterfaceActualFree(virInterfaceActual *actual)
{
    if (!actual)
        return;
    g_free(actual->bridge);
    g_free(actual->dev);
    virVlanClear(&actual->vlan);
    virVirtualPortClear(&actual->port);
    g_free(actual);
}
