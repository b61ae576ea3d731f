/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * handlers.c: virtward handlers: which external handlers serve what, and how they do. Asked of the
 * daemon on its handler socket (docs/handler-protocol.md, "status"). */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "rpc/virpacket.h"
#include "util/virerror.h"
#include "util/virjson.h"
#include "util/virutil.h"
#include "virtward.h"

enum { DEADLINE_US = 5 * 1000 * 1000 };

static int
connectDaemon(const virtwardContext *context, GError **error)
{
    g_autofree char *path = g_build_filename(context->layout->run, "handler", "sock", NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    VIR_AUTOCLOSE fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >= sizeof(address.sun_path)) {
        virErrorSet(error, VIR_ERR_INVALID_ARG, _("the path of a socket is too long: '%s'"), path);
        return -1;
    }
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        virErrorErrno(error, _("cannot connect to '%s': is the daemon running?"), path);
        return -1;
    }
    return g_steal_fd(&fd);
}

static bool
askStatus(int fd, virPacket *reply, GError **error)
{
    const virNetHeader header = {.program = HANDLER_PROGRAM,
                                 .version = HANDLER_VERSION,
                                 .procedure = HANDLER_PROC_STATUS,
                                 .type = RPC_MESSAGE_TYPE_CALL,
                                 .serial = 1};
    g_autoptr(virNetMessage) message = virNetMessageNew(&header);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    virPacketReader reader;
    virPacketResult result = VIR_PACKET_NONE;

    if (!virPacketSend(fd, message, NULL, 0, g_get_monotonic_time() + DEADLINE_US, error))
        return false;
    virPacketReaderInit(&reader);
    while (result == VIR_PACKET_NONE && poll(&ready, 1, DEADLINE_US / 1000) > 0)
        result = virPacketReceive(&reader, fd, reply, error);
    virPacketReaderClear(&reader);
    if (result == VIR_PACKET_WHOLE)
        return true;
    if (error && *error)
        return false;
    return virErrorSet(error, VIR_ERR_RPC,
                       result == VIR_PACKET_NONE ? _("the daemon does not answer")
                                                 : _("the daemon refuses: only root and its own "
                                                     "user may ask"));
}

/* A newer daemon may have hooks that this program doesn't know. */
static const char *
hookName(uint32_t number)
{
    const virXdrHook *hook = virXdrHookByNumber(number);

    return hook ? hook->name : "?";
}

static virJSON *
grantsJSON(const handler_status_ret *status)
{
    virJSON *list = json_object_new_array();

    for (uint32_t i = 0; i < status->grants_len; i++) {
        const handler_status_grant *grant = &status->grants_val[i];
        virJSON *one = virJSONObject();

        virJSONAddString(one, "guest", grant->domain);
        virJSONAddString(one, "hook", hookName(grant->hook));
        virJSONAddUInt(one, "request", grant->request);
        virJSONAddString(one, "state", grant->state);
        virJSONAddString(one, "target", grant->target);
        json_object_array_add(list, one);
    }
    return list;
}

static void
printGrants(const handler_status_ret *status)
{
    static const char *const head[] = {"GUEST", "HOOK", "REQUEST", "STATE", "TARGET"};
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

    for (size_t i = 0; i < G_N_ELEMENTS(head); i++)
        g_ptr_array_add(cells, g_strdup(head[i]));
    for (uint32_t i = 0; i < status->grants_len; i++) {
        const handler_status_grant *grant = &status->grants_val[i];

        g_ptr_array_add(cells, g_strdup(grant->domain));
        g_ptr_array_add(cells, g_strdup(hookName(grant->hook)));
        g_ptr_array_add(cells, g_strdup_printf("%" G_GUINT64_FORMAT, grant->request));
        g_ptr_array_add(cells, g_strdup(grant->state));
        g_ptr_array_add(cells, g_strdup(grant->target));
    }
    virtwardPrintTable(cells, G_N_ELEMENTS(head));
}

static void
printJSON(const handler_status_ret *status)
{
    g_autoptr(virJSON) whole = virJSONObject();
    virJSON *list = json_object_new_array();
    g_autofree char *text = NULL;

    for (uint32_t i = 0; i < status->servers_len; i++) {
        const handler_server *server = &status->servers_val[i];
        virJSON *one = virJSONObject();

        virJSONAddString(one, "hook", hookName(server->hook));
        virJSONAddString(one, "policy", server->policy);
        virJSONAddUInt(one, "pid", server->pid);
        virJSONAddUInt(one, "uid", server->uid);
        virJSONAddString(one, "guests", server->filter);
        virJSONAddBool(one, "connected", server->connected);
        virJSONAddUInt(one, "calls", server->calls);
        virJSONAddUInt(one, "failures", server->failures);
        virJSONAddUInt(one, "late", server->late);
        virJSONAddUInt(one, "last-us", server->last_us);
        virJSONAddUInt(one, "mean-us", server->mean_us);
        virJSONAddUInt(one, "median-us", server->median_us);
        json_object_array_add(list, one);
    }
    virJSONAddString(whole, "instance", status->instance);
    virJSONAddValue(whole, "handlers", list);
    virJSONAddValue(whole, "grants", grantsJSON(status));
    text = virJSONPrint(whole);
    printf("%s\n", text);
}

static void
printRows(const handler_status_ret *status)
{
    static const char *const head[] = {"HOOK",      "PROCESS", "USER",     "GUESTS",
                                       "CONNECTED", "CALLS",   "FAILURES", "LATE",
                                       "LAST US",   "MEAN US", "MEDIAN US"};
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

    for (size_t i = 0; i < G_N_ELEMENTS(head); i++)
        g_ptr_array_add(cells, g_strdup(head[i]));
    for (uint32_t i = 0; i < status->servers_len; i++) {
        const handler_server *server = &status->servers_val[i];
        const uint64_t numbers[] = {server->calls,   server->failures, server->late,
                                    server->last_us, server->mean_us,  server->median_us};

        g_ptr_array_add(cells, g_strdup(hookName(server->hook)));
        g_ptr_array_add(cells, g_strdup_printf("%u", server->pid));
        g_ptr_array_add(cells, g_strdup_printf("%u", server->uid));
        g_ptr_array_add(cells, g_strdup(server->filter));
        g_ptr_array_add(cells, g_strdup(server->connected ? "yes" : "no"));
        for (size_t n = 0; n < G_N_ELEMENTS(numbers); n++)
            g_ptr_array_add(cells, g_strdup_printf("%" G_GUINT64_FORMAT, numbers[n]));
    }
    virtwardPrintTable(cells, G_N_ELEMENTS(head));
}

static bool
runHandlers(const virtwardContext *context, int argc, char **argv, GError **error)
{
    bool json = argc == 2 && g_str_equal(argv[1], "--json");
    bool grants = argc == 2 && g_str_equal(argv[1], "--grants");
    VIR_AUTOCLOSE fd = -1;
    g_auto(virPacket) reply = {0};
    g_auto(virArena) arena = {0};
    handler_status_ret status = {0};

    if (argc > 1 && !json && !grants)
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("usage: virtward handlers [--grants|--json]"));
    fd = connectDaemon(context, error);
    virPacketInit(&reply);
    virArenaInit(&arena);
    if (fd < 0 || !askStatus(fd, &reply, error) ||
        !virPacketDecode(&reply, &handler_status_ret_xdr, &arena, &status, error))
        return false;
    if (json)
        printJSON(&status);
    else if (grants)
        printGrants(&status);
    else if (status.servers_len == 0)
        printf("%s\n", _("no handler is registered: the daemon does everything itself"));
    else
        printRows(&status);
    return true;
}

const virtwardCommand virtwardHandlers = {
    "handlers", N_("external handlers: who serves what, calls, failures, latency"), runHandlers};
