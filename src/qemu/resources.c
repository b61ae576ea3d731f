/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * resources.c: what was made for a guest, and taking it back.
 *
 * Used by a start that fails, by a guest's end, and after a restart for what a killed daemon left:
 * each release is right whether the thing was made, half made, or is gone already. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qemu/guest.h"
#include "qemu/hostpci.h"
#include "qemu/hosttap.h"
#include "qemu/owed.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virutil.h"

void
qemuResourceFree(qemuResource *resource)
{
    if (!resource)
        return;
    g_free(resource->name);
    g_free(resource->alias);
    g_free(resource->parent);
    g_free(resource->mac);
    g_free(resource);
}

qemuResource *
qemuResourceNew(qemuResourceType type, const char *name, const char *alias)
{
    qemuResource *resource = g_new0(qemuResource, 1);

    resource->type = type;
    resource->name = g_strdup(name);
    resource->alias = g_strdup(alias);
    return resource;
}

static int
qemuResourceRemoveEntry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

static bool
qemuResourceRemoveFolder(const char *path, GError **error)
{
    if (nftw(path, qemuResourceRemoveEntry, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 &&
        errno != ENOENT)
        return virErrorErrno(error, _("cannot remove folder %s"), path);
    return true;
}

static bool
qemuResourceGiveBack(qemuDriver *driver, const virDelegateCall *call, const qemuResource *resource,
                     GError **error)
{
    VIR_AUTOCLOSE fd = open(resource->name, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    virDelegateOwner before = {resource->uid, resource->gid, VIR_DELEGATE_KEEP_MODE};

    if (fd < 0 && errno == ENOENT)
        return true;
    if (fd < 0)
        return virErrorErrno(error, _("cannot open %s"), resource->name);
    return virDelegateOwnSet(driver->door, call, fd, &before, NULL, error);
}

/* The group is killed empty first; the gate goes with it. */
static bool
qemuResourceRemoveGroup(qemuDriver *driver, const virDelegateCall *call,
                        const qemuResource *resource, GError **error)
{
    g_autoptr(virCgroup) group = virCgroupNew(driver->cgroups, resource->name);

    return virDelegateCgroupRemove(driver->door, call, group, 0, error);
}

bool
qemuResourceUndo(qemuDriver *driver, const virDelegateCall *call, const qemuResource *resource,
                 GError **error)
{
    switch (resource->type) {
    case QEMU_RESOURCE_FOLDER:
        return qemuResourceRemoveFolder(resource->name, error);
    case QEMU_RESOURCE_FILE:
        return unlink(resource->name) == 0 || errno == ENOENT ||
               virErrorErrno(error, _("cannot remove %s"), resource->name);
    case QEMU_RESOURCE_TAP:
        return virDelegateTapRemove(driver->door, call, resource->name, resource->number, error);
    case QEMU_RESOURCE_MACVTAP:
        return qemuHostMacvtapRemove(driver, call, resource, error);
    case QEMU_RESOURCE_OWNER:
        return qemuResourceGiveBack(driver, call, resource, error);
    case QEMU_RESOURCE_GROUP:
        return qemuResourceRemoveGroup(driver, call, resource, error);
    case QEMU_RESOURCE_PCI:
        return qemuHostPCIGiveBack(driver, call, resource, error);
    case QEMU_RESOURCE_PORT: /* the registry's alone, given back under the lock */
    case QEMU_RESOURCE_LAST:
        break;
    }
    return true;
}

void
qemuResourceRelease(qemuDriver *driver, const virDomainObj *obj, const qemuResource *resource)
{
    virDelegateCall call = {.domain = obj->name, .phase = VIR_DELEGATE_PHASE_TEARDOWN};
    g_autoptr(GError) error = NULL;

    memcpy(call.uuid, obj->uuid, sizeof(call.uuid));
    if (qemuResourceUndo(driver, &call, resource, &error)) {
        qemuOwedForget(driver, resource);
        return;
    }
    VIR_WARN("domain '%s': %s", obj->name, error->message);
    qemuOwedNote(driver, obj, resource);
}
