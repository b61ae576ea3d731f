/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * handlers.c: the configuration's word on external handlers. At start. */
#include "daemon/handlers.h"

#include <pwd.h>

#include "util/virerror.h"
#include "util/virutil.h"

virHandlers *
virDaemonNewHandlers(const virDaemonConfig *config, GError **error)
{
    g_autoptr(virHandlers) handlers = virHandlersNew("");

    for (char **text = config->handler_policy; text && *text; text++) {
        if (!virHandlersSetPolicy(handlers, *text, error))
            return NULL;
    }
    for (char **name = config->handler_users; name && *name; name++) {
        const struct passwd *user = getpwnam(*name);

        if (!user) {
            virErrorSet(error, VIR_ERR_CONF_SYNTAX, _("there is no user '%s' (handler_users)"),
                        *name);
            return NULL;
        }
        virHandlersAllowUser(handlers, user->pw_uid);
    }
    for (char **group = config->handler_groups; group && *group; group++) {
        if (**group != '/') {
            virErrorSet(error, VIR_ERR_CONF_SYNTAX,
                        _("'%s' is no control group as in /proc/PID/cgroup (handler_groups)"),
                        *group);
            return NULL;
        }
        virHandlersAllowGroup(handlers, *group);
    }
    virHandlersSetDeadline(handlers, (unsigned)config->handler_timeout);
    return g_steal_pointer(&handlers);
}

bool
virDaemonListenHandlers(virHandlers *handlers, const virDaemonLayout *layout, GError **error)
{
    g_autofree char *folder = g_build_filename(layout->run, "handler", NULL);

    return virHandlersListen(handlers, folder, error);
}
