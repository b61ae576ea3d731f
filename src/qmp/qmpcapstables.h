/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcapstables.h: the rows that say how each flag is found out, for qmpcapsprobe.c alone.
 * A row that is here is all it takes to know one more thing of QEMU. */
#pragma once

#include <stdbool.h>

#include "qmp/qmpcaps.h"

/* If QEMU has name, it has flag. Each table ends with a row without name. */
typedef struct {
    const char *name;
    qmpCapsFlag flag;
    bool defaultOff; /* of a property: only if QEMU says that it is off by default */
} qmpCapsRow;

/* The properties of one QOM type; asked only of a QEMU with needs (QMP_CAPS_LAST: of any). */
typedef struct {
    const char *typeName;
    qmpCapsFlag needs;
    const qmpCapsRow *rows;
} qmpCapsTypeProperties;

extern const qmpCapsRow qmpCapsCommandRows[], qmpCapsSchemaRows[], qmpCapsTypeRows[],
    qmpCapsOptionRows[], qmpCapsMigrationRows[], qmpCapsTpmModelRows[], qmpCapsTpmTypeRows[];
extern const qmpCapsTypeProperties qmpCapsDeviceProperties[], qmpCapsObjectProperties[],
    qmpCapsMachineProperties[];
