/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlergrants_test.c: grants in the status file, and what becomes of them after a restart of
 * the daemon, of the handler, of both. */
#include <string.h>
#include <unistd.h>

#include "delegate/virhandlerspriv.h"
#include "delegate/virhandlerstest.h"
#include "util/virutil.h"

/* What is written to the guest's status file. */
static char *
testStatus(testHandler *test)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();

    virXMLWriterOpen(w, "virtward");
    virHandlersGrantsSaved(test->handlers, testCall.uuid,
                           virHandlersFormatGrants(test->handlers, testCall.uuid, w));
    virXMLWriterClose(w);
    return virXMLWriterEnd(w);
}

static bool
testSave(const virDelegateCall *call, void *opaque, GError **error)
{
    testHandler *test = opaque;

    g_free(test->saved);
    test->saved = testStatus(test);
    test->saves++;
    return true;
}

static void
testResyncWanted(const uint8_t uuid[16], void *opaque)
{
    testHandler *test = opaque;

    g_assert_cmpmem(uuid, 16, testCall.uuid, 16);
    g_atomic_int_inc(&test->resyncs);
}

static void
testKeepJournal(testHandler *test)
{
    const virHandlerJournal journal = {testSave, testResyncWanted, NULL, test};

    virHandlersSetJournal(test->handlers, &journal);
}

/* The daemon ended and its successor reads what was saved last. */
static void
testAdopt(testHandler *test)
{
    g_autoptr(xmlDoc) doc = virXMLParse(test->saved, -1, "status", NULL);

    virHandlersAdopt(test->handlers, testCall.uuid,
                     virHandlerGuestParse(
                         "web1", virXMLFirstChild(virXMLRoot(doc, "virtward", NULL), "grants")));
}

static void *
testRunResync(void *opaque)
{
    testHandler *test = opaque;
    const virDelegateCall call = {"web1", {7, 7, 7}, VIR_DELEGATE_PHASE_RECONNECT};
    const virDelegateSubject subject = {test->pidfd, NULL};

    virDelegateResync(test->door, &call, &subject);
    return NULL;
}

static void
testExpectGrant(testHandler *test, guint at, virHandlerGrantState state)
{
    g_autoptr(GPtrArray) grants = virHandlersGrants(test->handlers, testCall.uuid);
    const virHandlerGrant *grant;

    g_assert_cmpint(grants->len, >, at);
    grant = g_ptr_array_index(grants, at);
    g_assert_cmpstr(virHandlerGrantStateToString((int)grant->state), ==,
                    virHandlerGrantStateToString((int)state));
}

/* A grant of proc.tune, in the file too. */
static void
testGrant(testHandler *test)
{
    testJob job;
    g_auto(virPacket) call = {0};
    GThread *thread;

    testKeepJournal(test);
    thread = testBegin(test, &job, &call);
    testSetOom(test, WANTED);
    testAnswer(test, &call, NULL, 0);
    g_thread_join(thread);
    g_assert_true(job.done);
    g_free(test->saved);
    test->saved = testStatus(test);
}

static void
testAskedIsSavedFirst(testHandler *test, const void *unused)
{
    testJob job;
    g_auto(virPacket) call = {0};
    GThread *thread;

    testKeepJournal(test);
    thread = testBegin(test, &job, &call);
    /* The handler has the call, and the file has had it before. */
    g_assert_cmpint(test->saves, ==, 1);
    g_assert_nonnull(strstr(test->saved, "hook='proc.tune' state='asked' target='process'"));
    testSetOom(test, WANTED);
    testAnswer(test, &call, NULL, 0);
    g_thread_join(thread);
    testExpectGrant(test, 0, VIR_HANDLER_GRANT_GRANTED);
}

static void
testLeaseIsSavedOnce(testHandler *test, const void *unused)
{
    g_autofree char *status = NULL;

    testKeepJournal(test);
    testServe(test, "proc.tune");
    virHandlersAnnounce(test->handlers, &testCall);
    status = testStatus(test);
    g_assert_nonnull(strstr(status, "<grants from='"));
    for (int i = 0; i < 3; i++) {
        testJob job = {.test = test};
        g_auto(virPacket) call = {0};
        GThread *thread = g_thread_new("job", testRunJob, &job);

        testExpectCall(test, &call);
        testSetOom(test, WANTED);
        testAnswer(test, &call, NULL, 0);
        g_thread_join(thread);
        g_assert_true(job.done);
        testSetOom(test, 0);
    }
    g_assert_cmpint(test->saves, ==, 0);
    virHandlersSettle(test->handlers, testCall.uuid);
    g_free(status);
    status = testStatus(test);
    g_assert_null(strstr(status, "from='"));
    testExpectGrant(test, 0, VIR_HANDLER_GRANT_PAST);
    testExpectGrant(test, 2, VIR_HANDLER_GRANT_GRANTED);
}

/* What the handler is told: a teardown, whose ids are handed to the caller. */
static void
testExpectTeardown(testHandler *test, virArena *arena, handler_teardown_args *ret)
{
    g_auto(virPacket) packet = {0};

    g_assert_true(testReceive(test, &packet));
    g_assert_cmpint(packet.header.procedure, ==, HANDLER_PROC_TEARDOWN);
    g_assert_true(virPacketDecode(&packet, &handler_teardown_args_xdr, arena, ret, NULL));
}

static void
testCutOffStartIsUndone(testHandler *test, const void *unused)
{
    g_auto(virArena) arena = {0};
    handler_teardown_args undone;

    testKeepJournal(test);
    testServe(test, "proc.tune");
    virHandlersAnnounce(test->handlers, &testCall);
    test->saved = testStatus(test);
    testAdopt(test); /* the next daemon: it knows no request, but the range */
    virHandlersTeardown(test->handlers, &testCall);
    virArenaInit(&arena);
    testExpectTeardown(test, &arena, &undone);
    g_assert_cmpint(undone.requests_len, ==, 256);
    g_assert_cmpuint(undone.requests_val[0], >, undone.requests_val[255]);
}

static void
testVerdict(testHandler *test, int32_t verdict)
{
    g_auto(virPacket) call = {0};
    g_auto(virArena) arena = {0};
    handler_resync_args args;
    handler_resync_ret ret = {.verdicts_len = 1, .verdicts_val = &verdict};
    virNetHeader header;

    g_assert_true(testReceive(test, &call));
    g_assert_cmpint(call.header.procedure, ==, HANDLER_PROC_RESYNC);
    virArenaInit(&arena);
    g_assert_true(virPacketDecode(&call, &handler_resync_args_xdr, &arena, &args, NULL));
    g_assert_cmpint(args.grants_len, ==, 1);
    g_assert_cmpint(args.grants_val[0].fds, ==, 1);
    g_assert_cmpint(virPacketFdCount(&call), ==, 1);
    g_assert_cmpint(args.grants_val[0].args_len, >, 0);
    header = testHeader(HANDLER_PROC_RESYNC, RPC_MESSAGE_TYPE_REPLY, call.header.serial);
    testSend(test, &header, &handler_resync_ret_xdr, &ret, NULL, 0);
}

/* Daemon and handler come back to a grant. */
static GThread *
testComeBack(testHandler *test)
{
    testGrant(test);
    testAdopt(test);
    virCloseFd(&test->fd);
    test->fd = testNewEnd(test);
    virPacketReaderClear(&test->reader);
    virPacketReaderInit(&test->reader);
    testServe(test, "proc.tune");
    testSync();
    g_assert_cmpint(g_atomic_int_get(&test->resyncs), ==, 1);
    return g_thread_new("job", testRunResync, test);
}

static void
testKept(testHandler *test, const void *unused)
{
    GThread *thread = testComeBack(test);

    testVerdict(test, HANDLER_VERDICT_KEPT);
    g_thread_join(thread);
    testExpectGrant(test, 0, VIR_HANDLER_GRANT_KEPT);
}

static void
testUnknownButTrue(testHandler *test, const void *unused)
{
    GThread *thread = testComeBack(test);

    testVerdict(test, HANDLER_VERDICT_UNKNOWN);
    g_thread_join(thread); /* nobody is asked: nobody here would answer */
    testExpectGrant(test, 0, VIR_HANDLER_GRANT_SEEN);
}

static void
testLostIsRedone(testHandler *test, const void *unused)
{
    GThread *thread = testComeBack(test);
    g_auto(virPacket) call = {0};

    testSetOom(test, 0);
    testVerdict(test, HANDLER_VERDICT_LOST);
    g_assert_true(testReceive(test, &call));
    g_assert_cmpint(call.header.procedure, ==, HANDLER_PROC_PROC_TUNE);
    testSetOom(test, WANTED);
    testAnswer(test, &call, NULL, 0);
    g_thread_join(thread);
    testExpectGrant(test, 0, VIR_HANDLER_GRANT_PAST);
    testExpectGrant(test, 1, VIR_HANDLER_GRANT_REDONE);
}

static void
testUnansweredIsUndone(testHandler *test, const void *unused)
{
    testJob job;
    g_auto(virPacket) call = {0};
    g_auto(virArena) arena = {0};
    handler_teardown_args undone;
    g_autoptr(GPtrArray) grants = NULL;
    GThread *thread;

    testKeepJournal(test);
    thread = testBegin(test, &job, &call);
    virCloseFd(&test->fd);
    g_thread_join(thread);
    g_assert_false(job.done);
    g_clear_error(&job.error);
    testAdopt(test); /* with what was saved before the request went out */
    test->fd = testNewEnd(test);
    virPacketReaderClear(&test->reader);
    virPacketReaderInit(&test->reader);
    testServe(test, "proc.tune");
    testSync();
    testRunResync(test);
    virArenaInit(&arena);
    testExpectTeardown(test, &arena, &undone);
    g_assert_cmpint(undone.requests_len, ==, 1);
    grants = virHandlersGrants(test->handlers, testCall.uuid);
    g_assert_cmpint(grants->len, ==, 0);
}

static void
testAbsentIsToldLater(testHandler *test, const void *unused)
{
    g_auto(virArena) arena = {0};
    handler_teardown_args undone;

    testGrant(test);
    virCloseFd(&test->fd);
    testSync();
    virHandlersTeardown(test->handlers, &testCall);
    test->fd = testNewEnd(test);
    virPacketReaderClear(&test->reader);
    virPacketReaderInit(&test->reader);
    testServe(test, "proc.tune");
    virArenaInit(&arena);
    testExpectTeardown(test, &arena, &undone);
    g_assert_cmpint(undone.requests_len, ==, 1);
}

/* By the policy auto: who did it before the daemon was restarted does it, or nobody. */
static void
testNobodyStepsInAfterRestart(testHandler *test, const void *unused)
{
    g_autoptr(GError) error = NULL;

    testGrant(test);
    testEndDoor(test);
    testNewDoor(test);
    testAdopt(test);
    testSetOom(test, 0);
    g_assert_false(virDelegateProcTune(test->door, &testCall, test->pidfd, WANTED, &error));
    g_assert_nonnull(strstr(error->message, "the handler of proc.tune is not connected"));
}

/* A handler that takes its leave answers for nothing any more: the daemon does it. */
static void
testLeave(testHandler *test, const void *unused)
{
    virNetHeader header = testHeader(HANDLER_PROC_UNREGISTER, RPC_MESSAGE_TYPE_CALL, 99);
    const handler_unregister_args args = {.id = 1};
    g_autoptr(GPtrArray) grants = NULL;
    g_auto(virPacket) answer = {0};

    testGrant(test);
    testSend(test, &header, &handler_unregister_args_xdr, &args, NULL, 0);
    g_assert_true(testReceive(test, &answer));
    g_assert_cmpint(answer.header.status, ==, RPC_MESSAGE_STATUS_OK);
    grants = virHandlersGrants(test->handlers, testCall.uuid);
    g_assert_cmpint(grants->len, ==, 0);
    testSetOom(test, WANTED + 1);
    g_assert_true(virDelegateProcTune(test->door, &testCall, test->pidfd, WANTED + 2, NULL));
}

/* Seeds of two daemons on one folder never overlap, even with the clock put back. */
static void
testIdsOfTwoRuns(testHandler *test, const void *unused)
{
    g_autofree char *folder = g_dir_make_tmp("vwruns-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "runs", NULL);
    uint64_t first, second;

    g_assert_true(virHandlersSeed(test->handlers, folder, NULL));
    first = test->handlers->request;
    test->handlers->request = 1; /* as if the clock said 1970 */
    g_assert_true(virHandlersSeed(test->handlers, folder, NULL));
    second = test->handlers->request;
    g_assert_cmpuint(second, >, first + (UINT64_C(1) << 32));
    (void)unlink(path);
    (void)rmdir(folder);
}

static void
testAll(void)
{
#define TEST(sentence, func)                                                                       \
    g_test_add("/virhandlergrants/" sentence, testHandler, NULL, testSetUp, func, testTearDown)
    TEST("a request is in the status file before it is sent", testAskedIsSavedFirst);
    TEST("a start saves its range of requests once", testLeaseIsSavedOnce);
    TEST("a start that was cut off is undone by its whole range", testCutOffStartIsUndone);
    TEST("a grant that the handler kept is kept", testKept);
    TEST("a grant that the handler does not know is looked at", testUnknownButTrue);
    TEST("a grant that is lost is done again, once", testLostIsRedone);
    TEST("a request that was never answered is undone", testUnansweredIsUndone);
    TEST("after a restart nobody steps in for a handler that granted",
         testNobodyStepsInAfterRestart);
    TEST("the grants of a handler that takes its leave are forgotten", testLeave);
    TEST("request ids are never used twice", testIdsOfTwoRuns);
    TEST("a handler that is away is told of a guest's end when it is back", testAbsentIsToldLater);
}

int
main(int argc, char **argv)
{
    return testMain(argc, argv, testAll);
}
