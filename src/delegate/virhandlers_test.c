/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlers_test.c: the daemon's side of the handlers' channel, against handlers that do, refuse,
 * lie, dawdle, vanish and speak out of turn. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "delegate/virhandlerstest.h"
#include "util/virprocstat.h"
#include "util/virutil.h"

enum { FOREVER_S = 3600 };

static void
testOk(testHandler *test, const void *unused)
{
    testJob job;
    g_auto(virPacket) call = {0};
    GThread *thread = testBegin(test, &job, &call);
    g_autoptr(GPtrArray) grants = NULL;

    testSetOom(test, WANTED);
    testAnswer(test, &call, NULL, 0);
    g_thread_join(thread);
    g_assert_no_error(job.error);
    g_assert_true(job.done);
    grants = virHandlersGrants(test->handlers, testCall.uuid);
    g_assert_cmpint(grants->len, ==, 1);
}

static void
testSatisfied(testHandler *test, const void *unused)
{
    g_autoptr(GError) error = NULL;

    testServe(test, "proc.tune");
    testSetOom(test, WANTED);
    /* Nobody reads the channel: asking would end in the deadline. */
    g_assert_true(virDelegateProcTune(test->door, &testCall, test->pidfd, WANTED, &error));
    g_assert_no_error(error);
}

static void
testLie(testHandler *test, const void *unused)
{
    testJob job;
    g_auto(virPacket) call = {0};
    GThread *thread = testBegin(test, &job, &call);

    testAnswer(test, &call, NULL, 0);
    g_thread_join(thread);
    testExpectFailure(&job, VIR_ERR_OPERATION_FAILED, "reported proc.tune as done, but");
}

static void
testRefuse(testHandler *test, const virPacket *call, const char *words)
{
    virNetHeader header =
        testHeader(HANDLER_PROC_PROC_TUNE, RPC_MESSAGE_TYPE_REPLY, call->header.serial);
    g_autoptr(GError) why = NULL;
    g_autoptr(virNetMessage) message = NULL;

    virErrorSet(&why, VIR_ERR_ACCESS_DENIED, "%s", words);
    message = virNetMessageNewError(&header, RPC_MESSAGE_TYPE_REPLY, why);
    g_assert_true(
        virPacketSend(test->fd, message, NULL, 0, g_get_monotonic_time() + PATIENCE_US, NULL));
}

static void
testRefusal(testHandler *test, const void *unused)
{
    testJob job;
    g_auto(virPacket) call = {0};
    GThread *thread = testBegin(test, &job, &call);

    testRefuse(test, &call, "not for you");
    g_thread_join(thread);
    testExpectFailure(&job, VIR_ERR_ACCESS_DENIED, "the handler of proc.tune: not for you");
}

static void
testSurplusDescriptors(testHandler *test, const void *unused)
{
    testJob job;
    g_auto(virPacket) call = {0};
    GThread *thread = testBegin(test, &job, &call);
    int pipes[2];
    char byte;

    g_assert_cmpint(pipe2(pipes, O_CLOEXEC), ==, 0);
    testSetOom(test, WANTED);
    testAnswer(test, &call, &pipes[1], 1);
    virCloseFd(&pipes[1]);
    g_thread_join(thread);
    g_assert_true(job.done);
    /* The daemon has closed its copy: the pipe is at its end. */
    g_assert_cmpint(read(pipes[0], &byte, 1), ==, 0);
    virCloseFd(&pipes[0]);
}

/* The handler is told to cancel its call; its answer, which comes after that, is closed and undone.
 */
static void
testCancelled(testHandler *test, const virPacket *call)
{
    g_auto(virPacket) cancel = {0};
    g_auto(virPacket) teardown = {0};
    g_auto(virArena) arena = {0};
    handler_cancel_msg cancelled;
    handler_teardown_args undone;
    int pipes[2];
    char byte;

    g_assert_true(testReceive(test, &cancel));
    g_assert_cmpint(cancel.header.procedure, ==, HANDLER_PROC_CANCEL);
    virArenaInit(&arena);
    g_assert_true(virPacketDecode(&cancel, &handler_cancel_msg_xdr, &arena, &cancelled, NULL));
    g_assert_cmpint(pipe2(pipes, O_CLOEXEC), ==, 0);
    testAnswer(test, call, &pipes[1], 1);
    virCloseFd(&pipes[1]);
    g_assert_true(testReceive(test, &teardown));
    g_assert_cmpint(teardown.header.procedure, ==, HANDLER_PROC_TEARDOWN);
    g_assert_true(virPacketDecode(&teardown, &handler_teardown_args_xdr, &arena, &undone, NULL));
    g_assert_cmpint(undone.requests_len, ==, 1);
    g_assert_cmpint(undone.requests_val[0], ==, cancelled.request);
    g_assert_cmpint(read(pipes[0], &byte, 1), ==, 0);
    virCloseFd(&pipes[0]);
}

static void
testLate(testHandler *test, const void *unused)
{
    testJob job;
    g_auto(virPacket) call = {0};
    GThread *thread = testBegin(test, &job, &call);

    g_thread_join(thread);
    testExpectFailure(&job, VIR_ERR_OPERATION_TIMEOUT, "within 1 s");
    testCancelled(test, &call);
}

/* A call that waits goes on if it is another guest that is destroyed, and fails if it is its own.
 */
static void
testDestroyed(testHandler *test, const void *unused)
{
    static const uint8_t other[HANDLER_UUID_BUFLEN] = {0xff};
    testJob job;
    g_auto(virPacket) call = {0};
    g_auto(virPacket) next = {0};
    GThread *thread;
    g_autoptr(GError) error = NULL;

    testSetDeadline(test, FOREVER_S);
    thread = testBegin(test, &job, &call);
    virHandlersInterrupt(test->handlers, other);
    virHandlersInterrupt(test->handlers, testCall.uuid);
    g_thread_join(thread);
    testExpectFailure(&job, VIR_ERR_OPERATION_ABORTED,
                      "was destroyed while the handler of proc.tune was waited for");
    testCancelled(test, &call);
    /* nor is it asked anything until that is over */
    g_assert_false(virDelegateProcTune(test->door, &testCall, test->pidfd, WANTED, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_OPERATION_ABORTED));
    virHandlersResume(test->handlers, testCall.uuid);
    thread = g_thread_new("job", testRunJob, &job);
    testExpectCall(test, &next);
    testSetOom(test, WANTED);
    testAnswer(test, &next, NULL, 0);
    g_thread_join(thread);
    g_assert_true(job.done);
}

static void
testOthersGoOn(testHandler *test, const void *unused)
{
    static const uint8_t other[HANDLER_UUID_BUFLEN] = {0xff};
    testJob job;
    g_auto(virPacket) call = {0};
    GThread *thread = testBegin(test, &job, &call);

    virHandlersInterrupt(test->handlers, other);
    testSetOom(test, WANTED);
    testAnswer(test, &call, NULL, 0);
    g_thread_join(thread);
    g_assert_true(job.done);
}

static void
testTheEnd(testHandler *test, const void *unused)
{
    testJob job;
    g_auto(virPacket) call = {0};
    GThread *thread;

    testSetDeadline(test, FOREVER_S);
    thread = testBegin(test, &job, &call);
    virHandlersEnd(test->handlers);
    g_thread_join(thread);
    testExpectFailure(&job, VIR_ERR_OPERATION_ABORTED,
                      "the daemon ends while the handler of proc.tune is waited for");
}

static void
testVanish(testHandler *test, const void *unused)
{
    testJob job;
    g_auto(virPacket) call = {0};
    GThread *thread = testBegin(test, &job, &call);
    g_autoptr(GError) error = NULL;

    virCloseFd(&test->fd);
    g_thread_join(thread);
    testExpectFailure(&job, VIR_ERR_OPERATION_FAILED, "went away in the middle");
    /* It was there once: nobody else does it in its place. */
    g_assert_false(virDelegateProcTune(test->door, &testCall, test->pidfd, WANTED, &error));
    g_assert_nonnull(strstr(error->message, "is not connected"));
    /* It comes back. */
    test->fd = testNewEnd(test);
    virPacketReaderClear(&test->reader);
    virPacketReaderInit(&test->reader);
    testServe(test, "proc.tune");
}

/* --- several calls at once --- */

enum { CALLS = 3 };

/* The same hook several times, on a thread as in a job. */
typedef struct {
    testHandler *test;
    virHandlerQuestion questions[CALLS];
    bool done;
    GError *error;
} testWave;

static void *
testRunWave(void *opaque)
{
    testWave *wave = opaque;
    handler_proc_tune_args args[CALLS];
    virHandlerReply replies[CALLS] = {0};

    for (unsigned i = 0; i < CALLS; i++) {
        args[i] = (handler_proc_tune_args){.oom_score_adj = (int)i, .ioprio = -1};
        wave->questions[i] =
            (virHandlerQuestion){&args[i], &wave->test->pidfd, 1, NULL, &replies[i], false};
    }
    wave->done = virHandlersAskAll(wave->test->handlers, &testCall, virXdrHookByName("proc.tune"),
                                   wave->questions, CALLS, &wave->error);
    for (unsigned i = 0; i < CALLS; i++)
        virHandlerReplyClear(&replies[i]);
    return NULL;
}

/* All of them are there before one is answered. */
static GThread *
testBeginWave(testHandler *test, testWave *wave, virPacket calls[CALLS])
{
    GThread *thread;

    *wave = (testWave){.test = test};
    testServe(test, "proc.tune");
    thread = g_thread_new("wave", testRunWave, wave);
    for (unsigned i = 0; i < CALLS; i++) {
        g_auto(virArena) arena = {0};
        handler_proc_tune_args args;

        virArenaInit(&arena);
        g_assert_true(testReceive(test, &calls[i]));
        g_assert_true(virPacketDecode(&calls[i], &handler_proc_tune_args_xdr, &arena, &args, NULL));
        g_assert_cmpint(args.oom_score_adj, ==, (int)i);
    }
    return thread;
}

static void
testClearPackets(virPacket calls[CALLS])
{
    for (unsigned i = 0; i < CALLS; i++)
        virPacketClear(&calls[i]);
}

static void
testWaveInAnyOrder(testHandler *test, const void *unused)
{
    virPacket calls[CALLS] = {0};
    testWave wave;
    GThread *thread = testBeginWave(test, &wave, calls);

    for (unsigned i = CALLS; i-- > 0;)
        testAnswer(test, &calls[i], NULL, 0);
    g_thread_join(thread);
    g_assert_no_error(wave.error);
    g_assert_true(wave.done);
    testClearPackets(calls);
}

/* The first that failed is told; what came after it counts. */
static void
testWaveWithRefusals(testHandler *test, const void *unused)
{
    virPacket calls[CALLS] = {0};
    testWave wave;
    GThread *thread = testBeginWave(test, &wave, calls);

    testRefuse(test, &calls[1], "not the second");
    testRefuse(test, &calls[0], "not the first");
    testAnswer(test, &calls[2], NULL, 0);
    g_thread_join(thread);
    g_assert_false(wave.done);
    g_assert_true(virErrorIs(wave.error, VIR_ERR_ACCESS_DENIED));
    g_assert_nonnull(strstr(wave.error->message, "not the first"));
    g_clear_error(&wave.error);
    g_assert_false(wave.questions[0].done);
    g_assert_false(wave.questions[1].done);
    g_assert_true(wave.questions[2].done);
    testClearPackets(calls);
}

static void
testWaveCutOff(testHandler *test, const void *unused)
{
    virPacket calls[CALLS] = {0};
    testWave wave;
    GThread *thread = testBeginWave(test, &wave, calls);

    testAnswer(test, &calls[0], NULL, 0);
    virCloseFd(&test->fd);
    g_thread_join(thread);
    g_assert_false(wave.done);
    g_assert_nonnull(strstr(wave.error->message, "went away in the middle"));
    g_clear_error(&wave.error);
    g_assert_true(wave.questions[0].done);
    g_assert_false(wave.questions[2].done);
    testClearPackets(calls);
}

/* The second has its second from the first's answer on: what is told to be given up is the last. */
static void
testWaveTooLate(testHandler *test, const void *unused)
{
    virPacket calls[CALLS] = {0};
    g_auto(virPacket) cancel = {0};
    testWave wave;
    GThread *thread = testBeginWave(test, &wave, calls);

    testAnswer(test, &calls[0], NULL, 0);
    testAnswer(test, &calls[1], NULL, 0);
    g_assert_true(testReceive(test, &cancel));
    g_assert_cmpint(cancel.header.procedure, ==, HANDLER_PROC_CANCEL);
    g_thread_join(thread);
    g_assert_true(virErrorIs(wave.error, VIR_ERR_OPERATION_TIMEOUT));
    g_clear_error(&wave.error);
    g_assert_true(wave.questions[1].done);
    testClearPackets(calls);
}

static void
testSelf(testHandler *test, const void *unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(virDelegateProcTune(test->door, &testCall, test->pidfd, WANTED, &error));
    g_assert_no_error(error);
}

static void
testMustBeHandler(testHandler *test, const void *unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(virHandlersSetPolicy(test->handlers, "proc.tune=handler", &error));
    g_assert_false(virDelegateProcTune(test->door, &testCall, test->pidfd, WANTED, &error));
    g_assert_nonnull(strstr(error->message, "no handler is registered for proc.tune"));
}

static void
testOff(testHandler *test, const void *unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(virHandlersSetPolicy(test->handlers, "proc.tune=off", &error));
    g_assert_true(virDelegateProcTune(test->door, &testCall, test->pidfd, WANTED, &error));
    g_assert_false(virHandlersSetPolicy(test->handlers, "gate.create=off", &error));
    g_assert_true(virErrorIs(error, VIR_ERR_CONF_SYNTAX));
}

static void
testPolicyWords(testHandler *test, const void *unused)
{
    static const char *const bad[] = {"proc.tune", "proc.tune=maybe", "no.hook=self", "=self"};

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(virHandlersSetPolicy(test->handlers, bad[i], &error));
        g_assert_true(virErrorIs(error, VIR_ERR_CONF_SYNTAX));
    }
    g_assert_true(virHandlersSetPolicy(test->handlers, "*=handler-or-self", NULL));
}

static void
testAbi(testHandler *test, const void *unused)
{
    handler_register_args args = testRegistration("proc.tune");
    g_autofree char *abi = NULL;
    g_autofree char *digest = NULL;

    args.abi = 9;
    abi = testRegister(test, &args);
    g_assert_nonnull(strstr(abi, "ABI 9 of proc.tune, the daemon has ABI 1"));
    args = testRegistration("proc.tune");
    args.digest[0] ^= 1;
    digest = testRegister(test, &args);
    g_assert_nonnull(strstr(digest, "messages differ"));
}

static void
testSecond(testHandler *test, const void *unused)
{
    handler_register_args args = testRegistration("proc.tune");
    g_autofree char *refused = NULL;
    g_autofree char *taken = NULL;

    testServe(test, "proc.tune");
    refused = testRegister(test, &args);
    g_assert_nonnull(strstr(refused, "serves proc.tune for these guests already"));
    args.flags = HANDLER_REGISTER_FLAGS_TAKE_OVER;
    taken = testRegister(test, &args);
    g_assert_cmpstr(taken, ==, NULL);
}

static void
testGarbage(testHandler *test, const void *unused)
{
    g_auto(virPacket) packet = {0};

    testServe(test, "proc.tune");
    g_assert_cmpint(send(test->fd, "garbage", 7, 0), ==, 7);
    g_assert_false(testReceive(test, &packet));
}

static void *
testRunBarrier(void *opaque)
{
    testJob *job = opaque;
    const virDelegateThread table = {VIR_DELEGATE_ROLE_VCPU, 5, job->test->child};

    job->done = virDelegateBarrier(job->test->door, &testCall, VIR_DELEGATE_BARRIER_HOTPLUG_VCPU,
                                   job->test->pidfd, &table, 1, &job->error);
    return NULL;
}

/* The table, and a descriptor for each of its threads behind the process's own. */
static GThread *
testBeginBarrier(testHandler *test, testJob *job, virPacket *call)
{
    g_auto(virArena) arena = {0};
    handler_barrier_args args;
    GThread *thread;

    testServe(test, "barrier");
    *job = (testJob){.test = test};
    thread = g_thread_new("job", testRunBarrier, job);
    g_assert_true(testReceive(test, call));
    g_assert_cmpint(call->header.procedure, ==, HANDLER_PROC_BARRIER);
    virArenaInit(&arena);
    g_assert_true(virPacketDecode(call, &handler_barrier_args_xdr, &arena, &args, NULL));
    g_assert_cmpint(args.stage, ==, HANDLER_BARRIER_STAGE_HOTPLUG_VCPU);
    g_assert_cmpint(args.threads_len, ==, 1);
    g_assert_cmpint(args.threads_val[0].role, ==, HANDLER_THREAD_ROLE_VCPU);
    g_assert_cmpint(args.threads_val[0].id, ==, 5);
    g_assert_cmpint(args.threads_val[0].tid, ==, test->child);
    g_assert_cmpint(virPacketFdCount(call), ==, 2);
    if (args.form == HANDLER_THREAD_FORM_PIDFDS)
        g_assert_cmpint(virPidfdGetPid(virPacketGetFd(call, 1), NULL), ==, test->child);
    return thread;
}

static void
testBarrier(testHandler *test, const void *unused)
{
    testJob job;
    g_auto(virPacket) call = {0};
    GThread *thread = testBeginBarrier(test, &job, &call);

    testAnswer(test, &call, NULL, 0);
    g_thread_join(thread);
    g_assert_no_error(job.error);
    g_assert_true(job.done);
}

static void
testBarrierKills(testHandler *test, const void *unused)
{
    testJob job;
    g_auto(virPacket) call = {0};
    GThread *thread = testBeginBarrier(test, &job, &call);
    struct pollfd ended = {.fd = test->pidfd, .events = POLLIN};

    kill(test->child, SIGKILL);
    g_assert_cmpint(poll(&ended, 1, -1), ==, 1);
    testAnswer(test, &call, NULL, 0);
    g_thread_join(thread);
    testExpectFailure(&job, VIR_ERR_OPERATION_FAILED, "reported barrier as done, but");
}

/* Ids that are no threads of the process reach nobody. */
static void
testBarrierStrangers(testHandler *test, const void *unused)
{
    const virDelegateThread table = {VIR_DELEGATE_ROLE_VCPU, 0, getpid()};
    g_autoptr(GError) error = NULL;

    testServe(test, "barrier");
    g_assert_false(virDelegateBarrier(test->door, &testCall, VIR_DELEGATE_BARRIER_PREPARED,
                                      test->pidfd, &table, 1, &error));
    g_assert_nonnull(strstr(error->message, "has no thread"));
}

static void
testAll(void)
{
#define TEST(sentence, func)                                                                       \
    g_test_add("/virhandlers/" sentence, testHandler, NULL, testSetUp, func, testTearDown)
    TEST("what a handler does is done, and noted as a grant", testOk);
    TEST("what is true already is asked of nobody", testSatisfied);
    TEST("done that isn't true is an error of its own", testLie);
    TEST("a handler's refusal keeps code and text", testRefusal);
    TEST("descriptors nobody asked for are closed", testSurplusDescriptors);
    TEST("a late answer is dropped, closed and undone", testLate);
    TEST("nobody waits for the handler of a guest that is destroyed", testDestroyed);
    TEST("others' calls go on when a guest is destroyed", testOthersGoOn);
    TEST("nobody waits when the daemon ends", testTheEnd);
    TEST("a handler that vanishes fails the call, and nobody steps in", testVanish);
    TEST("several calls are out before one is answered", testWaveInAnyOrder);
    TEST("of several calls each counts for itself", testWaveWithRefusals);
    TEST("of several calls those fail that a handler leaves behind", testWaveCutOff);
    TEST("of several calls each has its time", testWaveTooLate);
    TEST("without a handler the daemon does it", testSelf);
    TEST("where a handler must be, its absence is an error", testMustBeHandler);
    TEST("what is off counts as done, where that can be", testOff);
    TEST("a policy that makes no sense is refused", testPolicyWords);
    TEST("another ABI is refused with both numbers", testAbi);
    TEST("a second handler needs to say that it takes over", testSecond);
    TEST("garbage ends the connection", testGarbage);
    TEST("a barrier has the threads as a table and as descriptors", testBarrier);
    TEST("a barrier that the process does not outlive is not passed", testBarrierKills);
    TEST("a barrier is of threads of the process alone", testBarrierStrangers);
}

int
main(int argc, char **argv)
{
    return testMain(argc, argv, testAll);
}
