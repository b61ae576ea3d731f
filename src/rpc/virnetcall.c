/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetcall.c: the life of a call. */
#include "rpc/virnetcall.h"

#include <unistd.h>

#include "rpc/virnetpriv.h"
#include "rpc/virnetstreampriv.h"
#include "util/virlog.h"
#include "util/virutil.h"

virNetCall *
virNetCallNew(virNetServerClient *client, const virNetProgram *program,
              const virNetProcedure *procedure, const virNetHeader *header)
{
    virNetCall *call = g_new(virNetCall, 1);

    *call = (virNetCall){.client = virNetServerClientRef(client),
                         .program = program,
                         .procedure = procedure,
                         .header = *header};
    virArenaInit(&call->arena);
    return call;
}

void
virNetCallFree(virNetCall *call)
{
    if (!call)
        return;
    for (size_t i = 0; i < call->fdCount; i++)
        virCloseFd(&call->fds[i]);
    for (guint i = 0; call->replyFds && i < call->replyFds->len; i++)
        virCloseFd(&g_array_index(call->replyFds, int, i));
    g_clear_pointer(&call->replyFds, g_array_unref);
    g_free(call->fds);
    if (call->stream)
        virNetStreamDiscard(call->stream);
    virArenaClear(&call->arena);
    virNetServerClientUnref(call->client);
    g_free(call);
}

static void
callSendError(virNetCall *call, const GError *error)
{
    virNetOutputQueue(call->client,
                      virNetMessageNewError(&call->header, RPC_MESSAGE_TYPE_REPLY, error));
}

/* The reply, or an error in its place if it is beyond a limit. */
static void
callSendReply(virNetCall *call)
{
    g_autoptr(GError) error = NULL;
    size_t fdCount = call->replyFds ? call->replyFds->len : 0;
    const int *fds = fdCount ? (int *)(void *)call->replyFds->data : NULL;
    virNetMessage *reply =
        virNetMessageNewReply(&call->header, call->procedure->ret, call->ret, fds, fdCount, &error);

    if (call->replyFds)
        g_array_set_size(call->replyFds, 0); /* taken over, also on failure */
    if (!reply) {
        VIR_WARN("%s: %s", call->procedure->name, error->message);
        callSendError(call, error);
    } else if (call->stream) {
        virNetStreamOpen(g_steal_pointer(&call->stream), reply);
    } else {
        virNetOutputQueue(call->client, reply);
    }
}

void
virNetCallAnswer(virNetCall *call, bool ok, const GError *error)
{
    if (!ok) {
        callSendError(call, error);
        return;
    }
    if (call->closeAfterwards) {
        g_mutex_lock(&call->client->mutex);
        call->client->closeAfterOutput = true;
        g_mutex_unlock(&call->client->mutex);
    }
    callSendReply(call);
}

void *
virNetCallAlloc(virNetCall *call, size_t size)
{
    return virArenaAlloc(&call->arena, size);
}

void *
virNetCallAllocMany(virNetCall *call, size_t n, size_t size)
{
    return virArenaAllocMany(&call->arena, n, size);
}

char *
virNetCallStrdup(virNetCall *call, const char *text)
{
    return virArenaStrdup(&call->arena, text);
}

virArena *
virNetCallArena(virNetCall *call)
{
    return &call->arena;
}

virNetServerClient *
virNetCallClient(virNetCall *call)
{
    return call->client;
}

const virNetProcedure *
virNetCallProcedure(virNetCall *call)
{
    return call->procedure;
}

const virNetProgram *
virNetCallProgram(virNetCall *call)
{
    return call->program;
}

const virNetHeader *
virNetCallHeader(virNetCall *call)
{
    return &call->header;
}

size_t
virNetCallFdCount(virNetCall *call)
{
    return call->fdCount;
}

int
virNetCallPeekFd(virNetCall *call, size_t index)
{
    return index < call->fdCount ? call->fds[index] : -1;
}

int
virNetCallStealFd(virNetCall *call, size_t index)
{
    return index < call->fdCount ? g_steal_fd(&call->fds[index]) : -1;
}

void
virNetCallAddFd(virNetCall *call, int fd)
{
    g_assert(call->procedure->fdsOut);
    if (!call->replyFds)
        call->replyFds = g_array_new(FALSE, FALSE, sizeof(int));
    g_array_append_val(call->replyFds, fd);
}

bool
virNetCallDefer(virNetCall *call)
{
    g_assert(call->isJob || call->procedure->run == VIR_NET_RUN_QUICK);
    call->deferred = !call->isJob;
    return call->deferred;
}

void
virNetCallCloseAfterwards(virNetCall *call)
{
    call->closeAfterwards = true;
}
