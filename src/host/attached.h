/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * attached.h: devices plugged into the host that a document names by what they are: a USB device
 * by its ids, a SCSI unit by its address, a drive by its node. Reads sysfs and asks drives: in a
 * job, never on the event thread. No rights needed beyond reading the node of a drive. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Where the one USB device with these ids is plugged in now. sysfs stands for /sys, so that a test
 * can describe any machine. VIR_ERR_INTERNAL_ERROR: there is none; VIR_ERR_OPERATION_FAILED: there
 * are several. Facts: Documentation/ABI/testing/sysfs-bus-usb. */
bool virHostUSBFind(const char *sysfs, unsigned vendor, unsigned product, unsigned *retBus,
                    unsigned *retDevice, GError **error);

/* The generic node ("/dev/sg0") of a unit of adapter "scsi_host2"; caller frees. NULL with
 * VIR_ERR_INTERNAL_ERROR for a bad name, VIR_ERR_SYSTEM_ERROR if there is no such unit. */
char *virHostSCSIGeneric(const char *sysfs, const char *adapter, unsigned bus, unsigned target,
                         uint64_t unit, GError **error);

/* True if path is the node of a drive for CDs, whether or not one is in it. What can't be opened or
 * asked is none. Facts: linux/cdrom.h, CDROM_DRIVE_STATUS. */
bool virHostIsCdrom(const char *path);
