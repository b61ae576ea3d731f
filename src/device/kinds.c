/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kinds.c: the list of device kinds, model halves. The order is the order in the XML. */
#include "device/controller/controller.h"
#include "device/device.h"
#include "device/vsock/vsock.h"

const virDeviceKind *const virDeviceKinds[] = {
    &virControllerKind,
    &virVsockKind,
    NULL,
};
