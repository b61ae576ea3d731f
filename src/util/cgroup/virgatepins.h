/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgatepins.h: the pins of a gate: made whole under a temporary name, then renamed, so that under
 * the guest's uuid there is a complete set or none. Changing functions are called through
 * delegate/local* alone; opening needs no rights but the files' own. In a job. */
#pragma once

#include "util/cgroup/vircgroupv2devices.h"

typedef enum {
    VIR_GATE_PINS_CURRENT, /* <uuid> */
    VIR_GATE_PINS_NEW,     /* <uuid>-new */
} virGatePinsSet;

/* Pins all handles as the new set; an earlier unfinished one is removed first. */
bool virGatePinsMake(const virCgroupV2DevicesPlace *place, const virCgroupV2Devices *devices,
                     GError **error);
/* Makes the new set the current one and removes what was current before. */
bool virGatePinsPublish(const virCgroupV2DevicesPlace *place, GError **error);
/* Opens a set into devices (which is cleared). *retFound is false if there is none, if it is not
 * complete or not of this guest and ABI. */
bool virGatePinsOpen(const virCgroupV2DevicesPlace *place, virGatePinsSet set,
                     virCgroupV2Devices *devices, bool *retFound, GError **error);
/* Gone already is success. */
bool virGatePinsRemove(int pinsFd, const uint8_t uuid[16], virGatePinsSet set, GError **error);

/* True if there is a set of either kind. */
bool virGatePinsExist(int pinsFd, const uint8_t uuid[16]);
/* The guests that have a set of either kind: 16 bytes each; caller frees with g_array_unref. */
GArray *virGatePinsList(int pinsFd, GError **error);

/* Opens the ring that all guests share, pinned as "events" in pinsFd; -1 without an error if there
 * is none yet. */
int virGatePinsOpenEvents(int pinsFd, GError **error);
bool virGatePinsPinEvents(int pinsFd, int eventsFd, uid_t owner, gid_t group, GError **error);
bool virGatePinsUnpinEvents(int pinsFd, GError **error);
