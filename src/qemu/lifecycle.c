/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * lifecycle.c: see lifecycle.h. QEMU runs with -no-shutdown: a guest that is off waits there with
 * its CPUs stopped until we decide. A reboot is QEMU's own affair unless it is to be the end. */
#include "qemu/lifecycle.h"

#include "qemu/guest.h"
#include "util/virerror.h"

void
qemuLifecyclePlan(const virDomainDef *def, const qmpCaps *caps, bool always, qmpPlan *plan)
{
    bool ends = def->lifecycle.onReboot == VIR_LIFECYCLE_DESTROY;
    virJSON *args;

    /* an older one was given -no-reboot, or is stopped when it says RESET */
    if (!qmpCapsHas(caps, QMP_CAPS_SET_ACTION) || (!ends && !always))
        return;
    args = virJSONObject();
    virJSONAddString(args, "reboot", ends ? "shutdown" : "reset");
    qmpPlanCommand(plan, "set-action", args, NULL, NULL);
}

bool
qemuGuestLifecycleChanged(virDomainObj *obj, GError **error)
{
    qemuGuest *guest = qemuGuestOf(obj);
    g_autoptr(qmpPlan) plan = NULL;

    if (!guest || !guest->monitor || !guest->caps)
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("domain is not running"));
    plan = qmpPlanNew(guest->caps);
    qemuLifecyclePlan(virDomainDocDef(obj->live), guest->caps, /* always: */ true, plan);
    return qemuGuestTell(guest, plan, error);
}

virLifecycleAction
qemuLifecycleOfEnd(const virDomainLifecycle *lifecycle, const char *reason)
{
    bool reset =
        g_strcmp0(reason, "guest-reset") == 0 || g_strcmp0(reason, "host-qmp-system-reset") == 0;

    return (virLifecycleAction)(reset ? lifecycle->onReboot : lifecycle->onPoweroff);
}
