/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * replies.c: reads the recording, answers the next question, or looks another one up. */
#include "replies.h"

#include <string.h>

#include "util/virerror.h"
#include "util/virfile.h"

enum { RECORDING_MAX = 64 * 1024 * 1024, SESSIONS = 2 };

typedef struct {
    qmpTransport base; /* first */
    conformanceReplies *owner;
    GPtrArray *talk; /* question, answer, question ... */
    guint next;
} conformanceSession;

struct conformanceReplies {
    conformanceSession sessions[SESSIONS];
    unsigned count;
    unsigned outOfOrder;
};

static bool
conformanceQuestionIs(virJSON *question, const char *command, virJSON *arguments)
{
    virJSON *own = virJSONGet(question, "arguments");

    if (g_strcmp0(virJSONGetString(question, "execute"), command) != 0)
        return false;
    return own && arguments ? json_object_equal(own, arguments) : !own && !arguments;
}

static virJSON *
conformanceAnswer(conformanceSession *session, const char *command, virJSON *arguments)
{
    GPtrArray *talk = session->talk;

    if (session->next < talk->len &&
        conformanceQuestionIs(talk->pdata[session->next], command, arguments)) {
        session->next += 2;
        return talk->pdata[session->next - 1];
    }
    session->owner->outOfOrder++;
    for (guint i = 0; i < talk->len; i += 2) {
        if (conformanceQuestionIs(talk->pdata[i], command, arguments))
            return talk->pdata[i + 1];
    }
    return NULL;
}

static bool
conformanceCall(qmpTransport *transport, const char *command, virJSON *arguments,
                virJSON **retValue, qmpErrorClass *retClass, GError **error)
{
    conformanceSession *session = (conformanceSession *)transport;
    virJSON *answer = conformanceAnswer(session, command, arguments);
    virJSON *refusal = answer ? virJSONGetObject(answer, "error") : NULL;

    *retValue = NULL;
    if (!answer)
        *retClass = QMP_ERROR_COMMAND_NOT_FOUND;
    else if (refusal)
        *retClass = qmpErrorClassFromString(virJSONGetString(refusal, "class"));
    else
        *retValue = json_object_get(virJSONGet(answer, "return"));
    return true;
}

/* The recording is JSON values with an empty line between them. */
static bool
conformanceRepliesAdd(conformanceReplies *replies, virJSON *value, GError **error)
{
    conformanceSession *session;
    bool isQuestion = virJSONGetString(value, "execute") != NULL;

    if (isQuestion && g_strcmp0(virJSONGetString(value, "id"), "libvirt-1") == 0)
        replies->count++;
    if (replies->count == 0 || replies->count > SESSIONS ||
        replies->sessions[replies->count - 1].talk->len % 2 != (isQuestion ? 0 : 1))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "not a recorded talk");
    session = &replies->sessions[replies->count - 1];
    g_ptr_array_add(session->talk, json_object_get(value));
    /* a connection has settled that by itself */
    if (session->talk->len == 2 &&
        conformanceQuestionIs(session->talk->pdata[0], "qmp_capabilities", NULL))
        session->next = 2;
    return true;
}

static void
conformanceSessionInit(conformanceSession *session, conformanceReplies *owner)
{
    session->base.call = conformanceCall;
    session->owner = owner;
    session->talk = g_ptr_array_new_with_free_func((GDestroyNotify)virJSONUnref);
}

conformanceReplies *
conformanceRepliesRead(const char *path, GError **error)
{
    g_autofree char *text = virFileRead(path, RECORDING_MAX, NULL, error);
    g_autoptr(conformanceReplies) replies = NULL;

    if (!text)
        return NULL;
    replies = g_new0(conformanceReplies, 1);
    for (unsigned i = 0; i < SESSIONS; i++)
        conformanceSessionInit(&replies->sessions[i], replies);
    for (char *from = text, *end; from; from = end) {
        g_autoptr(virJSON) value = NULL;

        if ((end = strstr(from, "\n\n"))) {
            *end = '\0';
            end += 2;
        }
        if (!(value = virJSONParse(from, -1, error)) ||
            !conformanceRepliesAdd(replies, value, error)) {
            g_prefix_error(error, "%s: ", path);
            return NULL;
        }
    }
    return g_steal_pointer(&replies);
}

void
conformanceRepliesFree(conformanceReplies *replies)
{
    if (!replies)
        return;
    for (unsigned i = 0; i < SESSIONS; i++)
        g_ptr_array_unref(replies->sessions[i].talk);
    g_free(replies);
}

qmpTransport *
conformanceRepliesSession(conformanceReplies *replies, unsigned number)
{
    return number < replies->count ? &replies->sessions[number].base : NULL;
}

bool
conformanceRepliesOver(const conformanceReplies *replies)
{
    for (unsigned i = 0; i < replies->count; i++) {
        if (replies->sessions[i].next < replies->sessions[i].talk->len)
            return false;
    }
    return true;
}

unsigned
conformanceRepliesOutOfOrder(const conformanceReplies *replies)
{
    return replies->outOfOrder;
}
