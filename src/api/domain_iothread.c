/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_iothread.c: a domain's I/O threads: which there are, where they may run, more, fewer, and
 * how they poll. */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>

#include "api/domain_tune.h"
#include "api/handlers.gen.h"
#include "device/controller/controller.h"
#include "device/disk/disk.h"
#include "host/topology.h"
#include "util/vircore.h"
#include "util/virerror.h"

static bool
virApiIOThreadsQuery(virDomainObj *obj, virJSON **retThreads, GError **error)
{
    return qemuGuestCommand(obj, "query-iothreads", NULL, retThreads, error);
}

bool
virApiIOThreadsAsk(virApiCall *call, const remote_nonnull_domain *dom, unsigned flags,
                   virJSON **retThreads, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, dom, error)))
        return false;
    if (!obj->live || flags == VIR_DOMAIN_AFFECT_CONFIG ||
        virDomainIOThreadCount(&virDomainObjDef(obj)->iothreads) == 0)
        return true;
    return virApiIOThreadsQuery(obj, retThreads, error);
}

/* --- which there are --- */

static void
virApiIOThreadFill(virApiCall *call, unsigned id, const virBitmap *cpus,
                   remote_domain_iothread_info *ret)
{
    ret->iothread_id = id;
    ret->cpumap_len = (uint32_t)(virBitmapLast(cpus) / 8 + 1);
    ret->cpumap_val = virApiNew(call, uint8_t, ret->cpumap_len);
    virApiMapWrite(cpus, ret->cpumap_val, ret->cpumap_len);
}

static bool
virApiIOThreadAffinity(pid_t tid, virBitmap **retCpus, GError **error)
{
    enum { BYTES = VIR_BITMAP_MAX / 8 };
    g_autofree uint8_t *set = g_malloc0(BYTES);

    if (sched_getaffinity(tid, BYTES, (cpu_set_t *)(void *)set) < 0)
        return virErrorErrno(error, _("cannot get CPU affinity of process %d"), (int)tid);
    *retCpus = virApiMapRead(set, BYTES);
    return true;
}

static bool
virApiIOThreadInfoLive(virApiCall *call, virJSON *threads, remote_domain_get_iothread_info_ret *ret,
                       GError **error)
{
    ret->info_val = virApiNew(call, remote_domain_iothread_info, virJSONLength(threads));
    for (size_t i = 0; i < virJSONLength(threads); i++) {
        const unsigned id = qemuIOThreadNumber(virJSONGetString(virJSONAt(threads, i), "id"));
        g_autoptr(virBitmap) cpus = NULL;

        if (id == 0)
            continue; /* given by hand */
        if (!virApiIOThreadAffinity(qemuIOThreadTid(threads, id), &cpus, error))
            return false;
        virApiIOThreadFill(call, id, cpus, &ret->info_val[ret->info_len++]);
    }
    return true;
}

static void
virApiIOThreadInfoStored(virApiCall *call, const virDomainDef *def,
                         remote_domain_get_iothread_info_ret *ret)
{
    g_autoptr(virBitmap) host = virHostTopologyPresent(VIR_HOST_SYSTEM);

    ret->info_len = virDomainIOThreadCount(&def->iothreads);
    ret->info_val = virApiNew(call, remote_domain_iothread_info, ret->info_len);
    for (guint i = 0; i < ret->info_len; i++) {
        const virDomainIOThread *iothread = virDomainIOThreadAt(&def->iothreads, i);
        const virBitmap *cpus = iothread->pin       ? iothread->pin
                                : def->vcpus.cpuset ? def->vcpus.cpuset
                                                    : host;

        virApiIOThreadFill(call, iothread->id, cpus, &ret->info_val[i]);
    }
}

bool
virApiDomainGetIOThreadInfo(virApiCall *call, const remote_domain_get_iothread_info_args *args,
                            remote_domain_get_iothread_info_ret *ret, GError **error)
{
    g_autoptr(virDomainDoc) doc = NULL;
    g_autoptr(virJSON) threads = NULL;
    bool isLive;

    if (!virApiOnlyFlags(args->flags, VIR_API_TUNE_AFFECT, error))
        return false;
    {
        g_autoptr(virDomainObj) obj = NULL;
        virDomainDoc *found;
        VIR_CORE_GUARD;

        if (!(obj = virApiDomain(call, &args->dom, error)) ||
            !(found = virApiDomainDoc(obj, args->flags, error)))
            return false;
        doc = virDomainDocRef(found);
        isLive = found == obj->live;
        if (isLive && !virApiIOThreadsQuery(obj, &threads, error))
            return false;
    }
    if (!isLive)
        virApiIOThreadInfoStored(call, virDomainDocDef(doc), ret);
    else if (!virApiIOThreadInfoLive(call, threads, ret, error))
        return false;
    ret->ret = ret->info_len;
    return true;
}

/* --- where they may run --- */

typedef struct {
    unsigned id;
    virBitmap *cpus;
    virJSON *threads;
} virApiIOThreadPin;

static bool
virApiIOThreadPinCheck(const virDomainDef *def, bool live, void *opaque, GError **error)
{
    const virApiIOThreadPin *change = opaque;

    return virDomainIOThreadFind(&def->iothreads, change->id) ||
           virErrorSet(error, VIR_ERR_INVALID_ARG,
                       live ? _("iothread %d not found") : _("iothreadid %d not found"),
                       (int)change->id);
}

static bool
virApiIOThreadPinApply(const qemuTune *tune, const virDomainDef *live, void *opaque, GError **error)
{
    const virApiIOThreadPin *change = opaque;
    const virCgroupPart part = {VIR_CGROUP_PART_IOTHREAD, change->id};
    const pid_t tid = qemuIOThreadTid(change->threads, change->id);

    return qemuTunePin(tune, &part, &tid, tid > 0, change->cpus, error);
}

static bool
virApiIOThreadPinEdit(virDomainDef *def, void *opaque, GError **error)
{
    const virApiIOThreadPin *change = opaque;
    virDomainIOThread *iothread = virDomainIOThreadFind(&def->iothreads, change->id);

    virBitmapFree(iothread->pin);
    iothread->pin = virBitmapCopy(change->cpus);
    return true;
}

static void
virApiIOThreadPinTell(const void *opaque, virApiParams *params)
{
    const virApiIOThreadPin *change = opaque;
    g_autofree char *cpus = virBitmapFormat(change->cpus);

    virApiParamsString(params, cpus, "cputune.iothreadpin%u", change->id);
}

bool
virApiDomainPinIOThread(virApiCall *call, const remote_domain_pin_iothread_args *args,
                        GError **error)
{
    g_autoptr(virBitmap) cpus = virApiMapRead(args->cpumap_val, args->cpumap_len);
    g_autoptr(virJSON) threads = NULL;
    virApiIOThreadPin change = {.id = args->iothreads_id, .cpus = cpus};
    static const virApiTuneChange how = {
        .job = "pin iothread",
        .check = virApiIOThreadPinCheck,
        .apply = virApiIOThreadPinApply,
        .edit = virApiIOThreadPinEdit,
        .tell = virApiIOThreadPinTell,
    };

    if (!virApiOnlyFlags(args->flags, VIR_API_TUNE_AFFECT, error))
        return false;
    if (virBitmapIsEmpty(cpus))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                           _("Empty iothread cpumap list for pinning"));
    if (!virApiIOThreadsAsk(call, &args->dom, args->flags, &threads, error))
        return false;
    change.threads = threads;
    return virApiTuneRun(call, &args->dom, args->flags, &how, &change, error);
}

/* --- more and fewer --- */

typedef enum { IOTHREAD_ADD, IOTHREAD_DELETE } virApiIOThreadAction;

typedef struct {
    virApiIOThreadAction action;
    unsigned id;
} virApiIOThreadChange;

static bool
virApiIOThreadUnused(const virDomainDef *def, unsigned id, GError **error)
{
    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind == &virDiskKind && VIR_DISK(dev)->iothread.value == id)
            return virErrorSet(error, VIR_ERR_INVALID_ARG,
                               _("cannot remove IOThread %u since it is being used by disk '%s'"),
                               id, VIR_DISK(dev)->target);
        if (dev->kind == &virControllerKind && VIR_CONTROLLER(dev)->iothread.value == id)
            return virErrorSet(error, VIR_ERR_INVALID_ARG,
                               _("cannot remove IOThread '%u' since it is being used by "
                                 "controller"),
                               id);
    }
    return true;
}

static bool
virApiIOThreadCheck(const virDomainDef *def, const virApiIOThreadChange *change, GError **error)
{
    const bool there = virDomainIOThreadFind(&def->iothreads, change->id) != NULL;

    if (change->action == IOTHREAD_ADD)
        return !there ||
               virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("an IOThread is already using iothread_id '%u'"), change->id);
    if (!there)
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("cannot find IOThread '%u' in iothreadids list"), change->id);
    return virApiIOThreadUnused(def, change->id, error);
}

static bool
virApiIOThreadEdit(virDomainDef *def, void *opaque, GError **error)
{
    const virApiIOThreadChange *change = opaque;
    virDomainIOThread *found = virDomainIOThreadFind(&def->iothreads, change->id);

    if (!virApiIOThreadCheck(def, change, error))
        return false;
    if (change->action == IOTHREAD_ADD)
        (void)virDomainIOThreadAdd(&def->iothreads, change->id); /* not there, as seen above */
    else
        g_ptr_array_remove(def->iothreads.list, found);
    return true;
}

/* The thread gets its place before any device can use it. Job and lock held. */
static bool
virApiIOThreadPlace(virDomainObj *obj, unsigned id, GError **error)
{
    g_autoptr(virJSON) threads = NULL;
    g_autoptr(virDomainDoc) live = virDomainDocRef(obj->live);
    pid_t tid;
    qemuTune tune;

    if (!virApiIOThreadsQuery(obj, &threads, error) || !virDomainObjCheckActive(obj, error))
        return false;
    tid = qemuIOThreadTid(threads, id);
    if (tid == 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("cannot find new IOThread '%u' in QEMU monitor."), id);
    qemuTuneInit(&tune, qemuGuestOf(obj), VIR_DELEGATE_PHASE_HOTPLUG);
    {
        VIR_CORE_UNLOCKED;

        return qemuTuneIOThread(&tune, virDomainDocDef(live), id, tid, error);
    }
}

static bool
virApiIOThreadDelete(virDomainObj *obj, unsigned id, GError **error)
{
    virJSON *arguments = virJSONObject();
    qemuTune tune;

    virJSONAddStringF(arguments, "id", "iothread%u", id);
    if (!qemuGuestCommand(obj, "object-del", arguments, NULL, error) ||
        !virDomainObjCheckActive(obj, error))
        return false;
    qemuTuneInit(&tune, qemuGuestOf(obj), VIR_DELEGATE_PHASE_HOTPLUG);
    {
        VIR_CORE_UNLOCKED;

        return qemuTuneDropPart(&tune, VIR_CGROUP_PART_IOTHREAD, id, error);
    }
}

static bool
virApiIOThreadAdd(virDomainObj *obj, unsigned id, GError **error)
{
    virJSON *arguments = virJSONObject();

    virJSONAddString(arguments, "qom-type", "iothread");
    virJSONAddStringF(arguments, "id", "iothread%u", id);
    if (!qemuGuestCommand(obj, "object-add", arguments, NULL, error))
        return false;
    if (virApiIOThreadPlace(obj, id, error))
        return true;
    if (virDomainObjIsActive(obj))
        (void)virApiIOThreadDelete(obj, id, NULL); /* what went wrong is told already */
    return false;
}

static bool
virApiIOThreadChangeRun(virApiCall *call, const remote_nonnull_domain *dom, unsigned flags,
                        virApiIOThreadChange *change, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    bool isLive, isConfig;
    VIR_CORE_GUARD;

    if (change->id == 0)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                           _("invalid value of 0 for iothread_id"));
    if (!virApiOnlyFlags(flags, VIR_API_TUNE_AFFECT, error) ||
        !(obj = virApiDomain(call, dom, error)))
        return false;
    VIR_API_JOB(obj, "change iothreads", error);
    if (!virDomainObjAffected(obj, flags, &isLive, &isConfig, error) ||
        (isLive && !virApiIOThreadCheck(virDomainDocDef(obj->live), change, error)) ||
        (isConfig && !virApiIOThreadCheck(virDomainDocDef(obj->config), change, error)))
        return false;
    if (isLive && !(change->action == IOTHREAD_ADD ? virApiIOThreadAdd(obj, change->id, error)
                                                   : virApiIOThreadDelete(obj, change->id, error)))
        return false;
    return qemuDriverEdit(virApiQemu(call), obj, isLive, isConfig, virApiIOThreadEdit, change,
                          error);
}

bool
virApiDomainAddIOThread(virApiCall *call, const remote_domain_add_iothread_args *args,
                        GError **error)
{
    virApiIOThreadChange change = {IOTHREAD_ADD, args->iothread_id};

    return virApiIOThreadChangeRun(call, &args->dom, args->flags, &change, error);
}

bool
virApiDomainDelIOThread(virApiCall *call, const remote_domain_del_iothread_args *args,
                        GError **error)
{
    virApiIOThreadChange change = {IOTHREAD_DELETE, args->iothread_id};

    return virApiIOThreadChangeRun(call, &args->dom, args->flags, &change, error);
}

/* --- how they poll --- */

static const struct {
    const char *name;
    virApiParamType type;
    const char *property; /* of QEMU's object */
    bool stored;          /* stands in documents */
} tunables[] = {
    {"poll_max_ns", VIR_API_PARAM_ULLONG, "poll-max-ns", false},
    {"poll_grow", VIR_API_PARAM_UINT, "poll-grow", false},
    {"poll_shrink", VIR_API_PARAM_UINT, "poll-shrink", false},
    {"thread_pool_min", VIR_API_PARAM_INT, "thread-pool-min", true},
    {"thread_pool_max", VIR_API_PARAM_INT, "thread-pool-max", true},
};

typedef struct {
    unsigned id;
    const remote_domain_set_iothread_params_args *args;
} virApiIOThreadTuning;

static const remote_typed_param *
virApiIOThreadTunable(const virApiIOThreadTuning *tuning, guint i)
{
    return virApiParamsFind(tuning->args->params_val, tuning->args->params_len, tunables[i].name);
}

static int64_t
virApiIOThreadValue(const remote_typed_param *param, guint i)
{
    switch (tunables[i].type) {
    case VIR_API_PARAM_UINT:
        return param->value.ui;
    case VIR_API_PARAM_INT:
        return param->value.i;
    default:
        return param->value.l;
    }
}

static bool
virApiIOThreadTuneLive(virDomainObj *obj, const virApiIOThreadTuning *tuning, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(tunables); i++) {
        const remote_typed_param *param = virApiIOThreadTunable(tuning, i);
        virJSON *arguments;

        if (!param)
            continue;
        arguments = virJSONObject();
        virJSONAddStringF(arguments, "path", "/objects/iothread%u", tuning->id);
        virJSONAddString(arguments, "property", tunables[i].property);
        virJSONAddInt(arguments, "value", virApiIOThreadValue(param, i));
        if (!qemuGuestCommand(obj, "qom-set", arguments, NULL, error))
            return false;
    }
    return true;
}

static bool
virApiIOThreadTuneEdit(virDomainDef *def, void *opaque, GError **error)
{
    const virApiIOThreadTuning *tuning = opaque;
    virDomainIOThread *iothread = virDomainIOThreadFind(&def->iothreads, tuning->id);
    const remote_typed_param *min = virApiIOThreadTunable(tuning, 3);
    const remote_typed_param *max = virApiIOThreadTunable(tuning, 4);

    if (min)
        iothread->poolMin = virOptUIntOf((uint64_t)MAX(min->value.i, 0));
    if (max)
        iothread->poolMax = virOptUIntOf((uint64_t)MAX(max->value.i, 0));
    return true;
}

static bool
virApiIOThreadTuneCheck(const virDomainDef *def, const virApiIOThreadTuning *tuning, bool live,
                        GError **error)
{
    if (!virDomainIOThreadFind(&def->iothreads, tuning->id))
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("cannot find IOThread '%u' in iothreadids"), tuning->id);
    for (guint i = 0; i < G_N_ELEMENTS(tunables) && !live; i++) {
        if (!tunables[i].stored && virApiIOThreadTunable(tuning, i))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("configuring persistent polling values is not supported"));
    }
    return true;
}

bool
virApiDomainSetIOThreadParams(virApiCall *call, const remote_domain_set_iothread_params_args *args,
                              GError **error)
{
    virApiParamRow rows[G_N_ELEMENTS(tunables) + 1] = {{NULL, 0}};
    virApiIOThreadTuning tuning = {args->iothread_id, args};
    g_autoptr(virDomainObj) obj = NULL;
    bool isLive, isConfig;
    VIR_CORE_GUARD;

    for (guint i = 0; i < G_N_ELEMENTS(tunables); i++)
        rows[i] = (virApiParamRow){tunables[i].name, tunables[i].type};
    if (tuning.id == 0)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                           _("invalid value of 0 for iothread_id"));
    if (!virApiOnlyFlags(args->flags, VIR_API_TUNE_AFFECT, error) ||
        !virApiParamsCheck(args->params_val, args->params_len, rows, error) ||
        !(obj = virApiDomain(call, &args->dom, error)))
        return false;
    VIR_API_JOB(obj, "set iothread parameters", error);
    if (!virDomainObjAffected(obj, args->flags, &isLive, &isConfig, error) ||
        (isLive && !virApiIOThreadTuneCheck(virDomainDocDef(obj->live), &tuning, true, error)) ||
        (isConfig &&
         !virApiIOThreadTuneCheck(virDomainDocDef(obj->config), &tuning, false, error)) ||
        (isLive && !virApiIOThreadTuneLive(obj, &tuning, error)))
        return false;
    return qemuDriverEdit(virApiQemu(call), obj, isLive, isConfig, virApiIOThreadTuneEdit, &tuning,
                          error);
}
