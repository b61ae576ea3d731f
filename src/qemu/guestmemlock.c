/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guestmemlock.c: see guestmemlock.h. */
#include "qemu/guestmemlock.h"

#include <inttypes.h>
#include <string.h>

#include "qemu/memlock.h"
#include "qemu/tune.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virprocstat.h"

bool
qemuMemlockIsWanted(const virDomainDef *def)
{
    return qemuMemlockOf(def).bytes > 0;
}

bool
qemuMemlockBegin(qemuGuest *guest, const virDelegateCall *call, const virDomainDef *def, int pidfd,
                 GError **error)
{
    const virDelegateMemlock lock = qemuMemlockOf(def);
    g_autoptr(GError) failure = NULL;

    if (lock.bytes == 0 || virDelegateMemlockSet(guest->driver->door, call, pidfd, &lock, &failure))
        return true;
    if (qemuMemlockIsNeeded(def)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    VIR_WARN("domain '%s': its <hard_limit> is no limit of locked memory: %s", def->name,
             failure->message);
    return true;
}

/* What is to be set now, bytes 0: nothing; *retBefore is what to remember. Without the lock. */
static bool
qemuMemlockNext(const qemuGuest *guest, const virDomainDef *def, uint64_t before,
                virDelegateMemlock *retNext, uint64_t *retBefore, GError **error)
{
    uint64_t now = 0, locked = 0;

    *retNext = qemuMemlockOf(def);
    *retBefore = before;
    if (!virProcReadMemlock(guest->pid, &now, &locked))
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("cannot read the locked memory limit of process %d"), (int)guest->pid);
    if (retNext->bytes > now) {
        *retBefore = before ? before : now;
    } else if (retNext->bytes > 0) {
        retNext->bytes = 0; /* enough, whoever sees to it */
    } else if (before) {
        retNext->bytes = MAX(before, locked);
        retNext->exact = true;
        *retBefore = 0;
    }
    return true;
}

bool
qemuMemlockAdjust(qemuGuest *guest, const virDomainDef *def, GError **error)
{
    virDelegateMemlock next;
    uint64_t before = guest->memlockBefore;
    qemuTune tune;
    bool done;

    if (before == 0 && !qemuMemlockIsNeeded(def))
        return true; /* a <hard_limit> alone is the start's */
    qemuTuneInit(&tune, guest, VIR_DELEGATE_PHASE_HOTPLUG);
    {
        VIR_CORE_UNLOCKED;

        done = qemuMemlockNext(guest, def, before, &next, &before, error) &&
               (next.bytes == 0 ||
                virDelegateMemlockSet(guest->driver->door, &tune.call, guest->pidfd, &next, error));
    }
    if (done)
        guest->memlockBefore = before;
    return done;
}

static void
qemuMemlockAddFigures(const qemuGuest *guest, const virDelegateMemlock *needed, GError **error)
{
    g_autofree char *text = g_strdup((*error)->message);
    int code = (*error)->code;
    uint64_t limit = 0, locked = 0;

    if (!virProcReadMemlock(guest->pid, &limit, &locked))
        return; /* it is gone */
    g_clear_error(error);
    virErrorSet(error, code,
                _("%s (memory to be locked: %" PRIu64 " KiB; its limit: %" PRIu64
                  " KiB, of which %" PRIu64 " KiB are locked)"),
                text, needed->bytes / 1024, limit / 1024, locked / 1024);
}

void
qemuMemlockExplain(qemuGuest *guest, const virDomainDef *def, GError **error)
{
    const virDelegateMemlock needed = qemuMemlockOf(def);

    if (!error || !*error || needed.passthrough == 0 ||
        !strstr((*error)->message, "Cannot allocate memory"))
        return;
    if (virCoreIsHeld()) {
        VIR_CORE_UNLOCKED;

        qemuMemlockAddFigures(guest, &needed, error);
    } else {
        qemuMemlockAddFigures(guest, &needed, error);
    }
}
