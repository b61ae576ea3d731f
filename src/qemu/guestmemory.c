/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guestmemory.c: a domain's memory: what it is, the balloon that changes it, its statistics. */
#include "qemu/guestmemory.h"

#include <inttypes.h>

#include "device/memballoon/memballoon.h"
#include "qemu/guest.h"
#include "util/virerror.h"

uint64_t
qemuGuestMemoryMaximum(const virDomainObj *obj)
{
    return virDomainObjDef(obj)->memory.total.value;
}

const virDevice *
qemuGuestMemoryBalloon(const virDomainDef *def)
{
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind == &virMemballoonKind)
            return VIR_MEMBALLOON(dev)->model == VIR_MEMBALLOON_MODEL_NONE ? NULL : dev;
    }
    return NULL;
}

uint64_t
qemuGuestMemoryCurrent(const virDomainObj *obj)
{
    const virDomainDef *def = virDomainObjDef(obj);
    const qemuGuest *guest = qemuGuestOf(obj);

    if (guest && !qemuGuestMemoryBalloon(def))
        return def->memory.total.value;
    if (guest && guest->balloonKiB)
        return guest->balloonKiB;
    return def->memory.current.set ? def->memory.current.value : def->memory.total.value;
}

/* --- changing it --- */

typedef struct {
    uint64_t value;
} qemuMemoryEdit;

static bool
qemuGuestMemoryEditCurrent(virDomainDef *def, void *opaque, GError **error)
{
    const qemuMemoryEdit *edit = opaque;

    def->memory.current = virOptUIntOf(edit->value);
    return true;
}

/* The answer only says that QEMU heard; BALLOON_CHANGE says what the guest gave. */
static bool
qemuGuestMemoryInflate(virDomainObj *obj, uint64_t KiB, GError **error)
{
    virJSON *arguments = virJSONObject();

    virJSONAddUInt(arguments, "value", KiB * 1024);
    return qemuGuestCommand(obj, "balloon", arguments, NULL, error);
}

bool
qemuGuestMemorySet(qemuDriver *driver, virDomainObj *obj, uint64_t KiB, bool live, bool config,
                   GError **error)
{
    qemuMemoryEdit edit = {KiB};

    if ((live && KiB > virDomainDocDef(obj->live)->memory.total.value) ||
        (config && KiB > virDomainDocDef(obj->config)->memory.total.value))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                           _("cannot set memory higher than max memory"));
    if (live && !qemuGuestMemoryBalloon(virDomainDocDef(obj->live)))
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                           _("Unable to change memory of active domain without the balloon device "
                             "and guest OS balloon driver"));
    if (live && !qemuGuestMemoryInflate(obj, KiB, error))
        return false;
    return !config ||
           qemuDriverEdit(driver, obj, false, true, qemuGuestMemoryEditCurrent, &edit, error);
}

static bool
qemuGuestMemoryEditMaximum(virDomainDef *def, void *opaque, GError **error)
{
    const qemuMemoryEdit *edit = opaque;

    if (def->cpu.numa.cells && def->cpu.numa.cells->len > 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("initial memory size of a domain with NUMA nodes cannot be modified "
                             "with this API"));
    if (def->memory.max.set && def->memory.max.value < edit->value)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                           _("cannot set initial memory size greater than the maximum memory "
                             "size"));
    def->memory.total = virOptUIntOf(edit->value + virDomainMemoryDevicesKiB(def));
    if (def->memory.current.set && def->memory.current.value > def->memory.total.value)
        def->memory.current = def->memory.total;
    return true;
}

bool
qemuGuestMemorySetMaximum(qemuDriver *driver, virDomainObj *obj, uint64_t KiB, bool live,
                          bool config, GError **error)
{
    qemuMemoryEdit edit = {KiB};

    if (live)
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                           _("cannot resize the maximum memory on an active domain"));
    return !config ||
           qemuDriverEdit(driver, obj, false, true, qemuGuestMemoryEditMaximum, &edit, error);
}

/* --- statistics --- */

static bool
qemuGuestMemoryEditPeriod(virDomainDef *def, void *opaque, GError **error)
{
    const qemuMemoryEdit *edit = opaque;
    virMemballoon *balloon = (virMemballoon *)qemuGuestMemoryBalloon(def); /* def is ours to edit */

    if (!balloon)
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                           _("No memory balloon device configured, can not set the collection "
                             "period"));
    balloon->statsPeriod = (virOptUInt){edit->value, edit->value > 0};
    return true;
}

static bool
qemuGuestMemoryTellPeriod(virDomainObj *obj, uint64_t seconds, GError **error)
{
    const virDevice *balloon = qemuGuestMemoryBalloon(virDomainObjDef(obj));
    virJSON *arguments;

    if (!balloon || !balloon->info.alias)
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                           _("No memory balloon device configured, can not set the collection "
                             "period"));
    arguments = virJSONObject();
    virJSONAddStringF(arguments, "path", "/machine/peripheral/%s", balloon->info.alias);
    virJSONAddString(arguments, "property", "guest-stats-polling-interval");
    virJSONAddUInt(arguments, "value", seconds);
    if (!qemuGuestCommand(obj, "qom-set", arguments, NULL, error))
        return false;
    return virDomainObjCheckActive(obj, error);
}

bool
qemuGuestMemorySetPeriod(qemuDriver *driver, virDomainObj *obj, uint64_t seconds, bool live,
                         bool config, GError **error)
{
    qemuMemoryEdit edit = {seconds};

    return (!live || qemuGuestMemoryTellPeriod(obj, seconds, error)) &&
           qemuDriverEdit(driver, obj, live, config, qemuGuestMemoryEditPeriod, &edit, error);
}
