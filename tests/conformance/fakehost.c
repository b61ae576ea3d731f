/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fakehost.c: see fakehost.h. */
#include "fakehost.h"

#include <string.h>

#include "qemu/secret.h"
#include "util/virerror.h"

#define SECRET "AQCVn5hO6HzFAhAAq0NCv8jtJcIcE+HOBlMQ1A"

enum {
    FD_SOCKET = 1729,
    FD_TAP = 3,
    FD_VHOST_NET = 44,
    FD_VHOST_SCSI = 3,
    FD_TPM = 1730,
    FD_TPM_CANCEL = 1731,
    FD_VHOST_VDPA = 1732,
    FD_VSOCK = 6789,
    VSOCK_CID = 42,
    VNC_PORT = 5900,
    SPICE_PORT = 5901,
};

static void
conformanceSetEnvironment(const conformanceCase *row)
{
    static const char *const fixed[][2] = {
        {"PATH", "/bin"},    {"HOME", "/home/test"}, {"USER", "test"},
        {"LOGNAME", "test"}, {"LC_ALL", "C"},        {"TZ", "VIR00:30"},
    };
    static const char *const absent[] = {"TMPDIR", "LD_PRELOAD", "LD_LIBRARY_PATH",
                                         "QEMU_AUDIO_DRV", "SDL_AUDIODRIVER"};
    GHashTableIter iter;
    gpointer key, value;

    for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++)
        g_setenv(fixed[i][0], fixed[i][1], true);
    for (size_t i = 0; i < G_N_ELEMENTS(absent); i++)
        g_unsetenv(absent[i]);
    g_hash_table_iter_init(&iter, row->flags);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        if (g_str_has_prefix(key, "env."))
            g_setenv((const char *)key + strlen("env."), value, true);
    }
}

/* VNC asks once; SPICE for its plain and its TLS port. */
static unsigned
conformanceHostPort(unsigned wanted, const char *alias, void *opaque, GError **error)
{
    conformanceHost *host = opaque;

    if (wanted)
        return wanted;
    if (alias && strstr(alias, "spice"))
        return SPICE_PORT + host->spicePorts++;
    return VNC_PORT;
}

static uint64_t
conformanceHostContextId(uint64_t wanted, void *opaque, GError **error)
{
    return wanted ? wanted : VSOCK_CID;
}

/* Images are numbered through the whole guest. */
static unsigned
conformanceHostNode(void *opaque)
{
    conformanceHost *host = opaque;

    return ++host->nodes;
}

static char *
conformanceHostEncrypt(const char *plain, size_t len, char **retIv, void *opaque)
{
    const conformanceHost *host = opaque;

    return qemuSecretEncrypt(host->masterKey, plain, len, retIv);
}

/* Pages of 2 MiB are the default; the system's own are none to be mounted. */
static char *
conformanceHostHugepages(uint64_t pageKiB, int id, const char *name, void *opaque)
{
    const char *mount = pageKiB == 0 || pageKiB == 2048 ? "/dev/hugepages2M"
                        : pageKiB == 1048576            ? "/dev/hugepages1G"
                                                        : NULL;

    return mount ? g_strdup_printf("%s/libvirt/qemu/%d-%.20s", mount, id, name) : NULL;
}

static char *
conformanceHostSecret(const char *type, const char *uuid, const char *usage, void *opaque,
                      GError **error)
{
    return g_strdup(SECRET);
}

/* A volume "T+N" has type T; without "+" it is a block device. */
static bool
conformanceHostVolume(const char *pool, const char *volume, char **retType, char **retPath,
                      void *opaque, GError **error)
{
    const char *plus = strchr(volume, '+');
    g_autofree char *type = plus ? g_strndup(volume, (gsize)(plus - volume)) : g_strdup("block");

    if (g_str_equal(volume, "nonexistent"))
        return virErrorSet(error, VIR_ERR_NO_SUPPORT, "no volume %s in pool %s", volume, pool);
    if (g_str_equal(pool, "inactive"))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           "storage pool '%s' containing volume '%s' is not active", pool, volume);
    *retPath = g_strdup_printf("/some/%s/device/%s", type, plus ? plus + 1 : volume);
    *retType = g_steal_pointer(&type);
    return true;
}

static bool
conformanceHostIsCdrom(const char *path)
{
    return g_str_equal(path, "/dev/cdrom");
}

static int64_t
conformanceHostNow(void)
{
    return 1234567890;
}

static const char *
conformanceHostIncoming(const conformanceCase *row)
{
    const char *from = conformanceFlag(row, "migrate_from");

    return from && g_str_equal(from, "stdio") ? "fd:7" : from;
}

/* "0" switches off what the faked configuration has on. */
static bool
conformanceConf(const conformanceCase *row, const char *key, bool fallback)
{
    const char *value = conformanceFlag(row, key);

    return value ? !g_str_equal(value, "0") : fallback;
}

void
conformanceHostInit(conformanceHost *host, const conformanceCase *row, const char *guestName)
{
    bool chardevKey = conformanceFlag(row, "conf.chardev_tls_x509_secret_uuid") != NULL;

    *host = (conformanceHost){{0}};
    host->stateDir = g_strdup_printf("/tmp/lib/domain--1-%.20s", guestName);
    host->channelDir = g_strdup_printf("/tmp/channel/domain--1-%.20s", guestName);
    for (size_t i = 0; i < sizeof(host->masterKey); i++)
        host->masterKey[i] = (unsigned char)i;
    host->claims = (qemuClaims){.port = conformanceHostPort,
                                .contextId = conformanceHostContextId,
                                .blockNode = conformanceHostNode,
                                .opaque = host};
    host->config = (qemuBuildConfig){
        .stateDir = host->stateDir,
        .channelDir = host->channelDir,
        .nvramDir = "/var/lib/libvirt/qemu/nvram",
        .logDir = "/tmp/log",
        .memoryDir = "/var/lib/libvirt/qemu/ram",
        .hugepagePath = conformanceHostHugepages,
        .vncListen = "127.0.0.1",
        .spiceListen = "127.0.0.1",
        .spicePassword = "123456",
        .spiceTLS = conformanceConf(row, "conf.spice_tls", true),
        .vncTLS = conformanceConf(row, "conf.vnc_tls", false),
        .vncTLSVerify = conformanceConf(row, "conf.vnc_tls_x509_verify", false),
        .vncSASL = conformanceConf(row, "conf.vnc_sasl", false),
        .spiceSASL = conformanceConf(row, "conf.spice_sasl", false),
        .vncSASLDir = conformanceFlag(row, "conf.vnc_sasl_dir"),
        .spiceSASLDir = conformanceFlag(row, "conf.spice_sasl_dir"),
        .vncAutoSocket = conformanceConf(row, "conf.vnc_auto_unix_socket", false),
        .spiceAutoSocket = conformanceConf(row, "conf.spice_auto_unix_socket", false),
        .chardevTLS = conformanceConf(row, "conf.chardev_tls", false),
        .chardevTLSVerify = conformanceConf(row, "conf.chardev_tls_x509_verify", false),
        .chardevTLSPassword = chardevKey ? SECRET : NULL,
        .vncTLSPassword = conformanceFlag(row, "conf.vnc_tls_x509_secret_uuid") ? SECRET : NULL,
        .vncTLSDir = "/etc/pki/libvirt-vnc",
        .spiceTLSDir = "/etc/pki/libvirt-spice",
        .chardevTLSDir = "/etc/pki/libvirt-chardev",
        .nbdTLSDir = "/etc/pki/libvirt-nbd/dummy,path",
        .renderNode = "/dev/dri/foo",
        .tpmSocket = "/dev/test",
        .vhostNet = true,
        .dumpGuestCore = conformanceConf(row, "conf.dump_guest_core", false),
        .lockManager = true,
        .fips = conformanceFlag(row, "fips_host"),
        .incoming = conformanceHostIncoming(row),
        .now = conformanceHostNow,
        .isCdrom = conformanceHostIsCdrom,
        .secret = conformanceHostSecret,
        .volume = conformanceHostVolume,
        .privileged = true,
        .encrypt = conformanceHostEncrypt,
        .encryptOpaque = host,
    };
    conformanceSetEnvironment(row);
}

void
conformanceHostClear(conformanceHost *host)
{
    g_clear_pointer(&host->stateDir, g_free);
    g_clear_pointer(&host->channelDir, g_free);
}

static const qmpHostStep *
conformanceHostStep(const qmpPlan *plan, unsigned number)
{
    for (size_t i = 0; i < qmpPlanLength(plan); i++) {
        const qmpStep *step = qmpPlanStep(plan, i);

        if (step->type == QMP_STEP_HOST && number-- == 0)
            return step->host;
    }
    return NULL;
}

/* Each interface begins anew, as the descriptors of the data do. */
static unsigned
conformanceHostFdNumber(const qmpHostStep *step, unsigned n)
{
    switch (step->type) {
    case QMP_HOST_TAP:
        return FD_TAP + n;
    case QMP_HOST_VHOST_NET:
        return FD_VHOST_NET + n;
    case QMP_HOST_VSOCK:
        return FD_VSOCK;
    case QMP_HOST_LISTEN:
        return FD_SOCKET;
    default:
        if (step->path && strstr(step->path, "vhost-vdpa"))
            return FD_VHOST_VDPA;
        if (step->path && strstr(step->path, "vhost-scsi"))
            return FD_VHOST_SCSI;
        if (step->path && g_str_has_suffix(step->path, "cancel"))
            return FD_TPM_CANCEL;
        return FD_TPM;
    }
}

char *
conformanceHostFd(unsigned hostStep, unsigned n, void *opaque)
{
    const conformanceHost *host = opaque;
    const qmpHostStep *step = conformanceHostStep(host->plan, hostStep);

    return g_strdup_printf("%u", step ? conformanceHostFdNumber(step, n) : 0);
}

/* --- the text --- */

static void
conformanceAppendWord(GString *text, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";

    if (*word && strspn(word, plain) == strlen(word)) {
        g_string_append(text, word);
        return;
    }
    g_string_append_c(text, '\'');
    for (; *word; word++) {
        if (*word == '\'')
            g_string_append(text, "'\\''");
        else
            g_string_append_c(text, *word);
    }
    g_string_append_c(text, '\'');
}

char *
conformanceCommandLine(const GPtrArray *environment, const char *program, const GPtrArray *words)
{
    GString *text = g_string_new(NULL);
    bool afterOption = false;

    for (guint i = 0; i < environment->len; i++) {
        const char *entry = environment->pdata[i];
        const char *value = strchr(entry, '=') + 1;

        g_string_append_len(text, entry, value - entry);
        conformanceAppendWord(text, value);
        g_string_append(text, " \\\n");
    }
    conformanceAppendWord(text, program);
    for (guint i = 0; i < words->len; i++) {
        const char *word = words->pdata[i];

        /* a value stays with its option */
        g_string_append(text, afterOption && *word != '-' ? " " : " \\\n");
        conformanceAppendWord(text, word);
        afterOption = *word == '-';
    }
    g_string_append_c(text, '\n');
    return g_string_free(text, false);
}
