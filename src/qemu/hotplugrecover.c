/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hotplugrecover.c: the guest's devices after a restart of the daemon.
 *
 * QEMU's own list decides. A device whose front end is there is whole: what may be missing of its
 * plan comes behind the front end and is said again. One whose front end is not there is gone: the
 * rest of its plan goes backwards. An update is undone from the step at which it was cut off. */
#include <string.h>

#include "qemu/hotplug.h"
#include "qemu/planrun.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virlog.h"

/* The guest as it is found; freed by its owner. */
typedef struct {
    qemuGuest *guest;
    qemuChange *change;    /* that was cut off, or NULL; the file on disk still has it */
    virDomainDef *def;     /* the live document to be */
    GHashTable *frontEnds; /* ids that QEMU has */
    qemuBuild build;
} qemuRecovery;

void
qemuChangeTouches(const qemuChange *change, const qemuBuildContext *ctx, virHostAccess *out)
{
    for (guint i = 0; change && i < change->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(change->devices, i);
        const virDeviceQemu *qemu = virDeviceQemuOf(dev);

        if (qemu && qemu->touches)
            qemu->touches(dev, ctx, out);
    }
}

static GHashTable *
qemuRecoverFrontEnds(qemuGuest *guest, GError **error)
{
    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    virJSON *arguments = virJSONObject();
    g_autoptr(qmpRequest) request = NULL;
    g_autoptr(virJSON) reply = NULL;

    virJSONAddString(arguments, "path", "/machine/peripheral");
    request = qmpClientSend(guest->monitor, "qom-list", arguments);
    if (!qmpRequestWait(request, guest->driver->config.monitorTimeout_ms, &reply, error))
        return NULL;
    for (size_t i = 0; i < virJSONLength(reply); i++) {
        const char *name = virJSONGetString(virJSONAt(reply, i), "name");

        if (name)
            g_hash_table_add(ids, g_strdup(name));
    }
    return g_steal_pointer(&ids);
}

/* The plan's front end is the one that bears the device's alias; 0: it has none. */
static size_t
qemuRecoverFrontEndAt(const qmpPlan *plan, const char *alias)
{
    for (size_t i = 0; i < qmpPlanLength(plan); i++) {
        const qmpStep *step = qmpPlanStep(plan, i);

        if (step->type == QMP_STEP_DEVICE && g_strcmp0(qmpPlanStepId(step), alias) == 0)
            return i + 1;
    }
    return 0;
}

/* --- an attach that was cut off --- */

/* False: it is gone. */
static bool
qemuRecoverAttached(qemuRecovery *recovery, const virDevice *dev, unsigned index)
{
    const qemuChange *change = recovery->change;
    const char *alias = dev->info.alias;
    g_autoptr(qmpPlan) plan = qmpPlanNew(recovery->guest->caps);
    g_autoptr(GError) error = NULL;
    g_auto(qemuPlanRun) run = {0};
    size_t front;

    if (!virDeviceQemuOf(dev)->build(dev, &recovery->build.base, plan, &error)) {
        VIR_WARN("domain '%s': %s", recovery->guest->obj->name, error->message);
        return false;
    }
    front = qemuRecoverFrontEndAt(plan, alias);
    if (front && g_hash_table_contains(recovery->frontEnds, alias)) {
        qemuPlanRunInitAgain(&run, recovery->guest, plan, change->number,
                             index == change->at ? front : qmpPlanLength(plan));
        if (!qemuPlanRunAll(&run, &error))
            VIR_WARN("domain '%s': device '%s': %s", recovery->guest->obj->name, alias,
                     error->message);
        return true;
    }
    qemuPlanRunInitAgain(&run, recovery->guest, plan, change->number,
                         index == change->at ? change->step + 1 : qmpPlanLength(plan));
    (void)qemuPlanRunBack(&run, QEMU_BACK_NO_FRONT_END | QEMU_BACK_QUIET);
    return false;
}

static void
qemuRecoverAttach(qemuRecovery *recovery)
{
    qemuChange *change = recovery->change;
    g_autoptr(GPtrArray) devices = g_ptr_array_new();

    /* all of them stand in the document while plans are made of them */
    while (change->devices->len > 0) {
        virDevice *dev = g_ptr_array_steal_index(change->devices, 0);

        g_ptr_array_add(devices, dev);
        virDomainDefAddDevice(recovery->def, dev);
    }
    for (guint i = devices->len; i-- > 0;) {
        virDevice *dev = g_ptr_array_index(devices, i);

        if (i <= change->at && qemuRecoverAttached(recovery, dev, i))
            continue;
        virDomainDefTakeDevice(recovery->def, dev);
        virDeviceFree(dev);
    }
}

/* --- an update that was cut off --- */

static void
qemuRecoverUpdate(qemuRecovery *recovery)
{
    const qemuChange *change = recovery->change;
    const virDevice *wanted =
        change->devices->len > 0 ? g_ptr_array_index(change->devices, 0) : NULL;
    const virDevice *old = wanted && change->at < recovery->def->devices->len
                               ? g_ptr_array_index(recovery->def->devices, change->at)
                               : NULL;
    g_autoptr(qmpPlan) plan = qmpPlanNew(recovery->guest->caps);
    g_autoptr(GError) error = NULL;
    g_auto(qemuPlanRun) run = {0};

    recovery->build.base.force = true;
    if (!old || old->kind != wanted->kind || !virDeviceQemuOf(old)->update) {
        VIR_WARN("domain '%s': a change of no device cannot be undone", recovery->guest->obj->name);
        return;
    }
    if (!virDeviceQemuOf(old)->update(old, wanted, &recovery->build.base, plan, &error)) {
        VIR_WARN("domain '%s': %s", recovery->guest->obj->name, error->message);
        return;
    }
    qemuPlanRunInitAgain(&run, recovery->guest, plan, change->number, change->step + 1);
    (void)qemuPlanRunBack(&run, QEMU_BACK_QUIET);
}

/* --- what left while nobody listened --- */

static bool
qemuRecoverHasLeft(const qemuRecovery *recovery, const virDevice *dev)
{
    const virDeviceQemu *qemu = virDeviceQemuOf(dev);
    g_autoptr(qmpPlan) plan = qmpPlanNew(recovery->guest->caps);

    return dev->info.alias && qemu && qemu->build &&
           !g_hash_table_contains(recovery->frontEnds, dev->info.alias) &&
           (!qemu->hotpluggable || qemu->hotpluggable(dev, &recovery->build.base, NULL)) &&
           qemu->build(dev, &recovery->build.base, plan, NULL) &&
           qemuRecoverFrontEndAt(plan, dev->info.alias);
}

static GPtrArray *
qemuRecoverGone(qemuRecovery *recovery)
{
    GPtrArray *aliases = g_ptr_array_new_with_free_func(g_free);

    recovery->build.base.unplug = true;
    for (guint i = 0; i < recovery->def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(recovery->def->devices, i);

        if (qemuRecoverHasLeft(recovery, dev))
            g_ptr_array_add(aliases, g_strdup(dev->info.alias));
    }
    return aliases;
}

/* --- what it may use of the host --- */

/* What the alias has beyond what the live document says goes back. */
static void
qemuRecoverAccess(qemuGuest *guest, const char *alias)
{
    const virDomainDef *def = virDomainDocDef(guest->obj->live);
    const virDevice *dev = virDomainDefDeviceByAlias(def, alias);
    g_autoptr(virHostAccess) keep = NULL;
    g_auto(qemuBuild) build = {0};

    qemuBuildInit(&build, guest->driver, def, guest->caps, guest->stateDir, guest->channelDir);
    if (dev)
        keep = qemuPlugAccessOf(dev, &build.base);
    qemuPlugAccessClose(guest, alias, keep);
}

static void
qemuRecoverResources(qemuGuest *guest, GHashTable *aliases)
{
    GHashTableIter iter;
    void *alias;

    for (guint i = 0; i < guest->resources->len; i++) {
        const qemuResource *resource = g_ptr_array_index(guest->resources, i);

        /* ports bear the name of their use */
        if (resource->alias && resource->type != QEMU_RESOURCE_PORT)
            g_hash_table_add(aliases, g_strdup(resource->alias));
    }
    g_hash_table_iter_init(&iter, aliases);
    while (g_hash_table_iter_next(&iter, &alias, NULL))
        qemuRecoverAccess(guest, alias);
}

/* --- the whole --- */

/* Adds the aliases of what the change was about to aliases: the gate was opened for both ends. */
static void
qemuRecoverChange(qemuRecovery *recovery, GHashTable *aliases)
{
    qemuChange *change = recovery->change;

    if (!change)
        return;
    for (guint i = 0; i < change->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(change->devices, i);

        if (dev->info.alias)
            g_hash_table_add(aliases, g_strdup(dev->info.alias));
    }
    if (change->type == QEMU_CHANGE_ATTACH)
        qemuRecoverAttach(recovery);
    else
        qemuRecoverUpdate(recovery);
}

void
qemuPlugRecover(virDomainObj *obj)
{
    qemuGuest *guest = qemuGuestOf(obj);
    qemuRecovery recovery = {.guest = guest, .def = virDomainDefCopy(virDomainDocDef(obj->live))};
    g_autoptr(GHashTable) aliases = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) gone = NULL;
    g_autoptr(GError) error = NULL;

    recovery.frontEnds = qemuRecoverFrontEnds(guest, &error);
    if (!recovery.frontEnds) {
        VIR_WARN("domain '%s': its devices: %s", obj->name, error->message);
        virDomainDefFree(recovery.def);
        return; /* the change stays in the status file, for another day */
    }
    recovery.change = g_steal_pointer(&guest->change);
    qemuBuildInit(&recovery.build, guest->driver, recovery.def, guest->caps, guest->stateDir,
                  guest->channelDir);
    recovery.build.base.hotplug = true;
    qemuRecoverChange(&recovery, aliases);
    gone = qemuRecoverGone(&recovery);
    virDomainDocUnref(obj->live);
    obj->live = virDomainDocNew(recovery.def);
    for (guint i = 0; i < gone->len; i++)
        qemuGuestForgetDevice(obj, g_ptr_array_index(gone, i));
    qemuRecoverResources(guest, aliases);
    if (!qemuGuestSaveStatus(guest, &error))
        VIR_WARN("domain '%s': %s", obj->name, error->message);
    qemuChangeFree(recovery.change);
    qemuBuildClear(&recovery.build);
    g_hash_table_unref(recovery.frontEnds);
}
