/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * agent.c: which socket is the agent's, and whose turn it is. */
#include "qemu/agent.h"

#include <fcntl.h>

#include "device/channel/channel.h"
#include "qemu/guest.h"
#include "qmp/qmpagent.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virfile.h"

enum { AGENT_DEFAULT_S = 5, AGENT_UNSET_S = 60 };

/* --- where it is --- */

/* The channel by which an agent would speak; NULL: the document has none. */
static const virChannel *
qemuAgentChannel(const virDomainDef *def)
{
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind == &virChannelKind && dev->kind->isAgent && dev->kind->isAgent(dev))
            return VIR_CHANNEL(dev);
    }
    return NULL;
}

bool
qemuAgentCheck(const virDomainObj *obj, GError **error)
{
    const virChannel *channel;

    if (obj->state != VIR_DOMAIN_RUNNING)
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("domain is not running"));
    if (!(channel = qemuAgentChannel(virDomainObjDef(obj))))
        return virErrorSet(error, VIR_ERR_ARGUMENT_UNSUPPORTED, "%s",
                           _("QEMU guest agent is not configured"));
    if (channel->state != VIR_CHANNEL_STATE_CONNECTED || channel->source.type != VIR_CHR_UNIX)
        return virErrorSet(error, VIR_ERR_AGENT_UNRESPONSIVE, "%s",
                           _("QEMU guest agent is not connected"));
    return true;
}

/* --- whose turn it is --- */

/* Lock held. */
static bool
qemuAgentBegin(virDomainObj *obj, GError **error)
{
    gint64 deadline_us = g_get_monotonic_time() + VIR_DOMAIN_JOB_WAIT_MS * G_TIME_SPAN_MILLISECOND;

    while (qemuAgentCheck(obj, error)) {
        if (!obj->agentBusy) {
            obj->agentBusy = true;
            return true;
        }
        if (!virCoreWait(&obj->agentFree, deadline_us))
            return virErrorSet(error, VIR_ERR_OPERATION_TIMEOUT, "%s",
                               _("the guest agent is busy with another question"));
    }
    return false;
}

static void
qemuAgentEnd(virDomainObj *obj)
{
    obj->agentBusy = false;
    g_cond_signal(&obj->agentFree);
}

static int
qemuAgentTimeout_ms(int timeout)
{
    if (timeout == QEMU_AGENT_TIMEOUT_BLOCK)
        return -1;
    if (timeout == QEMU_AGENT_TIMEOUT_DEFAULT)
        timeout = AGENT_DEFAULT_S;
    return (int)MIN((int64_t)timeout * 1000, INT_MAX);
}

bool
qemuAgentPass(virDomainObj *obj, virJSON *question, int timeout, virJSON **retReply, GError **error)
{
    g_autofree char *path = NULL;
    VIR_AUTOCLOSE pidfd = -1;
    bool ok;

    if (!qemuAgentBegin(obj, error)) {
        virJSONEraseAndUnref(question);
        return false;
    }
    path = g_strdup(qemuAgentChannel(virDomainObjDef(obj))->source.path);
    pidfd = fcntl(qemuGuestOf(obj)->pidfd, F_DUPFD_CLOEXEC, 0);
    {
        VIR_CORE_UNLOCKED;

        ok = qmpAgentAsk(path, question, qemuAgentTimeout_ms(timeout), pidfd, retReply, error);
        virJSONEraseAndUnref(question); /* it may set a password */
    }
    qemuAgentEnd(obj);
    return ok;
}

bool
qemuAgentCommand(virDomainObj *obj, const char *command, virJSON *arguments, virJSON **retValue,
                 GError **error)
{
    int timeout = obj->agentTimeoutSet ? obj->agentTimeout : AGENT_UNSET_S;
    virJSON *question = virJSONObject();
    g_autoptr(virJSON) reply = NULL;
    virJSON *refusal;

    virJSONAddString(question, "execute", command);
    virJSONAddValue(question, "arguments", arguments);
    if (!qemuAgentPass(obj, question, timeout, &reply, error))
        return false;
    if (retValue)
        *retValue = NULL;
    if (!reply) /* it hung up: the guest ends or sleeps */
        return true;
    if ((refusal = virJSONGetObject(reply, "error"))) {
        const char *words = virJSONGetString(refusal, "desc");

        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("unable to execute QEMU agent command '%s': %s"), command,
                           words ? words : _("unknown QEMU command error"));
    }
    if (retValue)
        *retValue = json_object_get(virJSONGet(reply, "return"));
    return true;
}
