/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegate_pci.c: the front of the hooks for drivers of PCI devices. In a job, without the core
 * lock. */
#include "delegate/virdelegate.h"
#include "delegate/virdelegateops.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* As sysfs says it now. driver NULL: it is the host's. */
static bool
virDelegateHasDriver(const virDelegate *door, const char *address, const char *driver, bool *retHas,
                     GError **error)
{
    g_autoptr(virPCIDevice) device = virPCIDeviceRead(door->sysfs, address, error);

    if (!device)
        return false;
    *retHas = driver ? g_strcmp0(device->driver, driver) == 0
                     : !device->override && !virPCIDeviceIsVFIO(device);
    return true;
}

bool
virDelegatePCIBind(virDelegate *door, const virDelegateCall *call, const char *address,
                   const char *driver, GError **error)
{
    virDelegateTrace trace;
    bool has = false;

    if (!virDelegateBegin(door, call, "pci.bind", &trace, error))
        return trace.nobody;
    if (!virDelegateHasDriver(door, address, driver, &has, error))
        return false;
    if (has)
        return true;
    if (!virDelegateEnd(&trace, trace.ops->pciBind(door, call, address, driver, error)) ||
        !virDelegateHasDriver(door, address, driver, &has, error))
        return false;
    return has || virDelegateNotTrue(&trace, error, _("the device has another driver"));
}

bool
virDelegatePCIRelease(virDelegate *door, const virDelegateCall *call, const char *address,
                      GError **error)
{
    g_autoptr(GError) nobody = NULL;
    virDelegateTrace trace;
    bool released = false;
    /* First, as it waits for a handler that is coming back: it may have bound the device for a
     * daemon that had gone. */
    const bool begun = virDelegateBegin(door, call, "pci.release", &trace, &nobody);

    if (trace.nobody)
        return true;
    if (!virDelegateHasDriver(door, address, NULL, &released, error))
        return false;
    if (released)
        return true; /* one that was never bound needs nobody to release it */
    if (!begun) {
        g_propagate_error(error, g_steal_pointer(&nobody));
        return false;
    }
    if (!virDelegateEnd(&trace, trace.ops->pciRelease(door, call, address, error)) ||
        !virDelegateHasDriver(door, address, NULL, &released, error))
        return false;
    return released || virDelegateNotTrue(&trace, error, _("the device is not the host's"));
}
