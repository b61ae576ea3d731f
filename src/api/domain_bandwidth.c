/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_bandwidth.c: how much may pass through one of a domain's network interfaces: <bandwidth>
 * in the document, queues and policers of the host's end. */
#include <string.h>

#include "api/domain_tune.h"
#include "api/handlers.gen.h"
#include "device/interface/interface.h"
#include "util/vircore.h"
#include "util/virerror.h"

/* In the order of the answer; what is inbound to the guest is sent by the host's end. */
static const struct {
    const char *name;
    size_t offset; /* of the uint64_t in virBandwidth */
} params[] = {
    {"inbound.average", offsetof(virBandwidth, inbound.average)},
    {"inbound.peak", offsetof(virBandwidth, inbound.peak)},
    {"inbound.burst", offsetof(virBandwidth, inbound.burst)},
    {"inbound.floor", offsetof(virBandwidth, inbound.floor)},
    {"outbound.average", offsetof(virBandwidth, outbound.average)},
    {"outbound.peak", offsetof(virBandwidth, outbound.peak)},
    {"outbound.burst", offsetof(virBandwidth, outbound.burst)},
};

static uint64_t *
virApiBandwidthAt(const virBandwidth *bandwidth, guint i)
{
    return (uint64_t *)(void *)((char *)bandwidth + params[i].offset);
}

/* By the name of the host's end or by address. */
static virInterface *
virApiBandwidthFind(const virDomainDef *def, const char *name, GError **error)
{
    uint8_t mac[VIR_MAC_SIZE];
    const bool isMAC = virMACParse(name, mac);
    virInterface *found = NULL;

    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);
        virInterface *iface = dev->kind == &virInterfaceKind ? VIR_INTERFACE(dev) : NULL;

        if (!iface || !(isMAC ? memcmp(iface->mac, mac, sizeof(mac)) == 0
                              : g_strcmp0(iface->ifname, name) == 0))
            continue;
        if (found) {
            virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                        _("multiple matching interfaces found: %s"), name);
            return NULL;
        }
        found = iface;
    }
    if (!found)
        virErrorSet(error, VIR_ERR_INVALID_ARG, _("'%s' is not a known interface"), name);
    return found;
}

bool
virApiDomainGetInterfaceParameters(virApiCall *call,
                                   const remote_domain_get_interface_parameters_args *args,
                                   remote_domain_get_interface_parameters_ret *ret, GError **error)
{
    g_auto(virApiTuneQuestion) question = {0};
    g_auto(virApiParams) list = {0};
    const virInterface *iface;

    if (args->nparams < 0 || args->nparams > REMOTE_DOMAIN_INTERFACE_PARAMETERS_MAX)
        return virErrorSet(error, VIR_ERR_RPC, "%s", _("nparams too large"));
    if (!virApiOnlyFlags(args->flags, VIR_API_TUNE_AFFECT | VIR_API_PARAM_STRING_OKAY, error) ||
        !virApiTuneAsk(call, &args->dom, args->flags, VIR_CGROUP_CONTROLLER_CPU, NULL, &question,
                       error))
        return false;
    if (args->nparams == 0) {
        ret->nparams = G_N_ELEMENTS(params);
        return true;
    }
    if (!(iface = virApiBandwidthFind(virDomainDocDef(question.doc), args->device, error)))
        return false;
    virApiParamsInit(&list, call);
    for (guint i = 0; i < G_N_ELEMENTS(params) && i < (guint)args->nparams; i++)
        virApiParamsUInt(&list, (unsigned)*virApiBandwidthAt(&iface->bandwidth, i), "%s",
                         params[i].name);
    ret->params_val = virApiParamsTake(&list, &ret->params_len);
    return true;
}

/* --- changing --- */

typedef struct {
    const char *device;
    const remote_typed_param *list;
    uint32_t len;
} virApiBandwidthChange;

/* A direction that is named at all is replaced; an average of 0 takes its limit away. */
static virBandwidth
virApiBandwidthMerge(const virApiBandwidthChange *change, const virBandwidth *was)
{
    virBandwidth is = *was;

    for (uint32_t i = 0; i < change->len; i++) {
        if (g_str_has_prefix(change->list[i].field, "inbound."))
            is.inbound = (virBandwidthRate){0};
        else
            is.outbound = (virBandwidthRate){0};
    }
    for (guint i = 0; i < G_N_ELEMENTS(params); i++) {
        const remote_typed_param *param =
            virApiParamsFind(change->list, change->len, params[i].name);

        if (param)
            *virApiBandwidthAt(&is, i) = param->value.ui;
    }
    if (!is.inbound.average && !is.inbound.floor)
        is.inbound = (virBandwidthRate){0};
    if (!is.outbound.average)
        is.outbound = (virBandwidthRate){0};
    return is;
}

static bool
virApiBandwidthCheck(const virDomainDef *def, bool live, void *opaque, GError **error)
{
    const virApiBandwidthChange *change = opaque;
    const virInterface *iface = virApiBandwidthFind(def, change->device, error);
    int type;

    if (!iface)
        return false;
    type = (int)virInterfaceActualType(iface);
    if (type != VIR_INTERFACE_BRIDGE && type != VIR_INTERFACE_ETHERNET &&
        type != VIR_INTERFACE_NETWORK && type != VIR_INTERFACE_DIRECT)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("setting bandwidth on interfaces of type '%s' is not implemented yet"),
                           virInterfaceTypeToString(type));
    if (virApiBandwidthMerge(change, &iface->bandwidth).inbound.floor &&
        iface->type != VIR_INTERFACE_NETWORK)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("floor attribute is not supported for this config"));
    return true;
}

static virNetDevRate
virApiBandwidthRate(const virBandwidthRate *rate)
{
    return (virNetDevRate){rate->average, rate->peak, rate->burst};
}

static bool
virApiBandwidthApply(const qemuTune *tune, const virDomainDef *live, void *opaque, GError **error)
{
    const virApiBandwidthChange *change = opaque;
    const virInterface *iface = virApiBandwidthFind(live, change->device, error);
    virBandwidth is;
    bool shared;
    virNetDevBandwidth limits;

    if (!iface)
        return false;
    if (!iface->ifname)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("Unable to set bandwidth for interface because device name is "
                             "unknown"));
    is = virApiBandwidthMerge(change, &iface->bandwidth);
    shared = virInterfaceSharesHostView(iface);
    limits = (virNetDevBandwidth){
        .sent = virApiBandwidthRate(shared ? &is.outbound : &is.inbound),
        .received = virApiBandwidthRate(shared ? &is.inbound : &is.outbound),
    };
    return virDelegateNetSetBandwidth(tune->guest->driver->door, &tune->call, iface->ifname,
                                      &limits, error);
}

static bool
virApiBandwidthEdit(virDomainDef *def, void *opaque, GError **error)
{
    const virApiBandwidthChange *change = opaque;
    virInterface *iface = virApiBandwidthFind(def, change->device, error);

    if (iface)
        iface->bandwidth = virApiBandwidthMerge(change, &iface->bandwidth);
    return iface != NULL;
}

bool
virApiDomainSetInterfaceParameters(virApiCall *call,
                                   const remote_domain_set_interface_parameters_args *args,
                                   GError **error)
{
    virApiBandwidthChange change = {args->device, args->params_val, args->params_len};
    virApiParamRow rows[G_N_ELEMENTS(params) + 1] = {{NULL, 0}};
    const virApiTuneChange how = {
        .job = "set interface parameters",
        .check = virApiBandwidthCheck,
        .apply = virApiBandwidthApply,
        .edit = virApiBandwidthEdit,
    };

    virDelegateCall who = {.domain = args->dom.name, .phase = VIR_DELEGATE_PHASE_HOTPLUG};

    memcpy(who.uuid, args->dom.uuid, sizeof(who.uuid));
    if (!virApiQemu(call)->privileged && !virDelegateNetLimitsOutside(virApiQemu(call)->door, &who))
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                           _("Network bandwidth tuning is not available in session mode"));
    for (guint i = 0; i < G_N_ELEMENTS(params); i++)
        rows[i] = (virApiParamRow){params[i].name, VIR_API_PARAM_UINT};
    return virApiOnlyFlags(args->flags, VIR_API_TUNE_AFFECT, error) &&
           virApiParamsCheck(args->params_val, args->params_len, rows, error) &&
           virApiTuneRun(call, &args->dom, args->flags, &how, &change, error);
}
