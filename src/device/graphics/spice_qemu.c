/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * spice_qemu.c: <graphics type='spice'> as QEMU's -spice. */
#include "device/graphics/display_qemu.h"
#include "util/virerror.h"

bool
qemuSpiceCheck(const virGraphics *graphics, const qmpCaps *caps, GError **error)
{
    const virGraphicsListen *listen = virGraphicsFirstListen(graphics);

    if (graphics->gl == VIR_TRISTATE_YES && !qmpCapsHas(caps, QMP_CAPS_SPICE_GL))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("This QEMU doesn't support spice OpenGL"));
    if (graphics->gl == VIR_TRISTATE_YES && graphics->renderNode &&
        !qmpCapsHas(caps, QMP_CAPS_SPICE_RENDERNODE))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("This QEMU doesn't support spice OpenGL rendernode"));
    if (listen->type == VIR_GRAPHICS_LISTEN_SOCKET && !qmpCapsHas(caps, QMP_CAPS_SPICE_UNIX))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("unix socket for spice graphics are not supported with this QEMU"));
    return true;
}

static void
qemuSpiceAppendOnOff(GString *opt, const char *name, bool on)
{
    g_string_append_printf(opt, ",%s=%s", name, on ? "on" : "off");
}

static void
qemuSpiceAppendString(GString *opt, const char *name, const char *value)
{
    if (!value)
        return;
    g_string_append_printf(opt, ",%s=", name);
    qemuGraphicsAppendEscaped(opt, value);
}

static bool
qemuSpiceAppendPorts(GString *opt, const virGraphics *graphics, const qemuBuildConfig *config,
                     GError **error)
{
    if (graphics->port > 0)
        g_string_append_printf(opt, ",port=%d", graphics->port);
    if (graphics->tlsPort <= 0)
        return true;
    if (!config->spiceTLS)
        return virErrorSet(
            error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
            _("spice TLS port set in XML configuration, but TLS is disabled in qemu.conf"));
    g_string_append_printf(opt, ",tls-port=%d", graphics->tlsPort);
    return true;
}

/* secure, insecure: which of the two kinds of port there is */
static bool
qemuSpiceAppendListen(GString *opt, const virGraphics *graphics, const virGraphicsListen *listen,
                      const qemuBuildConfig *config, bool *secure, bool *insecure, GError **error)
{
    switch (listen->type) {
    case VIR_GRAPHICS_LISTEN_SOCKET:
        g_string_append(opt, ",unix");
        qemuSpiceAppendString(opt, "addr", listen->socket);
        *insecure = true;
        return true;
    case VIR_GRAPHICS_LISTEN_NONE: /* a display must have some argument */
        g_string_append(opt, ",port=0");
        return true;
    default:
        break;
    }
    if (!qemuSpiceAppendPorts(opt, graphics, config, error))
        return false;
    *secure = graphics->tlsPort > 0;
    *insecure = graphics->port > 0;
    if (*secure || *insecure)
        qemuSpiceAppendString(opt, "addr", listen->address);
    return true;
}

/* What must go over TLS, and what must not: by default, then by channel. */
static bool
qemuSpiceAppendModes(GString *opt, const virGraphics *graphics, bool secure, bool insecure,
                     GError **error)
{
    if (graphics->defaultMode == VIR_SPICE_MODE_SECURE && !secure)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("spice defaultMode secure requested in XML configuration, but TLS "
                             "connection is not available"));
    if (graphics->defaultMode == VIR_SPICE_MODE_INSECURE && !insecure)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("spice defaultMode insecure requested in XML configuration, but "
                             "plaintext connection is not available"));
    if (graphics->defaultMode == VIR_SPICE_MODE_SECURE)
        qemuSpiceAppendString(opt, "tls-channel", "default");
    else if (graphics->defaultMode == VIR_SPICE_MODE_INSECURE)
        qemuSpiceAppendString(opt, "plaintext-channel", "default");
    for (int i = 0; i < VIR_SPICE_CHANNEL_LAST; i++) {
        int mode = graphics->channels[i];

        if (mode == VIR_SPICE_MODE_ANY)
            continue;
        if (mode == VIR_SPICE_MODE_SECURE && !secure)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("spice secure channels set in XML configuration, but TLS "
                                 "connection is not available"));
        if (mode == VIR_SPICE_MODE_INSECURE && !insecure)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("spice insecure channels set in XML configuration, but plaintext "
                                 "connection is not available"));
        qemuSpiceAppendString(opt,
                              mode == VIR_SPICE_MODE_SECURE ? "tls-channel" : "plaintext-channel",
                              virSpiceChannelToString(i));
    }
    return true;
}

static void
qemuSpiceAppendOptions(GString *opt, const virGraphics *graphics, const qemuBuildContext *ctx)
{
    qemuSpiceAppendString(opt, "image-compression", virGraphicsImageName(graphics));
    qemuSpiceAppendString(opt, "jpeg-wan-compression", virGraphicsJpegName(graphics));
    qemuSpiceAppendString(opt, "zlib-glz-wan-compression", virGraphicsZlibName(graphics));
    if (graphics->playback != VIR_TRISTATE_ABSENT)
        qemuSpiceAppendOnOff(opt, "playback-compression", graphics->playback == VIR_TRISTATE_YES);
    qemuSpiceAppendString(opt, "streaming-video", virGraphicsStreamingName(graphics));
    if (graphics->copypaste == VIR_TRISTATE_NO)
        qemuSpiceAppendOnOff(opt, "disable-copy-paste", true);
    if (graphics->fileTransfer == VIR_TRISTATE_NO)
        qemuSpiceAppendOnOff(opt, "disable-agent-file-xfer", true);
    if (graphics->gl == VIR_TRISTATE_YES) {
        qemuSpiceAppendOnOff(opt, "gl", true);
        qemuSpiceAppendString(opt, "rendernode", qemuGraphicsRenderNode(graphics, ctx));
    }
    qemuSpiceAppendOnOff(opt, "seamless-migration", true);
}

static bool
qemuSpiceAppendAll(GString *opt, const virGraphics *graphics, const virGraphicsListen *listen,
                   const qemuBuildContext *ctx, GError **error)
{
    const qemuBuildConfig *config = ctx->config;
    bool secure = false;
    bool insecure = false;

    if (!qemuSpiceAppendListen(opt, graphics, listen, config, &secure, &insecure, error))
        return false;
    if (config->spiceSASL)
        qemuSpiceAppendOnOff(opt, "sasl", true);
    if (graphics->mouse)
        qemuSpiceAppendOnOff(opt, "agent-mouse",
                             g_str_equal(virGraphicsMouseName(graphics), "client"));
    if (!graphics->passwd && !config->spicePassword)
        qemuSpiceAppendOnOff(opt, "disable-ticketing", true);
    if (secure)
        qemuSpiceAppendString(opt, "x509-dir", config->spiceTLSDir);
    if (!qemuSpiceAppendModes(opt, graphics, secure, insecure, error))
        return false;
    qemuSpiceAppendOptions(opt, graphics, ctx);
    return true;
}

bool
qemuSpiceBuild(const virGraphics *graphics, const qemuBuildContext *ctx, qmpPlan *plan,
               GError **error)
{
    g_autoptr(GString) opt = g_string_new(NULL);
    virGraphicsListen listen = {0};
    bool ok;

    if (!qemuGraphicsResolve(graphics, ctx->config, &listen, error))
        return false;
    ok = qemuSpiceAppendAll(opt, graphics, &listen, ctx, error);
    qemuGraphicsListenClear(&listen);
    if (!ok)
        return false;
    if (ctx->config->spiceSASL && ctx->config->spiceSASLDir)
        qmpPlanEnv(plan, "SASL_CONF_PATH", ctx->config->spiceSASLDir);
    qmpPlanArg(plan, "-spice", opt->str + 1); /* behind the first comma */
    if (graphics->keymap)
        qmpPlanArg(plan, "-k", graphics->keymap);
    return true;
}
