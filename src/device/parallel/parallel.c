/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * parallel.c: <parallel> as a document. */
#include "device/parallel/parallel.h"

#include "util/virerror.h"

#include "device/common/chrport.h"

static const virField fields[] = {
    VIR_FIELD_MIXIN(virParallel, source, virChrSourceTypeFields),
    VIR_FIELD_MIXIN(virParallel, source, virChrSourceBodyFields),
    VIR_FIELD_UINT("target@port", virParallel, port, 0, INT32_MAX, .flags = VIR_FIELD_ABI),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

static const virOptUInt *
virParallelPort(const virDevice *dev)
{
    return &VIR_PARALLEL(dev)->port;
}

static bool
virParallelParse(virDevice *dev, xmlNode *node, unsigned parseFlags, GError **error)
{
    return virChrRefuseSpicevmc(&VIR_PARALLEL(dev)->source, error);
}

static bool
virParallelComplete(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags,
                    GError **error)
{
    virChrPortComplete(&VIR_PARALLEL(dev)->port, facts->devices, dev->kind, virParallelPort);
    return true;
}

static bool
virParallelCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    return virChrSourceCheck(&VIR_PARALLEL(dev)->source, false, error);
}

static bool
virParallelMatches(const virDevice *dev, const virDevice *wanted)
{
    const virParallel *is = VIR_PARALLEL(dev);
    const virParallel *want = VIR_PARALLEL(wanted);

    return virChrSourceEqual(&is->source, &want->source) && want->port.set &&
           want->port.value == is->port.value;
}

static const char *
virParallelTerminal(const virDevice *dev)
{
    return virChrSourceTerminal(&VIR_PARALLEL(dev)->source);
}

static bool
virParallelMayJoin(const virDevice *dev, const GPtrArray *devices, bool live, GError **error)
{
    virDevicesForEach(devices, &virParallelKind, other)
    {
        if (virParallelMatches(other, dev))
            return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("chardev already exists"));
    }
    return true;
}

const virDeviceKind virParallelKind = {
    .terminal = virParallelTerminal,
    .element = "parallel",
    .noun = "parallel",
    .size = sizeof(virParallel),
    .fields = fields,
    .parse = virParallelParse,
    .complete = virParallelComplete,
    .check = virParallelCheck,
    .matches = virParallelMatches,
    .aliasPrefix = "parallel",
    .live = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
             N_("chr type '%s' device not present in domain configuration")},
    .stored = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_INVALID_ARG,
               N_("device not present in domain configuration")},
    .mayJoin = virParallelMayJoin,
};
