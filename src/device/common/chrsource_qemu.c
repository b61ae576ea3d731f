/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * chrsource_qemu.c: see chrsource_qemu.h. The members are those of the command line; qmp/chardev.c
 * makes of them what chardev-add wants. */
#include "device/common/chrsource_qemu.h"

#include <fcntl.h>
#include <string.h>

#include "util/virerror.h"
#include "util/virsecure.h"

static const char PTY_PREFIX[] = "pty:";

char *
qemuChrId(const virDevice *dev)
{
    return g_strdup_printf("char%s", dev->info.alias);
}

/* --- encryption of TCP --- */

void
qemuChrSourceClaim(virChrSource *source, const qemuBuildContext *ctx)
{
    if (source->type != VIR_CHR_TCP || source->tls != VIR_TRISTATE_ABSENT)
        return;
    source->tls = virTristateFromBool(ctx->config->chardevTLS);
    source->tlsFromConfig = true;
}

static bool
qemuChrUsesTLS(const virChrSource *source, const qemuBuildContext *ctx)
{
    if (source->type != VIR_CHR_TCP)
        return false;
    return source->tls == VIR_TRISTATE_YES ||
           (source->tls == VIR_TRISTATE_ABSENT && ctx->config->chardevTLS);
}

/* The password of the private key, readable only with the guest's master key. */
static char *
qemuChrBuildSecret(const char *id, const qemuBuildContext *ctx, qmpPlan *plan)
{
    const char *plain = ctx->config->chardevTLSPassword;
    g_autofree char *name = g_strdup_printf("%s-secret0", id);
    g_autofree char *iv = NULL;
    g_autofree char *data = NULL;
    virJSON *props;

    if (!plain || !ctx->config->encrypt)
        return NULL;
    data = ctx->config->encrypt(plain, strlen(plain), &iv, ctx->config->encryptOpaque);
    props = virJSONObject();
    virJSONAddString(props, "qom-type", "secret");
    virJSONAddString(props, "id", name);
    virJSONAddString(props, "data", data);
    virJSONAddString(props, "keyid", "masterKey0");
    virJSONAddString(props, "iv", iv);
    virJSONAddString(props, "format", "base64");
    qmpPlanObject(plan, props);
    return g_steal_pointer(&name);
}

/* The id of the credentials. */
static char *
qemuChrBuildTLS(const virChrSource *source, const char *id, const qemuBuildContext *ctx,
                qmpPlan *plan)
{
    g_autofree char *secret = qemuChrBuildSecret(id, ctx, plan);
    char *name = g_strdup_printf("obj%s_tls0", id);
    virJSON *props = virJSONObject();

    virJSONAddString(props, "qom-type", "tls-creds-x509");
    virJSONAddString(props, "id", name);
    virJSONAddString(props, "dir", ctx->config->chardevTLSDir);
    virJSONAddString(props, "endpoint", source->listen ? "server" : "client");
    /* a client always wants to know whom it talks to */
    virJSONAddBool(props, "verify-peer", !source->listen || ctx->config->chardevTLSVerify);
    virJSONAddString(props, "passwordid", secret);
    qmpPlanObject(plan, props);
    return name;
}

/* --- members of the chardev --- */

static void
qemuChrAddServer(const virChrSource *source, unsigned flags, virJSON *props)
{
    if (!source->listen)
        return;
    virJSONAddBool(props, "server", true);
    if (!(flags & QEMU_CHR_WAIT))
        virJSONAddBool(props, "wait", false);
}

static void
qemuChrAddReconnect(const virChrSource *source, virJSON *props)
{
    if (source->reconnect.enabled == VIR_TRISTATE_YES)
        virJSONAddUInt(props, "reconnect", source->reconnect.timeout);
    else if (source->reconnect.enabled == VIR_TRISTATE_NO)
        virJSONAddUInt(props, "reconnect", 0);
}

static void
qemuChrAddTCP(const virChrSource *source, const char *tls, unsigned flags, virJSON *props)
{
    virJSONAddString(props, "host", source->host);
    virJSONAddString(props, "port", source->service);
    if (source->protocol == VIR_CHR_PROTOCOL_TELNET)
        virJSONAddBool(props, "telnet", true);
    qemuChrAddServer(source, flags, props);
    virJSONAddString(props, "tls-creds", tls);
    qemuChrAddReconnect(source, props);
}

static void
qemuChrAddUDP(const virChrSource *source, virJSON *props)
{
    virJSONAddString(props, "host", source->host ? source->host : "");
    virJSONAddString(props, "port", source->service);
    if (!source->bindHost && !source->bindService && !source->service)
        return;
    virJSONAddString(props, "localaddr", source->bindHost ? source->bindHost : "");
    virJSONAddString(props, "localport", source->bindService ? source->bindService : "0");
}

static void
qemuChrAddUnix(const virChrSource *source, const virDevice *dev, unsigned flags,
               const qemuBuildContext *ctx, qmpPlan *plan, virJSON *props)
{
    qmpHostStep listen = {
        .type = QMP_HOST_LISTEN, .path = source->path, .alias = dev->info.alias, .fds = 1};

    if (source->listen && !(flags & QEMU_CHR_WAIT) &&
        qmpCapsHas(ctx->caps, QMP_CAPS_CHARDEV_FD_PASS)) {
        g_autofree char *fd = qmpPlanFdToken(plan, qmpPlanHost(plan, &listen), 0);

        virJSONAddString(props, "fd", fd);
    } else {
        virJSONAddString(props, "path", source->path);
    }
    qemuChrAddServer(source, flags, props);
    qemuChrAddReconnect(source, props);
}

/* The path, or, where QEMU may not open files, the descriptor of a file that we opened. */
static void
qemuChrAddFile(const char *member, const char *appendMember, const char *path, virTristate append,
               const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, virJSON *props)
{
    qmpHostStep log = {.type = QMP_HOST_LOG,
                       .path = (char *)path,
                       .flags = append == VIR_TRISTATE_YES ? 0 : O_TRUNC,
                       .alias = dev->info.alias,
                       .fds = 1,
                       .pass = true};

    if (ctx->config->stdioLogd) {
        g_autofree char *set = qmpPlanFdToken(plan, qmpPlanHost(plan, &log), 0);

        virJSONAddString(props, member, set);
        virJSONAddBool(props, appendMember, true);
        return;
    }
    virJSONAddString(props, member, path);
    virJSONAddTristate(props, appendMember, append);
}

static void
qemuChrAddVdagent(const virChrSource *source, virJSON *props)
{
    virJSONAddString(props, "name", "vdagent");
    virJSONAddTristate(props, "clipboard", source->clipboard);
    if (source->mouse != VIR_CHR_MOUSE_DEFAULT)
        virJSONAddBool(props, "mouse", source->mouse == VIR_CHR_MOUSE_CLIENT);
}

/* QEMU's name of the back end. */
static const char *
qemuChrBackend(const virChrSource *source, const virDevice *dev)
{
    switch ((virChrType)source->type) {
    case VIR_CHR_DEV:
        return g_str_equal(dev->kind->element, "parallel") ? "parport" : "tty";
    case VIR_CHR_TCP:
    case VIR_CHR_UNIX:
        return "socket";
    default:
        return virChrTypeToString(source->type);
    }
}

/* What only turns out when the guest starts: a definition may be older than its QEMU. */
static bool
qemuChrNotWithBinary(int type, GError **error)
{
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                       _("chardev '%s' not supported in this QEMU binary"),
                       virChrTypeToString(type));
}

static bool
qemuChrStartCheck(const virChrSource *source, const qmpCaps *caps, GError **error)
{
    bool spice = source->type == VIR_CHR_SPICEVMC || source->type == VIR_CHR_SPICEPORT;

    if (source->type == VIR_CHR_NMDM)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("unsupported chardev '%s'"),
                           virChrTypeToString(source->type));
    if (spice && !qmpCapsHas(caps, QMP_CAPS_SPICE))
        return qemuChrNotWithBinary(source->type, error);
    return true;
}

bool
qemuChrSourceBuild(const virChrSource *source, const virDevice *dev, const char *id,
                   const char *spicevmc, unsigned flags, const qemuBuildContext *ctx, qmpPlan *plan,
                   GError **error)
{
    g_autofree char *tls = NULL;
    g_autoptr(virJSON) props = NULL;

    if (!qemuChrStartCheck(source, ctx->caps, error))
        return false;
    if (qemuChrUsesTLS(source, ctx))
        tls = qemuChrBuildTLS(source, id, ctx, plan);
    props = virJSONObject();
    virJSONAddString(props, "backend", qemuChrBackend(source, dev));
    virJSONAddString(props, "id", id);
    switch ((virChrType)source->type) {
    case VIR_CHR_DEV:
    case VIR_CHR_PIPE:
        virJSONAddString(props, "path", source->path);
        break;
    case VIR_CHR_FILE:
        qemuChrAddFile("path", "append", source->path, source->append, dev, ctx, plan, props);
        break;
    case VIR_CHR_UDP:
        qemuChrAddUDP(source, props);
        break;
    case VIR_CHR_TCP:
        qemuChrAddTCP(source, tls, flags, props);
        break;
    case VIR_CHR_UNIX:
        qemuChrAddUnix(source, dev, flags, ctx, plan, props);
        break;
    case VIR_CHR_SPICEVMC:
        virJSONAddString(props, "name", spicevmc);
        break;
    case VIR_CHR_SPICEPORT:
    case VIR_CHR_DBUS:
        virJSONAddString(props, "name", source->channel);
        break;
    case VIR_CHR_QEMU_VDAGENT:
        qemuChrAddVdagent(source, props);
        break;
    default:
        break;
    }
    if (source->logFile)
        qemuChrAddFile("logfile", "logappend", source->logFile, source->logAppend, dev, ctx, plan,
                       props);
    qmpPlanChardev(plan, g_steal_pointer(&props));
    return true;
}

/* --- checking --- */

static bool
qemuChrReconnectCheck(const virChrSource *source, GError **error)
{
    if (source->reconnect.enabled != VIR_TRISTATE_YES || source->reconnect.timeout > 0)
        return true;
    return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s",
                       _("chardev reconnect source timeout cannot be '0'"));
}

bool
qemuChrSourceCheck(const virChrSource *source, const qmpCaps *caps, GError **error)
{
    switch ((virChrType)source->type) {
    case VIR_CHR_TCP:
    case VIR_CHR_UNIX:
        if (!qemuChrReconnectCheck(source, error))
            return false;
        break;
    case VIR_CHR_QEMU_VDAGENT:
        if (!qmpCapsHas(caps, QMP_CAPS_CHARDEV_VDAGENT))
            return qemuChrNotWithBinary(source->type, error);
        break;
    case VIR_CHR_DBUS:
        if (!qmpCapsHas(caps, QMP_CAPS_DISPLAY_DBUS))
            return qemuChrNotWithBinary(source->type, error);
        break;
    case VIR_CHR_NMDM:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("unsupported chardev '%s'"),
                           virChrTypeToString(source->type));
    default:
        break;
    }
    if (source->logFile && !qmpCapsHas(caps, QMP_CAPS_CHARDEV_LOGFILE))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("logfile not supported in this QEMU binary"));
    return true;
}

/* --- what it opens --- */

static void
qemuChrTouch(const virDevice *dev, const char *path, bool node, bool optional, virHostAccess *out)
{
    virHostResource *resource = virHostAccessAdd(out, dev, path, VIR_HOST_READ | VIR_HOST_WRITE);

    resource->node = node;
    resource->own = true;
    resource->optional = optional;
}

/* A pipe is one FIFO, or a pair NAME.in and NAME.out. */
static void
qemuChrTouchPipe(const virDevice *dev, const char *path, virHostAccess *out)
{
    g_autofree char *in = g_strconcat(path, ".in", NULL);
    g_autofree char *back = g_strconcat(path, ".out", NULL);

    qemuChrTouch(dev, in, false, true, out);
    qemuChrTouch(dev, back, false, true, out);
    qemuChrTouch(dev, path, false, true, out);
}

void
qemuChrSourceTouches(const virChrSource *source, const virDevice *dev, const qemuBuildContext *ctx,
                     virHostAccess *out)
{
    switch ((virChrType)source->type) {
    case VIR_CHR_DEV:
        qemuChrTouch(dev, source->path, true, false, out);
        break;
    case VIR_CHR_FILE:
        qemuChrTouch(dev, source->path, true, true, out);
        break;
    case VIR_CHR_PIPE:
        qemuChrTouchPipe(dev, source->path, out);
        break;
    case VIR_CHR_UNIX: /* a socket that is listened on is not there yet */
        if (source->path && !source->listen)
            qemuChrTouch(dev, source->path, false, true, out);
        break;
    default:
        break;
    }
    if (source->logFile)
        qemuChrTouch(dev, source->logFile, false, true, out);
}

/* --- what a running QEMU says --- */

static virJSON *
qemuChrFind(virJSON *chardevs, const char *id)
{
    for (size_t i = 0; i < virJSONLength(chardevs); i++) {
        virJSON *chardev = virJSONAt(chardevs, i);

        if (g_strcmp0(virJSONGetString(chardev, "label"), id) == 0)
            return chardev;
    }
    return NULL;
}

char *
qemuChrPtyPath(virJSON *chardevs, const char *id)
{
    virJSON *chardev = qemuChrFind(chardevs, id);
    const char *file = chardev ? virJSONGetString(chardev, "filename") : NULL;

    if (!file || !g_str_has_prefix(file, PTY_PREFIX))
        return NULL;
    return g_strdup(file + strlen(PTY_PREFIX));
}

void
qemuChrSourceLearn(virChrSource *source, const virDevice *dev, const char *command, virJSON *reply)
{
    g_autofree char *id = qemuChrId(dev);
    g_autofree char *path = NULL;

    if (source->type != VIR_CHR_PTY ||
        (!g_str_equal(command, "query-chardev") && !g_str_equal(command, "chardev-add")))
        return;
    path = qemuChrPtyPath(reply, id);
    if (!path)
        return;
    g_free(source->path);
    source->path = g_steal_pointer(&path);
}

virTristate
qemuChrIsOpen(virJSON *chardevs, const char *id)
{
    virJSON *chardev = qemuChrFind(chardevs, id);

    if (!chardev || !virJSONGet(chardev, "frontend-open"))
        return VIR_TRISTATE_ABSENT;
    return virTristateFromBool(virJSONGetBool(chardev, "frontend-open", false));
}
