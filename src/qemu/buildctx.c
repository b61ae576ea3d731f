/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * buildctx.c: see buildctx.h. */
#include "qemu/buildctx.h"

#include "host/attached.h"
#include "qemu/argv.h"
#include "qemu/hostpci.h"
#include "qemu/prepare.h"
#include "qemu/secret.h"
#include "util/vircore.h"
#include "util/virsecure.h"

static char *
qemuBuildEncrypt(const char *plain, size_t len, char **retIv, void *opaque)
{
    const qemuBuild *build = opaque;

    return qemuSecretEncrypt(build->masterKey, plain, len, retIv);
}

/* --- looking for devices of the host --- */

static bool
qemuBuildFindUSB(unsigned vendor, unsigned product, unsigned *retBus, unsigned *retDevice,
                 void *opaque, GError **error)
{
    (void)opaque;
    if (virCoreIsHeld()) {
        VIR_CORE_UNLOCKED;

        return virHostUSBFind("/sys", vendor, product, retBus, retDevice, error);
    }
    return virHostUSBFind("/sys", vendor, product, retBus, retDevice, error);
}

static char *
qemuBuildFindSCSI(const char *adapter, unsigned bus, unsigned target, uint64_t unit, void *opaque,
                  GError **error)
{
    (void)opaque;
    if (virCoreIsHeld()) {
        VIR_CORE_UNLOCKED;

        return virHostSCSIGeneric("/sys", adapter, bus, target, unit, error);
    }
    return virHostSCSIGeneric("/sys", adapter, bus, target, unit, error);
}

static bool
qemuBuildIsCdrom(const char *path)
{
    if (virCoreIsHeld()) {
        VIR_CORE_UNLOCKED;

        return virHostIsCdrom(path);
    }
    return virHostIsCdrom(path);
}

static char *
qemuBuildFindVFIO(const virPCIAddress *address, void *opaque)
{
    g_autofree char *text = virPCIAddressToString(address);

    (void)opaque;
    if (virCoreIsHeld()) {
        VIR_CORE_UNLOCKED;

        return qemuHostPCINode(text);
    }
    return qemuHostPCINode(text);
}

void
qemuBuildClaimsOfHost(qemuClaims *claims)
{
    claims->usbDevice = qemuBuildFindUSB;
    claims->scsiGeneric = qemuBuildFindSCSI;
    claims->vfioGroup = qemuBuildFindVFIO;
}

/* --- the value --- */

void
qemuBuildInit(qemuBuild *build, const qemuDriver *driver, const virDomainDef *def,
              const qmpCaps *caps, const char *stateDir, const char *channelDir)
{
    build->stateDir = g_strdup(stateDir);
    build->channelDir = g_strdup(channelDir);
    build->nvramDir = g_build_filename(driver->paths.lib, "nvram", NULL);
    build->logDir = g_strdup(driver->paths.log);
    qemuFacts(def, caps, &build->facts);
    build->config = (qemuBuildConfig){.stateDir = build->stateDir,
                                      .channelDir = build->channelDir,
                                      .nvramDir = build->nvramDir,
                                      .logDir = build->logDir,
                                      .vncListen = driver->config.vncListen,
                                      .spiceListen = driver->config.spiceListen,
                                      .privileged = driver->privileged,
                                      .stdioLogd = true, /* QEMU's user may not make files */
                                      .vhostNet = driver->vhostNet,
                                      .encrypt = qemuBuildEncrypt,
                                      .encryptOpaque = build,
                                      .isCdrom = qemuBuildIsCdrom};
    build->base = (qemuBuildContext){.facts = &build->facts,
                                     .caps = caps,
                                     .config = &build->config,
                                     .memoryBackend = qemuMemoryBackendProps};
}

void
qemuBuildClear(qemuBuild *build)
{
    g_clear_pointer(&build->stateDir, g_free);
    g_clear_pointer(&build->channelDir, g_free);
    g_clear_pointer(&build->nvramDir, g_free);
    g_clear_pointer(&build->logDir, g_free);
    virSecureErase(build->masterKey, sizeof(build->masterKey));
}
