/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * buildctx.h: what a plan is built with: the facts of a document, what the binary can do, the
 * folders of the guest. A value that owns its strings; any thread. */
#pragma once

#include "device/device_qemu.h"
#include "qemu/driver.h"

typedef struct {
    qemuBuildContext base; /* points into the rest */
    virDomainFacts facts;
    qemuBuildConfig config;
    char *stateDir, *channelDir, *nvramDir, *logDir;
    unsigned char masterKey[32]; /* wiped when cleared */
} qemuBuild;

/* def and caps are borrowed and must outlive it. */
void qemuBuildInit(qemuBuild *build, const qemuDriver *driver, const virDomainDef *def,
                   const qmpCaps *caps, const char *stateDir, const char *channelDir);
/* Lets claims look for devices of the host. The core lock may be held: it is given up meanwhile. */
void qemuBuildClaimsOfHost(qemuClaims *claims);
void qemuBuildClear(qemuBuild *build);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(qemuBuild, qemuBuildClear)
