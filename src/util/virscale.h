/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virscale.h: sizes with units as documents have them: <memory unit='MiB'>512</memory>. Any thread.
 */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>
#include <stdint.h>

/* Multiplies *value by the factor of suffix ("KiB", "k", "KB", "bytes", …) or, without one, by
 * scale. VIR_ERR_INVALID_ARG for an unknown suffix, VIR_ERR_OVERFLOW beyond limit. */
bool virScaleInteger(uint64_t *value, const char *suffix, uint64_t scale, uint64_t limit,
                     GError **error);

/* Text of a number as libvirt reads it: decimal, no sign, no rest. */
bool virStringToUInt(const char *text, uint64_t max, uint64_t *ret);
bool virStringToInt(const char *text, int64_t *ret);

/* The number at a path below node ("memory", "memory@size", "@size") with the unit of the same
 * element, in bytes. An absent one is an error if required, else *retSet is false and *ret stays.
 */
bool virXMLScaled(const xmlNode *node, const char *path, uint64_t scale, uint64_t limit,
                  bool required, bool *retSet, uint64_t *ret, GError **error);
/* The same, rounded up to KiB. */
bool virXMLMemory(const xmlNode *node, const char *path, bool required, bool *retSet,
                  uint64_t *retKiB, GError **error);
/* The value in the largest unit that leaves no fraction: 2048 is 2 "KiB". *retUnit is constant. */
uint64_t virScalePretty(uint64_t value, const char **retUnit);
