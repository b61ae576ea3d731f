/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_device.c: attach, detach and update of devices, in the running guest, in the stored
 * definition, or both. What a kind is does not matter here. */
#include <string.h>

#include "api/domain.h"
#include "api/handlers.gen.h"
#include "domain/devicechange.h"
#include "qemu/devicestore.h"
#include "qemu/guest.h"
#include "util/vircore.h"
#include "util/virerror.h"

/* VIR_DOMAIN_DEVICE_MODIFY_* */
enum { MODIFY_LIVE = 1 << 0, MODIFY_CONFIG = 1 << 1, MODIFY_FORCE = 1 << 2 };

typedef struct {
    qemuDriver *driver;
    virDeviceChange change;
    const char *xml;   /* of the device */
    const char *alias; /* DETACH by alias instead */
} virApiDeviceChange;

/* The device of the request; a new one each time, since who changes takes it over. A detach may
 * name it by what only a running guest has. */
static virDevice *
virApiDeviceParse(const virApiDeviceChange *what, GError **error)
{
    return virDeviceParseText(
        what->xml, what->change == VIR_DEVICE_DETACH ? VIR_PARSE_STATUS : VIR_PARSE_INACTIVE,
        error);
}

/* --- the stored definition --- */

/* Without the lock; def is private. */
static bool
virApiDeviceStored(const virApiDeviceChange *what, virDomainDef *def, GError **error)
{
    g_autoptr(virDevice) dev = NULL;

    if (what->alias)
        return qemuStoredDetach(what->driver, def, NULL, what->alias, error);
    if (!(dev = virApiDeviceParse(what, error)))
        return false;
    if (what->change == VIR_DEVICE_ATTACH)
        return qemuStoredAttach(what->driver, def, g_steal_pointer(&dev), error);
    if (what->change == VIR_DEVICE_UPDATE)
        return qemuStoredUpdate(what->driver, def, g_steal_pointer(&dev), error);
    return qemuStoredDetach(what->driver, def, dev, NULL, error);
}

/* The definition as it is to be; the caller frees. Lock held, given up. */
static virDomainDef *
virApiDeviceStoredCopy(virDomainObj *obj, const virApiDeviceChange *what, GError **error)
{
    g_autoptr(virDomainDoc) config = virDomainDocRef(obj->config);
    g_autoptr(virDomainDef) def = NULL;
    VIR_CORE_UNLOCKED;

    def = virDomainDefCopy(virDomainDocDef(config));
    return virApiDeviceStored(what, def, error) ? g_steal_pointer(&def) : NULL;
}

/* --- the running guest --- */

/* The one that is to go, and may; a device of live. */
static const virDevice *
virApiDeviceFind(const virDomainDef *live, const virApiDeviceChange *what, const virDevice *wanted,
                 GError **error)
{
    const virDevice *dev = what->alias ? virDomainDefDeviceByAlias(live, what->alias) : NULL;

    if (what->alias && !dev) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("no device found with alias %s"), what->alias);
        return NULL;
    }
    if (!virDeviceCanChange(dev ? dev : wanted, VIR_DEVICE_DETACH, /* live: */ true, error))
        return NULL;
    return dev ? dev
               : virDomainDefFindDevice(live, wanted, VIR_DEVICE_DETACH, /* live: */ true, error);
}

static bool
virApiDeviceLive(virDomainObj *obj, const virApiDeviceChange *what, bool force, GError **error)
{
    g_autoptr(virDomainDoc) live = virDomainDocRef(obj->live);
    g_autoptr(virDevice) wanted = NULL;
    const virDevice *dev;

    if (!what->alias && !(wanted = virApiDeviceParse(what, error)))
        return false;
    if (what->change == VIR_DEVICE_ATTACH)
        return qemuGuestAttach(obj, g_steal_pointer(&wanted), error);
    if (what->change == VIR_DEVICE_UPDATE)
        return qemuGuestUpdate(obj, g_steal_pointer(&wanted), force, error);
    return (dev = virApiDeviceFind(virDomainDocDef(live), what, wanted, error)) &&
           qemuGuestDetach(obj, dev, error);
}

/* All of it or nothing: the stored definition is checked and on disk, beside the one in force,
 * before the guest is touched. */
static bool
virApiDeviceChangeBoth(virDomainObj *obj, const virApiDeviceChange *what, bool force,
                       GError **error)
{
    g_autoptr(virDomainDef) def = virApiDeviceStoredCopy(obj, what, error);

    if (!def || !qemuDriverStageConfig(what->driver, obj, def, error))
        return false;
    if (virApiDeviceLive(obj, what, force, error))
        return qemuDriverCommitConfig(what->driver, obj, g_steal_pointer(&def), error);
    qemuDriverAbandonConfig(what->driver, obj);
    return false;
}

static const char *
virApiDeviceJob(virDeviceChange change)
{
    if (change == VIR_DEVICE_ATTACH)
        return "attach device";
    return change == VIR_DEVICE_DETACH ? "detach device" : "update device";
}

static bool
virApiDeviceChangeRun(virApiCall *call, const remote_nonnull_domain *dom, virApiDeviceChange *what,
                      unsigned flags, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    g_autoptr(virDomainDef) def = NULL;
    bool force = flags & MODIFY_FORCE;
    bool live;
    bool config;
    VIR_CORE_GUARD;

    what->driver = virApiQemu(call);
    if (!(obj = virApiDomain(call, dom, error)))
        return false;
    VIR_API_JOB(obj, virApiDeviceJob(what->change), error);
    if (!virDomainObjAffected(obj, flags & (MODIFY_LIVE | MODIFY_CONFIG), &live, &config, error))
        return false;
    if (live && config)
        return virApiDeviceChangeBoth(obj, what, force, error);
    if (live)
        return virApiDeviceLive(obj, what, force, error);
    return (def = virApiDeviceStoredCopy(obj, what, error)) &&
           qemuDriverSaveConfig(what->driver, obj, g_steal_pointer(&def), error);
}

bool
virApiDomainAttachDevice(virApiCall *call, const remote_domain_attach_device_args *args,
                         GError **error)
{
    virApiDeviceChange what = {.change = VIR_DEVICE_ATTACH, .xml = args->xml};

    return virApiDeviceChangeRun(call, &args->dom, &what, MODIFY_LIVE, error);
}

bool
virApiDomainAttachDeviceFlags(virApiCall *call, const remote_domain_attach_device_flags_args *args,
                              GError **error)
{
    virApiDeviceChange what = {.change = VIR_DEVICE_ATTACH, .xml = args->xml};

    return virApiOnlyFlags(args->flags, MODIFY_LIVE | MODIFY_CONFIG, error) &&
           virApiDeviceChangeRun(call, &args->dom, &what, args->flags, error);
}

bool
virApiDomainDetachDevice(virApiCall *call, const remote_domain_detach_device_args *args,
                         GError **error)
{
    virApiDeviceChange what = {.change = VIR_DEVICE_DETACH, .xml = args->xml};

    return virApiDeviceChangeRun(call, &args->dom, &what, MODIFY_LIVE, error);
}

bool
virApiDomainDetachDeviceFlags(virApiCall *call, const remote_domain_detach_device_flags_args *args,
                              GError **error)
{
    virApiDeviceChange what = {.change = VIR_DEVICE_DETACH, .xml = args->xml};

    return virApiOnlyFlags(args->flags, MODIFY_LIVE | MODIFY_CONFIG, error) &&
           virApiDeviceChangeRun(call, &args->dom, &what, args->flags, error);
}

bool
virApiDomainDetachDeviceAlias(virApiCall *call, const remote_domain_detach_device_alias_args *args,
                              GError **error)
{
    virApiDeviceChange what = {.change = VIR_DEVICE_DETACH, .alias = args->alias};

    return virApiOnlyFlags(args->flags, MODIFY_LIVE | MODIFY_CONFIG, error) &&
           virApiDeviceChangeRun(call, &args->dom, &what, args->flags, error);
}

bool
virApiDomainUpdateDeviceFlags(virApiCall *call, const remote_domain_update_device_flags_args *args,
                              GError **error)
{
    virApiDeviceChange what = {.change = VIR_DEVICE_UPDATE, .xml = args->xml};

    return virApiOnlyFlags(args->flags, MODIFY_LIVE | MODIFY_CONFIG | MODIFY_FORCE, error) &&
           virApiDeviceChangeRun(call, &args->dom, &what, args->flags, error);
}
