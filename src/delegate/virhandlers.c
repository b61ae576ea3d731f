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
#include "util/virfile.h"
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

enum {
    RUNS_EACH = 16, /* of 2^32 request ids, for one daemon: two years of 1000 a second */
    OWED_MAX = 1024,
    GRACE_US = 10 * 1000 * 1000, /* for a handler to come back, where something is taken back */
};

enum { LOOK_US = 150 }; /* what most answers take, those that make a group among them */

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

bool
virHandlersHandsOut(const virHandlers *handlers, const char *name)
{
    const virXdrHook *hook = virXdrHookByName(name);

    switch (hook ? handlers->policies[hook->number] : VIR_HANDLER_POLICY_SELF) {
    case VIR_HANDLER_POLICY_HANDLER:
    case VIR_HANDLER_POLICY_HANDLER_OR_SELF:
    case VIR_HANDLER_POLICY_SKIP_IF_SATISFIED:
        return true;
    default:
        return false;
    }
}

void
virHandlersAllowUser(virHandlers *handlers, uid_t uid)
{
    g_array_append_val(handlers->users, uid);
}

void
virHandlersAllowGroup(virHandlers *handlers, const char *group)
{
    size_t len = strlen(group);

    /* The root is all of them. */
    g_ptr_array_add(handlers->groups,
                    g_strndup(group, len && group[len - 1] == '/' ? len - 1 : len));
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

/* An earlier daemon had it done by a handler, which has not come back yet. Under lock. */
static bool
wasServed(const virHandlers *handlers, const virXdrHook *hook, const uint8_t uuid[16])
{
    const virHandlerGuest *guest = g_hash_table_lookup(handlers->guests, uuid);

    for (guint i = 0; guest && guest->adopted && i < guest->grants->len; i++) {
        if (((virHandlerGrant *)g_ptr_array_index(guest->grants, i))->hook == hook)
            return true;
    }
    return false;
}

/* A handler that has just gone may be on its way back: what takes things back waits for it. Under
 * lock, which is given up. */
virHandlerServer *
virHandlersAwait(virHandlers *handlers, const virDelegateCall *call, const virXdrHook *hook)
{
    virHandlerServer *server;

    for (;;) {
        server = virHandlersFind(handlers, hook, call->uuid, call->domain);
        if ((server && server->peer) || call->phase != VIR_DELEGATE_PHASE_TEARDOWN ||
            !g_cond_wait_until(&handlers->answered, &handlers->lock,
                               (server ? server->gone_us : handlers->began_us) + GRACE_US))
            return server;
    }
}

static bool
notConnected(const virXdrHook *hook, GError **error)
{
    return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                       _("the handler of %s is not connected; try again when it is back"),
                       hook->name);
}

/* Somebody else did it before, and must now; but better the daemon takes things back than nobody.
 */
static bool
chooseForAbsent(const virDelegateCall *call, const virXdrHook *hook, virHandlerChoice *retChoice,
                GError **error)
{
    if (call->phase != VIR_DELEGATE_PHASE_TEARDOWN)
        return notConnected(hook, error);
    VIR_WARN("domain '%s': the handler of %s has not come back: the daemon takes back what it did",
             call->domain, hook->name);
    *retChoice = VIR_HANDLER_SELF;
    return true;
}

/* By the policy handler, or auto. Under lock, which is given up. */
static bool
chooseServer(virHandlers *handlers, const virDelegateCall *call, const virXdrHook *hook,
             virHandlerChoice *retChoice, GError **error)
{
    bool needed = handlers->policies[hook->number] == VIR_HANDLER_POLICY_HANDLER;
    const virHandlerServer *server = virHandlersFind(handlers, hook, call->uuid, call->domain);

    *retChoice = VIR_HANDLER_SELF;
    if (!server && !needed && !wasServed(handlers, hook, call->uuid))
        return true;
    server = virHandlersAwait(handlers, call, hook);
    if (server && server->peer) {
        *retChoice = VIR_HANDLER_ASK;
        return true;
    }
    if (!needed)
        return chooseForAbsent(call, hook, retChoice, error);
    return server ? notConnected(hook, error)
                  : virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                                _("no handler is registered for %s, and the configuration asks "
                                  "for one"),
                                hook->name);
}

bool
virHandlersChoose(virHandlers *handlers, const virDelegateCall *call, const virXdrHook *hook,
                  virHandlerChoice *retChoice, GError **error)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED = g_mutex_locker_new(&handlers->lock);
    const virHandlerServer *server;
    virHandlerGuest *guest = g_hash_table_lookup(handlers->guests, call->uuid);

    if (guest)
        guest->last = 0;
    switch (handlers->policies[hook->number]) {
    case VIR_HANDLER_POLICY_SELF:
        *retChoice = VIR_HANDLER_SELF;
        return true;
    case VIR_HANDLER_POLICY_OFF:
        *retChoice = VIR_HANDLER_NONE;
        return true;
    case VIR_HANDLER_POLICY_HANDLER_OR_SELF:
        server = virHandlersFind(handlers, hook, call->uuid, call->domain);
        *retChoice = server && server->peer ? VIR_HANDLER_ASK : VIR_HANDLER_SELF;
        return true;
    case VIR_HANDLER_POLICY_SKIP_IF_SATISFIED:
        *retChoice = VIR_HANDLER_ASK; /* which fails when it comes to it and nobody is there */
        return true;
    case VIR_HANDLER_POLICY_HANDLER:
    case VIR_HANDLER_POLICY_AUTO:
    case VIR_HANDLER_POLICY_LAST:
        break;
    }
    return chooseServer(handlers, call, hook, retChoice, error);
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
    g_cond_broadcast(&handlers->answered); /* who waits for it to come back */
    g_clear_pointer(&guard,
                    g_mutex_locker_free); /* the last reference's end takes no lock of ours */
    VIR_INFO("process %d of user %u serves %s for %s", (int)peer->pid, (unsigned)peer->uid,
             hook->name, args->uuid_len ? "a guest" : args->pattern);
    if (handlers->journal.served)
        handlers->journal.served(hook, handlers->journal.opaque);
    return true;
}

/* Their grants are looked at and saved in jobs of their own. Not under lock. */
static void
postResync(virHandlers *handlers, const GArray *uuids)
{
    for (guint i = 0; handlers->journal.resync && i < uuids->len; i++)
        handlers->journal.resync((const uint8_t *)uuids->data + (size_t)i * HANDLER_UUID_BUFLEN,
                                 handlers->journal.opaque);
}

/* Who takes his leave answers for nothing any more: the daemon goes on without him. The guests with
 * grants that he gave. Under lock. */
static GArray *
dropGrants(virHandlers *handlers, const virXdrHook *hook)
{
    GArray *uuids = g_array_new(FALSE, FALSE, HANDLER_UUID_BUFLEN);
    GHashTableIter iter;
    void *uuid, *value;

    g_hash_table_iter_init(&iter, handlers->guests);
    while (g_hash_table_iter_next(&iter, &uuid, &value)) {
        virHandlerGuest *guest = value;
        guint before = guest->grants->len;

        if (virHandlersFind(handlers, hook, uuid, guest->domain))
            continue; /* another one does it for this guest */
        for (guint i = before; i > 0; i--) {
            const virHandlerGrant *grant = g_ptr_array_index(guest->grants, i - 1);

            if (grant->hook == hook && !grant->waiting)
                g_ptr_array_remove_index(guest->grants, i - 1);
        }
        if (guest->grants->len == before)
            continue;
        guest->changes++;
        g_array_append_vals(uuids, uuid, 1);
    }
    return uuids;
}

static bool
removeServer(virHandlers *handlers, const virHandlerPeer *peer, uint32_t id,
             const virXdrHook **retHook)
{
    for (guint i = 0; i < handlers->servers->len; i++) {
        const virHandlerServer *server = g_ptr_array_index(handlers->servers, i);

        if (server->id == id && server->peer == peer) {
            *retHook = server->hook;
            g_ptr_array_remove_index(handlers->servers, i); /* the caller holds peer too */
            return true;
        }
    }
    return false;
}

bool
virHandlersUnregister(virHandlers *handlers, const virHandlerPeer *peer, uint32_t id,
                      GError **error)
{
    g_autoptr(GArray) uuids = NULL;
    const virXdrHook *hook = NULL;

    g_mutex_lock(&handlers->lock);
    if (removeServer(handlers, peer, id, &hook))
        uuids = dropGrants(handlers, hook);
    g_mutex_unlock(&handlers->lock);
    if (!hook)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("no registration %u of this handler"), id);
    postResync(handlers, uuids);
    if (handlers->journal.served)
        handlers->journal.served(hook, handlers->journal.opaque);
    return true;
}

bool
virHandlersServes(const virHandlers *handlers, const virHandlerPeer *peer)
{
    for (guint i = 0; i < handlers->servers->len; i++) {
        if (((virHandlerServer *)g_ptr_array_index(handlers->servers, i))->peer == peer)
            return true;
    }
    return false;
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
        server->gone_us = g_get_monotonic_time();
        g_clear_pointer(&server->peer, virHandlerPeerUnref); /* the caller holds one */
    }
    g_hash_table_foreach(handlers->pending, failPending, peer);
    g_cond_broadcast(&handlers->answered);
    g_mutex_unlock(&handlers->lock);
}

/* --- grants, when a handler comes or a guest goes --- */

static void
guestFree(void *opaque)
{
    virHandlerGuestFree(opaque);
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

static void
owedFree(void *opaque)
{
    virHandlerOwed *owed = opaque;

    g_free(owed->domain);
    g_array_unref(owed->requests);
    g_free(owed);
}

static uint64_t
hookBit(const virXdrHook *hook)
{
    G_STATIC_ASSERT(HANDLER_PROC_LAST <= 64);
    return UINT64_C(1) << hook->number;
}

/* Every request that the guest's handlers may have done, the latest first. */
static GArray *
guestRequests(const virHandlerGuest *guest)
{
    GArray *requests = g_array_new(FALSE, FALSE, sizeof(uint64_t));

    /* Of a start that an earlier daemon began it is not known how far it came. */
    for (uint64_t id = guest->adopted ? guest->leaseEnd : 0; id > guest->leaseNext; id--) {
        uint64_t request = id - 1;

        g_array_append_val(requests, request);
    }
    for (guint i = guest->grants->len; i > 0; i--) {
        const virHandlerGrant *grant = g_ptr_array_index(guest->grants, i - 1);

        g_array_append_val(requests, grant->request);
    }
    return requests;
}

/* Who is to be told of the guest's end, each once, referenced; *retMissing: hooks whose handlers
 * are not there. Under lock. */
static GPtrArray *
guestPeers(virHandlers *handlers, const virHandlerGuest *guest, const uint8_t uuid[16],
           uint64_t *retMissing)
{
    GPtrArray *peers = g_ptr_array_new_with_free_func((GDestroyNotify)virHandlerPeerUnref);
    bool doubt = guest->adopted && guest->leaseNext < guest->leaseEnd;
    uint64_t hooks = 0;

    for (guint i = 0; i < guest->grants->len; i++)
        hooks |= hookBit(((virHandlerGrant *)g_ptr_array_index(guest->grants, i))->hook);
    *retMissing = 0;
    for (size_t i = 0; i < virXdrHooksCount; i++) {
        const virXdrHook *hook = &virXdrHooks[i];
        const virHandlerServer *server = virHandlersFind(handlers, hook, uuid, guest->domain);

        if (!(hooks & hookBit(hook)) && !(doubt && server))
            continue;
        if (!server || !server->peer)
            *retMissing |= hookBit(hook);
        else if (!g_ptr_array_find(peers, server->peer, NULL))
            g_ptr_array_add(peers, virHandlerPeerRef(server->peer));
    }
    if (doubt && peers->len == 0)
        *retMissing = ~UINT64_C(0);
    return peers;
}

void
virHandlersTellTeardown(virHandlerPeer *peer, const uint8_t uuid[16], const char *domain,
                        const GArray *requests)
{
    handler_teardown_args args = {
        .call = {.domain = (char *)domain, .phase = HANDLER_PHASE_TEARDOWN},
        .requests_len = requests->len,
        .requests_val = (uint64_t *)(void *)requests->data};

    memcpy(args.call.uuid, uuid, sizeof(args.call.uuid));
    virHandlerPeerTell(peer, HANDLER_PROC_TEARDOWN, RPC_MESSAGE_TYPE_CALL,
                       &handler_teardown_args_xdr, &args);
}

/* Under lock. */
static void
owe(virHandlers *handlers, const virDelegateCall *call, const GArray *requests, uint64_t hooks)
{
    virHandlerOwed *owed;

    if (!hooks || requests->len == 0 || handlers->owed->len >= OWED_MAX)
        return;
    owed = g_new0(virHandlerOwed, 1);
    memcpy(owed->uuid, call->uuid, sizeof(owed->uuid));
    owed->domain = g_strdup(call->domain);
    owed->requests = g_array_copy((GArray *)requests);
    owed->hooks = hooks;
    g_ptr_array_add(handlers->owed, owed);
}

void
virHandlersTeardown(virHandlers *handlers, const virDelegateCall *call)
{
    g_autoptr(GPtrArray) peers = NULL;
    g_autoptr(GArray) requests = NULL;
    uint64_t missing = 0;

    g_mutex_lock(&handlers->lock);
    virHandlerGuest *guest = g_hash_table_lookup(handlers->guests, call->uuid);

    if (guest) {
        peers = guestPeers(handlers, guest, call->uuid, &missing);
        requests = guestRequests(guest);
        owe(handlers, call, requests, missing);
        g_hash_table_remove(handlers->guests, call->uuid);
    }
    g_mutex_unlock(&handlers->lock);
    for (guint i = 0; peers && requests->len > 0 && i < peers->len; i++)
        virHandlersTellTeardown(g_ptr_array_index(peers, i), call->uuid, call->domain, requests);
}

/* The next of what is owed to the peer for this hook; taken off the list where that was the last.
 * Under lock. */
static bool
takeOwed(virHandlers *handlers, const virHandlerPeer *peer, const virXdrHook *hook,
         virHandlerOwed *retOwed)
{
    for (guint i = 0; i < handlers->owed->len; i++) {
        virHandlerOwed *owed = g_ptr_array_index(handlers->owed, i);
        const virHandlerServer *server = virHandlersFind(handlers, hook, owed->uuid, owed->domain);
        bool told = owed->told == peer;

        if (!(owed->hooks & hookBit(hook)) || !server || server->peer != peer)
            continue;
        *retOwed = *owed;
        retOwed->domain = g_strdup(owed->domain);
        retOwed->requests = g_array_ref(owed->requests);
        owed->told = peer;
        owed->hooks = owed->hooks == ~UINT64_C(0) ? 0 : owed->hooks & ~hookBit(hook);
        if (!owed->hooks)
            g_ptr_array_remove_index(handlers->owed, i);
        if (!told)
            return true;
        g_free(retOwed->domain);
        g_array_unref(retOwed->requests);
        i = 0; /* from the beginning: the list may be shorter */
    }
    return false;
}

/* The guests with grants of the hook that this peer now answers for; they are marked. Under lock.
 */
static GArray *
markStale(virHandlers *handlers, const virHandlerPeer *peer, const virXdrHook *hook)
{
    GArray *uuids = g_array_new(FALSE, FALSE, HANDLER_UUID_BUFLEN);
    GHashTableIter iter;
    void *uuid, *value;

    g_hash_table_iter_init(&iter, handlers->guests);
    while (g_hash_table_iter_next(&iter, &uuid, &value)) {
        virHandlerGuest *guest = value;
        const virHandlerServer *server = virHandlersFind(handlers, hook, uuid, guest->domain);
        bool any = false;

        for (guint i = 0; server && server->peer == peer && i < guest->grants->len; i++) {
            virHandlerGrant *grant = g_ptr_array_index(guest->grants, i);

            if (grant->hook == hook && grant->state != VIR_HANDLER_GRANT_PAST && !grant->waiting)
                any = grant->stale = true;
        }
        if (any && !guest->resyncing) {
            guest->resyncing = true;
            g_array_append_vals(uuids, uuid, 1);
        }
    }
    return uuids;
}

void
virHandlersReturned(virHandlers *handlers, virHandlerPeer *peer, const virXdrHook *hook)
{
    g_autoptr(GArray) uuids = NULL;
    virHandlerOwed owed;
    bool any;

    do {
        g_mutex_lock(&handlers->lock);
        any = takeOwed(handlers, peer, hook, &owed);
        g_mutex_unlock(&handlers->lock);
        if (!any)
            break;
        virHandlersTellTeardown(peer, owed.uuid, owed.domain, owed.requests);
        g_free(owed.domain);
        g_array_unref(owed.requests);
    } while (any);
    g_mutex_lock(&handlers->lock);
    uuids = markStale(handlers, peer, hook);
    g_mutex_unlock(&handlers->lock);
    postResync(handlers, uuids);
}

/* --- making and ending --- */

bool
virHandlersSeed(virHandlers *handlers, const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "runs", NULL);
    g_autofree char *before = virFileRead(path, 64, NULL, NULL); /* at first there is none */
    uint64_t run = before ? g_ascii_strtoull(before, NULL, 10) : 0;
    g_autofree char *after = NULL;

    /* Seconds of the clock, unless that went back. */
    run = MAX(run, handlers->request >> HANDLERS_RUN_BITS);
    handlers->request = run << HANDLERS_RUN_BITS;
    after = g_strdup_printf("%" G_GUINT64_FORMAT "\n", run + RUNS_EACH);
    return virFileWrite(path, after, strlen(after), 0600, VIR_FILE_VOLATILE, error);
}

virHandlers *
virHandlersNew(const char *instance)
{
    virHandlers *handlers = g_new0(virHandlers, 1);

    handlers->instance = g_strdup(instance);
    g_mutex_init(&handlers->lock);
    g_cond_init(&handlers->answered);
    handlers->users = g_array_new(FALSE, FALSE, sizeof(uid_t));
    handlers->groups = g_ptr_array_new_with_free_func(g_free);
    handlers->look_us = g_get_num_processors() > 1 ? LOOK_US : 0;
    handlers->listenFd = -1;
    handlers->peers = g_ptr_array_new_with_free_func((GDestroyNotify)virHandlerPeerUnref);
    handlers->servers = g_ptr_array_new_with_free_func(serverFree);
    handlers->pending = g_hash_table_new(NULL, NULL);
    handlers->expired = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    handlers->interrupted = g_hash_table_new_full(uuidHash, uuidEqual, g_free, NULL);
    handlers->guests = g_hash_table_new_full(uuidHash, uuidEqual, g_free, guestFree);
    handlers->owed = g_ptr_array_new_with_free_func(owedFree);
    handlers->began_us = g_get_monotonic_time();
    handlers->request = (uint64_t)(g_get_real_time() / G_USEC_PER_SEC) << HANDLERS_RUN_BITS;
    virHandlersAllowUser(handlers, 0);
    virHandlersAllowUser(handlers, geteuid());
    return handlers;
}

void
virHandlersSetInstance(virHandlers *handlers, const char *instance)
{
    g_free(handlers->instance);
    handlers->instance = g_strdup(instance);
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
    g_hash_table_unref(handlers->interrupted);
    g_hash_table_unref(handlers->guests);
    g_ptr_array_unref(handlers->owed);
    g_array_unref(handlers->users);
    g_ptr_array_unref(handlers->groups);
    g_cond_clear(&handlers->answered);
    g_mutex_clear(&handlers->lock);
    g_free(handlers->path);
    g_free(handlers->instance);
    g_free(handlers);
}
