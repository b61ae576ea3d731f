/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_life.c: a guest's life: create, destroy, suspend, resume. */
#include "api/domain.h"
#include "api/handlers.gen.h"
#include "domain/schema.h"
#include "qemu/guest.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virlog.h"

/* VIR_DOMAIN_START_* */
enum {
    START_PAUSED = 1 << 0,
    START_AUTODESTROY = 1 << 1,
    START_BYPASS_CACHE = 1 << 2,
    START_FORCE_BOOT = 1 << 3,
    START_VALIDATE = 1 << 4,
    START_RESET_NVRAM = 1 << 5
};
enum { DESTROY_GRACEFUL = 1 << 0 };

/* --- guests that end with the connection that started them --- */

typedef struct {
    qemuDriver *driver;
    virNetServerClient *client;
    virDomainObj *obj;
    int id; /* of the run that is meant */
} virApiOwned;

static void
virApiOwnedEnd(void *opaque)
{
    g_autofree virApiOwned *owned = opaque;
    g_autoptr(virDomainObj) obj = owned->obj;
    g_autoptr(GError) error = NULL;
    VIR_CORE_GUARD;

    if (!qemuGuestDestroy(owned->driver, obj, owned->id, /* graceful: */ false, &error))
        VIR_WARN("domain '%s' is not ended with its client: %s", obj->name, error->message);
}

/* On the event thread, which must not wait. */
static void
virApiOwnedClosed(void *opaque)
{
    virCoreRunJob(virApiOwnedEnd, opaque);
}

/* On the event thread. */
static void
virApiOwnedWatch(void *opaque)
{
    virApiOwned *owned = opaque;
    g_autoptr(virNetServerClient) client = owned->client;

    owned->client = NULL;
    if (virNetServerClientIsClosed(client))
        virApiOwnedClosed(owned);
    else
        virApiConnectionOnClose(client, virApiOwnedClosed, owned);
}

static void
virApiOwn(virApiCall *call, virDomainObj *obj, unsigned flags)
{
    virApiOwned *owned;

    if (!(flags & START_AUTODESTROY))
        return;
    owned = g_new(virApiOwned, 1);
    *owned = (virApiOwned){virApiQemu(call), virNetServerClientRef(virApiClient(call)),
                           virDomainObjRef(obj), obj->id};
    virEventPost(virApiOwnedWatch, owned);
}

/* --- start --- */

static unsigned
virApiStartFlags(unsigned flags)
{
    return (flags & START_PAUSED ? QEMU_START_PAUSED : 0) |
           (flags & START_RESET_NVRAM ? QEMU_START_RESET_NVRAM : 0);
}

static bool
virApiStart(virApiCall *call, const remote_nonnull_domain *dom, unsigned flags,
            remote_nonnull_domain *ret, GError **error)
{
    qemuDriver *driver = virApiQemu(call);
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, dom, error)))
        return false;
    VIR_API_JOB(obj, "start", error);
    if (virDomainObjIsActive(obj))
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("domain is already running"));
    if (!qemuGuestStart(driver, obj, virDomainDefCopy(virDomainDocDef(obj->config)),
                        virApiStartFlags(flags), error))
        return false;
    virApiOwn(call, obj, flags);
    if (ret)
        virApiDomainFill(call, obj, ret);
    return true;
}

bool
virApiDomainCreate(virApiCall *call, const remote_domain_create_args *args, GError **error)
{
    return virApiStart(call, &args->dom, 0, NULL, error);
}

bool
virApiDomainCreateWithFlags(virApiCall *call, const remote_domain_create_with_flags_args *args,
                            remote_domain_create_with_flags_ret *ret, GError **error)
{
    return virApiOnlyFlags(args->flags,
                           START_PAUSED | START_AUTODESTROY | START_BYPASS_CACHE |
                               START_FORCE_BOOT | START_RESET_NVRAM,
                           error) &&
           virApiStart(call, &args->dom, args->flags, &ret->dom, error);
}

/* A transient domain, or the stored one of the same name with another document for this run. */
bool
virApiDomainCreateXML(virApiCall *call, const remote_domain_create_xml_args *args,
                      remote_domain_create_xml_ret *ret, GError **error)
{
    qemuDriver *driver = virApiQemu(call);
    g_autoptr(virDomainDef) def = NULL;
    g_autoptr(virDomainObj) obj = NULL;
    bool ok;

    if (!virApiOnlyFlags(args->flags,
                         START_PAUSED | START_AUTODESTROY | START_VALIDATE | START_RESET_NVRAM,
                         error))
        return false;
    if ((args->flags & START_VALIDATE) && !virDomainSchemaCheck(args->xml_desc, error))
        return false;
    def = qemuDriverParse(driver, args->xml_desc, VIR_PARSE_INACTIVE | VIR_PARSE_ABI_UPDATE, error);
    if (!def)
        return false;
    VIR_CORE_GUARD;
    obj = virApiDomainObtain(driver->domains, def, error);
    if (!obj)
        return false;
    VIR_API_JOB(obj, "create", error);
    if (virDomainObjIsActive(obj))
        return virErrorSetDomain(error, VIR_ERR_OPERATION_INVALID,
                                 _("domain '%s' is already active"), obj->name);
    ok = qemuGuestStart(driver, obj, g_steal_pointer(&def), virApiStartFlags(args->flags), error);
    if (ok) {
        virApiDomainFill(call, obj, &ret->dom);
        virApiOwn(call, obj, args->flags);
    } else if (!virDomainObjIsPersistent(obj)) {
        virDomainRegistryRemove(driver->domains, obj);
    }
    return ok;
}

/* --- end --- */

static bool
virApiDestroy(virApiCall *call, const remote_nonnull_domain *dom, unsigned flags, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    return (obj = virApiDomain(call, dom, error)) &&
           qemuGuestDestroy(virApiQemu(call), obj, QEMU_GUEST_ANY_RUN, flags & DESTROY_GRACEFUL,
                            error);
}

bool
virApiDomainDestroy(virApiCall *call, const remote_domain_destroy_args *args, GError **error)
{
    return virApiDestroy(call, &args->dom, 0, error);
}

bool
virApiDomainDestroyFlags(virApiCall *call, const remote_domain_destroy_flags_args *args,
                         GError **error)
{
    return virApiOnlyFlags(args->flags, DESTROY_GRACEFUL, error) &&
           virApiDestroy(call, &args->dom, args->flags, error);
}

/* --- its CPUs --- */

bool
virApiDomainSuspend(virApiCall *call, const remote_domain_suspend_args *args, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    VIR_API_JOB(obj, "suspend", error);
    if (!virDomainObjCheckActive(obj, error))
        return false;
    if (obj->state == VIR_DOMAIN_PMSUSPENDED)
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("domain is pmsuspended"));
    return obj->state == VIR_DOMAIN_PAUSED ||
           qemuGuestSuspend(obj, VIR_PAUSED_USER, VIR_SUSPENDED_PAUSED, error);
}

bool
virApiDomainResume(virApiCall *call, const remote_domain_resume_args *args, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    VIR_API_JOB(obj, "resume", error);
    if (!virDomainObjCheckActive(obj, error))
        return false;
    switch (obj->state) {
    case VIR_DOMAIN_PMSUSPENDED:
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("domain is pmsuspended"));
    case VIR_DOMAIN_RUNNING:
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("domain is already running"));
    default:
        return qemuGuestResume(obj, VIR_RUNNING_UNPAUSED, VIR_RESUMED_UNPAUSED, error);
    }
}
