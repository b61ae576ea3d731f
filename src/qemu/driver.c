/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * driver.c: an instance's guests as a whole: made at the daemon's start, asked by handlers. */
#include "qemu/driver.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>

#include "delegate/virhandlers.h"
#include "qemu/buildctx.h"
#include "qemu/denials.h"
#include "qemu/gatewatch.h"
#include "qemu/guest.h"
#include "qemu/owed.h"
#include "qemu/prepare.h"
#include "qemu/reconnect.h"
#include "qemu/store.h"
#include "qmp/qmpcapsxml.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virlog.h"
#include "util/virspawn.h"

/* --- made and freed --- */

static void
qemuDriverCopyPaths(qemuDriver *driver, const qemuDriverPaths *paths)
{
    driver->paths =
        (qemuDriverPaths){g_strdup(paths->root), g_strdup(paths->run),   g_strdup(paths->etc),
                          g_strdup(paths->lib),  g_strdup(paths->cache), g_strdup(paths->log)};
}

static void
qemuDriverCopyConfig(qemuDriver *driver, const qemuDriverConfig *config)
{
    driver->config = *config;
    driver->config.user = g_strdup(config->user);
    driver->config.cgroupManager = g_strdup(config->cgroupManager);
    driver->config.cgroupControllers = g_strdupv(config->cgroupControllers);
    driver->config.group = g_strdup(config->group);
    driver->config.vncListen = g_strdup(config->vncListen);
    driver->config.spiceListen = g_strdup(config->spiceListen);
    driver->config.deviceACL = g_strdupv(config->deviceACL);
}

/* Whom guests run as: nobody else than the daemon, unless it is root. */
static bool
qemuDriverFindUser(qemuDriver *driver, GError **error)
{
    const struct passwd *user;
    const struct group *group;

    driver->uid = VIR_SPAWN_KEEP_ID;
    driver->gid = VIR_SPAWN_KEEP_ID;
    if (!driver->privileged)
        return true;
    user = getpwnam(driver->config.user);
    if (!user)
        return virErrorSet(error, VIR_ERR_CONF_SYNTAX,
                           _("there is no user '%s' for guests to run as: create it (useradd "
                             "--system %s), or name another with user = in virtwardd.conf"),
                           driver->config.user, driver->config.user);
    group = driver->config.group ? getgrnam(driver->config.group) : NULL;
    if (driver->config.group && !group)
        return virErrorSet(error, VIR_ERR_CONF_SYNTAX,
                           _("there is no group '%s' for guests to run as: create it, or name "
                             "another with group = in virtwardd.conf"),
                           driver->config.group);
    driver->uid = user->pw_uid;
    driver->gid = group ? group->gr_gid : user->pw_gid;
    if (driver->uid == 0)
        driver->uid = VIR_SPAWN_KEEP_ID; /* as root, on the administrator's word */
    return true;
}

static bool
qemuDriverMakeFolders(qemuDriver *driver, GError **error)
{
    g_autofree char *run = g_build_filename(driver->paths.run, "qemu", NULL);
    g_autofree char *etc = g_build_filename(driver->paths.etc, "qemu", "autostart", NULL);
    g_autofree char *nvram = g_build_filename(driver->paths.lib, "nvram", NULL);
    g_autofree char *channel = g_build_filename(driver->paths.lib, "channel", "target", NULL);

    return virFileMakePath(run, 0700, error) && virFileMakePath(etc, 0700, error) &&
           virFileMakePath(nvram, 0755, error) && virFileMakePath(channel, 0755, error) &&
           virFileMakePath(driver->paths.log, 0755, error) &&
           virFileMakePath(driver->paths.cache, 0755, error);
}

/* Chosen once. What the configuration names must be there: a guest is in one place or the other. */
static bool
qemuDriverChooseManager(const qemuDriver *driver, const char *root, GError **error)
{
    const char *wanted = driver->config.cgroupManager;
    const bool isAuto = g_str_equal(wanted, "auto");
    virSystemdManager manager = VIR_SYSTEMD_NONE;

    if (!virCgroupInstanceUsable(driver->cgroups, NULL) || !driver->privileged ||
        (isAuto && root) || g_str_equal(wanted, "none"))
        return true;
    manager = virSystemdFind();
    if (manager == VIR_SYSTEMD_MACHINES && g_str_equal(wanted, "systemd"))
        manager = VIR_SYSTEMD_SCOPES;
    if (!isAuto && !g_str_equal(wanted, virSystemdManagerToString(manager)))
        return virErrorSet(error, VIR_ERR_CONF_SYNTAX,
                           _("cgroup_manager is '%s', which is not on the system bus"), wanted);
    virCgroupInstanceSetManager(driver->cgroups, manager);
    VIR_INFO("the outermost groups of guests are made by: %s",
             manager == VIR_SYSTEMD_NONE ? "this daemon" : virSystemdManagerToString(manager));
    return true;
}

/* Who makes groups where the daemon may not, and whether gates come with them. */
static void
qemuDriverHandOver(const qemuDriver *driver)
{
    if (virHandlersHandsOut(driver->config.handlers, "cgroup.create"))
        virCgroupInstanceHandOver(driver->cgroups,
                                  virHandlersHandsOut(driver->config.handlers, "gate.create")
                                      ? NULL
                                      : N_("no right to use device programs of control groups"));
}

/* Only the controllers that the configuration names. */
static void
qemuDriverRestrictGroups(const qemuDriver *driver)
{
    unsigned controllers = 0;

    if (!driver->config.cgroupControllers)
        return;
    for (char **name = driver->config.cgroupControllers; *name; name++) {
        virCgroupController controller;

        if (virCgroupControllerFromString(*name, &controller))
            controllers |= 1u << controller;
    }
    virCgroupInstanceRestrict(driver->cgroups, controllers);
}

static bool
qemuDriverOpenDoor(qemuDriver *driver, const char *root, GError **error)
{
    g_autofree char *pins = g_build_filename(driver->paths.run, "bpf", NULL);
    virDelegateOwner self = {geteuid(), getegid(), VIR_DELEGATE_KEEP_MODE};
    const char *why = NULL;

    driver->cgroups = virCgroupInstanceNew(root, error);
    if (!driver->cgroups || !qemuDriverChooseManager(driver, root, error))
        return false;
    qemuDriverHandOver(driver);
    qemuDriverRestrictGroups(driver);
    virHandlersSetInstance(driver->config.handlers, virCgroupInstanceName(driver->cgroups));
    driver->door = virDelegateNew(driver->cgroups, pins, &self);
    virDelegateSetHandlers(driver->door, g_steal_pointer(&driver->config.handlers));
    /* Without the right to make gates, those of running guests are found again by their pins. */
    if (!virCgroupInstanceUsable(driver->cgroups, &why))
        VIR_WARN("new guests run without control group and device gate: %s", why);
    else if (!virCgroupInstanceHasGates(driver->cgroups, &why))
        VIR_WARN(
            "new guests run without device gate: %s, and no handler of gate.create is known yet",
            why);
    return virDelegatePrepare(driver->door, error);
}

qemuDriver *
qemuDriverNew(const qemuDriverPaths *paths, const qemuDriverConfig *config, GError **error)
{
    qemuDriver *driver = g_new0(qemuDriver, 1);
    g_autofree char *capsFolder = g_build_filename(paths->cache, "capabilities", NULL);
    qmpCapsIdentity identity;

    qemuDriverCopyPaths(driver, paths);
    qemuDriverCopyConfig(driver, config);
    driver->privileged = geteuid() == 0;
    driver->vhostNet = access("/dev/vhost-net", F_OK) == 0;
    driver->domains = virDomainRegistryNew();
    driver->ports = g_hash_table_new(g_direct_hash, g_direct_equal);
    driver->pciDevices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!qemuDriverFindUser(driver, error) || !qemuDriverMakeFolders(driver, error) ||
        !qemuDriverOpenDoor(driver, paths->root, error)) {
        qemuDriverFree(driver);
        return NULL;
    }
    identity = (qmpCapsIdentity){.uid = driver->uid, .gid = driver->gid};
    virFileSweep(capsFolder);
    driver->capsCache = qmpCapsCacheNew(capsFolder, &identity);
    driver->denials = qemuDenialsNew(driver, error);
    if (!driver->denials || !qemuStoreLoad(driver, error)) {
        qemuDriverFree(driver);
        return NULL;
    }
    driver->owed = qemuOwedLoad(driver->paths.run);
    qemuReconnectLoad(driver);
    driver->gateWatch = qemuGateWatchNew(driver);
    return driver;
}

static void
qemuDriverDropGuest(virDomainObj *obj, void *opaque)
{
    (void)opaque;
    qemuGuestFree(obj->guest); /* the process runs on; a later daemon finds it again */
    obj->guest = NULL;
}

/* What the instance made for itself goes with a daemon that leaves no guest behind. */
static void
qemuDriverCloseDoor(qemuDriver *driver)
{
    g_autoptr(GError) error = NULL;

    if (driver->door && !virDelegateRetire(driver->door, &error))
        VIR_WARN("%s", error->message);
    virDelegateFree(driver->door);
    virHandlersFree(driver->config.handlers); /* the door's, once there is one */
}

void
qemuDriverFree(qemuDriver *driver)
{
    if (!driver)
        return;
    qemuGateWatchFree(driver->gateWatch);
    qemuOwedFree(driver->owed);
    qemuStoreClose(driver);
    qemuDenialsFree(driver->denials);
    virDomainRegistryForEach(driver->domains, qemuDriverDropGuest, NULL);
    virDomainRegistryFree(driver->domains);
    qmpCapsCacheFree(driver->capsCache);
    qemuDriverCloseDoor(driver);
    virCgroupInstanceUnref(driver->cgroups);
    g_hash_table_unref(driver->ports);
    g_hash_table_unref(driver->pciDevices);
    g_free(driver->paths.root);
    g_free(driver->paths.run);
    g_free(driver->paths.etc);
    g_free(driver->paths.lib);
    g_free(driver->paths.cache);
    g_free(driver->paths.log);
    g_free(driver->config.user);
    g_free(driver->config.cgroupManager);
    g_strfreev(driver->config.cgroupControllers);
    g_free(driver->config.group);
    g_free(driver->config.vncListen);
    g_free(driver->config.spiceListen);
    g_strfreev(driver->config.deviceACL);
    g_free(driver);
}

/* --- listeners --- */

void
qemuDriverEmit(qemuDriver *driver, const virDomainEvent *event)
{
    if (driver->emit)
        driver->emit(event, driver->emitOpaque);
}

void
qemuDriverEmitLifecycle(qemuDriver *driver, const virDomainObj *obj, virLifecycle event, int detail)
{
    virDomainEvent lifecycle = {.type = VIR_DOMAIN_EVENT_LIFECYCLE,
                                .name = obj->name,
                                .uuid = obj->uuid,
                                .id = obj->id,
                                .event = (int)event,
                                .detail = detail};

    qemuDriverEmit(driver, &lifecycle);
}

/* --- what binaries can do --- */

qmpCaps *
qemuDriverCaps(qemuDriver *driver, const char *emulator, GError **error)
{
    if (access(emulator, X_OK) < 0) {
        virErrorErrno(error, _("Cannot check QEMU binary %s"), emulator);
        return NULL;
    }
    return qmpCapsCacheGet(driver->capsCache, emulator, error);
}

qmpCaps *
qemuDriverGuestCaps(qemuDriver *driver, const virDomainDef *def, GError **error)
{
    g_autoptr(qmpCaps) caps = qemuDriverCaps(driver, def->emulator, error);

    if (!caps || (def->qemu.capsAdd->len == 0 && def->qemu.capsDel->len == 0))
        return g_steal_pointer(&caps);
    return qmpCapsWithFlags(caps, def->qemu.capsAdd, def->qemu.capsDel, error);
}

/* The look-up that completing a document needs; opaque is the driver. */
static qmpCaps *
qemuDriverLookUpCaps(const char *emulator, void *opaque)
{
    return qemuDriverCaps(opaque, emulator, NULL);
}

/* Strings are the driver's and the caller's nvram folder. */
static qemuPrepareEnv
qemuDriverPrepareEnv(qemuDriver *driver, const char *nvram)
{
    return (qemuPrepareEnv){.caps = qemuDriverLookUpCaps,
                            .opaque = driver,
                            .nvramDir = nvram,
                            .privileged = driver->privileged};
}

virDomainDef *
qemuDriverParse(qemuDriver *driver, const char *xml, unsigned parseFlags, GError **error)
{
    g_autofree char *nvram = g_build_filename(driver->paths.lib, "nvram", NULL);
    qemuPrepareEnv env = qemuDriverPrepareEnv(driver, nvram);

    return qemuDomainDefParse(xml, &env, parseFlags, error);
}

bool
qemuDriverComplete(qemuDriver *driver, virDomainDef *def, unsigned parseFlags, GError **error)
{
    g_autofree char *nvram = g_build_filename(driver->paths.lib, "nvram", NULL);
    qemuPrepareEnv env = qemuDriverPrepareEnv(driver, nvram);
    g_autoptr(qmpCaps) caps = qemuDriverCaps(driver, def->emulator, error);

    return caps && qemuDomainDefComplete(def, &env, parseFlags, error) &&
           qemuDomainDefCheck(def, caps, parseFlags, error);
}

/* --- display ports --- */

/* A port that somebody else's program listens on is of no use, whatever our table says. */
static bool
qemuPortIsFree(unsigned port)
{
    VIR_AUTOCLOSE fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return false;
    return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool
qemuPortMark(qemuDriver *driver, unsigned port)
{
    VIR_CORE_GUARD;

    return g_hash_table_add(driver->ports, GUINT_TO_POINTER(port));
}

unsigned
qemuPortTake(qemuDriver *driver, unsigned wanted, GError **error)
{
    unsigned from = wanted ? wanted : driver->config.portMin;
    unsigned to = wanted ? wanted : driver->config.portMax;

    for (unsigned port = from; port <= to; port++) {
        if (!qemuPortMark(driver, port))
            continue;
        if (wanted || qemuPortIsFree(port))
            return port;
        {
            VIR_CORE_GUARD;

            qemuPortRelease(driver, port);
        }
    }
    if (wanted)
        virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("port %u is used by another guest"), wanted);
    else
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                    _("Unable to find an unused port in range 'display' (%u-%u)"), from, to);
    return 0;
}

void
qemuPortRelease(qemuDriver *driver, unsigned port)
{
    g_hash_table_remove(driver->ports, GUINT_TO_POINTER(port));
}
