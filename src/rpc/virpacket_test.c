/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virpacket_test.c: messages with descriptors between two ends of a socket pair. */
#include "rpc/virpacket.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virutil.h"

typedef struct {
    int ends[2];
    virPacketReader reader;
    virPacket packet;
} testLine;

static void
testSetUp(testLine *line, const void *unused)
{
    g_assert_cmpint(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, line->ends), ==, 0);
    virPacketReaderInit(&line->reader);
    virPacketInit(&line->packet);
}

static void
testTearDown(testLine *line, const void *unused)
{
    virPacketClear(&line->packet);
    virPacketReaderClear(&line->reader);
    virCloseFd(&line->ends[0]);
    virCloseFd(&line->ends[1]);
}

static virNetMessage *
testMessage(size_t rules)
{
    const virNetHeader header = {.program = HANDLER_PROGRAM,
                                 .version = HANDLER_VERSION,
                                 .procedure = HANDLER_PROC_GATE_UPDATE,
                                 .type = RPC_MESSAGE_TYPE_CALL,
                                 .serial = 7};
    g_autofree handler_rule *list = g_new0(handler_rule, MAX(rules, 1));
    handler_gate_update_args args = {
        .call = {.domain = "guest"}, .changes_len = (uint32_t)rules, .changes_val = list};
    virNetMessage *message = virNetMessageNew(&header);

    for (size_t i = 0; i < rules; i++)
        list[i] = (handler_rule){HANDLER_RULE_TYPE_CHAR, (int)(i % 4096), (int)i, 6};
    g_assert_true(virNetMessageEncode(message, &handler_gate_update_args_xdr, &args, NULL));
    return message;
}

static gint64
testSoon(void)
{
    return g_get_monotonic_time() + 5 * G_USEC_PER_SEC;
}

/* Both directions of a thread that sends and one that reads until the message is whole. */
typedef struct {
    int fd;
    virNetMessage *message;
    int *fds;
    size_t nfds;
} testSender;

static void *
testSendAll(void *opaque)
{
    testSender *sender = opaque;
    g_autoptr(GError) error = NULL;
    bool sent =
        virPacketSend(sender->fd, sender->message, sender->fds, sender->nfds, testSoon(), &error);

    g_assert_no_error(error);
    g_assert_true(sent);
    return NULL;
}

static void
testSmall(testLine *line, const void *unused)
{
    g_autoptr(virNetMessage) message = testMessage(3);
    g_auto(virArena) arena = {0};
    handler_gate_update_args args;
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(virPacketReceive(&line->reader, line->ends[1], &line->packet, &error), ==,
                    VIR_PACKET_NONE);
    g_assert_true(virPacketSend(line->ends[0], message, NULL, 0, testSoon(), &error));
    g_assert_cmpint(virPacketReceive(&line->reader, line->ends[1], &line->packet, &error), ==,
                    VIR_PACKET_WHOLE);
    g_assert_cmpint(line->packet.header.serial, ==, 7);
    g_assert_cmpint(line->packet.header.status, ==, RPC_MESSAGE_STATUS_OK);
    virArenaInit(&arena);
    g_assert_true(
        virPacketDecode(&line->packet, &handler_gate_update_args_xdr, &arena, &args, &error));
    g_assert_cmpint(args.changes_len, ==, 3);
    g_assert_cmpstr(args.call.domain, ==, "guest");
}

static void
testLong(testLine *line, const void *unused)
{
    enum { RULES = 60000, FDS = 600 };
    g_autofree int *fds = g_new(int, FDS);
    VIR_AUTOCLOSE null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    g_autoptr(virNetMessage) message = testMessage(RULES);
    testSender sender = {line->ends[0], message, fds, FDS};
    GThread *thread;
    virPacketResult result;
    g_auto(virArena) arena = {0};
    handler_gate_update_args args;
    struct stat wanted, got;

    for (size_t i = 0; i < FDS; i++)
        fds[i] = null;
    thread = g_thread_new("sender", testSendAll, &sender);
    do
        result = virPacketReceive(&line->reader, line->ends[1], &line->packet, NULL);
    while (result == VIR_PACKET_NONE);
    g_thread_join(thread);
    g_assert_cmpint(result, ==, VIR_PACKET_WHOLE);
    virArenaInit(&arena);
    g_assert_true(
        virPacketDecode(&line->packet, &handler_gate_update_args_xdr, &arena, &args, NULL));
    g_assert_cmpint(args.changes_len, ==, RULES);
    g_assert_cmpint(args.changes_val[RULES - 1].minor, ==, RULES - 1);
    g_assert_cmpint(virPacketFdCount(&line->packet), ==, FDS);
    g_assert_cmpint(fstat(null, &wanted), ==, 0);
    g_assert_cmpint(fstat(virPacketGetFd(&line->packet, FDS - 1), &got), ==, 0);
    g_assert_true(wanted.st_rdev == got.st_rdev);
    g_assert_cmpint(virPacketGetFd(&line->packet, FDS), ==, -1);
}

/* The words of a header, as the other side may send them. */
static void
testSendWords(int fd, uint32_t length, uint32_t program, uint32_t serial, uint32_t status)
{
    const uint32_t words[] = {
        length, program, HANDLER_VERSION, HANDLER_PROC_GATE_UPDATE, RPC_MESSAGE_TYPE_CALL,
        serial, status};
    uint8_t bytes[sizeof(words)];

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        virXdrPutWord(bytes + 4 * i, words[i]);
    g_assert_cmpint(send(fd, bytes, sizeof(bytes), 0), ==, sizeof(bytes));
}

static void
testExpectBroken(testLine *line, const char *word)
{
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(virPacketReceive(&line->reader, line->ends[1], &line->packet, &error), ==,
                    VIR_PACKET_BROKEN);
    g_assert_true(virErrorIs(error, VIR_ERR_RPC));
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, word));
}

static void
testWrongLength(testLine *line, const void *unused)
{
    testSendWords(line->ends[0], 99, HANDLER_PROGRAM, 1, 0);
    testExpectBroken(line, "calls itself 99");
}

static void
testWrongProgram(testLine *line, const void *unused)
{
    testSendWords(line->ends[0], VIR_NET_HEADER_LEN, 5, 1, 0);
    testExpectBroken(line, "program 0x5");
}

static void
testNoHeader(testLine *line, const void *unused)
{
    g_assert_cmpint(send(line->ends[0], "abc", 3, 0), ==, 3);
    testExpectBroken(line, "no header");
}

static void
testMixed(testLine *line, const void *unused)
{
    testSendWords(line->ends[0], VIR_NET_HEADER_LEN, HANDLER_PROGRAM, 1,
                  RPC_MESSAGE_STATUS_CONTINUE);
    testSendWords(line->ends[0], VIR_NET_HEADER_LEN, HANDLER_PROGRAM, 2, 0);
    testExpectBroken(line, "before the last had ended");
}

static void
testClosed(testLine *line, const void *unused)
{
    virCloseFd(&line->ends[0]);
    g_assert_cmpint(virPacketReceive(&line->reader, line->ends[1], &line->packet, NULL), ==,
                    VIR_PACKET_CLOSED);
}

static void
testNobodyReads(testLine *line, const void *unused)
{
    g_autoptr(virNetMessage) message = testMessage(100000);
    g_autoptr(GError) error = NULL;

    g_assert_false(
        virPacketSend(line->ends[0], message, NULL, 0, g_get_monotonic_time() + 20 * 1000, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_OPERATION_TIMEOUT));
}

static void
testError(testLine *line, const void *unused)
{
    const virNetHeader call = {.program = HANDLER_PROGRAM,
                               .version = HANDLER_VERSION,
                               .procedure = HANDLER_PROC_MEMLOCK_SET,
                               .serial = 3};
    g_autoptr(GError) failure = NULL;
    g_autoptr(GError) got = NULL;
    g_autoptr(virNetMessage) reply = NULL;

    virErrorSet(&failure, VIR_ERR_OPERATION_DENIED, "over the limit of %d", 5);
    reply = virNetMessageNewError(&call, RPC_MESSAGE_TYPE_REPLY, failure);
    g_assert_true(virPacketSend(line->ends[0], reply, NULL, 0, testSoon(), NULL));
    g_assert_cmpint(virPacketReceive(&line->reader, line->ends[1], &line->packet, NULL), ==,
                    VIR_PACKET_WHOLE);
    g_assert_cmpint(line->packet.header.status, ==, RPC_MESSAGE_STATUS_ERROR);
    virPacketGetError(&line->packet, &got);
    g_assert_true(virErrorIs(got, VIR_ERR_OPERATION_DENIED));
    g_assert_cmpstr(got->message, ==, "over the limit of 5");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(sentence, func)                                                                       \
    g_test_add("/virpacket/" sentence, testLine, NULL, testSetUp, func, testTearDown)
    TEST("a small message is one packet", testSmall);
    TEST("what is too long for a packet goes on in the next", testLong);
    TEST("a length that isn't the packet's is refused", testWrongLength);
    TEST("another program is refused", testWrongProgram);
    TEST("a packet without header is refused", testNoHeader);
    TEST("two messages at once are refused", testMixed);
    TEST("the other side's end is noticed", testClosed);
    TEST("a side that doesn't read costs no more than the deadline", testNobodyReads);
    TEST("an error keeps its code and text", testError);
    return g_test_run();
}
