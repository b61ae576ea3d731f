/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * emulator.c: from the words of a call to an emulator that was asked what it can do. */
#include "api/emulator.h"

#include "host/cpu.h"
#include "qmp/qmpcapscache.h"
#include "util/cpu/vircpudef.h"
#include "util/virerror.h"
#include "util/virutil.h"

void
virApiEmulatorClear(virApiEmulator *emulator)
{
    g_clear_pointer(&emulator->caps, qmpCapsUnref);
}

/* An x86 emulator may serve both x86 architectures, an ARM one both of ARM; which of them it really
 * has is another question. */
static bool
sameFamily(const char *a, const char *b)
{
    static const char *const families[][3] = {{"x86_64", "i686", NULL},
                                              {"ppc64", "ppc64le", NULL},
                                              {"armv7l", "aarch64", NULL},
                                              {"s390", "s390x", NULL}};

    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        if (g_strv_contains(families[i], a) && g_strv_contains(families[i], b))
            return true;
    }
    return g_str_equal(a, b);
}

static bool
askBinary(qemuDriver *driver, const char *binary, virApiEmulator *emulator, GError **error)
{
    g_autofree char *usual = binary ? NULL : qmpEmulatorFind(emulator->arch);

    if (!binary && !usual)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("unable to find any emulator to serve '%s' architecture"),
                           emulator->arch);
    if (!(emulator->caps = qemuDriverCaps(driver, binary ? binary : usual, error)))
        return false;
    if (!sameFamily(qmpCapsArch(emulator->caps), emulator->arch))
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("architecture from emulator '%s' doesn't match given architecture "
                             "'%s'"),
                           qmpCapsArch(emulator->caps), emulator->arch);
    if (g_str_equal(emulator->arch, "x86_64") &&
        !g_str_equal(qmpCapsArch(emulator->caps), emulator->arch))
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("Emulator '%s' does not support arch '%s'"),
                           qmpCapsEmulator(emulator->caps), emulator->arch);
    return true;
}

static bool
chooseAccel(const char *type, virApiEmulator *emulator, GError **error)
{
    bool supported = !type || g_str_equal(type, "kvm") || g_str_equal(type, "qemu");

    emulator->accel = qmpCapsDefaultAccel(emulator->caps);
    if (type)
        emulator->accel = g_str_equal(type, "kvm") ? QMP_ACCEL_KVM : QMP_ACCEL_TCG;
    if (supported && qmpCapsHasAccel(emulator->caps, emulator->accel))
        return true;
    return virErrorSet(
        error, VIR_ERR_INVALID_ARG, _("the accel '%s' is not supported by '%s' on this host"),
        emulator->accel == QMP_ACCEL_KVM ? "kvm" : "tcg", qmpCapsEmulator(emulator->caps));
}

static bool
chooseMachine(const char *machine, virApiEmulator *emulator, GError **error)
{
    if (!machine) {
        emulator->machine = qmpCapsMachineDefault(emulator->caps, emulator->accel);
        return emulator->machine ||
               virErrorSet(error, VIR_ERR_INVALID_ARG, _("emulator '%s' has no machines"),
                           qmpCapsEmulator(emulator->caps));
    }
    if (!qmpCapsMachine(emulator->caps, emulator->accel, machine))
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("the machine '%s' is not supported by emulator '%s'"), machine,
                           qmpCapsEmulator(emulator->caps));
    emulator->machine = qmpCapsMachineCanonical(emulator->caps, emulator->accel, machine);
    return true;
}

bool
virApiEmulatorChoose(qemuDriver *driver, const char *binary, const char *arch, const char *machine,
                     const char *type, virApiEmulator *emulator, GError **error)
{
    static const char *const types[] = {"qemu",      "kqemu", "kvm",    "xen",    "lxc",  "uml",
                                        "openvz",    "test",  "vmware", "hyperv", "vbox", "phyp",
                                        "parallels", "bhyve", "vz",     "hvf",    "none", NULL};

    if (type && !g_strv_contains(types, type))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("unknown virttype: %s"), type);
    if (arch && !virCPUArchIsKnown(arch))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("unknown architecture: %s"), arch);
    emulator->arch = arch ? arch : virHostArch();
    return askBinary(driver, binary, emulator, error) && chooseAccel(type, emulator, error) &&
           chooseMachine(machine, emulator, error);
}
