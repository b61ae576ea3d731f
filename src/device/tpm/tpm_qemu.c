/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tpm_qemu.c: <tpm> for QEMU: -tpmdev, which the monitor doesn't know, and the device in front. */
#include "device/tpm/tpm_qemu.h"

#include <fcntl.h>

#include "device/common/chrsource_qemu.h"
#include "device/tpm/tpm.h"
#include "util/virerror.h"

/* QEMU knows one TPM, hence one name. */
static const char CHARDEV[] = "chrtpm";

static bool
qemuTpmComplete(virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                unsigned parseFlags, GError **error)
{
    virTpm *tpm = VIR_TPM(dev);

    if (tpm->model == VIR_TPM_MODEL_DEFAULT)
        tpm->model = VIR_TPM_MODEL_TIS;
    /* the versions are not compatible, so the choice is written down */
    if (tpm->backend == VIR_TPM_BACKEND_EMULATOR && tpm->version == VIR_TPM_VERSION_DEFAULT)
        tpm->version = tpm->model == VIR_TPM_MODEL_CRB ? VIR_TPM_VERSION_2_0 : VIR_TPM_VERSION_1_2;
    return true;
}

static bool
qemuTpmModelCheck(const virTpm *tpm, const qmpCaps *caps, GError **error)
{
    static const int flags[] = {
        [VIR_TPM_MODEL_DEFAULT] = -1,           [VIR_TPM_MODEL_TIS] = QMP_CAPS_TPM_TIS,
        [VIR_TPM_MODEL_CRB] = QMP_CAPS_TPM_CRB, [VIR_TPM_MODEL_SPAPR] = -1,
        [VIR_TPM_MODEL_SPAPR_PROXY] = -1,
    };
    int flag = flags[tpm->model];

    if (tpm->model == VIR_TPM_MODEL_CRB && tpm->version == VIR_TPM_VERSION_1_2)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Unsupported interface '%s' for TPM 1.2"),
                           virTpmModelToString(tpm->model));
    if (flag >= 0 && qmpCapsHas(caps, (qmpCapsFlag)flag))
        return true;
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                       _("The QEMU executable %s does not support TPM model %s"),
                       qmpCapsEmulator(caps), virTpmModelToString(tpm->model));
}

static bool
qemuTpmCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps, GError **error)
{
    const virTpm *tpm = VIR_TPM(dev);
    qmpCapsFlag flag = tpm->backend == VIR_TPM_BACKEND_PASSTHROUGH ? QMP_CAPS_TPM_PASSTHROUGH
                                                                   : QMP_CAPS_TPM_EMULATOR;

    if (!qmpCapsHas(caps, flag))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("The QEMU executable %s does not support TPM backend type %s"),
                           qmpCapsEmulator(caps), virTpmBackendToString(tpm->backend));
    return qemuTpmModelCheck(tpm, caps, error);
}

static void
qemuTpmTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    const virTpm *tpm = VIR_TPM(dev);

    if (tpm->backend == VIR_TPM_BACKEND_PASSTHROUGH)
        virHostAccessAdd(out, dev, tpm->path, VIR_HOST_READ | VIR_HOST_WRITE)->node = true;
    else if (tpm->backend == VIR_TPM_BACKEND_EXTERNAL)
        qemuChrSourceTouches(&tpm->source, dev, ctx, out);
}

/* The option stands before the descriptors that it names. */
static void
qemuTpmBuildPassthrough(const virTpm *tpm, qmpPlan *plan)
{
    const char *alias = tpm->base.info.alias;
    g_autofree char *name = g_path_get_basename(tpm->path);
    g_autofree char *cancelPath = g_strdup_printf("/sys/class/tpm/%s/device/cancel", name);
    unsigned first = qmpPlanHosts(plan);
    g_autofree char *device = qmpPlanFdToken(plan, first, 0);
    g_autofree char *cancel = qmpPlanFdToken(plan, first + 1, 0);
    qmpHostStep open = {.type = QMP_HOST_OPEN,
                        .path = tpm->path,
                        .flags = O_RDWR,
                        .alias = (char *)alias,
                        .fds = 1,
                        .pass = true};

    qmpPlanArgF(plan, "-tpmdev", "passthrough,id=tpm-%s,path=%s,cancel-path=%s", alias, device,
                cancel);
    qmpPlanHost(plan, &open);
    open.path = cancelPath;
    open.elsePath = (char *)"/dev/null"; /* a TPM 2.0 has nothing to cancel by */
    open.flags = O_WRONLY;
    qmpPlanHost(plan, &open);
}

static bool
qemuTpmBuildEmulator(const virTpm *tpm, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    virChrSource source = tpm->source; /* borrows */

    if (tpm->backend == VIR_TPM_BACKEND_EMULATOR) {
        if (!ctx->config->tpmSocket)
            return virErrorSet(
                error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                _("swtpm is not started by this daemon; use an external TPM backend"));
        source = (virChrSource){.type = VIR_CHR_UNIX, .path = (char *)ctx->config->tpmSocket};
    }
    qmpPlanArgF(plan, "-tpmdev", "emulator,id=tpm-%s,chardev=%s", tpm->base.info.alias, CHARDEV);
    return qemuChrSourceBuild(&source, &tpm->base, CHARDEV, NULL, 0, ctx, plan, error);
}

static bool
qemuTpmBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virTpm *tpm = VIR_TPM(dev);
    g_autoptr(virJSON) props = virJSONObject();

    virJSONAddString(props, "driver", virTpmModelToString(tpm->model));
    virJSONAddStringF(props, "tpmdev", "tpm-%s", dev->info.alias);
    virJSONAddString(props, "id", dev->info.alias);
    if (!qemuAddressProps(dev, ctx, props, error))
        return false;
    if (tpm->backend == VIR_TPM_BACKEND_PASSTHROUGH)
        qemuTpmBuildPassthrough(tpm, plan);
    else if (!qemuTpmBuildEmulator(tpm, ctx, plan, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

const virDeviceQemu virTpmQemu = {
    .kind = &virTpmKind,
    .complete = qemuTpmComplete,
    .check = qemuTpmCheck,
    .touches = qemuTpmTouches,
    .build = qemuTpmBuild,
    .hotpluggable = qemuDeviceNeverHotpluggable,
};
