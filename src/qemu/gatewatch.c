/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gatewatch.c: see gatewatch.h. */
#include "qemu/gatewatch.h"

#include <string.h>

#include "qemu/denials.h"
#include "qemu/guest.h"
#include "util/vircore.h"
#include "util/virevent.h"
#include "util/virlog.h"

struct qemuGateWatch {
    qemuDriver *driver;
    virEventTimer *timer; /* NULL: never */
    bool looking;         /* (lock) a job is at it */
    GHashTable *seen;     /* the job's: uuid as GBytes -> virGateState of the look before */
};

/* One that is to be looked at. */
typedef struct {
    char *name;
    uint8_t uuid[16];
    virGate *gate;
} qemuGateWatched;

static void
qemuGateWatchedClear(void *opaque)
{
    qemuGateWatched *watched = opaque;

    g_free(watched->name);
    virGateUnref(watched->gate);
}

/* Lock held. */
static void
qemuGateWatchAdd(virDomainObj *obj, void *opaque)
{
    const qemuGuest *guest = qemuGuestOf(obj);
    qemuGateWatched watched;

    if (!guest || !guest->gate || guest->starting)
        return;
    watched = (qemuGateWatched){.name = g_strdup(obj->name), .gate = virGateRef(guest->gate)};
    memcpy(watched.uuid, obj->uuid, sizeof(watched.uuid));
    g_array_append_val((GArray *)opaque, watched);
}

static void
qemuGateWatchLook(qemuGateWatch *watch, const qemuGateWatched *watched, GHashTable *seen)
{
    static const virGateState whole = VIR_GATE_STATE_WHOLE;
    virDelegateCall call = {.domain = watched->name, .phase = VIR_DELEGATE_PHASE_RECONNECT};
    g_autoptr(GBytes) key = g_bytes_new(watched->uuid, sizeof(watched->uuid));
    const virGateState *before = g_hash_table_lookup(watch->seen, key);
    g_autofree virGateState *state = g_memdup2(before ? before : &whole, sizeof(*state));
    g_autoptr(GError) error = NULL;

    memcpy(call.uuid, watched->uuid, sizeof(call.uuid));
    if (!virDelegateGateWatch(watch->driver->door, &call, watched->gate, state, &error)) {
        VIR_DEBUG("domain '%s': %s", watched->name, error->message); /* it has just ended */
        return;
    }
    /* Without rights, a gate may be a handler's to find again, at any time. */
    if (!state->known)
        qemuDenialsFollowGate(watch->driver, watched->name, watched->gate);
    g_hash_table_insert(seen, g_steal_pointer(&key), g_steal_pointer(&state));
}

static GHashTable *
qemuGateWatchNewSeen(void)
{
    return g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref,
                                 g_free);
}

/* In a job. */
static void
qemuGateWatchRun(void *opaque)
{
    qemuGateWatch *watch = opaque;
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(qemuGateWatched));
    g_autoptr(GHashTable) seen = qemuGateWatchNewSeen();

    g_array_set_clear_func(all, qemuGateWatchedClear);
    {
        VIR_CORE_GUARD;

        virDomainRegistryForEach(watch->driver->domains, qemuGateWatchAdd, all);
    }
    for (guint i = 0; i < all->len; i++)
        qemuGateWatchLook(watch, &g_array_index(all, qemuGateWatched, i), seen);
    g_hash_table_unref(watch->seen);
    watch->seen = g_steal_pointer(&seen);
    {
        VIR_CORE_GUARD;

        watch->looking = false;
    }
}

/* On the event thread. */
static void
qemuGateWatchTick(void *opaque)
{
    qemuGateWatch *watch = opaque;

    {
        VIR_CORE_GUARD;

        if (watch->looking)
            return;
        watch->looking = true;
    }
    virCoreRunJob(qemuGateWatchRun, watch);
}

qemuGateWatch *
qemuGateWatchNew(qemuDriver *driver)
{
    qemuGateWatch *watch = g_new0(qemuGateWatch, 1);
    unsigned interval_ms = driver->config.gateWatch_ms;

    watch->driver = driver;
    watch->seen = qemuGateWatchNewSeen();
    if (interval_ms)
        watch->timer = virEventTimerAdd(interval_ms, interval_ms, qemuGateWatchTick, watch, NULL);
    return watch;
}

void
qemuGateWatchFree(qemuGateWatch *watch)
{
    if (!watch)
        return;
    virEventTimerRemove(watch->timer);
    g_hash_table_unref(watch->seen);
    g_free(watch);
}
