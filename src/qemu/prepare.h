/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * prepare.h: a document made whole for QEMU: defaults of the binary, controllers, addresses,
 * checks. Memory and the firmware's descriptors only; any thread that may wait. */
#pragma once

#include "domain/def.h"
#include "qmp/qmpcaps.h"

/* What completing needs to know beside the document. */
typedef struct {
    /* What the binary can do, NULL if it isn't there (the document is then taken as far as it
     * goes). A new reference. */
    qmpCaps *(*caps)(const char *emulator, void *opaque);
    void *opaque;
    const char *nvramDir; /* where UEFI variables of guests are kept */
    bool privileged;
} qemuPrepareEnv;

/* Reads, completes and checks a document: parse, virDomainDefComplete with the devices' QEMU
 * halves, machine controllers, implicit ones, addresses, check. NULL with the error of the stage.
 */
virDomainDef *qemuDomainDefParse(const char *xml, const qemuPrepareEnv *env, unsigned parseFlags,
                                 GError **error);
/* The same for a parsed document. */
bool qemuDomainDefComplete(virDomainDef *def, const qemuPrepareEnv *env, unsigned parseFlags,
                           GError **error);

/* Puts dev (taken over, also on error) into def, the private copy of a running guest's document:
 * defaults, the controllers it implies, address, alias, checks. What was added is marked fresh. */
bool qemuPrepareDevice(virDomainDef *def, virDevice *dev, const qmpCaps *caps, GError **error);
/* What depends on the capabilities beside virDomainDefFacts. */
void qemuFacts(const virDomainDef *def, const qmpCaps *caps, virDomainFacts *facts);
