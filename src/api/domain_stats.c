/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_stats.c: virConnectGetAllDomainStats: all questions of all guests are sent first, then
 * waited for together, so that one guest that hangs costs the others nothing but its share of one
 * deadline; the answers are put together without the core lock. */
#include "api/domain_stats.h"

#include <string.h>

#include "api/handlers.gen.h"
#include "qemu/guest.h"
#include "qemu/guestmemory.h"
#include "util/vircore.h"
#include "util/virerror.h"

/* VIR_CONNECT_GET_ALL_DOMAINS_STATS_* and VIR_DOMAIN_STATS_*. The filters of lists count too. */
enum {
    STATS_FILTERS = 0xff,
    STATS_NOWAIT = 1 << 29,
    STATS_BACKING = 1 << 30,
    STATS_KNOWN = (1 << 10) - 1, /* state … dirty rate */
};
#define STATS_ENFORCE (UINT32_C(1) << 31)

static void
virApiStatsTargetFree(void *data)
{
    virApiStatsTarget *target = data;

    qemuAskFree(target->ask);
    virCgroupUnref(target->group);
    g_clear_pointer(&target->vcpus, g_array_unref);
    virDomainDocUnref(target->doc);
    virDomainObjUnref(target->obj);
    g_free(target);
}

/* A snapshot of the domain, its questions on the way. Lock held. */
static virApiStatsTarget *
virApiStatsTargetNew(virApiCall *call, virDomainObj *obj, unsigned questions, bool backing)
{
    virApiStatsTarget *target = g_new0(virApiStatsTarget, 1);
    qemuGuest *guest = qemuGuestOf(obj);

    target->obj = virDomainObjRef(obj);
    target->doc = virDomainDocRef(virDomainObjDoc(obj));
    virApiDomainFill(call, obj, &target->dom);
    target->state = obj->state;
    target->reason = obj->reason;
    target->active = virDomainObjIsActive(obj) && guest;
    target->balloonKiB = qemuGuestMemoryCurrent(obj);
    target->maximumKiB = qemuGuestMemoryMaximum(obj);
    target->backing = backing;
    target->ask = qemuAskNew(obj, questions);
    if (target->active) {
        target->pid = guest->pid;
        target->vcpus = g_array_copy(guest->vcpus);
        target->group = guest->group ? virCgroupRef(guest->group) : NULL;
    }
    return target;
}

/* Those the client named, or all that its filters let through. Lock held. */
static GPtrArray *
virApiStatsDomains(virApiCall *call, const remote_connect_get_all_domain_stats_args *args)
{
    virDomainRegistry *domains = virApiQemu(call)->domains;
    g_autoptr(GPtrArray) all = NULL;
    GPtrArray *chosen = g_ptr_array_new_with_free_func((GDestroyNotify)virDomainObjUnref);
    unsigned filters = args->flags & STATS_FILTERS;

    for (uint32_t i = 0; i < args->doms_len; i++) {
        virDomainObj *obj = virDomainRegistryByUUID(domains, args->doms_val[i].uuid);

        if (obj)
            g_ptr_array_add(chosen, obj);
    }
    if (args->doms_len)
        return chosen;
    all = virDomainRegistryAll(domains);
    for (guint i = 0; i < all->len; i++) {
        virDomainObj *obj = g_ptr_array_index(all, i);

        if (virDomainObjDoc(obj) && virApiDomainMatches(obj, filters))
            g_ptr_array_add(chosen, virDomainObjRef(obj));
    }
    return chosen;
}

static unsigned
virApiStatsQuestions(unsigned stats)
{
    unsigned questions = 0;

    for (const virApiStatsGroup *group = virApiStatsGroups; group->fill; group++) {
        if (stats & group->bit)
            questions |= group->questions;
    }
    return questions;
}

/* All snapshots with their answers. In a job, without the lock. */
static GPtrArray *
virApiStatsGather(virApiCall *call, const remote_connect_get_all_domain_stats_args *args,
                  unsigned stats)
{
    GPtrArray *targets = g_ptr_array_new_with_free_func(virApiStatsTargetFree);
    gint64 deadline_us = g_get_monotonic_time() + QEMU_ASK_TIMEOUT_MS * G_TIME_SPAN_MILLISECOND;
    g_autoptr(GPtrArray) domains = NULL;
    VIR_CORE_GUARD;

    domains = virApiStatsDomains(call, args);
    for (guint i = 0; i < domains->len; i++) {
        virDomainObj *obj = g_ptr_array_index(domains, i);
        /* who doesn't want to wait gets what a domain with work in hand last said */
        bool busy = (args->flags & STATS_NOWAIT) && obj->job;

        if (virDomainObjDoc(obj))
            g_ptr_array_add(targets,
                            virApiStatsTargetNew(call, obj, busy ? 0 : virApiStatsQuestions(stats),
                                                 args->flags & STATS_BACKING));
    }
    for (guint i = 0; i < targets->len; i++) {
        virApiStatsTarget *target = g_ptr_array_index(targets, i);

        qemuAskWait(target->ask, deadline_us);
    }
    return targets;
}

bool
virApiConnectGetAllDomainStats(virApiCall *call,
                               const remote_connect_get_all_domain_stats_args *args,
                               remote_connect_get_all_domain_stats_ret *ret, GError **error)
{
    const uint32_t known = STATS_FILTERS | STATS_NOWAIT | STATS_BACKING | STATS_ENFORCE;
    unsigned stats = args->stats ? args->stats & STATS_KNOWN : STATS_KNOWN;
    g_autoptr(GPtrArray) targets = NULL;

    if (!virApiOnlyFlags(args->flags, known, error))
        return false;
    if ((args->flags & STATS_ENFORCE) && (args->stats & ~(unsigned)STATS_KNOWN))
        return virErrorSet(error, VIR_ERR_ARGUMENT_UNSUPPORTED,
                           _("Stats types bits 0x%x are not supported by this daemon or QEMU"),
                           args->stats & ~(unsigned)STATS_KNOWN);
    targets = virApiStatsGather(call, args, stats);
    ret->retStats_len = targets->len;
    ret->retStats_val = virApiNew(call, remote_domain_stats_record, targets->len);
    for (guint i = 0; i < targets->len; i++) {
        const virApiStatsTarget *target = g_ptr_array_index(targets, i);
        remote_domain_stats_record *record = &ret->retStats_val[i];
        virApiParams params;

        virApiParamsInit(&params, call);
        for (const virApiStatsGroup *group = virApiStatsGroups; group->fill; group++) {
            if (stats & group->bit)
                group->fill(target, &params);
        }
        record->dom = target->dom;
        record->params_val = virApiParamsTake(&params, &record->params_len);
    }
    VIR_CORE_GUARD; /* to give the questions and domains back */

    g_clear_pointer(&targets, g_ptr_array_unref);
    return true;
}
