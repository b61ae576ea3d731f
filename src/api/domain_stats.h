/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_stats.h: the groups of virConnectGetAllDomainStats. */
#pragma once

#include "api/domain.h"
#include "api/params.h"
#include "qemu/ask.h"

/* A domain as it was when it was asked: what a group may use without the core lock. */
typedef struct {
    virDomainObj *obj; /* a reference; its members only under the lock */
    virDomainDoc *doc;
    remote_nonnull_domain dom;
    int state, reason;
    bool active;
    pid_t pid;     /* 0: none */
    GArray *vcpus; /* of qemuVcpu, or NULL */
    virCgroup *group;
    uint64_t balloonKiB, maximumKiB;
    qemuAsk *ask;
    bool backing; /* every image of a chain, not the first alone */
} virApiStatsTarget;

typedef struct {
    unsigned bit; /* VIR_DOMAIN_STATS_* */
    unsigned questions;
    void (*fill)(const virApiStatsTarget *target, virApiParams *params);
} virApiStatsGroup;

/* In the order of the answer; the last has no fill. */
extern const virApiStatsGroup virApiStatsGroups[];
