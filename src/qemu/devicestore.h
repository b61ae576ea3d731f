/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devicestore.h: devices of a stored definition: they come, go and change in a private copy of it,
 * which is whole and checked afterwards. In a job, without the core lock: the binary may have to be
 * asked. */
#pragma once

#include "qemu/driver.h"

/* dev is taken over in both, also on error. */
bool qemuStoredAttach(qemuDriver *driver, virDomainDef *def, virDevice *dev, GError **error);
bool qemuStoredUpdate(qemuDriver *driver, virDomainDef *def, virDevice *dev, GError **error);
/* wanted or, if that is NULL, by alias. */
bool qemuStoredDetach(qemuDriver *driver, virDomainDef *def, const virDevice *wanted,
                      const char *alias, GError **error);
