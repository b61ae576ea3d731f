/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vnc_qemu.c: <graphics type='vnc'> as QEMU's -vnc. */
#include <string.h>

#include "device/audio/audio.h"
#include "device/common/secret_qemu.h"
#include "device/graphics/display_qemu.h"
#include "util/virerror.h"

enum { QEMU_VNC_PORT_MIN = 5900, QEMU_VNC_PORT_MAX = 65535, QEMU_VNC_PASSWORD_MAX = 8 };

bool
qemuVNCCheck(const virGraphics *graphics, const qmpCaps *caps, GError **error)
{
    if (graphics->passwd && strlen(graphics->passwd) > QEMU_VNC_PASSWORD_MAX)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("VNC password is %zu characters long, only 8 permitted"),
                           strlen(graphics->passwd));
    if (graphics->powerControl != VIR_TRISTATE_ABSENT &&
        !qmpCapsHas(caps, QMP_CAPS_VNC_POWER_CONTROL))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("VNC power control is not available"));
    return true;
}

void
qemuGraphicsAppendAudio(GString *opt, const virGraphics *graphics, const qemuBuildContext *ctx)
{
    const virAudio *audio = virAudioFor(ctx->facts->devices, graphics->audio);
    g_autofree char *name = NULL;

    if (!audio || !qmpCapsHas(ctx->caps, QMP_CAPS_AUDIODEV))
        return;
    name = virAudioDevName(audio);
    g_string_append_printf(opt, ",audiodev=%s", name);
}

static bool
qemuVNCAppendListen(GString *opt, const virGraphics *graphics, const virGraphicsListen *listen,
                    GError **error)
{
    switch (listen->type) {
    case VIR_GRAPHICS_LISTEN_NONE:
        g_string_append(opt, "none");
        return true;
    case VIR_GRAPHICS_LISTEN_SOCKET:
        g_string_append(opt, "vnc=unix:");
        qemuGraphicsAppendEscaped(opt, listen->socket);
        return true;
    default:
        break;
    }
    if (graphics->port < QEMU_VNC_PORT_MIN || graphics->port > QEMU_VNC_PORT_MAX)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("vnc port must be in range [5900,65535]"));
    if (listen->address && strchr(listen->address, ':'))
        g_string_append_printf(opt, "[%s]", listen->address);
    else if (listen->address)
        g_string_append(opt, listen->address);
    g_string_append_printf(opt, ":%d", graphics->port - QEMU_VNC_PORT_MIN);
    return true;
}

/* The object that holds certificates, and before it the one that holds their key's password. */
static bool
qemuVNCBuildTLS(const qemuBuildConfig *config, qmpPlan *plan, GError **error)
{
    virJSON *credentials = virJSONObject();

    virJSONAddString(credentials, "qom-type", "tls-creds-x509");
    virJSONAddString(credentials, "id", "vnc-tls-creds0");
    virJSONAddString(credentials, "dir", config->vncTLSDir);
    virJSONAddString(credentials, "endpoint", "server");
    virJSONAddBool(credentials, "verify-peer", config->vncTLSVerify);
    if (config->vncTLSPassword) {
        if (!qemuSecretPlan(plan, config, "vnc-tls-creds0-secret0", config->vncTLSPassword,
                            strlen(config->vncTLSPassword), error)) {
            virJSONUnref(credentials);
            return false;
        }
        virJSONAddString(credentials, "passwordid", "vnc-tls-creds0-secret0");
    }
    qmpPlanObject(plan, credentials);
    return true;
}

static void
qemuVNCAppendOptions(GString *opt, const virGraphics *graphics, const qemuBuildContext *ctx)
{
    const qemuBuildConfig *config = ctx->config;

    if (graphics->websocket)
        g_string_append_printf(opt, ",websocket=%d", graphics->websocket);
    if (graphics->sharePolicy)
        g_string_append_printf(opt, ",share=%s", virGraphicsSharePolicyName(graphics));
    if (graphics->passwd || config->vncPassword)
        g_string_append(opt, ",password=on");
    if (config->vncTLS)
        g_string_append(opt, ",tls-creds=vnc-tls-creds0");
    if (config->vncSASL)
        g_string_append(opt, ",sasl=on");
    if (graphics->powerControl != VIR_TRISTATE_ABSENT)
        g_string_append_printf(opt, ",power-control=%s",
                               graphics->powerControl == VIR_TRISTATE_YES ? "on" : "off");
    qemuGraphicsAppendAudio(opt, graphics, ctx);
}

bool
qemuVNCBuild(const virGraphics *graphics, const qemuBuildContext *ctx, qmpPlan *plan,
             GError **error)
{
    g_autoptr(GString) opt = g_string_new(NULL);
    virGraphicsListen listen = {0};
    bool ok;

    if (!qemuGraphicsResolve(graphics, ctx->config, &listen, error))
        return false;
    ok = qemuVNCAppendListen(opt, graphics, &listen, error);
    qemuGraphicsListenClear(&listen);
    if (!ok || (ctx->config->vncTLS && !qemuVNCBuildTLS(ctx->config, plan, error)))
        return false;
    if (ctx->config->vncSASL && ctx->config->vncSASLDir)
        qmpPlanEnv(plan, "SASL_CONF_PATH", ctx->config->vncSASLDir);
    qemuVNCAppendOptions(opt, graphics, ctx);
    qmpPlanArg(plan, "-vnc", opt->str);
    if (graphics->keymap)
        qmpPlanArg(plan, "-k", graphics->keymap);
    return true;
}
