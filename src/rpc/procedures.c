/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * procedures.c: looking things up in the procedure tables. */
#include "rpc/procedures.h"

#include <string.h>

bool
virNetConditionHolds(const virNetCondition *condition, const void *args)
{
    uint32_t word = 0;

    if (condition->kind >= VIR_NET_IF_ALL_FLAGS)
        memcpy(&word, (const uint8_t *)args + condition->offset, sizeof(word));
    switch (condition->kind) {
    case VIR_NET_IF_NEVER:
        return false;
    case VIR_NET_IF_ALWAYS:
        return true;
    case VIR_NET_IF_ALL_FLAGS:
        return (word & condition->value) == condition->value;
    case VIR_NET_IF_ANY_FLAG:
        return (word & condition->value) != 0;
    case VIR_NET_IF_NO_FLAG:
        return (word & condition->value) == 0;
    case VIR_NET_IF_ARG:
        return word == condition->value;
    }
    g_assert_not_reached();
}

const virNetProcedure *
virNetProgramProcedure(const virNetProgram *program, int32_t number)
{
    if (number < 0 || number >= program->count || !program->procedures[number].name)
        return NULL;
    return &program->procedures[number];
}
