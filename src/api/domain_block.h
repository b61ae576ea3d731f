/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_block.h: how clients name a disk. */
#pragma once

#include "device/disk/disk.h"
#include "domain/def.h"

/* The disk by its target's name ("vda") or the path of its image; NULL if there is none. Borrowed
 * from def; any thread. */
virDisk *virApiDiskFind(const virDomainDef *def, const char *name);
