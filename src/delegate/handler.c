/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * handler.c: the hooks done by whoever registered for them: arguments into the hook's struct,
 * targets as descriptors, results out of the answer. In a job, without the core lock; the front
 * looks before and after. What the messages mean: docs/handler-protocol.md. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "delegate/handler.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* --- processes and threads --- */

static bool
handlerMemlockSet(virDelegate *door, const virDelegateCall *call, int pidfd,
                  const virDelegateMemlock *wanted, GError **error)
{
    handler_memlock_set_args args = {.soft = wanted->bytes,
                                     .hard = wanted->bytes,
                                     .guest = wanted->guest,
                                     .passthrough = wanted->passthrough,
                                     .extra = wanted->extra};

    return virDelegateHandlerAsk(door, call, HANDLER_PROC_MEMLOCK_SET, &args, &pidfd, 1, error);
}

static bool
handlerSchedSet(virDelegate *door, const virDelegateCall *call, int pidfd, const pid_t *tids,
                size_t ntids, int policy, int priority, GError **error)
{
    g_auto(virDelegateTargets) targets = {0};
    handler_sched_set_args args = {.policy = policy, .priority = priority};

    if (!virDelegateTargetsFind(&targets, &pidfd, 1, pidfd, tids, ntids, error))
        return false;
    args.threads = targets.threads;
    return virDelegateHandlerAsk(door, call, HANDLER_PROC_SCHED_SET, &args,
                                 (int *)(void *)targets.fds->data, targets.fds->len, error);
}

static bool
handlerAffinitySet(virDelegate *door, const virDelegateCall *call, int pidfd, const pid_t *tids,
                   size_t ntids, const cpu_set_t *cpus, size_t cpusSize, GError **error)
{
    g_auto(virDelegateTargets) targets = {0};
    g_autofree uint8_t *bits = g_malloc0(cpusSize);
    handler_affinity_set_args args = {.cpus_len = (uint32_t)cpusSize, .cpus_val = bits};

    for (size_t cpu = 0; cpu < cpusSize * 8; cpu++) {
        if (CPU_ISSET_S(cpu, cpusSize, cpus))
            bits[cpu / 8] |= (uint8_t)(1 << cpu % 8);
    }
    if (!virDelegateTargetsFind(&targets, &pidfd, 1, pidfd, tids, ntids, error))
        return false;
    args.threads = targets.threads;
    return virDelegateHandlerAsk(door, call, HANDLER_PROC_AFFINITY_SET, &args,
                                 (int *)(void *)targets.fds->data, targets.fds->len, error);
}

static bool
handlerProcTune(virDelegate *door, const virDelegateCall *call, int pidfd, int oomScoreAdj,
                GError **error)
{
    handler_proc_tune_args args = {.oom_score_adj = oomScoreAdj, .ioprio = -1};

    return virDelegateHandlerAsk(door, call, HANDLER_PROC_PROC_TUNE, &args, &pidfd, 1, error);
}

/* --- files --- */

/* The handler's names of devices. */
static int
deviceNumber(virDelegateDevice device)
{
    switch (device) {
    case VIR_DELEGATE_DEVICE_KVM:
        return HANDLER_DEVICE_KVM;
    case VIR_DELEGATE_DEVICE_VHOST_NET:
        return HANDLER_DEVICE_VHOST_NET;
    case VIR_DELEGATE_DEVICE_VHOST_VSOCK:
        return HANDLER_DEVICE_VHOST_VSOCK;
    case VIR_DELEGATE_DEVICE_TAP:
        return HANDLER_DEVICE_TAP;
    case VIR_DELEGATE_DEVICE_VFIO_GROUP:
        return HANDLER_DEVICE_VFIO_GROUP;
    case VIR_DELEGATE_DEVICE_VFIO_CDEV:
        return HANDLER_DEVICE_VFIO_CDEV;
    case VIR_DELEGATE_DEVICE_IOMMUFD:
        return HANDLER_DEVICE_IOMMUFD;
    case VIR_DELEGATE_DEVICE_NODE:
    case VIR_DELEGATE_DEVICE_LAST:
        break;
    }
    return HANDLER_DEVICE_NODE;
}

static int
openNetNamespace(GError **error)
{
    int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        virErrorErrno(error, _("cannot open the network namespace"));
    return fd;
}

static bool
handlerDeviceOpen(virDelegate *door, const virDelegateCall *call, virDelegateDevice device,
                  const char *identity, int flags, int *retFd, GError **error)
{
    g_auto(virHandlerReply) reply = {0};
    handler_device_open_args args = {.device = deviceNumber(device),
                                     .identity = identity ? identity : "",
                                     .flags = (uint32_t)flags};
    handler_device_open_ret ret = {0};
    const bool named = device == VIR_DELEGATE_DEVICE_TAP; /* by a name of this namespace */
    VIR_AUTOCLOSE space = named ? openNetNamespace(error) : -1;

    if ((named && space < 0) ||
        !virHandlersAsk(door->handlers, call, virXdrHookByNumber(HANDLER_PROC_DEVICE_OPEN), &args,
                        &space, named, &ret, &reply, error))
        return false;
    *retFd = virPacketTakeFd(&reply.packet, 0);
    return *retFd >= 0 || virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                                      _("the handler of device.open gave no descriptor"));
}

static bool
handlerPCIBind(virDelegate *door, const virDelegateCall *call, const char *address,
               const char *driver, GError **error)
{
    handler_pci_bind_args args = {.address = address, .driver = driver};

    return virDelegateHandlerAsk(door, call, HANDLER_PROC_PCI_BIND, &args, NULL, 0, error);
}

static bool
handlerPCIRelease(virDelegate *door, const virDelegateCall *call, const char *address,
                  GError **error)
{
    handler_pci_release_args args = {.address = address};

    return virDelegateHandlerAsk(door, call, HANDLER_PROC_PCI_RELEASE, &args, NULL, 0, error);
}

static bool
handlerNodeCreate(virDelegate *door, const virDelegateCall *call, int dirFd, const char *name,
                  mode_t mode, dev_t device, uid_t uid, gid_t gid, GError **error)
{
    handler_node_create_args args = {.name = name,
                                     .mode = mode,
                                     .major = major(device),
                                     .minor = minor(device),
                                     .uid = uid,
                                     .gid = gid};

    return virDelegateHandlerAsk(door, call, HANDLER_PROC_NODE_CREATE, &args, &dirFd, 1, error);
}

static bool
handlerOwnSet(virDelegate *door, const virDelegateCall *call, int fd,
              const virDelegateOwner *wanted, GError **error)
{
    g_auto(virHandlerReply) reply = {0};
    handler_own_set_args args = {.uid = wanted->uid, .gid = wanted->gid, .mode = wanted->mode};
    handler_own_set_ret before = {0}; /* the front has looked itself */

    return virHandlersAsk(door->handlers, call, virXdrHookByNumber(HANDLER_PROC_OWN_SET), &args,
                          &fd, 1, &before, &reply, error);
}

/* --- network --- */

static bool
handlerTapCreate(virDelegate *door, const virDelegateCall *call, const virNetDevTapRequest *request,
                 int *retFds, virNetDevTapInfo *retInfo, GError **error)
{
    g_auto(virHandlerReply) reply = {0};
    VIR_AUTOCLOSE space = openNetNamespace(error);
    handler_tap_create_args args = {.name = request->name,
                                    .mac_len = request->mac ? HANDLER_MAC_LEN : 0,
                                    .mac_val = (uint8_t *)request->mac,
                                    .mtu = request->mtu,
                                    .queues = (uint32_t)request->queues,
                                    .owner = request->owner,
                                    .flags = request->flags,
                                    .kind = request->parent ? HANDLER_TAP_KIND_MACVTAP
                                                            : HANDLER_TAP_KIND_TAP,
                                    .parent = request->parent ? request->parent : "",
                                    .mode = (int32_t)request->mode};
    handler_tap_create_ret ret = {0};

    if (space < 0 ||
        !virHandlersAsk(door->handlers, call, virXdrHookByNumber(HANDLER_PROC_TAP_CREATE), &args,
                        &space, 1, &ret, &reply, error))
        return false;
    if (virPacketFdCount(&reply.packet) < request->queues ||
        g_strlcpy(retInfo->name, ret.name, sizeof(retInfo->name)) >= sizeof(retInfo->name))
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("the handler of tap.create gave %zu of %zu queues of '%s'"),
                           virPacketFdCount(&reply.packet), request->queues, ret.name);
    for (size_t i = 0; i < request->queues; i++)
        retFds[i] = virPacketTakeFd(&reply.packet, i);
    retInfo->ifindex = ret.ifindex;
    retInfo->created = ret.created != 0;
    return true;
}

static bool
handlerTapRemove(virDelegate *door, const virDelegateCall *call, const char *name, unsigned ifindex,
                 GError **error)
{
    VIR_AUTOCLOSE space = openNetNamespace(error);
    handler_tap_remove_args args = {.name = name, .ifindex = ifindex};

    return space >= 0 &&
           virDelegateHandlerAsk(door, call, HANDLER_PROC_TAP_REMOVE, &args, &space, 1, error);
}

static bool
handlerNetSetBridge(virDelegate *door, const virDelegateCall *call, const char *name,
                    const char *bridge, GError **error)
{
    VIR_AUTOCLOSE space = openNetNamespace(error);
    const uint32_t ifindex = if_nametoindex(name);
    handler_net_attach_args attach = {
        .name = name, .ifindex = ifindex, .bridge = bridge ? bridge : ""};
    handler_net_detach_args detach = {.name = name, .ifindex = ifindex};

    if (space < 0)
        return false;
    return bridge ? virDelegateHandlerAsk(door, call, HANDLER_PROC_NET_ATTACH, &attach, &space, 1,
                                          error)
                  : virDelegateHandlerAsk(door, call, HANDLER_PROC_NET_DETACH, &detach, &space, 1,
                                          error);
}

static bool
handlerNetSetUp(virDelegate *door, const virDelegateCall *call, const char *name, bool up,
                GError **error)
{
    VIR_AUTOCLOSE space = openNetNamespace(error);
    handler_net_set_args args = {.name = name, .ifindex = if_nametoindex(name), .up = up};

    return space >= 0 &&
           virDelegateHandlerAsk(door, call, HANDLER_PROC_NET_SET, &args, &space, 1, error);
}

static bool
handlerNetSetBandwidth(virDelegate *door, const virDelegateCall *call, const char *name,
                       const virNetDevBandwidth *wanted, GError **error)
{
    VIR_AUTOCLOSE space = openNetNamespace(error);
    handler_net_bandwidth_args args = {.name = name,
                                       .ifindex = if_nametoindex(name),
                                       .sent_average = wanted->sent.average,
                                       .sent_peak = wanted->sent.peak,
                                       .sent_burst = wanted->sent.burst,
                                       .received_average = wanted->received.average,
                                       .received_peak = wanted->received.peak,
                                       .received_burst = wanted->received.burst};

    return space >= 0 &&
           virDelegateHandlerAsk(door, call, HANDLER_PROC_NET_BANDWIDTH, &args, &space, 1, error);
}

const virDelegateOps virDelegateHandlerOps = {
    .name = "the handler",
    .barrier = virDelegateHandlerBarrier,
    .gateCreate = virDelegateHandlerGateCreate,
    .gateRepair = virDelegateHandlerGateRepair,
    .gateUpdate = virDelegateHandlerGateUpdate,
    .gateGrow = virDelegateHandlerGateGrow,
    .gateSetMode = virDelegateHandlerGateSetMode,
    .gateRemove = virDelegateHandlerGateRemove,
    .cgroupCreate = virDelegateHandlerCgroupCreate,
    .cgroupMove = virDelegateHandlerCgroupMove,
    .cgroupSet = virDelegateHandlerCgroupSet,
    .cgroupMakePart = virDelegateHandlerCgroupMakePart,
    .cgroupRemovePart = virDelegateHandlerCgroupRemovePart,
    .cgroupMoveThreads = virDelegateHandlerCgroupMoveThreads,
    .cgroupRemove = virDelegateHandlerCgroupRemove,
    .mountBind = virDelegateHandlerMountBind,
    .mountApply = virDelegateHandlerMountApply,
    .deviceOpen = handlerDeviceOpen,
    .pciBind = handlerPCIBind,
    .pciRelease = handlerPCIRelease,
    .nodeCreate = handlerNodeCreate,
    .tapCreate = handlerTapCreate,
    .tapRemove = handlerTapRemove,
    .netSetBridge = handlerNetSetBridge,
    .netSetUp = handlerNetSetUp,
    .netSetBandwidth = handlerNetSetBandwidth,
    .ownSet = handlerOwnSet,
    .memlockSet = handlerMemlockSet,
    .schedSet = handlerSchedSet,
    .affinitySet = handlerAffinitySet,
    .procTune = handlerProcTune,
};
