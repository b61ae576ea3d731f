/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guestvcpu.c: vCPU hot-plug: QEMU names the places that are free (query-hotpluggable-cpus); a new
 * one's thread is placed as at the start. On x86 each place is for one vCPU. See guestvcpu.h. */
#include "qemu/guestvcpu.h"

#include <string.h>

#include "qemu/barrier.h"
#include "qemu/tune.h"
#include "qemu/vcpuplaces.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virlog.h"

enum { QEMU_VCPU_UNPLUG_WAIT_MS = 5000 };

/* --- what QEMU has, and the live document with it --- */

/* Lock held, given up. */
static bool
qemuVcpuLearn(virDomainObj *obj, GError **error)
{
    g_autoptr(virJSON) cpus = NULL;

    if (!qemuGuestCommand(obj, "query-cpus-fast", NULL, &cpus, error) ||
        !virDomainObjCheckActive(obj, error))
        return false;
    qemuGuestLearnVcpus(qemuGuestOf(obj), cpus);
    return true;
}

/* The vCPU's thread, 0 if there is none. */
static pid_t
qemuVcpuTid(const qemuGuest *guest, unsigned id)
{
    for (guint i = 0; i < guest->vcpus->len; i++) {
        const qemuVcpu *vcpu = &g_array_index(guest->vcpus, qemuVcpu, i);

        if ((unsigned)vcpu->index == id)
            return vcpu->tid;
    }
    return 0;
}

typedef struct {
    unsigned first, count;
    bool online;
} qemuVcpuEdit;

static bool
qemuVcpuEditOnline(virDomainDef *def, void *opaque, GError **error)
{
    const qemuVcpuEdit *edit = opaque;

    virDomainVcpusSwitch(&def->vcpus, edit->first, edit->count, edit->online);
    return true;
}

static bool
qemuVcpuNote(virDomainObj *obj, unsigned id, bool online, GError **error)
{
    qemuVcpuEdit edit = {id, 1, online};

    return qemuDriverEdit(qemuGuestOf(obj)->driver, obj, true, false, qemuVcpuEditOnline, &edit,
                          error);
}

/* --- one less --- */

/* Lock held, given up. */
static bool
qemuVcpuWaitGone(qemuGuest *guest, const char *alias, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + QEMU_VCPU_UNPLUG_WAIT_MS * G_TIME_SPAN_MILLISECOND;

    while (!guest->gone && !g_hash_table_contains(guest->deleted, alias)) {
        if (g_hash_table_remove(guest->unplugFailed, alias))
            return virErrorSet(error, VIR_ERR_OPERATION_FAILED, "%s",
                               _("vcpu unplug request was rejected by the guest"));
        if (!virCoreWait(&guest->changed, deadline) &&
            !g_hash_table_contains(guest->deleted, alias))
            return virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT, "%s",
                               _("vcpu unplug request timed out. Unplug result must be manually "
                                 "inspected in the domain"));
    }
    g_hash_table_remove(guest->deleted, alias);
    return !guest->gone ||
           virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("domain is not running"));
}

/* QEMU has it no more: nor have the groups. Lock held, given up. */
static bool
qemuVcpuDrop(virDomainObj *obj, unsigned id, GError **error)
{
    qemuTune tune;

    if (!qemuVcpuLearn(obj, error))
        return false;
    qemuTuneInit(&tune, qemuGuestOf(obj), VIR_DELEGATE_PHASE_HOTPLUG);
    {
        VIR_CORE_UNLOCKED;

        return qemuTuneDropPart(&tune, VIR_CGROUP_PART_VCPU, id, error);
    }
}

static bool
qemuVcpuTakeOut(virDomainObj *obj, unsigned id, GError **error)
{
    qemuGuest *guest = qemuGuestOf(obj);
    g_autofree char *alias = g_strdup_printf("vcpu%u", id);
    virJSON *arguments = virJSONObject();
    bool gone;

    virJSONAddString(arguments, "id", alias);
    g_hash_table_remove(guest->unplugFailed, alias);
    g_hash_table_remove(guest->deleted, alias); /* an earlier one of the name */
    g_hash_table_add(guest->awaited, alias);
    gone = qemuGuestCommand(obj, "device_del", arguments, NULL, error) &&
           qemuVcpuWaitGone(guest, alias, error);
    if (qemuGuestOf(obj) == guest)
        g_hash_table_remove(guest->awaited, alias);
    return gone && qemuVcpuDrop(obj, id, error);
}

static bool
qemuVcpuUnplug(virDomainObj *obj, unsigned id, GError **error)
{
    return qemuVcpuTakeOut(obj, id, error) && qemuVcpuNote(obj, id, false, error);
}

bool
qemuGuestForgetVcpu(virDomainObj *obj, const char *alias)
{
    const virDomainVcpus *vcpus = &virDomainObjDef(obj)->vcpus;
    g_autoptr(GError) error = NULL;
    guint64 id = 0;

    if (!g_str_has_prefix(alias, "vcpu") ||
        !g_ascii_string_to_unsigned(alias + strlen("vcpu"), 10, 0, G_MAXUINT32, &id, NULL))
        return false;
    g_hash_table_remove(qemuGuestOf(obj)->deleted, alias);
    if (id >= virDomainVcpusMax(vcpus) ||
        !virDomainVcpuIsPlugged(virDomainVcpuAt(vcpus, (guint)id)))
        return true;
    /* it may have been told twice, and be there again */
    if (!qemuVcpuLearn(obj, &error) || (qemuVcpuTid(qemuGuestOf(obj), (unsigned)id) == 0 &&
                                        (!qemuVcpuDrop(obj, (unsigned)id, &error) ||
                                         !qemuVcpuNote(obj, (unsigned)id, false, &error))))
        VIR_WARN("domain '%s': %s", obj->name, error->message);
    return true;
}

/* As many as are to go, the highest first: nothing is begun that cannot be done. */
static virBitmap *
qemuVcpuSelectFewer(const virDomainVcpus *vcpus, unsigned fewer, GError **error)
{
    g_autoptr(virBitmap) chosen = virBitmapNew();

    for (unsigned id = virDomainVcpusMax(vcpus); id-- > 1 && fewer > 0;) {
        if (!virDomainVcpuIsPlugged(virDomainVcpuAt(vcpus, id)))
            continue;
        virBitmapSet(chosen, id);
        fewer--;
    }
    if (fewer == 0)
        return g_steal_pointer(&chosen);
    virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                _("failed to find appropriate hotpluggable vcpus to reach the desired target vcpu "
                  "count"));
    return NULL;
}

static bool
qemuVcpuUnplugSome(virDomainObj *obj, unsigned fewer, GError **error)
{
    g_autoptr(virBitmap) chosen = qemuVcpuSelectFewer(&virDomainObjDef(obj)->vcpus, fewer, error);

    if (!chosen)
        return false;
    for (long id = virBitmapLast(chosen); id >= 0; id--) {
        if (virBitmapHas(chosen, (size_t)id) &&
            (!virDomainObjCheckActive(obj, error) || !qemuVcpuUnplug(obj, (unsigned)id, error)))
            return false;
    }
    return true;
}

/* --- one more --- */

/* Its thread gets its place, here and by a handler. The guest may run on it before that: until it
 * is asked for its groups and CPUs are those of the thread that made it. */
static bool
qemuVcpuSettle(virDomainObj *obj, unsigned id, GError **error)
{
    qemuGuest *guest = qemuGuestOf(obj);
    g_autoptr(virDomainDoc) live = virDomainDocRef(obj->live);
    pid_t tid = qemuVcpuTid(guest, id);
    qemuTune tune;
    bool placed;

    if (tid == 0)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("qemu didn't report thread id for vcpu '%u'"), id);
    qemuTuneInit(&tune, guest, VIR_DELEGATE_PHASE_HOTPLUG);
    {
        VIR_CORE_UNLOCKED;

        placed = qemuTuneVcpu(&tune, virDomainDocDef(live), id, tid, error);
    }
    return placed && virDomainObjCheckActive(obj, error) &&
           qemuBarrierPlugVcpu(obj, id, tid, error);
}

/* A vCPU that could not be placed goes again. If the guest keeps it, it is one of its vCPUs. */
static void
qemuVcpuPlugUndo(virDomainObj *obj, unsigned id)
{
    g_autoptr(GError) error = NULL;

    if (!virDomainObjIsActive(obj) || qemuVcpuTakeOut(obj, id, &error) ||
        !virDomainObjIsActive(obj))
        return;
    VIR_WARN("domain '%s': vCPU %u was plugged, could not be placed and stays: %s", obj->name, id,
             error->message);
    g_clear_error(&error);
    if (qemuVcpuTid(qemuGuestOf(obj), id) != 0 && !qemuVcpuNote(obj, id, true, &error))
        VIR_WARN("domain '%s': %s", obj->name, error->message);
}

static bool
qemuVcpuAdd(virDomainObj *obj, const GArray *places, unsigned id, GError **error)
{
    const qemuVcpuPlace *place = qemuVcpuPlaceOf(places, id);

    if (!place || place->path)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("QEMU has no place for vCPU %u"), id);
    return qemuGuestCommand(obj, "device_add", qemuVcpuPlaceArguments(place), NULL, error);
}

static bool
qemuVcpuPlug(virDomainObj *obj, const GArray *places, unsigned id, GError **error)
{
    if (!qemuVcpuAdd(obj, places, id, error))
        return false;
    if (qemuVcpuLearn(obj, error) && qemuVcpuSettle(obj, id, error))
        return qemuVcpuNote(obj, id, true, error);
    qemuVcpuPlugUndo(obj, id);
    return false;
}

bool
qemuGuestFollowVcpus(virDomainObj *obj, GError **error)
{
    for (guint id = 0; id < virDomainVcpusMax(&virDomainObjDef(obj)->vcpus); id++) {
        bool there = qemuVcpuTid(qemuGuestOf(obj), id) != 0;
        g_autoptr(GError) failure = NULL;

        if (there == virDomainVcpuAt(&virDomainObjDef(obj)->vcpus, id)->online)
            continue;
        if (!qemuVcpuNote(obj, id, there, error) || !virDomainObjCheckActive(obj, error))
            return false;
        if (there && !qemuVcpuSettle(obj, id, &failure))
            VIR_WARN("domain '%s': vCPU %u could not be placed: %s", obj->name, id,
                     failure->message);
        if (!virDomainObjCheckActive(obj, error))
            return false;
    }
    return true;
}

/* Of *retReply, which the caller frees after them. Lock held, given up. */
static GArray *
qemuVcpuAskPlaces(virDomainObj *obj, virJSON **retReply, GError **error)
{
    if (!qemuGuestCommand(obj, "query-hotpluggable-cpus", NULL, retReply, error) ||
        !virDomainObjCheckActive(obj, error))
        return NULL;
    return qemuVcpuPlacesNew(*retReply);
}

static bool
qemuVcpuPlugMore(virDomainObj *obj, unsigned more, GError **error)
{
    g_autoptr(virJSON) reply = NULL;
    g_autoptr(GArray) places = qemuVcpuAskPlaces(obj, &reply, error);
    g_autoptr(virBitmap) chosen =
        places ? qemuVcpuPlacesForMore(places, &virDomainObjDef(obj)->vcpus, more, error) : NULL;

    if (!chosen)
        return false;
    virBitmapForEach(chosen, id)
    {
        if (!virDomainObjCheckActive(obj, error) || !qemuVcpuPlug(obj, places, (unsigned)id, error))
            return false;
    }
    return true;
}

/* --- those that somebody names --- */

bool
qemuGuestSwitchVcpus(virDomainObj *obj, const virBitmap *set, bool online, GError **error)
{
    g_autoptr(virJSON) reply = NULL;
    g_autoptr(GArray) places = NULL;
    unsigned id;

    if (!qemuVcpusCheckSwitch(&virDomainObjDef(obj)->vcpus, set, online, error))
        return false;
    places = qemuVcpuAskPlaces(obj, &reply, error);
    return places && qemuVcpuPlaceForSet(places, set, &id, error) &&
           (online ? qemuVcpuPlug(obj, places, id, error) : qemuVcpuUnplug(obj, id, error));
}

/* --- before the guest runs --- */

/* The next one in order that has not been plugged; -1: none is left. */
static long
qemuVcpuNextAtStart(const virDomainVcpus *vcpus, const virBitmap *done)
{
    long next = -1;

    for (guint i = 0; i < virDomainVcpusMax(vcpus); i++) {
        const virDomainVcpu *vcpu = virDomainVcpuAt(vcpus, i);

        if (virDomainVcpuIsPlugged(vcpu) && !virBitmapHas(done, i) &&
            (next < 0 || vcpu->order < virDomainVcpuAt(vcpus, (guint)next)->order))
            next = i;
    }
    return next;
}

bool
qemuGuestPlugVcpusAtStart(virDomainObj *obj, const virDomainDef *def, GError **error)
{
    g_autoptr(virBitmap) done = virBitmapNew();
    g_autoptr(virJSON) reply = NULL;
    g_autoptr(GArray) places = NULL;
    long id = qemuVcpuNextAtStart(&def->vcpus, done);

    if (id < 0)
        return true;
    if (!qemuGuestCommand(obj, "query-hotpluggable-cpus", NULL, &reply, error))
        return false;
    places = qemuVcpuPlacesNew(reply);
    for (; id >= 0; id = qemuVcpuNextAtStart(&def->vcpus, done)) {
        if (!qemuVcpuAdd(obj, places, (unsigned)id, error))
            return false;
        virBitmapSet(done, (size_t)id);
    }
    return true;
}

bool
qemuGuestSetVcpus(virDomainObj *obj, unsigned count, GError **error)
{
    const unsigned now = virDomainVcpusOnline(&virDomainObjDef(obj)->vcpus);

    if (count > now)
        return qemuVcpuPlugMore(obj, count - now, error);
    return count == now || qemuVcpuUnplugSome(obj, now - count, error);
}
