/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * protocol_qemu.h: where an image is, as QEMU's block layer wants to be told: the properties of its
 * protocol driver. The members stand in libvirt's order. Any thread; nothing is opened. */
#pragma once

#include "device/device_qemu.h"
#include "device/disk/disk.h"

typedef enum {
    /* Only what says where it is: no credentials, no options of this run. For the name of a backing
     * image in a header. */
    QEMU_PROTOCOL_TARGET_ONLY = 1 << 0,
    /* As -drive takes it: "tcp" for "inet". */
    QEMU_PROTOCOL_LEGACY = 1 << 1,
} qemuProtocolFlags;

/* "driver" and what it needs. disk may be NULL for defaults. VIR_ERR_INTERNAL_ERROR,
 * VIR_ERR_CONFIG_UNSUPPORTED. */
virJSON *qemuProtocolProps(const virDisk *disk, const virStorageSource *src, unsigned flags,
                           GError **error);

/* "https://host:443/path?query" of http, https, ftp, ftps, tftp, and of the others as their
 * libraries read it. Caller frees; NULL if there is no such form. */
char *qemuProtocolURI(const virStorageSource *src);
/* "name=value; name=value", or NULL if there are none. Caller frees, and wipes. */
char *qemuProtocolCookies(const virStorageSource *src);
/* What a header of an overlay is to say of this image: a path, a URI or "json:…". Caller frees. */
char *qemuProtocolBackingString(const virStorageSource *src, GError **error);
