/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmphostmodel.h: the host's CPU, as QEMU sees it, put into words a document may use. Any thread.
 */
#pragma once

#include "qmp/qmpcaps.h"
#include "util/cpu/vircpudef.h"
#include "util/cpu/vircpumap.h"

typedef struct {
    bool migratable;               /* only what a guest can take with it */
    const virCPUFeatureSet *known; /* look at these features only; NULL: at all we know */
    bool evenWeights;              /* see virCPUDecodeOptions */
} qmpHostModelOptions;

/* The guest CPU that host-model stands for: named model, vendor, features with policies, fallback
 * forbidden. options may be NULL. NULL with an error if QEMU told nothing of the CPU
 * (VIR_ERR_CONFIG_UNSUPPORTED), or no model fits. Caller frees. */
virCPUDef *qmpHostModelMake(const qmpCaps *caps, qmpAccel accel, const qmpHostModelOptions *options,
                            GError **error);
