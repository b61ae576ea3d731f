/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * graphics.c: <graphics> as a document. One struct for all types; the rows are the union, and what
 * is none of the type's own is dropped when the document is completed. */
#include "device/graphics/graphics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/virerror.h"
#include "util/virsecure.h"

VIR_ENUM_IMPL(virGraphicsType, VIR_GRAPHICS_TYPE_LAST, NULL, "sdl", "vnc", "rdp", "desktop",
              "spice", "egl-headless", "dbus");
VIR_ENUM_IMPL(virSpiceChannel, VIR_SPICE_CHANNEL_LAST, "main", "display", "inputs", "cursor",
              "playback", "record", "smartcard", "usbredir");
VIR_ENUM_IMPL(virSpiceMode, VIR_SPICE_MODE_LAST, "any", "secure", "insecure");

#define VIR_GRAPHICS_NAMES(name, ...)                                                              \
    static const char *const name##List[] = {NULL, __VA_ARGS__};                                   \
    static const virEnum name##Names = {name##List, G_N_ELEMENTS(name##List)}

VIR_GRAPHICS_NAMES(sharePolicy, "allow-exclusive", "force-shared", "ignore");
VIR_GRAPHICS_NAMES(connected, "fail", "disconnect", "keep");
VIR_GRAPHICS_NAMES(image, "auto_glz", "auto_lz", "quic", "glz", "lz", "off");
VIR_GRAPHICS_NAMES(jpeg, "auto", "never", "always");
VIR_GRAPHICS_NAMES(zlib, "auto", "never", "always");
VIR_GRAPHICS_NAMES(streaming, "filter", "all", "off");
VIR_GRAPHICS_NAMES(mouse, "server", "client");
enum { VIR_GRAPHICS_CONNECTED_KEEP = 3 };

static bool
virGraphicsHasListens(const virGraphics *graphics)
{
    return graphics->type == VIR_GRAPHICS_TYPE_VNC || graphics->type == VIR_GRAPHICS_TYPE_SPICE ||
           graphics->type == VIR_GRAPHICS_TYPE_RDP;
}

/* --- ports and listens --- */

/* what: "vnc port", for the message */
static bool
virGraphicsParsePort(xmlNode *node, const char *attr, const char *what, bool *retSet, int *ret,
                     GError **error)
{
    g_autofree char *text = virXMLAttr(node, attr);
    char *end;
    long value;

    *retSet = text != NULL;
    if (!text)
        return true;
    errno = 0;
    value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < INT32_MIN || value > INT32_MAX)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("cannot parse %s %s"), what, text);
    *ret = (int)value;
    return true;
}

static bool
virGraphicsParseAutoport(virGraphics *graphics, xmlNode *node, GError **error)
{
    g_autofree char *text = virXMLAttr(node, "autoport");

    if (!text)
        return true;
    if (!g_str_equal(text, "yes") && !g_str_equal(text, "no"))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "autoport",
                           "graphics", text);
    graphics->autoport = g_str_equal(text, "yes");
    return true;
}

static bool
virGraphicsParsePortsVNC(virGraphics *graphics, xmlNode *node, unsigned parseFlags, GError **error)
{
    bool given;
    bool websocket;
    const char *generated = virXMLAttrPeek(node, "websocketGenerated");

    if (!virGraphicsParsePort(node, "port", "vnc port", &given, &graphics->port, error))
        return false;
    graphics->autoport = !given || graphics->port == -1;
    if (!virGraphicsParseAutoport(graphics, node, error) ||
        !virGraphicsParsePort(node, "websocket", "vnc WebSocket port", &websocket,
                              &graphics->websocket, error))
        return false;
    if (graphics->autoport && !(parseFlags & VIR_PARSE_STATUS))
        graphics->port = 0;
    graphics->websocketGenerated = g_strcmp0(generated, "yes") == 0;
    return true;
}

static bool
virGraphicsParsePortsSpice(virGraphics *graphics, xmlNode *node, unsigned parseFlags,
                           GError **error)
{
    bool given;

    if (!virGraphicsParsePort(node, "port", "spice port", &given, &graphics->port, error) ||
        !virGraphicsParsePort(node, "tlsPort", "spice tlsPort", &given, &graphics->tlsPort,
                              error) ||
        !virGraphicsParseAutoport(graphics, node, error))
        return false;
    if (graphics->autoport && (parseFlags & VIR_PARSE_INACTIVE))
        graphics->port = graphics->tlsPort = 0;
    return true;
}

static bool
virGraphicsParsePortsRDP(virGraphics *graphics, xmlNode *node, GError **error)
{
    bool given;

    if (!virGraphicsParsePort(node, "port", "rdp port", &given, &graphics->port, error))
        return false;
    if (given && graphics->port == -1)
        graphics->autoport = true;
    return virGraphicsParseAutoport(graphics, node, error);
}

static bool
virGraphicsParsePorts(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virGraphics *graphics = object;

    if (!virGraphicsHasListens(graphics))
        return true;
    graphics->listens =
        virGraphicsListensParse(node, virGraphicsTypeToString(graphics->type),
                                graphics->type != VIR_GRAPHICS_TYPE_RDP, parseFlags, error);
    if (!graphics->listens)
        return false;
    switch (graphics->type) {
    case VIR_GRAPHICS_TYPE_VNC:
        return virGraphicsParsePortsVNC(graphics, node, parseFlags, error);
    case VIR_GRAPHICS_TYPE_SPICE:
        return virGraphicsParsePortsSpice(graphics, node, parseFlags, error);
    default:
        return virGraphicsParsePortsRDP(graphics, node, error);
    }
}

static void
virGraphicsFormatNumber(virXMLWriter *w, const char *attr, int number)
{
    if (number)
        virXMLWriterAttrF(w, attr, "%d", number);
}

static void
virGraphicsFormatAutoport(const virGraphics *graphics, virXMLWriter *w)
{
    virXMLWriterAttr(w, "autoport", graphics->autoport ? "yes" : "no");
}

static void
virGraphicsFormatPortsVNC(const virGraphics *graphics, virXMLWriter *w, unsigned formatFlags)
{
    bool inactive = formatFlags & VIR_FORMAT_INACTIVE;

    if (graphics->autoport && (inactive || graphics->port == 0))
        virXMLWriterAttr(w, "port", "-1");
    else
        virGraphicsFormatNumber(w, "port", graphics->port);
    virGraphicsFormatAutoport(graphics, w);
    if (graphics->websocketGenerated && inactive)
        virXMLWriterAttr(w, "websocket", "-1");
    else
        virGraphicsFormatNumber(w, "websocket", graphics->websocket);
    if ((formatFlags & VIR_FORMAT_STATUS) && graphics->websocketGenerated)
        virXMLWriterAttr(w, "websocketGenerated", "yes");
}

static void
virGraphicsFormatPortsSpice(const virGraphics *graphics, virXMLWriter *w, unsigned formatFlags)
{
    if (!graphics->autoport || !(formatFlags & VIR_FORMAT_INACTIVE)) {
        virGraphicsFormatNumber(w, "port", graphics->port);
        virGraphicsFormatNumber(w, "tlsPort", graphics->tlsPort);
    }
    virGraphicsFormatAutoport(graphics, w);
}

static void
virGraphicsFormatPortsRDP(const virGraphics *graphics, virXMLWriter *w)
{
    virGraphicsFormatNumber(w, "port", graphics->port);
    if (graphics->autoport)
        virXMLWriterAttr(w, "autoport", "yes");
}

static void
virGraphicsFormatPorts(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virGraphics *graphics = object;
    const virGraphicsListen *listen = virGraphicsFirstListen(graphics);
    bool ports = listen && (listen->type == VIR_GRAPHICS_LISTEN_ADDRESS ||
                            listen->type == VIR_GRAPHICS_LISTEN_NETWORK);

    /* a socket where the document has an address is a matter of this run */
    if (listen && listen->type == VIR_GRAPHICS_LISTEN_SOCKET && listen->fromConfig &&
        (formatFlags & VIR_FORMAT_INACTIVE))
        ports = true;
    if (ports && graphics->type == VIR_GRAPHICS_TYPE_VNC)
        virGraphicsFormatPortsVNC(graphics, w, formatFlags);
    else if (ports && graphics->type == VIR_GRAPHICS_TYPE_SPICE)
        virGraphicsFormatPortsSpice(graphics, w, formatFlags);
    else if (ports && graphics->type == VIR_GRAPHICS_TYPE_RDP)
        virGraphicsFormatPortsRDP(graphics, w);
}

static void
virGraphicsFormatListenAttr(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virGraphics *graphics = object;
    const virGraphicsListen *listen = virGraphicsFirstListen(graphics);
    bool oldSocket = graphics->type == VIR_GRAPHICS_TYPE_VNC;

    if (listen && (listen->type != VIR_GRAPHICS_LISTEN_SOCKET || oldSocket))
        virGraphicsListenFormatAttr(listen, w, formatFlags);
}

static void
virGraphicsFormatListens(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    virGraphicsListensFormat(VIR_GRAPHICS(object)->listens, w, formatFlags);
}

static void
virGraphicsClearListens(void *object)
{
    g_clear_pointer(&VIR_GRAPHICS(object)->listens, g_ptr_array_unref);
}

/* --- spice channels --- */

static bool
virGraphicsParseChannelAttr(const xmlNode *node, const char *attr, const virEnum *names, int *ret,
                            GError **error)
{
    g_autofree char *text = virXMLAttr(node, attr);

    if (!text)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), attr, "channel");
    *ret = virEnumFromString(names, text);
    return *ret >= 0 || virErrorSet(error, VIR_ERR_XML_ERROR,
                                    _("Invalid value for attribute '%s' in element '%s': '%s'."),
                                    attr, "channel", text);
}

static bool
virGraphicsParseChannels(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virGraphics *graphics = object;

    if (graphics->type != VIR_GRAPHICS_TYPE_SPICE)
        return true;
    virXMLForEachChildNamed (node, child, "channel") {
        int channel = -1;
        int mode = -1;

        if (!virGraphicsParseChannelAttr(child, "name", &virSpiceChannelNames, &channel, error) ||
            !virGraphicsParseChannelAttr(child, "mode", &virSpiceModeNames, &mode, error))
            return false;
        graphics->channels[channel] = mode;
    }
    return true;
}

static void
virGraphicsFormatChannels(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virGraphics *graphics = object;

    for (int i = 0; i < VIR_SPICE_CHANNEL_LAST; i++) {
        if (graphics->channels[i] == VIR_SPICE_MODE_ANY)
            continue;
        virXMLWriterOpen(w, "channel");
        virXMLWriterAttr(w, "name", virSpiceChannelToString(i));
        virXMLWriterAttr(w, "mode", virSpiceModeToString(graphics->channels[i]));
        virXMLWriterClose(w);
    }
}

static const virField listenHolds[] = {
    VIR_HOLDS("@type"),   VIR_HOLDS("@address"),    VIR_HOLDS("@network"),
    VIR_HOLDS("@socket"), VIR_HOLDS("@fromConfig"), VIR_HOLDS("@autoGenerated"),
    VIR_FIELD_END,
};

static const virField channelHolds[] = {
    VIR_HOLDS_ENUM("@name", virSpiceChannelNames),
    VIR_HOLDS_ENUM("@mode", virSpiceModeNames),
    VIR_FIELD_END,
};

static const virField portHolds[] = {
    VIR_HOLDS_INT("@port"),
    VIR_HOLDS_INT("@tlsPort"),
    VIR_HOLDS_INT("@websocket"),
    VIR_HOLDS_YESNO("@autoport"),
    VIR_HOLDS("@socket"),
    VIR_HOLDS("@websocketGenerated"),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_ENUM("@type", virGraphics, type, virGraphicsTypeNames, .flags = VIR_FIELD_REQUIRED),
    VIR_FIELD_CODE("@port", virGraphicsParsePorts, virGraphicsFormatPorts, .holds = portHolds,
                   .clear = virGraphicsClearListens),
    VIR_FIELD_YESNO("@replaceUser", virGraphics, replaceUser),
    VIR_FIELD_YESNO("@multiUser", virGraphics, multiUser),
    VIR_FIELD_CODE("@listen", NULL, virGraphicsFormatListenAttr),
    VIR_FIELD_STRING("@keymap", virGraphics, keymap),
    VIR_FIELD_ENUM("@sharePolicy", virGraphics, sharePolicy, sharePolicyNames),
    VIR_FIELD_YESNO("@powerControl", virGraphics, powerControl),
    VIR_FIELD_ENUM("@defaultMode", virGraphics, defaultMode, virSpiceModeNames),
    VIR_FIELD_STRING("@passwd", virGraphics, passwd, .flags = VIR_FIELD_SECRET),
    VIR_FIELD_STRING("@passwdValidTo", virGraphics, passwdValidTo),
    VIR_FIELD_ENUM("@connected", virGraphics, connected, connectedNames),
    VIR_FIELD_STRING("@display", virGraphics, display),
    VIR_FIELD_STRING("@xauth", virGraphics, xauth),
    VIR_FIELD_YESNO("@fullscreen", virGraphics, fullscreen),
    VIR_FIELD_STRING("@address", virGraphics, dbusAddress),
    VIR_FIELD_YESNO("@p2p", virGraphics, p2p),
    VIR_FIELD_CODE("listen", NULL, virGraphicsFormatListens, .flags = VIR_FIELD_MANY,
                   .holds = listenHolds),
    VIR_FIELD_CODE("channel", virGraphicsParseChannels, virGraphicsFormatChannels,
                   .flags = VIR_FIELD_MANY, .holds = channelHolds),
    VIR_FIELD_ENUM("image@compression", virGraphics, image, imageNames,
                   .flags = VIR_FIELD_REQUIRED),
    VIR_FIELD_ENUM("jpeg@compression", virGraphics, jpeg, jpegNames, .flags = VIR_FIELD_REQUIRED),
    VIR_FIELD_ENUM("zlib@compression", virGraphics, zlib, zlibNames, .flags = VIR_FIELD_REQUIRED),
    VIR_FIELD_ONOFF("playback@compression", virGraphics, playback, .flags = VIR_FIELD_REQUIRED),
    VIR_FIELD_ENUM("streaming@mode", virGraphics, streaming, streamingNames,
                   .flags = VIR_FIELD_REQUIRED),
    VIR_FIELD_ENUM("mouse@mode", virGraphics, mouse, mouseNames, .flags = VIR_FIELD_REQUIRED),
    VIR_FIELD_YESNO("clipboard@copypaste", virGraphics, copypaste, .flags = VIR_FIELD_REQUIRED),
    VIR_FIELD_YESNO("filetransfer@enable", virGraphics, fileTransfer, .flags = VIR_FIELD_REQUIRED),
    VIR_FIELD_YESNO("gl@enable", virGraphics, gl),
    VIR_FIELD_STRING("gl@rendernode", virGraphics, renderNode),
    VIR_FIELD_UINT("audio@id", virGraphics, audio, 1, UINT32_MAX),
    VIR_FIELD_END,
};

const virGraphicsListen *
virGraphicsFirstListen(const virGraphics *graphics)
{
    return graphics->listens ? g_ptr_array_index(graphics->listens, 0) : NULL;
}

const char *
virGraphicsSharePolicyName(const virGraphics *graphics)
{
    return virEnumToString(&sharePolicyNames, graphics->sharePolicy);
}

const char *
virGraphicsConnectedName(const virGraphics *graphics)
{
    return virEnumToString(&connectedNames, graphics->connected);
}

const char *
virGraphicsImageName(const virGraphics *graphics)
{
    return virEnumToString(&imageNames, graphics->image);
}

const char *
virGraphicsJpegName(const virGraphics *graphics)
{
    return virEnumToString(&jpegNames, graphics->jpeg);
}

const char *
virGraphicsZlibName(const virGraphics *graphics)
{
    return virEnumToString(&zlibNames, graphics->zlib);
}

const char *
virGraphicsStreamingName(const virGraphics *graphics)
{
    return virEnumToString(&streamingNames, graphics->streaming);
}

const char *
virGraphicsMouseName(const virGraphics *graphics)
{
    return virEnumToString(&mouseNames, graphics->mouse);
}

static bool
virGraphicsTime(const char *text, int64_t *ret)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    if (!end || *end)
        return false;
    *ret = timegm(&tm);
    return true;
}

bool
virGraphicsPasswordEnd(const virGraphics *graphics, int64_t *ret)
{
    return graphics->passwdValidTo && virGraphicsTime(graphics->passwdValidTo, ret);
}

virGraphicsPorts
virGraphicsWantedPorts(const virGraphics *graphics, bool spiceTLS)
{
    const virGraphicsListen *listen = virGraphicsFirstListen(graphics);
    virGraphicsPorts wants = {0};
    bool plain = graphics->defaultMode != VIR_SPICE_MODE_SECURE;
    bool tls = graphics->defaultMode == VIR_SPICE_MODE_SECURE ||
               (graphics->defaultMode == VIR_SPICE_MODE_ANY && spiceTLS);

    if (!listen || (listen->type != VIR_GRAPHICS_LISTEN_ADDRESS &&
                    listen->type != VIR_GRAPHICS_LISTEN_NETWORK))
        return wants;
    if (graphics->type == VIR_GRAPHICS_TYPE_VNC) {
        wants.port = graphics->autoport;
        wants.websocket = graphics->websocket == -1;
        return wants;
    }
    for (int i = 0; i < VIR_SPICE_CHANNEL_LAST; i++) {
        plain = plain || graphics->channels[i] == VIR_SPICE_MODE_INSECURE;
        tls = tls || graphics->channels[i] == VIR_SPICE_MODE_SECURE;
    }
    wants.port = graphics->port == -1 || (graphics->autoport && plain);
    wants.tlsPort = graphics->tlsPort == -1 || (graphics->autoport && tls);
    return wants;
}

/* --- defaults and checks --- */

static void
virGraphicsDropPassword(virGraphics *graphics)
{
    g_clear_pointer(&graphics->passwdValidTo, g_free);
    graphics->connected = 0;
}

static void
virGraphicsDropSpice(virGraphics *graphics)
{
    graphics->defaultMode = 0;
    graphics->image = graphics->jpeg = graphics->zlib = 0;
    graphics->streaming = graphics->mouse = 0;
    graphics->playback = graphics->fileTransfer = graphics->copypaste = VIR_TRISTATE_ABSENT;
}

static void
virGraphicsDropWindow(virGraphics *graphics)
{
    if (graphics->type != VIR_GRAPHICS_TYPE_DESKTOP)
        g_clear_pointer(&graphics->display, g_free);
    g_clear_pointer(&graphics->xauth, g_free);
    if (graphics->type != VIR_GRAPHICS_TYPE_DESKTOP)
        graphics->fullscreen = VIR_TRISTATE_ABSENT;
}

static void
virGraphicsDropForeign(virGraphics *graphics)
{
    virGraphicsType type = (virGraphicsType)graphics->type;
    bool remote = type == VIR_GRAPHICS_TYPE_VNC || type == VIR_GRAPHICS_TYPE_SPICE;

    if (!remote)
        g_clear_pointer(&graphics->keymap, g_free);
    if (!remote && graphics->passwd)
        g_clear_pointer(&graphics->passwd, virSecureFreeString);
    if (!graphics->passwd)
        virGraphicsDropPassword(graphics);
    if (type != VIR_GRAPHICS_TYPE_VNC) {
        graphics->sharePolicy = 0;
        graphics->powerControl = VIR_TRISTATE_ABSENT;
    }
    if (type != VIR_GRAPHICS_TYPE_SPICE)
        virGraphicsDropSpice(graphics);
    if (type != VIR_GRAPHICS_TYPE_SDL)
        virGraphicsDropWindow(graphics);
    if (type != VIR_GRAPHICS_TYPE_RDP)
        graphics->replaceUser = graphics->multiUser = VIR_TRISTATE_ABSENT;
    if (type != VIR_GRAPHICS_TYPE_DBUS) {
        g_clear_pointer(&graphics->dbusAddress, g_free);
        graphics->p2p = VIR_TRISTATE_ABSENT;
    }
    if (type != VIR_GRAPHICS_TYPE_VNC && type != VIR_GRAPHICS_TYPE_DBUS)
        graphics->audio.set = false;
    if (type == VIR_GRAPHICS_TYPE_SDL || type == VIR_GRAPHICS_TYPE_EGL_HEADLESS) {
        if (type == VIR_GRAPHICS_TYPE_SDL)
            g_clear_pointer(&graphics->renderNode, g_free);
        else
            graphics->gl = VIR_TRISTATE_ABSENT;
    } else if (type != VIR_GRAPHICS_TYPE_SPICE && type != VIR_GRAPHICS_TYPE_DBUS) {
        graphics->gl = VIR_TRISTATE_ABSENT;
        g_clear_pointer(&graphics->renderNode, g_free);
    }
    if (graphics->fullscreen == VIR_TRISTATE_NO) /* never written */
        graphics->fullscreen = VIR_TRISTATE_ABSENT;
}

/* "…/domain-99-web/vnc.sock": made by some daemon for one run of the guest, so not the user's. */
static bool
virGraphicsSocketIsGenerated(const char *path)
{
    g_autofree char *folder = path ? g_path_get_dirname(path) : NULL;
    const char *name = folder ? strrchr(folder, '/') : NULL;

    return name && g_str_has_prefix(name, "/domain-") && strspn(name + 8, "0123456789") > 0;
}

static void
virGraphicsCompleteListens(virGraphics *graphics, unsigned parseFlags)
{
    virGraphicsListen *first = graphics->listens ? g_ptr_array_index(graphics->listens, 0) : NULL;

    if (!first)
        return;
    if (graphics->type == VIR_GRAPHICS_TYPE_SPICE && first->type == VIR_GRAPHICS_LISTEN_ADDRESS &&
        graphics->port == 0 && graphics->tlsPort == 0 && !graphics->autoport) {
        g_clear_pointer(&first->address, g_free);
        first->type = VIR_GRAPHICS_LISTEN_NONE;
    }
    if ((parseFlags & VIR_PARSE_INACTIVE) && first->type == VIR_GRAPHICS_LISTEN_SOCKET &&
        virGraphicsSocketIsGenerated(first->socket)) {
        g_clear_pointer(&first->socket, g_free);
        first->type = VIR_GRAPHICS_LISTEN_ADDRESS;
    }
}

static bool
virGraphicsComplete(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags,
                    GError **error)
{
    virGraphicsDropForeign(VIR_GRAPHICS(dev));
    virGraphicsCompleteListens(VIR_GRAPHICS(dev), parseFlags);
    return true;
}

static bool
virGraphicsParse(virDevice *dev, xmlNode *node, unsigned parseFlags, GError **error)
{
    const virGraphics *graphics = VIR_GRAPHICS(dev);
    int64_t end;

    if (graphics->passwd && graphics->passwdValidTo && !virGraphicsPasswordEnd(graphics, &end))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("cannot parse password validity time '%s', expect "
                             "YYYY-MM-DDTHH:MM:SS"),
                           graphics->passwdValidTo);
    return true;
}

static bool
virGraphicsCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virGraphics *graphics = VIR_GRAPHICS(dev);

    if (graphics->type == VIR_GRAPHICS_TYPE_VNC && graphics->connected &&
        graphics->connected != VIR_GRAPHICS_CONNECTED_KEEP)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("VNC supports connected='keep' only"));
    return true;
}

/* It is no device of the guest's. */
static char *
virGraphicsAlias(const virDevice *dev, const virDomainFacts *facts, unsigned index)
{
    return NULL;
}

static bool
virGraphicsMatches(const virDevice *dev, const virDevice *wanted)
{
    return VIR_GRAPHICS(dev)->type == VIR_GRAPHICS(wanted)->type;
}

static char *
virGraphicsLabel(const virDevice *dev)
{
    return g_strdup(virGraphicsTypeToString(VIR_GRAPHICS(dev)->type));
}

const virDeviceKind virGraphicsKind = {
    .element = "graphics",
    .noun = "graphics",
    .size = sizeof(virGraphics),
    .fields = fields,
    .parse = virGraphicsParse,
    .complete = virGraphicsComplete,
    .check = virGraphicsCheck,
    .matches = virGraphicsMatches,
    .alias = virGraphicsAlias,
    .live = {VIR_DEVICE_UPDATE, VIR_ERR_DEVICE_MISSING,
             N_("cannot find existing graphics device to modify of type '%s'")},
    .stored = {VIR_DEVICE_UPDATE, VIR_ERR_INVALID_ARG,
               N_("cannot find existing graphics type '%s' device to modify")},
    .label = virGraphicsLabel,
};
