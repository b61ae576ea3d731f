/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_graphics.c: a client that has the guest's screen on a socket of its own, without port. */
#include <sys/socket.h>
#include <unistd.h>

#include "api/domain.h"
#include "api/handlers.gen.h"
#include "device/graphics/graphics.h"
#include "qemu/guest.h"
#include "util/vircore.h"
#include "util/virerror.h"

enum { OPEN_SKIP_AUTH = 1 << 0 };

/* The idx-th display; its protocol as QEMU's add_client calls it. */
static const char *
virApiDisplayProtocol(const virDomainDef *def, unsigned idx, GError **error)
{
    unsigned n = 0;

    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind != &virGraphicsKind || n++ != idx)
            continue;
        switch (VIR_GRAPHICS(dev)->type) {
        case VIR_GRAPHICS_TYPE_VNC:
            return "vnc";
        case VIR_GRAPHICS_TYPE_SPICE:
            return "spice";
        default:
            virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                        _("Can only open VNC or SPICE graphics "
                          "backends, not %u"),
                        (unsigned)VIR_GRAPHICS(dev)->type);
            return NULL;
        }
    }
    virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("No graphics backend with index %u"), idx);
    return NULL;
}

/* Gives QEMU the descriptor, which is taken over, as a client of the display. Lock held. */
static bool
virApiDisplayAdd(virApiCall *call, const remote_nonnull_domain *dom, unsigned idx, unsigned flags,
                 int fd, GError **error)
{
    g_autoptr(virDomainObj) obj = virApiDomain(call, dom, error);
    VIR_AUTOCLOSE mine = fd;
    const char *protocol;
    virJSON *arguments;

    if (!obj)
        return false;
    VIR_API_JOB(obj, "open graphics", error);
    if (!virDomainObjCheckActive(obj, error) ||
        !(protocol = virApiDisplayProtocol(virDomainObjDef(obj), idx, error)) ||
        !qemuGuestPassFd(obj, "graphicsfd", g_steal_fd(&mine), error))
        return false;
    arguments = virJSONObject();
    virJSONAddString(arguments, "protocol", protocol);
    virJSONAddString(arguments, "fdname", "graphicsfd");
    virJSONAddBool(arguments, "skipauth", flags & OPEN_SKIP_AUTH);
    if (qemuGuestCommand(obj, "add_client", arguments, NULL, error))
        return true;
    qemuGuestDropFd(obj, "graphicsfd");
    return false;
}

bool
virApiDomainOpenGraphics(virApiCall *call, const remote_domain_open_graphics_args *args,
                         GError **error)
{
    VIR_AUTOCLOSE fd = -1;

    if (!virApiOnlyFlags(args->flags, OPEN_SKIP_AUTH, error))
        return false;
    if ((fd = virNetCallStealFd(call, 0)) < 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("the message has no file descriptor"));
    VIR_CORE_GUARD;
    return virApiDisplayAdd(call, &args->dom, args->idx, args->flags, g_steal_fd(&fd), error);
}

bool
virApiDomainOpenGraphicsFD(virApiCall *call, const remote_domain_open_graphics_fd_args *args,
                           GError **error)
{
    VIR_AUTOCLOSE theirs = -1;
    VIR_AUTOCLOSE guests = -1;
    int pair[2];

    if (!virApiOnlyFlags(args->flags, OPEN_SKIP_AUTH, error))
        return false;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return virErrorErrno(error, "%s", _("unable to create socket pair"));
    theirs = pair[0];
    guests = pair[1];
    {
        VIR_CORE_GUARD;

        if (!virApiDisplayAdd(call, &args->dom, args->idx, args->flags, g_steal_fd(&guests), error))
            return false;
    }
    virNetCallAddFd(call, g_steal_fd(&theirs));
    return true;
}
