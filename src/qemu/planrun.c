/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * planrun.c: see planrun.h. */
#include "qemu/planrun.h"

#include <inttypes.h>
#include <string.h>

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
    return g_strdup_printf("fd-%d-%u-%u", run->guest->plugCount, host, n);
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

static bool
qemuPlanRunFault(GError **error)
{
    VIR_CORE_UNLOCKED;

    return VIR_FAULT_STEP("plug:step", error);
}

bool
qemuPlanRunAll(qemuPlanRun *run, GError **error)
{
    unsigned host = 0;

    run->guest->plugCount++;
    for (run->done = 0; run->done < qmpPlanLength(run->plan); run->done++) {
        const qmpStep *step = qmpPlanStep(run->plan, run->done);

        if (!qemuPlanRunFault(error) || !qemuPlanRunStep(run, step, &host, error)) {
            /* a host step may have made something before it failed */
            qemuPlanRunBack(run, true);
            qemuPlanRunDropSets(run);
            return false;
        }
    }
    qemuPlanRunDropSets(run);
    return true;
}

/* --- backwards --- */

static void
qemuPlanRunUndoBridge(qemuPlanRun *run, const qmpHostStep *step)
{
    g_autoptr(GError) error = NULL;
    VIR_CORE_UNLOCKED;

    if (step->undoBridge && !virDelegateNetAttach(run->guest->driver->door, &run->call,
                                                  step->ifname, step->undoBridge, &error))
        VIR_WARN("domain '%s': %s", run->guest->obj->name, error->message);
}

static void
qemuPlanRunUndoStep(qemuPlanRun *run, const qmpStep *step)
{
    virJSON *arguments = NULL;
    const char *command = qmpPlanStepUndo(step, &arguments);
    g_autoptr(GError) error = NULL;
    g_autoptr(qmpRequest) request = NULL;

    if (!command || !run->guest->monitor || !qmpClientIsOpen(run->guest->monitor)) {
        virJSONUnref(arguments); /* nothing to undo, or QEMU is gone with all it had */
        return;
    }
    request = qmpClientSend(run->guest->monitor, command, arguments);
    if (!qmpRequestWait(request, run->guest->driver->config.monitorTimeout_ms, NULL, &error))
        VIR_WARN("domain '%s': undoing a step: %s", run->guest->obj->name, error->message);
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

void
qemuPlanRunBack(qemuPlanRun *run, bool frontEnds)
{
    while (run->done > 0) {
        const qmpStep *step = qmpPlanStep(run->plan, --run->done);

        if (step->type == QMP_STEP_HOST && step->host->type == QMP_HOST_BRIDGE)
            qemuPlanRunUndoBridge(run, step->host);
        else if (step->type != QMP_STEP_DEVICE || frontEnds)
            qemuPlanRunUndoStep(run, step);
    }
    qemuPlanRunReleaseResources(run);
}
