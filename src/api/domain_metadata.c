/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_metadata.c: what a domain is called and what applications keep with it: metadata, rename;
 * and what shall happen at the end of its life. */
#include "domain/metadata.h"

#include "api/domain.h"
#include "api/handlers.gen.h"
#include "qemu/check.h"
#include "qemu/gatesettings.h"
#include "qemu/lifecycle.h"
#include "util/vircore.h"
#include "util/virerror.h"

enum { AFFECT = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG };

/* --- metadata --- */

bool
virApiDomainGetMetadata(virApiCall *call, const remote_domain_get_metadata_args *args,
                        remote_domain_get_metadata_ret *ret, GError **error)
{
    g_autoptr(virDomainDoc) doc = NULL;
    g_autofree char *text = NULL;

    if (!virApiOnlyFlags(args->flags, AFFECT, error))
        return false;
    {
        g_autoptr(virDomainObj) obj = NULL;
        virDomainDoc *meant;
        VIR_CORE_GUARD;

        if (!(obj = virApiDomain(call, &args->dom, error)) ||
            !(meant = virApiDomainDoc(obj, args->flags, error)))
            return false;
        doc = virDomainDocRef(meant);
    }
    text =
        virDomainMetadataGet(virDomainDocDef(doc), (virMetadataType)args->type, args->uri, error);
    ret->metadata = virApiStrdup(call, text);
    return text != NULL;
}

static bool
virApiMetadataEdit(virDomainDef *def, void *opaque, GError **error)
{
    const remote_domain_set_metadata_args *args = opaque;

    return virDomainMetadataSet(def, (virMetadataType)args->type, args->metadata, args->key,
                                args->uri, error) &&
           qemuGateSettingsCheck(def, error);
}

bool
virApiDomainSetMetadata(virApiCall *call, const remote_domain_set_metadata_args *args,
                        GError **error)
{
    qemuDriver *driver = virApiQemu(call);
    g_autoptr(virDomainObj) obj = NULL;
    virDomainEvent event = {
        .type = VIR_DOMAIN_EVENT_METADATA_CHANGE, .event = args->type, .reason = args->uri};
    bool live, config;

    if (!virApiOnlyFlags(args->flags, AFFECT, error))
        return false;
    VIR_CORE_GUARD;
    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    VIR_API_JOB(obj, "set metadata", error);
    if (!virDomainObjAffected(obj, args->flags, &live, &config, error) ||
        !qemuDriverEdit(driver, obj, live, config, virApiMetadataEdit, (void *)args, error))
        return false;
    if (live && g_strcmp0(args->uri, QEMU_GATE_METADATA_URI) == 0 &&
        !qemuGateSettingsApply(obj, error))
        return false;
    event.name = obj->name;
    event.uuid = obj->uuid;
    event.id = obj->id;
    qemuDriverEmit(driver, &event);
    return true;
}

/* --- name --- */

bool
virApiDomainRename(virApiCall *call, const remote_domain_rename_args *args,
                   remote_domain_rename_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    if (!args->new_name)
        return virErrorSetPlain(error, VIR_ERR_INVALID_ARG, "%s",
                                _("new_name in virDomainRename must not be NULL"));
    VIR_CORE_GUARD;
    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    VIR_API_JOB(obj, "rename", error);
    return qemuDriverRename(virApiQemu(call), obj, args->new_name, error);
}

/* --- the end of its life --- */

/* VIR_DOMAIN_LIFECYCLE_* */
enum { LIFECYCLE_POWEROFF = 0, LIFECYCLE_REBOOT, LIFECYCLE_CRASH, LIFECYCLE_LAST };

static bool
virApiLifecycleEdit(virDomainDef *def, void *opaque, GError **error)
{
    const remote_domain_set_lifecycle_action_args *args = opaque;
    int *const places[LIFECYCLE_LAST] = {
        [LIFECYCLE_POWEROFF] = &def->lifecycle.onPoweroff,
        [LIFECYCLE_REBOOT] = &def->lifecycle.onReboot,
        [LIFECYCLE_CRASH] = &def->lifecycle.onCrash,
    };

    *places[args->type] = (int)args->action;
    return qemuCheckLifecycle(def, error);
}

static bool
virApiLifecycleAllowed(const remote_domain_set_lifecycle_action_args *args, GError **error)
{
    static const char *const types[LIFECYCLE_LAST] = {"poweroff", "reboot", "crash"};

    if (args->type >= LIFECYCLE_LAST)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("invalid lifecycle type '%u'"),
                           args->type);
    if (args->action >= VIR_LIFECYCLE_LAST)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("invalid lifecycle action '%u'"),
                           args->action);
    if (args->type != LIFECYCLE_CRASH && args->action >= VIR_LIFECYCLE_COREDUMP_DESTROY)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Lifecycle event '%s' doesn't support '%s' action"), types[args->type],
                           virLifecycleActionToString((virLifecycleAction)args->action));
    return true;
}

bool
virApiDomainSetLifecycleAction(virApiCall *call,
                               const remote_domain_set_lifecycle_action_args *args, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    bool live, config;

    if (!virApiOnlyFlags(args->flags, AFFECT, error) || !virApiLifecycleAllowed(args, error))
        return false;
    VIR_CORE_GUARD;
    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    VIR_API_JOB(obj, "set lifecycle action", error);
    return virDomainObjAffected(obj, args->flags, &live, &config, error) &&
           qemuDriverEdit(virApiQemu(call), obj, live, config, virApiLifecycleEdit, (void *)args,
                          error) &&
           (!live || args->type != LIFECYCLE_REBOOT || qemuGuestLifecycleChanged(obj, error));
}
