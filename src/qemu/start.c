/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * start.c: from a document to a running guest, step by step.
 *
 * The whole of it runs in a job without the core lock: the document and the guest are private until
 * they are published at the end. Before anything is made, the status file names it, so that a
 * daemon that is killed at any step can take it back at its next start. Order: folders, group,
 * gate, devices, QEMU (born in the gated group), its monitor. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "delegate/virhandlergrants.h"
#include "qemu/argv.h"
#include "qemu/barrier.h"
#include "qemu/buildctx.h"
#include "qemu/denials.h"
#include "qemu/firmware.h"
#include "qemu/gateowners.h"
#include "qemu/gaterules.h"
#include "qemu/gatesettings.h"
#include "qemu/guest.h"
#include "qemu/guestcpu.h"
#include "qemu/guestlog.h"
#include "qemu/guestmemlock.h"
#include "qemu/guestvcpu.h"
#include "qemu/hostfiles.h"
#include "qemu/hostpci.h"
#include "qemu/incoming.h"
#include "qemu/lifecycle.h"
#include "qemu/nvram.h"
#include "qemu/prepare.h"
#include "qemu/privatedev.h"
#include "qemu/tune.h"
#include "qmp/qmpfirmware.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virfile.h"
#include "util/virlog.h"
#include "util/virprocstat.h"
#include "util/virsecure.h"
#include "util/virspawn.h"
#include "util/viruuid.h"

/* All that a start holds beside the guest itself. */
typedef struct {
    qemuGuest *guest;
    qemuDriver *driver;
    virDomainDef *def; /* owned until published */
    virDelegateCall call;
    qemuBuild build;
    qmpPlan *plan;
    bool resetNvram;
    qemuHostFds *fds;
    virDeviceRules *rules;
    virSpawnHeld *held; /* QEMU's process before it is QEMU's: where systemd makes its group */
    GArray *nodes;      /* virSpawnNode: of the guest's own /dev; NULL: the host's */
    int streamFd;       /* what it is loaded from; -1: it boots */
    bool isIncoming;
    int logFd;
    off_t logStart; /* where this start's part of the log begins */
} qemuStart;

static void
qemuStartClear(qemuStart *start)
{
    virDomainDefFree(start->def);
    qemuBuildClear(&start->build);
    qmpPlanFree(start->plan);
    qemuHostFdsFree(start->fds);
    virDeviceRulesFree(start->rules);
    virSpawnHeldFree(start->held);
    g_clear_pointer(&start->nodes, g_array_unref);
    virCloseFd(&start->streamFd);
    virCloseFd(&start->logFd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(qemuStart, qemuStartClear)

/* --- what is chosen at each start --- */

static unsigned
qemuStartPort(unsigned wanted, const char *alias, void *opaque, GError **error)
{
    qemuStart *start = opaque;
    unsigned port = qemuPortTake(start->driver, wanted, error);

    if (port) {
        qemuResource *resource = qemuResourceNew(QEMU_RESOURCE_PORT, NULL, alias);

        resource->number = port;
        g_ptr_array_add(start->guest->resources, resource);
    }
    return port;
}

/* The claim itself is the host step's; here a number is found that is free now. */
static uint64_t
qemuStartContextId(uint64_t wanted, void *opaque, GError **error)
{
    qemuStart *start = opaque;
    uint64_t cid = wanted;
    VIR_AUTOCLOSE fd = -1;

    if (!virDelegateDeviceOpen(start->driver->door, &start->call, VIR_DELEGATE_DEVICE_VHOST_VSOCK,
                               NULL, O_RDWR, &fd, error) ||
        !qemuVsockClaim(fd, &cid, error))
        return 0;
    return cid;
}

static unsigned
qemuStartBlockNode(void *opaque)
{
    qemuStart *start = opaque;

    return ++start->guest->lastBlockNode;
}

static bool
qemuStartClaim(qemuStart *start, GError **error)
{
    qemuClaims claims = {.port = qemuStartPort,
                         .contextId = qemuStartContextId,
                         .blockNode = qemuStartBlockNode,
                         .opaque = start};

    qemuBuildClaimsOfHost(&claims);
    return qemuDevicesClaim(start->def->devices, &start->build.base, &claims, error) &&
           qemuDevicesDiscover(start->def->devices, &start->build.base, &claims, error);
}

/* --- what is going to be made --- */

static void
qemuStartList(qemuStart *start, qemuResourceType type, const char *name)
{
    g_ptr_array_add(start->guest->resources, qemuResourceNew(type, name, NULL));
}

/* Files that change hands while the guest runs; who had them is read now, for the way back. */
static bool
qemuStartListOwners(qemuStart *start, const virHostAccess *access, GError **error)
{
    for (guint i = 0; i < access->resources->len; i++) {
        const virHostResource *wanted = g_ptr_array_index(access->resources, i);
        qemuResource *resource;
        struct stat st;

        if (!wanted->own)
            continue;
        if (stat(wanted->path, &st) < 0) {
            if (wanted->optional && errno == ENOENT)
                continue;
            return virErrorErrno(error, _("Cannot access storage file '%s'"), wanted->path);
        }
        resource = qemuFileResource(start->driver, wanted, wanted->alias, &st);
        if (resource)
            g_ptr_array_add(start->guest->resources, resource);
    }
    return true;
}

static char *
qemuStartGroupName(const qemuStart *start)
{
    return virCgroupNameFor(start->driver->cgroups, start->def->resource.partition, start->def->id,
                            start->def->name);
}

/* What the guest's own /dev will hold, and for as long as that is made, the right to. */
static bool
qemuStartListNodes(qemuStart *start, const virHostAccess *access, GError **error)
{
    const bool outside = virDelegateMountsOutside(start->driver->door, &start->call);

    if (!start->driver->config.privateDev || (!start->driver->privileged && !outside))
        return true;
    start->nodes = qemuPrivateDevNodes(start->driver, access, error);
    if (!start->nodes)
        return false;
    if (!outside)
        qemuPrivateDevAllowMaking(start->rules, start->nodes);
    return true;
}

static bool
qemuStartListResources(qemuStart *start, GError **error)
{
    g_autoptr(virHostAccess) access = virHostAccessNew();
    g_autofree char *groupName = qemuStartGroupName(start);

    qemuStartList(start, QEMU_RESOURCE_FOLDER, start->guest->stateDir);
    qemuStartList(start, QEMU_RESOURCE_FOLDER, start->guest->channelDir);
    if (!qemuHostPCITake(start->guest, &start->call, start->plan, error))
        return false; /* their nodes are there from now on */
    if (virCgroupInstanceUsable(start->driver->cgroups, NULL))
        qemuStartList(start, QEMU_RESOURCE_GROUP, groupName);
    if (start->def->os.nvram) {
        g_autofree char *temporary = virFileTemporary(start->def->os.nvram);

        qemuStartList(start, QEMU_RESOURCE_FILE, temporary);
    }
    qemuTouches(start->def, &start->build.base, access);
    if (!qemuStartListOwners(start, access, error))
        return false;
    for (size_t i = 0; i < qmpPlanLength(start->plan); i++) {
        const qmpStep *step = qmpPlanStep(start->plan, i);

        if (step->type == QMP_STEP_HOST && step->host->type == QMP_HOST_LISTEN)
            qemuStartList(start, QEMU_RESOURCE_FILE, step->host->path);
    }
    start->rules = qemuGateRules(start->driver, access, error);
    return start->rules && qemuStartListNodes(start, access, error) &&
           qemuGuestSaveStatus(start->guest, error);
}

/* --- making it --- */

static bool
qemuStartMakeFolders(qemuStart *start, GError **error)
{
    qemuGuest *guest = start->guest;
    g_autofree char *key = g_build_filename(guest->stateDir, "master-key.aes", NULL);

    return qemuMakeOwnedFolder(guest, &start->call, guest->stateDir, error) &&
           qemuMakeOwnedFolder(guest, &start->call, guest->channelDir, error) &&
           qemuWriteOwnedBytes(guest, &start->call, key, start->build.masterKey,
                               sizeof(start->build.masterKey), error) &&
           VIR_FAULT_STEP("start:folders-made", error);
}

static bool
qemuStartMakeNvram(qemuStart *start, GError **error)
{
    return qemuNvramMake(start->driver, &start->call, start->def, start->resetNvram, error);
}

static bool
qemuStartMakeGate(qemuStart *start, const virGateSettings *settings, GError **error)
{
    qemuGuest *guest = start->guest;

    if (!virDelegateHasGates(start->driver->door, &start->call))
        return true; /* said once, at the daemon's start */
    if (!virDelegateGateCreate(start->driver->door, &start->call, guest->group, start->rules,
                               settings, &guest->gate, error) ||
        !VIR_FAULT_STEP("start:gate-made", error))
        return false;
    qemuDenialsFollow(guest);
    qemuGateOwnersSave(guest);
    return true;
}

/* systemd makes a scope for a process that is there. */
static bool
qemuStartHold(qemuStart *start, pid_t *retLeader, GError **error)
{
    if (virCgroupInstanceManager(start->driver->cgroups) == VIR_SYSTEMD_NONE)
        return true;
    start->held = virSpawnHold(error);
    if (!start->held)
        return false;
    *retLeader = virSpawnHeldPid(start->held);
    return true;
}

static bool
qemuStartMakeGroup(qemuStart *start, GError **error)
{
    g_autofree char *name = qemuStartGroupName(start);
    virGateSettings settings;
    qemuGuest *guest = start->guest;
    const qemuTune tune = {guest, start->call};
    pid_t leader = 0;

    if (!virCgroupInstanceUsable(start->driver->cgroups, NULL))
        return true; /* said once, at the daemon's start */
    if (!qemuGateSettings(start->driver, start->def, &settings, error) ||
        !qemuStartHold(start, &leader, error) ||
        !virDelegateCgroupCreate(start->driver->door, &start->call, name, leader, &guest->group,
                                 error) ||
        !VIR_FAULT_STEP("start:group-made", error) || !qemuStartMakeGate(start, &settings, error))
        return false;
    return qemuTuneGroup(&tune, start->def, error);
}

static bool
qemuStartTakeOwnership(qemuStart *start, GError **error)
{
    virDelegateOwner owner = {start->driver->uid, start->driver->gid, VIR_DELEGATE_KEEP_MODE};

    for (guint i = 0; i < start->guest->resources->len; i++) {
        const qemuResource *resource = g_ptr_array_index(start->guest->resources, i);
        VIR_AUTOCLOSE fd = -1;

        if (resource->type != QEMU_RESOURCE_OWNER)
            continue;
        fd = open(resource->name, O_PATH | O_CLOEXEC);
        if (fd < 0)
            return virErrorErrno(error, _("Cannot access storage file '%s'"), resource->name);
        if (!virDelegateOwnSet(start->driver->door, &start->call, fd, &owner, NULL, error) ||
            !VIR_FAULT_STEP("start:owner-set", error))
            return false;
    }
    return VIR_FAULT_STEP("start:owners-set", error);
}

static bool
qemuStartRunHostSteps(qemuStart *start, GError **error)
{
    unsigned host = 0;

    for (size_t i = 0; i < qmpPlanLength(start->plan); i++) {
        const qmpStep *step = qmpPlanStep(start->plan, i);

        if (step->type != QMP_STEP_HOST)
            continue;
        if (!qemuHostStepRun(start->guest, &start->call, host++, step->host, start->fds, error) ||
            !VIR_FAULT_STEP("start:host-step", error))
            return false;
    }
    return true;
}

/* --- QEMU itself --- */

enum { QEMU_FD_FIRST = 3 }; /* of those that QEMU gets beside 0 to 2 */

/* In QEMU the descriptors are numbered in the order they were made. */
static char *
qemuStartFdName(unsigned host, unsigned n, void *opaque)
{
    const qemuStart *start = opaque;

    return g_strdup_printf("%u", QEMU_FD_FIRST + qemuHostFdsIndex(start->fds, host, n));
}

/* The nodes are there: nobody in the group makes any more. */
static bool
qemuStartEndMaking(qemuStart *start, GError **error)
{
    qemuGuest *guest = start->guest;

    if (!start->nodes || !guest->gate)
        return true;
    if (!virDelegateGateDropOwner(start->driver->door, &start->call, guest->gate,
                                  QEMU_PRIVATE_DEV_OWNER, error))
        return false;
    qemuGateOwnersSave(guest);
    return true;
}

/* Only what must be there when QEMU's first instruction runs, and can't be set by itself. */
static bool
qemuStartPrepareProcess(pid_t pid, int pidfd, void *opaque, GError **error)
{
    qemuStart *start = opaque;

    return (!qemuMemlockIsWanted(start->def) ||
            qemuMemlockBegin(start->guest, &start->call, start->def, pidfd, error)) &&
           (!start->nodes || !virDelegateMountsOutside(start->driver->door, &start->call) ||
            qemuPrivateDevMakeOutside(start->guest, &start->call, pidfd, start->nodes, error));
}

/* QEMU's process is born in the group, or joins it as its first act, also where moving is a
 * handler's: then nothing is left to move. Where it needs another's right, it is virtward-spawn,
 * waiting, that is moved: nothing of QEMU runs before. */
static bool
qemuStartEnterGroup(qemuStart *start, virSpawnRequest *request, GArray **retJoins, GError **error)
{
    virDelegate *door = start->driver->door;
    virCgroup *group = start->guest->group;

    if (virCgroupMayJoin(group)) {
        *retJoins = virCgroupOpenJoins(group, error);
        if (!*retJoins)
            return false;
        request->cgroupFd = virCgroupCloneFd(group);
        request->joinFds = (const int *)(void *)(*retJoins)->data;
        request->njoinFds = (*retJoins)->len;
        return true;
    }
    if (!start->held && !(start->held = virSpawnHold(error)))
        return false;
    return virDelegateCgroupMove(door, &start->call, group, virSpawnHeldPidfd(start->held), error);
}

/* The guest's own /dev: made by virtward-spawn, or from outside while that waits. */
static void
qemuStartAskForDev(const qemuStart *start, virSpawnRequest *request)
{
    request->ownMounts = virDelegateMountsOutside(start->driver->door, &start->call);
    if (request->ownMounts)
        return;
    request->nodes = (const virSpawnNode *)(void *)start->nodes->data;
    request->nnodes = start->nodes->len;
    request->mountNodes = !virProcInInitialUserns();
}

static bool
qemuStartSpawn(qemuStart *start, GError **error)
{
    qemuGuest *guest = start->guest;
    g_autoptr(GPtrArray) argv = NULL;
    g_autoptr(GPtrArray) env = qmpPlanEnvironment(start->plan);
    unsigned count = qemuHostFdsCount(start->fds);
    g_autofree virSpawnFd *fds = g_new0(virSpawnFd, count + 1);
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    virSpawnResult result;
    g_autoptr(GArray) joins = NULL;

    argv = qmpPlanArgv(start->plan, qemuStartFdName, start);
    g_ptr_array_insert(argv, 0, g_strdup(start->def->emulator));
    g_ptr_array_add(argv, NULL);
    g_ptr_array_add(env, NULL);
    if (!qemuGuestLogOpen(start->driver->paths.log, start->def->name, argv, &start->logFd,
                          &start->logStart, error))
        return false;
    for (unsigned i = 0; i < count; i++)
        fds[i] = (virSpawnFd){qemuHostFdsAt(start->fds, i), (int)(QEMU_FD_FIRST + i)};

    request.argv = (const char *const *)argv->pdata;
    request.env = (const char *const *)env->pdata;
    request.cwd = "/";
    request.umask = 0002;
    request.uid = start->driver->uid;
    request.gid = start->driver->gid;
    request.stdoutFd = start->logFd;
    request.stderrFd = start->logFd;
    request.fds = fds;
    request.nfds = count;
    request.newSession = true;
    if (guest->group && !qemuStartEnterGroup(start, &request, &joins, error))
        return false;
    if (start->nodes) {
        if (!qemuPrivateDevRefresh(start->nodes, error))
            return false;
        qemuStartAskForDev(start, &request);
    }
    if (request.ownMounts || qemuMemlockIsWanted(start->def)) {
        request.prepare = qemuStartPrepareProcess;
        request.prepareOpaque = start;
    }
    request.held = g_steal_pointer(&start->held);
    if (!virSpawn(&request, &result, error))
        return false;
    /* QEMU's alone now, so that its end is seen on the other side of each */
    g_clear_pointer(&start->fds, qemuHostFdsFree);
    guest->pid = result.pid;
    guest->pidfd = result.pidfd;
    guest->isChild = true;
    guest->startTime = qemuProcessStartTime(result.pid);
    return VIR_FAULT_STEP("start:spawned", error) && qemuGuestSaveStatus(guest, error) &&
           VIR_FAULT_STEP("start:pid-saved", error) && qemuStartEndMaking(start, error);
}

static bool
qemuStartExplain(qemuStart *start, GError **error)
{
    g_autofree char *tail =
        qemuGuestLogTail(start->driver->paths.log, start->guest->obj->name, start->logStart);

    if (!*tail)
        return false;
    g_clear_error(error);
    return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                       start->isIncoming && !start->guest->made
                           ? _("QEMU could not load the guest's state: %s")
                           : _("process exited while connecting to monitor: %s"),
                       tail);
}

static bool
qemuStartConnect(qemuStart *start, GError **error)
{
    qemuGuest *guest = start->guest;
    g_autofree char *path = g_build_filename(guest->stateDir, "monitor.sock", NULL);
    int fd = qemuConnectUnix(path, error);
    bool ready;

    if (fd < 0)
        return false;
    {
        VIR_CORE_GUARD;

        if (!qemuGuestWatchExit(guest, error))
            return false;
        guest->monitor = qmpClientNew(fd, &qemuMonitorCallbacks, guest, error);
        ready = guest->monitor &&
                qmpClientWaitReady(guest->monitor, start->driver->config.monitorTimeout_ms, error);
    }
    return (ready || qemuStartExplain(start, error)) &&
           VIR_FAULT_STEP("start:monitor-ready", error);
}

/* --- the first words with QEMU --- */

/* All questions are sent before the first answer is waited for. Lock held. */
static bool
qemuStartAsk(qemuStart *start, GError **error)
{
    qemuGuest *guest = start->guest;
    unsigned timeout = start->driver->config.monitorTimeout_ms;
    g_autoptr(qmpRequest) cpus = qmpClientSend(guest->monitor, "query-cpus-fast", NULL);
    g_autoptr(qmpRequest) chardevs = qmpClientSend(guest->monitor, "query-chardev", NULL);
    g_autoptr(qmpRequest) blocks = qmpClientSend(guest->monitor, "query-block", NULL);
    g_autoptr(virJSON) cpuReply = NULL;
    g_autoptr(virJSON) chardevReply = NULL;
    g_autoptr(virJSON) blockReply = NULL;

    if (!qmpRequestWait(cpus, timeout, &cpuReply, error) ||
        !qmpRequestWait(chardevs, timeout, &chardevReply, error) ||
        !qmpRequestWait(blocks, timeout, &blockReply, error))
        return false;
    qemuGuestLearnVcpus(guest, cpuReply);
    for (guint i = 0; i < start->def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(start->def->devices, i);
        const virDeviceQemu *qemu = virDeviceQemuOf(dev);

        if (!qemu || !qemu->learn)
            continue;
        qemu->learn(dev, "query-chardev", chardevReply);
        qemu->learn(dev, "query-block", blockReply);
    }
    return true;
}

/* Its threads get their groups and places while its CPUs are stopped. Lock held, given up. */
static bool
qemuStartPlaceThreads(qemuStart *start, GError **error)
{
    qemuGuest *guest = start->guest;
    const qemuTune tune = {guest, start->call};
    g_autoptr(GArray) vcpus = g_array_copy(guest->vcpus);
    g_autoptr(virJSON) iothreads = NULL;

    if (virDomainIOThreadCount(&start->def->iothreads)) {
        g_autoptr(qmpRequest) request = qmpClientSend(guest->monitor, "query-iothreads", NULL);

        if (!qmpRequestWait(request, start->driver->config.monitorTimeout_ms, &iothreads, error))
            return false;
    }
    {
        VIR_CORE_UNLOCKED;

        return qemuTuneThreads(&tune, start->def, vcpus, iothreads, error);
    }
}

/* All of the daemon's own is done, and no CPU of the guest has run. Lock held, given up. */
static bool
qemuStartBarrier(qemuStart *start, GError **error)
{
    return qemuBarrierReach(start->guest->obj, start->call.phase, VIR_DELEGATE_BARRIER_PREPARED,
                            error) &&
           VIR_FAULT_STEP("start:barrier-passed", error);
}

static bool
qemuStartTell(qemuStart *start, GError **error)
{
    qemuGuest *guest = start->guest;
    g_autoptr(qmpPlan) plan = qmpPlanNew(guest->caps);

    qemuLifecyclePlan(start->def, guest->caps, /* always: */ false, plan);
    for (guint i = 0; i < start->def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(start->def->devices, i);
        const virDeviceQemu *qemu = virDeviceQemuOf(dev);

        if (qemu && qemu->afterStart && !qemu->afterStart(dev, &start->build.base, plan, error))
            return false;
    }
    return qemuGuestTell(guest, plan, error);
}

/* --- all of it --- */

/* A guest that says only what kind of firmware it wants gets the best that the host has. */
static bool
qemuStartChooseFirmware(qemuStart *start, GError **error)
{
    g_autofree char *nvram = g_build_filename(start->driver->paths.lib, "nvram", NULL);
    const virDomainOS *os = &start->def->os;
    g_autoptr(GPtrArray) firmwares = NULL;

    if (os->firmware == VIR_DOMAIN_OS_FIRMWARE_NONE && !os->nvram)
        return true;
    firmwares =
        qmpFirmwareReadAll(NULL, start->driver->privileged ? NULL : g_get_user_config_dir());
    if (!qemuFirmwareChoose(start->def, firmwares, nvram, error))
        return false;
    qemuNvramChooseTemplate(start->def, firmwares);
    return true;
}

static bool
qemuStartPrepare(qemuStart *start, GError **error)
{
    qemuGuest *guest = start->guest;

    guest->caps = qemuDriverGuestCaps(start->driver, start->def, error);
    if (!guest->caps || !qemuStartChooseFirmware(start, error) ||
        !qemuGuestCPUResolve(start->def, guest->caps, NULL, error) ||
        !qemuPrepareStart(start->def, guest->caps, error) ||
        !qemuTuneCheck(start->driver, start->def, error))
        return false;
    virDomainDefAssignAliases(start->def);
    if (start->def->vcpus.individual)
        virDomainVcpusNumber(&start->def->vcpus);
    qemuBuildInit(&start->build, start->driver, start->def, guest->caps, guest->stateDir,
                  guest->channelDir);
    start->build.base.incoming = start->isIncoming;
    virRandomBytes(start->build.masterKey, sizeof(start->build.masterKey));
    if (!qemuStartClaim(start, error))
        return false;
    start->plan = qemuPlanBoot(start->def, &start->build.base, error);
    return start->plan && qemuStartListResources(start, error) &&
           VIR_FAULT_STEP("start:listed", error);
}

static bool
qemuStartMake(qemuStart *start, GError **error)
{
    return qemuStartMakeFolders(start, error) && qemuStartMakeNvram(start, error) &&
           qemuStartMakeGroup(start, error) && qemuStartTakeOwnership(start, error) &&
           qemuStartRunHostSteps(start, error) && qemuStartSpawn(start, error) &&
           qemuStartConnect(start, error);
}

/* What was made goes again, last first. The lock is not held. */
static void
qemuStartUndo(qemuStart *start)
{
    virDomainObj *obj = start->guest->obj;
    VIR_CORE_GUARD;

    qemuGuestKill(start->guest);
    qemuGuestTakeBack(obj);
    /* it may have been published, and fail at the last */
    g_clear_pointer(&obj->live, virDomainDocUnref);
    virDomainRegistrySetID(start->driver->domains, obj, -1);
    virDomainObjSetState(obj, VIR_DOMAIN_SHUTOFF, VIR_SHUTOFF_FAILED);
}

static void
qemuStartPublish(qemuStart *start)
{
    virDomainObj *obj = start->guest->obj;

    start->guest->made = NULL;
    virHandlersSettle(virDelegateGetHandlers(start->driver->door), obj->uuid);
    virDomainDocUnref(obj->live);
    obj->live = virDomainDocNew(g_steal_pointer(&start->def));
    virDomainRegistrySetID(start->driver->domains, obj, virDomainDocDef(obj->live)->id);
    virDomainObjSetState(obj, VIR_DOMAIN_PAUSED,
                         start->isIncoming ? VIR_PAUSED_MIGRATION : VIR_PAUSED_STARTING_UP);
    start->guest->starting = start->isIncoming; /* until it is whole */
}

/* Its state comes; until that is here there is nothing that a restarted daemon could keep. */
static bool
qemuStartLoad(qemuStart *start, GError **error)
{
    if (!start->isIncoming)
        return true;
    if (!qemuIncomingLoad(start->guest->obj, g_steal_fd(&start->streamFd), error)) {
        VIR_CORE_UNLOCKED;

        (void)qemuStartExplain(start, error);
        return false;
    }
    start->guest->starting = false;
    return qemuGuestSaveStatus(start->guest, error);
}

/* A process with all its threads, none of which has run the guest. Lock held, given up. */
static bool
qemuStartRun(qemuStart *start, GError **error)
{
    bool made;

    {
        VIR_CORE_UNLOCKED;

        made = qemuStartPrepare(start, error) && qemuStartMake(start, error);
    }
    return made && qemuGuestPlugVcpusAtStart(start->guest->obj, start->def, error) &&
           qemuStartAsk(start, error) && qemuStartPlaceThreads(start, error) &&
           qemuStartBarrier(start, error) && qemuStartTell(start, error) &&
           VIR_FAULT_STEP("start:told", error);
}

/* It is a guest like others now; its CPUs may run. */
static bool
qemuStartGo(qemuStart *start, bool paused, GError **error)
{
    virDomainObj *obj = start->guest->obj;
    int running = start->isIncoming ? VIR_RUNNING_RESTORED : VIR_RUNNING_BOOTED;
    int started = start->isIncoming ? VIR_STARTED_RESTORED : VIR_STARTED_BOOTED;

    if (!paused && (!qemuGuestResume(obj, running, VIR_RESUMED_UNPAUSED, error) ||
                    !VIR_FAULT_STEP("start:resumed", error)))
        return false;
    qemuDriverEmitLifecycle(start->driver, obj, VIR_EVENT_STARTED, started);
    if (paused) {
        virDomainObjSetState(obj, VIR_DOMAIN_PAUSED,
                             start->isIncoming ? VIR_PAUSED_MIGRATION : VIR_PAUSED_USER);
        qemuDriverEmitLifecycle(start->driver, obj, VIR_EVENT_SUSPENDED,
                                start->isIncoming ? VIR_SUSPENDED_RESTORED : VIR_SUSPENDED_PAUSED);
    }
    return qemuGuestSaveStatus(start->guest, error);
}

static bool
qemuStartPublished(GError **error)
{
    VIR_CORE_UNLOCKED;

    return VIR_FAULT_STEP("start:published", error);
}

static bool
qemuStartAll(qemuStart *start, bool paused, GError **error)
{
    if (!qemuStartRun(start, error))
        return false;
    qemuStartPublish(start);
    return qemuGuestSaveStatus(start->guest, error) && qemuStartPublished(error) &&
           qemuStartLoad(start, error) && qemuStartGo(start, paused, error);
}

/* The guest as a thing, before anything is made for it. */
static void
qemuStartBegin(qemuStart *start, virDomainObj *obj)
{
    qemuDriver *driver = start->driver;
    virDomainDef *live = start->def;
    qemuGuest *guest = qemuGuestNew(driver, obj);

    live->id = ++driver->nextID;
    guest->starting = true;
    guest->fresh = true;
    guest->made = live;
    guest->stateDir =
        g_strdup_printf("%s/domain-%d-%.20s", driver->paths.lib, live->id, live->name);
    guest->channelDir = g_strdup_printf("%s/channel/target/domain-%d-%.20s", driver->paths.lib,
                                        live->id, live->name);
    obj->guest = guest;
    start->guest = guest;
    start->fds = qemuHostFdsNew();
    start->isIncoming = start->streamFd >= 0;
    start->call = (virDelegateCall){.domain = live->name,
                                    .phase = start->isIncoming ? VIR_DELEGATE_PHASE_MIGRATE_IN
                                                               : VIR_DELEGATE_PHASE_START};
    memcpy(start->call.uuid, live->uuid, sizeof(start->call.uuid));
    virHandlersAnnounce(virDelegateGetHandlers(driver->door), &start->call);
}

bool
qemuGuestRestore(qemuDriver *driver, virDomainObj *obj, virDomainDef *live, int fd, unsigned flags,
                 GError **error)
{
    g_auto(qemuStart) start = {.driver = driver,
                               .def = live,
                               .resetNvram = flags & QEMU_START_RESET_NVRAM,
                               .streamFd = fd,
                               .logFd = -1};
    bool ok;

    qemuStartBegin(&start, obj);
    ok = qemuStartAll(&start, flags & QEMU_START_PAUSED, error);
    if (!ok) {
        qemuGuestBlameHurry(start.guest, error);
        VIR_CORE_UNLOCKED;

        g_clear_pointer(&start.held, virSpawnHeldFree); /* it may be in the group already */
        qemuStartUndo(&start);
    }
    return ok;
}

bool
qemuGuestStart(qemuDriver *driver, virDomainObj *obj, virDomainDef *live, unsigned flags,
               GError **error)
{
    return qemuGuestRestore(driver, obj, live, /* fd: */ -1, flags, error);
}
