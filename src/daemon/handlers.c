/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * handlers.c: the configuration's word on external handlers. At start. */
#include "daemon/handlers.h"

#include <pwd.h>

#include "delegate/virhandlers.h"
#include "util/virerror.h"
#include "util/virutil.h"

bool
virDaemonMakeHandlers(qemuDriver *driver, const virDaemonLayout *layout,
                      const virDaemonConfig *config, GError **error)
{
    g_autofree char *folder = g_build_filename(layout->run, "handler", NULL);
    g_autoptr(virHandlers) handlers = virHandlersNew(virCgroupInstanceName(driver->cgroups));

    for (char **text = config->handler_policy; text && *text; text++) {
        if (!virHandlersSetPolicy(handlers, *text, error))
            return false;
    }
    for (char **name = config->handler_users; name && *name; name++) {
        const struct passwd *user = getpwnam(*name);

        if (!user)
            return virErrorSet(error, VIR_ERR_CONF_SYNTAX,
                               _("there is no user '%s' (handler_users)"), *name);
        virHandlersAllowUser(handlers, user->pw_uid);
    }
    virHandlersSetDeadline(handlers, (unsigned)config->handler_timeout);
    if (!virHandlersListen(handlers, folder, error))
        return false;
    virDelegateSetHandlers(driver->door, g_steal_pointer(&handlers));
    return true;
}
