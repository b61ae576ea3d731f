/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * filesystem_qemu.c: <filesystem> for QEMU: 9p, where QEMU is the file server, and virtiofs, where
 * a process of its own is. */
#include "device/filesystem/filesystem_qemu.h"

#include <inttypes.h>
#include <string.h>

#include "device/common/chrsource_qemu.h"
#include "device/common/virtio_qemu.h"
#include "device/filesystem/filesystem.h"
#include "util/virerror.h"

/* what libvirt asks for where nothing is said */
enum { QEMU_VIRTIOFS_QUEUE_DEFAULT = 1024 };

static bool
qemuFilesystemRefuse(const char *text, GError **error)
{
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s", text);
}

static bool
qemuFilesystemIsVirtiofs(const virFilesystem *fs)
{
    return fs->driver == VIR_FILESYSTEM_DRIVER_VIRTIOFS;
}

/* --- checking --- */

static bool
qemuFilesystemVirtiofsCheck(const virFilesystem *fs, const qmpCaps *caps, GError **error)
{
    if (!qmpCapsHas(caps, QMP_CAPS_VHOST_USER_FS))
        return qemuFilesystemRefuse(_("virtiofs is not supported with this QEMU binary"), error);
    if (fs->readonly)
        return qemuFilesystemRefuse(_("virtiofs does not yet support read-only mode"), error);
    if (fs->access != VIR_FILESYSTEM_ACCESS_PASSTHROUGH)
        return qemuFilesystemRefuse(_("virtiofs only supports passthrough accessmode"), error);
    if (fs->wrpolicy)
        return qemuFilesystemRefuse(_("virtiofs does not support wrpolicy"), error);
    if (fs->model)
        return qemuFilesystemRefuse(_("virtiofs does not support model"), error);
    if (fs->format)
        return qemuFilesystemRefuse(_("virtiofs does not support format"), error);
    if (fs->multidevs)
        return qemuFilesystemRefuse(_("virtiofs does not support multidevs"), error);
    if (fs->fmode.value || fs->dmode.value)
        return qemuFilesystemRefuse(_("virtiofs does not support fmode and dmode"), error);
    if (fs->base.info.bootIndex.set && !qmpCapsHas(caps, QMP_CAPS_VHOST_USER_FS_BOOTINDEX))
        return qemuFilesystemRefuse(
            _("setting virtiofs boot order is not supported with this QEMU binary"), error);
    return true;
}

static bool
qemuFilesystemDriverCheck(const virFilesystem *fs, const qmpCaps *caps, GError **error)
{
    switch ((virFilesystemDriver)fs->driver) {
    case VIR_FILESYSTEM_DRIVER_DEFAULT:
    case VIR_FILESYSTEM_DRIVER_PATH:
        return true;
    case VIR_FILESYSTEM_DRIVER_HANDLE:
        if (fs->access != VIR_FILESYSTEM_ACCESS_PASSTHROUGH)
            return qemuFilesystemRefuse(_("only supports passthrough accessmode"), error);
        return true;
    case VIR_FILESYSTEM_DRIVER_VIRTIOFS:
        return qemuFilesystemVirtiofsCheck(fs, caps, error);
    default:
        return qemuFilesystemRefuse(_("Filesystem driver type not supported"), error);
    }
}

static bool
qemuFilesystemCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                    GError **error)
{
    const virFilesystem *fs = VIR_FILESYSTEM(dev);

    if (fs->type != VIR_FILESYSTEM_MOUNT)
        return qemuFilesystemRefuse(_("only supports mount filesystem type"), error);
    if (fs->multidevs && !qmpCapsHas(caps, QMP_CAPS_FSDEV_MULTIDEVS))
        return qemuFilesystemRefuse(_("multidevs is not supported with this QEMU binary"), error);
    if ((fs->fmode.value || fs->dmode.value) && !qmpCapsHas(caps, QMP_CAPS_FSDEV_CREATEMODE))
        return qemuFilesystemRefuse(_("fmode and dmode are not supported with this QEMU binary"),
                                    error);
    return qemuFilesystemDriverCheck(fs, caps, error) && qemuVirtioCheck(&fs->virtio, caps, error);
}

static void
qemuFilesystemTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    const virFilesystem *fs = VIR_FILESYSTEM(dev);

    if (fs->socket)
        virHostAccessAdd(out, dev, fs->socket, VIR_HOST_READ | VIR_HOST_WRITE)->optional = true;
    else if (!qemuFilesystemIsVirtiofs(fs))
        virHostAccessAdd(out, dev, fs->source,
                         fs->readonly ? VIR_HOST_READ : VIR_HOST_READ | VIR_HOST_WRITE);
}

/* --- 9p --- */

static void
qemuFilesystemAppendAccess(const virFilesystem *fs, GString *option)
{
    static const char *const models[] = {
        [VIR_FILESYSTEM_ACCESS_DEFAULT] = "passthrough",
        [VIR_FILESYSTEM_ACCESS_PASSTHROUGH] = "passthrough",
        [VIR_FILESYSTEM_ACCESS_MAPPED] = "mapped",
        [VIR_FILESYSTEM_ACCESS_SQUASH] = "none",
    };
    G_STATIC_ASSERT(G_N_ELEMENTS(models) == VIR_FILESYSTEM_ACCESS_LAST);

    g_string_append_printf(option, ",security_model=%s", models[fs->access]);
    if (fs->multidevs)
        g_string_append_printf(option, ",multidevs=%s",
                               virEnumToString(&virFilesystemMultidevsNames, fs->multidevs));
    if (fs->fmode.value)
        g_string_append_printf(option, ",fmode=%04" PRIo64, fs->fmode.value);
    if (fs->dmode.value)
        g_string_append_printf(option, ",dmode=%04" PRIo64, fs->dmode.value);
}

static void
qemuFilesystemBuildFsdev(const virFilesystem *fs, qmpPlan *plan)
{
    bool handle = fs->driver == VIR_FILESYSTEM_DRIVER_HANDLE;
    g_autoptr(GString) option = g_string_new(handle ? "handle" : "local");

    if (!handle)
        qemuFilesystemAppendAccess(fs, option);
    if (fs->wrpolicy)
        g_string_append(option, ",writeout=immediate");
    g_string_append_printf(option, ",id=fsdev-%s,path=", fs->base.info.alias);
    for (const char *p = fs->source; *p; p++)
        g_string_append(option, *p == ',' ? ",," : (const char[]){*p, '\0'});
    if (fs->readonly)
        g_string_append(option, ",readonly=on");
    qmpPlanArg(plan, "-fsdev", option->str);
}

static bool
qemuFilesystemBuild9p(const virFilesystem *fs, const qemuBuildContext *ctx, qmpPlan *plan,
                      GError **error)
{
    const virDevice *dev = &fs->base;
    g_autoptr(virJSON) props =
        qemuVirtioProps(dev, "virtio-9p", virFilesystemVariant(fs), &fs->virtio, ctx, error);

    if (!props)
        return false;
    virJSONAddString(props, "id", dev->info.alias);
    virJSONAddStringF(props, "fsdev", "fsdev-%s", dev->info.alias);
    virJSONAddString(props, "mount_tag", fs->target);
    if (!qemuAddressProps(dev, ctx, props, error))
        return false;
    qemuFilesystemBuildFsdev(fs, plan);
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

/* --- virtiofs --- */

static bool
qemuFilesystemBuildVirtiofs(const virFilesystem *fs, const qemuBuildContext *ctx, qmpPlan *plan,
                            GError **error)
{
    const virDevice *dev = &fs->base;
    virChrSource server = {.type = VIR_CHR_UNIX, .path = fs->socket}; /* borrows */
    g_autofree char *chardev = g_strdup_printf("chr-vu-%s", dev->info.alias);
    g_autoptr(virJSON) props =
        qemuVirtioProps(dev, "vhost-user-fs", VIR_VIRTIO_MODEL_DEFAULT, &fs->virtio, ctx, error);

    if (!props)
        return false;
    if (!fs->socket)
        return qemuFilesystemRefuse(
            _("virtiofsd is not started by this daemon; name the socket of one that runs"), error);
    virJSONAddString(props, "id", dev->info.alias);
    virJSONAddString(props, "chardev", chardev);
    virJSONAddUInt(props, "queue-size",
                   fs->queue.value ? fs->queue.value : QEMU_VIRTIOFS_QUEUE_DEFAULT);
    virJSONAddString(props, "tag", fs->target);
    qemuBootIndexProps(dev, ctx, props);
    if (!qemuAddressProps(dev, ctx, props, error) ||
        !qemuChrSourceBuild(&server, dev, chardev, NULL, 0, ctx, plan, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

static bool
qemuFilesystemBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan,
                    GError **error)
{
    const virFilesystem *fs = VIR_FILESYSTEM(dev);

    if (qemuFilesystemIsVirtiofs(fs))
        return qemuFilesystemBuildVirtiofs(fs, ctx, plan, error);
    return qemuFilesystemBuild9p(fs, ctx, plan, error);
}

static bool
qemuFilesystemHotpluggable(const virDevice *dev, const qemuBuildContext *ctx, GError **error)
{
    if (qemuFilesystemIsVirtiofs(VIR_FILESYSTEM(dev)))
        return true;
    return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                       _("only virtiofs filesystems can be hotplugged"));
}

const virDeviceQemu virFilesystemQemu = {
    .kind = &virFilesystemKind,
    .check = qemuFilesystemCheck,
    .touches = qemuFilesystemTouches,
    .build = qemuFilesystemBuild,
    .hotpluggable = qemuFilesystemHotpluggable,
};
