/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tpm.h: <tpm>: a trusted platform module. */
#pragma once

#include "device/common/chrsource.h"
#include "device/device.h"

typedef enum {
    VIR_TPM_MODEL_DEFAULT = 0,
    VIR_TPM_MODEL_TIS,
    VIR_TPM_MODEL_CRB,
    VIR_TPM_MODEL_SPAPR,
    VIR_TPM_MODEL_SPAPR_PROXY,
    VIR_TPM_MODEL_LAST
} virTpmModel;
VIR_ENUM_DECL(virTpmModel);

typedef enum {
    VIR_TPM_BACKEND_PASSTHROUGH = 0, /* the host's module */
    VIR_TPM_BACKEND_EMULATOR,        /* swtpm, started for the guest */
    VIR_TPM_BACKEND_EXTERNAL,        /* an emulator that somebody else runs */
    VIR_TPM_BACKEND_LAST
} virTpmBackend;
VIR_ENUM_DECL(virTpmBackend);

typedef enum {
    VIR_TPM_VERSION_DEFAULT = 0,
    VIR_TPM_VERSION_1_2,
    VIR_TPM_VERSION_2_0,
    VIR_TPM_VERSION_LAST
} virTpmVersion;
VIR_ENUM_DECL(virTpmVersion);

/* Banks of platform configuration registers, in the order in which they are written. */
typedef enum {
    VIR_TPM_BANK_SHA1 = 0,
    VIR_TPM_BANK_SHA256,
    VIR_TPM_BANK_SHA384,
    VIR_TPM_BANK_SHA512,
    VIR_TPM_BANK_LAST
} virTpmBank;
VIR_ENUM_DECL(virTpmBank);

typedef struct {
    virDevice base;
    int model;   /* virTpmModel */
    int backend; /* virTpmBackend */
    /* PASSTHROUGH */
    char *path;
    /* EMULATOR */
    int version; /* virTpmVersion */
    bool persistentState;
    char *secret;   /* uuid of the key that its state is encrypted with, or NULL */
    unsigned banks; /* bits of virTpmBank */
    /* EXTERNAL */
    virChrSource source;
} virTpm;

#define VIR_TPM(dev) ((virTpm *)(dev))
extern const virDeviceKind virTpmKind;
