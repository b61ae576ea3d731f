/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlergrants.c: the list of grants of each guest, and its place in the status file. All of it
 * is memory; who writes the file is told by the journal. */
#include "delegate/virhandlergrants.h"

#include <inttypes.h>
#include <string.h>

#include "delegate/virhandlerspriv.h"
#include "util/virenum.h"
#include "util/virerror.h"
#include "util/virlog.h"

enum {
    LEASE = 256,     /* requests of a start before the file is written once more */
    LIVE_MAX = 8192, /* what is beyond is not asked about after a restart */
    PAST_MAX = 1024, /* the oldest ones know how things were before */
    ARGS_MAX = 4096, /* bytes; a gate's rules come from the document */
};

VIR_ENUM_DECL(virHandlerGrantState);
VIR_ENUM_IMPL(virHandlerGrantState, VIR_HANDLER_GRANT_LAST, "asked", "granted", "kept", "seen",
              "redone", "lost", "past");

/* --- which hooks leave something behind --- */

/* What a hook that takes something away ends, on the same target or below it. */
static const struct {
    uint32_t hook;
    uint32_t ends[5];
} endings[] = {
    {HANDLER_PROC_TEARDOWN, {0}},
    {HANDLER_PROC_BARRIER, {0}},
    {HANDLER_PROC_CGROUP_REMOVE,
     {HANDLER_PROC_CGROUP_CREATE, HANDLER_PROC_CGROUP_SET, HANDLER_PROC_CGROUP_MOVE}},
    {HANDLER_PROC_GATE_REMOVE,
     {HANDLER_PROC_GATE_CREATE, HANDLER_PROC_GATE_UPDATE, HANDLER_PROC_GATE_REPLACE}},
    {HANDLER_PROC_TAP_REMOVE,
     {HANDLER_PROC_TAP_CREATE, HANDLER_PROC_NET_ATTACH, HANDLER_PROC_NET_SET,
      HANDLER_PROC_NET_BANDWIDTH}},
    {HANDLER_PROC_NET_DETACH, {HANDLER_PROC_NET_ATTACH}},
    {HANDLER_PROC_PCI_RELEASE, {HANDLER_PROC_PCI_BIND}},
};

/* The row of a hook without a lasting effect; NULL: it has one. */
static const uint32_t *
endingOf(const virXdrHook *hook)
{
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        if (endings[i].hook == hook->number)
            return endings[i].ends;
    }
    return NULL;
}

/* --- one grant --- */

void
virHandlerGrantFree(void *opaque)
{
    virHandlerGrant *grant = opaque;

    if (!grant)
        return;
    g_free(grant->target);
    g_clear_pointer(&grant->args, g_bytes_unref);
    g_free(grant);
}

static virHandlerGrant *
grantCopy(const virHandlerGrant *grant)
{
    virHandlerGrant *copy = g_memdup2(grant, sizeof(*grant));

    copy->target = g_strdup(grant->target);
    copy->args = grant->args ? g_bytes_ref(grant->args) : NULL;
    return copy;
}

/* The text of a field, NULL if there is none of that name. */
static const char *
fieldText(const virXdrType *type, const void *value, const char *name)
{
    const virXdrField *field = virXdrTypeField(type, name);

    if (!field || field->kind != VIR_XDR_STRING || field->shape != VIR_XDR_PLAIN)
        return NULL;
    return *(const char *const *)(const void *)((const char *)value + field->offset);
}

const handler_threads *
virHandlerHookThreads(const virXdrHook *hook, const void *args)
{
    const virXdrField *field = args ? virXdrTypeField(hook->args, "threads") : NULL;

    return field && field->type == &handler_threads_xdr
               ? (const void *)((const char *)args + field->offset)
               : NULL;
}

static void
appendThreads(GString *text, const virXdrHook *hook, const void *args)
{
    const handler_threads *threads = virHandlerHookThreads(hook, args);

    for (uint32_t i = 0; threads && i < threads->tids_len; i++)
        g_string_append_printf(text, "%s%u",
                               i           ? ","
                               : text->len ? " threads "
                                           : "threads ",
                               threads->tids_val[i]);
}

/* A hook's target as words: the path of what its first descriptor is, and the names beside it. */
static char *
describeTarget(const virXdrHook *hook, const void *args, const int *fds, size_t nfds)
{
    static const char *const paths[] = {"file", "folder", "group", "parent group", NULL};
    static const char *const names[] = {"name", "identity", "file", "address"};
    GString *text = g_string_new(NULL);

    if (nfds > 0 && hook->takes[0] && g_strv_contains(paths, hook->takes[0])) {
        g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fds[0]);
        g_autofree char *path = g_file_read_link(link, NULL);

        g_string_append(text, path ? path : "?");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *name = fieldText(hook->args, args, names[i]);

        if (name && *name)
            g_string_append_printf(text, "%s%s", text->len ? "/" : "", name);
    }
    appendThreads(text, hook, args);
    if (text->len == 0 && hook->number == HANDLER_PROC_DEVICE_OPEN)
        g_string_append_printf(text, "device %d", ((const handler_device_open_args *)args)->device);
    else if (text->len == 0)
        g_string_append(text, hook->takes[0] ? hook->takes[0] : hook->name);
    return g_string_free(text, FALSE);
}

static GBytes *
keepArguments(const virXdrHook *hook, const void *args)
{
    g_auto(virNetBuffer) buffer = {0};

    virNetBufferInit(&buffer, ARGS_MAX);
    return virXdrEncode(hook->args, args, &buffer, NULL) ? g_bytes_new(buffer.data, buffer.len)
                                                         : NULL;
}

virHandlerGrant *
virHandlerGrantNew(const virXdrHook *hook, handler_call *args, const int *fds, size_t nfds)
{
    virHandlerGrant *grant = g_new0(virHandlerGrant, 1);

    *args = (handler_call){.domain = ""}; /* whose it is, the file says */
    grant->hook = hook;
    grant->target = describeTarget(hook, args, fds, nfds);
    grant->args = endingOf(hook) ? NULL : keepArguments(hook, args);
    return grant;
}

/* --- a guest's --- */

static virHandlerGuest *
guestNew(const char *domain)
{
    virHandlerGuest *guest = g_new0(virHandlerGuest, 1);

    guest->domain = g_strdup(domain);
    guest->grants = g_ptr_array_new_with_free_func(virHandlerGrantFree);
    return guest;
}

void
virHandlerGuestFree(virHandlerGuest *guest)
{
    if (!guest)
        return;
    g_free(guest->domain);
    g_ptr_array_unref(guest->grants);
    g_free(guest);
}

/* Under lock. */
static virHandlerGuest *
guestMake(virHandlers *handlers, const virDelegateCall *call)
{
    virHandlerGuest *guest = g_hash_table_lookup(handlers->guests, call->uuid);

    if (!guest) {
        guest = guestNew(call->domain);
        g_hash_table_insert(handlers->guests, g_memdup2(call->uuid, HANDLER_UUID_BUFLEN), guest);
    }
    return guest;
}

/* Under lock. */
virHandlerGrant *
virHandlerGuestGrant(const virHandlerGuest *guest, uint64_t request)
{
    for (guint i = guest ? guest->grants->len : 0; i > 0; i--) {
        virHandlerGrant *grant = g_ptr_array_index(guest->grants, i - 1);

        if (grant->request == request)
            return grant;
    }
    return NULL;
}

/* Under lock. */
static void
guestDrop(virHandlerGuest *guest, virHandlerGrant *grant)
{
    guest->changes++;
    g_ptr_array_remove(guest->grants, grant);
}

GPtrArray *
virHandlersGrants(virHandlers *handlers, const uint8_t uuid[16])
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED =
        handlers ? g_mutex_locker_new(&handlers->lock) : NULL;
    const virHandlerGuest *guest = handlers ? g_hash_table_lookup(handlers->guests, uuid) : NULL;
    GPtrArray *copies = g_ptr_array_new_with_free_func(virHandlerGrantFree);

    for (guint i = 0; guest && i < guest->grants->len; i++)
        g_ptr_array_add(copies, grantCopy(g_ptr_array_index(guest->grants, i)));
    return copies;
}

/* --- asked, answered --- */

/* Calls whose effects are a guest's own, and stay: not those on the way back. */
static bool
isNoted(const virDelegateCall *call)
{
    static const uint8_t nobody[HANDLER_UUID_BUFLEN];

    return call->phase != VIR_DELEGATE_PHASE_TEARDOWN &&
           memcmp(call->uuid, nobody, sizeof(nobody)) != 0;
}

/* Under lock. */
static void
takeLease(virHandlers *handlers, virHandlerGuest *guest)
{
    guest->leaseNext = handlers->request + 1;
    guest->leaseEnd = guest->leaseNext + LEASE;
    handlers->request += LEASE;
    guest->leaseChange = ++guest->changes;
}

uint64_t
virHandlersNoteAsked(virHandlers *handlers, const virDelegateCall *call, virHandlerGrant **grant,
                     bool *retSave)
{
    virHandlerGuest *guest;

    *retSave = false;
    if (!isNoted(call) || endingOf((*grant)->hook))
        return ++handlers->request;
    guest = guestMake(handlers, call);
    if (guest->leased && guest->leaseNext == guest->leaseEnd)
        takeLease(handlers, guest);
    if (guest->leased) {
        (*grant)->request = guest->leaseNext++;
        *retSave = guest->saved < guest->leaseChange;
    } else {
        (*grant)->request = ++handlers->request;
        *retSave = true;
    }
    guest->changes++;
    (*grant)->waiting = true;
    g_ptr_array_add(guest->grants, *grant);
    /* A job of the guest's own is what may write its file. */
    *retSave = *retSave && call->phase != VIR_DELEGATE_PHASE_RECONNECT;
    return g_steal_pointer(grant)->request;
}

/* What was done to the same thing before is past. Under lock. */
static void
supersede(virHandlerGuest *guest, const virHandlerGrant *now)
{
    guint past = 0;

    for (guint i = 0; i < guest->grants->len; i++) {
        virHandlerGrant *grant = g_ptr_array_index(guest->grants, i);

        past += grant->state == VIR_HANDLER_GRANT_PAST;
        if (grant == now || grant->hook != now->hook || grant->state == VIR_HANDLER_GRANT_ASKED ||
            grant->state == VIR_HANDLER_GRANT_PAST || !g_str_equal(grant->target, now->target))
            continue;
        grant->state = VIR_HANDLER_GRANT_PAST;
        grant->stale = false;
        g_clear_pointer(&grant->args, g_bytes_unref);
        if (past >= PAST_MAX)
            g_ptr_array_remove_index(guest->grants, i--);
    }
}

/* Where an answer has a name, that is the target: a request may leave it to the handler. */
static void
takeName(virHandlerGrant *grant, const void *ret)
{
    const char *name = ret ? fieldText(grant->hook->ret, ret, "name") : NULL;

    if (!name || !*name)
        return;
    g_free(grant->target);
    grant->target = g_strdup(name);
}

void
virHandlersNoteAnswered(virHandlers *handlers, const virDelegateCall *call, uint64_t request,
                        bool done, const void *ret)
{
    virHandlerGuest *guest = g_hash_table_lookup(handlers->guests, call->uuid);
    virHandlerGrant *grant = virHandlerGuestGrant(guest, request);

    if (!grant)
        return;
    if (!done || guest->grants->len > LIVE_MAX + PAST_MAX) {
        guestDrop(guest, grant);
        return;
    }
    guest->changes++;
    grant->waiting = false;
    grant->state = guest->redoing ? VIR_HANDLER_GRANT_REDONE : VIR_HANDLER_GRANT_GRANTED;
    takeName(grant, ret);
    supersede(guest, grant);
    guest->last = request;
}

void
virHandlersNoteUnanswered(virHandlers *handlers, const virDelegateCall *call, uint64_t request)
{
    virHandlerGrant *grant =
        virHandlerGuestGrant(g_hash_table_lookup(handlers->guests, call->uuid), request);

    if (grant)
        grant->waiting = false;
}

void
virHandlersNoteUndone(virHandlers *handlers, uint64_t request)
{
    GHashTableIter iter;
    void *guest;

    g_hash_table_iter_init(&iter, handlers->guests);
    while (g_hash_table_iter_next(&iter, NULL, &guest)) {
        virHandlerGrant *grant = virHandlerGuestGrant(guest, request);

        if (grant) {
            guestDrop(guest, grant);
            return;
        }
    }
}

void
virHandlersNoteEnded(virHandlers *handlers, const virDelegateCall *call, const virXdrHook *hook,
                     const char *target)
{
    virHandlerGuest *guest = g_hash_table_lookup(handlers->guests, call->uuid);
    const uint32_t *ends = endingOf(hook);
    size_t len = strlen(target);

    for (guint i = guest && ends ? guest->grants->len : 0; i > 0; i--) {
        virHandlerGrant *grant = g_ptr_array_index(guest->grants, i - 1);

        for (size_t n = 0; n < G_N_ELEMENTS(endings[0].ends) && ends[n]; n++) {
            if (grant->hook->number == ends[n] && strncmp(grant->target, target, len) == 0 &&
                (grant->target[len] == '\0' || strchr("/ ", grant->target[len]))) {
                guestDrop(guest, grant);
                break;
            }
        }
    }
}

/* --- a start --- */

void
virHandlersAnnounce(virHandlers *handlers, const virDelegateCall *call)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED =
        handlers ? g_mutex_locker_new(&handlers->lock) : NULL;
    virHandlerGuest *guest;

    if (!handlers || handlers->servers->len == 0)
        return;
    guest = guestMake(handlers, call);
    guest->leased = true;
    takeLease(handlers, guest);
}

void
virHandlersSettle(virHandlers *handlers, const uint8_t uuid[16])
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED =
        handlers ? g_mutex_locker_new(&handlers->lock) : NULL;
    virHandlerGuest *guest = handlers ? g_hash_table_lookup(handlers->guests, uuid) : NULL;

    if (!guest)
        return;
    guest->leased = false;
    guest->leaseNext = guest->leaseEnd = 0;
    guest->changes++;
}

/* --- in the status file --- */

static void
formatGrant(const virHandlerGrant *grant, virXMLWriter *w)
{
    g_autofree char *args = NULL;

    if (grant->args) {
        size_t len;
        const void *bytes = g_bytes_get_data(grant->args, &len);

        args = g_base64_encode(bytes, len);
    }
    virXMLWriterOpen(w, "grant");
    virXMLWriterAttrF(w, "request", "%" PRIu64, grant->request);
    virXMLWriterAttr(w, "hook", grant->hook->name);
    virXMLWriterAttr(w, "state", virHandlerGrantStateToString((int)grant->state));
    virXMLWriterAttr(w, "target", grant->target);
    virXMLWriterAttr(w, "args", args);
    virXMLWriterClose(w);
}

uint64_t
virHandlersFormatGrants(virHandlers *handlers, const uint8_t uuid[16], virXMLWriter *w)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED =
        handlers ? g_mutex_locker_new(&handlers->lock) : NULL;
    const virHandlerGuest *guest = handlers ? g_hash_table_lookup(handlers->guests, uuid) : NULL;

    if (!guest)
        return 0;
    virXMLWriterOpen(w, "grants");
    if (guest->leased) {
        virXMLWriterAttrF(w, "from", "%" PRIu64, guest->leaseNext);
        virXMLWriterAttrF(w, "to", "%" PRIu64, guest->leaseEnd);
    }
    for (guint i = 0; i < guest->grants->len; i++)
        formatGrant(g_ptr_array_index(guest->grants, i), w);
    virXMLWriterCloseUnlessEmpty(w);
    return guest->changes;
}

void
virHandlersGrantsSaved(virHandlers *handlers, const uint8_t uuid[16], uint64_t number)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED =
        handlers ? g_mutex_locker_new(&handlers->lock) : NULL;
    virHandlerGuest *guest = handlers ? g_hash_table_lookup(handlers->guests, uuid) : NULL;

    if (guest)
        guest->saved = MAX(guest->saved, number);
}

static uint64_t
readNumber(const xmlNode *node, const char *name)
{
    const char *text = virXMLAttrPeek(node, name);

    return text ? g_ascii_strtoull(text, NULL, 10) : 0;
}

static virHandlerGrant *
parseGrant(const xmlNode *node)
{
    g_autofree char *hook = virXMLAttr(node, "hook");
    g_autofree char *state = virXMLAttr(node, "state");
    g_autofree char *args = virXMLAttr(node, "args");
    int number = state ? virHandlerGrantStateFromString(state) : -1;
    virHandlerGrant *grant = g_new0(virHandlerGrant, 1);

    grant->request = readNumber(node, "request");
    grant->hook = hook ? virXdrHookByName(hook) : NULL;
    grant->target = virXMLAttr(node, "target");
    if (!grant->hook || grant->request == 0 || !grant->target || number < 0) {
        VIR_WARN("grant %" PRIu64 " of %s is left out", grant->request, hook ? hook : "no hook");
        virHandlerGrantFree(grant);
        return NULL;
    }
    grant->state = (virHandlerGrantState)number;
    grant->stale = grant->state != VIR_HANDLER_GRANT_PAST;
    if (args) {
        size_t len;
        uint8_t *bytes = g_base64_decode(args, &len);

        grant->args = g_bytes_new_take(bytes, len);
    }
    return grant;
}

virHandlerGuest *
virHandlerGuestParse(const char *domain, const xmlNode *node)
{
    virHandlerGuest *guest;

    if (!node)
        return NULL;
    guest = guestNew(domain);
    guest->leaseNext = readNumber(node, "from");
    guest->leaseEnd = readNumber(node, "to");
    if (guest->leaseEnd < guest->leaseNext || guest->leaseEnd - guest->leaseNext > LEASE)
        guest->leaseNext = guest->leaseEnd = 0;
    virXMLForEachChildNamed (node, child, "grant") {
        virHandlerGrant *grant = parseGrant(child);

        if (grant)
            g_ptr_array_add(guest->grants, grant);
    }
    return guest;
}

void
virHandlersAdopt(virHandlers *handlers, const uint8_t uuid[16], virHandlerGuest *guest)
{
    g_autoptr(GMutexLocker) guard G_GNUC_UNUSED =
        handlers ? g_mutex_locker_new(&handlers->lock) : NULL;
    uint64_t highest;

    if (!handlers || !guest) {
        virHandlerGuestFree(guest);
        return;
    }
    highest = guest->leaseEnd;
    for (guint i = 0; i < guest->grants->len; i++) {
        const virHandlerGrant *grant = g_ptr_array_index(guest->grants, i);

        highest = MAX(highest, grant->request);
    }
    /* Whatever the clock and the folder's file say: none of these is given away again. */
    handlers->request =
        MAX(handlers->request, ((highest >> HANDLERS_RUN_BITS) + 1) << HANDLERS_RUN_BITS);
    guest->adopted = true;
    g_hash_table_replace(handlers->guests, g_memdup2(uuid, HANDLER_UUID_BUFLEN), guest);
}

void
virHandlersSetJournal(virHandlers *handlers, const virHandlerJournal *journal)
{
    handlers->journal = *journal;
}
