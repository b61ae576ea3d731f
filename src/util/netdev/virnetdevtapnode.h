/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetdevtapnode.h: the character device that a macvtap or ipvtap interface has: /dev/tapN, N
 * being the interface's index. Each opening of it is one more queue of the interface.
 *
 * The device's number is taken from sysfs, which knows an interface by its network namespace; the
 * node in /dev is used if it is of that number, and needs to be neither there nor right: who may
 * make nodes opens one of its own. In a job, without the core lock. Facts: Linux
 * drivers/net/macvtap.c, drivers/net/tap.c. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* *retHas: the interface is of a kind that has a character device. One that isn't there has none.
 * No rights needed. */
bool virNetDevTapNodeIsThere(const char *name, bool *retHas, GError **error);
/* Its number. VIR_ERR_OPERATION_FAILED if name has none. With CAP_SYS_ADMIN it is looked for in
 * this thread's network namespace, else in the one that /sys shows. */
bool virNetDevTapNodeFind(const char *name, dev_t *retDevice, GError **error);
/* One queue: a descriptor (O_CLOEXEC, the caller's). flags of open(2). Takes the permissions of
 * /dev/tapN, or CAP_MKNOD and CAP_SYS_ADMIN. Called by src/delegate/local* and the helper alone. */
bool virNetDevTapNodeOpen(const char *name, int flags, int *retFd, GError **error);
/* What QEMU expects of the count queues of an interface: frames with or without a virtio header,
 * one queue or several. Needs no rights. */
bool virNetDevTapNodeSetup(const int *fds, size_t count, bool vnetHdr, GError **error);
