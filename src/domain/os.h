/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * os.h: <os>: machine, firmware, what is booted. */
#pragma once

#include <glib.h>

#include "device/field.h"

typedef enum {
    VIR_DOMAIN_BOOT_FLOPPY = 0,
    VIR_DOMAIN_BOOT_CDROM,
    VIR_DOMAIN_BOOT_DISK,
    VIR_DOMAIN_BOOT_NET,
    VIR_DOMAIN_BOOT_LAST
} virDomainBoot;
VIR_ENUM_DECL(virDomainBoot);

typedef enum {
    VIR_DOMAIN_OS_FIRMWARE_NONE = 0,
    VIR_DOMAIN_OS_FIRMWARE_BIOS,
    VIR_DOMAIN_OS_FIRMWARE_EFI,
    VIR_DOMAIN_OS_FIRMWARE_LAST
} virDomainOSFirmware;
VIR_ENUM_DECL(virDomainOSFirmware);

typedef enum {
    VIR_DOMAIN_FIRMWARE_FEATURE_ENROLLED_KEYS = 0,
    VIR_DOMAIN_FIRMWARE_FEATURE_SECURE_BOOT,
    VIR_DOMAIN_FIRMWARE_FEATURE_LAST
} virDomainFirmwareFeature;
VIR_ENUM_DECL(virDomainFirmwareFeature);

typedef enum {
    VIR_DOMAIN_LOADER_NONE = 0,
    VIR_DOMAIN_LOADER_ROM,
    VIR_DOMAIN_LOADER_PFLASH,
    VIR_DOMAIN_LOADER_LAST
} virDomainLoaderType;
VIR_ENUM_DECL(virDomainLoaderType);

typedef enum {
    VIR_DOMAIN_SMBIOS_NONE = 0,
    VIR_DOMAIN_SMBIOS_EMULATE,
    VIR_DOMAIN_SMBIOS_HOST,
    VIR_DOMAIN_SMBIOS_SYSINFO,
    VIR_DOMAIN_SMBIOS_LAST
} virDomainSmbiosMode;
VIR_ENUM_DECL(virDomainSmbiosMode);

typedef struct {
    char *type; /* "hvm" */
    char *arch;
    char *machine;

    int firmware; /* virDomainOSFirmware */
    virTristate firmwareFeatures[VIR_DOMAIN_FIRMWARE_FEATURE_LAST];

    bool hasLoader; /* <loader> is there, maybe without a path */
    virTristate loaderReadonly, loaderSecure, loaderStateless;
    int loaderType; /* virDomainLoaderType */
    char *loader;
    char *nvramTemplate;
    char *nvram;

    char *kernel, *initrd, *cmdline, *dtb, *root;
    char *slicTable;

    virDomainBoot boot[VIR_DOMAIN_BOOT_LAST];
    unsigned boots;
    virTristate bootMenu;
    virOptUInt bootMenuTimeout; /* ms */
    virTristate biosUseSerial;
    virOptInt biosRebootTimeout; /* ms, -1: don't */
    virOptInt smbiosMode;        /* virDomainSmbiosMode, if set */
} virDomainOS;
