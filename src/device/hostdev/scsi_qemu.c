/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * scsi_qemu.c: <hostdev type='scsi'> for QEMU: a block node on a /dev/sg of the host, or on a unit
 * of an iSCSI target, and a scsi-generic device that passes commands through. */
#include "device/hostdev/scsi_qemu.h"

#include <string.h>

#include "device/common/secret_qemu.h"
#include "device/controller/controller.h"
#include "util/virerror.h"
#include "util/virsecure.h"

bool
qemuHostdevSCSIClaim(virHostdev *hostdev, const qemuBuildContext *ctx, const qemuClaims *claims,
                     GError **error)
{
    const virHostdevSource *source = &hostdev->source;

    if (!hostdev->nodeName && qmpCapsHas(ctx->caps, QMP_CAPS_BLOCKDEV_HOSTDEV_SCSI))
        hostdev->nodeName =
            g_strdup_printf("libvirt-%u-backend", claims->blockNode(claims->opaque));
    if (source->iqn || hostdev->scsiGeneric)
        return true;
    if (!claims->scsiGeneric)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("SCSI devices of the host cannot be looked up here"));
    hostdev->scsiGeneric = claims->scsiGeneric(source->adapter, source->scsiBus, source->scsiTarget,
                                               source->scsiUnit, claims->opaque, error);
    return hostdev->scsiGeneric != NULL;
}

/* The name without the unit, which stands behind its last slash. */
static char *
qemuHostdevISCSITarget(const virHostdevSource *source, unsigned *retUnit)
{
    const char *slash = strrchr(source->iqn, '/');

    *retUnit = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : 0;
    return slash ? g_strndup(source->iqn, (gsize)(slash - source->iqn)) : g_strdup(source->iqn);
}

/* The secret as an object, named after owner; NULL and no error if the target needs none. */
static bool
qemuHostdevISCSISecret(const virHostdevSource *source, const char *owner,
                       const qemuBuildContext *ctx, qmpPlan *plan, char **retId, GError **error)
{
    const qemuBuildConfig *config = ctx->config;
    char *value;
    bool ok;

    *retId = NULL;
    if (!source->user)
        return true;
    if (!config->secret)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("there is no secret driver to ask for the password of the target"));
    value =
        config->secret("iscsi", source->secretUUID, source->secretUsage, config->hostOpaque, error);
    if (!value)
        return false;
    *retId = g_strdup_printf("%s-secret0", owner);
    ok = qemuSecretPlan(plan, config, *retId, value, strlen(value), error);
    virSecureFreeString(value);
    if (!ok)
        g_clear_pointer(retId, g_free);
    return ok;
}

static bool
qemuHostdevISCSIProps(const virHostdev *hostdev, const char *owner, const qemuBuildContext *ctx,
                      qmpPlan *plan, virJSON *props, GError **error)
{
    const virHostdevSource *source = &hostdev->source;
    unsigned unit;
    g_autofree char *target = qemuHostdevISCSITarget(source, &unit);
    g_autofree char *secret = NULL;

    if (!qemuHostdevISCSISecret(source, owner, ctx, plan, &secret, error))
        return false;
    virJSONAddString(props, "driver", "iscsi");
    virJSONAddStringF(props, "portal", "%s:%s", source->host,
                      source->port3260 ? source->port3260 : "3260");
    virJSONAddString(props, "target", target);
    virJSONAddUInt(props, "lun", unit);
    virJSONAddString(props, "transport", "tcp");
    virJSONAddString(props, "user", source->user);
    virJSONAddString(props, "password-secret", secret);
    virJSONAddString(props, "initiator-name", source->initiator);
    return true;
}

static bool
qemuHostdevSCSIPlanNode(const virHostdev *hostdev, const qemuBuildContext *ctx, qmpPlan *plan,
                        GError **error)
{
    g_autoptr(virJSON) props = virJSONObject();

    if (hostdev->source.iqn) {
        if (!qemuHostdevISCSIProps(hostdev, hostdev->nodeName, ctx, plan, props, error))
            return false;
    } else {
        virJSONAddString(props, "driver", "host_device");
        virJSONAddString(props, "filename", hostdev->scsiGeneric);
    }
    virJSONAddString(props, "node-name", hostdev->nodeName);
    virJSONAddBool(props, "read-only", hostdev->readonly);
    qmpPlanBlockdev(plan, g_steal_pointer(&props));
    return true;
}

/* "file.driver=iscsi,file.lun=1,": members as -drive takes them, commas within values twice. */
static char *
qemuHostdevFlat(virJSON *file)
{
    GString *out = g_string_new(NULL);

    json_object_object_foreach(file, key, value)
    {
        g_auto(GStrv) parts = g_strsplit(json_object_get_string(value), ",", -1);
        g_autofree char *text = g_strjoinv(",,", parts);

        g_string_append_printf(out, "file.%s=%s,", key, text);
    }
    return g_string_free(out, FALSE);
}

/* A QEMU that does not take block nodes here: boot only. */
static bool
qemuHostdevSCSIPlanDrive(const virHostdev *hostdev, const qemuBuildContext *ctx, qmpPlan *plan,
                         GError **error)
{
    const char *alias = hostdev->base.info.alias;
    const char *tail = hostdev->readonly ? ",readonly=on" : "";
    g_autoptr(virJSON) file = virJSONObject();
    g_autofree char *text = NULL;

    if (ctx->hotplug)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("hotplug of SCSI host devices needs a newer QEMU binary"));
    if (!hostdev->source.iqn) {
        qmpPlanArgF(plan, "-drive", "file=%s,if=none,format=raw,id=drive-%s%s",
                    hostdev->scsiGeneric, alias, tail);
        return true;
    }
    if (!qemuHostdevISCSIProps(hostdev, alias, ctx, plan, file, error))
        return false;
    text = qemuHostdevFlat(file);
    qmpPlanArgF(plan, "-drive", "%sif=none,format=raw,id=drive-%s%s", text, alias, tail);
    return true;
}

static void
qemuHostdevSCSIAddress(const virHostdev *hostdev, const virController *bus, virJSON *props)
{
    const virAddress *address = &hostdev->base.info.address;

    virJSONAddStringF(props, "bus", "%s.0", bus->base.info.alias);
    if (bus->model == VIR_CONTROLLER_SCSI_LSILOGIC) {
        virJSONAddUInt(props, "scsi-id", address->drive.unit);
        return;
    }
    virJSONAddUInt(props, "channel", address->drive.bus);
    virJSONAddUInt(props, "scsi-id", address->drive.target);
    virJSONAddUInt(props, "lun", address->drive.unit);
}

bool
qemuHostdevSCSIBuild(const virHostdev *hostdev, const qemuBuildContext *ctx, qmpPlan *plan,
                     GError **error)
{
    unsigned index = hostdev->base.info.address.drive.controller;
    const virController *bus = virControllersFind(ctx->facts->devices, VIR_CONTROLLER_SCSI, index);
    virJSON *props;

    if (!bus || !bus->base.info.alias)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("Could not find scsi controller with index '%u' required for device"),
                           index);
    if (hostdev->sgio == 2)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("unfiltered sgio is no longer supported"));
    if (!(hostdev->nodeName ? qemuHostdevSCSIPlanNode(hostdev, ctx, plan, error)
                            : qemuHostdevSCSIPlanDrive(hostdev, ctx, plan, error)))
        return false;
    props = virJSONObject();
    virJSONAddString(props, "driver", "scsi-generic");
    if (hostdev->nodeName)
        virJSONAddString(props, "drive", hostdev->nodeName);
    else
        virJSONAddStringF(props, "drive", "drive-%s", hostdev->base.info.alias);
    virJSONAddString(props, "id", hostdev->base.info.alias);
    qemuHostdevSCSIAddress(hostdev, bus, props);
    qemuBootIndexProps(&hostdev->base, ctx, props);
    qmpPlanDevice(plan, props);
    return true;
}
