/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpagent_test.c: talks with agents that answer, lag behind, refuse, say nothing, hang up. */
#include "qmp/qmpagent.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virfile.h"

/* What a made-up agent does with one connection. */
typedef struct {
    char *folder, *path;
    int listener;
    GThread *thread;
    const char *before; /* sent before the answer to the sync, as left over */
    const char *answer; /* to the question; NULL: hangs up */
    bool deaf;          /* reads and says nothing */
    char *heard;        /* the question */
} testAgent;

static char *
testReadLine(int fd)
{
    GString *line = g_string_new(NULL);
    char c;

    while (read(fd, &c, 1) == 1 && c != '\n')
        g_string_append_c(line, c);
    return g_string_free(line, FALSE);
}

static void
testSay(int fd, const char *text)
{
    g_assert_cmpint(write(fd, text, strlen(text)), ==, (ssize_t)strlen(text));
}

static void *
testAgentRun(void *opaque)
{
    testAgent *agent = opaque;
    VIR_AUTOCLOSE fd = accept(agent->listener, NULL, NULL);
    g_autofree char *sync = testReadLine(fd);
    g_autofree char *answer = NULL;
    const char *id = strstr(sync, "\"id\":");

    if (agent->deaf) {
        g_free(testReadLine(fd)); /* until the other side gives up */
        return NULL;
    }
    g_assert_cmpint((unsigned char)sync[0], ==, 0xff);
    g_assert_nonnull(id);
    if (agent->before)
        testSay(fd, agent->before);
    answer = g_strdup_printf("\xff{\"return\": %" G_GUINT64_FORMAT "}\n",
                             g_ascii_strtoull(id + strlen("\"id\":"), NULL, 10));
    testSay(fd, answer);
    agent->heard = testReadLine(fd);
    if (agent->answer)
        testSay(fd, agent->answer);
    return NULL;
}

static void
testAgentStart(testAgent *agent)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    agent->folder = g_dir_make_tmp("qmpagent-XXXXXX", NULL);
    agent->path = g_build_filename(agent->folder, "socket", NULL);
    g_strlcpy(address.sun_path, agent->path, sizeof(address.sun_path));
    agent->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_no_errno(bind(agent->listener, (struct sockaddr *)&address, sizeof(address)));
    g_assert_no_errno(listen(agent->listener, 1));
    agent->thread = g_thread_new("agent", testAgentRun, agent);
}

static void
testAgentEnd(testAgent *agent)
{
    g_thread_join(agent->thread);
    virCloseFd(&agent->listener);
    g_assert_no_errno(g_unlink(agent->path));
    g_assert_no_errno(g_rmdir(agent->folder));
    g_free(agent->path);
    g_free(agent->folder);
    g_free(agent->heard);
}

/* One question; the reply's text, or NULL. */
static char *
testAsk(testAgent *agent, int timeout_ms, GError **error)
{
    g_autoptr(virJSON) question = virJSONParse("{\"execute\":\"guest-ping\"}", -1, NULL);
    g_autoptr(virJSON) reply = NULL;

    testAgentStart(agent);
    if (!qmpAgentAsk(agent->path, question, timeout_ms, -1, &reply, error))
        return NULL;
    return reply ? virJSONPrint(reply) : g_strdup("");
}

static void
testAnAnswerComesBack(void)
{
    testAgent agent = {.answer = "{\"return\": {\"a\": 1}}\n"};
    g_autoptr(GError) error = NULL;
    g_autofree char *reply = testAsk(&agent, 10000, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(reply, ==, "{\"return\":{\"a\":1}}");
    g_assert_cmpstr(agent.heard, ==, "{\"execute\":\"guest-ping\"}");
    testAgentEnd(&agent);
}

static void
testWhatEarlierTalksLeftIsPassedOver(void)
{
    testAgent agent = {.before = "{\"return\": \"old\"}\n\xff{\"return\": 7}\n",
                       .answer = "{\"return\": \"new\"}\n"};
    g_autoptr(GError) error = NULL;
    g_autofree char *reply = testAsk(&agent, 10000, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(reply, ==, "{\"return\":\"new\"}");
    testAgentEnd(&agent);
}

static void
testARefusalIsAnAnswer(void)
{
    testAgent agent = {.answer =
                           "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no\"}}\n"};
    g_autoptr(GError) error = NULL;
    g_autofree char *reply = testAsk(&agent, 10000, &error);

    g_assert_no_error(error);
    g_assert_nonnull(strstr(reply, "CommandNotFound"));
    testAgentEnd(&agent);
}

static void
testHangingUpInsteadOfAnsweringIsNoError(void)
{
    testAgent agent = {.answer = NULL};
    g_autoptr(GError) error = NULL;
    g_autofree char *reply = testAsk(&agent, 10000, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(reply, ==, "");
    testAgentEnd(&agent);
}

static void
testSilenceEndsAtTheDeadline(void)
{
    testAgent agent = {.deaf = true};
    g_autoptr(GError) error = NULL;
    gint64 begin = g_get_monotonic_time();

    g_assert_null(testAsk(&agent, 200, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_AGENT_UNRESPONSIVE));
    g_assert_cmpint(g_get_monotonic_time() - begin, >=, 190 * G_TIME_SPAN_MILLISECOND);
    testAgentEnd(&agent);
}

static void
testWhatIsNoJSONIsRefused(void)
{
    testAgent agent = {.answer = "hello\n"};
    g_autoptr(GError) error = NULL;

    g_assert_null(testAsk(&agent, 10000, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_INTERNAL_ERROR));
    testAgentEnd(&agent);
}

static void
testOnlyASocketIsSpokenTo(void)
{
    g_autofree char *folder = g_dir_make_tmp("qmpagent-XXXXXX", NULL);
    g_autofree char *link = g_build_filename(folder, "link", NULL);
    g_autoptr(virJSON) question = virJSONObject();
    g_autoptr(virJSON) reply = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_no_errno(symlink("/run/dbus/system_bus_socket", link));
    g_assert_false(qmpAgentAsk(link, question, 1000, -1, &reply, &error));
    g_assert_true(virErrorIs(error, VIR_ERR_AGENT_UNRESPONSIVE));
    g_assert_no_errno(g_unlink(link));
    g_assert_no_errno(g_rmdir(folder));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmpagent/an answer comes back", testAnAnswerComesBack);
    g_test_add_func("/qmpagent/what earlier talks left is passed over",
                    testWhatEarlierTalksLeftIsPassedOver);
    g_test_add_func("/qmpagent/a refusal is an answer", testARefusalIsAnAnswer);
    g_test_add_func("/qmpagent/hanging up instead of answering is no error",
                    testHangingUpInsteadOfAnsweringIsNoError);
    g_test_add_func("/qmpagent/silence ends at the deadline", testSilenceEndsAtTheDeadline);
    g_test_add_func("/qmpagent/what is no JSON is refused", testWhatIsNoJSONIsRefused);
    g_test_add_func("/qmpagent/only a socket is spoken to", testOnlyASocketIsSpokenTo);
    return g_test_run();
}
