/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * defaults.c: machine, processor, vCPUs, variable store. */
#include "qemu/defaults.h"

#include <string.h>

#include "device/controller/controller.h"
#include "qemu/prepare.h"
#include "util/virerror.h"

int
qemuDefaultUSBModel(const virDomainFacts *facts, const qmpCaps *caps)
{
    if (facts->isapc)
        return -1;
    if (!facts->q35)
        return VIR_CONTROLLER_MODEL_DEFAULT;
    if (qmpCapsHas(caps, QMP_CAPS_QEMU_XHCI))
        return VIR_CONTROLLER_USB_QEMU_XHCI;
    if (qmpCapsHas(caps, QMP_CAPS_NEC_USB_XHCI))
        return VIR_CONTROLLER_USB_NEC_XHCI;
    if (qmpCapsHas(caps, QMP_CAPS_ICH9_USB_EHCI1))
        return VIR_CONTROLLER_USB_ICH9_EHCI1;
    return -1;
}

static bool
qemuDefaultMachine(virDomainDef *def, const qmpCaps *caps, GError **error)
{
    qmpAccel accel = qemuDomainAccel(def);
    const char *machine = def->os.machine;

    if (!machine)
        machine = qmpCapsMachineDefault(caps, accel);
    if (!machine)
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("could not get preferred machine for %s type=%s"), def->emulator,
                           virDomainVirtTypeToString(def->virtType));
    machine = g_strdup(qmpCapsMachineCanonical(caps, accel, machine));
    g_free(def->os.machine);
    def->os.machine = (char *)machine;
    return true;
}

/* A UEFI whose code is read-only keeps its variables in a file of the guest's own. */
static void
qemuDefaultNvram(virDomainDef *def, const char *nvramDir)
{
    virDomainOS *os = &def->os;

    if (nvramDir && os->loaderType == VIR_DOMAIN_LOADER_PFLASH &&
        os->loaderReadonly == VIR_TRISTATE_YES && !os->nvram &&
        os->loaderStateless != VIR_TRISTATE_YES)
        os->nvram = g_strdup_printf("%s/%s_VARS.fd", nvramDir, def->name);
}

/* --- processor --- */

/* The name of the CPU model that a machine has if none is asked for. */
static const char *
qemuDefaultCPUModel(const virDomainDef *def, const qmpCaps *caps)
{
    qmpAccel accel = qemuDomainAccel(def);
    const qmpMachine *machine = qmpCapsMachine(caps, accel, def->os.machine);
    const GPtrArray *cpus = qmpCapsCpuDefinitions(caps, accel);

    for (guint i = 0; machine && machine->defaultCpu && cpus && i < cpus->len; i++) {
        const qmpCpuDefinition *cpu = g_ptr_array_index(cpus, i);

        if (g_strcmp0(cpu->typeName, machine->defaultCpu) == 0)
            return cpu->name;
    }
    return NULL;
}

static bool
qemuDefaultCPUIsOpen(const virCPUDef *cpu)
{
    return !cpu || (cpu->mode == VIR_CPU_MODE_CUSTOM && !cpu->model);
}

static void
qemuDefaultCPU(virDomainDef *def, const qmpCaps *caps)
{
    const char *model = qemuDefaultCPUModel(def, caps);
    virCPUDef *cpu;

    if (!model || !qemuDefaultCPUIsOpen(def->cpu.def))
        return;
    if (!def->cpu.def)
        def->cpu.def = virCPUDefNew(VIR_CPU_TYPE_GUEST);
    cpu = def->cpu.def;
    if (g_str_equal(model, "host")) {
        cpu->mode = VIR_CPU_MODE_HOST_PASSTHROUGH;
        return;
    }
    cpu->mode = VIR_CPU_MODE_CUSTOM;
    cpu->match = VIR_CPU_MATCH_EXACT;
    cpu->fallback = VIR_CPU_FALLBACK_FORBID;
    cpu->model = g_strdup(model);
}

static bool
qemuDefaultCPUIsHosts(const virCPUDef *cpu)
{
    return cpu->mode == VIR_CPU_MODE_HOST_PASSTHROUGH || cpu->mode == VIR_CPU_MODE_MAXIMUM;
}

/* How strictly the guest's processor is compared with what it got; a custom model under TCG owes
 * nothing to the host. */
static virCPUCheck
qemuDefaultCPUCheck(const virDomainDef *def)
{
    const virCPUDef *cpu = def->cpu.def;

    if (qemuDefaultCPUIsHosts(cpu))
        return VIR_CPU_CHECK_NONE;
    if (cpu->mode == VIR_CPU_MODE_CUSTOM && def->virtType == VIR_DOMAIN_VIRT_QEMU)
        return VIR_CPU_CHECK_NONE;
    return VIR_CPU_CHECK_PARTIAL;
}

static void
qemuDefaultCPUDetails(virDomainDef *def, const qmpCaps *caps)
{
    virCPUDef *cpu = def->cpu.def;

    if (!cpu)
        return;
    if (def->id < 0 && qemuDefaultCPUIsHosts(cpu) && cpu->migratable == VIR_TRISTATE_ABSENT)
        cpu->migratable = virTristateFromBool(qmpCapsHas(caps, QMP_CAPS_CPU_MIGRATABLE));
    if (!qemuDefaultCPUIsOpen(cpu) && cpu->check == VIR_CPU_CHECK_DEFAULT)
        cpu->check = qemuDefaultCPUCheck(def);
}

/* --- vCPUs --- */

/* QEMU takes vCPUs that a node must have from the beginning; the rest go to the first node. */
static void
qemuDefaultNumaCPUs(virDomainDef *def, const qmpCaps *caps)
{
    virDomainNuma *numa = &def->cpu.numa;
    unsigned max = virDomainVcpusMax(&def->vcpus);
    g_autoptr(virBitmap) given = NULL;

    if (virDomainNumaCount(numa) == 0 || !qmpCapsHas(caps, QMP_CAPS_NUMA) ||
        virDomainNumaCpuCount(numa) >= max)
        return;
    given = virBitmapNew();
    for (unsigned i = 0; i < virDomainNumaCount(numa); i++) {
        if (virDomainNumaCell(numa, i)->cpus)
            virBitmapUnite(given, virDomainNumaCell(numa, i)->cpus);
    }
    if (!virDomainNumaCell(numa, 0)->cpus)
        virDomainNumaCell(numa, 0)->cpus = virBitmapNew();
    for (unsigned vcpu = 0; vcpu < max; vcpu++) {
        if (!virBitmapHas(given, vcpu))
            virBitmapSet(virDomainNumaCell(numa, 0)->cpus, vcpu);
    }
}

static bool
qemuDefaultsCheckVirtType(const virDomainDef *def, const qmpCaps *caps, unsigned parseFlags,
                          GError **error)
{
    if ((parseFlags & (VIR_PARSE_SKIP_VALIDATE | VIR_PARSE_STATUS)) ||
        qmpCapsHasAccel(caps, qemuDomainAccel(def)))
        return true;
    return virErrorSet(
        error, VIR_ERR_INVALID_ARG, _("could not find capabilities for arch=%s domaintype=%s "),
        def->os.arch ? def->os.arch : "x86_64", virDomainVirtTypeToString(def->virtType));
}

bool
qemuDefaultsApply(virDomainDef *def, const qmpCaps *caps, const char *nvramDir, unsigned parseFlags,
                  GError **error)
{
    if (!def->os.arch)
        def->os.arch = g_strdup(qmpCapsArch(caps));
    if (!qemuDefaultsCheckVirtType(def, caps, parseFlags, error) ||
        !qemuDefaultMachine(def, caps, error))
        return false;
    if (def->os.loader && def->os.loaderType == VIR_DOMAIN_LOADER_NONE)
        def->os.loaderType = VIR_DOMAIN_LOADER_ROM;
    qemuDefaultNvram(def, nvramDir);
    qemuDefaultCPU(def, caps);
    qemuDefaultCPUDetails(def, caps);
    qemuDefaultNumaCPUs(def, caps);
    return true;
}
