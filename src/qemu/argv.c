/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * argv.c: the command line from end to end; its order is libvirt's. */
#include "qemu/argv.h"

#include <string.h>

#include "util/virerror.h"
#include "util/viruuid.h"

/* A comma in a value is written twice. Caller frees. */
static char *
qemuArgvEscape(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);

    return g_strjoinv(",,", parts);
}

/* --- what comes before the machine --- */

static void
qemuArgvEnvironment(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan)
{
    static const struct {
        const char *name, *folder;
    } homes[] = {
        {"XDG_DATA_HOME", ".local/share"},
        {"XDG_CACHE_HOME", ".cache"},
        {"XDG_CONFIG_HOME", ".config"},
    };
    const char *stateDir = ctx->config->stateDir;
    const char *path = g_getenv("PATH");

    qmpPlanEnv(plan, "LC_ALL", "C");
    qmpPlanEnv(plan, "PATH", path ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
    qmpPlanEnv(plan, "HOME", stateDir);
    if (g_getenv("USER"))
        qmpPlanEnv(plan, "USER", g_getenv("USER"));
    if (g_getenv("LOGNAME"))
        qmpPlanEnv(plan, "LOGNAME", g_getenv("LOGNAME"));
    for (size_t i = 0; i < G_N_ELEMENTS(homes); i++) {
        g_autofree char *folder = g_build_filename(stateDir, homes[i].folder, NULL);

        qmpPlanEnv(plan, homes[i].name, folder);
    }
}

static void
qemuArgvName(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan)
{
    g_autofree char *name = qemuArgvEscape(def->name);

    qmpPlanArgF(plan, "-name", "guest=%s%s", name,
                qmpCapsHas(ctx->caps, QMP_CAPS_DEBUG_THREADS) ? ",debug-threads=on" : "");
}

static bool
qemuArgvDeprecation(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan)
{
    const char *behaviour = def->qemu.deprecation;

    if (!behaviour || !qmpCapsHas(ctx->caps, QMP_CAPS_COMPAT_DEPRECATED))
        return true;
    if (g_str_equal(behaviour, "omit"))
        qmpPlanArg(plan, "-compat", "deprecated-output=hide");
    else if (g_str_equal(behaviour, "reject"))
        qmpPlanArg(plan, "-compat", "deprecated-output=hide,deprecated-input=reject");
    else if (g_str_equal(behaviour, "crash"))
        qmpPlanArg(plan, "-compat", "deprecated-output=hide,deprecated-input=crash");
    return true;
}

static void
qemuArgvMasterKey(const qemuBuildContext *ctx, qmpPlan *plan)
{
    virJSON *props;

    if (!qmpCapsHas(ctx->caps, QMP_CAPS_SECRET))
        return;
    props = virJSONObject();
    virJSONAddString(props, "qom-type", "secret");
    virJSONAddString(props, "id", "masterKey0");
    virJSONAddString(props, "format", "raw");
    virJSONAddStringF(props, "file", "%s/master-key.aes", ctx->config->stateDir);
    qmpPlanObject(plan, props);
}

/* --- between the machine and its devices --- */

static void
qemuArgvIOThreads(const virDomainDef *def, qmpPlan *plan)
{
    for (guint i = 0; i < virDomainIOThreadCount(&def->iothreads); i++) {
        virJSON *props = virJSONObject();

        virJSONAddString(props, "qom-type", "iothread");
        virJSONAddStringF(props, "id", "iothread%u", virDomainIOThreadAt(&def->iothreads, i)->id);
        qmpPlanObject(plan, props);
    }
}

static void
qemuArgvIdentity(const virDomainDef *def, qmpPlan *plan)
{
    char uuid[VIR_UUID_TEXT_SIZE];

    qmpPlanArg(plan, "-uuid", virUUIDFormat(def->uuid, uuid));
}

static bool
qemuArgvGenId(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    char uuid[VIR_UUID_TEXT_SIZE];
    virJSON *props;

    if (!def->genid.requested)
        return true;
    if (!qmpCapsHas(ctx->caps, QMP_CAPS_VMGENID))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("genid is not supported with this QEMU binary"));
    props = virJSONObject();
    virJSONAddString(props, "driver", "vmgenid");
    virJSONAddString(props, "guid", virUUIDFormat(def->genid.uuid, uuid));
    virJSONAddString(props, "id", "vmgenid0");
    qmpPlanDevice(plan, props);
    return true;
}

static void
qemuArgvNoDisplay(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan)
{
    const virDeviceKind *graphics = virDeviceKindByElement("graphics");

    if (graphics && virDevicesCount(def->devices, graphics) > 0)
        return;
    if (qmpCapsHas(ctx->caps, QMP_CAPS_DISPLAY))
        qmpPlanArg(plan, "-display", "none");
    else
        qmpPlanArg(plan, "-nographic", NULL);
}

static void
qemuArgvMonitor(const qemuBuildContext *ctx, qmpPlan *plan)
{
    g_autofree char *path = g_build_filename(ctx->config->stateDir, "monitor.sock", NULL);
    qmpHostStep listen = {.type = QMP_HOST_LISTEN, .path = path, .fds = 1};
    virJSON *props = virJSONObject();

    virJSONAddString(props, "backend", "socket");
    virJSONAddString(props, "id", "charmonitor");
    if (qmpCapsHas(ctx->caps, QMP_CAPS_CHARDEV_FD_PASS)) {
        g_autofree char *fd = qmpPlanFdToken(plan, qmpPlanHost(plan, &listen), 0);

        virJSONAddString(props, "fd", fd);
    } else {
        virJSONAddString(props, "path", path);
    }
    virJSONAddBool(props, "server", true);
    virJSONAddBool(props, "wait", false);
    qmpPlanChardev(plan, props);
    qmpPlanArg(plan, "-mon", "chardev=charmonitor,id=monitor,mode=control");
}

/* --- devices --- */

static int
qemuArgvCompareRank(gconstpointer a, gconstpointer b, gpointer opaque)
{
    const virDeviceQemu *qemu = opaque;

    return qemu->bootRank(*(virDevice *const *)a) - qemu->bootRank(*(virDevice *const *)b);
}

static bool
qemuArgvKind(const virDomainDef *def, const virDeviceQemu *qemu, const qemuBuildContext *ctx,
             qmpPlan *plan, GError **error)
{
    g_autoptr(GPtrArray) devices = g_ptr_array_new();

    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind == qemu->kind)
            g_ptr_array_add(devices, dev);
    }
    if (qemu->bootRank)
        g_ptr_array_sort_with_data(devices, qemuArgvCompareRank, (gpointer)qemu);
    for (guint i = 0; i < devices->len; i++) {
        if (!qemu->build(g_ptr_array_index(devices, i), ctx, plan, error))
            return false;
    }
    return true;
}

static bool
qemuArgvDevices(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    for (const virDeviceQemu *const *qemu = virDeviceQemus; *qemu; qemu++) {
        if ((*qemu)->build && !qemuArgvKind(def, *qemu, ctx, plan, error))
            return false;
    }
    return true;
}

/* --- what comes last --- */

static void
qemuArgvSandbox(const qemuBuildContext *ctx, qmpPlan *plan)
{
    if (qmpCapsHas(ctx->caps, QMP_CAPS_SECCOMP_SANDBOX))
        qmpPlanArg(plan, "-sandbox",
                   "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
}

static void
qemuArgvUsersOwn(const virDomainDef *def, qmpPlan *plan)
{
    for (guint i = 0; def->qemu.env && i < def->qemu.env->len; i++) {
        const virQemuEnv *env = g_ptr_array_index(def->qemu.env, i);

        qmpPlanEnv(plan, env->name, env->value ? env->value : "");
    }
    for (guint i = 0; def->qemu.args && i < def->qemu.args->len; i++)
        qmpPlanArg(plan, g_ptr_array_index(def->qemu.args, i), NULL);
}

static bool
qemuArgvVMCoreInfo(const virDomainDef *def, const qemuBuildContext *ctx, qmpPlan *plan,
                   GError **error)
{
    virJSON *props;

    if (def->features.on[VIR_DOMAIN_FEATURE_VMCOREINFO] != VIR_TRISTATE_YES)
        return true;
    if (!qmpCapsHas(ctx->caps, QMP_CAPS_VMCOREINFO))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("vmcoreinfo is not available with this QEMU binary"));
    props = virJSONObject();
    virJSONAddString(props, "driver", "vmcoreinfo");
    qmpPlanDevice(plan, props);
    return true;
}

/* What only a later release can honour is refused by name, never dropped. */
static bool
qemuArgvCheck(const virDomainDef *def, const qemuBuildContext *ctx, GError **error)
{
    if (def->security.launch.type != VIR_LAUNCH_SECURITY_NONE)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("<launchSecurity>: confidential guests are not supported yet"));
    if (def->virtType == VIR_DOMAIN_VIRT_KVM && !qmpCapsHasAccel(ctx->caps, QMP_ACCEL_KVM))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Emulator '%s' does not support virt type 'kvm'"), def->emulator);
    return true;
}

qmpPlan *
qemuPlanBoot(const virDomainDef *def, const qemuBuildContext *ctx, GError **error)
{
    g_autoptr(qmpPlan) plan = qmpPlanNew(ctx->caps);

    if (!qemuArgvCheck(def, ctx, error))
        return NULL;
    qemuArgvEnvironment(def, ctx, plan);
    qemuArgvName(def, ctx, plan);
    qemuArgvDeprecation(def, ctx, plan);
    qmpPlanArg(plan, "-S", NULL);
    qemuArgvMasterKey(ctx, plan);
    if (!qemuArgvMachine(def, ctx, plan, error) || !qemuArgvCPU(def, ctx, plan, error) ||
        !qemuArgvMemory(def, ctx, plan, error) || !qemuArgvSMP(def, ctx, plan, error))
        return NULL;
    qemuArgvIOThreads(def, plan);
    if (!qemuArgvNUMA(def, ctx, plan, error))
        return NULL;
    qemuArgvIdentity(def, plan);
    if (!qemuArgvSMBIOS(def, ctx, plan, error) || !qemuArgvGenId(def, ctx, plan, error))
        return NULL;
    qemuArgvNoDisplay(def, ctx, plan);
    qmpPlanArg(plan, "-no-user-config", NULL);
    qmpPlanArg(plan, "-nodefaults", NULL);
    qemuArgvMonitor(ctx, plan);
    if (!qemuArgvClock(def, ctx, plan, error) || !qemuArgvBoot(def, ctx, plan, error) ||
        !qemuArgvDevices(def, ctx, plan, error) || !qemuArgvVMCoreInfo(def, ctx, plan, error))
        return NULL;
    qemuArgvUsersOwn(def, plan);
    qemuArgvSandbox(ctx, plan);
    if (qmpCapsHas(ctx->caps, QMP_CAPS_MSG_TIMESTAMP))
        qmpPlanArg(plan, "-msg", "timestamp=on");
    return g_steal_pointer(&plan);
}
