/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpagent.c: connect, get in step, ask, read one line, hang up. */
#include "qmp/qmpagent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virsecure.h"

enum {
    AGENT_LINE_MAX = 16 * 1024 * 1024, /* files are read in pieces: no answer is larger */
    AGENT_SYNC_MS = 5000,              /* an agent that runs is in step at once */
    AGENT_CHUNK = 4096,
    AGENT_MARK = 0xff, /* begins what guest-sync-delimited answers; no JSON holds it */
};

typedef struct {
    int fd, cancelled;
    gint64 deadline_us; /* -1: none */
    GByteArray *read;   /* not yet taken */
    bool ended;
} qmpAgent;

/* --- the socket --- */

/* The path is the guest's user's: a link there must not lead us elsewhere. */
static int
qmpAgentConnect(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    VIR_AUTOCLOSE at = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    VIR_AUTOCLOSE fd = -1;
    struct stat st;

    if (at < 0 || fstat(at, &st) < 0 || !S_ISSOCK(st.st_mode)) {
        virErrorSet(error, VIR_ERR_AGENT_UNRESPONSIVE, _("no socket of the guest agent at %s"),
                    path);
        return -1;
    }
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", at);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        virErrorErrno(error, _("cannot connect to the guest agent at %s"), path);
        return -1;
    }
    return g_steal_fd(&fd);
}

/* --- bytes --- */

static bool
qmpAgentLate(GError **error)
{
    return virErrorSet(error, VIR_ERR_AGENT_UNRESPONSIVE, "%s",
                       _("Guest agent not available for now"));
}

/* Waits until the socket is ready; false when time is up or the guest is gone. */
static bool
qmpAgentWait(qmpAgent *agent, short events, GError **error)
{
    struct pollfd fds[2] = {{.fd = agent->fd, .events = events},
                            {.fd = agent->cancelled, .events = POLLIN}};
    gint64 left_ms = -1;
    int ready;

    do {
        if (agent->deadline_us >= 0)
            left_ms = MAX(0, (agent->deadline_us - g_get_monotonic_time() + 999) / 1000);
        ready = poll(fds, 2, (int)left_ms);
    } while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return qmpAgentLate(error);
    if (ready < 0)
        return virErrorErrno(error, "%s", _("cannot wait for the guest agent"));
    if (fds[1].revents && !fds[0].revents)
        agent->ended = true;
    return true;
}

static bool
qmpAgentWrite(qmpAgent *agent, const char *text, GError **error)
{
    size_t len = strlen(text);

    while (len > 0 && !agent->ended) {
        ssize_t sent = send(agent->fd, text, len, MSG_NOSIGNAL);

        if (sent >= 0) {
            text += sent;
            len -= (size_t)sent;
        } else if (errno == EAGAIN) {
            if (!qmpAgentWait(agent, POLLOUT, error))
                return false;
        } else if (errno != EINTR) {
            agent->ended = true;
        }
    }
    return true;
}

/* More bytes, or ended. */
static bool
qmpAgentFill(qmpAgent *agent, GError **error)
{
    uint8_t bytes[AGENT_CHUNK];
    ssize_t n;

    if (!qmpAgentWait(agent, POLLIN, error))
        return false;
    if (agent->ended)
        return true;
    n = recv(agent->fd, bytes, sizeof(bytes), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0) {
        agent->ended = true;
        return true;
    }
    if (agent->read->len + (size_t)n > AGENT_LINE_MAX)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("the guest agent's answer is larger than %d bytes"), AGENT_LINE_MAX);
    g_byte_array_append(agent->read, bytes, (guint)n);
    return true;
}

/* Up to the next such byte, which is taken too; NULL with agent->ended, or with the error set. */
static char *
qmpAgentReadTo(qmpAgent *agent, uint8_t end, GError **error)
{
    guint seen = 0;

    while (!agent->ended) {
        for (; seen < agent->read->len; seen++) {
            char *text;

            if (agent->read->data[seen] != end)
                continue;
            text = g_strndup((const char *)agent->read->data, seen);
            g_byte_array_remove_range(agent->read, 0, seen + 1);
            return text;
        }
        if (!qmpAgentFill(agent, error))
            return NULL;
    }
    return NULL;
}

/* --- the talk --- */

/* Throws away what is on its way of earlier talks. The mark in front ends whatever the agent still
 * takes for the beginning of a command. */
static bool
qmpAgentSync(qmpAgent *agent, GError **error)
{
    uint64_t id = g_random_int();
    g_autofree char *text = g_strdup_printf(
        "%c{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":%" G_GUINT64_FORMAT "}}\n",
        AGENT_MARK, id);

    if (!qmpAgentWrite(agent, text, error))
        return false;
    while (!agent->ended) {
        g_autofree char *before = qmpAgentReadTo(agent, AGENT_MARK, error);
        g_autofree char *line = before ? qmpAgentReadTo(agent, '\n', error) : NULL;
        g_autoptr(virJSON) reply = line ? virJSONParse(line, -1, NULL) : NULL;
        uint64_t told;

        if (reply && virJSONGetUInt(reply, "return", &told) && told == id)
            return true;
        if (!line && !agent->ended)
            return false;
    }
    return qmpAgentLate(error);
}

static bool
qmpAgentTalk(qmpAgent *agent, const char *question, gint64 deadline_us, virJSON **retReply,
             GError **error)
{
    g_autofree char *line = NULL;

    agent->deadline_us = g_get_monotonic_time() + AGENT_SYNC_MS * G_TIME_SPAN_MILLISECOND;
    if (deadline_us >= 0)
        agent->deadline_us = MIN(agent->deadline_us, deadline_us);
    if (!qmpAgentSync(agent, error))
        return false;
    agent->deadline_us = deadline_us;
    if (!qmpAgentWrite(agent, question, error) || !qmpAgentWrite(agent, "\n", error))
        return false;
    line = qmpAgentReadTo(agent, '\n', error);
    if (!line)
        return agent->ended;
    *retReply = virJSONParse(line, -1, error);
    return *retReply != NULL;
}

bool
qmpAgentAsk(const char *path, virJSON *question, qmpAgentTimeout timeout_ms, int cancelled,
            virJSON **retReply, GError **error)
{
    VIR_AUTOCLOSE fd = qmpAgentConnect(path, error);
    qmpAgent agent = {.fd = fd, .cancelled = cancelled};
    gint64 deadline_us =
        timeout_ms < 0 ? -1 : g_get_monotonic_time() + timeout_ms * G_TIME_SPAN_MILLISECOND;
    char *text;
    bool ok;

    *retReply = NULL;
    if (fd < 0)
        return false;
    agent.read = g_byte_array_new();
    text = virJSONPrint(question);
    ok = qmpAgentTalk(&agent, text, deadline_us, retReply, error);
    virSecureFreeString(text); /* it may set a password */
    g_byte_array_unref(agent.read);
    return ok;
}
