/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * os.c: <os>. */
#include "domain/os.h"

#include <string.h>

#include "domain/def.h"
#include "domain/section.h"
#include "util/virerror.h"
#include "util/virscale.h"

VIR_ENUM_IMPL(virDomainBoot, VIR_DOMAIN_BOOT_LAST, "fd", "cdrom", "hd", "network");
VIR_ENUM_IMPL(virDomainOSFirmware, VIR_DOMAIN_OS_FIRMWARE_LAST, "none", "bios", "efi");
VIR_ENUM_IMPL(virDomainFirmwareFeature, VIR_DOMAIN_FIRMWARE_FEATURE_LAST, "enrolled-keys",
              "secure-boot");
VIR_ENUM_IMPL(virDomainLoaderType, VIR_DOMAIN_LOADER_LAST, "none", "rom", "pflash");
VIR_ENUM_IMPL(virDomainSmbiosMode, VIR_DOMAIN_SMBIOS_LAST, "none", "emulate", "host", "sysinfo");

enum { VIR_OS_TIMEOUT_MAX = 65535 }; /* ms */

/* i386, i486 and i586 are spelled i686 in documents. */
static const char *const arches[] = {
    "aarch64", "alpha",    "armv6l",     "armv7l",       "armv7b", "cris",     "hppa",   "hppa64",
    "i686",    "ia64",     "lm32",       "m68k",         "mips",   "mipsel",   "mips64", "mips64el",
    "parisc",  "parisc64", "microblaze", "microblazeel", "or32",   "ppc",      "ppcle",  "ppc64",
    "ppc64le", "ppcemb",   "riscv32",    "riscv64",      "s390",   "s390x",    "sh4",    "sh4eb",
    "sparc",   "sparc64",  "unicore32",  "x86_64",       "xtensa", "xtensaeb", NULL,
};

static bool
virDomainOSParseType(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainOS *os = object;
    xmlNode *type = virXMLChildAt(node, "os/type");

    os->type = virXMLText(type);
    if (!os->type || !*os->type)
        return virErrorSet(error, VIR_ERR_OS_TYPE, "%s", _("no OS type"));
    if (!g_str_equal(os->type, "hvm"))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("unknown OS type '%s'"), os->type);
    os->arch = virXMLAttr(type, "arch");
    if (os->arch && !g_strv_contains(arches, os->arch))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Unknown architecture %s"), os->arch);
    os->machine = virXMLAttr(type, "machine");
    return true;
}

static void
virDomainOSFormatType(const virDomainOS *os, virXMLWriter *w)
{
    virXMLWriterOpen(w, "type");
    virXMLWriterAttr(w, "arch", os->arch);
    virXMLWriterAttr(w, "machine", os->machine);
    virXMLWriterText(w, os->type);
    virXMLWriterClose(w);
}

static bool
virDomainOSParseFirmware(virDomainOS *os, const xmlNode *element, GError **error)
{
    g_autofree char *firmware = virXMLAttr(element, "firmware");

    if (!firmware) {
        if (virXMLChildAt(element, "firmware/feature"))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("firmware feature filters require 'firmware' attribute"));
        return true;
    }
    if ((os->firmware = virDomainOSFirmwareFromString(firmware)) <= 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "firmware",
                           "os", firmware);
    virXMLForEachChildNamed (virXMLFirstChild(element, "firmware"), child, "feature") {
        g_autofree char *name = virXMLAttr(child, "name");
        g_autofree char *enabled = virXMLAttr(child, "enabled");
        int feature = virDomainFirmwareFeatureFromString(name);

        if (!name || !enabled)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("Missing required attribute '%s' in element '%s'"),
                               name ? "enabled" : "name", "feature");
        if (feature < 0 || (!g_str_equal(enabled, "yes") && !g_str_equal(enabled, "no")))
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("Invalid value for attribute '%s' in element '%s': '%s'."),
                               feature < 0 ? "name" : "enabled", "feature",
                               feature < 0 ? name : enabled);
        os->firmwareFeatures[feature] = virTristateFromBool(g_str_equal(enabled, "yes"));
    }
    return true;
}

static void
virDomainOSFormatFirmware(const virDomainOS *os, virXMLWriter *w)
{
    if (os->firmware == VIR_DOMAIN_OS_FIRMWARE_NONE)
        return;
    virXMLWriterOpen(w, "firmware");
    for (int i = 0; i < VIR_DOMAIN_FIRMWARE_FEATURE_LAST; i++) {
        if (os->firmwareFeatures[i] == VIR_TRISTATE_ABSENT)
            continue;
        virXMLWriterOpen(w, "feature");
        virXMLWriterAttr(w, "enabled", os->firmwareFeatures[i] == VIR_TRISTATE_YES ? "yes" : "no");
        virXMLWriterAttr(w, "name", virDomainFirmwareFeatureToString(i));
        virXMLWriterClose(w);
    }
    virXMLWriterCloseUnlessEmpty(w);
}

/* relative to <os> */
static const virField loaderFields[] = {
    VIR_FIELD_YESNO("loader@readonly", virDomainOS, loaderReadonly),
    VIR_FIELD_YESNO("loader@secure", virDomainOS, loaderSecure, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ENUM("loader@type", virDomainOS, loaderType, virDomainLoaderTypeNames,
                   .flags = VIR_FIELD_ABI),
    VIR_FIELD_YESNO("loader@stateless", virDomainOS, loaderStateless),
    VIR_FIELD_REFUSED("loader@format", N_("only raw firmware images are supported")),
    VIR_FIELD_STRING("loader", virDomainOS, loader),
    VIR_FIELD_STRING("nvram@template", virDomainOS, nvramTemplate),
    VIR_FIELD_REFUSED("nvram@type", N_("a variable store is a path, as text of the element")),
    VIR_FIELD_REFUSED("nvram@format", N_("only raw firmware images are supported")),
    VIR_FIELD_STRING("nvram", virDomainOS, nvram),
    VIR_FIELD_STRING("kernel", virDomainOS, kernel),
    VIR_FIELD_STRING("initrd", virDomainOS, initrd),
    VIR_FIELD_STRING("cmdline", virDomainOS, cmdline),
    VIR_FIELD_STRING("dtb", virDomainOS, dtb),
    VIR_FIELD_STRING("root", virDomainOS, root),
    VIR_FIELD_END,
};

static bool
virDomainOSParseSlic(virDomainOS *os, const xmlNode *element, GError **error)
{
    xmlNode *table = virXMLChildAt(element, "acpi/table");
    g_autofree char *type = virXMLAttr(table, "type");

    if (!table)
        return true;
    if (virXMLNext(table, "table"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("Only one acpi table is supported"));
    if (!type)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("Missing acpi table type"));
    if (!g_str_equal(type, "slic"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("Unknown acpi table type: %s"), type);
    os->slicTable = virXMLText(table);
    return true;
}

static void
virDomainOSFormatSlic(const virDomainOS *os, virXMLWriter *w)
{
    if (!os->slicTable)
        return;
    virXMLWriterOpen(w, "acpi");
    virXMLWriterOpen(w, "table");
    virXMLWriterAttr(w, "type", "slic");
    virXMLWriterText(w, os->slicTable);
    virXMLWriterClose(w);
    virXMLWriterClose(w);
}

static bool
virDomainOSParseBoot(virDomainOS *os, const xmlNode *element, GError **error)
{
    virXMLForEachChildNamed (element, child, "boot") {
        g_autofree char *dev = virXMLAttr(child, "dev");
        int boot = virDomainBootFromString(dev);

        if (os->boots == VIR_DOMAIN_BOOT_LAST)
            break;
        if (!dev)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("Missing required attribute '%s' in element '%s'"), "dev", "boot");
        if (boot < 0)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("Invalid value for attribute '%s' in element '%s': '%s'."), "dev",
                               "boot", dev);
        os->boot[os->boots++] = (virDomainBoot)boot;
    }
    return true;
}

static bool
virDomainOSParseBootMenu(virDomainOS *os, const xmlNode *element, GError **error)
{
    xmlNode *menu = virXMLFirstChild(element, "bootmenu");
    g_autofree char *enable = virXMLAttr(menu, "enable");
    g_autofree char *timeout = virXMLAttr(menu, "timeout");
    uint64_t wait_ms;

    if (!enable)
        return true;
    /* a misspelt value has always meant no */
    os->bootMenu = virTristateFromBool(g_str_equal(enable, "yes"));
    if (!timeout || os->bootMenu != VIR_TRISTATE_YES)
        return true;
    if (!virStringToUInt(timeout, VIR_OS_TIMEOUT_MAX, &wait_ms))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("invalid value for boot menu timeout, must be in range [0,65535]"));
    os->bootMenuTimeout = virOptUIntOf(wait_ms);
    return true;
}

static bool
virDomainOSParseBios(virDomainOS *os, const xmlNode *element, GError **error)
{
    xmlNode *bios = virXMLFirstChild(element, "bios");
    g_autofree char *useSerial = virXMLAttr(bios, "useserial");
    g_autofree char *timeout = virXMLAttr(bios, "rebootTimeout");
    int64_t wait_ms;

    if (useSerial)
        os->biosUseSerial = virTristateFromBool(g_str_equal(useSerial, "yes"));
    if (!timeout)
        return true;
    if (!virStringToInt(timeout, &wait_ms) || wait_ms < -1 || wait_ms > VIR_OS_TIMEOUT_MAX)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("invalid value for rebootTimeout, must be in range [-1,65535]"));
    os->biosRebootTimeout = (virOptInt){wait_ms, true};
    return true;
}

static bool
virDomainOSParseSmbios(virDomainOS *os, const xmlNode *element, GError **error)
{
    xmlNode *smbios = virXMLFirstChild(element, "smbios");
    g_autofree char *mode = virXMLAttr(smbios, "mode");
    int value = virDomainSmbiosModeFromString(mode);

    if (!smbios)
        return true;
    if (!mode)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), "mode", "smbios");
    if (value < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "mode",
                           "smbios", mode);
    os->smbiosMode = (virOptInt){value, true};
    return true;
}

static bool
virDomainOSParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainOS *os = object;
    xmlNode *element = virXMLFirstChild(node, "os");

    if (!virDomainOSParseType(os, node, parseFlags, error))
        return false;
    os->hasLoader = virXMLFirstChild(element, "loader") != NULL;
    return virDomainOSParseFirmware(os, element, error) &&
           virFieldParse(loaderFields, os, element, parseFlags, error) &&
           virDomainOSParseSlic(os, element, error) && virDomainOSParseBoot(os, element, error) &&
           virDomainOSParseBootMenu(os, element, error) &&
           virDomainOSParseBios(os, element, error) && virDomainOSParseSmbios(os, element, error);
}

static void
virDomainOSFormatYesNo(virXMLWriter *w, const char *name, virTristate value)
{
    if (value != VIR_TRISTATE_ABSENT)
        virXMLWriterAttr(w, name, value == VIR_TRISTATE_YES ? "yes" : "no");
}

static void
virDomainOSFormatBoot(const virDomainOS *os, virXMLWriter *w)
{
    for (unsigned i = 0; i < os->boots; i++) {
        virXMLWriterOpen(w, "boot");
        virXMLWriterAttr(w, "dev", virDomainBootToString(os->boot[i]));
        virXMLWriterClose(w);
    }
    virXMLWriterOpen(w, "bootmenu");
    virDomainOSFormatYesNo(w, "enable", os->bootMenu);
    if (os->bootMenuTimeout.set)
        virXMLWriterAttrF(w, "timeout", "%u", (unsigned)os->bootMenuTimeout.value);
    virXMLWriterCloseUnlessEmpty(w);
    virXMLWriterOpen(w, "bios");
    virDomainOSFormatYesNo(w, "useserial", os->biosUseSerial);
    if (os->biosRebootTimeout.set)
        virXMLWriterAttrF(w, "rebootTimeout", "%d", (int)os->biosRebootTimeout.value);
    virXMLWriterCloseUnlessEmpty(w);
    if (!os->smbiosMode.set)
        return;
    virXMLWriterOpen(w, "smbios");
    virXMLWriterAttr(w, "mode", virDomainSmbiosModeToString((int)os->smbiosMode.value));
    virXMLWriterClose(w);
}

static void
virDomainOSFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainOS *os = object;

    virXMLWriterOpen(w, "os");
    if (os->firmware != VIR_DOMAIN_OS_FIRMWARE_NONE)
        virXMLWriterAttr(w, "firmware", virDomainOSFirmwareToString(os->firmware));
    virDomainOSFormatType(os, w);
    virDomainOSFormatFirmware(os, w);
    virFieldFormat(loaderFields, os, w, formatFlags);
    virDomainOSFormatSlic(os, w);
    virDomainOSFormatBoot(os, w);
    virXMLWriterClose(w);
}

static void
virDomainOSClear(void *object)
{
    virDomainOS *os = object;

    g_clear_pointer(&os->type, g_free);
    g_clear_pointer(&os->arch, g_free);
    g_clear_pointer(&os->machine, g_free);
    g_clear_pointer(&os->slicTable, g_free);
    virFieldClear(loaderFields, os);
}

static bool
virDomainOSSameText(const char *what, const char *was, const char *is, GError **error)
{
    if (g_strcmp0(was, is) == 0)
        return true;
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                       _("Target domain %s %s does not match source %s"), what, is ? is : "",
                       was ? was : "");
}

static bool
virDomainOSSame(const void *a, const void *b, GError **error)
{
    const virDomainOS *was = a;
    const virDomainOS *is = b;

    return virDomainOSSameText("OS type", was->type, is->type, error) &&
           virDomainOSSameText("architecture", was->arch, is->arch, error) &&
           virDomainOSSameText("machine type", was->machine, is->machine, error) &&
           virFieldSameABI(loaderFields, "os", a, b, error);
}

static const virField bootHolds[] = {
    VIR_HOLDS_ENUM("@dev", virDomainBootNames),
    VIR_FIELD_END,
};

static const virField firmwareFeatureHolds[] = {
    VIR_HOLDS_ENUM("@name", virDomainFirmwareFeatureNames),
    VIR_HOLDS_YESNO("@enabled"),
    VIR_FIELD_END,
};

static const virField osHolds[] = {
    VIR_HOLDS("type"),
    VIR_HOLDS("type@arch"),
    VIR_HOLDS("type@machine"),
    VIR_HOLDS_ENUM("@firmware", virDomainOSFirmwareNames),
    VIR_HOLDS_ELEMENTS("firmware/feature", firmwareFeatureHolds),
    VIR_HOLDS_ROWS(loaderFields),
    VIR_HOLDS("acpi/table"),
    VIR_HOLDS("acpi/table@type"),
    VIR_HOLDS_ELEMENTS("boot", bootHolds),
    VIR_HOLDS_YESNO("bootmenu@enable"),
    VIR_HOLDS_UINT("bootmenu@timeout"),
    VIR_HOLDS_YESNO("bios@useserial"),
    VIR_HOLDS_INT("bios@rebootTimeout"),
    VIR_HOLDS_ENUM("smbios@mode", virDomainSmbiosModeNames),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_REFUSED("bootloader", N_("boot loaders on the host belong to other hypervisors")),
    VIR_FIELD_CODE("os", virDomainOSParse, virDomainOSFormat, .clear = virDomainOSClear,
                   .same = virDomainOSSame, .holds = osHolds),
    VIR_FIELD_END,
};

static bool
virDomainOSHasDeviceBoot(const virDomainDef *def)
{
    for (guint i = 0; i < def->devices->len; i++) {
        if (((const virDevice *)g_ptr_array_index(def->devices, i))->info.bootIndex.set)
            return true;
    }
    return false;
}

static bool
virDomainOSComplete(virDomainDef *def, unsigned parseFlags, GError **error)
{
    virDomainOS *os = &def->os;
    bool perDevice = virDomainOSHasDeviceBoot(def);

    if (os->loader && os->loaderType == VIR_DOMAIN_LOADER_NONE)
        os->loaderType = VIR_DOMAIN_LOADER_ROM;
    if (os->boots && perDevice)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("per-device boot elements cannot be used together with os/boot "
                             "elements"));
    if (os->boots == 0 && !perDevice)
        os->boot[os->boots++] = VIR_DOMAIN_BOOT_DISK;
    return true;
}

static bool
virDomainOSCheckLoader(const virDomainOS *os, GError **error)
{
    if (!os->hasLoader || os->firmware != VIR_DOMAIN_OS_FIRMWARE_NONE)
        return true;
    if (!os->loader)
        return virErrorSet(error, VIR_ERR_XML_DETAIL, "%s",
                           _("no loader path specified and firmware auto selection disabled"));
    if (os->loaderReadonly == VIR_TRISTATE_NO && os->loaderSecure == VIR_TRISTATE_YES)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Secure boot requires a read-only loader"));
    return true;
}

static bool
virDomainOSCheck(const virDomainDef *def, GError **error)
{
    const virDomainOS *os = &def->os;

    if (os->root)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("element <root> of <os>: a root device is a matter of the kernel's "
                             "<cmdline>"));
    return virDomainOSCheckLoader(os, error);
}

const virDomainSection virDomainOSSection = {
    .name = "os",
    .offset = offsetof(virDomainDef, os),
    .fields = fields,
    .complete = virDomainOSComplete,
    .check = virDomainOSCheck,
};
