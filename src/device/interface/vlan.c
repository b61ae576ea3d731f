/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vlan.c: see vlan.h. */
#include "device/interface/vlan.h"

#include "device/field.h"
#include "util/virerror.h"

enum { VIR_VLAN_TAG_MAX = 4095 };

static const char *const nativeModes[] = {"default", "tagged", "untagged"};
G_STATIC_ASSERT(G_N_ELEMENTS(nativeModes) == VIR_VLAN_NATIVE_LAST);
static const virEnum nativeModeNames = {nativeModes, VIR_VLAN_NATIVE_LAST};

static bool
virVlanParseNative(virVlan *vlan, const xmlNode *node, unsigned tag, GError **error)
{
    g_autofree char *text = virXMLAttr(node, "nativeMode");
    int mode = virEnumFromString(&nativeModeNames, text);

    if (!text)
        return true;
    if (mode <= 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."),
                           "nativeMode", "tag", text);
    if (vlan->nativeMode)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("duplicate native vlan setting"));
    vlan->nativeMode = mode;
    vlan->nativeTag = tag;
    return true;
}

static bool
virVlanParseTag(virVlan *vlan, const xmlNode *node, GError **error)
{
    uint64_t value = 0;
    unsigned tag;
    bool set;

    if (!virFieldAttrUInt(node, "id", 10, UINT32_MAX, &set, &value, error))
        return false;
    if (!set)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), "id", "tag");
    tag = (unsigned)value;
    if (tag > VIR_VLAN_TAG_MAX)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("vlan tag id %u too large (maximum %d)"),
                           tag, VIR_VLAN_TAG_MAX);
    g_array_append_val(vlan->tags, tag);
    return virVlanParseNative(vlan, node, tag, error);
}

/* Several tags, or a native one, make a trunk, and say so. */
static bool
virVlanParseTrunk(virVlan *vlan, const xmlNode *node, GError **error)
{
    g_autofree char *trunk = virXMLAttr(node, "trunk");

    vlan->trunk = vlan->tags->len > 1 || vlan->nativeMode;
    if (!trunk || g_ascii_strcasecmp(trunk, "yes") == 0) {
        vlan->trunk = vlan->trunk || trunk;
        return true;
    }
    if (vlan->tags->len > 1)
        return virErrorSet(
            error, VIR_ERR_XML_ERROR,
            _("invalid \"trunk='%s'\" in <vlan> - trunk='yes' is required for more than one vlan "
              "tag"),
            trunk);
    if (vlan->nativeMode)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("invalid configuration in <vlan> - \"trunk='no'\" is not allowed with "
                             "a native vlan id"));
    if (g_ascii_strcasecmp(trunk, "no") != 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("invalid \"trunk='%s'\" in <vlan> - must be yes or no"), trunk);
    return true;
}

bool
virVlanParse(virVlan *vlan, const xmlNode *node, GError **error)
{
    xmlNode *element = virXMLFirstChild(node, "vlan");

    if (!element)
        return true;
    vlan->tags = g_array_new(FALSE, FALSE, sizeof(unsigned));
    virXMLForEachChildNamed (element, tag, "tag") {
        if (!virVlanParseTag(vlan, tag, error))
            return false;
    }
    if (vlan->tags->len == 0)
        return virErrorSet(
            error, VIR_ERR_XML_ERROR, "%s",
            _("missing tag id - each <vlan> must have at least one <tag id='n'/> subelement"));
    return virVlanParseTrunk(vlan, element, error);
}

void
virVlanFormat(const virVlan *vlan, virXMLWriter *w)
{
    if (!vlan->tags)
        return;
    virXMLWriterOpen(w, "vlan");
    if (vlan->trunk)
        virXMLWriterAttr(w, "trunk", "yes");
    for (guint i = 0; i < vlan->tags->len; i++) {
        unsigned tag = g_array_index(vlan->tags, unsigned, i);

        virXMLWriterOpen(w, "tag");
        virXMLWriterAttrF(w, "id", "%u", tag);
        if (vlan->nativeMode && vlan->nativeTag == tag)
            virXMLWriterAttr(w, "nativeMode", nativeModes[vlan->nativeMode]);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

void
virVlanClear(virVlan *vlan)
{
    g_clear_pointer(&vlan->tags, g_array_unref);
}
