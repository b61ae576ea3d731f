/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ask.c: pipelined questions with one deadline, and the memory of their answers. */
#include "qemu/ask.h"

#include "qemu/guest.h"
#include "qemu/guestmemory.h"
#include "util/virerror.h"

struct qemuAnswers {
    virJSON *last[QEMU_QUESTION_LAST];
    qmpRequest
        *probe; /* sent when the guest let a deadline pass; it answers again when this is done */
};

struct qemuAsk {
    virDomainObj *obj;
    int id; /* of the run that was asked */
    bool silent;
    qmpRequest *requests[QEMU_QUESTION_LAST];
    virJSON *answers[QEMU_QUESTION_LAST];
    GError *refused[QEMU_QUESTION_LAST];
};

void
qemuAnswersFree(qemuAnswers *answers)
{
    if (!answers)
        return;
    for (int i = 0; i < QEMU_QUESTION_LAST; i++)
        virJSONUnref(answers->last[i]);
    qmpRequestFree(answers->probe);
    g_free(answers);
}

/* --- sending --- */

static virJSON *
qemuAskGuestStats(const virDomainDef *def)
{
    const virDevice *balloon = qemuGuestMemoryBalloon(def);
    virJSON *arguments = virJSONObject();

    virJSONAddStringF(arguments, "path", "/machine/peripheral/%s", balloon->info.alias);
    virJSONAddString(arguments, "property", "guest-stats");
    return arguments;
}

static virJSON *
qemuAskTrue(const char *key)
{
    virJSON *arguments = virJSONObject();

    virJSONAddBool(arguments, key, true);
    return arguments;
}

/* Some device of it reads or writes block nodes. */
static bool
qemuAskHasBlocks(const virDomainDef *def)
{
    for (guint i = 0; i < def->devices->len; i++) {
        const virDeviceQemu *qemu = virDeviceQemuOf(g_ptr_array_index(def->devices, i));

        if (qemu && qemu->ownsNode)
            return true;
    }
    return false;
}

/* A guest without anything that the answer could speak of is not asked: QEMU reads questions byte
 * by byte, and many guests are asked at once. */
static bool
qemuAskConcerns(const virDomainDef *def, qemuQuestion question)
{
    switch (question) {
    case QEMU_QUESTION_BLOCKS:
    case QEMU_QUESTION_NODES:
    case QEMU_QUESTION_IMAGES:
        return qemuAskHasBlocks(def);
    case QEMU_QUESTION_IOTHREADS:
        return virDomainIOThreadCount(&def->iothreads) > 0;
    default:
        return true;
    }
}

static qmpRequest *
qemuAskSend(const qemuGuest *guest, const virDomainDef *def, qemuQuestion question)
{
    const virDevice *balloon = qemuGuestMemoryBalloon(def);

    if (!qemuAskConcerns(def, question))
        return NULL;
    switch (question) {
    case QEMU_QUESTION_BALLOON:
        return balloon ? qmpClientSend(guest->monitor, "query-balloon", NULL) : NULL;
    case QEMU_QUESTION_GUEST_STATS:
        return balloon && balloon->info.alias
                   ? qmpClientSend(guest->monitor, "qom-get", qemuAskGuestStats(def))
                   : NULL;
    case QEMU_QUESTION_BLOCKS:
        return qmpClientSend(guest->monitor, "query-blockstats", NULL);
    case QEMU_QUESTION_NODES:
        return qmpClientSend(guest->monitor, "query-blockstats", qemuAskTrue("query-nodes"));
    case QEMU_QUESTION_IMAGES:
        return qmpClientSend(guest->monitor, "query-named-block-nodes",
                             qmpCapsHas(guest->caps, QMP_CAPS_QUERY_NAMED_BLOCK_NODES_FLAT)
                                 ? qemuAskTrue("flat")
                                 : NULL);
    case QEMU_QUESTION_IOTHREADS:
        return qmpClientSend(guest->monitor, "query-iothreads", NULL);
    case QEMU_QUESTION_DIRTY_RATE:
        return qmpCapsHas(guest->caps, QMP_CAPS_QUERY_DIRTY_RATE)
                   ? qmpClientSend(guest->monitor, "query-dirty-rate", NULL)
                   : NULL;
    default:
        return NULL;
    }
}

static bool
qemuAskIsSilent(const qemuGuest *guest)
{
    qemuAnswers *answers = guest->answers;

    if (!answers->probe || !qmpRequestIsDone(answers->probe))
        return answers->probe != NULL;
    g_clear_pointer(&answers->probe, qmpRequestFree);
    return false;
}

qemuAsk *
qemuAskNew(virDomainObj *obj, unsigned questions)
{
    qemuAsk *ask = g_new0(qemuAsk, 1);
    qemuGuest *guest = qemuGuestOf(obj);

    ask->obj = virDomainObjRef(obj);
    ask->id = obj->id;
    if (!guest || !obj->live || guest->starting)
        return ask;
    if (!guest->answers)
        guest->answers = g_new0(qemuAnswers, 1);
    ask->silent = guest->connecting || !guest->monitor || !guest->caps || qemuAskIsSilent(guest);
    for (qemuQuestion i = 0; i < QEMU_QUESTION_LAST; i++) {
        if ((questions & QEMU_ASK(i)) && !ask->silent)
            ask->requests[i] = qemuAskSend(guest, virDomainDocDef(obj->live), i);
    }
    return ask;
}

/* --- waiting --- */

/* The guest that was asked, if it still runs. */
static qemuGuest *
qemuAskGuest(const qemuAsk *ask)
{
    return ask->obj->id == ask->id ? qemuGuestOf(ask->obj) : NULL;
}

static void
qemuAskWaitOne(qemuAsk *ask, qemuQuestion question, gint64 deadline_us)
{
    gint64 left_us = deadline_us - g_get_monotonic_time();
    virJSON **answer = &ask->answers[question];
    GError **error = &ask->refused[question];
    qemuGuest *guest;

    if (qmpRequestWait(ask->requests[question], left_us > 0 ? (unsigned)(left_us / 1000) : 0,
                       answer, error)) {
        guest = qemuAskGuest(ask);
        if (guest && guest->answers) {
            virJSONUnref(guest->answers->last[question]);
            guest->answers->last[question] = json_object_get(*answer);
        }
    } else if (g_error_matches(*error, VIR_ERROR, VIR_ERR_OPERATION_TIMEOUT)) {
        g_clear_error(error);
        ask->silent = true;
        guest = qemuAskGuest(ask);
        if (guest && guest->answers && guest->monitor && !guest->answers->probe)
            guest->answers->probe = qmpClientSend(guest->monitor, "query-name", NULL);
    }
}

void
qemuAskWait(qemuAsk *ask, gint64 deadline_us)
{
    const qemuGuest *guest;

    for (qemuQuestion i = 0; i < QEMU_QUESTION_LAST && !ask->silent; i++) {
        if (ask->requests[i])
            qemuAskWaitOne(ask, i, deadline_us);
    }
    guest = qemuAskGuest(ask);
    for (qemuQuestion i = 0; ask->silent && guest && guest->answers && i < QEMU_QUESTION_LAST;
         i++) {
        if (!ask->answers[i] && guest->answers->last[i])
            ask->answers[i] = json_object_get(guest->answers->last[i]);
    }
}

virJSON *
qemuAskAnswer(const qemuAsk *ask, qemuQuestion question)
{
    return ask->answers[question];
}

bool
qemuAskCheck(const qemuAsk *ask, qemuQuestion question, GError **error)
{
    if (ask->answers[question])
        return true;
    if (ask->refused[question]) {
        if (error)
            *error = g_error_copy(ask->refused[question]);
        return false;
    }
    if (ask->silent)
        return virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT,
                           _("domain '%s' does not answer, and never told this before"),
                           ask->obj->name);
    return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("domain is not running"));
}

void
qemuAskFree(qemuAsk *ask)
{
    if (!ask)
        return;
    for (qemuQuestion i = 0; i < QEMU_QUESTION_LAST; i++) {
        qmpRequestFree(ask->requests[i]);
        virJSONUnref(ask->answers[i]);
        g_clear_error(&ask->refused[i]);
    }
    virDomainObjUnref(ask->obj);
    g_free(ask);
}
