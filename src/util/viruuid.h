/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * viruuid.h: 16 bytes and their text; random bytes for them and for MAC addresses. Any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum { VIR_UUID_SIZE = 16, VIR_UUID_TEXT_SIZE = 37 };

/* Bytes that nobody can guess (getrandom(2)). */
void virRandomBytes(void *bytes, size_t len);
/* Tests: from now on every call gives 00 01 02 …, so that what is generated can be compared. */
void virRandomMakePredictable(void);

void virUUIDGenerate(unsigned char uuid[VIR_UUID_SIZE]);
/* 32 hexadecimal digits; dashes may stand between, white space before and behind. */
bool virUUIDParse(const char *text, unsigned char uuid[VIR_UUID_SIZE]);
/* Lower case with dashes; returns text. */
char *virUUIDFormat(const unsigned char uuid[VIR_UUID_SIZE], char text[VIR_UUID_TEXT_SIZE]);
