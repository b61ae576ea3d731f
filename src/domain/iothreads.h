/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * iothreads.h: <iothreads> <iothreadids> <defaultiothread>: threads of QEMU that devices run in. */
#pragma once

#include <glib.h>

#include "device/field.h"
#include "domain/vcpus.h"

typedef struct {
    unsigned id;   /* from 1 */
    bool autofill; /* numbered by us */
    virOptUInt poolMin, poolMax;
    virBitmap *pin; /* <cputune>; NULL: as the emulator */
    virDomainSched sched;
} virDomainIOThread;

typedef struct {
    GPtrArray *list; /* of virDomainIOThread, in document order */
    virOptUInt defaultPoolMin, defaultPoolMax;
} virDomainIOThreads;

static inline virDomainIOThread *
virDomainIOThreadAt(const virDomainIOThreads *iothreads, guint i)
{
    return g_ptr_array_index(iothreads->list, i);
}
static inline guint
virDomainIOThreadCount(const virDomainIOThreads *iothreads)
{
    return iothreads->list ? iothreads->list->len : 0;
}
/* NULL if there is none. */
virDomainIOThread *virDomainIOThreadFind(const virDomainIOThreads *iothreads, unsigned id);
/* Adds one; id 0: the smallest free number. NULL if it is there already. */
virDomainIOThread *virDomainIOThreadAdd(virDomainIOThreads *iothreads, unsigned id);
