/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * rng.c: <rng> as a document. */
#include "device/rng/rng.h"

#include "util/virerror.h"

static const char DEFAULT_PATH[] = "/dev/random";

VIR_ENUM_IMPL(virRngModel, VIR_RNG_MODEL_LAST, NULL, "virtio", "virtio-transitional",
              "virtio-non-transitional");
VIR_ENUM_IMPL(virRngBackend, VIR_RNG_BACKEND_LAST, "random", "egd", "builtin");

static bool
virRngParseEgd(virRng *rng, xmlNode *node, unsigned parseFlags, GError **error)
{
    g_autofree char *type = virXMLAttr(node, "type");

    if (!type)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("missing EGD backend type"));
    if ((rng->source.type = virChrTypeFromString(type)) < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("unknown backend type '%s' for egd"), type);
    return virChrSourceParse(&rng->source, node, parseFlags, error);
}

static bool
virRngParseBackend(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virRng *rng = object;
    xmlNode *backend = virXMLFirstChild(node, "backend");
    g_autofree char *model = virXMLAttr(backend, "model");
    g_autofree char *text = NULL;

    if (!backend || virXMLNext(backend, "backend"))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("only one RNG backend is supported"));
    if (!model)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("missing RNG device backend model"));
    if ((rng->backend = virRngBackendFromString(model)) < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("unknown RNG backend model '%s'"), model);
    if (rng->backend == VIR_RNG_BACKEND_EGD)
        return virRngParseEgd(rng, backend, parseFlags, error);
    text = virXMLText(backend);
    if (rng->backend == VIR_RNG_BACKEND_RANDOM && *text)
        rng->path = g_steal_pointer(&text);
    return true;
}

static void
virRngFormatBackend(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virRng *rng = object;

    virXMLWriterOpen(w, "backend");
    virXMLWriterAttr(w, "model", virRngBackendToString(rng->backend));
    if (rng->backend == VIR_RNG_BACKEND_EGD) {
        virXMLWriterAttr(w, "type", virChrTypeToString(rng->source.type));
        virChrSourceFormat(&rng->source, w, formatFlags);
    } else {
        virXMLWriterText(w, rng->path);
    }
    virXMLWriterClose(w);
}

static void
virRngClearBackend(void *object)
{
    virRng *rng = object;

    g_clear_pointer(&rng->path, g_free);
    virChrSourceClear(&rng->source);
}

static const virField backendHolds[] = {
    VIR_HOLDS_ENUM("@model", virRngBackendNames),
    VIR_HOLDS_ENUM("@type", virChrTypeNames),
    VIR_HOLDS("."),
    VIR_HOLDS_ROWS(virChrSourceBodyFields),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_ENUM("@model", virRng, model, virRngModelNames,
                   .flags = VIR_FIELD_ABI | VIR_FIELD_REQUIRED),
    VIR_FIELD_UINT("rate@bytes", virRng, rateBytes, 0, UINT32_MAX),
    VIR_FIELD_UINT("rate@period", virRng, ratePeriod, 0, UINT32_MAX),
    VIR_FIELD_CODE("backend", virRngParseBackend, virRngFormatBackend, .clear = virRngClearBackend,
                   .holds = backendHolds),
    VIR_FIELD_MIXIN(virRng, virtio, virVirtioFields),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

static bool
virRngComplete(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags, GError **error)
{
    virRng *rng = VIR_RNG(dev);

    if (rng->backend == VIR_RNG_BACKEND_RANDOM && !rng->path)
        rng->path = g_strdup(DEFAULT_PATH);
    return true;
}

static bool
virRngCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virRng *rng = VIR_RNG(dev);

    return rng->backend != VIR_RNG_BACKEND_EGD || virChrSourceCheck(&rng->source, false, error);
}

static bool
virRngMatches(const virDevice *dev, const virDevice *wanted)
{
    const virRng *is = VIR_RNG(dev);
    const virRng *want = VIR_RNG(wanted);

    if (is->model != want->model || is->backend != want->backend ||
        is->rateBytes.value != want->rateBytes.value ||
        (want->rateBytes.set && is->ratePeriod.value != want->ratePeriod.value))
        return false;
    if (is->backend == VIR_RNG_BACKEND_EGD)
        return virChrSourceEqual(&is->source, &want->source);
    return !want->path || g_strcmp0(is->path, want->path) == 0;
}

virVirtioModel
virRngVariant(const virRng *rng)
{
    switch (rng->model) {
    case VIR_RNG_MODEL_VIRTIO_TRANSITIONAL:
        return VIR_VIRTIO_MODEL_TRANSITIONAL;
    case VIR_RNG_MODEL_VIRTIO_NON_TRANSITIONAL:
        return VIR_VIRTIO_MODEL_NON_TRANSITIONAL;
    default:
        return VIR_VIRTIO_MODEL_DEFAULT;
    }
}

static unsigned
virRngPCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    return virVirtioPCIConnect(facts, virRngVariant(VIR_RNG(dev)));
}

static char *
virRngLabel(const virDevice *dev)
{
    return g_strdup(virRngBackendToString(VIR_RNG(dev)->backend));
}

const virDeviceKind virRngKind = {
    .element = "rng",
    .noun = "rng",
    .size = sizeof(virRng),
    .fields = fields,
    .complete = virRngComplete,
    .check = virRngCheck,
    .matches = virRngMatches,
    .pciConnect = virRngPCIConnect,
    .aliasPrefix = "rng",
    .live = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
             N_("model '%s' RNG device not present in domain configuration")},
    .stored = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
               N_("no matching RNG device was found")},
    .label = virRngLabel,
};
