/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virhandlermatrix_test.c: every hook against a handler that does, refuses, lies, is silent, dies,
 * is late, is another's or of another make, gives too little, too much or without end. Each cell
 * has one outcome, which the table says; after each the daemon has as many descriptors as before,
 * another guest is as it was and its calls go on, and so is this one if the handler did nothing.
 * Memory is the sanitizers' to watch. Hooks come from the generated table: one without a row fails.
 *
 * Built twice: as a unit test, where what takes a real kernel stands empty, and with TEST_ON_HOST,
 * where every hook has its real effect and a cell without an outcome fails (tests/host). */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "delegate/virhandlerrows.h"
#include "util/netdev/virnetdev.h"
#include "util/virevent.h"
#include "util/virutil.h"

/* --- a hook without its front --- */

/* Empty texts where the wire needs some. */
static void
testFill(const virXdrType *type, void *value)
{
    for (uint32_t i = 0; type && i < type->fieldCount; i++) {
        const virXdrField *field = &type->fields[i];
        void *at = (char *)value + field->offset;

        if (field->shape == VIR_XDR_PLAIN && field->kind == VIR_XDR_STRING)
            *(const char **)at = "";
        else if (field->shape == VIR_XDR_PLAIN && field->kind == VIR_XDR_STRUCT)
            testFill(field->type, at);
    }
}

static bool
testAsk(testMatrix *m, GError **error)
{
    g_autofree void *args = g_malloc0(m->hook->args->size);
    g_autofree void *ret = g_malloc0(m->hook->ret ? m->hook->ret->size : 1);
    g_auto(virHandlerReply) reply = {0};
    VIR_AUTOCLOSE fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fds[8];
    size_t n = 0;

    testFill(m->hook->args, args);
    while (m->hook->takes[n]) {
        fds[n] = fd;
        n++;
    }
    return virHandlersAsk(m->test.handlers, &testCall, m->hook, args, fds, n, ret, &reply, error);
}

/* --- both sides of a call --- */

static void *
testRunHook(void *opaque)
{
    testMatrix *m = opaque;

    m->done = m->front ? m->row->run(m, &m->error) : testAsk(m, &m->error);
    return NULL;
}

static handler_register_args
testMine(const testMatrix *m)
{
    handler_register_args args = testRegistration(m->hook->name);

    args.pattern = "web1"; /* the neighbour is the daemon's own affair */
    return args;
}

static void
testServeMine(testMatrix *m)
{
    handler_register_args args = testMine(m);
    g_autofree char *failure = testRegister(&m->test, &args);

    g_assert_cmpstr(failure, ==, NULL);
}

static void
testReadRequest(testMatrix *m)
{
    void *args = virArenaAlloc(&m->arena, m->hook->args->size);

    g_assert_true(virPacketDecode(&m->call, m->hook->args, &m->arena, args, NULL));
    m->request = ((handler_call *)args)->request;
    g_assert_cmpuint(m->request, !=, 0);
}

/* The handler has the call. */
static void
testStart(testMatrix *m)
{
    testServeMine(m);
    m->thread = g_thread_new("job", testRunHook, m);
    g_assert_true(testReceive(&m->test, &m->call));
    g_assert_cmpint(m->call.header.procedure, ==, m->hook->number);
    testReadRequest(m);
    m->ret = virArenaAlloc(&m->arena, m->hook->ret ? m->hook->ret->size : 1);
    testFill(m->hook->ret, m->ret);
}

static void
testDo(testMatrix *m)
{
    if (m->front)
        m->row->effect(m);
}

static void
testReply(testMatrix *m)
{
    virNetHeader header =
        testHeader(m->hook->number, RPC_MESSAGE_TYPE_REPLY, m->call.header.serial);

    testSend(&m->test, &header, m->hook->ret, m->ret, (const int *)(void *)m->fds->data,
             m->fds->len);
}

/* Whether the handler is told to undo the request; it is told before anything else. */
static bool
testIsUndone(testMatrix *m)
{
    struct pollfd ready = {.fd = m->test.fd, .events = POLLIN};
    g_auto(virPacket) packet = {0};
    g_auto(virArena) arena = {0};
    handler_teardown_args args;

    testSync();
    if (m->test.fd < 0 || poll(&ready, 1, 0) == 0 || !testReceive(&m->test, &packet) ||
        packet.header.procedure != HANDLER_PROC_TEARDOWN)
        return false;
    virArenaInit(&arena);
    g_assert_true(virPacketDecode(&packet, &handler_teardown_args_xdr, &arena, &args, NULL));
    return args.requests_len == 1 && args.requests_val[0] == m->request;
}

/* How it ended for the caller, in a word. */
static const char *
testEnd(testMatrix *m)
{
    static const struct {
        const char *words, *outcome;
    } outcomes[] = {{"within 1 s", "timed out"}, {"went away", "lost"},
                    {"not for you", "refused"},  {"reported", "caught"},
                    {"gave", "caught"},          {"cannot be read", "caught"}};

    if (m->thread)
        g_thread_join(g_steal_pointer(&m->thread));
    if (m->done)
        return "done";
    for (size_t i = 0; i < G_N_ELEMENTS(outcomes); i++) {
        if (strstr(m->error->message, outcomes[i].words))
            return outcomes[i].outcome;
    }
    return m->error->message;
}

static char *
testOutcome(testMatrix *m)
{
    const char *end = testEnd(m);

    return g_strdup_printf("%s%s", end, testIsUndone(m) ? ", undone" : "");
}

/* It comes back, and the daemon has its job look at the guest. */
static void
testReturn(testMatrix *m)
{
    const virDelegateCall call = {"web1", {7, 7, 7}, VIR_DELEGATE_PHASE_RECONNECT};
    const virDelegateSubject subject = {m->test.pidfd, NULL};

    m->test.fd = testNewEnd(&m->test);
    virPacketReaderClear(&m->test.reader);
    virPacketReaderInit(&m->test.reader);
    testServeMine(m);
    testSync(); /* its grants are marked */
    virDelegateResync(m->test.door, &call, &subject);
}

/* --- cells --- */

static char *
cellOk(testMatrix *m)
{
    testStart(m);
    testDo(m);
    testReply(m);
    return testOutcome(m);
}

static char *
cellError(testMatrix *m)
{
    virNetHeader header;
    g_autoptr(GError) why = NULL;
    g_autoptr(virNetMessage) message = NULL;

    testStart(m);
    header = testHeader(m->hook->number, RPC_MESSAGE_TYPE_REPLY, m->call.header.serial);
    virErrorSet(&why, VIR_ERR_ACCESS_DENIED, "not for you");
    message = virNetMessageNewError(&header, RPC_MESSAGE_TYPE_REPLY, why);
    g_assert_true(
        virPacketSend(m->test.fd, message, NULL, 0, g_get_monotonic_time() + PATIENCE_US, NULL));
    return testOutcome(m);
}

static char *
cellLie(testMatrix *m)
{
    testStart(m);
    if (m->row->lie)
        m->row->lie(m);
    testReply(m);
    return testOutcome(m);
}

/* Silent to the end, and then there after all. */
static char *
cellLate(testMatrix *m)
{
    g_auto(virPacket) cancel = {0};
    const char *end;
    int pipes[2];
    char byte;

    testStart(m);
    end = testEnd(m);
    g_assert_true(testReceive(&m->test, &cancel));
    g_assert_cmpint(cancel.header.procedure, ==, HANDLER_PROC_CANCEL);
    g_assert_cmpint(pipe2(pipes, O_CLOEXEC), ==, 0);
    g_array_append_val(m->fds, pipes[1]);
    testDo(m);
    testReply(m);
    g_array_set_size(m->fds, 0);
    g_assert_cmpint(read(pipes[0], &byte, 1), ==, 0); /* the daemon has closed its copy */
    virCloseFd(&pipes[0]);
    return g_strdup_printf("%s%s", end, testIsUndone(m) ? ", undone" : "");
}

static char *
testCrash(testMatrix *m)
{
    const char *end;

    virCloseFd(&m->test.fd);
    end = testEnd(m);
    testReturn(m);
    return g_strdup_printf("%s%s", end, testIsUndone(m) ? ", undone" : "");
}

static char *
cellCrashBefore(testMatrix *m)
{
    testStart(m);
    return testCrash(m);
}

static char *
cellCrashAfter(testMatrix *m)
{
    testStart(m);
    testDo(m);
    return testCrash(m);
}

/* A registration that must be refused with words. */
static char *
testRefused(testMatrix *m, const handler_register_args *args, const char *words)
{
    g_autofree char *failure = testRegister(&m->test, args);

    return g_strdup(!failure ? "registered" : strstr(failure, words) ? "refused" : failure);
}

static char *
cellAbi(testMatrix *m)
{
    handler_register_args args = testMine(m);
    g_autofree char *words = NULL;

    args.abi += 8;
    words = g_strdup_printf("ABI %u of %s, the daemon has ABI %u", args.abi, m->hook->name,
                            m->hook->abi);
    return testRefused(m, &args, words);
}

static char *
cellSecond(testMatrix *m)
{
    handler_register_args args = testMine(m);

    testServeMine(m);
    return testRefused(m, &args, "serves");
}

/* Another user's process may not even take over. */
static char *
cellUser(testMatrix *m)
{
    handler_register_args args = testMine(m);
    char *outcome;
    int first;

    testServeMine(m);
    first = m->test.fd;
    g_assert_cmpint(syscall(SYS_setresuid, -1, 65534, -1), ==, 0); /* of this thread alone */
    m->test.fd = testNewEnd(&m->test);
    g_assert_cmpint(syscall(SYS_setresuid, -1, 0, -1), ==, 0);
    args.flags = HANDLER_REGISTER_FLAGS_TAKE_OVER;
    outcome = testRefused(m, &args, "of user 0 serves");
    virCloseFd(&first);
    return outcome;
}

/* An answer without the descriptors that it should have. */
static char *
cellMissing(testMatrix *m)
{
    testStart(m);
    testDo(m);
    g_array_set_size(m->fds, 0);
    testReply(m);
    return testOutcome(m);
}

static char *
cellSurplus(testMatrix *m)
{
    g_autofree char *outcome = NULL;
    int pipes[2];
    char byte;

    testStart(m);
    testDo(m);
    g_assert_cmpint(pipe2(pipes, O_CLOEXEC), ==, 0);
    for (int i = 0; i < 252 - (int)m->fds->len; i++)
        testGive(m, "/dev/null");
    g_array_append_val(m->fds, pipes[1]);
    testReply(m);
    outcome = testOutcome(m);
    g_array_set_size(m->fds, 0);
    g_assert_cmpint(read(pipes[0], &byte, 1), ==, 0);
    virCloseFd(&pipes[0]);
    return g_steal_pointer(&outcome);
}

/* An answer that does not end. */
static char *
cellHuge(testMatrix *m)
{
    virNetHeader header;
    g_autoptr(virNetMessage) message = NULL;
    g_autofree uint8_t *bytes = g_malloc0(2 * 1024 * 1024);

    testStart(m);
    header = testHeader(m->hook->number, RPC_MESSAGE_TYPE_REPLY, m->call.header.serial);
    message = virNetMessageNew(&header);
    g_assert_true(virNetMessageAppend(message, bytes, 2 * 1024 * 1024, NULL));
    /* The daemon closes the channel in the middle of it. */
    g_assert_false(
        virPacketSend(m->test.fd, message, NULL, 0, g_get_monotonic_time() + PATIENCE_US, NULL));
    virCloseFd(&m->test.fd);
    return g_strdup(testEnd(m));
}

/* --- the table --- */

typedef enum { COLUMN_ALL, COLUMN_FRONT, COLUMN_ROOT, COLUMN_GIVES } testColumnFor;
enum { UNTOUCHED = true };

static const struct {
    const char *name;
    char *(*cell)(testMatrix *m);
    const char *outcome;
    const char *outcomeOfEnding; /* where nothing lasts; NULL: the same */
    testColumnFor which;
    bool untouched; /* the guest is as before */
} columns[] = {
    {"ok", cellOk, "done"},
    {"error", cellError, "refused", NULL, COLUMN_ALL, UNTOUCHED},
    {"ok, but not done", cellLie, "caught, undone", "done", COLUMN_FRONT, UNTOUCHED},
    {"no answer, then late", cellLate, "timed out, undone"},
    {"crash before the effect", cellCrashBefore, "lost, undone", "lost", COLUMN_ALL, UNTOUCHED},
    {"crash after the effect", cellCrashAfter, "lost, undone", "lost"},
    {"wrong ABI", cellAbi, "refused", NULL, COLUMN_ALL, UNTOUCHED},
    {"wrong user", cellUser, "refused", NULL, COLUMN_ROOT, UNTOUCHED},
    {"second registration", cellSecond, "refused", NULL, COLUMN_ALL, UNTOUCHED},
    {"missing descriptors", cellMissing, "caught, undone", NULL, COLUMN_GIVES},
    {"surplus descriptors", cellSurplus, "done"},
    {"huge packet", cellHuge, "lost", NULL, COLUMN_ALL, UNTOUCHED},
};

/* What the table says for the hook. */
static const char *
testWanted(const testMatrix *m, size_t column)
{
    if (columns[column].cell == cellMissing && !m->hook->gives[0])
        return "done"; /* none are missing */
    if (columns[column].cell == cellSurplus && m->row->surplus)
        return m->row->surplus;
    if (!m->row->ends || !columns[column].outcomeOfEnding)
        return columns[column].outcome;
    return m->row->looks && columns[column].cell == cellLie ? "caught"
                                                            : columns[column].outcomeOfEnding;
}

static void
testCloseItem(void *fd)
{
    (void)close(*(int *)fd);
}

static unsigned
testCountFds(void)
{
    g_autoptr(GDir) folder = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned count = 0;

    while (g_dir_read_name(folder))
        count++;
    return count;
}

/* The other guest is served by the daemon itself, all the time. */
static void
testNeighbour(testMatrix *m)
{
    const virDelegateCall call = {"web2", {8, 8, 8}, VIR_DELEGATE_PHASE_HOTPLUG};
    VIR_AUTOCLOSE pidfd = (int)syscall(SYS_pidfd_open, m->neighbour, 0);
    cpu_set_t now, after;

    g_assert_cmpint(sched_getaffinity(0, sizeof(now), &now), ==, 0);
    g_assert_true(virDelegateAffinitySet(m->test.door, &call, pidfd, &m->neighbour, 1, &now,
                                         sizeof(now), NULL));
    g_assert_cmpint(sched_getaffinity(m->neighbour, sizeof(after), &after), ==, 0);
    g_assert_true(CPU_EQUAL(&now, &after));
    g_assert_cmpint(sched_getscheduler(m->neighbour), ==, SCHED_OTHER);
    g_assert_cmpint(kill(m->test.child, 0), ==, 0);
}

/* Of a cell where nothing was done: the guest is as it was. */
static bool
testIsUntouched(const testMatrix *m, size_t column)
{
    g_autofree char *after = testState(m);

    if (!columns[column].untouched || g_str_equal(m->before, after))
        return true;
    g_test_message("before:\n%s\nafter:\n%s", m->before, after);
    return false;
}

static void
testOpen(testMatrix *m, const virXdrHook *hook)
{
    VIR_AUTOCLOSE file = -1;

    *m = (testMatrix){.row = testRowOf(hook), .hook = hook, .tap = -1};
    m->front = m->row->run && (!m->row->root || geteuid() == 0);
    virArenaInit(&m->arena);
    m->fds = g_array_new(FALSE, FALSE, sizeof(int));
    g_array_set_clear_func(m->fds, testCloseItem);
    file = g_file_open_tmp("vwmatrix-XXXXXX", &m->path, NULL);
    g_assert_cmpint(file, >=, 0);
    testMakeGroup(m);
    if (m->row->place)
        m->row->place(m);
    m->neighbour = testNewChild();
    testSetUp(&m->test, NULL);
    if (geteuid() == 0)
        (void)virNetDevSetUp("lo", false, NULL); /* of a namespace of our own */
    if (m->row->prepare)
        m->row->prepare(m);
    m->before = testState(m);
}

static void
testClose(testMatrix *m)
{
    g_autofree char *node = g_strdup_printf("%s/vwmatrix-%d", g_get_tmp_dir(), (int)m->test.child);

    if (m->row->finish)
        m->row->finish(m);
    testTearDown(&m->test, NULL);
    kill(m->neighbour, SIGKILL);
    waitpid(m->neighbour, NULL, 0);
    g_free(m->before);
    virPacketClear(&m->call);
    g_clear_error(&m->error);
    g_array_unref(m->fds);
    virArenaClear(&m->arena);
    (void)unlink(node); /* of node.create, if that was asked for */
    testRemoveGroup(m);
    (void)unlink(m->path);
    g_free(m->path);
}

static bool
testIsFor(const testMatrix *m, testColumnFor which)
{
    switch (which) {
    case COLUMN_FRONT:
        return m->front || m->row->blind;
    case COLUMN_ROOT:
        return geteuid() == 0;
    case COLUMN_GIVES:
        return m->front || !m->hook->gives[0];
    case COLUMN_ALL:
        break;
    }
    return true;
}

#ifdef TEST_ON_HOST
#define EVERY_CELL_HAS_ONE true
#else
#define EVERY_CELL_HAS_ONE false
#endif

/* False: it is not as the table says. */
static bool
testCell(const virXdrHook *hook, size_t column)
{
    testMatrix m;
    g_autofree char *outcome = NULL;
    const char *wanted;
    unsigned before, after;
    bool untouched = true;

    testSync(); /* the event thread has what it keeps */
    before = testCountFds();
    testOpen(&m, hook);
    wanted = testWanted(&m, column);
    if (testIsFor(&m, columns[column].which)) {
        outcome = columns[column].cell(&m);
        testNeighbour(&m);
        untouched = testIsUntouched(&m, column);
    }
    testClose(&m);
    after = testCountFds();
    g_test_message("%-14s %-24s %s%s%s", hook->name, columns[column].name,
                   outcome            ? outcome
                   : m.row->elsewhere ? m.row->elsewhere
                                      : "-",
                   before == after ? "" : ", descriptors leaked",
                   untouched ? "" : ", the guest touched");
    return before == after && untouched &&
           (outcome ? g_str_equal(outcome, wanted) : !EVERY_CELL_HAS_ONE);
}

static void
testHook(const void *opaque)
{
    const virXdrHook *hook = opaque;

    if (!testRowOf(hook)) {
        g_test_message("%s has no row: add how it is called and done to "
                       "src/delegate/virhandlerrows_test.c, or, if that takes a real kernel, to "
                       "tests/host/handler_rows.c (and a word in the former)",
                       hook->name);
        g_test_fail();
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
        if (!testCell(hook, i)) {
            g_test_message("%s: that is not as it should be: %s. %s", columns[i].name,
                           columns[i].outcome,
                           EVERY_CELL_HAS_ONE
                               ? "A cell without outcome wants a row in tests/host/handler_rows.c"
                               : "");
            g_test_fail();
        }
    }
}

static void
testAll(void)
{
    for (size_t i = 0; i < virXdrHooksCount; i++) {
        g_autofree char *name = g_strdup_printf("/virhandlermatrix/%s", virXdrHooks[i].name);

        g_test_add_data_func(name, &virXdrHooks[i], testHook);
    }
}

int
main(int argc, char **argv)
{
    int code;

    /* Interfaces are those of a namespace of our own; before the first thread. */
    if (geteuid() == 0 && unshare(CLONE_NEWNET) < 0)
        return 77;
#ifdef TEST_ON_HOST
    const char *reason = NULL;

    if (!testHostSetUp(&reason)) {
        printf("1..0 # SKIP %s\n", reason);
        return 77;
    }
#endif
    code = testMain(argc, argv, testAll);
#ifdef TEST_ON_HOST
    testHostTearDown();
#endif
    return code;
}
