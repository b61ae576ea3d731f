/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgatedenials.c: see virgatedenials.h. libbpf reads the rings; records that say the same about
 * the same thread are put together in the order of their first one. */
#include "util/cgroup/virgatedenials.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <string.h>

#include "util/cgroup/virbpf.h"
#include "util/cgroup/vircgroupbackend.h"
#include "util/virerror.h"
#include "util/virutil.h"

struct virGateDenials {
    struct ring_buffer *rings; /* NULL until the first is added */
    GArray *mapIds;            /* uint32_t, of those added */
    GArray *fds;               /* int, ours: a gate may go before its ring */
    GArray *batch;             /* virGateDenial, read and not yet taken */
    GHashTable *index;         /* bytes of a kind -> place in batch + 1 */
    unsigned count;            /* records of this reading */
};

/* Records read at one go, so that a flood doesn't keep the event thread: a full ring. */
#define READ_MAX (VIR_GATE_EVENTS_SIZE / sizeof(virGateEvent))

/* What makes two records one denial. */
typedef struct {
    uint8_t uuid[16];
    uint32_t major;
    uint32_t minor;
    uint32_t accessType;
    uint32_t mode;
    uint32_t pid;
    char thread[16];
} virGateDenialKind;

static bool
virGateDenialsHasRoom(const virGateDenials *denials)
{
    return denials->batch->len < VIR_GATE_DENIALS_MAX;
}

static int
virGateDenialsRecord(void *opaque, void *data, size_t size)
{
    static const uint8_t probe[16]; /* the daemon's own look at a new gate carries no uuid */
    virGateDenials *denials = opaque;
    const virGateEvent *event = data;
    virGateDenialKind kind = {.major = event->major,
                              .minor = event->minor,
                              .accessType = event->accessType,
                              .mode = event->mode,
                              .pid = event->pid};
    virGateDenial *denial;
    gpointer known = NULL;
    g_autoptr(GBytes) key = NULL;

    if (size < sizeof(*event) || memcmp(event->uuid, probe, sizeof(probe)) == 0)
        return 0;
    memcpy(kind.uuid, event->uuid, sizeof(kind.uuid));
    memcpy(kind.thread, event->thread, sizeof(kind.thread));
    key = g_bytes_new(&kind, sizeof(kind));
    known = g_hash_table_lookup(denials->index, key);
    if (!known) {
        virGateDenial new = {
            .rule = {.type = (virDeviceType)(event->accessType & 0xffff),
                     .access = event->accessType >> 16,
                     .major = (int)event->major,
                     .minor = (int)event->minor},
            .permissive = event->mode & 1,
            .pid = event->pid,
            .first_ns = event->time_ns,
        };

        memcpy(new.uuid, event->uuid, sizeof(new.uuid));
        memcpy(new.thread, event->thread, sizeof(event->thread));
        g_array_append_val(denials->batch, new);
        known = GUINT_TO_POINTER(denials->batch->len);
        g_hash_table_insert(denials->index, g_steal_pointer(&key), known);
    }
    denial = &g_array_index(denials->batch, virGateDenial, GPOINTER_TO_UINT(known) - 1);
    denial->last_ns = event->time_ns;
    denial->count++;
    /* an error ends the reading: the rest stays, and the ring readable */
    return ++denials->count < READ_MAX && virGateDenialsHasRoom(denials) ? 0 : -EAGAIN;
}

virGateDenials *
virGateDenialsNew(GError **error)
{
    g_autoptr(virGateDenials) denials = g_new0(virGateDenials, 1);

    denials->fds = g_array_new(FALSE, FALSE, sizeof(int));
    denials->mapIds = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    denials->batch = g_array_new(FALSE, TRUE, sizeof(virGateDenial));
    denials->index =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    return g_steal_pointer(&denials);
}

void
virGateDenialsFree(virGateDenials *denials)
{
    if (!denials)
        return;
    ring_buffer__free(denials->rings);
    for (guint i = 0; i < denials->fds->len; i++)
        virCloseFd(&g_array_index(denials->fds, int, i));
    g_array_unref(denials->fds);
    g_array_unref(denials->mapIds);
    g_array_unref(denials->batch);
    g_hash_table_unref(denials->index);
    g_free(denials);
}

static bool
virGateDenialsHas(const virGateDenials *denials, uint32_t mapId)
{
    for (guint i = 0; i < denials->mapIds->len; i++) {
        if (g_array_index(denials->mapIds, uint32_t, i) == mapId)
            return true;
    }
    return false;
}

bool
virGateDenialsAdd(virGateDenials *denials, virGate *gate, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&gate->mutex);
    struct bpf_map_info info;
    VIR_AUTOCLOSE fd = -1;
    int failed = 0;

    if (gate->v2.eventsFd < 0)
        return true;
    fd = fcntl(gate->v2.eventsFd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0 || !virBPFGetMapInfo(fd, &info))
        return virErrorErrno(error, _("cannot look at the ring of denials"));
    if (virGateDenialsHas(denials, info.id))
        return true;
    if (denials->rings)
        failed = -ring_buffer__add(denials->rings, fd, virGateDenialsRecord, denials);
    else if (!(denials->rings = ring_buffer__new(fd, virGateDenialsRecord, denials, NULL)))
        failed = errno;
    if (failed)
        return virErrorErrnoValue(error, failed, _("cannot read the ring of denials"));
    g_array_append_val(denials->mapIds, info.id);
    g_array_append_val(denials->fds, fd);
    fd = -1; /* the array's now */
    return true;
}

int
virGateDenialsFd(const virGateDenials *denials)
{
    return denials->rings ? ring_buffer__epoll_fd(denials->rings) : -1;
}

bool
virGateDenialsRead(virGateDenials *denials)
{
    denials->count = 0;
    if (denials->rings && virGateDenialsHasRoom(denials))
        (void)ring_buffer__consume(denials->rings);
    return virGateDenialsHasRoom(denials);
}

bool
virGateDenialsTake(virGateDenials *denials, virGateDenialFunc func, void *opaque)
{
    bool any = denials->batch->len > 0;

    for (guint i = 0; i < denials->batch->len; i++)
        func(&g_array_index(denials->batch, virGateDenial, i), opaque);
    g_array_set_size(denials->batch, 0);
    g_hash_table_remove_all(denials->index);
    return any;
}
