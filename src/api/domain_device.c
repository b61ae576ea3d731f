/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_device.c: attach, detach and update of devices, in the running guest, in the stored
 * definition, or both. What a kind is does not matter here. */
#include <string.h>

#include "api/domain.h"
#include "api/handlers.gen.h"
#include "qemu/guest.h"
#include "util/vircore.h"
#include "util/virerror.h"

/* VIR_DOMAIN_DEVICE_MODIFY_* */
enum { MODIFY_LIVE = 1 << 0, MODIFY_CONFIG = 1 << 1, MODIFY_FORCE = 1 << 2 };

typedef enum { CHANGE_ATTACH, CHANGE_DETACH, CHANGE_UPDATE } virApiChange;

typedef struct {
    qemuDriver *driver;
    virApiChange change;
    const char *xml;   /* of the device */
    const char *alias; /* DETACH by alias instead */
} virApiDeviceChange;

static virDevice *
virApiDeviceFind(const virDomainDef *def, const virApiDeviceChange *what, GError **error)
{
    g_autoptr(virDevice) wanted = NULL;
    virDevice *dev;

    if (what->alias) {
        dev = virDomainDefDeviceByAlias(def, what->alias);
        if (!dev)
            virErrorSet(error, VIR_ERR_DEVICE_MISSING, _("no device found with alias %s"),
                        what->alias);
        return dev;
    }
    wanted = virDeviceParseText(what->xml, VIR_PARSE_STATUS, error);
    return wanted ? virDomainDefFindDevice(def, wanted, error) : NULL;
}

/* --- the stored definition --- */

static bool
virApiDeviceEdit(virDomainDef *def, void *opaque, GError **error)
{
    const virApiDeviceChange *what = opaque;
    virDevice *fresh = NULL;
    virDevice *old = NULL;

    if (what->change != CHANGE_DETACH &&
        !(fresh = virDeviceParseText(what->xml, VIR_PARSE_INACTIVE, error)))
        return false;
    if (what->change != CHANGE_ATTACH) {
        old = fresh ? virDomainDefFindDevice(def, fresh, error) : virApiDeviceFind(def, what, error);
        if (!old) {
            virDeviceFree(fresh);
            return false;
        }
        if (fresh && fresh->info.address.type == VIR_ADDRESS_NONE)
            fresh->info.address = old->info.address;
        virDomainDefTakeDevice(def, old);
        virDeviceFree(old);
    }
    if (fresh)
        virDomainDefAddDevice(def, fresh);
    return qemuDriverComplete(what->driver, def, error);
}

/* --- the running guest --- */

static bool
virApiDeviceLive(virDomainObj *obj, const virApiDeviceChange *what, bool force, GError **error)
{
    g_autoptr(virDomainDoc) live = virDomainDocRef(obj->live);
    virDevice *fresh = NULL;
    const virDevice *dev;

    if (what->change != CHANGE_DETACH &&
        !(fresh = virDeviceParseText(what->xml, VIR_PARSE_INACTIVE, error)))
        return false;
    if (what->change == CHANGE_ATTACH)
        return qemuGuestAttach(obj, fresh, error);
    dev = fresh ? virDomainDefFindDevice(virDomainDocDef(live), fresh, error)
                : virApiDeviceFind(virDomainDocDef(live), what, error);
    if (!dev) {
        virDeviceFree(fresh);
        return false;
    }
    if (what->change == CHANGE_DETACH)
        return qemuGuestDetach(obj, dev, error);
    return qemuGuestUpdate(obj, dev, fresh, force, error);
}

/* What can be said of the stored definition is tried before the guest is touched. */
static bool
virApiDeviceChangeRun(virApiCall *call, const remote_nonnull_domain *dom,
                      virApiDeviceChange *what, unsigned flags, GError **error)
{
    static const char *const jobs[] = {"attach device", "detach device", "update device"};
    g_autoptr(virDomainObj) obj = NULL;
    bool live;
    bool config;
    VIR_CORE_GUARD;

    what->driver = virApiQemu(call);
    if (!(obj = virApiDomain(call, dom, error)))
        return false;
    VIR_API_JOB(obj, jobs[what->change], error);
    if (!virDomainObjAffected(obj, flags & (MODIFY_LIVE | MODIFY_CONFIG), &live, &config, error))
        return false;
    if (live && config) {
        g_autoptr(virDomainDef) trial = virDomainDefCopy(virDomainDocDef(obj->config));
        bool ok;

        {
            VIR_CORE_UNLOCKED;

            ok = virApiDeviceEdit(trial, what, error);
        }
        if (!ok)
            return false;
    }
    if (live && !virApiDeviceLive(obj, what, flags & MODIFY_FORCE, error))
        return false;
    return !config ||
           qemuDriverEdit(what->driver, obj, false, true, virApiDeviceEdit, what, error);
}

bool
virApiDomainAttachDevice(virApiCall *call, const remote_domain_attach_device_args *args,
                         GError **error)
{
    virApiDeviceChange what = {.change = CHANGE_ATTACH, .xml = args->xml};

    return virApiDeviceChangeRun(call, &args->dom, &what, MODIFY_LIVE, error);
}

bool
virApiDomainAttachDeviceFlags(virApiCall *call, const remote_domain_attach_device_flags_args *args,
                              GError **error)
{
    virApiDeviceChange what = {.change = CHANGE_ATTACH, .xml = args->xml};

    return virApiOnlyFlags(args->flags, MODIFY_LIVE | MODIFY_CONFIG, error) &&
           virApiDeviceChangeRun(call, &args->dom, &what, args->flags, error);
}

bool
virApiDomainDetachDevice(virApiCall *call, const remote_domain_detach_device_args *args,
                         GError **error)
{
    virApiDeviceChange what = {.change = CHANGE_DETACH, .xml = args->xml};

    return virApiDeviceChangeRun(call, &args->dom, &what, MODIFY_LIVE, error);
}

bool
virApiDomainDetachDeviceFlags(virApiCall *call, const remote_domain_detach_device_flags_args *args,
                              GError **error)
{
    virApiDeviceChange what = {.change = CHANGE_DETACH, .xml = args->xml};

    return virApiOnlyFlags(args->flags, MODIFY_LIVE | MODIFY_CONFIG, error) &&
           virApiDeviceChangeRun(call, &args->dom, &what, args->flags, error);
}

bool
virApiDomainDetachDeviceAlias(virApiCall *call, const remote_domain_detach_device_alias_args *args,
                              GError **error)
{
    virApiDeviceChange what = {.change = CHANGE_DETACH, .alias = args->alias};

    return virApiOnlyFlags(args->flags, MODIFY_LIVE | MODIFY_CONFIG, error) &&
           virApiDeviceChangeRun(call, &args->dom, &what, args->flags, error);
}

bool
virApiDomainUpdateDeviceFlags(virApiCall *call, const remote_domain_update_device_flags_args *args,
                              GError **error)
{
    virApiDeviceChange what = {.change = CHANGE_UPDATE, .xml = args->xml};

    return virApiOnlyFlags(args->flags, MODIFY_LIVE | MODIFY_CONFIG | MODIFY_FORCE, error) &&
           virApiDeviceChangeRun(call, &args->dom, &what, args->flags, error);
}
