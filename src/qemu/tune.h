/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tune.h: how much of the host a guest may take: limits of its groups, where its threads run and
 * how they are scheduled.
 *
 * A start checks what the document asks for before anything is made (qemuTuneCheck), sets the
 * limits of the whole and of the emulator before QEMU is born in them (qemuTuneGroup), and places
 * each vCPU's and I/O thread's thread before the guest's first instruction (qemuTuneThreads).
 * Changes of a running guest use the pieces. Everything here is in a job that holds the domain's,
 * without the core lock: the guest stays while its job is held. The host is changed through the
 * door. */
#pragma once

#include "qemu/guest.h"

/* A guest and for what it is tuned. */
typedef struct {
    qemuGuest *guest;
    virDelegateCall call;
} qemuTune;

void qemuTuneInit(qemuTune *tune, qemuGuest *guest, virDelegatePhase phase);

/* Whether this host has what the document asks for: VIR_ERR_CONFIG_UNSUPPORTED naming what it has
 * not. def's partition is completed. */
bool qemuTuneCheck(const qemuDriver *driver, virDomainDef *def, GError **error);
/* After the group is made. */
bool qemuTuneGroup(const qemuTune *tune, const virDomainDef *def, GError **error);
/* After the monitor has told the threads: vcpus as in qemuGuest, iothreads the answer to
 * query-iothreads, NULL if there is none. */
bool qemuTuneThreads(const qemuTune *tune, const virDomainDef *def, const GArray *vcpus,
                     virJSON *iothreads, GError **error);

/* One thread with a part of its own, by the document. */
bool qemuTuneVcpu(const qemuTune *tune, const virDomainDef *def, unsigned id, pid_t tid,
                  GError **error);
bool qemuTuneIOThread(const qemuTune *tune, const virDomainDef *def, unsigned id, pid_t tid,
                      GError **error);
/* The part's groups, after its thread has ended or its vCPU is gone. */
bool qemuTuneDropPart(const qemuTune *tune, virCgroupPartType type, unsigned id, GError **error);

/* One limit; part NULL: of the whole. */
bool qemuTuneNumber(const qemuTune *tune, const virCgroupPart *part, virCgroupLimit limit,
                    int64_t value, GError **error);
bool qemuTuneText(const qemuTune *tune, const virCgroupPart *part, virCgroupLimit limit,
                  const char *value, GError **error);
bool qemuTuneDevice(const qemuTune *tune, virCgroupLimit limit, const char *path, uint64_t value,
                    GError **error);
/* Where threads of the part may run: group and affinity. */
bool qemuTunePin(const qemuTune *tune, const virCgroupPart *part, const pid_t *tids, size_t ntids,
                 const virBitmap *cpus, GError **error);
/* Those of the emulator: all but vCPUs and I/O threads (thread ids, pid_t). */
bool qemuTunePinEmulator(const qemuTune *tune, const GArray *others, const virBitmap *cpus,
                         GError **error);

/* Number of an I/O thread by its object's name ("iothread2"), 0 if it is none of ours. */
unsigned qemuIOThreadNumber(const char *alias);
/* The thread of an I/O thread in the answer to query-iothreads, 0 if it isn't in it. */
pid_t qemuIOThreadTid(virJSON *iothreads, unsigned id);
