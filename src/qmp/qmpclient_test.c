/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpclient_test.c: a client on one end of a socket pair, the test as QEMU on the other. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "qmp/qmpcapsprobe.h"
#include "qmp/qmpclient.h"
#include "qmp/qmpinput.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virevent.h"
#include "util/virfile.h"

enum { PATIENCE_MS = 10000, IMPATIENCE_MS = 50 };

#define GREETING                                                                                   \
    "{\"QMP\":{\"version\":{\"qemu\":{\"micro\":3,\"minor\":2,\"major\":7},\"package\":\"\"},"     \
    "\"capabilities\":[\"oob\"]}}\r\n"

/* What the callbacks saw, under the core lock. */
typedef struct {
    GString *events;
    unsigned closed;
    GCond changed;
} testSeen;

typedef struct {
    int fd; /* QEMU's end */
    qmpClient *client;
    testSeen seen;
} testPair;

static void
testOnEvent(qmpClient *client, const char *name, virJSON *data, int64_t seconds, int64_t micros,
            void *opaque)
{
    testSeen *seen = opaque;
    g_autofree char *text = data ? virJSONPrint(data) : g_strdup("-");

    (void)client;
    g_assert_true(virCoreIsHeld());
    g_assert_true(virEventIsLoopThread());
    g_string_append_printf(seen->events, "%s %s %d.%d;", name, text, (int)seconds, (int)micros);
    g_cond_broadcast(&seen->changed);
}

static void
testOnClosed(qmpClient *client, const GError *reason, void *opaque)
{
    testSeen *seen = opaque;

    g_assert_false(qmpClientIsOpen(client));
    g_assert_nonnull(reason);
    seen->closed++;
    g_cond_broadcast(&seen->changed);
}

static const qmpClientCallbacks callbacks = {testOnEvent, testOnClosed};

/* QEMU's side */

static void
testSay(const testPair *pair, const char *text)
{
    g_assert_true(virFileWriteAll(pair->fd, text, strlen(text)));
}

/* The next line from the client; a descriptor that came with it goes to *retFd. */
static char *
testHear(const testPair *pair, int *retFd)
{
    g_autoptr(GString) line = g_string_new(NULL);
    char c = '\0';

    while (c != '\n') {
        char control[CMSG_SPACE(sizeof(int))];
        struct iovec part = {&c, 1};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof(control)};
        struct cmsghdr *header;

        g_assert_cmpint(recvmsg(pair->fd, &message, 0), ==, 1);
        header = CMSG_FIRSTHDR(&message);
        if (header && retFd)
            memcpy(retFd, CMSG_DATA(header), sizeof(int));
        g_string_append_c(line, c);
    }
    return g_string_free(g_steal_pointer(&line), false);
}

static void
testExpect(const testPair *pair, const char *wanted)
{
    g_autofree char *line = testHear(pair, NULL);

    g_assert_cmpstr(line, ==, wanted);
}

/* Setting up */

static void
testOpen(testPair *pair)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    pair->fd = fds[1];
    pair->seen.events = g_string_new(NULL);
    pair->seen.closed = 0;
    g_cond_init(&pair->seen.changed);
    {
        VIR_CORE_GUARD;
        pair->client = qmpClientNew(fds[0], &callbacks, &pair->seen, NULL);
    }
    g_assert_nonnull(pair->client);
    testExpect(pair, "{\"execute\":\"qmp_capabilities\"}\n");
}

static void
testGreet(testPair *pair)
{
    g_autoptr(GError) error = NULL;
    bool ready;

    testSay(pair, GREETING "{\"return\":{},\"id\":1}\r\n");
    {
        VIR_CORE_GUARD;
        ready = qmpClientWaitReady(pair->client, PATIENCE_MS, &error);
    }
    g_assert_no_error(error);
    g_assert_true(ready);
}

static void
testShut(testPair *pair)
{
    {
        VIR_CORE_GUARD;
        qmpClientClose(pair->client);
    }
    qmpClientUnref(pair->client);
    g_string_free(pair->seen.events, true);
    virCloseFd(&pair->fd);
}

static qmpRequest *
testSend(testPair *pair, const char *command, virJSON *arguments)
{
    VIR_CORE_GUARD;

    return qmpClientSend(pair->client, command, arguments);
}

/* The answer as text, or NULL with the error; the request is given back. */
static char *
testWait(qmpRequest *request, unsigned timeout_ms, qmpErrorClass *retClass, GError **error)
{
    virJSON *value = NULL;
    char *text = NULL;
    VIR_CORE_GUARD;

    if (qmpRequestWait(request, timeout_ms, &value, error))
        text = virJSONPrint(value);
    if (retClass)
        *retClass = qmpRequestErrorClass(request);
    virJSONUnref(value);
    qmpRequestFree(request);
    return text;
}

static void
testWaitClosed(testPair *pair)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE_MS * 1000;
    VIR_CORE_GUARD;

    while (pair->seen.closed == 0)
        g_assert_true(virCoreWait(&pair->seen.changed, deadline));
}

/* The tests */

static void
testNegotiates(void)
{
    testPair pair;

    testOpen(&pair);
    testGreet(&pair);
    g_assert_cmpuint(qmpClientVersion(pair.client), ==, 7002003);
    testShut(&pair);
}

static void
testMatchesAnswers(void)
{
    testPair pair;
    virJSON *arguments = virJSONObject();
    qmpRequest *first, *second;
    g_autofree char *one = NULL;
    g_autofree char *two = NULL;

    testOpen(&pair);
    virJSONAddString(arguments, "id", "a\"b");
    first = testSend(&pair, "query-status", NULL);
    second = testSend(&pair, "device_del", arguments);
    testGreet(&pair);
    testExpect(&pair, "{\"execute\":\"query-status\",\"id\":2}\n");
    testExpect(&pair, "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"a\\\"b\"},"
                      "\"id\":3}\n");
    testSay(&pair, "{\"return\":2,\"id\":3}\n{\"return\":{\"x\":1},");
    testSay(&pair, "\"id\":2}\n");
    one = testWait(first, PATIENCE_MS, NULL, NULL);
    two = testWait(second, PATIENCE_MS, NULL, NULL);
    g_assert_cmpstr(one, ==, "{\"x\":1}");
    g_assert_cmpstr(two, ==, "2");
    testShut(&pair);
}

static void
testTellsRefusals(void)
{
    testPair pair;
    qmpErrorClass class;
    qmpRequest *request;
    g_autoptr(GError) error = NULL;

    testOpen(&pair);
    testGreet(&pair);
    request = testSend(&pair, "x", NULL);
    testSay(&pair,
            "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"The command x has not been "
            "found\"},\"id\":2}\n");
    g_assert_null(testWait(request, PATIENCE_MS, &class, &error));
    g_assert_cmpint(class, ==, QMP_ERROR_COMMAND_NOT_FOUND);
    g_assert_true(virErrorIs(error, VIR_ERR_INTERNAL_ERROR));
    g_assert_cmpstr(error->message, ==,
                    "unable to execute QEMU command 'x': The command x has not been found");
    testShut(&pair);
}

static void
testKeepsTheWholeReply(void)
{
    testPair pair;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_autofree char *command = g_strdup("x");
    qmpRequest *request;

    testOpen(&pair);
    testGreet(&pair);
    request = testSend(&pair, command, NULL);
    memset(command, '?', strlen(command)); /* the request has its own copy */
    testSay(&pair, "{\"error\":{\"class\":\"GenericError\"},\"id\":2}\n");
    {
        VIR_CORE_GUARD;
        g_assert_false(qmpRequestWait(request, PATIENCE_MS, NULL, &error));
        text = virJSONPrint(qmpRequestReply(request));
        qmpRequestFree(request);
    }
    g_assert_cmpstr(text, ==, "{\"error\":{\"class\":\"GenericError\"},\"id\":2}");
    g_assert_cmpstr(error->message, ==, "unable to execute QEMU command 'x': GenericError");
    testShut(&pair);
}

static void
testGivesUpAndDropsLateAnswers(void)
{
    testPair pair;
    qmpErrorClass class;
    qmpRequest *request;
    g_autoptr(GError) error = NULL;
    g_autofree char *next = NULL;

    testOpen(&pair);
    testGreet(&pair);
    g_assert_null(testWait(testSend(&pair, "stop", NULL), IMPATIENCE_MS, &class, &error));
    g_assert_cmpint(class, ==, QMP_ERROR_NONE);
    g_assert_true(virErrorIs(error, VIR_ERR_OPERATION_TIMEOUT));
    g_assert_nonnull(strstr(error->message, "'stop' within 0.1 seconds"));
    request = testSend(&pair, "cont", NULL);
    testSay(&pair, "{\"return\":1}\n{\"return\":2,\"id\":3}\n");
    next = testWait(request, PATIENCE_MS, NULL, NULL);
    g_assert_cmpstr(next, ==, "2");
    testShut(&pair);
}

static void
testPassesEventsOn(void)
{
    testPair pair;
    qmpRequest *request;
    g_autofree char *answer = NULL;

    testOpen(&pair);
    testGreet(&pair);
    request = testSend(&pair, "stop", NULL);
    testSay(&pair, "{\"timestamp\":{\"seconds\":7,\"microseconds\":8},\"event\":\"STOP\"}\r\n"
                   "{\"event\":\"RESET\",\"data\":{\"guest\":true}}\r\n"
                   "{\"return\":0,\"id\":2}\r\n");
    answer = testWait(request, PATIENCE_MS, NULL, NULL);
    g_assert_cmpstr(answer, ==, "0");
    g_assert_cmpstr(pair.seen.events->str, ==, "STOP - 7.8;RESET {\"guest\":true} 0.0;");
    testShut(&pair);
}

static void
testPassesDescriptors(void)
{
    testPair pair;
    VIR_AUTOCLOSE passed = -1;
    g_autofree char *line = NULL;
    VIR_AUTOCLOSE null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int given = fcntl(null, F_DUPFD_CLOEXEC, 500); /* a number that nothing else gets meanwhile */
    qmpRequest *request;

    testOpen(&pair);
    testGreet(&pair);
    {
        VIR_CORE_GUARD;
        request = qmpClientSendFull(pair.client, "getfd", NULL, given, 0);
    }
    line = testHear(&pair, &passed);
    g_assert_cmpstr(line, ==, "{\"execute\":\"getfd\"}\n");
    g_assert_cmpint(passed, >=, 0);
    g_assert_cmpint(fcntl(given, F_GETFD), ==, -1); /* ours is closed */
    testSay(&pair, "{\"return\":{},\"id\":2}\n");
    g_free(testWait(request, PATIENCE_MS, NULL, NULL));
    testShut(&pair);
}

static void
testOverwritesSecrets(void)
{
    testPair pair;
    virJSON *arguments = virJSONObject();
    virJSON *secret;
    g_autofree char *line = NULL;

    testOpen(&pair);
    testGreet(&pair);
    virJSONAddString(arguments, "data", "passw0rd");
    secret = json_object_get(virJSONGet(arguments, "data"));
    {
        VIR_CORE_GUARD;
        qmpRequestFree(
            qmpClientSendFull(pair.client, "object-add", arguments, -1, QMP_SEND_SECRET));
    }
    g_assert_null(strstr(json_object_get_string(secret), "passw0rd"));
    virJSONUnref(secret);
    line = testHear(&pair, NULL);
    g_assert_nonnull(strstr(line, "passw0rd"));
    testShut(&pair);
}

static void
testFailsAllWhenQemuEnds(void)
{
    testPair pair;
    qmpRequest *request;
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) later = NULL;

    testOpen(&pair);
    testGreet(&pair);
    request = testSend(&pair, "query-status", NULL);
    testExpect(&pair, "{\"execute\":\"query-status\"}\n");
    virCloseFd(&pair.fd);
    g_assert_null(testWait(request, PATIENCE_MS, NULL, &error));
    g_assert_cmpstr(error->message, ==, "End of file from qemu monitor");
    testWaitClosed(&pair);
    g_assert_null(testWait(testSend(&pair, "stop", NULL), 0, NULL, &later));
    g_assert_cmpstr(later->message, ==, error->message);
    testShut(&pair);
    g_assert_cmpuint(pair.seen.closed, ==, 1);
}

static void
testClosesWithoutACall(void)
{
    testPair pair;
    qmpRequest *request;
    g_autoptr(GError) error = NULL;

    testOpen(&pair);
    testGreet(&pair);
    request = testSend(&pair, "query-status", NULL);
    testShut(&pair);
    g_assert_null(testWait(request, 0, NULL, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_OPERATION_INVALID));
    g_assert_cmpuint(pair.seen.closed, ==, 0);
}

/* What ends a connection, given after the greeting (or in its place). */
static void
testEndsConnection(const char *text, bool greet)
{
    testPair pair;

    testOpen(&pair);
    if (greet)
        testGreet(&pair);
    (void)send(pair.fd, text, strlen(text), MSG_NOSIGNAL); /* the client may hang up before all */
    testWaitClosed(&pair);
    testShut(&pair);
}

static void
testRefusesStrangers(void)
{
    testEndsConnection("{\"return\":{}}\n", false);
    testEndsConnection("SSH-2.0-OpenSSH_9.2\n", false);
    testEndsConnection("[1]\n", true);
    testEndsConnection("{\"neither\":1}\n", true);
    testEndsConnection("{\"event\":\"STOP\",}\n", true);
    testEndsConnection(GREETING "{\"error\":{},\"id\":1}\n", false);
}

static void
testRefusesHugeMessages(void)
{
    g_autoptr(GString) values = g_string_new("{\"return\":[");
    g_autofree char *bytes = g_strnfill(QMP_MESSAGE_MAX + 1000, ' ');

    for (int i = 0; i < QMP_MESSAGE_VALUES_MAX + 10; i++)
        g_string_append(values, "1,");
    g_string_append(values, "1]}\n");
    testEndsConnection(values->str, true);
    testEndsConnection(bytes, true);
}

static void *
testHearInThread(void *opaque)
{
    return testHear(opaque, NULL);
}

static void
testSendsMoreThanASocketTakes(void)
{
    testPair pair;
    virJSON *arguments = virJSONObject();
    g_autofree char *text = g_strnfill(2 * 1024 * 1024, 'x');
    g_autofree char *line = NULL;
    qmpRequest *request;
    GThread *qemu;

    testOpen(&pair);
    testGreet(&pair);
    virJSONAddString(arguments, "data", text);
    request = testSend(&pair, "chardev-add", arguments);
    qemu = g_thread_new("qemu", testHearInThread, &pair);
    line = g_thread_join(qemu);
    g_assert_cmpuint(strlen(line), >, 2 * 1024 * 1024);
    testSay(&pair, "{\"return\":{},\"id\":2}\n");
    g_free(testWait(request, PATIENCE_MS, NULL, NULL));
    testShut(&pair);
}

static void
testStopsSendingToAHungQemu(void)
{
    testPair pair;
    g_autoptr(GError) error = NULL;
    unsigned sent = 0;

    testOpen(&pair);
    testGreet(&pair);
    while (!error && sent++ < 100000) {
        qmpRequest *request = testSend(&pair, "query-block", NULL);
        VIR_CORE_GUARD;

        if (qmpRequestIsDone(request))
            (void)qmpRequestWait(request, 0, NULL, &error);
        qmpRequestFree(request);
    }
    g_assert_true(virErrorIs(error, VIR_ERR_OPERATION_TIMEOUT));
    testShut(&pair);
}

static void *
testProbeInThread(void *opaque)
{
    testPair *pair = opaque;
    g_autoptr(qmpClientTransport) transport = qmpClientTransportNew(pair->client, PATIENCE_MS);
    qmpTransport *base = qmpClientTransportBase(transport);
    const qmpQuestion questions[] = {{"query-version", NULL}, {"device-list-properties", "VGA"}};
    g_autoptr(virJSON) arguments = virJSONObject();
    virJSON *value = NULL;
    qmpErrorClass class = QMP_ERROR_NONE;

    virJSONAddString(arguments, "typename", "VGA");
    g_assert_true(base->announce(base, questions, G_N_ELEMENTS(questions), NULL));
    g_assert_true(base->call(base, "query-version", NULL, &value, &class, NULL));
    g_assert_nonnull(value);
    virJSONUnref(value);
    g_assert_true(base->call(base, "device-list-properties", arguments, &value, &class, NULL));
    g_assert_null(value);
    g_assert_cmpint(class, ==, QMP_ERROR_DEVICE_NOT_FOUND);
    return NULL;
}

static void
testAsksAheadForTheProber(void)
{
    testPair pair;
    GThread *prober;

    testOpen(&pair);
    testGreet(&pair);
    prober = g_thread_new("prober", testProbeInThread, &pair);
    /* both are there before the first is answered */
    testExpect(&pair, "{\"execute\":\"query-version\"}\n");
    testExpect(&pair,
               "{\"execute\":\"device-list-properties\",\"arguments\":{\"typename\":\"VGA\"},"
               "\"id\":3}\n");
    testSay(&pair, "{\"return\":{},\"id\":2}\n{\"error\":{\"class\":\"DeviceNotFound\","
                   "\"desc\":\"\"},\"id\":3}\n");
    g_thread_join(prober);
    testShut(&pair);
}

static void *
testLoop(void *opaque G_GNUC_UNUSED)
{
    virEventRun();
    return NULL;
}

int
main(int argc, char **argv)
{
    GThread *loop;
    int status;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(virEventInit(NULL));
    loop = g_thread_new("loop", testLoop, NULL);
    g_test_add_func("/qmpclient/it negotiates and learns the version", testNegotiates);
    g_test_add_func("/qmpclient/answers find their requests in any order", testMatchesAnswers);
    g_test_add_func("/qmpclient/a refusal is worded as clients know it", testTellsRefusals);
    g_test_add_func("/qmpclient/the whole reply can be passed on", testKeepsTheWholeReply);
    g_test_add_func("/qmpclient/a late answer is dropped", testGivesUpAndDropsLateAnswers);
    g_test_add_func("/qmpclient/events come under the lock", testPassesEventsOn);
    g_test_add_func("/qmpclient/descriptors go with their command", testPassesDescriptors);
    g_test_add_func("/qmpclient/arguments with a secret are overwritten", testOverwritesSecrets);
    g_test_add_func("/qmpclient/all requests fail when QEMU ends", testFailsAllWhenQemuEnds);
    g_test_add_func("/qmpclient/closing calls nobody", testClosesWithoutACall);
    g_test_add_func("/qmpclient/strangers are refused", testRefusesStrangers);
    g_test_add_func("/qmpclient/huge messages are refused", testRefusesHugeMessages);
    g_test_add_func("/qmpclient/more is sent than a socket takes", testSendsMoreThanASocketTakes);
    g_test_add_func("/qmpclient/a hung QEMU gets no more commands", testStopsSendingToAHungQemu);
    g_test_add_func("/qmpclient/the prober's questions are sent ahead", testAsksAheadForTheProber);
    status = g_test_run();
    virEventQuit();
    g_thread_join(loop);
    return status;
}
