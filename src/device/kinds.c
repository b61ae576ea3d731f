/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kinds.c: the list of device kinds, model halves. The order is the order in the XML. */
#include "device/controller/controller.h"
#include "device/device.h"
#include "device/hub/hub.h"
#include "device/input/input.h"
#include "device/memballoon/memballoon.h"
#include "device/panic/panic.h"
#include "device/vsock/vsock.h"
#include "device/watchdog/watchdog.h"

const virDeviceKind *const virDeviceKinds[] = {
    &virControllerKind, &virInputKind, &virHubKind,   &virWatchdogKind,
    &virMemballoonKind, &virPanicKind, &virVsockKind, NULL,
};

const char *const virDeviceSlotOrder[] = {
    "filesystem", "interface", "sound",    "controller", "disk",  "hostdev",
    "memballoon", "rng",       "watchdog", "video",      "shmem", "input",
    "serial",     "channel",   "vsock",    "memory",     "iommu", NULL,
};
