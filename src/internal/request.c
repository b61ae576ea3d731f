/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * request.c: a call's arguments and answer by the names of their fields, and the errors of a
 * thread. The codec's descriptors say where each field lies. */
#include <string.h>
#include <unistd.h>

#include "internal/priv.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* --- errors --- */

static GPrivate lastError = G_PRIVATE_INIT(g_free);
static GPrivate lastFailure = G_PRIVATE_INIT(g_free);

VIR_INTERNAL_EXPORT const char *
virInternalGetLastError(void)
{
    const char *text = g_private_get(&lastError);

    return text ? text : "";
}

int
virInternalTakeError(GError *error)
{
    g_private_replace(&lastError, g_strdup(error->message));
    g_error_free(error);
    return -1;
}

VIR_INTERNAL_EXPORT void
virInternalFail(const virInternalCall *call G_GNUC_UNUSED, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_private_replace(&lastFailure, g_strdup_vprintf(format, args));
    va_end(args);
}

char *
virInternalTakeFailure(void)
{
    char *text = g_strdup(g_private_get(&lastFailure));

    g_private_replace(&lastFailure, NULL);
    return text ? text : g_strdup(_("the handler failed without a word"));
}

/* --- fields --- */

/* Every hook's arguments begin with the call's head. */
static const handler_call *
requestHead(const virInternalRequest *request)
{
    return request->args;
}

static void
fillIds(virInternalRequest *request)
{
    const handler_teardown_args *teardown = request->args;

    request->ids = g_array_new(FALSE, FALSE, sizeof(unsigned long long));
    if (request->hook->number != HANDLER_PROC_TEARDOWN)
        return;
    for (uint32_t i = 0; i < teardown->requests_len; i++) {
        unsigned long long id = teardown->requests_val[i];

        g_array_append_val(request->ids, id);
    }
}

static void
openRequest(virInternalRequest *request, const virXdrHook *hook, virPacket *packet)
{
    *request = (virInternalRequest){.hook = hook, .packet = packet};
    virArenaInit(&request->arena);
    request->fds = g_array_new(FALSE, FALSE, sizeof(int));
    request->threadFds = g_array_new(FALSE, FALSE, sizeof(int));
    request->table = g_array_new(FALSE, FALSE, sizeof(virInternalGuestThread));
    request->args = virArenaAlloc(&request->arena, hook->args->size);
    if (hook->ret)
        request->ret = virArenaAlloc(&request->arena, hook->ret->size);
}

bool
virInternalRequestInit(virInternalRequest *request, const virXdrHook *hook, virPacket *packet,
                       GError **error)
{
    const handler_call *head;

    openRequest(request, hook, packet);
    if (!virPacketDecode(packet, hook->args, &request->arena, request->args, error))
        return false;
    for (uint32_t i = 0; hook->ret && i < hook->ret->fieldCount; i++) {
        if (hook->ret->fields[i].kind == VIR_XDR_STRING)
            *(const char **)(void *)((char *)request->ret + hook->ret->fields[i].offset) = "";
    }
    head = requestHead(request);
    request->call = (virInternalCall){.domain = head->domain,
                                      .phase = head->phase,
                                      .request = head->request,
                                      .deadline_ms = head->deadline,
                                      .flags = head->flags};
    memcpy(request->call.uuid, head->uuid, sizeof(request->call.uuid));
    fillIds(request);
    return true;
}

bool
virInternalRequestInitGrant(virInternalRequest *request, const handler_grant *grant,
                            virPacket *packet, GError **error)
{
    const virXdrHook *hook = virXdrHookByNumber(grant->hook);

    if (!hook || grant->args_len == 0)
        return virErrorSet(error, VIR_ERR_NO_SUPPORT, _("the arguments of a grant are not known"));
    openRequest(request, hook, packet);
    if (!virXdrDecode(hook->args, grant->args_val, grant->args_len, &request->arena, request->args,
                      NULL, error))
        return false;
    request->call = (virInternalCall){
        .domain = grant->domain, .phase = VIR_INTERNAL_PHASE_RECONNECT, .request = grant->request};
    memcpy(request->call.uuid, grant->uuid, sizeof(request->call.uuid));
    request->ids = g_array_new(FALSE, FALSE, sizeof(unsigned long long));
    return true;
}

void
virInternalRequestClear(virInternalRequest *request)
{
    for (guint i = 0; request->fds && i < request->fds->len; i++)
        (void)close(g_array_index(request->fds, int, i)); /* sent or given up */
    g_clear_pointer(&request->fds, g_array_unref);
    g_clear_pointer(&request->threadFds, g_array_unref);
    g_clear_pointer(&request->table, g_array_unref);
    g_clear_pointer(&request->ids, g_array_unref);
    virArenaClear(&request->arena);
}

/* Where the number lies in a struct of the type; its kind is HYPER or INT. NULL: there is none. */
static void *
findNumber(const virXdrType *type, void *base, const char *name, bool *retHyper)
{
    const virXdrField *field = virXdrTypeField(type, name);

    if (!field || field->shape != VIR_XDR_PLAIN ||
        (field->kind != VIR_XDR_INT && field->kind != VIR_XDR_HYPER))
        return NULL;
    *retHyper = field->kind == VIR_XDR_HYPER;
    return (char *)base + field->offset;
}

VIR_INTERNAL_EXPORT int
virInternalRequestGetNumber(const virInternalRequest *request, const char *name, long long *value)
{
    bool hyper = false;
    const void *at = findNumber(request->hook->args, request->args, name, &hyper);

    if (!at)
        return -1;
    *value = hyper ? *(const int64_t *)at : *(const int32_t *)at;
    return 0;
}

VIR_INTERNAL_EXPORT const char *
virInternalRequestGetString(const virInternalRequest *request, const char *name)
{
    const virXdrField *field = virXdrTypeField(request->hook->args, name);

    if (!field || field->kind != VIR_XDR_STRING || field->shape != VIR_XDR_PLAIN)
        return NULL;
    return *(const char *const *)(const void *)((const char *)request->args + field->offset);
}

VIR_INTERNAL_EXPORT const unsigned char *
virInternalRequestGetBytes(const virInternalRequest *request, const char *name, size_t *len)
{
    const virXdrField *field = virXdrTypeField(request->hook->args, name);
    const char *args = request->args;

    if (!field || field->kind != VIR_XDR_OPAQUE || field->shape != VIR_XDR_VARIABLE)
        return NULL;
    *len = *(const uint32_t *)(const void *)(args + field->countOffset);
    return *(const unsigned char *const *)(const void *)(args + field->offset);
}

VIR_INTERNAL_EXPORT int
virInternalRequestGetFd(const virInternalRequest *request, size_t i)
{
    return virPacketGetFd(request->packet, i);
}

VIR_INTERNAL_EXPORT size_t
virInternalRequestCountFds(const virInternalRequest *request)
{
    return virPacketFdCount(request->packet);
}

VIR_INTERNAL_EXPORT int
virInternalRequestGetThreads(const virInternalRequest *request, virInternalThreads *threads)
{
    const virXdrField *field = virXdrTypeField(request->hook->args, "threads");
    size_t count = virPacketFdCount(request->packet);
    const handler_threads *wire;
    bool pidfds;
    size_t first;

    if (!field || field->type != &handler_threads_xdr)
        return -1;
    wire = (const void *)((const char *)request->args + field->offset);
    pidfds = wire->form == HANDLER_THREAD_FORM_PIDFDS;
    /* What the threads come after: the process, and before it in cgroup.move the group. */
    if (count < (pidfds ? wire->tids_len : 1) + 1)
        return -1;
    first = count - (pidfds ? wire->tids_len : 1);
    g_array_set_size(request->threadFds, 0);
    for (size_t i = first; pidfds && i < count; i++) {
        int fd = virPacketGetFd(request->packet, i);

        g_array_append_val(request->threadFds, fd);
    }
    *threads = (virInternalThreads){
        .pidfd = virPacketGetFd(request->packet, first - 1),
        .fds = pidfds ? (const int *)(const void *)request->threadFds->data : NULL,
        .folder = pidfds ? -1 : virPacketGetFd(request->packet, first),
        .tids = (const pid_t *)(const void *)wire->tids_val,
        .n = wire->tids_len};
    return 0;
}

VIR_INTERNAL_EXPORT int
virInternalRequestGetGuestThreads(const virInternalRequest *request,
                                  virInternalGuestThreads *threads)
{
    const handler_barrier_args *wire = request->args;
    bool pidfds;

    if (request->hook->number != HANDLER_PROC_BARRIER)
        return -1;
    pidfds = wire->form == HANDLER_THREAD_FORM_PIDFDS;
    if (virPacketFdCount(request->packet) < 1 + (pidfds ? (size_t)wire->threads_len : 1))
        return -1;
    g_array_set_size(request->table, 0);
    for (uint32_t i = 0; i < wire->threads_len; i++) {
        const handler_guest_thread *one = &wire->threads_val[i];
        virInternalGuestThread thread = {one->role, one->id, (pid_t)one->tid,
                                         pidfds ? virPacketGetFd(request->packet, i + 1) : -1};

        g_array_append_val(request->table, thread);
    }
    *threads = (virInternalGuestThreads){
        .pidfd = virPacketGetFd(request->packet, 0),
        .folder = pidfds ? -1 : virPacketGetFd(request->packet, 1),
        .threads = (const virInternalGuestThread *)(const void *)request->table->data,
        .n = wire->threads_len};
    return 0;
}

/* The public struct is the codec's. */
G_STATIC_ASSERT(sizeof(virInternalRule) == sizeof(handler_rule));
G_STATIC_ASSERT(offsetof(virInternalRule, type) == offsetof(handler_rule, type));
G_STATIC_ASSERT(offsetof(virInternalRule, major) == offsetof(handler_rule, major));
G_STATIC_ASSERT(offsetof(virInternalRule, minor) == offsetof(handler_rule, minor));
G_STATIC_ASSERT(offsetof(virInternalRule, access) == offsetof(handler_rule, access));

VIR_INTERNAL_EXPORT const virInternalRule *
virInternalRequestGetRules(const virInternalRequest *request, const char *name, size_t *n)
{
    const virXdrField *field = virXdrTypeField(request->hook->args, name);
    const char *args = request->args;

    *n = 0;
    if (!field || field->type != &handler_rule_xdr || field->shape != VIR_XDR_VARIABLE)
        return NULL;
    *n = *(const uint32_t *)(const void *)(args + field->countOffset);
    return *(const virInternalRule *const *)(const void *)(args + field->offset);
}

G_STATIC_ASSERT(sizeof(virInternalMount) == sizeof(handler_mount));
G_STATIC_ASSERT(offsetof(virInternalMount, target) == offsetof(handler_mount, target));
G_STATIC_ASSERT(offsetof(virInternalMount, size) == offsetof(handler_mount, size));
G_STATIC_ASSERT(offsetof(virInternalMount, uid) == offsetof(handler_mount, uid));
G_STATIC_ASSERT(offsetof(virInternalMount, minor) == offsetof(handler_mount, minor));
G_STATIC_ASSERT(offsetof(virInternalMount, text) == offsetof(handler_mount, text));

VIR_INTERNAL_EXPORT const virInternalMount *
virInternalRequestGetMounts(const virInternalRequest *request, size_t *n)
{
    const handler_mount_apply_args *args = request->args;

    *n = 0;
    if (request->hook->number != HANDLER_PROC_MOUNT_APPLY)
        return NULL;
    *n = args->mounts_len;
    return (const virInternalMount *)(const void *)args->mounts_val;
}

/* Which objects of a gate came, or go, as bits; -1: it is no message about a gate. */
static long long
objectsOf(const virXdrType *type, void *base)
{
    bool hyper = false;
    const void *at = type ? findNumber(type, base, "objects", &hyper) : NULL;

    return at && !hyper ? (long long)*(const uint32_t *)at : -1;
}

/* How many of the objects come before this one. */
static unsigned
objectsBefore(long long objects, virInternalGateObject object)
{
    return (unsigned)__builtin_popcountll((unsigned long long)objects & ((1ull << object) - 1));
}

VIR_INTERNAL_EXPORT int
virInternalRequestGetObject(const virInternalRequest *request, virInternalGateObject object)
{
    long long objects = objectsOf(request->hook->args, request->args);

    if (objects < 0 || object >= VIR_INTERNAL_GATE_OBJECTS || !(objects & (1ll << object)))
        return -1;
    return virPacketGetFd(request->packet, 1 + objectsBefore(objects, object)); /* 0: the group */
}

VIR_INTERNAL_EXPORT const unsigned long long *
virInternalRequestGetIds(const virInternalRequest *request, size_t *n)
{
    *n = request->ids->len;
    return (const unsigned long long *)(const void *)request->ids->data;
}

/* --- the answer --- */

VIR_INTERNAL_EXPORT int
virInternalRequestSetNumber(virInternalRequest *request, const char *name, long long value)
{
    bool hyper = false;
    void *at = findNumber(request->hook->ret, request->ret, name, &hyper);

    if (!at)
        return -1;
    if (hyper)
        *(int64_t *)at = value;
    else
        *(int32_t *)at = (int32_t)value;
    return 0;
}

VIR_INTERNAL_EXPORT int
virInternalRequestSetString(virInternalRequest *request, const char *name, const char *value)
{
    const virXdrField *field = virXdrTypeField(request->hook->ret, name);

    if (!field || field->kind != VIR_XDR_STRING || field->shape != VIR_XDR_PLAIN)
        return -1;
    *(char **)(void *)((char *)request->ret + field->offset) =
        virArenaStrdup(&request->arena, value);
    return 0;
}

VIR_INTERNAL_EXPORT void
virInternalRequestAddFd(virInternalRequest *request, int fd)
{
    if (fd >= 0) /* none could be sent, and the daemon says what it misses */
        g_array_append_val(request->fds, fd);
}

VIR_INTERNAL_EXPORT int
virInternalRequestAddObject(virInternalRequest *request, virInternalGateObject object, int fd)
{
    long long objects = objectsOf(request->hook->ret, request->ret);

    if (objects < 0 || object >= VIR_INTERNAL_GATE_OBJECTS || (objects & (1ll << object)))
        return -1;
    g_array_insert_val(request->fds, MIN(objectsBefore(objects, object), request->fds->len), fd);
    return virInternalRequestSetNumber(request, "objects", objects | (1ll << object));
}
