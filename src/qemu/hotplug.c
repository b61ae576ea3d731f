/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hotplug.c: devices that come, go and change while the guest runs, all by their plan.
 *
 * Attach: rules and owners first, then the plan forwards. Detach: the front end is asked to go;
 * when QEMU says it is gone, the rest of the plan backwards, then owners and rules. Nothing here
 * knows a kind of device. */
#include "qemu/hotplug.h"
#include "qemu/guestmemlock.h"
#include "qemu/hostfiles.h"
#include "qemu/hostpci.h"
#include "qemu/planrun.h"
#include "qemu/prepare.h"
#include "qemu/tune.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virlog.h"

#include <fcntl.h>
#include <string.h>

enum { QEMU_UNPLUG_WAIT_MS = 5000 }; /* for the guest to let a device go */

/* --- attach --- */

static bool
qemuPlugIsHotpluggable(const virDevice *dev, const qemuBuildContext *ctx, GError **error)
{
    const virDeviceQemu *qemu = virDeviceQemuOf(dev);

    if (!qemu || !qemu->build)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("live attach of device '%s' is not supported"), dev->kind->element);
    return !qemu->hotpluggable || qemu->hotpluggable(dev, ctx, error);
}

static unsigned
qemuPlugPort(unsigned wanted, const char *alias, void *opaque, GError **error)
{
    return qemuPortTake(((qemuGuest *)opaque)->driver, wanted, error);
}

/* The claim itself is the host step's; here a number is found that is free now. */
static uint64_t
qemuPlugContextId(uint64_t wanted, void *opaque, GError **error)
{
    const qemuGuest *guest = opaque;
    virDelegateCall call = {.domain = guest->obj->name, .phase = VIR_DELEGATE_PHASE_HOTPLUG};
    uint64_t cid = wanted;
    VIR_AUTOCLOSE fd = -1;

    memcpy(call.uuid, guest->obj->uuid, sizeof(call.uuid));
    if (!virDelegateDeviceOpen(guest->driver->door, &call, VIR_DELEGATE_DEVICE_VHOST_VSOCK, NULL,
                               O_RDWR, &fd, error) ||
        !qemuVsockClaim(fd, &cid, error))
        return 0;
    return cid;
}

static unsigned
qemuPlugBlockNode(void *opaque)
{
    return ++((qemuGuest *)opaque)->lastBlockNode;
}

static bool
qemuPlugClaim(qemuGuest *guest, virDevice *dev, const qemuBuildContext *ctx, GError **error)
{
    const virDeviceQemu *qemu = virDeviceQemuOf(dev);
    qemuClaims claims = {.port = qemuPlugPort,
                         .contextId = qemuPlugContextId,
                         .blockNode = qemuPlugBlockNode,
                         .opaque = guest};
    qemuFinding finding;

    qemuBuildClaimsOfHost(&claims);
    if (qemu && qemu->claim && !qemu->claim(dev, ctx, &claims, error))
        return false;
    if (!qemu || !qemu->discover)
        return true;
    finding = qemu->discover(dev, ctx, &claims, error);
    return finding == QEMU_FOUND ||
           (finding == QEMU_FOUND_NOT &&
            virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("the source of %s '%s' is missing"),
                        dev->kind->noun, dev->info.alias));
}

/* Nothing is begun that cannot be done. */
static bool
qemuPlugCheckPlan(const qmpPlan *plan, GError **error)
{
    for (size_t i = 0; i < qmpPlanLength(plan); i++) {
        const qmpStep *step = qmpPlanStep(plan, i);

        if (step->type == QMP_STEP_HOST && !qemuHostStepCheck(step->host, error))
            return false;
    }
    return true;
}

/* What one device needs: of the host, and told to QEMU. */
static bool
qemuPlugPlan(qemuGuest *guest, virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan,
             virHostAccess **retAccess, GError **error)
{
    unsigned node = guest->lastBlockNode;
    VIR_CORE_UNLOCKED;

    if (!qemuPlugIsHotpluggable(dev, ctx, error) || !qemuPlugClaim(guest, dev, ctx, error) ||
        !virDeviceQemuOf(dev)->build(dev, ctx, plan, error) || !qemuPlugCheckPlan(plan, error)) {
        guest->lastBlockNode = node; /* QEMU has not heard of them */
        return false;
    }
    *retAccess = qemuPlugAccessOf(dev, ctx);
    return true;
}

/* Devices of the host that the plan is about become the guest's. Lock held, given up. */
static bool
qemuPlugTake(qemuGuest *guest, const qmpPlan *plan, GError **error)
{
    qemuTune tune;
    VIR_CORE_UNLOCKED;

    qemuTuneInit(&tune, guest, VIR_DELEGATE_PHASE_HOTPLUG);
    return qemuHostPCITake(guest, &tune.call, plan, error);
}

/* One device into QEMU; its document is in guest->made already. *retStuck: it could not be taken
 * out again when a step failed, so it is there. */
static bool
qemuPlugIn(qemuGuest *guest, virDevice *dev, const qemuBuildContext *ctx, bool *retStuck,
           GError **error)
{
    g_autoptr(qmpPlan) plan = qmpPlanNew(guest->caps);
    g_autoptr(virHostAccess) access = NULL;
    g_auto(qemuPlanRun) run = {0};

    *retStuck = false;
    /* What is refused is refused before a limit is changed for it. */
    if (!qemuPlugPlan(guest, dev, ctx, plan, &access, error))
        return false;
    if (!qemuPlugTake(guest, plan, error) || !qemuMemlockAdjust(guest, guest->made, error) ||
        !qemuPlugAccessOpen(guest, access, dev->info.alias, error)) {
        qemuPlugAccessClose(guest, dev->info.alias, NULL);
        return false;
    }
    qemuPlanRunInit(&run, guest, plan);
    if (qemuPlanRunAll(&run, error))
        return true;
    qemuMemlockExplain(guest, guest->made, error);
    *retStuck = !qemuPlanRunBack(&run, QEMU_BACK_ALL);
    if (!*retStuck)
        qemuPlugAccessClose(guest, dev->info.alias, NULL);
    return false;
}

/* Takes a device that was just plugged in out again. False if the guest holds on to it. */
static bool
qemuPlugUndo(qemuGuest *guest, const virDevice *dev, const qemuBuildContext *ctx)
{
    g_autoptr(qmpPlan) plan = qmpPlanNew(guest->caps);
    g_auto(qemuPlanRun) run = {0};

    if (!virDeviceQemuOf(dev)->build(dev, ctx, plan, NULL))
        return false;
    qemuPlanRunInit(&run, guest, plan);
    run.done = qmpPlanLength(plan);
    if (!qemuPlanRunBack(&run, QEMU_BACK_ALL))
        return false;
    qemuPlugAccessClose(guest, dev->info.alias, NULL);
    return true;
}

/* The last of them is not in QEMU: nor in the document. */
static void
qemuPlugDropLast(qemuGuest *guest, GPtrArray *fresh)
{
    virDevice *dev = g_ptr_array_steal_index(fresh, fresh->len - 1);

    virDomainDefTakeDevice(guest->made, dev);
    virDeviceFree(dev);
}

/* Takes those out of guest->made and fresh that could not be plugged in. What was, and the guest
 * doesn't let go again, stays until it does. */
static bool
qemuPlugEach(qemuGuest *guest, GPtrArray *fresh, const qemuBuildContext *ctx, GError **error)
{
    for (guint i = 0; i < fresh->len; i++) {
        virDevice *dev = g_ptr_array_index(fresh, i);
        bool stuck;

        guest->change->at = i;
        if (qemuPlugIn(guest, dev, ctx, &stuck, error))
            continue;
        while (fresh->len > (stuck ? i + 1 : i))
            qemuPlugDropLast(guest, fresh);
        while (!stuck && fresh->len > 0 && qemuPlugUndo(guest, fresh->pdata[fresh->len - 1], ctx))
            qemuPlugDropLast(guest, fresh);
        return false;
    }
    return true;
}

/* The same; the limit of locked memory is what those need that stay. */
static bool
qemuPlugAll(qemuGuest *guest, GPtrArray *fresh, const qemuBuildContext *ctx, GError **error)
{
    if (qemuPlugEach(guest, fresh, ctx, error))
        return true;
    (void)qemuMemlockAdjust(guest, guest->made, NULL); /* the error in hand says more */
    return false;
}

void
qemuPlugEmit(virDomainObj *obj, virDomainEventType type, const char *alias)
{
    virDomainEvent event = {
        .type = type, .name = obj->name, .uuid = obj->uuid, .id = obj->id, .alias = alias};

    qemuDriverEmit(qemuGuestOf(obj)->driver, &event);
}

/* The terminals of ptys that were plugged in, and the like: good to know, but the device is there
 * without it. Lock held, given up. */
static void
qemuPlugLearn(qemuGuest *guest, const GPtrArray *fresh)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(qmpRequest) request = NULL;
    g_autoptr(virJSON) reply = NULL;

    request = qmpClientSend(guest->monitor, "query-chardev", NULL);
    if (!qmpRequestWait(request, guest->driver->config.monitorTimeout_ms, &reply, &error)) {
        VIR_WARN("domain '%s': %s", guest->obj->name, error->message);
        return;
    }
    for (guint i = 0; i < fresh->len; i++) {
        virDevice *dev = g_ptr_array_index(fresh, i);

        if (virDeviceQemuOf(dev)->learn)
            virDeviceQemuOf(dev)->learn(dev, "chardev-add", reply);
    }
}

/* Lock held, given up. */
static void
qemuPlugLearnIfAny(qemuGuest *guest, const GPtrArray *fresh)
{
    for (guint i = 0; i < fresh->len; i++) {
        if (virDeviceQemuOf(g_ptr_array_index(fresh, i))->learn) {
            qemuPlugLearn(guest, fresh);
            return;
        }
    }
}

/* Publishes what has become of the document, whatever has become of the change. */
static bool
qemuPlugPublish(qemuGuest *guest, GError **error)
{
    virDomainDef *def = g_steal_pointer(&guest->made);

    guest->change = NULL;
    return qemuDriverSetLive(guest->driver, guest->obj, def, error);
}

bool
qemuGuestAttach(virDomainObj *obj, virDevice *dev, GError **error)
{
    qemuGuest *guest = qemuGuestOf(obj);
    g_autoptr(virDomainDoc) running = virDomainDocRef(obj->live);
    g_autoptr(virDomainDef) def = virDomainDefCopy(virDomainDocDef(running));
    g_autoptr(GPtrArray) fresh = NULL;
    g_autoptr(GPtrArray) aliases = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) failure = NULL;
    g_auto(qemuBuild) build = {0};
    qemuChange change = {.type = QEMU_CHANGE_ATTACH};
    bool ok;

    {
        VIR_CORE_UNLOCKED;

        ok = qemuPrepareDevice(def, dev, guest->caps, &fresh, error);
    }
    if (!ok)
        return false;
    qemuBuildInit(&build, guest->driver, def, guest->caps, guest->stateDir, guest->channelDir);
    build.base.hotplug = true;
    for (guint i = 0; i < fresh->len; i++)
        g_ptr_array_add(aliases, g_strdup(((virDevice *)fresh->pdata[i])->info.alias));
    change.devices = fresh;
    guest->made = g_steal_pointer(&def);
    guest->change = &change;
    ok = qemuPlugAll(guest, fresh, &build.base, error);
    if (ok)
        qemuPlugLearnIfAny(guest, fresh);
    if (!qemuPlugPublish(guest, &failure)) {
        if (ok)
            g_propagate_error(error, g_steal_pointer(&failure));
        else
            VIR_WARN("domain '%s': %s", obj->name, failure->message);
        return false;
    }
    for (guint i = 0; ok && i < aliases->len; i++)
        qemuPlugEmit(obj, VIR_DOMAIN_EVENT_DEVICE_ADDED, g_ptr_array_index(aliases, i));
    return ok;
}

/* --- detach --- */

void
qemuGuestForgetDevice(virDomainObj *obj, const char *alias)
{
    qemuGuest *guest = qemuGuestOf(obj);
    g_autoptr(virDomainDef) def = virDomainDefCopy(virDomainDocDef(obj->live));
    g_autofree char *name = g_strdup(alias);
    virDevice *dev = virDomainDefDeviceByAlias(def, name);
    g_autoptr(qmpPlan) plan = qmpPlanNew(guest->caps);
    g_auto(qemuBuild) build = {0};
    g_auto(qemuPlanRun) run = {0};
    g_autoptr(GError) error = NULL;

    g_hash_table_remove(guest->deleted, name);
    if (!dev)
        return;
    qemuBuildInit(&build, guest->driver, def, guest->caps, guest->stateDir, guest->channelDir);
    build.base.hotplug = build.base.unplug = true;
    if (virDeviceQemuOf(dev)->build(dev, &build.base, plan, &error)) {
        qemuPlanRunInit(&run, guest, plan);
        run.done = qmpPlanLength(plan);
        (void)qemuPlanRunBack(&run, QEMU_BACK_NO_FRONT_END | QEMU_BACK_QUIET);
    } else {
        VIR_WARN("domain '%s': %s", obj->name, error->message);
        g_clear_error(&error);
    }
    virDomainDefTakeDevice(def, dev);
    virDeviceFree(dev);
    if (!qemuMemlockAdjust(guest, def, &error)) {
        VIR_WARN("domain '%s': %s", obj->name, error->message);
        g_clear_error(&error);
    }
    virDomainDocUnref(obj->live);
    obj->live = virDomainDocNew(g_steal_pointer(&def));
    qemuPlugAccessClose(guest, name, NULL);
    if (!qemuGuestSaveStatus(guest, &error))
        VIR_WARN("domain '%s': %s", obj->name, error->message);
    qemuPlugEmit(obj, VIR_DOMAIN_EVENT_DEVICE_REMOVED, name);
}

bool
qemuPlugWaitGone(qemuGuest *guest, const char *alias, bool *retRefused)
{
    gint64 deadline = g_get_monotonic_time() + QEMU_UNPLUG_WAIT_MS * G_TIME_SPAN_MILLISECOND;

    *retRefused = false;
    while (!guest->gone && !g_hash_table_contains(guest->deleted, alias)) {
        if (g_hash_table_remove(guest->unplugFailed, alias)) {
            *retRefused = true;
            return false;
        }
        if (!virCoreWait(&guest->changed, deadline))
            return g_hash_table_contains(guest->deleted, alias);
    }
    return !guest->gone;
}

/* Gone at once if the plan has no front end (a back end alone). */
static bool
qemuPlugHasFrontEnd(const qmpPlan *plan)
{
    for (size_t i = 0; i < qmpPlanLength(plan); i++) {
        if (qmpPlanStep(plan, i)->type == QMP_STEP_DEVICE)
            return true;
    }
    return false;
}

bool
qemuGuestDetach(virDomainObj *obj, const virDevice *dev, GError **error)
{
    qemuGuest *guest = qemuGuestOf(obj);
    g_autofree char *alias = g_strdup(dev->info.alias);
    g_autoptr(virDomainDoc) live = virDomainDocRef(obj->live);
    g_autoptr(qmpPlan) plan = qmpPlanNew(guest->caps);
    g_auto(qemuBuild) build = {0};
    virJSON *arguments;
    bool refused = false;
    bool gone = true;

    qemuBuildInit(&build, guest->driver, virDomainDocDef(live), guest->caps, guest->stateDir,
                  guest->channelDir);
    build.base.hotplug = build.base.unplug = true;
    if (!qemuPlugIsHotpluggable(dev, &build.base, error) ||
        !virDeviceQemuOf(dev)->build(dev, &build.base, plan, error))
        return false;
    if (qemuPlugHasFrontEnd(plan)) {
        g_hash_table_remove(guest->unplugFailed, alias);
        g_hash_table_add(guest->awaited, alias);
        arguments = virJSONObject();
        virJSONAddString(arguments, "id", alias);
        if (!qemuGuestCommand(obj, "device_del", arguments, NULL, error)) {
            if (qemuGuestOf(obj) == guest)
                g_hash_table_remove(guest->awaited, alias);
            return false;
        }
        gone = qemuPlugWaitGone(guest, alias, &refused);
        g_hash_table_remove(guest->awaited, alias);
    }
    if (refused)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, "%s",
                           _("unplug of device was rejected by the guest"));
    if (gone)
        qemuGuestForgetDevice(obj, alias);
    return true; /* else it goes when the guest lets go, and an event says so */
}

/* --- update --- */

/* What the request leaves open is as it was. */
static void
qemuPlugInherit(virDevice *wanted, const virDevice *old)
{
    const virDeviceQemu *qemu = virDeviceQemuOf(old);

    g_free(wanted->info.alias);
    wanted->info.alias = g_strdup(old->info.alias);
    if (wanted->info.address.type == VIR_ADDRESS_NONE)
        wanted->info.address = old->info.address;
    if (qemu->inherit)
        qemu->inherit(wanted, old);
}

/* The plan that leads from old to wanted, and what both need of the host. */
static bool
qemuPlugUpdatePlan(qemuGuest *guest, const virDevice *old, virDevice *wanted,
                   const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    unsigned node = guest->lastBlockNode;
    VIR_CORE_UNLOCKED;

    if (qemuPlugClaim(guest, wanted, ctx, error) &&
        virDeviceQemuOf(old)->update(old, wanted, ctx, plan, error))
        return true;
    guest->lastBlockNode = node; /* QEMU has not heard of them */
    return false;
}

/* Forwards; on error back, with nothing left of it. */
static bool
qemuPlugUpdateRun(qemuGuest *guest, const virDevice *old, const virDevice *wanted,
                  const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    g_autoptr(virHostAccess) before = qemuPlugAccessOf(old, ctx);
    g_autoptr(virHostAccess) after = qemuPlugAccessOf(wanted, ctx);
    g_auto(qemuPlanRun) run = {0};

    if (!qemuPlugAccessOpen(guest, after, old->info.alias, error))
        return false;
    qemuPlanRunInit(&run, guest, plan);
    if (qemuPlanRunAll(&run, error))
        return true;
    (void)qemuPlanRunBack(&run, QEMU_BACK_ALL); /* an update moves no front end */
    qemuPlugAccessClose(guest, old->info.alias, before);
    return false;
}

/* The document says the new device; what only the old one needed goes back. */
static bool
qemuPlugUpdateFinish(qemuGuest *guest, virDomainDef *def, const virDevice *dev,
                     const qemuBuildContext *ctx, GError **error)
{
    g_autoptr(virHostAccess) keep = qemuPlugAccessOf(dev, ctx);
    g_autofree char *alias = g_strdup(dev->info.alias);

    if (!qemuDriverSetLive(guest->driver, guest->obj, def, error))
        return false;
    qemuPlugAccessClose(guest, alias, keep);
    return qemuGuestSaveStatus(guest, error);
}

/* old becomes wanted, in QEMU and in def, the private copy of the live document. */
static bool
qemuPlugUpdate(qemuGuest *guest, virDomainDef *def, guint place, virDevice **wanted, bool force,
               GError **error)
{
    g_autoptr(virDomainDef) mine = def;
    virDevice *dev = *wanted; /* stays the caller's on error */
    virDevice *old = g_ptr_array_index(def->devices, place);
    g_autoptr(qmpPlan) plan = qmpPlanNew(guest->caps);
    g_autoptr(GPtrArray) devices = g_ptr_array_new();
    qemuChange change = {
        .type = QEMU_CHANGE_UPDATE, .devices = devices, .at = place, .force = force};
    g_auto(qemuBuild) build = {0};
    bool ok;

    qemuBuildInit(&build, guest->driver, def, guest->caps, guest->stateDir, guest->channelDir);
    build.base.hotplug = true;
    build.base.force = force;
    if (!qemuPlugUpdatePlan(guest, old, dev, &build.base, plan, error))
        return false;
    g_ptr_array_add(devices, dev);
    guest->change = &change;
    ok = qemuPlugUpdateRun(guest, old, dev, &build.base, plan, error);
    guest->change = NULL;
    if (!ok) {
        (void)qemuGuestSaveStatus(guest, NULL); /* the error in hand says more */
        return false;
    }
    virDomainDefReplaceDevice(def, old, g_steal_pointer(wanted));
    return qemuPlugUpdateFinish(guest, g_steal_pointer(&mine), dev, &build.base, error);
}

bool
qemuGuestUpdate(virDomainObj *obj, virDevice *wanted, bool force, GError **error)
{
    qemuGuest *guest = qemuGuestOf(obj);
    g_autoptr(virDevice) mine = wanted;
    g_autoptr(virDomainDoc) live = virDomainDocRef(obj->live);
    g_autoptr(virDomainDef) def = virDomainDefCopy(virDomainDocDef(live));
    virDevice *old;
    guint place;

    {
        VIR_CORE_UNLOCKED;

        old = qemuPrepareUpdate(def, mine, guest->caps, /* live: */ true, error);
    }
    if (!old)
        return false;
    qemuPlugInherit(mine, old);
    g_ptr_array_find(def->devices, old, &place);
    return qemuPlugUpdate(guest, g_steal_pointer(&def), place, &mine, force, error);
}
