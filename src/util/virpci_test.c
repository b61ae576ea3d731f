/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virpci_test.c: devices, groups and VFIO's nodes of a sysfs made of plain files, and what is
 * written there. That a driver really changes is tests/vm/vfio.sh's affair. */
#include "util/virpci.h"

#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virutil.h"
#include "util/virvfio.h"

#define NIC "0000:03:00.0"
#define NEIGHBOUR "0000:03:00.1"
#define BRIDGE "0000:00:1c.0"
#define LONELY "0000:00:1f.2"

typedef struct {
    char *sysfs;
    GError *error;
} testHost;

static void
testWrite(const testHost *test, const char *path, const char *text)
{
    g_autofree char *file = g_build_filename(test->sysfs, path, NULL);
    g_autofree char *folder = g_path_get_dirname(file);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, text, -1, NULL));
}

/* Nothing is made anew here, as in sysfs: what isn't there can't be written. */
static char *
testWritten(const testHost *test, const char *path)
{
    g_autofree char *file = g_build_filename(test->sysfs, path, NULL);
    char *text = NULL;

    g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
    return text;
}

static void
testAssertWritten(const testHost *test, const char *path, const char *expected)
{
    g_autofree char *text = testWritten(test, path);

    g_assert_cmpstr(text, ==, expected);
}

static void
testLink(const testHost *test, const char *path, const char *target)
{
    g_autofree char *link = g_build_filename(test->sysfs, path, NULL);
    g_autofree char *folder = g_path_get_dirname(link);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    (void)unlink(link);
    g_assert_cmpint(symlink(target, link), ==, 0);
}

/* A device, its driver (or NULL) and group (or -1). */
static void
testAddDevice(const testHost *test, const char *address, const char *driver, int group)
{
    g_autofree char *folder = g_build_filename("bus/pci/devices", address, NULL);
    g_autofree char *config = g_build_filename(folder, "config", NULL);
    g_autofree char *override = g_build_filename(folder, "driver_override", NULL);
    g_autofree char *member = g_strdup_printf("kernel/iommu_groups/%d/devices/%s", group, address);
    g_autofree char *device = g_strdup_printf("../../../../bus/pci/devices/%s", address);
    g_autofree char *groupLink = g_build_filename(folder, "iommu_group", NULL);
    g_autofree char *groupTarget = g_strdup_printf("../../../../kernel/iommu_groups/%d", group);
    g_autofree char *driverLink = g_build_filename(folder, "driver", NULL);
    g_autofree char *driverTarget = g_strdup_printf("../../drivers/%s", driver ? driver : "");
    g_autofree char *unbind = g_strdup_printf("bus/pci/drivers/%s/unbind", driver ? driver : "");

    testWrite(test, config, "");
    testWrite(test, override, "(null)\n");
    if (group >= 0) {
        testLink(test, member, device);
        testLink(test, groupLink, groupTarget);
    }
    if (driver) {
        testWrite(test, unbind, "");
        testLink(test, driverLink, driverTarget);
    }
}

static void
testSetup(testHost *test, const void *data)
{
    test->sysfs = g_dir_make_tmp("virtward-pci-XXXXXX", NULL);
    testAddDevice(test, NIC, "e1000e", 7);
    testAddDevice(test, NEIGHBOUR, NULL, 7);
    testAddDevice(test, BRIDGE, "pcieport", 7);
    testAddDevice(test, LONELY, "ahci", -1);
    testWrite(test, "bus/pci/drivers_probe", "");
    testWrite(test, "bus/pci/drivers/vfio-pci/unbind", "");
}

static int
testRemove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static void
testTeardown(testHost *test, const void *data)
{
    g_assert_cmpint(nftw(test->sysfs, testRemove, 8, FTW_DEPTH | FTW_PHYS), ==, 0);
    g_clear_error(&test->error);
    g_free(test->sysfs);
}

static void
testRefused(testHost *test, bool done, int code, const char *words)
{
    g_assert_false(done);
    g_assert_error(test->error, VIR_ERROR, code);
    if (!strstr(test->error->message, words))
        g_error("'%s' does not say '%s'", test->error->message, words);
    g_clear_error(&test->error);
}

static void
testOnlyTheKernelsFormIsAnAddress(testHost *test, const void *data)
{
    static const char *const bad[] = {"",
                                      "..",
                                      "03:00.0",
                                      "0000:03:00.8",
                                      "0000:03:00.0/",
                                      "0000:03:0A.0",
                                      "0000:03:00.0\n",
                                      "../../../etc",
                                      "0000/03:00.0"};

    g_assert_true(virPCIIsAddress(NIC));
    g_assert_true(virPCIIsAddress("ffff:ff:1f.7"));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(virPCIIsAddress(bad[i]));
        testRefused(test, virPCIDeviceRead(test->sysfs, bad[i], &test->error), VIR_ERR_INVALID_ARG,
                    "is no address of a PCI device");
    }
}

static void
testADeviceIsRead(testHost *test, const void *data)
{
    g_autoptr(virPCIDevice) nic = virPCIDeviceRead(test->sysfs, NIC, &test->error);
    g_autoptr(virPCIDevice) lonely = virPCIDeviceRead(test->sysfs, LONELY, &test->error);

    g_assert_no_error(test->error);
    g_assert_cmpstr(nic->driver, ==, "e1000e");
    g_assert_null(nic->override);
    g_assert_null(nic->cdev);
    g_assert_cmpint(nic->group, ==, 7);
    g_assert_false(virPCIDeviceIsVFIO(nic));
    g_assert_cmpint(lonely->group, ==, -1);
    testRefused(test, virPCIDeviceRead(test->sysfs, "0000:77:00.0", &test->error),
                VIR_ERR_SYSTEM_ERROR, "Device 0000:77:00.0 not found: could not access ");
}

static void
testWhoIsInTheWayOfAGroup(testHost *test, const void *data)
{
    g_autoptr(GPtrArray) before = virPCIGroupRead(test->sysfs, 7, &test->error);
    g_autoptr(GPtrArray) after = NULL;
    const virPCIDevice *inTheWay;

    g_assert_no_error(test->error);
    g_assert_cmpuint(before->len, ==, 3);
    inTheWay = virPCIGroupInTheWay(before);
    g_assert_cmpstr(inTheWay ? inTheWay->address : NULL, ==, NIC);
    testAddDevice(test, NIC, "vfio-pci", 7);
    after = virPCIGroupRead(test->sysfs, 7, &test->error);
    g_assert_null(virPCIGroupInTheWay(after)); /* no driver, and a bridge's, are in nobody's way */
    testRefused(test, virPCIGroupRead(test->sysfs, 8, &test->error), VIR_ERR_SYSTEM_ERROR,
                "IOMMU group 8");
}

/* Files don't become others by being written: the driver stays, which is told. */
static void
testBindingIsWrittenAndLookedAt(testHost *test, const void *data)
{
    g_autofree char *override = NULL;

    testRefused(test, virPCIDeviceBind(test->sysfs, NIC, "vfio-pci", &test->error),
                VIR_ERR_OPERATION_FAILED, "driver vfio-pci does not take PCI device " NIC);
    testAssertWritten(test, "bus/pci/drivers/e1000e/unbind", NIC);
    testAssertWritten(test, "bus/pci/drivers_probe", NIC);
    /* and its own driver may have it back */
    override = testWritten(test, "bus/pci/devices/" NIC "/driver_override");
    g_assert_cmpint(override[0], ==, '\n'); /* the rest is of longer lines before */
}

static void
testADriverThatIsNotThereIsNamed(testHost *test, const void *data)
{
    testRefused(test, virPCIDeviceBind(test->sysfs, NIC, "vfio-xyz", &test->error),
                VIR_ERR_OPERATION_FAILED,
                "cannot bind PCI device " NIC " to driver vfio-xyz: this kernel has not loaded it");
    testAssertWritten(test, "bus/pci/drivers/e1000e/unbind", "");
    testAssertWritten(test, "bus/pci/devices/" NIC "/driver_override", "(null)\n");
}

static void
testABoundDeviceIsLeftAlone(testHost *test, const void *data)
{
    testAddDevice(test, NIC, "vfio-pci", 7);
    g_assert_true(virPCIDeviceBind(test->sysfs, NIC, "vfio-pci", &test->error));
    testAssertWritten(test, "bus/pci/drivers/vfio-pci/unbind", "");
    testAssertWritten(test, "bus/pci/drivers_probe", "");
}

static void
testReleaseTakesADeviceFromVFIOAlone(testHost *test, const void *data)
{
    g_assert_true(virPCIDeviceRelease(test->sysfs, NIC, &test->error));
    testAssertWritten(test, "bus/pci/drivers/e1000e/unbind", "");
    testAssertWritten(test, "bus/pci/drivers_probe", "");
    testAddDevice(test, NIC, "vfio-pci", 7);
    g_assert_true(virPCIDeviceRelease(test->sysfs, NIC, &test->error));
    testAssertWritten(test, "bus/pci/drivers/vfio-pci/unbind", NIC);
    testAssertWritten(test, "bus/pci/drivers_probe", NIC);
}

/* --- VFIO's nodes --- */

static void
testNode(testHost *test, virVFIOKind kind, const char *address, const char *path, dev_t number)
{
    g_autofree char *found = NULL;
    dev_t foundNumber = 0;

    g_assert_true(virVFIONode(test->sysfs, kind, address, &found, &foundNumber, &test->error));
    g_assert_cmpstr(found, ==, path);
    g_assert_cmpuint(foundNumber, ==, number);
}

static bool
testNoNode(testHost *test, virVFIOKind kind, const char *address)
{
    char *path = NULL;
    dev_t number;

    return virVFIONode(test->sysfs, kind, address, &path, &number, &test->error);
}

static void
testNodesAreFoundByTheDevice(testHost *test, const void *data)
{
    testRefused(test, testNoNode(test, VIR_VFIO_GROUP, NIC), VIR_ERR_OPERATION_INVALID,
                "PCI device " NIC " is bound to driver e1000e, not to vfio-pci");
    testRefused(test, testNoNode(test, VIR_VFIO_IOMMU_NODE, NULL), VIR_ERR_OPERATION_UNSUPPORTED,
                "this kernel has no /dev/iommu");
    testAddDevice(test, NIC, "vfio-pci", 7);
    testAddDevice(test, LONELY, "vfio-pci", -1);
    testRefused(test, testNoNode(test, VIR_VFIO_GROUP, LONELY), VIR_ERR_OPERATION_UNSUPPORTED,
                "PCI device " LONELY " is in no group of the IOMMU");
    testRefused(test, testNoNode(test, VIR_VFIO_CDEV, NIC), VIR_ERR_OPERATION_UNSUPPORTED,
                "has no node of its own below /dev/vfio/devices");
    testRefused(test, testNoNode(test, VIR_VFIO_GROUP, NIC), VIR_ERR_SYSTEM_ERROR, "class/vfio/7");
    testWrite(test, "class/vfio/7/dev", "244:7\n");
    testWrite(test, "bus/pci/devices/" NIC "/vfio-dev/vfio3/dev", "511:3\n");
    testWrite(test, "class/vfio-dev/vfio3/dev", "511:3\n");
    testWrite(test, "class/misc/iommu/dev", "10:125\n");
    testNode(test, VIR_VFIO_GROUP, NIC, "/dev/vfio/7", makedev(244, 7));
    testNode(test, VIR_VFIO_CDEV, NIC, "/dev/vfio/devices/vfio3", makedev(511, 3));
    testNode(test, VIR_VFIO_IOMMU_NODE, NULL, "/dev/iommu", makedev(10, 125));
}

static void
testOtherFilesDoNotAnswerAsNodes(testHost *test, const void *data)
{
    static const char *const others[] = {"/dev/null", "/dev/zero", "/dev/urandom", "/dev/tty",
                                         "/dev/ptmx", "/dev/kvm",  "/dev/net/tun"};

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        VIR_AUTOCLOSE fd = open(others[i], O_RDWR | O_CLOEXEC | O_NOCTTY);

        if (fd < 0)
            continue; /* not everywhere; the first ones are */
        g_assert_false(virVFIOIsKind(fd, VIR_VFIO_GROUP));
        g_assert_false(virVFIOIsKind(fd, VIR_VFIO_CDEV));
        g_assert_false(virVFIOIsKind(fd, VIR_VFIO_IOMMU_NODE));
        g_assert_false(virVFIOGroupIsViable(fd));
    }
}

#define CASE(name, function)                                                                       \
    g_test_add("/pci/" name, testHost, NULL, testSetup, function, testTeardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    CASE("address", testOnlyTheKernelsFormIsAnAddress);
    CASE("read", testADeviceIsRead);
    CASE("group", testWhoIsInTheWayOfAGroup);
    CASE("bind", testBindingIsWrittenAndLookedAt);
    CASE("bind-no-driver", testADriverThatIsNotThereIsNamed);
    CASE("bind-bound", testABoundDeviceIsLeftAlone);
    CASE("release", testReleaseTakesADeviceFromVFIOAlone);
    CASE("node", testNodesAreFoundByTheDevice);
    CASE("node-others", testOtherFilesDoNotAnswerAsNodes);
    return g_test_run();
}
