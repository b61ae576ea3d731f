/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * incoming.c: see incoming.h. */
#include "qemu/incoming.h"

#include <string.h>

#include "util/vircore.h"
#include "util/virerror.h"

enum { QEMU_INCOMING_ASK_MS = 1000 }; /* an event tells; should it be lost, a question does */

void
qemuIncomingHear(qemuGuest *guest, const char *status)
{
    if (guest->incoming != QEMU_INCOMING_LOADING)
        return;
    if (g_strcmp0(status, "completed") == 0)
        guest->incoming = QEMU_INCOMING_LOADED;
    else if (g_strcmp0(status, "failed") == 0 || g_strcmp0(status, "cancelled") == 0)
        guest->incoming = QEMU_INCOMING_FAILED;
    g_cond_broadcast(&guest->changed);
}

static bool
qemuIncomingWait(virDomainObj *obj, GError **error)
{
    qemuGuest *guest = qemuGuestOf(obj);

    while (guest->incoming == QEMU_INCOMING_LOADING && !guest->gone) {
        gint64 next = g_get_monotonic_time() + QEMU_INCOMING_ASK_MS * G_TIME_SPAN_MILLISECOND;
        g_autoptr(virJSON) reply = NULL;

        if (virCoreWait(&guest->changed, next))
            continue;
        if (!qemuGuestCommand(obj, "query-migrate", NULL, &reply, error))
            return false;
        qemuIncomingHear(guest, virJSONGetString(reply, "status"));
    }
    return guest->incoming == QEMU_INCOMING_LOADED ||
           virErrorSet(error, VIR_ERR_OPERATION_FAILED, "%s",
                       _("QEMU could not load the guest's state"));
}

/* Events say how it goes. */
static bool
qemuIncomingWantEvents(virDomainObj *obj, GError **error)
{
    virJSON *arguments = virJSONObject();
    virJSON *list = json_object_new_array();
    virJSON *events = virJSONObject();

    virJSONAddString(events, "capability", "events");
    virJSONAddBool(events, "state", true);
    json_object_array_add(list, events);
    virJSONAddValue(arguments, "capabilities", list);
    return qemuGuestCommand(obj, "migrate-set-capabilities", arguments, NULL, error);
}

bool
qemuIncomingLoad(virDomainObj *obj, int fd, GError **error)
{
    static const char name[] = "incoming";
    VIR_AUTOCLOSE mine = fd;
    virJSON *arguments;

    if (!qemuIncomingWantEvents(obj, error) ||
        !qemuGuestPassFd(obj, name, g_steal_fd(&mine), error))
        return false;
    qemuGuestOf(obj)->incoming = QEMU_INCOMING_LOADING;
    arguments = virJSONObject();
    virJSONAddStringF(arguments, "uri", "fd:%s", name);
    return qemuGuestCommand(obj, "migrate-incoming", arguments, NULL, error) &&
           qemuIncomingWait(obj, error);
}
