/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * secret.c: see secret.h. */
#include "qemu/secret.h"

#include <glib.h>
#include <gnutls/crypto.h>
#include <string.h>

#include "util/virsecure.h"
#include "util/viruuid.h"

enum { AES_BLOCK = 16 };

char *
qemuSecretEncrypt(const unsigned char key[QEMU_MASTER_KEY_SIZE], const char *plain, size_t len,
                  char **retIv)
{
    size_t padded = (len / AES_BLOCK + 1) * AES_BLOCK;
    g_autofree unsigned char *text = g_malloc(padded);
    unsigned char iv[AES_BLOCK];
    gnutls_datum_t keyDatum = {(unsigned char *)key, QEMU_MASTER_KEY_SIZE};
    gnutls_datum_t ivDatum = {iv, sizeof(iv)};
    gnutls_cipher_hd_t cipher;
    char *encoded = NULL;

    virRandomBytes(iv, sizeof(iv));
    memcpy(text, plain, len);
    memset(text + len, (int)(padded - len), padded - len);
    if (gnutls_cipher_init(&cipher, GNUTLS_CIPHER_AES_256_CBC, &keyDatum, &ivDatum) == 0) {
        if (gnutls_cipher_encrypt(cipher, text, padded) == 0) {
            encoded = g_base64_encode(text, padded);
            *retIv = g_base64_encode(iv, sizeof(iv));
        }
        gnutls_cipher_deinit(cipher);
    }
    virSecureErase(text, padded);
    return encoded;
}
