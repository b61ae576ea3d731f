/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virdelegate.c: the door itself: who stands behind it, what every call through it leaves in the
 * log, and the error for "done" that isn't true. The hooks' fronts are virdelegate_*.c. */
#include "delegate/virdelegate.h"

#include <string.h>

#include "delegate/virdelegateops.h"
#include "delegate/virhandlers.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virlog.h"
#include "util/virutil.h"

static const char *const phases[] = {"start", "hot-plug", "incoming migration", "reconnect",
                                     "teardown"};
G_STATIC_ASSERT(G_N_ELEMENTS(phases) == VIR_DELEGATE_PHASE_LAST);

virDelegate *
virDelegateNew(virCgroupInstance *instance, const char *pinPath, const virDelegateOwner *owner)
{
    virDelegate *door = g_new0(virDelegate, 1);

    door->ops = &virDelegateLocalOps;
    door->instance = virCgroupInstanceRef(instance);
    door->pinPath = g_strdup(pinPath);
    door->sysfs = "/sys";
    door->owner = *owner;
    return door;
}

void
virDelegateFree(virDelegate *door)
{
    if (!door)
        return;
    virHandlersFree(door->handlers);
    virGateStoreUnref(door->store);
    virCgroupInstanceUnref(door->instance);
    g_free(door->pinPath);
    g_free(door);
}

void
virDelegateSetHandlers(virDelegate *door, virHandlers *handlers)
{
    virHandlersFree(door->handlers);
    door->handlers = handlers;
}

virHandlers *
virDelegateGetHandlers(virDelegate *door)
{
    return door->handlers;
}

void
virDelegateTeardown(virDelegate *door, const virDelegateCall *call)
{
    if (door->handlers)
        virHandlersTeardown(door->handlers, call);
}

bool
virDelegatePrepare(virDelegate *door, GError **error)
{
    return door->store || door->ops->prepare(door, error);
}

bool
virDelegateRetire(virDelegate *door, GError **error)
{
    g_clear_pointer(&door->store, virGateStoreUnref);
    return door->ops->retire(door, error);
}

/* --- for the front --- */

bool
virDelegateBegin(virDelegate *door, const virDelegateCall *call, const char *hook,
                 virDelegateTrace *retTrace, GError **error)
{
    const virXdrHook *row = door->handlers ? virXdrHookByName(hook) : NULL;
    virHandlerChoice choice = VIR_HANDLER_SELF;

    *retTrace = (virDelegateTrace){door, call, hook, NULL, false, g_get_monotonic_time()};
    if (row && !virHandlersChoose(door->handlers, call, row, &choice, error))
        return false;
    retTrace->nobody = choice == VIR_HANDLER_NONE;
    retTrace->ops = choice == VIR_HANDLER_ASK ? &virDelegateHandlerOps : door->ops;
    return !retTrace->nobody;
}

bool
virDelegateIsAsked(virDelegate *door, const virDelegateCall *call, const char *hook)
{
    virDelegateTrace trace;
    g_autoptr(GError) unused = NULL; /* who needs the hook is told */

    return virDelegateBegin(door, call, hook, &trace, &unused) ? trace.ops == &virDelegateHandlerOps
                                                               : !trace.nobody;
}

bool
virDelegateEnd(const virDelegateTrace *trace, bool done)
{
    if (!done && trace->ops == &virDelegateHandlerOps)
        virHandlersRevoke(trace->door->handlers, trace->call, trace->hook);
    VIR_DEBUG("door: %s by %s for '%s' at %s: %s after %" G_GINT64_FORMAT " us", trace->hook,
              trace->ops->name, trace->call->domain, phases[trace->call->phase],
              done ? "done" : "failed", g_get_monotonic_time() - trace->began_us);
    return done;
}

bool
virDelegateNotTrue(const virDelegateTrace *trace, GError **error, const char *what)
{
    if (trace->ops == &virDelegateHandlerOps)
        virHandlersRevoke(trace->door->handlers, trace->call, trace->hook);
    return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("%s reported %s as done, but %s"),
                       trace->ops->name, trace->hook, what);
}
