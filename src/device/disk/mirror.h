/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mirror.h: <mirror>: where a disk is being copied to while the guest runs. Only live documents
 * have it. The functions are those of the row in disk.c; object is a virDisk. */
#pragma once

#include "device/disk/disk.h"

bool virDiskMirrorParse(void *object, xmlNode *node, unsigned parseFlags, GError **error);
void virDiskMirrorFormat(const void *object, virXMLWriter *w, unsigned formatFlags);
void virDiskMirrorClear(void *object);
