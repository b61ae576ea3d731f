/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virjson_test.c: values survive reading and printing, and what is refused. */
#include "util/virjson.h"

#include <string.h>

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

/* Control characters, and more text than the first piece of memory holds. */
static void
testPrintsAnyLengthEscaped(void)
{
    g_autofree char *run = g_strnfill(5000, 'y');
    g_autofree char *text =
        g_strconcat("[\"\\u0001", run, "\\\\", run, "\\t\",\"", run, "\"]", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(virJSONSecret) value = virJSONParseSecret(text, &error);
    g_autofree char *back = NULL;

    g_assert_no_error(error);
    back = virJSONPrint(value);
    g_assert_cmpstr(back, ==, text);
}

static void
testReadsSecretsAlike(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virJSONSecret) value = virJSONParseSecret("{\"password\":\"hush\"} ", &error);

    g_assert_no_error(error);
    g_assert_cmpstr(virJSONGetString(value, "password"), ==, "hush");
    g_assert_null(virJSONParseSecret("{\"password\":\"hush", &error));
    g_assert_true(virErrorIs(error, VIR_ERR_INTERNAL_ERROR));
    g_assert_null(strstr(error->message, "hush"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/prints-what-it-read", testPrintsWhatItRead);
    g_test_add_func("/json/refuses-garbage", testRefusesGarbage);
    g_test_add_func("/json/prints-any-length-escaped", testPrintsAnyLengthEscaped);
    g_test_add_func("/json/reads-secrets-alike", testReadsSecretsAlike);
    return g_test_run();
}
