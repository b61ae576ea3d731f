/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_event.c: registrations for domain events, in the wire's three styles and QEMU's own, and
 * their delivery.
 *
 * Registrations belong to the event thread, where all these handlers run and clients end; so they
 * need no lock. An event is copied where it happens, under the core lock, and delivered by a post.
 */
#include "api/domain_event.h"

#include <string.h>

#include "api/handlers.gen.h"
#include "api/params.h"
#include "util/virerror.h"
#include "util/virevent.h"
#include "util/virlog.h"
#include "util/virutil.h"

enum { MONITOR_REGEX = 1, MONITOR_NOCASE = 2 };

typedef enum {
    STYLE_CALLBACK, /* messages begin with the callback id */
    STYLE_LEGACY,   /* by event id, without one; the oldest style is this with lifecycle */
    STYLE_MONITOR,  /* program qemu */
} eventStyle;

typedef struct {
    virNetServerClient *client; /* borrowed: dropped when it ends */
    eventStyle style;
    int32_t id; /* counts up over the daemon's life */
    int32_t type;
    bool oneDomain; /* only of uuid */
    uint8_t uuid[16];
    char *event; /* STYLE_MONITOR: name; NULL: any */
    bool nocase;
    GRegex *regex; /* in place of event */
} registration;

static GPtrArray *registrations; /* of registration; event thread */
static int32_t nextId;
static int count; /* atomic: of registrations, for those who emit */

static void
registrationFree(void *opaque)
{
    registration *entry = opaque;

    g_clear_pointer(&entry->regex, g_regex_unref);
    g_free(entry->event);
    g_free(entry);
}

static void
noteCount(void)
{
    g_atomic_int_set(&count, (int)registrations->len);
}

static void
dropClient(void *client)
{
    for (guint i = registrations->len; i-- > 0;) {
        registration *entry = g_ptr_array_index(registrations, i);

        if (entry->client == client)
            g_ptr_array_remove_index(registrations, i);
    }
    noteCount();
}

static bool
sameFilter(const registration *a, const registration *b)
{
    return a->oneDomain == b->oneDomain && memcmp(a->uuid, b->uuid, sizeof(a->uuid)) == 0 &&
           g_strcmp0(a->event, b->event) == 0;
}

/* Takes over entry. One of the same kind for the same domain is refused. */
static bool
registrationAdd(virNetServerClient *client, registration *entry, int32_t *retId, GError **error)
{
    bool first = true;

    g_assert(virEventIsLoopThread());
    if (!registrations)
        registrations = g_ptr_array_new_with_free_func(registrationFree);
    for (guint i = 0; i < registrations->len; i++) {
        registration *other = g_ptr_array_index(registrations, i);

        if (other->client != client)
            continue;
        first = false;
        if (other->type == entry->type && sameFilter(other, entry)) {
            registrationFree(entry);
            return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                               _("event callback already tracked"));
        }
    }
    if (first)
        virApiConnectionOnClose(client, dropClient, client);
    entry->client = client;
    entry->id = nextId++;
    g_ptr_array_add(registrations, entry);
    noteCount();
    if (retId)
        *retId = entry->id;
    return true;
}

static registration *
registrationNew(eventStyle style, int32_t type, const remote_nonnull_domain *dom)
{
    registration *entry = g_new0(registration, 1);

    entry->style = style;
    entry->type = type;
    if (dom) {
        entry->oneDomain = true;
        memcpy(entry->uuid, dom->uuid, sizeof(entry->uuid));
    }
    return entry;
}

/* Ends the client's registration that has the id (or, in the older styles, the event type). False
 * if there is none. */
static bool
registrationEnd(virNetServerClient *client, eventStyle style, int32_t which)
{
    for (guint i = 0; registrations && i < registrations->len; i++) {
        registration *entry = g_ptr_array_index(registrations, i);

        if (entry->client != client || entry->style != style ||
            which != (style == STYLE_LEGACY ? entry->type : entry->id))
            continue;
        g_ptr_array_remove_index(registrations, i);
        noteCount();
        return true;
    }
    return false;
}

/* The table's row of a domain event; NULL for none. */
static const virNetEvent *
findEvent(int32_t type)
{
    for (size_t i = 0; i < virNetEventsCount; i++) {
        if (virNetEvents[i].id == type && g_str_equal(virNetEvents[i].object, "domain"))
            return &virNetEvents[i];
    }
    return NULL;
}

static bool
checkType(int32_t type, bool legacy, GError **error)
{
    const virNetEvent *row = type >= 0 && type < VIR_DOMAIN_EVENT_LAST ? findEvent(type) : NULL;

    if (row && (!legacy || row->legacyProcedure))
        return true;
    return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("unsupported event ID %d"), type);
}

/* Handlers */

bool
virApiConnectDomainEventCallbackRegisterAny(
    virApiCall *call, const remote_connect_domain_event_callback_register_any_args *args,
    remote_connect_domain_event_callback_register_any_ret *ret, GError **error)
{
    return checkType(args->eventID, false, error) &&
           registrationAdd(virApiClient(call),
                           registrationNew(STYLE_CALLBACK, args->eventID, args->dom),
                           &ret->callbackID, error);
}

bool
virApiConnectDomainEventCallbackDeregisterAny(
    virApiCall *call, const remote_connect_domain_event_callback_deregister_any_args *args,
    GError **error)
{
    if (registrationEnd(virApiClient(call), STYLE_CALLBACK, args->callbackID))
        return true;
    return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("domain event callback %d not registered"),
                       args->callbackID);
}

static bool
legacyEnd(virApiCall *call, int32_t type, GError **error)
{
    if (registrationEnd(virApiClient(call), STYLE_LEGACY, type))
        return true;
    return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("domain event %d not registered"), type);
}

bool
virApiConnectDomainEventRegisterAny(virApiCall *call,
                                    const remote_connect_domain_event_register_any_args *args,
                                    GError **error)
{
    return checkType(args->eventID, true, error) &&
           registrationAdd(virApiClient(call), registrationNew(STYLE_LEGACY, args->eventID, NULL),
                           NULL, error);
}

bool
virApiConnectDomainEventDeregisterAny(virApiCall *call,
                                      const remote_connect_domain_event_deregister_any_args *args,
                                      GError **error)
{
    return checkType(args->eventID, true, error) && legacyEnd(call, args->eventID, error);
}

bool
virApiConnectDomainEventRegister(virApiCall *call, remote_connect_domain_event_register_ret *ret,
                                 GError **error)
{
    return registrationAdd(virApiClient(call),
                           registrationNew(STYLE_LEGACY, VIR_DOMAIN_EVENT_LIFECYCLE, NULL), NULL,
                           error);
}

bool
virApiConnectDomainEventDeregister(virApiCall *call,
                                   remote_connect_domain_event_deregister_ret *ret, GError **error)
{
    return legacyEnd(call, VIR_DOMAIN_EVENT_LIFECYCLE, error);
}

/* What a client wants of QEMU's own events; false with the error set if its pattern is none. */
static bool
monitorFilter(registration *entry, const char *event, uint32_t flags, GError **error)
{
    g_autoptr(GError) wrong = NULL;

    entry->event = g_strdup(event);
    entry->nocase = flags & MONITOR_NOCASE;
    if (!event || !(flags & MONITOR_REGEX))
        return true;
    entry->regex = g_regex_new(event, entry->nocase ? G_REGEX_CASELESS : 0, 0, &wrong);
    if (!entry->regex)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("failed to compile regex '%s': %s"), event,
                           wrong->message);
    return true;
}

bool
virApiQemuConnectDomainMonitorEventRegister(
    virApiCall *call, const qemu_connect_domain_monitor_event_register_args *args,
    qemu_connect_domain_monitor_event_register_ret *ret, GError **error)
{
    registration *entry;

    if (args->flags & ~(uint32_t)(MONITOR_REGEX | MONITOR_NOCASE))
        return virErrorSetPlain(error, VIR_ERR_INVALID_ARG,
                                _("unsupported flags (0x%x) in function "
                                  "virDomainQemuMonitorEventStateRegisterID"),
                                args->flags & ~(uint32_t)(MONITOR_REGEX | MONITOR_NOCASE));
    entry = registrationNew(STYLE_MONITOR, VIR_DOMAIN_EVENT_MONITOR, args->dom);
    if (!monitorFilter(entry, args->event, args->flags, error)) {
        registrationFree(entry);
        return false;
    }
    return registrationAdd(virApiClient(call), entry, &ret->callbackID, error);
}

bool
virApiQemuConnectDomainMonitorEventDeregister(
    virApiCall *call, const qemu_connect_domain_monitor_event_deregister_args *args, GError **error)
{
    if (registrationEnd(virApiClient(call), STYLE_MONITOR, args->callbackID))
        return true;
    return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                       _("qemu monitor event callback %d not registered"), args->callbackID);
}

/* Delivery */

/* An event on its way: all its strings are the arena's. */
typedef struct {
    virDomainEvent event;
    uint8_t uuid[16];
    virArena arena;
} pendingEvent;

static void
sendMessage(const registration *entry, const virNetProgram *program, int32_t procedure,
            const void *message)
{
    g_autoptr(GError) error = NULL;

    if (!virNetServerClientSendEvent(entry->client, program, procedure, message, &error))
        VIR_WARN("an event is left out: %s", error->message);
}

/* message: of the callback style; its first member is the id. */
static void
sendDomainEvent(const registration *entry, const virNetEvent *names,
                const virApiDomainEventRow *row, uint8_t *message)
{
    if (entry->style == STYLE_CALLBACK) {
        memcpy(message, &entry->id, sizeof(entry->id));
        sendMessage(entry, &virRemoteProgram, names->procedure, message);
    } else {
        sendMessage(entry, &virRemoteProgram, names->legacyProcedure, message + row->legacyOffset);
    }
}

static bool
wantsDomain(const registration *entry, const virDomainEvent *event)
{
    return entry->type == (int32_t)event->type &&
           (!entry->oneDomain || memcmp(entry->uuid, event->uuid, sizeof(entry->uuid)) == 0);
}

static void
deliverDomain(pendingEvent *pending)
{
    const virApiDomainEventRow *row = virApiDomainEventRowOf(pending->event.type);
    const virNetEvent *names = findEvent(pending->event.type);
    const virNetProcedure *procedure;
    uint8_t *message;

    if (!row || !names)
        return;
    procedure = virNetProgramProcedure(&virRemoteProgram, names->procedure);
    message = virArenaAlloc(&pending->arena, procedure->args->size);
    row->fill(&pending->event, message);
    for (guint i = 0; i < registrations->len; i++) {
        registration *entry = g_ptr_array_index(registrations, i);

        if (wantsDomain(entry, &pending->event))
            sendDomainEvent(entry, names, row, message);
    }
}

static bool
wantsMonitor(const registration *entry, const virDomainEvent *event)
{
    if (!wantsDomain(entry, event))
        return false;
    if (entry->regex)
        return g_regex_match(entry->regex, event->monitorEvent, 0, NULL);
    if (!entry->event)
        return true;
    return entry->nocase ? g_ascii_strcasecmp(entry->event, event->monitorEvent) == 0
                         : g_str_equal(entry->event, event->monitorEvent);
}

static void
deliverMonitor(pendingEvent *pending)
{
    const virDomainEvent *event = &pending->event;
    qemu_domain_monitor_event_msg message = {.dom = {.name = event->name, .id = event->id},
                                             .event = event->monitorEvent,
                                             .seconds = event->seconds,
                                             .micros = event->micros,
                                             .details = event->details};

    memcpy(message.dom.uuid, event->uuid, sizeof(message.dom.uuid));
    for (guint i = 0; i < registrations->len; i++) {
        registration *entry = g_ptr_array_index(registrations, i);

        if (!wantsMonitor(entry, event))
            continue;
        message.callbackID = entry->id;
        sendMessage(entry, &virQemuProgram, QEMU_PROC_DOMAIN_MONITOR_EVENT, &message);
    }
}

static void
deliver(void *opaque)
{
    pendingEvent *pending = opaque;

    if (pending->event.type == VIR_DOMAIN_EVENT_MONITOR)
        deliverMonitor(pending);
    else
        deliverDomain(pending);
    virArenaClear(&pending->arena);
    g_free(pending);
}

static const remote_typed_param *
copyParams(virArena *arena, const virDomainEvent *event)
{
    remote_typed_param *params;

    if (event->nparams == 0)
        return NULL;
    params = virArenaAlloc(arena, event->nparams * sizeof(*params));
    memcpy(params, event->params, event->nparams * sizeof(*params));
    for (unsigned i = 0; i < event->nparams; i++) {
        params[i].field = virArenaStrdup(arena, params[i].field);
        if (params[i].value.type == VIR_API_PARAM_STRING)
            params[i].value.s = virArenaStrdup(arena, params[i].value.s);
    }
    return params;
}

static pendingEvent *
pendingNew(const virDomainEvent *event)
{
    pendingEvent *pending = g_new0(pendingEvent, 1);
    virDomainEvent *copy = &pending->event;
    const char **strings[] = {&copy->name,         &copy->alias,      &copy->path,
                              &copy->newPath,      &copy->reason,     &copy->localNode,
                              &copy->localService, &copy->remoteNode, &copy->remoteService,
                              &copy->authScheme,   &copy->saslUser,   &copy->x509Name,
                              &copy->monitorEvent, &copy->details};

    virArenaInit(&pending->arena);
    *copy = *event;
    memcpy(pending->uuid, event->uuid, sizeof(pending->uuid));
    copy->uuid = pending->uuid;
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        *strings[i] = virArenaStrdup(&pending->arena, *strings[i]);
    copy->params = copyParams(&pending->arena, event);
    return pending;
}

void
virApiDomainEventEmit(const virDomainEvent *event, void *opaque G_GNUC_UNUSED)
{
    /* A registration on its way need not hear of what is happening now. */
    if (g_atomic_int_get(&count) > 0)
        virEventPost(deliver, pendingNew(event));
}
