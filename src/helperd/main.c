/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * main.c: virtward-helperd: serves the daemons of its policy file, with no more rights than the
 * operations there need. It remembers nothing: it can be restarted at any time. */
#include <cap-ng.h>
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#if WITH_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "helperd/operations.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virutil.h"

enum { RETRY_MS = 1000 };

/* A daemon that is served. */
typedef struct {
    const char *path;
    virInternalSession *session; /* NULL: it isn't there now */
    bool said;                   /* that it isn't */
} helperDaemon;

/* What a call needs; one per operation and daemon, as long as the session. */
typedef struct {
    const helperPolicy *policy;
    const helperOperation *operation;
} helperBinding;

/* One line for every call: what, for whom, how it ended. */
static void
audit(const virInternalCall *call, const char *hook, gint64 began_us, const GError *error)
{
    g_autofree char *uuid =
        g_strdup_printf("%02x%02x%02x%02x-%02x%02x", call->uuid[0], call->uuid[1], call->uuid[2],
                        call->uuid[3], call->uuid[4], call->uuid[5]);
    g_autofree char *name = g_strescape(call->domain, NULL);

    fprintf(stderr,
            "audit: hook=%s guest=\"%s\" uuid=%s... request=%llu us=%" G_GINT64_FORMAT
            " verdict=%s%s%s\n",
            hook, name, uuid, call->request, g_get_monotonic_time() - began_us,
            error ? "refused" : "done", error ? " why=" : "", error ? error->message : "");
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

static bool
serveDaemon(helperDaemon *daemon, const helperPolicy *policy)
{
    daemon->session = virInternalSessionOpenPath(daemon->path, VIR_INTERNAL_ABI);
    for (const helperOperation *one = helperOperations; daemon->session && one->hook; one++) {
        helperBinding binding = {policy, one};

        if (!helperPolicyServes(policy, one->hook))
            continue;
        if (virInternalSessionRegister(daemon->session, one->hook, NULL,
                                       helperPolicyGuests(policy, one->hook), 0, serveCall,
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

/* Only the rights of the operations that are served, for good. */
static bool
dropRights(const helperPolicy *policy, GError **error)
{
    capng_clear(CAPNG_SELECT_BOTH);
    for (const helperOperation *one = helperOperations; one->hook; one++) {
        for (const int *cap = one->capabilities; helperPolicyServes(policy, one->hook) && *cap >= 0;
             cap++) {
            (void)capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
                               (unsigned)*cap); /* fails for numbers that don't exist only */
        }
    }
    if (capng_apply(CAPNG_SELECT_BOTH) < 0)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("cannot drop capabilities: run as root, or without those that the "
                             "policy needs and this process lacks"));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return virErrorErrno(error, _("cannot give up new privileges"));
    return true;
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

/* Until a signal: waits for calls, and for daemons that aren't there to come back. */
static void
serve(helperDaemon *daemons, size_t n, const helperPolicy *policy, int end)
{
    g_autofree struct pollfd *ready = g_new0(struct pollfd, n + 1);

    for (;;) {
        bool missing = false;

        for (size_t i = 0; i < n; i++) {
            if (!daemons[i].session && !serveDaemon(&daemons[i], policy))
                missing = true;
            ready[i] = (struct pollfd){
                .fd = daemons[i].session ? virInternalSessionGetFd(daemons[i].session) : -1,
                .events = POLLIN};
        }
        ready[n] = (struct pollfd){.fd = end, .events = POLLIN};
        if (poll(ready, n + 1, missing ? RETRY_MS : -1) < 0 && errno != EINTR)
            return;
        if (ready[n].revents)
            return;
        for (size_t i = 0; i < n; i++) {
            if (ready[i].revents && virInternalSessionDispatch(daemons[i].session) < 0) {
                fprintf(stderr, "virtward-helperd: %s: %s\n", daemons[i].path,
                        virInternalGetLastError());
                g_clear_pointer(&daemons[i].session, virInternalSessionFree);
            }
        }
    }
}

static int
run(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(helperPolicy) policy = helperPolicyLoad(path, &error);
    const char *const *sockets = policy ? helperPolicySockets(policy) : NULL;
    size_t n = sockets ? g_strv_length((char **)sockets) : 0;
    g_autofree helperDaemon *daemons = g_new0(helperDaemon, n + 1);
    VIR_AUTOCLOSE end = -1;

    if (policy && dropRights(policy, &error))
        end = catchEnd(&error);
    if (end < 0) {
        fprintf(stderr, "virtward-helperd: %s\n", error->message);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < n; i++)
        daemons[i].path = sockets[i];
#if WITH_SYSTEMD
    (void)sd_notify(0, "READY=1"); /* nobody may be listening */
#endif
    serve(daemons, n, policy, end);
    for (size_t i = 0; i < n; i++)
        virInternalSessionFree(daemons[i].session);
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
