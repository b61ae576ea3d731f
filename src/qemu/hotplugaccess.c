/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hotplugaccess.c: what a device of a running guest may use of the host: rules of the gate and
 * owners of files, given under its alias and taken back by it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "qemu/gateowners.h"
#include "qemu/gaterules.h"
#include "qemu/hostfiles.h"
#include "qemu/hostpci.h"
#include "qemu/hotplug.h"
#include "qemu/privatedev.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virfile.h"
#include "util/virlog.h"

static virDelegateCall
qemuPlugCall(const qemuGuest *guest)
{
    virDelegateCall call = {.domain = guest->obj->name, .phase = VIR_DELEGATE_PHASE_HOTPLUG};

    memcpy(call.uuid, guest->obj->uuid, sizeof(call.uuid));
    return call;
}

virHostAccess *
qemuPlugAccessOf(const virDevice *dev, const qemuBuildContext *ctx)
{
    const virDeviceQemu *qemu = virDeviceQemuOf(dev);
    virHostAccess *access = virHostAccessNew();

    if (qemu && qemu->touches)
        qemu->touches(dev, ctx, access);
    return access;
}

static bool
qemuPlugAccessHas(const virHostAccess *access, const char *path)
{
    for (guint i = 0; access && i < access->resources->len; i++) {
        if (g_str_equal(((virHostResource *)g_ptr_array_index(access->resources, i))->path, path))
            return true;
    }
    return false;
}

/* --- given --- */

static bool
qemuPlugGiveFile(qemuGuest *guest, const virHostResource *file, const char *alias, GError **error)
{
    const virDelegateCall call = qemuPlugCall(guest);
    virDelegateOwner wanted = {guest->driver->uid, guest->driver->gid, VIR_DELEGATE_KEEP_MODE};
    qemuResource *resource;
    struct stat st;
    VIR_AUTOCLOSE fd = open(file->path, O_PATH | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT && file->optional)
        return true;
    if (fd < 0 || fstat(fd, &st) < 0)
        return virErrorErrno(error, _("Cannot access storage file '%s'"), file->path);
    resource = qemuFileResource(guest->driver, file, alias, &st);
    if (!resource)
        return true;
    g_ptr_array_add(guest->resources, resource);
    return qemuGuestSaveStatus(guest, error) &&
           virDelegateOwnSet(guest->driver->door, &call, fd, &wanted, NULL, error) &&
           VIR_FAULT_STEP("plug:owner-set", error);
}

static bool
qemuPlugGive(qemuGuest *guest, const virHostAccess *access, const char *alias, GError **error)
{
    const virDelegateCall call = qemuPlugCall(guest);
    g_autoptr(GArray) rules = NULL;
    VIR_CORE_UNLOCKED;

    if (!(rules = qemuGateDeviceRules(access, error)))
        return false;
    for (guint i = 0; i < access->resources->len; i++) {
        const virHostResource *resource = g_ptr_array_index(access->resources, i);

        if (resource->own && !qemuPlugGiveFile(guest, resource, alias, error))
            return false;
    }
    if (!qemuPrivateDevAdd(guest, &call, access, error))
        return false;
    if (!guest->gate || rules->len == 0)
        return true;
    if (!virDelegateGateAllow(guest->driver->door, &call, guest->gate, alias,
                              (const virDeviceRule *)rules->data, rules->len, error))
        return false;
    qemuGateOwnersSave(guest);
    return VIR_FAULT_STEP("plug:rules-allowed", error);
}

/* What the live document's device of that alias needs; NULL if there is none. */
static virHostAccess *
qemuPlugAccessLive(const qemuGuest *guest, const char *alias)
{
    const virDomainDef *def = virDomainDocDef(guest->obj->live);
    const virDevice *dev = virDomainDefDeviceByAlias(def, alias);
    g_auto(qemuBuild) build = {0};

    if (!dev)
        return NULL;
    qemuBuildInit(&build, guest->driver, def, guest->caps, guest->stateDir, guest->channelDir);
    return qemuPlugAccessOf(dev, &build.base);
}

bool
qemuPlugAccessOpen(qemuGuest *guest, const virHostAccess *access, const char *alias, GError **error)
{
    g_autoptr(virHostAccess) had = NULL;

    if (qemuPlugGive(guest, access, alias, error))
        return true;
    had = qemuPlugAccessLive(guest, alias);
    qemuPlugAccessClose(guest, alias, had);
    return false;
}

/* --- taken back --- */

/* Which rules the alias has beyond those it keeps. */
typedef struct {
    const char *alias;
    GArray *rules; /* virDeviceRule */
} qemuPlugRules;

static void
qemuPlugCollectRule(const char *owner, const virDeviceRule *rule, void *opaque)
{
    qemuPlugRules *collected = opaque;

    if (g_str_equal(owner, collected->alias))
        g_array_append_val(collected->rules, *rule);
}

/* Without the lock. */
static bool
qemuPlugDenyRest(qemuGuest *guest, const char *alias, const virHostAccess *keep, GError **error)
{
    const virDelegateCall call = qemuPlugCall(guest);
    g_autoptr(virDeviceRules) rules = virGateRules(guest->gate);
    g_autoptr(GArray) kept = qemuGateDeviceRules(keep, error);
    g_autoptr(GArray) rest = g_array_new(FALSE, FALSE, sizeof(virDeviceRule));
    qemuPlugRules collected = {alias, rest};

    if (!kept)
        return false;
    for (guint i = 0; i < kept->len; i++)
        virDeviceRulesDeny(rules, alias, &g_array_index(kept, virDeviceRule, i));
    virDeviceRulesForeach(rules, qemuPlugCollectRule, &collected);
    return rest->len == 0 ||
           virDelegateGateDeny(guest->driver->door, &call, guest->gate, alias,
                               (const virDeviceRule *)rest->data, rest->len, error);
}

static void
qemuPlugTakeRules(qemuGuest *guest, const char *alias, const virHostAccess *keep)
{
    const virDelegateCall call = qemuPlugCall(guest);
    g_autoptr(GError) error = NULL;
    VIR_CORE_UNLOCKED;

    if (!guest->gate)
        return;
    if (!(keep ? qemuPlugDenyRest(guest, alias, keep, &error)
               : virDelegateGateDropOwner(guest->driver->door, &call, guest->gate, alias, &error)))
        VIR_WARN("domain '%s': %s", call.domain, error->message);
    qemuGateOwnersSave(guest);
}

/* The alias of another live device that needs the path too; borrowed from the live document. */
static const char *
qemuPlugOtherUser(const qemuGuest *guest, const char *alias, const char *path)
{
    const virDomainDef *def = virDomainDocDef(guest->obj->live);
    g_auto(qemuBuild) build = {0};

    qemuBuildInit(&build, guest->driver, def, guest->caps, guest->stateDir, guest->channelDir);
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);
        g_autoptr(virHostAccess) access = NULL;

        if (!dev->info.alias || g_str_equal(dev->info.alias, alias))
            continue;
        access = qemuPlugAccessOf(dev, &build.base);
        if (qemuPlugAccessHas(access, path))
            return dev->info.alias;
    }
    return NULL;
}

/* Whether the resource is to go; one that another device needs becomes that device's. */
static bool
qemuPlugResourceEnds(const qemuGuest *guest, qemuResource *resource, const char *alias,
                     const virHostAccess *keep)
{
    const char *other = NULL;

    if (g_strcmp0(resource->alias, alias) != 0)
        return false;
    if (resource->type == QEMU_RESOURCE_OWNER) {
        if (qemuPlugAccessHas(keep, resource->name))
            return false;
        other = qemuPlugOtherUser(guest, alias, resource->name);
    } else if (keep) {
        return false; /* an interface, a socket: they last as long as the device */
    } else if (resource->type == QEMU_RESOURCE_PCI) {
        other = qemuHostPCIGroupUser(guest, resource);
    }
    if (!other)
        return true;
    g_free(resource->alias);
    resource->alias = g_strdup(other);
    return false;
}

void
qemuPlugAccessClose(qemuGuest *guest, const char *alias, const virHostAccess *keep)
{
    g_autofree char *mine = g_strdup(alias);

    if (!mine)
        return; /* a display: it has nothing of its own */
    qemuPlugTakeRules(guest, mine, keep);
    for (guint i = guest->resources->len; i-- > 0;) {
        qemuResource *resource = g_ptr_array_index(guest->resources, i);

        if (!qemuPlugResourceEnds(guest, resource, mine, keep))
            continue;
        g_ptr_array_steal_index(guest->resources, i);
        if (resource->type == QEMU_RESOURCE_PORT) {
            qemuPortRelease(guest->driver, resource->number);
        } else {
            VIR_CORE_UNLOCKED;

            qemuResourceRelease(guest->driver, guest->obj, resource);
        }
        qemuResourceFree(resource);
    }
}
