/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_tune.c: the common course of a change to limits, and of a question about them. See
 * domain_tune.h. */
#include "api/domain_tune.h"

#include <string.h>

#include "util/vircore.h"
#include "util/virerror.h"

bool
virApiTuneCheckSession(virApiCall *call, const char *text, GError **error)
{
    return virApiQemu(call)->privileged ||
           virCgroupInstanceUsable(virApiQemu(call)->cgroups, NULL) ||
           virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s", text);
}

static bool
virApiTuneHasController(const qemuGuest *guest, virCgroupController controller)
{
    return guest && guest->group && virCgroupHasController(guest->group, controller);
}

/* Job held, lock not: the guest stays. */
static bool
virApiTuneApply(qemuGuest *guest, const virDomainDef *live, const virApiTuneChange *change,
                void *opaque, GError **error)
{
    qemuTune tune;

    if (change->missing && !virApiTuneHasController(guest, change->controller))
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", change->missing);
    if (change->check && !change->check(live, true, opaque, error))
        return false;
    qemuTuneInit(&tune, guest, VIR_DELEGATE_PHASE_HOTPLUG);
    return !change->apply || change->apply(&tune, live, opaque, error);
}

void
virApiTuneEmit(virApiCall *call, const virDomainObj *obj, const virApiParams *params)
{
    const virDomainEvent event = {.type = VIR_DOMAIN_EVENT_TUNABLE,
                                  .name = obj->name,
                                  .uuid = obj->uuid,
                                  .id = obj->id,
                                  .params = params->list->data,
                                  .nparams = params->list->len};

    if (event.nparams)
        qemuDriverEmit(virApiQemu(call), &event);
}

bool
virApiTuneRun(virApiCall *call, const remote_nonnull_domain *dom, unsigned flags,
              const virApiTuneChange *change, void *opaque, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    g_autoptr(virDomainDoc) live = NULL;
    g_autoptr(virDomainDoc) stored = NULL;
    bool isLive, isConfig;
    VIR_CORE_GUARD;

    if (change->session && !virApiTuneCheckSession(call, change->session, error))
        return false;
    if (!(obj = virApiDomain(call, dom, error)))
        return false;
    VIR_API_JOB(obj, change->job, error);
    if (!virDomainObjAffected(obj, flags, &isLive, &isConfig, error))
        return false;
    if (isLive && (!qemuGuestOf(obj) || qemuGuestOf(obj)->gone))
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("domain is not running"));
    live = isLive ? virDomainDocRef(obj->live) : NULL;
    stored = isConfig ? virDomainDocRef(obj->config) : NULL;
    {
        VIR_CORE_UNLOCKED;

        if (stored && change->check &&
            !change->check(virDomainDocDef(stored), false, opaque, error))
            return false;
        if (live &&
            !virApiTuneApply(qemuGuestOf(obj), virDomainDocDef(live), change, opaque, error))
            return false;
    }
    if (!qemuDriverEdit(virApiQemu(call), obj, isLive, isConfig, change->edit, opaque, error))
        return false;
    if (isLive && change->tell) {
        g_auto(virApiParams) changed = {0};

        virApiParamsInit(&changed, call);
        change->tell(opaque, &changed);
        virApiTuneEmit(call, obj, &changed);
    }
    return true;
}

/* --- questions --- */

void
virApiTuneQuestionClear(virApiTuneQuestion *question)
{
    g_clear_pointer(&question->doc, virDomainDocUnref);
    g_clear_pointer(&question->group, virCgroupUnref);
    g_clear_pointer(&question->vcpus, g_array_unref);
}

bool
virApiTuneAsk(virApiCall *call, const remote_nonnull_domain *dom, unsigned flags,
              virCgroupController controller, const char *missing, virApiTuneQuestion *question,
              GError **error)
{
    {
        g_autoptr(virDomainObj) obj = NULL;
        virDomainDoc *doc;
        const qemuGuest *guest;
        VIR_CORE_GUARD;

        if (!(obj = virApiDomain(call, dom, error)) ||
            !(doc = virApiDomainDoc(obj, flags & VIR_API_TUNE_AFFECT, error)))
            return false;
        question->doc = virDomainDocRef(doc);
        guest = qemuGuestOf(obj);
        if (doc != obj->live)
            return true;
        if (guest && guest->group) {
            question->group = virCgroupRef(guest->group);
            question->vcpus = g_array_copy(guest->vcpus);
            question->pid = guest->pid;
        }
    }
    if (missing && (!question->group || !virCgroupHasController(question->group, controller)))
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", missing);
    return true;
}

/* --- sets of CPUs --- */

virBitmap *
virApiMapRead(const uint8_t *map, size_t len)
{
    virBitmap *set = virBitmapNew();

    for (size_t i = 0; i < len * 8 && i < VIR_BITMAP_MAX; i++) {
        if (map[i / 8] & (1u << (i % 8)))
            virBitmapSet(set, i);
    }
    return set;
}

void
virApiMapWrite(const virBitmap *set, uint8_t *map, size_t maplen)
{
    virBitmapForEach(set, number)
    {
        if ((size_t)number / 8 < maplen)
            map[number / 8] |= (uint8_t)(1u << (number % 8));
    }
}
