/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * caps.c: the capabilities a row asks for, and the family that shows them as they are cached. */
#include <string.h>

#include "families.h"
#include "qmp/qmpcapspriv.h"
#include "qmp/qmpcapsprobe.h"
#include "qmp/qmpcapsxml.h"
#include "replies.h"
#include "util/virerror.h"

static unsigned
conformanceByteSum(const char *from, const char *end)
{
    unsigned sum = 0;

    for (; from < end; from++)
        sum += (unsigned char)*from;
    return sum;
}

/* The recording's name is caps_VERSION.ARCH.replies; what the host would tell follows from it. */
static void
conformanceSetMicrocode(qmpCaps *caps, const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    const char *version = strchr(name, '_');
    const char *end = strstr(name, ".replies");
    const char *arch = end ? g_strrstr_len(name, end - name, ".") : NULL;

    if (version && arch && qmpCapsHas(caps, QMP_CAPS_KVM))
        caps->microcodeVersion =
            100000 * conformanceByteSum(arch + 1, end) + conformanceByteSum(version + 1, arch);
}

static char *
conformanceEmulator(const char *arch)
{
    return g_strdup_printf("/usr/bin/qemu-system-%s", g_str_equal(arch, "i686") ? "i386" : arch);
}

qmpCaps *
conformanceProbe(const char *path, GError **error)
{
    g_autoptr(conformanceReplies) replies = conformanceRepliesRead(path, error);
    g_autoptr(qmpCaps) caps = NULL;
    qmpTransport *second;

    if (!replies || !(caps = qmpCapsProbe(conformanceRepliesSession(replies, 0), "", error)))
        return NULL;
    second = conformanceRepliesSession(replies, 1);
    if (second && qmpCapsProbeNeedsTcg(caps) && !qmpCapsProbeTcg(caps, second, error))
        return NULL;
    if (conformanceRepliesOutOfOrder(replies) > 0)
        g_printerr("%s: %u questions out of order\n", path, conformanceRepliesOutOfOrder(replies));
    g_free(caps->emulator);
    caps->emulator = conformanceEmulator(caps->arch);
    conformanceSetMicrocode(caps, path);
    return g_steal_pointer(&caps);
}

/* An alias becomes a machine of its own, like the one it stands for. */
static void
conformanceDissolveAliases(qmpCaps *caps)
{
    for (int accel = 0; accel < QMP_ACCEL_LAST; accel++) {
        GPtrArray *machines = caps->accel[accel].machines;

        for (guint i = 0; i < machines->len; i++) {
            qmpMachine *machine = machines->pdata[i];
            qmpMachine *own;

            if (!machine->alias)
                continue;
            own = qmpMachineNew(machine->alias);
            g_clear_pointer(&machine->alias, g_free);
            own->defaultCpu = g_strdup(machine->defaultCpu);
            own->defaultRamId = g_strdup(machine->defaultRamId);
            own->maxCpus = machine->maxCpus;
            own->hotplugCpus = machine->hotplugCpus;
            own->isDefault = machine->isDefault;
            own->numaMemSupported = machine->numaMemSupported;
            own->deprecated = machine->deprecated;
            machine->isDefault = false;
            g_ptr_array_insert(machines, own->isDefault ? 0 : -1, own);
        }
    }
}

static const char *const fakeMachines[] = {
    "pc",
    "isapc",
    "q35",
    "pc-1.0",
    "pc-1.2",
    "pc-i440fx-1.4",
    "pc-i440fx-2.1",
    "pc-i440fx-2.3",
    "pc-i440fx-2.5",
    "pc-i440fx-2.6",
    "pc-i440fx-2.9",
    "pc-i440fx-2.12",
    "pc-q35-2.3",
    "pc-q35-2.4",
    "pc-q35-2.5",
    "pc-q35-2.7",
    "pc-q35-2.10",
};
static const char *const fakeCpus[] = {"Opteron_G1", "Opteron_G2", "Opteron_G3", "Nehalem",
                                       "Penryn",     "Conroe",     "Haswell",    "Haswell-noTSX"};
static const char *const fakeLegacyCpus[] = {
    "n270",     "athlon", "pentium", "pentium2", "pentium3", "486",   "coreduo",
    "core2duo", "kvm32",  "kvm64",   "qemu32",   "qemu64",   "phenom"};

/* What the README calls hotplug-set. */
static const char hotplugSet[] =
    "virtio-scsi-pci usb-storage virtual-css-bridge ivshmem-plain ivshmem-doorbell scsi-disk.wwn "
    "vfio-pci spapr-pci-host-bridge qxl VGA cirrus-vga disable-s3 disable-s4 vnc spice "
    "pr-manager-helper scsi-block usb-kbd netdev.vhost-vdpa";

static bool
conformanceFakeFlags(qmpCaps *caps, const char *names, GError **error)
{
    g_auto(GStrv) list = g_strsplit_set(names, ", ", -1);

    for (size_t i = 0; list[i]; i++) {
        int flag = qmpCapsFlagFromString(list[i]);

        if (!*list[i] || g_str_equal(list[i], "none"))
            continue;
        if (g_str_equal(list[i], "hotplug-set")) {
            if (!conformanceFakeFlags(caps, hotplugSet, error))
                return false;
            continue;
        }
        if (flag < 0)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "unknown capability %s", list[i]);
        qmpCapsSetFlag(caps, (qmpCapsFlag)flag);
    }
    return true;
}

/* i386 knows the first two machines. */
static void
conformanceFakeAccel(qmpCaps *caps, qmpAccel accel, bool legacyCpus)
{
    size_t machines = g_str_equal(caps->arch, "i686") ? 2 : G_N_ELEMENTS(fakeMachines);

    for (size_t i = 0; i < machines; i++)
        qmpCapsAddMachine(caps, accel, fakeMachines[i], NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(fakeCpus); i++)
        qmpCapsAddCpu(caps, accel, fakeCpus[i], VIR_TRISTATE_ABSENT);
    for (size_t i = 0; legacyCpus && i < G_N_ELEMENTS(fakeLegacyCpus); i++)
        qmpCapsAddCpu(caps, accel, fakeLegacyCpus[i], VIR_TRISTATE_ABSENT);
}

static qmpCaps *
conformanceFake(const conformanceCase *row, const char *arch, GError **error)
{
    static const qmpCapsFlag always[] = {QMP_CAPS_KVM, QMP_CAPS_TCG, QMP_CAPS_NO_ACPI,
                                         QMP_CAPS_NO_HPET};
    g_autofree char *emulator = conformanceEmulator(arch);
    g_autoptr(qmpCaps) caps = qmpCapsNew(emulator, arch);
    const char *names = conformanceFlag(row, "fakecaps");

    if (names && !conformanceFakeFlags(caps, names, error))
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(always); i++)
        qmpCapsSetFlag(caps, always[i]);
    for (int accel = 0; accel < QMP_ACCEL_LAST; accel++)
        conformanceFakeAccel(caps, (qmpAccel)accel, !conformanceFlag(row, "skip_legacy_cpus"));
    return g_steal_pointer(&caps);
}

static qmpCaps *
conformanceRecorded(const conformanceCase *row, GError **error)
{
    const char *space = strchr(row->caps, ' ');
    g_autofree char *base =
        g_strndup(row->caps, space ? (gsize)(space - row->caps) : strlen(row->caps));
    g_autofree char *relative = g_strdup_printf("qemucapabilitiesdata/%s.replies", base);
    g_autofree char *path = conformancePath(row, relative);
    qmpCaps *caps = conformanceProbe(path, error);

    if (caps && space)
        conformanceDissolveAliases(caps);
    return caps;
}

qmpCaps *
conformanceCaps(const conformanceCase *row, const char *arch, GError **error)
{
    static GHashTable *known; /* caps field -> qmpCaps, to the program's end */
    qmpCaps *caps;

    if (g_str_equal(row->caps, "fake"))
        return conformanceFake(row, arch, error);
    if (!known)
        known =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)qmpCapsUnref);
    if (!(caps = g_hash_table_lookup(known, row->caps))) {
        if (!(caps = conformanceRecorded(row, error)))
            return NULL;
        g_hash_table_insert(known, g_strdup(row->caps), caps);
    }
    return qmpCapsRef(caps);
}

/* Probed, printed, read back and printed again: the cache must lose nothing. */
bool
conformanceQemuCapabilities(const conformanceCase *row, conformanceResult *result, GError **error)
{
    g_autofree char *path = conformancePath(row, row->inputs[0]);
    g_autoptr(qmpCaps) caps = conformanceProbe(path, error);
    g_autoptr(qmpCaps) again = NULL;
    g_autofree char *text = NULL;

    if (!caps)
        return conformanceFail(result, "probe");
    text = qmpCapsFormat(caps);
    if (!(again = qmpCapsParse(text, -1, error)))
        return conformanceFail(result, "reread");
    return conformanceAdd(result, qmpCapsFormat(again));
}
