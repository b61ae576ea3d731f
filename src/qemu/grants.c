/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * grants.c: see grants.h. */
#include "qemu/grants.h"

#include <string.h>

#include "delegate/virhandlergrants.h"
#include "qemu/guest.h"
#include "qemu/owed.h"
#include "qemu/reconnect.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virlog.h"

/* In a job of the guest that is about to ask a handler, without the lock. */
static bool
qemuGrantsSave(const virDelegateCall *call, void *opaque, GError **error)
{
    const qemuDriver *driver = opaque;
    g_autoptr(virDomainObj) obj = NULL;
    qemuGuest *guest = NULL;

    {
        VIR_CORE_GUARD;

        obj = virDomainRegistryByUUID(driver->domains, call->uuid);
        guest = obj ? qemuGuestOf(obj) : NULL; /* the job keeps it */
    }
    return !guest || qemuGuestSaveStatus(guest, error);
}

static void
qemuGrantsLook(virDomainObj *obj)
{
    qemuGuest *guest = qemuGuestOf(obj);
    virDelegateCall call = {.domain = obj->name, .phase = VIR_DELEGATE_PHASE_RECONNECT};
    g_autoptr(GError) error = NULL;

    memcpy(call.uuid, obj->uuid, sizeof(call.uuid));
    {
        const virDelegateSubject subject = {guest->pidfd, guest->gate};
        VIR_CORE_UNLOCKED;

        virDelegateResync(guest->driver->door, &call, &subject);
        if (!qemuGuestSaveStatus(guest, &error))
            VIR_WARN("domain '%s': %s", call.domain, error->message);
    }
}

static void
qemuGrantsJob(void *opaque)
{
    g_autoptr(virDomainObj) obj = opaque;
    g_autoptr(GError) error = NULL;
    VIR_CORE_GUARD;

    while (!virDomainObjBeginJob(obj, "resync", VIR_DOMAIN_JOB_WAIT_MS, &error)) {
        VIR_WARN("domain '%s': its handler is back, but: %s", obj->name, error->message);
        g_clear_error(&error);
    }
    if (qemuGuestOf(obj) && !qemuGuestOf(obj)->gone)
        qemuGrantsLook(obj);
    virDomainObjEndJob(obj);
}

/* On the event thread. */
static void
qemuGrantsResync(const uint8_t uuid[16], void *opaque)
{
    const qemuDriver *driver = opaque;
    virDomainObj *obj;
    VIR_CORE_GUARD;

    obj = virDomainRegistryByUUID(driver->domains, uuid);
    if (obj)
        virCoreRunJob(qemuGrantsJob, obj);
}

/* On the event thread. */
static void
qemuGrantsServed(const virXdrHook *hook, void *opaque)
{
    if (hook->number == HANDLER_PROC_CGROUP_REMOVE)
        virCoreRunJob(qemuReconnectSweepLeft, opaque);
    qemuOwedRetry(opaque, hook->number);
}

static void
qemuGrantsAdopt(virDomainObj *obj, void *opaque)
{
    const qemuDriver *driver = opaque;

    if (qemuGuestOf(obj))
        virHandlersAdopt(virDelegateGetHandlers(driver->door), obj->uuid,
                         g_steal_pointer(&qemuGuestOf(obj)->grants));
}

void
qemuGrantsAttach(qemuDriver *driver)
{
    virHandlers *handlers = virDelegateGetHandlers(driver->door);
    const virHandlerJournal journal = {qemuGrantsSave, qemuGrantsResync, qemuGrantsServed, driver};

    if (!handlers)
        return;
    virHandlersSetJournal(handlers, &journal);
    virDomainRegistryForEach(driver->domains, qemuGrantsAdopt, driver);
}
