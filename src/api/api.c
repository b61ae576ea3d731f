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

/* virApiDomainGetState is qemuDomainGetState to clients: they know that text. */
bool
virApiOnlyFlagsIn(const char *handler, uint32_t flags, uint32_t allowed, GError **error)
{
    uint32_t others = flags & ~allowed;

    if (others == 0)
        return true;
    g_assert(g_str_has_prefix(handler, "virApi"));
    return virErrorSetPlain(error, VIR_ERR_INVALID_ARG,
                            _("unsupported flags (0x%x) in function qemu%s"), others,
                            handler + strlen("virApi"));
}
