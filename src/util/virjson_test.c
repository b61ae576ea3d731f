/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virjson_test.c: values survive reading and printing, and what is refused. */
#include "util/virjson.h"

#include "util/virerror.h"

static void
testPrintsWhatItRead(void)
{
    static const char text[] =
        "{\"a\":[1,-2,true,null],\"b\":{\"c\":\"x/\\\"\\n\"},\"d\":18446744073709551615}";
    g_autoptr(GError) error = NULL;
    g_autoptr(virJSON) value = virJSONParse(text, -1, &error);
    g_autofree char *back = NULL;

    g_assert_no_error(error);
    back = virJSONPrint(value);
    g_assert_cmpstr(back, ==, text);
}

static void
testRefusesGarbage(void)
{
    static const char *const bad[] = {"", "{", "{} x", "[1,]"};

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(virJSONParse(bad[i], -1, &error));
        g_assert_true(virErrorIs(error, VIR_ERR_INTERNAL_ERROR));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/prints-what-it-read", testPrintsWhatItRead);
    g_test_add_func("/json/refuses-garbage", testRefusesGarbage);
    return g_test_run();
}
