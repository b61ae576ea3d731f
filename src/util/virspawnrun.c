/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virspawnrun.c: run a program to its end, both outputs in memory. One poll over the two pipes and
 * the pidfd, with one deadline. See virspawn.h. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "util/virerror.h"
#include "util/virspawn.h"
#include "util/virutil.h"

#define DEFAULT_MAX_OUTPUT (16u << 20)

/* One output that is being read. */
typedef struct {
    int fd;
    GString *text;
} virSpawnOutput;

typedef struct {
    const char *program;
    unsigned timeout_ms;
    size_t maxOutput;
    virSpawnResult child;
    virSpawnOutput outputs[2]; /* stdout, stderr */
} virSpawnRunning;

static void
virSpawnRunningClear(virSpawnRunning *run)
{
    virCloseFd(&run->child.pidfd);
    for (size_t i = 0; i < G_N_ELEMENTS(run->outputs); i++) {
        virCloseFd(&run->outputs[i].fd);
        if (run->outputs[i].text)
            g_string_free(g_steal_pointer(&run->outputs[i].text), TRUE);
    }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virSpawnRunning, virSpawnRunningClear)

/* Reads what is there; closes at the end. */
static bool
virSpawnOutputRead(virSpawnRunning *run, virSpawnOutput *output, GError **error)
{
    char chunk[16384];

    while (output->fd >= 0) {
        ssize_t n = read(output->fd, chunk, sizeof(chunk));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n < 0)
            return virErrorErrno(error, _("cannot read the output of '%s'"), run->program);
        if (n == 0) {
            virCloseFd(&output->fd);
            return true;
        }
        if (output->text->len + (size_t)n > run->maxOutput)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("'%s' printed more than %zu bytes"),
                               run->program, run->maxOutput);
        g_string_append_len(output->text, chunk, n);
    }
    return true;
}

/* Until the program has ended; what a child of its own may still print isn't waited for. */
static bool
virSpawnRunningWatch(virSpawnRunning *run, GError **error)
{
    gint64 deadline_us = g_get_monotonic_time() + (gint64)run->timeout_ms * 1000;
    bool ended = false;

    while (!ended) {
        struct pollfd wait[] = {{run->outputs[0].fd, POLLIN, 0},
                                {run->outputs[1].fd, POLLIN, 0},
                                {run->child.pidfd, POLLIN, 0}};
        gint64 left_us = deadline_us - g_get_monotonic_time();
        int ready = left_us <= 0 ? 0 : poll(wait, G_N_ELEMENTS(wait), (int)(left_us / 1000) + 1);

        if (ready < 0 && errno == EINTR)
            continue;
        if (ready < 0)
            return virErrorErrno(error, _("cannot wait for '%s'"), run->program);
        if (ready == 0)
            return virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT, _("'%s' didn't end within %.1f s"),
                               run->program, run->timeout_ms / 1000.0);
        ended = wait[2].revents != 0;
        for (size_t i = 0; i < G_N_ELEMENTS(run->outputs); i++) {
            if (!virSpawnOutputRead(run, &run->outputs[i], error))
                return false;
        }
    }
    return true;
}

static const char *
virSpawnLastLine(char *text)
{
    char *last;

    g_strchomp(text);
    last = strrchr(text, '\n');
    return last ? last + 1 : text;
}

static bool
virSpawnCheckStatus(virSpawnRunning *run, int status, GError **error)
{
    g_autofree char *ending = NULL;
    const char *last;

    if (status == 0)
        return true;
    ending = virSpawnStatusText(status);
    last = virSpawnLastLine(run->outputs[1].text->str);
    return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("'%s' failed: %s%s%s"), run->program,
                       ending, *last ? ": " : "", last);
}

static bool
virSpawnRunningStart(virSpawnRunning *run, const virSpawnRequest *request, GError **error)
{
    virSpawnRequest whole = *request;
    int ends[2][2] = {{-1, -1}, {-1, -1}};
    bool started;

    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        run->outputs[i].text = g_string_new(NULL);
        if (pipe2(ends[i], O_CLOEXEC) < 0) {
            virErrorErrno(error, _("cannot make a pipe to run '%s'"), run->program);
            virCloseFd(&ends[0][1]);
            return false;
        }
        run->outputs[i].fd = ends[i][0];
        (void)fcntl(ends[i][0], F_SETFL, O_NONBLOCK); /* our end only; can't fail on a pipe */
    }
    whole.stdoutFd = ends[0][1];
    whole.stderrFd = ends[1][1];
    started = virSpawn(&whole, &run->child, error);
    virCloseFd(&ends[0][1]);
    virCloseFd(&ends[1][1]);
    return started;
}

bool
virSpawnRun(const virSpawnRequest *request, unsigned timeout_ms, size_t max_output,
            char **retStdout, char **retStderr, int *retStatus, GError **error)
{
    g_auto(virSpawnRunning) run = {
        .program = request->argv ? request->argv[0] : "",
        .timeout_ms = timeout_ms,
        .maxOutput = max_output ? max_output : DEFAULT_MAX_OUTPUT,
        .child = {-1, -1},
        .outputs = {{-1, NULL}, {-1, NULL}},
    };
    bool watched;
    int status = 0;

    if (!virSpawnRunningStart(&run, request, error))
        return false;
    watched = virSpawnRunningWatch(&run, error);
    if (!watched)
        (void)pidfd_send_signal(run.child.pidfd, SIGKILL, NULL, 0); /* ours, not yet reaped */
    if (!virSpawnReap(run.child.pidfd, &status, watched ? error : NULL) || !watched)
        return false;
    if (retStatus)
        *retStatus = status;
    else if (!virSpawnCheckStatus(&run, status, error))
        return false;
    if (retStdout)
        *retStdout = g_string_free(g_steal_pointer(&run.outputs[0].text), FALSE);
    if (retStderr)
        *retStderr = g_string_free(g_steal_pointer(&run.outputs[1].text), FALSE);
    return true;
}
