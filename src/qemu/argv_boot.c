/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv_boot.c: how the guest ends and begins: -no-shutdown, sleep states, -boot, direct kernel
 * boot, tables of the firmware. */
#include <inttypes.h>

#include "qemu/argv.h"
#include "util/virerror.h"

static bool
qemuBootSleep(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const struct {
        virTristate wanted;
        const char *name;
        qmpCapsFlag pc, q35;
    } states[] = {
        {def->pm.suspendToMem, "disable_s3", QMP_CAPS_DISABLE_S3, QMP_CAPS_ICH9_DISABLE_S3},
        {def->pm.suspendToDisk, "disable_s4", QMP_CAPS_DISABLE_S4, QMP_CAPS_ICH9_DISABLE_S4},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
        const char *device = "PIIX4_PM";

        if (states[i].wanted == VIR_TRISTATE_ABSENT)
            continue;
        if (ctx->facts->q35 && qmpCapsHas(ctx->caps, states[i].q35))
            device = "ICH9-LPC";
        else if (!qmpCapsHas(ctx->caps, states[i].pc))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("setting ACPI %s not supported"), i == 0 ? "S3" : "S4");
        qmpPlanArgF(plan, "-global", "%s.%s=%d", device, states[i].name,
                    states[i].wanted == VIR_TRISTATE_NO);
    }
    return true;
}

static void
qemuBootOrder(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (def->os.bootMenu != VIR_TRISTATE_ABSENT && qmpCapsHas(ctx->caps, QMP_CAPS_BOOT_MENU))
        g_string_append_printf(text, "menu=%s,",
                               def->os.bootMenu == VIR_TRISTATE_YES ? "on" : "off");
    if (def->os.bootMenuTimeout.set)
        g_string_append_printf(text, "splash-time=%" PRIu64 ",", def->os.bootMenuTimeout.value);
    if (def->os.biosRebootTimeout.set)
        g_string_append_printf(text, "reboot-timeout=%" PRId64 ",",
                               def->os.biosRebootTimeout.value);
    if (qmpCapsHas(ctx->caps, QMP_CAPS_BOOT_STRICT))
        g_string_append(text, "strict=on,");
    if (text->len == 0)
        return;
    g_string_truncate(text, text->len - 1);
    qmpPlanArg(plan, "-boot", text->str);
}

static void
qemuBootKernel(const virDomainDef *def, qmpPlan *plan)
{
    const struct {
        const char *option, *value;
    } options[] = {
        {"-kernel", def->os.kernel},
        {"-initrd", def->os.initrd},
        {"-append", def->os.cmdline},
        {"-dtb", def->os.dtb},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        if (options[i].value)
            qmpPlanArg(plan, options[i].option, options[i].value);
    }
    if (def->os.slicTable)
        qmpPlanArgF(plan, "-acpitable", "sig=SLIC,file=%s", def->os.slicTable);
}

bool
qemuArgvBoot(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    qmpPlanArg(plan, "-no-shutdown", NULL);
    if (def->features.on[VIR_DOMAIN_FEATURE_ACPI] != VIR_TRISTATE_YES &&
        qmpCapsHas(ctx->caps, QMP_CAPS_NO_ACPI))
        qmpPlanArg(plan, "-no-acpi", NULL);
    if (!qemuBootSleep(def, ctx, plan, error))
        return false;
    qemuBootOrder(def, ctx, plan);
    qemuBootKernel(def, plan);
    if (def->os.loader && def->os.loaderType != VIR_DOMAIN_LOADER_PFLASH)
        qmpPlanArg(plan, "-bios", def->os.loader);
    if (def->os.biosUseSerial == VIR_TRISTATE_YES) {
        qmpPlanArg(plan, "-device", "sga");
    }
    return true;
}

/* --- SMBIOS --- */

/* The number of the table, and the options' names for libvirt's names. */
static const struct {
    int type;
    struct {
        const char *entry, *option;
    } names[VIR_SYSINFO_ENTRIES_MAX];
} smbiosTables[] = {
    [VIR_SYSINFO_BIOS] =
        {0,
         {{"vendor", "vendor"}, {"version", "version"}, {"date", "date"}, {"release", "release"}}},
    [VIR_SYSINFO_SYSTEM] = {1,
                            {{"manufacturer", "manufacturer"},
                             {"product", "product"},
                             {"version", "version"},
                             {"serial", "serial"},
                             {"uuid", "uuid"},
                             {"sku", "sku"},
                             {"family", "family"}}},
    [VIR_SYSINFO_BASE_BOARD] = {2,
                                {{"manufacturer", "manufacturer"},
                                 {"product", "product"},
                                 {"version", "version"},
                                 {"serial", "serial"},
                                 {"asset", "asset"},
                                 {"location", "location"}}},
    [VIR_SYSINFO_CHASSIS] = {3,
                             {{"manufacturer", "manufacturer"},
                              {"version", "version"},
                              {"serial", "serial"},
                              {"asset", "asset"},
                              {"sku", "sku"}}},
};
G_STATIC_ASSERT(G_N_ELEMENTS(smbiosTables) == VIR_SYSINFO_BLOCK_LAST);

static void
qemuSMBIOSBlock(const virSysinfoBlock *block, qmpPlan *plan)
{
    const char *const *names = virSysinfoEntryNames(block->type);
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "type=%d", smbiosTables[block->type].type);
    for (int i = 0; i < VIR_SYSINFO_ENTRIES_MAX && names[i]; i++) {
        g_auto(GStrv) parts = NULL;
        g_autofree char *escaped = NULL;

        if (!block->values[i])
            continue;
        parts = g_strsplit(block->values[i], ",", -1);
        escaped = g_strjoinv(",,", parts);
        for (int n = 0; n < VIR_SYSINFO_ENTRIES_MAX; n++) {
            const char *entry = smbiosTables[block->type].names[n].entry;

            if (entry && g_str_equal(entry, names[i]))
                g_string_append_printf(text, ",%s=%s", smbiosTables[block->type].names[n].option,
                                       escaped);
        }
    }
    qmpPlanArg(plan, "-smbios", text->str);
}

static void
qemuSMBIOSOEMStrings(const virDomainSysinfo *sysinfo, qmpPlan *plan)
{
    g_autoptr(GString) text = g_string_new("type=11");

    if (!sysinfo->oemStrings || sysinfo->oemStrings->len == 0)
        return;
    for (guint i = 0; i < sysinfo->oemStrings->len; i++) {
        g_auto(GStrv) parts = g_strsplit(g_ptr_array_index(sysinfo->oemStrings, i), ",", -1);
        g_autofree char *escaped = g_strjoinv(",,", parts);

        g_string_append_printf(text, ",value=%s", escaped);
    }
    qmpPlanArg(plan, "-smbios", text->str);
}

static void
qemuFwCfg(const virDomainSysinfo *sysinfo, qmpPlan *plan)
{
    for (guint i = 0; sysinfo->fwcfgs && i < sysinfo->fwcfgs->len; i++) {
        const virSysinfoFwCfg *entry = g_ptr_array_index(sysinfo->fwcfgs, i);
        g_auto(GStrv) parts = g_strsplit(entry->value ? entry->value : entry->file, ",", -1);
        g_autofree char *escaped = g_strjoinv(",,", parts);

        qmpPlanArgF(plan, "-fw_cfg", "name=%s,%s=%s", entry->name, entry->value ? "string" : "file",
                    escaped);
    }
}

bool
qemuArgvSMBIOS(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virDomainSysinfo *sysinfo = &def->sysinfo;

    if (def->os.smbiosMode.set && def->os.smbiosMode.value == VIR_DOMAIN_SMBIOS_HOST)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("<smbios mode='host'>: copying the host's tables is not supported "
                             "yet"));
    if (def->os.smbiosMode.set && def->os.smbiosMode.value == VIR_DOMAIN_SMBIOS_SYSINFO) {
        if (!sysinfo->smbios)
            return virErrorSet(error, VIR_ERR_XML_ERROR, _("Domain '%s' sysinfo are not available"),
                               def->name);
        for (guint i = 0; sysinfo->blocks && i < sysinfo->blocks->len; i++)
            qemuSMBIOSBlock(g_ptr_array_index(sysinfo->blocks, i), plan);
        qemuSMBIOSOEMStrings(sysinfo, plan);
    }
    qemuFwCfg(sysinfo, plan);
    return true;
}
