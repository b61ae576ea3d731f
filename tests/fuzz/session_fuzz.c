/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * session_fuzz.c: what a daemon may do to a handler that uses the library.
 *
 * The input is a list of packets, raw or with chosen header, payload and descriptors; the handlers
 * behind them read all that a request can be asked for and answer with all that one can have.
 * Nothing is checked but that it neither crashes nor leaks. */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzzsend.h"
#include "internal/priv.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int nullFd;

int
LLVMFuzzerInitialize(int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
    nullFd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return 0;
}

/* --- a handler that is curious --- */

static size_t
lengthOf(const char *text)
{
    return text ? strlen(text) : 0;
}

/* Everything by its name, also what the request does not have. */
static size_t
readFields(const virInternalRequest *request)
{
    static const char *const names[] = {"name", "bridge", "identity", "file",   "value",   "cpus",
                                        "mac",  "rules",  "changes",  "driver", "address", "uid",
                                        "mode", "flags",  "requests", "nothing"};
    size_t sum = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        long long value = 0;
        size_t len = 0, n = 0;
        const unsigned char *bytes = virInternalRequestGetBytes(request, names[i], &len);
        const virInternalRule *rules = virInternalRequestGetRules(request, names[i], &n);

        sum += (size_t)virInternalRequestGetNumber(request, names[i], &value) + (size_t)value;
        sum += lengthOf(virInternalRequestGetString(request, names[i]));
        for (size_t k = 0; bytes && k < len; k++)
            sum += bytes[k];
        for (size_t k = 0; rules && k < n; k++)
            sum += (size_t)rules[k].major + rules[k].access;
    }
    return sum;
}

static size_t
readLists(const virInternalRequest *request)
{
    virInternalThreads threads;
    virInternalGuestThreads table;
    size_t sum = 0, n = 0;
    const virInternalMount *mounts = virInternalRequestGetMounts(request, &n);
    const unsigned long long *ids;

    for (size_t i = 0; mounts && i < n; i++)
        sum += lengthOf(mounts[i].target) + lengthOf(mounts[i].text);
    n = 0;
    ids = virInternalRequestGetIds(request, &n);
    for (size_t i = 0; ids && i < n; i++)
        sum += ids[i];
    if (virInternalRequestGetThreads(request, &threads) == 0) {
        for (size_t i = 0; i < threads.n; i++)
            sum += (size_t)(threads.fds ? threads.fds[i] : 0) + (size_t)threads.tids[i];
    }
    if (virInternalRequestGetGuestThreads(request, &table) == 0) {
        for (size_t i = 0; i < table.n; i++)
            sum += (size_t)table.threads[i].fd + (size_t)table.threads[i].tid;
    }
    for (size_t i = 0; i <= virInternalRequestCountFds(request); i++)
        sum += (size_t)virInternalRequestGetFd(request, i);
    for (unsigned i = 0; i < VIR_INTERNAL_GATE_OBJECTS; i++)
        sum += (size_t)virInternalRequestGetObject(request, (virInternalGateObject)i);
    return sum;
}

static int
answer(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    size_t sum = readFields(request) + readLists(request) + lengthOf(call->domain);
    int fd = fcntl(nullFd, F_DUPFD_CLOEXEC, 3);

    (void)opaque;
    virInternalRequestAddFd(request, fd);
    fd = fcntl(nullFd, F_DUPFD_CLOEXEC, 3);
    if (virInternalRequestAddObject(request, VIR_INTERNAL_GATE_PROGRAM, fd) < 0)
        close(fd);
    (void)virInternalRequestSetNumber(request, "ifindex", 7);
    (void)virInternalRequestSetString(request, "name", "made0");
    if (sum % 3)
        return 0;
    virInternalFail(call, "%zu", sum);
    return -1;
}

static virInternalVerdict
judge(const virInternalCall *call, const char *hook, virInternalRequest *request, void *opaque)
{
    size_t sum = readFields(request) + readLists(request) + lengthOf(call->domain) + lengthOf(hook);

    (void)opaque;
    return (virInternalVerdict)(sum % 3);
}

/* --- the daemon's side --- */

static void
sendMessage(int fd, const virNetHeader *header, const void *payload, size_t len, unsigned nfds)
{
    g_autoptr(virNetMessage) message = virNetMessageNew(header);

    if (virNetMessageAppend(message, payload, len, NULL))
        fuzzSend(fd, message->bytes.data, message->bytes.len, nullFd, nfds);
}

/* Answers are there before they are asked for: serials count from 1. */
static virInternalSession *
openSession(int pair[2])
{
    static const uint8_t id[4] = {0, 0, 0, 1};
    virInternalSession *session;

    g_assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    session = virInternalSessionOpenFd(pair[0], VIR_INTERNAL_ABI);
    virInternalSessionSetResync(session, judge, NULL, NULL);
    for (uint32_t i = 0, serial = 0; i < virXdrHooksCount; i++) {
        virNetHeader header = {.program = HANDLER_PROGRAM,
                               .version = HANDLER_VERSION,
                               .procedure = HANDLER_PROC_REGISTER,
                               .type = RPC_MESSAGE_TYPE_REPLY};
        char bytes[4096];

        if (virXdrHooks[i].number != HANDLER_PROC_TEARDOWN) {
            header.serial = ++serial;
            sendMessage(pair[1], &header, id, sizeof(id), 0);
        }
        g_assert(virInternalSessionRegister(session, virXdrHooks[i].name, NULL, NULL, 0, answer,
                                            NULL, NULL) == 0);
        (void)!recv(pair[1], bytes, sizeof(bytes), MSG_DONTWAIT);
    }
    return session;
}

/* One packet; returns how much of the input it took. */
static size_t
act(int fd, const uint8_t *data, size_t size)
{
    size_t len = size > 1 ? MIN((size_t)data[1] * 2, size - 2) : 0;
    const uint8_t *at = data + 2;

    if (size < 2)
        return size;
    if (data[0] & 1 && len >= 4) {
        const virNetHeader header = {.program = HANDLER_PROGRAM,
                                     .version = HANDLER_VERSION,
                                     .procedure = at[0] % (HANDLER_PROC_LAST + 2),
                                     .type = at[1] % 6,
                                     .serial = at[2],
                                     .status = at[3] & 3};

        sendMessage(fd, &header, at + 4, len - 4, data[0] >> 5);
    } else {
        fuzzSend(fd, at, len, nullFd, data[0] >> 6);
    }
    return 2 + len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int pair[2];
    virInternalSession *session = openSession(pair);
    bool open = true;

    while (size > 0 && open) {
        size_t used = act(pair[1], data, size);
        char bytes[4096];

        data += used;
        size -= used;
        open = virInternalSessionDispatch(session) == 0;
        while (recv(pair[1], bytes, sizeof(bytes), MSG_DONTWAIT) > 0) {
            /* so that answers have room */
        }
    }
    virInternalSessionFree(session);
    close(pair[1]);
    return 0;
}
