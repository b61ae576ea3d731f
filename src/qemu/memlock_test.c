/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memlock_test.c: how much memory a document's QEMU may lock, beside what tests/conformance has. */
#include "qemu/memlock.h"

#include <glib.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* Of a guest with 512 MiB. */
static virDelegateMemlock
testLock(const char *more, const char *devices, bool needed)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='qemu'><name>locks</name><memory unit='MiB'>512</memory>%s"
        "<os><type arch='x86_64' machine='q35'>hvm</type></os><devices>%s</devices></domain>",
        more, devices);
    g_autoptr(GError) error = NULL;
    g_autoptr(virDomainDef) def = virDomainDefParse(xml, VIR_PARSE_INACTIVE, &error);

    g_assert_no_error(error);
    g_assert_true(virDomainDefComplete(def, VIR_PARSE_INACTIVE, &error));
    g_assert_true(qemuMemlockIsNeeded(def) == needed);
    return qemuMemlockOf(def);
}

static void
testAssert(virDelegateMemlock lock, uint64_t bytes, unsigned passthrough, uint64_t extra)
{
    g_assert_cmpuint(lock.bytes, ==, bytes);
    g_assert_cmpuint(lock.guest, ==, 512 * MIB);
    g_assert_cmpuint(lock.passthrough, ==, passthrough);
    g_assert_cmpuint(lock.extra, ==, extra);
}

#define IOMMUFD(slot)                                                                              \
    "<hostdev mode='subsystem' type='pci'><driver iommufd='yes'/><source><address domain='0' "     \
    "bus='0' slot='" slot "' function='0'/></source></hostdev>"
#define PCI(slot)                                                                                  \
    "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='0' slot='" slot         \
    "' function='0'/></source></hostdev>"
#define VDPA "<interface type='vdpa'><source dev='/dev/vhost-vdpa-0'/></interface>"
#define IOMMU "<iommu model='intel'/>"
#define NVME                                                                                       \
    "<disk type='nvme' device='disk'><driver name='qemu' type='raw'/><source type='pci' "          \
    "namespace='1'><address domain='0' bus='1' slot='0' function='0'/></source><target "           \
    "dev='vda' bus='virtio'/></disk>"
#define LOCKED "<memoryBacking><locked/></memoryBacking>"
#define HARD "<memtune><hard_limit unit='MiB'>700</hard_limit></memtune>"

static void
testDevices(void)
{
    testAssert(testLock("", "", false), 0, 0, 0);
    /* one container for all of them */
    testAssert(testLock("", PCI("1"), true), 512 * MIB + GIB, 1, GIB);
    testAssert(testLock("", PCI("1") PCI("2"), true), 512 * MIB + GIB, 2, GIB);
    testAssert(testLock("", IOMMUFD("1") IOMMUFD("2"), true), 512 * MIB + GIB, 2, GIB);
    testAssert(testLock("", NVME PCI("1"), true), 512 * MIB + GIB, 2, GIB);
    /* but one each where the guest translates addresses, and for each vDPA device */
    testAssert(testLock("", PCI("1") PCI("2") IOMMU, true), 1024 * MIB + GIB, 2, GIB);
    testAssert(testLock("", VDPA VDPA, true), 1024 * MIB + GIB, 2, GIB);
    testAssert(testLock("", VDPA PCI("1") PCI("2"), true), 1024 * MIB + GIB, 3, GIB);
    testAssert(testLock("", VDPA PCI("1") PCI("2") IOMMU, true), 1536 * MIB + GIB, 3, GIB);
}

static void
testWords(void)
{
    testAssert(testLock(LOCKED, PCI("1"), true), VIR_DELEGATE_MEMLOCK_UNLIMITED, 1, 0);
    testAssert(testLock(LOCKED HARD, PCI("1"), true), 700 * MIB, 1, 0);
    testAssert(testLock(HARD, "", false), 700 * MIB, 0, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/memlock/devices count by how they reach memory", testDevices);
    g_test_add_func("/memlock/the document's own words go first", testWords);
    return g_test_run();
}
