/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpschema_test.c: each kind of step of a path, over a schema of a few entries. */
#include "qmp/qmpschema.h"

static const char text[] =
    "["
    "{\"name\":\"block-commit\",\"meta-type\":\"command\",\"arg-type\":\"1\",\"ret-type\":\"0\","
    " \"features\":[\"fast\"]},"
    "{\"name\":\"1\",\"meta-type\":\"object\",\"members\":["
    "  {\"name\":\"device\",\"type\":\"str\"},{\"name\":\"top\",\"type\":\"str\",\"default\":null},"
    "  {\"name\":\"driver\",\"type\":\"2\"},{\"name\":\"list\",\"type\":\"[1]\"}],"
    " \"tag\":\"driver\",\"variants\":[{\"case\":\"file\",\"type\":\"3\"}]},"
    "{\"name\":\"2\",\"meta-type\":\"enum\",\"values\":[\"file\",\"nbd\"]},"
    "{\"name\":\"3\",\"meta-type\":\"object\",\"members\":[{\"name\":\"aio\",\"type\":\"2\"}]},"
    "{\"name\":\"[1]\",\"meta-type\":\"array\",\"element-type\":\"1\"},"
    "{\"name\":\"str\",\"meta-type\":\"builtin\",\"json-type\":\"string\"},"
    "{\"name\":\"0\",\"meta-type\":\"object\",\"members\":[]},"
    "{\"name\":\"SHUTDOWN\",\"meta-type\":\"event\",\"arg-type\":\"1\"}"
    "]";

static void
testPaths(void)
{
    static const struct {
        const char *path;
        bool there;
    } rows[] = {
        {"block-commit", true},
        {"block-rewind", false},
        {"block-commit/$fast", true},
        {"block-commit/$slow", false},
        {"block-commit/arg-type/device", true},
        {"block-commit/arg-type/nodevice", false},
        {"block-commit/arg-type/*top", true},
        {"block-commit/arg-type/*device", false},
        {"block-commit/arg-type/device/!string", true},
        {"block-commit/arg-type/device/!int", false},
        {"block-commit/arg-type/driver/^nbd", true},
        {"block-commit/arg-type/driver/^ssh", false},
        {"block-commit/arg-type/+file/aio/^file", true},
        {"block-commit/arg-type/+nbd", false},
        {"block-commit/arg-type/list/list/device", true},
        {"block-commit/ret-type/device", false},
        {"SHUTDOWN/arg-type/device", true},
        {"", false},
        {"/", false},
        {"block-commit//", false},
    };
    g_autoptr(virJSON) reply = virJSONParse(text, -1, NULL);
    g_autoptr(qmpSchema) schema = qmpSchemaNew(reply);

    g_assert_nonnull(reply);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (qmpSchemaHas(schema, rows[i].path) != rows[i].there)
            g_error("'%s' should be %s", rows[i].path, rows[i].there ? "there" : "missing");
    }
}

static void
testEndlessArrayEnds(void)
{
    /* nothing that QEMU says: an array of itself must not keep us walking */
    g_autoptr(virJSON) reply =
        virJSONParse("[{\"name\":\"a\",\"meta-type\":\"array\",\"element-type\":\"a\"}]", -1, NULL);
    g_autoptr(qmpSchema) schema = qmpSchemaNew(reply);

    g_assert_false(qmpSchemaHas(schema, "a/b"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmpschema/each kind of step leads where it should", testPaths);
    g_test_add_func("/qmpschema/an array of itself ends", testEndlessArrayEnds);
    return g_test_run();
}
