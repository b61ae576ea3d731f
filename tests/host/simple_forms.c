/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * simple_forms.c: a program (URI [FORM...]) with a handler in the simple form of libvirt-internal
 * for every operation, built against the installed .pc alone.
 *
 * Each call is a line on standard output: the operation, what came with it (descriptors as inodes),
 * nothing else. What an answer has comes from /dev/null. A guest called "refused" is refused with
 * the operation's name. With FORMs only these. Serves until its standard input ends. */
#define _GNU_SOURCE
#define VIR_INTERNAL_UNSTABLE_API_OPT_IN
#include <libvirt/libvirt-internal.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned long
inode(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 ? (unsigned long)st.st_ino : 0;
}

/* One line; -1 for the guest that is refused. */
__attribute__((format(printf, 3, 4))) static int
tell(const virInternalCall *call, const char *hook, const char *format, ...)
{
    char text[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    printf("%s %s %d%s%s\n", hook, call->domain, call->phase, *text ? " " : "", text);
    fflush(stdout);
    if (strcmp(call->domain, "refused") != 0)
        return 0;
    virInternalFail(call, "the simple form of %s says 100%% no", hook);
    return -1;
}

static int
null(void)
{
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int
memlock(const virInternalCall *call, int pidfd, unsigned long long bytes)
{
    return tell(call, "memlock.set", "%lu %llu", inode(pidfd), bytes);
}

/* Each thread's descriptor, or the folder with their numbers. */
static void
threads_of(const virInternalThreads *threads, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%lu", inode(threads->pidfd));

    for (size_t i = 0; i < threads->n && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, " %lu",
                                 threads->fds ? inode(threads->fds[i])
                                              : (unsigned long)threads->tids[i]);
}

static int
scheduler(const virInternalCall *call, const virInternalThreads *threads, int policy, int priority)
{
    char text[1024];

    threads_of(threads, text, sizeof(text));
    return tell(call, "sched.set", "%d %d %s", policy, priority, text);
}

static int
affinity(const virInternalCall *call, const virInternalThreads *threads, const unsigned char *map,
         size_t len)
{
    char text[1024];

    threads_of(threads, text, sizeof(text));
    return tell(call, "affinity.set", "%zu %u %s", len, len ? map[0] : 0, text);
}

static int
tune(const virInternalCall *call, int pidfd, int score)
{
    return tell(call, "proc.tune", "%lu %d", inode(pidfd), score);
}

static int
owner(const virInternalCall *call, int fd, uid_t uid, gid_t gid, mode_t mode)
{
    return tell(call, "own.set", "%lu %u %u %o", inode(fd), uid, gid, mode);
}

static int
node(const virInternalCall *call, int folder, const char *name, mode_t mode, unsigned high,
     unsigned low, uid_t uid, gid_t gid)
{
    return tell(call, "node.create", "%lu %s %o %u %u %u %u", inode(folder), name, mode, high, low,
                uid, gid);
}

static int
device(const virInternalCall *call, virInternalDevice kind, const char *identity, int flags,
       int *retFd)
{
    *retFd = null();
    return tell(call, "device.open", "%d %s %d", kind, identity, flags);
}

static int
bridge(const virInternalCall *call, int netns, const char *name, const char *bridge_name)
{
    return tell(call, bridge_name ? "net.attach" : "net.detach", "%lu %s %s", inode(netns), name,
                bridge_name ? bridge_name : "-");
}

static int
bandwidth(const virInternalCall *call, int netns, const char *name, const virInternalRate *sent,
          const virInternalRate *received)
{
    return tell(call, "net.bandwidth", "%lu %s %llu %llu %llu %llu %llu", inode(netns), name,
                sent->average, sent->peak, sent->burst, received->average, received->burst);
}

static int
create_tap(const virInternalCall *call, int netns, const virInternalTap *tap, int *fds,
           virInternalTapMade *made)
{
    for (unsigned i = 0; i < tap->queues; i++)
        fds[i] = null();
    snprintf(made->name, sizeof(made->name), "made0");
    made->ifindex = 7;
    made->created = 1;
    return tell(call, "tap.create", "%lu %s %d %u %u %u %u %d%s %d", inode(netns), tap->name,
                tap->mac ? tap->mac[5] : -1, tap->mtu, tap->queues, tap->owner, tap->flags,
                tap->kind, tap->parent, tap->mode);
}

static int
remove_tap(const virInternalCall *call, int netns, const char *name, unsigned ifindex)
{
    return tell(call, "tap.remove", "%lu %s %u", inode(netns), name, ifindex);
}

static int
set_up(const virInternalCall *call, int netns, const char *name, int up)
{
    return tell(call, "net.set", "%lu %s %d", inode(netns), name, up);
}

static int
pci(const virInternalCall *call, const char *address, const char *driver)
{
    return tell(call, driver ? "pci.bind" : "pci.release", "%s %s", address, driver ? driver : "-");
}

static int
teardown(const virInternalCall *call, const unsigned long long *requests, size_t n)
{
    return tell(call, "teardown", "%zu %llu", n, n ? requests[0] : 0);
}

static int
barrier(const virInternalCall *call, virInternalBarrierStage stage,
        const virInternalGuestThreads *table)
{
    const virInternalGuestThread *first = table->n ? &table->threads[0] : NULL;

    return tell(call, "barrier", "%d %lu %zu %d %u %d", stage, inode(table->pidfd), table->n,
                first ? (int)first->role : -1, first ? first->id : 0, first ? (int)first->tid : 0);
}

static int
create_group(const virInternalCall *call, int parent, const char *name,
             const virInternalGroup *group, int *retGroup)
{
    *retGroup = null();
    return tell(call, "cgroup.create", "%lu %s %d '%s' %d %d", inode(parent), name, group->threaded,
                group->controllers, (int)group->uid, (int)group->gid);
}

static int
move(const virInternalCall *call, int group, const virInternalThreads *threads)
{
    char text[1024];

    threads_of(threads, text, sizeof(text));
    return tell(call, "cgroup.move", "%lu %s", inode(group), text);
}

static int
set_group(const virInternalCall *call, int group, const char *file, const char *value)
{
    return tell(call, "cgroup.set", "%lu %s %s", inode(group), file, value);
}

static int
remove_group(const virInternalCall *call, int parent, const char *name, unsigned flags)
{
    return tell(call, "cgroup.remove", "%lu %s %u", inode(parent), name, flags);
}

static int
mounts(const virInternalCall *call, const virInternalMounts *all)
{
    const virInternalMount *first = all->n ? &all->mounts[0] : NULL;

    return tell(call, "mount.apply", "%lu %lu %lu %zu %zu %lu %d %s", inode(all->pidfd),
                inode(all->space), inode(all->folder), all->n, all->nsources,
                all->nsources ? inode(all->sources[0]) : 0, first ? first->kind : -1,
                first ? first->target : "");
}

static void
gate_text(const virInternalGate *gate, char *text, size_t size)
{
    int came = 0;

    for (int i = 0; i < VIR_INTERNAL_GATE_OBJECTS; i++)
        came |= (gate->objects[i] >= 0) << i;
    snprintf(text, size, "%lu %d %d %d %u %zu", inode(gate->group), came, gate->mode, gate->lock,
             gate->capacity, gate->nrules);
}

static int
make(const virInternalCall *call, const virInternalGate *gate,
     int objects[VIR_INTERNAL_GATE_OBJECTS], int *retReattached, const char *hook)
{
    char text[256];

    gate_text(gate, text, sizeof(text));
    objects[0] = null();
    objects[4] = null();
    *retReattached = 1;
    return tell(call, hook, "%s", text);
}

static int
create_gate(const virInternalCall *call, const virInternalGate *gate,
            int objects[VIR_INTERNAL_GATE_OBJECTS], int *retReattached)
{
    return make(call, gate, objects, retReattached, "gate.create");
}

static int
replace_gate(const virInternalCall *call, const virInternalGate *gate,
             int objects[VIR_INTERNAL_GATE_OBJECTS], int *retReattached)
{
    return make(call, gate, objects, retReattached, "gate.replace");
}

static int
update_gate(const virInternalCall *call, const virInternalGate *gate)
{
    char text[256];

    gate_text(gate, text, sizeof(text));
    return tell(call, "gate.update", "%s", text);
}

static int
remove_gate(const virInternalCall *call, const virInternalGate *gate)
{
    char text[256];

    gate_text(gate, text, sizeof(text));
    return tell(call, "gate.remove", "%s", text);
}

/* A function each, since each takes another type. */
#define FORM(name, setter, handler)                                                                \
    static int register_##name(virConnectPtr conn)                                                 \
    {                                                                                              \
        return setter(conn, handler);                                                              \
    }
FORM(memlock, virInternalSetProcessSetMaxMemLockHandler, memlock)
FORM(scheduler, virInternalSetProcessSetSchedulerHandler, scheduler)
FORM(affinity, virInternalSetProcessSetAffinityHandler, affinity)
FORM(tune, virInternalSetProcessTuneHandler, tune)
FORM(owner, virInternalSetFileSetOwnerHandler, owner)
FORM(node, virInternalSetNodeCreateHandler, node)
FORM(device, virInternalSetDeviceOpenHandler, device)
FORM(bridge, virInternalSetNetSetBridgeHandler, bridge)
FORM(bandwidth, virInternalSetNetSetBandwidthHandler, bandwidth)
FORM(create_tap, virInternalSetTapCreateHandler, create_tap)
FORM(remove_tap, virInternalSetTapRemoveHandler, remove_tap)
FORM(set_up, virInternalSetNetSetUpHandler, set_up)
FORM(pci, virInternalSetPCIBindHandler, pci)
FORM(teardown, virInternalSetTeardownHandler, teardown)
FORM(barrier, virInternalSetBarrierHandler, barrier)
FORM(create_group, virInternalSetGroupCreateHandler, create_group)
FORM(move, virInternalSetGroupMoveHandler, move)
FORM(set_group, virInternalSetGroupSetHandler, set_group)
FORM(remove_group, virInternalSetGroupRemoveHandler, remove_group)
FORM(mounts, virInternalSetMountApplyHandler, mounts)
FORM(create_gate, virInternalSetGateCreateHandler, create_gate)
FORM(replace_gate, virInternalSetGateReplaceHandler, replace_gate)
FORM(update_gate, virInternalSetGateUpdateHandler, update_gate)
FORM(remove_gate, virInternalSetGateRemoveHandler, remove_gate)

static const struct {
    const char *name; /* the operation; of two with one form, the first */
    int (*set)(virConnectPtr conn);
} forms[] = {
    {"memlock.set", register_memlock},
    {"sched.set", register_scheduler},
    {"affinity.set", register_affinity},
    {"proc.tune", register_tune},
    {"own.set", register_owner},
    {"node.create", register_node},
    {"device.open", register_device},
    {"net.attach", register_bridge},
    {"net.bandwidth", register_bandwidth},
    {"tap.create", register_create_tap},
    {"tap.remove", register_remove_tap},
    {"net.set", register_set_up},
    {"pci.bind", register_pci},
    {"teardown", register_teardown},
    {"barrier", register_barrier},
    {"cgroup.create", register_create_group},
    {"cgroup.move", register_move},
    {"cgroup.set", register_set_group},
    {"cgroup.remove", register_remove_group},
    {"mount.apply", register_mounts},
    {"gate.create", register_create_gate},
    {"gate.replace", register_replace_gate},
    {"gate.update", register_update_gate},
    {"gate.remove", register_remove_gate},
};

static int
is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        if (strcmp(name, argv[i]) == 0)
            return 1;
    }
    return argc <= 2;
}

int
main(int argc, char **argv)
{
    virConnectPtr conn = virConnectOpen(argc > 1 ? argv[1] : NULL);
    char line[16];

    if (!conn)
        return 1; /* the library has said why */
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (is_wanted(forms[i].name, argc, argv) && forms[i].set(conn) < 0) {
            fprintf(stderr, "%s: %s\n", forms[i].name, virInternalGetLastError());
            return 1;
        }
    }
    puts("serving");
    fflush(stdout);
    while (read(STDIN_FILENO, line, sizeof(line)) > 0)
        continue;
    virInternalClose(conn);
    return virConnectClose(conn) != 0; /* nobody else may hold it */
}
