/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * firmware.c: matching what a document wants of its firmware with what images offer. Facts: QEMU's
 * docs/interop/firmware.json. */
#include "qemu/firmware.h"

#include "qmp/qmpfirmware.h"
#include "util/virerror.h"

enum { QEMU_SEV_POLICY_ES = 0x4 };

/* Offered exactly if wanted; what is not said may be either. */
static bool
qemuFirmwareAgrees(virTristate wanted, bool offered)
{
    return wanted == VIR_TRISTATE_ABSENT || (wanted == VIR_TRISTATE_YES) == offered;
}

static bool
qemuFirmwareSuitsSleep(const virDomainDef *def, const qmpFirmware *firmware)
{
    if (def->pm.suspendToMem == VIR_TRISTATE_YES && !qmpFirmwareHasFeature(firmware, "acpi-s3"))
        return false;
    return def->pm.suspendToDisk != VIR_TRISTATE_YES || qmpFirmwareHasFeature(firmware, "acpi-s4");
}

static bool
qemuFirmwareSuitsSecurity(const virDomainDef *def, const qmpFirmware *firmware)
{
    const virLaunchSecurity *launch = &def->security.launch;
    const virTristate *wanted = def->os.firmwareFeatures;
    bool smm = qmpFirmwareHasFeature(firmware, "requires-smm");

    if (!qemuFirmwareAgrees(wanted[VIR_DOMAIN_FIRMWARE_FEATURE_SECURE_BOOT],
                            qmpFirmwareHasFeature(firmware, "secure-boot")) ||
        !qemuFirmwareAgrees(wanted[VIR_DOMAIN_FIRMWARE_FEATURE_ENROLLED_KEYS],
                            qmpFirmwareHasFeature(firmware, "enrolled-keys")) ||
        !qemuFirmwareAgrees(def->os.loaderSecure, smm))
        return false;
    if (launch->type != VIR_LAUNCH_SECURITY_SEV)
        return true;
    return qmpFirmwareHasFeature(firmware, "amd-sev") &&
           (!(launch->policy & QEMU_SEV_POLICY_ES) ||
            qmpFirmwareHasFeature(firmware, "amd-sev-es"));
}

static bool
qemuFirmwareSuits(const virDomainDef *def, const qmpFirmware *firmware)
{
    qmpFirmwareInterface interface =
        def->os.firmware == VIR_DOMAIN_OS_FIRMWARE_EFI ? QMP_FIRMWARE_UEFI : QMP_FIRMWARE_BIOS;

    if (!qmpFirmwareHasInterface(firmware, interface) ||
        !qmpFirmwareFits(firmware, def->os.arch, def->os.machine))
        return false;
    if (firmware->device == QMP_FIRMWARE_FLASH && g_strcmp0(firmware->imageFormat, "raw") != 0)
        return false;
    return qemuFirmwareSuitsSleep(def, firmware) && qemuFirmwareSuitsSecurity(def, firmware);
}

static void
qemuFirmwareApply(virDomainDef *def, const qmpFirmware *firmware, const char *nvramDir)
{
    virDomainOS *os = &def->os;

    g_free(os->loader);
    os->loader = g_strdup(firmware->image);
    os->hasLoader = true;
    if (firmware->device == QMP_FIRMWARE_FLASH) {
        os->loaderType = VIR_DOMAIN_LOADER_PFLASH;
        os->loaderReadonly = VIR_TRISTATE_YES;
        if (!os->nvramTemplate)
            os->nvramTemplate = g_strdup(firmware->nvram);
        if (!os->nvram && nvramDir)
            os->nvram = g_strdup_printf("%s/%s_VARS.fd", nvramDir, def->name);
    } else {
        os->loaderType = VIR_DOMAIN_LOADER_ROM;
    }
    if (qmpFirmwareHasFeature(firmware, "requires-smm")) {
        def->features.on[VIR_DOMAIN_FEATURE_SMM] = VIR_TRISTATE_YES;
        os->loaderSecure = VIR_TRISTATE_YES;
    }
    os->firmware = VIR_DOMAIN_OS_FIRMWARE_NONE;
}

bool
qemuFirmwareChoose(virDomainDef *def, const GPtrArray *firmwares, const char *nvramDir,
                   GError **error)
{
    if (def->os.firmware == VIR_DOMAIN_OS_FIRMWARE_NONE)
        return true;
    for (guint i = 0; i < firmwares->len; i++) {
        const qmpFirmware *firmware = g_ptr_array_index(firmwares, i);

        if (!qemuFirmwareSuits(def, firmware))
            continue;
        qemuFirmwareApply(def, firmware, nvramDir);
        return true;
    }
    return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                       _("Unable to find any firmware to satisfy '%s'"),
                       virDomainOSFirmwareToString(def->os.firmware));
}
