/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlerstest.c: see virhandlerstest.h. */
#include "delegate/virhandlerstest.h"

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

#include "util/cgroup/vircgroupbackend.h"
#include "util/virevent.h"
#include "util/virfile.h"
#include "util/virutil.h"

const virDelegateCall testCall = {"web1", {7, 7, 7}, VIR_DELEGATE_PHASE_START};

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
void
testSync(void)
{
    g_mutex_lock(&syncLock);
    synced = false;
    virEventPost(testSyncReached, NULL);
    while (!synced)
        g_cond_wait(&syncCond, &syncLock);
    g_mutex_unlock(&syncLock);
}

void *
testRunEvents(void *unused)
{
    virEventRun();
    return NULL;
}

/* --- both ends --- */

virNetHeader
testHeader(uint32_t procedure, uint32_t type, uint32_t serial)
{
    return (virNetHeader){.program = HANDLER_PROGRAM,
                          .version = HANDLER_VERSION,
                          .procedure = (int32_t)procedure,
                          .type = type,
                          .serial = serial};
}

void
testSend(testHandler *test, const virNetHeader *header, const virXdrType *type, const void *value,
         const int *fds, size_t nfds)
{
    g_autoptr(virNetMessage) message = virNetMessageNew(header);

    g_assert_true(virNetMessageEncode(message, type, value, NULL));
    g_assert_true(
        virPacketSend(test->fd, message, fds, nfds, g_get_monotonic_time() + PATIENCE_US, NULL));
}

/* The next message of the daemon; false: it closed the channel. */
bool
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

int
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

void
testSetDeadline(testHandler *test, unsigned seconds)
{
    test->deadline_s = seconds;
    virHandlersSetDeadline(test->handlers, seconds);
}

void
testNewDoor(testHandler *test)
{
    const virDelegateOwner owner = {geteuid(), getegid(), 0};
    g_autoptr(virCgroupInstance) instance =
        test->instance ? virCgroupInstanceRef(test->instance)
                       : virCgroupInstanceNewAt("test", &virCgroupFakeBackend, "/nonexistent", 0);

    test->door =
        virDelegateNew(instance, test->instance ? test->pinPath : "/nonexistent/bpf", &owner);
    if (test->instance)
        g_assert_true(virDelegatePrepare(test->door, NULL));
    test->handlers = virHandlersNew("test");
    virDelegateSetHandlers(test->door, test->handlers);
    testSetDeadline(test, 1);
}

static void
testFreeDoor(void *opaque)
{
    virDelegateFree(opaque);
}

void
testEndDoor(testHandler *test)
{
    virEventPost(testFreeDoor, test->door);
    testSync();
}

pid_t
testNewChild(void)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        pause();
}

void
testSetUp(testHandler *test, const void *unused)
{
    testNewDoor(test);
    virPacketReaderInit(&test->reader);
    test->child = testNewChild(); /* before the channel, or it would hold it open */
    test->pidfd = (int)syscall(SYS_pidfd_open, test->child, 0);
    g_assert_cmpint(test->pidfd, >=, 0);
    test->fd = testNewEnd(test);
}

void
testTearDown(testHandler *test, const void *unused)
{
    testEndDoor(test);
    virPacketReaderClear(&test->reader);
    virCloseFd(&test->fd);
    virCloseFd(&test->pidfd);
    g_free(test->saved);
    kill(test->child, SIGKILL);
    waitpid(test->child, NULL, 0);
}

/* --- what a handler says --- */

handler_register_args
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
char *
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

void
testServe(testHandler *test, const char *hookName)
{
    handler_register_args args = testRegistration(hookName);
    g_autofree char *failure = testRegister(test, &args);

    g_assert_cmpstr(failure, ==, NULL);
}

/* --- the daemon's call, on a thread as in a job --- */

void *
testRunJob(void *opaque)
{
    testJob *job = opaque;

    job->done =
        virDelegateProcTune(job->test->door, &testCall, job->test->pidfd, WANTED, &job->error);
    return NULL;
}

void
testSetOom(const testHandler *test, int value)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/oom_score_adj", (int)test->child);
    g_autofree char *text = g_strdup_printf("%d", value);
    VIR_AUTOCLOSE fd = open(path, O_WRONLY | O_CLOEXEC);

    g_assert_cmpint(write(fd, text, strlen(text)), ==, (ssize_t)strlen(text));
}

/* The call as it arrives, looked at. */
void
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
    g_assert_cmpint(args.call.deadline, ==, test->deadline_s * 1000);
    g_assert_cmpint(virPacketFdCount(packet), ==, 1);
}

void
testAnswer(testHandler *test, const virPacket *call, const int *fds, size_t nfds)
{
    virNetHeader header =
        testHeader((uint32_t)call->header.procedure, RPC_MESSAGE_TYPE_REPLY, call->header.serial);

    testSend(test, &header, NULL, NULL, fds, nfds);
}

/* A job that has begun; its call as the handler sees it. */
GThread *
testBegin(testHandler *test, testJob *job, virPacket *call)
{
    GThread *thread;

    testServe(test, "proc.tune");
    *job = (testJob){.test = test};
    thread = g_thread_new("job", testRunJob, job);
    testExpectCall(test, call);
    return thread;
}

void
testExpectFailure(testJob *job, virErrorCode code, const char *words)
{
    g_assert_false(job->done);
    g_test_message("%s", job->error->message);
    g_assert_true(virErrorIs(job->error, code));
    g_assert_nonnull(strstr(job->error->message, words));
    g_clear_error(&job->error);
}

int
testMain(int argc, char **argv, void (*add)(void))
{
    GThread *events;
    int code;

    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR); /* warnings are wanted here */
    signal(SIGPIPE, SIG_IGN);
    g_assert_true(virEventInit(NULL));
    events = g_thread_new("events", testRunEvents, NULL);
    add();
    code = g_test_run();
    virEventQuit();
    g_thread_join(events);
    return code;
}
