/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * documents.c: what reading, writing, copying and keeping one document costs, without a daemon.
 *
 *   documents FILE [TIMES]    FILE: a <domain> as a store holds it; prints a line a figure */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "domain/def.h"

enum { TIMES = 100, BATCHES = 10 };

typedef struct {
    const char *text;
    const virDomainDef *def;
} benchDocument;

static virDomainDef *
benchRead(const char *text)
{
    g_autoptr(GError) error = NULL;
    virDomainDef *def =
        virDomainDefParse(text, VIR_PARSE_INACTIVE | VIR_PARSE_SKIP_VALIDATE, &error);

    if (!def) {
        fprintf(stderr, "%s\n", error->message);
        exit(1);
    }
    return def;
}

static void
benchParse(const benchDocument *document)
{
    virDomainDefFree(benchRead(document->text));
}

static void
benchFormat(const benchDocument *document)
{
    g_free(virDomainDefFormat(document->def, VIR_FORMAT_INACTIVE));
}

static void
benchCopy(const benchDocument *document)
{
    virDomainDefFree(virDomainDefCopy(document->def));
}

/* CPU time, the best of several batches: others on the machine lengthen it little. */
static double
benchNow(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void
benchRun(const char *name, void (*run)(const benchDocument *), const benchDocument *document,
         int times)
{
    double best = 0;

    for (int batch = 0; batch < BATCHES; batch++) {
        double begin = benchNow();
        double took;

        for (int i = 0; i < times; i++)
            run(document);
        took = (benchNow() - begin) / times;
        if (batch == 0 || took < best)
            best = took;
    }
    printf("%-8s %8.1f us\n", name, best);
}

static void
benchMemory(const char *text, int times)
{
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func((GDestroyNotify)virDomainDefFree);
    size_t before = mallinfo2().uordblks;

    for (int i = 0; i < times; i++)
        g_ptr_array_add(kept, benchRead(text));
    printf("%-8s %8.0f bytes\n", "memory", (double)(mallinfo2().uordblks - before) / times);
}

int
main(int argc, char **argv)
{
    int times = argc > 2 ? atoi(argv[2]) : TIMES;
    g_autofree char *text = NULL;
    g_autoptr(virDomainDef) def = NULL;
    benchDocument document;

    if (argc < 2 || times <= 0 || !g_file_get_contents(argv[1], &text, NULL, NULL)) {
        fprintf(stderr, "usage: documents FILE [TIMES]\n");
        return 2;
    }
    virXMLInit();
    def = benchRead(text);
    document = (benchDocument){text, def};
    benchRun("parse", benchParse, &document, times);
    benchRun("format", benchFormat, &document, times);
    benchRun("copy", benchCopy, &document, times);
    benchMemory(text, times);
    return 0;
}
