/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * denials.c: see denials.h. The event thread reads the ring into memory, where equal ones become
 * one; a job takes them from there to history, log, event and file, and the next one not before a
 * pause is over. What a full ring dropped is counted by the gate. */
#include "qemu/denials.h"

#include <string.h>

#include "util/cgroup/virgatehistory.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virlog.h"
#include "util/virutil.h"

/* Between two turns of telling: a guest that is denied in a loop is a few events a second. */
#define PAUSE_MS 200

struct qemuDenials {
    qemuDriver *driver;
    GMutex mutex; /* for the reader: rings are added in jobs, read on the event thread */
    virGateDenials *reader;
    virEventWatch *watch; /* NULL until the first ring */
    virEventTimer *pause; /* NULL until the first telling */
    bool telling;         /* a job is at it, or the pause after it not over */

    GHashTable *histories; /* (lock) uuid as GBytes -> virGateHistory */
};

/* One that is to be told, and what the guest is called. */
typedef struct {
    virGateDenial denial;
    bool isNew;
    char *name;
    int id;
} qemuDenialsNews;

/* --- from the ring --- */

static void qemuDenialsTell(void *opaque);

/* Mutex held. */
static void
qemuDenialsReadRings(qemuDenials *denials)
{
    bool room = virGateDenialsRead(denials->reader);

    virEventWatchUpdate(denials->watch, room ? EPOLLIN : 0);
}

/* On the event thread. */
static void
qemuDenialsReadable(int fd, unsigned events, void *opaque)
{
    qemuDenials *denials = opaque;
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&denials->mutex);

    qemuDenialsReadRings(denials);
    if (denials->telling)
        return;
    denials->telling = true;
    virCoreRunJob(qemuDenialsTell, denials);
}

/* --- telling --- */

static void
qemuDenialsEmit(qemuDenials *denials, const qemuDenialsNews *news)
{
    g_autoptr(virJSON) json = virGateDenialToJSON(&news->denial);
    g_autofree char *details = virJSONPrint(json);
    gint64 now_us = g_get_real_time();
    virDomainEvent event = {.type = VIR_DOMAIN_EVENT_MONITOR,
                            .name = news->name,
                            .uuid = news->denial.uuid,
                            .id = news->id,
                            .monitorEvent = "VIRTWARD_DEVICE_DENIED",
                            .details = details,
                            .seconds = now_us / G_USEC_PER_SEC,
                            .micros = (unsigned)(now_us % G_USEC_PER_SEC)};
    VIR_CORE_GUARD;

    qemuDriverEmit(denials->driver, &event);
}

static char *
qemuDenialsPath(const qemuDriver *driver, const char *name)
{
    return g_strdup_printf("%s/qemu/%s.denials", driver->paths.run, name);
}

/* The whole history of the guest, for `virtward devices NAME --denials`. */
static void
qemuDenialsWrite(qemuDenials *denials, const qemuDenialsNews *news)
{
    g_autofree char *path = qemuDenialsPath(denials->driver, news->name);
    g_autoptr(GBytes) key = g_bytes_new(news->denial.uuid, sizeof(news->denial.uuid));
    g_autoptr(virGateHistory) copy = NULL;
    g_autoptr(virJSON) json = NULL;
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    bool gone;

    {
        VIR_CORE_GUARD;
        const virGateHistory *history = g_hash_table_lookup(denials->histories, key);

        copy = history ? virGateHistoryCopy(history) : NULL;
    }
    if (!copy)
        return;
    json = virGateHistoryToJSON(copy);
    text = virJSONPrintPretty(json);
    if (!virFileWrite(path, text, strlen(text), 0600, VIR_FILE_VOLATILE, &error))
        VIR_WARN("domain '%s': %s", news->name, error->message);
    {
        VIR_CORE_GUARD;

        gone = !g_hash_table_contains(denials->histories, key);
    }
    if (gone) /* the guest went meanwhile, and Forget may have looked before there was a file */
        (void)virFileRemove(path, NULL);
}

static void
qemuDenialsTellOne(qemuDenials *denials, const qemuDenialsNews *news)
{
    g_autofree char *text = virGateDenialToText(&news->denial);

    if (news->isNew)
        VIR_WARN("domain '%s': device gate: %s", news->name, text);
    qemuDenialsEmit(denials, news);
}

/* Takes the denial into its guest's history; false if the guest is gone. Lock held. */
static bool
qemuDenialsEnter(qemuDenials *denials, const virGateDenial *denial, qemuDenialsNews *retNews)
{
    g_autoptr(virDomainObj) obj = virDomainRegistryByUUID(denials->driver->domains, denial->uuid);
    g_autoptr(GBytes) key = g_bytes_new(denial->uuid, sizeof(denial->uuid));
    virGateHistory *history;

    if (!obj || !obj->guest)
        return false;
    history = g_hash_table_lookup(denials->histories, key);
    if (!history) {
        history = virGateHistoryNew();
        g_hash_table_insert(denials->histories, g_steal_pointer(&key), history);
    }
    retNews->denial = *denial;
    retNews->isNew = virGateHistoryAdd(history, denial);
    retNews->name = g_strdup(obj->name);
    retNews->id = obj->id;
    return true;
}

static void
qemuDenialsNewsClear(void *news)
{
    g_free(((qemuDenialsNews *)news)->name);
}

/* Those of `batch` whose guests are there, each entered into its guest's history. */
static GArray *
qemuDenialsEnterAll(qemuDenials *denials, const GArray *batch)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(qemuDenialsNews));
    VIR_CORE_GUARD;

    g_array_set_clear_func(all, qemuDenialsNewsClear);
    for (guint i = 0; i < batch->len; i++) {
        qemuDenialsNews news;

        if (qemuDenialsEnter(denials, &g_array_index(batch, virGateDenial, i), &news))
            g_array_append_val(all, news);
    }
    return all;
}

static void
qemuDenialsTellAll(qemuDenials *denials, GArray *all)
{
    for (guint i = 0; i < all->len; i++) {
        const qemuDenialsNews *news = &g_array_index(all, qemuDenialsNews, i);
        bool last = i + 1 == all->len ||
                    memcmp(news->denial.uuid, (news + 1)->denial.uuid, sizeof(news->denial.uuid));

        qemuDenialsTellOne(denials, news);
        if (last) /* of this guest, for now */
            qemuDenialsWrite(denials, news);
    }
}

static void
qemuDenialsKeep(const virGateDenial *denial, void *opaque)
{
    g_array_append_val((GArray *)opaque, *denial);
}

/* Takes what was read; false if there is nothing: the telling is over. */
static bool
qemuDenialsTake(qemuDenials *denials, GArray *batch)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&denials->mutex);

    denials->telling = virGateDenialsTake(denials->reader, qemuDenialsKeep, batch);
    if (denials->telling)
        qemuDenialsReadRings(denials); /* there may have been no room for more */
    return denials->telling;
}

/* On the event thread, when the pause after a telling is over. */
static void
qemuDenialsPauseOver(void *opaque)
{
    virCoreRunJob(qemuDenialsTell, opaque);
}

static void
qemuDenialsPause(qemuDenials *denials)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&denials->mutex);

    if (denials->pause)
        virEventTimerRestart(denials->pause, PAUSE_MS, 0);
    else
        denials->pause = virEventTimerAdd(PAUSE_MS, 0, qemuDenialsPauseOver, denials, NULL);
}

/* In a job. */
static void
qemuDenialsTell(void *opaque)
{
    qemuDenials *denials = opaque;
    g_autoptr(GArray) batch = g_array_new(FALSE, FALSE, sizeof(virGateDenial));
    g_autoptr(GArray) all = NULL;

    if (!qemuDenialsTake(denials, batch))
        return;
    all = qemuDenialsEnterAll(denials, batch);
    qemuDenialsTellAll(denials, all);
    qemuDenialsPause(denials);
}

/* --- made, told of guests, freed --- */

qemuDenials *
qemuDenialsNew(qemuDriver *driver, GError **error)
{
    qemuDenials *denials;
    virGateDenials *reader = virGateDenialsNew(error);

    if (!reader)
        return NULL;
    denials = g_new0(qemuDenials, 1);
    denials->driver = driver;
    denials->reader = reader;
    g_mutex_init(&denials->mutex);
    denials->histories =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref,
                              (GDestroyNotify)virGateHistoryFree);
    return denials;
}

void
qemuDenialsFree(qemuDenials *denials)
{
    if (!denials)
        return;
    virEventWatchRemove(denials->watch);
    virEventTimerRemove(denials->pause);
    virGateDenialsFree(denials->reader);
    g_mutex_clear(&denials->mutex);
    g_hash_table_unref(denials->histories);
    g_free(denials);
}

static bool
qemuDenialsAddGate(qemuDenials *denials, virGate *gate, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&denials->mutex);

    if (!virGateDenialsAdd(denials->reader, gate, error))
        return false;
    if (!denials->watch && virGateDenialsFd(denials->reader) >= 0)
        denials->watch = virEventWatchAdd(virGateDenialsFd(denials->reader), EPOLLIN,
                                          qemuDenialsReadable, denials, NULL, error);
    return denials->watch || virGateDenialsFd(denials->reader) < 0;
}

void
qemuDenialsFollowGate(qemuDriver *driver, const char *name, virGate *gate)
{
    g_autoptr(GError) error = NULL;

    if (!qemuDenialsAddGate(driver->denials, gate, &error))
        VIR_WARN("domain '%s': what its device gate denies is not reported: %s", name,
                 error->message);
}

void
qemuDenialsFollow(qemuGuest *guest)
{
    if (guest->gate)
        qemuDenialsFollowGate(guest->driver, guest->obj->name, guest->gate);
}

void
qemuDenialsForget(qemuDriver *driver, const virDomainObj *obj)
{
    g_autofree char *path = qemuDenialsPath(driver, obj->name);
    g_autoptr(GBytes) key = g_bytes_new(obj->uuid, sizeof(obj->uuid));
    g_autoptr(GError) error = NULL;

    {
        VIR_CORE_GUARD;

        g_hash_table_remove(driver->denials->histories, key);
    }
    if (!virFileRemove(path, &error))
        VIR_WARN("domain '%s': %s", obj->name, error->message);
}
