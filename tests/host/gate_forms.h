/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gate_forms.h: device programs as other managers make them, to compare with and to take over.
 *
 * Each is made anew from the form's description: libvirt's fixed program with up to four look-ups
 * in a hash, the straight line of crun, runc and lxc with a block for each rule, and one that only
 * says yes, as the floor. */
#pragma once

#include <glib.h>

#include "util/cgroup/virdevicerule.h"

/* A hash as libvirt lays it out, with room for capacity rules, filled with rules (virDeviceRule
 * elements). Asserts. */
int testFormLibvirtMap(const GArray *rules, uint32_t capacity);
/* One rule into it: libvirt overwrites what was there. */
void testFormLibvirtSet(int mapFd, const virDeviceRule *rule);
/* The program over such a map. */
int testFormLibvirt(int mapFd);
/* Attaches exclusively, without flags, as libvirt does; over one that is there it takes its place.
 */
bool testFormAttachExclusive(int groupFd, int progFd);

/* The straight line; -1 with errno where the kernel doesn't take it. */
int testFormLinear(const GArray *rules);

/* Returns 1. */
int testFormEmpty(void);
