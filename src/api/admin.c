/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * admin.c: the admin socket: which servers and clients there are, and how many may be.
 *
 * Inline but for what looks names of users up. There are no worker threads to be told of: a job
 * gets a thread when it needs one. */
#include "api/admin.h"

#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "api/handlers.gen.h"
#include "util/virerror.h"
#include "util/virutil.h"

enum { LIBVIRT_VERSION = 9000000, NAME_BUFFER = 16384, TRANSPORT_UNIX = 0 };

static virNetServer *
findServer(virApiCall *call, const char *name, GError **error)
{
    const virApiAdmin *admin = virApiDriver(call);

    for (size_t i = 0; i < admin->count; i++) {
        if (g_str_equal(virNetServerName(admin->servers[i]), name))
            return admin->servers[i];
    }
    virErrorSet(error, VIR_ERR_NO_SERVER, _("No server named '%s'"), name);
    return NULL;
}

/* A new reference. */
static virNetServerClient *
findClient(virApiCall *call, const char *server, uint64_t id, GError **error)
{
    virNetServer *found = findServer(call, server, error);
    virNetServerClient *client;

    if (!found)
        return NULL;
    client = virNetServerFindClient(found, id);
    if (!client)
        virErrorSet(error, VIR_ERR_NO_CLIENT, _("No client with matching ID '%" PRIu64 "'"), id);
    return client;
}

bool
virApiAdminConnectOpen(virApiCall *call, const admin_connect_open_args *args, GError **error)
{
    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    if (virNetServerClientHas(virApiClient(call), VIR_NET_CLIENT_OPEN))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("connection already open"));
    virNetServerClientSet(virApiClient(call), VIR_NET_CLIENT_OPEN, true);
    return true;
}

bool
virApiAdminConnectClose(virApiCall *call, GError **error)
{
    virNetCallCloseAfterwards(call);
    return true;
}

bool
virApiAdminConnectGetLibVersion(virApiCall *call, admin_connect_get_lib_version_ret *ret,
                                GError **error)
{
    ret->libVer = LIBVIRT_VERSION;
    return true;
}

bool
virApiAdminConnectListServers(virApiCall *call, const admin_connect_list_servers_args *args,
                              admin_connect_list_servers_ret *ret, GError **error)
{
    const virApiAdmin *admin = virApiDriver(call);

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    ret->ret = (uint32_t)admin->count;
    if (!args->need_results)
        return true;
    ret->servers_len = (uint32_t)admin->count;
    ret->servers_val = virApiNew(call, admin_nonnull_server, admin->count);
    for (size_t i = 0; i < admin->count; i++)
        ret->servers_val[i].name = virNetServerName(admin->servers[i]);
    return true;
}

bool
virApiAdminConnectLookupServer(virApiCall *call, const admin_connect_lookup_server_args *args,
                               admin_connect_lookup_server_ret *ret, GError **error)
{
    virNetServer *server;

    if (!virApiOnlyFlags(args->flags, 0, error) || !(server = findServer(call, args->name, error)))
        return false;
    ret->srv.name = virNetServerName(server);
    return true;
}

static admin_nonnull_client
clientOf(virNetServerClient *client)
{
    return (admin_nonnull_client){
        .srv = {.name = virNetServerName(virNetServerClientServer(client))},
        .id = virNetServerClientId(client),
        .timestamp = virNetServerClientTimestamp(client),
        .transport = TRANSPORT_UNIX};
}

static void
collectClient(virNetServerClient *client, void *opaque)
{
    admin_nonnull_client row = clientOf(client);

    g_array_append_val((GArray *)opaque, row);
}

static int
compareClients(const void *a, const void *b)
{
    const admin_nonnull_client *left = a, *right = b;

    return left->id < right->id ? -1 : left->id > right->id;
}

bool
virApiAdminServerListClients(virApiCall *call, const admin_server_list_clients_args *args,
                             admin_server_list_clients_ret *ret, GError **error)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(admin_nonnull_client));
    virNetServer *server;

    if (!virApiOnlyFlags(args->flags, 0, error) ||
        !(server = findServer(call, args->srv.name, error)))
        return false;
    virNetServerForEachClient(server, collectClient, rows);
    ret->ret = rows->len;
    if (!args->need_results)
        return true;
    g_array_sort(rows, compareClients);
    ret->clients_len = rows->len;
    ret->clients_val = virApiNew(call, admin_nonnull_client, rows->len);
    if (rows->len > 0)
        memcpy(ret->clients_val, rows->data, rows->len * sizeof(admin_nonnull_client));
    return true;
}

bool
virApiAdminServerLookupClient(virApiCall *call, const admin_server_lookup_client_args *args,
                              admin_server_lookup_client_ret *ret, GError **error)
{
    g_autoptr(virNetServerClient) client = NULL;

    if (!virApiOnlyFlags(args->flags, 0, error) ||
        !(client = findClient(call, args->srv.name, args->id, error)))
        return false;
    ret->clnt = clientOf(client);
    return true;
}

bool
virApiAdminClientClose(virApiCall *call, const admin_client_close_args *args, GError **error)
{
    g_autoptr(virNetServerClient) client = NULL;

    if (!virApiOnlyFlags(args->flags, 0, error) ||
        !(client = findClient(call, args->clnt.srv.name, args->clnt.id, error)))
        return false;
    virNetServerClientClose(client, "the administrator said so");
    return true;
}

/* The next free element of a list of parameters that was made large enough. */
static admin_typed_param *
addParam(admin_typed_param *list, uint32_t *len, const char *name, int32_t type)
{
    admin_typed_param *param = &list[(*len)++];

    param->field = name;
    param->value.type = type;
    return param;
}

/* The name of a user or group as the system's database has it; NULL if it has none. */
static const char *
userName(virApiCall *call, uid_t uid)
{
    char *buffer = virApiAlloc(call, NAME_BUFFER);
    struct passwd entry, *found;

    return getpwuid_r(uid, &entry, buffer, NAME_BUFFER, &found) == 0 && found ? entry.pw_name
                                                                              : NULL;
}

static const char *
groupName(virApiCall *call, gid_t gid)
{
    char *buffer = virApiAlloc(call, NAME_BUFFER);
    struct group entry, *found;

    return getgrgid_r(gid, &entry, buffer, NAME_BUFFER, &found) == 0 && found ? entry.gr_name
                                                                              : NULL;
}

bool
virApiAdminClientGetInfo(virApiCall *call, const admin_client_get_info_args *args,
                         admin_client_get_info_ret *ret, GError **error)
{
    g_autoptr(virNetServerClient) client = NULL;
    const virNetIdentity *identity;
    admin_typed_param *list = virApiNew(call, admin_typed_param, ADMIN_CLIENT_INFO_PARAMETERS_MAX);
    uint32_t *len = &ret->params_len;
    const char *name;

    if (!virApiOnlyFlags(args->flags, 0, error) ||
        !(client = findClient(call, args->clnt.srv.name, args->clnt.id, error)))
        return false;
    identity = virNetServerClientIdentity(client);
    ret->params_val = list;
    addParam(list, len, "readonly", ADMIN_TYPED_PARAM_TYPE_BOOLEAN)->value.b =
        virNetServerClientHas(client, VIR_NET_CLIENT_READONLY);
    addParam(list, len, "unix_user_id", ADMIN_TYPED_PARAM_TYPE_INT)->value.i =
        (int32_t)identity->uid;
    if ((name = userName(call, identity->uid)))
        addParam(list, len, "unix_user_name", ADMIN_TYPED_PARAM_TYPE_STRING)->value.s = name;
    addParam(list, len, "unix_group_id", ADMIN_TYPED_PARAM_TYPE_INT)->value.i =
        (int32_t)identity->gid;
    if ((name = groupName(call, identity->gid)))
        addParam(list, len, "unix_group_name", ADMIN_TYPED_PARAM_TYPE_STRING)->value.s = name;
    addParam(list, len, "unix_process_id", ADMIN_TYPED_PARAM_TYPE_INT)->value.i = identity->pid;
    return true;
}

bool
virApiAdminServerGetClientLimits(virApiCall *call, const admin_server_get_client_limits_args *args,
                                 admin_server_get_client_limits_ret *ret, GError **error)
{
    virNetServer *server;
    admin_typed_param *list = virApiNew(call, admin_typed_param, ADMIN_SERVER_CLIENT_LIMITS_MAX);
    uint32_t *len = &ret->params_len;

    if (!virApiOnlyFlags(args->flags, 0, error) ||
        !(server = findServer(call, args->srv.name, error)))
        return false;
    ret->params_val = list;
    addParam(list, len, "nclients_max", ADMIN_TYPED_PARAM_TYPE_UINT)->value.ui =
        virNetServerGetLimits(server)->maxClients;
    addParam(list, len, "nclients", ADMIN_TYPED_PARAM_TYPE_UINT)->value.ui =
        virNetServerCountClients(server);
    /* Without authentication nobody is kept waiting for it. */
    addParam(list, len, "nclients_unauth_max", ADMIN_TYPED_PARAM_TYPE_UINT)->value.ui =
        virNetServerGetLimits(server)->maxClients;
    addParam(list, len, "nclients_unauth", ADMIN_TYPED_PARAM_TYPE_UINT)->value.ui = 0;
    return true;
}

bool
virApiAdminServerSetClientLimits(virApiCall *call, const admin_server_set_client_limits_args *args,
                                 GError **error)
{
    virNetServer *server;

    if (!virApiOnlyFlags(args->flags, 0, error) ||
        !(server = findServer(call, args->srv.name, error)))
        return false;
    for (uint32_t i = 0; i < args->params_len; i++) {
        const admin_typed_param *param = &args->params_val[i];

        if (!g_str_equal(param->field, "nclients_max") ||
            param->value.type != ADMIN_TYPED_PARAM_TYPE_UINT || param->value.ui == 0)
            return virErrorSet(error, VIR_ERR_INVALID_ARG, _("parameter '%s' not supported"),
                               param->field);
    }
    for (uint32_t i = 0; i < args->params_len; i++)
        virNetServerSetMaxClients(server, args->params_val[i].value.ui);
    return true;
}
