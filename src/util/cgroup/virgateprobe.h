/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgateprobe.h: look whether a gate does what it should, from inside its group. */
#pragma once

#include "util/cgroup/virgate.h"

/* Who puts a process into the group for one that may not have children born there. */
typedef struct {
    bool (*move)(int pidfd, void *opaque, GError **error);
    void *opaque;
} virGateMover;

/* A child born in the group asks access(2) of a node with a rule and of one without: the gate is
 * run, no driver is. False if a verdict is wrong. Which nodes exist here decides what can be asked;
 * none is no error. *retProbed is the rule that the look has used, its access 0 if none was. Waits
 * for the child (a tenth of a millisecond). Needs the right to clone into the group, or a mover
 * (NULL: there is none), for which the child waits. */
bool virGateProbe(int groupFd, const GArray *rules, virGateMode mode, const virGateMover *mover,
                  virDeviceRule *retProbed, GError **error);
/* The rule that virGateProbe uses, its access 0 if there is none. */
void virGateProbeRule(const GArray *rules, virDeviceRule *retProbed);
