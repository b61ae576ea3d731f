/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_perf.c: which of the kernel's performance events are counted of a guest. The stored
 * document says it for the next start; counters of a running guest can't be opened yet, so asking
 * for one is refused and none is on. */
#include "api/domain.h"
#include "api/handlers.gen.h"
#include "api/params.h"
#include "util/vircore.h"
#include "util/virerror.h"

enum { AFFECT = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, TYPED_STRING_OKAY = 1 << 2 };

bool
virApiDomainGetPerfEvents(virApiCall *call, const remote_domain_get_perf_events_args *args,
                          remote_domain_get_perf_events_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    g_auto(virApiParams) params = {0};
    virDomainDoc *doc;

    if (!virApiOnlyFlags(args->flags, AFFECT | TYPED_STRING_OKAY, error))
        return false;
    VIR_CORE_GUARD;
    if (!(obj = virApiDomain(call, &args->dom, error)) ||
        !(doc = virApiDomainDoc(obj, args->flags & AFFECT, error)))
        return false;
    virApiParamsInit(&params, call);
    for (int i = 0; i < VIR_PERF_EVENTS; i++) {
        bool on = doc != obj->live && virDomainDocDef(doc)->perf.events[i] == VIR_TRISTATE_YES;

        virApiParamsBool(&params, on, "%s", virPerfEventNames.names[i]);
    }
    ret->params_val = virApiParamsTake(&params, &ret->params_len);
    return true;
}

static bool
virApiPerfCheck(const remote_domain_set_perf_events_args *args, bool live, GError **error)
{
    for (uint32_t i = 0; i < args->params_len; i++) {
        const remote_typed_param *param = &args->params_val[i];

        if (virEnumFromString(&virPerfEventNames, param->field) < 0 ||
            param->value.type != REMOTE_TYPED_PARAM_TYPE_BOOLEAN)
            return virErrorSet(error, VIR_ERR_INVALID_ARG, _("parameter '%s' not supported"),
                               param->field);
        if (live && param->value.b)
            return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                               _("event '%s' of a running domain can't be counted yet"),
                               param->field);
    }
    return true;
}

static bool
virApiPerfEdit(virDomainDef *def, void *opaque, GError **error)
{
    const remote_domain_set_perf_events_args *args = opaque;

    for (uint32_t i = 0; i < args->params_len; i++) {
        int event = virEnumFromString(&virPerfEventNames, args->params_val[i].field);

        def->perf.events[event] = args->params_val[i].value.b ? VIR_TRISTATE_YES : VIR_TRISTATE_NO;
    }
    return true;
}

bool
virApiDomainSetPerfEvents(virApiCall *call, const remote_domain_set_perf_events_args *args,
                          GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    bool live, config;

    if (!virApiOnlyFlags(args->flags, AFFECT | TYPED_STRING_OKAY, error))
        return false;
    VIR_CORE_GUARD;
    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    VIR_API_JOB(obj, "set perf events", error);
    return virDomainObjAffected(obj, args->flags & AFFECT, &live, &config, error) &&
           virApiPerfCheck(args, live, error) &&
           qemuDriverEdit(virApiQemu(call), obj, live, config, virApiPerfEdit, (void *)args, error);
}
