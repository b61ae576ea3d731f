/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * privatedev.h: a /dev of the guest's own: a mount namespace in which QEMU sees the nodes that it
 * may use, and no others.
 *
 * Its content is read off the same list as the gate's rules: the configuration's cgroup_device_acl
 * and what the guest's devices touch. virtward-spawn makes the nodes before QEMU's exec (by mknod,
 * or where that is refused, or gives nodes that nobody can open as in a user namespace, by mounting
 * the host's own there); hot-plug adds more in the same way. A node whose device was unplugged
 * stays until the guest's end; the gate denies it by then.
 *
 * Behind namespaces = [ "mount" ] of the configuration file. Reads the file system: in a job,
 * without the core lock. */
#pragma once

#include "device/device_qemu.h"
#include "qemu/guest.h"

/* The owner of the rules by which the nodes are made, until QEMU is there. */
#define QEMU_PRIVATE_DEV_OWNER "private-dev"

/* Elements virSpawnNode with the numbers that the nodes have now; NULL with an error. Nodes outside
 * of /dev are left alone: the rest of the file system is as it was. Caller unrefs. */
GArray *qemuPrivateDevNodes(const qemuDriver *driver, const virHostAccess *access, GError **error);
/* Owners and modes as they are now: they are changed between listing and making. */
bool qemuPrivateDevRefresh(GArray *nodes, GError **error);
/* Adds what making the nodes needs of the gate. */
void qemuPrivateDevAllowMaking(virDeviceRules *rules, const GArray *nodes);

/* Has a handler of mount.apply make it all for the process of pidfd, which waits in a mount
 * namespace of its own. The nodes are the guest's user's. */
bool qemuPrivateDevMakeOutside(const qemuGuest *guest, const virDelegateCall *call, int pidfd,
                               GArray *nodes, GError **error);

/* Adds the nodes of a device that is plugged; nothing to do for a guest that sees the host's /dev.
 */
bool qemuPrivateDevAdd(const qemuGuest *guest, const virDelegateCall *call,
                       const virHostAccess *access, GError **error);
