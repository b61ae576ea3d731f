/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gate_count.h: how much of certain guests' gates the kernel holds. Other daemons of the machine
 * may make and remove gates meanwhile: only guests whose uuid begins so are counted. */
#pragma once

#include <stdint.h>

typedef struct {
    unsigned progs; /* that use the header of such a guest */
    unsigned maps;  /* that these programs use, and headers that no program uses */
    unsigned links; /* with these programs */
} testGateCount;

/* Needs CAP_SYS_ADMIN. */
testGateCount testGateCountOf(const uint8_t prefix[4]);
