/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlers.c: who serves which hook, by whose leave, and what was granted. */
#include "delegate/virhandlers.h"

#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "delegate/virhandlerspriv.h"
#include "util/virenum.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virutil.h"

VIR_ENUM_DECL(virHandlerPolicy);
VIR_ENUM_IMPL(virHandlerPolicy, VIR_HANDLER_POLICY_LAST, "auto", "self", "handler",
              "handler-or-self", "skip-if-satisfied", "off");

/* Hooks without a result that somebody needs later: only these may be switched off. */
static const uint32_t optional[] = {
    HANDLER_PROC_BARRIER,      HANDLER_PROC_MEMLOCK_SET, HANDLER_PROC_SCHED_SET,
    HANDLER_PROC_AFFINITY_SET, HANDLER_PROC_OWN_SET,     HANDLER_PROC_PROC_TUNE,
    HANDLER_PROC_NET_ATTACH,   HANDLER_PROC_NET_DETACH,  HANDLER_PROC_TEARDOWN};

/* --- hooks and policies --- */

static bool
mayBeOff(uint32_t hook)
{
    for (size_t i = 0; i < G_N_ELEMENTS(optional); i++) {
        if (optional[i] == hook)
            return true;
    }
    return false;
}

static bool
setPolicy(virHandlers *handlers, const virXdrHook *hook, virHandlerPolicy policy, GError **error)
{
    if (policy == VIR_HANDLER_POLICY_OFF && !mayBeOff(hook->number))
        return virErrorSet(error, VIR_ERR_CONF_SYNTAX,
                           _("%s cannot be off: what comes after it needs its result"), hook->name);
    handlers->policies[hook->number] = policy;
    return true;
}

bool
virHandlersSetPolicy(virHandlers *handlers, const char *text, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, "=", 2);
    const virXdrHook *hook;
    int policy;

    if (g_strv_length(parts) != 2)
        return virErrorSet(error, VIR_ERR_CONF_SYNTAX, _("'%s' is no HOOK=POLICY"), text);
    policy = virHandlerPolicyFromString(g_strstrip(parts[1]));
    if (policy < 0)
        return virErrorSet(error, VIR_ERR_CONF_SYNTAX,
                           _("there is no policy '%s': auto, self, handler, handler-or-self, "
                             "skip-if-satisfied and off are"),
                           parts[1]);
    if (g_str_equal(g_strstrip(parts[0]), "*")) {
        for (size_t i = 0; i < virXdrHooksCount; i++) {
            if (!setPolicy(handlers, &virXdrHooks[i], (virHandlerPolicy)policy, error))
                return false;
        }
        return true;
    }
    hook = virXdrHookByName(parts[0]);
    if (!hook)
        return virErrorSet(error, VIR_ERR_CONF_SYNTAX, _("there is no hook '%s'"), parts[0]);
    return setPolicy(handlers, hook, (virHandlerPolicy)policy, error);
}

void
virHandlersAllowUser(virHandlers *handlers, uid_t uid)
{
    g_array_append_val(handlers->users, uid);
}

void
virHandlersSetDeadline(virHandlers *handlers, unsigned seconds)
{
    handlers->deadline_s = seconds;
}

/* --- who serves what --- */

static void
serverFree(void *opaque)
{
    virHandlerServer *server = opaque;

    g_free(server->pattern);
    virHandlerPeerUnref(server->peer);
    g_free(server);
}

virHandlerServer *
virHandlersFind(virHandlers *handlers, const virXdrHook *hook, const uint8_t uuid[16],
                const char *domain)
{
    virHandlerServer *best = NULL;

    for (guint i = 0; i < handlers->servers->len; i++) {
        virHandlerServer *server = g_ptr_array_index(handlers->servers, i);

        if (server->hook != hook)
            continue;
        if (server->byUuid && memcmp(server->uuid, uuid, sizeof(server->uuid)) == 0)
            return server;
        /* The longest pattern that fits says most about the guest. */
        if (!server->byUuid && fnmatch(server->pattern, domain, 0) == 0 &&
            (!best || strlen(server->pattern) > strlen(best->pattern)))
            best = server;
    }
    return best;
}

static bool
chooseServer(const virHandlerServer *server, const virXdrHook *hook, bool needed,
             virHandlerChoice *retChoice, GError **error)
{
    *retChoice = VIR_HANDLER_ASK;
    if (server && server->peer)
        return true;
    *retChoice = VIR_HANDLER_SELF;
    if (!server && !needed)
        return true;
    return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                       server ? _("the handler of %s is not connected; try again when it is back")
                              : _("no handler is registered for %s, and the configuration asks "
                                  "for one"),
                       hook->name);
}

bool
virHandlersChoose(virHandlers *handlers, const virDelegateCall *call, const virXdrHook *hook,
                  virHandlerChoice *retChoice, GError **error)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&handlers->lock);
    const virHandlerServer *server = virHandlersFind(handlers, hook, call->uuid, call->domain);

    switch (handlers->policies[hook->number]) {
    case VIR_HANDLER_POLICY_SELF:
        *retChoice = VIR_HANDLER_SELF;
        return true;
    case VIR_HANDLER_POLICY_OFF:
        *retChoice = VIR_HANDLER_NONE;
        return true;
    case VIR_HANDLER_POLICY_HANDLER_OR_SELF:
        *retChoice = server && server->peer ? VIR_HANDLER_ASK : VIR_HANDLER_SELF;
        return true;
    case VIR_HANDLER_POLICY_SKIP_IF_SATISFIED:
        *retChoice = VIR_HANDLER_ASK; /* which fails when it comes to it and nobody is there */
        return true;
    case VIR_HANDLER_POLICY_HANDLER:
        return chooseServer(server, hook, true, retChoice, error);
    case VIR_HANDLER_POLICY_AUTO:
    case VIR_HANDLER_POLICY_LAST:
        break;
    }
    return chooseServer(server, hook, false, retChoice, error);
}

/* --- registration --- */

/* Both sides mean the same by this hook. */
static bool
checkAbi(const virXdrHook *hook, const handler_register_args *args, GError **error)
{
    if (args->protocol != HANDLER_PROTOCOL)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("the handler speaks protocol %u of the channel, the daemon %u"),
                           args->protocol, HANDLER_PROTOCOL);
    if (args->abi != hook->abi)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("the handler was built for ABI %u of %s, the daemon has ABI %u"),
                           args->abi, hook->name, hook->abi);
    if (args->size != hook->args->minWire ||
        memcmp(args->digest, hook->digest, sizeof(hook->digest)) != 0)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("handler and daemon both have ABI %u of %s, but their messages differ "
                             "(%u and %u bytes at least): one of them is a development build"),
                           hook->abi, hook->name, args->size, hook->args->minWire);
    return true;
}

static bool
sameFilter(const virHandlerServer *server, const handler_register_args *args)
{
    if (server->byUuid != (args->uuid_len == sizeof(server->uuid)))
        return false;
    return server->byUuid ? memcmp(server->uuid, args->uuid_val, sizeof(server->uuid)) == 0
                          : g_str_equal(server->pattern, args->pattern);
}

/* The server that has this hook and filter already, or a new one. NULL: it is another's. */
static virHandlerServer *
claimServer(virHandlers *handlers, const virHandlerPeer *peer, const virXdrHook *hook,
            const handler_register_args *args, GError **error)
{
    virHandlerServer *server;

    for (guint i = 0; i < handlers->servers->len; i++) {
        server = g_ptr_array_index(handlers->servers, i);
        if (server->hook != hook || !sameFilter(server, args))
            continue;
        if (server->uid != peer->uid ||
            (server->peer && !(args->flags & HANDLER_REGISTER_FLAGS_TAKE_OVER))) {
            virErrorSet(error, VIR_ERR_OPERATION_DENIED,
                        _("process %d of user %u serves %s for these guests already"),
                        (int)server->pid, (unsigned)server->uid, hook->name);
            return NULL;
        }
        return server;
    }
    server = g_new0(virHandlerServer, 1);
    server->hook = hook;
    server->uid = peer->uid;
    server->byUuid = args->uuid_len == sizeof(server->uuid);
    if (server->byUuid)
        memcpy(server->uuid, args->uuid_val, sizeof(server->uuid));
    else
        server->pattern = g_strdup(args->pattern);
    g_ptr_array_add(handlers->servers, server);
    return server;
}

static bool
checkRegistration(virHandlers *handlers, const handler_register_args *args,
                  const virXdrHook **retHook, GError **error)
{
    const virXdrHook *hook = virXdrHookByNumber(args->hook);

    *retHook = hook;
    if (!hook)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, _("there is no hook number %u"),
                           args->hook);
    if (!checkAbi(hook, args, error))
        return false;
    if (!virHandlerHookIsServed(args->hook))
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("this daemon does not hand %s to handlers yet"), hook->name);
    if (args->uuid_len != 0 && args->uuid_len != HANDLER_UUID_BUFLEN)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("a uuid has 16 bytes, not %u"),
                           args->uuid_len);
    if (args->uuid_len == 0 && args->pattern[0] == '\0')
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("which guests is %s for? \"*\" means all"),
                           hook->name);
    if (handlers->servers->len >= HANDLER_HOOKS_MAX)
        return virErrorSet(error, VIR_ERR_RESOURCE_BUSY, _("too many handlers are registered"));
    switch (handlers->policies[hook->number]) {
    case VIR_HANDLER_POLICY_SELF:
    case VIR_HANDLER_POLICY_OFF:
        return virErrorSet(error, VIR_ERR_OPERATION_DENIED,
                           _("the daemon's configuration has %s for %s: no handler is asked"),
                           virHandlerPolicyToString((int)handlers->policies[hook->number]),
                           hook->name);
    default:
        return true;
    }
}

bool
virHandlersRegister(virHandlers *handlers, virHandlerPeer *peer, const handler_register_args *args,
                    uint32_t *retId, GError **error)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&handlers->lock);
    g_autoptr(virHandlerPeer) before = NULL;
    const virXdrHook *hook = NULL;
    virHandlerServer *server;

    if (!checkRegistration(handlers, args, &hook, error))
        return false;
    server = claimServer(handlers, peer, hook, args, error);
    if (!server)
        return false;
    before = server->peer;
    server->peer = virHandlerPeerRef(peer);
    server->pid = peer->pid;
    server->id = ++handlers->serverId;
    *retId = server->id;
    g_clear_pointer(&guard,
                    g_mutex_locker_free); /* the last reference's end takes no lock of ours */
    VIR_INFO("process %d of user %u serves %s for %s", (int)peer->pid, (unsigned)peer->uid,
             hook->name, args->uuid_len ? "a guest" : args->pattern);
    return true;
}

bool
virHandlersUnregister(virHandlers *handlers, const virHandlerPeer *peer, uint32_t id,
                      GError **error)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&handlers->lock);

    for (guint i = 0; i < handlers->servers->len; i++) {
        const virHandlerServer *server = g_ptr_array_index(handlers->servers, i);

        if (server->id == id && server->peer == peer) {
            g_ptr_array_remove_index(handlers->servers, i); /* the caller holds peer too */
            return true;
        }
    }
    return virErrorSet(error, VIR_ERR_INVALID_ARG, _("no registration %u of this handler"), id);
}

static void
failPending(void *key, void *value, void *opaque)
{
    virHandlerPending *pending = value;

    (void)key;
    if (pending->peer == opaque)
        pending->lost = true;
}

void
virHandlersForget(virHandlers *handlers, virHandlerPeer *peer)
{
    g_mutex_lock(&handlers->lock);
    peer->gone = true;
    for (guint i = 0; i < handlers->servers->len; i++) {
        virHandlerServer *server = g_ptr_array_index(handlers->servers, i);

        if (server->peer != peer)
            continue;
        VIR_WARN("the handler of %s (process %d) is gone: what needs it fails until it is back",
                 server->hook->name, (int)server->pid);
        g_clear_pointer(&server->peer, virHandlerPeerUnref); /* the caller holds one */
    }
    g_hash_table_foreach(handlers->pending, failPending, peer);
    g_cond_broadcast(&handlers->answered);
    g_mutex_unlock(&handlers->lock);
}

/* --- grants --- */

static void
guestFree(void *opaque)
{
    virHandlerGuest *guest = opaque;

    g_free(guest->domain);
    g_array_unref(guest->grants);
    g_free(guest);
}

static guint
uuidHash(const void *uuid)
{
    guint hash;

    memcpy(&hash, uuid, sizeof(hash));
    return hash;
}

static gboolean
uuidEqual(const void *a, const void *b)
{
    return memcmp(a, b, HANDLER_UUID_BUFLEN) == 0;
}

/* The oldest ones of a guest that plugs and unplugs for ever are enough to know. */
void
virHandlersNote(virHandlers *handlers, const virDelegateCall *call, const virXdrHook *hook,
                uint64_t request)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&handlers->lock);
    virHandlerGuest *guest = g_hash_table_lookup(handlers->guests, call->uuid);
    virHandlerGrant grant = {request, hook};

    if (!guest) {
        guest = g_new0(virHandlerGuest, 1);
        guest->domain = g_strdup(call->domain);
        guest->grants = g_array_new(FALSE, FALSE, sizeof(virHandlerGrant));
        g_hash_table_insert(handlers->guests, g_memdup2(call->uuid, HANDLER_UUID_BUFLEN), guest);
    }
    if (guest->grants->len < HANDLER_GRANTS_MAX)
        g_array_append_val(guest->grants, grant);
}

GArray *
virHandlersGrants(virHandlers *handlers, const uint8_t uuid[16])
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&handlers->lock);
    const virHandlerGuest *guest = g_hash_table_lookup(handlers->guests, uuid);

    return guest ? g_array_copy(guest->grants) : g_array_new(FALSE, FALSE, sizeof(virHandlerGrant));
}

/* The peers that serve anything for the guest, each once, referenced. Under lock. */
static GPtrArray *
peersOf(virHandlers *handlers, const virHandlerGuest *guest, const uint8_t uuid[16])
{
    GPtrArray *peers = g_ptr_array_new_with_free_func((GDestroyNotify)virHandlerPeerUnref);

    for (guint i = 0; i < guest->grants->len; i++) {
        const virHandlerGrant *grant = &g_array_index(guest->grants, virHandlerGrant, i);
        const virHandlerServer *server =
            virHandlersFind(handlers, grant->hook, uuid, guest->domain);

        if (server && server->peer && !g_ptr_array_find(peers, server->peer, NULL))
            g_ptr_array_add(peers, virHandlerPeerRef(server->peer));
    }
    return peers;
}

void
virHandlersTeardown(virHandlers *handlers, const virDelegateCall *call)
{
    g_autoptr(GPtrArray) peers = NULL;
    g_autoptr(GArray) requests = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    handler_teardown_args args = {
        .call = {.domain = call->domain, .phase = HANDLER_PHASE_TEARDOWN}};

    g_mutex_lock(&handlers->lock);
    virHandlerGuest *guest = g_hash_table_lookup(handlers->guests, call->uuid);

    if (guest) {
        peers = peersOf(handlers, guest, call->uuid);
        for (guint i = guest->grants->len; i > 0; i--) {
            g_array_append_val(requests,
                               g_array_index(guest->grants, virHandlerGrant, i - 1).request);
        }
        g_hash_table_remove(handlers->guests, call->uuid);
    }
    g_mutex_unlock(&handlers->lock);
    memcpy(args.call.uuid, call->uuid, sizeof(args.call.uuid));
    args.requests_len = requests->len;
    args.requests_val = (uint64_t *)(void *)requests->data;
    for (guint i = 0; peers && i < peers->len; i++)
        virHandlerPeerTell(g_ptr_array_index(peers, i), HANDLER_PROC_TEARDOWN,
                           RPC_MESSAGE_TYPE_CALL, &handler_teardown_args_xdr, &args);
}

void
virHandlersResync(virHandlers *handlers, virHandlerPeer *peer, const virXdrHook *hook)
{
    g_autoptr(GArray) list = g_array_new(FALSE, TRUE, sizeof(handler_grant));
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    handler_resync_args args = {0};
    GHashTableIter iter;
    void *uuid, *value;

    g_mutex_lock(&handlers->lock);
    g_hash_table_iter_init(&iter, handlers->guests);
    while (g_hash_table_iter_next(&iter, &uuid, &value)) {
        const virHandlerGuest *guest = value;
        const virHandlerServer *server = virHandlersFind(handlers, hook, uuid, guest->domain);

        for (guint i = 0; server && server->peer == peer && i < guest->grants->len; i++) {
            const virHandlerGrant *grant = &g_array_index(guest->grants, virHandlerGrant, i);
            handler_grant row = {
                .request = grant->request, .hook = hook->number, .detail = hook->name};

            if (grant->hook != hook || list->len >= HANDLER_GRANTS_MAX)
                continue;
            memcpy(row.uuid, uuid, sizeof(row.uuid));
            g_ptr_array_add(texts, g_strdup(guest->domain));
            row.domain = g_ptr_array_index(texts, texts->len - 1);
            g_array_append_val(list, row);
        }
    }
    g_mutex_unlock(&handlers->lock);
    if (list->len == 0)
        return;
    args.grants_len = list->len;
    args.grants_val = (handler_grant *)(void *)list->data;
    virHandlerPeerTell(peer, HANDLER_PROC_RESYNC, RPC_MESSAGE_TYPE_CALL, &handler_resync_args_xdr,
                       &args);
}

/* --- making and ending --- */

virHandlers *
virHandlersNew(const char *instance)
{
    virHandlers *handlers = g_new0(virHandlers, 1);

    handlers->instance = g_strdup(instance);
    g_mutex_init(&handlers->lock);
    g_cond_init(&handlers->answered);
    handlers->users = g_array_new(FALSE, FALSE, sizeof(uid_t));
    handlers->listenFd = -1;
    handlers->peers = g_ptr_array_new_with_free_func((GDestroyNotify)virHandlerPeerUnref);
    handlers->servers = g_ptr_array_new_with_free_func(serverFree);
    handlers->pending = g_hash_table_new(NULL, NULL);
    handlers->expired = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    handlers->guests = g_hash_table_new_full(uuidHash, uuidEqual, g_free, guestFree);
    /* Request ids are never used twice, not even by the next daemon. */
    handlers->request = (uint64_t)g_get_real_time();
    virHandlersAllowUser(handlers, 0);
    virHandlersAllowUser(handlers, geteuid());
    return handlers;
}

void
virHandlersFree(virHandlers *handlers)
{
    if (!handlers)
        return;
    virHandlerPeersEnd(handlers);
    g_ptr_array_unref(handlers->servers);
    g_ptr_array_unref(handlers->peers);
    g_hash_table_unref(handlers->pending);
    g_hash_table_unref(handlers->expired);
    g_hash_table_unref(handlers->guests);
    g_array_unref(handlers->users);
    g_cond_clear(&handlers->answered);
    g_mutex_clear(&handlers->lock);
    g_free(handlers->path);
    g_free(handlers->instance);
    g_free(handlers);
}
