/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sysinfo.h: <sysinfo>: what SMBIOS tables and fw_cfg tell the guest. */
#pragma once

#include <glib.h>

#include "device/field.h"

/* A block of SMBIOS: its entries by number, in the order they are written. */
typedef enum {
    VIR_SYSINFO_BIOS = 0,
    VIR_SYSINFO_SYSTEM,
    VIR_SYSINFO_BASE_BOARD,
    VIR_SYSINFO_CHASSIS,
    VIR_SYSINFO_BLOCK_LAST
} virSysinfoBlockType;

enum { VIR_SYSINFO_ENTRIES_MAX = 7 };

typedef struct {
    virSysinfoBlockType type;
    char *values[VIR_SYSINFO_ENTRIES_MAX]; /* NULL: not given */
} virSysinfoBlock;

typedef struct {
    char *name, *value, *file; /* value or file */
} virSysinfoFwCfg;

typedef struct {
    bool smbios, fwcfg;    /* a <sysinfo> of that type is there */
    bool fwcfgFirst;       /* order in the document */
    GPtrArray *blocks;     /* of virSysinfoBlock; base boards may repeat */
    GPtrArray *oemStrings; /* of char * */
    GPtrArray *fwcfgs;     /* of virSysinfoFwCfg */
} virDomainSysinfo;

/* Names of a block's entries as in the document, VIR_SYSINFO_ENTRIES_MAX of them, NULL at the end
 * if there are fewer. */
const char *const *virSysinfoEntryNames(virSysinfoBlockType type);
/* "bios", "system" … */
const char *virSysinfoBlockName(virSysinfoBlockType type);
/* The value of an entry of the first block of a type, NULL if there is none. */
const char *virSysinfoEntry(const virDomainSysinfo *sysinfo, virSysinfoBlockType type,
                            const char *name);
