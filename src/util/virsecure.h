/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virsecure.h: memory that held a secret is wiped before it is given back. Any thread. */
#pragma once

#include <stddef.h>

/* Overwrites len bytes with zeroes; the compiler may not leave it out (explicit_bzero(3)).
 * ptr may be NULL if len is 0. */
void virSecureErase(void *ptr, size_t len);

/* Overwrites a string up to its end; NULL is allowed. */
void virSecureEraseString(char *str);

/* Wipes a string up to its end, then frees it with g_free; NULL is allowed. */
void virSecureFreeString(char *str);
