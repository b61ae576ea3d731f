/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv.c: the order of a guest's command line. */
#include "qemu/argv.h"

#include <string.h>

#include "util/virerror.h"

enum { QEMU_SHORT_NAME_MAX = 20 };

void
qemuArgvAppend(GString *out, const char *text)
{
    for (; *text; text++) {
        if (*text == ',')
            g_string_append_c(out, ',');
        g_string_append_c(out, *text);
    }
}

/* No character is cut in two. */
char *
qemuArgvShortName(const virDomainDef *def)
{
    size_t len = strlen(def->name);

    if (len > QEMU_SHORT_NAME_MAX) {
        len = QEMU_SHORT_NAME_MAX;
        while (len > 0 && ((unsigned char)def->name[len] & 0xc0) == 0x80)
            len--;
    }
    return g_strdup_printf("%d-%.*s", def->id, (int)len, def->name);
}

/* --- the environment --- */

static void
qemuArgvInherit(const qemuBuildContext *ctx, qmpPlan *plan, const char *name)
{
    const char *value = ctx->config->getenv ? ctx->config->getenv(name) : g_getenv(name);

    if (value)
        qmpPlanEnv(plan, name, value);
}

static void
qemuArgvFolder(const qemuBuildContext *ctx, qmpPlan *plan, const char *name, const char *below)
{
    g_autofree char *path = g_strconcat(ctx->config->stateDir, below, NULL);

    qmpPlanEnv(plan, name, path);
}

static bool
qemuArgvEnvironment(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                    GError **error)
{
    qmpPlanEnv(plan, "LC_ALL", "C");
    qemuArgvInherit(ctx, plan, "LD_PRELOAD");
    qemuArgvInherit(ctx, plan, "LD_LIBRARY_PATH");
    qemuArgvInherit(ctx, plan, "PATH");
    /* what QEMU's libraries write must not land in anybody's home */
    qemuArgvFolder(ctx, plan, "HOME", "");
    qemuArgvInherit(ctx, plan, "USER");
    qemuArgvInherit(ctx, plan, "LOGNAME");
    qemuArgvInherit(ctx, plan, "TMPDIR");
    qemuArgvFolder(ctx, plan, "XDG_DATA_HOME", "/.local/share");
    qemuArgvFolder(ctx, plan, "XDG_CACHE_HOME", "/.cache");
    qemuArgvFolder(ctx, plan, "XDG_CONFIG_HOME", "/.config");
    if (def->clock.offset == VIR_CLOCK_OFFSET_TIMEZONE)
        qmpPlanEnv(plan, "TZ", def->clock.timezone);
    return true;
}

/* --- the small parts --- */

static bool
qemuArgvName(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    g_autoptr(GString) name = g_string_new("guest=");
    const char *deprecation = def->qemu.deprecation;

    qemuArgvAppend(name, def->name);
    g_string_append(name, ",debug-threads=on");
    qmpPlanArg(plan, "-name", name->str);
    if (deprecation && !g_str_equal(deprecation, "none") &&
        qmpCapsHas(ctx->caps, QMP_CAPS_COMPAT_DEPRECATED))
        qmpPlanArgF(plan, "-compat", "deprecated-output=hide%s%s",
                    g_str_equal(deprecation, "omit") ? "" : ",deprecated-input=",
                    g_str_equal(deprecation, "omit") ? "" : deprecation);
    qmpPlanArg(plan, "-S", NULL);
    return true;
}

static bool
qemuArgvMasterKey(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                  GError **error)
{
    virJSON *props = virJSONObject();

    virJSONAddString(props, "qom-type", "secret");
    virJSONAddString(props, "id", "masterKey0");
    virJSONAddString(props, "format", "raw");
    virJSONAddStringF(props, "file", "%s/master-key.aes", ctx->config->stateDir);
    qmpPlanObject(plan, props);
    if (ctx->config->fips && qmpCapsHas(ctx->caps, QMP_CAPS_ENABLE_FIPS))
        qmpPlanArg(plan, "-enable-fips", NULL);
    return true;
}

static bool
qemuArgvLocking(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const char *on = def->memory.locked ? "on" : "off";

    if (qmpCapsHas(ctx->caps, QMP_CAPS_OVERCOMMIT))
        qmpPlanArgF(plan, "-overcommit", "mem-lock=%s", on);
    else
        qmpPlanArgF(plan, "-realtime", "mlock=%s", on);
    return true;
}

static bool
qemuArgvIdentity(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                 GError **error)
{
    char uuid[VIR_UUID_TEXT_SIZE];

    qmpPlanArg(plan, "-uuid", virUUIDFormat(def->uuid, uuid));
    return true;
}

static bool
qemuArgvGenId(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    char uuid[VIR_UUID_TEXT_SIZE];
    virJSON *props;

    if (!def->genid.requested)
        return true;
    props = virJSONObject();
    virJSONAddString(props, "driver", "vmgenid");
    virJSONAddString(props, "guid", virUUIDFormat(def->genid.uuid, uuid));
    virJSONAddString(props, "id", "vmgenid0");
    qmpPlanDevice(plan, props);
    return true;
}

/* Nothing but what we ask for. */
static bool
qemuArgvBare(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virDeviceKind *graphics = virDeviceKindByElement("graphics");

    if (!graphics || virDevicesCount(def->devices, graphics) == 0)
        qmpPlanArg(plan, "-display", "none");
    qmpPlanArg(plan, "-no-user-config", NULL);
    qmpPlanArg(plan, "-nodefaults", NULL);
    return true;
}

static bool
qemuArgvMonitor(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    g_autofree char *path = g_strdup_printf("%s/monitor.sock", ctx->config->stateDir);
    virJSON *props = virJSONObject();

    virJSONAddString(props, "backend", "socket");
    virJSONAddString(props, "id", "charmonitor");
    if (qmpCapsHas(ctx->caps, QMP_CAPS_CHARDEV_FD_PASS)) {
        qmpHostStep listen = {.type = QMP_HOST_LISTEN, .path = path, .fds = 1};
        g_autofree char *fd = qmpPlanFdToken(plan, qmpPlanHost(plan, &listen), 0);

        virJSONAddString(props, "fd", fd);
    } else {
        virJSONAddString(props, "path", path);
    }
    virJSONAddBool(props, "server", true);
    virJSONAddBool(props, "wait", false);
    qmpPlanChardev(plan, props);
    qmpPlanArg(plan, "-mon", "chardev=charmonitor,id=monitor,mode=control");
    return true;
}

static bool
qemuArgvIncoming(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                 GError **error)
{
    if (ctx->incoming)
        qmpPlanArg(plan, "-incoming", ctx->config->incoming ? ctx->config->incoming : "defer");
    return true;
}

static bool
qemuArgvVMCoreInfo(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                   GError **error)
{
    virJSON *props;

    if (def->features.on[VIR_DOMAIN_FEATURE_VMCOREINFO] != VIR_TRISTATE_YES)
        return true;
    props = virJSONObject();
    virJSONAddString(props, "driver", "vmcoreinfo");
    qmpPlanDevice(plan, props);
    return true;
}

/* What the document says to QEMU past us. */
static bool
qemuArgvPassthrough(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                    GError **error)
{
    for (guint i = 0; i < def->qemu.args->len; i++)
        qmpPlanArg(plan, g_ptr_array_index(def->qemu.args, i), NULL);
    for (guint i = 0; i < def->qemu.env->len; i++) {
        const virQemuEnv *env = g_ptr_array_index(def->qemu.env, i);

        qmpPlanEnv(plan, env->name, env->value ? env->value : "");
    }
    return true;
}

static bool
qemuArgvSandbox(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    if (qmpCapsHas(ctx->caps, QMP_CAPS_SECCOMP_SANDBOX))
        qmpPlanArg(plan, "-sandbox",
                   "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    return true;
}

static bool
qemuArgvMessages(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                 GError **error)
{
    qmpPlanArg(plan, "-msg", "timestamp=on");
    return true;
}

/* --- devices --- */

static int
qemuArgvRank(const virDeviceQemu *qemu, const virDevice *dev)
{
    return qemu->bootRank ? qemu->bootRank(dev) : 0;
}

/* Those of one kind: smaller ranks first, equal ones as in the document. */
static GPtrArray *
qemuArgvRanked(const virDomainDef *def, const virDeviceQemu *qemu)
{
    GPtrArray *ranked = g_ptr_array_new();

    virDevicesForEach(def->devices, qemu->kind, dev)
    {
        gint at = (gint)ranked->len;

        while (at > 0 && qemuArgvRank(qemu, g_ptr_array_index(ranked, (guint)at - 1)) >
                             qemuArgvRank(qemu, dev))
            at--;
        g_ptr_array_insert(ranked, at, dev);
    }
    return ranked;
}

static bool
qemuArgvDevices(const virDomainDef *def, const qemuBuildContext *ctx, qemuBootStage stage,
                qmpPlan *plan, GError **error)
{
    for (const virDeviceQemu *const *qemu = virDeviceQemus; *qemu; qemu++) {
        g_autoptr(GPtrArray) devices = NULL;

        if ((*qemu)->stage != stage || !(*qemu)->build)
            continue;
        devices = qemuArgvRanked(def, *qemu);
        for (guint i = 0; i < devices->len; i++) {
            if (!(*qemu)->build(g_ptr_array_index(devices, i), ctx, plan, error))
                return false;
        }
    }
    return true;
}

static bool
qemuArgvMemoryDevices(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                      GError **error)
{
    return qemuArgvDevices(def, ctx, QEMU_BOOT_STAGE_MEMORY, plan, error);
}

static bool
qemuArgvFirstDevices(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                     GError **error)
{
    return qemuArgvDevices(def, ctx, QEMU_BOOT_STAGE_FIRST, plan, error);
}

static bool
qemuArgvMostDevices(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                    GError **error)
{
    return qemuArgvDevices(def, ctx, QEMU_BOOT_STAGE_MAIN, plan, error);
}

static bool
qemuArgvLateDevices(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                    GError **error)
{
    return qemuArgvDevices(def, ctx, QEMU_BOOT_STAGE_LATE, plan, error);
}

static bool
qemuArgvLastDevices(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                    GError **error)
{
    return qemuArgvDevices(def, ctx, QEMU_BOOT_STAGE_LAST, plan, error);
}

/* --- what cannot be done yet --- */

/* Elements that are read and written, but that a start would have to pass over in silence. */
static bool
qemuArgvRefuse(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    if (def->qemu.overrides->len)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("element <qemu:override>: properties of devices cannot be "
                             "overridden"));
    if (def->lifecycle.onLockFailure != VIR_LOCK_FAILURE_DEFAULT && !ctx->config->lockManager)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("element <on_lockfailure>: there is no lock manager"));
    return true;
}

/* --- the whole --- */

typedef bool (*qemuArgvPart)(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                             GError **error);

/* The order is libvirt's: back ends stand before what uses them. */
static const qemuArgvPart parts[] = {
    qemuArgvRefuse,        qemuArgvEnvironment,   qemuArgvName,         qemuArgvMasterKey,
    qemuArgvFirmwareNodes, qemuArgvMachine,       qemuArgvCPU,          qemuArgvLoader,
    qemuArgvMemory,        qemuArgvLocking,       qemuArgvSMP,          qemuArgvIOThreads,
    qemuArgvNUMA,          qemuArgvMemoryDevices, qemuArgvIdentity,     qemuArgvSMBIOS,
    qemuArgvGenId,         qemuArgvBare,          qemuArgvMonitor,      qemuArgvClock,
    qemuArgvPower,         qemuArgvBoot,          qemuArgvFirstDevices, qemuArgvMostDevices,
    qemuArgvIncoming,      qemuArgvLateDevices,   qemuArgvVMCoreInfo,   qemuArgvLaunchSecurity,
    qemuArgvPassthrough,   qemuArgvSandbox,       qemuArgvLastDevices,  qemuArgvMessages,
};

qmpPlan *
qemuPlanBoot(const virDomainDef *def, const qemuBuildContext *ctx, GError **error)
{
    g_autoptr(qmpPlan) plan = qmpPlanNew(ctx->caps);

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (!parts[i](def, ctx, plan, error))
            return NULL;
    }
    return g_steal_pointer(&plan);
}
