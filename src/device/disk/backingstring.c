/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * backingstring.c: reading the names of backing images. */
#include "device/disk/backingstring.h"

#include <string.h>

#include "util/virerror.h"
#include "util/virjsonflat.h"
#include "util/virscale.h"

/* --- hosts --- */

static virStorageHost *
virBackingAddHost(virStorageSource *src)
{
    virStorageHost *host = g_new0(virStorageHost, 1);

    if (!src->hosts)
        src->hosts = virStorageHostsNew();
    g_ptr_array_add(src->hosts, host);
    return host;
}

static void
virBackingAddTCP(virStorageSource *src, const char *name, unsigned port)
{
    virStorageHost *host = virBackingAddHost(src);

    host->name = g_strdup(name);
    host->port = port ? port : virStorageProtocolPort(src->protocol);
}

static void
virBackingAddUnix(virStorageSource *src, const char *path)
{
    virStorageHost *host = virBackingAddHost(src);

    host->transport = VIR_STORAGE_TRANSPORT_UNIX;
    host->socket = g_strdup(path);
}

static virStorageSource *
virBackingNewNetwork(int protocol)
{
    virStorageSource *src = virStorageSourceNew();

    src->type = VIR_STORAGE_TYPE_NETWORK;
    src->protocol = protocol;
    return src;
}

/* --- paths --- */

static virBackingResult
virBackingFromPath(const char *path, const virStorageSource *overlay, virStorageSource **retSource)
{
    g_autoptr(virStorageSource) src = virStorageSourceNew();

    src->type = VIR_STORAGE_TYPE_FILE;
    if (g_path_is_absolute(path)) {
        src->path = g_strdup(path);
    } else if (overlay && virStorageSourceIsLocal(overlay) && overlay->path) {
        g_autofree char *folder = g_path_get_dirname(overlay->path);

        src->path = g_build_filename(folder, path, NULL);
        src->run.relPath = g_strdup(path);
    } else {
        return VIR_BACKING_UNKNOWN;
    }
    *retSource = g_steal_pointer(&src);
    return VIR_BACKING_OK;
}

/* --- URIs --- */

/* "gluster+unix" is gluster over a UNIX socket */
static bool
virBackingScheme(const char *scheme, int *retProtocol, int *retTransport)
{
    g_auto(GStrv) parts = g_strsplit(scheme, "+", 2);

    *retProtocol = virStorageProtocolFromString(parts[0]);
    *retTransport = parts[1] ? virStorageTransportFromString(parts[1]) : VIR_STORAGE_TRANSPORT_TCP;
    return *retProtocol > VIR_STORAGE_PROTOCOL_NONE && *retTransport >= 0;
}

static bool
virBackingSplitVolume(virStorageSource *src)
{
    char *slash = src->path ? strchr(src->path, '/') : NULL;

    if (!slash || slash == src->path)
        return false;
    src->volume = g_strndup(src->path, slash - src->path);
    memmove(src->path, slash + 1, strlen(slash));
    return true;
}

static bool
virBackingURISocket(virStorageSource *src, GUri *uri)
{
    g_autoptr(GHashTable) params = g_uri_parse_params(
        g_uri_get_query(uri) ? g_uri_get_query(uri) : "", -1, "&;", G_URI_PARAMS_NONE, NULL);
    const char *socket = params ? g_hash_table_lookup(params, "socket") : NULL;

    if (!socket)
        return false;
    virBackingAddUnix(src, socket);
    return true;
}

static virBackingResult
virBackingFromURI(const char *text, virStorageSource **retSource, GError **error)
{
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);
    g_autoptr(virStorageSource) src = NULL;
    const char *path;
    int protocol, transport;

    if (!uri) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("failed to parse backing file location %s"),
                    text);
        return VIR_BACKING_ERROR;
    }
    if (!virBackingScheme(g_uri_get_scheme(uri), &protocol, &transport))
        return VIR_BACKING_UNKNOWN;
    src = virBackingNewNetwork(protocol);
    path = g_uri_get_path(uri);
    /* servers of the web have paths from the root; the others have names */
    if (path && *path) {
        bool named = protocol == VIR_STORAGE_PROTOCOL_NBD ||
                     protocol == VIR_STORAGE_PROTOCOL_GLUSTER ||
                     protocol == VIR_STORAGE_PROTOCOL_ISCSI || protocol == VIR_STORAGE_PROTOCOL_RBD;

        src->path = g_strdup(named && path[0] == '/' ? path + 1 : path);
        if (!*src->path)
            g_clear_pointer(&src->path, g_free);
    }
    if (protocol == VIR_STORAGE_PROTOCOL_GLUSTER && !virBackingSplitVolume(src))
        return VIR_BACKING_UNKNOWN;
    if (transport == VIR_STORAGE_TRANSPORT_UNIX) {
        if (!virBackingURISocket(src, uri))
            return VIR_BACKING_UNKNOWN;
    } else {
        if (!g_uri_get_host(uri) || !*g_uri_get_host(uri))
            return VIR_BACKING_UNKNOWN;
        virBackingAddTCP(src, g_uri_get_host(uri), (unsigned)MAX(g_uri_get_port(uri), 0));
        if (protocol == VIR_STORAGE_PROTOCOL_HTTP || protocol == VIR_STORAGE_PROTOCOL_HTTPS)
            src->query = g_strdup(g_uri_get_query(uri));
    }
    *retSource = g_steal_pointer(&src);
    return VIR_BACKING_OK;
}

/* --- what was before URIs --- */

/* "nbd:host:port[:exportname=NAME]", "nbd:unix:PATH[:exportname=NAME]" */
static virBackingResult
virBackingFromOldNBD(const char *text, virStorageSource **retSource)
{
    static const char key[] = ":exportname=";
    const char *name = strstr(text, key);
    g_autofree char *place = name ? g_strndup(text, name - text) : g_strdup(text);
    g_autoptr(virStorageSource) src = virBackingNewNetwork(VIR_STORAGE_PROTOCOL_NBD);
    char *colon;
    uint64_t port;

    src->path = name ? g_strdup(name + strlen(key)) : NULL;
    if (g_str_has_prefix(place, "unix:")) {
        virBackingAddUnix(src, place + strlen("unix:"));
    } else {
        if (!(colon = strrchr(place, ':')) || !virStringToUInt(colon + 1, 65535, &port))
            return VIR_BACKING_UNKNOWN;
        *colon = '\0';
        virBackingAddTCP(src, place, (unsigned)port);
    }
    *retSource = g_steal_pointer(&src);
    return VIR_BACKING_OK;
}

static void
virBackingRBDMonitors(virStorageSource *src, char *list)
{
    g_auto(GStrv) monitors = g_strsplit(list, ";", -1);

    for (char **monitor = monitors; *monitor; monitor++) {
        char *colon = strrchr(*monitor, ':');
        uint64_t port = 0;

        if (colon && (*monitor)[0] != '[' && strchr(*monitor, ':') != colon)
            colon = NULL; /* a bare IPv6 address */
        if (colon && virStringToUInt(colon + 1, 65535, &port))
            *colon = '\0';
        virBackingAddTCP(src, *monitor, (unsigned)port);
    }
}

/* "rbd:pool/image[@snapshot][:key=value…]", with backslashes before what is meant as it is */
static virBackingResult
virBackingFromOldRBD(const char *text, virStorageSource **retSource)
{
    g_autoptr(virStorageSource) src = virBackingNewNetwork(VIR_STORAGE_PROTOCOL_RBD);
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
    GString *part = g_string_new(NULL);
    char *at;

    for (const char *p = text; *p; p++) {
        if (*p == '\\' && p[1]) {
            g_string_append_c(part, *++p);
        } else if (*p == ':') {
            g_ptr_array_add(parts, g_string_free(part, FALSE));
            part = g_string_new(NULL);
        } else {
            g_string_append_c(part, *p);
        }
    }
    g_ptr_array_add(parts, g_string_free(part, FALSE));
    src->path = g_strdup(g_ptr_array_index(parts, 0));
    if ((at = strchr(src->path, '@'))) {
        src->snapshot = g_strdup(at + 1);
        *at = '\0';
    }
    if (!virBackingSplitVolume(src))
        return VIR_BACKING_UNKNOWN;
    for (guint i = 1; i < parts->len; i++) {
        char *option = g_ptr_array_index(parts, i);

        if (g_str_has_prefix(option, "mon_host="))
            virBackingRBDMonitors(src, option + strlen("mon_host="));
        else if (g_str_has_prefix(option, "conf="))
            src->configFile = g_strdup(option + strlen("conf="));
    }
    *retSource = g_steal_pointer(&src);
    return VIR_BACKING_OK;
}

/* --- JSON --- */

static virBackingResult
virBackingJSONError(GError **error, const char *fmt, const char *text)
{
    virErrorSet(error, VIR_ERR_INVALID_ARG, fmt, text);
    return VIR_BACKING_ERROR;
}

/* A number, also in quotes. */
static bool
virBackingJSONNumber(virJSON *object, const char *key, uint64_t *ret)
{
    const char *text = virJSONGetString(object, key);

    return virJSONGetUInt(object, key, ret) || (text && virStringToUInt(text, UINT64_MAX, ret));
}

static virOptUInt
virBackingJSONOptional(virJSON *object, const char *key)
{
    uint64_t value = 0;
    bool set = virBackingJSONNumber(object, key, &value);

    return (virOptUInt){value, set};
}

static bool
virBackingJSONServer(virStorageSource *src, virJSON *server)
{
    const char *type = virJSONGetString(server, "type");
    const char *host = virJSONGetString(server, "host");
    const char *path = virJSONGetString(server, "path");
    uint64_t port = 0;

    if (!path)
        path = virJSONGetString(server, "socket");
    if (type && g_str_equal(type, "unix") && path) {
        virBackingAddUnix(src, path);
        return true;
    }
    if (!host)
        return false;
    (void)virBackingJSONNumber(server, "port", &port); /* the protocol's own, if absent */
    virBackingAddTCP(src, host, (unsigned)port);
    return true;
}

static bool
virBackingJSONServers(virStorageSource *src, virJSON *object)
{
    virJSON *servers = virJSONGetArray(object, "server");

    for (size_t i = 0; servers && i < virJSONLength(servers); i++) {
        if (!virBackingJSONServer(src, virJSONAt(servers, i)))
            return false;
    }
    return true;
}

static virStorageSource *
virBackingJSONFile(virJSON *object, int type)
{
    virStorageSource *src = virStorageSourceNew();

    src->type = type;
    src->path = g_strdup(virJSONGetString(object, "filename"));
    return src;
}

static virStorageSource *
virBackingJSONNBD(virJSON *object)
{
    virStorageSource *src = virBackingNewNetwork(VIR_STORAGE_PROTOCOL_NBD);
    virJSON *server = virJSONGetObject(object, "server");

    src->path = g_strdup(virJSONGetString(object, "export"));
    /* before QEMU 2.9 host, port and path stood in the object itself */
    if (virJSONGetString(object, "path"))
        virBackingAddUnix(src, virJSONGetString(object, "path"));
    else if (!virBackingJSONServer(src, server ? server : object))
        g_clear_pointer(&src, virStorageSourceFree);
    return src;
}

static virStorageSource *
virBackingJSONRBD(virJSON *object)
{
    virStorageSource *src = virBackingNewNetwork(VIR_STORAGE_PROTOCOL_RBD);

    src->volume = g_strdup(virJSONGetString(object, "pool"));
    src->path = g_strdup(virJSONGetString(object, "image"));
    src->snapshot = g_strdup(virJSONGetString(object, "snapshot"));
    src->configFile = g_strdup(virJSONGetString(object, "conf"));
    if (!src->volume || !src->path || !virBackingJSONServers(src, object))
        g_clear_pointer(&src, virStorageSourceFree);
    return src;
}

static virStorageSource *
virBackingJSONGluster(virJSON *object)
{
    virStorageSource *src = virBackingNewNetwork(VIR_STORAGE_PROTOCOL_GLUSTER);

    src->volume = g_strdup(virJSONGetString(object, "volume"));
    src->path = g_strdup(virJSONGetString(object, "path"));
    if (!src->volume || !src->path || !virBackingJSONServers(src, object) || !src->hosts)
        g_clear_pointer(&src, virStorageSourceFree);
    return src;
}

static virStorageSource *
virBackingJSONISCSI(virJSON *object)
{
    virStorageSource *src = virBackingNewNetwork(VIR_STORAGE_PROTOCOL_ISCSI);
    g_autofree char *portal = g_strdup(virJSONGetString(object, "portal"));
    const char *target = virJSONGetString(object, "target");
    char *colon = portal ? strrchr(portal, ':') : NULL;
    uint64_t port = 0;
    uint64_t lun = 0;

    if (!portal || !target) {
        virStorageSourceFree(src);
        return NULL;
    }
    if (colon && virStringToUInt(colon + 1, 65535, &port))
        *colon = '\0';
    (void)virBackingJSONNumber(object, "lun", &lun); /* the first, if absent */
    virBackingAddTCP(src, portal, (unsigned)port);
    src->path = g_strdup_printf("%s/%u", target, (unsigned)lun);
    src->initiator = g_strdup(virJSONGetString(object, "initiator-name"));
    return src;
}

static void
virBackingJSONCookies(virStorageSource *src, const char *text)
{
    g_auto(GStrv) cookies = g_strsplit(text, ";", -1);

    for (char **cookie = cookies; *cookie; cookie++) {
        char *equals = strchr(*cookie, '=');

        if (!equals)
            continue;
        *equals = '\0';
        virStorageCookieAdd(src, g_strstrip(*cookie), equals + 1);
    }
}

static virTristate
virBackingJSONSwitch(virJSON *object, const char *key)
{
    const char *text = virJSONGetString(object, key);

    if (text)
        return virTristateFromBool(g_str_equal(text, "on"));
    return virJSONGet(object, key) ? virTristateFromBool(virJSONGetBool(object, key, true))
                                   : VIR_TRISTATE_ABSENT;
}

static virStorageSource *
virBackingJSONWeb(virJSON *object)
{
    const char *url = virJSONGetString(object, "url");
    virStorageSource *src = NULL;

    if (!url)
        url = virJSONGetString(object, "filename");
    if (!url || virBackingFromURI(url, &src, NULL) != VIR_BACKING_OK)
        return NULL;
    src->sslVerify = virBackingJSONSwitch(object, "sslverify");
    src->timeout = virBackingJSONOptional(object, "timeout");
    src->readahead = virBackingJSONOptional(object, "readahead");
    if (virJSONGetString(object, "cookie"))
        virBackingJSONCookies(src, virJSONGetString(object, "cookie"));
    return src;
}

/* NULL: a driver we know nothing of, or one that says too little. */
static virStorageSource *
virBackingJSONByDriver(const char *driver, virJSON *object)
{
    if (g_str_equal(driver, "file"))
        return virBackingJSONFile(object, VIR_STORAGE_TYPE_FILE);
    if (g_str_equal(driver, "host_device") || g_str_equal(driver, "host_cdrom"))
        return virBackingJSONFile(object, VIR_STORAGE_TYPE_BLOCK);
    if (g_str_equal(driver, "nbd"))
        return virBackingJSONNBD(object);
    if (g_str_equal(driver, "rbd"))
        return virBackingJSONRBD(object);
    if (g_str_equal(driver, "gluster"))
        return virBackingJSONGluster(object);
    if (g_str_equal(driver, "iscsi"))
        return virBackingJSONISCSI(object);
    if (g_str_equal(driver, "http") || g_str_equal(driver, "https") || g_str_equal(driver, "ftp") ||
        g_str_equal(driver, "ftps") || g_str_equal(driver, "tftp"))
        return virBackingJSONWeb(object);
    return NULL;
}

/* A part of an image: the raw driver with offset and size around a protocol. */
static void
virBackingJSONSlice(virStorageSource *src, virJSON *object)
{
    if (virBackingJSONNumber(object, "offset", &src->sliceOffset) &&
        virBackingJSONNumber(object, "size", &src->sliceSize))
        src->hasSlice = true;
}

/* {"file": {…}}, {"driver": FORMAT, "file": {…}} or a protocol alone. */
static virBackingResult
virBackingFromJSONObject(virJSON *whole, const char *text, const virStorageSource *overlay,
                         virStorageSource **retSource, GError **error)
{
    virJSON *file = virJSONGetObject(whole, "file");
    virJSON *object = file ? file : whole;
    virJSON *inner = file ? virJSONGetObject(file, "file") : NULL;
    const char *driver = virJSONGetString(object, "driver");
    virStorageSource *src;

    if (!driver && virJSONGetString(object, "filename"))
        return virBackingFromPath(virJSONGetString(object, "filename"), overlay, retSource);
    if (!driver)
        return virBackingJSONError(
            error, _("JSON backing volume definition '%s' lacks driver name"), text);
    if (inner && !g_str_equal(driver, "raw"))
        return virBackingJSONError(
            error, _("JSON backing volume definition '%s' must not have nested format drivers"),
            text);
    if (inner)
        driver = virJSONGetString(inner, "driver");
    src = driver ? virBackingJSONByDriver(driver, inner ? inner : object) : NULL;
    if (!src)
        return VIR_BACKING_UNKNOWN;
    if (inner)
        virBackingJSONSlice(src, object);
    *retSource = src;
    return VIR_BACKING_OK;
}

static virBackingResult
virBackingFromJSON(const char *text, const virStorageSource *overlay, virStorageSource **retSource,
                   GError **error)
{
    g_autoptr(virJSON) flat = virJSONParse(text, -1, error);
    g_autoptr(virJSON) deep = NULL;

    if (!flat)
        return VIR_BACKING_ERROR;
    if (!json_object_is_type(flat, json_type_object))
        return virBackingJSONError(
            error, _("JSON backing volume definition '%s' lacks driver name"), text);
    if (!(deep = virJSONDeflatten(flat, error)))
        return VIR_BACKING_ERROR;
    return virBackingFromJSONObject(deep, text, overlay, retSource, error);
}

/* --- all --- */

/* "scheme:" before any slash; a path may hold colons behind one */
static bool
virBackingHasScheme(const char *text)
{
    size_t len = strcspn(text, ":/");

    return len > 0 && text[len] == ':';
}

virBackingResult
virStorageBackingFromString(const char *text, const virStorageSource *overlay,
                            virStorageSource **retSource, GError **error)
{
    if (g_str_has_prefix(text, "json:"))
        return virBackingFromJSON(text + strlen("json:"), overlay, retSource, error);
    if (g_str_has_prefix(text, "file:") && !g_str_has_prefix(text, "file://"))
        return virBackingFromPath(text + strlen("file:"), overlay, retSource);
    if (!virBackingHasScheme(text))
        return virBackingFromPath(text, overlay, retSource);
    if (strstr(text, "://"))
        return virBackingFromURI(text, retSource, error);
    if (g_str_has_prefix(text, "nbd:"))
        return virBackingFromOldNBD(text + strlen("nbd:"), retSource);
    if (g_str_has_prefix(text, "rbd:"))
        return virBackingFromOldRBD(text + strlen("rbd:"), retSource);
    return VIR_BACKING_UNKNOWN;
}
