/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vircgroupfake.c: a hierarchy for tests: folders anywhere, rules in memory, failures on request.
 * No rights. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cgroup/vircgroupbackend.h"
#include "util/virerror.h"
#include "util/virutil.h"

static int failAfter = -1;

void
virCgroupFakeFailAfter(int n)
{
    failAfter = n;
}

static char *
virCgroupFakeAvailable(const virCgroupMounts *mounts, const char **retReason)
{
    *retReason = "for tests only";
    return NULL;
}

static bool
virCgroupFakeHasController(const char *path, virCgroupController controller)
{
    return true;
}

static bool
virCgroupFakeMakeFolder(const char *parent, const char *path, unsigned controllers, GError **error)
{
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return virErrorErrno(error, "cannot make control group %s", path);
    return true;
}

static bool
virCgroupFakeIsPopulated(virCgroup *group, bool *retPopulated, GError **error)
{
    *retPopulated = false;
    return true;
}

static bool
virCgroupFakeKillAll(virCgroup *group, gint64 deadline_us, GError **error)
{
    return true;
}

static bool
virCgroupFakeDetectGate(virGate *gate, virGateFound *retFound, GError **error)
{
    *retFound = gate->fake.rules ? VIR_GATE_FOUND_PINS : VIR_GATE_FOUND_NONE;
    return true;
}

static bool
virCgroupFakeSetDevice(virGate *gate, const virDeviceRule *rule, unsigned before)
{
    GArray *rules = gate->fake.rules;
    guint i = 0;

    if (failAfter == 0) {
        errno = EIO;
        return false;
    }
    failAfter -= failAfter > 0;
    while (i < rules->len &&
           virDeviceRuleCompare(&g_array_index(rules, virDeviceRule, i), rule) < 0)
        i++;
    if (i < rules->len && virDeviceRuleCompare(&g_array_index(rules, virDeviceRule, i), rule) == 0)
        g_array_remove_index(rules, i);
    if (rule->access)
        g_array_insert_val(rules, i, *rule);
    return true;
}

static bool
virCgroupFakePrepareGate(virGate *gate, const GArray *rules, size_t extra, virGateFound *retFound,
                         GError **error)
{
    *retFound = gate->fake.rules ? VIR_GATE_FOUND_PINS : VIR_GATE_FOUND_NONE;
    if (!gate->fake.rules)
        gate->fake.rules = g_array_copy((GArray *)rules);
    return true;
}

static bool
virCgroupFakeRepairGate(virGate *gate, bool *retReattached, GError **error)
{
    *retReattached = false;
    return true;
}

static GArray *
virCgroupFakeListDevices(virGate *gate, GError **error)
{
    return g_array_copy(gate->fake.rules);
}

static void
virCgroupFakeCloseGate(virGate *gate)
{
    g_clear_pointer(&gate->fake.rules, g_array_unref);
}

static bool
virCgroupFakeRemoveGate(virGate *gate, GError **error)
{
    virCgroupFakeCloseGate(gate);
    return true;
}

const virCgroupBackend virCgroupFakeBackend = {
    .name = "fake",
    .available = virCgroupFakeAvailable,
    .threads = "cgroup.threads",
    .canClone = true,
    .hasController = virCgroupFakeHasController,
    .makeFolder = virCgroupFakeMakeFolder,
    .makePart = virCgroupFakeMakeFolder,
    .isPopulated = virCgroupFakeIsPopulated,
    .killAll = virCgroupFakeKillAll,
    .awaitEmpty = virCgroupFakeKillAll,
    .prepareGate = virCgroupFakePrepareGate,
    .detectGate = virCgroupFakeDetectGate,
    .repairGate = virCgroupFakeRepairGate,
    .setDevice = virCgroupFakeSetDevice,
    .listDevices = virCgroupFakeListDevices,
    .removeGate = virCgroupFakeRemoveGate,
    .closeGate = virCgroupFakeCloseGate,
};
