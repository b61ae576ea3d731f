/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlers_test.c: the daemon's side of the handlers' channel, against handlers that do, refuse,
 * lie, dawdle, vanish and speak out of turn. The effects are real: oom_score_adj of a child. */
#include "delegate/virhandlers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "delegate/virdelegate.h"
#include "util/cgroup/vircgroupbackend.h"
#include "util/virerror.h"
#include "util/virevent.h"
#include "util/virfile.h"
#include "util/virprocstat.h"
#include "util/virutil.h"

enum { WANTED = 321, PATIENCE_US = 5 * 1000 * 1000 };

static const virDelegateCall testCall = {"web1", {7, 7, 7}, VIR_DELEGATE_PHASE_START};

/* One end of a channel, as a handler has it, and a child to work on. */
typedef struct {
    virDelegate *door;
    virHandlers *handlers; /* the door's */
    int fd;
    virPacketReader reader;
    uint32_t serial;
    pid_t child;
    int pidfd;
} testHandler;

/* --- the event thread --- */

static GMutex syncLock;
static GCond syncCond;
static bool synced;

static void
testSyncReached(void *unused)
{
    g_mutex_lock(&syncLock);
    synced = true;
    g_cond_broadcast(&syncCond);
    g_mutex_unlock(&syncLock);
}

/* Waits until the event thread has done what was posted before. */
static void
testSync(void)
{
    g_mutex_lock(&syncLock);
    synced = false;
    virEventPost(testSyncReached, NULL);
    while (!synced)
        g_cond_wait(&syncCond, &syncLock);
    g_mutex_unlock(&syncLock);
}

static void *
testRunEvents(void *unused)
{
    virEventRun();
    return NULL;
}

/* --- both ends --- */

static virNetHeader
testHeader(uint32_t procedure, uint32_t type, uint32_t serial)
{
    return (virNetHeader){.program = HANDLER_PROGRAM,
                          .version = HANDLER_VERSION,
                          .procedure = (int32_t)procedure,
                          .type = type,
                          .serial = serial};
}

static void
testSend(testHandler *test, const virNetHeader *header, const virXdrType *type, const void *value,
         const int *fds, size_t nfds)
{
    g_autoptr(virNetMessage) message = virNetMessageNew(header);

    g_assert_true(virNetMessageEncode(message, type, value, NULL));
    g_assert_true(
        virPacketSend(test->fd, message, fds, nfds, g_get_monotonic_time() + PATIENCE_US, NULL));
}

/* The next message of the daemon; false: it closed the channel. */
static bool
testReceive(testHandler *test, virPacket *packet)
{
    for (;;) {
        struct pollfd ready = {.fd = test->fd, .events = POLLIN};
        virPacketResult result = virPacketReceive(&test->reader, test->fd, packet, NULL);

        if (result != VIR_PACKET_NONE)
            return result == VIR_PACKET_WHOLE;
        g_assert_cmpint(poll(&ready, 1, PATIENCE_US / 1000), ==, 1);
    }
}

/* Connections are the event thread's. */
typedef struct {
    virHandlers *handlers;
    int fd;
} testNewcomer;

static void
testAdd(void *opaque)
{
    testNewcomer *newcomer = opaque;

    g_assert_true(virHandlersAdd(newcomer->handlers, newcomer->fd, NULL));
}

static int
testNewEnd(testHandler *test)
{
    testNewcomer newcomer = {.handlers = test->handlers};
    int ends[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), ==,
                    0);
    newcomer.fd = ends[0];
    virEventPost(testAdd, &newcomer);
    testSync();
    return ends[1];
}

static void
testSetUp(testHandler *test, const void *unused)
{
    const virDelegateOwner owner = {geteuid(), getegid(), 0};
    g_autoptr(virCgroupInstance) instance =
        virCgroupInstanceNewAt("test", &virCgroupFakeBackend, "/nonexistent", 0);

    test->door = virDelegateNew(instance, "/nonexistent/bpf", &owner);
    test->handlers = virHandlersNew("test");
    virDelegateSetHandlers(test->door, test->handlers);
    virHandlersSetDeadline(test->handlers, 1);
    virPacketReaderInit(&test->reader);
    test->child = fork(); /* before the channel, or it would hold it open */
    if (test->child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    test->pidfd = (int)syscall(SYS_pidfd_open, test->child, 0);
    g_assert_cmpint(test->pidfd, >=, 0);
    test->fd = testNewEnd(test);
}

static void
testEnd(void *opaque)
{
    virDelegateFree(opaque);
}

static void
testTearDown(testHandler *test, const void *unused)
{
    virEventPost(testEnd, test->door);
    testSync();
    virPacketReaderClear(&test->reader);
    virCloseFd(&test->fd);
    virCloseFd(&test->pidfd);
    kill(test->child, SIGKILL);
    waitpid(test->child, NULL, 0);
}

/* --- what a handler says --- */

static handler_register_args
testRegistration(const char *hookName)
{
    const virXdrHook *hook = virXdrHookByName(hookName);
    handler_register_args args = {.protocol = HANDLER_PROTOCOL,
                                  .hook = hook->number,
                                  .abi = hook->abi,
                                  .size = hook->args->minWire,
                                  .pattern = "*"};

    memcpy(args.digest, hook->digest, sizeof(args.digest));
    return args;
}

/* The daemon's answer to a registration; its error's text, NULL on success. */
static char *
testRegister(testHandler *test, const handler_register_args *args)
{
    virNetHeader header = testHeader(HANDLER_PROC_REGISTER, RPC_MESSAGE_TYPE_CALL, ++test->serial);
    g_auto(virPacket) packet = {0};
    g_autoptr(GError) error = NULL;

    testSend(test, &header, &handler_register_args_xdr, args, NULL, 0);
    g_assert_true(testReceive(test, &packet));
    g_assert_cmpint(packet.header.serial, ==, test->serial);
    if (packet.header.status == RPC_MESSAGE_STATUS_OK)
        return NULL;
    virPacketGetError(&packet, &error);
    return g_strdup(error->message);
}

static void
testServe(testHandler *test, const char *hookName)
{
    handler_register_args args = testRegistration(hookName);
    g_autofree char *failure = testRegister(test, &args);

    g_assert_cmpstr(failure, ==, NULL);
}

/* --- the daemon's call, on a thread as in a job --- */

typedef struct {
    testHandler *test;
    bool done;
    GError *error;
} testJob;

static void *
testRunJob(void *opaque)
{
    testJob *job = opaque;

    job->done =
        virDelegateProcTune(job->test->door, &testCall, job->test->pidfd, WANTED, &job->error);
    return NULL;
}

static void
testSetOom(const testHandler *test, int value)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/oom_score_adj", (int)test->child);
    g_autofree char *text = g_strdup_printf("%d", value);
    VIR_AUTOCLOSE fd = open(path, O_WRONLY | O_CLOEXEC);

    g_assert_cmpint(write(fd, text, strlen(text)), ==, (ssize_t)strlen(text));
}

/* The call as it arrives, looked at. */
static void
testExpectCall(testHandler *test, virPacket *packet)
{
    g_auto(virArena) arena = {0};
    handler_proc_tune_args args;

    g_assert_true(testReceive(test, packet));
    g_assert_cmpint(packet->header.procedure, ==, HANDLER_PROC_PROC_TUNE);
    virArenaInit(&arena);
    g_assert_true(virPacketDecode(packet, &handler_proc_tune_args_xdr, &arena, &args, NULL));
    g_assert_cmpint(args.oom_score_adj, ==, WANTED);
    g_assert_cmpstr(args.call.domain, ==, "web1");
    g_assert_cmpmem(args.call.uuid, 16, testCall.uuid, 16);
    g_assert_cmpint(args.call.deadline, ==, 1000);
    g_assert_cmpint(virPacketFdCount(packet), ==, 1);
}

static void
testAnswer(testHandler *test, const virPacket *call, const int *fds, size_t nfds)
{
    virNetHeader header =
        testHeader((uint32_t)call->header.procedure, RPC_MESSAGE_TYPE_REPLY, call->header.serial);

    testSend(test, &header, NULL, NULL, fds, nfds);
}

/* A job that has begun; its call as the handler sees it. */
static GThread *
testBegin(testHandler *test, testJob *job, virPacket *call)
{
    GThread *thread;

    testServe(test, "proc.tune");
    *job = (testJob){.test = test};
    thread = g_thread_new("job", testRunJob, job);
    testExpectCall(test, call);
    return thread;
}

static void
testExpectFailure(testJob *job, virErrorCode code, const char *words)
{
    g_assert_false(job->done);
    g_test_message("%s", job->error->message);
    g_assert_true(virErrorIs(job->error, code));
    g_assert_nonnull(strstr(job->error->message, words));
    g_clear_error(&job->error);
}

static void
testOk(testHandler *test, const void *unused)
{
    testJob job;
    g_auto(virPacket) call = {0};
    GThread *thread = testBegin(test, &job, &call);
    g_autoptr(GArray) grants = NULL;

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
testRefusal(testHandler *test, const void *unused)
{
    testJob job;
    g_auto(virPacket) call = {0};
    GThread *thread = testBegin(test, &job, &call);
    virNetHeader header =
        testHeader(HANDLER_PROC_PROC_TUNE, RPC_MESSAGE_TYPE_REPLY, call.header.serial);
    g_autoptr(GError) why = NULL;
    g_autoptr(virNetMessage) message = NULL;

    virErrorSet(&why, VIR_ERR_ACCESS_DENIED, "not for you");
    message = virNetMessageNewError(&header, RPC_MESSAGE_TYPE_REPLY, why);
    g_assert_true(
        virPacketSend(test->fd, message, NULL, 0, g_get_monotonic_time() + PATIENCE_US, NULL));
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

static void
testLate(testHandler *test, const void *unused)
{
    testJob job;
    g_auto(virPacket) call = {0};
    g_auto(virPacket) cancel = {0};
    g_auto(virPacket) teardown = {0};
    g_auto(virArena) arena = {0};
    GThread *thread = testBegin(test, &job, &call);
    handler_cancel_msg cancelled;
    handler_teardown_args undone;
    int pipes[2];
    char byte;

    g_assert_true(testReceive(test, &cancel));
    g_thread_join(thread);
    testExpectFailure(&job, VIR_ERR_OPERATION_TIMEOUT, "within 1 s");
    g_assert_cmpint(cancel.header.procedure, ==, HANDLER_PROC_CANCEL);
    virArenaInit(&arena);
    g_assert_true(virPacketDecode(&cancel, &handler_cancel_msg_xdr, &arena, &cancelled, NULL));
    g_assert_cmpint(pipe2(pipes, O_CLOEXEC), ==, 0);
    testAnswer(test, &call, &pipes[1], 1);
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

int
main(int argc, char **argv)
{
    GThread *events;
    int code;

    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR); /* warnings are wanted here */
    signal(SIGPIPE, SIG_IGN);
    g_assert_true(virEventInit(NULL));
    events = g_thread_new("events", testRunEvents, NULL);
#define TEST(sentence, func)                                                                       \
    g_test_add("/virhandlers/" sentence, testHandler, NULL, testSetUp, func, testTearDown)
    TEST("what a handler does is done, and noted as a grant", testOk);
    TEST("what is true already is asked of nobody", testSatisfied);
    TEST("done that isn't true is an error of its own", testLie);
    TEST("a handler's refusal keeps code and text", testRefusal);
    TEST("descriptors nobody asked for are closed", testSurplusDescriptors);
    TEST("a late answer is dropped, closed and undone", testLate);
    TEST("a handler that vanishes fails the call, and nobody steps in", testVanish);
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
    code = g_test_run();
    virEventQuit();
    g_thread_join(events);
    return code;
}
