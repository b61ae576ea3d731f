/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * object.c: see object.h. */
#include "domain/object.h"

#include <string.h>

#include "util/vircore.h"
#include "util/virerror.h"
#include "util/viruuid.h"

VIR_ENUM_IMPL(virDomainState, VIR_DOMAIN_STATE_LAST, "nostate", "running", "idle", "paused",
              "shutdown", "shutoff", "crashed", "pmsuspended");

/* By state; the index is the number on the wire, the names are those of libvirt's status files. */
static const char *const runningReasons[] = {
    "unknown",       "booted",   "migrated",           "restored",
    "from snapshot", "unpaused", "migration canceled", "save canceled",
    "wakeup",        "crashed",  "post-copy",          "post-copy failed"};
static const char *const pausedReasons[] = {"unknown",       "user",
                                            "migration",     "save",
                                            "dump",          "ioerror",
                                            "watchdog",      "from snapshot",
                                            "shutting down", "creating snapshot",
                                            "crashed",       "starting up",
                                            "post-copy",     "post-copy failed",
                                            "api error"};
static const char *const shutdownReasons[] = {"unknown", "user"};
static const char *const shutoffReasons[] = {"unknown", "shutdown",      "destroyed",
                                             "crashed", "migrated",      "saved",
                                             "failed",  "from snapshot", "daemon"};
static const char *const crashedReasons[] = {"unknown", "panicked"};
static const char *const noReasons[] = {"unknown"};

typedef struct {
    const char *const *names;
    int count;
} virReasonTable;

#define REASONS(list)                                                                              \
    {                                                                                              \
        list, G_N_ELEMENTS(list)                                                                   \
    }
static const virReasonTable reasonTables[] = {
    [VIR_DOMAIN_NOSTATE] = REASONS(noReasons),
    [VIR_DOMAIN_RUNNING] = REASONS(runningReasons),
    [VIR_DOMAIN_BLOCKED] = REASONS(noReasons),
    [VIR_DOMAIN_PAUSED] = REASONS(pausedReasons),
    [VIR_DOMAIN_SHUTDOWN] = REASONS(shutdownReasons),
    [VIR_DOMAIN_SHUTOFF] = REASONS(shutoffReasons),
    [VIR_DOMAIN_CRASHED] = REASONS(crashedReasons),
    [VIR_DOMAIN_PMSUSPENDED] = REASONS(noReasons),
};
G_STATIC_ASSERT(G_N_ELEMENTS(reasonTables) == VIR_DOMAIN_STATE_LAST);

const char *
virDomainReasonToString(virDomainState state, int reason)
{
    const virReasonTable *table = &reasonTables[state];

    return reason >= 0 && reason < table->count ? table->names[reason] : "unknown";
}

int
virDomainReasonFromString(virDomainState state, const char *name)
{
    const virReasonTable *table = &reasonTables[state];

    for (int i = 0; name && i < table->count; i++) {
        if (g_str_equal(table->names[i], name))
            return i;
    }
    return 0;
}

/* --- one domain --- */

virDomainObj *
virDomainObjRef(virDomainObj *obj)
{
    g_atomic_ref_count_inc(&obj->refs);
    return obj;
}

void
virDomainObjUnref(virDomainObj *obj)
{
    if (!obj || !g_atomic_ref_count_dec(&obj->refs))
        return;
    virDomainDocUnref(obj->config);
    virDomainDocUnref(obj->live);
    g_cond_clear(&obj->jobFree);
    g_cond_clear(&obj->agentFree);
    g_free(obj->name);
    g_free(obj);
}

void
virDomainObjSetState(virDomainObj *obj, virDomainState state, int reason)
{
    obj->state = state;
    obj->reason = reason;
    obj->stateSince_us = g_get_real_time();
}

bool
virDomainObjCheckActive(const virDomainObj *obj, GError **error)
{
    return virDomainObjIsActive(obj) ||
           virErrorSetDomain(error, VIR_ERR_OPERATION_INVALID, "%s", _("domain is not running"));
}

bool
virDomainObjAffected(const virDomainObj *obj, unsigned flags, bool *retLive, bool *retConfig,
                     GError **error)
{
    bool live = flags & VIR_DOMAIN_AFFECT_LIVE;
    bool config = flags & VIR_DOMAIN_AFFECT_CONFIG;

    if (!live && !config) {
        live = virDomainObjIsActive(obj);
        config = !live;
    }
    if (live && !virDomainObjCheckActive(obj, error))
        return false;
    if (config && !virDomainObjIsPersistent(obj))
        return virErrorSetDomain(error, VIR_ERR_OPERATION_INVALID, "%s",
                                 _("transient domains do not have any persistent config"));
    *retLive = live;
    *retConfig = config;
    return true;
}

bool
virDomainObjBeginJob(virDomainObj *obj, const char *what, unsigned timeout_ms, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + timeout_ms * G_TIME_SPAN_MILLISECOND;

    g_assert(obj->jobOwner != g_thread_self());
    obj->jobWaiters++;
    while (obj->job) {
        if (virCoreWait(&obj->jobFree, deadline))
            continue;
        obj->jobWaiters--;
        return virErrorSet(
            error, VIR_ERR_OPERATION_TIMEOUT,
            _("cannot acquire state change lock of domain '%s' (held by '%s' for %d s)"), obj->name,
            obj->job ? obj->job : "",
            (int)((g_get_monotonic_time() - obj->jobSince_us) / G_USEC_PER_SEC));
    }
    obj->jobWaiters--;
    obj->job = what;
    obj->jobOwner = g_thread_self();
    obj->jobSince_us = g_get_monotonic_time();
    return true;
}

void
virDomainObjEndJob(virDomainObj *obj)
{
    g_assert(obj->job);
    obj->job = NULL;
    obj->jobOwner = NULL;
    g_cond_signal(&obj->jobFree);
}

/* --- all of them --- */

struct virDomainRegistry {
    GHashTable *byUUID; /* uuid in the object -> virDomainObj, the reference */
    GHashTable *byName; /* name in the object -> virDomainObj */
    GHashTable *byID;   /* id -> virDomainObj */
    GPtrArray *ordered;
    unsigned active;
};

static guint
virUUIDHash(gconstpointer key)
{
    guint hash;

    memcpy(&hash, key, sizeof(hash)); /* random enough as it is */
    return hash;
}

static gboolean
virUUIDEqual(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, 16) == 0;
}

virDomainRegistry *
virDomainRegistryNew(void)
{
    virDomainRegistry *registry = g_new0(virDomainRegistry, 1);

    registry->byUUID = g_hash_table_new(virUUIDHash, virUUIDEqual);
    registry->byName = g_hash_table_new(g_str_hash, g_str_equal);
    registry->byID = g_hash_table_new(g_direct_hash, g_direct_equal);
    registry->ordered = g_ptr_array_new_with_free_func((GDestroyNotify)virDomainObjUnref);
    return registry;
}

void
virDomainRegistryFree(virDomainRegistry *registry)
{
    if (!registry)
        return;
    g_hash_table_unref(registry->byUUID);
    g_hash_table_unref(registry->byName);
    g_hash_table_unref(registry->byID);
    g_ptr_array_unref(registry->ordered);
    g_free(registry);
}

static virDomainObj *
virDomainRegistryFound(GHashTable *table, gconstpointer key)
{
    virDomainObj *obj = g_hash_table_lookup(table, key);

    return obj && !obj->removing ? virDomainObjRef(obj) : NULL;
}

virDomainObj *
virDomainRegistryByUUID(virDomainRegistry *registry, const unsigned char *uuid)
{
    return virDomainRegistryFound(registry->byUUID, uuid);
}

virDomainObj *
virDomainRegistryByName(virDomainRegistry *registry, const char *name)
{
    return virDomainRegistryFound(registry->byName, name);
}

virDomainObj *
virDomainRegistryByID(virDomainRegistry *registry, int id)
{
    return virDomainRegistryFound(registry->byID, GINT_TO_POINTER(id));
}

bool
virDomainRegistryCheck(virDomainRegistry *registry, const char *name, const unsigned char *uuid,
                       GError **error)
{
    const virDomainObj *same = g_hash_table_lookup(registry->byUUID, uuid);
    const virDomainObj *named = g_hash_table_lookup(registry->byName, name);
    char text[VIR_UUID_TEXT_SIZE];

    if (same && !g_str_equal(same->name, name)) {
        virUUIDFormat(uuid, text);
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("domain '%s' is already defined with uuid %s"), same->name, text);
    }
    if (named && named != same) {
        virUUIDFormat(named->uuid, text);
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("domain '%s' already exists with uuid %s"), name, text);
    }
    return true;
}

virDomainObj *
virDomainRegistryAdd(virDomainRegistry *registry, const char *name, const unsigned char *uuid,
                     GError **error)
{
    virDomainObj *obj;

    if (!virDomainRegistryCheck(registry, name, uuid, error))
        return NULL;
    obj = g_new0(virDomainObj, 1);
    g_atomic_ref_count_init(&obj->refs);
    memcpy(obj->uuid, uuid, sizeof(obj->uuid));
    obj->name = g_strdup(name);
    obj->id = -1;
    obj->state = VIR_DOMAIN_SHUTOFF;
    g_cond_init(&obj->jobFree);
    g_cond_init(&obj->agentFree);
    g_hash_table_insert(registry->byUUID, obj->uuid, obj);
    g_hash_table_insert(registry->byName, obj->name, obj);
    g_ptr_array_add(registry->ordered, obj);
    return virDomainObjRef(obj);
}

void
virDomainRegistryRemove(virDomainRegistry *registry, virDomainObj *obj)
{
    virDomainRegistrySetID(registry, obj, -1);
    if (g_hash_table_lookup(registry->byUUID, obj->uuid) != obj)
        return; /* gone already */
    g_hash_table_remove(registry->byUUID, obj->uuid);
    g_hash_table_remove(registry->byName, obj->name);
    obj->removing = true;
    g_ptr_array_remove(registry->ordered, obj);
}

void
virDomainRegistryRename(virDomainRegistry *registry, virDomainObj *obj, const char *name)
{
    g_hash_table_remove(registry->byName, obj->name);
    g_free(obj->name);
    obj->name = g_strdup(name);
    g_hash_table_insert(registry->byName, obj->name, obj);
}

void
virDomainRegistrySetID(virDomainRegistry *registry, virDomainObj *obj, int id)
{
    if (obj->id != -1) {
        g_hash_table_remove(registry->byID, GINT_TO_POINTER(obj->id));
        registry->active--;
    }
    obj->id = id;
    if (id != -1) {
        g_hash_table_insert(registry->byID, GINT_TO_POINTER(id), obj);
        registry->active++;
    }
}

GPtrArray *
virDomainRegistryAll(virDomainRegistry *registry)
{
    GPtrArray *all =
        g_ptr_array_new_full(registry->ordered->len, (GDestroyNotify)virDomainObjUnref);

    for (guint i = 0; i < registry->ordered->len; i++)
        g_ptr_array_add(all, virDomainObjRef(g_ptr_array_index(registry->ordered, i)));
    return all;
}

unsigned
virDomainRegistryCount(const virDomainRegistry *registry, bool active)
{
    return active ? registry->active : registry->ordered->len - registry->active;
}

void
virDomainRegistryForEach(virDomainRegistry *registry, void (*func)(virDomainObj *, void *),
                         void *opaque)
{
    for (guint i = 0; i < registry->ordered->len; i++)
        func(g_ptr_array_index(registry->ordered, i), opaque);
}
