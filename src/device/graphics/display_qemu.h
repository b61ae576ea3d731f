/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * display_qemu.h: what the types of <graphics> share among their own files. */
#pragma once

#include "device/device_qemu.h"
#include "device/graphics/graphics.h"

bool qemuVNCCheck(const virGraphics *graphics, const qmpCaps *caps, GError **error);
bool qemuVNCBuild(const virGraphics *graphics, const qemuBuildContext *ctx, qmpPlan *plan,
                  GError **error);
bool qemuSpiceCheck(const virGraphics *graphics, const qmpCaps *caps, GError **error);
bool qemuSpiceBuild(const virGraphics *graphics, const qemuBuildContext *ctx, qmpPlan *plan,
                    GError **error);

/* Where it really listens: the first <listen> with what the configuration adds. The caller clears
 * *ret. */
bool qemuGraphicsResolve(const virGraphics *graphics, const qemuBuildConfig *config,
                         virGraphicsListen *ret, GError **error);
/* Frees the strings, not the struct. */
void qemuGraphicsListenClear(virGraphicsListen *listen);
/* The DRM node it draws on, or NULL. Borrowed. */
const char *qemuGraphicsRenderNode(const virGraphics *graphics, const qemuBuildContext *ctx);
/* text as a value within an option: commas twice. */
void qemuGraphicsAppendEscaped(GString *out, const char *text);
/* ",audiodev=audio1" if back ends have names and there is one. */
void qemuGraphicsAppendAudio(GString *opt, const virGraphics *graphics,
                             const qemuBuildContext *ctx);
