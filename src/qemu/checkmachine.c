/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * checkmachine.c: machine, firmware, boot, features, clock. */
#include <string.h>

#include "device/controller/controller.h"
#include "qemu/check.h"
#include "qemu/prepare.h"
#include "util/virerror.h"

static bool
qemuCheckIsX86(const virDomainDef *def)
{
    return g_str_equal(def->os.arch, "x86_64") || g_str_equal(def->os.arch, "i686");
}

static bool
qemuCheckEmulator(const virDomainDef *def, const qmpCaps *caps, GError **error)
{
    qmpAccel accel = qemuDomainAccel(def);

    if (!qemuCheckIsX86(def))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Emulator '%s' does not support arch '%s'"), def->emulator,
                           def->os.arch);
    if (!qmpCapsHasAccel(caps, accel))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Emulator '%s' does not support virt type '%s'"), def->emulator,
                           virDomainVirtTypeToString(def->virtType));
    if (!qmpCapsMachine(caps, accel, def->os.machine))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Emulator '%s' does not support machine type '%s'"), def->emulator,
                           def->os.machine);
    return true;
}

static bool
qemuCheckFirmware(const virDomainDef *def, const virDomainFacts *facts, GError **error)
{
    const virDomainOS *os = &def->os;

    if (facts->uefi && def->features.on[VIR_DOMAIN_FEATURE_ACPI] != VIR_TRISTATE_YES)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("UEFI requires ACPI on this architecture"));
    if (os->loaderSecure != VIR_TRISTATE_YES)
        return true;
    if (!facts->q35)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Secure boot is supported with q35 machine types only"));
    if (!g_str_equal(os->arch, "x86_64"))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Secure boot is supported for x86_64 architecture only"));
    if (os->firmware == VIR_DOMAIN_OS_FIRMWARE_NONE &&
        def->features.on[VIR_DOMAIN_FEATURE_SMM] != VIR_TRISTATE_YES)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Secure boot requires SMM feature enabled"));
    return true;
}

static bool
qemuCheckBoot(const virDomainDef *def, const qmpCaps *caps, GError **error)
{
    const virDomainOS *os = &def->os;
    const virDeviceKind *serial = virDeviceKindByElement("serial");

    if (os->biosRebootTimeout.set && !qmpCapsHas(caps, QMP_CAPS_REBOOT_TIMEOUT))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("reboot timeout is not supported by this QEMU binary"));
    if (os->bootMenuTimeout.set && !qmpCapsHas(caps, QMP_CAPS_SPLASH_TIMEOUT))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("splash timeout is not supported by this QEMU binary"));
    if (os->biosUseSerial == VIR_TRISTATE_YES && serial &&
        virDevicesCount(def->devices, serial) == 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("need at least one serial port to use SGA"));
    return true;
}

bool
qemuCheckMachine(const virDomainDef *def, const virDomainFacts *facts, const qmpCaps *caps,
                 GError **error)
{
    if (!qemuCheckEmulator(def, caps, error))
        return false;
    if (def->tune.memory.minGuarantee.set)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Parameter 'min_guarantee' not supported by QEMU."));
    if (def->genid.requested && !qmpCapsHas(caps, QMP_CAPS_VMGENID))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("genid is not supported with this QEMU binary"));
    return qemuCheckFirmware(def, facts, error) && qemuCheckBoot(def, caps, error);
}

/* --- features --- */

/* Those of other machines, with what they are refused with. */
static bool
qemuCheckForeignFeatures(const virDomainDef *def, GError **error)
{
    static const virDomainFeature foreign[] = {
        VIR_DOMAIN_FEATURE_GIC,        VIR_DOMAIN_FEATURE_HPT,
        VIR_DOMAIN_FEATURE_HTM,        VIR_DOMAIN_FEATURE_NESTED_HV,
        VIR_DOMAIN_FEATURE_CCF_ASSIST, VIR_DOMAIN_FEATURE_CFPC,
        VIR_DOMAIN_FEATURE_SBBC,       VIR_DOMAIN_FEATURE_IBS,
        VIR_DOMAIN_FEATURE_MSRS,       VIR_DOMAIN_FEATURE_ASYNC_TEARDOWN,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(foreign); i++) {
        if (def->features.on[foreign[i]] != VIR_TRISTATE_ABSENT)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("The '%s' feature is not supported for architecture '%s' or "
                                 "machine type '%s'"),
                               virDomainFeatureToString((int)foreign[i]), def->os.arch,
                               def->os.machine);
    }
    return true;
}

static bool
qemuCheckSMM(const virDomainDef *def, const virDomainFacts *facts, const qmpCaps *caps,
             GError **error)
{
    const virDomainFeatures *features = &def->features;

    if (features->on[VIR_DOMAIN_FEATURE_SMM] != VIR_TRISTATE_ABSENT &&
        !qmpCapsHas(caps, QMP_CAPS_SMM))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("smm is not available with this QEMU binary"));
    if (!features->smmTseg.set)
        return true;
    if (!facts->q35)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("SMM TSEG is only supported with q35 machine type"));
    if (!qmpCapsHas(caps, QMP_CAPS_MCH_EXTENDED_TSEG_MBYTES))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Setting TSEG size is not supported with this QEMU binary"));
    if (features->smmTseg.value % (1024 * 1024) != 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("SMM TSEG size must be divisible by 1 MiB"));
    return true;
}

static bool
qemuCheckHyperv(const virDomainFeatures *features, GError **error)
{
    static const struct {
        virDomainHyperv feature, needs;
    } needs[] = {
        {VIR_DOMAIN_HYPERV_SYNIC, VIR_DOMAIN_HYPERV_VPINDEX},
        {VIR_DOMAIN_HYPERV_STIMER, VIR_DOMAIN_HYPERV_SYNIC},
        {VIR_DOMAIN_HYPERV_TLBFLUSH, VIR_DOMAIN_HYPERV_VPINDEX},
        {VIR_DOMAIN_HYPERV_IPI, VIR_DOMAIN_HYPERV_VPINDEX},
        {VIR_DOMAIN_HYPERV_EVMCS, VIR_DOMAIN_HYPERV_VAPIC},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(needs); i++) {
        if (features->hyperv[needs[i].feature] == VIR_TRISTATE_YES &&
            features->hyperv[needs[i].needs] != VIR_TRISTATE_YES)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("'%s' hyperv feature requires '%s' feature"),
                               virDomainHypervToString((int)needs[i].feature),
                               virDomainHypervToString((int)needs[i].needs));
    }
    return true;
}

bool
qemuCheckFeatures(const virDomainDef *def, const virDomainFacts *facts, const qmpCaps *caps,
                  GError **error)
{
    const virDomainFeatures *features = &def->features;

    if (!qemuCheckForeignFeatures(def, error) || !qemuCheckSMM(def, facts, caps, error) ||
        !qemuCheckHyperv(features, error))
        return false;
    if (features->on[VIR_DOMAIN_FEATURE_VMPORT] != VIR_TRISTATE_ABSENT &&
        !qmpCapsHas(caps, QMP_CAPS_MACHINE_VMPORT_OPT))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("vmport is not available with this QEMU binary"));
    if (features->on[VIR_DOMAIN_FEATURE_VMCOREINFO] == VIR_TRISTATE_YES &&
        !qmpCapsHas(caps, QMP_CAPS_VMCOREINFO))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("vmcoreinfo is not available with this QEMU binary"));
    if (features->on[VIR_DOMAIN_FEATURE_KVM] == VIR_TRISTATE_YES &&
        features->kvm[VIR_DOMAIN_KVM_DEDICATED] == VIR_TRISTATE_YES &&
        (!def->cpu.def || def->cpu.def->mode != VIR_CPU_MODE_HOST_PASSTHROUGH))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("kvm-hint-dedicated=on is only applicable for cpu "
                             "host-passthrough"));
    return true;
}

/* --- clock --- */

static bool
qemuCheckTimerPolicy(const virDomainTimer *timer, GError **error)
{
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("unsupported %s timer tickpolicy '%s'"),
                       virTimerNameToString(timer->name), virTimerPolicyToString(timer->policy));
}

static bool
qemuCheckTimer(const virDomainDef *def, const virDomainTimer *timer, const qmpCaps *caps,
               GError **error)
{
    switch (timer->name) {
    case VIR_TIMER_PLATFORM:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("unsupported timer type (name) '%s'"),
                           virTimerNameToString(timer->name));
    case VIR_TIMER_RTC:
        switch (timer->track) {
        case VIR_TIMER_TRACK_BOOT:
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("unsupported rtc timer track '%s'"),
                               virTimerTrackToString(timer->track));
        default:
            break;
        }
        if (timer->policy == VIR_TIMER_POLICY_MERGE || timer->policy == VIR_TIMER_POLICY_DISCARD)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("unsupported rtc timer tickpolicy '%s'"),
                               virTimerPolicyToString(timer->policy));
        return true;
    case VIR_TIMER_PIT:
        if (timer->policy == VIR_TIMER_POLICY_MERGE)
            return qemuCheckTimerPolicy(timer, error);
        if (timer->policy == VIR_TIMER_POLICY_DISCARD &&
            !qmpCapsHas(caps, QMP_CAPS_KVM_PIT_LOST_TICK_POLICY))
            return qemuCheckTimerPolicy(timer, error);
        return true;
    case VIR_TIMER_HPET:
        if (timer->present == VIR_TRISTATE_YES && !qmpCapsHas(caps, QMP_CAPS_NO_HPET))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("hpet timer is not supported"));
        return true;
    case VIR_TIMER_ARMVTIMER:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Configuring the '%s' timer is not supported for virtType=%s arch=%s "
                             "machine=%s guests"),
                           virTimerNameToString(timer->name),
                           virDomainVirtTypeToString(def->virtType), def->os.arch, def->os.machine);
    default:
        return true;
    }
}

bool
qemuCheckClock(const virDomainDef *def, const qmpCaps *caps, GError **error)
{
    for (guint i = 0; i < def->clock.timers->len; i++) {
        if (!qemuCheckTimer(def, g_ptr_array_index(def->clock.timers, i), caps, error))
            return false;
    }
    return true;
}
