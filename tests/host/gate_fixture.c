/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gate_fixture.c: see gate_fixture.h. */
#include "host/gate_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host/gate_count.h"
#include "util/cgroup/virbpf.h"
#include "util/cgroup/virgatepins.h"
#include "util/virspawn.h"
#include "util/virutil.h"

virCgroupInstance *testInstance;
virGateStore *testStore;
const virGateSettings testSettings = {VIR_GATE_ENFORCE, VIR_GATE_LOCK_BOTH, 0};

/* What the uuids of this process's guests begin with. */
static uint8_t uuidPrefix[4];

static char *folder;
static char *pinsPath;
static char *nodesPath;

/* --- the machine --- */

static bool
testMakeNodes(void)
{
    for (int major = 200; major <= 205; major++) {
        for (int minor = 0; minor < 8; minor++) {
            for (int block = 0; block < 2; block++) {
                g_autofree char *path =
                    g_strdup_printf("%s/%c%d_%d", nodesPath, block ? 'b' : 'c', major, minor);

                if (mknod(path, (block ? S_IFBLK : S_IFCHR) | 0666, makedev(major, minor)) < 0)
                    return false;
            }
        }
    }
    return true;
}

static bool
testPrivateMounts(void)
{
    folder = g_dir_make_tmp("virtward-gate-XXXXXX", NULL);
    pinsPath = g_build_filename(folder, "bpf", NULL);
    nodesPath = g_build_filename(folder, "nodes", NULL);
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mkdir(pinsPath, 0700) == 0 && mkdir(nodesPath, 0700) == 0 &&
           mount("bpf", pinsPath, "bpf", 0, "mode=700") == 0 &&
           mount("tmpfs", nodesPath, "tmpfs", 0, "mode=700") == 0 && testMakeNodes();
}

virGateStore *
testStoreAgain(void)
{
    return virGateStoreNew(open(pinsPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC), geteuid(),
                           getegid());
}

bool
testGateSetup(const char **retReason)
{
    g_autofree char *root = g_strdup_printf("/tmp/virtward-gate-test-%d", getpid());
    g_autoptr(GError) error = NULL;

    *retReason = "needs root";
    if (geteuid() != 0)
        return false;
    testInstance = virCgroupInstanceNew(root, &error);
    g_assert_no_error(error);
    if (!virCgroupInstanceUsable(testInstance, retReason))
        return false;
    *retReason = "needs cgroup v2 with device programs";
    if (!g_str_equal(virCgroupInstanceBackendName(testInstance), "v2"))
        return false;
    *retReason = "needs a mount namespace of its own with a bpffs";
    if (!testPrivateMounts())
        return false;
    testStore = testStoreAgain();
    for (size_t i = 0; i < sizeof(uuidPrefix); i++)
        uuidPrefix[i] = (uint8_t)((unsigned)getpid() >> (8 * i)) ^ 0x5a;
    virCgroupInstanceMake(testInstance, &error);
    g_assert_no_error(error);
    return true;
}

void
testGateTeardown(void)
{
    g_autoptr(GError) error = NULL;

    if (folder) {
        virCgroupInstanceRemove(testInstance, &error);
        g_assert_no_error(error);
        virGateStoreUnref(testStore);
        (void)umount2(pinsPath, MNT_DETACH); /* ours; goes with the namespace anyway */
        (void)umount2(nodesPath, MNT_DETACH);
        g_assert_cmpint(rmdir(pinsPath), ==, 0);
        g_assert_cmpint(rmdir(nodesPath), ==, 0);
        g_assert_cmpint(rmdir(folder), ==, 0);
    }
    virCgroupInstanceUnref(testInstance);
    g_free(pinsPath);
    g_free(nodesPath);
    g_free(folder);
}

/* --- guests --- */

virDeviceRules *
testRules(const char *owner, const char *const *texts)
{
    virDeviceRules *rules = virDeviceRulesNew();

    for (; *texts; texts++) {
        virDeviceRule rule;
        GError *error = NULL;

        virDeviceRuleParse(*texts, &rule, &error);
        g_assert_no_error(error);
        virDeviceRulesAllow(rules, owner, &rule);
    }
    return rules;
}

void
testGuestName(testGuest *guest)
{
    memcpy(guest->uuid, uuidPrefix, sizeof(uuidPrefix));
    for (int i = sizeof(uuidPrefix); i < 16; i++)
        guest->uuid[i] = (uint8_t)g_random_int_range(1, 256);
}

testGuest *
testGuestNewBare(const char *name, const virGateSettings *settings, const char *const *texts)
{
    testGuest *guest = g_new0(testGuest, 1);
    g_autoptr(virDeviceRules) rules = testRules(VIR_DEVICE_OWNER_POLICY, texts);
    GError *error = NULL;

    guest->pidfd = guest->pipe[0] = guest->pipe[1] = -1;
    testGuestName(guest);
    guest->group = virCgroupNew(testInstance, name);
    virCgroupMake(guest->group, &error);
    g_assert_no_error(error);
    guest->gate = virGateNew(guest->group, testStore, guest->uuid, rules, settings);
    return guest;
}

testGuest *
testGuestNew(const char *name, const virGateSettings *settings, const char *const *texts)
{
    testGuest *guest = testGuestNewBare(name, settings, texts);
    GError *error = NULL;

    virGateMake(guest->gate, &error);
    g_assert_no_error(error);
    return guest;
}

virCgroupV2DevicesPlace
testGuestPlace(testGuest *guest, int eventsFd)
{
    virCgroupV2DevicesPlace place = {.groupFd = virCgroupCloneFd(guest->group),
                                     .pinsFd = testStore->pinsFd,
                                     .eventsFd = eventsFd,
                                     .pinOwner = geteuid(),
                                     .pinGroup = getegid()};

    memcpy(place.uuid, guest->uuid, sizeof(place.uuid));
    return place;
}

static int
testLoadFirstAbi(const virCgroupV2Devices *devices, int eventsFd, const char *name)
{
    const virGateMaps maps = {devices->rulesFd, /* nodesFd: */ -1, 0, devices->headerFd, eventsFd};
    virGateProgram program;
    int fd;

    virGateProgramBuild(&program, &maps);
    fd = virBPFLoadDeviceProg(program.insns, program.count, name, NULL, 0);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static void
testMakeFirstAbiMaps(virCgroupV2Devices *devices, const uint8_t uuid[16], const GArray *rules)
{
    GError *error = NULL;

    devices->capacity = 64;
    devices->rulesFd =
        virBPFCreateMap(BPF_MAP_TYPE_LPM_TRIE, VIR_GATE_RULES_NAME, sizeof(virGateKey),
                        sizeof(virGateValue), 64, BPF_F_NO_PREALLOC);
    devices->headerFd = virBPFCreateMap(BPF_MAP_TYPE_ARRAY, VIR_GATE_HEADER_NAME, sizeof(uint32_t),
                                        sizeof(virGateHeader), 1, BPF_F_MMAPABLE);
    devices->eventsFd = virCgroupV2DevicesCreateEvents(&error);
    g_assert_no_error(error);
    testAssertNoError(virCgroupV2DevicesFillRules(devices, rules, &error), error);
    g_assert_true(virCgroupV2DevicesMapHeader(devices));
    devices->header->abi = VIR_GATE_ABI_TRIE;
    devices->header->program = 1;
    memcpy(devices->header->uuid, uuid, sizeof(devices->header->uuid));
}

testGuest *
testGuestNewOfFirstAbi(const char *name, const char *const *texts)
{
    testGuest *guest = testGuestNewBare(name, &testSettings, texts);
    g_autoptr(virDeviceRules) rules = testRules(VIR_DEVICE_OWNER_POLICY, texts);
    g_autoptr(GArray) all = virDeviceRulesUnion(rules);
    virCgroupV2Devices devices = VIR_CGROUP_V2_DEVICES_INIT;
    virCgroupV2DevicesPlace place = testGuestPlace(guest, -1);
    VIR_AUTOCLOSE lockFd = -1;
    GError *error = NULL;

    testMakeFirstAbiMaps(&devices, guest->uuid, all);
    devices.progFd = testLoadFirstAbi(&devices, devices.eventsFd, VIR_GATE_PROG_NAME);
    lockFd = testLoadFirstAbi(&devices, /* eventsFd: */ -1, VIR_GATE_LOCK_PROG_NAME);
    testAssertNoError(virCgroupV2DevicesAttachProg(&devices, &place, NULL, &error), error);
    devices.linkFd = virBPFCreateDeviceLink(place.groupFd, lockFd);
    g_assert_cmpint(devices.linkFd, >=, 0);
    testAssertNoError(virGatePinsMake(&place, &devices, &error), error);
    testAssertNoError(virGatePinsPublish(&place, &error), error);
    virCgroupV2DevicesClear(&devices);
    return guest;
}

void
testGuestForget(testGuest *guest)
{
    g_clear_pointer(&guest->gate, virGateUnref);
    g_clear_pointer(&guest->group, virCgroupUnref);
}

void
testGuestFree(testGuest *guest)
{
    GError *error = NULL;

    virCloseFd(&guest->pipe[0]);
    if (guest->group) {
        virCgroupRemove(guest->group, 20000, &error);
        g_assert_no_error(error);
    }
    if (guest->gate) {
        virGateDestroy(guest->gate, &error);
        g_assert_no_error(error);
    }
    if (guest->pidfd >= 0)
        g_assert_true(virSpawnReap(guest->pidfd, NULL, NULL));
    virCloseFd(&guest->pidfd);
    testGuestForget(guest);
    g_free(guest);
}

/* --- the child --- */

typedef struct {
    int ask;
    bool block;
    int major;
    int minor;
    unsigned times; /* 0: once */
    char path[200];
} testQuestion;

static int
testChildAnswer(const testQuestion *question)
{
    char beside[256];

    for (unsigned i = 1; i < question->times; i++)
        (void)access(question->path, question->ask); /* the last one answers */
    if (question->ask != ASK_MKNOD)
        return access(question->path, question->ask) == 0 ? 0 : errno;
    g_snprintf(beside, sizeof(beside), "%s.made", question->path);
    if (mknod(beside, (question->block ? S_IFBLK : S_IFCHR) | 0600,
              makedev(question->major, question->minor)) < 0)
        return errno;
    (void)unlink(beside);
    return 0;
}

static G_GNUC_NORETURN void
testChild(int fd)
{
    testQuestion question;

    /* Handles on the gate that we inherited would keep it alive. */
    if (dup2(fd, 3) != 3 || close_range(4, ~0U, 0) < 0)
        _exit(1);
    fd = 3;
    while (read(fd, &question, sizeof(question)) == sizeof(question)) {
        int answer = testChildAnswer(&question);

        if (write(fd, &answer, sizeof(answer)) != sizeof(answer))
            break;
    }
    _exit(0);
}

/* A copy of this process in the group; 0 in the copy. */
static long
testCloneInto(testGuest *guest, int *retPidfd)
{
    struct clone_args {
        uint64_t flags, pidfd, childTid, parentTid, exitSignal, stack, stackSize, tls, setTid,
            setTidSize, cgroup;
    } args = {.flags = 0x1000 | 0x200000000ULL, /* CLONE_PIDFD, CLONE_INTO_CGROUP */
              .pidfd = (uintptr_t)retPidfd,
              .exitSignal = 17,
              .cgroup = (uint64_t)virCgroupCloneFd(guest->group)};
    long pid = syscall(SYS_clone3, &args, sizeof(args));

    g_assert_cmpint(pid, >=, 0);
    return pid;
}

void
testGuestStart(testGuest *guest)
{
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, guest->pipe), ==, 0);
    if (testCloneInto(guest, &guest->pidfd) == 0)
        testChild(guest->pipe[1]);
    virCloseFd(&guest->pipe[1]);
}

static int
testGuestQuestion(testGuest *guest, const testQuestion *question)
{
    int answer = -1;

    g_assert_cmpint(write(guest->pipe[0], question, sizeof(*question)), ==, sizeof(*question));
    g_assert_cmpint(read(guest->pipe[0], &answer, sizeof(answer)), ==, sizeof(answer));
    return answer;
}

int
testGuestAsk(testGuest *guest, int ask, bool block, int major, int minor)
{
    testQuestion question = {.ask = ask, .block = block, .major = major, .minor = minor};

    g_snprintf(question.path, sizeof(question.path), "%s/%c%d_%d", nodesPath, block ? 'b' : 'c',
               major, minor);
    return testGuestQuestion(guest, &question);
}

void
testGuestAskTimes(testGuest *guest, int ask, int major, int minor, unsigned times)
{
    testQuestion question = {.ask = ask, .major = major, .minor = minor, .times = times};

    g_snprintf(question.path, sizeof(question.path), "%s/c%d_%d", nodesPath, major, minor);
    (void)testGuestQuestion(guest, &question);
}

int
testGuestAskPath(testGuest *guest, int ask, const char *path)
{
    testQuestion question = {.ask = ask};

    g_strlcpy(question.path, path, sizeof(question.path));
    return testGuestQuestion(guest, &question);
}

/* --- the prober --- */

/* Shared with the process that asks. */
typedef struct {
    int stop;
    unsigned asked;
    unsigned wrong;
} testProberBoard;

struct testProber {
    testProberBoard *board;
    int pidfd;
};

static G_GNUC_NORETURN void
testProberRun(testProberBoard *board, const char *allowed, const char *denied)
{
    if (close_range(3, ~0U, 0) < 0)
        _exit(1);
    while (!g_atomic_int_get(&board->stop)) {
        board->wrong += access(allowed, R_OK | W_OK) != 0;
        board->wrong += access(denied, R_OK) == 0;
        g_atomic_int_add((gint *)&board->asked, 2);
    }
    _exit(0);
}

testProber *
testProberStart(testGuest *guest, int majorAllowed, int minorAllowed, int majorDenied,
                int minorDenied)
{
    g_autofree char *allowed = g_strdup_printf("%s/c%d_%d", nodesPath, majorAllowed, minorAllowed);
    g_autofree char *denied = g_strdup_printf("%s/c%d_%d", nodesPath, majorDenied, minorDenied);
    testProber *prober = g_new0(testProber, 1);

    prober->board = mmap(NULL, sizeof(*prober->board), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert_true(prober->board != MAP_FAILED);
    if (testCloneInto(guest, &prober->pidfd) == 0)
        testProberRun(prober->board, allowed, denied);
    testProberAwait(prober);
    return prober;
}

unsigned
testProberAsked(testProber *prober)
{
    return (unsigned)g_atomic_int_get((gint *)&prober->board->asked);
}

unsigned
testProberWrong(testProber *prober)
{
    return (unsigned)g_atomic_int_get((gint *)&prober->board->wrong);
}

void
testProberAwait(testProber *prober)
{
    gint64 deadline_us = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    unsigned wanted = testProberAsked(prober) + 20;

    while (testProberAsked(prober) < wanted) {
        g_assert_cmpint(g_get_monotonic_time(), <, deadline_us);
        g_usleep(50);
    }
}

unsigned
testProberStop(testProber *prober, unsigned *retAsked)
{
    unsigned wrong;

    g_atomic_int_set(&prober->board->stop, 1);
    g_assert_true(virSpawnReap(prober->pidfd, NULL, NULL));
    virCloseFd(&prober->pidfd);
    wrong = prober->board->wrong;
    *retAsked = prober->board->asked;
    g_assert_cmpint(munmap(prober->board, sizeof(*prober->board)), ==, 0);
    g_free(prober);
    return wrong;
}

/* --- counting --- */

unsigned
testCountWanted(const char *name, unsigned usual)
{
    const char *text = g_getenv(name);

    return text ? (unsigned)atoi(text) : usual;
}

void
testAssertNoError(bool done, GError *error)
{
    g_assert_no_error(error);
    g_assert_true(done);
}

/* True if the kernel holds just what so many guests need. */
static bool
testHolds(unsigned guests, bool say)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) groups = virCgroupInstanceList(testInstance, &error);
    g_autoptr(GArray) pins = virGatePinsList(testStore->pinsFd, &error);
    testGateCount count = testGateCountOf(uuidPrefix);

    g_assert_no_error(error);
    if (say)
        g_test_message("programs %u, maps %u, links %u, groups %u, pins %u", count.progs,
                       count.maps, count.links, groups->len, pins->len);
    return count.progs == 2 * guests && /* one attached, one in the link */
           count.maps == 3 * guests + !!guests /* trie, table, header, and the shared ring */ &&
           count.links == guests && groups->len == guests && pins->len == guests;
}

void
testAssertGuests(unsigned guests)
{
    gint64 deadline_us = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    while (!testHolds(guests, false) && g_get_monotonic_time() < deadline_us)
        g_usleep(2000);
    g_assert_true(testHolds(guests, true));
}

int
testGateRun(int argc, char **argv, void (*addCases)(void))
{
    const char *reason = NULL;
    int result;

    g_test_init(&argc, &argv, NULL);
    if (!testGateSetup(&reason)) {
        printf("1..0 # SKIP %s\n", reason);
        return 77;
    }
    addCases();
    result = g_test_run();
    testGateTeardown();
    return result;
}
