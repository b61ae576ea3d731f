/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vcpuplaces.h: the places that a QEMU has for vCPUs (query-hotpluggable-cpus), and which of them
 * are to be filled for what somebody asks. A place may be for several vCPUs, which then come
 * together; on x86 it is for one. Values only: any thread. */
#pragma once

#include "domain/vcpus.h"
#include "util/virbitmap.h"
#include "util/virjson.h"

typedef struct {
    int64_t key[4];   /* socket, die, core, thread: the order of numbers */
    unsigned first;   /* number of its first vCPU */
    unsigned count;   /* of its vCPUs */
    const char *path; /* of what fills it, in QEMU's tree; NULL: nothing; borrowed of the answer */
    virJSON *entry;   /* borrowed of the answer */
} qemuVcpuPlace;

/* In the order of their vCPUs' numbers: qemuVcpuPlace elements, which borrow of reply; free with
 * g_array_unref. */
GArray *qemuVcpuPlacesNew(virJSON *reply);
/* The place whose first vCPU is this one; NULL. */
const qemuVcpuPlace *qemuVcpuPlaceOf(const GArray *places, unsigned first);
/* The arguments of device_add that fill it. */
virJSON *qemuVcpuPlaceArguments(const qemuVcpuPlace *place);

/* The first vCPUs of the places to be filled for this many more, the lowest first.
 * VIR_ERR_CONFIG_UNSUPPORTED if places are too large for that, INTERNAL_ERROR if there are too few;
 * NULL then. */
virBitmap *qemuVcpuPlacesForMore(const GArray *places, const virDomainVcpus *vcpus, unsigned more,
                                 GError **error);
/* Each of the set can go on or off. VIR_ERR_INVALID_ARG if one is so already, OPERATION_UNSUPPORTED
 * if one was there from the start. */
bool qemuVcpusCheckSwitch(const virDomainVcpus *vcpus, const virBitmap *set, bool online,
                          GError **error);
/* The first vCPU of the one place that the set is. VIR_ERR_INVALID_ARG if it is a part of one,
 * OPERATION_UNSUPPORTED if there are several. */
bool qemuVcpuPlaceForSet(const GArray *places, const virBitmap *set, unsigned *retFirst,
                         GError **error);
/* Those that are on have the number of their place as their order. */
void qemuVcpuPlacesOrder(const GArray *places, virDomainVcpus *vcpus);
