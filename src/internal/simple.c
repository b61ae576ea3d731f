/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * simple.c: one function per operation, served from a thread of the library's own for each
 * connection, so that a client that waits in a call of the stock library still answers. */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "internal/priv.h"
#include "util/virerror.h"
#include "util/virutil.h"

enum { TAP_QUEUES_MAX = 256 }; /* of the kernel's, MAX_TAP_QUEUES in drivers/net/tun.c */

/* A session and the thread that serves it. The lock is held while the session is used: by the
 * thread to serve, by a caller to register; wake tells the thread to let go of it. */
typedef struct {
    gint refs; /* atomic: the table's, and one of each caller that registers */
    virInternalSession *session;
    GThread *thread;
    GMutex lock;
    int wake;     /* eventfd */
    gint waiting; /* atomic: callers that want the lock */
    gint ended;   /* atomic */
    GMutex turn;  /* held by a caller while it waits for the lock and uses it */
} simpleServer;

static GMutex tableLock;
static GHashTable *servers; /* virConnectPtr, referenced, to simpleServer */

static void
wakeUp(simpleServer *server)
{
    uint64_t one = 1;

    (void)!write(server->wake, &one, sizeof(one)); /* an eventfd that is full wakes as well */
}

static void *
serveSession(void *opaque)
{
    simpleServer *server = opaque;

    while (!g_atomic_int_get(&server->ended)) {
        struct pollfd ready[] = {{.fd = virInternalSessionGetFd(server->session), .events = POLLIN},
                                 {.fd = server->wake, .events = POLLIN}};
        uint64_t count;
        int served;

        if (poll(ready, G_N_ELEMENTS(ready), -1) < 0 && errno != EINTR)
            break;
        if (ready[1].revents)
            (void)!read(server->wake, &count, sizeof(count)); /* only to empty it */
        if (g_atomic_int_get(&server->waiting) > 0) {
            /* Who registers serves in the meantime; this thread comes back behind it. */
            g_mutex_lock(&server->turn);
            g_mutex_unlock(&server->turn);
            continue;
        }
        g_mutex_lock(&server->lock);
        served = virInternalSessionDispatch(server->session);
        g_mutex_unlock(&server->lock);
        if (served < 0)
            break; /* the daemon has gone; registering again opens anew */
    }
    g_atomic_int_set(&server->ended, 1);
    return NULL;
}

/* The thread, and who waits for the daemon, come back at once. */
static void
endServer(simpleServer *server)
{
    g_atomic_int_set(&server->ended, 1);
    virInternalSessionShutdown(server->session);
    wakeUp(server);
}

static void
unrefServer(void *opaque)
{
    simpleServer *server = opaque;

    if (!g_atomic_int_dec_and_test(&server->refs))
        return;
    endServer(server);
    g_thread_join(server->thread);
    virInternalSessionFree(server->session);
    virCloseFd(&server->wake);
    g_mutex_clear(&server->lock);
    g_mutex_clear(&server->turn);
    g_free(server);
}

static simpleServer *
newServer(virConnectPtr conn, unsigned abi)
{
    virInternalSession *session = virInternalSessionOpen(conn, abi);
    simpleServer *server;

    if (!session)
        return NULL;
    server = g_new0(simpleServer, 1);
    server->refs = 1;
    server->session = session;
    g_mutex_init(&server->lock);
    g_mutex_init(&server->turn);
    server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->thread = g_thread_new("vir-internal", serveSession, server);
    return server;
}

/* Takes the server of conn off the table, ended; NULL: there is none. Its reference is the caller's
 * to drop without the lock. Under tableLock. */
static simpleServer *
takeServer(virConnectPtr conn)
{
    void *key = NULL, *server = NULL;

    if (!servers || !g_hash_table_steal_extended(servers, conn, &key, &server))
        return NULL;
    endServer(server);
    virConnectClose(key);
    return server;
}

/* The server of conn, made at first use and anew after its daemon went away; the caller's
 * reference. Under tableLock. */
static simpleServer *
serverOf(virConnectPtr conn, unsigned abi, simpleServer **retBefore)
{
    simpleServer *server = servers ? g_hash_table_lookup(servers, conn) : NULL;

    if (server && g_atomic_int_get(&server->ended)) {
        *retBefore = takeServer(conn);
        server = NULL;
    }
    if (!server) {
        server = newServer(conn, abi);
        if (!server)
            return NULL;
        if (!servers)
            servers = g_hash_table_new_full(NULL, NULL, NULL, unrefServer);
        virConnectRef(conn);
        g_hash_table_insert(servers, conn, server);
    }
    g_atomic_int_inc(&server->refs);
    return server;
}

static int
serve(virConnectPtr conn, unsigned abi, const char *hook, virInternalHandler adapter,
      void (*handler)(void))
{
    simpleServer *before = NULL;
    simpleServer *server;
    int done;

    g_mutex_lock(&tableLock);
    server = serverOf(conn, abi, &before);
    g_mutex_unlock(&tableLock);
    if (before)
        unrefServer(before);
    if (!server)
        return -1;
    g_mutex_lock(&server->turn);
    g_atomic_int_inc(&server->waiting);
    wakeUp(server);
    g_mutex_lock(&server->lock);
    done = virInternalSessionRegister(server->session, hook, NULL, NULL, 0, adapter,
                                      (void *)handler, NULL);
    g_mutex_unlock(&server->lock);
    g_atomic_int_add(&server->waiting, -1);
    g_mutex_unlock(&server->turn);
    unrefServer(server);
    return done;
}

VIR_INTERNAL_EXPORT void
virInternalClose(virConnectPtr conn)
{
    simpleServer *server;

    g_mutex_lock(&tableLock);
    server = takeServer(conn);
    g_mutex_unlock(&tableLock);
    if (server)
        unrefServer(server);
}

/* --- from a request's fields to a function's arguments --- */

static long long
number(const virInternalRequest *request, const char *field)
{
    long long value = 0;

    (void)virInternalRequestGetNumber(request, field, &value); /* the field is in the table */
    return value;
}

static int
threadsOf(const virInternalCall *call, const virInternalRequest *request,
          virInternalThreads *threads)
{
    if (virInternalRequestGetThreads(request, threads) == 0)
        return 0;
    virInternalFail(call, "%s", _("descriptors are missing"));
    return -1;
}

static int
adaptMemlock(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalSetMaxMemLockHandler handler = (virInternalSetMaxMemLockHandler)opaque;

    return handler(call, virInternalRequestGetFd(request, 0),
                   (unsigned long long)number(request, "soft"));
}

static int
adaptScheduler(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalSetSchedulerHandler handler = (virInternalSetSchedulerHandler)opaque;
    virInternalThreads threads;

    if (threadsOf(call, request, &threads) < 0)
        return -1;
    return handler(call, &threads, (int)number(request, "policy"),
                   (int)number(request, "priority"));
}

static int
adaptAffinity(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalSetAffinityHandler handler = (virInternalSetAffinityHandler)opaque;
    virInternalThreads threads;
    size_t len = 0;
    const unsigned char *map = virInternalRequestGetBytes(request, "cpus", &len);

    if (threadsOf(call, request, &threads) < 0)
        return -1;
    return handler(call, &threads, map, len);
}

static int
adaptTune(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalTuneProcessHandler handler = (virInternalTuneProcessHandler)opaque;

    return handler(call, virInternalRequestGetFd(request, 0),
                   (int)number(request, "oom_score_adj"));
}

static int
adaptOwner(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalSetOwnerHandler handler = (virInternalSetOwnerHandler)opaque;

    return handler(call, virInternalRequestGetFd(request, 0), (uid_t)number(request, "uid"),
                   (gid_t)number(request, "gid"), (mode_t)number(request, "mode"));
}

static int
adaptNode(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalCreateNodeHandler handler = (virInternalCreateNodeHandler)opaque;

    return handler(call, virInternalRequestGetFd(request, 0),
                   virInternalRequestGetString(request, "name"), (mode_t)number(request, "mode"),
                   (unsigned)number(request, "major"), (unsigned)number(request, "minor"),
                   (uid_t)number(request, "uid"), (gid_t)number(request, "gid"));
}

static int
adaptDevice(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalOpenDeviceHandler handler = (virInternalOpenDeviceHandler)opaque;
    int fd = -1;

    if (handler(call, (virInternalDevice)number(request, "device"),
                virInternalRequestGetString(request, "identity"), (int)number(request, "flags"),
                &fd) < 0)
        return -1;
    virInternalRequestAddFd(request, fd);
    return 0;
}

static int
adaptAttach(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalSetBridgeHandler handler = (virInternalSetBridgeHandler)opaque;

    return handler(call, virInternalRequestGetFd(request, 0),
                   virInternalRequestGetString(request, "name"),
                   virInternalRequestGetString(request, "bridge"));
}

/* pci.release has no driver. */
static int
adaptBindPCI(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalBindPCIHandler handler = (virInternalBindPCIHandler)opaque;

    return handler(call, virInternalRequestGetString(request, "address"),
                   virInternalRequestGetString(request, "driver"));
}

static virInternalRate
rate(const virInternalRequest *request, const char *average, const char *peak, const char *burst)
{
    return (virInternalRate){(unsigned long long)number(request, average),
                             (unsigned long long)number(request, peak),
                             (unsigned long long)number(request, burst)};
}

static int
adaptSetBandwidth(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalSetBandwidthHandler handler = (virInternalSetBandwidthHandler)opaque;
    const virInternalRate sent = rate(request, "sent_average", "sent_peak", "sent_burst");
    const virInternalRate received =
        rate(request, "received_average", "received_peak", "received_burst");

    return handler(call, virInternalRequestGetFd(request, 0),
                   virInternalRequestGetString(request, "name"), &sent, &received);
}

static int
adaptBarrier(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalBarrierHandler handler = (virInternalBarrierHandler)opaque;
    virInternalGuestThreads threads;

    if (virInternalRequestGetGuestThreads(request, &threads) < 0) {
        virInternalFail(call, "%s", _("descriptors are missing"));
        return -1;
    }
    return handler(call, (virInternalBarrierStage)number(request, "stage"), &threads);
}

static int
adaptCreateTap(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalCreateTapHandler handler = (virInternalCreateTapHandler)opaque;
    size_t macLen = 0;
    const unsigned char *mac = virInternalRequestGetBytes(request, "mac", &macLen);
    const virInternalTap tap = {.name = virInternalRequestGetString(request, "name"),
                                .mac = macLen == 6 ? mac : NULL,
                                .mtu = (unsigned)number(request, "mtu"),
                                .queues = (unsigned)number(request, "queues"),
                                .owner = (uid_t)number(request, "owner"),
                                .flags = (unsigned)number(request, "flags"),
                                .kind = (int)number(request, "kind"),
                                .parent = virInternalRequestGetString(request, "parent"),
                                .mode = (int)number(request, "mode")};
    virInternalTapMade made = {{0}};
    g_autofree int *fds = NULL;

    if (tap.queues == 0 || tap.queues > TAP_QUEUES_MAX) {
        virInternalFail(call, _("no interface has %u queues"), tap.queues);
        return -1;
    }
    fds = g_new(int, tap.queues);
    if (handler(call, virInternalRequestGetFd(request, 0), &tap, fds, &made) < 0)
        return -1;
    for (unsigned i = 0; i < tap.queues; i++)
        virInternalRequestAddFd(request, fds[i]);
    (void)virInternalRequestSetString(request, "name", made.name); /* known fields */
    (void)virInternalRequestSetNumber(request, "ifindex", made.ifindex);
    (void)virInternalRequestSetNumber(request, "created", made.created);
    return 0;
}

static int
adaptRemoveTap(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalRemoveTapHandler handler = (virInternalRemoveTapHandler)opaque;

    return handler(call, virInternalRequestGetFd(request, 0),
                   virInternalRequestGetString(request, "name"),
                   (unsigned)number(request, "ifindex"));
}

static int
adaptSetUp(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalSetLinkUpHandler handler = (virInternalSetLinkUpHandler)opaque;

    return handler(call, virInternalRequestGetFd(request, 0),
                   virInternalRequestGetString(request, "name"), (int)number(request, "up"));
}

static int
adaptTeardown(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalTeardownHandler handler = (virInternalTeardownHandler)opaque;
    size_t n = 0;
    const unsigned long long *requests = virInternalRequestGetIds(request, &n);

    return handler(call, requests, n);
}

/* The fields that a gate's request has; others stay 0. */
static virInternalGate
gateOf(const virInternalRequest *request)
{
    virInternalGate gate = {.group = virInternalRequestGetFd(request, 0)};

    for (unsigned i = 0; i < VIR_INTERNAL_GATE_OBJECTS; i++)
        gate.objects[i] = virInternalRequestGetObject(request, (virInternalGateObject)i);
    gate.mode = (int)number(request, "mode");
    gate.lock = (int)number(request, "lock");
    gate.capacity = (unsigned)number(request, "capacity");
    gate.rules = virInternalRequestGetRules(request, "rules", &gate.nrules);
    if (!gate.rules)
        gate.rules = virInternalRequestGetRules(request, "changes", &gate.nrules);
    return gate;
}

static int
adaptMakeGate(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalMakeGateHandler handler = (virInternalMakeGateHandler)opaque;
    virInternalGate gate = gateOf(request);
    int objects[VIR_INTERNAL_GATE_OBJECTS] = {-1, -1, -1, -1, -1, -1};
    int reattached = 0;
    int done = handler(call, &gate, objects, &reattached);

    for (unsigned i = 0; i < VIR_INTERNAL_GATE_OBJECTS; i++) {
        if (objects[i] >= 0)
            (void)virInternalRequestAddObject(request, (virInternalGateObject)i, objects[i]);
    }
    (void)virInternalRequestSetNumber(request, "reattached", reattached); /* gate.create has none */
    return done;
}

static int
adaptChangeGate(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalChangeGateHandler handler = (virInternalChangeGateHandler)opaque;
    virInternalGate gate = gateOf(request);

    return handler(call, &gate);
}

static int
adaptCreateGroup(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalCreateGroupHandler handler = (virInternalCreateGroupHandler)opaque;
    const virInternalGroup group = {(int)number(request, "threaded"),
                                    virInternalRequestGetString(request, "controllers"),
                                    (uid_t)number(request, "uid"), (gid_t)number(request, "gid")};
    int fd = -1;

    if (handler(call, virInternalRequestGetFd(request, 0),
                virInternalRequestGetString(request, "name"), &group, &fd) < 0)
        return -1;
    virInternalRequestAddFd(request, fd);
    return 0;
}

static int
adaptMoveIntoGroup(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalMoveIntoGroupHandler handler = (virInternalMoveIntoGroupHandler)opaque;
    virInternalThreads threads;

    if (threadsOf(call, request, &threads) < 0)
        return -1;
    return handler(call, virInternalRequestGetFd(request, 0), &threads);
}

static int
adaptSetGroup(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalSetGroupHandler handler = (virInternalSetGroupHandler)opaque;

    return handler(call, virInternalRequestGetFd(request, 0),
                   virInternalRequestGetString(request, "file"),
                   virInternalRequestGetString(request, "value"));
}

static int
adaptRemoveGroup(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalRemoveGroupHandler handler = (virInternalRemoveGroupHandler)opaque;

    return handler(call, virInternalRequestGetFd(request, 0),
                   virInternalRequestGetString(request, "name"),
                   (unsigned)number(request, "flags"));
}

enum { MOUNT_TARGETS = 3 }; /* of mount.apply, before the sources */

static int
adaptApplyMounts(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    virInternalApplyMountsHandler handler = (virInternalApplyMountsHandler)opaque;
    const size_t count = virInternalRequestCountFds(request);
    const size_t nsources = count > MOUNT_TARGETS ? count - MOUNT_TARGETS : 0;
    g_autofree int *sources = g_new(int, nsources + 1);
    virInternalMounts mounts = {.pidfd = virInternalRequestGetFd(request, 0),
                                .space = virInternalRequestGetFd(request, 1),
                                .folder = virInternalRequestGetFd(request, 2),
                                .sources = sources,
                                .nsources = nsources};

    for (size_t i = 0; i < nsources; i++)
        sources[i] = virInternalRequestGetFd(request, MOUNT_TARGETS + i);
    mounts.mounts = virInternalRequestGetMounts(request, &mounts.n);
    return handler(call, &mounts);
}

VIR_INTERNAL_EXPORT int
virInternalSetProcessSetMaxMemLockHandlerABI(virConnectPtr conn, unsigned abi,
                                             virInternalSetMaxMemLockHandler handler)
{
    return serve(conn, abi, "memlock.set", adaptMemlock, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetProcessSetSchedulerHandlerABI(virConnectPtr conn, unsigned abi,
                                            virInternalSetSchedulerHandler handler)
{
    return serve(conn, abi, "sched.set", adaptScheduler, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetProcessSetAffinityHandlerABI(virConnectPtr conn, unsigned abi,
                                           virInternalSetAffinityHandler handler)
{
    return serve(conn, abi, "affinity.set", adaptAffinity, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetProcessTuneHandlerABI(virConnectPtr conn, unsigned abi,
                                    virInternalTuneProcessHandler handler)
{
    return serve(conn, abi, "proc.tune", adaptTune, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetFileSetOwnerHandlerABI(virConnectPtr conn, unsigned abi,
                                     virInternalSetOwnerHandler handler)
{
    return serve(conn, abi, "own.set", adaptOwner, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetNodeCreateHandlerABI(virConnectPtr conn, unsigned abi,
                                   virInternalCreateNodeHandler handler)
{
    return serve(conn, abi, "node.create", adaptNode, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetDeviceOpenHandlerABI(virConnectPtr conn, unsigned abi,
                                   virInternalOpenDeviceHandler handler)
{
    return serve(conn, abi, "device.open", adaptDevice, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetNetSetBridgeHandlerABI(virConnectPtr conn, unsigned abi,
                                     virInternalSetBridgeHandler handler)
{
    int attached = serve(conn, abi, "net.attach", adaptAttach, (void (*)(void))handler);

    return attached < 0 ? -1 : serve(conn, abi, "net.detach", adaptAttach, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetPCIBindHandlerABI(virConnectPtr conn, unsigned abi, virInternalBindPCIHandler handler)
{
    int bound = serve(conn, abi, "pci.bind", adaptBindPCI, (void (*)(void))handler);

    return bound < 0 ? -1 : serve(conn, abi, "pci.release", adaptBindPCI, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetNetSetBandwidthHandlerABI(virConnectPtr conn, unsigned abi,
                                        virInternalSetBandwidthHandler handler)
{
    return serve(conn, abi, "net.bandwidth", adaptSetBandwidth, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetTapCreateHandlerABI(virConnectPtr conn, unsigned abi,
                                  virInternalCreateTapHandler handler)
{
    return serve(conn, abi, "tap.create", adaptCreateTap, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetTapRemoveHandlerABI(virConnectPtr conn, unsigned abi,
                                  virInternalRemoveTapHandler handler)
{
    return serve(conn, abi, "tap.remove", adaptRemoveTap, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetNetSetUpHandlerABI(virConnectPtr conn, unsigned abi,
                                 virInternalSetLinkUpHandler handler)
{
    return serve(conn, abi, "net.set", adaptSetUp, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetTeardownHandlerABI(virConnectPtr conn, unsigned abi,
                                 virInternalTeardownHandler handler)
{
    return serve(conn, abi, "teardown", adaptTeardown, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetBarrierHandlerABI(virConnectPtr conn, unsigned abi, virInternalBarrierHandler handler)
{
    return serve(conn, abi, "barrier", adaptBarrier, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetGroupCreateHandlerABI(virConnectPtr conn, unsigned abi,
                                    virInternalCreateGroupHandler handler)
{
    return serve(conn, abi, "cgroup.create", adaptCreateGroup, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetGroupMoveHandlerABI(virConnectPtr conn, unsigned abi,
                                  virInternalMoveIntoGroupHandler handler)
{
    return serve(conn, abi, "cgroup.move", adaptMoveIntoGroup, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetGroupSetHandlerABI(virConnectPtr conn, unsigned abi,
                                 virInternalSetGroupHandler handler)
{
    return serve(conn, abi, "cgroup.set", adaptSetGroup, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetGroupRemoveHandlerABI(virConnectPtr conn, unsigned abi,
                                    virInternalRemoveGroupHandler handler)
{
    return serve(conn, abi, "cgroup.remove", adaptRemoveGroup, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetMountApplyHandlerABI(virConnectPtr conn, unsigned abi,
                                   virInternalApplyMountsHandler handler)
{
    return serve(conn, abi, "mount.apply", adaptApplyMounts, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetGateCreateHandlerABI(virConnectPtr conn, unsigned abi,
                                   virInternalMakeGateHandler handler)
{
    return serve(conn, abi, "gate.create", adaptMakeGate, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetGateReplaceHandlerABI(virConnectPtr conn, unsigned abi,
                                    virInternalMakeGateHandler handler)
{
    return serve(conn, abi, "gate.replace", adaptMakeGate, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetGateUpdateHandlerABI(virConnectPtr conn, unsigned abi,
                                   virInternalChangeGateHandler handler)
{
    return serve(conn, abi, "gate.update", adaptChangeGate, (void (*)(void))handler);
}

VIR_INTERNAL_EXPORT int
virInternalSetGateRemoveHandlerABI(virConnectPtr conn, unsigned abi,
                                   virInternalChangeGateHandler handler)
{
    return serve(conn, abi, "gate.remove", adaptChangeGate, (void (*)(void))handler);
}
