/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virvfio.c: see virvfio.h. */
#include "util/virvfio.h"

#include <errno.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virutil.h"

#ifndef VFIO_DEVICE_BIND_IOMMUFD /* Linux 6.6, include/uapi/linux/vfio.h */
struct vfio_device_bind_iommufd {
    __u32 argsz;
    __u32 flags;
    __s32 iommufd;
    __u32 out_devid;
};
#define VFIO_DEVICE_BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)
#endif

/* Linux 6.2, include/uapi/linux/iommufd.h, which a distribution may not have yet */
#define IOMMUFD_TYPE (';')
#define IOMMU_DESTROY _IO(IOMMUFD_TYPE, 0x80)
#define IOMMU_IOAS_ALLOC _IO(IOMMUFD_TYPE, 0x81)
struct iommu_destroy {
    __u32 size;
    __u32 id;
};
struct iommu_ioas_alloc {
    __u32 size;
    __u32 flags;
    __u32 out_ioas_id;
};

/* "MAJOR:MINOR" of a file "dev". */
static bool
virVFIONumber(const char *sysfs, const char *class, const char *name, dev_t *retNumber,
              GError **error)
{
    g_autofree char *path = g_build_filename(sysfs, "class", class, name, "dev", NULL);
    g_autofree char *text = virFileRead(path, 64, NULL, error);
    unsigned high, low;

    if (!text)
        return false;
    if (sscanf(text, "%u:%u", &high, &low) != 2)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("'%s' has no device number"), path);
    *retNumber = makedev(high, low);
    return true;
}

static bool
virVFIOIommuNode(const char *sysfs, char **retPath, dev_t *retNumber, GError **error)
{
    if (!virVFIONumber(sysfs, "misc", "iommu", retNumber, NULL))
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, _("this kernel has no %s"),
                           VIR_VFIO_IOMMU);
    *retPath = g_strdup(VIR_VFIO_IOMMU);
    return true;
}

static bool
virVFIOCdevNode(const char *sysfs, const virPCIDevice *device, char **retPath, dev_t *retNumber,
                GError **error)
{
    if (!device->cdev)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("PCI device %s has no node of its own below /dev/vfio/devices"),
                           device->address);
    if (!virVFIONumber(sysfs, "vfio-dev", device->cdev, retNumber, error))
        return false;
    *retPath = g_build_filename("/dev/vfio/devices", device->cdev, NULL);
    return true;
}

static bool
virVFIOGroupNode(const char *sysfs, const virPCIDevice *device, char **retPath, dev_t *retNumber,
                 GError **error)
{
    g_autofree char *name = g_strdup_printf("%d", device->group);

    if (device->group < 0)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("PCI device %s is in no group of the IOMMU"), device->address);
    if (!virVFIONumber(sysfs, "vfio", name, retNumber, error))
        return false;
    *retPath = g_build_filename("/dev/vfio", name, NULL);
    return true;
}

bool
virVFIONode(const char *sysfs, virVFIOKind kind, const char *address, char **retPath,
            dev_t *retNumber, GError **error)
{
    g_autoptr(virPCIDevice) device = NULL;

    if (kind == VIR_VFIO_IOMMU_NODE)
        return virVFIOIommuNode(sysfs, retPath, retNumber, error);
    device = virPCIDeviceRead(sysfs, address, error);
    if (!device)
        return false;
    if (!virPCIDeviceIsVFIO(device))
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID,
                           _("PCI device %s is bound to driver %s, not to %s"), address,
                           device->driver ? device->driver : "none", VIR_PCI_DRIVER_VFIO);
    return kind == VIR_VFIO_GROUP ? virVFIOGroupNode(sysfs, device, retPath, retNumber, error)
                                  : virVFIOCdevNode(sysfs, device, retPath, retNumber, error);
}

static bool
virVFIOGroupFlags(int fd, uint32_t *retFlags)
{
    struct vfio_group_status status = {.argsz = sizeof(status)};

    if (ioctl(fd, VFIO_GROUP_GET_STATUS, &status) < 0)
        return false;
    *retFlags = status.flags;
    return true;
}

/* What the node of a device says to being bound to what is no IOMMU. */
static int
virVFIOBindError(int fd, int iommu)
{
    struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = iommu};

    return ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind) < 0 ? errno : 0;
}

/* Before it is bound it knows this one word. No descriptor, and one of another kind: other drivers
 * don't tell the two apart. */
static bool
virVFIOIsCdev(int fd)
{
    return virVFIOBindError(fd, -1) == EINVAL && virVFIOBindError(fd, fd) == EBADFD;
}

/* An address space that goes again at once. */
static bool
virVFIOIsIommu(int fd)
{
    struct iommu_ioas_alloc space = {.size = sizeof(space)};
    struct iommu_destroy gone = {.size = sizeof(gone)};

    if (ioctl(fd, IOMMU_IOAS_ALLOC, &space) < 0)
        return false;
    gone.id = space.out_ioas_id;
    return ioctl(fd, IOMMU_DESTROY, &gone) == 0;
}

bool
virVFIOIsKind(int fd, virVFIOKind kind)
{
    uint32_t flags;

    switch (kind) {
    case VIR_VFIO_GROUP:
        return virVFIOGroupFlags(fd, &flags);
    case VIR_VFIO_CDEV:
        return virVFIOIsCdev(fd);
    case VIR_VFIO_IOMMU_NODE:
        return virVFIOIsIommu(fd);
    }
    return false;
}

bool
virVFIOGroupIsViable(int fd)
{
    uint32_t flags;

    return virVFIOGroupFlags(fd, &flags) && (flags & VFIO_GROUP_FLAGS_VIABLE);
}
