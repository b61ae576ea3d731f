/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virarena_test.c: memory of messages is zeroed when taken and wiped when given back. That the wipe
 * survives optimisation is shown on the program itself, tests/wire/erase.py. */
#include "rpc/virarena.h"

#include <string.h>

#include "rpc/virnetbuffer.h"

static bool
testIsZero(const void *data, size_t len)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < len; i++) {
        if (bytes[i])
            return false;
    }
    return true;
}

static void
testTakenMemoryIsZeroAndAligned(void)
{
    g_auto(virArena) arena = {0};

    virArenaInit(&arena);
    for (int round = 0; round < 2; round++) {
        for (size_t size = 0; size < 3000; size += 7) {
            uint8_t *at = virArenaAlloc(&arena, size);

            g_assert_cmpint((uintptr_t)at % _Alignof(max_align_t), ==, 0);
            g_assert_true(testIsZero(at, size));
            memset(at, 0xaa, size);
        }
        virArenaClear(&arena);
    }
}

static void
testClearWipesWhatWasTaken(void)
{
    virArena arena = {0};
    char *secret;

    virArenaInit(&arena);
    secret = virArenaStrdup(&arena, "a very secret password");
    g_assert_true(secret >= (char *)arena.first.bytes &&
                  secret < (char *)arena.first.bytes + sizeof(arena.first));
    virArenaClear(&arena);
    g_assert_true(testIsZero(arena.first.bytes, 64));
}

static void
testBufferWipesWhatFallsOff(void)
{
    g_auto(virNetBuffer) buffer = {0};

    virNetBufferInit(&buffer, 100);
    memset(virNetBufferExtend(&buffer, 50), 'x', 50);
    virNetBufferConsume(&buffer, 20);
    g_assert_cmpint(buffer.len, ==, 30);
    g_assert_true(testIsZero(buffer.data + 30, 20));
    virNetBufferTruncate(&buffer, 10);
    g_assert_true(testIsZero(buffer.data + 10, 40));
    g_assert_cmpint(buffer.data[9], ==, 'x');
}

static void
testBufferStopsAtItsLimit(void)
{
    g_auto(virNetBuffer) buffer = {0};

    virNetBufferInit(&buffer, 100);
    g_assert_nonnull(virNetBufferExtend(&buffer, 100));
    g_assert_null(virNetBufferExtend(&buffer, 1));
    g_assert_null(virNetBufferExtend(&buffer, SIZE_MAX));
    g_assert_cmpint(buffer.len, ==, 100);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arena/taken-memory-is-zero-and-aligned", testTakenMemoryIsZeroAndAligned);
    g_test_add_func("/arena/clear-wipes-what-was-taken", testClearWipesWhatWasTaken);
    g_test_add_func("/buffer/wipes-what-falls-off", testBufferWipesWhatFallsOff);
    g_test_add_func("/buffer/stops-at-its-limit", testBufferStopsAtItsLimit);
    return g_test_run();
}
