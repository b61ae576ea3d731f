/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * chardev.h: the one place that knows both ways a character device is said to QEMU. */
#pragma once

#include "util/virjson.h"

/* From the flat form of the command line ({"backend":"socket","id":…,"path":…}) the arguments of
 * chardev-add ({"id":…,"backend":{"type":"socket","data":{"addr":…}}}). Source: QEMU
 * qapi/char.json, chardev/char-socket.c. Caller unrefs. */
virJSON *qmpChardevAddArguments(virJSON *flat);
