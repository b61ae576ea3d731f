/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * conformance.h: what a family of conformance cases is made of.
 *
 * The runner (./run) reads the manifest, hands one row at a time to the program
 * virtward-conformance and compares what comes back; a family only turns the inputs of a row into
 * output texts. One thread; no core lock is held. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "qmp/qmpcaps.h"

/* One row of the manifest. */
typedef struct {
    const char *dataFolder;
    char *family;
    char *name;
    char *variant;
    char **inputs;     /* relative to dataFolder; none for "-" */
    char *expected;    /* as it stands */
    char *caps;        /* as it stands */
    GHashTable *flags; /* key -> value, "" for a bare key */
} conformanceCase;

/* What came of it: one text for each expected file, in order, or the step that failed. */
typedef struct {
    GPtrArray *texts;  /* of char* */
    const char *stage; /* static: "parse", "start" ... */
} conformanceResult;

typedef struct {
    const char *name;
    /* True with texts added, or false with stage and error set. */
    bool (*run)(const conformanceCase *row, conformanceResult *result, GError **error);
} conformanceFamily;

/* The only list of families: families.c. */
extern const conformanceFamily conformanceFamilies[];
const conformanceFamily *conformanceFamilyFind(const char *name);

/* Takes over text. Returns true, so that a family's last line can be this. */
bool conformanceAdd(conformanceResult *result, char *text);
/* Returns false: the step that failed, the error being set already. */
bool conformanceFail(conformanceResult *result, const char *stage);

/* The value of a flag, "" for a bare key, NULL if the row does not have it. */
const char *conformanceFlag(const conformanceCase *row, const char *key);

/* The text of an input: a backslash at the end of a line joins it to the next. Caller frees. */
char *conformanceInput(const conformanceCase *row, size_t index, GError **error);
/* The path of a file of the data. Caller frees. */
char *conformancePath(const conformanceCase *row, const char *relative);

/* The capabilities that the row names: probed from the recorded talk (once a program), with
 * dissolved aliases for "latest", made up for "fake"; only the latter differ by arch. */
qmpCaps *conformanceCaps(const conformanceCase *row, const char *arch, GError **error);
/* Probes the recorded talk at path; no cache. microcode is set as the README says. */
qmpCaps *conformanceProbe(const char *path, GError **error);
