/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * planrun.c: see planrun.h. */
#include "qemu/planrun.h"

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
    run->call = (virDelegateCall){.domain = guest->obj->name, .phase = VIR_DELEGATE_PHASE_HOTPLUG};
    memcpy(run->call.uuid, guest->obj->uuid, sizeof(run->call.uuid));
}

void
qemuPlanRunClear(qemuPlanRun *run)
{
    g_clear_pointer(&run->fds, qemuHostFdsFree);
}

/* --- descriptors: handed over under a name before the command that uses it --- */

static char *
qemuPlanRunFdName(unsigned host, unsigned n, void *opaque)
{
    const qemuPlanRun *run = opaque;

    return g_strdup_printf("fd-%d-%u-%u", run->guest->plugCount, host, n);
}

static bool
qemuPlanRunSendFds(qemuPlanRun *run, unsigned host, const qmpHostStep *step, GError **error)
{
    for (unsigned n = 0; qemuHostFdsGet(run->fds, host, n) >= 0; n++) {
        g_autofree char *name = qemuPlanRunFdName(host, n, run);
        virJSON *arguments = virJSONObject();
        int fd = dup(qemuHostFdsGet(run->fds, host, n));
        g_autoptr(qmpRequest) request = NULL;

        if (step->pass)
            virJSONAddUInt(arguments, "fdset-id", host);
        else
            virJSONAddString(arguments, "fdname", name);
        request = qmpClientSendFull(run->guest->monitor, step->pass ? "add-fd" : "getfd", arguments,
                                    fd, 0);
        if (!qmpRequestWait(request, run->guest->driver->config.monitorTimeout_ms, NULL, error))
            return false;
    }
    return true;
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
            return false;
        }
    }
    return true;
}

/* --- backwards --- */

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

        if (step->type != QMP_STEP_DEVICE || frontEnds)
            qemuPlanRunUndoStep(run, step);
    }
    qemuPlanRunReleaseResources(run);
}
