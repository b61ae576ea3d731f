/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * families.h: the run functions that families.c lists; each is in the file named after its subject.
 */
#pragma once

#include "conformance.h"
#include "domain/def.h"
#include "util/cpu/vircpumap.h"

bool conformanceVirJson(const conformanceCase *row, conformanceResult *result, GError **error);
bool conformanceQemuCapabilities(const conformanceCase *row, conformanceResult *result,
                                 GError **error);
bool conformanceCpu(const conformanceCase *row, conformanceResult *result, GError **error);
bool conformanceSysinfo(const conformanceCase *row, conformanceResult *result, GError **error);
bool conformanceVirCaps2XML(const conformanceCase *row, conformanceResult *result, GError **error);
bool conformanceVirCgroup(const conformanceCase *row, conformanceResult *result, GError **error);
bool conformanceVirHostCPU(const conformanceCase *row, conformanceResult *result, GError **error);
bool conformanceQemuCaps2XML(const conformanceCase *row, conformanceResult *result, GError **error);
bool conformanceDomainCaps(const conformanceCase *row, conformanceResult *result, GError **error);
bool conformanceQemuFirmware(const conformanceCase *row, conformanceResult *result, GError **error);
bool conformanceGenericXML2XML(const conformanceCase *row, conformanceResult *result,
                               GError **error);
bool conformanceQemuHotplugCpu(const conformanceCase *row, conformanceResult *result,
                               GError **error);
bool conformanceQemuMemlock(const conformanceCase *row, conformanceResult *result, GError **error);
bool conformanceQemuXML2Argv(const conformanceCase *row, conformanceResult *result, GError **error);
bool conformanceQemuXML2XML(const conformanceCase *row, conformanceResult *result, GError **error);

/* The CPU features that the release of the data knew; NULL if the data does not tell (cpu.c). */
const virCPUFeatureSet *conformanceKnownFeatures(const conformanceCase *row);

/* How the row wants its guest read: virParseFlags (domain.c). */
unsigned conformanceDomainFlags(const conformanceCase *row);
/* The row's guest, complete and checked. Caller frees. */
virDomainDef *conformanceDomain(const conformanceCase *row, unsigned flags, GError **error);
/* The capabilities of the guest's binary; opaque is the row. Caller unrefs. */
qmpCaps *conformanceLookUpCaps(const char *emulator, void *opaque);
