/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virvfio.h: the nodes by which devices of the host are given away: a group of the IOMMU, a device
 * of its own, the IOMMU itself.
 *
 * A group or a device is named by the address of a PCI device that has it, never by a path. Facts:
 * Documentation/driver-api/vfio.rst and Documentation/userspace-api/iommufd.rst of the kernel.
 * Reads files: in a job, without the core lock. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "util/virpci.h"

#define VIR_VFIO_CONTAINER "/dev/vfio/vfio"
#define VIR_VFIO_IOMMU "/dev/iommu"

typedef enum {
    VIR_VFIO_GROUP,      /* /dev/vfio/7: one opens it at a time */
    VIR_VFIO_CDEV,       /* /dev/vfio/devices/vfio0; Linux 6.6 */
    VIR_VFIO_IOMMU_NODE, /* /dev/iommu; Linux 6.2 */
} virVFIOKind;

/* The node's path, and its number as sysfs has it. address: of the PCI device, which a VFIO driver
 * must have; of no meaning for the IOMMU. False with the reason, which names the device. Caller
 * frees *retPath. */
bool virVFIONode(const char *sysfs, virVFIOKind kind, const char *address, char **retPath,
                 dev_t *retNumber, GError **error);

/* True if the descriptor answers as such a node does; changes nothing. Any thread. */
bool virVFIOIsKind(int fd, virVFIOKind kind);

/* True if the kernel would give away the group that is open: nobody of the host uses a device of
 * it. Any thread. */
bool virVFIOGroupIsViable(int fd);
