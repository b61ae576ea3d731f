/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gaterules.c: see gaterules.h. */
#include "qemu/gaterules.h"

#include "util/virerror.h"

/* What every guest may use, as libvirt's default cgroup_device_acl. */
static const char *const usualNodes[] = {
    "/dev/null", "/dev/full", "/dev/zero",        "/dev/random", "/dev/urandom",
    "/dev/ptmx", "/dev/kvm",  "/dev/userfaultfd", NULL,
};

/* Pseudo terminals that QEMU makes for itself: Documentation/admin-guide/devices.txt. */
enum { UNIX98_PTY_SLAVE_MAJOR = 136 };

/* What QEMU reads to boot the guest, and what its firmware writes. */
static void
qemuTouchBoot(const virDomainOS *os, virHostAccess *out)
{
    unsigned loader =
        os->loaderType == VIR_DOMAIN_LOADER_PFLASH && os->loaderReadonly != VIR_TRISTATE_YES
            ? VIR_HOST_READ | VIR_HOST_WRITE
            : VIR_HOST_READ;
    const struct {
        const char *path;
        unsigned mode;
    } files[] = {
        {os->kernel, VIR_HOST_READ}, {os->initrd, VIR_HOST_READ},
        {os->dtb, VIR_HOST_READ},    {os->slicTable, VIR_HOST_READ},
        {os->loader, loader},        {os->nvram, VIR_HOST_READ | VIR_HOST_WRITE},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        virHostResource *file;

        if (!files[i].path)
            continue;
        file = virHostAccessAdd(out, NULL, files[i].path, files[i].mode);
        file->node = true;
        file->own = true;
        /* variables are made by the start itself; the rest may go once the guest has booted */
        file->optional = true;
    }
}

void
qemuTouches(const virDomainDef *def, const qemuBuildContext *ctx, virHostAccess *out)
{
    qemuTouchBoot(&def->os, out);
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);
        const virDeviceQemu *qemu = virDeviceQemuOf(dev);

        if (qemu && qemu->touches)
            qemu->touches(dev, ctx, out);
    }
}

static bool
qemuGateAddNode(virDeviceRules *rules, const char *owner, const char *path, unsigned access,
                bool optional, GError **error)
{
    virDeviceRule rule;

    switch (virDeviceRuleFromNode(path, access, &rule, error)) {
    case VIR_DEVICE_NODE_FOUND:
        virDeviceRulesAllow(rules, owner, &rule);
        return true;
    case VIR_DEVICE_NODE_ERROR:
        return false;
    case VIR_DEVICE_NODE_MISSING:
        if (!optional)
            return virErrorSet(error, VIR_ERR_SYSTEM_ERROR, _("Path '%s' is not accessible: %s"),
                               path, g_strerror(ENOENT));
        return true;
    case VIR_DEVICE_NODE_OTHER: /* a plain file: no affair of the gate */
        return true;
    }
    return true;
}

static unsigned
qemuGateAccess(unsigned mode)
{
    return ((mode & VIR_HOST_READ) ? VIR_DEVICE_READ : 0) |
           ((mode & VIR_HOST_WRITE) ? VIR_DEVICE_WRITE : 0);
}

static bool
qemuGateAddResources(virDeviceRules *rules, const virHostAccess *access, GError **error)
{
    for (guint i = 0; i < access->resources->len; i++) {
        const virHostResource *resource = g_ptr_array_index(access->resources, i);

        if (resource->node &&
            !qemuGateAddNode(rules, resource->alias ? resource->alias : VIR_DEVICE_OWNER_POLICY,
                             resource->path, qemuGateAccess(resource->mode), resource->optional,
                             error))
            return false;
    }
    return true;
}

const char *const *
qemuGatePolicyNodes(const qemuDriver *driver)
{
    return driver->config.deviceACL ? (const char *const *)driver->config.deviceACL : usualNodes;
}

virDeviceRules *
qemuGateRules(const qemuDriver *driver, const virHostAccess *access, GError **error)
{
    g_autoptr(virDeviceRules) rules = virDeviceRulesNew();
    const char *const *nodes = qemuGatePolicyNodes(driver);
    virDeviceRule terminals = {VIR_DEVICE_CHAR, VIR_DEVICE_RW, UNIX98_PTY_SLAVE_MAJOR,
                               VIR_DEVICE_ANY};

    for (; *nodes; nodes++) {
        if (!qemuGateAddNode(rules, VIR_DEVICE_OWNER_POLICY, *nodes, VIR_DEVICE_RW,
                             /* optional: */ true, error))
            return NULL;
    }
    virDeviceRulesAllow(rules, VIR_DEVICE_OWNER_POLICY, &terminals);
    if (!qemuGateAddResources(rules, access, error))
        return NULL;
    return g_steal_pointer(&rules);
}

static void
qemuGateCollect(const char *owner, const virDeviceRule *rule, void *opaque)
{
    (void)owner; /* all have the same one */
    g_array_append_val((GArray *)opaque, *rule);
}

GArray *
qemuGateDeviceRules(const virHostAccess *access, GError **error)
{
    g_autoptr(virDeviceRules) rules = virDeviceRulesNew();
    GArray *list;

    if (!qemuGateAddResources(rules, access, error))
        return NULL;
    list = g_array_new(FALSE, FALSE, sizeof(virDeviceRule));
    virDeviceRulesForeach(rules, qemuGateCollect, list);
    return list;
}
