/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetstream_test.c: streams in both directions, their ends, and their back-pressure. */
#include "rpc/virnetstream.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/virnettest.h"
#include "util/virerror.h"
#include "util/virevent.h"
#include "util/virutil.h"

enum { PROC_DOWNLOAD = 1, PROC_UPLOAD, PROC_FAILING, PROC_COUNT };
enum { DOWNLOAD_BYTES = 20 * 1024 * 1024, UPLOAD_SLOW = 1000 };

/* What the handlers of one stream keep; one at a time. */
static struct {
    GMutex mutex;
    GCond cond;
    size_t sent;
    GString *got;
    int64_t holes;
    size_t gotAtHole; /* bytes taken before the last one */
    size_t slow;      /* takes so many bytes at a time, then waits to be continued */
    bool refuseFinish;
    bool aborted;
    bool closed;
} test;

static void
testClosed(virNetStream *stream G_GNUC_UNUSED, void *opaque G_GNUC_UNUSED)
{
    g_mutex_lock(&test.mutex);
    g_assert_false(test.closed);
    test.closed = true;
    g_cond_broadcast(&test.cond);
    g_mutex_unlock(&test.mutex);
}

static void
testWaitClosed(void)
{
    g_mutex_lock(&test.mutex);
    while (!test.closed)
        g_cond_wait(&test.cond, &test.mutex);
    g_mutex_unlock(&test.mutex);
}

/* Sends until the stream is full or everything is sent. */
static void
testPump(virNetStream *stream, void *opaque G_GNUC_UNUSED)
{
    static const uint8_t block[300000];

    while (test.sent < DOWNLOAD_BYTES && !virNetStreamIsFull(stream)) {
        size_t part = MIN(sizeof(block), DOWNLOAD_BYTES - test.sent);

        if (!virNetStreamSend(stream, block, part))
            return;
        test.sent += part;
        if (test.sent == DOWNLOAD_BYTES) {
            virNetStreamSendHole(stream, 4711);
            virNetStreamEnd(stream);
        }
    }
}

static void
testAborted(virNetStream *stream G_GNUC_UNUSED, void *opaque G_GNUC_UNUSED)
{
    test.aborted = true;
}

static ssize_t
testReceived(virNetStream *stream, const uint8_t *bytes, size_t len, void *opaque G_GNUC_UNUSED,
             GError **error)
{
    if (len >= 4 && memcmp(bytes, "FAIL", 4) == 0) {
        virErrorSet(error, VIR_ERR_OPERATION_FAILED, "as asked");
        return -1;
    }
    if (test.slow > 0 && len > test.slow) {
        len = test.slow;
        virNetStreamContinue(stream);
    }
    g_string_append_len(test.got, (const char *)bytes, (gssize)len);
    return (ssize_t)len;
}

static bool
testHole(virNetStream *stream G_GNUC_UNUSED, int64_t length, void *opaque G_GNUC_UNUSED,
         GError **error G_GNUC_UNUSED)
{
    test.holes += length;
    test.gotAtHole = test.got->len;
    return true;
}

static bool
testFinish(virNetStream *stream G_GNUC_UNUSED, void *opaque G_GNUC_UNUSED, GError **error)
{
    return !test.refuseFinish || virErrorSet(error, VIR_ERR_OPERATION_FAILED, "disk is full");
}

static const virNetStreamOps downloadOps = {
    .start = testPump, .drained = testPump, .abort = testAborted, .closed = testClosed};
static const virNetStreamOps uploadOps = {.received = testReceived,
                                          .hole = testHole,
                                          .finish = testFinish,
                                          .abort = testAborted,
                                          .closed = testClosed};

static bool
handleDownload(virNetCall *call, const void *args G_GNUC_UNUSED, void *ret G_GNUC_UNUSED,
               GError **error G_GNUC_UNUSED)
{
    g_autoptr(virNetStream) stream = virNetStreamNew(call, &downloadOps, NULL, NULL);

    virNetStreamAllowHoles(stream);
    return true;
}

static bool
handleUpload(virNetCall *call, const void *args G_GNUC_UNUSED, void *ret G_GNUC_UNUSED,
             GError **error G_GNUC_UNUSED)
{
    g_autoptr(virNetStream) stream G_GNUC_UNUSED = virNetStreamNew(call, &uploadOps, NULL, NULL);

    virNetStreamAllowHoles(stream);
    return true;
}

static bool
handleFailing(virNetCall *call, const void *args G_GNUC_UNUSED, void *ret G_GNUC_UNUSED,
              GError **error)
{
    g_autoptr(virNetStream) stream G_GNUC_UNUSED = virNetStreamNew(call, &uploadOps, NULL, NULL);

    return virErrorSet(error, VIR_ERR_OPERATION_FAILED, "no stream today");
}

static const virNetProcedure procedures[PROC_COUNT] = {
    [PROC_DOWNLOAD] = {.name = "download",
                       .kind = VIR_NET_STREAM,
                       .run = VIR_NET_RUN_JOB,
                       .handler = handleDownload,
                       .unopened = true},
    [PROC_UPLOAD] = {.name = "upload",
                     .kind = VIR_NET_STREAM,
                     .run = VIR_NET_RUN_INLINE,
                     .handler = handleUpload,
                     .unopened = true},
    [PROC_FAILING] = {.name = "failing",
                      .kind = VIR_NET_STREAM,
                      .run = VIR_NET_RUN_INLINE,
                      .handler = handleFailing,
                      .unopened = true},
};

/* A server and a client with the stream of that procedure open, serial 5. */
static testServer *
testOpen(int32_t procedure, int *retFd)
{
    testServer *server = testServerNew(procedures, PROC_COUNT, NULL);

    if (test.got)
        g_string_free(test.got, TRUE);
    memset(&test, 0, sizeof(test));
    test.got = g_string_new(NULL);
    *retFd = testConnect(server);
    testSendBytes(*retFd, procedure, RPC_MESSAGE_TYPE_CALL, 5, RPC_MESSAGE_STATUS_OK, "", 0);
    if (procedure != PROC_FAILING)
        testExpect(*retFd, RPC_MESSAGE_TYPE_REPLY, 5, RPC_MESSAGE_STATUS_OK);
    return server;
}

static void
testPacket(int fd, int32_t procedure, uint32_t status, const char *text)
{
    testSendBytes(fd, procedure, RPC_MESSAGE_TYPE_STREAM, 5, status, text, strlen(text));
}

static void
testDownloadArrivesWholeAndEnds(void)
{
    VIR_AUTOCLOSE fd = -1;
    g_autoptr(testServer) server G_GNUC_UNUSED = testOpen(PROC_DOWNLOAD, &fd);
    size_t got = 0;
    virNetHeader header;

    for (;;) {
        g_autofree uint8_t *payload = NULL;

        g_assert_true(testReceive(fd, &header, &payload));
        if (header.type == RPC_MESSAGE_TYPE_STREAM_HOLE)
            break;
        g_assert_cmpint(header.type, ==, RPC_MESSAGE_TYPE_STREAM);
        g_assert_cmpint(header.length - VIR_NET_HEADER_LEN, <=, VIR_NET_STREAM_DATA_MAX);
        got += header.length - VIR_NET_HEADER_LEN;
    }
    g_assert_cmpint(got, ==, DOWNLOAD_BYTES);
    testExpect(fd, RPC_MESSAGE_TYPE_STREAM, 5, RPC_MESSAGE_STATUS_CONTINUE); /* empty: the end */
    testPacket(fd, PROC_DOWNLOAD, RPC_MESSAGE_STATUS_OK, "");
    testExpect(fd, RPC_MESSAGE_TYPE_STREAM, 5, RPC_MESSAGE_STATUS_OK);
    testWaitClosed();
}

static void
testSenderWaitsForASlowReader(void)
{
    VIR_AUTOCLOSE fd = -1;
    g_autoptr(testServer) server G_GNUC_UNUSED = testOpen(PROC_DOWNLOAD, &fd);

    testServerSync(); /* the stream was started before */
    g_assert_cmpint(test.sent, <, 8 * 1024 * 1024);
    virCloseFd(&fd);
    testWaitClosed();
}

static void
testAbortIsAnsweredAndDropsTheRest(void)
{
    VIR_AUTOCLOSE fd = -1;
    g_autoptr(testServer) server G_GNUC_UNUSED = testOpen(PROC_DOWNLOAD, &fd);
    virNetHeader header;

    testPacket(fd, PROC_DOWNLOAD, RPC_MESSAGE_STATUS_ERROR, "");
    do {
        g_autofree uint8_t *payload = NULL;

        g_assert_true(testReceive(fd, &header, &payload));
    } while (header.status == RPC_MESSAGE_STATUS_CONTINUE);
    g_assert_cmpint(header.status, ==, RPC_MESSAGE_STATUS_OK);
    testWaitClosed();
    g_assert_true(test.aborted);
}

static void
testUploadKeepsItsOrderWithHoles(void)
{
    VIR_AUTOCLOSE fd = -1;
    g_autoptr(testServer) server G_GNUC_UNUSED = testOpen(PROC_UPLOAD, &fd);
    rpc_stream_hole hole = {.length = 12345};

    testPacket(fd, PROC_UPLOAD, RPC_MESSAGE_STATUS_CONTINUE, "one ");
    testPacket(fd, PROC_UPLOAD, RPC_MESSAGE_STATUS_CONTINUE, "");
    testSend(fd, PROC_UPLOAD, RPC_MESSAGE_TYPE_STREAM_HOLE, 5, RPC_MESSAGE_STATUS_CONTINUE,
             &rpc_stream_hole_xdr, &hole);
    testPacket(fd, PROC_UPLOAD, RPC_MESSAGE_STATUS_CONTINUE, "two");
    testPacket(fd, PROC_UPLOAD, RPC_MESSAGE_STATUS_OK, "");
    testPacket(fd, PROC_UPLOAD, RPC_MESSAGE_STATUS_OK, ""); /* dropped in silence */
    testExpect(fd, RPC_MESSAGE_TYPE_STREAM, 5, RPC_MESSAGE_STATUS_OK);
    testWaitClosed();
    g_assert_cmpstr(test.got->str, ==, "one two");
    g_assert_cmpint(test.holes, ==, 12345);
}

/* What the handler does not take waits, and finish waits for it. */
static void
testSlowTakerGetsEverythingBeforeFinish(void)
{
    VIR_AUTOCLOSE fd = -1;
    g_autoptr(testServer) server G_GNUC_UNUSED = testOpen(PROC_UPLOAD, &fd);
    g_autofree char *text = g_strnfill(100 * UPLOAD_SLOW, 's');
    rpc_stream_hole hole = {.length = 1};

    test.slow = UPLOAD_SLOW;
    testPacket(fd, PROC_UPLOAD, RPC_MESSAGE_STATUS_CONTINUE, text);
    testSend(fd, PROC_UPLOAD, RPC_MESSAGE_TYPE_STREAM_HOLE, 5, RPC_MESSAGE_STATUS_CONTINUE,
             &rpc_stream_hole_xdr, &hole);
    testPacket(fd, PROC_UPLOAD, RPC_MESSAGE_STATUS_CONTINUE, "end");
    testPacket(fd, PROC_UPLOAD, RPC_MESSAGE_STATUS_OK, "");
    testExpect(fd, RPC_MESSAGE_TYPE_STREAM, 5, RPC_MESSAGE_STATUS_OK);
    g_assert_cmpint(test.got->len, ==, 100 * UPLOAD_SLOW + 3);
    g_assert_cmpint(test.gotAtHole, ==, 100 * UPLOAD_SLOW);
}

static void
testErrorEndsTheStreamAndNotTheConnection(void)
{
    VIR_AUTOCLOSE fd = -1;
    g_autoptr(testServer) server G_GNUC_UNUSED = testOpen(PROC_UPLOAD, &fd);
    g_autofree char *text = NULL;

    testPacket(fd, PROC_UPLOAD, RPC_MESSAGE_STATUS_CONTINUE, "FAIL");
    text = testReceiveError(fd, RPC_MESSAGE_TYPE_STREAM, VIR_ERR_OPERATION_FAILED);
    g_assert_cmpstr(text, ==, "operation failed: as asked");
    testWaitClosed();
    testPacket(fd, PROC_UPLOAD, RPC_MESSAGE_STATUS_CONTINUE, "late: dropped");
    testSendBytes(fd, PROC_UPLOAD, RPC_MESSAGE_TYPE_CALL, 6, RPC_MESSAGE_STATUS_OK, "", 0);
    testExpect(fd, RPC_MESSAGE_TYPE_REPLY, 6, RPC_MESSAGE_STATUS_OK);
    test.closed = false; /* of the second stream, which ends with the connection */
}

static void
testFailedFinishIsAnError(void)
{
    VIR_AUTOCLOSE fd = -1;
    g_autoptr(testServer) server G_GNUC_UNUSED = testOpen(PROC_UPLOAD, &fd);
    g_autofree char *text = NULL;

    test.refuseFinish = true;
    testPacket(fd, PROC_UPLOAD, RPC_MESSAGE_STATUS_OK, "");
    text = testReceiveError(fd, RPC_MESSAGE_TYPE_STREAM, VIR_ERR_OPERATION_FAILED);
    testWaitClosed();
}

static void
testFailedOpeningOnlyCloses(void)
{
    VIR_AUTOCLOSE fd = -1;
    g_autoptr(testServer) server G_GNUC_UNUSED = testOpen(PROC_FAILING, &fd);
    g_autofree char *text = testReceiveError(fd, RPC_MESSAGE_TYPE_REPLY, VIR_ERR_OPERATION_FAILED);

    g_assert_cmpstr(text, ==, "operation failed: no stream today");
    testWaitClosed();
    g_assert_false(test.aborted);
}

static void
testClientThatVanishesClosesItsStream(void)
{
    VIR_AUTOCLOSE fd = -1;
    g_autoptr(testServer) server G_GNUC_UNUSED = testOpen(PROC_UPLOAD, &fd);

    virCloseFd(&fd);
    testWaitClosed();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream/download-arrives-whole-and-ends", testDownloadArrivesWholeAndEnds);
    g_test_add_func("/stream/sender-waits-for-a-slow-reader", testSenderWaitsForASlowReader);
    g_test_add_func("/stream/abort-is-answered-and-drops-the-rest",
                    testAbortIsAnsweredAndDropsTheRest);
    g_test_add_func("/stream/upload-keeps-its-order-with-holes", testUploadKeepsItsOrderWithHoles);
    g_test_add_func("/stream/slow-taker-gets-everything-before-finish",
                    testSlowTakerGetsEverythingBeforeFinish);
    g_test_add_func("/stream/error-ends-the-stream-and-not-the-connection",
                    testErrorEndsTheStreamAndNotTheConnection);
    g_test_add_func("/stream/failed-finish-is-an-error", testFailedFinishIsAnError);
    g_test_add_func("/stream/failed-opening-only-closes", testFailedOpeningOnlyCloses);
    g_test_add_func("/stream/client-that-vanishes-closes-its-stream",
                    testClientThatVanishesClosesItsStream);
    return g_test_run();
}
