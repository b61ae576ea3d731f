/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virjsonflat_test.c: dotted keys; the golden cases are in the conformance data. */
#include "util/virerror.h"
#include "util/virjsonflat.h"

static char *
testDeflatten(const char *text, GError **error)
{
    g_autoptr(virJSON) object = virJSONParse(text, -1, NULL);
    g_autoptr(virJSON) nested = virJSONDeflatten(object, error);

    return nested ? virJSONPrint(nested) : NULL;
}

static void
testMakesGroupsAndArrays(void)
{
    g_autofree char *text =
        testDeflatten("{\"a.b\":1,\"a.c.1\":\"y\",\"a.c.0\":\"x\",\"d\":{\"e.f\":true}}", NULL);

    g_assert_cmpstr(text, ==, "{\"a\":{\"b\":1,\"c\":[\"x\",\"y\"]},\"d\":{\"e\":{\"f\":true}}}");
}

static void
testRefusesAPlaceGivenTwice(void)
{
    g_autoptr(GError) twice = NULL;
    g_autoptr(GError) both = NULL;

    g_assert_null(testDeflatten("{\"a.b\":1,\"a\":{\"b\":2}}", &twice));
    g_assert_true(virErrorIs(twice, VIR_ERR_INVALID_ARG));
    g_assert_null(testDeflatten("{\"a\":1,\"a.b\":2}", &both));
    g_assert_true(virErrorIs(both, VIR_ERR_INVALID_ARG));
}

static void
testRefusesEndlessNesting(void)
{
    g_autoptr(GString) text = g_string_new("{\"a");
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < 1000; i++)
        g_string_append(text, ".a");
    g_string_append(text, "\":1}");
    g_assert_null(testDeflatten(text->str, &error));
    g_assert_nonnull(strstr(error->message, "deeply"));
}

static void
testRefusesWhatIsNoObject(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(testDeflatten("[{\"a.b\":1}]", &error));
    g_assert_true(virErrorIs(error, VIR_ERR_INVALID_ARG));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virjsonflat/dotted keys become groups and arrays", testMakesGroupsAndArrays);
    g_test_add_func("/virjsonflat/a place given twice is refused", testRefusesAPlaceGivenTwice);
    g_test_add_func("/virjsonflat/endless nesting is refused", testRefusesEndlessNesting);
    g_test_add_func("/virjsonflat/an array is refused", testRefusesWhatIsNoObject);
    return g_test_run();
}
