/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * redirfilter.h: <redirfilter>: which USB devices may be lent to the guest. No device: it has no
 * alias and is part of each <redirdev>. */
#pragma once

#include "device/device.h"

typedef struct {
    int usbClass, vendor, product, version; /* -1: any */
    bool allow;
} virRedirRule;

typedef struct {
    virDevice base;
    GArray *rules; /* of virRedirRule; the first that fits decides */
} virRedirfilter;

#define VIR_REDIRFILTER(dev) ((virRedirfilter *)(dev))
extern const virDeviceKind virRedirfilterKind;

/* "class:vendor:product:version:allow|…", as the USB redirection protocol writes it. Caller
 * frees. */
char *virRedirfilterText(const virDevice *filter);
