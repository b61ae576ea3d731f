/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * protocol_qemu.c: where an image is, driver by driver. */
#include "device/disk/protocol_qemu.h"

#include <string.h>

#include "util/virerror.h"
#include "util/virscale.h"

typedef struct {
    const virDisk *disk;
    const virStorageSource *src;
    unsigned flags;
} qemuProtocol;

static bool
qemuProtocolIsRun(const qemuProtocol *at)
{
    return !(at->flags & QEMU_PROTOCOL_TARGET_ONLY);
}

/* --- files --- */

static virJSON *
qemuProtocolFile(const qemuProtocol *at)
{
    const virStorageSource *src = at->src;
    virJSON *props = virJSONObject();
    const char *driver = "file";

    if (virStorageSourceActualType(src) == VIR_STORAGE_TYPE_BLOCK)
        driver = src->run.hostCdrom ? "host_cdrom" : "host_device";
    virJSONAddString(props, "driver", driver);
    virJSONAddString(props, "filename", src->path);
    if (!qemuProtocolIsRun(at))
        return props;
    if (at->disk && at->disk->io != VIR_DISK_IO_DEFAULT)
        virJSONAddString(props, "aio", virDiskIOToString(at->disk->io));
    if (src->reservations)
        virJSONAddString(props, "pr-manager", src->reservations->managerAlias);
    return props;
}

static virJSON *
qemuProtocolVVFAT(const qemuProtocol *at)
{
    virJSON *props = virJSONObject();

    virJSONAddString(props, "driver", "vvfat");
    virJSONAddString(props, "dir", at->src->path);
    virJSONAddBool(props, "floppy", at->disk && at->disk->device == VIR_DISK_DEVICE_FLOPPY);
    if (qemuProtocolIsRun(at))
        virJSONAddBool(props, "rw", !at->src->readonly);
    return props;
}

static virJSON *
qemuProtocolNVMe(const qemuProtocol *at)
{
    g_autofree char *address = virPCIAddressToString(&at->src->nvme);
    virJSON *props = virJSONObject();

    virJSONAddString(props, "driver", "nvme");
    virJSONAddString(props, "device", address);
    virJSONAddUInt(props, "namespace", at->src->nvmeNamespace);
    return props;
}

/* --- servers --- */

static virJSON *
qemuProtocolServer(const virStorageHost *host, bool legacy)
{
    virJSON *props = virJSONObject();

    if (host->transport == VIR_STORAGE_TRANSPORT_UNIX) {
        virJSONAddString(props, "type", "unix");
        virJSONAddString(props, legacy ? "socket" : "path", host->socket);
        return props;
    }
    virJSONAddString(props, "type", legacy ? "tcp" : "inet");
    virJSONAddString(props, "host", host->name);
    virJSONAddStringF(props, "port", "%u", host->port);
    return props;
}

/* Where the driver knows one kind of server only. */
static virJSON *
qemuProtocolPlainServer(const virStorageHost *host)
{
    virJSON *props = virJSONObject();

    virJSONAddString(props, "host", host->name);
    virJSONAddStringF(props, "port", "%u", host->port);
    return props;
}

static const virStorageHost *
qemuProtocolOnlyHost(const virStorageSource *src, GError **error)
{
    if (src->hosts && src->hosts->len == 1)
        return g_ptr_array_index(src->hosts, 0);
    virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("%s protocol accepts only one host"),
                virStorageProtocolToString(src->protocol));
    return NULL;
}

static virJSON *
qemuProtocolGluster(const qemuProtocol *at, GError **error)
{
    const virStorageSource *src = at->src;
    bool legacy = at->flags & QEMU_PROTOCOL_LEGACY;
    virJSON *props = virJSONObject();
    virJSON *servers = json_object_new_array();

    for (guint i = 0; src->hosts && i < src->hosts->len; i++)
        json_object_array_add(servers,
                              qemuProtocolServer(g_ptr_array_index(src->hosts, i), legacy));
    virJSONAddString(props, "driver", "gluster");
    virJSONAddString(props, "volume", src->volume);
    virJSONAddString(props, "path", src->path);
    virJSONAddValue(props, "server", servers);
    if (qemuProtocolIsRun(at))
        virJSONAddPositive(props, "debug", src->run.glusterDebug);
    return props;
}

static virJSON *
qemuProtocolNBD(const qemuProtocol *at, GError **error)
{
    const virStorageSource *src = at->src;
    const virStorageHost *host = qemuProtocolOnlyHost(src, error);
    virJSON *props;

    if (!host)
        return NULL;
    props = virJSONObject();
    virJSONAddString(props, "driver", "nbd");
    virJSONAddValue(props, "server", qemuProtocolServer(host, false));
    virJSONAddString(props, "export", src->path);
    if (!qemuProtocolIsRun(at))
        return props;
    virJSONAddString(props, "tls-creds", src->run.tlsAlias);
    virJSONAddString(props, "tls-hostname", src->tlsHostname);
    if (src->reconnectDelay.set)
        virJSONAddUInt(props, "reconnect-delay", src->reconnectDelay.value);
    return props;
}

static virJSON *
qemuProtocolRBDEncrypt(const virStorageSource *src)
{
    virJSON *encrypt;

    if (!src->encryption || src->encryption->engine != VIR_ENCRYPTION_ENGINE_LIBRBD)
        return NULL;
    encrypt = virJSONObject();
    virJSONAddString(encrypt, "format", virEncryptionFormatToString(src->encryption->format));
    virJSONAddString(encrypt, "key-secret", src->run.encryptionSecret);
    return encrypt;
}

static void
qemuProtocolRBDAuth(const virStorageSource *src, virJSON *props)
{
    virJSON *kinds;

    if (!src->auth)
        return;
    kinds = json_object_new_array();
    json_object_array_add(kinds, json_object_new_string("cephx"));
    json_object_array_add(kinds, json_object_new_string("none"));
    virJSONAddString(props, "user", src->auth->username);
    virJSONAddValue(props, "auth-client-required", kinds);
    virJSONAddString(props, "key-secret", src->run.authSecret);
}

static virJSON *
qemuProtocolRBD(const qemuProtocol *at)
{
    const virStorageSource *src = at->src;
    virJSON *props = virJSONObject();
    virJSON *servers = NULL;

    for (guint i = 0; src->hosts && i < src->hosts->len; i++) {
        if (!servers)
            servers = json_object_new_array();
        json_object_array_add(servers, qemuProtocolPlainServer(g_ptr_array_index(src->hosts, i)));
    }
    virJSONAddString(props, "driver", "rbd");
    virJSONAddString(props, "pool", src->volume);
    virJSONAddString(props, "image", src->path);
    virJSONAddString(props, "snapshot", src->snapshot);
    virJSONAddString(props, "conf", src->configFile);
    virJSONAddValue(props, "server", servers);
    if (!qemuProtocolIsRun(at))
        return props;
    virJSONAddValue(props, "encrypt", qemuProtocolRBDEncrypt(src));
    qemuProtocolRBDAuth(src, props);
    return props;
}

static virJSON *
qemuProtocolISCSI(const qemuProtocol *at, GError **error)
{
    const virStorageSource *src = at->src;
    const virStorageHost *host = qemuProtocolOnlyHost(src, error);
    const char *slash = strrchr(src->path, '/');
    g_autofree char *target = NULL;
    uint64_t lun = 0;
    virJSON *props;

    if (!host)
        return NULL;
    if (slash && !virStringToUInt(slash + 1, UINT32_MAX, &lun)) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("cannot parse target for lunStr '%s'"),
                    slash + 1);
        return NULL;
    }
    target = slash ? g_strndup(src->path, slash - src->path) : g_strdup(src->path);
    props = virJSONObject();
    virJSONAddString(props, "driver", "iscsi");
    virJSONAddStringF(props, "portal", strchr(host->name, ':') ? "[%s]:%u" : "%s:%u", host->name,
                      host->port);
    virJSONAddString(props, "target", target);
    virJSONAddUInt(props, "lun", lun);
    virJSONAddString(props, "transport", "tcp");
    if (!qemuProtocolIsRun(at))
        return props;
    if (src->auth) {
        virJSONAddString(props, "user", src->auth->username);
        virJSONAddString(props, "password-secret", src->run.authSecret);
    }
    virJSONAddString(props, "initiator-name", src->initiator);
    return props;
}

static virJSON *
qemuProtocolVxHS(const qemuProtocol *at, GError **error)
{
    const virStorageHost *host = qemuProtocolOnlyHost(at->src, error);
    virJSON *props;

    if (!host)
        return NULL;
    props = virJSONObject();
    virJSONAddString(props, "driver", "vxhs");
    if (qemuProtocolIsRun(at))
        virJSONAddString(props, "tls-creds", at->src->run.tlsAlias);
    virJSONAddString(props, "vdisk-id", at->src->path);
    virJSONAddValue(props, "server", qemuProtocolPlainServer(host));
    return props;
}

static virJSON *
qemuProtocolSheepdog(const qemuProtocol *at, GError **error)
{
    const virStorageHost *host = qemuProtocolOnlyHost(at->src, error);
    virJSON *props;

    if (!host)
        return NULL;
    props = virJSONObject();
    virJSONAddString(props, "driver", "sheepdog");
    virJSONAddValue(props, "server", qemuProtocolServer(host, false));
    virJSONAddString(props, "vdi", at->src->path);
    return props;
}

static virJSON *
qemuProtocolSSH(const qemuProtocol *at, GError **error)
{
    const virStorageHost *host = qemuProtocolOnlyHost(at->src, error);
    virJSON *props;

    if (!host)
        return NULL;
    props = virJSONObject();
    virJSONAddString(props, "driver", "ssh");
    virJSONAddString(props, "path", at->src->path);
    virJSONAddValue(props, "server", qemuProtocolPlainServer(host));
    if (at->src->auth)
        virJSONAddString(props, "user", at->src->auth->username);
    return props;
}

static virJSON *
qemuProtocolNFS(const qemuProtocol *at, GError **error)
{
    const virStorageHost *host = qemuProtocolOnlyHost(at->src, error);
    virJSON *props;
    virJSON *server;

    if (!host)
        return NULL;
    server = virJSONObject();
    virJSONAddString(server, "host", host->name);
    virJSONAddString(server, "type", "inet");
    props = virJSONObject();
    virJSONAddString(props, "driver", "nfs");
    virJSONAddValue(props, "server", server);
    virJSONAddString(props, "path", at->src->path);
    return props;
}

/* --- the web --- */

char *
qemuProtocolCookies(const virStorageSource *src)
{
    GString *text;

    if (!src->cookies || src->cookies->len == 0)
        return NULL;
    text = g_string_new(NULL);
    for (guint i = 0; i < src->cookies->len; i++) {
        const virStorageCookie *cookie = g_ptr_array_index(src->cookies, i);

        g_string_append_printf(text, "%s%s=%s", i ? "; " : "", cookie->name, cookie->value);
    }
    return g_string_free(text, FALSE);
}

static virJSON *
qemuProtocolWeb(const qemuProtocol *at, GError **error)
{
    const virStorageSource *src = at->src;
    g_autofree char *uri = NULL;
    virJSON *props;

    if (!qemuProtocolOnlyHost(src, error))
        return NULL;
    uri = qemuProtocolURI(src);
    props = virJSONObject();
    virJSONAddString(props, "driver", virStorageProtocolToString(src->protocol));
    virJSONAddString(props, "url", uri);
    if (qemuProtocolIsRun(at) && src->auth) {
        virJSONAddString(props, "username", src->auth->username);
        virJSONAddString(props, "password-secret", src->run.authSecret);
    }
    virJSONAddTristate(props, "sslverify", src->sslVerify);
    if (qemuProtocolIsRun(at)) {
        virJSONAddString(props, "cookie-secret", src->run.cookieSecret);
    } else {
        g_autofree char *cookies = qemuProtocolCookies(src);

        virJSONAddString(props, "cookie", cookies);
    }
    virJSONAddPositive(props, "timeout", src->timeout.value);
    virJSONAddPositive(props, "readahead", src->readahead.value);
    return props;
}

/* --- all --- */

static virJSON *
qemuProtocolNetwork(const qemuProtocol *at, GError **error)
{
    switch (at->src->protocol) {
    case VIR_STORAGE_PROTOCOL_NBD:
        return qemuProtocolNBD(at, error);
    case VIR_STORAGE_PROTOCOL_RBD:
        return qemuProtocolRBD(at);
    case VIR_STORAGE_PROTOCOL_SHEEPDOG:
        return qemuProtocolSheepdog(at, error);
    case VIR_STORAGE_PROTOCOL_GLUSTER:
        return qemuProtocolGluster(at, error);
    case VIR_STORAGE_PROTOCOL_ISCSI:
        return qemuProtocolISCSI(at, error);
    case VIR_STORAGE_PROTOCOL_HTTP:
    case VIR_STORAGE_PROTOCOL_HTTPS:
    case VIR_STORAGE_PROTOCOL_FTP:
    case VIR_STORAGE_PROTOCOL_FTPS:
    case VIR_STORAGE_PROTOCOL_TFTP:
        return qemuProtocolWeb(at, error);
    case VIR_STORAGE_PROTOCOL_SSH:
        return qemuProtocolSSH(at, error);
    case VIR_STORAGE_PROTOCOL_VXHS:
        return qemuProtocolVxHS(at, error);
    case VIR_STORAGE_PROTOCOL_NFS:
        return qemuProtocolNFS(at, error);
    default:
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("unexpected disk protocol %d"),
                    at->src->protocol);
        return NULL;
    }
}

virJSON *
qemuProtocolProps(const virDisk *disk, const virStorageSource *src, unsigned flags, GError **error)
{
    const qemuProtocol at = {disk, src, flags};

    switch (virStorageSourceActualType(src)) {
    case VIR_STORAGE_TYPE_FILE:
    case VIR_STORAGE_TYPE_BLOCK:
        return qemuProtocolFile(&at);
    case VIR_STORAGE_TYPE_DIR:
        return qemuProtocolVVFAT(&at);
    case VIR_STORAGE_TYPE_NVME:
        return qemuProtocolNVMe(&at);
    case VIR_STORAGE_TYPE_NETWORK:
        return qemuProtocolNetwork(&at, error);
    case VIR_STORAGE_TYPE_VOLUME:
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                    _("storage source pool '%s' volume '%s' is not translated"), src->pool,
                    src->poolVolume);
        return NULL;
    default:
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                    _("unable to create blockdev props for vhostuser disk type"));
        return NULL;
    }
}

/* --- as one string --- */

static char *
qemuProtocolHostPart(const virStorageHost *host)
{
    bool bracket = strchr(host->name, ':') != NULL;

    if (host->port == 0)
        return g_strdup_printf(bracket ? "[%s]" : "%s", host->name);
    return g_strdup_printf(bracket ? "[%s]:%u" : "%s:%u", host->name, host->port);
}

static char *
qemuProtocolURIPath(const virStorageSource *src)
{
    if (src->volume)
        return g_strconcat("/", src->volume, "/", src->path, NULL);
    if (!src->path)
        return g_strdup("");
    return g_strconcat(src->path[0] == '/' ? "" : "/", src->path, NULL);
}

char *
qemuProtocolURI(const virStorageSource *src)
{
    const virStorageHost *host;
    const char *scheme = virStorageProtocolToString(src->protocol);
    g_autofree char *path = NULL;
    g_autofree char *server = NULL;

    if (!src->hosts || src->hosts->len != 1)
        return NULL;
    host = g_ptr_array_index(src->hosts, 0);
    path = qemuProtocolURIPath(src);
    if (host->transport == VIR_STORAGE_TRANSPORT_UNIX)
        return g_strdup_printf("%s+unix://%s?socket=%s", scheme, path, host->socket);
    server = qemuProtocolHostPart(host);
    return g_strdup_printf("%s%s://%s%s%s%s", scheme,
                           host->transport == VIR_STORAGE_TRANSPORT_RDMA ? "+rdma" : "", server,
                           path, src->query ? "?" : "", src->query ? src->query : "");
}

/* A URI says all there is to be said of it. */
static bool
qemuProtocolFitsURI(const virStorageSource *src)
{
    if (src->hasSlice || src->sslVerify != VIR_TRISTATE_ABSENT || src->cookies ||
        src->timeout.set || src->readahead.set || src->initiator)
        return false;
    switch (src->protocol) {
    case VIR_STORAGE_PROTOCOL_NBD:
    case VIR_STORAGE_PROTOCOL_GLUSTER:
    case VIR_STORAGE_PROTOCOL_ISCSI:
    case VIR_STORAGE_PROTOCOL_HTTP:
    case VIR_STORAGE_PROTOCOL_HTTPS:
    case VIR_STORAGE_PROTOCOL_FTP:
    case VIR_STORAGE_PROTOCOL_FTPS:
    case VIR_STORAGE_PROTOCOL_TFTP:
        return src->hosts && src->hosts->len == 1;
    default:
        return false;
    }
}

static char *
qemuProtocolPlainBackingString(const virStorageSource *src)
{
    if (src->hasSlice)
        return NULL;
    switch (virStorageSourceActualType(src)) {
    case VIR_STORAGE_TYPE_FILE:
    case VIR_STORAGE_TYPE_BLOCK:
        return g_strdup(src->path);
    case VIR_STORAGE_TYPE_DIR:
        return g_strdup_printf("fat:%s", src->path);
    case VIR_STORAGE_TYPE_NETWORK:
        return qemuProtocolFitsURI(src) ? qemuProtocolURI(src) : NULL;
    default:
        return NULL;
    }
}

static virJSON *
qemuProtocolSlice(const virStorageSource *src, virJSON *props)
{
    virJSON *slice = virJSONObject();

    virJSONAddString(slice, "driver", "raw");
    virJSONAddUInt(slice, "offset", src->sliceOffset);
    virJSONAddUInt(slice, "size", src->sliceSize);
    virJSONAddValue(slice, "file", props);
    return slice;
}

char *
qemuProtocolBackingString(const virStorageSource *src, GError **error)
{
    char *plain = qemuProtocolPlainBackingString(src);
    g_autoptr(virJSON) whole = NULL;
    g_autofree char *text = NULL;
    virJSON *props;

    if (plain)
        return plain;
    if (!(props = qemuProtocolProps(NULL, src, QEMU_PROTOCOL_TARGET_ONLY, error)))
        return NULL;
    if (src->hasSlice)
        props = qemuProtocolSlice(src, props);
    whole = virJSONObject();
    virJSONAddValue(whole, "file", props);
    text = virJSONPrint(whole);
    return g_strconcat("json:", text, NULL);
}
