/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * disk_test.c: what follows from a disk's name, what the guest may notice, what can change while it
 * runs. Documents and command lines are golden cases. */
#include "device/disk/disk.h"

#include <string.h>

#include "device/disk/disk_qemu.h"
#include "util/virerror.h"

static virDevice *
diskFrom(const char *xml)
{
    static const virDomainFacts facts = {.devices = NULL};
    g_autoptr(GError) error = NULL;
    virDevice *dev = virDeviceParseText(xml, 0, &error);

    g_assert_no_error(error);
    g_assert_true(virDiskKind.complete(dev, &facts, 0, &error));
    g_assert_true(virDiskQemu.complete(dev, &facts, NULL, 0, &error));
    return dev;
}

/* --- names --- */

static void
testTargetsHaveNumbers(void)
{
    static const struct {
        const char *target;
        int index, partition;
    } cases[] = {
        {"vda", 0, 0},
        {"hdd", 3, 0},
        {"sdz", 25, 0},
        {"sdaa", 26, 0},
        {"xvdb", 1, 0},
        {"sdzz", 701, 0},
        {"vda1", 0, 1},
        {"ioemu:hda", 0, 0},
        {"ubdc", 2, 0},
        {"fdb", 1, 0},
        {"vda15", 0, 15},
        {"vd", -1, 0},
        {"", -1, 0},
        {"foo", -1, 0},
        {"vdA", -1, 0},
        {"vda0", -1, 0},
        {"vda1x", -1, 0},
        {"vda123456789", -1, 0},
        {"sdzzzzzzzzzzzzzz", -1, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int partition = 0;

        g_test_message("%s", cases[i].target);
        g_assert_cmpint(virDiskTargetSplit(cases[i].target, &partition), ==, cases[i].index);
        g_assert_cmpint(partition, ==, cases[i].partition);
    }
}

static void
testTargetsHaveAPlace(void)
{
    static const struct {
        const char *target;
        int bus;
        unsigned controller, onBus, unit;
    } cases[] = {
        {"hda", VIR_DISK_BUS_IDE, 0, 0, 0},  {"hdd", VIR_DISK_BUS_IDE, 0, 1, 1},
        {"hde", VIR_DISK_BUS_IDE, 1, 0, 0},  {"sdg", VIR_DISK_BUS_SCSI, 0, 0, 6},
        {"sdh", VIR_DISK_BUS_SCSI, 1, 0, 0}, {"sdf", VIR_DISK_BUS_SATA, 0, 0, 5},
        {"sdg", VIR_DISK_BUS_SATA, 1, 0, 0}, {"fdb", VIR_DISK_BUS_FDC, 0, 0, 1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strdup_printf("<disk><source file='/i'/><target dev='%s' bus='%s'/></disk>",
                            cases[i].target, virDiskBusToString(cases[i].bus));
        g_autoptr(virDevice) dev = diskFrom(xml);
        const virAddress *at = &dev->info.address;

        g_assert_cmpint(at->type, ==, VIR_ADDRESS_DRIVE);
        g_assert_cmpuint(at->drive.controller, ==, cases[i].controller);
        g_assert_cmpuint(at->drive.bus, ==, cases[i].onBus);
        g_assert_cmpuint(at->drive.unit, ==, cases[i].unit);
    }
}

static void
testDisksOfABusStandInOrder(void)
{
    g_autoptr(virDevice) first = diskFrom("<disk><target dev='vda' bus='virtio'/></disk>");
    g_autoptr(virDevice) second = diskFrom("<disk><target dev='vdb' bus='virtio'/></disk>");
    g_autoptr(virDevice) other = diskFrom("<disk><target dev='hda' bus='ide'/></disk>");

    g_assert_cmpint(virDiskKind.order(first, second), <, 0);
    g_assert_cmpint(virDiskKind.order(second, first), >, 0);
    g_assert_cmpint(virDiskKind.order(first, other), ==, 0);
}

/* --- copies and ABI --- */

static void
testCopiesKeepWhatARunHasChosen(void)
{
    static const char xml[] =
        "<disk type='file'><driver type='qcow2'/><source file='/top' index='7'><privateData>"
        "<nodenames><nodename type='storage' name='s'/><nodename type='format' name='f'/>"
        "</nodenames><objects><secret type='auth' alias='a'/></objects></privateData></source>"
        "<backingStore type='file' index='8'><format type='raw'/><source file='/base'/>"
        "<backingStore/></backingStore><target dev='vda' bus='virtio'/>"
        "<privateData><qom name='q'/></privateData></disk>";
    g_autoptr(virDevice) dev = virDeviceParseText(xml, VIR_PARSE_STATUS, NULL);
    g_autoptr(virDevice) copy = virDeviceCopy(dev);
    const virDisk *disk = VIR_DISK(copy);

    g_assert_cmpuint(disk->src.id, ==, 7);
    g_assert_cmpstr(disk->src.run.formatNode, ==, "f");
    g_assert_cmpstr(disk->src.run.authSecret, ==, "a");
    g_assert_cmpuint(disk->src.backing->id, ==, 8);
    g_assert_cmpint(disk->src.backing->backing->type, ==, VIR_STORAGE_TYPE_NONE);
    g_assert_cmpstr(disk->qomName, ==, "q");
}

static void
testABISeesWhatTheGuestSees(void)
{
    static const struct {
        const char *other;
        const char *text; /* of the refusal; NULL: the same to the guest */
    } cases[] = {
        {"<disk><driver cache='none'/><source file='/other'/><target dev='vda'/></disk>", NULL},
        {"<disk><source file='/i'/><target dev='vdb'/></disk>", "Target disk vdb"},
        {"<disk><source file='/i'/><target dev='vda' bus='scsi'/></disk>", "Target disk bus"},
        {"<disk device='lun'><source file='/i'/><target dev='vda'/></disk>", "disk device"},
        {"<disk><source file='/i'/><target dev='vda'/><serial>S</serial></disk>", "serial"},
        {"<disk><source file='/i'/><target dev='vda'/><shareable/></disk>", "access mode"},
    };
    g_autoptr(virDevice) dev = diskFrom("<disk><source file='/i'/><target dev='vda'/></disk>");

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(virDevice) other = virDeviceParseText(cases[i].other, 0, NULL);
        g_autoptr(GError) error = NULL;

        g_assert_true(virDeviceSameABI(dev, other, &error) == !cases[i].text);
        if (cases[i].text)
            g_assert_nonnull(strstr(error->message, cases[i].text));
    }
}

/* What would be written without its source could not be read again. */
static void
testImagesHaveSources(void)
{
    static const char *const texts[] = {
        "<disk type='file'><source file='/top'/><backingStore type='file'><format type='qcow2'/>"
        "<source/></backingStore><target dev='vda'/></disk>",
        "<disk type='network'><source protocol='rbd' name=''/><target dev='vda'/></disk>",
        "<disk type='vhostuser'><source type='unix' path=''/><target dev='vda'/></disk>",
        "<disk type='file'><source file='/top'/><mirror type='file' job='copy'>"
        "<format type='raw'/><source/></mirror><target dev='vda'/></disk>",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(virDevice) dev = virDeviceParseText(texts[i], VIR_PARSE_STATUS, &error);

        g_assert_null(dev);
        g_assert_true(virErrorIs(error, VIR_ERR_XML_ERROR));
    }
}

/* A disk's place among the others depends on its bus, named or not. */
static void
testBusIsKnownOnceRead(void)
{
    g_autoptr(virDevice) dev = diskFrom("<disk><source file='/i'/><target dev='vdb'/></disk>");

    g_assert_cmpint(VIR_DISK(dev)->bus, ==, VIR_DISK_BUS_VIRTIO);
}

/* --- changes while the guest runs --- */

typedef struct {
    qmpCaps *caps;
    GPtrArray *devices;
    virDomainFacts facts;
    qemuBuildConfig config;
    qemuBuildContext ctx;
    unsigned lastNode;
} Guest;

static unsigned
guestNode(void *opaque)
{
    return ++((Guest *)opaque)->lastNode;
}

static void
guestClaim(Guest *guest, virDevice *dev)
{
    const qemuClaims claims = {.blockNode = guestNode, .opaque = guest};
    g_autoptr(GError) error = NULL;

    if (!dev->info.alias)
        dev->info.alias = virDiskKind.alias(dev, &guest->facts, 0);
    g_assert_true(virDiskQemu.claim(dev, &guest->ctx, &claims, &error));
}

static void
guestInit(Guest *guest, virDevice *dev)
{
    *guest = (Guest){.caps = qmpCapsNew("/usr/bin/qemu", "x86_64"), .devices = g_ptr_array_new()};
    for (int flag = 0; flag < QMP_CAPS_LAST; flag++)
        qmpCapsSetFlag(guest->caps, flag);
    g_ptr_array_add(guest->devices, dev);
    guest->facts.devices = guest->devices;
    guest->ctx = (qemuBuildContext){
        .facts = &guest->facts, .caps = guest->caps, .config = &guest->config, .hotplug = true};
    guestClaim(guest, dev);
}

static void
guestClear(Guest *guest)
{
    qmpCapsUnref(guest->caps);
    g_ptr_array_unref(guest->devices);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Guest, guestClear)

/* The names of the commands, and those of their undo from the last one backwards. */
static char *
planText(const qmpPlan *plan)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < qmpPlanLength(plan); i++)
        g_string_append_printf(text, "%s ", qmpPlanStepCommand(qmpPlanStep(plan, i)));
    g_string_append(text, "<");
    for (size_t i = qmpPlanLength(plan); i-- > 0;) {
        g_autoptr(virJSON) arguments = NULL;
        const char *undo = qmpPlanStepUndo(qmpPlanStep(plan, i), &arguments);

        if (undo)
            g_string_append_printf(text, " %s", undo);
    }
    return g_string_free(text, FALSE);
}

static char *
updateText(const char *wasXML, const char *isXML, GError **error)
{
    g_autoptr(virDevice) was = diskFrom(wasXML);
    g_autoptr(virDevice) is = diskFrom(isXML);
    g_auto(Guest) guest;
    g_autoptr(qmpPlan) plan = NULL;

    guestInit(&guest, was);
    guestClaim(&guest, is);
    plan = qmpPlanNew(guest.caps);
    return virDiskQemu.update(was, is, &guest.ctx, plan, error) ? planText(plan) : NULL;
}

static const char cdromA[] = "<disk device='cdrom'><source file='/a'/><target dev='hdc'/></disk>";
static const char cdromB[] = "<disk device='cdrom'><source file='/b'/><target dev='hdc'/></disk>";
static const char cdromEmpty[] = "<disk device='cdrom'><target dev='hdc'/></disk>";

static void
testMediaAreExchangedNewImageFirst(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = updateText(cdromA, cdromB, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(text, ==,
                    "blockdev-add blockdev-add blockdev-open-tray blockdev-remove-medium "
                    "blockdev-insert-medium blockdev-close-tray blockdev-del blockdev-del "
                    "< blockdev-add blockdev-add blockdev-open-tray blockdev-remove-medium "
                    "blockdev-insert-medium "
                    "blockdev-close-tray blockdev-del blockdev-del");
}

static void
testMediaAreEjectedAndInserted(void)
{
    g_autofree char *eject = updateText(cdromA, cdromEmpty, NULL);
    g_autofree char *insert = updateText(cdromEmpty, cdromA, NULL);
    g_autofree char *same = updateText(cdromA, cdromA, NULL);

    g_assert_true(g_str_has_prefix(eject, "blockdev-open-tray blockdev-remove-medium "
                                          "blockdev-close-tray blockdev-del blockdev-del <"));
    g_assert_true(g_str_has_prefix(insert, "blockdev-add blockdev-add blockdev-open-tray "
                                           "blockdev-insert-medium blockdev-close-tray <"));
    g_assert_cmpstr(same, ==, "<");
}

static void
testFloppiesHaveNoTray(void)
{
    g_autofree char *text =
        updateText("<disk device='floppy'><target dev='fda'/></disk>",
                   "<disk device='floppy'><source file='/a'/><target dev='fda'/></disk>", NULL);

    g_assert_true(g_str_has_prefix(text, "blockdev-add blockdev-add blockdev-insert-medium <"));
}

static void
testWhatCannotChangeIsNamed(void)
{
    static const struct {
        const char *is;
        const char *text;
    } cases[] = {
        {"<disk device='cdrom'><driver cache='none'/><source file='/a'/><target dev='hdc'/></disk>",
         "'cache'"},
        {"<disk device='cdrom'><source file='/a'/><target dev='hdc'/><serial>x</serial></disk>",
         "'serial'"},
        {"<disk device='cdrom'><source file='/a'/><target dev='hdc' bus='sata'/></disk>", "'bus'"},
        {"<disk device='cdrom'><source file='/a'/><target dev='hdc'/><iotune><total_iops_sec>5"
         "</total_iops_sec></iotune></disk>",
         "'blkdeviotune total_iops_sec'"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = updateText(cdromA, cases[i].is, &error);

        g_assert_null(text);
        g_assert_true(virErrorIs(error, VIR_ERR_OPERATION_UNSUPPORTED));
        g_assert_nonnull(strstr(error->message, cases[i].text));
    }
}

static void
testHardDisksKeepTheirSource(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        updateText("<disk><source file='/a'/><target dev='vda'/></disk>",
                   "<disk><source file='/b'/><target dev='vda'/></disk>", &error);

    g_assert_null(text);
    g_assert_nonnull(strstr(error->message, "only in removable drives"));
}

static void
testNodeNumbersAreNeverGivenTwice(void)
{
    g_autoptr(virDevice) dev = diskFrom(cdromA);
    g_auto(Guest) guest;

    guestInit(&guest, dev);
    g_assert_cmpstr(VIR_DISK(dev)->src.run.formatNode, ==, "libvirt-1-format");
    guestClaim(&guest, dev); /* what is claimed stays */
    g_assert_cmpuint(guest.lastNode, ==, 1);
}

static void
testSecretsNeedADriver(void)
{
    g_autoptr(virDevice) dev = diskFrom(
        "<disk><source file='/a'><encryption format='luks'><secret type='passphrase' usage='u'/>"
        "</encryption></source><target dev='vda'/></disk>");
    g_auto(Guest) guest;
    g_autoptr(qmpPlan) plan = NULL;
    g_autoptr(GError) error = NULL;

    guestInit(&guest, dev);
    plan = qmpPlanNew(guest.caps);
    g_assert_false(virDiskQemu.build(dev, &guest.ctx, plan, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_CONFIG_UNSUPPORTED));
    g_assert_nonnull(strstr(error->message, "no secret driver"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virXMLInit();
    g_test_add_func("/disk/images-have-sources", testImagesHaveSources);
    g_test_add_func("/disk/bus-is-known-once-read", testBusIsKnownOnceRead);
    g_test_add_func("/disk/targets-have-numbers", testTargetsHaveNumbers);
    g_test_add_func("/disk/targets-have-a-place", testTargetsHaveAPlace);
    g_test_add_func("/disk/disks-of-a-bus-stand-in-order", testDisksOfABusStandInOrder);
    g_test_add_func("/disk/copies-keep-what-a-run-has-chosen", testCopiesKeepWhatARunHasChosen);
    g_test_add_func("/disk/abi-sees-what-the-guest-sees", testABISeesWhatTheGuestSees);
    g_test_add_func("/disk/media-are-exchanged-new-image-first",
                    testMediaAreExchangedNewImageFirst);
    g_test_add_func("/disk/media-are-ejected-and-inserted", testMediaAreEjectedAndInserted);
    g_test_add_func("/disk/floppies-have-no-tray", testFloppiesHaveNoTray);
    g_test_add_func("/disk/what-cannot-change-is-named", testWhatCannotChangeIsNamed);
    g_test_add_func("/disk/hard-disks-keep-their-source", testHardDisksKeepTheirSource);
    g_test_add_func("/disk/node-numbers-are-never-given-twice", testNodeNumbersAreNeverGivenTwice);
    g_test_add_func("/disk/secrets-need-a-driver", testSecretsNeedADriver);
    return g_test_run();
}
