/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * features.h: <features>: what the machine offers the guest beyond its devices. */
#pragma once

#include <glib.h>

#include "device/field.h"

typedef enum {
    VIR_DOMAIN_FEATURE_ACPI = 0,
    VIR_DOMAIN_FEATURE_APIC,
    VIR_DOMAIN_FEATURE_PAE,
    VIR_DOMAIN_FEATURE_HAP,
    VIR_DOMAIN_FEATURE_VIRIDIAN,
    VIR_DOMAIN_FEATURE_PRIVNET,
    VIR_DOMAIN_FEATURE_HYPERV,
    VIR_DOMAIN_FEATURE_KVM,
    VIR_DOMAIN_FEATURE_PVSPINLOCK,
    VIR_DOMAIN_FEATURE_CAPABILITIES,
    VIR_DOMAIN_FEATURE_PMU,
    VIR_DOMAIN_FEATURE_VMPORT,
    VIR_DOMAIN_FEATURE_GIC,
    VIR_DOMAIN_FEATURE_SMM,
    VIR_DOMAIN_FEATURE_IOAPIC,
    VIR_DOMAIN_FEATURE_HPT,
    VIR_DOMAIN_FEATURE_VMCOREINFO,
    VIR_DOMAIN_FEATURE_HTM,
    VIR_DOMAIN_FEATURE_NESTED_HV,
    VIR_DOMAIN_FEATURE_MSRS,
    VIR_DOMAIN_FEATURE_CCF_ASSIST,
    VIR_DOMAIN_FEATURE_XEN,
    VIR_DOMAIN_FEATURE_CFPC,
    VIR_DOMAIN_FEATURE_SBBC,
    VIR_DOMAIN_FEATURE_IBS,
    VIR_DOMAIN_FEATURE_TCG,
    VIR_DOMAIN_FEATURE_ASYNC_TEARDOWN,
    VIR_DOMAIN_FEATURE_LAST
} virDomainFeature;
VIR_ENUM_DECL(virDomainFeature);

typedef enum {
    VIR_DOMAIN_HYPERV_RELAXED = 0,
    VIR_DOMAIN_HYPERV_VAPIC,
    VIR_DOMAIN_HYPERV_SPINLOCKS,
    VIR_DOMAIN_HYPERV_VPINDEX,
    VIR_DOMAIN_HYPERV_RUNTIME,
    VIR_DOMAIN_HYPERV_SYNIC,
    VIR_DOMAIN_HYPERV_STIMER,
    VIR_DOMAIN_HYPERV_RESET,
    VIR_DOMAIN_HYPERV_VENDOR_ID,
    VIR_DOMAIN_HYPERV_FREQUENCIES,
    VIR_DOMAIN_HYPERV_REENLIGHTENMENT,
    VIR_DOMAIN_HYPERV_TLBFLUSH,
    VIR_DOMAIN_HYPERV_IPI,
    VIR_DOMAIN_HYPERV_EVMCS,
    VIR_DOMAIN_HYPERV_AVIC,
    VIR_DOMAIN_HYPERV_LAST
} virDomainHyperv;
VIR_ENUM_DECL(virDomainHyperv);

typedef enum {
    VIR_DOMAIN_KVM_HIDDEN = 0,
    VIR_DOMAIN_KVM_DEDICATED,
    VIR_DOMAIN_KVM_POLL_CONTROL,
    VIR_DOMAIN_KVM_PV_IPI,
    VIR_DOMAIN_KVM_DIRTY_RING,
    VIR_DOMAIN_KVM_LAST
} virDomainKVM;
VIR_ENUM_DECL(virDomainKVM);

typedef enum {
    VIR_DOMAIN_HYPERV_MODE_NONE = 0,
    VIR_DOMAIN_HYPERV_MODE_CUSTOM,
    VIR_DOMAIN_HYPERV_MODE_PASSTHROUGH,
    VIR_DOMAIN_HYPERV_MODE_LAST
} virDomainHypervMode;
VIR_ENUM_DECL(virDomainHypervMode);

typedef enum {
    VIR_DOMAIN_IOAPIC_NONE = 0,
    VIR_DOMAIN_IOAPIC_QEMU,
    VIR_DOMAIN_IOAPIC_KVM,
    VIR_DOMAIN_IOAPIC_LAST
} virDomainIOAPIC;
VIR_ENUM_DECL(virDomainIOAPIC);

typedef struct {
    virTristate on[VIR_DOMAIN_FEATURE_LAST];
    virTristate apicEOI;
    int hypervMode; /* virDomainHypervMode, if on[HYPERV] */
    virTristate hyperv[VIR_DOMAIN_HYPERV_LAST];
    unsigned hypervSpinlocks; /* retries */
    char *hypervVendorId;
    virTristate hypervStimerDirect;
    virTristate kvm[VIR_DOMAIN_KVM_LAST];
    unsigned kvmDirtyRing; /* entries */
    int ioapic;            /* virDomainIOAPIC */
    virOptUInt smmTseg;    /* bytes */
    virOptUInt tcgTbCache; /* KiB */
    /* Of other architectures: kept, so that the refusal can name them. */
    char *hptResizing, *gicVersion, *cfpc, *sbbc, *ibs, *msrsUnknown;
} virDomainFeatures;
