/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sysinfo.h: what the firmware says of the machine (SMBIOS), as a <sysinfo> document.
 *
 * The tables' many code numbers are turned into words by dmidecode(8), whose words are what clients
 * know; without it, or without tables or the right to read them, there is no document. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Runs dmidecode and makes the document; caller frees. VIR_ERR_CONFIG_UNSUPPORTED if there is
 * nothing to be had. Waits for the program: in a job. */
char *virHostSysinfoRead(GError **error);

/* Gives OEM string number n in full, NULL if it can't; caller frees. */
typedef char *(*virHostSysinfoOemFunc)(unsigned n, void *opaque);

/* The document made of the output of "dmidecode -q -t 0,1,2,3,4,11,17"; caller frees. There a dot
 * may stand for any character that isn't printable: such OEM strings are asked for by oem. */
char *virHostSysinfoFormat(const char *output, virHostSysinfoOemFunc oem, void *opaque);
