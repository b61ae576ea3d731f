/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * barrier.c: the table of a guest's threads, and the barrier with it. See barrier.h. */
#include "qemu/barrier.h"

#include "qemu/tune.h"
#include "util/vircore.h"
#include "util/virerror.h"

static void
qemuBarrierAdd(GArray *table, virDelegateRole role, unsigned id, pid_t tid)
{
    const virDelegateThread thread = {role, id, tid};

    g_array_append_val(table, thread);
}

static bool
qemuBarrierHas(const GArray *table, pid_t tid)
{
    for (guint i = 0; i < table->len; i++) {
        if (g_array_index(table, virDelegateThread, i).tid == tid)
            return true;
    }
    return false;
}

/* What QEMU made for itself: in its process, and in no answer of its monitor. */
static void
qemuBarrierAddOthers(GArray *table, pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task", (int)pid);
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name;

    while (folder && (name = g_dir_read_name(folder))) {
        pid_t tid = (pid_t)g_ascii_strtoll(name, NULL, 10);

        if (tid > 0 && !qemuBarrierHas(table, tid))
            qemuBarrierAdd(table, VIR_DELEGATE_ROLE_OTHER, 0, tid);
    }
}

static void
qemuBarrierAddIOThreads(GArray *table, virJSON *iothreads)
{
    for (size_t i = 0; iothreads && i < virJSONLength(iothreads); i++) {
        unsigned id = qemuIOThreadNumber(virJSONGetString(virJSONAt(iothreads, i), "id"));
        int64_t tid;

        if (id > 0 && virJSONGetInt(virJSONAt(iothreads, i), "thread-id", &tid))
            qemuBarrierAdd(table, VIR_DELEGATE_ROLE_IOTHREAD, id, (pid_t)tid);
    }
}

/* The emulator, the vCPUs and the I/O threads, as QEMU told of them; NULL on error. Lock held,
 * given up. */
static GArray *
qemuBarrierTable(virDomainObj *obj, GError **error)
{
    const qemuGuest *guest = qemuGuestOf(obj);
    const virDomainDef *def = guest->made ? guest->made : virDomainObjDef(obj);
    g_autoptr(GArray) table = g_array_new(FALSE, TRUE, sizeof(virDelegateThread));
    g_autoptr(virJSON) iothreads = NULL;

    qemuBarrierAdd(table, VIR_DELEGATE_ROLE_EMULATOR, 0, guest->pid);
    for (guint i = 0; i < guest->vcpus->len; i++) {
        const qemuVcpu *vcpu = &g_array_index(guest->vcpus, qemuVcpu, i);

        qemuBarrierAdd(table, VIR_DELEGATE_ROLE_VCPU, (unsigned)vcpu->index, vcpu->tid);
    }
    if (virDomainIOThreadCount(&def->iothreads) &&
        !qemuGuestCommand(obj, "query-iothreads", NULL, &iothreads, error))
        return NULL;
    qemuBarrierAddIOThreads(table, iothreads);
    return g_steal_pointer(&table);
}

/* Without the lock. */
static bool
qemuBarrierAsk(qemuGuest *guest, virDelegatePhase phase, virDelegateBarrierStage stage,
               const GArray *table, GError **error)
{
    qemuTune tune;

    qemuTuneInit(&tune, guest, phase);
    return virDelegateBarrier(guest->driver->door, &tune.call, stage, guest->pidfd,
                              (const virDelegateThread *)(const void *)table->data, table->len,
                              error);
}

bool
qemuBarrierReach(virDomainObj *obj, virDelegatePhase phase, virDelegateBarrierStage stage,
                 GError **error)
{
    g_autoptr(GArray) table = qemuBarrierTable(obj, error);
    qemuGuest *guest = qemuGuestOf(obj);

    if (!table)
        return false;
    if (!guest || guest->gone)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, "%s", _("domain is not running"));
    {
        VIR_CORE_UNLOCKED;

        qemuBarrierAddOthers(table, guest->pid);
        return qemuBarrierAsk(guest, phase, stage, table, error);
    }
}

bool
qemuBarrierPlugVcpu(virDomainObj *obj, unsigned id, pid_t tid, GError **error)
{
    g_autoptr(GArray) table = g_array_new(FALSE, TRUE, sizeof(virDelegateThread));
    qemuGuest *guest = qemuGuestOf(obj);
    VIR_CORE_UNLOCKED;

    qemuBarrierAdd(table, VIR_DELEGATE_ROLE_VCPU, id, tid);
    return qemuBarrierAsk(guest, VIR_DELEGATE_PHASE_HOTPLUG, VIR_DELEGATE_BARRIER_HOTPLUG_VCPU,
                          table, error);
}
