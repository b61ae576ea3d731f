/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv_boot.c: -boot, a kernel given from outside, -smbios, -fw_cfg. */
#include <inttypes.h>
#include <string.h>

#include "qemu/argv.h"
#include "util/virerror.h"

bool
qemuArgvBoot(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virDomainOS *os = &def->os;
    g_autoptr(GString) opt = g_string_new(NULL);

    if (os->bootMenu != VIR_TRISTATE_ABSENT)
        g_string_append_printf(opt, "menu=%s,", os->bootMenu == VIR_TRISTATE_YES ? "on" : "off");
    if (os->biosRebootTimeout.set)
        g_string_append_printf(opt, "reboot-timeout=%" PRId64 ",", os->biosRebootTimeout.value);
    if (os->bootMenuTimeout.set)
        g_string_append_printf(opt, "splash-time=%" PRIu64 ",", os->bootMenuTimeout.value);
    g_string_append(opt, "strict=on");
    qmpPlanArg(plan, "-boot", opt->str);
    if (os->kernel)
        qmpPlanArg(plan, "-kernel", os->kernel);
    if (os->initrd)
        qmpPlanArg(plan, "-initrd", os->initrd);
    if (os->cmdline)
        qmpPlanArg(plan, "-append", os->cmdline);
    if (os->dtb)
        qmpPlanArg(plan, "-dtb", os->dtb);
    if (os->slicTable) {
        g_autoptr(GString) table = g_string_new("sig=SLIC,file=");

        qemuArgvAppend(table, os->slicTable);
        qmpPlanArg(plan, "-acpitable", table->str);
    }
    return true;
}

/* --- what the firmware tells the guest --- */

static void
qemuArgvSMBIOSBlock(const virSysinfoBlock *block, qmpPlan *plan)
{
    static const unsigned types[VIR_SYSINFO_BLOCK_LAST] = {0, 1, 2, 3};
    const char *const *names = virSysinfoEntryNames(block->type);
    g_autoptr(GString) opt = g_string_new(NULL);

    g_string_append_printf(opt, "type=%u", types[block->type]);
    for (int i = 0; i < VIR_SYSINFO_ENTRIES_MAX && names[i]; i++) {
        if (!block->values[i])
            continue;
        g_string_append_printf(opt, ",%s=", names[i]);
        qemuArgvAppend(opt, block->values[i]);
    }
    qmpPlanArg(plan, "-smbios", opt->str);
}

static void
qemuArgvOemStrings(const GPtrArray *strings, qmpPlan *plan)
{
    g_autoptr(GString) opt = g_string_new("type=11");

    if (strings->len == 0)
        return;
    for (guint i = 0; i < strings->len; i++) {
        g_string_append(opt, ",value=");
        qemuArgvAppend(opt, g_ptr_array_index(strings, i));
    }
    qmpPlanArg(plan, "-smbios", opt->str);
}

static bool
qemuArgvSMBIOSTables(const virDomainDef *def, qmpPlan *plan, GError **error)
{
    const virDomainSysinfo *sysinfo = &def->sysinfo;
    int mode = def->os.smbiosMode.set ? (int)def->os.smbiosMode.value : VIR_DOMAIN_SMBIOS_NONE;

    if (mode == VIR_DOMAIN_SMBIOS_HOST)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Host SMBIOS information is not available"));
    if (mode != VIR_DOMAIN_SMBIOS_SYSINFO)
        return true;
    if (!sysinfo->smbios)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("Domain '%s' sysinfo are not available"),
                           def->name);
    for (guint i = 0; i < sysinfo->blocks->len; i++)
        qemuArgvSMBIOSBlock(g_ptr_array_index(sysinfo->blocks, i), plan);
    qemuArgvOemStrings(sysinfo->oemStrings, plan);
    return true;
}

bool
qemuArgvSMBIOS(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    if (!qemuArgvSMBIOSTables(def, plan, error))
        return false;
    for (guint i = 0; i < def->sysinfo.fwcfgs->len; i++) {
        const virSysinfoFwCfg *entry = g_ptr_array_index(def->sysinfo.fwcfgs, i);
        g_autoptr(GString) opt = g_string_new("name=");

        qemuArgvAppend(opt, entry->name);
        g_string_append(opt, entry->file ? ",file=" : ",string=");
        qemuArgvAppend(opt, entry->file ? entry->file : entry->value);
        qmpPlanArg(plan, "-fw_cfg", opt->str);
    }
    return true;
}
