/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * channel_qemu.c: <channel> for QEMU: a virtio port, or a forwarded address of user networking. */
#include "device/channel/channel_qemu.h"

#include <inttypes.h>

#include "device/channel/channel.h"
#include "device/common/chrsource_qemu.h"
#include "device/common/virtioserial_qemu.h"
#include "util/virerror.h"

static bool
qemuChannelComplete(virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                    unsigned parseFlags, GError **error)
{
    virChannel *channel = VIR_CHANNEL(dev);

    if (!(parseFlags & VIR_PARSE_INACTIVE))
        return true;
    virChannelForgetPath(channel, facts->channelRoot);
    if (virChannelChoosesPath(channel))
        channel->source.listen = true;
    return true;
}

static bool
qemuChannelCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                 GError **error)
{
    return qemuChrSourceCheck(&VIR_CHANNEL(dev)->source, caps, error);
}

static bool
qemuChannelClaim(virDevice *dev, const qemuBuildContext *ctx, const qemuClaims *claims,
                 GError **error)
{
    virChannel *channel = VIR_CHANNEL(dev);

    qemuChrSourceClaim(&channel->source, ctx);
    if (!virChannelChoosesPath(channel))
        return true;
    channel->source.path = virChannelChosenPath(channel, ctx->config->channelDir);
    channel->source.listen = true;
    return true;
}

static void
qemuChannelTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    qemuChrSourceTouches(&VIR_CHANNEL(dev)->source, dev, ctx, out);
}

/* {"guestfwd":[{"str":"tcp:10.0.2.1:4600-chardev:charchannel0"}]} */
static void
qemuChannelBuildForward(const virChannel *channel, const char *chardev, qmpPlan *plan)
{
    virJSON *props = virJSONObject();
    virJSON *forwards = json_object_new_array();
    virJSON *forward = virJSONObject();

    virJSONAddStringF(forward, "str", "tcp:%s:%" PRIu64 "-chardev:%s", channel->address,
                      channel->port.value, chardev);
    (void)json_object_array_add(forwards, forward); /* fails without memory only */
    virJSONAddString(props, "type", "user");
    virJSONAddValue(props, "guestfwd", forwards);
    virJSONAddString(props, "id", channel->base.info.alias);
    qmpPlanNetdev(plan, props);
}

static bool
qemuChannelBuildPort(const virChannel *channel, const char *chardev, const qemuBuildContext *ctx,
                     qmpPlan *plan, GError **error)
{
    virJSON *props =
        qemuVirtioSerialPortProps(&channel->base, "virtserialport", chardev, ctx, error);

    if (!props)
        return false;
    virJSONAddString(props, "name", virChannelName(channel));
    qmpPlanDevice(plan, props);
    return true;
}

static bool
qemuChannelNameCheck(const virChannel *channel, GError **error)
{
    virChannel unnamed = {.source = channel->source};

    if (channel->source.type != VIR_CHR_SPICEVMC || !channel->name ||
        g_str_equal(channel->name, virChannelName(&unnamed)))
        return true;
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                       _("Unsupported spicevmc target name '%s'"), channel->name);
}

static bool
qemuChannelBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virChannel *channel = VIR_CHANNEL(dev);
    g_autofree char *id = qemuChrId(dev);

    if (!qemuChannelNameCheck(channel, error))
        return false;
    if (!qemuChrSourceBuild(&channel->source, dev, id, "vdagent", 0, ctx, plan, error))
        return false;
    if (channel->target == VIR_CHANNEL_TARGET_GUESTFWD) {
        qemuChannelBuildForward(channel, id, plan);
        return true;
    }
    if (channel->target != VIR_CHANNEL_TARGET_VIRTIO)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("unsupported channel target type %s"),
                           virChannelTargetToString(channel->target));
    return qemuChannelBuildPort(channel, id, ctx, plan, error);
}

/* Whether a program in the guest has the port open: all ports are asked once when the guest starts,
 * then each tells when it changes. */
static void
qemuChannelLearn(virDevice *dev, const char *command, virJSON *reply)
{
    virChannel *channel = VIR_CHANNEL(dev);
    g_autofree char *id = qemuChrId(dev);
    virTristate open = VIR_TRISTATE_ABSENT;

    qemuChrSourceLearn(&channel->source, dev, command, reply);
    if (channel->target != VIR_CHANNEL_TARGET_VIRTIO)
        return;
    if (g_str_equal(command, "query-chardev"))
        open = qemuChrIsOpen(reply, id);
    else if (g_str_equal(command, "VSERPORT_CHANGE"))
        open = virTristateFromBool(virJSONGetBool(reply, "open", false));
    if (open != VIR_TRISTATE_ABSENT)
        channel->state =
            open == VIR_TRISTATE_YES ? VIR_CHANNEL_STATE_CONNECTED : VIR_CHANNEL_STATE_DISCONNECTED;
}

const virDeviceQemu virChannelQemu = {
    .kind = &virChannelKind,
    .complete = qemuChannelComplete,
    .check = qemuChannelCheck,
    .claim = qemuChannelClaim,
    .touches = qemuChannelTouches,
    .build = qemuChannelBuild,
    .learn = qemuChannelLearn,
};
