/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * buildctx.c: see buildctx.h. */
#include "qemu/buildctx.h"

#include "qemu/argv.h"
#include "qemu/prepare.h"
#include "qemu/secret.h"
#include "util/virsecure.h"

static char *
qemuBuildEncrypt(const char *plain, size_t len, char **retIv, void *opaque)
{
    const qemuBuild *build = opaque;

    return qemuSecretEncrypt(build->masterKey, plain, len, retIv);
}

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
                                      .encryptOpaque = build};
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
