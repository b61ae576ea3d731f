/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpclienttransport.c: the prober's questions over a live connection: what is announced is sent at
 * once, and answered from the requests under way as long as the order holds. In a thread that may
 * wait, without the core lock. */
#include <string.h>

#include "qmp/qmpclient.h"
#include "util/vircore.h"

typedef struct {
    qmpQuestion question;
    qmpRequest *request;
} qmpAhead;

struct qmpClientTransport {
    qmpTransport base; /* first */
    qmpClient *client;
    unsigned timeout_ms;
    GQueue ahead; /* of qmpAhead */
};

static virJSON *
qmpQuestionArguments(const qmpQuestion *question)
{
    virJSON *arguments = NULL;

    if (question->typeName) {
        arguments = virJSONObject();
        virJSONAddString(arguments, "typename", question->typeName);
    }
    return arguments;
}

static bool
qmpClientTransportAnnounce(qmpTransport *base, const qmpQuestion *questions, size_t count,
                           GError **error)
{
    qmpClientTransport *transport = (qmpClientTransport *)base;

    (void)error; /* a lost connection shows when the first answer is wanted */
    for (size_t i = 0; i < count; i++) {
        qmpAhead *ahead = g_new0(qmpAhead, 1);
        virJSON *arguments = qmpQuestionArguments(&questions[i]);
        VIR_CORE_GUARD;

        ahead->question = questions[i];
        ahead->request = qmpClientSend(transport->client, questions[i].command, arguments);
        g_queue_push_tail(&transport->ahead, ahead);
    }
    return true;
}

/* The request under way for this question, or NULL. */
static qmpRequest *
qmpClientTransportTake(qmpClientTransport *transport, const char *command, virJSON *arguments)
{
    qmpAhead *ahead = g_queue_peek_head(&transport->ahead);
    const char *typeName = arguments ? virJSONGetString(arguments, "typename") : NULL;
    qmpRequest *request;

    if (!ahead || !g_str_equal(ahead->question.command, command) ||
        g_strcmp0(ahead->question.typeName, typeName) != 0 ||
        (arguments && json_object_object_length(arguments) != (typeName ? 1 : 0)))
        return NULL;
    request = ahead->request;
    g_free(g_queue_pop_head(&transport->ahead));
    return request;
}

static bool
qmpClientTransportCall(qmpTransport *base, const char *command, virJSON *arguments,
                       virJSON **retValue, qmpErrorClass *retClass, GError **error)
{
    qmpClientTransport *transport = (qmpClientTransport *)base;
    g_autoptr(GError) local = NULL;
    VIR_CORE_GUARD;
    g_autoptr(qmpRequest) request = qmpClientTransportTake(transport, command, arguments);

    if (!request)
        request =
            qmpClientSend(transport->client, command, arguments ? virJSONCopy(arguments) : NULL);
    *retValue = NULL;
    if (qmpRequestWait(request, transport->timeout_ms, retValue, &local))
        return true;
    *retClass = qmpRequestErrorClass(request);
    if (*retClass != QMP_ERROR_NONE)
        return true;
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

qmpClientTransport *
qmpClientTransportNew(qmpClient *client, unsigned timeout_ms)
{
    qmpClientTransport *transport = g_new0(qmpClientTransport, 1);

    transport->base.announce = qmpClientTransportAnnounce;
    transport->base.call = qmpClientTransportCall;
    transport->client = client;
    transport->timeout_ms = timeout_ms;
    return transport;
}

void
qmpClientTransportFree(qmpClientTransport *transport)
{
    qmpAhead *ahead;
    VIR_CORE_GUARD;

    if (!transport)
        return;
    while ((ahead = g_queue_pop_head(&transport->ahead))) {
        qmpRequestFree(ahead->request);
        g_free(ahead);
    }
    g_free(transport);
}

qmpTransport *
qmpClientTransportBase(qmpClientTransport *transport)
{
    return &transport->base;
}
