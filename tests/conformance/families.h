/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * families.h: the run functions that families.c lists; each is in the file named after its subject.
 */
#pragma once

#include "conformance.h"

bool conformanceVirJson(const conformanceCase *row, conformanceResult *result, GError **error);
bool conformanceQemuCapabilities(const conformanceCase *row, conformanceResult *result,
                                 GError **error);
bool conformanceCpu(const conformanceCase *row, conformanceResult *result, GError **error);
bool conformanceSysinfo(const conformanceCase *row, conformanceResult *result, GError **error);
bool conformanceVirCaps2XML(const conformanceCase *row, conformanceResult *result, GError **error);
bool conformanceVirHostCPU(const conformanceCase *row, conformanceResult *result, GError **error);
