/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_tune.h: what handlers of a guest's limits share: a change of the running guest, of its
 * stored document, or of both, in the order that libvirt's clients expect its errors in. */
#pragma once

#include "api/domain.h"
#include "api/params.h"
#include "qemu/tune.h"

enum {
    VIR_API_TUNE_AFFECT = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG,
    VIR_API_PARAM_STRING_OKAY = 1 << 2, /* VIR_TYPED_PARAM_STRING_OKAY */
};

/* One change. All functions run without the core lock, under the domain's job. */
typedef struct {
    const char *job;
    const char *session; /* error of a daemon without groups; NULL: it can do it, too */
    virCgroupController controller;
    const char *missing; /* error of a running guest without the controller; NULL: none is needed */
    /* Refuses what def makes impossible, before anything is changed; NULL: nothing. */
    bool (*check)(const virDomainDef *def, bool live, void *opaque, GError **error);
    /* Changes the running guest. */
    bool (*apply)(const qemuTune *tune, const virDomainDef *live, void *opaque, GError **error);
    /* Changes a document. */
    qemuEditFunc edit;
    /* Adds what was changed of the running guest, for its event; NULL: none is told. */
    void (*tell)(const void *opaque, virApiParams *params);
} virApiTuneChange;

/* Tells listeners what was changed of a running guest; nothing if the list is empty. Lock held. */
void virApiTuneEmit(virApiCall *call, const virDomainObj *obj, const virApiParams *params);

bool virApiTuneRun(virApiCall *call, const remote_nonnull_domain *dom, unsigned flags,
                   const virApiTuneChange *change, void *opaque, GError **error);

/* What a question about limits means: the document, and for a running guest its groups. */
typedef struct {
    virDomainDoc *doc; /* a reference */
    virCgroup *group;  /* a reference; NULL: the stored document is meant */
    GArray *vcpus;     /* of qemuVcpu; NULL with group */
    pid_t pid;
} virApiTuneQuestion;

/* Fills it; missing as above: a running guest without the controller. */
bool virApiTuneAsk(virApiCall *call, const remote_nonnull_domain *dom, unsigned flags,
                   virCgroupController controller, const char *missing,
                   virApiTuneQuestion *question, GError **error);
void virApiTuneQuestionClear(virApiTuneQuestion *question);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virApiTuneQuestion, virApiTuneQuestionClear)

/* The daemon has groups at all; else VIR_ERR_OPERATION_UNSUPPORTED with the text. */
bool virApiTuneCheckSession(virApiCall *call, const char *text, GError **error);

/* A map of CPUs as it stands on the wire. Caller frees. */
virBitmap *virApiMapRead(const uint8_t *map, size_t len);
void virApiMapWrite(const virBitmap *set, uint8_t *map, size_t maplen);

/* What QEMU says of its I/O threads if the running guest is meant and has some, else NULL
 * (domain_iothread.c). */
bool virApiIOThreadsAsk(virApiCall *call, const remote_nonnull_domain *dom, unsigned flags,
                        virJSON **retThreads, GError **error);
