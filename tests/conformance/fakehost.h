/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fakehost.h: the host that the expected command lines were made on, as the data's README tells it:
 * folders, descriptors, passwords, environment. One guest at a time. */
#pragma once

#include "conformance.h"
#include "device/device_qemu.h"

typedef struct {
    qemuBuildConfig config; /* points into the rest */
    qemuClaims claims;
    char *stateDir;
    char *channelDir;
    unsigned char masterKey[32];
    unsigned spicePorts, nodes; /* handed out so far */
    const qmpPlan *plan;        /* whose descriptors are asked for; borrowed */
} conformanceHost;

/* Sets the environment of this process too, as builders read it there. */
void conformanceHostInit(conformanceHost *host, const conformanceCase *row, const char *guestName);
void conformanceHostClear(conformanceHost *host);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(conformanceHost, conformanceHostClear)

/* A qmpPlanFdName; opaque is the conformanceHost. */
char *conformanceHostFd(unsigned hostStep, unsigned n, void *opaque);

/* A command line in the form of the .args files: environment, program, then an option with its
 * value to a line, words quoted as for a shell. Caller frees. */
char *conformanceCommandLine(const GPtrArray *environment, const char *program,
                             const GPtrArray *words);
