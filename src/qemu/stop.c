/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stop.c: the end of a guest, whoever wanted it, and taking back what was made for it.
 *
 * The kernel says when the process is over, by its pidfd: nothing polls. Whoever ends a guest only
 * sends the signal and waits for that; a guest that ends by itself gets a job that does the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qemu/denials.h"
#include "qemu/gateowners.h"
#include "qemu/guest.h"
#include "qemu/hostfiles.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virfile.h"
#include "util/virlog.h"
#include "util/virspawn.h"

enum { QEMU_KILL_TIMEOUT_MS = 15000 }; /* between SIGKILL and giving up: I/O in the kernel */

/* --- noticing --- */

static void
qemuGuestFinishJob(void *opaque)
{
    g_autoptr(virDomainObj) obj = opaque;
    g_autoptr(GError) error = NULL;
    VIR_CORE_GUARD;

    /* somebody who stops it on purpose does this himself, under his job */
    while (!virDomainObjBeginJob(obj, "end", VIR_DOMAIN_JOB_WAIT_MS, &error)) {
        VIR_WARN("domain '%s' has ended, but: %s", obj->name, error->message);
        g_clear_error(&error);
    }
    if (qemuGuestOf(obj) && qemuGuestOf(obj)->gone)
        qemuGuestFinish(obj);
    virDomainObjEndJob(obj);
}

/* On the event thread. */
static void
qemuGuestExited(int fd, unsigned events, void *opaque)
{
    qemuGuest *guest = opaque;
    VIR_CORE_GUARD;

    virEventWatchRemove(guest->exitWatch);
    guest->exitWatch = NULL;
    guest->gone = true;
    g_cond_broadcast(&guest->changed);
    if (!guest->starting)
        virCoreRunJob(qemuGuestFinishJob, virDomainObjRef(guest->obj));
}

bool
qemuGuestWatchExit(qemuGuest *guest, GError **error)
{
    guest->exitWatch = virEventWatchAdd(guest->pidfd, EPOLLIN, qemuGuestExited, guest, NULL, error);
    return guest->exitWatch != NULL;
}

/* --- ending --- */

static void
qemuGuestSignal(const qemuGuest *guest, int signal)
{
    if (syscall(SYS_pidfd_send_signal, guest->pidfd, signal, NULL, 0) < 0 && errno != ESRCH)
        VIR_WARN("cannot send signal %d to process %d: %s", signal, (int)guest->pid,
                 g_strerror(errno));
}

static bool
qemuGuestWaitGone(qemuGuest *guest, unsigned timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + timeout_ms * G_TIME_SPAN_MILLISECOND;

    while (!guest->gone) {
        if (!virCoreWait(&guest->changed, deadline))
            break;
    }
    return guest->gone;
}

void
qemuGuestKill(qemuGuest *guest)
{
    g_autoptr(GError) error = NULL;

    if (guest->pid == 0)
        return;
    if (!guest->gone && !guest->exitWatch && !qemuGuestWatchExit(guest, &error)) {
        VIR_WARN("cannot watch process %d: %s", (int)guest->pid, error->message);
        return;
    }
    qemuGuestSignal(guest, SIGKILL);
    if (!qemuGuestWaitGone(guest, QEMU_KILL_TIMEOUT_MS))
        VIR_WARN("process %d has not ended %d s after SIGKILL", (int)guest->pid,
                 QEMU_KILL_TIMEOUT_MS / 1000);
}

/* A process that somebody stopped with SIGSTOP takes SIGTERM only when it goes on. */
static bool
qemuGuestTerminate(qemuGuest *guest, bool graceful, GError **error)
{
    qemuGuestSignal(guest, SIGTERM);
    qemuGuestSignal(guest, SIGCONT);
    if (qemuGuestWaitGone(guest, guest->driver->config.stopTimeout_ms))
        return true;
    if (graceful)
        return virErrorSet(
            error, VIR_ERR_RESOURCE_BUSY,
            _("Failed to terminate process %d with SIGTERM: it still runs after %u s"),
            (int)guest->pid, guest->driver->config.stopTimeout_ms / 1000);
    qemuGuestSignal(guest, SIGKILL);
    if (qemuGuestWaitGone(guest, QEMU_KILL_TIMEOUT_MS))
        return true;
    return virErrorSet(error, VIR_ERR_SYSTEM_ERROR,
                       _("Failed to terminate process %d with SIGKILL: it waits in the kernel"),
                       (int)guest->pid);
}

bool
qemuGuestStop(virDomainObj *obj, int reason, int detail, bool graceful, GError **error)
{
    qemuGuest *guest = qemuGuestOf(obj);
    int before = guest->stopReason;

    guest->stopReason = reason;
    guest->stopDetail = detail;
    if (!guest->gone && !qemuGuestTerminate(guest, graceful, error)) {
        guest->stopReason = before;
        return false;
    }
    VIR_FAULT_POINT("stop:ended");
    qemuGuestFinish(obj);
    return true;
}

/* Whoever has the job gives it up soon. */
static bool
qemuGuestTakeJobOver(qemuDriver *driver, virDomainObj *obj, GError **error)
{
    bool mine;

    qemuGuestHurry(driver, obj);
    mine = virDomainObjBeginJob(obj, "destroy", VIR_DOMAIN_JOB_WAIT_MS, error);
    qemuGuestCalm(driver, obj);
    return mine;
}

bool
qemuGuestDestroy(qemuDriver *driver, virDomainObj *obj, int id, bool graceful, GError **error)
{
    const bool starting = qemuGuestOf(obj) && !virDomainObjIsActive(obj);
    bool done = true;

    if (id != QEMU_GUEST_ANY_RUN && obj->id != id)
        return true;
    if ((!starting && !virDomainObjCheckActive(obj, error)) ||
        !qemuGuestTakeJobOver(driver, obj, error))
        return false;
    /* a start that gave up has nothing left to be ended */
    if ((id == QEMU_GUEST_ANY_RUN || obj->id == id) && (!starting || virDomainObjIsActive(obj)))
        done = virDomainObjCheckActive(obj, error) &&
               qemuGuestStop(obj, VIR_SHUTOFF_DESTROYED, VIR_STOPPED_DESTROYED, graceful, error);
    virDomainObjEndJob(obj);
    return done;
}

/* --- afterwards --- */

/* Once for each of our children. How an unclean end came about, NULL: it was clean, or was not ours
 * to see; caller frees. */
static char *
qemuGuestReap(qemuGuest *guest)
{
    char *how;
    g_autoptr(GError) error = NULL;
    bool child = guest->isChild;
    int pidfd = guest->pidfd;
    int status = 0;

    guest->isChild = false;
    if (!child)
        return NULL;
    {
        VIR_CORE_UNLOCKED;

        if (!virSpawnReap(pidfd, &status, &error))
            VIR_WARN("%s", error->message);
    }
    guest->exitStatus = status;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return NULL;
    how = virSpawnStatusText(status);
    VIR_INFO("QEMU of domain '%s' ended with %s", guest->obj->name, how);
    return how;
}

/* Its group is empty and removed by now, so nothing runs for a moment without the gate. */
static void
qemuGuestDropGate(qemuGuest *guest)
{
    virDelegateCall call = {.domain = guest->obj->name, .phase = VIR_DELEGATE_PHASE_TEARDOWN};
    g_autoptr(virGate) gate = g_steal_pointer(&guest->gate);
    g_autoptr(GError) error = NULL;
    virDelegate *door = guest->driver->door;

    memcpy(call.uuid, guest->obj->uuid, sizeof(call.uuid));
    {
        VIR_CORE_UNLOCKED;

        if (gate && !virDelegateGateRemove(door, &call, gate, &error))
            VIR_WARN("domain '%s': %s", call.domain, error->message);
        virDelegateTeardown(door, &call);
    }
}

void
qemuGuestTakeBack(virDomainObj *obj)
{
    qemuGuest *guest = qemuGuestOf(obj);
    qemuDriver *driver = guest->driver;
    g_autofree char *statusPath = qemuStatusPath(driver, obj->name);
    g_autofree char *pidPath = g_strdup_printf("%s/qemu/%s.pid", driver->paths.run, obj->name);
    g_autoptr(GPtrArray) resources = g_ptr_array_ref(guest->resources);
    g_autoptr(GError) error = NULL;

    if (guest->monitor)
        qmpClientClose(guest->monitor);
    qemuGuestWaitSaved(guest);
    g_free(qemuGuestReap(guest));
    {
        VIR_CORE_UNLOCKED;

        for (guint i = resources->len; i-- > 0;) {
            qemuResourceRelease(driver, obj, g_ptr_array_index(resources, i));
            VIR_FAULT_POINT("stop:resource-released");
        }
    }
    qemuGuestDropGate(guest);
    {
        VIR_CORE_UNLOCKED;

        qemuDenialsForget(driver, obj);
        qemuGateOwnersForget(driver, obj->name);
        if (!virFileRemove(pidPath, &error) || !virFileRemove(statusPath, &error))
            VIR_WARN("domain '%s': %s", obj->name, error->message);
        VIR_FAULT_POINT("stop:status-removed");
    }
    for (guint i = 0; i < resources->len; i++) {
        const qemuResource *resource = g_ptr_array_index(resources, i);

        if (resource->type == QEMU_RESOURCE_PORT)
            qemuPortRelease(driver, resource->number);
    }
    obj->guest = NULL;
    qemuGuestFree(guest);
}

/* --- the last line of its log --- */

/* Clean and unclean ends are told apart here too: "shutting down, reason=crashed (signal 9
 * (Killed))". */
static void
qemuGuestLogEnd(const qemuDriver *driver, const char *name, int reason, const char *how)
{
    g_autofree char *path = g_strdup_printf("%s/%s.log", driver->paths.log, name);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *when = g_date_time_format(now, "%Y-%m-%d %H:%M:%S.%f+0000");
    g_autofree char *line = g_strdup_printf("%s: shutting down, reason=%s%s%s%s\n", when,
                                            virDomainReasonToString(VIR_DOMAIN_SHUTOFF, reason),
                                            how ? " (" : "", how ? how : "", how ? ")" : "");
    VIR_AUTOCLOSE fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

    if (fd < 0 || !virFileWriteAll(fd, line, strlen(line)))
        VIR_INFO("log %s has no last line: %s", path, g_strerror(errno));
}

/* A transient domain ends with its process. */
static void
qemuGuestForget(qemuDriver *driver, virDomainObj *obj)
{
    if (!virDomainObjIsPersistent(obj))
        virDomainRegistryRemove(driver->domains, obj);
}

void
qemuGuestFinish(virDomainObj *obj)
{
    qemuGuest *guest = qemuGuestOf(obj);
    qemuDriver *driver = guest->driver;
    int reason = guest->stopReason;
    int detail = guest->stopDetail;
    g_autofree char *how = NULL;

    if (reason < 0 && guest->shutdownSeen) {
        reason = VIR_SHUTOFF_SHUTDOWN;
        detail = VIR_STOPPED_SHUTDOWN;
    } else if (reason < 0) {
        reason = VIR_SHUTOFF_CRASHED;
        detail = VIR_STOPPED_FAILED;
    }
    how = qemuGuestReap(guest);
    qemuGuestTakeBack(obj);
    {
        g_autofree char *name = g_strdup(obj->name);
        VIR_CORE_UNLOCKED;

        qemuGuestLogEnd(driver, name, reason, how);
    }
    virDomainRegistrySetID(driver->domains, obj, -1);
    virDomainObjSetState(obj, VIR_DOMAIN_SHUTOFF, reason);
    {
        /* the listener is told who ended: name and uuid outlive the live document */
        virDomainDoc *live = g_steal_pointer(&obj->live);

        obj->updated = false;
        qemuDriverEmitLifecycle(driver, obj, VIR_EVENT_STOPPED, detail);
        virDomainDocUnref(live);
    }
    qemuGuestForget(driver, obj);
}
