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

const virDeviceKind virLeaseKind = {
    .element = "lease",
    .noun = "lease",
    .size = sizeof(virLease),
    .fields = fields,
    .parse = virLeaseParse,
    .matches = virLeaseMatches,
    .alias = virLeaseAlias,
};
