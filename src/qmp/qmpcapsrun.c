/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcapsrun.c: the processes behind a probe. The monitor is QEMU's standard input and output, one
 * end of a socket pair, so there is no path to choose and nothing to remove. With KVM about, the
 * second QEMU (TCG) starts beside the first. In a job, without the core lock. */
#include "qmp/qmpcapsrun.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "qmp/qmpcapsprobe.h"
#include "qmp/qmpclient.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virspawn.h"
#include "util/virutil.h"

enum { LAST_WORDS_MAX = 1000 };

typedef struct {
    const char *binary;
    virSpawnResult process; /* pidfd -1: none */
    int errFd;              /* a memory file with what QEMU said on standard error */
    qmpClient *client;
} qmpCapsProcess;

static bool
qmpCapsMayOpen(const struct stat *sb, const qmpCapsIdentity *identity)
{
    bool group = sb->st_gid == identity->gid;

    for (size_t i = 0; i < identity->ngroups; i++)
        group = group || sb->st_gid == identity->groups[i];
    if (sb->st_uid == identity->uid)
        return (sb->st_mode & 0600) == 0600;
    return group ? (sb->st_mode & 0060) == 0060 : (sb->st_mode & 0006) == 0006;
}

bool
qmpCapsKvmUsable(const qmpCapsIdentity *identity)
{
    struct stat sb;

    if (identity->uid == VIR_SPAWN_KEEP_ID || identity->uid == 0)
        return access("/dev/kvm", R_OK | W_OK) == 0;
    return stat("/dev/kvm", &sb) == 0 && qmpCapsMayOpen(&sb, identity);
}

static bool
qmpCapsProcessSpawn(qmpCapsProcess *run, const char *accel, const qmpCapsIdentity *identity,
                    int monitorFd, GError **error)
{
    g_autofree char *machine = g_strdup_printf("none,accel=%s", accel);
    const char *argv[] = {run->binary,  "-S",       "-no-user-config", "-nodefaults",
                          "-nographic", "-machine", machine,           "-qmp",
                          "stdio",      NULL};
    const char *env[] = {"LC_ALL=C", "PATH=/usr/bin:/bin", NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;

    request.argv = argv;
    request.env = env;
    request.uid = identity->uid;
    request.gid = identity->gid;
    request.groups = identity->groups;
    request.ngroups = identity->ngroups;
    request.stdinFd = monitorFd;
    request.stdoutFd = monitorFd;
    request.stderrFd = run->errFd;
    request.newSession = true;
    request.dieWithParent = true;
    return virSpawn(&request, &run->process, error);
}

static bool
qmpCapsProcessStart(qmpCapsProcess *run, const char *accel, const qmpCapsIdentity *identity,
                    GError **error)
{
    VIR_AUTOCLOSE ours = -1;
    VIR_AUTOCLOSE theirs = -1;
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return virErrorErrno(error, _("cannot make a monitor socket"));
    ours = fds[0];
    theirs = fds[1];
    if ((run->errFd = memfd_create("qemu-stderr", MFD_CLOEXEC)) < 0)
        return virErrorErrno(error, _("cannot make a memory file"));
    if (!qmpCapsProcessSpawn(run, accel, identity, theirs, error))
        return false;
    VIR_CORE_GUARD;
    run->client = qmpClientNew(g_steal_fd(&ours), NULL, NULL, error);
    return run->client != NULL;
}

/* QEMU's last line on standard error, behind the error. */
static void
qmpCapsProcessAddLastWords(const qmpCapsProcess *run, GError **error)
{
    char text[LAST_WORDS_MAX + 1];
    ssize_t len = run->errFd < 0 ? 0 : pread(run->errFd, text, LAST_WORDS_MAX, 0);
    const char *line;
    GError *whole = NULL;

    if (!error || !*error || len <= 0)
        return;
    text[len] = '\0';
    g_strchomp(text);
    line = strrchr(text, '\n');
    virErrorSet(&whole, virErrorGetCode(*error), "%s: %s", (*error)->message,
                line ? line + 1 : text);
    g_error_free(*error);
    *error = whole;
}

static void
qmpCapsProcessEnd(qmpCapsProcess *run)
{
    if (run->client) {
        VIR_CORE_GUARD;
        qmpClientClose(run->client);
    }
    g_clear_pointer(&run->client, qmpClientUnref);
    if (run->process.pidfd >= 0) {
        (void)pidfd_send_signal(run->process.pidfd, SIGKILL, NULL, 0); /* gone is fine too */
        (void)virSpawnReap(run->process.pidfd, NULL, NULL); /* nothing to be learnt from it */
        virCloseFd(&run->process.pidfd);
    }
    virCloseFd(&run->errFd);
}

static bool
qmpCapsProcessGreeted(const qmpCapsProcess *run, GError **error)
{
    VIR_CORE_GUARD;

    return qmpClientWaitReady(run->client, QMP_CLIENT_TIMEOUT_MS, error);
}

static qmpCaps *
qmpCapsAskFirst(const qmpCapsProcess *run, GError **error)
{
    g_autoptr(qmpClientTransport) transport =
        qmpClientTransportNew(run->client, QMP_CLIENT_TIMEOUT_MS);

    if (!qmpCapsProcessGreeted(run, error))
        return NULL;
    return qmpCapsProbe(qmpClientTransportBase(transport), run->binary, error);
}

static bool
qmpCapsAskSecond(const qmpCapsProcess *run, qmpCaps *caps, GError **error)
{
    g_autoptr(qmpClientTransport) transport =
        qmpClientTransportNew(run->client, QMP_CLIENT_TIMEOUT_MS);

    return qmpCapsProcessGreeted(run, error) &&
           qmpCapsProbeTcg(caps, qmpClientTransportBase(transport), error);
}

static qmpCaps *
qmpCapsRunBoth(qmpCapsProcess *first, qmpCapsProcess *second, const qmpCapsIdentity *identity,
               GError **error)
{
    g_autoptr(qmpCaps) caps = NULL;

    if (!qmpCapsProcessStart(first, "kvm:tcg", identity, error))
        return NULL;
    if (qmpCapsKvmUsable(identity) && !qmpCapsProcessStart(second, "tcg", identity, error))
        return NULL;
    if (!(caps = qmpCapsAskFirst(first, error))) {
        qmpCapsProcessAddLastWords(first, error);
        return NULL;
    }
    if (second->client && qmpCapsProbeNeedsTcg(caps) && !qmpCapsAskSecond(second, caps, error)) {
        qmpCapsProcessAddLastWords(second, error);
        return NULL;
    }
    return g_steal_pointer(&caps);
}

qmpCaps *
qmpCapsRun(const char *binary, const qmpCapsIdentity *identity, GError **error)
{
    qmpCapsProcess first = {.binary = binary, .process.pidfd = -1, .errFd = -1};
    qmpCapsProcess second = first;
    g_autoptr(GError) local = NULL;
    qmpCaps *caps = qmpCapsRunBoth(&first, &second, identity, &local);

    qmpCapsProcessEnd(&first);
    qmpCapsProcessEnd(&second);
    if (local)
        g_propagate_prefixed_error(error, g_steal_pointer(&local),
                                   _("Failed to probe QEMU binary '%s': "), binary);
    return caps;
}
