/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * channel.c: <channel> as a document. */
#include "device/channel/channel.h"

#include <arpa/inet.h>
#include <string.h>

#include "device/common/chrport.h"
#include "device/controller/controller.h"
#include "util/virerror.h"

static const char SPICE_NAME[] = "com.redhat.spice.0";

VIR_ENUM_IMPL(virChannelTarget, VIR_CHANNEL_TARGET_LAST, "none", "guestfwd", "virtio", "xen");
VIR_ENUM_IMPL(virChannelState, VIR_CHANNEL_STATE_LAST, "default", "connected", "disconnected");

static const virField fields[] = {
    VIR_FIELD_MIXIN(virChannel, source, virChrSourceTypeFields),
    VIR_FIELD_MIXIN(virChannel, source, virChrSourceBodyFields),
    VIR_FIELD_ENUM("target@type", virChannel, target, virChannelTargetNames,
                   .flags = VIR_FIELD_ABI),
    VIR_FIELD_STRING("target@address", virChannel, address, .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("target@port", virChannel, port, 0, UINT16_MAX, .flags = VIR_FIELD_ABI),
    VIR_FIELD_STRING("target@name", virChannel, name, .flags = VIR_FIELD_ABI),
    VIR_FIELD_ENUM("target@state", virChannel, state, virChannelStateNames,
                   .flags = VIR_FIELD_LIVE),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

static bool
virChannelParseGuestfwd(const virChannel *channel, GError **error)
{
    struct in_addr ip;

    if (!channel->address)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("guestfwd channel does not define a target address"));
    if (inet_pton(AF_INET, channel->address, &ip) != 1)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("guestfwd channel only supports IPv4 addresses"));
    if (!channel->port.set)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("guestfwd channel does not define a target port"));
    return true;
}

static bool
virChannelParse(virDevice *dev, xmlNode *node, unsigned parseFlags, GError **error)
{
    virChannel *channel = VIR_CHANNEL(dev);

    if (channel->target == VIR_CHANNEL_TARGET_NONE)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("target type must be specified for %s device"), dev->kind->element);
    if (channel->target == VIR_CHANNEL_TARGET_GUESTFWD) {
        g_clear_pointer(&channel->name, g_free);
        return virChannelParseGuestfwd(channel, error);
    }
    g_clear_pointer(&channel->address, g_free);
    channel->port = (virOptUInt){0};
    return true;
}

static bool
virChannelCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virChannel *channel = VIR_CHANNEL(dev);

    return virChrSourceCheck(&channel->source, channel->target != VIR_CHANNEL_TARGET_GUESTFWD,
                             error);
}

static bool
virChannelMatches(const virDevice *dev, const virDevice *wanted)
{
    const virChannel *is = VIR_CHANNEL(dev);
    const virChannel *want = VIR_CHANNEL(wanted);

    if (is->target != want->target || !virChrSourceEqual(&is->source, &want->source))
        return false;
    if (is->target == VIR_CHANNEL_TARGET_GUESTFWD)
        return g_strcmp0(is->address, want->address) == 0 && is->port.value == want->port.value;
    return g_strcmp0(is->name, want->name) == 0;
}

static int
virChannelController(const virDevice *dev, unsigned *retIndex)
{
    if (VIR_CHANNEL(dev)->target != VIR_CHANNEL_TARGET_VIRTIO)
        return -1;
    *retIndex = dev->info.address.type == VIR_ADDRESS_VIRTIO_SERIAL
                    ? dev->info.address.virtioSerial.controller
                    : 0;
    return VIR_CONTROLLER_VIRTIO_SERIAL;
}

static bool
virChannelIsAgent(const virDevice *dev)
{
    const virChannel *channel = VIR_CHANNEL(dev);

    return channel->target == VIR_CHANNEL_TARGET_VIRTIO &&
           g_strcmp0(channel->name, "org.qemu.guest_agent.0") == 0;
}

static bool
virChannelSameABI(const virDevice *a, const virDevice *b, GError **error)
{
    const virChannel *was = VIR_CHANNEL(a);
    const virChannel *is = VIR_CHANNEL(b);

    if (was->target != VIR_CHANNEL_TARGET_VIRTIO || was->name || is->name ||
        (was->source.type == VIR_CHR_SPICEVMC) == (is->source.type == VIR_CHR_SPICEVMC))
        return true;
    return virErrorSet(
        error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
        _("Changing device type to/from spicevmc would change default target channel name"));
}

static const char *
virChannelTerminal(const virDevice *dev)
{
    return virChrSourceTerminal(&VIR_CHANNEL(dev)->source);
}

static bool
virChannelMayJoin(const virDevice *dev, const GPtrArray *devices, bool live, GError **error)
{
    virDevicesForEach(devices, &virChannelKind, other)
    {
        if (virChannelMatches(other, dev))
            return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("chardev already exists"));
    }
    return true;
}

const virDeviceKind virChannelKind = {
    .terminal = virChannelTerminal,
    .element = "channel",
    .noun = "channel",
    .size = sizeof(virChannel),
    .fields = fields,
    .parse = virChannelParse,
    .check = virChannelCheck,
    .matches = virChannelMatches,
    .controller = virChannelController,
    .isAgent = virChannelIsAgent,
    .aliasPrefix = "channel",
    .sameABI = virChannelSameABI,
    .live = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_DEVICE_MISSING,
             N_("chr type '%s' device not present in domain configuration")},
    .stored = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_INVALID_ARG,
               N_("device not present in domain configuration")},
    .mayJoin = virChannelMayJoin,
};

const char *
virChannelName(const virChannel *channel)
{
    bool spice =
        channel->source.type == VIR_CHR_SPICEVMC || channel->source.type == VIR_CHR_QEMU_VDAGENT;

    return !channel->name && spice ? SPICE_NAME : channel->name;
}

bool
virChannelChoosesPath(const virChannel *channel)
{
    return channel->target == VIR_CHANNEL_TARGET_VIRTIO && channel->source.type == VIR_CHR_UNIX &&
           !channel->source.path;
}

char *
virChannelChosenPath(const virChannel *channel, const char *folder)
{
    const virAddress *at = &channel->base.info.address;

    if (channel->name)
        return g_build_filename(folder, channel->name, NULL);
    return g_strdup_printf("%s/vioser-%02u-%02u-%02u.sock", folder, at->virtioSerial.controller,
                           at->virtioSerial.bus, at->virtioSerial.port);
}

bool
virChannelPathIsChosen(const char *path, const char *root, const char *name)
{
    const char *rest = g_str_has_prefix(path, root) ? path + strlen(root) : NULL;
    const char *tail;

    if (!rest || *rest++ != '/' || !g_str_has_suffix(rest, name))
        return false;
    tail = rest + strlen(rest) - strlen(name);
    if (tail - rest < 2)
        return false;
    if (tail[-1] == '.') /* ROOT/GUEST.NAME */
        return memchr(rest, '/', (size_t)(tail - rest)) == NULL;
    return g_str_has_prefix(rest, "domain-") &&
           memchr(rest, '/', (size_t)(tail - rest)) == tail - 1;
}

void
virChannelForgetPath(virChannel *channel, const char *root)
{
    if (channel->target != VIR_CHANNEL_TARGET_VIRTIO || channel->source.type != VIR_CHR_UNIX ||
        !channel->source.path || !channel->name || !root)
        return;
    if (virChannelPathIsChosen(channel->source.path, root, channel->name))
        g_clear_pointer(&channel->source.path, g_free);
}
