/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local_pci.c: the hooks for drivers of PCI devices, done here. Needs to write sysfs, which is
 * root's. */
#include "delegate/local.h"

bool
virDelegateLocalPCIBind(virDelegate *door, const virDelegateCall *call, const char *address,
                        const char *driver, GError **error)
{
    return virPCIDeviceBind(door->sysfs, address, driver, error);
}

bool
virDelegateLocalPCIRelease(virDelegate *door, const virDelegateCall *call, const char *address,
                           GError **error)
{
    return virPCIDeviceRelease(door->sysfs, address, error);
}
