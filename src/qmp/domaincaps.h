/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domaincaps.h: <domainCapabilities>: what a guest of one binary, machine and accelerator may have.
 * A value in, a text out; any thread. */
#pragma once

#include "qmp/qmpcaps.h"
#include "util/cpu/vircpumap.h"

/* All borrowed. */
typedef struct {
    const qmpCaps *caps;
    qmpAccel accel;
    const char *machine; /* its own name; see qmpCapsMachineCanonical */
    const char *arch;    /* of the guest */
    bool native;         /* the host's own architecture, so that its CPU can be the guest's */

    const GPtrArray *firmware; /* of qmpFirmware, best first; see qmpFirmwareReadAll */
    unsigned maxVcpus;         /* KVM's limit on this host; 0: none */
    bool vfio;                 /* PCI devices can be given to guests */
    bool swtpm;                /* a TPM emulator is installed */

    unsigned vocabulary; /* the libvirt release whose elements are written, as its version number */
    const virCPUFeatureSet *knownFeatures; /* see qmpHostModelOptions */
    const char *const *loaders; /* to be listed in place of those of firmware; NULL: those */
} qmpDomainCapsInput;

/* What clients of today are written for. */
enum { QMP_DOMAIN_CAPS_VOCABULARY = 9000000 };

/* The document. Caller frees. */
char *qmpDomainCapsFormat(const qmpDomainCapsInput *input);
