/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * identity.h: who a domain is: name, uuid, genid, title, description, metadata. Their place is
 * virDomainDef itself. */
#pragma once

#include <stdbool.h>

#include "util/viruuid.h"

typedef struct {
    bool requested; /* <genid/> stands in the document */
    bool generated; /* by us, since the document gave none */
    unsigned char uuid[VIR_UUID_SIZE];
} virDomainGenId;
