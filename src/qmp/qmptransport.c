/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmptransport.c: the classes of QMP errors by name. */
#include "qmp/qmptransport.h"

qmpErrorClass
qmpErrorClassFromString(const char *name)
{
    static const struct {
        const char *name;
        qmpErrorClass class;
    } rows[] = {
        {"GenericError", QMP_ERROR_GENERIC},
        {"CommandNotFound", QMP_ERROR_COMMAND_NOT_FOUND},
        {"DeviceNotFound", QMP_ERROR_DEVICE_NOT_FOUND},
        {"DeviceNotActive", QMP_ERROR_DEVICE_NOT_ACTIVE},
        {"KVMMissingCap", QMP_ERROR_KVM_MISSING_CAP},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (g_strcmp0(name, rows[i].name) == 0)
            return rows[i].class;
    }
    return QMP_ERROR_OTHER;
}
