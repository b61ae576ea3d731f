/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_power.c: buttons and keys of a guest, and its monitor for those who know what they do. */
#include <string.h>

#include "api/domain.h"
#include "api/handlers.gen.h"
#include "qemu/agent.h"
#include "qemu/guest.h"
#include "qemu/status.h"
#include "util/vircore.h"
#include "util/virerror.h"

/* VIR_DOMAIN_SHUTDOWN_*, and the same numbers for reboot */
enum { POWER_ACPI = 1 << 0, POWER_AGENT = 1 << 1 };
/* VIR_DOMAIN_QEMU_MONITOR_COMMAND_* */
enum { MONITOR_HMP = 1 << 0 };
/* VIR_KEYCODE_SET_*; VIR_DOMAIN_SEND_KEY_MAX_KEYS */
enum { KEYCODES_LINUX = 0, KEYCODES_QNUM = 9, KEYS_MAX = 16 };

/* One command under the domain's job. Takes over arguments. */
static bool
virApiTell(virApiCall *call, const remote_nonnull_domain *dom, const char *job, const char *command,
           virJSON *arguments, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    g_autoptr(virJSON) mine = arguments;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, dom, error)))
        return false;
    VIR_API_JOB(obj, job, error);
    return virDomainObjCheckActive(obj, error) &&
           qemuGuestCommand(obj, command, g_steal_pointer(&mine), NULL, error);
}

/* --- power button, reset --- */

static bool
virApiPowerAgent(virDomainObj *obj, bool reboot, GError **error)
{
    virJSON *arguments = virJSONObject();

    virJSONAddString(arguments, "mode", reboot ? "reboot" : "powerdown");
    return qemuAgentCommand(obj, "guest-shutdown", arguments, NULL, error);
}

/* The agent is asked first if both ways are allowed. */
static bool
virApiPowerButton(virApiCall *call, const remote_nonnull_domain *dom, unsigned flags, bool reboot,
                  GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, dom, error)))
        return false;
    VIR_API_JOB(obj, reboot ? "reboot" : "shutdown", error);
    if (!virDomainObjCheckActive(obj, error))
        return false;
    if ((flags & POWER_AGENT) && virApiPowerAgent(obj, reboot, error))
        return true;
    if ((flags & POWER_AGENT) && !(flags & POWER_ACPI))
        return false;
    g_clear_error(error);
    /* a guest that is not to reboot is shut down instead; one that only reboots does so anyway */
    qemuGuestOf(obj)->rebooting =
        reboot && virDomainDocDef(obj->live)->lifecycle.onReboot != VIR_LIFECYCLE_DESTROY;
    qemuGuestSaveStatusLater(qemuGuestOf(obj));
    return qemuGuestCommand(obj, "system_powerdown", NULL, NULL, error);
}

bool
virApiDomainShutdown(virApiCall *call, const remote_domain_shutdown_args *args, GError **error)
{
    return virApiPowerButton(call, &args->dom, 0, false, error);
}

bool
virApiDomainShutdownFlags(virApiCall *call, const remote_domain_shutdown_flags_args *args,
                          GError **error)
{
    return virApiOnlyFlags(args->flags, POWER_ACPI | POWER_AGENT, error) &&
           virApiPowerButton(call, &args->dom, args->flags, false, error);
}

bool
virApiDomainReboot(virApiCall *call, const remote_domain_reboot_args *args, GError **error)
{
    return virApiOnlyFlags(args->flags, POWER_ACPI | POWER_AGENT, error) &&
           virApiPowerButton(call, &args->dom, args->flags, true, error);
}

bool
virApiDomainReset(virApiCall *call, const remote_domain_reset_args *args, GError **error)
{
    return virApiOnlyFlags(args->flags, 0, error) &&
           virApiTell(call, &args->dom, "reset", "system_reset", NULL, error);
}

bool
virApiDomainInjectNMI(virApiCall *call, const remote_domain_inject_nmi_args *args, GError **error)
{
    return virApiOnlyFlags(args->flags, 0, error) &&
           virApiTell(call, &args->dom, "inject NMI", "inject-nmi", NULL, error);
}

bool
virApiDomainPMWakeup(virApiCall *call, const remote_domain_pm_wakeup_args *args, GError **error)
{
    return virApiOnlyFlags(args->flags, 0, error) &&
           virApiTell(call, &args->dom, "wake up", "system_wakeup", NULL, error);
}

/* --- keys --- */

/* QEMU numbers keys by XT scancodes; Linux' own codes are the same up to 83, the few beyond that
 * keyboards have are here (linux/input-event-codes.h; QEMU docs/system/keys). */
static int
virApiKeyToQnum(unsigned codeset, unsigned code)
{
    static const struct {
        unsigned evdev, qnum;
    } beyond[] = {
        {85, 0x76},  {86, 0x56},  {87, 0x57},  {88, 0x58},  {89, 0x73},  {92, 0x79},  {93, 0x70},
        {94, 0x7b},  {95, 0x5c},  {96, 0x9c},  {97, 0x9d},  {98, 0xb5},  {99, 0x54},  {100, 0xb8},
        {102, 0xc7}, {103, 0xc8}, {104, 0xc9}, {105, 0xcb}, {106, 0xcd}, {107, 0xcf}, {108, 0xd0},
        {109, 0xd1}, {110, 0xd2}, {111, 0xd3}, {113, 0xa0}, {114, 0xae}, {115, 0xb0}, {116, 0xde},
        {117, 0x59}, {119, 0xc6}, {121, 0x7e}, {124, 0x7d}, {125, 0xdb}, {126, 0xdc}, {127, 0xdd},
        {142, 0xdf}, {143, 0xe3},
    };

    if (codeset == KEYCODES_QNUM || code <= 83)
        return (int)code;
    for (size_t i = 0; i < G_N_ELEMENTS(beyond); i++) {
        if (beyond[i].evdev == code)
            return (int)beyond[i].qnum;
    }
    return -1;
}

bool
virApiDomainSendKey(virApiCall *call, const remote_domain_send_key_args *args, GError **error)
{
    g_autoptr(virJSON) arguments = virJSONObject();
    virJSON *keys;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    if (args->keycodes_len > KEYS_MAX)
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("nkeycodes must be less than or equal to %d"), KEYS_MAX);
    if (args->codeset != KEYCODES_LINUX && args->codeset != KEYCODES_QNUM)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("keycode set %u: only 'linux' and 'qnum' are supported"),
                           args->codeset);
    keys = json_object_new_array();
    virJSONAddValue(arguments, "keys", keys);
    for (uint32_t i = 0; i < args->keycodes_len; i++) {
        int code = virApiKeyToQnum(args->codeset, args->keycodes_val[i]);
        virJSON *key;

        if (code < 0 || code > 0xffff)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                               _("cannot translate keycode %u of linux codeset to qnum keycode"),
                               args->keycodes_val[i]);
        key = virJSONObject();
        virJSONAddString(key, "type", "number");
        virJSONAddInt(key, "data", code);
        (void)json_object_array_add(keys, key); /* fails only without memory */
    }
    virJSONAddPositive(arguments, "hold-time", args->holdtime);
    return virApiTell(call, &args->dom, "send key", "send-key", g_steal_pointer(&arguments), error);
}

/* --- the monitor itself: a command may carry a password, so all of it is wiped --- */

static bool
virApiMonitorHMP(virDomainObj *obj, virApiCall *call, const char *text, const char **ret,
                 GError **error)
{
    virJSON *arguments = virJSONObject();
    g_autoptr(virJSON) reply = NULL;

    virJSONAddString(arguments, "command-line", text);
    if (!qemuGuestCommandFull(obj, "human-monitor-command", arguments, QMP_SEND_SECRET, &reply,
                              error))
        return false;
    *ret = virApiStrdup(call, json_object_get_string(reply));
    return true;
}

/* A whole QMP command as text; the answer is QEMU's, errors of QEMU included. */
static bool
virApiMonitorQMP(virDomainObj *obj, virApiCall *call, const char *text, const char **ret,
                 GError **error)
{
    g_autoptr(virJSONSecret) command = virJSONParseSecret(text, error);
    g_autoptr(virJSON) reply = NULL;
    g_autofree char *printed = NULL;

    if (!command)
        return false;
    if (!json_object_is_type(command, json_type_object))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s", _("the command is no JSON object"));
    if (!qemuGuestPassQuestion(obj, g_steal_pointer(&command), &reply, error))
        return false;
    printed = virJSONPrint(reply);
    *ret = virApiStrdup(call, printed);
    return true;
}

bool
virApiQemuDomainMonitorCommand(virApiCall *call, const qemu_domain_monitor_command_args *args,
                               qemu_domain_monitor_command_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;

    if (!virApiOnlyFlags(args->flags, MONITOR_HMP, error))
        return false;
    VIR_CORE_GUARD;
    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    VIR_API_JOB(obj, "monitor command", error);
    if (!virDomainObjCheckActive(obj, error))
        return false;
    return args->flags & MONITOR_HMP ? virApiMonitorHMP(obj, call, args->cmd, &ret->result, error)
                                     : virApiMonitorQMP(obj, call, args->cmd, &ret->result, error);
}
