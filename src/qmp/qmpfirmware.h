/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpfirmware.h: the firmware images that a host offers to QEMU guests, by their descriptors.
 *
 * Descriptors lie in /usr/share/qemu/firmware, /etc/qemu/firmware and, for a user's own daemon,
 * $XDG_CONFIG_HOME/qemu/firmware. A later folder's file hides one of the same name in an earlier;
 * an empty one (or a link to /dev/null) hides it and offers nothing. In order of file names, that
 * is of preference. Reading files: in a job. The value: any thread. Facts: QEMU's
 * docs/interop/firmware.json. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "util/virenum.h"
#include "util/virjson.h"

typedef enum {
    QMP_FIRMWARE_BIOS,
    QMP_FIRMWARE_OPENFIRMWARE,
    QMP_FIRMWARE_UBOOT,
    QMP_FIRMWARE_UEFI,
    QMP_FIRMWARE_INTERFACE_LAST,
} qmpFirmwareInterface;
VIR_ENUM_DECL(qmpFirmwareInterface);

typedef enum {
    QMP_FIRMWARE_FLASH,
    QMP_FIRMWARE_KERNEL,
    QMP_FIRMWARE_MEMORY,
    QMP_FIRMWARE_DEVICE_LAST,
} qmpFirmwareDevice;
VIR_ENUM_DECL(qmpFirmwareDevice);

typedef struct {
    char *arch;      /* as in documents: "i686", not "i386" */
    char **machines; /* patterns of machine names */
} qmpFirmwareTarget;

typedef struct {
    char *path;          /* of the descriptor */
    unsigned interfaces; /* bits (1 << qmpFirmwareInterface) */
    qmpFirmwareDevice device;
    char *image;
    char *imageFormat; /* FLASH: "raw", "qcow2" */
    char *nvram;       /* FLASH: the template of the variable store; NULL: none */
    char *nvramFormat;
    GPtrArray *targets; /* of qmpFirmwareTarget */
    char **features;    /* "secure-boot", "requires-smm" ...; ends with NULL */
} qmpFirmware;

void qmpFirmwareFree(qmpFirmware *firmware);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qmpFirmware, qmpFirmwareFree)

/* One descriptor's text; path is for messages. VIR_ERR_INTERNAL_ERROR. */
qmpFirmware *qmpFirmwareParse(const char *text, const char *path, GError **error);
/* The descriptor back, without its description and tags. Caller unrefs. */
virJSON *qmpFirmwareFormat(const qmpFirmware *firmware);

/* All descriptors, of qmpFirmware, best first. root is put in front of the system's folders (NULL:
 * none), config is the user's configuration folder (NULL: none). A broken descriptor is logged and
 * passed over. */
GPtrArray *qmpFirmwareReadAll(const char *root, const char *config);

bool qmpFirmwareFits(const qmpFirmware *firmware, const char *arch, const char *machine);
bool qmpFirmwareHasInterface(const qmpFirmware *firmware, qmpFirmwareInterface interface);
bool qmpFirmwareHasFeature(const qmpFirmware *firmware, const char *feature);
