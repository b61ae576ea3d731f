/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * nvram.h: the file in which a guest's UEFI keeps its variables. It is made from the firmware's
 * template at the first start, is the guest's own from then on and outlives its runs; undefine
 * asks what is to become of it. Blocks: in a job, without the core lock. */
#pragma once

#include "delegate/virdelegate.h"
#include "domain/def.h"
#include "qemu/driver.h"

/* Writes into def, the live copy of a starting guest, which template belongs to its image, as far
 * as firmwares (of qmpFirmware) or the usual names tell. */
void qemuNvramChooseTemplate(virDomainDef *def, const GPtrArray *firmwares);

/* Where the variables of a stored definition are; NULL: it has none. Caller frees. */
char *qemuNvramPath(const qemuDriver *driver, const virDomainDef *def);

/* Makes the file if it is missing, or anew with reset. A document without variable store needs
 * none. VIR_ERR_OPERATION_FAILED: no template is known. */
bool qemuNvramMake(qemuDriver *driver, const virDelegateCall *call, const virDomainDef *def,
                   bool reset, GError **error);

/* What undefine does to it: remove, keep, or, if neither, refuse as long as it is there:
 * VIR_ERR_OPERATION_INVALID. */
bool qemuNvramUndefine(const qemuDriver *driver, const virDomainDef *def, bool remove, bool keep,
                       GError **error);
