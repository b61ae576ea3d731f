/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facilities.c: see facilities.h. A probe that could change something runs in a child of its own.
 */
#include "facilities.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/kvm.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cgroup/virbpf.h"
#include "util/cgroup/vircgroupbackend.h"
#include "util/cgroup/vircgroupv2devices.h"
#include "util/virfile.h"
#include "util/virsystemd.h"
#include "util/virutil.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif
/* _IOWR('P', 11, ...) of <linux/pidfd.h>, with the 64 bytes of its first version. */
#define PIDFD_GET_INFO_64 _IOC(_IOC_READ | _IOC_WRITE, 0xFF, 11, 64)
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif
#define N_(text) text

const char *
facilityStateToString(facilityState state)
{
    static const char *const names[FACILITY_LAST] = {"yes", "no", "denied"};

    return names[state];
}

static facilityState
fromErrno(void)
{
    return errno == EPERM || errno == EACCES ? FACILITY_DENIED : FACILITY_NO;
}

static facilityState
fromFd(int fd, char *detail, size_t room)
{
    VIR_AUTOCLOSE owned = fd;

    if (owned >= 0)
        return FACILITY_YES;
    g_strlcpy(detail, g_strerror(errno), room);
    return fromErrno();
}

/* Runs the probe in a child: its state is the exit status. */
static facilityState
inChild(facilityState (*probe)(void))
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0)
        _exit((int)probe());
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) ||
        WEXITSTATUS(status) >= FACILITY_LAST)
        return FACILITY_NO;
    return (facilityState)WEXITSTATUS(status);
}

/* --- groups --- */

static bool
findMounts(virCgroupMounts *mounts)
{
    g_autofree char *text = virFileRead("/proc/self/mounts", 1 << 20, NULL, NULL);

    if (text)
        virCgroupMountsParse(mounts, text);
    return text != NULL;
}

static int
openGroups(void)
{
    g_auto(virCgroupMounts) mounts = {0};

    if (!findMounts(&mounts) || !mounts.v2) {
        errno = ENOENT;
        return -1;
    }
    return open(mounts.v2, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static facilityState
probeCgroup2(char *detail, size_t room)
{
    g_auto(virCgroupMounts) mounts = {0};

    if (!findMounts(&mounts) || !mounts.v2)
        return FACILITY_NO;
    g_strlcpy(detail, mounts.v2, room);
    return FACILITY_YES;
}

static facilityState
probeControllers(char *detail, size_t room)
{
    static const struct {
        const char *name;
        virCgroupController v1;
    } wanted[] = {{"cpu", VIR_CGROUP_CONTROLLER_CPU},
                  {"cpuset", VIR_CGROUP_CONTROLLER_CPUSET},
                  {"memory", VIR_CGROUP_CONTROLLER_MEMORY},
                  {"io", VIR_CGROUP_CONTROLLER_BLKIO},
                  {"pids", VIR_CGROUP_CONTROLLER_PIDS}};
    g_auto(virCgroupMounts) mounts = {0};
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    g_auto(GStrv) words = NULL;
    facilityState state = FACILITY_YES;

    if (!findMounts(&mounts))
        return FACILITY_NO;
    if (mounts.v2)
        path = g_build_filename(mounts.v2, "cgroup.controllers", NULL);
    text = path ? virFileRead(path, 4096, NULL, NULL) : NULL;
    words = g_strsplit_set(text ? text : "", " \n", -1);
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        const char *where = g_strv_contains((const char *const *)words, wanted[i].name) ? "v2"
                            : mounts.v1[wanted[i].v1]                                   ? "v1"
                                                                                        : "none";
        size_t used = strlen(detail);

        (void)snprintf(detail + used, room - used, "%s%s %s", used ? ", " : "", wanted[i].name,
                       where);
        if (g_str_equal(where, "none"))
            state = FACILITY_NO;
    }
    return state;
}

static facilityState
probeManager(char *detail, size_t room)
{
    switch (virSystemdFind()) {
    case VIR_SYSTEMD_MACHINES:
        g_strlcpy(detail, "scopes made by systemd-machined", room);
        return FACILITY_YES;
    case VIR_SYSTEMD_SCOPES:
        g_strlcpy(detail, "scopes made by systemd, without machined", room);
        return FACILITY_YES;
    case VIR_SYSTEMD_NONE:
        break;
    }
    g_strlcpy(detail, "groups made by the daemon itself", room);
    return FACILITY_NO;
}

/* The uppermost group has no such file; any other tells. */
static facilityState
probeKill(char *detail, size_t room)
{
    g_auto(virCgroupMounts) mounts = {0};
    g_autoptr(GDir) folder = NULL;
    const char *name;

    if (!findMounts(&mounts) || !mounts.v2)
        return FACILITY_NO;
    folder = g_dir_open(mounts.v2, 0, NULL);
    while (folder && (name = g_dir_read_name(folder))) {
        g_autofree char *procs = g_build_filename(mounts.v2, name, "cgroup.procs", NULL);
        g_autofree char *kill = g_build_filename(mounts.v2, name, "cgroup.kill", NULL);

        if (access(procs, F_OK) == 0)
            return access(kill, F_OK) == 0 ? FACILITY_YES : FACILITY_NO;
    }
    g_strlcpy(detail, "no group to look at", room);
    return FACILITY_DENIED;
}

static facilityState
probeIntoGroup(char *detail, size_t room)
{
    struct clone_args args = {
        .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = INT_MAX};

    /* There is no such descriptor: a kernel that looks for it knows the flag. */
    if (syscall(SYS_clone3, &args, sizeof(args)) == 0)
        _exit(0);
    (void)detail;
    (void)room;
    return errno == EBADF ? FACILITY_YES : fromErrno();
}

/* --- the gate --- */

static facilityState
probeDevicePrograms(char *detail, size_t room)
{
    VIR_AUTOCLOSE fd = openGroups();

    (void)detail;
    (void)room;
    if (fd < 0)
        return fromErrno();
    switch (virCgroupV2DevicesAvailable(fd)) {
    case VIR_CGROUP_V2_DEVICES_YES:
        return FACILITY_YES;
    case VIR_CGROUP_V2_DEVICES_DENIED:
        return FACILITY_DENIED;
    case VIR_CGROUP_V2_DEVICES_NO:
        break;
    }
    return FACILITY_NO;
}

static int
makeRules(void)
{
    return virBPFCreateMap(BPF_MAP_TYPE_LPM_TRIE, VIR_GATE_RULES_NAME, sizeof(virGateKey),
                           sizeof(virGateValue), 16, BPF_F_NO_PREALLOC);
}

static facilityState
probeTrie(char *detail, size_t room)
{
    return fromFd(makeRules(), detail, room);
}

static facilityState
probeRing(char *detail, size_t room)
{
    return fromFd(
        virBPFCreateMap(BPF_MAP_TYPE_RINGBUF, VIR_GATE_EVENTS_NAME, 0, 0, VIR_GATE_EVENTS_SIZE, 0),
        detail, room);
}

static int
loadGate(void)
{
    VIR_AUTOCLOSE rules = makeRules();
    VIR_AUTOCLOSE header =
        virBPFCreateMap(BPF_MAP_TYPE_ARRAY, VIR_GATE_HEADER_NAME, sizeof(uint32_t),
                        sizeof(virGateHeader), 1, BPF_F_MMAPABLE);
    VIR_AUTOCLOSE events =
        virBPFCreateMap(BPF_MAP_TYPE_RINGBUF, VIR_GATE_EVENTS_NAME, 0, 0, VIR_GATE_EVENTS_SIZE, 0);
    VIR_AUTOCLOSE nodes =
        virBPFCreateMap(BPF_MAP_TYPE_ARRAY, VIR_GATE_NODES_NAME, sizeof(uint32_t),
                        VIR_GATE_BUCKET_SIZE, VIR_GATE_BUCKETS_MIN, BPF_F_MMAPABLE);
    const virGateMaps maps = {rules, nodes, VIR_GATE_BUCKETS_MIN, header, events};
    virGateProgram program;

    if (rules < 0 || nodes < 0 || header < 0)
        return -1;
    virGateProgramBuild(&program, &maps);
    return virBPFLoadDeviceProg(program.insns, program.count, VIR_GATE_PROG_NAME, NULL, 0);
}

static facilityState
probeProgram(char *detail, size_t room)
{
    return fromFd(loadGate(), detail, room);
}

/* Flags are looked at before descriptors: EBADF means that the kernel knows them. */
static facilityState
probeReplace(char *detail, size_t room)
{
    VIR_AUTOCLOSE groups = openGroups();

    (void)detail;
    (void)room;
    if (groups < 0 || virBPFAttachDeviceProg(groups, /* progFd: */ -1, /* replaceFd: */ 0, 0))
        return FACILITY_NO;
    return errno == EBADF ? FACILITY_YES : fromErrno();
}

static facilityState
probeLink(char *detail, size_t room)
{
    VIR_AUTOCLOSE groups = openGroups();

    (void)detail;
    (void)room;
    if (groups < 0 || virBPFCreateDeviceLink(groups, /* progFd: */ -1) >= 0)
        return FACILITY_NO;
    return errno == EBADF ? FACILITY_YES : fromErrno();
}

static facilityState
probeRevision(char *detail, size_t room)
{
    VIR_AUTOCLOSE groups = openGroups();
    virBPFProgs progs;

    (void)detail;
    (void)room;
    if (groups < 0 || !virBPFQueryDeviceProgs(groups, false, &progs))
        return fromErrno();
    return progs.revision ? FACILITY_YES : FACILITY_NO;
}

static int mapForChild; /* of probeWithoutRights */

static facilityState
updateWithoutRights(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0}};
    virGateKey key = {64, 0, 0};
    virGateValue value = {0};

    if (syscall(SYS_capset, &header, none) < 0)
        return FACILITY_NO;
    return virBPFUpdateElem(mapForChild, &key, &value) ? FACILITY_YES : fromErrno();
}

static facilityState
probeWithoutRights(char *detail, size_t room)
{
    VIR_AUTOCLOSE rules = makeRules();

    if (rules < 0)
        return fromFd(-1, detail, room);
    mapForChild = rules;
    return inChild(updateWithoutRights);
}

static facilityState
makeRulesWithoutMemlock(void)
{
    const struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_MEMLOCK, &none) < 0)
        return FACILITY_DENIED;
    return makeRules() >= 0 ? FACILITY_YES : FACILITY_NO;
}

static facilityState
probeAccounting(char *detail, size_t room)
{
    VIR_AUTOCLOSE rules = makeRules();

    if (rules < 0)
        return fromFd(-1, detail, room);
    return inChild(makeRulesWithoutMemlock);
}

/* --- bpffs --- */

/* A bpffs that is attached nowhere; the folder, or -1. */
static int
makeBpffs(const char *uid)
{
    VIR_AUTOCLOSE context = (int)syscall(SYS_fsopen, "bpf", FSOPEN_CLOEXEC);

    if (context < 0 ||
        (uid && syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "uid", uid, 0) < 0) ||
        syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
}

static facilityState
probeBpffs(char *detail, size_t room)
{
    return fromFd(makeBpffs(NULL), detail, room);
}

static facilityState
probeBpffsOwner(char *detail, size_t room)
{
    return fromFd(makeBpffs("0"), detail, room);
}

static facilityState
probeBpffsExchange(char *detail, size_t room)
{
    VIR_AUTOCLOSE folder = makeBpffs(NULL);

    if (folder < 0)
        return fromFd(-1, detail, room);
    if (mkdirat(folder, "a", 0700) < 0 || mkdirat(folder, "b", 0700) < 0)
        return fromErrno();
    return renameat2(folder, "a", folder, "b", RENAME_EXCHANGE) == 0 ? FACILITY_YES : fromErrno();
}

/* --- processes --- */

static facilityState
probePidfd(char *detail, size_t room)
{
    return fromFd((int)syscall(SYS_pidfd_open, getpid(), 0), detail, room);
}

static facilityState
probeThreadPidfd(char *detail, size_t room)
{
    return fromFd((int)syscall(SYS_pidfd_open, getpid(), PIDFD_THREAD), detail, room);
}

static facilityState
probePidfdInfo(char *detail, size_t room)
{
    VIR_AUTOCLOSE pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    uint64_t info[8] = {0};

    (void)detail;
    (void)room;
    return pidfd >= 0 && ioctl(pidfd, PIDFD_GET_INFO_64, info) == 0 ? FACILITY_YES : FACILITY_NO;
}

static facilityState
probePeerPidfd(char *detail, size_t room)
{
    int pair[2] = {-1, -1};
    int peer = -1;
    socklen_t size = sizeof(peer);
    bool done;

    (void)detail;
    (void)room;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return fromErrno();
    done = getsockopt(pair[0], SOL_SOCKET, SO_PEERPIDFD, &peer, &size) == 0;
    virCloseFd(&peer);
    virCloseFd(&pair[0]);
    virCloseFd(&pair[1]);
    return done ? FACILITY_YES : FACILITY_NO;
}

static facilityState
probeUserNamespace(char *detail, size_t room)
{
    g_autofree char *map = virFileRead("/proc/self/uid_map", 4096, NULL, NULL);
    unsigned inside = 1;
    unsigned outside = 1;
    unsigned count = 0;

    if (!map || sscanf(map, "%u %u %u", &inside, &outside, &count) != 3)
        return FACILITY_NO;
    if (inside == 0 && outside == 0 && count == UINT32_MAX)
        return FACILITY_YES;
    (void)snprintf(detail, room, "uid %u here is %u outside", inside, outside);
    return FACILITY_NO;
}

/* --- a /dev of the guest's own --- */

static facilityState
makeMounts(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
               ? FACILITY_YES
               : fromErrno();
}

static facilityState
probeMounts(char *detail, size_t room)
{
    (void)detail;
    (void)room;
    return inChild(makeMounts);
}

static facilityState
makeNode(void)
{
    VIR_AUTOCLOSE fd = -1;

    if (makeMounts() != FACILITY_YES || mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID, "mode=700") < 0)
        return fromErrno();
    /* One that is made but may not be opened (a user namespace, a nodev mount) is no use. */
    if (mknod("/tmp/null", S_IFCHR | 0600, makedev(1, 3)) < 0)
        return fromErrno();
    fd = open("/tmp/null", O_RDWR | O_CLOEXEC);
    return fd >= 0 ? FACILITY_YES : fromErrno();
}

static facilityState
probeNodes(char *detail, size_t room)
{
    (void)detail;
    (void)room;
    return inChild(makeNode);
}

/* --- nodes of the host --- */

static facilityState
probeNode(const char *path, char *detail, size_t room)
{
    g_strlcpy(detail, path, room);
    if (access(path, R_OK | W_OK) == 0)
        return FACILITY_YES;
    return fromErrno();
}

static facilityState
probeKvm(char *detail, size_t room)
{
    VIR_AUTOCLOSE fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return fromFd(-1, detail, room);
    (void)snprintf(detail, room, "API version %d", ioctl(fd, KVM_GET_API_VERSION, 0));
    return FACILITY_YES;
}

static facilityState
probeVhostNet(char *detail, size_t room)
{
    return probeNode("/dev/vhost-net", detail, room);
}

static facilityState
probeVhostVsock(char *detail, size_t room)
{
    return probeNode("/dev/vhost-vsock", detail, room);
}

static facilityState
probeTun(char *detail, size_t room)
{
    return probeNode("/dev/net/tun", detail, room);
}

static facilityState
probeVfio(char *detail, size_t room)
{
    return probeNode("/dev/vfio/vfio", detail, room);
}

static facilityState
probeUserfault(char *detail, size_t room)
{
    VIR_AUTOCLOSE fd = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);

    if (fd >= 0)
        return FACILITY_YES;
    return fromFd((int)syscall(SYS_userfaultfd, O_CLOEXEC), detail, room);
}

/* --- all of them --- */

const facility facilities[] = {
    {"cgroup2", "4.5", N_("groups of guests, and the device gate"),
     N_("gates by devices.allow and devices.deny of v1, if that is there: no reports of denials"),
     N_("mount -t cgroup2, or boot with systemd.unified_cgroup_hierarchy=1"), probeCgroup2},
    {"cgroup-controllers", "", N_("limits of guests"), N_("limits whose controller is nowhere"),
     N_("leave cgroup_disable= and cgroup_no_v1= off the kernel's command line"), probeControllers},
    {"cgroup-manager", "", N_("guests where systemd keeps the groups"),
     N_("machinectl, and units that can be ordered after guests; limits and gate stay"),
     N_("a system bus with systemd on it; systemd-machined for machinectl"), probeManager},
    {"clone-into-cgroup", "5.7", N_("QEMU is born behind its gate"),
     N_("it is moved there before it execs"), N_("a newer kernel"), probeIntoGroup},
    {"cgroup-kill", "5.14", N_("the end of all that a guest has started"),
     N_("processes are ended one by one"), N_("a newer kernel"), probeKill},
    {"device-programs", "4.15", N_("the device gate"), N_("the gate on cgroup v2"),
     N_("CONFIG_CGROUP_BPF=y; CAP_NET_ADMIN to look"), probeDevicePrograms},
    {"bpf-trie", "4.11", N_("the rules of a gate"), N_("the gate on cgroup v2"),
     N_("CONFIG_BPF_SYSCALL=y; CAP_BPF to make"), probeTrie},
    {"bpf-ring", "5.8", N_("reports of what gates deny"), N_("the reports; gates deny in silence"),
     N_("a newer kernel; CAP_BPF"), probeRing},
    {"bpf-program", "", N_("the program of the gate, loaded as it is"), N_("the gate on cgroup v2"),
     N_("CAP_BPF and CAP_NET_ADMIN, or a helper that makes gates"), probeProgram},
    {"bpf-replace", "5.6", N_("a full map is doubled, an older program exchanged"),
     N_("both; gate_rules is the bound"), N_("a newer kernel"), probeReplace},
    {"bpf-link", "5.7", N_("the gate's second lock"),
     N_("gates that other managers can replace until they are looked at again"),
     N_("a newer kernel; gate_lock = \"direct\" says that this is meant"), probeLink},
    {"bpf-revision", "6.17", N_("a manager that attaches at the same moment is noticed"),
     N_("it is noticed at the next look"), N_("nothing: that is enough"), probeRevision},
    {"bpf-unprivileged-use", "5.19", N_("a daemon without rights changes rules through its pins"),
     N_("hot-plug of host devices after a restart without CAP_BPF"), N_("a newer kernel"),
     probeWithoutRights},
    {"bpf-memory-accounting", "5.11", N_("gates without RLIMIT_MEMLOCK"),
     N_("a gate counts against the daemon's locked memory"), N_("LimitMEMLOCK=infinity"),
     probeAccounting},
    {"bpffs", "4.4", N_("pins, by which a restarted daemon finds gates without rights"),
     N_("the link, and restarts without CAP_SYS_ADMIN"),
     N_("CAP_SYS_ADMIN, or a bpffs on run/bpf that the daemon's user may write to"), probeBpffs},
    {"bpffs-owner", "6.8", N_("a bpffs that is the daemon's user's from the start"),
     N_("nothing: its folder is given away afterwards"), N_("nothing: that is enough"),
     probeBpffsOwner},
    {"bpffs-exchange", "5.16", N_("pins are exchanged in one step"),
     N_("for a moment only the new set is there, under another name"),
     N_("nothing: a restart finds that, too"), probeBpffsExchange},
    {"pidfd", "5.3", N_("processes that can't be mistaken for others"),
     N_("the daemon doesn't start"), N_("a newer kernel"), probePidfd},
    {"pidfd-thread", "6.9", N_("threads of guests handed to helpers"),
     N_("nothing: a folder of /proc goes with the process's"), N_("nothing: that is enough"),
     probeThreadPidfd},
    {"pidfd-info", "6.13", N_("where a helper has moved a process"), N_("nothing: /proc tells"),
     N_("nothing: that is enough"), probePidfdInfo},
    {"peer-pidfd", "6.5", N_("who a client is"), N_("nothing: the number is opened and compared"),
     N_("nothing: that is enough"), probePeerPidfd},
    {"initial-user-namespace", "", N_("nodes made where they are needed"),
     N_("making nodes: descriptors, nodes of a helper, or bind mounts instead"),
     N_("run the daemon, or a helper, outside"), probeUserNamespace},
    {"mount-namespace", "", N_("a /dev of the guest's own"), N_("guests see the host's /dev"),
     N_("CAP_SYS_ADMIN; namespaces = [] says that this is meant"), probeMounts},
    {"device-nodes", "", N_("nodes of the guest's own /dev are made"),
     N_("nothing: the host's nodes are mounted there"), N_("nothing: that is enough"), probeNodes},
    {"kvm", "", N_("guests at full speed"), N_("guests of type kvm"),
     N_("modprobe kvm_intel or kvm_amd; virtualization in the firmware"), probeKvm},
    {"tun", "", N_("interfaces of guests"), N_("interfaces of type ethernet, bridge and network"),
     N_("modprobe tun"), probeTun},
    {"vhost-net", "", N_("interfaces served by the kernel"), N_("speed: QEMU serves them"),
     N_("modprobe vhost_net"), probeVhostNet},
    {"vhost-vsock", "", N_("sockets between host and guest"), N_("vsock devices"),
     N_("modprobe vhost_vsock"), probeVhostVsock},
    {"vfio", "", N_("devices of the host in guests"), N_("hostdev of PCI and mediated devices"),
     N_("modprobe vfio-pci, and an IOMMU switched on"), probeVfio},
    {"userfaultfd", "4.11", N_("migration that ends after the switch"), N_("post-copy migration"),
     N_("modprobe userfaultfd, or vm.unprivileged_userfaultfd=1"), probeUserfault},
};
const size_t nfacilities = G_N_ELEMENTS(facilities);
