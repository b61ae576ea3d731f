/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * security.h: <seclabel>, <keywrap>, <launchSecurity>: what protects the host from the guest, and
 * the guest from the host. */
#pragma once

#include <glib.h>

#include "device/field.h"

typedef enum {
    VIR_SECLABEL_DEFAULT = 0,
    VIR_SECLABEL_NONE,
    VIR_SECLABEL_DYNAMIC,
    VIR_SECLABEL_STATIC,
    VIR_SECLABEL_LAST
} virSeclabelType;
VIR_ENUM_DECL(virSeclabelType);

typedef struct {
    int type; /* virSeclabelType */
    char *model;
    bool relabel;
    bool implicit; /* made by us, not asked for */
    char *label, *imageLabel, *baseLabel;
} virSeclabel;

typedef enum {
    VIR_LAUNCH_SECURITY_NONE = 0,
    VIR_LAUNCH_SECURITY_SEV,
    VIR_LAUNCH_SECURITY_S390_PV,
    VIR_LAUNCH_SECURITY_LAST
} virLaunchSecurityType;
VIR_ENUM_DECL(virLaunchSecurityType);

typedef struct {
    int type; /* virLaunchSecurityType */
    virTristate kernelHashes;
    virOptUInt cbitpos, reducedPhysBits;
    unsigned policy;
    char *dhCert, *session;
} virLaunchSecurity;

typedef struct {
    GPtrArray *labels; /* of virSeclabel */
    virTristate keywrapAes, keywrapDea;
    virLaunchSecurity launch;
} virDomainSecurity;
