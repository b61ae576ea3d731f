/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * params.c: lists of typed parameters: those of a call checked; those of an answer growing on the
 * heap, handed over in the arena. */
#include "api/params.h"

#include <string.h>

#include "util/virerror.h"

static const char *const typeNames[] = {"unknown", "int",    "uint",    "llong",
                                        "ullong",  "double", "boolean", "string"};

static const char *
virApiParamTypeName(int type)
{
    return type > 0 && type < (int)G_N_ELEMENTS(typeNames) ? typeNames[type] : typeNames[0];
}

const remote_typed_param *
virApiParamsFind(const remote_typed_param *params, uint32_t len, const char *name)
{
    for (uint32_t i = 0; i < len; i++) {
        if (g_str_equal(params[i].field, name))
            return &params[i];
    }
    return NULL;
}

bool
virApiParamsCheck(const remote_typed_param *params, uint32_t len, const virApiParamRow *rows,
                  GError **error)
{
    for (uint32_t i = 0; i < len; i++) {
        const remote_typed_param *param = &params[i];
        const virApiParamRow *row = rows;

        while (row->name && !g_str_equal(row->name, param->field))
            row++;
        if (!row->name)
            return virErrorSet(error, VIR_ERR_ARGUMENT_UNSUPPORTED,
                               _("parameter '%s' not supported"), param->field);
        if (virApiParamsFind(params, i, param->field))
            return virErrorSet(error, VIR_ERR_INVALID_ARG,
                               _("parameter '%s' occurs multiple times"), param->field);
        if (param->value.type != (int)row->type)
            return virErrorSet(error, VIR_ERR_INVALID_ARG,
                               _("invalid type '%s' for parameter '%s', expected '%s'"),
                               virApiParamTypeName(param->value.type), param->field,
                               virApiParamTypeName((int)row->type));
    }
    return true;
}

void
virApiParamsInit(virApiParams *params, virApiCall *call)
{
    params->call = call;
    params->list = g_array_new(FALSE, FALSE, sizeof(remote_typed_param));
}

void
virApiParamsClear(virApiParams *params)
{
    g_clear_pointer(&params->list, g_array_unref);
}

remote_typed_param *
virApiParamsTake(virApiParams *params, uint32_t *retLen)
{
    remote_typed_param *array = virApiNew(params->call, remote_typed_param, params->list->len);

    *retLen = params->list->len;
    if (params->list->len)
        memcpy(array, params->list->data, params->list->len * sizeof(*array));
    virApiParamsClear(params);
    return array;
}

static remote_typed_param *
virApiParamsAdd(virApiParams *params, int type, const char *field, va_list arguments)
{
    g_autofree char *name = g_strdup_vprintf(field, arguments);
    remote_typed_param param = {.field = virApiStrdup(params->call, name), .value.type = type};

    g_array_append_val(params->list, param);
    return &g_array_index(params->list, remote_typed_param, params->list->len - 1);
}

void
virApiParamsInt(virApiParams *params, int value, const char *field, ...)
{
    va_list arguments;

    va_start(arguments, field);
    virApiParamsAdd(params, VIR_API_PARAM_INT, field, arguments)->value.i = value;
    va_end(arguments);
}

void
virApiParamsUInt(virApiParams *params, unsigned value, const char *field, ...)
{
    va_list arguments;

    va_start(arguments, field);
    virApiParamsAdd(params, VIR_API_PARAM_UINT, field, arguments)->value.ui = value;
    va_end(arguments);
}

void
virApiParamsLLong(virApiParams *params, int64_t value, const char *field, ...)
{
    va_list arguments;

    va_start(arguments, field);
    virApiParamsAdd(params, VIR_API_PARAM_LLONG, field, arguments)->value.l = value;
    va_end(arguments);
}

void
virApiParamsBool(virApiParams *params, bool value, const char *field, ...)
{
    va_list arguments;

    va_start(arguments, field);
    virApiParamsAdd(params, VIR_API_PARAM_BOOL, field, arguments)->value.b = value;
    va_end(arguments);
}

void
virApiParamsULLong(virApiParams *params, uint64_t value, const char *field, ...)
{
    va_list arguments;

    va_start(arguments, field);
    virApiParamsAdd(params, VIR_API_PARAM_ULLONG, field, arguments)->value.ul = value;
    va_end(arguments);
}

void
virApiParamsString(virApiParams *params, const char *value, const char *field, ...)
{
    va_list arguments;

    va_start(arguments, field);
    virApiParamsAdd(params, VIR_API_PARAM_STRING, field, arguments)->value.s =
        virApiStrdup(params->call, value);
    va_end(arguments);
}

void
virApiParamsStat(const qemuStat *stat, void *opaque)
{
    switch (stat->type) {
    case QEMU_STAT_UINT:
        virApiParamsUInt(opaque, (unsigned)stat->number, "%s", stat->name);
        break;
    case QEMU_STAT_LLONG:
        virApiParamsLLong(opaque, (int64_t)stat->number, "%s", stat->name);
        break;
    case QEMU_STAT_ULLONG:
        virApiParamsULLong(opaque, stat->number, "%s", stat->name);
        break;
    case QEMU_STAT_STRING:
        virApiParamsString(opaque, stat->text, "%s", stat->name);
        break;
    }
}
