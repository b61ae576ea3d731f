/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * handler_rows.c: rows of the matrix of handlers' misdeeds (delegate/virhandlerrows.h) whose
 * effects take a real kernel: device gates on groups of cgroup v2, ports of a bridge, mounts. The
 * handler's side does them as virtward-helperd does, with the functions below the door. Everything
 * lies in namespaces and groups of this process's own. */
#include "delegate/virhandlerrows.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/cgroup/vircgroupbackend.h"
#include "util/cgroup/vircgroupv2devices.h"
#include "util/netdev/virnetdev.h"
#include "util/virutil.h"

#define TAP "vwmatrix1"
#define BRIDGE "vwmatrixbr"

enum { ROOM = 4 };

static const virGateSettings settings = {VIR_GATE_ENFORCE, VIR_GATE_LOCK_BOTH, ROOM, 1024};
static char *folder;  /* of everything here */
static char *pinPath; /* a bpffs */
static char *mountPath;
static virCgroupInstance *instance;

/* --- gates --- */

static virDeviceRules *
rulesOf(unsigned count)
{
    virDeviceRules *rules = virDeviceRulesNew();
    const virDeviceRule null = {VIR_DEVICE_CHAR, VIR_DEVICE_RW, 1, 3};

    virDeviceRulesAllow(rules, VIR_DEVICE_OWNER_POLICY, &null);
    for (unsigned i = 1; i < count; i++) {
        const virDeviceRule rule = {VIR_DEVICE_CHAR, VIR_DEVICE_RW, 200, (int)i};

        virDeviceRulesAllow(rules, VIR_DEVICE_OWNER_POLICY, &rule);
    }
    return rules;
}

static void
placeGroup(testMatrix *m)
{
    m->test.instance = instance;
    m->test.pinPath = pinPath;
}

/* The guest's group; the stand-in's folders stay as they are. */
static virCgroup *
makeGuestGroup(testMatrix *m)
{
    virCgroup *group = NULL;
    g_autoptr(GError) error = NULL;

    virDelegateCgroupCreate(m->test.door, &testCall, "1-web1", 0, &group, &error);
    g_assert_no_error(error);
    return group;
}

static virCgroup *guestGroup; /* of the cell that runs */

static void
prepareGroup(testMatrix *m)
{
    guestGroup = makeGuestGroup(m);
}

/* The daemon makes the gate itself: nobody has registered yet. */
static void
prepareGate(testMatrix *m)
{
    g_autoptr(virDeviceRules) rules = rulesOf(2);
    g_autoptr(GError) error = NULL;

    prepareGroup(m);
    virDelegateGateCreate(m->test.door, &testCall, guestGroup, rules, &settings, &m->gate, &error);
    g_assert_no_error(error);
}

/* Whatever the cell left is of no group any more: that goes, and what is pinned. */
static void
finishGroup(testMatrix *m)
{
    virDelegate *door = m->test.door;
    const uint8_t none[1][16] = {{0}};
    g_autoptr(GError) error = NULL;

    virCgroupClose(guestGroup);
    g_assert_true(virCgroupRemove(guestGroup, 0, &error));
    g_clear_pointer(&m->gate, virGateUnref);
    g_assert_true(virDelegateGateSweep(door, none, 0, NULL, &error));
    g_assert_no_error(error);
    g_clear_pointer(&guestGroup, virCgroupUnref);
}

/* The handler's own look at what came. */
typedef struct {
    virCgroupV2DevicesPlace place;
    virCgroupV2Devices devices;
} handlersGate;

static void
openGate(handlersGate *gate, testMatrix *m, uint32_t objects)
{
    int *const places[] = {&gate->devices.rulesFd,  &gate->devices.nodesFd, &gate->devices.headerFd,
                           &gate->devices.eventsFd, &gate->devices.progFd,  &gate->devices.linkFd};
    static const virCgroupV2Devices closed = VIR_CGROUP_V2_DEVICES_INIT;
    size_t next = 1;
    g_autoptr(GError) error = NULL;

    *gate = (handlersGate){
        {.groupFd = virPacketGetFd(&m->call, 0), .pinsFd = -1, .eventsFd = -1, .handed = true},
        closed};
    memcpy(gate->place.uuid, testCall.uuid, sizeof(gate->place.uuid));
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        if (objects & (1u << i))
            *places[i] = virPacketTakeFd(&m->call, next++);
    }
    if (gate->devices.progFd >= 0)
        g_assert_true(virCgroupV2DevicesCheck(&gate->devices, testCall.uuid, &error));
}

/* Its objects become the answer's. */
static uint32_t
giveGate(handlersGate *gate, testMatrix *m)
{
    int *const places[] = {&gate->devices.rulesFd,  &gate->devices.nodesFd, &gate->devices.headerFd,
                           &gate->devices.eventsFd, &gate->devices.progFd,  &gate->devices.linkFd};
    uint32_t objects = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        if (*places[i] < 0)
            continue;
        g_array_append_val(m->fds, *places[i]);
        *places[i] = -1;
        objects |= 1u << i;
    }
    virCgroupV2DevicesClear(&gate->devices);
    return objects;
}

/* The arguments of the call, decoded; they live as long as the cell. */
static void *
argsOf(testMatrix *m)
{
    void *args = virArenaAlloc(&m->arena, m->hook->args->size);

    g_assert_true(virPacketDecode(&m->call, m->hook->args, &m->arena, args, NULL));
    return args;
}

static bool
runCreate(testMatrix *m, GError **error)
{
    g_autoptr(virDeviceRules) rules = rulesOf(2);
    g_autoptr(virGate) gate = NULL;

    return virDelegateGateCreate(m->test.door, &testCall, guestGroup, rules, &settings, &gate,
                                 error);
}

static void
doCreate(testMatrix *m)
{
    const handler_gate_create_args *args = argsOf(m);
    handler_gate_create_ret *ret = m->ret;
    g_autoptr(virDeviceRules) rules = rulesOf(2);
    g_autoptr(GArray) all = virDeviceRulesUnion(rules);
    handlersGate gate;
    VIR_AUTOCLOSE events = -1;
    g_autoptr(GError) error = NULL;

    openGate(&gate, m, args->objects);
    events = gate.devices.eventsFd >= 0 ? g_steal_fd(&gate.devices.eventsFd)
                                        : virCgroupV2DevicesCreateEvents(&error);
    gate.place.eventsFd = events;
    virCgroupV2DevicesCreateProg(&gate.devices, &gate.place, &settings, all, &error);
    g_assert_no_error(error);
    ret->objects = giveGate(&gate, m);
}

static bool
allowRules(testMatrix *m, unsigned count, GError **error)
{
    g_autofree virDeviceRule *rules = g_new(virDeviceRule, count);

    for (unsigned i = 0; i < count; i++)
        rules[i] = (virDeviceRule){VIR_DEVICE_CHAR, VIR_DEVICE_RW, 201, (int)i};
    return virDelegateGateAllow(m->test.door, &testCall, m->gate, "hostdev0", rules, count, error);
}

static bool
runUpdate(testMatrix *m, GError **error)
{
    return allowRules(m, 1, error);
}

static void
doUpdate(testMatrix *m)
{
    const handler_gate_update_args *args = argsOf(m);
    handlersGate gate;

    openGate(&gate, m, args->objects);
    for (uint32_t i = 0; i < args->changes_len; i++) {
        const handler_rule *change = &args->changes_val[i];
        const virDeviceRule rule = {(virDeviceType)change->type, change->access, change->major,
                                    change->minor};

        g_assert_true(virCgroupV2DevicesSetRule(&gate.devices, &rule));
    }
    virCgroupV2DevicesClear(&gate.devices);
}

/* More rules than there is room for: first the exchange, then the rules, by the daemon itself. */
static bool
runReplace(testMatrix *m, GError **error)
{
    return allowRules(m, 2 * ROOM, error);
}

static void
doReplace(testMatrix *m)
{
    const handler_gate_replace_args *args = argsOf(m);
    handler_gate_replace_ret *ret = m->ret;
    handlersGate gate;
    g_autoptr(GError) error = NULL;

    openGate(&gate, m, args->objects);
    virCgroupV2DevicesRenewProg(&gate.devices, &gate.place, args->capacity, &error);
    g_assert_no_error(error);
    ret->objects = giveGate(&gate, m);
}

static bool
runRemove(testMatrix *m, GError **error)
{
    return virDelegateGateRemove(m->test.door, &testCall, m->gate, error);
}

static void
doRemove(testMatrix *m)
{
    const handler_gate_remove_args *args = argsOf(m);
    handlersGate gate;
    g_autoptr(GError) error = NULL;

    openGate(&gate, m, args->objects);
    virCgroupV2DevicesRemoveProg(&gate.devices, &gate.place, &error);
    g_assert_no_error(error);
    virCgroupV2DevicesClear(&gate.devices);
}

/* --- interfaces, in a network namespace of our own --- */

static void
setBridgeThere(bool there)
{
    VIR_AUTOCLOSE fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(ioctl(fd, there ? SIOCBRADDBR : SIOCBRDELBR, BRIDGE), ==, 0);
}

static void
prepareTap(testMatrix *m)
{
    const virNetDevTapRequest request = {.name = TAP, .queues = 1, .owner = (uid_t)-1};
    virNetDevTapInfo info;
    g_autoptr(GError) error = NULL;

    virNetDevTapCreate(&request, &m->tap, &info, &error);
    g_assert_no_error(error);
    setBridgeThere(true);
}

static void
preparePort(testMatrix *m)
{
    prepareTap(m);
    g_assert_true(virNetDevSetBridge(TAP, BRIDGE, NULL));
}

static void
finishTap(testMatrix *m)
{
    virCloseFd(&m->tap); /* and it is gone */
    setBridgeThere(false);
}

static bool
runTapRemove(testMatrix *m, GError **error)
{
    return virDelegateTapRemove(m->test.door, &testCall, TAP, 0, error);
}

static void
doTapRemove(testMatrix *m)
{
    g_assert_true(virNetDevTapDelete(TAP, 0, NULL));
}

static bool
runAttach(testMatrix *m, GError **error)
{
    return virDelegateNetAttach(m->test.door, &testCall, TAP, BRIDGE, error);
}

static void
doAttach(testMatrix *m)
{
    g_assert_true(virNetDevSetBridge(TAP, BRIDGE, NULL));
}

static bool
runDetach(testMatrix *m, GError **error)
{
    return virDelegateNetDetach(m->test.door, &testCall, TAP, error);
}

static void
doDetach(testMatrix *m)
{
    g_assert_true(virNetDevSetBridge(TAP, NULL, NULL));
}

/* --- mounts, in a mount namespace of our own --- */

static bool
runMount(testMatrix *m, GError **error)
{
    const virDelegateMount mounts[] = {
        {.kind = VIR_DELEGATE_MOUNT_TMPFS, .name = "", .size = 1 << 20, .mode = 0755},
        {.kind = VIR_DELEGATE_MOUNT_NODE,
         .name = "null",
         .mode = S_IFCHR | 0666,
         .device = (dev_t)0x103},
        {.kind = VIR_DELEGATE_MOUNT_LINK, .name = "fd", .text = "/proc/self/fd"}};

    return virDelegateMountApply(m->test.door, &testCall, m->test.pidfd, mountPath, mounts,
                                 G_N_ELEMENTS(mounts), error);
}

static void
doMount(testMatrix *m)
{
    g_autofree char *node = g_build_filename(mountPath, "null", NULL);
    g_autofree char *link = g_build_filename(mountPath, "fd", NULL);

    g_assert_cmpint(mount("tmpfs", mountPath, "tmpfs", MS_NOSUID, "size=1m,mode=0755"), ==, 0);
    g_assert_cmpint(mknod(node, S_IFCHR | 0666, (dev_t)0x103), ==, 0);
    g_assert_cmpint(chmod(node, 0666), ==, 0);
    g_assert_cmpint(symlink("/proc/self/fd", link), ==, 0);
}

static void
finishMount(testMatrix *m)
{
    (void)umount2(mountPath, MNT_DETACH); /* there is none in half of the cells */
}

/* --- the rows --- */

#define GATE .place = placeGroup, .finish = finishGroup, .root = true
#define STRICT .surplus = "caught, undone"

static const testRow rows[] = {
    {"gate.create", runCreate, doCreate, GATE, STRICT, .prepare = prepareGroup},
    {"gate.update", runUpdate, doUpdate, GATE, .prepare = prepareGate},
    {"gate.replace", runReplace, doReplace, GATE, STRICT, .prepare = prepareGate},
    {"gate.remove", runRemove, doRemove, GATE, .prepare = prepareGate, .ends = true, .looks = true},
    {"tap.remove", runTapRemove, doTapRemove, .root = true, .prepare = prepareTap,
     .finish = finishTap, .ends = true, .looks = true},
    {"net.attach", runAttach, doAttach, .root = true, .prepare = prepareTap, .finish = finishTap},
    {"net.detach", runDetach, doDetach, .root = true, .prepare = preparePort, .finish = finishTap,
     .ends = true, .looks = true},
    {"mount.apply", runMount, doMount, .root = true, .finish = finishMount},
};

const testRow *
testHostRowOf(const virXdrHook *hook)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (g_str_equal(rows[i].hook, hook->name))
            return &rows[i];
    }
    return NULL;
}

/* --- the machine --- */

bool
testHostSetUp(const char **retReason)
{
    g_autoptr(GError) error = NULL;

    *retReason = "needs root";
    if (geteuid() != 0)
        return false;
    folder = g_dir_make_tmp("vwmatrix-XXXXXX", NULL);
    pinPath = g_build_filename(folder, "bpf", NULL);
    mountPath = g_build_filename(folder, "dev", NULL);
    instance = virCgroupInstanceNew(folder, &error);
    g_assert_no_error(error);
    if (!virCgroupInstanceUsable(instance, retReason) ||
        !virCgroupInstanceHasGates(instance, retReason)) {
        g_assert_cmpint(rmdir(folder), ==, 0);
        return false;
    }
    g_assert_cmpint(unshare(CLONE_NEWNS), ==, 0);
    g_assert_cmpint(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), ==, 0);
    g_assert_cmpint(mkdir(pinPath, 0700), ==, 0);
    g_assert_cmpint(mkdir(mountPath, 0700), ==, 0);
    g_assert_cmpint(mount("bpf", pinPath, "bpf", 0, "mode=700"), ==, 0);
    return true;
}

void
testHostTearDown(void)
{
    const virDelegateOwner owner = {geteuid(), getegid(), 0};
    g_autoptr(virDelegate) door = virDelegateNew(instance, pinPath, &owner);
    g_autoptr(GError) error = NULL;

    g_assert_true(virDelegateRetire(door, &error)); /* unmounts the pins too */
    g_assert_no_error(error);
    g_assert_cmpint(rmdir(pinPath), ==, 0);
    g_assert_cmpint(rmdir(mountPath), ==, 0);
    g_assert_cmpint(rmdir(folder), ==, 0);
    g_clear_pointer(&instance, virCgroupInstanceUnref);
    g_clear_pointer(&folder, g_free);
    g_clear_pointer(&pinPath, g_free);
    g_clear_pointer(&mountPath, g_free);
}
