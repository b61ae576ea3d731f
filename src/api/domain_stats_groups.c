/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_stats_groups.c: each group of domain statistics: from a snapshot of the domain, QEMU's
 * answers and the kernel's counters to typed parameters. Without the core lock. */
#include "api/domain_stats.h"
#include "device/disk/disk.h"
#include "device/interface/interface.h"
#include "qemu/guest.h"
#include "qemu/memorystats.h"
#include "util/netdev/virnetdev.h"
#include "util/storage/virimage.h"
#include "util/virprocstat.h"

static void
virApiStatsState(const virApiStatsTarget *target, virApiParams *params)
{
    virApiParamsInt(params, target->state, "state.state");
    virApiParamsInt(params, target->reason, "state.reason");
}

/* Of the group if there is one: it counts helpers of the guest, and lives as long as it. */
static void
virApiStatsCPU(const virApiStatsTarget *target, virApiParams *params)
{
    uint64_t total = 0, user = 0, system = 0;
    virProcStat usage;

    if (!target->active)
        return;
    if (target->group && virCgroupGetCpuUsage(target->group, &total, &user, &system, NULL)) {
        /* as the kernel counts it */
    } else if (virProcStatRead(target->pid, 0, &usage)) {
        user = usage.user_ns;
        system = usage.system_ns;
        total = user + system;
    } else {
        return;
    }
    virApiParamsULLong(params, total, "cpu.time");
    virApiParamsULLong(params, user, "cpu.user");
    virApiParamsULLong(params, system, "cpu.system");
    virApiParamsUInt(params, 0, "cpu.cache.monitor.count");
}

/* --- memory --- */

static void
virApiStatsBalloon(const virApiStatsTarget *target, virApiParams *params)
{
    static const char *const names[QEMU_MEMORY_STAT_LAST] = {
        [QEMU_MEMORY_SWAP_IN] = "swap_in",
        [QEMU_MEMORY_SWAP_OUT] = "swap_out",
        [QEMU_MEMORY_MAJOR_FAULT] = "major_fault",
        [QEMU_MEMORY_MINOR_FAULT] = "minor_fault",
        [QEMU_MEMORY_UNUSED] = "unused",
        [QEMU_MEMORY_AVAILABLE] = "available",
        [QEMU_MEMORY_USABLE] = "usable",
        [QEMU_MEMORY_LAST_UPDATE] = "last-update",
        [QEMU_MEMORY_DISK_CACHES] = "disk_caches",
        [QEMU_MEMORY_HUGETLB_ALLOC] = "hugetlb_pgalloc",
        [QEMU_MEMORY_HUGETLB_FAIL] = "hugetlb_pgfail",
    };
    qemuMemoryStat stats[QEMU_MEMORY_STAT_LAST];
    virProcStat usage;
    size_t count;

    virApiParamsULLong(params, target->balloonKiB, "balloon.current");
    virApiParamsULLong(params, target->maximumKiB, "balloon.maximum");
    if (!target->active)
        return;
    count = qemuMemoryStatsRead(NULL, qemuAskAnswer(target->ask, QEMU_QUESTION_GUEST_STATS), stats);
    for (size_t i = 0; i < count; i++) {
        if (names[stats[i].tag])
            virApiParamsULLong(params, stats[i].value, "balloon.%s", names[stats[i].tag]);
    }
    if (virProcStatRead(target->pid, 0, &usage))
        virApiParamsULLong(params, usage.rssKiB, "balloon.rss");
}

/* --- processors --- */

static void
virApiStatsVcpu(const virApiStatsTarget *target, virApiParams *params)
{
    enum { RUNNING = 1 };
    const virDomainVcpus *vcpus = &virDomainDocDef(target->doc)->vcpus;

    virApiParamsUInt(params, virDomainVcpusOnline(vcpus), "vcpu.current");
    virApiParamsUInt(params, virDomainVcpusMax(vcpus), "vcpu.maximum");
    for (guint i = 0; target->vcpus && i < target->vcpus->len; i++) {
        const qemuVcpu *vcpu = &g_array_index(target->vcpus, qemuVcpu, i);
        virProcStat usage;
        uint64_t wait_ns;

        virApiParamsInt(params, RUNNING, "vcpu.%d.state", vcpu->index);
        if (!virProcStatRead(target->pid, vcpu->tid, &usage))
            continue;
        virApiParamsULLong(params, usage.user_ns + usage.system_ns, "vcpu.%d.time", vcpu->index);
        if (virProcStatReadWait(target->pid, vcpu->tid, &wait_ns))
            virApiParamsULLong(params, wait_ns, "vcpu.%d.wait", vcpu->index);
        virApiParamsULLong(params, usage.delay_ns, "vcpu.%d.delay", vcpu->index);
    }
}

/* --- network cards --- */

static void
virApiStatsInterfaceOne(const virInterface *iface, unsigned index, virApiParams *params)
{
    bool swapped = !virInterfaceSharesHostView(iface);
    virNetDevStats stats;

    virApiParamsString(params, iface->ifname, "net.%u.name", index);
    if (!virNetDevGetStats(iface->ifname, swapped, &stats, NULL))
        return;
    virApiParamsULLong(params, (uint64_t)stats.rxBytes, "net.%u.rx.bytes", index);
    virApiParamsULLong(params, (uint64_t)stats.rxPackets, "net.%u.rx.pkts", index);
    virApiParamsULLong(params, (uint64_t)stats.rxErrors, "net.%u.rx.errs", index);
    virApiParamsULLong(params, (uint64_t)stats.rxDrops, "net.%u.rx.drop", index);
    virApiParamsULLong(params, (uint64_t)stats.txBytes, "net.%u.tx.bytes", index);
    virApiParamsULLong(params, (uint64_t)stats.txPackets, "net.%u.tx.pkts", index);
    virApiParamsULLong(params, (uint64_t)stats.txErrors, "net.%u.tx.errs", index);
    virApiParamsULLong(params, (uint64_t)stats.txDrops, "net.%u.tx.drop", index);
}

static unsigned
virApiStatsCount(const virDomainDef *def, const virDeviceKind *kind)
{
    unsigned count = 0;

    for (guint i = 0; i < def->devices->len; i++)
        count += ((const virDevice *)g_ptr_array_index(def->devices, i))->kind == kind;
    return count;
}

static void
virApiStatsInterface(const virApiStatsTarget *target, virApiParams *params)
{
    const virDomainDef *def = virDomainDocDef(target->doc);
    unsigned index = 0;

    if (!target->active)
        return;
    virApiParamsUInt(params, virApiStatsCount(def, &virInterfaceKind), "net.count");
    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind != &virInterfaceKind)
            continue;
        if (VIR_INTERFACE(dev)->ifname)
            virApiStatsInterfaceOne(VIR_INTERFACE(dev), index, params);
        index++;
    }
}

/* --- disks --- */

/* What the host knows of an image that no QEMU has open. */
static bool
virApiStatsImageSizes(const virStorageSource *src, virImageSizes *retSizes, void *opaque)
{
    VIR_AUTOCLOSE fd = -1;

    if (!virStorageSourceIsLocal(src) || !src->path)
        return false;
    fd = virImageOpen(src->path, NULL);
    return fd >= 0 && virImageGetSizes(fd, src->path, src->format, retSizes, NULL);
}

static void
virApiStatsBlock(const virApiStatsTarget *target, virApiParams *params)
{
    g_autoptr(GHashTable) table = NULL;

    if (target->active)
        table = qemuBlockStatsRead(qemuAskAnswer(target->ask, QEMU_QUESTION_BLOCKS),
                                   qemuAskAnswer(target->ask, QEMU_QUESTION_NODES),
                                   qemuAskAnswer(target->ask, QEMU_QUESTION_IMAGES));
    qemuBlockStatsBulk(virDomainDocDef(target->doc)->devices, table, target->backing,
                       virApiStatsImageSizes, virApiParamsStat, params);
}

/* --- threads and migration's measure --- */

static void
virApiStatsIOThread(const virApiStatsTarget *target, virApiParams *params)
{
    virJSON *threads = qemuAskAnswer(target->ask, QEMU_QUESTION_IOTHREADS);

    if (!threads || virJSONLength(threads) == 0)
        return;
    virApiParamsUInt(params, (unsigned)virJSONLength(threads), "iothread.count");
    for (size_t i = 0; i < virJSONLength(threads); i++) {
        virJSON *thread = virJSONAt(threads, i);
        const char *alias = virJSONGetString(thread, "id");
        uint64_t value;
        unsigned id;

        if (!alias || sscanf(alias, "iothread%u", &id) != 1 ||
            !virJSONGetUInt(thread, "poll-max-ns", &value))
            continue;
        virApiParamsULLong(params, value, "iothread.%u.poll-max-ns", id);
        if (virJSONGetUInt(thread, "poll-grow", &value))
            virApiParamsUInt(params, (unsigned)value, "iothread.%u.poll-grow", id);
        if (virJSONGetUInt(thread, "poll-shrink", &value))
            virApiParamsUInt(params, (unsigned)value, "iothread.%u.poll-shrink", id);
    }
}

static void
virApiStatsDirtyRate(const virApiStatsTarget *target, virApiParams *params)
{
    static const char *const states[] = {"unstarted", "measuring", "measured"};
    virJSON *rate = qemuAskAnswer(target->ask, QEMU_QUESTION_DIRTY_RATE);
    virJSON *perVcpu;
    const char *mode;
    int64_t value;

    if (!rate)
        return;
    mode = virJSONGetString(rate, "mode");
    for (int i = 0; i < (int)G_N_ELEMENTS(states); i++) {
        if (g_strcmp0(virJSONGetString(rate, "status"), states[i]) == 0)
            virApiParamsInt(params, i, "dirtyrate.calc_status");
    }
    if (virJSONGetInt(rate, "start-time", &value))
        virApiParamsLLong(params, value, "dirtyrate.calc_start_time");
    if (virJSONGetInt(rate, "calc-time", &value))
        virApiParamsInt(params, (int)value, "dirtyrate.calc_period");
    virApiParamsString(params, mode ? mode : "page-sampling", "dirtyrate.calc_mode");
    if (!virJSONGetInt(rate, "dirty-rate", &value))
        return;
    virApiParamsLLong(params, value, "dirtyrate.megabytes_per_second");
    perVcpu = virJSONGetArray(rate, "vcpu-dirty-rate");
    for (size_t i = 0; perVcpu && i < virJSONLength(perVcpu); i++) {
        virJSON *one = virJSONAt(perVcpu, i);
        int64_t id;

        if (virJSONGetInt(one, "id", &id) && virJSONGetInt(one, "dirty-rate", &value))
            virApiParamsULLong(params, (uint64_t)value, "dirtyrate.vcpu.%d.megabytes_per_second",
                               (int)id);
    }
}

/* perf and memory bandwidth count only where events and monitors are set up, and none can be. */
const virApiStatsGroup virApiStatsGroups[] = {
    {1 << 0, 0, virApiStatsState},
    {1 << 1, 0, virApiStatsCPU},
    {1 << 2, QEMU_ASK(QEMU_QUESTION_GUEST_STATS), virApiStatsBalloon},
    {1 << 3, 0, virApiStatsVcpu},
    {1 << 4, 0, virApiStatsInterface},
    {1 << 5,
     QEMU_ASK(QEMU_QUESTION_BLOCKS) | QEMU_ASK(QEMU_QUESTION_NODES) |
         QEMU_ASK(QEMU_QUESTION_IMAGES),
     virApiStatsBlock},
    {1 << 7, QEMU_ASK(QEMU_QUESTION_IOTHREADS), virApiStatsIOThread},
    {1 << 9, QEMU_ASK(QEMU_QUESTION_DIRTY_RATE), virApiStatsDirtyRate},
    {0},
};
