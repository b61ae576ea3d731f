/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * attached.c: see attached.h. */
#include "host/attached.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/cdrom.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/hostfs.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* --- USB --- */

/* Ids are written in hex, as in idVendor and idProduct. */
static bool
virHostUSBHas(const char *folder, const char *file, unsigned wanted)
{
    g_autofree char *text = virHostFsText("%s/%s", folder, file);
    char *end = NULL;

    return text && *text && strtoul(text, &end, 16) == wanted && !*end;
}

static bool
virHostUSBPlace(const char *folder, unsigned *retBus, unsigned *retDevice)
{
    uint64_t bus;
    uint64_t device;

    if (!virHostFsNumber(&bus, "%s/busnum", folder) ||
        !virHostFsNumber(&device, "%s/devnum", folder))
        return false; /* an interface of a device, or it has just been pulled out */
    *retBus = (unsigned)bus;
    *retDevice = (unsigned)device;
    return true;
}

bool
virHostUSBFind(const char *sysfs, unsigned vendor, unsigned product, unsigned *retBus,
               unsigned *retDevice, GError **error)
{
    g_autofree char *devices = g_build_filename(sysfs, "bus", "usb", "devices", NULL);
    g_autoptr(GDir) dir = g_dir_open(devices, 0, NULL); /* a host may have no USB at all */
    const char *name;
    unsigned bus = 0;
    unsigned device = 0;
    unsigned found = 0;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *folder = g_build_filename(devices, name, NULL);

        if (virHostUSBHas(folder, "idVendor", vendor) &&
            virHostUSBHas(folder, "idProduct", product) && virHostUSBPlace(folder, &bus, &device))
            found++;
    }
    if (found == 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Did not find USB device %04x:%04x"),
                           vendor, product);
    if (found > 1)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("Multiple USB devices for %x:%x, use <address> to specify one"),
                           vendor, product);
    *retBus = bus;
    *retDevice = device;
    return true;
}

/* --- SCSI --- */

static bool
virHostSCSIHost(const char *adapter, unsigned *retHost, GError **error)
{
    static const char prefix[] = "scsi_host";
    const char *number = adapter + strlen(prefix);
    char *end = NULL;

    if (!g_str_has_prefix(adapter, prefix) || !g_ascii_isdigit(*number))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Cannot parse adapter '%s'"), adapter);
    *retHost = (unsigned)strtoul(number, &end, 10);
    return !*end ||
           virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Cannot parse adapter '%s'"), adapter);
}

char *
virHostSCSIGeneric(const char *sysfs, const char *adapter, unsigned bus, unsigned target,
                   uint64_t unit, GError **error)
{
    g_autofree char *folder = NULL;
    g_autoptr(GDir) dir = NULL;
    const char *name;
    unsigned host = 0;

    if (!virHostSCSIHost(adapter, &host, error))
        return NULL;
    folder = g_strdup_printf("%s/bus/scsi/devices/%u:%u:%u:%" PRIu64 "/scsi_generic", sysfs, host,
                             bus, target, unit);
    dir = g_dir_open(folder, 0, NULL);
    name = dir ? g_dir_read_name(dir) : NULL;
    if (!name) {
        virErrorSet(error, VIR_ERR_SYSTEM_ERROR,
                    _("there is no SCSI device %u:%u:%" PRIu64 " with a generic node on adapter "
                      "'%s'"),
                    bus, target, unit, adapter);
        return NULL;
    }
    return g_strdup_printf("/dev/%s", name);
}

/* --- drives --- */

bool
virHostIsCdrom(const char *path)
{
    VIR_AUTOCLOSE fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && S_ISBLK(st.st_mode) &&
           ioctl(fd, CDROM_DRIVE_STATUS, CDSL_CURRENT) >= 0;
}
