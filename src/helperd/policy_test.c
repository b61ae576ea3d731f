/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * policy_test.c: what the policy file allows, and that it allows nothing else. */
#include "helperd/policy.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virutil.h"

typedef struct {
    char *folder;
    char *path;
    helperPolicy *policy;
    GError *error;
} testPolicy;

static void
testLoad(testPolicy *test, const char *text)
{
    g_assert_true(g_file_set_contents(test->path, text, -1, NULL));
    g_clear_pointer(&test->policy, helperPolicyFree);
    test->policy = helperPolicyLoad(test->path, &test->error);
}

static void
testSetUp(testPolicy *test, const void *unused)
{
    test->folder = g_dir_make_tmp("virtward-policy-XXXXXX", NULL);
    test->path = g_build_filename(test->folder, "policy", NULL);
}

static void
testTearDown(testPolicy *test, const void *unused)
{
    g_clear_error(&test->error);
    g_clear_pointer(&test->policy, helperPolicyFree);
    g_unlink(test->path);
    g_assert_cmpint(g_rmdir(test->folder), ==, 0);
    g_free(test->path);
    g_free(test->folder);
}

static void
testExpectError(testPolicy *test, virErrorCode code, const char *words)
{
    g_assert_true(virErrorIs(test->error, code));
    g_test_message("%s", test->error->message);
    g_assert_nonnull(strstr(test->error->message, words));
    g_clear_error(&test->error);
}

static void
testMistakes(testPolicy *test, const void *unused)
{
    testLoad(test, "[helper]\nsockets=/s\n[make.tea]\nmax=1\n");
    testExpectError(test, VIR_ERR_CONF_SYNTAX, "no operation [make.tea]");
    testLoad(test, "[helper]\nsockets=/s\n[memlock.set]\nmaximum=1\n");
    testExpectError(test, VIR_ERR_CONF_SYNTAX, "no key 'maximum'");
    testLoad(test, "[memlock.set]\nmax=1\n");
    testExpectError(test, VIR_ERR_CONF_SYNTAX, "names no sockets");
    testLoad(test, "nonsense");
    testExpectError(test, VIR_ERR_CONF_SYNTAX, test->path);
}

/* Each with the line and the key that it names. */
static void
testValues(testPolicy *test, const void *unused)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"sockets=/s;relative", ":2: [helper] sockets: 'relative'"},
        {"sockets=/s\ncgroups=/a;;/b", ":3: [helper] cgroups: ''"},
        {"sockets=/s\ncgroups=/a/", ":3: [helper] cgroups: '/a/'"},
        {"sockets=/s\ncgroups=/a/../b", ":3: [helper] cgroups: '/a/../b'"},
        {"sockets=/s\nother-users=maybe", ":3: [helper] other-users: 'maybe'"},
        {"sockets=/s\nsockets=/t", ":3: [helper] sockets is there twice"},
        {"sockets=/s\n[helper]", ":3: [helper] is there twice"},
        {"sockets=/s\nnonsense", ":3: 'nonsense' is neither"},
        {"sockets=/s\n[make.tea]", ":3: there is no operation [make.tea]"},
        {"sockets=/s\n[memlock.set]\n# a comment\nmaximum=1", ":5: [memlock.set] has no key"},
        {"sockets=/s\n[memlock.set]\nmax=64k", ":4: [memlock.set] max: '64k' is no number"},
        {"sockets=/s\n[memlock.set]\nmax=", ":4: [memlock.set] max: '' is no number"},
        {"sockets=/s\n[memlock.set]\nmax=99999999999999999999", "max: '99999999999999999999'"},
        {"sockets=/s\n[proc.tune]\nmin=5\nmax=-5", ":4: [proc.tune] min of 5 is above"},
        {"sockets=/s\n[affinity.set]\ncpus=0-7", ":4: [affinity.set] cpus: '0-7'"},
        {"sockets=/s\n[own.set]\nuids=root", ":4: [own.set] uids: 'root'"},
        {"sockets=/s\n[own.set]\nfolders=images", ":4: [own.set] folders: 'images'"},
        {"sockets=/s\n[node.create]\ndevices=10:232", "devices: '10:232'"},
        {"sockets=/s\n[node.create]\ndevices=c 10:232 rw", "devices: 'c 10:232 rw'"},
        {"sockets=/s\n[gate.create]\nmodes=enforced", "modes: 'enforced'"},
        {"sockets=/s\n[gate.replace]\nids=1", "ids: '1'"},
        {"sockets=/s\n[tap.create]\nnamespaces=all", "namespaces: 'all'"},
        {"sockets=/s\n[tap.create]\nnames=vnet*;", NULL},
        {"sockets=/s\n[tap.create]\nparents=eth1\nmodes=bridge;passthru", "modes: 'passthru'"},
        {"sockets=/s\n[net.bandwidth]\nburst=1M", "burst: '1M'"},
        {"sockets=/s\n[mount.apply]\nkinds=tempfs", "kinds: 'tempfs'"},
        {"sockets=/s\n[mount.apply]\nsources=ext4", "sources: 'ext4'"},
        {"sockets=/s\n[barrier]\nhousekeeping=0-", "housekeeping: '0-'"},
        {"sockets=/s\n[cgroup.set]\nfiles=cpu.weight:1", "files: 'cpu.weight:1'"},
        {"sockets=/s\n[cgroup.set]\nfiles=cpu.weight:5-1", "files: 'cpu.weight:5-1'"},
        {"sockets=/s\n[cgroup.set]\nfiles=cgroup.procs", "files: 'cgroup.procs'"},
        {"sockets=/s\n[device.open]\ndevices=\nnodes=", NULL},
        {"sockets=/s\n[gate.create]\ndevices=*;c 1:[35789];[bc] 8:?", NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strconcat("[helper]\n", cases[i].text, "\n", NULL);

        testLoad(test, text);
        if (cases[i].words)
            testExpectError(test, VIR_ERR_CONF_SYNTAX, cases[i].words);
        else
            g_assert_no_error(test->error);
    }
}

static void
testNumbers(testPolicy *test, const void *unused)
{
    testLoad(test, "[helper]\nsockets=/s\n[memlock.set]\nmax=100\n[proc.tune]\nmin=-5\nmax=5\n"
                   "[tap.create]\nnames=*\n");
    g_assert_no_error(test->error);
    g_assert_true(helperPolicyServes(test->policy, "memlock.set"));
    g_assert_false(helperPolicyServes(test->policy, "sched.set"));
    g_assert_true(helperPolicyNumber(test->policy, "memlock.set", "it", 100, &test->error));
    g_assert_false(helperPolicyNumber(test->policy, "memlock.set", "it", 101, &test->error));
    testExpectError(test, VIR_ERR_ACCESS_DENIED, "it of 101 is outside");
    g_assert_false(helperPolicyNumber(test->policy, "memlock.set", "it", -1, &test->error));
    testExpectError(test, VIR_ERR_ACCESS_DENIED, "(0 to 100)");
    g_assert_true(helperPolicyNumber(test->policy, "proc.tune", "it", -5, &test->error));
    g_assert_false(helperPolicyNumber(test->policy, "tap.create", "it", 1, &test->error));
    testExpectError(test, VIR_ERR_ACCESS_DENIED, "sets no max");
}

static void
testWords(testPolicy *test, const void *unused)
{
    testLoad(test, "[helper]\nsockets=/s\n[net.attach]\nnames=vnet*\nbridges=br0\n"
                   "[device.open]\nnodes=/dev/vfio/*\n");
    g_assert_true(helperPolicyWord(test->policy, "net.attach", "bridges", "br0", &test->error));
    g_assert_false(helperPolicyWord(test->policy, "net.attach", "bridges", "br1", &test->error));
    testExpectError(test, VIR_ERR_ACCESS_DENIED, "'br1' is not among the bridges");
    g_assert_true(helperPolicyWord(test->policy, "device.open", "nodes", "/dev/vfio/7", NULL));
    /* A star doesn't cross folders. */
    g_assert_false(
        helperPolicyWord(test->policy, "device.open", "nodes", "/dev/vfio/../sda", NULL));
    g_assert_false(helperPolicyWord(test->policy, "net.attach", "nothing", "x", NULL));
}

static void
testFlags(testPolicy *test, const void *unused)
{
    testLoad(test, "[helper]\nsockets=/s\nother-users=yes\n[gate.replace]\nids=yes\n");
    g_assert_no_error(test->error);
    g_assert_true(helperPolicyOtherUsers(test->policy));
    g_assert_true(helperPolicyFlag(test->policy, "gate.replace", "ids"));
    testLoad(test, "[helper]\nsockets=/s\nother-users=no\n[gate.replace]\nids=no\n");
    g_assert_false(helperPolicyOtherUsers(test->policy));
    g_assert_false(helperPolicyFlag(test->policy, "gate.replace", "ids"));
    testLoad(test, "[helper]\nsockets=/s\n[gate.replace]\n");
    g_assert_false(helperPolicyOtherUsers(test->policy));
    g_assert_false(helperPolicyFlag(test->policy, "gate.replace", "ids"));
}

static void
testProcesses(testPolicy *test, const void *unused)
{
    VIR_AUTOCLOSE self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    VIR_AUTOCLOSE file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pid_t pid = 0;

    testLoad(test, "[helper]\nsockets=/s\ncgroups=/nowhere\n");
    g_assert_false(helperPolicyProcess(test->policy, self, &pid, &test->error));
    testExpectError(test, VIR_ERR_ACCESS_DENIED, "in none of the control groups");
    g_assert_false(helperPolicyProcess(test->policy, file, &pid, &test->error));
    testExpectError(test, VIR_ERR_OPERATION_FAILED, "is no process");
}

/* A group below the top of a hierarchy, as /proc/self/cgroup would write it; NULL: there is none
 * here. */
static char *
testFindGroup(const char **retMount)
{
    static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

    for (size_t i = 0; i < G_N_ELEMENTS(mounts); i++) {
        g_autofree char *procs = g_build_filename(mounts[i], "cgroup.procs", NULL);
        g_autoptr(GDir) folder =
            g_file_test(procs, G_FILE_TEST_EXISTS) ? g_dir_open(mounts[i], 0, NULL) : NULL;
        const char *name;

        *retMount = mounts[i];
        while (folder && (name = g_dir_read_name(folder))) {
            g_autofree char *path = g_build_filename(mounts[i], name, NULL);

            if (g_file_test(path, G_FILE_TEST_IS_DIR))
                return g_strconcat("/", name, NULL);
        }
    }
    return NULL;
}

static void
testGroups(testPolicy *test, const void *unused)
{
    const char *mount = NULL;
    g_autofree char *group = testFindGroup(&mount);
    g_autofree char *path = group ? g_strconcat(mount, group, NULL) : NULL;
    g_autofree char *text =
        g_strdup_printf("[helper]\nsockets=/s\ncgroups=/nowhere;%s\n", group ? group : "/other");
    VIR_AUTOCLOSE file = open("/tmp", O_PATH | O_CLOEXEC);
    VIR_AUTOCLOSE inside = group ? open(path, O_PATH | O_CLOEXEC) : -1;
    VIR_AUTOCLOSE above = group ? open(mount, O_RDONLY | O_CLOEXEC) : -1;

    testLoad(test, text);
    g_assert_false(helperPolicyGroup(test->policy, "gate.create", file, &test->error));
    testExpectError(test, VIR_ERR_ACCESS_DENIED, "gate.create: a descriptor is no control group");
    g_assert_false(helperPolicyGroup(test->policy, "gate.create", -1, &test->error));
    testExpectError(test, VIR_ERR_OPERATION_FAILED, "a descriptor is missing");
    if (inside < 0 || above < 0) {
        g_test_skip("no control group here");
        return;
    }
    g_assert_true(helperPolicyGroup(test->policy, "gate.create", inside, &test->error));
    g_assert_no_error(test->error);
    g_assert_false(helperPolicyGroup(test->policy, "gate.create", above, &test->error));
    testExpectError(test, VIR_ERR_ACCESS_DENIED, "in none of the control groups");
    testLoad(test, "[helper]\nsockets=/s\n");
    g_assert_false(helperPolicyGroup(test->policy, "gate.create", inside, &test->error));
    testExpectError(test, VIR_ERR_ACCESS_DENIED, "in none of the control groups");
    testLoad(test, "[helper]\nsockets=/s\ncgroups=/\n");
    g_assert_true(helperPolicyGroup(test->policy, "gate.create", inside, &test->error));
    g_assert_true(helperPolicyGroup(test->policy, "gate.create", above, &test->error));
}

static void
testLimits(testPolicy *test, const void *unused)
{
    static const struct {
        const char *file, *value;
        bool allowed;
    } cases[] = {
        {"cpu.weight", "100", true},        {"cpu.weight", "1", true},
        {"cpu.weight", "0", false},         {"cpu.weight", "201", false},
        {"cpu.weight", "max", false},       {"cpu.weight", "-1", false},
        {"cpu.weight", "12x", false},       {"cpu.weight", "0x10", false},
        {"cpu.weight", "+5", false},        {"cpu.weight", "100 300", false},
        {"cpu.weight", "100\n300", false},  {"cpu.weight", "99999999999999999999", false},
        {"cpu.weigh", "100", false},        {"cpu.weight.nice", "1", false},
        {"cpu.max", "50000 100000", true},  {"cpu.max", "max 100000", true},
        {"cpu.max", "999 100000", false},   {"cpuset.cpus", "0-3,5", true},
        {"cpuset.cpus", "0-8", false},      {"cpuset.cpus", "2-", false},
        {"cpuset.cpus", "-3", false},       {"cpuset.cpus", "8-15:4/8", false},
        {"cpuset.cpus", "0-63:2/4", false}, {"cpuset.cpus", "0,8:1", false},
        {"cpuset.cpus", "all", false},      {"cpu.weight", "010", false},
        {"cpu.weight", "8:9/1", false},     {"io.max", "8:16 rbps=1000 wiops=2000", true},
        {"io.max", "8:16 rbps=max", false}, {"io.max", "8:16 rbps=5000", false},
        {"freezer.state", "FROZEN", true},  {"memory.max", "1", false},
    };

    testLoad(test, "[helper]\nsockets=/s\n[cgroup.set]\nfiles=cpu.weight:1-200;cpu.max:1000-max;"
                   "cpuset.cpus:0-7;io.max:1-4000;freezer.state\n");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        bool allowed = helperPolicySetting(test->policy, "cgroup.set", cases[i].file,
                                           cases[i].value, &test->error);

        if (allowed != cases[i].allowed)
            g_error("%s: '%s'", cases[i].file, cases[i].value);
        if (!allowed)
            testExpectError(test, VIR_ERR_ACCESS_DENIED, cases[i].file);
    }
}

static void
testNewcomers(testPolicy *test, const void *unused)
{
    g_autofree char *text = g_strdup_printf(
        "[helper]\nsockets=/s\ncgroups=/nowhere\n[cgroup.move]\nfrom=/elsewhere\nuids=%u\n",
        (unsigned)geteuid());
    VIR_AUTOCLOSE self = pidfd_open(getpid(), 0);
    VIR_AUTOCLOSE folder = open("/tmp", O_PATH | O_CLOEXEC);
    pid_t pid = 0;

    testLoad(test, text);
    g_assert_false(
        helperPolicyNewcomer(test->policy, "cgroup.move", self, folder, &pid, &test->error));
    testExpectError(test, VIR_ERR_ACCESS_DENIED, "comes from none of the groups of cgroup.move");
    g_assert_false(
        helperPolicyNewcomer(test->policy, "cgroup.move", folder, folder, &pid, &test->error));
    testExpectError(test, VIR_ERR_OPERATION_FAILED, "no process");
}

static void
testFiles(testPolicy *test, const void *unused)
{
    g_autofree char *text =
        g_strdup_printf("[helper]\nsockets=/s\n[own.set]\nfolders=%s\n", test->folder);
    g_autofree char *other = g_build_filename(test->folder, "other", NULL);
    VIR_AUTOCLOSE inside = -1;
    VIR_AUTOCLOSE outside = open("/etc/passwd", O_PATH | O_CLOEXEC);

    testLoad(test, text);
    inside = open(test->path, O_PATH | O_CLOEXEC);
    g_assert_true(helperPolicyFile(test->policy, "own.set", inside, &test->error));
    g_assert_no_error(test->error);
    g_assert_false(helperPolicyFile(test->policy, "own.set", outside, &test->error));
    testExpectError(test, VIR_ERR_ACCESS_DENIED, "in none of the folders");
    g_assert_cmpint(link(test->path, other), ==, 0);
    g_assert_false(helperPolicyFile(test->policy, "own.set", inside, &test->error));
    testExpectError(test, VIR_ERR_ACCESS_DENIED, "has other names");
    g_unlink(other);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(sentence, func)                                                                       \
    g_test_add("/policy/" sentence, testPolicy, NULL, testSetUp, func, testTearDown)
    TEST("a typing mistake is an error", testMistakes);
    TEST("values are what their keys want, or the line is told", testValues);
    TEST("numbers have bounds, and no bound means nothing", testNumbers);
    TEST("words stand in lists", testWords);
    TEST("what takes a word is off without it", testFlags);
    TEST("processes are in the policy's groups", testProcesses);
    TEST("control groups are those of the policy or below", testGroups);
    TEST("limits are of the policy's files, each number within bounds", testLimits);
    TEST("who is moved comes from the policy's groups", testNewcomers);
    TEST("files are in the policy's folders, under one name", testFiles);
    return g_test_run();
}
