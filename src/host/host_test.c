/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * host_test.c: small machines written into a folder, and what is read of them. The machines of
 * tests/conformance (vircaps2xml, virhostcpu) are the larger ones. */
#include <glib/gstdio.h>

#include "host/attached.h"
#include "host/capabilities.h"
#include "host/hostfs.h"
#include "host/memory.h"
#include "host/neighbours.h"
#include "util/virerror.h"
#include "util/virfile.h"

typedef struct {
    char *system;
} testMachine;

static void
testMachineSetUp(testMachine *machine, const void *unused)
{
    machine->system = g_dir_make_tmp("virtward-host-XXXXXX", NULL);
}

static void
testRemoveTree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        testRemoveTree(child);
    }
    g_remove(path);
}

static void
testMachineTearDown(testMachine *machine, const void *unused)
{
    testRemoveTree(machine->system);
    g_free(machine->system);
}

static void
testMachineFile(testMachine *machine, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(machine->system, name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);

    g_assert_true(virFileMakePath(folder, 0755, NULL));
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
testMachineThread(testMachine *machine, unsigned cpu, const char *socket, const char *core,
                  const char *siblings)
{
    const struct {
        const char *name;
        const char *text;
    } files[] = {
        {"physical_package_id", socket}, {"core_id", core}, {"thread_siblings_list", siblings}};

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *name = g_strdup_printf("cpu/cpu%u/topology/%s", cpu, files[i].name);

        testMachineFile(machine, name, files[i].text);
    }
}

/* Two cores of two threads; the last thread is offline. */
static void
testMachineFourThreads(testMachine *machine)
{
    testMachineFile(machine, "cpu/present", "0-3\n");
    testMachineFile(machine, "cpu/online", "0-2\n");
    testMachineThread(machine, 0, "0\n", "0\n", "0,2\n");
    testMachineThread(machine, 1, "0\n", "1\n", "1\n");
    testMachineThread(machine, 2, "0\n", "0\n", "0,2\n");
}

static void
testNodeInfoCountsOfflineThreads(testMachine *machine, const void *unused)
{
    g_autoptr(GError) error = NULL;
    virHostNodeInfo info;

    testMachineFourThreads(machine);
    g_assert_true(virHostNodeInfoRead(machine->system, "cpu MHz\t\t: 2593.9\n", &info, &error));
    g_assert_cmpuint(info.cpus, ==, 3);
    g_assert_cmpuint(info.cells * info.sockets * info.cores * info.threads, ==, 4);
    g_assert_cmpuint(info.threads, ==, 2);
    g_assert_cmpuint(info.mhz, ==, 2593);
}

static void
testNodeInfoOfNoMachineIsAnError(testMachine *machine, const void *unused)
{
    g_autoptr(GError) error = NULL;
    virHostNodeInfo info;

    g_assert_false(virHostNodeInfoRead(machine->system, "", &info, &error));
    g_assert_cmpstr(error->message, ==, "no CPUs found");
}

static void
testTopologyWithoutNumaIsOneCell(testMachine *machine, const void *unused)
{
    g_autoptr(virHostTopology) topology = NULL;
    const virHostCell *cell;

    testMachineFourThreads(machine);
    topology = virHostTopologyRead(machine->system);
    g_assert_cmpuint(topology->cells->len, ==, 1);
    cell = topology->cells->pdata[0];
    g_assert_cmpuint(cell->threads->len, ==, 3);
    g_assert_cmpuint(virBitmapCount(g_array_index(cell->threads, virHostThread, 2).siblings), ==,
                     2);
}

static void
testTopologyReadsCellsPagesAndDistances(testMachine *machine, const void *unused)
{
    g_autoptr(virHostTopology) topology = NULL;
    const virHostCell *cell;

    testMachineFourThreads(machine);
    testMachineFile(machine, "node/online", "0,2\n");
    testMachineFile(machine, "node/node0/cpulist", "0-3\n");
    testMachineFile(machine, "node/node0/distance", "10 21\n");
    testMachineFile(machine, "node/node0/meminfo",
                    "Node 0 MemTotal:        8192 kB\nNode 0 MemFree:  4096 kB\n");
    testMachineFile(machine, "node/node0/hugepages/hugepages-2048kB/nr_hugepages", "2\n");
    testMachineFile(machine, "node/node2/meminfo", "Node 2 MemTotal: 100 kB\n");
    topology = virHostTopologyRead(machine->system);
    virHostTopologyReadMemory(topology, machine->system);
    g_assert_cmpuint(topology->cells->len, ==, 2);
    cell = topology->cells->pdata[0];
    g_assert_cmpuint(cell->memory, ==, 8192);
    g_assert_cmpuint(cell->pages->len, ==, 2);
    g_assert_cmpuint(g_array_index(cell->pages, virHostPages, 0).count, ==, (8192 - 4096) / 4);
    g_assert_cmpuint(g_array_index(cell->pages, virHostPages, 1).count, ==, 2);
    g_assert_cmpuint(g_array_index(cell->distances, virHostDistance, 1).cell, ==, 2);
    g_assert_cmpuint(g_array_index(cell->distances, virHostDistance, 1).value, ==, 21);
    g_assert_null(g_array_index(cell->threads, virHostThread, 3).siblings);
    cell = topology->cells->pdata[1];
    g_assert_cmpuint(cell->threads->len, ==, 0);
}

static void
testMemoryOfAnUnknownCellIsAnError(testMachine *machine, const void *unused)
{
    g_autoptr(GError) error = NULL;
    virHostMemory memory;
    uint64_t pages;

    testMachineFile(machine, "node/online", "0\n");
    testMachineFile(machine, "node/node0/meminfo",
                    "Node 0 MemTotal:  8192 kB\nNode 0 MemFree:   4000 kB\n");
    g_assert_false(virHostMemoryRead(1, machine->system, &memory, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_INVALID_ARG));
    g_clear_error(&error);
    g_assert_true(virHostMemoryFreePages(0, 4, machine->system, &pages, &error));
    g_assert_cmpuint(pages, ==, 1000);
    g_assert_false(virHostMemoryFreePages(0, 8, machine->system, &pages, &error));
    g_assert_cmpstr(error->message, ==, "page size 8 is not available on node 0");
}

static void
testCPUTimeAddsInterruptsToTheKernel(void)
{
    const char *stat = "cpu  11 1 21 31 41 2 3 0 5 0\ncpu0 10 0 20 30 40 1 2 0 0 0\n";
    g_autoptr(GError) error = NULL;
    virHostCPUTime time;

    g_assert_true(virHostCPUTimeRead(stat, -1, &time, &error));
    g_assert_cmpuint(time.kernel, ==, 26);
    g_assert_cmpuint(time.user, ==, 12);
    g_assert_true(virHostCPUTimeRead(stat, 0, &time, &error));
    g_assert_cmpuint(time.iowait, ==, 40);
    g_assert_false(virHostCPUTimeRead(stat, 1, &time, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_INVALID_ARG));
}

static void
testCapabilitiesOfThisMachine(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virHostCapabilities) caps = virHostCapabilitiesRead(&error);
    const char *const guests[] = {"<guest>\n  <os_type>hvm</os_type>\n</guest>\n", NULL};
    g_autofree char *text = NULL;
    g_autoptr(xmlDoc) doc = NULL;

    g_assert_no_error(error);
    text = virHostCapabilitiesFormat(caps, guests);
    doc = virXMLParse(text, -1, "capabilities", &error);
    g_assert_no_error(error);
    g_assert_nonnull(virXMLChildAt(xmlDocGetRootElement(doc), "host/topology/cells/cell/cpus"));
    g_assert_nonnull(virXMLChildAt(xmlDocGetRootElement(doc), "host/cpu/pages"));
    g_assert_true(g_str_has_suffix(
        text, "\n\n  <guest>\n    <os_type>hvm</os_type>\n  </guest>\n\n</capabilities>\n"));
}

static void
testMachineUSB(testMachine *machine, const char *port, const char *vendor, const char *product,
               const char *device)
{
    const struct {
        const char *name;
        const char *text;
    } files[] = {
        {"idVendor", vendor}, {"idProduct", product}, {"busnum", "3\n"}, {"devnum", device}};

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *name = g_strdup_printf("bus/usb/devices/%s/%s", port, files[i].name);

        testMachineFile(machine, name, files[i].text);
    }
}

static void
testUSBDeviceIsFoundByItsIds(testMachine *machine, const void *unused)
{
    g_autoptr(GError) error = NULL;
    unsigned bus = 0;
    unsigned device = 0;

    testMachineUSB(machine, "3-1", "046d\n", "c52b\n", "7\n");
    testMachineUSB(machine, "3-2", "0781\n", "5567\n", "12\n");
    g_assert_true(virHostUSBFind(machine->system, 0x781, 0x5567, &bus, &device, &error));
    g_assert_cmpuint(bus, ==, 3);
    g_assert_cmpuint(device, ==, 12);
    g_assert_false(virHostUSBFind(machine->system, 0x781, 0x1, &bus, &device, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_INTERNAL_ERROR));
}

static void
testUSBDeviceThatIsThereTwiceIsRefused(testMachine *machine, const void *unused)
{
    g_autoptr(GError) error = NULL;
    unsigned bus;
    unsigned device;

    testMachineUSB(machine, "3-1", "046d\n", "c52b\n", "7\n");
    testMachineUSB(machine, "3-2", "046d\n", "c52b\n", "8\n");
    g_assert_false(virHostUSBFind(machine->system, 0x46d, 0xc52b, &bus, &device, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_OPERATION_FAILED));
}

static void
testSCSIUnitHasAGenericNode(testMachine *machine, const void *unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *node = NULL;

    testMachineFile(machine, "bus/scsi/devices/2:0:1:4/scsi_generic/sg5/dev", "21:5\n");
    node = virHostSCSIGeneric(machine->system, "scsi_host2", 0, 1, 4, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(node, ==, "/dev/sg5");
    g_assert_null(virHostSCSIGeneric(machine->system, "scsi_host2", 0, 1, 5, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_SYSTEM_ERROR));
    g_clear_error(&error);
    g_assert_null(virHostSCSIGeneric(machine->system, "scsi_hostX", 0, 1, 4, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_INTERNAL_ERROR));
}

static void
testOrdinaryFilesAreNoDrives(void)
{
    g_assert_false(virHostIsCdrom("/dev/null"));
    g_assert_false(virHostIsCdrom("/nowhere"));
}

/* --- neighbours --- */

static void
testNeighboursAreThoseWhoseAddressIsKnown(testMachine *machine, const void *unused)
{
    g_autofree char *folder = g_build_filename(machine->system, "net", NULL);
    g_autofree char *path = g_build_filename(folder, "arp", NULL);
    g_autoptr(GArray) neighbours = NULL;
    g_autoptr(GError) error = NULL;
    const virHostNeighbour *one;

    g_assert_cmpint(g_mkdir(folder, 0755), ==, 0);
    g_assert_true(g_file_set_contents(
        path,
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        "192.0.2.7        0x1         0x2         52:54:00:11:22:33     *        br0\n"
        "192.0.2.8        0x1         0x0         00:00:00:00:00:00     *        br0\n"
        "garbage\n",
        -1, NULL));
    neighbours = virHostNeighboursRead(machine->system, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(neighbours->len, ==, 1);
    one = &g_array_index(neighbours, virHostNeighbour, 0);
    g_assert_cmpstr(one->address, ==, "192.0.2.7");
    g_assert_cmpint(one->mac[0], ==, 0x52);
    g_assert_cmpint(one->mac[5], ==, 0x33);
}

#define testAdd(path, func)                                                                        \
    g_test_add(path, testMachine, NULL, testMachineSetUp, func, testMachineTearDown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virXMLInit();
    testAdd("/host/nodeinfo/counts-offline", testNodeInfoCountsOfflineThreads);
    testAdd("/host/nodeinfo/no-machine", testNodeInfoOfNoMachineIsAnError);
    testAdd("/host/topology/no-numa", testTopologyWithoutNumaIsOneCell);
    testAdd("/host/topology/cells", testTopologyReadsCellsPagesAndDistances);
    testAdd("/host/memory/unknown-cell", testMemoryOfAnUnknownCellIsAnError);
    testAdd("/host/usb/found", testUSBDeviceIsFoundByItsIds);
    testAdd("/host/usb/twice", testUSBDeviceThatIsThereTwiceIsRefused);
    testAdd("/host/scsi/generic", testSCSIUnitHasAGenericNode);
    g_test_add_func("/host/drive/none", testOrdinaryFilesAreNoDrives);
    testAdd("/host/neighbours/known-addresses", testNeighboursAreThoseWhoseAddressIsKnown);
    g_test_add_func("/host/time/adds-interrupts", testCPUTimeAddsInterruptsToTheKernel);
    g_test_add_func("/host/capabilities/this-machine", testCapabilitiesOfThisMachine);
    return g_test_run();
}
