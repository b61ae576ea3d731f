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

enum { RETRY_MS = 1000 };

/* A daemon that is served, in a thread of its own. */
typedef struct {
    const helperPolicy *policy;
    const char *path;
    int endFd;                   /* readable: it is over */
    virInternalSession *session; /* NULL: it isn't there now */
    bool said;                   /* that it isn't */
} helperDaemon;

/* What a call needs; one per operation and daemon, as long as the session. */
typedef struct {
    const helperPolicy *policy;
    const helperOperation *operation;
} helperBinding;

/* One line for every call: what, for whom, how it ended. Names and reasons have the other side's
 * words in them, which must not make lines of their own. */
static void
audit(const virInternalCall *call, const char *hook, gint64 began_us, const GError *error)
{
    char uuid[VIR_UUID_TEXT_SIZE];
    g_autofree char *name = g_strescape(call->domain, NULL);
    g_autofree char *why = error ? g_strescape(error->message, NULL) : NULL;

    fprintf(stderr,
            "audit: hook=%s guest=\"%s\" uuid=%s request=%llu us=%" G_GINT64_FORMAT
            " verdict=%s%s%s\n",
            hook, name, virUUIDFormat(call->uuid, uuid), call->request,
            g_get_monotonic_time() - began_us, error ? "refused" : "done", error ? " why=" : "",
            error ? why : "");
}

static int
serveCall(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    const helperBinding *binding = opaque;
    gint64 began_us = g_get_monotonic_time();
    g_autoptr(GError) error = NULL;
    bool done = binding->operation->run(binding->policy, call, request, &error);

    audit(call, binding->operation->hook, began_us, error);
    if (!done)
        virInternalFail(call, "%s", error->message);
    return done ? 0 : -1;
}

/* What an earlier call made, before this helper or this daemon began. */
static virInternalVerdict
judgeGrant(const virInternalCall *call, const char *hook, virInternalRequest *request, void *opaque)
{
    static const char *const words[] = {"kept", "lost", "unknown"};
    virInternalVerdict verdict = helperLook(opaque, hook, request);
    g_autofree char *name = g_strescape(call->domain, NULL);

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

static bool
serveDaemon(helperDaemon *daemon)
{
    daemon->session = openSession(daemon);
    if (daemon->session)
        virInternalSessionSetResync(daemon->session, judgeGrant, (void *)daemon->policy, NULL);
    for (const helperOperation *one = helperOperations; daemon->session && one->hook; one++) {
        helperBinding binding = {daemon->policy, one};

        if (!helperPolicyServes(daemon->policy, one->hook))
            continue;
        if (virInternalSessionRegister(daemon->session, one->hook, NULL,
                                       helperPolicyGuests(daemon->policy, one->hook), 0, serveCall,
                                       g_memdup2(&binding, sizeof(binding)), g_free) < 0) {
            fprintf(stderr, "virtward-helperd: %s: %s: %s\n", daemon->path, one->hook,
                    virInternalGetLastError());
            g_clear_pointer(&daemon->session, virInternalSessionFree);
        }
    }
    if (!daemon->session && !daemon->said)
        fprintf(stderr, "virtward-helperd: waiting for %s (%s)\n", daemon->path,
                virInternalGetLastError());
    else if (daemon->session)
        fprintf(stderr, "virtward-helperd: serving %s\n", daemon->path);
    daemon->said = !daemon->session;
    return daemon->session != NULL;
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
    fprintf(stderr, "virtward-helperd: %s: %s\n", daemon->path, virInternalGetLastError());
    g_clear_pointer(&daemon->session, virInternalSessionFree);
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
    g_clear_pointer(&daemon->session, virInternalSessionFree);
    return NULL;
}

static void
serveAll(const helperPolicy *policy, int endFd)
{
    const char *const *sockets = helperPolicySockets(policy);
    size_t n = g_strv_length((char **)sockets);
    g_autofree helperDaemon *daemons = g_new0(helperDaemon, n);
    g_autofree GThread **threads = g_new0(GThread *, n);

    for (size_t i = 0; i < n; i++) {
        daemons[i] = (helperDaemon){.policy = policy, .path = sockets[i], .endFd = endFd};
        threads[i] = g_thread_new("daemon", serve, &daemons[i]);
    }
    for (size_t i = 0; i < n; i++)
        g_thread_join(threads[i]);
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
    serveAll(policy, endFd);
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
