/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * policycheck.h: mistakes in a policy file, found before anybody is served. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The file's lines: groups and keys each once, nothing else. text is what the file holds, path for
 * the words alone. VIR_ERR_CONF_SYNTAX "PATH:LINE: ...". Any thread. */
bool helperPolicyCheckLines(const char *path, const char *text, GError **error);
/* The value of one key: a number, a list of numbers, of absolute paths, of devices, of bounds and
 * so on, as the key has it; for a group with both, that "min" is not above "max".
 * VIR_ERR_CONF_SYNTAX "PATH:LINE: [GROUP] KEY: ...". */
bool helperPolicyCheckValue(const char *path, const char *text, GKeyFile *file, const char *group,
                            const char *key, GError **error);
/* Where the key of the group stands in text, or the group itself (key NULL); 0: nowhere. */
unsigned helperPolicyFindLine(const char *text, const char *group, const char *key);

/* A row of cgroup.set's list, "FILE" or "FILE:MIN-MAX"; with "max" for MAX every number from MIN
 * on. False: it is neither. *retFile is the caller's to free. */
bool helperPolicyReadBounds(const char *row, char **retFile, bool *retBounded, gint64 *retMin,
                            gint64 *retMax);
