/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * main.c: virtwardd from its arguments to its clean end.
 *
 * The main thread becomes the event thread. Signals are blocked in all threads and read from a
 * descriptor, so that nothing ever runs in a signal handler. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

#if WITH_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "api/admin.h"
#include "api/domain_event.h"
#include "daemon/config.h"
#include "daemon/handlers.h"
#include "daemon/layout.h"
#include "daemon/sockets.h"
#include "qemu/driver.h"
#include "rpc/procedures.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virevent.h"
#include "util/virfault.h"
#include "util/virheap.h"
#include "util/virlog.h"
#include "util/virutil.h"
#include "util/virxml.h"

typedef struct {
    virDaemonLayout *layout;
    virDaemonConfig *config;
    virDaemonServers servers;
    virNetServer *serverList[2]; /* the same by name, for the admin socket */
    virApiAdmin admin;
    qemuDriver *driver;
    virHandlers *handlers; /* the driver's */
    int lockFd;            /* held as long as we run: one daemon per instance */
    int signalFd;
    virEventWatch *signalWatch;
} virDaemon;

static void
daemonClear(virDaemon *daemon)
{
    virNetServerFree(daemon->servers.clients);
    virNetServerFree(daemon->servers.admin);
    qemuDriverFree(daemon->driver);
    virDaemonConfigFree(daemon->config);
    virDaemonLayoutFree(daemon->layout);
    virCloseFd(&daemon->signalFd);
    virCloseFd(&daemon->lockFd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virDaemon, daemonClear)

/* Two daemons on one instance would replace each other's sockets and files. */
static bool
daemonLock(virDaemon *daemon, GError **error)
{
    g_autofree char *path = g_build_filename(daemon->layout->run, "virtwardd.pid", NULL);
    g_autofree char *pid = g_strdup_printf("%d\n", (int)getpid());

    daemon->lockFd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (daemon->lockFd < 0)
        return virErrorErrno(error, _("cannot open '%s'"), path);
    if (flock(daemon->lockFd, LOCK_EX | LOCK_NB) < 0)
        return virErrorErrno(error, _("another virtwardd already holds '%s'"), path);
    if (ftruncate(daemon->lockFd, 0) < 0 ||
        write(daemon->lockFd, pid, strlen(pid)) != (ssize_t)strlen(pid))
        return virErrorErrno(error, _("cannot write '%s'"), path);
    return true;
}

static void
closeClient(virNetServerClient *client, void *opaque G_GNUC_UNUSED)
{
    virNetServerClientClose(client, NULL);
}

/* The end: no new clients, the ones there are let go, then the loop ends. */
static void
daemonStop(virDaemon *daemon)
{
#if WITH_SYSTEMD
    (void)sd_notify(0, "STOPPING=1"); /* nobody may be listening */
#endif
    virNetServerStop(daemon->servers.clients);
    virNetServerStop(daemon->servers.admin);
    virNetServerForEachClient(daemon->servers.clients, closeClient, NULL);
    virNetServerForEachClient(daemon->servers.admin, closeClient, NULL);
    virHandlersEnd(daemon->handlers); /* jobs that wait for one give up */
    virEventWatchRemove(daemon->signalWatch);
    daemon->signalWatch = NULL;
    virEventQuit();
}

static void
signalReady(int fd, unsigned events G_GNUC_UNUSED, void *opaque)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof(info)) != sizeof(info))
        return;
    VIR_INFO("ending on signal %u", info.ssi_signo);
    daemonStop(opaque);
}

static bool
daemonCatchSignals(virDaemon *daemon, GError **error)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGQUIT);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return virErrorErrno(error, "%s", _("cannot block signals"));
    signal(SIGPIPE, SIG_IGN);
    daemon->signalFd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (daemon->signalFd < 0)
        return virErrorErrno(error, "%s", _("cannot make a signal descriptor"));
    daemon->signalWatch =
        virEventWatchAdd(daemon->signalFd, EPOLLIN, signalReady, daemon, NULL, error);
    return daemon->signalWatch != NULL;
}

static void
daemonMakeServers(virDaemon *daemon)
{
    virNetServerLimits limits = {
        .maxClients = (unsigned)daemon->config->max_clients,
        .maxClientRequests = (unsigned)daemon->config->max_client_requests,
        .keepaliveInterval_s = daemon->config->keepalive_interval,
        .keepaliveCount = (unsigned)daemon->config->keepalive_count,
    };

    daemon->servers.clients = virNetServerNew("virtwardd", &limits, daemon->driver);
    virNetServerAddProgram(daemon->servers.clients, &virRemoteProgram);
    virNetServerAddProgram(daemon->servers.clients, &virQemuProgram);
    daemon->servers.admin = virNetServerNew("admin", &limits, &daemon->admin);
    virNetServerAddProgram(daemon->servers.admin, &virAdminProgram);
    daemon->serverList[0] = daemon->servers.admin;
    daemon->serverList[1] = daemon->servers.clients;
    daemon->admin = (virApiAdmin){daemon->serverList, G_N_ELEMENTS(daemon->serverList)};
}

static bool
daemonMakeDriver(virDaemon *daemon, const char *root, GError **error)
{
    const virDaemonLayout *layout = daemon->layout;
    const virDaemonConfig *config = daemon->config;
    g_autofree char *guestLogs = g_build_filename(layout->log, "qemu", NULL);
    qemuDriverPaths paths = {(char *)root, layout->run,   layout->etc,
                             layout->lib,  layout->cache, guestLogs};
    qemuDriverConfig guests = {.user = config->user,
                               .group = config->group,
                               .vncListen = config->vnc_listen,
                               .spiceListen = config->spice_listen,
                               .portMin = (unsigned)config->remote_display_port_min,
                               .portMax = (unsigned)config->remote_display_port_max,
                               .dynamicOwnership = config->dynamic_ownership,
                               .deviceACL = config->cgroup_device_acl,
                               .cgroupManager = config->cgroup_manager,
                               .cgroupControllers = config->cgroup_controllers,
                               .handlers = virDaemonNewHandlers(config, error),
                               .privateDev = config->namespaces && config->namespaces[0],
                               .gate = {(virGateMode)virGateModeFromString(config->gate_mode),
                                        (virGateLock)virGateLockFromString(config->gate_lock),
                                        (uint32_t)config->gate_rules,
                                        (uint32_t)config->gate_rules_max},
                               .gateWatch_ms = (unsigned)config->gate_watch_interval * 1000,
                               .stopTimeout_ms = (unsigned)config->stop_timeout * 1000,
                               .monitorTimeout_ms = (unsigned)config->monitor_timeout * 1000};

    daemon->handlers = guests.handlers;
    if (!guests.handlers || !(daemon->driver = qemuDriverNew(&paths, &guests, error)))
        return false;
    daemon->driver->emit = virApiDomainEventEmit;
    return true;
}

static bool
daemonStart(virDaemon *daemon, const char *root, GError **error)
{
    g_autofree char *config = g_build_filename(daemon->layout->etc, "virtwardd.conf", NULL);

    if (!virDaemonConfigLoad(daemon->config, config, error) ||
        !virDaemonLayoutMake(daemon->layout, error) || !daemonLock(daemon, error) ||
        !virEventInit(error) || !daemonCatchSignals(daemon, error))
        return false;
    virXMLInit();
    if (!daemonMakeDriver(daemon, root, error) ||
        !virDaemonListenHandlers(daemon->handlers, daemon->layout, error))
        return false;
    daemonMakeServers(daemon);
    daemon->servers.handlers = daemon->handlers;
    if (!virDaemonListen(&daemon->servers, daemon->layout, daemon->config, error))
        return false;
    virNetServerStart(daemon->servers.clients);
    virNetServerStart(daemon->servers.admin);
    qemuDriverReconnect(daemon->driver);
    return true;
}

/* Leaves no group and no bpffs of the instance behind when no guest needs them any more. */
static void
daemonRetire(virDaemon *daemon)
{
    g_autoptr(GError) error = NULL;

    if (virCgroupInstanceUsable(daemon->driver->cgroups, NULL) &&
        !virDelegateRetire(daemon->driver->door, &error))
        VIR_INFO("the instance's group stays: %s", error->message);
}

static int
daemonRun(const char *root)
{
    g_auto(virDaemon) daemon = {.lockFd = -1, .signalFd = -1};
    g_autoptr(GError) error = NULL;

    daemon.layout = virDaemonLayoutNew(root);
    daemon.config = virDaemonConfigNew();
    if (!daemonStart(&daemon, root, &error)) {
        fprintf(stderr, "virtwardd: %s\n", error->message);
        if (daemon.driver)
            daemonRetire(&daemon);
        return EXIT_FAILURE;
    }
#if WITH_SYSTEMD
    (void)sd_notify(0, "READY=1"); /* nobody may be listening */
#endif
    virEventRun();
    virCoreDrainJobs();
    daemonRetire(&daemon);
    return EXIT_SUCCESS;
}

/* A function of a library that is bound at its first call leaves on the stack what the registers
 * held then, and that may be a piece of a password that was just copied. Only the loader can bind
 * them all beforehand, also those that libraries call among each other: ld.so(8). So the program is
 * started once more, unless who started it has seen to that. */
static void
daemonBindNow(char **argv)
{
    g_autofree char *self = NULL;

    if (g_getenv("LD_BIND_NOW") || getauxval(AT_SECURE))
        return;
    self = g_file_read_link("/proc/self/exe", NULL);
    if (self && g_setenv("LD_BIND_NOW", "1", TRUE))
        execv(self, argv);
    /* Replaced since it was started, or the like: it runs as it is. */
    g_unsetenv("LD_BIND_NOW");
}

int
main(int argc, char **argv)
{
    g_autofree char *root = NULL;
    gboolean version = FALSE, faults = FALSE;
    const GOptionEntry entries[] = {
        {"root", 0, 0, G_OPTION_ARG_FILENAME, &root, N_("keep everything below DIR"), "DIR"},
        {"version", 'V', 0, G_OPTION_ARG_NONE, &version, N_("print the version and end"), NULL},
        {"list-fault-points", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &faults, NULL, NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL}};
    g_autoptr(GOptionContext) options = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    daemonBindNow(argv);
    virHeapInit();
    setlocale(LC_ALL, "");
    bindtextdomain(PACKAGE, LOCALEDIR);
    bind_textdomain_codeset(PACKAGE, "UTF-8");
    g_option_context_set_summary(options, _("Runs QEMU guests for clients of libvirt."));
    g_option_context_set_translation_domain(options, PACKAGE);
    g_option_context_add_main_entries(options, entries, PACKAGE);
    if (!g_option_context_parse(options, &argc, &argv, &error) || argc > 1) {
        fprintf(stderr, "virtwardd: %s\n", error ? error->message : _("too many arguments"));
        return EXIT_FAILURE;
    }
    if (version) {
        printf("virtwardd (virtward) %s\n", PACKAGE_VERSION);
        return EXIT_SUCCESS;
    }
    if (faults) {
        virFaultList();
        return EXIT_SUCCESS;
    }
    return daemonRun(root);
}
