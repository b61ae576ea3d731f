/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * target.c: what follows from a disk's name: its number, its bus, its place on a drive bus. */
#include <string.h>

#include "device/disk/disk.h"
#include "util/virerror.h"

static const struct {
    const char *prefix;
    int bus;
} targets[] = {
    {"fd", VIR_DISK_BUS_FDC},  {"hd", VIR_DISK_BUS_IDE},  {"vd", VIR_DISK_BUS_VIRTIO},
    {"sd", VIR_DISK_BUS_SCSI}, {"xvd", VIR_DISK_BUS_XEN}, {"ubd", VIR_DISK_BUS_UML},
};

static const char *
virDiskTargetLetters(const char *target)
{
    if (g_str_has_prefix(target, "ioemu:"))
        target += strlen("ioemu:");
    for (size_t i = 0; i < G_N_ELEMENTS(targets); i++) {
        if (g_str_has_prefix(target, targets[i].prefix))
            return target + strlen(targets[i].prefix);
    }
    return NULL;
}

int
virDiskTargetSplit(const char *target, int *retPartition)
{
    const char *p = target ? virDiskTargetLetters(target) : NULL;
    int index = -1;
    int partition = 0;

    if (!p)
        return -1;
    for (; g_ascii_islower(*p); p++) {
        index = (index + 1) * 26 + (*p - 'a');
        if (index > G_MAXINT / 27)
            return -1;
    }
    if (index < 0 || *p == '0' || strspn(p, "0123456789") != strlen(p) || strlen(p) > 8)
        return -1;
    for (; *p; p++)
        partition = partition * 10 + (*p - '0');
    *retPartition = partition;
    return index;
}

int
virDiskTargetIndex(const char *target)
{
    int partition;

    return virDiskTargetSplit(target, &partition);
}

int
virDiskTargetBus(const char *target, int device)
{
    if (device == VIR_DISK_DEVICE_FLOPPY)
        return VIR_DISK_BUS_FDC;
    for (size_t i = 0; target && i < G_N_ELEMENTS(targets); i++) {
        if (targets[i].bus != VIR_DISK_BUS_FDC && g_str_has_prefix(target, targets[i].prefix))
            return targets[i].bus;
    }
    return VIR_DISK_BUS_IDE;
}

/* units on a bus, buses on a controller */
static bool
virDiskDriveLayout(int bus, unsigned *retUnits, unsigned *retBuses)
{
    switch (bus) {
    case VIR_DISK_BUS_SCSI: /* narrow: the eighth unit is the controller */
        *retUnits = 7;
        *retBuses = 1;
        return true;
    case VIR_DISK_BUS_IDE:
        *retUnits = 2;
        *retBuses = 2;
        return true;
    case VIR_DISK_BUS_SATA:
        *retUnits = 6;
        *retBuses = 1;
        return true;
    case VIR_DISK_BUS_FDC:
        *retUnits = 2;
        *retBuses = 1;
        return true;
    default:
        return false;
    }
}

static bool
virDiskSCSIAddressIsTaken(const virDisk *disk, const virAddress *address,
                          const virDomainFacts *facts)
{
    virDevicesForEach(facts->devices, NULL, dev)
    {
        if (dev->kind != disk->base.kind && virAddressEqual(&dev->info.address, address))
            return true;
    }
    return false;
}

bool
virDiskAssignAddress(virDisk *disk, const virDomainFacts *facts, GError **error)
{
    int index = virDiskTargetIndex(disk->target);
    virAddress address = {.type = VIR_ADDRESS_DRIVE};
    unsigned units, buses;

    if (index < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Unknown disk name '%s' and no address specified"), disk->target);
    if (!virDiskDriveLayout(disk->bus, &units, &buses))
        return true;
    address.drive.controller = index / (units * buses);
    address.drive.bus = index / units % buses;
    address.drive.unit = index % units;
    if (disk->bus == VIR_DISK_BUS_SCSI && facts->devices &&
        virDiskSCSIAddressIsTaken(disk, &address, facts))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("using disk target name '%s' conflicts with SCSI host device address "
                             "controller='%u' bus='%u' target='%u' unit='%u"),
                           disk->target, address.drive.controller, address.drive.bus,
                           address.drive.target, address.drive.unit);
    disk->base.info.address = address;
    return true;
}

virDisk *
virDisksFindByTarget(const GPtrArray *devices, const char *target)
{
    virDevicesForEach(devices, &virDiskKind, dev)
    {
        if (g_strcmp0(VIR_DISK(dev)->target, target) == 0)
            return VIR_DISK(dev);
    }
    return NULL;
}

virDisk *
virDisksFindByName(const GPtrArray *devices, const char *targetOrPath)
{
    virDisk *byTarget = virDisksFindByTarget(devices, targetOrPath);

    if (byTarget)
        return byTarget;
    if (targetOrPath[0] != '/')
        return NULL;
    virDevicesForEach(devices, &virDiskKind, dev)
    {
        if (g_strcmp0(VIR_DISK(dev)->src.path, targetOrPath) == 0)
            return VIR_DISK(dev);
    }
    return NULL;
}
