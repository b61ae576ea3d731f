/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcapsguest.c: one <guest> element. Any thread; no rights needed. */
#include "qmp/qmpcapsguest.h"

#include "util/virxml.h"

static bool
qmpGuestIs32Bit(const char *arch)
{
    static const char *const names[] = {"i686", "armv7l", "armv6l",  "ppc",
                                        "mips", "mipsel", "riscv32", "sparc"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(arch, names[i]))
            return true;
    }
    return false;
}

static bool
qmpGuestIsX86(const char *arch)
{
    return g_str_equal(arch, "x86_64") || g_str_equal(arch, "i686");
}

static void
qmpGuestFormatMachine(virXMLWriter *w, const qmpMachine *machine, const char *name)
{
    virXMLWriterOpen(w, "machine");
    if (name != machine->name)
        virXMLWriterAttr(w, "canonical", machine->name);
    if (machine->maxCpus > 0)
        virXMLWriterAttrF(w, "maxCpus", "%u", machine->maxCpus);
    virXMLWriterAttr(w, "deprecated", machine->deprecated ? "yes" : NULL);
    virXMLWriterText(w, name);
    virXMLWriterClose(w);
}

static void
qmpGuestFormatMachines(virXMLWriter *w, const qmpCaps *caps)
{
    const GPtrArray *machines = qmpCapsMachines(caps, qmpCapsDefaultAccel(caps));

    for (guint i = 0; i < machines->len; i++) {
        const qmpMachine *machine = machines->pdata[i];

        qmpGuestFormatMachine(w, machine, machine->name);
        if (machine->alias)
            qmpGuestFormatMachine(w, machine, machine->alias);
    }
}

static void
qmpGuestFormatDomain(virXMLWriter *w, const char *type)
{
    virXMLWriterOpen(w, "domain");
    virXMLWriterAttr(w, "type", type);
    virXMLWriterClose(w);
}

static void
qmpGuestFormatFeature(virXMLWriter *w, const char *name, const char *standard, const char *toggle)
{
    virXMLWriterOpen(w, name);
    virXMLWriterAttr(w, "default", standard);
    virXMLWriterAttr(w, "toggle", toggle);
    virXMLWriterClose(w);
}

static void
qmpGuestFormatFeatures(virXMLWriter *w, const char *arch)
{
    virXMLWriterOpen(w, "features");
    if (g_str_equal(arch, "i686")) {
        qmpGuestFormatFeature(w, "pae", NULL, NULL);
        qmpGuestFormatFeature(w, "nonpae", NULL, NULL);
    }
    if (qmpGuestIsX86(arch) || g_str_equal(arch, "aarch64"))
        qmpGuestFormatFeature(w, "acpi", "on", "yes");
    if (qmpGuestIsX86(arch))
        qmpGuestFormatFeature(w, "apic", "on", "no");
    qmpGuestFormatFeature(w, "cpuselection", NULL, NULL);
    qmpGuestFormatFeature(w, "deviceboot", NULL, NULL);
    qmpGuestFormatFeature(w, "disksnapshot", "on", "no");
    virXMLWriterClose(w);
}

char *
qmpCapsGuestFormat(const qmpCaps *caps, const char *arch, unsigned flags)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();

    virXMLWriterOpen(w, "guest");
    virXMLWriterElement(w, "os_type", "hvm");
    virXMLWriterOpen(w, "arch");
    virXMLWriterAttr(w, "name", arch);
    virXMLWriterElement(w, "wordsize", qmpGuestIs32Bit(arch) ? "32" : "64");
    virXMLWriterElement(w, "emulator", qmpCapsEmulator(caps));
    if (flags & QMP_GUEST_MACHINES)
        qmpGuestFormatMachines(w, caps);
    if (qmpCapsHasAccel(caps, QMP_ACCEL_TCG))
        qmpGuestFormatDomain(w, "qemu");
    if (qmpCapsHasAccel(caps, QMP_ACCEL_KVM))
        qmpGuestFormatDomain(w, "kvm");
    virXMLWriterClose(w);
    qmpGuestFormatFeatures(w, arch);
    virXMLWriterClose(w);
    return virXMLWriterEnd(w);
}
