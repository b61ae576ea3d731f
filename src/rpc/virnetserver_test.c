/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetserver_test.c: calls, their order, descriptors, faults and back-pressure, on a made-up
 * program. */
#include "rpc/virnetserver.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rpc/virnettest.h"
#include "util/virerror.h"
#include "util/virevent.h"
#include "util/virutil.h"

enum {
    PROC_ECHO = 1,
    PROC_WAIT,
    PROC_QUICK,
    PROC_FDS,
    PROC_SILENT,
    PROC_EVENTS,
    PROC_LACKING,
    PROC_KEEPALIVE,
    PROC_EVENT
};
enum { PROC_COUNT = PROC_EVENT + 1, EVENTS = 4000 };

/* The jobs of PROC_WAIT wait here. */
static struct {
    GMutex mutex;
    GCond cond;
    unsigned running;
    unsigned most;
    bool go;
} gate;

static void
gateWait(void)
{
    g_mutex_lock(&gate.mutex);
    while (!gate.go)
        g_cond_wait(&gate.cond, &gate.mutex);
    g_mutex_unlock(&gate.mutex);
}

static void
gateOpen(bool open)
{
    g_mutex_lock(&gate.mutex);
    gate.go = open;
    g_cond_broadcast(&gate.cond);
    g_mutex_unlock(&gate.mutex);
}

/* {"uri"} in, {"uri"} out. */
static bool
handleEcho(virNetCall *call, const void *args, void *ret, GError **error G_GNUC_UNUSED)
{
    const remote_connect_get_uri_ret *in = args;
    remote_connect_get_uri_ret *out = ret;

    g_assert_true(virEventIsLoopThread());
    out->uri = virNetCallStrdup(call, in->uri);
    return true;
}

static bool
handleWait(virNetCall *call G_GNUC_UNUSED, const void *args G_GNUC_UNUSED, void *ret G_GNUC_UNUSED,
           GError **error G_GNUC_UNUSED)
{
    g_assert_false(virEventIsLoopThread());
    g_mutex_lock(&gate.mutex);
    gate.running++;
    gate.most = MAX(gate.most, gate.running);
    g_cond_broadcast(&gate.cond);
    while (!gate.go)
        g_cond_wait(&gate.cond, &gate.mutex);
    gate.running--;
    g_mutex_unlock(&gate.mutex);
    return true;
}

/* {"uri"} in, the same out: of "long" in a job, of others at once. */
static bool
handleQuick(virNetCall *call, const void *args, void *ret, GError **error G_GNUC_UNUSED)
{
    const remote_connect_get_uri_ret *in = args;
    remote_connect_get_uri_ret *out = ret;
    bool isLong = g_str_equal(in->uri, "long");

    if (isLong && virNetCallDefer(call))
        return false;
    g_assert_true(virEventIsLoopThread() != isLong);
    out->uri = virNetCallStrdup(call, in->uri);
    return true;
}

/* Sends all descriptors back, in reverse. */
static bool
handleFds(virNetCall *call, const void *args G_GNUC_UNUSED, void *ret G_GNUC_UNUSED,
          GError **error G_GNUC_UNUSED)
{
    for (size_t i = virNetCallFdCount(call); i-- > 0;)
        virNetCallAddFd(call, virNetCallStealFd(call, i));
    return true;
}

static bool
handleSilent(virNetCall *call G_GNUC_UNUSED, const void *args G_GNUC_UNUSED,
             void *ret G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    return false;
}

static bool
handleKeepalive(virNetCall *call, const void *args G_GNUC_UNUSED, void *ret G_GNUC_UNUSED,
                GError **error G_GNUC_UNUSED)
{
    virNetServerClientStartKeepalive(virNetCallClient(call));
    return true;
}

/* Many events of 4 kB each. */
static bool
handleEvents(virNetCall *call, const void *args G_GNUC_UNUSED, void *ret G_GNUC_UNUSED,
             GError **error)
{
    g_autofree char *text = g_strnfill(4096, 'e');
    remote_connect_get_uri_ret event = {.uri = text};
    bool ok = true;

    for (int i = 0; i < EVENTS && ok; i++)
        ok = virNetServerClientSendEvent(virNetCallClient(call), virNetCallProgram(call),
                                         PROC_EVENT, &event, error);
    gateOpen(true);
    return ok;
}

#define TEXT &remote_connect_get_uri_ret_xdr
static const virNetProcedure procedures[PROC_COUNT] = {
    [PROC_ECHO] = {.name = "echo",
                   .kind = VIR_NET_CALL,
                   .run = VIR_NET_RUN_INLINE,
                   .args = TEXT,
                   .ret = TEXT,
                   .handler = handleEcho,
                   .unopened = true},
    [PROC_WAIT] = {.name = "wait",
                   .kind = VIR_NET_CALL,
                   .run = VIR_NET_RUN_JOB,
                   .handler = handleWait,
                   .unopened = true},
    [PROC_QUICK] = {.name = "quick",
                    .kind = VIR_NET_CALL,
                    .run = VIR_NET_RUN_QUICK,
                    .args = TEXT,
                    .ret = TEXT,
                    .handler = handleQuick,
                    .unopened = true},
    [PROC_FDS] = {.name = "fds",
                  .kind = VIR_NET_CALL,
                  .run = VIR_NET_RUN_INLINE,
                  .fdsIn = true,
                  .fdsOut = true,
                  .handler = handleFds,
                  .unopened = true},
    [PROC_SILENT] = {.name = "silent",
                     .kind = VIR_NET_CALL,
                     .run = VIR_NET_RUN_INLINE,
                     .handler = handleSilent,
                     .unopened = true},
    [PROC_EVENTS] = {.name = "events",
                     .kind = VIR_NET_CALL,
                     .run = VIR_NET_RUN_JOB,
                     .handler = handleEvents,
                     .unopened = true},
    [PROC_KEEPALIVE] = {.name = "keepalive",
                        .kind = VIR_NET_CALL,
                        .run = VIR_NET_RUN_INLINE,
                        .handler = handleKeepalive,
                        .unopened = true},
    [PROC_LACKING] = {.name = "lacking",
                      .function = "virLacking",
                      .kind = VIR_NET_CALL,
                      .unopened = true},
    [PROC_EVENT] = {.name = "event", .kind = VIR_NET_EVENT, .args = TEXT},
};

static void
testCall(int fd, int32_t procedure, uint32_t serial, const char *text)
{
    remote_connect_get_uri_ret args = {.uri = text};

    testSend(fd, procedure, RPC_MESSAGE_TYPE_CALL, serial, RPC_MESSAGE_STATUS_OK, TEXT,
             text ? &args : NULL);
}

static void
testExpectEcho(int fd, uint32_t serial, const char *text)
{
    g_autofree uint8_t *payload = NULL;
    g_auto(virArena) arena = {0};
    remote_connect_get_uri_ret ret;
    virNetHeader header;

    virArenaInit(&arena);
    g_assert_true(testReceive(fd, &header, &payload));
    g_assert_cmpint(header.type, ==, RPC_MESSAGE_TYPE_REPLY);
    g_assert_cmpint(header.serial, ==, serial);
    g_assert_true(
        virXdrDecode(TEXT, payload, header.length - VIR_NET_HEADER_LEN, &arena, &ret, NULL, NULL));
    g_assert_cmpstr(ret.uri, ==, text);
}

/* The connection must end; what still comes is dropped. */
static void
testExpectEnd(int fd)
{
    char bytes[65536];
    ssize_t n;

    while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
        /* on to the end */
    }
    g_assert_true(n == 0 || errno == ECONNRESET);
}

static void
testPipelinedCallsAreAllAnswered(void)
{
    g_autoptr(testServer) server = testServerNew(procedures, PROC_COUNT, NULL);
    VIR_AUTOCLOSE fd = testConnect(server);

    for (uint32_t i = 0; i < 500; i++)
        testCall(fd, PROC_ECHO, i, "pipelined");
    for (uint32_t i = 0; i < 500; i++)
        testExpectEcho(fd, i, "pipelined");
}

static void
testMessageInPiecesIsAnswered(void)
{
    g_autoptr(testServer) server = testServerNew(procedures, PROC_COUNT, NULL);
    VIR_AUTOCLOSE fd = testConnect(server);
    uint8_t bytes[VIR_NET_HEADER_LEN + 8] = {0, 0, 0, sizeof(bytes), 0, 0, 0x12, 0x34, 0, 0, 0, 1,
                                             0, 0, 0, PROC_ECHO};

    memcpy(bytes + VIR_NET_HEADER_LEN, "\0\0\0\3abc", 8);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        testSendRaw(fd, bytes + i, 1);
        testServerSync();
    }
    testExpectEcho(fd, 0, "abc");
}

static void
testLargeMessageIsAnswered(void)
{
    g_autoptr(testServer) server = testServerNew(procedures, PROC_COUNT, NULL);
    VIR_AUTOCLOSE fd = testConnect(server);
    g_autofree char *text = g_strnfill(RPC_MESSAGE_STRING_MAX, 'l');

    testCall(fd, PROC_ECHO, 1, text);
    testExpectEcho(fd, 1, text);
}

static void
testReplyOvertakesAJob(void)
{
    g_autoptr(testServer) server = testServerNew(procedures, PROC_COUNT, NULL);
    VIR_AUTOCLOSE fd = testConnect(server);

    gateOpen(false);
    testCall(fd, PROC_WAIT, 1, NULL);
    testCall(fd, PROC_ECHO, 2, "first");
    testExpectEcho(fd, 2, "first");
    gateOpen(true);
    testExpect(fd, RPC_MESSAGE_TYPE_REPLY, 1, RPC_MESSAGE_STATUS_OK);
}

static void
testQuickCallIsAnsweredAtOnceUnlessItDefers(void)
{
    virNetServerLimits limits = *virNetServerDefaultLimits();
    g_autoptr(testServer) server = NULL;
    VIR_AUTOCLOSE fd = -1;

    limits.maxClientRequests = 1;
    server = testServerNew(procedures, PROC_COUNT, &limits);
    fd = testConnect(server);
    gateOpen(false);
    testCall(fd, PROC_WAIT, 1, NULL);
    testCall(fd, PROC_QUICK, 2, "long"); /* the one job is taken */
    testCall(fd, PROC_QUICK, 3, "short");
    testExpectEcho(fd, 3, "short");
    gateOpen(true);
    testExpect(fd, RPC_MESSAGE_TYPE_REPLY, 1, RPC_MESSAGE_STATUS_OK);
    testExpectEcho(fd, 2, "long");
}

static void
testJobsOverTheLimitWaitInOrder(void)
{
    virNetServerLimits limits = *virNetServerDefaultLimits();
    g_autoptr(testServer) server = NULL;
    VIR_AUTOCLOSE fd = -1;

    limits.maxClientRequests = 3;
    server = testServerNew(procedures, PROC_COUNT, &limits);
    fd = testConnect(server);
    gateOpen(false);
    gate.most = 0;
    for (uint32_t i = 0; i < 20; i++)
        testCall(fd, PROC_WAIT, i, NULL);
    testCall(fd, PROC_ECHO, 99, "not behind them");
    testExpectEcho(fd, 99, "not behind them");
    gateOpen(true);
    for (uint32_t i = 0; i < 20; i++) {
        g_autofree uint8_t *payload = NULL;
        virNetHeader header;

        g_assert_true(testReceive(fd, &header, &payload));
        g_assert_cmpint(header.status, ==, RPC_MESSAGE_STATUS_OK);
    }
    g_assert_cmpint(gate.most, <=, 3);
}

static void
testPingIsAnsweredWhileJobsWait(void)
{
    g_autoptr(testServer) server = testServerNew(procedures, PROC_COUNT, NULL);
    VIR_AUTOCLOSE fd = testConnect(server);
    virNetHeader ping = {.program = KEEPALIVE_PROGRAM,
                         .version = KEEPALIVE_VERSION,
                         .procedure = KEEPALIVE_PROC_PING,
                         .type = RPC_MESSAGE_TYPE_MESSAGE};
    g_autoptr(virNetMessage) message = virNetMessageNew(&ping);

    gateOpen(false);
    for (uint32_t i = 0; i < 100; i++)
        testCall(fd, PROC_WAIT, i, NULL);
    testSendRaw(fd, message->bytes.data, message->bytes.len);
    testExpect(fd, RPC_MESSAGE_TYPE_MESSAGE, 0, RPC_MESSAGE_STATUS_OK);
    gateOpen(true);
}

static void
testSilentClientIsPingedThenCutOff(void)
{
    virNetServerLimits limits = *virNetServerDefaultLimits();
    g_autoptr(testServer) server = NULL;
    VIR_AUTOCLOSE fd = -1;

    limits.keepaliveInterval_s = 1;
    limits.keepaliveCount = 1;
    server = testServerNew(procedures, PROC_COUNT, &limits);
    fd = testConnect(server);
    g_test_expect_message("virtward", G_LOG_LEVEL_WARNING, "*keepalive*");
    testCall(fd, PROC_KEEPALIVE, 1, NULL);
    testExpect(fd, RPC_MESSAGE_TYPE_REPLY, 1, RPC_MESSAGE_STATUS_OK);
    testExpect(fd, RPC_MESSAGE_TYPE_MESSAGE, 0, RPC_MESSAGE_STATUS_OK);
    testExpectEnd(fd);
    g_test_assert_expected_messages();
}

static void
testDescriptorsGoBothWays(void)
{
    g_autoptr(testServer) server = testServerNew(procedures, PROC_COUNT, NULL);
    VIR_AUTOCLOSE fd = testConnect(server);
    const uint8_t count[4] = {0, 0, 0, 2};
    int pair[2], back[2];
    g_autofree uint8_t *payload = NULL;
    virNetHeader header;
    char text[3] = "";

    g_assert_cmpint(pipe(pair), ==, 0);
    testSendBytes(fd, PROC_FDS, RPC_MESSAGE_TYPE_CALL_WITH_FDS, 7, RPC_MESSAGE_STATUS_OK, count, 4);
    testSendFd(fd, pair[0]);
    testSendFd(fd, pair[1]);
    g_assert_true(testReceive(fd, &header, &payload));
    g_assert_cmpint(header.type, ==, RPC_MESSAGE_TYPE_REPLY_WITH_FDS);
    g_assert_cmpint(virXdrGetWord(payload), ==, 2);
    back[0] = testReceiveFd(fd);
    back[1] = testReceiveFd(fd);
    g_assert_cmpint(write(back[0], "hi", 2), ==, 2); /* reversed: the write end comes first */
    g_assert_cmpint(read(pair[0], text, 2), ==, 2);
    g_assert_cmpstr(text, ==, "hi");
    for (int i = 0; i < 2; i++) {
        close(pair[i]);
        close(back[i]);
    }
}

static void
testDescriptorByteWithoutDescriptorEndsTheConnection(void)
{
    g_autoptr(testServer) server = testServerNew(procedures, PROC_COUNT, NULL);
    VIR_AUTOCLOSE fd = testConnect(server);
    const uint8_t count[4] = {0, 0, 0, 1};

    g_test_expect_message("virtward", G_LOG_LEVEL_WARNING, "*without a descriptor*");
    testSendBytes(fd, PROC_FDS, RPC_MESSAGE_TYPE_CALL_WITH_FDS, 7, RPC_MESSAGE_STATUS_OK, count, 4);
    testSendRaw(fd, "", 1);
    testExpectEnd(fd);
    g_test_assert_expected_messages();
}

/* A byte in the middle of a message carries one that nobody wants. */
static void
testUnaskedDescriptorsAreClosed(void)
{
    g_autoptr(testServer) server = testServerNew(procedures, PROC_COUNT, NULL);
    VIR_AUTOCLOSE fd = testConnect(server);
    const uint8_t start[4] = {0, 0, 0, VIR_NET_HEADER_LEN};
    const uint8_t rest[] = {0, 0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, PROC_SILENT, 0, 0,
                            0, 0,    0,    0, 0, 1, 0, 0, 0, 0};
    g_autofree char *text = NULL;
    int pair[2];
    char byte;

    g_assert_cmpint(pipe(pair), ==, 0);
    testSendRaw(fd, start, sizeof(start));
    testSendFd(fd, pair[1]); /* its byte is a 0: the first of the program's number */
    close(pair[1]);
    g_test_expect_message("virtward", G_LOG_LEVEL_WARNING, "*without saying why*");
    testSendRaw(fd, rest, sizeof(rest));
    text = testReceiveError(fd, RPC_MESSAGE_TYPE_REPLY, VIR_ERR_INTERNAL_ERROR);
    g_assert_cmpint(read(pair[0], &byte, 1), ==, 0); /* the server's copy is gone */
    close(pair[0]);
    g_test_assert_expected_messages();
}

static void
testLackingProcedureNamesItsFunction(void)
{
    g_autoptr(testServer) server = testServerNew(procedures, PROC_COUNT, NULL);
    VIR_AUTOCLOSE fd = testConnect(server);
    g_autofree char *text = NULL, *unknown = NULL;

    testCall(fd, PROC_LACKING, 1, NULL);
    text = testReceiveError(fd, RPC_MESSAGE_TYPE_REPLY, VIR_ERR_NO_SUPPORT);
    g_assert_true(g_str_has_suffix(text, ": virLacking"));
    testCall(fd, PROC_EVENT, 2, NULL);
    unknown = testReceiveError(fd, RPC_MESSAGE_TYPE_REPLY, VIR_ERR_RPC);
    g_assert_true(g_str_has_prefix(unknown, "unknown procedure"));
}

static void
testOversizedMessageEndsOnlyItsConnection(void)
{
    g_autoptr(testServer) server = testServerNew(procedures, PROC_COUNT, NULL);
    VIR_AUTOCLOSE bad = testConnect(server);
    VIR_AUTOCLOSE good = testConnect(server);
    const uint8_t tooLong[4] = {0x02, 0x00, 0x00, 0x05};

    g_test_expect_message("virtward", G_LOG_LEVEL_WARNING, "*a message of 33554437 bytes*");
    testSendRaw(bad, tooLong, sizeof(tooLong));
    testExpectEnd(bad);
    testCall(good, PROC_ECHO, 1, "still here");
    testExpectEcho(good, 1, "still here");
    g_test_assert_expected_messages();
}

static void
testReaderThatIgnoresItsEventsIsCutOff(void)
{
    g_autoptr(testServer) server = testServerNew(procedures, PROC_COUNT, NULL);
    VIR_AUTOCLOSE fd = testConnect(server);

    g_test_expect_message("virtward", G_LOG_LEVEL_WARNING, "*does not read its events*");
    gateOpen(false);
    testCall(fd, PROC_EVENTS, 1, NULL);
    gateWait(); /* all are queued before the first is read */
    testExpectEnd(fd);
    g_test_assert_expected_messages();
}

/* It sends 100 MB of calls and reads nothing; the answers must not pile up in the server. */
static void *
testSendMuch(void *opaque)
{
    g_autofree char *text = g_strnfill(1024 * 1024, 'm');

    for (uint32_t i = 0; i < 100; i++)
        testCall(GPOINTER_TO_INT(opaque), PROC_ECHO, i, text);
    return NULL;
}

static void
testClientThatDoesNotReadIsNotRead(void)
{
    g_autoptr(testServer) server = testServerNew(procedures, PROC_COUNT, NULL);
    VIR_AUTOCLOSE fd = testConnect(server);
    VIR_AUTOCLOSE other = testConnect(server);
    GThread *sender = g_thread_new("sender", testSendMuch, GINT_TO_POINTER(fd));

    for (uint32_t i = 0; i < 100; i++) {
        testCall(other, PROC_ECHO, i, "others go on");
        testExpectEcho(other, i, "others go on");
    }
    for (uint32_t i = 0; i < 100; i++)
        testExpect(fd, RPC_MESSAGE_TYPE_REPLY, i, RPC_MESSAGE_STATUS_OK);
    g_thread_join(sender);
}

static void
testClientsBeyondTheLimitWait(void)
{
    virNetServerLimits limits = *virNetServerDefaultLimits();
    g_autoptr(testServer) server = NULL;
    VIR_AUTOCLOSE first = -1;
    VIR_AUTOCLOSE second = -1;

    limits.maxClients = 1;
    server = testServerNew(procedures, PROC_COUNT, &limits);
    first = testConnect(server);
    second = testConnect(server);
    testCall(second, PROC_ECHO, 1, "later");
    testCall(first, PROC_ECHO, 1, "now");
    testExpectEcho(first, 1, "now");
    virCloseFd(&first);
    testExpectEcho(second, 1, "later");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/server/pipelined-calls-are-all-answered", testPipelinedCallsAreAllAnswered);
    g_test_add_func("/server/message-in-pieces-is-answered", testMessageInPiecesIsAnswered);
    g_test_add_func("/server/large-message-is-answered", testLargeMessageIsAnswered);
    g_test_add_func("/server/reply-overtakes-a-job", testReplyOvertakesAJob);
    g_test_add_func("/server/quick-call-is-answered-at-once-unless-it-defers",
                    testQuickCallIsAnsweredAtOnceUnlessItDefers);
    g_test_add_func("/server/jobs-over-the-limit-wait-in-order", testJobsOverTheLimitWaitInOrder);
    g_test_add_func("/server/ping-is-answered-while-jobs-wait", testPingIsAnsweredWhileJobsWait);
    g_test_add_func("/server/silent-client-is-pinged-then-cut-off",
                    testSilentClientIsPingedThenCutOff);
    g_test_add_func("/server/descriptors-go-both-ways", testDescriptorsGoBothWays);
    g_test_add_func("/server/descriptor-byte-without-descriptor-ends-the-connection",
                    testDescriptorByteWithoutDescriptorEndsTheConnection);
    g_test_add_func("/server/unasked-descriptors-are-closed", testUnaskedDescriptorsAreClosed);
    g_test_add_func("/server/lacking-procedure-names-its-function",
                    testLackingProcedureNamesItsFunction);
    g_test_add_func("/server/oversized-message-ends-only-its-connection",
                    testOversizedMessageEndsOnlyItsConnection);
    g_test_add_func("/server/reader-that-ignores-its-events-is-cut-off",
                    testReaderThatIgnoresItsEventsIsCutOff);
    g_test_add_func("/server/client-that-does-not-read-is-not-read",
                    testClientThatDoesNotReadIsNotRead);
    g_test_add_func("/server/clients-beyond-the-limit-wait", testClientsBeyondTheLimitWait);
    return g_test_run();
}
