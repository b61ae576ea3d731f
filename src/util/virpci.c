/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virpci.c: see virpci.h. */
#include "util/virpci.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virutil.h"

enum { LINE_MAX_BYTES = 4096 }; /* of a file of sysfs */

bool
virPCIIsAddress(const char *text)
{
    static const char form[] = "hhhh:hh:hh.f";

    if (strlen(text) != sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        char c = text[i];
        bool digit = c >= '0' && c <= '9';

        if (form[i] == 'h' ? !digit && (c < 'a' || c > 'f')
                           : (form[i] == 'f' ? c < '0' || c > '7' : c != form[i]))
            return false;
    }
    return true;
}

static char *
virPCIDevicePath(const char *sysfs, const char *address, const char *file)
{
    return g_build_filename(sysfs, "bus/pci/devices", address, file, NULL);
}

/* --- reading --- */

/* The last part of what a link leads to; NULL if there is no such link. */
static char *
virPCIDeviceLink(const char *sysfs, const char *address, const char *name)
{
    g_autofree char *path = virPCIDevicePath(sysfs, address, name);
    char target[LINE_MAX_BYTES];
    ssize_t len = readlink(path, target, sizeof(target) - 1);

    if (len < 0)
        return NULL;
    target[len] = '\0';
    return g_path_get_basename(target);
}

/* "(null)" is what the kernel says of none. */
static char *
virPCIDeviceOverride(const char *sysfs, const char *address)
{
    g_autofree char *path = virPCIDevicePath(sysfs, address, "driver_override");
    g_autofree char *text = virFileRead(path, LINE_MAX_BYTES, NULL, NULL);

    if (!text || *g_strstrip(text) == '\0' || g_str_equal(text, "(null)"))
        return NULL;
    return g_steal_pointer(&text);
}

/* It has one entry, as long as a VFIO driver has the device and the kernel knows such nodes. */
static char *
virPCIDeviceCdev(const char *sysfs, const char *address)
{
    g_autofree char *path = virPCIDevicePath(sysfs, address, "vfio-dev");
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name = folder ? g_dir_read_name(folder) : NULL;

    return name && g_str_has_prefix(name, "vfio") ? g_strdup(name) : NULL;
}

virPCIDevice *
virPCIDeviceRead(const char *sysfs, const char *address, GError **error)
{
    g_autoptr(virPCIDevice) device = NULL;
    g_autofree char *config = NULL;
    g_autofree char *group = NULL;

    if (!virPCIIsAddress(address)) {
        virErrorSet(error, VIR_ERR_INVALID_ARG, _("'%s' is no address of a PCI device"), address);
        return NULL;
    }
    config = virPCIDevicePath(sysfs, address, "config");
    if (access(config, F_OK) < 0) {
        virErrorErrno(error, _("Device %s not found: could not access %s"), address, config);
        return NULL;
    }
    device = g_new0(virPCIDevice, 1);
    device->address = g_strdup(address);
    device->driver = virPCIDeviceLink(sysfs, address, "driver");
    device->override = virPCIDeviceOverride(sysfs, address);
    device->cdev = virPCIDeviceCdev(sysfs, address);
    group = virPCIDeviceLink(sysfs, address, "iommu_group");
    device->group = group ? atoi(group) : -1;
    return g_steal_pointer(&device);
}

void
virPCIDeviceFree(virPCIDevice *device)
{
    if (!device)
        return;
    g_free(device->address);
    g_free(device->driver);
    g_free(device->override);
    g_free(device->cdev);
    g_free(device);
}

bool
virPCIDeviceIsVFIO(const virPCIDevice *device)
{
    return device->driver && strstr(device->driver, "vfio");
}

/* --- groups --- */

static int
virPCIDeviceCompare(const void *a, const void *b)
{
    return strcmp((*(virPCIDevice *const *)a)->address, (*(virPCIDevice *const *)b)->address);
}

GPtrArray *
virPCIGroupRead(const char *sysfs, int group, GError **error)
{
    g_autofree char *path = g_strdup_printf("%s/kernel/iommu_groups/%d/devices", sysfs, group);
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    g_autoptr(GPtrArray) members = g_ptr_array_new_with_free_func((GDestroyNotify)virPCIDeviceFree);
    const char *name;

    if (!folder) {
        virErrorErrno(error, _("cannot list IOMMU group %d"), group);
        return NULL;
    }
    while ((name = g_dir_read_name(folder))) {
        virPCIDevice *member = virPCIIsAddress(name) ? virPCIDeviceRead(sysfs, name, NULL) : NULL;

        if (member) /* others are of another bus, or have gone */
            g_ptr_array_add(members, member);
    }
    g_ptr_array_sort(members, virPCIDeviceCompare);
    return g_steal_pointer(&members);
}

/* Drivers that leave DMA to others (driver_managed_dma of the kernel): a bridge's is one. */
static bool
virPCIDriverStandsAside(const char *driver)
{
    return g_str_equal(driver, "pci-stub") || g_str_equal(driver, "pcieport");
}

const virPCIDevice *
virPCIGroupInTheWay(const GPtrArray *members)
{
    for (guint i = 0; i < members->len; i++) {
        const virPCIDevice *member = g_ptr_array_index(members, i);

        if (member->driver && !virPCIDeviceIsVFIO(member) &&
            !virPCIDriverStandsAside(member->driver))
            return member;
    }
    return NULL;
}

/* --- drivers --- */

/* One write(2), as sysfs wants it. */
static bool
virPCIWrite(const char *path, const char *text, GError **error)
{
    VIR_AUTOCLOSE fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        return virErrorErrno(error, _("cannot write '%s'"), path);
    return true;
}

/* An empty line: any driver that knows the device. */
static bool
virPCIDeviceSetOverride(const char *sysfs, const char *address, const char *driver, GError **error)
{
    g_autofree char *path = virPCIDevicePath(sysfs, address, "driver_override");
    g_autofree char *line = g_strdup_printf("%s\n", driver ? driver : "");

    return virPCIWrite(path, line, error);
}

static bool
virPCIDeviceUnbind(const char *sysfs, const char *address, GError **error)
{
    g_autofree char *path = virPCIDevicePath(sysfs, address, "driver/unbind");

    return virPCIWrite(path, address, error);
}

/* The kernel looks for a driver; that there is none is no error. */
static bool
virPCIDeviceProbe(const char *sysfs, const char *address, GError **error)
{
    g_autofree char *path = g_build_filename(sysfs, "bus/pci/drivers_probe", NULL);

    return virPCIWrite(path, address, error);
}

/* The override is set. */
static bool
virPCIDeviceExchange(const char *sysfs, const virPCIDevice *device, const char *driver,
                     GError **error)
{
    g_autoptr(virPCIDevice) after = NULL;

    if ((device->driver && !virPCIDeviceUnbind(sysfs, device->address, error)) ||
        !virPCIDeviceProbe(sysfs, device->address, error) ||
        !(after = virPCIDeviceRead(sysfs, device->address, error)))
        return false;
    return g_strcmp0(after->driver, driver) == 0 ||
           virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("driver %s does not take PCI device %s"),
                       driver, device->address);
}

/* As it was before; the error in hand says more than one of this. */
static void
virPCIDevicePutBack(const char *sysfs, const virPCIDevice *before)
{
    (void)virPCIDeviceSetOverride(sysfs, before->address, before->override, NULL);
    (void)virPCIDeviceProbe(sysfs, before->address, NULL);
}

bool
virPCIDeviceBind(const char *sysfs, const char *address, const char *driver, GError **error)
{
    g_autofree char *folder = g_build_filename(sysfs, "bus/pci/drivers", driver, NULL);
    g_autoptr(virPCIDevice) device = virPCIDeviceRead(sysfs, address, error);

    if (!device)
        return false;
    if (g_strcmp0(device->driver, driver) == 0)
        return true;
    if (access(folder, F_OK) < 0)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("cannot bind PCI device %s to driver %s: this kernel has not loaded "
                             "it"),
                           address, driver);
    if (virPCIDeviceSetOverride(sysfs, address, driver, error) &&
        virPCIDeviceExchange(sysfs, device, driver, error))
        return true;
    virPCIDevicePutBack(sysfs, device);
    return false;
}

bool
virPCIDeviceRelease(const char *sysfs, const char *address, GError **error)
{
    g_autoptr(virPCIDevice) device = virPCIDeviceRead(sysfs, address, error);

    if (!device || !virPCIDeviceSetOverride(sysfs, address, NULL, error) ||
        (virPCIDeviceIsVFIO(device) && !virPCIDeviceUnbind(sysfs, address, error)))
        return false;
    return (device->driver && !virPCIDeviceIsVFIO(device)) ||
           virPCIDeviceProbe(sysfs, address, error);
}
