/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virspawn_test.c: programs are started with what was asked for and nothing else. */
#include "util/virspawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virutil.h"

/* Runs a shell line and returns what it printed. */
static char *
testShell(virSpawnRequest *request, const char *line)
{
    const char *argv[] = {"/bin/sh", "-c", line, NULL};
    char *out = NULL;
    GError *error = NULL;

    request->argv = argv;
    virSpawnRun(request, /* timeout_ms: */ 20000, 0, &out, NULL, NULL, &error);
    g_assert_no_error(error);
    return out;
}

static void
testOutputAndStatusComeBack(void)
{
    const char *argv[] = {"/bin/sh", "-c", "echo out; echo err >&2; exit 3", NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    g_autoptr(GError) error = NULL;
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;
    g_autofree char *text = NULL;
    int status = 0;

    request.argv = argv;
    g_assert_true(virSpawnRun(&request, 20000, 0, &out, &err, &status, &error));
    g_assert_cmpstr(out, ==, "out\n");
    g_assert_cmpstr(err, ==, "err\n");
    text = virSpawnStatusText(status);
    g_assert_cmpstr(text, ==, "exit status 3");

    g_assert_false(virSpawnRun(&request, 20000, 0, NULL, NULL, NULL, &error));
    g_assert_cmpstr(error->message, ==, "'/bin/sh' failed: exit status 3: err");
}

static void
testNothingIsInherited(void)
{
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    VIR_AUTOCLOSE leaked = open("/dev/null", O_RDONLY); /* not O_CLOEXEC, on purpose */
    g_autofree char *fds = NULL;
    g_autofree char *rest = NULL;
    sigset_t usr1;

    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    /* 3 is the folder that the shell lists: with one more inherited there would be a 4. */
    fds = testShell(&request, "for f in /proc/$$/fd/*; do echo ${f##*/}; done");
    g_assert_cmpstr(fds, ==, "0\n1\n2\n3\n");
    rest = testShell(&request, "echo $PWD; umask; grep SigBlk /proc/self/status | cut -f2; "
                               "grep SigIgn /proc/self/status | cut -f2; echo $HOME");
    g_assert_cmpstr(rest, ==, "/\n0077\n0000000000000000\n0000000000000000\n\n");
    g_assert_cmpint(leaked, >=, 0);
}

/* What prepare sees, and does: a limit that the program then has. */
typedef struct {
    bool allow;
    pid_t pid;
} testPreparation;

static bool
testPrepare(pid_t pid, int pidfd, void *opaque, GError **error)
{
    testPreparation *preparation = opaque;
    const struct rlimit limit = {77, 77};
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};

    g_assert_cmpint(poll(&ended, 1, 0), ==, 0);
    g_assert_cmpint(prlimit(pid, RLIMIT_NOFILE, &limit, NULL), ==, 0);
    preparation->pid = pid;
    return preparation->allow ||
           virErrorSet(error, VIR_ERR_OPERATION_DENIED, "%s", "not like this");
}

static void
testPreparedFromOutside(void)
{
    testPreparation preparation = {.allow = true};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    g_autofree char *out = NULL;

    request.prepare = testPrepare;
    request.prepareOpaque = &preparation;
    out = testShell(&request, "ulimit -n");
    g_assert_cmpstr(out, ==, "77\n");
}

static void
testRefusedFromOutside(void)
{
    const char *argv[] = {"/bin/true", NULL};
    testPreparation preparation = {.allow = false};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    virSpawnResult result;
    g_autoptr(GError) error = NULL;

    request.argv = argv;
    request.prepare = testPrepare;
    request.prepareOpaque = &preparation;
    g_assert_false(virSpawn(&request, &result, &error));
    g_assert_cmpstr(error->message, ==, "not like this");
    g_assert_cmpint(kill(preparation.pid, 0), ==, -1); /* reaped */
}

static void
testDescriptorsGetTheirNumbers(void)
{
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    virSpawnFd fds[300];
    g_autofree char *out = NULL;

    /* Numbers that cross those in use, more than one packet carries. */
    for (int i = 0; i < (int)G_N_ELEMENTS(fds); i++) {
        g_autofree char *text = g_strdup_printf("%d\n", i);

        fds[i].fd = memfd_create("test", MFD_CLOEXEC);
        fds[i].target = 3 + (int)G_N_ELEMENTS(fds) - i;
        g_assert_cmpint(write(fds[i].fd, text, strlen(text)), >, 0);
    }
    request.fds = fds;
    request.nfds = G_N_ELEMENTS(fds);
    out = testShell(&request, "head -n1 /proc/self/fd/303 /proc/self/fd/4 /proc/self/fd/5 "
                              "| grep '^[0-9]'");
    g_assert_cmpstr(out, ==, "0\n299\n298\n");
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
        virCloseFd(&fds[i].fd);
}

static void
testEnvironmentFolderAndLimitsAreAsAsked(void)
{
    const char *env[] = {"WHO=guest", "PATH=/usr/bin:/bin", NULL};
    virSpawnLimit limit = {RLIMIT_NOFILE, {123, 123}};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    g_autofree char *out = NULL;

    request.env = env;
    request.cwd = "/proc";
    request.limits = &limit;
    request.nlimits = 1;
    request.umask = 027;
    request.setOomScoreAdj = true;
    request.oomScoreAdj = 500;
    request.newSession = true;
    out = testShell(&request, "echo $WHO; pwd; ulimit -n; umask; cat /proc/self/oom_score_adj; "
                              "set -- $(cat /proc/$$/stat); test $6 -eq $1 && echo leader; "
                              "grep NoNewPrivs /proc/self/status | cut -f2");
    g_assert_cmpstr(out, ==, "guest\n/proc\n123\n0027\n500\nleader\n1\n");
}

static void *
testSpawnSleeperAndEnd(void *opaque)
{
    const char *argv[] = {"/bin/sleep", "1000", NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;

    request.argv = argv;
    request.dieWithParent = true;
    g_assert_true(virSpawn(&request, opaque, NULL));
    return NULL;
}

static void
testDiesWithItsThread(void)
{
    virSpawnResult result;
    int status = 0;

    g_thread_join(g_thread_new("parent", testSpawnSleeperAndEnd, &result));
    g_assert_true(virSpawnReap(result.pidfd, &status, NULL));
    g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    virCloseFd(&result.pidfd);
}

static void
testMissingProgramIsNamed(void)
{
    const char *argv[] = {"/nonexistent/program", NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    virSpawnResult result;
    g_autoptr(GError) error = NULL;

    request.argv = argv;
    g_assert_false(virSpawn(&request, &result, &error));
    g_assert_cmpstr(error->message, ==,
                    "cannot start '/nonexistent/program': cannot execute it: "
                    "No such file or directory");
    g_clear_error(&error);
    argv[0] = "/bin/true";
    request.cwd = "/nonexistent";
    g_assert_false(virSpawn(&request, &result, &error));
    g_assert_nonnull(strstr(error->message, "cannot change to folder '/nonexistent'"));
    g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1); /* nothing is left to reap */
}

static void
testSlowProgramIsEndedAtItsDeadline(void)
{
    const char *argv[] = {"/bin/sleep", "100", NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    g_autoptr(GError) error = NULL;

    request.argv = argv;
    g_assert_false(virSpawnRun(&request, 200, 0, NULL, NULL, NULL, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_OPERATION_TIMEOUT));
    g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
}

static void
testLongOutputIsRefused(void)
{
    const char *argv[] = {"/bin/cat", "/dev/zero", NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    g_autoptr(GError) error = NULL;

    request.argv = argv;
    g_assert_false(virSpawnRun(&request, 20000, 100000, NULL, NULL, NULL, &error));
    g_assert_cmpstr(error->message, ==, "'/bin/cat' printed more than 100000 bytes");
}

static void
testEndIsSeenOnThePidfd(void)
{
    const char *argv[] = {"/bin/sleep", "100", NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    virSpawnResult result = {-1, -1};
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    struct pollfd wait;
    int status = 0;

    request.argv = argv;
    g_assert_true(virSpawn(&request, &result, &error));
    wait = (struct pollfd){result.pidfd, POLLIN, 0};
    g_assert_cmpint(poll(&wait, 1, 0), ==, 0);
    g_assert_cmpint(pidfd_send_signal(result.pidfd, SIGTERM, NULL, 0), ==, 0);
    g_assert_cmpint(poll(&wait, 1, 20000), ==, 1);
    g_assert_true(virSpawnReap(result.pidfd, &status, &error));
    text = virSpawnStatusText(status);
    g_assert_cmpstr(text, ==, "signal 15 (Terminated)");
    virCloseFd(&result.pidfd);
}

static void
testIdentityAndCapabilitiesAreExact(void)
{
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    const gid_t groups[] = {7, 9};
    g_autofree char *none = NULL;
    g_autofree char *one = NULL;

    if (geteuid() != 0) {
        g_test_skip("needs root");
        return;
    }
    request.uid = 65534;
    request.gid = 65533;
    request.groups = groups;
    request.ngroups = 2;
    none = testShell(&request, "id -u; id -g; id -G; grep -E 'Cap(Prm|Eff|Bnd|Amb)' "
                               "/proc/self/status | cut -f2 | tr '\\n' ' '");
    g_assert_cmpstr(none, ==,
                    "65534\n65533\n65533 7 9\n0000000000000000 0000000000000000 "
                    "0000000000000000 0000000000000000 ");
    request.keepCaps = 1ULL << 12; /* CAP_NET_ADMIN */
    one = testShell(&request, "grep -E 'Cap(Prm|Eff|Bnd|Amb)' /proc/self/status | cut -f2 "
                              "| tr '\\n' ' '");
    g_assert_cmpstr(one, ==,
                    "0000000000001000 0000000000001000 0000000000001000 0000000000001000 ");
}

static void
testPrivateDevHoldsWhatWasAskedFor(void)
{
    static const virSpawnNode nodes[] = {
        {"null", S_IFCHR | 0666, (dev_t)0x103, 0, 0},
        {"net/tun", S_IFCHR | 0600, (dev_t)0xac8, 65534, 65534},
    };
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    g_autofree char *out = NULL;

    if (geteuid() != 0) {
        g_test_skip("needs root");
        return;
    }
    request.nodes = nodes;
    request.nnodes = G_N_ELEMENTS(nodes);
    out =
        testShell(&request, "cd /dev; for n in *; do test -c $n && test ! -L $n && echo $n; done; "
                            "stat -c '%n %t:%T %a %u' net/tun; echo x > null && echo writable; "
                            "test -e /dev/zero || echo hidden");
    g_assert_cmpstr(out, ==, "null\nnet/tun a:c8 600 65534\nwritable\nhidden\n");
    g_assert_true(g_file_test("/dev/zero", G_FILE_TEST_EXISTS)); /* ours is as it was */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/spawn/output and status come back", testOutputAndStatusComeBack);
    g_test_add_func("/spawn/nothing is inherited", testNothingIsInherited);
    g_test_add_func("/spawn/descriptors get their numbers", testDescriptorsGetTheirNumbers);
    g_test_add_func("/spawn/what is done to the process from outside is there for the program",
                    testPreparedFromOutside);
    g_test_add_func("/spawn/a process that may not become the program ends",
                    testRefusedFromOutside);
    g_test_add_func("/spawn/environment, folder and limits are as asked",
                    testEnvironmentFolderAndLimitsAreAsAsked);
    g_test_add_func("/spawn/a missing program is named", testMissingProgramIsNamed);
    g_test_add_func("/spawn/it dies with the thread that started it if asked",
                    testDiesWithItsThread);
    g_test_add_func("/spawn/a slow program is ended at its deadline",
                    testSlowProgramIsEndedAtItsDeadline);
    g_test_add_func("/spawn/long output is refused", testLongOutputIsRefused);
    g_test_add_func("/spawn/the end is seen on the pidfd", testEndIsSeenOnThePidfd);
    g_test_add_func("/spawn/identity and capabilities are exact",
                    testIdentityAndCapabilitiesAreExact);
    g_test_add_func("/spawn/a private /dev holds what was asked for",
                    testPrivateDevHoldsWhatWasAskedFor);
    return g_test_run();
}
