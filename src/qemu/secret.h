/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * secret.h: passwords on their way to QEMU. */
#pragma once

#include <stddef.h>

enum { QEMU_MASTER_KEY_SIZE = 32 };

/* AES-256-CBC with PKCS#7 under the guest's master key and a random IV, both as base64: what QEMU's
 * -object secret takes with format=base64 and keyid. Caller frees both. Any thread. */
char *qemuSecretEncrypt(const unsigned char key[QEMU_MASTER_KEY_SIZE], const char *plain,
                        size_t len, char **retIv);
