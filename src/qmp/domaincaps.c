/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domaincaps.c: most of the document is lists of values that are there or not by a flag of QEMU:
 * rows. The rest is the CPU and the few elements that tell numbers. Any thread. */
#include "qmp/domaincaps.h"

#include <string.h>

#include "qmp/qmpfirmware.h"
#include "qmp/qmphostmodel.h"
#include "util/cpu/vircpumodel.h"
#include "util/virxml.h"

#define ALWAYS QMP_CAPS_LAST

/* A value that is offered if QEMU has a flag, and the host (or machine) agrees. */
typedef struct {
    const char *value;
    qmpCapsFlag needs;
    bool (*agrees)(const qmpDomainCapsInput *input); /* NULL: always */
} qmpDomainValue;

/* <enum>; ends with a value of NULL */
typedef struct {
    const char *name;
    const qmpDomainValue *values;
} qmpDomainEnum;

#define QMP_DOMAIN_ENUMS_MAX 6

/* An element with enums in it, ending with a name of NULL. */
typedef struct {
    const char *element;
    unsigned since;     /* vocabulary */
    bool emptyIsAbsent; /* with nothing in the first enum it is not supported at all */
    qmpDomainEnum enums[QMP_DOMAIN_ENUMS_MAX];
} qmpDomainElement;

static bool
qmpDomainMachineIs(const qmpDomainCapsInput *input, const char *name, const char *prefix)
{
    return g_strcmp0(input->machine, name) == 0 || g_str_has_prefix(input->machine, prefix);
}

/* Only the i440fx machines count, as in libvirt: isapc's controller is no PCI device. */
static bool
qmpDomainHasIde(const qmpDomainCapsInput *input)
{
    return qmpDomainMachineIs(input, "pc", "pc-i440fx-") ||
           qmpDomainMachineIs(input, "pc", "pc-0.") || qmpDomainMachineIs(input, "pc", "pc-1.");
}

static bool
qmpDomainHasVfio(const qmpDomainCapsInput *input)
{
    return input->vfio;
}

static bool
qmpDomainHasSwtpm(const qmpDomainCapsInput *input)
{
    return input->swtpm;
}

#define END                                                                                        \
    {                                                                                              \
        NULL, ALWAYS, NULL                                                                         \
    }

static const qmpDomainValue virtioModels[] = {
    {"virtio", ALWAYS, NULL},
    {"virtio-transitional", ALWAYS, NULL}, /* older QEMU: by properties of the plain device */
    {"virtio-non-transitional", ALWAYS, NULL},
    END,
};
static const qmpDomainValue memorySources[] = {
    {"file", ALWAYS, NULL},
    {"anonymous", ALWAYS, NULL},
    {"memfd", QMP_CAPS_MEMORY_BACKEND_MEMFD, NULL},
    END,
};
static const qmpDomainValue diskDevices[] = {
    {"disk", ALWAYS, NULL},
    {"cdrom", ALWAYS, NULL},
    {"floppy", ALWAYS, NULL},
    {"lun", QMP_CAPS_VIRTIO_BLK_PCI_SCSI, NULL},
    END,
};
static const qmpDomainValue diskBuses[] = {
    {"ide", ALWAYS, qmpDomainHasIde},
    {"fdc", ALWAYS, NULL},
    {"scsi", QMP_CAPS_VIRTIO_SCSI_PCI, NULL},
    {"virtio", ALWAYS, NULL},
    {"usb", QMP_CAPS_USB_STORAGE, NULL},
    {"sata", QMP_CAPS_ICH9_AHCI, NULL},
    END,
};
static const qmpDomainValue graphicsTypes[] = {
    {"sdl", QMP_CAPS_SDL, NULL},           {"vnc", QMP_CAPS_VNC, NULL},
    {"spice", QMP_CAPS_SPICE, NULL},       {"egl-headless", QMP_CAPS_EGL_HEADLESS, NULL},
    {"dbus", QMP_CAPS_DISPLAY_DBUS, NULL}, END,
};
static const qmpDomainValue videoModels[] = {
    {"vga", QMP_CAPS_VGA, NULL},
    {"cirrus", QMP_CAPS_CIRRUS_VGA, NULL},
    {"vmvga", QMP_CAPS_VMWARE_SVGA, NULL},
    {"qxl", QMP_CAPS_QXL, NULL},
    {"virtio", QMP_CAPS_VIRTIO_GPU, NULL},
    {"none", ALWAYS, NULL},
    {"bochs", QMP_CAPS_BOCHS_DISPLAY, NULL},
    {"ramfb", QMP_CAPS_RAMFB, NULL},
    END,
};
static const qmpDomainValue hostdevModes[] = {{"subsystem", ALWAYS, NULL}, END};
static const qmpDomainValue hostdevPolicies[] = {
    {"default", ALWAYS, NULL},
    {"mandatory", ALWAYS, NULL},
    {"requisite", ALWAYS, NULL},
    {"optional", ALWAYS, NULL},
    END,
};
static const qmpDomainValue hostdevTypes[] = {
    {"usb", ALWAYS, NULL},
    {"pci", ALWAYS, NULL},
    {"scsi", ALWAYS, NULL},
    END,
};
static const qmpDomainValue hostdevCaps[] = {END};
static const qmpDomainValue hostdevBackends[] = {
    {"default", QMP_CAPS_VFIO_PCI, qmpDomainHasVfio},
    {"vfio", QMP_CAPS_VFIO_PCI, qmpDomainHasVfio},
    END,
};
static const qmpDomainValue rngBackends[] = {
    {"random", QMP_CAPS_RNG_RANDOM, NULL},
    {"egd", QMP_CAPS_RNG_EGD, NULL},
    {"builtin", QMP_CAPS_RNG_BUILTIN, NULL},
    END,
};
static const qmpDomainValue filesystemDrivers[] = {
    {"path", ALWAYS, NULL},
    {"handle", ALWAYS, NULL},
    {"virtiofs", QMP_CAPS_VHOST_USER_FS, NULL},
    END,
};
static const qmpDomainValue tpmModels[] = {
    {"tpm-tis", QMP_CAPS_TPM_TIS, NULL},
    {"tpm-crb", QMP_CAPS_TPM_CRB, NULL},
    {"tpm-spapr", QMP_CAPS_TPM_SPAPR, NULL},
    {"spapr-tpm-proxy", QMP_CAPS_SPAPR_TPM_PROXY, NULL},
    END,
};
static const qmpDomainValue tpmBackends[] = {
    {"passthrough", QMP_CAPS_TPM_PASSTHROUGH, NULL},
    {"emulator", QMP_CAPS_TPM_EMULATOR, qmpDomainHasSwtpm},
    END,
};
static const qmpDomainValue tpmVersions[] = {
    {"1.2", QMP_CAPS_TPM_EMULATOR, qmpDomainHasSwtpm},
    {"2.0", QMP_CAPS_TPM_EMULATOR, qmpDomainHasSwtpm},
    END,
};
static const qmpDomainValue redirdevBuses[] = {{"usb", QMP_CAPS_USB_REDIR, NULL}, END};
static const qmpDomainValue channelTypes[] = {
    {"pty", ALWAYS, NULL},
    {"unix", ALWAYS, NULL},
    {"spicevmc", QMP_CAPS_SPICE, NULL},
    END,
};

static const qmpDomainElement memoryBacking = {
    "memoryBacking", 0, false, {{"sourceType", memorySources}}};

static const qmpDomainElement devices[] = {
    {"disk", 0, false, {{"diskDevice", diskDevices}, {"bus", diskBuses}, {"model", virtioModels}}},
    {"graphics", 0, false, {{"type", graphicsTypes}}},
    {"video", 0, false, {{"modelType", videoModels}}},
    {"hostdev",
     0,
     false,
     {{"mode", hostdevModes},
      {"startupPolicy", hostdevPolicies},
      {"subsysType", hostdevTypes},
      {"capsType", hostdevCaps},
      {"pciBackend", hostdevBackends}}},
    {"rng", 0, false, {{"model", virtioModels}, {"backendModel", rngBackends}}},
    {"filesystem", 0, false, {{"driverType", filesystemDrivers}}},
    {"tpm",
     8000000,
     true,
     {{"model", tpmModels}, {"backendModel", tpmBackends}, {"backendVersion", tpmVersions}}},
    {"redirdev", 8003000, true, {{"bus", redirdevBuses}}},
    {"channel", 8003000, false, {{"type", channelTypes}}},
};

/* Features that are just there or not. */
static const struct {
    const char *element;
    qmpCapsFlag needs;
} features[] = {
    {"vmcoreinfo", QMP_CAPS_VMCOREINFO},
    {"genid", QMP_CAPS_VMGENID},
    {"backingStoreInput", QMP_CAPS_BLOCKDEV},
    {"backup", QMP_CAPS_INCREMENTAL_BACKUP},
};

/* Elements */

static void
qmpDomainFormatSupported(virXMLWriter *w, bool supported)
{
    virXMLWriterAttr(w, "supported", supported ? "yes" : "no");
}

static void
qmpDomainFormatFlag(virXMLWriter *w, const char *element, bool supported)
{
    virXMLWriterOpen(w, element);
    qmpDomainFormatSupported(w, supported);
    virXMLWriterClose(w);
}

static bool
qmpDomainOffers(const qmpDomainCapsInput *input, const qmpDomainValue *value)
{
    return (value->needs == ALWAYS || qmpCapsHas(input->caps, value->needs)) &&
           (!value->agrees || value->agrees(input));
}

static bool
qmpDomainOffersAny(const qmpDomainCapsInput *input, const qmpDomainEnum *list)
{
    for (const qmpDomainValue *value = list->values; value->value; value++) {
        if (qmpDomainOffers(input, value))
            return true;
    }
    return false;
}

static void
qmpDomainEnumOpen(virXMLWriter *w, const char *name)
{
    virXMLWriterOpen(w, "enum");
    virXMLWriterAttr(w, "name", name);
}

/* An enum of strings, ending with NULL. */
static void
qmpDomainFormatList(virXMLWriter *w, const char *name, const char *const *values)
{
    qmpDomainEnumOpen(w, name);
    for (; *values; values++)
        virXMLWriterElement(w, "value", *values);
    virXMLWriterClose(w);
}

static void
qmpDomainFormatEnum(virXMLWriter *w, const qmpDomainCapsInput *input, const qmpDomainEnum *list)
{
    /* of a TPM's versions nothing is said where there is no choice */
    if (list->values == tpmVersions && !qmpDomainOffersAny(input, list))
        return;
    qmpDomainEnumOpen(w, list->name);
    for (const qmpDomainValue *value = list->values; value->value; value++) {
        if (qmpDomainOffers(input, value))
            virXMLWriterElement(w, "value", value->value);
    }
    virXMLWriterClose(w);
}

static void
qmpDomainFormatElement(virXMLWriter *w, const qmpDomainCapsInput *input,
                       const qmpDomainElement *element)
{
    bool supported = !element->emptyIsAbsent || qmpDomainOffersAny(input, &element->enums[0]);

    if (element->since > input->vocabulary)
        return;
    virXMLWriterOpen(w, element->element);
    qmpDomainFormatSupported(w, supported);
    for (size_t i = 0; supported && element->enums[i].name; i++)
        qmpDomainFormatEnum(w, input, &element->enums[i]);
    virXMLWriterClose(w);
}

/* os */

/* The images of descriptors that fit, each once, in the order they are preferred. */
static GPtrArray *
qmpDomainLoaders(const qmpDomainCapsInput *input)
{
    GPtrArray *loaders = g_ptr_array_new();

    for (guint i = 0; input->firmware && i < input->firmware->len; i++) {
        const qmpFirmware *firmware = input->firmware->pdata[i];

        if (qmpFirmwareFits(firmware, input->arch, input->machine) &&
            !g_ptr_array_find_with_equal_func(loaders, firmware->image, g_str_equal, NULL) &&
            g_file_test(firmware->image, G_FILE_TEST_EXISTS))
            g_ptr_array_add(loaders, firmware->image);
    }
    g_ptr_array_add(loaders, NULL);
    return loaders;
}

static bool
qmpDomainFirmwareHas(const qmpDomainCapsInput *input, qmpFirmwareInterface interface)
{
    for (guint i = 0; input->firmware && i < input->firmware->len; i++) {
        const qmpFirmware *firmware = input->firmware->pdata[i];

        if (qmpFirmwareFits(firmware, input->arch, input->machine) &&
            qmpFirmwareHasInterface(firmware, interface))
            return true;
    }
    return false;
}

static bool
qmpDomainFirmwareIsSecure(const qmpDomainCapsInput *input)
{
    for (guint i = 0; input->firmware && i < input->firmware->len; i++) {
        const qmpFirmware *firmware = input->firmware->pdata[i];

        if (qmpFirmwareFits(firmware, input->arch, input->machine) &&
            firmware->device == QMP_FIRMWARE_FLASH &&
            qmpFirmwareHasFeature(firmware, "requires-smm"))
            return true;
    }
    return false;
}

static void
qmpDomainFormatLoader(virXMLWriter *w, const qmpDomainCapsInput *input)
{
    static const char *const types[] = {"rom", "pflash", NULL};
    static const char *const yesNo[] = {"yes", "no", NULL};
    g_autoptr(GPtrArray) found = qmpDomainLoaders(input);
    const char *const *loaders =
        input->loaders ? input->loaders : (const char *const *)found->pdata;

    virXMLWriterOpen(w, "loader");
    qmpDomainFormatSupported(w, true);
    for (; *loaders; loaders++)
        virXMLWriterElement(w, "value", *loaders);
    qmpDomainFormatList(w, "type", types);
    qmpDomainFormatList(w, "readonly", yesNo);
    qmpDomainFormatList(w, "secure", qmpDomainFirmwareIsSecure(input) ? yesNo : yesNo + 1);
    virXMLWriterClose(w);
}

static void
qmpDomainFormatOs(virXMLWriter *w, const qmpDomainCapsInput *input)
{
    virXMLWriterOpen(w, "os");
    qmpDomainFormatSupported(w, true);
    qmpDomainEnumOpen(w, "firmware");
    if (qmpDomainFirmwareHas(input, QMP_FIRMWARE_BIOS))
        virXMLWriterElement(w, "value", "bios");
    if (qmpDomainFirmwareHas(input, QMP_FIRMWARE_UEFI))
        virXMLWriterElement(w, "value", "efi");
    virXMLWriterClose(w);
    qmpDomainFormatLoader(w, input);
    virXMLWriterClose(w);
}

/* cpu */

static void
qmpDomainFormatMode(virXMLWriter *w, virCPUMode mode, bool supported, const char *enumName,
                    bool canMigrate)
{
    static const char *const onOff[] = {"on", "off", NULL};

    virXMLWriterOpen(w, "mode");
    virXMLWriterAttr(w, "name", virCPUModeToString(mode));
    qmpDomainFormatSupported(w, supported);
    if (supported)
        qmpDomainFormatList(w, enumName, canMigrate ? onOff : onOff + 1);
    virXMLWriterClose(w);
}

static void
qmpDomainFormatHostModel(virXMLWriter *w, const qmpDomainCapsInput *input)
{
    qmpHostModelOptions options = {.known = input->knownFeatures,
                                   .evenWeights = input->vocabulary < 8000000};
    g_autoptr(virCPUDef) cpu = NULL;

    if (input->native) /* no model that fits is as good as none: not supported */
        cpu = qmpHostModelMake(input->caps, input->accel, &options, NULL);
    virXMLWriterOpen(w, "mode");
    virXMLWriterAttr(w, "name", virCPUModeToString(VIR_CPU_MODE_HOST_MODEL));
    qmpDomainFormatSupported(w, cpu != NULL);
    if (cpu)
        virCPUDefFormatChildren(w, cpu);
    virXMLWriterClose(w);
}

static void
qmpDomainFormatModel(virXMLWriter *w, const qmpDomainCapsInput *input, const qmpCpuDefinition *cpu)
{
    static const char *const usable[] = {"unknown", "yes", "no"}; /* by virTristate */
    const virCPUMapModel *model = virCPUMapFindModel(cpu->name);

    virXMLWriterOpen(w, "model");
    virXMLWriterAttr(w, "usable", usable[cpu->usable]);
    virXMLWriterAttr(w, "deprecated", cpu->deprecated ? "yes" : NULL);
    if (input->vocabulary >= 8009000)
        virXMLWriterAttr(w, "vendor", model->vendor ? model->vendor->name : "unknown");
    virXMLWriterText(w, cpu->name);
    virXMLWriterClose(w);
}

/* Models that we have a name for too: what QEMU makes of the others nobody could say. */
static void
qmpDomainFormatCustom(virXMLWriter *w, const qmpDomainCapsInput *input)
{
    const GPtrArray *cpus = qmpCapsCpuDefinitions(input->caps, input->accel);

    virXMLWriterOpen(w, "mode");
    virXMLWriterAttr(w, "name", virCPUModeToString(VIR_CPU_MODE_CUSTOM));
    qmpDomainFormatSupported(w, cpus != NULL);
    for (guint i = 0; cpus && i < cpus->len; i++) {
        const qmpCpuDefinition *cpu = cpus->pdata[i];

        if (virCPUMapFindModel(cpu->name))
            qmpDomainFormatModel(w, input, cpu);
    }
    virXMLWriterClose(w);
}

static void
qmpDomainFormatCpu(virXMLWriter *w, const qmpDomainCapsInput *input)
{
    bool kvm = input->accel == QMP_ACCEL_KVM;

    virXMLWriterOpen(w, "cpu");
    qmpDomainFormatMode(w, VIR_CPU_MODE_HOST_PASSTHROUGH, kvm && input->native,
                        "hostPassthroughMigratable",
                        qmpCapsHas(input->caps, QMP_CAPS_CPU_MIGRATABLE));
    qmpDomainFormatMode(w, VIR_CPU_MODE_MAXIMUM,
                        qmpCapsHas(input->caps, QMP_CAPS_CPU_MAX) || (kvm && input->native),
                        "maximumMigratable", true);
    qmpDomainFormatHostModel(w, input);
    qmpDomainFormatCustom(w, input);
    virXMLWriterClose(w);
}

/* features */

static void
qmpDomainFormatSev(virXMLWriter *w, const qmpDomainCapsInput *input)
{
    const qmpSevInfo *sev = qmpCapsSev(input->caps);

    virXMLWriterOpen(w, "sev");
    qmpDomainFormatSupported(w, sev != NULL);
    if (sev) {
        virXMLWriterElementF(w, "cbitpos", "%u", sev->cbitpos);
        virXMLWriterElementF(w, "reducedPhysBits", "%u", sev->reducedPhysBits);
        if (input->vocabulary >= 8000000) {
            virXMLWriterElementF(w, "maxGuests", "%u", sev->maxGuests);
            virXMLWriterElementF(w, "maxESGuests", "%u", sev->maxEsGuests);
            virXMLWriterElement(w, "cpu0Id", sev->cpu0Id);
        }
    }
    virXMLWriterClose(w);
}

static void
qmpDomainFormatHyperv(virXMLWriter *w, const qmpDomainCapsInput *input)
{
    const char *const *values = qmpCapsHyperv(input->caps);

    virXMLWriterOpen(w, "hyperv");
    qmpDomainFormatSupported(w, values && *values);
    if (values && *values)
        qmpDomainFormatList(w, "features", values);
    virXMLWriterClose(w);
}

static void
qmpDomainFormatFeatures(virXMLWriter *w, const qmpDomainCapsInput *input)
{
    virXMLWriterOpen(w, "features");
    qmpDomainFormatFlag(w, "gic", false); /* ARM's */
    for (size_t i = 0; i < G_N_ELEMENTS(features); i++)
        qmpDomainFormatFlag(w, features[i].element, qmpCapsHas(input->caps, features[i].needs));
    qmpDomainFormatSev(w, input);
    if (input->vocabulary >= 8010000) {
        qmpDomainFormatFlag(w, "sgx", false); /* guests get no enclaves here yet */
        qmpDomainFormatHyperv(w, input);
    }
    virXMLWriterClose(w);
}

static unsigned
qmpDomainMaxVcpus(const qmpDomainCapsInput *input)
{
    const qmpMachine *machine = qmpCapsMachine(input->caps, input->accel, input->machine);
    unsigned max = machine ? machine->maxCpus : 0;

    if (input->accel == QMP_ACCEL_KVM && input->maxVcpus > 0)
        max = max > 0 ? MIN(max, input->maxVcpus) : input->maxVcpus;
    return max;
}

char *
qmpDomainCapsFormat(const qmpDomainCapsInput *input)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();
    unsigned maxVcpus = qmpDomainMaxVcpus(input);

    virXMLWriterOpen(w, "domainCapabilities");
    virXMLWriterElement(w, "path", qmpCapsEmulator(input->caps));
    virXMLWriterElement(w, "domain", input->accel == QMP_ACCEL_KVM ? "kvm" : "qemu");
    virXMLWriterElement(w, "machine", input->machine);
    virXMLWriterElement(w, "arch", input->arch);
    if (maxVcpus > 0) {
        virXMLWriterOpen(w, "vcpu");
        virXMLWriterAttrF(w, "max", "%u", maxVcpus);
        virXMLWriterClose(w);
    }
    qmpDomainFormatFlag(w, "iothreads", qmpCapsHas(input->caps, QMP_CAPS_IOTHREAD));
    qmpDomainFormatOs(w, input);
    qmpDomainFormatCpu(w, input);
    qmpDomainFormatElement(w, input, &memoryBacking);
    virXMLWriterOpen(w, "devices");
    for (size_t i = 0; i < G_N_ELEMENTS(devices); i++)
        qmpDomainFormatElement(w, input, &devices[i]);
    virXMLWriterClose(w);
    qmpDomainFormatFeatures(w, input);
    virXMLWriterClose(w);
    return virXMLWriterEnd(w);
}
