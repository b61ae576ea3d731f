/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * firmware.h: which firmware image a guest gets that only says what kind it wants. Any thread. */
#pragma once

#include "domain/def.h"

/* Chooses the first of firmwares (of qmpFirmware, best first) that suits, and writes its paths and
 * what it needs of the machine into def, the live copy of a starting guest. A guest that names its
 * images is left as it is. VIR_ERR_OPERATION_FAILED if none suits. */
bool qemuFirmwareChoose(virDomainDef *def, const GPtrArray *firmwares, const char *nvramDir,
                        GError **error);
