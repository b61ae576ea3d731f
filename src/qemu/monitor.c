/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * monitor.c: what QEMU tells by itself, as a table of events.
 *
 * On the event thread with the core lock held: nothing here waits. What has to wait is a job. */
#include <string.h>

#include "qemu/guest.h"
#include "qemu/incoming.h"
#include "qemu/lifecycle.h"
#include "qemu/status.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virlog.h"

typedef void (*qemuMonitorHandler)(qemuGuest *guest, virJSON *data);

static void
qemuMonitorEmit(qemuGuest *guest, virDomainEvent *event)
{
    event->name = guest->obj->name;
    event->uuid = guest->obj->uuid;
    event->id = guest->obj->id;
    qemuDriverEmit(guest->driver, event);
}

/* --- the CPUs --- */

static void
qemuMonitorStop(qemuGuest *guest, virJSON *data)
{
    virDomainObj *obj = guest->obj;

    if (obj->state != VIR_DOMAIN_RUNNING)
        return;
    virDomainObjSetState(obj, VIR_DOMAIN_PAUSED,
                         guest->pauseReason ? guest->pauseReason : VIR_PAUSED_UNKNOWN);
    qemuDriverEmitLifecycle(guest->driver, obj, VIR_EVENT_SUSPENDED, guest->pauseDetail);
    guest->pauseReason = 0;
    guest->pauseDetail = 0;
    qemuGuestSaveStatusLater(guest);
}

static void
qemuMonitorResume(qemuGuest *guest, virJSON *data)
{
    virDomainObj *obj = guest->obj;

    guest->fresh = false; /* also by somebody at the monitor */
    if (guest->starting || obj->state != VIR_DOMAIN_PAUSED)
        return;
    virDomainObjSetState(obj, VIR_DOMAIN_RUNNING, VIR_RUNNING_UNPAUSED);
    qemuDriverEmitLifecycle(guest->driver, obj, VIR_EVENT_RESUMED, VIR_RESUMED_UNPAUSED);
    qemuGuestSaveStatusLater(guest);
}

/* --- the end, and what is like it --- */

static void
qemuMonitorShutdown(qemuGuest *guest, virJSON *data)
{
    virDomainObj *obj = guest->obj;
    int detail = virJSONGetBool(data, "guest", false) ? VIR_SHUTDOWN_GUEST : VIR_SHUTDOWN_HOST;

    if (guest->shutdownSeen)
        return;
    guest->shutdownSeen = true;
    guest->endAction = VIR_LIFECYCLE_DESTROY;
    if (guest->starting)
        return;
    guest->endAction =
        qemuLifecycleOfEnd(&virDomainObjDef(obj)->lifecycle, virJSONGetString(data, "reason"));
    virDomainObjSetState(obj, VIR_DOMAIN_SHUTDOWN, VIR_SHUTDOWN_UNKNOWN);
    qemuDriverEmitLifecycle(guest->driver, obj, VIR_EVENT_SHUTDOWN, detail);
    qemuGuestShutdownSeen(guest);
}

static void
qemuMonitorReset(qemuGuest *guest, virJSON *data)
{
    virDomainEvent event = {.type = VIR_DOMAIN_EVENT_REBOOT};

    if (guest->starting)
        return;
    qemuMonitorEmit(guest, &event);
    /* one that knows set-action does not come here: it says SHUTDOWN */
    if (virDomainObjDef(guest->obj)->lifecycle.onReboot == VIR_LIFECYCLE_DESTROY &&
        !qmpCapsHas(guest->caps, QMP_CAPS_SET_ACTION)) {
        guest->endAction = VIR_LIFECYCLE_DESTROY;
        qemuGuestShutdownSeen(guest);
    }
}

static void
qemuMonitorPanicked(qemuGuest *guest, virJSON *data)
{
    virDomainObj *obj = guest->obj;

    virDomainObjSetState(obj, VIR_DOMAIN_CRASHED, VIR_CRASHED_REASON_PANICKED);
    qemuDriverEmitLifecycle(guest->driver, obj, VIR_EVENT_CRASHED, VIR_CRASHED_PANICKED);
    qemuGuestCrashed(guest);
}

static void
qemuMonitorMigration(qemuGuest *guest, virJSON *data)
{
    qemuIncomingHear(guest, virJSONGetString(data, "status"));
}

/* --- devices and the like --- */

static void
qemuMonitorDeviceGone(qemuGuest *guest, const char *alias)
{
    g_hash_table_add(guest->deleted, g_strdup(alias));
    g_cond_broadcast(&guest->changed);
    if (!g_hash_table_contains(guest->awaited, alias))
        qemuGuestDeviceGone(guest, alias);
}

static void
qemuMonitorDeviceDeleted(qemuGuest *guest, virJSON *data)
{
    const char *alias = virJSONGetString(data, "device");

    if (alias)
        qemuMonitorDeviceGone(guest, alias);
}

static void
qemuMonitorUnplugFailed(qemuGuest *guest, const char *alias)
{
    virDomainEvent event = {.type = VIR_DOMAIN_EVENT_DEVICE_REMOVAL_FAILED, .alias = alias};

    g_hash_table_add(guest->unplugFailed, g_strdup(alias));
    g_cond_broadcast(&guest->changed);
    qemuMonitorEmit(guest, &event);
}

static void
qemuMonitorUnplugError(qemuGuest *guest, virJSON *data)
{
    const char *alias = virJSONGetString(data, "device");

    if (alias)
        qemuMonitorUnplugFailed(guest, alias);
}

/* The guest's word on a request to eject (ACPI's _OST): it has let go of one, is at it, or refuses.
 * An emulated CPU that went gets no DEVICE_DELETED of its own: this is all that is heard of it, and
 * without its name. */
static void
qemuMonitorAcpiOst(qemuGuest *guest, virJSON *data)
{
    enum { EJECT_REQUEST = 3, EJECT_BY_GUEST = 0x103, SUCCESS = 0, IN_PROGRESS = 0x84 };
    virJSON *info = virJSONGetObject(data, "info");
    const char *alias = info ? virJSONGetString(info, "device") : NULL;
    const char *slot = info ? virJSONGetString(info, "slot") : NULL;
    bool isCPU = info && g_strcmp0(virJSONGetString(info, "slot-type"), "CPU") == 0;
    int64_t source = 0, status = 0;

    if (!info || !virJSONGetInt(info, "source", &source) ||
        !virJSONGetInt(info, "status", &status) ||
        (source != EJECT_REQUEST && source != EJECT_BY_GUEST) || status == IN_PROGRESS)
        return;
    if (status != SUCCESS && alias)
        qemuMonitorUnplugFailed(guest, alias);
    else if (status == SUCCESS && isCPU && slot) {
        g_autofree char *name = g_strdup_printf("vcpu%s", slot);

        qemuMonitorDeviceGone(guest, name);
    }
}

static void
qemuMonitorRTCChange(qemuGuest *guest, virJSON *data)
{
    virDomainEvent event = {.type = VIR_DOMAIN_EVENT_RTC_CHANGE};

    if (virJSONGetInt(data, "offset", &event.offset))
        qemuMonitorEmit(guest, &event);
}

static void
qemuMonitorBalloon(qemuGuest *guest, virJSON *data)
{
    virDomainEvent event = {.type = VIR_DOMAIN_EVENT_BALLOON_CHANGE};
    uint64_t bytes;

    if (!virJSONGetUInt(data, "actual", &bytes))
        return;
    guest->balloonKiB = bytes / 1024;
    event.offset = (int64_t)guest->balloonKiB;
    qemuMonitorEmit(guest, &event);
    qemuGuestMemoryChanged(guest);
}

/* A name's place in a list; fallback if it is not in. */
static int
qemuMonitorIndex(const char *name, const char *const *names, int fallback)
{
    for (int i = 0; name && names[i]; i++) {
        if (g_str_equal(names[i], name))
            return i;
    }
    return fallback;
}

static void
qemuMonitorWatchdog(qemuGuest *guest, virJSON *data)
{
    /* the numbers of virDomainEventWatchdogAction */
    static const char *const actions[] = {"none",     "pause", "reset",      "poweroff",
                                          "shutdown", "debug", "inject-nmi", NULL};
    virDomainEvent event = {.type = VIR_DOMAIN_EVENT_WATCHDOG};

    event.event = qemuMonitorIndex(virJSONGetString(data, "action"), actions, 0);
    qemuMonitorEmit(guest, &event);
    if (event.event == 1) {
        guest->pauseReason = VIR_PAUSED_WATCHDOG;
        guest->pauseDetail = VIR_SUSPENDED_WATCHDOG;
    }
}

static void
qemuMonitorBlockIOError(qemuGuest *guest, virJSON *data)
{
    /* the numbers of virDomainEventIOErrorAction */
    static const char *const actions[] = {"ignore", "stop", "report", NULL};
    const char *reason = virJSONGetString(data, "reason");
    virDomainEvent event = {.type = VIR_DOMAIN_EVENT_IO_ERROR, .reason = "", .path = ""};
    virDevice *disk = qemuGuestDeviceOfBlock(guest, virJSONGetString(data, "device"),
                                             virJSONGetString(data, "qom-path"));

    event.event = qemuMonitorIndex(virJSONGetString(data, "action"), actions, 0);
    event.alias = disk && disk->info.alias ? disk->info.alias : "";
    event.path = disk && disk->kind->source ? disk->kind->source(disk) : NULL;
    if (!event.path)
        event.path = "";
    qemuMonitorEmit(guest, &event);
    event.type = VIR_DOMAIN_EVENT_IO_ERROR_REASON;
    event.reason = virJSONGetBool(data, "nospace", false) ? "enospc" : "";
    qemuMonitorEmit(guest, &event);
    if (event.event == 1) {
        guest->pauseReason = VIR_PAUSED_IOERROR;
        guest->pauseDetail = VIR_SUSPENDED_IOERROR;
        VIR_WARN("domain '%s' is paused by an error of '%s': %s", guest->obj->name, event.alias,
                 reason ? reason : "");
    }
}

/* The image is no longer watched: one mark is told once. */
static void
qemuMonitorBlockThreshold(qemuGuest *guest, virJSON *data)
{
    virDomainEvent event = {.type = VIR_DOMAIN_EVENT_BLOCK_THRESHOLD};
    const char *node = virJSONGetString(data, "node-name");
    const virDomainDef *def = guest->obj->live ? virDomainDocDef(guest->obj->live) : NULL;

    if (!virJSONGetUInt(data, "write-threshold", &event.threshold) ||
        !virJSONGetUInt(data, "amount-exceeded", &event.excess))
        return;
    for (guint i = 0; def && node && i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);
        const virDeviceQemu *qemu = virDeviceQemuOf(dev);
        g_autofree char *plain = NULL;
        g_autofree char *indexed = NULL;

        if (!qemu || !qemu->ownsNode || !qemu->ownsNode(dev, node, &plain, &indexed, &event.path))
            continue;
        if (plain) {
            event.alias = plain;
            qemuMonitorEmit(guest, &event);
        }
        event.alias = indexed;
        qemuMonitorEmit(guest, &event);
    }
}

/* A page of the guest's memory that the hardware has lost. */
static void
qemuMonitorMemoryFailure(qemuGuest *guest, virJSON *data)
{
    /* the numbers of virDomainMemoryFailureRecipientType, …ActionType and …Flags */
    static const char *const recipients[] = {"hypervisor", "guest", NULL};
    static const char *const actions[] = {"ignore", "inject", "fatal", "reset", NULL};
    enum { ACTION_REQUIRED = 1 << 0, RECURSIVE = 1 << 1 };
    virJSON *flags = virJSONGetObject(data, "flags");
    virDomainEvent event = {.type = VIR_DOMAIN_EVENT_MEMORY_FAILURE};

    event.recipient = qemuMonitorIndex(virJSONGetString(data, "recipient"), recipients, -1);
    event.action = qemuMonitorIndex(virJSONGetString(data, "action"), actions, -1);
    if (event.recipient < 0 || event.action < 0)
        return;
    if (flags && virJSONGetBool(flags, "action-required", false))
        event.flags |= ACTION_REQUIRED;
    if (flags && virJSONGetBool(flags, "recursive", false))
        event.flags |= RECURSIVE;
    qemuMonitorEmit(guest, &event);
}

static void
qemuMonitorTray(qemuGuest *guest, virJSON *data)
{
    virDomainEvent event = {.type = VIR_DOMAIN_EVENT_TRAY_CHANGE};
    virDevice *disk = qemuGuestDeviceOfBlock(guest, virJSONGetString(data, "device"),
                                             virJSONGetString(data, "id"));

    event.event = virJSONGetBool(data, "tray-open", false) ? 0 : 1;
    event.alias = disk ? disk->info.alias : NULL;
    if (event.alias)
        qemuMonitorEmit(guest, &event);
}

static void
qemuMonitorGraphics(qemuGuest *guest, virJSON *data, int phase)
{
    static const char *const families[] = {"ipv4", "ipv6", "unix", NULL};
    virJSON *client = virJSONGetObject(data, "client");
    virJSON *server = virJSONGetObject(data, "server");
    virDomainEvent event = {.type = VIR_DOMAIN_EVENT_GRAPHICS, .event = phase};

    if (!client || !server)
        return;
    event.localFamily = qemuMonitorIndex(virJSONGetString(server, "family"), families, 0);
    event.localNode = virJSONGetString(server, "host");
    event.localService = virJSONGetString(server, "service");
    if (!event.localService)
        event.localService = virJSONGetString(server, "port");
    event.remoteFamily = qemuMonitorIndex(virJSONGetString(client, "family"), families, 0);
    event.remoteNode = virJSONGetString(client, "host");
    event.remoteService = virJSONGetString(client, "service");
    if (!event.remoteService)
        event.remoteService = virJSONGetString(client, "port");
    event.authScheme = virJSONGetString(server, "auth");
    event.x509Name = virJSONGetString(client, "x509_dname");
    event.saslUser = virJSONGetString(client, "sasl_username");
    qemuMonitorEmit(guest, &event);
}

static void
qemuMonitorVNCConnected(qemuGuest *guest, virJSON *data)
{
    qemuMonitorGraphics(guest, data, 0);
}

static void
qemuMonitorVNCInitialized(qemuGuest *guest, virJSON *data)
{
    qemuMonitorGraphics(guest, data, 1);
}

static void
qemuMonitorVNCDisconnected(qemuGuest *guest, virJSON *data)
{
    qemuMonitorGraphics(guest, data, 2);
}

static void
qemuMonitorSuspend(qemuGuest *guest, virJSON *data)
{
    virDomainEvent event = {.type = VIR_DOMAIN_EVENT_PMSUSPEND};

    if (guest->obj->state == VIR_DOMAIN_RUNNING) {
        virDomainObjSetState(guest->obj, VIR_DOMAIN_PMSUSPENDED, 0);
        qemuDriverEmitLifecycle(guest->driver, guest->obj, VIR_EVENT_PMSUSPENDED, 0);
        qemuGuestSaveStatusLater(guest);
    }
    qemuMonitorEmit(guest, &event);
}

static void
qemuMonitorSuspendDisk(qemuGuest *guest, virJSON *data)
{
    virDomainEvent event = {.type = VIR_DOMAIN_EVENT_PMSUSPEND_DISK};

    if (guest->obj->state == VIR_DOMAIN_RUNNING) {
        virDomainObjSetState(guest->obj, VIR_DOMAIN_PMSUSPENDED, 0);
        qemuDriverEmitLifecycle(guest->driver, guest->obj, VIR_EVENT_PMSUSPENDED, 1);
        qemuGuestSaveStatusLater(guest);
    }
    qemuMonitorEmit(guest, &event);
}

static void
qemuMonitorWakeup(qemuGuest *guest, virJSON *data)
{
    virDomainEvent event = {.type = VIR_DOMAIN_EVENT_PMWAKEUP};

    if (guest->obj->state == VIR_DOMAIN_PMSUSPENDED) {
        virDomainObjSetState(guest->obj, VIR_DOMAIN_RUNNING, VIR_RUNNING_WAKEUP);
        qemuDriverEmitLifecycle(guest->driver, guest->obj, VIR_EVENT_STARTED, VIR_STARTED_WAKEUP);
        qemuGuestSaveStatusLater(guest);
    }
    qemuMonitorEmit(guest, &event);
}

static void
qemuMonitorSerialChange(qemuGuest *guest, virJSON *data)
{
    qemuGuestPortChanged(guest, data);
}

static const struct {
    const char *name;
    qemuMonitorHandler handler;
} handlers[] = {
    {"ACPI_DEVICE_OST", qemuMonitorAcpiOst},
    {"BALLOON_CHANGE", qemuMonitorBalloon},
    {"BLOCK_IO_ERROR", qemuMonitorBlockIOError},
    {"BLOCK_WRITE_THRESHOLD", qemuMonitorBlockThreshold},
    {"DEVICE_DELETED", qemuMonitorDeviceDeleted},
    {"DEVICE_TRAY_MOVED", qemuMonitorTray},
    {"DEVICE_UNPLUG_GUEST_ERROR", qemuMonitorUnplugError},
    {"GUEST_PANICKED", qemuMonitorPanicked},
    {"MEMORY_FAILURE", qemuMonitorMemoryFailure},
    {"MEM_UNPLUG_ERROR", qemuMonitorUnplugError},
    {"MIGRATION", qemuMonitorMigration},
    {"RESET", qemuMonitorReset},
    {"RESUME", qemuMonitorResume},
    {"RTC_CHANGE", qemuMonitorRTCChange},
    {"SHUTDOWN", qemuMonitorShutdown},
    {"SPICE_CONNECTED", qemuMonitorVNCConnected},
    {"SPICE_DISCONNECTED", qemuMonitorVNCDisconnected},
    {"SPICE_INITIALIZED", qemuMonitorVNCInitialized},
    {"STOP", qemuMonitorStop},
    {"SUSPEND", qemuMonitorSuspend},
    {"SUSPEND_DISK", qemuMonitorSuspendDisk},
    {"VNC_CONNECTED", qemuMonitorVNCConnected},
    {"VNC_DISCONNECTED", qemuMonitorVNCDisconnected},
    {"VNC_INITIALIZED", qemuMonitorVNCInitialized},
    {"VSERPORT_CHANGE", qemuMonitorSerialChange},
    {"WAKEUP", qemuMonitorWakeup},
    {"WATCHDOG", qemuMonitorWatchdog},
};

static void
qemuMonitorEvent(qmpClient *client, const char *name, virJSON *data, int64_t seconds,
                 int64_t micros, void *opaque)
{
    qemuGuest *guest = opaque;
    g_autofree char *details = data ? virJSONPrint(data) : NULL;
    virDomainEvent raw = {.type = VIR_DOMAIN_EVENT_MONITOR,
                          .monitorEvent = name,
                          .details = details,
                          .seconds = seconds,
                          .micros = (unsigned)micros};

    if (!guest->starting)
        qemuMonitorEmit(guest, &raw);
    for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++) {
        if (g_str_equal(handlers[i].name, name)) {
            handlers[i].handler(guest, data);
            return;
        }
    }
}

/* The process usually ends with its connection and its pidfd says so; one that only closed the
 * monitor can't be managed any more. */
static void
qemuMonitorClosed(qmpClient *client, const GError *reason, void *opaque)
{
    qemuGuest *guest = opaque;

    VIR_DEBUG("monitor of domain '%s': %s", guest->obj->name, reason->message);
    g_cond_broadcast(&guest->changed);
}

const qmpClientCallbacks qemuMonitorCallbacks = {
    .event = qemuMonitorEvent,
    .closed = qemuMonitorClosed,
};
