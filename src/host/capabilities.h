/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * capabilities.h: all that is known of the host as one value, and its <capabilities> document.
 *
 * Reading takes many files and some milliseconds: in a job; who holds the value keeps it. What
 * guests can be run is told by whoever knows emulators. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "host/cache.h"
#include "host/machine.h"
#include "host/nodeinfo.h"
#include "host/topology.h"
#include "util/cpu/vircpudef.h"

/* A security model that guests are confined by; all strings are borrowed. */
typedef struct {
    const char *model;     /* "none", "dac" */
    const char *doi;       /* "0" */
    const char *baseLabel; /* of every kind of guest; NULL: none */
} virHostSecModel;

typedef struct {
    bool hasUUID;
    unsigned char uuid[VIR_UUID_SIZE];
    virCPUDef *cpu;
    GArray *pageSizes; /* of uint64_t, in KiB */
    virHostSuspendTargets suspend;
    bool hasIOMMU;
    bool canMigrate;
    bool canMigrateLive;
    const char *const *transports; /* of migration: ends with NULL; may be NULL */
    virHostTopology *topology;
    virHostCaches *caches;
    virHostSecModel *secModels; /* borrowed */
    size_t secModelCount;
} virHostCapabilities;

/* This machine's, with everything but UUID and security models, which depend on configuration. */
virHostCapabilities *virHostCapabilitiesRead(GError **error);
void virHostCapabilitiesFree(virHostCapabilities *caps);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virHostCapabilities, virHostCapabilitiesFree)

/* The document. guests are the texts of <guest> elements, ending with NULL; may be NULL. Caller
 * frees. */
char *virHostCapabilitiesFormat(const virHostCapabilities *caps, const char *const *guests);
