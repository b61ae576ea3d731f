/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * params.h: lists of typed parameters for an answer, in the call's arena. */
#pragma once

#include "api/api.h"
#include "device/disk/stats_qemu.h"

typedef struct {
    virApiCall *call;
    GArray *list; /* of remote_typed_param */
} virApiParams;

/* Numbers of the wire: virTypedParameterType. */
typedef enum {
    VIR_API_PARAM_INT = 1,
    VIR_API_PARAM_UINT,
    VIR_API_PARAM_LLONG,
    VIR_API_PARAM_ULLONG,
    VIR_API_PARAM_DOUBLE,
    VIR_API_PARAM_BOOL,
    VIR_API_PARAM_STRING
} virApiParamType;

/* A parameter that a call takes. */
typedef struct {
    const char *name; /* NULL ends the rows */
    virApiParamType type;
} virApiParamRow;

/* Every parameter is one of rows, of its type, and there once; with the errors of libvirt. */
bool virApiParamsCheck(const remote_typed_param *params, uint32_t len, const virApiParamRow *rows,
                       GError **error);
/* NULL if it isn't given. */
const remote_typed_param *virApiParamsFind(const remote_typed_param *params, uint32_t len,
                                           const char *name);

/* The list begins empty; end with virApiParamsTake, or Clear where it isn't taken. */
void virApiParamsInit(virApiParams *params, virApiCall *call);
void virApiParamsClear(virApiParams *params);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virApiParams, virApiParamsClear)
/* Moves the list into the arena. */
remote_typed_param *virApiParamsTake(virApiParams *params, uint32_t *retLen);

/* One more. field is a format for what follows the value. */
void virApiParamsInt(virApiParams *params, int value, const char *field, ...) G_GNUC_PRINTF(3, 4);
void virApiParamsUInt(virApiParams *params, unsigned value, const char *field, ...)
    G_GNUC_PRINTF(3, 4);
void virApiParamsLLong(virApiParams *params, int64_t value, const char *field, ...)
    G_GNUC_PRINTF(3, 4);
void virApiParamsULLong(virApiParams *params, uint64_t value, const char *field, ...)
    G_GNUC_PRINTF(3, 4);
void virApiParamsBool(virApiParams *params, bool value, const char *field, ...) G_GNUC_PRINTF(3, 4);
void virApiParamsString(virApiParams *params, const char *value, const char *field, ...)
    G_GNUC_PRINTF(3, 4);
/* One that the block statistics made; opaque is the virApiParams. */
void virApiParamsStat(const qemuStat *stat, void *opaque);
