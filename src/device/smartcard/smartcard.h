/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * smartcard.h: <smartcard>: a card in the guest's reader. */
#pragma once

#include "device/common/chrsource.h"
#include "device/device.h"

typedef enum {
    VIR_SMARTCARD_HOST = 0,          /* the host's card, through NSS */
    VIR_SMARTCARD_HOST_CERTIFICATES, /* one made of certificates of the host */
    VIR_SMARTCARD_PASSTHROUGH,       /* a client's card */
    VIR_SMARTCARD_LAST
} virSmartcardMode;
VIR_ENUM_DECL(virSmartcardMode);

enum { VIR_SMARTCARD_CERTIFICATES = 3 };

typedef struct {
    virDevice base;
    int mode; /* virSmartcardMode */
    char *certificates[VIR_SMARTCARD_CERTIFICATES];
    char *database;      /* HOST_CERTIFICATES; NULL: the system's */
    virChrSource source; /* PASSTHROUGH */
} virSmartcard;

#define VIR_SMARTCARD(dev) ((virSmartcard *)(dev))
extern const virDeviceKind virSmartcardKind;
