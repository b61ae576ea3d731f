/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * operations_pci.c: drivers of PCI devices, and VFIO's nodes. A device is an address that the
 * policy lists; every path is made of that and of what the helper's own sysfs says. */
#include "helperd/operations.h"

#include <string.h>

#include "util/virerror.h"
#include "util/virutil.h"
#include "util/virvfio.h"

#define SYSFS "/sys"

/* A pattern of the list may match more than addresses; nothing else goes into a path. */
static bool
mayTouch(const helperPolicy *policy, const char *hook, const char *address, GError **error)
{
    if (!virPCIIsAddress(address))
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("'%s' is no address of a PCI device"),
                           address);
    return helperPolicyWord(policy, hook, "pci", address, error);
}

bool
helperBindPCI(const helperPolicy *policy, const virInternalCall *call, virInternalRequest *request,
              GError **error)
{
    const char *address = virInternalRequestGetString(request, "address");
    const char *driver = virInternalRequestGetString(request, "driver");

    if (driver[0] == '\0' || driver[0] == '.' || strchr(driver, '/'))
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED, _("'%s' is no name of a driver"), driver);
    return mayTouch(policy, "pci.bind", address, error) &&
           helperPolicyWord(policy, "pci.bind", "drivers", driver, error) &&
           virPCIDeviceBind(SYSFS, address, driver, error);
}

bool
helperReleasePCI(const helperPolicy *policy, const virInternalCall *call,
                 virInternalRequest *request, GError **error)
{
    const char *address = virInternalRequestGetString(request, "address");

    return mayTouch(policy, "pci.release", address, error) &&
           virPCIDeviceRelease(SYSFS, address, error);
}

char *
helperVFIONode(const helperPolicy *policy, virInternalDevice device, const char *address,
               GError **error)
{
    static const struct {
        const char *name;
        virVFIOKind kind;
    } nodes[] = {
        [VIR_INTERNAL_DEVICE_VFIO_GROUP] = {"vfio-group", VIR_VFIO_GROUP},
        [VIR_INTERNAL_DEVICE_VFIO_CDEV] = {"vfio-cdev", VIR_VFIO_CDEV},
        [VIR_INTERNAL_DEVICE_IOMMUFD] = {"iommufd", VIR_VFIO_IOMMU_NODE},
    };
    char *path = NULL;
    dev_t number;

    if (!helperPolicyWord(policy, "device.open", "devices", nodes[device].name, error) ||
        (device != VIR_INTERNAL_DEVICE_IOMMUFD &&
         !mayTouch(policy, "device.open", address, error)) ||
        !virVFIONode(SYSFS, nodes[device].kind, address, &path, &number, error))
        return NULL;
    return path;
}
