/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * main.c: virtward-helperd: serves the daemons of its policy file, with no more rights than the
 * operations there need. It remembers nothing: it can be restarted at any time. */
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#if WITH_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "helperd/confine.h"
#include "helperd/looks.h"
#include "helperd/operations.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virutil.h"
#include "util/viruuid.h"

enum {
    RETRY_MS = 1000,
    GRACE_MS = 1000, /* for what is being done at the end, and once more for its answer */
    WORDS_MAX = 400, /* bytes of another side's in a line; journald makes several of a long one */
    REFUSALS_BURST = 500,
    REFUSAL_US = 20000, /* beyond the burst: so long for each */
};

/* A daemon that is served, in a thread of its own. */
typedef struct {
    const helperPolicy *policy;
    const char *path;
    int endFd;          /* readable: it is over */
    bool said;          /* that it isn't there now */
    gint64 refusals_us; /* when the refusals so far are paid for */
    GMutex lock;
    virInternalSession *session; /* set under lock, by its thread alone; NULL: it isn't there */
    bool ending;                 /* under lock: no new session */
} helperDaemon;

/* Threads that serve. */
static GMutex servingLock;
static GCond servingEnded;
static size_t serving;

/* What a call needs; one per operation and daemon, as long as the session. */
typedef struct {
    helperDaemon *daemon;
    const helperOperation *operation;
} helperBinding;

/* Words of another side, which must not make lines of their own, nor one so long that whoever keeps
 * the lines breaks it up. Caller frees. */
static char *
tame(const char *words)
{
    g_autofree char *part = g_strndup(words, WORDS_MAX);
    g_autofree char *plain = g_strescape(part, NULL);

    return strlen(words) > WORDS_MAX ? g_strconcat(plain, "...", NULL) : g_steal_pointer(&plain);
}

/* A line about a daemon, with what the library says of it. */
static void
tell(const helperDaemon *daemon, const char *what)
{
    g_autofree char *why = tame(virInternalGetLastError());

    fprintf(stderr, "virtward-helperd: %s: %s%s%s\n", daemon->path, what, *what ? ": " : "", why);
}

/* One line for every call: what, for whom, how it ended. */
static void
audit(const virInternalCall *call, const char *hook, gint64 began_us, const GError *error)
{
    char uuid[VIR_UUID_TEXT_SIZE];
    g_autofree char *name = tame(call->domain);
    g_autofree char *why = error ? tame(error->message) : NULL;

    fprintf(stderr,
            "audit: hook=%s guest=\"%s\" uuid=%s request=%llu us=%" G_GINT64_FORMAT
            " verdict=%s%s%s\n",
            hook, name, virUUIDFormat(call->uuid, uuid), call->request,
            g_get_monotonic_time() - began_us, error ? "refused" : "done", error ? " why=" : "",
            error ? why : "");
}

/* Every refusal has its line, so a daemon that is refused without end could drown those of others:
 * it has to wait. Nobody else does. */
static void
payForRefusal(helperDaemon *daemon)
{
    gint64 now_us = g_get_monotonic_time();
    struct pollfd ended = {.fd = daemon->endFd, .events = POLLIN};
    gint64 late_us;

    daemon->refusals_us = MAX(daemon->refusals_us, now_us) + REFUSAL_US;
    late_us = daemon->refusals_us - now_us - (gint64)REFUSALS_BURST * REFUSAL_US;
    if (late_us > 0)
        (void)poll(&ended, 1, (int)(late_us / 1000) + 1); /* the end may come meanwhile */
}

static int
serveCall(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    const helperBinding *binding = opaque;
    gint64 began_us = g_get_monotonic_time();
    g_autoptr(GError) error = NULL;
    bool done = binding->operation->run(binding->daemon->policy, call, request, &error);

    audit(call, binding->operation->hook, began_us, error);
    if (done)
        return 0;
    virInternalFail(call, "%s", error->message);
    payForRefusal(binding->daemon);
    return -1;
}

/* What an earlier call made, before this helper or this daemon began. */
static virInternalVerdict
judgeGrant(const virInternalCall *call, const char *hook, virInternalRequest *request, void *opaque)
{
    static const char *const words[] = {"kept", "lost", "unknown"};
    virInternalVerdict verdict = helperLook(opaque, hook, request);
    g_autofree char *name = tame(call->domain);

    fprintf(stderr, "audit: resync hook=%s guest=\"%s\" request=%llu verdict=%s\n", hook, name,
            call->request, words[verdict]);
    return verdict;
}

static virInternalSession *
openSession(const helperDaemon *daemon)
{
    bool reached = helperConfineReach(daemon->policy, true);
    virInternalSession *session = virInternalSessionOpenPath(daemon->path, VIR_INTERNAL_ABI);

    if (reached)
        (void)helperConfineReach(daemon->policy, false); /* what could be set can be cleared */
    return session;
}

/* Nobody else may have the session's pointer from now on. */
static void
closeSession(helperDaemon *daemon)
{
    virInternalSession *session;

    g_mutex_lock(&daemon->lock);
    session = g_steal_pointer(&daemon->session);
    g_mutex_unlock(&daemon->lock);
    virInternalSessionFree(session);
}

/* False: it is not there, or this is the end. */
static bool
beginSession(helperDaemon *daemon)
{
    virInternalSession *session = openSession(daemon);

    if (!session)
        return false;
    virInternalSessionSetResync(session, judgeGrant, (void *)daemon->policy, NULL);
    g_mutex_lock(&daemon->lock);
    if (!daemon->ending)
        daemon->session = g_steal_pointer(&session);
    g_mutex_unlock(&daemon->lock);
    virInternalSessionFree(session);
    return daemon->session != NULL;
}

static bool
registerAll(helperDaemon *daemon)
{
    for (const helperOperation *one = helperOperations; one->hook; one++) {
        helperBinding binding = {daemon, one};

        if (helperPolicyServes(daemon->policy, one->hook) &&
            virInternalSessionRegister(daemon->session, one->hook, NULL,
                                       helperPolicyGuests(daemon->policy, one->hook), 0, serveCall,
                                       g_memdup2(&binding, sizeof(binding)), g_free) < 0) {
            tell(daemon, one->hook);
            return false;
        }
    }
    return true;
}

static bool
serveDaemon(helperDaemon *daemon)
{
    bool begun = beginSession(daemon);
    bool registered = begun && registerAll(daemon);

    if (!begun && !daemon->said)
        tell(daemon, "waiting");
    if (registered)
        fprintf(stderr, "virtward-helperd: serving %s\n", daemon->path);
    else
        closeSession(daemon);
    daemon->said = !registered;
    return registered;
}

static int
catchEnd(GError **error)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 ||
        (fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0) {
        virErrorErrno(error, _("cannot catch signals"));
        return -1;
    }
    return fd;
}

/* Serves what came in; what can't be served ends the session. */
static void
dispatch(helperDaemon *daemon)
{
    if (virInternalSessionDispatch(daemon->session) == 0)
        return;
    tell(daemon, "");
    closeSession(daemon);
}

/* Until a signal: waits for calls, or for the daemon to come back. A thread for each daemon, so
 * that none waits for what another one asks or does not read. */
static void *
serve(void *opaque)
{
    helperDaemon *daemon = opaque;

    for (;;) {
        struct pollfd ready[2] = {{.fd = -1, .events = POLLIN},
                                  {.fd = daemon->endFd, .events = POLLIN}};

        if (daemon->session || serveDaemon(daemon))
            ready[0].fd = virInternalSessionGetFd(daemon->session);
        if ((poll(ready, G_N_ELEMENTS(ready), daemon->session ? -1 : RETRY_MS) < 0 &&
             errno != EINTR) ||
            ready[1].revents)
            break;
        if (ready[0].revents)
            dispatch(daemon);
    }
    closeSession(daemon);
    g_mutex_lock(&servingLock);
    serving--;
    g_cond_signal(&servingEnded);
    g_mutex_unlock(&servingLock);
    return NULL;
}

/* --- the end --- */

/* Who waits for a daemon comes back; what is being done is done and answered. */
static void
endAll(helperDaemon *daemons, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_mutex_lock(&daemons[i].lock);
        daemons[i].ending = true;
        if (daemons[i].session)
            virInternalSessionShutdown(daemons[i].session);
        g_mutex_unlock(&daemons[i].lock);
    }
}

/* False: a thread is still at work. */
static bool
awaitThreads(void)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&servingLock);
    gint64 deadline_us = g_get_monotonic_time() + GRACE_MS * 1000;

    while (serving > 0) {
        if (!g_cond_wait_until(&servingEnded, &servingLock, deadline_us))
            return serving == 0;
    }
    return true;
}

static void
awaitSignal(int endFd)
{
    struct pollfd ended = {.fd = endFd, .events = POLLIN};

    while (poll(&ended, 1, -1) < 0 && errno == EINTR)
        continue;
}

/* False: a call, or what it waits for in the kernel, would not end. */
static bool
serveAll(const helperPolicy *policy, int endFd)
{
    const char *const *sockets = helperPolicySockets(policy);
    size_t n = g_strv_length((char **)sockets);
    helperDaemon *daemons = g_new0(helperDaemon, n); /* of threads that may outlive this */
    g_autofree GThread **threads = g_new0(GThread *, n);

    serving = n;
    for (size_t i = 0; i < n; i++) {
        daemons[i].policy = policy;
        daemons[i].path = sockets[i];
        daemons[i].endFd = endFd;
        g_mutex_init(&daemons[i].lock);
        threads[i] = g_thread_new("daemon", serve, &daemons[i]);
    }
    awaitSignal(endFd);
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        endAll(daemons, n); /* the second time without the answers */
        if (awaitThreads())
            break;
        if (attempt == 1)
            return false;
    }
    for (size_t i = 0; i < n; i++) {
        g_thread_join(threads[i]);
        g_mutex_clear(&daemons[i].lock);
    }
    g_free(daemons);
    return true;
}

static int
run(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(helperPolicy) policy = helperPolicyLoad(path, &error);
    VIR_AUTOCLOSE endFd = -1;

    if (!policy || (endFd = catchEnd(&error)) < 0 || !helperConfine(policy, &error)) {
        fprintf(stderr, "virtward-helperd: %s\n", error->message);
        return EXIT_FAILURE;
    }
#if WITH_SYSTEMD
    (void)sd_notify(0, "READY=1"); /* nobody may be listening */
#endif
    if (!serveAll(policy, endFd)) {
        fprintf(stderr, "virtward-helperd: a call that does not end is cut off\n");
        _exit(EXIT_SUCCESS); /* its thread still uses what the end would free */
    }
    return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    g_autofree char *path = NULL;
    gboolean version = FALSE;
    const GOptionEntry entries[] = {
        {"policy", 0, 0, G_OPTION_ARG_FILENAME, &path, N_("the policy file"), "FILE"},
        {"version", 'V', 0, G_OPTION_ARG_NONE, &version, N_("print the version and end"), NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL}};
    g_autoptr(GOptionContext) options = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    setlocale(LC_ALL, "");
    bindtextdomain(PACKAGE, LOCALEDIR);
    g_option_context_set_summary(
        options, _("Does for unprivileged virtward daemons what needs a right, within a policy."));
    g_option_context_add_main_entries(options, entries, PACKAGE);
    if (!g_option_context_parse(options, &argc, &argv, &error) || argc > 1) {
        fprintf(stderr, "virtward-helperd: %s\n", error ? error->message : _("too many arguments"));
        return EXIT_FAILURE;
    }
    if (version) {
        printf("virtward-helperd (virtward) %s\n", PACKAGE_VERSION);
        return EXIT_SUCCESS;
    }
    return run(path ? path : SYSCONFDIR "/helperd.conf");
}
