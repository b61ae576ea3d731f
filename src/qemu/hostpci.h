/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hostpci.h: PCI devices of the host that guests have: one guest each, taken from the host's driver
 * before QEMU is told of them, given back afterwards.
 *
 * A plan's VFIO steps name them (qmp/plan.h). A device that is being taken stands in the status
 * file first, so that a killed daemon's next start gives it back. In a job, without the core lock,
 * unless said otherwise. */
#pragma once

#include "qemu/guest.h"

/* Takes the devices of a plan for the guest and has those with managed='yes' bound to vfio-pci;
 * nothing and no writing for a plan without any. On error what was taken is on the guest's list of
 * resources, to be given back with the rest of it. VIR_ERR_CONFIG_UNSUPPORTED where the host has no
 * IOMMU or no VFIO, VIR_ERR_OPERATION_INVALID for a device that another guest has or the host uses,
 * in libvirt's words. */
bool qemuHostPCITake(qemuGuest *guest, const virDelegateCall *call, const qmpPlan *plan,
                     GError **error);
/* Has the kernel say whether the group of a taken device may be given away; the error names the
 * device that is in the way, and its driver. */
bool qemuHostPCICheckGroup(qemuGuest *guest, const virDelegateCall *call, const char *address,
                           GError **error);
/* The same as sysfs shows it, for a device that is given away by a node of its own. */
bool qemuHostPCIGroupIsUnused(const char *address, GError **error);
/* The alias of another device of the guest that is in the same group of the IOMMU; NULL: there is
 * none. As long as QEMU has one of them no driver of the host's can have another. Borrowed. Any
 * thread. */
const char *qemuHostPCIGroupUser(const qemuGuest *guest, const qemuResource *resource);
/* One of the guest's resources goes back to the host. */
bool qemuHostPCIGiveBack(qemuDriver *driver, const virDelegateCall *call,
                         const qemuResource *resource, GError **error);
/* What a status file says that a guest has, after a restart. Before the first client. */
void qemuHostPCIReclaim(qemuDriver *driver, const char *domain, const qemuResource *resource);

/* The node by which QEMU opens the device's group, which is there once the device is taken; NULL:
 * it is in no group. Caller frees. */
char *qemuHostPCINode(const char *address);
