/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_sev.c: guests whose memory is encrypted: what the host can do, what was measured at a
 * launch, and the secret that is given to a guest that measured well. */
#include "api/domain.h"
#include "api/emulator.h"
#include "api/handlers.gen.h"
#include "api/params.h"
#include "qemu/guest.h"
#include "util/vircore.h"
#include "util/virerror.h"

enum { TYPED_STRING_OKAY = 1 << 2 };

/* --- the host --- */

bool
virApiNodeGetSEVInfo(virApiCall *call, const remote_node_get_sev_info_args *args,
                     remote_node_get_sev_info_ret *ret, GError **error)
{
    g_auto(virApiEmulator) emulator = {0};
    g_auto(virApiParams) params = {0};
    const qmpSevInfo *sev;

    if (!virApiOnlyFlags(args->flags, TYPED_STRING_OKAY, error) ||
        !virApiEmulatorChoose(virApiDriver(call), NULL, NULL, NULL, NULL, &emulator, error))
        return false;
    if (!(sev = qmpCapsSev(emulator.caps)))
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                           _("QEMU does not support SEV guest"));
    virApiParamsInit(&params, call);
    virApiParamsString(&params, sev->pdh, "pdh");
    virApiParamsString(&params, sev->certChain, "cert-chain");
    virApiParamsUInt(&params, sev->cbitpos, "cbitpos");
    virApiParamsUInt(&params, sev->reducedPhysBits, "reduced-phys-bits");
    virApiParamsUInt(&params, sev->maxGuests, "max-guests");
    virApiParamsUInt(&params, sev->maxEsGuests, "max-es-guests");
    if (sev->cpu0Id)
        virApiParamsString(&params, sev->cpu0Id, "cpu0-id");
    ret->params_val = virApiParamsTake(&params, &ret->params_len);
    ret->nparams = (int32_t)ret->params_len;
    return true;
}

/* --- a guest --- */

static void
virApiSevNumber(virApiParams *params, virJSON *reply, const char *key, const char *field)
{
    uint64_t value;

    if (virJSONGetUInt(reply, key, &value))
        virApiParamsUInt(params, (unsigned)value, "%s", field);
}

bool
virApiDomainGetLaunchSecurityInfo(virApiCall *call,
                                  const remote_domain_get_launch_security_info_args *args,
                                  remote_domain_get_launch_security_info_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    g_autoptr(virJSON) measure = NULL;
    g_autoptr(virJSON) sev = NULL;
    g_auto(virApiParams) params = {0};

    if (!virApiOnlyFlags(args->flags, TYPED_STRING_OKAY, error))
        return false;
    VIR_CORE_GUARD;
    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    if (virDomainObjDef(obj)->security.launch.type != VIR_LAUNCH_SECURITY_SEV)
        return true; /* nothing to tell */
    if (!virDomainObjCheckActive(obj, error) ||
        !qemuGuestCommand(obj, "query-sev-launch-measure", NULL, &measure, error) ||
        !qemuGuestCommand(obj, "query-sev", NULL, &sev, error))
        return false;
    virApiParamsInit(&params, call);
    virApiParamsString(&params, virJSONGetString(measure, "data"), "sev-measurement");
    virApiSevNumber(&params, sev, "api-major", "sev-api-major");
    virApiSevNumber(&params, sev, "api-minor", "sev-api-minor");
    virApiSevNumber(&params, sev, "build-id", "sev-build-id");
    virApiSevNumber(&params, sev, "policy", "sev-policy");
    ret->params_val = virApiParamsTake(&params, &ret->params_len);
    return true;
}

/* The arguments of sev-inject-launch-secret; NULL with the error set if one is missing. */
static virJSON *
virApiSevSecret(const remote_domain_set_launch_security_state_args *args, GError **error)
{
    const char *header = NULL, *secret = NULL;
    const uint64_t *address = NULL;
    virJSON *arguments;

    for (uint32_t i = 0; i < args->params_len; i++) {
        const remote_typed_param *param = &args->params_val[i];
        bool text = param->value.type == REMOTE_TYPED_PARAM_TYPE_STRING;

        if (text && g_str_equal(param->field, "sev-secret-header"))
            header = param->value.s;
        else if (text && g_str_equal(param->field, "sev-secret"))
            secret = param->value.s;
        else if (param->value.type == REMOTE_TYPED_PARAM_TYPE_ULLONG &&
                 g_str_equal(param->field, "sev-secret-set-address"))
            address = &param->value.ul;
        else {
            virErrorSet(error, VIR_ERR_INVALID_ARG, _("parameter '%s' not supported"),
                        param->field);
            return NULL;
        }
    }
    if (!header || !secret) {
        virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                    _("Both secret and the secret header are required"));
        return NULL;
    }
    arguments = virJSONObject();
    virJSONAddString(arguments, "packet-header", header);
    virJSONAddString(arguments, "secret", secret);
    if (address)
        virJSONAddUInt(arguments, "gpa", *address);
    return arguments;
}

bool
virApiDomainSetLaunchSecurityState(virApiCall *call,
                                   const remote_domain_set_launch_security_state_args *args,
                                   GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    virJSON *arguments;

    if (!virApiOnlyFlags(args->flags, TYPED_STRING_OKAY, error))
        return false;
    VIR_CORE_GUARD;
    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    if (virDomainObjDef(obj)->security.launch.type != VIR_LAUNCH_SECURITY_SEV)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                           _("setting a launch secret is only supported in SEV-enabled domains"));
    VIR_API_JOB(obj, "set a launch secret", error);
    if (!virDomainObjCheckActive(obj, error))
        return false;
    if (obj->state != VIR_DOMAIN_PAUSED)
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                           _("domain must be in a paused state"));
    return (arguments = virApiSevSecret(args, error)) &&
           qemuGuestCommand(obj, "sev-inject-launch-secret", arguments, NULL, error);
}
