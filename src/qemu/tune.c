/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tune.c: a guest's limits, pins and schedulers, from the document to the host. See tune.h. */
#include "qemu/tune.h"

#include <string.h>
#include <unistd.h>

#include "domain/tune.h"
#include "host/cache.h"
#include "util/virerror.h"
#include "util/virfault.h"

void
qemuTuneInit(qemuTune *tune, qemuGuest *guest, virDelegatePhase phase)
{
    *tune = (qemuTune){.guest = guest};
    tune->call.domain = guest->obj->name;
    tune->call.phase = phase;
    memcpy(tune->call.uuid, guest->obj->uuid, sizeof(tune->call.uuid));
}

/* --- what the host has --- */

static bool
qemuTuneAsksBandwidth(const virDomainCputune *cpu)
{
    return cpu->period.set || cpu->quota.set || cpu->globalPeriod.set || cpu->globalQuota.set ||
           cpu->emulatorPeriod.set || cpu->emulatorQuota.set || cpu->iothreadPeriod.set ||
           cpu->iothreadQuota.set;
}

static bool
qemuTuneAsksMemory(const virDomainMemtune *memory)
{
    return memory->hardLimit.set || memory->softLimit.set || memory->swapHardLimit.set;
}

static bool
qemuTuneAsksBlkio(const virDomainBlkiotune *blkio)
{
    return blkio->weight.value || (blkio->devices && blkio->devices->len);
}

static bool
qemuTuneUnsupported(const char *text, GError **error)
{
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s", text);
}

/* A user's daemon that was given no group can limit nothing. */
static bool
qemuTuneCheckSession(const virDomainTune *tune, GError **error)
{
    if (qemuTuneAsksMemory(&tune->memory))
        return qemuTuneUnsupported(_("Memory tuning is not available in session mode"), error);
    if (qemuTuneAsksBlkio(&tune->blkio))
        return qemuTuneUnsupported(_("Block I/O tuning is not available in session mode"), error);
    if (tune->cpu.shares.set || qemuTuneAsksBandwidth(&tune->cpu))
        return qemuTuneUnsupported(_("CPU tuning is not available in session mode"), error);
    return true;
}

static bool
qemuTuneCheckRanges(const virCgroupInstance *groups, const virDomainTune *tune, GError **error)
{
    if (tune->cpu.shares.set &&
        !virCgroupLimitCheck(groups, VIR_CGROUP_CPU_SHARES, (int64_t)tune->cpu.shares.value, error))
        return false;
    return !tune->blkio.weight.value ||
           virCgroupLimitCheck(groups, VIR_CGROUP_BLKIO_WEIGHT, (int64_t)tune->blkio.weight.value,
                               error);
}

/* Shares of the cache and of the memory bandwidth are the kernel's resctrl to give. */
static bool
qemuTuneCheckResctrl(const virDomainTune *tune, GError **error)
{
    if (!tune->resctrls || tune->resctrls->len == 0)
        return true;
    if (access(VIR_HOST_RESCTRL "/info", F_OK) < 0)
        return qemuTuneUnsupported(_("Resource control is not supported on this host"), error);
    return qemuTuneUnsupported(_("<cachetune> and <memorytune> cannot be applied yet"), error);
}

bool
qemuTuneCheck(const qemuDriver *driver, virDomainDef *def, GError **error)
{
    const virCgroupInstance *groups = driver->cgroups;
    const virDomainTune *tune = &def->tune;
    const bool usable = virCgroupInstanceUsable(groups, NULL);

    if (!qemuTuneCheckResctrl(tune, error))
        return false;
    if (!driver->privileged && !usable)
        return qemuTuneCheckSession(tune, error);
    if (def->resource.partition && *def->resource.partition != '/')
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Resource partition '%s' must start with '/'"),
                           def->resource.partition);
    if (usable && !def->resource.partition)
        def->resource.partition = g_strdup("/machine");
    if (qemuTuneAsksBlkio(&tune->blkio) &&
        !virCgroupInstanceHasController(groups, VIR_CGROUP_CONTROLLER_BLKIO))
        return qemuTuneUnsupported(_("Block I/O tuning is not available on this host"), error);
    if (qemuTuneAsksMemory(&tune->memory) &&
        !virCgroupInstanceHasController(groups, VIR_CGROUP_CONTROLLER_MEMORY))
        return qemuTuneUnsupported(_("Memory cgroup is not available on this host"), error);
    if (!virCgroupInstanceHasController(groups, VIR_CGROUP_CONTROLLER_CPU)) {
        if (tune->cpu.shares.set)
            return qemuTuneUnsupported(_("CPU tuning is not available on this host"), error);
        if (qemuTuneAsksBandwidth(&tune->cpu))
            return qemuTuneUnsupported(_("cgroup cpu is required for scheduler tuning"), error);
    }
    if (tune->numa.specified && tune->numa.mode == VIR_NUMATUNE_RESTRICTIVE &&
        !virCgroupInstanceHasController(groups, VIR_CGROUP_CONTROLLER_CPUSET))
        return qemuTuneUnsupported(_("cgroup cpuset is required for <numatune> of mode "
                                     "'restrictive'"),
                                   error);
    return qemuTuneCheckRanges(groups, tune, error);
}

/* --- one limit --- */

static bool
qemuTuneWrite(const qemuTune *tune, const virCgroupSetting *setting, GError **error)
{
    return virDelegateCgroupSet(tune->guest->driver->door, &tune->call, tune->guest->group, setting,
                                error);
}

bool
qemuTuneNumber(const qemuTune *tune, const virCgroupPart *part, virCgroupLimit limit, int64_t value,
               GError **error)
{
    g_auto(virCgroupSetting) setting = {0};

    return virCgroupSettingNumber(tune->guest->group, part, limit, value, &setting, error) &&
           qemuTuneWrite(tune, &setting, error);
}

bool
qemuTuneText(const qemuTune *tune, const virCgroupPart *part, virCgroupLimit limit,
             const char *value, GError **error)
{
    g_auto(virCgroupSetting) setting = {0};

    return virCgroupSettingText(tune->guest->group, part, limit, value, &setting, error) &&
           qemuTuneWrite(tune, &setting, error);
}

bool
qemuTuneDevice(const qemuTune *tune, virCgroupLimit limit, const char *path, uint64_t value,
               GError **error)
{
    g_auto(virCgroupSetting) setting = {0};

    return virCgroupSettingDevice(tune->guest->group, limit, path, value, &setting, error) &&
           qemuTuneWrite(tune, &setting, error);
}

static bool
qemuTuneBandwidth(const qemuTune *tune, const virCgroupPart *part, const virOptUInt *period,
                  const virOptInt *quota, GError **error)
{
    if (period->set && period->value &&
        !qemuTuneNumber(tune, part, VIR_CGROUP_CPU_PERIOD, (int64_t)period->value, error))
        return false;
    return !quota->set || quota->value == 0 ||
           qemuTuneNumber(tune, part, VIR_CGROUP_CPU_QUOTA, quota->value, error);
}

/* --- where threads run --- */

static bool
qemuTuneHas(const qemuTune *tune, virCgroupController controller)
{
    return tune->guest->group &&
           virCgroupInstanceHasController(virCgroupInstanceOf(tune->guest->group), controller);
}

static bool
qemuTuneAffinity(const qemuTune *tune, const pid_t *tids, size_t ntids, const virBitmap *cpus,
                 GError **error)
{
    const size_t count = (size_t)virBitmapLast(cpus) + 1;
    g_autofree cpu_set_t *set = g_malloc0(CPU_ALLOC_SIZE(count));

    virBitmapForEach(cpus, cpu)
    {
        CPU_SET_S((size_t)cpu, CPU_ALLOC_SIZE(count), set);
    }
    return virDelegateAffinitySet(tune->guest->driver->door, &tune->call, tune->guest->pidfd, tids,
                                  ntids, set, CPU_ALLOC_SIZE(count), error);
}

bool
qemuTunePin(const qemuTune *tune, const virCgroupPart *part, const pid_t *tids, size_t ntids,
            const virBitmap *cpus, GError **error)
{
    g_autofree char *text = virBitmapFormat(cpus);

    return (!qemuTuneHas(tune, VIR_CGROUP_CONTROLLER_CPUSET) ||
            qemuTuneText(tune, part, VIR_CGROUP_CPUSET_CPUS, text, error)) &&
           (ntids == 0 || qemuTuneAffinity(tune, tids, ntids, cpus, error));
}

static bool
qemuTuneIsAmong(const GArray *tids, pid_t tid)
{
    for (guint i = 0; tids && i < tids->len; i++) {
        if (g_array_index(tids, pid_t, i) == tid)
            return true;
    }
    return false;
}

/* The threads of the process but those. */
static GArray *
qemuTuneEmulatorThreads(const qemuTune *tune, const GArray *others)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task", (int)tune->guest->pid);
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    GArray *tids = g_array_new(FALSE, FALSE, sizeof(pid_t));
    const char *name;

    while (folder && (name = g_dir_read_name(folder))) {
        pid_t tid = (pid_t)g_ascii_strtoll(name, NULL, 10);

        if (tid > 0 && !qemuTuneIsAmong(others, tid))
            g_array_append_val(tids, tid);
    }
    return tids;
}

bool
qemuTunePinEmulator(const qemuTune *tune, const GArray *others, const virBitmap *cpus,
                    GError **error)
{
    const virCgroupPart part = {VIR_CGROUP_PART_EMULATOR, 0};
    g_autoptr(GArray) tids = qemuTuneEmulatorThreads(tune, others);

    return qemuTunePin(tune, &part, (const pid_t *)(void *)tids->data, tids->len, cpus, error);
}

/* --- how they are scheduled --- */

static bool
qemuTuneSched(const qemuTune *tune, pid_t tid, const virDomainSched *sched, GError **error)
{
    static const int policies[VIR_SCHED_POLICY_LAST] = {
        [VIR_SCHED_POLICY_NONE] = SCHED_OTHER, [VIR_SCHED_POLICY_BATCH] = SCHED_BATCH,
        [VIR_SCHED_POLICY_IDLE] = SCHED_IDLE,  [VIR_SCHED_POLICY_FIFO] = SCHED_FIFO,
        [VIR_SCHED_POLICY_RR] = SCHED_RR,
    };

    return virDelegateSchedSet(tune->guest->driver->door, &tune->call, tune->guest->pidfd, &tid, 1,
                               policies[sched->policy], sched->priority, error);
}

/* A thread that QEMU makes while it runs begins with the scheduler of its main thread: one that has
 * none of its own goes back to the usual one. */
static bool
qemuTuneOwnSched(const qemuTune *tune, const virDomainDef *def, pid_t tid,
                 const virDomainSched *sched, GError **error)
{
    return (sched->policy == VIR_SCHED_POLICY_NONE &&
            def->tune.cpu.emulatorSched.policy == VIR_SCHED_POLICY_NONE) ||
           qemuTuneSched(tune, tid, sched, error);
}

/* --- parts --- */

/* The host's memory nodes that the part's memory must come from, if any. */
static const virBitmap *
qemuTuneNodes(const virDomainDef *def)
{
    const virDomainNumatune *numa = &def->tune.numa;

    return numa->specified &&
                   (numa->mode == VIR_NUMATUNE_STRICT || numa->mode == VIR_NUMATUNE_RESTRICTIVE)
               ? numa->nodeset
               : NULL;
}

static bool
qemuTuneMakePart(const qemuTune *tune, const virDomainDef *def, const virCgroupPart *part,
                 GError **error)
{
    const virBitmap *nodes = qemuTuneNodes(def);
    g_autofree char *text = nodes ? virBitmapFormat(nodes) : NULL;

    return virDelegateCgroupMakePart(tune->guest->driver->door, &tune->call, tune->guest->group,
                                     part, error) &&
           (!text || !qemuTuneHas(tune, VIR_CGROUP_CONTROLLER_CPUSET) ||
            qemuTuneText(tune, part, VIR_CGROUP_CPUSET_MEMS, text, error));
}

static bool
qemuTunePlace(const qemuTune *tune, const virDomainDef *def, const virCgroupPart *part, pid_t tid,
              GError **error)
{
    return !tune->guest->group ||
           (qemuTuneMakePart(tune, def, part, error) &&
            virDelegateCgroupMoveThreads(tune->guest->driver->door, &tune->call, tune->guest->group,
                                         part, tune->guest->pidfd, &tid, 1, error) &&
            VIR_FAULT_STEP("start:thread-placed", error));
}

static bool
qemuTunePart(const qemuTune *tune, const virDomainDef *def, const virCgroupPart *part, pid_t tid,
             const virBitmap *pin, const virDomainSched *sched, const virOptUInt *period,
             const virOptInt *quota, GError **error)
{
    const virBitmap *cpus = pin ? pin : def->vcpus.cpuset;

    return qemuTunePlace(tune, def, part, tid, error) &&
           (!tune->guest->group || qemuTuneBandwidth(tune, part, period, quota, error)) &&
           (!cpus || qemuTunePin(tune, part, &tid, 1, cpus, error)) &&
           qemuTuneOwnSched(tune, def, tid, sched, error);
}

bool
qemuTuneVcpu(const qemuTune *tune, const virDomainDef *def, unsigned id, pid_t tid, GError **error)
{
    const virDomainVcpu *vcpu = virDomainVcpuAt(&def->vcpus, id);
    const virCgroupPart part = {VIR_CGROUP_PART_VCPU, id};

    return qemuTunePart(tune, def, &part, tid, vcpu->pin, &vcpu->sched, &def->tune.cpu.period,
                        &def->tune.cpu.quota, error);
}

bool
qemuTuneIOThread(const qemuTune *tune, const virDomainDef *def, unsigned id, pid_t tid,
                 GError **error)
{
    static const virDomainIOThread plain = {0};
    const virDomainIOThread *found = virDomainIOThreadFind(&def->iothreads, id);
    const virDomainIOThread *iothread = found ? found : &plain;
    const virCgroupPart part = {VIR_CGROUP_PART_IOTHREAD, id};

    return qemuTunePart(tune, def, &part, tid, iothread->pin, &iothread->sched,
                        &def->tune.cpu.iothreadPeriod, &def->tune.cpu.iothreadQuota, error);
}

bool
qemuTuneDropPart(const qemuTune *tune, virCgroupPartType type, unsigned id, GError **error)
{
    const virCgroupPart part = {type, id};

    return !tune->guest->group ||
           virDelegateCgroupRemovePart(tune->guest->driver->door, &tune->call, tune->guest->group,
                                       &part, error);
}

/* --- the whole --- */

static bool
qemuTuneMemory(const qemuTune *tune, const virDomainMemtune *memory, GError **error)
{
    const struct {
        virCgroupLimit limit;
        const virOptUInt *value;
    } limits[] = {
        {VIR_CGROUP_MEMORY_HARD, &memory->hardLimit},
        {VIR_CGROUP_MEMORY_SOFT, &memory->softLimit},
        {VIR_CGROUP_MEMORY_SWAP, &memory->swapHardLimit},
    };

    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        if (limits[i].value->set &&
            !qemuTuneNumber(tune, NULL, limits[i].limit, (int64_t)limits[i].value->value, error))
            return false;
    }
    return true;
}

static bool
qemuTuneBlkioDevice(const qemuTune *tune, const virDomainBlkioDevice *device, GError **error)
{
    const struct {
        virCgroupLimit limit;
        const virOptUInt *value;
    } limits[] = {
        {VIR_CGROUP_BLKIO_DEVICE_WEIGHT, &device->weight},
        {VIR_CGROUP_BLKIO_READ_IOPS, &device->readIops},
        {VIR_CGROUP_BLKIO_WRITE_IOPS, &device->writeIops},
        {VIR_CGROUP_BLKIO_READ_BYTES, &device->readBytes},
        {VIR_CGROUP_BLKIO_WRITE_BYTES, &device->writeBytes},
    };

    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        if (limits[i].value->value &&
            !qemuTuneDevice(tune, limits[i].limit, device->path, limits[i].value->value, error))
            return false;
    }
    return true;
}

static bool
qemuTuneBlkio(const qemuTune *tune, const virDomainBlkiotune *blkio, GError **error)
{
    if (blkio->weight.value &&
        !qemuTuneNumber(tune, NULL, VIR_CGROUP_BLKIO_WEIGHT, (int64_t)blkio->weight.value, error))
        return false;
    for (guint i = 0; blkio->devices && i < blkio->devices->len; i++) {
        if (!qemuTuneBlkioDevice(tune, g_ptr_array_index(blkio->devices, i), error))
            return false;
    }
    return true;
}

bool
qemuTuneGroup(const qemuTune *tune, const virDomainDef *def, GError **error)
{
    const virDomainCputune *cpu = &def->tune.cpu;
    const virCgroupPart emulator = {VIR_CGROUP_PART_EMULATOR, 0};
    const virBitmap *cpus = cpu->emulatorPin ? cpu->emulatorPin : def->vcpus.cpuset;

    if (!tune->guest->group)
        return true;
    return (!cpu->shares.set ||
            qemuTuneNumber(tune, NULL, VIR_CGROUP_CPU_SHARES, (int64_t)cpu->shares.value, error)) &&
           qemuTuneBandwidth(tune, NULL, &cpu->globalPeriod, &cpu->globalQuota, error) &&
           qemuTuneMemory(tune, &def->tune.memory, error) &&
           qemuTuneBlkio(tune, &def->tune.blkio, error) &&
           qemuTuneMakePart(tune, def, &emulator, error) &&
           qemuTuneBandwidth(tune, &emulator, &cpu->emulatorPeriod, &cpu->emulatorQuota, error) &&
           (!cpus || qemuTunePin(tune, &emulator, NULL, 0, cpus, error)) &&
           VIR_FAULT_STEP("start:group-tuned", error);
}

/* --- threads --- */

unsigned
qemuIOThreadNumber(const char *alias)
{
    guint64 id = 0;

    return alias && g_str_has_prefix(alias, "iothread") &&
                   g_ascii_string_to_unsigned(alias + strlen("iothread"), 10, 1, G_MAXUINT32, &id,
                                              NULL)
               ? (unsigned)id
               : 0;
}

pid_t
qemuIOThreadTid(virJSON *iothreads, unsigned id)
{
    for (size_t i = 0; iothreads && i < virJSONLength(iothreads); i++) {
        virJSON *one = virJSONAt(iothreads, i);
        int64_t tid;

        if (qemuIOThreadNumber(virJSONGetString(one, "id")) == id &&
            virJSONGetInt(one, "thread-id", &tid))
            return (pid_t)tid;
    }
    return 0;
}

static bool
qemuTuneIOThreads(const qemuTune *tune, const virDomainDef *def, virJSON *iothreads, GArray *placed,
                  GError **error)
{
    for (guint i = 0; i < virDomainIOThreadCount(&def->iothreads); i++) {
        const unsigned id = virDomainIOThreadAt(&def->iothreads, i)->id;
        pid_t tid = qemuIOThreadTid(iothreads, id);

        if (tid == 0)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                               _("cannot find new IOThread '%u' in QEMU monitor."), id);
        if (!qemuTuneIOThread(tune, def, id, tid, error))
            return false;
        g_array_append_val(placed, tid);
    }
    return true;
}

bool
qemuTuneThreads(const qemuTune *tune, const virDomainDef *def, const GArray *vcpus,
                virJSON *iothreads, GError **error)
{
    const virDomainCputune *cpu = &def->tune.cpu;
    const virBitmap *cpus = cpu->emulatorPin ? cpu->emulatorPin : def->vcpus.cpuset;
    g_autoptr(GArray) placed = g_array_new(FALSE, FALSE, sizeof(pid_t));

    for (guint i = 0; i < vcpus->len; i++) {
        const qemuVcpu *vcpu = &g_array_index(vcpus, qemuVcpu, i);

        if ((unsigned)vcpu->index >= virDomainVcpusMax(&def->vcpus))
            continue;
        /* TCG may run all vCPUs in one thread: the first has it then */
        if (!qemuTuneIsAmong(placed, vcpu->tid) &&
            !qemuTuneVcpu(tune, def, (unsigned)vcpu->index, vcpu->tid, error))
            return false;
        g_array_append_val(placed, vcpu->tid);
    }
    return qemuTuneIOThreads(tune, def, iothreads, placed, error) &&
           (!cpus || qemuTunePinEmulator(tune, placed, cpus, error)) &&
           (cpu->emulatorSched.policy == VIR_SCHED_POLICY_NONE ||
            qemuTuneSched(tune, tune->guest->pid, &cpu->emulatorSched, error));
}
