/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetdispatch.c: from a message to the handler of its procedure.
 *
 * The order of the checks is what clients see: does it exist, who are you, is the connection open,
 * do the arguments decode, may a read-only client do it, do we have it. */
#include "rpc/virnetpriv.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virutil.h"

static void
answerError(virNetServerClient *client, const virNetHeader *header, const GError *error)
{
    virNetOutputQueue(client, virNetMessageNewError(header, RPC_MESSAGE_TYPE_REPLY, error));
}

/* The procedure that the header names, NULL with the error set if there is none to call. */
static const virNetProcedure *
findProcedure(virNetServerClient *client, const virNetHeader *header,
              const virNetProgram **retProgram, GError **error)
{
    const virNetProgram *program =
        virNetServerFindProgram(client->server, header->program, header->version);
    const virNetProcedure *procedure;

    if (!program) {
        virErrorSet(error, VIR_ERR_RPC, _("Cannot find program %u version %u"), header->program,
                    header->version);
        return NULL;
    }
    procedure = virNetProgramProcedure(program, header->procedure);
    if (!procedure || procedure->kind == VIR_NET_EVENT) {
        /* Not translated: clients look for this very text. */
        virErrorSet(error, VIR_ERR_RPC, "unknown procedure: %d", header->procedure);
        return NULL;
    }
    if (header->status != RPC_MESSAGE_STATUS_OK) {
        virErrorSet(error, VIR_ERR_RPC, _("Unexpected message status %u"), header->status);
        return NULL;
    }
    *retProgram = program;
    return procedure;
}

static bool
checkConnection(virNetServerClient *client, const virNetProcedure *procedure, GError **error)
{
    if (!procedure->unauthenticated && !virNetServerClientHas(client, VIR_NET_CLIENT_AUTHENTICATED))
        return virErrorSet(error, VIR_ERR_RPC, "%s", _("authentication required"));
    if (!procedure->unopened && !virNetServerClientHas(client, VIR_NET_CLIENT_OPEN))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("hypervisor connection not open"));
    return true;
}

/* What a read-only connection may not do. */
static bool
checkReadonly(virNetServerClient *client, const virNetProcedure *procedure, const void *args,
              GError **error)
{
    if (!virNetServerClientHas(client, VIR_NET_CLIENT_READONLY) ||
        !virNetConditionHolds(&procedure->refuse, args))
        return true;
    if (procedure->refusal)
        return virErrorSet(error, VIR_ERR_OPERATION_DENIED, "%s", procedure->refusal);
    return virErrorSet(error, VIR_ERR_OPERATION_DENIED, _("read only access prevents %s"),
                       procedure->function);
}

static bool
callDecode(virNetCall *call, const uint8_t *payload, size_t len, GError **error)
{
    const virXdrType *args = call->procedure->args;
    const virXdrType *ret = call->procedure->ret;

    if (args) {
        call->args = virNetCallAlloc(call, args->size);
        if (!virXdrDecode(args, payload, len, &call->arena, call->args, NULL, error))
            return false;
    }
    if (ret)
        call->ret = virNetCallAlloc(call, ret->size);
    return true;
}

/* Runs the handler and answers; the call is over then. False if it is to become a job first. */
static bool
callRun(virNetCall *call)
{
    g_autoptr(GError) error = NULL;
    bool ok = call->procedure->handler(call, call->args, call->ret, &error);

    g_assert(!virCoreIsHeld());
    if (call->deferred && !call->isJob)
        return false;
    if (!ok && !error)
        VIR_WARN("%s failed without saying why", call->procedure->name);
    virNetCallAnswer(call, ok, error);
    virNetCallFree(call);
    return true;
}

static void
jobRun(void *opaque)
{
    virNetCall *call = opaque;
    g_autoptr(virNetServerClient) client = virNetServerClientRef(call->client);

    (void)callRun(call); /* a job is not deferred again */
    g_mutex_lock(&client->mutex);
    client->jobs--;
    if (client->starved) {
        client->starved = false;
        virNetServerClientWake(client);
    }
    g_mutex_unlock(&client->mutex);
}

/* True if the client may have one more job, which is counted then. Else it is woken later. */
static bool
jobAdmit(virNetServerClient *client)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&client->mutex);

    if (client->jobs >= virNetServerGetLimits(client->server)->maxClientRequests) {
        client->starved = true;
        return false;
    }
    client->jobs++;
    return true;
}

static void
callStart(virNetCall *call)
{
    virNetServerClient *client = call->client;

    if (call->procedure->run != VIR_NET_RUN_JOB && callRun(call))
        return;
    call->isJob = true;
    if (g_queue_is_empty(&client->parked) && jobAdmit(client)) {
        virCoreRunJob(jobRun, call);
    } else {
        client->backlog += call->header.length;
        g_queue_push_tail(&client->parked, call);
    }
}

void
virNetDispatchParked(virNetServerClient *client)
{
    while (!g_queue_is_empty(&client->parked) && jobAdmit(client)) {
        virNetCall *call = g_queue_pop_head(&client->parked);

        client->backlog -= call->header.length;
        virCoreRunJob(jobRun, call);
    }
}

void
virNetDispatchClear(virNetServerClient *client)
{
    virNetCall *call;

    while ((call = g_queue_pop_head(&client->parked)))
        virNetCallFree(call);
}

/* Decides what becomes of the call: an error at once, or a start. */
static bool
callAdmit(virNetCall *call, const uint8_t *payload, size_t len, GError **error)
{
    const virNetProcedure *procedure = call->procedure;

    if (!checkConnection(call->client, procedure, error) ||
        !callDecode(call, payload, len, error) ||
        !checkReadonly(call->client, procedure, call->args, error))
        return false;
    if (!procedure->handler)
        return virErrorSet(error, VIR_ERR_NO_SUPPORT, "%s", procedure->function);
    return true;
}

static bool
dispatch(virNetServerClient *client, const virNetHeader *header, const uint8_t *payload, size_t len,
         virNetCall **retCall, GError **error)
{
    const virNetProgram *program;
    const virNetProcedure *procedure = findProcedure(client, header, &program, error);

    if (!procedure)
        return false;
    *retCall = virNetCallNew(client, program, procedure, header);
    if (procedure->run == VIR_NET_RUN_FORWARD && checkConnection(client, procedure, NULL) &&
        virNetServerForward(client->server, client, header, payload, len)) {
        g_clear_pointer(retCall, virNetCallFree);
        return true;
    }
    return callAdmit(*retCall, payload, len, error);
}

void
virNetDispatch(virNetServerClient *client, const virNetHeader *header, const uint8_t *payload,
               size_t len, int *fds, size_t fdCount)
{
    g_autoptr(virNetCall) call = NULL;
    g_autoptr(GError) error = NULL;
    bool ok = dispatch(client, header, payload, len, &call, &error);

    if (call) {
        call->fds = fds;
        call->fdCount = fdCount;
    } else {
        for (size_t i = 0; i < fdCount; i++)
            virCloseFd(&fds[i]);
        g_free(fds);
    }
    if (!ok)
        answerError(client, header, error);
    else if (call)
        callStart(g_steal_pointer(&call));
}
