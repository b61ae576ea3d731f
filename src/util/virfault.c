/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virfault.c: what a named step does in a test build. See virfault.h. */
#include "util/virfault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virutil.h"

#if WITH_FAULT_POINTS

enum { FAULTS_MAX = 4 };

/* One fault of VIRTWARD_FAULT taken apart. */
typedef struct {
    char *name; /* NULL: the last of them, and nothing is asked for */
    bool fail;  /* an error instead of the end */
    int count;  /* the how-manieth time */
} virFaultWish;

/* A name has one colon of its own: "start:leaf-made[:kill|:error[:N]]". */
static virFaultWish
virFaultParse(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 4);
    virFaultWish wish = {.count = 1};

    if (g_strv_length(parts) < 2)
        return wish;
    wish.name = g_strdup_printf("%s:%s", parts[0], parts[1]);
    wish.fail = parts[2] && g_str_equal(parts[2], "error");
    if (parts[2] && parts[3])
        wish.count = atoi(parts[3]);
    return wish;
}

/* Read once, before threads matter. */
static virFaultWish *
virFaultGetWishes(void)
{
    static virFaultWish wishes[FAULTS_MAX + 1];
    static gsize once;

    if (g_once_init_enter(&once)) {
        const char *text = g_getenv("VIRTWARD_FAULT");
        g_auto(GStrv) all = g_strsplit(text ? text : "", ",", FAULTS_MAX);

        for (size_t i = 0; all[i]; i++)
            wishes[i] = virFaultParse(all[i]);
        g_once_init_leave(&once, 1);
    }
    return wishes;
}

bool
virFaultReached(const char *name, GError **error)
{
    for (virFaultWish *wish = virFaultGetWishes(); wish->name; wish++) {
        if (!g_str_equal(wish->name, name) || g_atomic_int_add(&wish->count, -1) != 1)
            continue;
        if (!wish->fail || !error)
            (void)kill(getpid(), SIGKILL);
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "fault point %s", name);
    }
    return true;
}

/* The section's ends, from the linker; weak: a program without points has no such section. */
extern const char __start_vir_fault_points[] __attribute__((weak));
extern const char __stop_vir_fault_points[] __attribute__((weak));

static int
virFaultCompare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void
virFaultList(void)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (const char *at = __start_vir_fault_points; at < __stop_vir_fault_points;
         at += strlen(at) + 1) {
        if (*at) /* padding between objects is empty strings */
            g_ptr_array_add(names, (void *)at);
    }
    g_ptr_array_sort(names, virFaultCompare);
    for (guint i = 0; i < names->len; i++) {
        if (i == 0 || !g_str_equal(names->pdata[i], names->pdata[i - 1]))
            puts(names->pdata[i]);
    }
}

#else

void
virFaultList(void)
{
}

#endif
