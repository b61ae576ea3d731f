/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * lease.c: <lease> as a document. */
#include "device/lease/lease.h"

#include "util/virerror.h"

static const virField fields[] = {
    VIR_FIELD_STRING("lockspace", virLease, lockspace),
    VIR_FIELD_STRING("key", virLease, key),
    VIR_FIELD_STRING("target@path", virLease, path),
    VIR_FIELD_UINT("target@offset", virLease, offset, 0, UINT64_MAX),
    VIR_FIELD_END,
};

static bool
virLeaseParse(virDevice *dev, xmlNode *node, unsigned parseFlags, GError **error)
{
    virLease *lease = VIR_LEASE(dev);

    if (!lease->key)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("Missing 'key' element for lease"));
    if (!lease->path)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("Missing 'target' element for lease"));
    lease->offset.set = lease->offset.value != 0;
    return true;
}

static bool
virLeaseMatches(const virDevice *dev, const virDevice *wanted)
{
    return g_str_equal(VIR_LEASE(dev)->key, VIR_LEASE(wanted)->key) &&
           g_strcmp0(VIR_LEASE(dev)->lockspace, VIR_LEASE(wanted)->lockspace) == 0;
}

/* It is no device of the guest's. */
static char *
virLeaseAlias(const virDevice *dev, const virDomainFacts *facts, unsigned index)
{
    return NULL;
}

static char *
virLeaseLabel(const virDevice *dev)
{
    const virLease *lease = VIR_LEASE(dev);

    return g_strdup_printf("%s in lockspace %s", lease->key,
                           lease->lockspace ? lease->lockspace : "(null)");
}

static bool
virLeaseMayJoin(const virDevice *dev, const GPtrArray *devices, bool live, GError **error)
{
    g_autofree char *label = virLeaseLabel(dev);

    virDevicesForEach(devices, &virLeaseKind, other)
    {
        if (virLeaseMatches(other, dev))
            return virErrorSet(error, VIR_ERR_OPERATION_INVALID, _("Lease %s already exists"),
                               label);
    }
    return true;
}

const virDeviceKind virLeaseKind = {
    .element = "lease",
    .noun = "lease",
    .size = sizeof(virLease),
    .fields = fields,
    .parse = virLeaseParse,
    .matches = virLeaseMatches,
    .alias = virLeaseAlias,
    .live = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_INVALID_ARG, N_("Lease %s does not exist")},
    .stored = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_INVALID_ARG, N_("Lease %s does not exist")},
    .label = virLeaseLabel,
    .mayJoin = virLeaseMayJoin,
};
