/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * source.c: holding, reading and writing one image: the element <source> in all its variants. */
#include "device/disk/source.h"

#include <inttypes.h>
#include <string.h>

#include "device/disk/sourceparts.h"
#include "util/virerror.h"
#include "util/virscale.h"

VIR_ENUM_IMPL(virStorageType, VIR_STORAGE_TYPE_LAST, "none", "file", "block", "dir", "network",
              "volume", "nvme", "vhostuser");
VIR_ENUM_IMPL(virStorageProtocol, VIR_STORAGE_PROTOCOL_LAST, "none", "nbd", "rbd", "sheepdog",
              "gluster", "iscsi", "http", "https", "ftp", "ftps", "tftp", "ssh", "vxhs", "nfs");
VIR_ENUM_IMPL(virStorageTransport, VIR_STORAGE_TRANSPORT_LAST, "tcp", "unix", "rdma");
VIR_ENUM_IMPL(virStorageVolumeMode, VIR_STORAGE_VOLUME_MODE_LAST, "default", "host", "direct");

/* --- holding --- */

static void
virStorageHostFree(void *opaque)
{
    virStorageHost *host = opaque;

    g_free(host->name);
    g_free(host->socket);
    g_free(host);
}

static void
virStorageCookieFree(void *opaque)
{
    virStorageCookie *cookie = opaque;

    g_free(cookie->name);
    g_free(cookie->value);
    g_free(cookie);
}

GPtrArray *
virStorageHostsNew(void)
{
    return g_ptr_array_new_with_free_func(virStorageHostFree);
}

void
virStorageCookieAdd(virStorageSource *src, const char *name, const char *value)
{
    virStorageCookie *cookie = g_new0(virStorageCookie, 1);

    cookie->name = g_strdup(name);
    cookie->value = g_strdup(value);
    if (!src->cookies)
        src->cookies = g_ptr_array_new_with_free_func(virStorageCookieFree);
    g_ptr_array_add(src->cookies, cookie);
}

virStorageSource *
virStorageSourceNew(void)
{
    return g_new0(virStorageSource, 1);
}

static void
virStorageSourceClearOne(virStorageSource *src)
{
    g_free(src->path);
    g_free(src->volume);
    g_free(src->snapshot);
    g_free(src->configFile);
    g_free(src->query);
    g_free(src->tlsHostname);
    g_clear_pointer(&src->hosts, g_ptr_array_unref);
    g_free(src->initiator);
    g_clear_pointer(&src->cookies, g_ptr_array_unref);
    g_free(src->nfsUser);
    g_free(src->nfsGroup);
    g_free(src->pool);
    g_free(src->poolVolume);
    g_clear_pointer(&src->seclabels, g_ptr_array_unref);
    virStorageAuthFree(src->auth);
    virStorageEncryptionFree(src->encryption);
    virStorageReservationsFree(src->reservations);
    virStorageRuntimeClear(&src->run);
}

void
virStorageSourceFree(virStorageSource *src)
{
    while (src) {
        virStorageSource *backing = src->backing;

        virStorageSourceClearOne(src);
        g_free(src);
        src = backing;
    }
}

void
virStorageSourceClear(virStorageSource *src)
{
    virStorageSourceFree(src->backing);
    virStorageSourceClearOne(src);
    memset(src, 0, sizeof(*src));
}

bool
virStorageSourceIsBacking(const virStorageSource *src)
{
    return src && src->type != VIR_STORAGE_TYPE_NONE;
}

bool
virStorageSourceIsEmpty(const virStorageSource *src)
{
    switch (src->type) {
    case VIR_STORAGE_TYPE_NONE:
        return true;
    case VIR_STORAGE_TYPE_FILE:
    case VIR_STORAGE_TYPE_BLOCK:
    case VIR_STORAGE_TYPE_DIR:
        return !src->path;
    case VIR_STORAGE_TYPE_NETWORK:
        return src->protocol == VIR_STORAGE_PROTOCOL_NONE;
    default:
        return false;
    }
}

bool
virStorageSourceIsLocal(const virStorageSource *src)
{
    return src->type == VIR_STORAGE_TYPE_FILE || src->type == VIR_STORAGE_TYPE_BLOCK ||
           src->type == VIR_STORAGE_TYPE_DIR;
}

int
virStorageSourceActualType(const virStorageSource *src)
{
    if (src->type == VIR_STORAGE_TYPE_VOLUME && src->run.volumeType != VIR_STORAGE_TYPE_NONE)
        return src->run.volumeType;
    return src->type;
}

bool
virStorageSourceIsLUKS(const virStorageSource *src)
{
    return src->format == VIR_STORAGE_FORMAT_RAW && src->encryption &&
           src->encryption->engine != VIR_ENCRYPTION_ENGINE_LIBRBD &&
           src->encryption->format == VIR_ENCRYPTION_FORMAT_LUKS;
}

static bool
virStorageHostsEqual(const GPtrArray *a, const GPtrArray *b)
{
    guint count = a ? a->len : 0;

    if (count != (b ? b->len : 0))
        return false;
    for (guint i = 0; i < count; i++) {
        const virStorageHost *was = g_ptr_array_index(a, i);
        const virStorageHost *is = g_ptr_array_index(b, i);

        if (was->transport != is->transport || was->port != is->port ||
            g_strcmp0(was->name, is->name) != 0 || g_strcmp0(was->socket, is->socket) != 0)
            return false;
    }
    return true;
}

bool
virStorageSourceSameLocation(const virStorageSource *a, const virStorageSource *b)
{
    if (virStorageSourceIsEmpty(a) && virStorageSourceIsEmpty(b))
        return true;
    if (a->type != b->type || g_strcmp0(a->path, b->path) != 0)
        return false;
    switch (a->type) {
    case VIR_STORAGE_TYPE_NETWORK:
        return a->protocol == b->protocol && g_strcmp0(a->volume, b->volume) == 0 &&
               g_strcmp0(a->snapshot, b->snapshot) == 0 && virStorageHostsEqual(a->hosts, b->hosts);
    case VIR_STORAGE_TYPE_VOLUME:
        return g_strcmp0(a->pool, b->pool) == 0 && g_strcmp0(a->poolVolume, b->poolVolume) == 0;
    case VIR_STORAGE_TYPE_NVME:
        return memcmp(&a->nvme, &b->nvme, sizeof(a->nvme)) == 0 &&
               a->nvmeNamespace == b->nvmeNamespace;
    default:
        return true;
    }
}

static char *
virStorageSourceNetworkName(const virStorageSource *src)
{
    if (!src->volume)
        return g_strdup(src->path);
    return g_strconcat(src->volume, "/", src->path, NULL);
}

char *
virStorageSourceName(const virStorageSource *src)
{
    if (src->type == VIR_STORAGE_TYPE_NETWORK)
        return virStorageSourceNetworkName(src);
    if (src->type == VIR_STORAGE_TYPE_VOLUME)
        return NULL;
    return g_strdup(src->path);
}

/* --- reading --- */

static bool
virStorageHostParse(virStorageHost *host, const xmlNode *node, GError **error)
{
    g_autofree char *transport = virXMLAttr(node, "transport");
    g_autofree char *port = virXMLAttr(node, "port");
    uint64_t number;

    if (transport && (host->transport = virStorageTransportFromString(transport)) < 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("unknown protocol transport type '%s'"), transport);
    host->socket = virXMLAttr(node, "socket");
    if (host->transport == VIR_STORAGE_TRANSPORT_UNIX)
        return host->socket ||
               virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("missing socket for unix transport"));
    if (host->socket)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("transport '%s' does not support socket attribute"), transport);
    if (!(host->name = virXMLAttr(node, "name")))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("missing name for host"));
    if (!port)
        return true;
    if (!virStringToUInt(port, UINT32_MAX, &number))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("failed to parse port number '%s'"), port);
    if (number > UINT16_MAX)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("port '%s' out of range"), port);
    host->port = (unsigned)number;
    return true;
}

unsigned
virStorageProtocolPort(int protocol)
{
    static const unsigned ports[VIR_STORAGE_PROTOCOL_LAST] = {
        [VIR_STORAGE_PROTOCOL_NBD] = 10809,     [VIR_STORAGE_PROTOCOL_SHEEPDOG] = 7000,
        [VIR_STORAGE_PROTOCOL_GLUSTER] = 24007, [VIR_STORAGE_PROTOCOL_ISCSI] = 3260,
        [VIR_STORAGE_PROTOCOL_HTTP] = 80,       [VIR_STORAGE_PROTOCOL_HTTPS] = 443,
        [VIR_STORAGE_PROTOCOL_FTP] = 21,        [VIR_STORAGE_PROTOCOL_FTPS] = 990,
        [VIR_STORAGE_PROTOCOL_TFTP] = 69,       [VIR_STORAGE_PROTOCOL_SSH] = 22,
        [VIR_STORAGE_PROTOCOL_VXHS] = 9999,     [VIR_STORAGE_PROTOCOL_NFS] = 2049,
    };

    return ports[protocol];
}

static bool
virStorageHostsParse(virStorageSource *src, const xmlNode *node, GError **error)
{
    virXMLForEachChildNamed (node, child, "host") {
        virStorageHost *host = g_new0(virStorageHost, 1);

        if (!src->hosts)
            src->hosts = virStorageHostsNew();
        g_ptr_array_add(src->hosts, host);
        if (!virStorageHostParse(host, child, error))
            return false;
        if (host->transport == VIR_STORAGE_TRANSPORT_TCP && host->port == 0)
            host->port = virStorageProtocolPort(src->protocol);
    }
    return true;
}

static bool
virStorageCookiesParse(virStorageSource *src, const xmlNode *node, GError **error)
{
    xmlNode *cookies = virXMLFirstChild(node, "cookies");

    if (!cookies)
        return true;
    src->cookies = g_ptr_array_new_with_free_func(virStorageCookieFree);
    virXMLForEachChildNamed (cookies, child, "cookie") {
        virStorageCookie *cookie = g_new0(virStorageCookie, 1);

        g_ptr_array_add(src->cookies, cookie);
        if (!(cookie->name = virXMLAttr(child, "name")))
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("missing cookie name"));
        if (!(cookie->value = virXMLText(child)) || !*cookie->value)
            return virErrorSet(error, VIR_ERR_XML_ERROR, _("missing value for cookie '%s'"),
                               cookie->name);
    }
    return true;
}

/* "pool/image" and "volume/dir/image" stand in one attribute */
static bool
virStorageSourceSplitName(virStorageSource *src, GError **error)
{
    char *slash = strchr(src->path, '/');

    if (!slash || slash == src->path)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("can't split path '%s' into pool name and image name"), src->path);
    src->volume = g_strndup(src->path, slash - src->path);
    memmove(src->path, slash + 1, strlen(slash));
    return true;
}

/* Rows of network sources; where the element is not of the protocol it is passed over as libvirt
 * does. */
static const virField networkFields[] = {
    VIR_FIELD_ENUM("@protocol", virStorageSource, protocol, virStorageProtocolNames,
                   .flags = VIR_FIELD_REQUIRED),
    VIR_FIELD_STRING("@name", virStorageSource, path),
    VIR_FIELD_YESNO("@tls", virStorageSource, tls),
    VIR_FIELD_STRING("@tlsHostname", virStorageSource, tlsHostname),
    VIR_FIELD_STRING("snapshot@name", virStorageSource, snapshot),
    VIR_FIELD_STRING("config@file", virStorageSource, configFile),
    VIR_FIELD_UINT("reconnect@delay", virStorageSource, reconnectDelay, 1, UINT32_MAX),
    VIR_FIELD_END,
};

static const virField initiatorFields[] = {
    VIR_FIELD_STRING("initiator/iqn@name", virStorageSource, initiator),
    VIR_FIELD_END,
};

static const virField webFields[] = {
    VIR_FIELD_STRING("@query", virStorageSource, query),
    VIR_FIELD_YESNO("ssl@verify", virStorageSource, sslVerify),
    VIR_FIELD_UINT("readahead@size", virStorageSource, readahead, 1, UINT64_MAX),
    VIR_FIELD_UINT("timeout@seconds", virStorageSource, timeout, 1, UINT64_MAX),
    VIR_FIELD_END,
};

static const virField nfsFields[] = {
    VIR_FIELD_STRING("identity@user", virStorageSource, nfsUser),
    VIR_FIELD_STRING("identity@group", virStorageSource, nfsGroup),
    VIR_FIELD_END,
};

static bool
virStorageSourceIsWeb(const virStorageSource *src)
{
    switch (src->protocol) {
    case VIR_STORAGE_PROTOCOL_HTTP:
    case VIR_STORAGE_PROTOCOL_HTTPS:
    case VIR_STORAGE_PROTOCOL_FTP:
    case VIR_STORAGE_PROTOCOL_FTPS:
    case VIR_STORAGE_PROTOCOL_TFTP:
        return true;
    default:
        return false;
    }
}

static bool
virStorageSourceParseNetwork(virStorageSource *src, xmlNode *node, unsigned parseFlags,
                             GError **error)
{
    const char *fromConfig = virXMLAttrPeek(node, "tlsFromConfig");

    if (!virFieldParse(networkFields, src, node, parseFlags, error))
        return false;
    if ((!src->path || !*src->path) && src->protocol != VIR_STORAGE_PROTOCOL_NBD)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("missing name for disk source"));
    src->tlsFromConfig = (parseFlags & VIR_PARSE_STATUS) && g_strcmp0(fromConfig, "1") == 0;
    if ((src->protocol == VIR_STORAGE_PROTOCOL_RBD ||
         src->protocol == VIR_STORAGE_PROTOCOL_GLUSTER) &&
        !virStorageSourceSplitName(src, error))
        return false;
    if (src->protocol == VIR_STORAGE_PROTOCOL_ISCSI &&
        !virFieldParse(initiatorFields, src, node, parseFlags, error))
        return false;
    if (virStorageSourceIsWeb(src) && (!virFieldParse(webFields, src, node, parseFlags, error) ||
                                       !virStorageCookiesParse(src, node, error)))
        return false;
    if (src->protocol == VIR_STORAGE_PROTOCOL_NFS &&
        !virFieldParse(nfsFields, src, node, parseFlags, error))
        return false;
    return virStorageHostsParse(src, node, error);
}

static const virField volumeFields[] = {
    VIR_FIELD_STRING("@pool", virStorageSource, pool),
    VIR_FIELD_STRING("@volume", virStorageSource, poolVolume),
    VIR_FIELD_END,
};

static bool
virStorageSourceParseVolume(virStorageSource *src, xmlNode *node, GError **error)
{
    g_autofree char *mode = virXMLAttr(node, "mode");

    if (!virFieldParse(volumeFields, src, node, 0, error))
        return false;
    if (!src->pool && !src->poolVolume)
        return true;
    if (!src->pool || !src->poolVolume)
        return virErrorSet(
            error, VIR_ERR_XML_ERROR, "%s",
            _("'pool' and 'volume' must be specified together for 'pool' type source"));
    if (mode && (src->volumeMode = virStorageVolumeModeFromString(mode)) <= 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("unknown source mode '%s' for volume type disk"), mode);
    return true;
}

static bool
virStorageSourceParseNVMe(virStorageSource *src, xmlNode *node, GError **error)
{
    const char *type = virXMLAttrPeek(node, "type");
    xmlNode *address = virXMLFirstChild(node, "address");
    static const virField managed[] = {VIR_FIELD_YESNO("@managed", virStorageSource, nvmeManaged),
                                       VIR_FIELD_END};
    bool set;

    if (!type)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing 'type' attribute to disk source"));
    if (!g_str_equal(type, "pci"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("unsupported source type '%s'"), type);
    if (!virFieldAttrUInt(node, "namespace", 10, UINT64_MAX, &set, &src->nvmeNamespace, error))
        return false;
    if (!set)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing 'namespace' attribute to disk source"));
    if (!virFieldParse(managed, src, node, 0, error))
        return false;
    if (!address)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("NVMe disk source is missing address"));
    return virPCIAddressParse(&src->nvme, address, error);
}

static const virField vhostUserFields[] = {
    VIR_FIELD_STRING("@path", virStorageSource, path),
    VIR_FIELD_YESNO("reconnect@enabled", virStorageSource, reconnect),
    VIR_FIELD_UINT("reconnect@timeout", virStorageSource, reconnectTimeout, 0, UINT32_MAX),
    VIR_FIELD_END,
};

static bool
virStorageSourceParseVhostUser(virStorageSource *src, xmlNode *node, GError **error)
{
    const char *type = virXMLAttrPeek(node, "type");

    if (!type)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing 'type' attribute for vhostuser disk source"));
    if (!g_str_equal(type, "unix"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("invalid 'type' attribute for vhostuser disk source"));
    if (!virFieldParse(vhostUserFields, src, node, 0, error))
        return false;
    if (!src->path || !*src->path)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing 'path' attribute for vhostuser disk source"));
    return true;
}

static bool
virStorageSourceParsePlace(virStorageSource *src, xmlNode *node, unsigned parseFlags,
                           GError **error)
{
    switch (src->type) {
    case VIR_STORAGE_TYPE_FILE:
        src->path = virXMLAttr(node, "file");
        return true;
    case VIR_STORAGE_TYPE_BLOCK:
        src->path = virXMLAttr(node, "dev");
        return true;
    case VIR_STORAGE_TYPE_DIR:
        src->path = virXMLAttr(node, "dir");
        return true;
    case VIR_STORAGE_TYPE_NETWORK:
        return virStorageSourceParseNetwork(src, node, parseFlags, error);
    case VIR_STORAGE_TYPE_VOLUME:
        return virStorageSourceParseVolume(src, node, error);
    case VIR_STORAGE_TYPE_NVME:
        return virStorageSourceParseNVMe(src, node, error);
    case VIR_STORAGE_TYPE_VHOST_USER:
        return virStorageSourceParseVhostUser(src, node, error);
    default:
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("unexpected disk type %s"),
                           virStorageTypeToString(src->type));
    }
}

static bool
virStorageSliceParse(virStorageSource *src, const xmlNode *node, GError **error)
{
    xmlNode *slice = virXMLChildAt(node, "slices/slice");
    g_autofree char *offset = NULL;
    g_autofree char *size = NULL;

    while (slice && g_strcmp0(virXMLAttrPeek(slice, "type"), "storage") != 0)
        slice = virXMLNext(slice, "slice");
    if (!slice)
        return true;
    offset = virXMLAttr(slice, "offset");
    size = virXMLAttr(slice, "size");
    if (!offset || !size)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing offset or size attribute of slice"));
    if (!virStringToUInt(offset, UINT64_MAX, &src->sliceOffset))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("malformed value '%s' of 'offset' attribute of slice"), offset);
    if (!virStringToUInt(size, UINT64_MAX, &src->sliceSize))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("malformed value '%s' of 'size' attribute of slice"), size);
    src->hasSlice = true;
    return true;
}

bool
virStorageSourceParse(virStorageSource *src, xmlNode *node, unsigned parseFlags, GError **error)
{
    xmlNode *auth = virXMLFirstChild(node, "auth");
    xmlNode *encryption = virXMLFirstChild(node, "encryption");
    xmlNode *reservations = virXMLFirstChild(node, "reservations");
    xmlNode *runtime = virXMLFirstChild(node, "privateData");

    if (!virStorageSourceParsePlace(src, node, parseFlags, error))
        return false;
    if (auth && !(src->auth = virStorageAuthParse(auth, error)))
        return false;
    if (encryption && !(src->encryption = virStorageEncryptionParse(encryption, error)))
        return false;
    if (reservations && !(src->reservations = virStorageReservationsParse(reservations, error)))
        return false;
    if (!virStorageSliceParse(src, node, error) ||
        !virDeviceSeclabelsParse(node, parseFlags, &src->seclabels, error))
        return false;
    if (runtime && (parseFlags & VIR_PARSE_STATUS))
        virStorageRuntimeParse(src, runtime);
    /* a CD-ROM without a medium is often written as an empty name */
    if (src->path && !*src->path)
        g_clear_pointer(&src->path, g_free);
    return true;
}

/* --- writing --- */

static void
virStorageHostsFormat(const virStorageSource *src, virXMLWriter *w)
{
    for (guint i = 0; src->hosts && i < src->hosts->len; i++) {
        const virStorageHost *host = g_ptr_array_index(src->hosts, i);

        virXMLWriterOpen(w, "host");
        virXMLWriterAttr(w, "name", host->name);
        if (host->port)
            virXMLWriterAttrF(w, "port", "%u", host->port);
        if (host->transport != VIR_STORAGE_TRANSPORT_TCP)
            virXMLWriterAttr(w, "transport", virStorageTransportToString(host->transport));
        virXMLWriterAttr(w, "socket", host->socket);
        virXMLWriterClose(w);
    }
}

static void
virStorageAttrElement(virXMLWriter *w, const char *element, const char *attr, const char *value)
{
    if (!value)
        return;
    virXMLWriterOpen(w, element);
    virXMLWriterAttr(w, attr, value);
    virXMLWriterClose(w);
}

static void
virStorageAttrNumber(virXMLWriter *w, const char *element, const char *attr, virOptUInt number)
{
    g_autofree char *text = NULL;

    if (!number.set)
        return;
    text = g_strdup_printf("%" PRIu64, number.value);
    virStorageAttrElement(w, element, attr, text);
}

static void
virStorageCookiesFormat(const virStorageSource *src, virXMLWriter *w)
{
    if (!src->cookies)
        return;
    virXMLWriterOpen(w, "cookies");
    for (guint i = 0; i < src->cookies->len; i++) {
        const virStorageCookie *cookie = g_ptr_array_index(src->cookies, i);

        virXMLWriterOpen(w, "cookie");
        virXMLWriterAttr(w, "name", cookie->name);
        virXMLWriterText(w, cookie->value);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

static void
virStorageSourceFormatNetworkAttrs(const virStorageSource *src, virXMLWriter *w,
                                   unsigned formatFlags)
{
    g_autofree char *name = virStorageSourceNetworkName(src);

    virXMLWriterAttr(w, "protocol", virStorageProtocolToString(src->protocol));
    virXMLWriterAttr(w, "name", name);
    virXMLWriterAttr(w, "query", src->query);
    if (src->tls != VIR_TRISTATE_ABSENT &&
        !((formatFlags & VIR_FORMAT_MIGRATABLE) && src->tlsFromConfig))
        virXMLWriterAttr(w, "tls", src->tls == VIR_TRISTATE_YES ? "yes" : "no");
    if (formatFlags & VIR_FORMAT_STATUS)
        virXMLWriterAttrF(w, "tlsFromConfig", "%d", src->tlsFromConfig);
    virXMLWriterAttr(w, "tlsHostname", src->tlsHostname);
}

static void
virStorageSourceFormatNetworkChildren(const virStorageSource *src, virXMLWriter *w)
{
    virStorageHostsFormat(src, w);
    virStorageAttrElement(w, "snapshot", "name", src->snapshot);
    virStorageAttrElement(w, "config", "file", src->configFile);
    if (src->initiator) {
        virXMLWriterOpen(w, "initiator");
        virStorageAttrElement(w, "iqn", "name", src->initiator);
        virXMLWriterClose(w);
    }
    if (src->sslVerify != VIR_TRISTATE_ABSENT)
        virStorageAttrElement(w, "ssl", "verify",
                              src->sslVerify == VIR_TRISTATE_YES ? "yes" : "no");
    virStorageCookiesFormat(src, w);
    virStorageAttrNumber(w, "readahead", "size", src->readahead);
    virStorageAttrNumber(w, "timeout", "seconds", src->timeout);
    virStorageAttrNumber(w, "reconnect", "delay", src->reconnectDelay);
    if (src->nfsUser || src->nfsGroup) {
        virXMLWriterOpen(w, "identity");
        virXMLWriterAttr(w, "user", src->nfsUser);
        virXMLWriterAttr(w, "group", src->nfsGroup);
        virXMLWriterClose(w);
    }
}

static void
virStorageSourceFormatPlaceAttrs(const virStorageSource *src, virXMLWriter *w, unsigned formatFlags)
{
    switch (src->type) {
    case VIR_STORAGE_TYPE_FILE:
        virXMLWriterAttr(w, "file", src->path);
        break;
    case VIR_STORAGE_TYPE_BLOCK:
        virXMLWriterAttr(w, "dev", src->path);
        break;
    case VIR_STORAGE_TYPE_DIR:
        virXMLWriterAttr(w, "dir", src->path);
        break;
    case VIR_STORAGE_TYPE_NETWORK:
        if (src->protocol != VIR_STORAGE_PROTOCOL_NONE)
            virStorageSourceFormatNetworkAttrs(src, w, formatFlags);
        break;
    case VIR_STORAGE_TYPE_VOLUME:
        virXMLWriterAttr(w, "pool", src->pool);
        virXMLWriterAttr(w, "volume", src->poolVolume);
        if (src->volumeMode != VIR_STORAGE_VOLUME_MODE_NONE)
            virXMLWriterAttr(w, "mode", virStorageVolumeModeToString(src->volumeMode));
        break;
    case VIR_STORAGE_TYPE_NVME:
        virXMLWriterAttr(w, "type", "pci");
        if (src->nvmeManaged != VIR_TRISTATE_ABSENT)
            virXMLWriterAttr(w, "managed", src->nvmeManaged == VIR_TRISTATE_YES ? "yes" : "no");
        virXMLWriterAttrF(w, "namespace", "%" PRIu64, src->nvmeNamespace);
        break;
    case VIR_STORAGE_TYPE_VHOST_USER:
        virXMLWriterAttr(w, "type", "unix");
        virXMLWriterAttr(w, "path", src->path);
        break;
    default:
        break;
    }
}

static void
virStorageSourceFormatPlaceChildren(const virStorageSource *src, virXMLWriter *w)
{
    switch (src->type) {
    case VIR_STORAGE_TYPE_NETWORK:
        virStorageSourceFormatNetworkChildren(src, w);
        break;
    case VIR_STORAGE_TYPE_NVME:
        virXMLWriterOpen(w, "address");
        virPCIAddressFormatAttrs(&src->nvme, w);
        virXMLWriterClose(w);
        break;
    case VIR_STORAGE_TYPE_VHOST_USER:
        if (src->reconnect == VIR_TRISTATE_ABSENT)
            break;
        virXMLWriterOpen(w, "reconnect");
        virXMLWriterAttr(w, "enabled", src->reconnect == VIR_TRISTATE_YES ? "yes" : "no");
        if (src->reconnect == VIR_TRISTATE_YES)
            virXMLWriterAttrF(w, "timeout", "%" PRIu64, src->reconnectTimeout.value);
        virXMLWriterClose(w);
        break;
    default:
        break;
    }
}

static void
virStorageSliceFormat(const virStorageSource *src, virXMLWriter *w)
{
    if (!src->hasSlice)
        return;
    virXMLWriterOpen(w, "slices");
    virXMLWriterOpen(w, "slice");
    virXMLWriterAttr(w, "type", "storage");
    virXMLWriterAttrF(w, "offset", "%" PRIu64, src->sliceOffset);
    virXMLWriterAttrF(w, "size", "%" PRIu64, src->sliceSize);
    virXMLWriterClose(w);
    virXMLWriterClose(w);
}

void
virStorageSourceFormat(const virStorageSource *src, virXMLWriter *w,
                       const virStorageSourceFormatOptions *options, unsigned formatFlags)
{
    virXMLWriterOpen(w, "source");
    virStorageSourceFormatPlaceAttrs(src, w, formatFlags);
    virXMLWriterAttr(w, "startupPolicy", options->startupPolicy);
    if (options->index && src->id != 0)
        virXMLWriterAttrF(w, "index", "%u", src->id);

    virStorageSourceFormatPlaceChildren(src, w);
    virStorageSliceFormat(src, w);
    if (src->type != VIR_STORAGE_TYPE_NETWORK)
        virDeviceSeclabelsFormat(src->seclabels, w, formatFlags);
    /* the credentials of a volume are its pool's */
    if (src->auth && !options->skipAuth && src->type != VIR_STORAGE_TYPE_VOLUME)
        virStorageAuthFormat(src->auth, w);
    if (src->encryption && !options->skipEncryption)
        virStorageEncryptionFormat(src->encryption, w);
    if (src->reservations)
        virStorageReservationsFormat(src->reservations, formatFlags & VIR_FORMAT_MIGRATABLE, w);
    if (formatFlags & VIR_FORMAT_STATUS)
        virStorageRuntimeFormat(src, w);
    virXMLWriterCloseUnlessEmpty(w);
}
