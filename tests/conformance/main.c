/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * main.c: virtward-conformance: rows in, results out, until the end of the input.
 *
 *     virtward-conformance DATA-FOLDER     one manifest row a line on standard input
 *     virtward-conformance --families      the names of the families it knows
 *
 * For each row a line "ok LENGTH..." or "fail STAGE LENGTH", then the texts (or the error message)
 * one behind the other, then a newline. ./run starts it again if a case brings it down. */
#include <stdio.h>
#include <string.h>

#include "families.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virxml.h"

enum { COLUMNS = 7, INPUT_MAX = 16 * 1024 * 1024 };

bool
conformanceAdd(conformanceResult *result, char *text)
{
    g_ptr_array_add(result->texts, text);
    return true;
}

bool
conformanceFail(conformanceResult *result, const char *stage)
{
    result->stage = stage;
    return false;
}

const char *
conformanceFlag(const conformanceCase *row, const char *key)
{
    return g_hash_table_lookup(row->flags, key);
}

char *
conformancePath(const conformanceCase *row, const char *relative)
{
    return g_build_filename(row->dataFolder, relative, NULL);
}

char *
conformanceInput(const conformanceCase *row, size_t index, GError **error)
{
    g_autofree char *path = conformancePath(row, row->inputs[index]);
    char *text = virFileRead(path, INPUT_MAX, NULL, error);
    char *to = text;

    for (const char *from = text; from && *from; from++) {
        if (from[0] == '\\' && from[1] == '\n')
            from++;
        else
            *to++ = *from;
    }
    if (text)
        *to = '\0';
    return text;
}

static bool
conformanceIsEmpty(const char *field)
{
    return !*field || g_str_equal(field, "-");
}

static GHashTable *
conformanceParseFlags(const char *field)
{
    GHashTable *flags = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) items = g_strsplit(conformanceIsEmpty(field) ? "" : field, ";", -1);

    for (size_t i = 0; items[i]; i++) {
        char *equals = strchr(items[i], '=');

        g_hash_table_insert(
            flags, equals ? g_strndup(items[i], (gsize)(equals - items[i])) : g_strdup(items[i]),
            g_strdup(equals ? equals + 1 : ""));
    }
    return flags;
}

static bool
conformanceCaseInit(conformanceCase *row, const char *dataFolder, char *line)
{
    g_auto(GStrv) fields = g_strsplit(g_strchomp(line), "\t", COLUMNS);

    if (g_strv_length(fields) != COLUMNS)
        return false;
    row->dataFolder = dataFolder;
    row->family = g_strdup(fields[0]);
    row->name = g_strdup(fields[1]);
    row->variant = g_strdup(fields[2]);
    row->inputs = g_strsplit(conformanceIsEmpty(fields[3]) ? "" : fields[3], " ", -1);
    row->expected = g_strdup(fields[4]);
    row->caps = g_strdup(fields[5]);
    row->flags = conformanceParseFlags(fields[6]);
    return true;
}

static void
conformanceCaseClear(conformanceCase *row)
{
    g_free(row->family);
    g_free(row->name);
    g_free(row->variant);
    g_strfreev(row->inputs);
    g_free(row->expected);
    g_free(row->caps);
    g_clear_pointer(&row->flags, g_hash_table_unref);
}

static void
conformancePrint(bool good, const conformanceResult *result, const GError *error)
{
    g_autofree char *message = good ? NULL : virErrorWireMessage(error);

    if (good) {
        fputs("ok", stdout);
        for (guint i = 0; i < result->texts->len; i++)
            printf(" %zu", strlen(result->texts->pdata[i]));
        fputc('\n', stdout);
        for (guint i = 0; i < result->texts->len; i++)
            fputs(result->texts->pdata[i], stdout);
    } else {
        printf("fail %s %zu\n%s", result->stage ? result->stage : "harness", strlen(message),
               message);
    }
    fputc('\n', stdout);
    fflush(stdout);
}

static void
conformanceRunRow(const conformanceCase *row)
{
    const conformanceFamily *family = conformanceFamilyFind(row->family);
    conformanceResult result = {g_ptr_array_new_with_free_func(g_free), NULL};
    g_autoptr(GError) error = NULL;
    bool good;

    if (family)
        good = family->run(row, &result, &error);
    else
        good = virErrorSet(&error, VIR_ERR_NO_SUPPORT, "no such family: %s", row->family);
    if (!good && !error)
        virErrorSet(&error, VIR_ERR_INTERNAL_ERROR, "failed without an error");
    conformancePrint(good, &result, error);
    g_ptr_array_unref(result.texts);
}

static void
conformanceListFamilies(void)
{
    for (const conformanceFamily *family = conformanceFamilies; family->name; family++)
        puts(family->name);
}

int
main(int argc, char **argv)
{
    g_autofree char *line = NULL;
    size_t size = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s DATA-FOLDER | --families\n", argv[0]);
        return 2;
    }
    if (g_str_equal(argv[1], "--families")) {
        conformanceListFamilies();
        return 0;
    }
    virXMLInit();
    while (getline(&line, &size, stdin) > 0) {
        conformanceCase row = {NULL};

        if (!conformanceCaseInit(&row, argv[1], line)) {
            fprintf(stderr, "not a row of %d columns: %s\n", COLUMNS, line);
            return 2;
        }
        conformanceRunRow(&row);
        conformanceCaseClear(&row);
    }
    return 0;
}
