/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * chrport.h: what serial ports, parallel ports and consoles share beside their source: their
 * numbers, and what none of them may be. */
#pragma once

#include "device/common/chrsource.h"

/* The number in a device of the kind. */
typedef const virOptUInt *(*virChrPortOf)(const virDevice *dev);

/* Numbers a port that has none: one more than the highest of its kind. */
void virChrPortComplete(virOptUInt *port, const GPtrArray *devices, const virDeviceKind *kind,
                        virChrPortOf portOf);
/* VIR_ERR_XML_ERROR for a source that only channels may have. */
bool virChrRefuseSpicevmc(const virChrSource *source, GError **error);
