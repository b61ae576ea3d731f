/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vcpus.c: vCPUs that are plugged: which places of QEMU are filled, what it is told, and what comes
 * of live and stored document. */
#include "families.h"
#include "qemu/vcpuplaces.h"
#include "replies.h"
#include "util/virerror.h"

enum { LIVE_ID = 7 };

typedef struct {
    qmpTransport *monitor;
    virDomainDef *live;
    virDomainDef *config;
    virJSON *reply; /* that the places are of */
    GArray *places;
} conformanceVcpus;

static void
conformanceVcpusClear(conformanceVcpus *test)
{
    virDomainDefFree(test->live);
    virDomainDefFree(test->config);
    g_clear_pointer(&test->places, g_array_unref);
    virJSONUnref(test->reply);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(conformanceVcpus, conformanceVcpusClear)

/* Takes arguments. */
static bool
conformanceTell(conformanceVcpus *test, const char *command, virJSON *arguments, virJSON **retValue,
                GError **error)
{
    g_autoptr(virJSON) mine G_GNUC_UNUSED = arguments;
    qmpErrorClass refused = QMP_ERROR_NONE;

    if (!test->monitor->call(test->monitor, command, arguments, retValue, &refused, error))
        return false;
    return *retValue || virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "QEMU refuses %s", command);
}

/* The places; and as many vCPUs as there should be. The recording asks for both each time. */
static bool
conformanceAskVcpus(conformanceVcpus *test, GError **error)
{
    g_autoptr(virJSON) places = NULL;
    g_autoptr(virJSON) cpus = NULL;

    if (!conformanceTell(test, "query-hotpluggable-cpus", NULL, &places, error) ||
        !conformanceTell(test, "query-cpus-fast", NULL, &cpus, error))
        return false;
    g_clear_pointer(&test->places, g_array_unref);
    virJSONUnref(test->reply);
    test->reply = g_steal_pointer(&places);
    test->places = qemuVcpuPlacesNew(test->reply);
    return virJSONLength(cpus) == virDomainVcpusOnline(&test->live->vcpus) ||
           virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "QEMU has %zu vCPUs, the document %u",
                       virJSONLength(cpus), virDomainVcpusOnline(&test->live->vcpus));
}

static bool
conformancePlug(conformanceVcpus *test, unsigned first, GError **error)
{
    const qemuVcpuPlace *place = qemuVcpuPlaceOf(test->places, first);
    g_autoptr(virJSON) done = NULL;

    if (!conformanceTell(test, "device_add", qemuVcpuPlaceArguments(place), &done, error))
        return false;
    virDomainVcpusSwitch(&test->live->vcpus, place->first, place->count, true);
    return conformanceAskVcpus(test, error);
}

/* setvcpus COUNT --live --config --hotpluggable */
static bool
conformanceSetVcpus(conformanceVcpus *test, unsigned count, GError **error)
{
    const virDomainVcpus *vcpus = &test->live->vcpus;
    g_autoptr(virBitmap) chosen =
        qemuVcpuPlacesForMore(test->places, vcpus, count - virDomainVcpusOnline(vcpus), error);

    if (!chosen)
        return false;
    virBitmapForEach(chosen, first)
    {
        if (!conformancePlug(test, (unsigned)first, error))
            return false;
    }
    virDomainVcpusStoreCount(&test->config->vcpus, count, /* hotpluggable: */ true);
    return true;
}

/* setvcpu MAP --enable --live --config */
static bool
conformanceSetVcpu(conformanceVcpus *test, const char *map, bool online, GError **error)
{
    g_autoptr(virBitmap) set = virBitmapParse(map, VIR_DOMAIN_VCPUS_MAX, error);
    unsigned first;

    if (!set || !qemuVcpusCheckSwitch(&test->live->vcpus, set, online, error) ||
        !qemuVcpuPlaceForSet(test->places, set, &first, error))
        return false;
    if (!online)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "no case takes one away");
    if (!conformancePlug(test, first, error))
        return false;
    virDomainVcpusStoreSwitch(&test->config->vcpus, set, online);
    return true;
}

static bool
conformanceSetCase(const conformanceCase *row, conformanceVcpus *test, GError **error)
{
    const char *count = conformanceFlag(row, "newcpus");
    const char *map = conformanceFlag(row, "cpumap");
    const char *state = conformanceFlag(row, "state");

    if (count)
        return conformanceSetVcpus(test, (unsigned)g_ascii_strtoull(count, NULL, 10), error);
    return conformanceSetVcpu(test, map, g_str_equal(state, "plug"), error);
}

/* The guest as it runs, with the vCPUs that it was started with. */
static bool
conformanceRun(const conformanceCase *row, conformanceVcpus *test, GError **error)
{
    test->config = conformanceDomain(row, VIR_PARSE_INACTIVE, error);
    if (!test->config)
        return false;
    test->live = virDomainDefCopy(test->config);
    test->live->id = LIVE_ID;
    virDomainDefAssignAliases(test->live);
    if (!conformanceAskVcpus(test, error))
        return false;
    qemuVcpuPlacesOrder(test->places, &test->live->vcpus);
    virDomainVcpusNumber(&test->live->vcpus);
    return true;
}

bool
conformanceQemuHotplugCpu(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autofree char *path = conformancePath(row, row->inputs[1]);
    g_autoptr(conformanceReplies) replies = conformanceRepliesRead(path, error);
    g_auto(conformanceVcpus) test = {0};

    if (!replies)
        return conformanceFail(result, "monitor");
    test.monitor = conformanceRepliesSession(replies, 0);
    if (!conformanceRun(row, &test, error))
        return conformanceFail(result, "parse");
    if (!conformanceSetCase(row, &test, error))
        return conformanceFail(result, "setvcpu");
    if (conformanceRepliesOutOfOrder(replies) || !conformanceRepliesOver(replies)) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "another talk than the recorded one");
        return conformanceFail(result, "monitor");
    }
    conformanceAdd(result, virDomainDefFormat(test.live, VIR_FORMAT_SECURE));
    return conformanceAdd(result,
                          virDomainDefFormat(test.config, VIR_FORMAT_SECURE | VIR_FORMAT_INACTIVE));
}
