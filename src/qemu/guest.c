/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guest.c: the guest as a thing: made, freed, talked to, running and stopped CPUs. */
#include "qemu/guest.h"

#include <signal.h>

#include "delegate/virhandlergrants.h"
#include "qemu/ask.h"
#include "qemu/barrier.h"
#include "qemu/hosttap.h"
#include "qemu/hotplug.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virlog.h"

qemuGuest *
qemuGuestNew(qemuDriver *driver, virDomainObj *obj)
{
    qemuGuest *guest = g_new0(qemuGuest, 1);

    guest->driver = driver;
    guest->obj = obj;
    guest->pidfd = -1;
    guest->stopReason = -1;
    guest->resources = g_ptr_array_new_with_free_func((GDestroyNotify)qemuResourceFree);
    guest->vcpus = g_array_new(FALSE, FALSE, sizeof(qemuVcpu));
    guest->deleted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guest->unplugFailed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guest->awaited = g_hash_table_new(g_str_hash, g_str_equal);
    g_cond_init(&guest->changed);
    return guest;
}

void
qemuGuestFree(qemuGuest *guest)
{
    if (!guest)
        return;
    if (guest->monitor)
        qmpClientClose(guest->monitor);
    qmpClientUnref(guest->monitor);
    virEventWatchRemove(guest->exitWatch);
    virCloseFd(&guest->pidfd);
    qmpCapsUnref(guest->caps);
    virGateUnref(guest->gate);
    virCgroupUnref(guest->group);
    g_ptr_array_unref(guest->resources);
    virHandlerGuestFree(guest->grants);
    g_array_unref(guest->vcpus);
    g_hash_table_unref(guest->deleted);
    g_hash_table_unref(guest->unplugFailed);
    g_hash_table_unref(guest->awaited);
    qemuAnswersFree(guest->answers);
    qemuChangeFree(guest->change);
    g_cond_clear(&guest->changed);
    g_free(guest->stateDir);
    g_free(guest->channelDir);
    g_free(guest);
}

/* --- talking to it --- */

/* Its monitor, as a reference; NULL with VIR_ERR_OPERATION_INVALID if it has none now. */
static qmpClient *
qemuGuestMonitor(virDomainObj *obj, GError **error)
{
    qemuGuest *guest = qemuGuestOf(obj);

    if (guest && guest->monitor)
        return qmpClientRef(guest->monitor);
    if (guest && guest->connecting)
        virErrorSet(error, VIR_ERR_OPERATION_INVALID,
                    _("domain '%s' is still being connected to after the daemon's restart; try "
                      "again"),
                    obj->name);
    else
        virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                    guest ? _("domain is no longer running") : _("domain is not running"));
    return NULL;
}

bool
qemuGuestCommandFull(virDomainObj *obj, const char *command, virJSON *arguments, unsigned flags,
                     virJSON **retValue, GError **error)
{
    qemuGuest *guest = qemuGuestOf(obj);
    g_autoptr(qmpClient) monitor = qemuGuestMonitor(obj, error);
    g_autoptr(qmpRequest) request = NULL;

    if (!monitor) {
        if (flags & QMP_SEND_SECRET)
            virJSONEraseAndUnref(arguments);
        else
            virJSONUnref(arguments);
        return false;
    }
    request = qmpClientSendFull(monitor, command, arguments, -1, flags);
    return qmpRequestWait(request, guest->driver->config.monitorTimeout_ms, retValue, error);
}

bool
qemuGuestCommand(virDomainObj *obj, const char *command, virJSON *arguments, virJSON **retValue,
                 GError **error)
{
    return qemuGuestCommandFull(obj, command, arguments, 0, retValue, error);
}

bool
qemuGuestTell(qemuGuest *guest, const qmpPlan *plan, GError **error)
{
    g_autoptr(qmpClient) monitor = qmpClientRef(guest->monitor);
    unsigned timeout = guest->driver->config.monitorTimeout_ms;

    for (size_t i = 0; i < qmpPlanLength(plan); i++) {
        const qmpStep *step = qmpPlanStep(plan, i);
        g_autoptr(qmpRequest) request =
            qmpClientSendFull(monitor, step->command, qmpPlanStepArguments(step, NULL, NULL), -1,
                              step->secret ? QMP_SEND_SECRET : 0);

        if (!qmpRequestWait(request, timeout, NULL, error))
            return false;
    }
    return true;
}

bool
qemuGuestPassFd(virDomainObj *obj, const char *name, int fd, GError **error)
{
    g_autoptr(qmpClient) monitor = qemuGuestMonitor(obj, error);
    g_autoptr(qmpRequest) request = NULL;
    VIR_AUTOCLOSE mine = fd;
    virJSON *arguments;

    if (!monitor)
        return false;
    arguments = virJSONObject();
    virJSONAddString(arguments, "fdname", name);
    request = qmpClientSendFull(monitor, "getfd", arguments, g_steal_fd(&mine), 0);
    return qmpRequestWait(request, qemuGuestOf(obj)->driver->config.monitorTimeout_ms, NULL, error);
}

void
qemuGuestDropFd(virDomainObj *obj, const char *name)
{
    virJSON *arguments = virJSONObject();

    virJSONAddString(arguments, "fdname", name);
    (void)qemuGuestCommand(obj, "closefd", arguments, NULL, NULL); /* a guest that ended has none */
}

bool
qemuGuestPassQuestion(virDomainObj *obj, virJSON *question, virJSON **retReply, GError **error)
{
    g_autoptr(qmpClient) monitor = qemuGuestMonitor(obj, error);
    g_autoptr(qmpRequest) request = NULL;
    g_autoptr(GError) refused = NULL;

    if (!monitor) {
        virJSONEraseAndUnref(question);
        return false;
    }
    request = qmpClientSendWhole(monitor, question);
    if (!qmpRequestWait(request, qemuGuestOf(obj)->driver->config.monitorTimeout_ms, NULL,
                        &refused) &&
        !qmpRequestReply(request)) {
        g_propagate_error(error, g_steal_pointer(&refused));
        return false;
    }
    *retReply = json_object_get(qmpRequestReply(request));
    return true;
}

void
qemuGuestHurry(qemuDriver *driver, virDomainObj *obj)
{
    qemuGuest *guest = qemuGuestOf(obj);

    virHandlersInterrupt(virDelegateGetHandlers(driver->door), obj->uuid);
    if (!guest || !obj->job)
        return;
    guest->unwanted = true;
    if (guest->monitor)
        qmpClientClose(guest->monitor);
}

void
qemuGuestCalm(qemuDriver *driver, virDomainObj *obj)
{
    virHandlersResume(virDelegateGetHandlers(driver->door), obj->uuid);
}

void
qemuGuestBlameHurry(const qemuGuest *guest, GError **error)
{
    if (!guest->unwanted || !error || virErrorIs(*error, VIR_ERR_OPERATION_ABORTED))
        return;
    g_clear_error(error);
    virErrorSet(error, VIR_ERR_OPERATION_ABORTED,
                _("domain '%s' was destroyed while it was being started"), guest->obj->name);
}

void
qemuGuestLearnVcpus(qemuGuest *guest, virJSON *reply)
{
    g_array_set_size(guest->vcpus, 0);
    for (size_t i = 0; i < virJSONLength(reply); i++) {
        virJSON *cpu = virJSONAt(reply, i);
        qemuVcpu vcpu = {.online = true};
        int64_t value;

        if (virJSONGetInt(cpu, "cpu-index", &value))
            vcpu.index = (int)value;
        if (virJSONGetInt(cpu, "thread-id", &value))
            vcpu.tid = (pid_t)value;
        g_array_append_val(guest->vcpus, vcpu);
    }
}

/* --- its CPUs --- */

bool
qemuGuestResume(virDomainObj *obj, int reason, int detail, GError **error)
{
    qemuGuest *guest = qemuGuestOf(obj);

    if (guest && guest->fresh && guest->monitor &&
        !qemuBarrierReach(
            obj, guest->incoming ? VIR_DELEGATE_PHASE_MIGRATE_IN : VIR_DELEGATE_PHASE_START,
            VIR_DELEGATE_BARRIER_RESUME, error))
        return false;
    if ((guest = qemuGuestOf(obj)) && !qemuHostMacvtapsSetUp(guest, true, error))
        return false;
    if (!qemuGuestCommand(obj, "cont", NULL, NULL, error))
        return false;
    if (!(guest = qemuGuestOf(obj)))
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, "%s", _("domain is not running"));
    guest->fresh = false;
    /* QEMU's RESUME event may have come first: then all of this is done */
    if (obj->state != VIR_DOMAIN_RUNNING || reason == VIR_RUNNING_BOOTED ||
        reason == VIR_RUNNING_RESTORED) {
        bool told = obj->state == VIR_DOMAIN_RUNNING;

        virDomainObjSetState(obj, VIR_DOMAIN_RUNNING, reason);
        if (!told)
            qemuDriverEmitLifecycle(qemuGuestOf(obj)->driver, obj, VIR_EVENT_RESUMED, detail);
    }
    return true;
}

bool
qemuGuestSuspend(virDomainObj *obj, int reason, int detail, GError **error)
{
    if (!qemuGuestCommand(obj, "stop", NULL, NULL, error))
        return false;
    if (!qemuGuestOf(obj))
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, "%s", _("domain is not running"));
    if (obj->state == VIR_DOMAIN_RUNNING) {
        virDomainObjSetState(obj, VIR_DOMAIN_PAUSED, reason);
        qemuDriverEmitLifecycle(qemuGuestOf(obj)->driver, obj, VIR_EVENT_SUSPENDED, detail);
    } else if (obj->state == VIR_DOMAIN_PAUSED) {
        obj->reason = reason;
    }
    return qemuHostMacvtapsSetUp(qemuGuestOf(obj), false, error);
}
