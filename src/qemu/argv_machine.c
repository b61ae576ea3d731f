/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv_machine.c: firmware images in flash, and -machine with its options. */
#include "qemu/argv.h"
#include "util/virerror.h"

enum { QEMU_FLASH_CODE = 0, QEMU_FLASH_VARS = 1 };

static bool
qemuArgvHasFlash(const virDomainDef *def, const qemuBuildContext *ctx)
{
    return def->os.loader && def->os.loaderType == VIR_DOMAIN_LOADER_PFLASH &&
           qmpCapsHas(ctx->caps, QMP_CAPS_BLOCKDEV);
}

static void
qemuArgvFlashImage(qmpPlan *plan, unsigned unit, const char *path, bool readonly)
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

static void
qemuArgvFlash(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan)
{
    if (!qemuArgvHasFlash(def, ctx))
        return;
    qemuArgvFlashImage(plan, QEMU_FLASH_CODE, def->os.loader,
                       def->os.loaderReadonly == VIR_TRISTATE_YES);
    if (def->os.nvram)
        qemuArgvFlashImage(plan, QEMU_FLASH_VARS, def->os.nvram, false);
}

static void
qemuArgvOnOff(GString *text, const char *name, virTristate value)
{
    if (value != VIR_TRISTATE_ABSENT)
        g_string_append_printf(text, ",%s=%s", name, value == VIR_TRISTATE_YES ? "on" : "off");
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

static bool
qemuArgvMachineFeatures(const virDomainDef *def, const qemuBuildContext *ctx, GString *text,
                        GError **error)
{
    const virTristate *on = def->features.on;

    if (on[VIR_DOMAIN_FEATURE_VMPORT] != VIR_TRISTATE_ABSENT) {
        if (!qmpCapsHas(ctx->caps, QMP_CAPS_MACHINE_VMPORT_OPT))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("vmport is not available with this QEMU binary"));
        qemuArgvOnOff(text, "vmport", on[VIR_DOMAIN_FEATURE_VMPORT]);
    }
    qemuArgvOnOff(text, "smm", on[VIR_DOMAIN_FEATURE_SMM]);
    if (def->memory.dumpCore != VIR_TRISTATE_ABSENT)
        qemuArgvOnOff(text, "dump-guest-core", def->memory.dumpCore);
    else if (qmpCapsHas(ctx->caps, QMP_CAPS_DUMP_GUEST_CORE))
        g_string_append(text, ",dump-guest-core=off");
    if (def->memory.nosharepages) {
        if (!qmpCapsHas(ctx->caps, QMP_CAPS_MEM_MERGE))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("disable shared memory is not available with this QEMU binary"));
        g_string_append(text, ",mem-merge=off");
    }
    if (qemuArgvHasNVDIMM(def))
        g_string_append(text, ",nvdimm=on");
    if (def->features.ioapic == VIR_DOMAIN_IOAPIC_QEMU)
        g_string_append(text, ",kernel_irqchip=split");
    else if (def->features.ioapic == VIR_DOMAIN_IOAPIC_KVM)
        g_string_append(text, ",kernel_irqchip=on");
    return true;
}

static const qmpMachine *
qemuArgvFindMachine(const virDomainDef *def, const qemuBuildContext *ctx)
{
    return qmpCapsMachine(ctx->caps,
                          def->virtType == VIR_DOMAIN_VIRT_KVM ? QMP_ACCEL_KVM : QMP_ACCEL_TCG,
                          def->os.machine);
}

bool
qemuArgvMachine(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const qmpMachine *machine = qemuArgvFindMachine(def, ctx);
    g_autoptr(GString) text = g_string_new(NULL);

    qemuArgvFlash(def, ctx, plan);
    g_string_append_printf(text, "%s,accel=%s", def->os.machine,
                           def->virtType == VIR_DOMAIN_VIRT_KVM ? "kvm" : "tcg");
    if (qmpCapsHas(ctx->caps, QMP_CAPS_MACHINE_USB_OPT))
        g_string_append(text, ",usb=off");
    if (!qemuArgvMachineFeatures(def, ctx, text, error))
        return false;
    if (qemuArgvHasFlash(def, ctx)) {
        g_string_append(text, ",pflash0=libvirt-pflash0-format");
        if (def->os.nvram)
            g_string_append(text, ",pflash1=libvirt-pflash1-format");
    }
    if (virDomainNumaHasHMAT(&def->cpu.numa))
        g_string_append(text, ",hmat=on");
    if (machine && machine->defaultRamId && virDomainNumaCount(&def->cpu.numa) == 0)
        g_string_append_printf(text, ",memory-backend=%s", machine->defaultRamId);
    qmpPlanArg(plan, "-machine", text->str);
    if (def->os.loaderSecure == VIR_TRISTATE_YES)
        qmpPlanArg(plan, "-global", "driver=cfi.pflash01,property=secure,value=on");
    return true;
}
