/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virxdr_test.c: limits of the codec, on every type there is. What the stock codec does byte for
 * byte is tests/wire/xdr_compare.py's. */
#include "rpc/virxdr.h"

#include <string.h>

#include "rpc/types.gen.h"
#include "util/virerror.h"

enum { ZEROES = 1024 };

static const uint8_t zeroes[ZEROES];

/* Zeroes decode as the least value of nearly every type; false for those with a union in them. */
static bool
testLeast(const virXdrType *type, virArena *arena, void *value)
{
    return virXdrDecode(type, zeroes, sizeof(zeroes), arena, value, NULL, NULL);
}

static void
testSetCount(const virXdrField *field, void *value, uint32_t count)
{
    memcpy((char *)value + field->countOffset, &count, sizeof(count));
}

/* As a message without payload has it; the sanitizers look on. */
static void
testNothingIsDecodedFromNothing(void)
{
    for (size_t i = 0; i < virXdrTypesCount; i++) {
        const virXdrType *type = virXdrTypes[i];
        g_autofree void *value = g_malloc(MAX(type->size, 1));
        g_auto(virArena) arena = {0};
        size_t used = 7;

        virArenaInit(&arena);
        if (virXdrDecode(type, NULL, 0, &arena, value, &used, NULL))
            g_assert_cmpuint(used, ==, 0);
        else
            g_assert_cmpuint(type->minWire, >, 0);
    }
}

static void
testArrayBeyondLimitIsNotEncoded(void)
{
    unsigned tried = 0;

    for (size_t i = 0; i < virXdrTypesCount; i++) {
        const virXdrType *type = virXdrTypes[i];
        g_autofree void *value = g_malloc(type->size);

        for (uint32_t f = 0; f < type->fieldCount; f++) {
            const virXdrField *field = &type->fields[f];
            g_auto(virArena) arena = {0};
            g_auto(virNetBuffer) out = {0};
            g_autoptr(GError) error = NULL;

            virArenaInit(&arena);
            virNetBufferInit(&out, SIZE_MAX);
            if (field->shape != VIR_XDR_VARIABLE || !testLeast(type, &arena, value))
                continue;
            testSetCount(field, value, field->limit + 1);
            g_assert_false(virXdrEncode(type, value, &out, &error));
            g_assert_true(virErrorIs(error, VIR_ERR_RPC));
            g_assert_nonnull(strstr(error->message, "items"));
            g_assert_cmpint(out.len, ==, 0);
            tried++;
        }
    }
    g_assert_cmpint(tried, >, 100);
}

static void
testStringBeyondLimitIsNotEncoded(void)
{
    g_autofree char *text = g_strnfill(RPC_MESSAGE_STRING_MAX + 1, 'x');
    remote_connect_get_uri_ret ret = {.uri = text};
    g_auto(virNetBuffer) out = {0};
    g_autoptr(GError) error = NULL;

    virNetBufferInit(&out, SIZE_MAX);
    g_assert_false(virXdrEncode(&remote_connect_get_uri_ret_xdr, &ret, &out, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_RPC));
    text[RPC_MESSAGE_STRING_MAX] = '\0';
    g_assert_true(virXdrEncode(&remote_connect_get_uri_ret_xdr, &ret, &out, NULL));
    g_assert_cmpint(out.len, ==, 4 + RPC_MESSAGE_STRING_MAX);
}

static void
testMissingStringIsNotEncoded(void)
{
    remote_connect_get_uri_ret ret = {0};
    g_auto(virNetBuffer) out = {0};
    g_autoptr(GError) error = NULL;

    virNetBufferInit(&out, SIZE_MAX);
    g_assert_false(virXdrEncode(&remote_connect_get_uri_ret_xdr, &ret, &out, &error));
    g_assert_nonnull(strstr(error->message, "'uri' is missing"));
}

/* A count within its limit, but of more items than there are bytes for. */
static void
testCountBeyondTheBytesTakesNoMemory(void)
{
    uint8_t bytes[8] = {0, 0, 0x40, 0, 0, 0, 0, 0}; /* 16384 domains in 4 bytes */
    remote_connect_list_all_domains_ret ret;
    g_auto(virArena) arena = {0};

    virArenaInit(&arena);
    g_assert_false(virXdrDecode(&remote_connect_list_all_domains_ret_xdr, bytes, sizeof(bytes),
                                &arena, &ret, NULL, NULL));
    g_assert_null(arena.chunks);
    g_assert_cmpint(arena.used, ==, 0);
}

static void
testUnknownArmIsRefusedBothWays(void)
{
    uint8_t bytes[16] = {0, 0, 0, 99};
    remote_typed_param_value value;
    g_auto(virArena) arena = {0};
    g_auto(virNetBuffer) out = {0};

    virArenaInit(&arena);
    virNetBufferInit(&out, SIZE_MAX);
    g_assert_false(virXdrDecode(&remote_typed_param_value_xdr, bytes, sizeof(bytes), &arena, &value,
                                NULL, NULL));
    value.type = 99;
    g_assert_false(virXdrEncode(&remote_typed_param_value_xdr, &value, &out, NULL));
}

static void
testEveryCutIsRefused(void)
{
    remote_typed_param params[] = {
        {.field = "one", .value = {.type = REMOTE_TYPED_PARAM_TYPE_ULLONG, .ul = 1}},
        {.field = "two", .value = {.type = REMOTE_TYPED_PARAM_TYPE_STRING, .s = "text"}},
    };
    remote_connect_set_identity_args args = {.params_len = 2, .params_val = params, .flags = 3};
    remote_connect_set_identity_args again;
    g_auto(virNetBuffer) out = {0};
    g_auto(virArena) arena = {0};
    size_t used;

    virArenaInit(&arena);
    virNetBufferInit(&out, SIZE_MAX);
    g_assert_true(virXdrEncode(&remote_connect_set_identity_args_xdr, &args, &out, NULL));
    for (size_t len = 0; len < out.len; len++)
        g_assert_false(virXdrDecode(&remote_connect_set_identity_args_xdr, out.data, len, &arena,
                                    &again, NULL, NULL));
    g_assert_true(virXdrDecode(&remote_connect_set_identity_args_xdr, out.data, out.len, &arena,
                               &again, &used, NULL));
    g_assert_cmpint(used, ==, out.len);
    g_assert_cmpstr(again.params_val[1].value.s, ==, "text");
    g_assert_cmpint(again.flags, ==, 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xdr/nothing-is-decoded-from-nothing", testNothingIsDecodedFromNothing);
    g_test_add_func("/xdr/array-beyond-limit-is-not-encoded", testArrayBeyondLimitIsNotEncoded);
    g_test_add_func("/xdr/string-beyond-limit-is-not-encoded", testStringBeyondLimitIsNotEncoded);
    g_test_add_func("/xdr/missing-string-is-not-encoded", testMissingStringIsNotEncoded);
    g_test_add_func("/xdr/count-beyond-the-bytes-takes-no-memory",
                    testCountBeyondTheBytesTakesNoMemory);
    g_test_add_func("/xdr/unknown-arm-is-refused-both-ways", testUnknownArmIsRefusedBothWays);
    g_test_add_func("/xdr/every-cut-is-refused", testEveryCutIsRefused);
    return g_test_run();
}
