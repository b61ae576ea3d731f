/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hotplug.c: devices that come, go and change while the guest runs, all by their plan.
 *
 * Attach: rules and owners first, then the plan forwards. Detach: the front end is asked to go;
 * when QEMU says it is gone, the rest of the plan backwards, then owners and rules. Nothing here
 * knows a kind of device. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "device/controller/controller.h"
#include "domain/addresses.h"
#include "qemu/buildctx.h"
#include "qemu/gateowners.h"
#include "qemu/gaterules.h"
#include "qemu/planrun.h"
#include "qemu/prepare.h"
#include "qemu/privatedev.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virlog.h"

enum { QEMU_UNPLUG_WAIT_MS = 5000 }; /* for the guest to let a device go */

static void
qemuPlugCall(const virDomainObj *obj, virDelegateCall *call)
{
    *call = (virDelegateCall){.domain = obj->name, .phase = VIR_DELEGATE_PHASE_HOTPLUG};
    memcpy(call->uuid, obj->uuid, sizeof(call->uuid));
}

/* --- rules of the gate, owners of files --- */

static bool
qemuPlugGiveFile(qemuGuest *guest, const virDelegateCall *call, const virHostResource *file,
                 GError **error)
{
    virDelegateOwner wanted = {guest->driver->uid, guest->driver->gid, VIR_DELEGATE_KEEP_MODE};
    qemuResource *resource;
    struct stat st;
    VIR_AUTOCLOSE fd = open(file->path, O_PATH | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT && file->optional)
        return true;
    if (fd < 0 || fstat(fd, &st) < 0)
        return virErrorErrno(error, _("Cannot access storage file '%s'"), file->path);
    if (guest->driver->uid == VIR_SPAWN_KEEP_ID || !guest->driver->config.dynamicOwnership ||
        !(file->mode & VIR_HOST_WRITE) || st.st_uid == guest->driver->uid)
        return true;
    resource = qemuResourceNew(QEMU_RESOURCE_OWNER, file->path, file->alias);
    resource->uid = st.st_uid;
    resource->gid = st.st_gid;
    g_ptr_array_add(guest->resources, resource);
    return qemuGuestSaveStatus(guest, error) &&
           virDelegateOwnSet(guest->driver->door, call, fd, &wanted, NULL, error);
}

/* Without the lock. */
static bool
qemuPlugOpenGate(qemuGuest *guest, const virDelegateCall *call, const virHostAccess *access,
                 const char *alias, GError **error)
{
    g_autoptr(GArray) rules = qemuGateDeviceRules(access, error);

    if (!rules)
        return false;
    for (guint i = 0; i < access->resources->len; i++) {
        const virHostResource *resource = g_ptr_array_index(access->resources, i);

        if (resource->own && !qemuPlugGiveFile(guest, call, resource, error))
            return false;
    }
    if (!qemuPrivateDevAdd(guest, call, access, error))
        return false;
    if (!guest->gate || rules->len == 0)
        return true;
    if (!virDelegateGateAllow(guest->driver->door, call, guest->gate, alias,
                              (const virDeviceRule *)rules->data, rules->len, error))
        return false;
    qemuGateOwnersSave(guest);
    return true;
}

/* What belongs to the alias: rules, then files and interfaces. Lock held, given up. */
static void
qemuPlugCloseGate(virDomainObj *obj, const char *alias)
{
    qemuGuest *guest = qemuGuestOf(obj);
    virDelegateCall call;
    g_autoptr(GError) error = NULL;

    qemuPlugCall(obj, &call);
    if (guest->gate) {
        VIR_CORE_UNLOCKED;

        if (virDelegateGateDropOwner(guest->driver->door, &call, guest->gate, alias, &error))
            qemuGateOwnersSave(guest);
        else
            VIR_WARN("domain '%s': %s", obj->name, error->message);
    }
    for (guint i = guest->resources->len; i-- > 0;) {
        qemuResource *resource = g_ptr_array_index(guest->resources, i);

        if (g_strcmp0(resource->alias, alias) != 0)
            continue;
        g_ptr_array_steal_index(guest->resources, i);
        if (resource->type == QEMU_RESOURCE_PORT) {
            qemuPortRelease(guest->driver, resource->number);
        } else {
            VIR_CORE_UNLOCKED;

            qemuResourceRelease(guest->driver, obj, resource);
        }
        qemuResourceFree(resource);
    }
}

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

/* One device into QEMU; its document is in guest->made already. Lock held, given up. */
static bool
qemuPlugIn(qemuGuest *guest, virDevice *dev, const qemuBuildContext *ctx, GError **error)
{
    g_autoptr(qmpPlan) plan = qmpPlanNew(guest->caps);
    g_autoptr(virHostAccess) access = virHostAccessNew();
    const virDeviceQemu *qemu = virDeviceQemuOf(dev);
    g_auto(qemuPlanRun) run = {0};
    virDelegateCall call;
    bool ok;

    qemuPlugCall(guest->obj, &call);
    if (!qemuPlugIsHotpluggable(dev, ctx, error) || !qemu->build(dev, ctx, plan, error))
        return false;
    if (qemu->touches)
        qemu->touches(dev, ctx, access);
    {
        VIR_CORE_UNLOCKED;

        ok = qemuPlugOpenGate(guest, &call, access, dev->info.alias, error);
    }
    qemuPlanRunInit(&run, guest, plan);
    if (ok && qemuPlanRunAll(&run, error))
        return true;
    qemuPlugCloseGate(guest->obj, dev->info.alias);
    return false;
}

/* Takes a device that was just plugged in out again. */
static void
qemuPlugUndo(qemuGuest *guest, const virDevice *dev, const qemuBuildContext *ctx)
{
    g_autoptr(qmpPlan) plan = qmpPlanNew(guest->caps);
    g_auto(qemuPlanRun) run = {0};

    if (!virDeviceQemuOf(dev)->build(dev, ctx, plan, NULL))
        return;
    qemuPlanRunInit(&run, guest, plan);
    run.done = qmpPlanLength(plan);
    qemuPlanRunBack(&run, true);
    qemuPlugCloseGate(guest->obj, dev->info.alias);
}

static unsigned
qemuPlugPort(unsigned wanted, const char *alias, void *opaque, GError **error)
{
    return qemuPortTake(((qemuGuest *)opaque)->driver, wanted, error);
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
    qemuClaims claims = {.port = qemuPlugPort, .blockNode = qemuPlugBlockNode, .opaque = guest};
    qemuFinding finding;

    qemuBuildClaimsOfHost(&claims);
    if (qemu && qemu->claim && !qemu->claim(dev, ctx, &claims, error))
        return false;
    if (!qemu || !qemu->discover)
        return true;
    {
        VIR_CORE_UNLOCKED;

        finding = qemu->discover(dev, ctx, &claims, error);
    }
    return finding == QEMU_FOUND ||
           (finding == QEMU_FOUND_NOT &&
            virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("the source of %s '%s' is missing"),
                        dev->kind->noun, dev->info.alias));
}

/* What def has and the running guest has not: the device, after the controllers it implies. */
static GPtrArray *
qemuPlugFresh(const virDomainDef *def, const virDomainDef *running)
{
    GPtrArray *fresh = g_ptr_array_new();

    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->info.alias && virDomainDefDeviceByAlias(running, dev->info.alias))
            continue;
        if (dev->info.alias)
            g_ptr_array_insert(fresh, dev->kind == &virControllerKind ? 0 : -1, dev);
    }
    return fresh;
}

static bool
qemuPlugAll(qemuGuest *guest, const GPtrArray *fresh, const qemuBuildContext *ctx, GError **error)
{
    for (guint i = 0; i < fresh->len; i++) {
        virDevice *dev = g_ptr_array_index(fresh, i);

        if (qemuPlugClaim(guest, dev, ctx, error) && qemuPlugIn(guest, dev, ctx, error))
            continue;
        while (i-- > 0)
            qemuPlugUndo(guest, g_ptr_array_index(fresh, i), ctx);
        return false;
    }
    return true;
}

static void
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
            virDeviceQemuOf(dev)->learn(dev, "query-chardev", reply);
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

bool
qemuGuestAttach(virDomainObj *obj, virDevice *dev, GError **error)
{
    qemuGuest *guest = qemuGuestOf(obj);
    g_autoptr(virDomainDoc) running = virDomainDocRef(obj->live);
    g_autoptr(virDomainDef) def = virDomainDefCopy(virDomainDocDef(running));
    g_autoptr(GPtrArray) fresh = NULL;
    g_autoptr(GPtrArray) aliases = g_ptr_array_new_with_free_func(g_free);
    g_auto(qemuBuild) build = {0};
    bool ok;

    {
        VIR_CORE_UNLOCKED;

        ok = qemuPrepareDevice(def, dev, guest->caps, error);
    }
    if (!ok)
        return false;
    qemuBuildInit(&build, guest->driver, def, guest->caps, guest->stateDir, guest->channelDir);
    build.base.hotplug = true;
    fresh = qemuPlugFresh(def, virDomainDocDef(running));
    guest->made = def;
    ok = qemuPlugAll(guest, fresh, &build.base, error);
    if (ok)
        qemuPlugLearnIfAny(guest, fresh);
    guest->made = NULL;
    if (!ok)
        return false;
    for (guint i = 0; i < fresh->len; i++)
        g_ptr_array_add(aliases, g_strdup(((virDevice *)fresh->pdata[i])->info.alias));
    if (!qemuDriverSetLive(guest->driver, obj, g_steal_pointer(&def), error))
        return false;
    for (guint i = 0; i < aliases->len; i++)
        qemuPlugEmit(obj, VIR_DOMAIN_EVENT_DEVICE_ADDED, g_ptr_array_index(aliases, i));
    return true;
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
    build.base.hotplug = true;
    if (virDeviceQemuOf(dev)->build(dev, &build.base, plan, &error)) {
        qemuPlanRunInit(&run, guest, plan);
        run.done = qmpPlanLength(plan);
        qemuPlanRunBack(&run, false);
    } else {
        VIR_WARN("domain '%s': %s", obj->name, error->message);
        g_clear_error(&error);
    }
    qemuPlugCloseGate(obj, name);
    virDomainDefTakeDevice(def, dev);
    virDeviceFree(dev);
    if (!qemuDriverSetLive(guest->driver, obj, g_steal_pointer(&def), &error))
        VIR_WARN("domain '%s': %s", obj->name, error->message);
    qemuPlugEmit(obj, VIR_DOMAIN_EVENT_DEVICE_REMOVED, name);
}

/* The guest answers a request to let go when it likes. True: gone. */
static bool
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

bool
qemuGuestUpdate(virDomainObj *obj, const virDevice *dev, virDevice *wanted, bool force,
                GError **error)
{
    qemuGuest *guest = qemuGuestOf(obj);
    g_autoptr(virDevice) mine = wanted;
    g_autoptr(virDomainDef) def = virDomainDefCopy(virDomainDocDef(obj->live));
    virDevice *old = virDomainDefDeviceByAlias(def, dev->info.alias);
    const virDeviceQemu *qemu = virDeviceQemuOf(dev);
    g_autoptr(qmpPlan) plan = qmpPlanNew(guest->caps);
    g_autoptr(virHostAccess) access = virHostAccessNew();
    g_auto(qemuBuild) build = {0};
    g_auto(qemuPlanRun) run = {0};
    virDelegateCall call;
    bool ok;

    if (!old || !qemu || !qemu->update)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("live update of device '%s' is not supported"), dev->kind->element);
    g_free(mine->info.alias);
    mine->info.alias = g_strdup(old->info.alias);
    if (mine->info.address.type == VIR_ADDRESS_NONE)
        mine->info.address = old->info.address;
    if (qemu->inherit)
        qemu->inherit(mine, old);
    qemuPlugCall(obj, &call);
    qemuBuildInit(&build, guest->driver, def, guest->caps, guest->stateDir, guest->channelDir);
    build.base.hotplug = true;
    build.base.force = force;
    if (!qemuPlugClaim(guest, mine, &build.base, error) ||
        !qemu->update(old, mine, &build.base, plan, error))
        return false;
    if (qemu->touches)
        qemu->touches(mine, &build.base, access);
    {
        VIR_CORE_UNLOCKED;

        ok = qemuPlugOpenGate(guest, &call, access, mine->info.alias, error);
    }
    qemuPlanRunInit(&run, guest, plan);
    if (!ok || !qemuPlanRunAll(&run, error))
        return false;
    virDomainDefReplaceDevice(def, old, g_steal_pointer(&mine));
    return qemuDriverSetLive(guest->driver, obj, g_steal_pointer(&def), error);
}
