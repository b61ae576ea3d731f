/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * reconnect.c: after a restart of the daemon: every guest is either taken up again or taken back.
 *
 * A status file says what was made or about to be made. A process that is alive and whose start was
 * finished is adopted: gate first, then its monitor, all guests at once, each in a job of its own.
 * A start that was cut off, or a process that is gone, is undone as any other end. */
#include "qemu/reconnect.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "qemu/buildctx.h"
#include "qemu/denials.h"
#include "qemu/gateowners.h"
#include "qemu/gaterules.h"
#include "qemu/gatesettings.h"
#include "qemu/grants.h"
#include "qemu/guest.h"
#include "qemu/guestvcpu.h"
#include "qemu/hostfiles.h"
#include "qemu/hostpci.h"
#include "qemu/hotplug.h"
#include "qemu/lifecycle.h"
#include "qemu/owed.h"
#include "qemu/status.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virlog.h"
#include "util/virparallel.h"

/* --- reading --- */

enum { QEMU_RECONNECT_FILES_A_THREAD = 8 }; /* what a thread is worth */

/* A status file, and what was found. */
typedef struct {
    char *path;
    qemuStatus *status;
    int pidfd;     /* of its process; -1: has ended */
    GError *error; /* why there is no status */
} qemuReconnectEntry;

static void
qemuReconnectEntryFree(void *opaque)
{
    qemuReconnectEntry *entry = opaque;

    qemuStatusFree(entry->status);
    virCloseFd(&entry->pidfd);
    g_clear_error(&entry->error);
    g_free(entry->path);
    g_free(entry);
}

/* The process, if it still is the one that was started; else -1. */
static int
qemuReconnectOpenProcess(const qemuStatus *status)
{
    VIR_AUTOCLOSE pidfd = -1;

    if (status->pid <= 0)
        return -1;
    pidfd = (int)syscall(SYS_pidfd_open, status->pid, 0);
    /* the number may be another process's by now; a descriptor that is held can't change */
    if (pidfd >= 0 && status->startTime && qemuProcessStartTime(status->pid) != status->startTime)
        return -1;
    return g_steal_fd(&pidfd);
}

static void
qemuReconnectEntryRead(unsigned index, void *opaque)
{
    qemuReconnectEntry *entry = g_ptr_array_index((GPtrArray *)opaque, index);

    entry->status = qemuStatusRead(entry->path, &entry->error);
    if (entry->status)
        entry->pidfd = qemuReconnectOpenProcess(entry->status);
}

static virDomainObj *
qemuReconnectObject(qemuDriver *driver, const qemuStatus *status, GError **error)
{
    virDomainObj *obj = virDomainRegistryByUUID(driver->domains, status->def->uuid);

    return obj ? obj
               : virDomainRegistryAdd(driver->domains, status->def->name, status->def->uuid, error);
}

static void
qemuReconnectEntryAdd(qemuDriver *driver, qemuReconnectEntry *entry)
{
    qemuStatus *status = entry->status;
    g_autoptr(virDomainObj) obj =
        status ? qemuReconnectObject(driver, status, &entry->error) : NULL;
    qemuGuest *guest;

    if (!obj)
        return;
    guest = qemuGuestNew(driver, obj);
    guest->stateDir = g_steal_pointer(&status->stateDir);
    guest->channelDir = g_steal_pointer(&status->channelDir);
    guest->pid = status->pid;
    guest->startTime = status->startTime;
    guest->balloonKiB = status->balloonKiB;
    guest->memlockBefore = status->memlockBefore;
    guest->lastBlockNode = status->lastBlockNode;
    guest->change = g_steal_pointer(&status->change);
    guest->connecting = true;
    guest->starting = status->starting;
    guest->rebooting = status->rebooting;
    guest->fresh = status->fresh;
    g_ptr_array_unref(guest->resources);
    guest->resources = g_steal_pointer(&status->resources);
    guest->grants = g_steal_pointer(&status->grants);
    g_array_append_vals(guest->vcpus, status->vcpus->data, status->vcpus->len);
    for (guint i = 0; i < guest->resources->len; i++) {
        const qemuResource *resource = g_ptr_array_index(guest->resources, i);

        if (resource->type == QEMU_RESOURCE_PORT)
            g_hash_table_add(driver->ports, GUINT_TO_POINTER(resource->number));
        if (resource->type == QEMU_RESOURCE_PCI)
            qemuHostPCIReclaim(driver, obj->name, resource);
        if (resource->type == QEMU_RESOURCE_TAP || resource->type == QEMU_RESOURCE_MACVTAP)
            virNetDevTapReserve(resource->name);
    }
    guest->pidfd = g_steal_fd(&entry->pidfd);
    guest->gone = guest->pidfd < 0;
    obj->guest = guest;
    driver->nextID = MAX(driver->nextID, status->id);
    virDomainRegistrySetID(driver->domains, obj, status->id);
    virDomainObjSetState(obj, status->state, status->reason);
    obj->live = virDomainDocNew(g_steal_pointer(&status->def));
    driver->reconnecting++;
}

/* --- what nobody knows any more --- */

/* Groups are named in status files before they are made; one that is in none was given up when it
 * could not be removed. Processes in it are not ours to judge. */
static void
qemuReconnectSweepGroup(qemuDriver *driver, const char *name)
{
    virDelegateCall call = {.domain = name, .phase = VIR_DELEGATE_PHASE_TEARDOWN};
    g_autoptr(virCgroup) group = virCgroupNew(driver->cgroups, name);
    g_autoptr(GError) error = NULL;
    bool populated = false;

    if (virCgroupIsPopulated(group, &populated, NULL) && populated)
        VIR_WARN("control group '%s' has processes, but belongs to no guest that is known", name);
    else if (!virDelegateCgroupRemove(driver->door, &call, group, 0, &error))
        VIR_WARN("control group '%s' of a former guest: %s", name, error->message);
}

/* Of all guests that are known. Lock held; the strings are the caller's, too. */
static GHashTable *
qemuReconnectKnownGroups(const qemuDriver *driver)
{
    g_autoptr(GPtrArray) all = virDomainRegistryAll(driver->domains);
    GHashTable *groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < all->len; i++) {
        const qemuGuest *guest = qemuGuestOf(g_ptr_array_index(all, i));

        for (guint j = 0; guest && j < guest->resources->len; j++) {
            const qemuResource *resource = g_ptr_array_index(guest->resources, j);

            if (resource->type == QEMU_RESOURCE_GROUP)
                g_hash_table_add(groups, g_strdup(resource->name));
        }
    }
    return groups;
}

static GPtrArray *
qemuReconnectListGroups(qemuDriver *driver)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *names = virCgroupInstanceList(driver->cgroups, &error);

    if (!names)
        VIR_WARN("%s", error->message);
    return names;
}

static void
qemuReconnectSweepGroups(qemuDriver *driver, const GPtrArray *names, const GHashTable *known)
{
    for (guint i = 0; names && i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);

        if (!g_hash_table_contains((GHashTable *)known, name))
            qemuReconnectSweepGroup(driver, name);
    }
}

/* A group is in its guest's list before it is made. So one that was there first and is in no list
 * afterwards belongs to nobody. */
void
qemuReconnectSweepLeft(void *opaque)
{
    qemuDriver *driver = opaque;
    g_autoptr(GPtrArray) names = driver->cgroups ? qemuReconnectListGroups(driver) : NULL;
    g_autoptr(GHashTable) known = NULL;

    {
        VIR_CORE_GUARD;

        known = qemuReconnectKnownGroups(driver);
    }
    qemuReconnectSweepGroups(driver, names, known);
}

/* Before the first client is answered, so that no start comes in between. Lock held, given up. */
static void
qemuReconnectSweep(qemuDriver *driver)
{
    g_autoptr(GPtrArray) all = virDomainRegistryAll(driver->domains);
    g_autofree uint8_t(*uuids)[16] = g_malloc0(16 * (all->len + 1));
    g_autoptr(GHashTable) groups = qemuReconnectKnownGroups(driver);
    g_autoptr(GError) error = NULL;
    size_t n = 0;

    for (guint i = 0; i < all->len; i++) {
        const virDomainObj *obj = g_ptr_array_index(all, i);
        const qemuGuest *guest = qemuGuestOf(obj);

        if (guest)
            memcpy(uuids[n++], obj->uuid, 16);
    }
    {
        VIR_CORE_UNLOCKED;
        g_autoptr(GPtrArray) names = qemuReconnectListGroups(driver);

        qemuReconnectSweepGroups(driver, names, groups);
        if (!virDelegateGateSweep(driver->door, (const uint8_t(*)[16])uuids, n, NULL, &error))
            VIR_WARN("pins of former guests: %s", error->message);
    }
}

void
qemuReconnectLoad(qemuDriver *driver)
{
    g_autofree char *folder = g_build_filename(driver->paths.run, "qemu", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(qemuReconnectEntryFree);
    const char *name;

    virFileSweep(folder);
    while (dir && (name = g_dir_read_name(dir))) {
        qemuReconnectEntry *entry;

        if (!g_str_has_suffix(name, ".xml"))
            continue;
        entry = g_new0(qemuReconnectEntry, 1);
        entry->path = g_build_filename(folder, name, NULL);
        entry->pidfd = -1;
        g_ptr_array_add(entries, entry);
    }
    virParallelFor(entries->len, QEMU_RECONNECT_FILES_A_THREAD, qemuReconnectEntryRead, entries);
    {
        VIR_CORE_GUARD;

        for (guint i = 0; i < entries->len; i++)
            qemuReconnectEntryAdd(driver, g_ptr_array_index(entries, i));
        qemuReconnectSweep(driver);
    }
    for (guint i = 0; i < entries->len; i++) {
        const qemuReconnectEntry *entry = g_ptr_array_index(entries, i);

        if (entry->error)
            VIR_WARN("status file %s is left out: %s", entry->path, entry->error->message);
    }
}

/* --- taking up --- */

/* What the live document implies; the kernel's rules are brought to it. Without the lock. */
static bool
qemuReconnectGate(qemuGuest *guest, const virDomainDef *def, GError **error)
{
    g_auto(qemuBuild) build = {0};
    g_autoptr(virHostAccess) access = virHostAccessNew();
    g_autoptr(virDeviceRules) rules = NULL;
    virGateSettings settings;
    virDelegateCall call = {.domain = def->name, .phase = VIR_DELEGATE_PHASE_RECONNECT};
    virGateFound found;
    const char *name = NULL;

    for (guint i = 0; i < guest->resources->len; i++) {
        const qemuResource *resource = g_ptr_array_index(guest->resources, i);

        if (resource->type == QEMU_RESOURCE_GROUP)
            name = resource->name;
    }
    if (!name)
        return true; /* was started where there are no groups */
    memcpy(call.uuid, def->uuid, sizeof(call.uuid));
    guest->group = virCgroupOpen(guest->driver->cgroups, name, error);
    if (!guest->group)
        return false;
    if (!guest->driver->privileged && !virDelegateHasGates(guest->driver->door, &call) &&
        !qemuGateOwnersHas(guest->driver, def->name))
        return true; /* nor had it one: root's gates are found again without any right */
    qemuBuildInit(&build, guest->driver, def, guest->caps, guest->stateDir, guest->channelDir);
    qemuTouches(def, &build.base, access);
    qemuChangeTouches(guest->change, &build.base, access);
    rules = qemuGateRules(guest->driver, access, error);
    if (!rules || !qemuGateSettings(guest->driver, def, &settings, error) ||
        !virDelegateGateReopen(guest->driver->door, &call, guest->group, rules, &settings,
                               &guest->gate, &found, error))
        return false;
    qemuDenialsFollow(guest);
    qemuGateOwnersSave(guest);
    return true;
}

/* Its state may have changed while nobody listened. Lock held. */
static bool
qemuReconnectAsk(virDomainObj *obj, GError **error)
{
    qemuGuest *guest = qemuGuestOf(obj);
    unsigned timeout = guest->driver->config.monitorTimeout_ms;
    g_autoptr(qmpRequest) status = qmpClientSend(guest->monitor, "query-status", NULL);
    g_autoptr(qmpRequest) cpus = qmpClientSend(guest->monitor, "query-cpus-fast", NULL);
    g_autoptr(virJSON) statusReply = NULL;
    g_autoptr(virJSON) cpuReply = NULL;
    const char *text;

    if (!qmpRequestWait(status, timeout, &statusReply, error) ||
        !qmpRequestWait(cpus, timeout, &cpuReply, error))
        return false;
    qemuGuestLearnVcpus(guest, cpuReply);
    text = virJSONGetString(statusReply, "status");
    if (virJSONGetBool(statusReply, "running", false)) {
        if (obj->state != VIR_DOMAIN_RUNNING)
            virDomainObjSetState(obj, VIR_DOMAIN_RUNNING, VIR_RUNNING_UNPAUSED);
    } else if (g_strcmp0(text, "shutdown") == 0) {
        guest->shutdownSeen = true;
        guest->endAction = qemuLifecycleOfEnd(&virDomainObjDef(obj)->lifecycle, NULL);
        virDomainObjSetState(obj, VIR_DOMAIN_SHUTDOWN, VIR_SHUTDOWN_UNKNOWN);
    } else if (obj->state == VIR_DOMAIN_RUNNING) {
        virDomainObjSetState(obj, VIR_DOMAIN_PAUSED,
                             g_strcmp0(text, "io-error") == 0 ? VIR_PAUSED_IOERROR
                                                              : VIR_PAUSED_UNKNOWN);
    }
    return qemuGuestFollowVcpus(obj, error);
}

static bool
qemuReconnectMonitor(virDomainObj *obj, GError **error)
{
    qemuGuest *guest = qemuGuestOf(obj);
    g_autofree char *path = g_build_filename(guest->stateDir, "monitor.sock", NULL);
    int fd;

    if (!qemuGuestWatchExit(guest, error))
        return false;
    {
        VIR_CORE_UNLOCKED;

        fd = qemuConnectUnix(path, error);
    }
    if (fd < 0)
        return false;
    guest->monitor = qmpClientNew(fd, &qemuMonitorCallbacks, guest, error);
    return guest->monitor &&
           qmpClientWaitReady(guest->monitor, guest->driver->config.monitorTimeout_ms, error) &&
           qemuReconnectAsk(obj, error);
}

/* What takes a processor is done by as many jobs at once as there are processors: with a hundred
 * guests the first clients would wait for all of them. */
static struct {
    unsigned busy;
    GCond free;
} working; /* (lock) */

static void
qemuReconnectWork(qemuGuest *guest)
{
    g_autoptr(virDomainDoc) live = virDomainDocRef(guest->obj->live);
    g_autoptr(GError) error = NULL;
    bool ok;

    while (working.busy >= g_get_num_processors())
        (void)virCoreWait(&working.free, g_get_monotonic_time() + G_USEC_PER_SEC);
    working.busy++;
    {
        VIR_CORE_UNLOCKED;

        guest->caps = qemuDriverGuestCaps(guest->driver, virDomainDocDef(live), &error);
        ok = guest->caps && qemuReconnectGate(guest, virDomainDocDef(live), &error);
    }
    working.busy--;
    g_cond_signal(&working.free);
    if (!ok)
        VIR_WARN("domain '%s': its device gate: %s", guest->obj->name, error->message);
}

/* A guest that lives but cannot be spoken to stays: only what needs its monitor fails. */
static void
qemuReconnectAdopt(virDomainObj *obj)
{
    qemuGuest *guest = qemuGuestOf(obj);
    g_autoptr(GError) error = NULL;

    qemuReconnectWork(guest);
    if (!qemuReconnectMonitor(obj, &error)) {
        VIR_WARN("domain '%s': its monitor: %s", obj->name, error->message);
        g_clear_error(&error);
    } else {
        qemuPlugRecover(obj);
    }
    guest->connecting = false;
    if (guest->shutdownSeen && !guest->gone)
        qemuGuestShutdownSeen(guest);
}

/* Autostart is for the machine's start, not for every restart of the daemon: a mark among the files
 * that die with the machine tells the two apart. */
static bool
qemuReconnectIsFirstStart(const qemuDriver *driver)
{
    g_autofree char *path = g_build_filename(driver->paths.run, "autostarted", NULL);
    VIR_CORE_UNLOCKED;
    VIR_AUTOCLOSE fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    return fd >= 0;
}

/* Guests marked so are started when all that were there are known. */
static void
qemuReconnectAutostart(void *opaque)
{
    qemuDriver *driver = opaque;
    g_autoptr(GPtrArray) all = NULL;
    VIR_CORE_GUARD;

    if (!qemuReconnectIsFirstStart(driver))
        return;
    all = virDomainRegistryAll(driver->domains);
    for (guint i = 0; i < all->len; i++) {
        virDomainObj *obj = g_ptr_array_index(all, i);
        g_autoptr(GError) error = NULL;

        if (!obj->autostart ||
            !virDomainObjBeginJob(obj, "autostart", VIR_DOMAIN_JOB_WAIT_MS, NULL))
            continue;
        if (!virDomainObjIsActive(obj) && !obj->guest && virDomainObjIsPersistent(obj) &&
            !qemuGuestStart(driver, obj, virDomainDefCopy(virDomainDocDef(obj->config)), 0, &error))
            VIR_WARN("domain '%s' cannot be started: %s", obj->name, error->message);
        virDomainObjEndJob(obj);
    }
}

static void
qemuReconnectOne(void *opaque)
{
    g_autoptr(virDomainObj) obj = opaque;
    qemuDriver *driver = qemuGuestOf(obj)->driver;
    qemuGuest *guest;
    VIR_CORE_GUARD;

    if (virDomainObjBeginJob(obj, "reconnect", VIR_DOMAIN_JOB_WAIT_MS, NULL)) {
        guest = qemuGuestOf(obj);
        if (guest && (guest->starting || guest->gone)) {
            guest->stopReason = guest->starting ? VIR_SHUTOFF_FAILED : VIR_SHUTOFF_CRASHED;
            guest->stopDetail = VIR_STOPPED_FAILED;
            if (!guest->gone)
                qemuGuestKill(guest);
            qemuGuestFinish(obj);
        } else if (guest) {
            qemuReconnectAdopt(obj);
        }
        virDomainObjEndJob(obj);
    }
    if (--driver->reconnecting == 0)
        virCoreRunJob(qemuReconnectAutostart, driver);
}

static void
qemuReconnectPost(virDomainObj *obj, void *opaque)
{
    (void)opaque;
    if (obj->guest)
        virCoreRunJob(qemuReconnectOne, virDomainObjRef(obj));
}

void
qemuDriverReconnect(qemuDriver *driver)
{
    VIR_CORE_GUARD;

    qemuGrantsAttach(driver);
    qemuOwedRetry(driver, 0);
    if (driver->reconnecting == 0)
        virCoreRunJob(qemuReconnectAutostart, driver);
    virDomainRegistryForEach(driver->domains, qemuReconnectPost, NULL);
}
