/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virpci.h: PCI devices of the host as sysfs shows them, and the driver that one is bound to.
 *
 * sysfs is the folder that stands for /sys, so that a test can describe any machine. Facts:
 * Documentation/ABI/testing/sysfs-bus-pci and sysfs-kernel-iommu_groups of the kernel. Reads and
 * writes files: in a job, never on the event thread, without the core lock. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define VIR_PCI_DRIVER_VFIO "vfio-pci"

/* A device at one moment. */
typedef struct {
    char *address;  /* "0000:03:00.0" */
    char *driver;   /* it is bound to; NULL: none */
    char *override; /* the only driver that it may be bound to; NULL: any that knows it */
    int group;      /* of the IOMMU; -1: none guards it */
    char *cdev;     /* "vfio0", its name among VFIO's devices; NULL: it has no node of its own */
} virPCIDevice;

/* True for an address as the kernel writes it, "DDDD:BB:SS.F" in small letters, and nothing else:
 * such a text can't lead anywhere as part of a path. */
bool virPCIIsAddress(const char *text);

/* VIR_ERR_INVALID_ARG for what is no address, VIR_ERR_SYSTEM_ERROR in libvirt's words for a device
 * that is not there. */
virPCIDevice *virPCIDeviceRead(const char *sysfs, const char *address, GError **error);
void virPCIDeviceFree(virPCIDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virPCIDevice, virPCIDeviceFree)

/* True if it is bound to vfio-pci, or to a driver of the same kind that a vendor made. */
bool virPCIDeviceIsVFIO(const virPCIDevice *device);

/* The devices of an IOMMU group (virPCIDevice), by address. NULL with an error. Caller unrefs. */
GPtrArray *virPCIGroupRead(const char *sysfs, int group, GError **error);
/* One of the group that the host uses itself, so that nobody gets the group; NULL: there is none.
 * Borrowed from members. */
const virPCIDevice *virPCIGroupInTheWay(const GPtrArray *members);

/* Takes the device from its driver and has it bound to the named one, to which it keeps until it is
 * released. On error it has its own driver again. Needs to write sysfs, which is root's. May wait
 * for whoever uses the device. */
bool virPCIDeviceBind(const char *sysfs, const char *address, const char *driver, GError **error);
/* The reverse: taken from a VFIO driver, and bound to whatever the host finds for it, which may be
 * nothing. A device that has a driver of the host's keeps it. */
bool virPCIDeviceRelease(const char *sysfs, const char *address, GError **error);
