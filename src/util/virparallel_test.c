/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virparallel_test.c: every piece is done, and done once. */
#include "util/virparallel.h"

#include <glib.h>

enum { PIECES = 1000 };

static void
testCount(unsigned index, void *opaque)
{
    int *counts = opaque;

    g_atomic_int_inc(&counts[index]);
}

static void
testEachPieceIsDoneOnce(unsigned n, unsigned worth)
{
    g_autofree int *counts = g_new0(int, PIECES + 1);

    virParallelFor(n, worth, testCount, counts);
    for (unsigned i = 0; i <= PIECES; i++)
        g_assert_cmpint(counts[i], ==, i < n ? 1 : 0);
}

static void
testManyPiecesAreEachDoneOnce(void)
{
    testEachPieceIsDoneOnce(PIECES, 1);
}

static void
testFewPiecesAreDoneByTheCaller(void)
{
    testEachPieceIsDoneOnce(3, 100);
    testEachPieceIsDoneOnce(1, 1);
    testEachPieceIsDoneOnce(0, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parallel/many-pieces-are-each-done-once", testManyPiecesAreEachDoneOnce);
    g_test_add_func("/parallel/few-pieces-are-done-by-the-caller", testFewPiecesAreDoneByTheCaller);
    return g_test_run();
}
