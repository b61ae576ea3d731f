/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * check.c: what of a document QEMU can't do: the small sections. */
#include "qemu/check.h"

#include <string.h>

#include "qemu/prepare.h"
#include "util/virerror.h"

static bool
qemuCheckPM(const virDomainDef *def, const virDomainFacts *facts, const qmpCaps *caps,
            GError **error)
{
    bool disk = def->pm.suspendToDisk != VIR_TRISTATE_ABSENT;
    bool mem = def->pm.suspendToMem != VIR_TRISTATE_ABSENT;
    bool q35 = facts->q35;

    /* a q35 takes the other chip's switch too, and did before it had one of its own */
    if (mem && !(q35 && qmpCapsHas(caps, QMP_CAPS_ICH9_DISABLE_S3)) &&
        !qmpCapsHas(caps, QMP_CAPS_DISABLE_S3))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("setting ACPI S3 not supported"));
    if (disk && !(q35 && qmpCapsHas(caps, QMP_CAPS_ICH9_DISABLE_S4)) &&
        !qmpCapsHas(caps, QMP_CAPS_DISABLE_S4))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("setting ACPI S4 not supported"));
    return true;
}

bool
qemuCheckLifecycle(const virDomainDef *def, GError **error)
{
    const virDomainLifecycle *lifecycle = &def->lifecycle;

    if (lifecycle->onPoweroff == VIR_LIFECYCLE_PRESERVE ||
        lifecycle->onReboot == VIR_LIFECYCLE_PRESERVE)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("qemu driver doesn't support the 'preserve' action for "
                             "'on_reboot'/'on_poweroff'"));
    if (lifecycle->onPoweroff == VIR_LIFECYCLE_RESTART_RENAME ||
        lifecycle->onReboot == VIR_LIFECYCLE_RESTART_RENAME ||
        lifecycle->onCrash == VIR_LIFECYCLE_RESTART_RENAME)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("qemu driver doesn't support the 'rename-restart' action for "
                             "'on_reboot'/'on_poweroff'/'on_crash'"));
    if (lifecycle->onPoweroff == VIR_LIFECYCLE_RESTART &&
        lifecycle->onReboot == VIR_LIFECYCLE_DESTROY)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("qemu driver doesn't support 'onReboot' set to 'destroy and "
                             "'onPoweroff' set to 'reboot'"));
    return true;
}

static bool
qemuCheckSysinfo(const virDomainDef *def, const qmpCaps *caps, GError **error)
{
    for (guint i = 0; i < def->sysinfo.fwcfgs->len; i++) {
        const virSysinfoFwCfg *entry = g_ptr_array_index(def->sysinfo.fwcfgs, i);

        /* the names that QEMU leaves to users */
        if (!g_str_has_prefix(entry->name, "opt/") && !g_str_has_prefix(entry->name, "etc/"))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s", _("Invalid firmware name"));
        if (g_str_has_prefix(entry->name, "opt/ovmf/") ||
            g_str_has_prefix(entry->name, "opt/org.qemu/"))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("That firmware name is reserved"));
    }
    return true;
}

static bool
qemuCheckLaunchSecurity(const virDomainDef *def, const qmpCaps *caps, GError **error)
{
    const virLaunchSecurity *launch = &def->security.launch;

    switch (launch->type) {
    case VIR_LAUNCH_SECURITY_SEV:
        if (!qmpCapsHas(caps, QMP_CAPS_SEV_GUEST))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("SEV launch security is not supported with this QEMU binary"));
        return true;
    case VIR_LAUNCH_SECURITY_S390_PV:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("S390 PV launch security is not supported with this QEMU binary"));
    default:
        break;
    }
    if (def->security.keywrapAes != VIR_TRISTATE_ABSENT ||
        def->security.keywrapDea != VIR_TRISTATE_ABSENT)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("key wrap support is only available on S390 machine types"));
    return true;
}

static bool
qemuCheckIOThreads(const virDomainDef *def, const qmpCaps *caps, GError **error)
{
    if (virDomainIOThreadCount(&def->iothreads) && !qmpCapsHas(caps, QMP_CAPS_IOTHREAD))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("IOThreads not supported for this QEMU"));
    return true;
}

static bool
qemuCheckResctrl(const virDomainDef *def, GError **error)
{
    return !def->tune.resctrls || def->tune.resctrls->len == 0 ||
           def->virtType == VIR_DOMAIN_VIRT_KVM ||
           virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                       _("cachetune is only supported for KVM domains"));
}

bool
qemuCheckDomain(const virDomainDef *def, const virDomainFacts *facts, const qmpCaps *caps,
                GError **error)
{
    return qemuCheckMachine(def, facts, caps, error) &&
           qemuCheckFeatures(def, facts, caps, error) && qemuCheckClock(def, caps, error) &&
           qemuCheckPM(def, facts, caps, error) && qemuCheckCPU(def, facts, caps, error) &&
           qemuCheckMemory(def, facts, caps, error) && qemuCheckLifecycle(def, error) &&
           qemuCheckSysinfo(def, caps, error) && qemuCheckIOThreads(def, caps, error) &&
           qemuCheckLaunchSecurity(def, caps, error) && qemuCheckResctrl(def, error);
}
