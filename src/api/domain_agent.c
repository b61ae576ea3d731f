/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_agent.c: what the agent inside a guest is asked to do: its clock, its file systems, its
 * users, its processors, its sleep. What it only tells is in domain_guestinfo.c.
 *
 * None of it takes the domain's job: an agent that hangs holds up nothing but its own questions. */
#include <string.h>

#include "api/domain.h"
#include "api/guestagent.h"
#include "api/handlers.gen.h"
#include "api/params.h"
#include "qemu/agent.h"
#include "qemu/guest.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virsecure.h"

enum { TIME_SYNC = 1 << 0 };          /* VIR_DOMAIN_TIME_SYNC */
enum { PASSWORD_ENCRYPTED = 1 << 0 }; /* VIR_DOMAIN_PASSWORD_ENCRYPTED */
enum { KEYS_APPEND = 1 << 0, KEYS_REMOVE = 1 << 1 };
enum { NS_PER_S = 1000000000 };

bool
virApiAgentAsk(virApiCall *call, const remote_nonnull_domain *dom, const char *command,
               virJSON *arguments, virJSON **retValue, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if ((obj = virApiDomain(call, dom, error)) && virDomainObjCheckActive(obj, error))
        return qemuAgentCommand(obj, command, arguments, retValue, error);
    virJSONUnref(arguments);
    return false;
}

/* One whose answer is a number. */
static bool
virApiAgentCount(virApiCall *call, const remote_nonnull_domain *dom, const char *command,
                 virJSON *arguments, int32_t *ret, GError **error)
{
    g_autoptr(virJSON) value = NULL;

    if (!virApiAgentAsk(call, dom, command, arguments, &value, error))
        return false;
    if (!json_object_is_type(value, json_type_int))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("malformed return value of '%s'"),
                           command);
    *ret = (int32_t)json_object_get_int64(value);
    return true;
}

static virJSON *
virApiAgentTexts(const char *const *texts, uint32_t count)
{
    virJSON *array = json_object_new_array();

    for (uint32_t i = 0; i < count; i++)
        (void)json_object_array_add(array,
                                    json_object_new_string(texts[i])); /* out of memory only */
    return array;
}

/* --- itself --- */

bool
virApiDomainAgentSetResponseTimeout(virApiCall *call,
                                    const remote_domain_agent_set_response_timeout_args *args,
                                    remote_domain_agent_set_response_timeout_ret *ret,
                                    GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    if (args->timeout < QEMU_AGENT_TIMEOUT_BLOCK)
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("guest agent timeout '%d' is less than the minimum '%d'"),
                           args->timeout, QEMU_AGENT_TIMEOUT_BLOCK);
    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    obj->agentTimeout = args->timeout;
    obj->agentTimeoutSet = true;
    return true;
}

/* A command of the agent's own language, and its answer. */
bool
virApiQemuDomainAgentCommand(virApiCall *call, const qemu_domain_agent_command_args *args,
                             qemu_domain_agent_command_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    g_autoptr(virJSONSecret) command = NULL;
    g_autoptr(virJSON) reply = NULL;
    g_autofree char *printed = NULL;

    if (!virApiOnlyFlags(args->flags, 0, error) ||
        !(command = virJSONParseSecret(args->cmd, error)))
        return false;
    VIR_CORE_GUARD;
    if (!(obj = virApiDomain(call, &args->dom, error)) || !virDomainObjCheckActive(obj, error) ||
        !qemuAgentPass(obj, g_steal_pointer(&command), args->timeout, &reply, error))
        return false;
    printed = reply ? virJSONPrint(reply) : NULL;
    ret->result = virApiStrdup(call, printed);
    return true;
}

/* --- its clock --- */

bool
virApiDomainGetTime(virApiCall *call, const remote_domain_get_time_args *args,
                    remote_domain_get_time_ret *ret, GError **error)
{
    g_autoptr(virJSON) value = NULL;
    int64_t time_ns;

    if (!virApiOnlyFlags(args->flags, 0, error) ||
        !virApiAgentAsk(call, &args->dom, "guest-get-time", NULL, &value, error))
        return false;
    if (!json_object_is_type(value, json_type_int))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("malformed return value"));
    time_ns = json_object_get_int64(value);
    ret->seconds = time_ns / NS_PER_S;
    ret->nseconds = (uint32_t)(time_ns % NS_PER_S);
    return true;
}

/* SYNC: to what the emulated clock says. Interrupts of that clock which the guest missed while it
 * was paused are then dropped, as it would count them on top. */
bool
virApiDomainSetTime(virApiCall *call, const remote_domain_set_time_args *args, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    virJSON *arguments = NULL;

    if (!virApiOnlyFlags(args->flags, TIME_SYNC, error))
        return false;
    if (!(args->flags & TIME_SYNC) &&
        (args->seconds > INT64_MAX / NS_PER_S - 1 || args->seconds < 0))
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("Time '%" PRId64 "' is too big for guest agent"), args->seconds);
    VIR_CORE_GUARD;
    if (!(obj = virApiDomain(call, &args->dom, error)) || !virDomainObjCheckActive(obj, error))
        return false;
    if (!(args->flags & TIME_SYNC)) {
        arguments = virJSONObject();
        virJSONAddInt(arguments, "time", args->seconds * NS_PER_S + args->nseconds);
    }
    if (!qemuAgentCommand(obj, "guest-set-time", arguments, NULL, error))
        return false;
    VIR_API_JOB(obj, "set time", error);
    return qemuGuestCommand(obj, "rtc-reset-reinjection", NULL, NULL, error);
}

/* --- its file systems --- */

bool
virApiDomainFSTrim(virApiCall *call, const remote_domain_fstrim_args *args, GError **error)
{
    virJSON *arguments;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    if (args->mountPoint)
        return virErrorSet(error, VIR_ERR_ARGUMENT_UNSUPPORTED, "%s",
                           _("Specifying mount point is not supported for now"));
    arguments = virJSONObject();
    virJSONAddUInt(arguments, "minimum", args->minimum);
    return virApiAgentAsk(call, &args->dom, "guest-fstrim", arguments, NULL, error);
}

bool
virApiDomainFSFreeze(virApiCall *call, const remote_domain_fsfreeze_args *args,
                     remote_domain_fsfreeze_ret *ret, GError **error)
{
    virJSON *arguments;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    if (args->mountpoints_len == 0)
        return virApiAgentCount(call, &args->dom, "guest-fsfreeze-freeze", NULL, &ret->filesystems,
                                error);
    arguments = virJSONObject();
    virJSONAddValue(arguments, "mountpoints",
                    virApiAgentTexts(args->mountpoints_val, args->mountpoints_len));
    return virApiAgentCount(call, &args->dom, "guest-fsfreeze-freeze-list", arguments,
                            &ret->filesystems, error);
}

bool
virApiDomainFSThaw(virApiCall *call, const remote_domain_fsthaw_args *args,
                   remote_domain_fsthaw_ret *ret, GError **error)
{
    return virApiOnlyFlags(args->flags, 0, error) &&
           virApiAgentCount(call, &args->dom, "guest-fsfreeze-thaw", NULL, &ret->filesystems,
                            error);
}

/* --- its users --- */

bool
virApiDomainSetUserPassword(virApiCall *call, const remote_domain_set_user_password_args *args,
                            GError **error)
{
    char *password;
    virJSON *arguments;

    if (!virApiOnlyFlags(args->flags, PASSWORD_ENCRYPTED, error))
        return false;
    arguments = virJSONObject();
    password = g_base64_encode((const guchar *)args->password, strlen(args->password));
    virJSONAddBool(arguments, "crypted", args->flags & PASSWORD_ENCRYPTED);
    virJSONAddString(arguments, "username", args->user);
    virJSONAddString(arguments, "password", password);
    virSecureFreeString(password);
    return virApiAgentAsk(call, &args->dom, "guest-set-user-password", arguments, NULL, error);
}

bool
virApiDomainAuthorizedSSHKeysGet(virApiCall *call,
                                 const remote_domain_authorized_ssh_keys_get_args *args,
                                 remote_domain_authorized_ssh_keys_get_ret *ret, GError **error)
{
    virJSON *arguments;
    g_autoptr(virJSON) value = NULL;
    virJSON *keys;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    arguments = virJSONObject();
    virJSONAddString(arguments, "username", args->user);
    if (!virApiAgentAsk(call, &args->dom, "guest-ssh-get-authorized-keys", arguments, &value,
                        error))
        return false;
    keys = value ? virJSONGetArray(value, "keys") : NULL;
    if (!keys)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("malformed return value"));
    ret->keys_len = (uint32_t)MIN(virJSONLength(keys), REMOTE_DOMAIN_AUTHORIZED_SSH_KEYS_MAX);
    ret->keys_val = virApiNew(call, const char *, ret->keys_len);
    for (uint32_t i = 0; i < ret->keys_len; i++)
        ret->keys_val[i] = virApiStrdup(call, json_object_get_string(virJSONAt(keys, i)));
    return true;
}

bool
virApiDomainAuthorizedSSHKeysSet(virApiCall *call,
                                 const remote_domain_authorized_ssh_keys_set_args *args,
                                 GError **error)
{
    bool remove = args->flags & KEYS_REMOVE;
    virJSON *arguments;

    if (!virApiOnlyFlags(args->flags, KEYS_APPEND | KEYS_REMOVE, error))
        return false;
    arguments = virJSONObject();
    virJSONAddString(arguments, "username", args->user);
    virJSONAddValue(arguments, "keys", virApiAgentTexts(args->keys_val, args->keys_len));
    if (!remove)
        virJSONAddBool(arguments, "reset", !(args->flags & KEYS_APPEND));
    return virApiAgentAsk(call, &args->dom,
                          remove ? "guest-ssh-remove-authorized-keys"
                                 : "guest-ssh-add-authorized-keys",
                          arguments, NULL, error);
}

/* --- its processors --- */

/* "0-1,3" of those that pass; NULL if there is none. */
static char *
virApiGuestVcpus(virJSON *list, const char *mark)
{
    g_autoptr(virBitmap) map = virBitmapNew();

    for (size_t i = 0; i < virJSONLength(list); i++) {
        uint64_t id;

        if (virJSONGetUInt(virJSONAt(list, i), "logical-id", &id) && id < VIR_BITMAP_MAX &&
            (!mark || virJSONGetBool(virJSONAt(list, i), mark, false)))
            virBitmapSet(map, id);
    }
    return virBitmapFormat(map);
}

bool
virApiDomainGetGuestVcpus(virApiCall *call, const remote_domain_get_guest_vcpus_args *args,
                          remote_domain_get_guest_vcpus_ret *ret, GError **error)
{
    static const struct {
        const char *field, *mark;
    } rows[] = {{"vcpus", NULL}, {"online", "online"}, {"offlinable", "can-offline"}};
    g_autoptr(virJSON) list = NULL;
    virApiParams params;

    if (!virApiOnlyFlags(args->flags, 0, error) ||
        !virApiAgentAsk(call, &args->dom, "guest-get-vcpus", NULL, &list, error))
        return false;
    virApiParamsInit(&params, call);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = virApiGuestVcpus(list, rows[i].mark);

        virApiParamsString(&params, text, "%s", rows[i].field);
    }
    ret->params_val = virApiParamsTake(&params, &ret->params_len);
    return true;
}

bool
virApiDomainSetGuestVcpus(virApiCall *call, const remote_domain_set_guest_vcpus_args *args,
                          GError **error)
{
    g_autoptr(virBitmap) map = NULL;
    g_autoptr(virJSON) value = NULL;
    virJSON *arguments, *list;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    if (args->state != 0 && args->state != 1)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s", _("unsupported state value"));
    if (!(map = virBitmapParse(args->cpumap, VIR_BITMAP_MAX, error)))
        return false;
    arguments = virJSONObject();
    list = json_object_new_array();
    virBitmapForEach(map, id)
    {
        virJSON *vcpu = virJSONObject();

        virJSONAddInt(vcpu, "logical-id", id);
        virJSONAddBool(vcpu, "online", args->state == 1);
        (void)json_object_array_add(list, vcpu); /* fails only without memory */
    }
    virJSONAddValue(arguments, "vcpus", list);
    return virApiAgentAsk(call, &args->dom, "guest-set-vcpus", arguments, &value, error);
}

/* --- its sleep --- */

/* VIR_NODE_SUSPEND_TARGET_* */
enum { SLEEP_MEM = 0, SLEEP_DISK, SLEEP_HYBRID, SLEEP_LAST };

static bool
virApiSleepAllowed(const virDomainDef *def, unsigned target, GError **error)
{
    if (target != SLEEP_DISK && def->pm.suspendToMem == VIR_TRISTATE_NO)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                           _("S3 state is disabled for this domain"));
    if (target != SLEEP_MEM && def->pm.suspendToDisk == VIR_TRISTATE_NO)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                           _("S4 state is disabled for this domain"));
    return true;
}

bool
virApiDomainPMSuspendForDuration(virApiCall *call,
                                 const remote_domain_pm_suspend_for_duration_args *args,
                                 GError **error)
{
    static const char *const commands[SLEEP_LAST] = {"guest-suspend-ram", "guest-suspend-disk",
                                                     "guest-suspend-hybrid"};
    g_autoptr(virDomainObj) obj = NULL;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    if (args->duration)
        return virErrorSet(error, VIR_ERR_ARGUMENT_UNSUPPORTED, "%s",
                           _("Duration not supported. Use 0 for now"));
    if (args->target >= SLEEP_LAST)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("Unknown suspend target: %u"),
                           args->target);
    VIR_CORE_GUARD;
    return (obj = virApiDomain(call, &args->dom, error)) && virDomainObjCheckActive(obj, error) &&
           virApiSleepAllowed(virDomainObjDef(obj), args->target, error) &&
           qemuAgentCommand(obj, commands[args->target], NULL, NULL, error);
}
