/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virscale_test.c: sizes with units. */
#include "util/virscale.h"

#include "util/virerror.h"
#include "util/virxml.h"

static void
testKnowsEverySpellingOfAUnit(void)
{
    static const struct {
        const char *suffix;
        uint64_t factor;
    } rows[] = {{NULL, 7},       {"", 7},          {"b", 1},         {"Bytes", 1},
                {"k", 1 << 10},  {"KiB", 1 << 10}, {"KB", 1000},     {"m", 1 << 20},
                {"MB", 1000000}, {"gib", 1 << 30}, {"T", 1ULL << 40}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t value = 3;

        g_assert_true(virScaleInteger(&value, rows[i].suffix, 7, INT64_MAX, NULL));
        g_assert_cmpuint(value, ==, 3 * rows[i].factor);
    }
}

static void
testRefusesUnknownUnitsAndOverflow(void)
{
    g_autoptr(GError) unknown = NULL;
    g_autoptr(GError) overflow = NULL;
    uint64_t value = 1ULL << 60;

    g_assert_false(virScaleInteger(&value, "parsec", 1, UINT64_MAX, &unknown));
    g_assert_true(virErrorIs(unknown, VIR_ERR_INVALID_ARG));
    g_assert_false(virScaleInteger(&value, "KiB", 1, INT64_MAX, &overflow));
    g_assert_true(virErrorIs(overflow, VIR_ERR_OVERFLOW));
}

static void
testRoundsMemoryUpToKiB(void)
{
    g_autoptr(xmlDoc) doc =
        virXMLParse("<d><memory unit='bytes'>1025</memory></d>", -1, "test", NULL);
    uint64_t kib = 0;
    bool set;

    g_assert_true(virXMLMemory(xmlDocGetRootElement(doc), "memory", true, &set, &kib, NULL));
    g_assert_true(set);
    g_assert_cmpuint(kib, ==, 2);
    g_assert_true(virXMLMemory(xmlDocGetRootElement(doc), "maxMemory", false, &set, &kib, NULL));
    g_assert_false(set);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scale/knows-every-spelling-of-a-unit", testKnowsEverySpellingOfAUnit);
    g_test_add_func("/scale/refuses-unknown-units-and-overflow",
                    testRefusesUnknownUnitsAndOverflow);
    g_test_add_func("/scale/rounds-memory-up-to-kib", testRoundsMemoryUpToKiB);
    return g_test_run();
}
