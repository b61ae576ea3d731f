/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * planrun.c: see planrun.h. */
#include "qemu/planrun.h"

#include <inttypes.h>
#include <string.h>

#include "qemu/hotplug.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virlog.h"

void
qemuPlanRunInit(qemuPlanRun *run, qemuGuest *guest, qmpPlan *plan)
{
    *run = (qemuPlanRun){.guest = guest, .plan = plan, .resources = guest->resources->len};
    run->fds = qemuHostFdsNew();
    run->sets = g_array_new(FALSE, FALSE, sizeof(qemuPlanRunSet));
    run->call = (virDelegateCall){.domain = guest->obj->name, .phase = VIR_DELEGATE_PHASE_HOTPLUG};
    memcpy(run->call.uuid, guest->obj->uuid, sizeof(run->call.uuid));
    run->number = ++guest->plugCount;
}

void
qemuPlanRunInitAgain(qemuPlanRun *run, qemuGuest *guest, qmpPlan *plan, int number, size_t done)
{
    guest->plugCount = MAX(guest->plugCount, number); /* names of descriptors stay apart */
    qemuPlanRunInit(run, guest, plan);
    run->number = number;
    run->done = MIN(done, qmpPlanLength(plan));
}

void
qemuPlanRunClear(qemuPlanRun *run)
{
    g_clear_pointer(&run->fds, qemuHostFdsFree);
    g_clear_pointer(&run->sets, g_array_unref);
}

/* --- descriptors: handed over under a name before the command that uses it --- */

static char *
qemuPlanRunFdName(unsigned host, unsigned n, void *opaque)
{
    const qemuPlanRun *run = opaque;

    for (guint i = 0; i < run->sets->len; i++) {
        const qemuPlanRunSet *at = &g_array_index(run->sets, qemuPlanRunSet, i);

        if (at->host == host && at->n == n)
            return g_strdup_printf("/dev/fdset/%" PRId64, at->set);
    }
    return g_strdup_printf("fd-%d-%u-%u", run->number, host, n);
}

/* QEMU names the set: those of the command line have taken the first numbers. */
static bool
qemuPlanRunLearnSet(qemuPlanRun *run, unsigned host, unsigned n, virJSON *reply, GError **error)
{
    qemuPlanRunSet set = {.host = host, .n = n};

    if (!virJSONGetInt(reply, "fdset-id", &set.set))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("%s reply data was missing '%s'"),
                           "add-fd", "fdset-id");
    g_array_append_val(run->sets, set);
    return true;
}

static bool
qemuPlanRunSendFds(qemuPlanRun *run, unsigned host, const qmpHostStep *step, GError **error)
{
    for (unsigned n = 0; qemuHostFdsGet(run->fds, host, n) >= 0; n++) {
        g_autofree char *name = qemuPlanRunFdName(host, n, run);
        virJSON *arguments = virJSONObject();
        int fd = dup(qemuHostFdsGet(run->fds, host, n));
        g_autoptr(qmpRequest) request = NULL;
        g_autoptr(virJSON) reply = NULL;

        if (!step->pass)
            virJSONAddString(arguments, "fdname", name);
        else if (step->tellPath)
            virJSONAddString(arguments, "opaque", step->path);
        request = qmpClientSendFull(run->guest->monitor, step->pass ? "add-fd" : "getfd", arguments,
                                    fd, 0);
        if (!qmpRequestWait(request, run->guest->driver->config.monitorTimeout_ms, &reply, error) ||
            (step->pass && !qemuPlanRunLearnSet(run, host, n, reply, error)))
            return false;
    }
    return true;
}

/* Who was told the name has a descriptor of its own by now; the set's would stay open for ever. */
static void
qemuPlanRunDropSets(qemuPlanRun *run)
{
    for (guint i = 0; i < run->sets->len && run->guest->monitor; i++) {
        virJSON *arguments = virJSONObject();
        g_autoptr(GError) error = NULL;
        g_autoptr(qmpRequest) request = NULL;

        virJSONAddInt(arguments, "fdset-id", g_array_index(run->sets, qemuPlanRunSet, i).set);
        request = qmpClientSend(run->guest->monitor, "remove-fd", arguments);
        if (!qmpRequestWait(request, run->guest->driver->config.monitorTimeout_ms, NULL, &error))
            VIR_WARN("domain '%s': %s", run->guest->obj->name, error->message);
    }
    g_array_set_size(run->sets, 0);
}

static bool
qemuPlanRunHost(qemuPlanRun *run, unsigned host, const qmpHostStep *step, GError **error)
{
    bool ok;

    {
        VIR_CORE_UNLOCKED;

        ok = qemuHostStepRun(run->guest, &run->call, host, step, run->fds, error);
    }
    return ok && qemuPlanRunSendFds(run, host, step, error);
}

/* --- forwards --- */

static bool
qemuPlanRunStep(qemuPlanRun *run, const qmpStep *step, unsigned *host, GError **error)
{
    const char *command = qmpPlanStepCommand(step);
    g_autoptr(qmpRequest) request = NULL;

    if (step->type == QMP_STEP_HOST)
        return qemuPlanRunHost(run, (*host)++, step->host, error);
    if (!command)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("'%s' can only be given when the guest starts"),
                           step->option ? step->option : "");
    if (!run->guest->monitor || !qmpClientIsOpen(run->guest->monitor))
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, "%s", _("domain is no longer running"));
    request = qmpClientSendFull(run->guest->monitor, command,
                                qmpPlanStepArguments(step, qemuPlanRunFdName, run), -1,
                                step->secret ? QMP_SEND_SECRET : 0);
    return qmpRequestWait(request, run->guest->driver->config.monitorTimeout_ms, NULL, error);
}

/* --- forwards, all of it --- */

/* Says in the status file what is about to be done, and what it will make. */
static bool
qemuPlanRunRecord(qemuPlanRun *run, const qmpStep *step, GError **error)
{
    qemuGuest *guest = run->guest;

    if (step->type == QMP_STEP_HOST && step->host->type == QMP_HOST_LISTEN)
        g_ptr_array_add(guest->resources,
                        qemuResourceNew(QEMU_RESOURCE_FILE, step->host->path, step->host->alias));
    if (!guest->change)
        return true;
    guest->change->step = run->done;
    guest->change->number = run->number;
    return qemuGuestSaveStatus(guest, error);
}

static bool
qemuPlanRunFault(GError **error)
{
    VIR_CORE_UNLOCKED;

    return VIR_FAULT_STEP("plug:step", error);
}

/* What failed may have been done in part (the second of two descriptors), or too late. */
static bool
qemuPlanRunMayBeDone(const qemuPlanRun *run, const GError *error)
{
    return run->done < qmpPlanLength(run->plan) &&
           (qmpPlanStep(run->plan, run->done)->type == QMP_STEP_HOST ||
            g_error_matches(error, VIR_ERROR, VIR_ERR_OPERATION_TIMEOUT));
}

bool
qemuPlanRunAll(qemuPlanRun *run, GError **error)
{
    g_autoptr(GError) mine = NULL;
    unsigned host = 0;
    bool ok = true;

    for (size_t i = 0; i < run->done; i++)
        host += qmpPlanStep(run->plan, i)->type == QMP_STEP_HOST;
    for (; ok && run->done < qmpPlanLength(run->plan); run->done += ok) {
        const qmpStep *step = qmpPlanStep(run->plan, run->done);

        ok = qemuPlanRunRecord(run, step, &mine) && qemuPlanRunFault(&mine) &&
             qemuPlanRunStep(run, step, &host, &mine);
    }
    qemuPlanRunDropSets(run);
    if (ok)
        return true;
    run->done += qemuPlanRunMayBeDone(run, mine);
    g_propagate_error(error, g_steal_pointer(&mine));
    return false;
}

/* --- backwards --- */

static void
qemuPlanRunUndoBridge(qemuPlanRun *run, const qmpHostStep *step)
{
    g_autoptr(GError) error = NULL;
    VIR_CORE_UNLOCKED;

    if (step->undoBridge && !virDelegateNetAttach(run->guest->driver->door, &run->call,
                                                  step->ifname, step->undoBridge, &error))
        VIR_WARN("domain '%s': %s", run->call.domain, error->message);
}

/* A descriptor that no command has taken lies in QEMU under its name. */
static void
qemuPlanRunCloseFds(qemuPlanRun *run, unsigned host, const qmpHostStep *step)
{
    for (unsigned n = 0; !step->pass && n < step->fds; n++) {
        g_autofree char *name = qemuPlanRunFdName(host, n, run);
        virJSON *arguments = virJSONObject();
        g_autoptr(qmpRequest) request = NULL;

        virJSONAddString(arguments, "fdname", name);
        request = qmpClientSend(run->guest->monitor, "closefd", arguments);
        /* most have been taken: then there is no such name */
        (void)qmpRequestWait(request, run->guest->driver->config.monitorTimeout_ms, NULL, NULL);
    }
}

static void
qemuPlanRunUndoHost(qemuPlanRun *run, unsigned host, const qmpHostStep *step)
{
    if (step->type == QMP_HOST_BRIDGE)
        qemuPlanRunUndoBridge(run, step);
    else if (run->guest->monitor && qmpClientIsOpen(run->guest->monitor))
        qemuPlanRunCloseFds(run, host, step);
}

/* True if QEMU did it. */
static bool
qemuPlanRunUndoStep(qemuPlanRun *run, const qmpStep *step, unsigned flags)
{
    virJSON *arguments = NULL;
    const char *command = qmpPlanStepUndo(step, &arguments);
    g_autoptr(GError) error = NULL;
    g_autoptr(qmpRequest) request = NULL;

    if (!command || !run->guest->monitor || !qmpClientIsOpen(run->guest->monitor)) {
        virJSONUnref(arguments); /* nothing to undo, or QEMU is gone with all it had */
        return false;
    }
    request = qmpClientSendFull(run->guest->monitor, command, arguments, -1,
                                step->secret ? QMP_SEND_SECRET : 0);
    if (qmpRequestWait(request, run->guest->driver->config.monitorTimeout_ms, NULL, &error))
        return true;
    if (!(flags & QEMU_BACK_QUIET))
        VIR_WARN("domain '%s': undoing a step: %s", run->guest->obj->name, error->message);
    return false;
}

/* What stands on it can go only after it, and that is the guest's to say. */
static bool
qemuPlanRunUndoFrontEnd(qemuPlanRun *run, const qmpStep *step, unsigned flags)
{
    qemuGuest *guest = run->guest;
    const char *alias = qmpPlanStepId(step);
    bool refused;
    bool gone;

    if ((flags & QEMU_BACK_NO_FRONT_END) || !alias)
        return true;
    g_hash_table_add(guest->awaited, (char *)alias);
    gone = !qemuPlanRunUndoStep(run, step, flags) || qemuPlugWaitGone(guest, alias, &refused);
    g_hash_table_remove(guest->awaited, alias);
    if (gone)
        g_hash_table_remove(guest->deleted, alias);
    return gone;
}

/* Resources of the host that this run put on the list. */
static void
qemuPlanRunReleaseResources(qemuPlanRun *run)
{
    qemuGuest *guest = run->guest;

    while (guest->resources->len > run->resources) {
        g_autoptr(GPtrArray) last =
            g_ptr_array_new_with_free_func((GDestroyNotify)qemuResourceFree);
        qemuResource *resource =
            g_ptr_array_steal_index(guest->resources, guest->resources->len - 1);

        g_ptr_array_add(last, resource);
        if (resource->type == QEMU_RESOURCE_PORT) {
            qemuPortRelease(guest->driver, resource->number);
        } else {
            VIR_CORE_UNLOCKED;

            qemuResourceRelease(guest->driver, guest->obj, resource);
        }
    }
}

bool
qemuPlanRunBack(qemuPlanRun *run, unsigned flags)
{
    unsigned host = 0;

    for (size_t i = 0; i < run->done; i++)
        host += qmpPlanStep(run->plan, i)->type == QMP_STEP_HOST;
    for (; run->done > 0; run->done--) {
        const qmpStep *step = qmpPlanStep(run->plan, run->done - 1);

        if (step->type == QMP_STEP_HOST)
            qemuPlanRunUndoHost(run, --host, step->host);
        else if (step->type != QMP_STEP_DEVICE)
            (void)qemuPlanRunUndoStep(run, step, flags);
        else if (!qemuPlanRunUndoFrontEnd(run, step, flags))
            return false;
    }
    qemuPlanRunReleaseResources(run);
    return true;
}
