/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv_machine.c: -machine, its firmware, and what locks the host out. */
#include <inttypes.h>
#include <string.h>

#include "qemu/argv.h"
#include "qemu/prepare.h"
#include "util/virerror.h"

/* --- firmware --- */

static bool
qemuArgvHasPflash(const virDomainDef *def)
{
    return def->os.loader && def->os.loaderType == VIR_DOMAIN_LOADER_PFLASH;
}

static bool
qemuArgvPflashIsNode(const virDomainDef *def, const qemuBuildContext *ctx)
{
    return qemuArgvHasPflash(def) && qmpCapsHas(ctx->caps, QMP_CAPS_BLOCKDEV);
}

static void
qemuArgvPflashNode(qmpPlan *plan, unsigned unit, const char *path, bool readonly)
{
    virJSON *storage = virJSONObject();
    virJSON *format = virJSONObject();

    virJSONAddString(storage, "driver", "file");
    virJSONAddString(storage, "filename", path);
    virJSONAddStringF(storage, "node-name", "libvirt-pflash%u-storage", unit);
    virJSONAddBool(storage, "auto-read-only", true);
    virJSONAddString(storage, "discard", "unmap");
    qmpPlanBlockdev(plan, storage);
    virJSONAddStringF(format, "node-name", "libvirt-pflash%u-format", unit);
    virJSONAddBool(format, "read-only", readonly);
    virJSONAddString(format, "driver", "raw");
    virJSONAddStringF(format, "file", "libvirt-pflash%u-storage", unit);
    qmpPlanBlockdev(plan, format);
}

bool
qemuArgvFirmwareNodes(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                      GError **error)
{
    if (!qemuArgvPflashIsNode(def, ctx))
        return true;
    qemuArgvPflashNode(plan, 0, def->os.loader, def->os.loaderReadonly == VIR_TRISTATE_YES);
    if (def->os.nvram)
        qemuArgvPflashNode(plan, 1, def->os.nvram, false);
    return true;
}

static void
qemuArgvPflashDrive(qmpPlan *plan, unsigned unit, const char *path, bool readonly)
{
    g_autoptr(GString) drive = g_string_new("file=");

    qemuArgvAppend(drive, path);
    g_string_append_printf(drive, ",if=pflash,format=raw,unit=%u%s", unit,
                           readonly ? ",readonly=on" : "");
    qmpPlanArg(plan, "-drive", drive->str);
}

bool
qemuArgvLoader(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virDomainOS *os = &def->os;

    if (os->firmware != VIR_DOMAIN_OS_FIRMWARE_NONE && !os->loader)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("Unable to find any firmware to satisfy '%s'"),
                           virDomainOSFirmwareToString(os->firmware));
    if (os->loader && os->loaderType != VIR_DOMAIN_LOADER_PFLASH)
        qmpPlanArg(plan, "-bios", os->loader);
    if (!qemuArgvHasPflash(def))
        return true;
    if (os->loaderSecure == VIR_TRISTATE_YES)
        qmpPlanArg(plan, "-global", "driver=cfi.pflash01,property=secure,value=on");
    if (qemuArgvPflashIsNode(def, ctx))
        return true;
    qemuArgvPflashDrive(plan, 0, os->loader, os->loaderReadonly == VIR_TRISTATE_YES);
    if (os->nvram)
        qemuArgvPflashDrive(plan, 1, os->nvram, false);
    return true;
}

/* --- the machine --- */

static void
qemuArgvOnOff(GString *opt, const char *name, virTristate value)
{
    if (value != VIR_TRISTATE_ABSENT)
        g_string_append_printf(opt, ",%s=%s", name, value == VIR_TRISTATE_YES ? "on" : "off");
}

static bool
qemuArgvHasNVDIMM(const virDomainDef *def)
{
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind->isNVDIMM && dev->kind->isNVDIMM(dev))
            return true;
    }
    return false;
}

static void
qemuArgvMachineMemory(const virDomainDef *def, GString *opt)
{
    if (qemuArgvHasNVDIMM(def))
        g_string_append(opt, ",nvdimm=on");
    if (virDomainNumaHasHMAT(&def->cpu.numa))
        g_string_append(opt, ",hmat=on");
}

static void
qemuArgvMachineBackends(const virDomainDef *def, const qemuBuildContext *ctx, GString *opt)
{
    const qmpMachine *machine = qmpCapsMachine(ctx->caps, qemuDomainAccel(def), def->os.machine);

    if (def->security.launch.type == VIR_LAUNCH_SECURITY_SEV)
        g_string_append(opt, qmpCapsHas(ctx->caps, QMP_CAPS_CONFIDENTIAL_GUEST_SUPPORT)
                                 ? ",confidential-guest-support=lsec0"
                                 : ",memory-encryption=lsec0");
    if (qemuArgvPflashIsNode(def, ctx)) {
        g_string_append(opt, ",pflash0=libvirt-pflash0-format");
        if (def->os.nvram)
            g_string_append(opt, ",pflash1=libvirt-pflash1-format");
    }
    if (machine && machine->defaultRamId && virDomainNumaCount(&def->cpu.numa) == 0)
        g_string_append_printf(opt, ",memory-backend=%s", machine->defaultRamId);
}

bool
qemuArgvMachine(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virDomainFeatures *features = &def->features;
    g_autoptr(GString) opt = g_string_new(def->os.machine);

    const bool cache = features->tcgTbCache.set && def->virtType == VIR_DOMAIN_VIRT_QEMU;

    /* the accelerator says what runs the guest, here unless it has settings of its own; a USB
     * controller comes as a device */
    if (!cache)
        g_string_append_printf(opt, ",accel=%s",
                               qemuDomainAccel(def) == QMP_ACCEL_KVM ? "kvm" : "tcg");
    g_string_append(opt, ",usb=off");
    qemuArgvOnOff(opt, "vmport", features->on[VIR_DOMAIN_FEATURE_VMPORT]);
    qemuArgvOnOff(opt, "smm", features->on[VIR_DOMAIN_FEATURE_SMM]);
    qemuArgvOnOff(opt, "dump-guest-core",
                  def->memory.dumpCore != VIR_TRISTATE_ABSENT
                      ? def->memory.dumpCore
                      : virTristateFromBool(ctx->config->dumpGuestCore));
    if (def->os.biosUseSerial == VIR_TRISTATE_YES)
        g_string_append(opt, ",graphics=off"); /* the firmware talks to the serial port */
    if (def->memory.nosharepages)
        g_string_append(opt, ",mem-merge=off");
    qemuArgvMachineMemory(def, opt);
    if (features->ioapic)
        g_string_append_printf(opt, ",kernel_irqchip=%s",
                               features->ioapic == VIR_DOMAIN_IOAPIC_QEMU ? "split" : "on");
    qemuArgvMachineBackends(def, ctx, opt);
    qmpPlanArg(plan, "-machine", opt->str);
    if (features->smmTseg.set)
        qmpPlanArgF(plan, "-global", "mch.extended-tseg-mbytes=%" PRIu64,
                    features->smmTseg.value >> 20);
    if (cache)
        qmpPlanArgF(plan, "-accel", "tcg,tb-size=%" PRIu64, features->tcgTbCache.value >> 10);
    return true;
}

/* --- guests that the host can't read --- */

static char *
qemuArgvSevFile(const qemuBuildContext *ctx, qmpPlan *plan, const char *name, const char *text)
{
    g_autofree char *path = g_strdup_printf("%s/%s.base64", ctx->config->stateDir, name);
    qmpHostStep file = {.type = QMP_HOST_FILE, .path = path, .text = (char *)text};

    (void)qmpPlanHost(plan, &file); /* it hands out nothing: QEMU opens the path */
    return g_steal_pointer(&path);
}

bool
qemuArgvLaunchSecurity(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                       GError **error)
{
    const virLaunchSecurity *launch = &def->security.launch;
    const qmpSevInfo *sev = qmpCapsSev(ctx->caps);
    virJSON *props;

    if (launch->type != VIR_LAUNCH_SECURITY_SEV)
        return true;
    if (!sev && (!launch->cbitpos.set || !launch->reducedPhysBits.set))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("SEV launch security needs <cbitpos> and <reducedPhysBits> on this "
                             "host"));
    props = virJSONObject();
    virJSONAddString(props, "qom-type", "sev-guest");
    virJSONAddString(props, "id", "lsec0");
    virJSONAddUInt(props, "cbitpos", launch->cbitpos.set ? launch->cbitpos.value : sev->cbitpos);
    virJSONAddUInt(props, "reduced-phys-bits",
                   launch->reducedPhysBits.set ? launch->reducedPhysBits.value
                                               : sev->reducedPhysBits);
    virJSONAddUInt(props, "policy", launch->policy);
    if (launch->dhCert && *launch->dhCert) {
        g_autofree char *path = qemuArgvSevFile(ctx, plan, "dh_cert", launch->dhCert);

        virJSONAddString(props, "dh-cert-file", path);
    }
    if (launch->session && *launch->session) {
        g_autofree char *path = qemuArgvSevFile(ctx, plan, "session", launch->session);

        virJSONAddString(props, "session-file", path);
    }
    virJSONAddTristate(props, "kernel-hashes", launch->kernelHashes);
    qmpPlanObject(plan, props);
    return true;
}
