/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * connect.c: opening and closing a connection, and what a client asks about it first.
 *
 * Inline but for the host name, which may have to be looked up. */
#include <inttypes.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/handlers.gen.h"
#include "util/virerror.h"
#include "util/virevent.h"
#include "util/virutil.h"

/* The libvirt release whose behaviour clients find here. */
enum { LIBVIRT_VERSION = 9000000 };

enum { OPEN_READONLY = 1 };

typedef struct {
    void (*func)(void *opaque);
    void *opaque;
} virApiCloseHook;

static void
connectionFree(void *opaque)
{
    virApiConnection *connection = opaque;

    g_clear_pointer(&connection->identity, g_hash_table_unref);
    g_ptr_array_unref(connection->onClose);
    g_free(connection->uri);
    g_free(connection);
}

static void
connectionClosed(void *opaque)
{
    virApiConnection *connection = opaque;

    for (guint i = 0; i < connection->onClose->len; i++) {
        virApiCloseHook *hook = g_ptr_array_index(connection->onClose, i);

        hook->func(hook->opaque);
    }
}

virApiConnection *
virApiConnectionOf(virNetServerClient *client)
{
    return virNetServerClientPrivate(client);
}

void
virApiConnectionOnClose(virNetServerClient *client, void (*func)(void *opaque), void *opaque)
{
    virApiCloseHook *hook = g_new(virApiCloseHook, 1);

    g_assert(virEventIsLoopThread());
    hook->func = func;
    hook->opaque = opaque;
    g_ptr_array_add(virApiConnectionOf(client)->onClose, hook);
}

static const char *
ownUri(void)
{
    return geteuid() == 0 ? "qemu:///system" : "qemu:///session";
}

/* True if name is a URI of ours; an empty one asks for whatever there is. */
static bool
uriCheck(const char *name, GError **error)
{
    const char *own = strrchr(ownUri(), '/');
    g_autofree char *scheme = NULL, *host = NULL, *path = NULL;

    if (name[0] == '\0')
        return true;
    if (!g_uri_split(name, G_URI_FLAGS_NONE, &scheme, NULL, &host, NULL, &path, NULL, NULL, NULL) ||
        g_strcmp0(scheme, "qemu") != 0 || (host && host[0] != '\0'))
        return virErrorSet(error, VIR_ERR_NO_CONNECT, "%s", name);
    if (!g_str_equal(path, own))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("unexpected QEMU URI path '%s', try %s"), path, ownUri());
    return true;
}

bool
virApiConnectOpen(virApiCall *call, const remote_connect_open_args *args, GError **error)
{
    virNetServerClient *client = virApiClient(call);
    virApiConnection *connection;

    if (virNetServerClientHas(client, VIR_NET_CLIENT_OPEN))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("connection already open"));
    if (!args->name)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("no connection URI given"));
    if (!uriCheck(args->name, error))
        return false;
    connection = g_new0(virApiConnection, 1);
    connection->uri = g_strdup(ownUri());
    connection->onClose = g_ptr_array_new_with_free_func(g_free);
    virNetServerClientSetPrivate(client, connection, connectionClosed, connectionFree);
    if (args->flags & OPEN_READONLY)
        virNetServerClientSet(client, VIR_NET_CLIENT_READONLY, true);
    virNetServerClientSet(client, VIR_NET_CLIENT_OPEN, true);
    return true;
}

bool
virApiConnectClose(virApiCall *call, GError **error)
{
    virNetCallCloseAfterwards(call);
    return true;
}

bool
virApiAuthList(virApiCall *call, remote_auth_list_ret *ret, GError **error)
{
    static int32_t none = REMOTE_AUTH_TYPE_NONE;

    ret->types_len = 1;
    ret->types_val = &none;
    return true;
}

/* Keepalive is asked for before the connection is open; everything else is about the driver. */
bool
virApiConnectSupportsFeature(virApiCall *call, const remote_connect_supports_feature_args *args,
                             remote_connect_supports_feature_ret *ret, GError **error)
{
    virNetServerClient *client = virApiClient(call);

    if (args->feature == REMOTE_FEATURE_PROGRAM_KEEPALIVE) {
        virNetServerClientStartKeepalive(client);
        ret->supported = 1;
        return true;
    }
    if (!virNetServerClientHas(client, VIR_NET_CLIENT_OPEN))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("hypervisor connection not open"));
    switch (args->feature) {
    case REMOTE_FEATURE_REMOTE_EVENT_CALLBACK:
        virNetServerClientSet(client, VIR_NET_CLIENT_CALLBACKS, true);
        ret->supported = 1;
        break;
    case REMOTE_FEATURE_FD_PASSING:
    case REMOTE_FEATURE_TYPED_PARAM_STRING:
    case REMOTE_FEATURE_XML_MIGRATABLE:
    case REMOTE_FEATURE_REMOTE_CLOSE_CALLBACK:
    case REMOTE_FEATURE_NETWORK_UPDATE_HAS_CORRECT_ORDER:
        ret->supported = 1;
        break;
    default: /* migration comes with its procedures */
        ret->supported = 0;
        break;
    }
    return true;
}

bool
virApiConnectGetType(virApiCall *call, remote_connect_get_type_ret *ret, GError **error)
{
    ret->type = "QEMU";
    return true;
}

bool
virApiConnectGetLibVersion(virApiCall *call, remote_connect_get_lib_version_ret *ret,
                           GError **error)
{
    ret->lib_ver = LIBVIRT_VERSION;
    return true;
}

bool
virApiConnectGetURI(virApiCall *call, remote_connect_get_uri_ret *ret, GError **error)
{
    ret->uri = virApiConnectionOf(virApiClient(call))->uri;
    return true;
}

/* The name as others know the host, if a resolver tells; else its own. */
bool
virApiConnectGetHostname(virApiCall *call, remote_connect_get_hostname_ret *ret, GError **error)
{
    struct addrinfo hints = {.ai_flags = AI_CANONNAME, .ai_family = AF_UNSPEC};
    struct addrinfo *info = NULL;
    char name[256] = "";

    if (gethostname(name, sizeof(name) - 1) < 0)
        return virErrorErrno(error, "%s", _("failed to determine host name"));
    ret->hostname = virApiStrdup(call, name);
    if (g_str_has_prefix(name, "localhost") || strchr(name, '.'))
        return true;
    if (getaddrinfo(name, NULL, &hints, &info) != 0)
        return true;
    if (info->ai_canonname && !g_str_has_prefix(info->ai_canonname, "localhost"))
        ret->hostname = virApiStrdup(call, info->ai_canonname);
    freeaddrinfo(info);
    return true;
}

/* A UNIX socket cannot be listened to on the way. */
bool
virApiConnectIsSecure(virApiCall *call, remote_connect_is_secure_ret *ret, GError **error)
{
    ret->secure = 1;
    return true;
}

bool
virApiConnectRegisterCloseCallback(virApiCall *call, GError **error)
{
    virNetServerClientSet(virApiClient(call), VIR_NET_CLIENT_CLOSE_CALLBACK, true);
    return true;
}

bool
virApiConnectUnregisterCloseCallback(virApiCall *call, GError **error)
{
    virNetServerClientSet(virApiClient(call), VIR_NET_CLIENT_CLOSE_CALLBACK, false);
    return true;
}

static const struct {
    const char *name;
    int32_t type;
} identityParams[] = {
    {"user-name", REMOTE_TYPED_PARAM_TYPE_STRING},
    {"unix-user-id", REMOTE_TYPED_PARAM_TYPE_ULLONG},
    {"group-name", REMOTE_TYPED_PARAM_TYPE_STRING},
    {"unix-group-id", REMOTE_TYPED_PARAM_TYPE_ULLONG},
    {"process-id", REMOTE_TYPED_PARAM_TYPE_LLONG},
    {"process-time", REMOTE_TYPED_PARAM_TYPE_ULLONG},
    {"sasl-user-name", REMOTE_TYPED_PARAM_TYPE_STRING},
    {"x509-distinguished-name", REMOTE_TYPED_PARAM_TYPE_STRING},
    {"selinux-context", REMOTE_TYPED_PARAM_TYPE_STRING},
};

/* The parameter's value as text; NULL with the error set if it is none of an identity's. */
static char *
identityValue(const remote_typed_param *param, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(identityParams); i++) {
        if (!g_str_equal(param->field, identityParams[i].name))
            continue;
        if (param->value.type != identityParams[i].type)
            break;
        if (param->value.type == REMOTE_TYPED_PARAM_TYPE_STRING)
            return g_strdup(param->value.s);
        if (param->value.type == REMOTE_TYPED_PARAM_TYPE_LLONG)
            return g_strdup_printf("%" PRId64, param->value.l);
        return g_strdup_printf("%" PRIu64, param->value.ul);
    }
    virErrorSet(error, VIR_ERR_INVALID_ARG, _("parameter '%s' not supported"), param->field);
    return NULL;
}

/* For a proxy that runs as the daemon's own user or as root: it says who it acts for. */
bool
virApiConnectSetIdentity(virApiCall *call, const remote_connect_set_identity_args *args,
                         GError **error)
{
    g_autoptr(GHashTable) identity = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    uid_t peer = virNetServerClientIdentity(virApiClient(call))->uid;
    virApiConnection *connection = virApiConnectionOf(virApiClient(call));

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    if (peer != 0 && peer != geteuid())
        return virErrorSet(error, VIR_ERR_ACCESS_DENIED, "%s",
                           _("only the daemon's own user may act for others"));
    for (uint32_t i = 0; i < args->params_len; i++) {
        char *value = identityValue(&args->params_val[i], error);

        if (!value)
            return false;
        g_hash_table_replace(identity, g_strdup(args->params_val[i].field), value);
    }
    g_clear_pointer(&connection->identity, g_hash_table_unref);
    connection->identity = g_steal_pointer(&identity);
    return true;
}
