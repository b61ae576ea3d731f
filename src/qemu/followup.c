/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * followup.c: what has to be done after an event of QEMU, as jobs under the domain's job. */
#include <string.h>

#include "qemu/guestvcpu.h"
#include "qemu/status.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virlog.h"

/* One thing to do; the object is referenced, the guest may have ended when its turn comes. */
typedef struct {
    virDomainObj *obj;
    qemuGuest *guest; /* compared only: is it still the same run? */
    void (*func)(virDomainObj *obj, virJSON *data,
                 const char *alias); /* NULL: its state is saved */
    virJSON *data;
    char *alias;
} qemuFollowUp;

static void
qemuFollowUpRun(void *opaque)
{
    qemuFollowUp *todo = opaque;
    g_autoptr(GError) error = NULL;
    VIR_CORE_GUARD;

    if (!virDomainObjBeginJob(todo->obj, "event", VIR_DOMAIN_JOB_WAIT_MS, &error)) {
        VIR_WARN("domain '%s': %s", todo->obj->name, error->message);
    } else if (qemuGuestOf(todo->obj) != todo->guest || todo->guest->gone) {
        virDomainObjEndJob(todo->obj);
    } else if (!todo->func) {
        qemuGuestSaveStatusAside(todo->obj);
    } else {
        todo->func(todo->obj, todo->data, todo->alias);
        virDomainObjEndJob(todo->obj);
    }
    virDomainObjUnref(todo->obj);
    virJSONUnref(todo->data);
    g_free(todo->alias);
    g_free(todo);
}

static void
qemuFollowUpStart(void *opaque)
{
    virCoreRunJob(qemuFollowUpRun, opaque);
}

/* The job starts when listeners have been told what they are told in this turn: it would compete
 * with that for the core lock and a processor, and what it does is never as urgent. */
static void
qemuFollowUpPost(qemuGuest *guest, void (*func)(virDomainObj *, virJSON *, const char *),
                 virJSON *data, const char *alias)
{
    qemuFollowUp *todo = g_new0(qemuFollowUp, 1);

    todo->obj = virDomainObjRef(guest->obj);
    todo->guest = guest;
    todo->func = func;
    todo->data = data ? virJSONCopy(data) : NULL;
    todo->alias = g_strdup(alias);
    virEventPost(qemuFollowUpStart, todo);
}

void
qemuGuestSaveStatusLater(qemuGuest *guest)
{
    if (!guest->starting)
        qemuFollowUpPost(guest, NULL, NULL, NULL);
}

/* --- the guest shut itself down --- */

/* QEMU waits with its CPUs stopped (-no-shutdown): a reset and on, instead of a new process. */
static void
qemuFollowUpReboot(virDomainObj *obj)
{
    g_autoptr(GError) error = NULL;
    qemuGuest *guest = qemuGuestOf(obj);
    virDomainEvent event = {
        .type = VIR_DOMAIN_EVENT_REBOOT, .name = obj->name, .uuid = obj->uuid, .id = obj->id};

    if (!qemuGuestCommand(obj, "system_reset", NULL, NULL, &error) ||
        !qemuGuestCommand(obj, "cont", NULL, NULL, &error)) {
        VIR_WARN("domain '%s' cannot be rebooted: %s", obj->name, error->message);
        g_clear_error(&error);
        if (!qemuGuestStop(obj, VIR_SHUTOFF_SHUTDOWN, VIR_STOPPED_SHUTDOWN, false, &error))
            VIR_WARN("domain '%s': %s", obj->name, error->message);
        return;
    }
    guest->rebooting = false;
    guest->shutdownSeen = false;
    virDomainObjSetState(obj, VIR_DOMAIN_RUNNING, VIR_RUNNING_BOOTED);
    qemuDriverEmit(guest->driver, &event);
    qemuGuestSaveStatusLater(guest);
}

static void
qemuFollowUpShutdown(virDomainObj *obj, virJSON *data, const char *alias)
{
    g_autoptr(GError) error = NULL;
    qemuGuest *guest = qemuGuestOf(obj);

    if (guest->rebooting || guest->endAction == VIR_LIFECYCLE_RESTART) {
        qemuFollowUpReboot(obj);
        return;
    }
    if (!qemuGuestStop(obj, VIR_SHUTOFF_SHUTDOWN, VIR_STOPPED_SHUTDOWN, false, &error))
        VIR_WARN("domain '%s': %s", obj->name, error->message);
}

void
qemuGuestShutdownSeen(qemuGuest *guest)
{
    qemuFollowUpPost(guest, qemuFollowUpShutdown, NULL, NULL);
}

static void
qemuFollowUpCrash(virDomainObj *obj, virJSON *data, const char *alias)
{
    g_autoptr(GError) error = NULL;

    switch (virDomainObjDef(obj)->lifecycle.onCrash) {
    case VIR_LIFECYCLE_PRESERVE:
        qemuGuestSaveStatusLater(qemuGuestOf(obj));
        return;
    case VIR_LIFECYCLE_COREDUMP_RESTART:
        VIR_WARN("domain '%s' has crashed; cores are not dumped yet", obj->name);
        qemuFollowUpReboot(obj);
        return;
    case VIR_LIFECYCLE_RESTART:
        qemuFollowUpReboot(obj);
        return;
    default:
        if (!qemuGuestStop(obj, VIR_SHUTOFF_CRASHED, VIR_STOPPED_CRASHED, false, &error))
            VIR_WARN("domain '%s': %s", obj->name, error->message);
    }
}

void
qemuGuestCrashed(qemuGuest *guest)
{
    qemuFollowUpPost(guest, qemuFollowUpCrash, NULL, NULL);
}

/* --- devices --- */

static void
qemuFollowUpDeviceGone(virDomainObj *obj, virJSON *data, const char *alias)
{
    if (qemuGuestForgetVcpu(obj, alias))
        qemuGuestSaveStatusLater(qemuGuestOf(obj));
    else
        qemuGuestForgetDevice(obj, alias);
}

void
qemuGuestDeviceGone(qemuGuest *guest, const char *alias)
{
    if (!guest->starting)
        qemuFollowUpPost(guest, qemuFollowUpDeviceGone, NULL, alias);
}

/* --- its memory --- */

static bool
qemuFollowUpMemory(virDomainDef *def, void *opaque, GError **error)
{
    const qemuGuest *guest = opaque;

    def->memory.current = virOptUIntOf(guest->balloonKiB);
    return true;
}

static void
qemuFollowUpBalloon(virDomainObj *obj, virJSON *data, const char *alias)
{
    g_autoptr(GError) error = NULL;
    qemuGuest *guest = qemuGuestOf(obj);

    if (!qemuDriverEdit(guest->driver, obj, true, false, qemuFollowUpMemory, guest, &error))
        VIR_WARN("domain '%s': %s", obj->name, error->message);
}

void
qemuGuestMemoryChanged(qemuGuest *guest)
{
    if (!guest->starting)
        qemuFollowUpPost(guest, qemuFollowUpBalloon, NULL, NULL);
}

/* --- its ports --- */

static bool
qemuFollowUpLearn(virDomainDef *def, void *opaque, GError **error)
{
    virJSON *data = opaque;
    virDevice *dev = virDomainDefDeviceByAlias(def, virJSONGetString(data, "id"));
    const virDeviceQemu *qemu = dev ? virDeviceQemuOf(dev) : NULL;

    if (qemu && qemu->learn)
        qemu->learn(dev, "VSERPORT_CHANGE", data);
    return true;
}

static void
qemuFollowUpPort(virDomainObj *obj, virJSON *data, const char *alias)
{
    /* the numbers of virConnectDomainEventAgentLifecycleState and …Reason */
    enum { CONNECTED = 1, DISCONNECTED = 2, REASON_CHANNEL = 2 };
    g_autoptr(GError) error = NULL;
    qemuGuest *guest = qemuGuestOf(obj);
    const virDevice *dev;
    virDomainEvent event = {.type = VIR_DOMAIN_EVENT_AGENT_LIFECYCLE,
                            .name = obj->name,
                            .uuid = obj->uuid,
                            .id = obj->id,
                            .event = virJSONGetBool(data, "open", false) ? CONNECTED : DISCONNECTED,
                            .detail = REASON_CHANNEL};

    if (!qemuDriverEdit(guest->driver, obj, true, false, qemuFollowUpLearn, data, &error)) {
        VIR_WARN("domain '%s': %s", obj->name, error->message);
        return;
    }
    dev = obj->live ? virDomainDefDeviceByAlias(virDomainObjDef(obj), virJSONGetString(data, "id"))
                    : NULL;
    if (dev && dev->kind->isAgent && dev->kind->isAgent(dev))
        qemuDriverEmit(guest->driver, &event);
}

void
qemuGuestPortChanged(qemuGuest *guest, virJSON *data)
{
    if (!guest->starting && data)
        qemuFollowUpPost(guest, qemuFollowUpPort, data, NULL);
}

virDevice *
qemuGuestDeviceOfBlock(qemuGuest *guest, const char *id, const char *qomPath)
{
    static const char prefix[] = "/machine/peripheral/";
    g_autofree char *alias = NULL;
    const virDomainDef *def = guest->obj->live ? virDomainDocDef(guest->obj->live) : NULL;

    if (!def)
        return NULL;
    if (qomPath && g_str_has_prefix(qomPath, prefix)) {
        const char *from = qomPath + strlen(prefix);

        alias = g_strndup(from, strcspn(from, "/"));
    } else if (qomPath || (id && *id)) {
        alias = g_strdup(qomPath ? qomPath : id);
    }
    return alias ? virDomainDefDeviceByAlias(def, alias) : NULL;
}
