/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * graphics_qemu.c: <graphics> for QEMU: what it can do, where it listens, live changes. What is
 * said of each type at start is in vnc_qemu.c and spice_qemu.c; passwords never stand on the
 * command line. */
#include "device/graphics/graphics_qemu.h"

#include <inttypes.h>
#include <string.h>

#include "device/graphics/display_qemu.h"
#include "device/graphics/graphics.h"
#include "util/virerror.h"

/* --- checks --- */

static bool
qemuGraphicsCheckEGL(const virGraphics *graphics, const virDomainFacts *facts, GError **error)
{
    bool headless = false;

    virDevicesForEach(facts->devices, &virGraphicsKind, other)
    {
        headless = headless || VIR_GRAPHICS(other)->type == VIR_GRAPHICS_TYPE_EGL_HEADLESS;
    }
    if (!headless)
        return true;
    if (graphics->type != VIR_GRAPHICS_TYPE_EGL_HEADLESS &&
        graphics->type != VIR_GRAPHICS_TYPE_VNC && graphics->type != VIR_GRAPHICS_TYPE_SPICE)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("graphics type 'egl-headless' is only supported with one of: 'vnc', "
                             "'spice' graphics types"));
    if (graphics->type == VIR_GRAPHICS_TYPE_SPICE && graphics->gl == VIR_TRISTATE_YES)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("multiple OpenGL displays are not supported by QEMU"));
    return true;
}

static bool
qemuGraphicsCheckSet(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    virDevicesForEach(facts->devices, &virGraphicsKind, other)
    {
        if (other != dev && VIR_GRAPHICS(other)->type == VIR_GRAPHICS(dev)->type)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("only 1 graphics device of each type (sdl, vnc, spice, headless, "
                                 "dbus) is supported"));
    }
    return qemuGraphicsCheckEGL(VIR_GRAPHICS(dev), facts, error);
}

static const qmpCapsFlag typeFlags[] = {
    [VIR_GRAPHICS_TYPE_SDL] = QMP_CAPS_SDL,
    [VIR_GRAPHICS_TYPE_VNC] = QMP_CAPS_VNC,
    [VIR_GRAPHICS_TYPE_SPICE] = QMP_CAPS_SPICE,
    [VIR_GRAPHICS_TYPE_EGL_HEADLESS] = QMP_CAPS_EGL_HEADLESS,
    [VIR_GRAPHICS_TYPE_DBUS] = QMP_CAPS_DISPLAY_DBUS,
};

static bool
qemuGraphicsCheckType(const virGraphics *graphics, const qmpCaps *caps, GError **error)
{
    const char *type = virGraphicsTypeToString(graphics->type);

    if (graphics->type == VIR_GRAPHICS_TYPE_RDP || graphics->type == VIR_GRAPHICS_TYPE_DESKTOP)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("unsupported graphics type '%s'"),
                           type);
    if (!qmpCapsHas(caps, typeFlags[graphics->type]))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("%s graphics are not supported with this QEMU"), type);
    if (graphics->listens && graphics->listens->len > 1)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("QEMU does not support multiple listens for one graphics device."));
    if (virGraphicsFirstListen(graphics) &&
        virGraphicsFirstListen(graphics)->type == VIR_GRAPHICS_LISTEN_NETWORK)
        return true; /* where a network listens is known when the guest starts */
    return true;
}

static bool
qemuGraphicsCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                  GError **error)
{
    const virGraphics *graphics = VIR_GRAPHICS(dev);

    if (!qemuGraphicsCheckSet(dev, facts, error) || !qemuGraphicsCheckType(graphics, caps, error))
        return false;
    switch (graphics->type) {
    case VIR_GRAPHICS_TYPE_VNC:
        return qemuVNCCheck(graphics, caps, error);
    case VIR_GRAPHICS_TYPE_SPICE:
        return qemuSpiceCheck(graphics, caps, error);
    case VIR_GRAPHICS_TYPE_SDL:
        if (graphics->gl == VIR_TRISTATE_YES && !qmpCapsHas(caps, QMP_CAPS_SDL_GL))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("OpenGL for SDL is not supported with this QEMU binary"));
        return true;
    case VIR_GRAPHICS_TYPE_EGL_HEADLESS:
        if (graphics->renderNode && !qmpCapsHas(caps, QMP_CAPS_EGL_HEADLESS_RENDERNODE))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("This QEMU doesn't support OpenGL rendernode with egl-headless "
                                 "graphics type"));
        return true;
    default:
        if (graphics->p2p != VIR_TRISTATE_YES && !graphics->dbusAddress)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("D-Bus graphics without p2p='yes' need the address of a bus"));
        return true;
    }
}

/* --- what only a starting guest has --- */

bool
qemuGraphicsResolve(const virGraphics *graphics, const qemuBuildConfig *config,
                    virGraphicsListen *ret, GError **error)
{
    const virGraphicsListen *first = virGraphicsFirstListen(graphics);
    bool vnc = graphics->type == VIR_GRAPHICS_TYPE_VNC;

    *ret = *first;
    ret->address = g_strdup(first->address);
    ret->network = g_strdup(first->network);
    ret->socket = g_strdup(first->socket);
    if (ret->type == VIR_GRAPHICS_LISTEN_NETWORK && !ret->address) {
        virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                    _("the address of network '%s' to listen on is not known"), ret->network);
        qemuGraphicsListenClear(ret);
        return false;
    }
    if (ret->type == VIR_GRAPHICS_LISTEN_ADDRESS && !ret->address) {
        ret->fromConfig = true;
        if (vnc ? config->vncAutoSocket : config->spiceAutoSocket)
            ret->type = VIR_GRAPHICS_LISTEN_SOCKET;
        else
            ret->address = g_strdup(vnc ? config->vncListen : config->spiceListen);
    }
    if (ret->type == VIR_GRAPHICS_LISTEN_SOCKET && !ret->socket) {
        ret->socket = g_strdup_printf("%s/%s.sock", config->stateDir,
                                      virGraphicsTypeToString(graphics->type));
        ret->autoGenerated = true;
    }
    return true;
}

void
qemuGraphicsListenClear(virGraphicsListen *listen)
{
    g_clear_pointer(&listen->address, g_free);
    g_clear_pointer(&listen->network, g_free);
    g_clear_pointer(&listen->socket, g_free);
}

const char *
qemuGraphicsRenderNode(const virGraphics *graphics, const qemuBuildContext *ctx)
{
    qmpCapsFlag flag = graphics->type == VIR_GRAPHICS_TYPE_SPICE ? QMP_CAPS_SPICE_RENDERNODE
                                                                 : QMP_CAPS_EGL_HEADLESS_RENDERNODE;
    bool draws = graphics->type == VIR_GRAPHICS_TYPE_EGL_HEADLESS ||
                 (graphics->type == VIR_GRAPHICS_TYPE_SPICE && graphics->gl == VIR_TRISTATE_YES);

    if (graphics->renderNode || !draws || !qmpCapsHas(ctx->caps, flag))
        return graphics->renderNode;
    return ctx->config->renderNode;
}

/* want: a number of the document, -1 or 0 if it is to be chosen */
static bool
qemuGraphicsClaimPort(const qemuClaims *claims, const char *what, int *port, GError **error)
{
    unsigned got = claims->port(*port > 0 ? (unsigned)*port : 0, what, claims->opaque, error);

    if (!got)
        return false;
    *port = (int)got;
    return true;
}

/* Ports of the document are claimed too: nobody else gets them. */
static bool
qemuGraphicsClaimPorts(virGraphics *graphics, const qemuBuildConfig *config,
                       const qemuClaims *claims, GError **error)
{
    virGraphicsPorts wants = virGraphicsWantedPorts(graphics, config->spiceTLS);
    bool spice = graphics->type == VIR_GRAPHICS_TYPE_SPICE;

    if (wants.tlsPort && !config->spiceTLS)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Auto allocation of spice TLS port requested but spice TLS is "
                             "disabled in qemu.conf"));
    if ((wants.port || graphics->port > 0) &&
        !qemuGraphicsClaimPort(claims, spice ? "spice" : "vnc", &graphics->port, error))
        return false;
    if ((wants.tlsPort || graphics->tlsPort > 0) &&
        !qemuGraphicsClaimPort(claims, "spice-tls", &graphics->tlsPort, error))
        return false;
    if (wants.websocket) {
        if (!qemuGraphicsClaimPort(claims, "vnc-websocket", &graphics->websocket, error))
            return false;
        graphics->websocketGenerated = true;
    }
    return true;
}

static bool
qemuGraphicsClaim(virDevice *dev, const qemuBuildContext *ctx, const qemuClaims *claims,
                  GError **error)
{
    virGraphics *graphics = VIR_GRAPHICS(dev);
    const char *node = qemuGraphicsRenderNode(graphics, ctx);

    if (ctx->hotplug)
        return true; /* an update: it has what it needs */
    if (node && !graphics->renderNode)
        graphics->renderNode = g_strdup(node);
    if (graphics->listens) {
        virGraphicsListen *first = g_ptr_array_index(graphics->listens, 0);
        virGraphicsListen resolved;

        if (!qemuGraphicsResolve(graphics, ctx->config, &resolved, error))
            return false;
        qemuGraphicsListenClear(first);
        *first = resolved;
    }
    return qemuGraphicsClaimPorts(graphics, ctx->config, claims, error);
}

static void
qemuGraphicsTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    const char *node = qemuGraphicsRenderNode(VIR_GRAPHICS(dev), ctx);

    if (node)
        virHostAccessAdd(out, dev, node, VIR_HOST_READ | VIR_HOST_WRITE)->node = true;
}

/* --- start --- */

static void
qemuGraphicsBuildSDL(const virGraphics *graphics, qmpPlan *plan)
{
    if (graphics->xauth)
        qmpPlanEnv(plan, "XAUTHORITY", graphics->xauth);
    if (graphics->display)
        qmpPlanEnv(plan, "DISPLAY", graphics->display);
    if (graphics->fullscreen == VIR_TRISTATE_YES)
        qmpPlanArg(plan, "-full-screen", NULL);
    if (graphics->gl == VIR_TRISTATE_ABSENT)
        qmpPlanArg(plan, "-display", "sdl");
    else
        qmpPlanArgF(plan, "-display", "sdl,gl=%s", graphics->gl == VIR_TRISTATE_YES ? "on" : "off");
}

static void
qemuGraphicsBuildEGL(const virGraphics *graphics, const qemuBuildContext *ctx, qmpPlan *plan)
{
    GString *opt = g_string_new("egl-headless");
    const char *node = qemuGraphicsRenderNode(graphics, ctx);

    if (node) {
        g_string_append(opt, ",rendernode=");
        qemuGraphicsAppendEscaped(opt, node);
    }
    qmpPlanArg(plan, "-display", opt->str);
    g_string_free(opt, TRUE);
}

static void
qemuGraphicsBuildDBus(const virGraphics *graphics, const qemuBuildContext *ctx, qmpPlan *plan)
{
    GString *opt = g_string_new("dbus");

    if (graphics->p2p == VIR_TRISTATE_YES) {
        g_string_append(opt, ",p2p=on");
    } else {
        g_string_append(opt, ",addr=");
        qemuGraphicsAppendEscaped(opt, graphics->dbusAddress);
    }
    if (graphics->gl != VIR_TRISTATE_ABSENT)
        g_string_append_printf(opt, ",gl=%s", graphics->gl == VIR_TRISTATE_YES ? "on" : "off");
    if (graphics->renderNode) {
        g_string_append(opt, ",rendernode=");
        qemuGraphicsAppendEscaped(opt, graphics->renderNode);
    }
    if (graphics->audio.set)
        qemuGraphicsAppendAudio(opt, graphics, ctx);
    qmpPlanArg(plan, "-display", opt->str);
    g_string_free(opt, TRUE);
}

void
qemuGraphicsAppendEscaped(GString *out, const char *text)
{
    for (; *text; text++) {
        if (*text == ',')
            g_string_append_c(out, ',');
        g_string_append_c(out, *text);
    }
}

static bool
qemuGraphicsBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virGraphics *graphics = VIR_GRAPHICS(dev);

    switch (graphics->type) {
    case VIR_GRAPHICS_TYPE_SDL:
        qemuGraphicsBuildSDL(graphics, plan);
        return true;
    case VIR_GRAPHICS_TYPE_VNC:
        return qemuVNCBuild(graphics, ctx, plan, error);
    case VIR_GRAPHICS_TYPE_SPICE:
        return qemuSpiceBuild(graphics, ctx, plan, error);
    case VIR_GRAPHICS_TYPE_EGL_HEADLESS:
        qemuGraphicsBuildEGL(graphics, ctx, plan);
        return true;
    default:
        qemuGraphicsBuildDBus(graphics, ctx, plan);
        return true;
    }
}

/* --- passwords --- */

static void
qemuGraphicsPlanExpiry(const virGraphics *graphics, bool empty, int64_t now, qmpPlan *plan)
{
    virJSON *args = virJSONObject();
    int64_t end;

    virJSONAddString(args, "protocol", virGraphicsTypeToString(graphics->type));
    if (!virGraphicsPasswordEnd(graphics, &end))
        virJSONAddString(args, "time", empty ? "now" : "never");
    else if (end <= now)
        virJSONAddString(args, "time", "now");
    else
        virJSONAddStringF(args, "time", "%" PRId64, end);
    qmpPlanCommand(plan, "expire_password", args, NULL, NULL);
}

void
qemuGraphicsPlanPassword(const virDevice *dev, const qemuBuildConfig *config, int64_t now,
                         qmpPlan *plan)
{
    const virGraphics *graphics = VIR_GRAPHICS(dev);
    const char *fallback = NULL;
    const char *password;
    virJSON *args;

    if (graphics->type == VIR_GRAPHICS_TYPE_VNC)
        fallback = config->vncPassword;
    else if (graphics->type == VIR_GRAPHICS_TYPE_SPICE)
        fallback = config->spicePassword;
    password = graphics->passwd ? graphics->passwd : fallback;
    if (!password)
        return;
    args = virJSONObject();
    virJSONAddString(args, "protocol", virGraphicsTypeToString(graphics->type));
    virJSONAddString(args, "password", password);
    virJSONAddString(args, "connected", virGraphicsConnectedName(graphics));
    qmpPlanCommand(plan, "set_password", args, NULL, NULL);
    qmpPlanMarkSecret(plan);
    qemuGraphicsPlanExpiry(graphics, password[0] == '\0', now, plan);
}

static bool
qemuGraphicsAfterStart(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan,
                       GError **error)
{
    qemuGraphicsPlanPassword(dev, ctx->config, g_get_real_time() / G_USEC_PER_SEC, plan);
    return true;
}

/* --- live changes: the password and its life; nothing else --- */

static bool
qemuGraphicsUpdateListen(const virGraphicsListen *is, const virGraphicsListen *new,
                         const char *type, GError **error)
{
    if (is->type != new->type)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("cannot change the type of listen address on '%s' graphics"), type);
    if (g_strcmp0(is->address, new->address) != 0 || g_strcmp0(is->network, new->network) != 0)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("cannot change listen address setting on '%s' graphics"), type);
    if (g_strcmp0(is->socket, new->socket) != 0)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("cannot change listen socket setting on '%s' graphics"), type);
    return true;
}

/* What the configuration chose when the guest started counts as if the document said it. */
static bool
qemuGraphicsUpdateListens(const virGraphics *is, const virGraphics *new, GError **error)
{
    const char *type = virGraphicsTypeToString(is->type);

    if (is->listens->len != new->listens->len)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("cannot change the number of listen addresses on '%s' graphics"),
                           type);
    for (guint i = 0; i < is->listens->len; i++) {
        if (!qemuGraphicsUpdateListen(is->listens->pdata[i], new->listens->pdata[i], type, error))
            return false;
    }
    return true;
}

/* Ports that were chosen at start are no part of a request; those it names are compared. */
static void
qemuGraphicsInherit(virDevice *wanted, const virDevice *dev)
{
    const virGraphics *is = VIR_GRAPHICS(dev);
    virGraphics *new = VIR_GRAPHICS(wanted);

    if (is->type != new->type || !is->autoport || is->autoport != new->autoport)
        return;
    new->port = is->port;
    new->tlsPort = is->tlsPort;
}

static bool
qemuGraphicsUpdate(const virDevice *dev, const virDevice *wanted, const qemuBuildContext *ctx,
                   qmpPlan *plan, GError **error)
{
    const virGraphics *is = VIR_GRAPHICS(dev);
    const virGraphics *new = VIR_GRAPHICS(wanted);
    const char *type = virGraphicsTypeToString(is->type);
    bool spice = is->type == VIR_GRAPHICS_TYPE_SPICE;

    if (!spice && is->type != VIR_GRAPHICS_TYPE_VNC)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("unable to change config on '%s' graphics type"), type);
    if (!qemuGraphicsUpdateListens(is, new, error))
        return false;
    if (is->autoport != new->autoport ||
        (!new->autoport && (is->port != new->port || (spice && is->tlsPort != new->tlsPort))))
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("cannot change port settings on %s graphics"), type);
    if (g_strcmp0(is->keymap, new->keymap) != 0)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("cannot change keymap setting on %s graphics"), type);
    if (g_strcmp0(is->passwd, new->passwd) != 0 || is->passwdValidTo || new->passwdValidTo ||
        is->connected != new->connected)
        qemuGraphicsPlanPassword(wanted, ctx->config, g_get_real_time() / G_USEC_PER_SEC, plan);
    return true;
}

const virDeviceQemu virGraphicsQemu = {
    .kind = &virGraphicsKind,
    .check = qemuGraphicsCheck,
    .touches = qemuGraphicsTouches,
    .claim = qemuGraphicsClaim,
    .build = qemuGraphicsBuild,
    .afterStart = qemuGraphicsAfterStart,
    .inherit = qemuGraphicsInherit,
    .update = qemuGraphicsUpdate,
    .hotpluggable = qemuDeviceNeverHotpluggable,
};
