/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api.c: what all handlers share. Any thread. */
#include "api/api.h"

#include <string.h>

#include "util/virerror.h"
#include "util/virutil.h"

void *
virApiDriver(virApiCall *call)
{
    return virNetServerOpaque(virNetServerClientServer(virApiClient(call)));
}

/* The function that clients know: virApiDomainGetState is qemuDomainGetState to them, and
 * virApiAdminConnectOpen is adminConnectOpen. */
bool
virApiOnlyFlagsIn(const char *handler, uint32_t flags, uint32_t allowed, GError **error)
{
    static const char admin[] = "virApiAdmin", any[] = "virApi";
    uint32_t others = flags & ~allowed;
    bool isAdmin = g_str_has_prefix(handler, admin);

    if (others == 0)
        return true;
    g_assert(g_str_has_prefix(handler, any));
    return virErrorSetPlain(error, VIR_ERR_INVALID_ARG,
                            _("unsupported flags (0x%x) in function %s%s"), others,
                            isAdmin ? "admin" : "qemu", handler + strlen(isAdmin ? admin : any));
}
