/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facts.c: what device kinds may know of the whole, drawn from the document alone. */
#include <string.h>

#include "domain/def.h"

typedef struct {
    const char *exact;
    const char *prefixes[5];
} virMachineClass;

static const virMachineClass i440fx = {"pc", {"pc-0.", "pc-1.", "pc-i440", "rhel"}};
static const virMachineClass q35 = {"q35", {"pc-q35"}};

static bool
virMachineIs(const char *machine, const virMachineClass *class)
{
    if (!machine)
        return false;
    if (g_str_equal(machine, class->exact))
        return true;
    for (const char *const *prefix = class->prefixes; *prefix; prefix++) {
        if (g_str_has_prefix(machine, *prefix))
            return true;
    }
    return false;
}

static bool
virMachineIsX86(const char *arch)
{
    return !arch || g_str_equal(arch, "x86_64") || g_str_equal(arch, "i686");
}

static void
virDomainFactsBoot(const virDomainOS *os, virDomainFacts *facts)
{
    static const virBootsAs kinds[] = {
        [VIR_DOMAIN_BOOT_FLOPPY] = VIR_BOOTS_FLOPPY,
        [VIR_DOMAIN_BOOT_CDROM] = VIR_BOOTS_CDROM,
        [VIR_DOMAIN_BOOT_DISK] = VIR_BOOTS_DISK,
        [VIR_DOMAIN_BOOT_NET] = VIR_BOOTS_NETWORK,
    };

    G_STATIC_ASSERT(G_N_ELEMENTS(kinds) == VIR_DOMAIN_BOOT_LAST);
    for (unsigned i = 0; i < os->boots; i++)
        facts->boots[i] = kinds[os->boot[i]];
}

void
virDomainDefFacts(const virDomainDef *def, const char *machineName, virDomainFacts *facts)
{
    const char *machine = machineName ? machineName : def->os.machine;
    bool x86 = virMachineIsX86(def->os.arch);

    memset(facts, 0, sizeof(*facts));
    facts->virtType = def->virtType;
    facts->arch = def->os.arch;
    facts->machine = def->os.machine;
    facts->osType = def->os.type;
    facts->name = def->name;
    facts->i440fx = x86 && virMachineIs(machine, &i440fx);
    facts->q35 = x86 && virMachineIs(machine, &q35);
    facts->isapc = x86 && g_strcmp0(machine, "isapc") == 0;
    facts->microvm = x86 && g_strcmp0(machine, "microvm") == 0;
    facts->hasIDE = facts->i440fx;
    facts->hasSATA = facts->q35;
    facts->uefi = def->os.firmware == VIR_DOMAIN_OS_FIRMWARE_EFI ||
                  def->os.loaderType == VIR_DOMAIN_LOADER_PFLASH;
    virDomainFactsBoot(&def->os, facts);
    facts->devices = def->devices;
    facts->memoryKiB = def->memory.total.value;
    facts->memoryCurrentKiB =
        def->memory.current.set ? def->memory.current.value : facts->memoryKiB;
    facts->vcpus = virDomainVcpusMax(&def->vcpus);
    facts->memoryMaxKiB = def->memory.max.value;
    facts->memorySlots = (unsigned)def->memory.slots.value;
    facts->numaNodes = virDomainNumaCount(&def->cpu.numa);
    facts->def = def;
}
