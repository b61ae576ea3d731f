/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * denials.c: see denials.h. From the ring to a list under the core lock, on the event thread; from
 * the list to log, event and file in a job. What a full ring dropped is counted by the gate. */
#include "qemu/denials.h"

#include <string.h>

#include "util/cgroup/virgatehistory.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virlog.h"
#include "util/virutil.h"

/* Kinds of denial that wait to be told; more in one go are in the history alone. */
#define FRESH_MAX 1024

struct qemuDenials {
    qemuDriver *driver;
    GMutex mutex; /* for the reader: rings are added in jobs, read on the event thread */
    virGateDenials *reader;
    virEventWatch *watch; /* NULL until the first ring */

    GHashTable *histories; /* (lock) uuid as GBytes -> virGateHistory */
    GArray *fresh;         /* (lock) virGateDenial */
    bool telling;          /* (lock) a job is at it */
};

/* One that is to be told, and what the guest is called. */
typedef struct {
    virGateDenial denial;
    bool isNew;
    char *name;
    int id;
} qemuDenialsNews;

/* --- from the ring --- */

static void
qemuDenialsTake(const virGateDenial *denial, void *opaque)
{
    GArray *batch = opaque;

    g_array_append_val(batch, *denial);
}

static void qemuDenialsTell(void *opaque);

/* Takes the denial into its guest's history; false if the guest is gone. Lock held. */
static bool
qemuDenialsEnter(qemuDenials *denials, const virGateDenial *denial, qemuDenialsNews *retNews)
{
    virDomainObj *obj = virDomainRegistryByUUID(denials->driver->domains, denial->uuid);
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

/* To be told; what comes when too many wait is only counted with its guest's. Lock held. */
static void
qemuDenialsQueue(qemuDenials *denials, const virGateDenial *denial)
{
    qemuDenialsNews untold;

    if (denials->fresh->len < FRESH_MAX)
        g_array_append_vals(denials->fresh, denial, 1);
    else if (qemuDenialsEnter(denials, denial, &untold))
        g_free(untold.name);
}

/* On the event thread. */
static void
qemuDenialsReadable(int fd, unsigned events, void *opaque)
{
    qemuDenials *denials = opaque;
    g_autoptr(GArray) batch = g_array_new(FALSE, FALSE, sizeof(virGateDenial));

    g_mutex_lock(&denials->mutex);
    virGateDenialsDrain(denials->reader, qemuDenialsTake, batch);
    g_mutex_unlock(&denials->mutex);
    if (batch->len == 0)
        return;
    {
        VIR_CORE_GUARD;

        for (guint i = 0; i < batch->len; i++)
            qemuDenialsQueue(denials, &g_array_index(batch, virGateDenial, i));
        if (denials->telling)
            return;
        denials->telling = true;
    }
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

/* The waiting ones, each entered into its guest's history. Lock held. */
static GArray *
qemuDenialsCollect(qemuDenials *denials)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(qemuDenialsNews));

    for (guint i = 0; i < denials->fresh->len; i++) {
        qemuDenialsNews news;

        if (qemuDenialsEnter(denials, &g_array_index(denials->fresh, virGateDenial, i), &news))
            g_array_append_val(all, news);
    }
    g_array_set_size(denials->fresh, 0);
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

/* In a job, as long as there is something to tell. */
static void
qemuDenialsTell(void *opaque)
{
    qemuDenials *denials = opaque;

    for (;;) {
        g_autoptr(GArray) all = NULL;

        {
            VIR_CORE_GUARD;

            if (denials->fresh->len == 0) {
                denials->telling = false;
                return;
            }
            all = qemuDenialsCollect(denials);
        }
        qemuDenialsTellAll(denials, all);
        for (guint i = 0; i < all->len; i++)
            g_free(g_array_index(all, qemuDenialsNews, i).name);
    }
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
    denials->fresh = g_array_new(FALSE, FALSE, sizeof(virGateDenial));
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
    virGateDenialsFree(denials->reader);
    g_mutex_clear(&denials->mutex);
    g_array_unref(denials->fresh);
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
qemuDenialsFollow(qemuGuest *guest)
{
    g_autoptr(GError) error = NULL;

    if (guest->gate && !qemuDenialsAddGate(guest->driver->denials, guest->gate, &error))
        VIR_WARN("domain '%s': what its device gate denies is not reported: %s", guest->obj->name,
                 error->message);
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
