/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hostpci.c: see hostpci.h. */
#include "qemu/hostpci.h"

#include <fcntl.h>
#include <unistd.h>

#include "host/machine.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virvfio.h"

#define SYSFS "/sys"

/* --- whose they are --- */

/* The guest that has the device; NULL: none. Caller frees. */
static char *
qemuHostPCIOwner(qemuDriver *driver, const char *address)
{
    VIR_CORE_GUARD;

    return g_strdup(g_hash_table_lookup(driver->pciDevices, address));
}

/* False if another guest was there first. A guest has a device once. */
static bool
qemuHostPCIMark(qemuDriver *driver, const char *address, const char *domain)
{
    VIR_CORE_GUARD;

    return !g_hash_table_contains(driver->pciDevices, address) &&
           g_hash_table_insert(driver->pciDevices, g_strdup(address), g_strdup(domain));
}

static void
qemuHostPCIUnmark(qemuDriver *driver, const char *address)
{
    VIR_CORE_GUARD;

    g_hash_table_remove(driver->pciDevices, address);
}

static bool
qemuHostPCIInUse(const char *address, const char *domain, GError **error)
{
    return virErrorSet(error, VIR_ERR_OPERATION_INVALID,
                       _("PCI device %s is in use by driver %s, domain %s"), address, "QEMU",
                       domain);
}

/* The kernel gives a group of the IOMMU to one process alone. */
static bool
qemuHostPCIGroupIsFree(qemuGuest *guest, const virPCIDevice *device, GError **error)
{
    g_autoptr(GPtrArray) members = virPCIGroupRead(SYSFS, device->group, error);

    for (guint i = 0; members && i < members->len; i++) {
        const virPCIDevice *member = g_ptr_array_index(members, i);
        g_autofree char *owner = qemuHostPCIOwner(guest->driver, member->address);

        if (owner && !g_str_equal(owner, guest->obj->name))
            return qemuHostPCIInUse(member->address, owner, error);
    }
    return members != NULL;
}

void
qemuHostPCIReclaim(qemuDriver *driver, const char *domain, const qemuResource *resource)
{
    g_hash_table_insert(driver->pciDevices, g_strdup(resource->name), g_strdup(domain));
}

/* --- taken --- */

static bool
qemuHostPCIIsPossible(const qmpHostStep *step, GError **error)
{
    /* by descriptors QEMU needs no node, and a handler may have what is not here */
    return (virHostHasIOMMU() && (step->fds || access(VIR_VFIO_CONTAINER, F_OK) == 0)) ||
           virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                       _("host doesn't support passthrough of host PCI devices"));
}

/* One that the guest gave up, and that could not go back to the host yet; NULL: none. */
static qemuResource *
qemuHostPCIKept(const qemuGuest *guest, const char *address)
{
    for (guint i = 0; i < guest->resources->len; i++) {
        qemuResource *resource = g_ptr_array_index(guest->resources, i);

        if (resource->type == QEMU_RESOURCE_PCI && g_str_equal(resource->name, address))
            return resource;
    }
    return NULL;
}

const char *
qemuHostPCIGroupUser(const qemuGuest *guest, const qemuResource *resource)
{
    for (guint i = 0; i < guest->resources->len; i++) {
        const qemuResource *other = g_ptr_array_index(guest->resources, i);

        if (other->type == QEMU_RESOURCE_PCI && other->group == resource->group &&
            g_strcmp0(other->alias, resource->alias) != 0)
            return other->alias;
    }
    return NULL;
}

/* Puts the device on the guest's list. */
static bool
qemuHostPCIList(qemuGuest *guest, const qmpHostStep *step, GError **error)
{
    qemuResource *kept = qemuHostPCIKept(guest, step->path);
    g_autoptr(virPCIDevice) device = virPCIDeviceRead(SYSFS, step->path, error);
    const bool managed = step->flags;
    g_autofree char *owner = NULL;
    qemuResource *resource;

    if (!device)
        return false;
    if (kept) {
        g_free(kept->alias);
        kept->alias = g_strdup(step->alias);
        return true;
    }
    if (!managed && !virPCIDeviceIsVFIO(device))
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID,
                           _("Unmanaged PCI device %s must be manually detached from the host"),
                           step->path);
    if (device->group < 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("PCI device %s is in no group of the IOMMU"), step->path);
    if (!qemuHostPCIGroupIsFree(guest, device, error))
        return false;
    if (!qemuHostPCIMark(guest->driver, step->path, guest->obj->name)) {
        owner = qemuHostPCIOwner(guest->driver, step->path);
        return qemuHostPCIInUse(step->path, owner ? owner : "", error);
    }
    resource = qemuResourceNew(QEMU_RESOURCE_PCI, step->path, step->alias);
    resource->group = device->group;
    resource->number = managed && !virPCIDeviceIsVFIO(device);
    g_ptr_array_add(guest->resources, resource);
    return true;
}

static bool
qemuHostPCIBind(qemuGuest *guest, const virDelegateCall *call, guint from, GError **error)
{
    for (guint i = from; i < guest->resources->len; i++) {
        const qemuResource *resource = g_ptr_array_index(guest->resources, i);

        if (resource->number && !virDelegatePCIBind(guest->driver->door, call, resource->name,
                                                    VIR_PCI_DRIVER_VFIO, error))
            return false;
    }
    return true;
}

bool
qemuHostPCITake(qemuGuest *guest, const virDelegateCall *call, const qmpPlan *plan, GError **error)
{
    const guint from = guest->resources->len;

    for (size_t i = 0; i < qmpPlanLength(plan); i++) {
        const qmpStep *step = qmpPlanStep(plan, i);

        if (step->type == QMP_STEP_HOST && step->host->type == QMP_HOST_VFIO &&
            (!qemuHostPCIIsPossible(step->host, error) ||
             !qemuHostPCIList(guest, step->host, error)))
            return false;
    }
    return guest->resources->len == from ||
           (qemuGuestSaveStatus(guest, error) && qemuHostPCIBind(guest, call, from, error));
}

/* --- the group --- */

char *
qemuHostPCINode(const char *address)
{
    g_autoptr(virPCIDevice) device = virPCIDeviceRead(SYSFS, address, NULL);

    return device && device->group >= 0 ? g_strdup_printf("/dev/vfio/%d", device->group) : NULL;
}

/* A running QEMU has the group open for another device of it: nobody else can open it. */
static bool
qemuHostPCIGroupIsOpen(qemuGuest *guest, const GPtrArray *members, const char *address)
{
    for (guint i = 0; guest->pid > 0 && i < members->len; i++) {
        const virPCIDevice *member = g_ptr_array_index(members, i);
        g_autofree char *owner = qemuHostPCIOwner(guest->driver, member->address);

        if (owner && !g_str_equal(member->address, address))
            return true;
    }
    return false;
}

static bool
qemuHostPCIIsInTheWay(const virPCIDevice *device, const GPtrArray *members, GError **error)
{
    const virPCIDevice *inTheWay = virPCIGroupInTheWay(members);

    return virErrorSet(error, VIR_ERR_OPERATION_INVALID,
                       _("PCI device %s cannot be given away: device %s of the same IOMMU group "
                         "%d is bound to driver %s"),
                       device->address, inTheWay ? inTheWay->address : "?", device->group,
                       inTheWay ? inTheWay->driver : "?");
}

bool
qemuHostPCIGroupIsUnused(const char *address, GError **error)
{
    g_autoptr(virPCIDevice) device = virPCIDeviceRead(SYSFS, address, error);
    g_autoptr(GPtrArray) members = device ? virPCIGroupRead(SYSFS, device->group, error) : NULL;

    return members &&
           (!virPCIGroupInTheWay(members) || qemuHostPCIIsInTheWay(device, members, error));
}

bool
qemuHostPCICheckGroup(qemuGuest *guest, const virDelegateCall *call, const char *address,
                      GError **error)
{
    g_autoptr(virPCIDevice) device = virPCIDeviceRead(SYSFS, address, error);
    g_autoptr(GPtrArray) members = device ? virPCIGroupRead(SYSFS, device->group, error) : NULL;
    VIR_AUTOCLOSE fd = -1;

    if (!members)
        return false;
    if (qemuHostPCIGroupIsOpen(guest, members, address))
        return true;
    if (!virDelegateDeviceOpen(guest->driver->door, call, VIR_DELEGATE_DEVICE_VFIO_GROUP, address,
                               O_RDWR, &fd, error))
        return false;
    /* no descriptor: the operation is switched off */
    return fd < 0 || virVFIOGroupIsViable(fd) || qemuHostPCIIsInTheWay(device, members, error);
}

/* --- given back --- */

bool
qemuHostPCIGiveBack(qemuDriver *driver, const virDelegateCall *call, const qemuResource *resource,
                    GError **error)
{
    bool done =
        !resource->number || virDelegatePCIRelease(driver->door, call, resource->name, error);

    qemuHostPCIUnmark(driver, resource->name);
    return done;
}
