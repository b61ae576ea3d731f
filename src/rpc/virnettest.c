/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnettest.c: both ends of a connection for the tests of src/rpc. */
#include "rpc/virnettest.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/vircore.h"
#include "util/virevent.h"
#include "util/virutil.h"

static virNetProgram testProgram = {"test", TEST_PROGRAM, TEST_VERSION, 0, NULL};

static void *
testLoop(void *opaque G_GNUC_UNUSED)
{
    virEventRun();
    return NULL;
}

testServer *
testServerNew(const virNetProcedure *procedures, int count, const virNetServerLimits *limits)
{
    const virNetListenOptions options = {.auth = VIR_NET_AUTH_NONE};
    testServer *server = g_new0(testServer, 1);
    g_autoptr(GError) error = NULL;

    virEventInit(&error);
    g_assert_no_error(error);
    testProgram.count = count;
    testProgram.procedures = procedures;
    server->folder = g_dir_make_tmp("virnettest-XXXXXX", NULL);
    server->path = g_build_filename(server->folder, "sock", NULL);
    server->server = virNetServerNew("test", limits, NULL);
    virNetServerAddProgram(server->server, &testProgram);
    virNetServerListenUNIX(server->server, server->path, 0700, (gid_t)-1, &options, &error);
    g_assert_no_error(error);
    virNetServerStart(server->server);
    server->thread = g_thread_new("events", testLoop, NULL);
    return server;
}

static void
testCloseClient(virNetServerClient *client, void *opaque G_GNUC_UNUSED)
{
    virNetServerClientClose(client, NULL);
}

static void
testStop(void *opaque)
{
    testServer *server = opaque;

    virNetServerStop(server->server);
    virNetServerForEachClient(server->server, testCloseClient, NULL);
    virEventQuit();
}

void
testServerFree(testServer *server)
{
    virEventPost(testStop, server);
    g_thread_join(server->thread);
    virCoreDrainJobs();
    virNetServerFree(server->server);
    g_rmdir(server->folder);
    g_free(server->folder);
    g_free(server->path);
    g_free(server);
}

typedef struct {
    GMutex mutex;
    GCond cond;
    bool done;
} testSync;

static void
testSynced(void *opaque)
{
    testSync *sync = opaque;

    g_mutex_lock(&sync->mutex);
    sync->done = true;
    g_cond_signal(&sync->cond);
    g_mutex_unlock(&sync->mutex);
}

void
testServerSync(void)
{
    testSync sync = {0};

    g_mutex_init(&sync.mutex);
    g_cond_init(&sync.cond);
    virEventPost(testSynced, &sync);
    g_mutex_lock(&sync.mutex);
    while (!sync.done)
        g_cond_wait(&sync.cond, &sync.mutex);
    g_mutex_unlock(&sync.mutex);
    g_mutex_clear(&sync.mutex);
    g_cond_clear(&sync.cond);
}

int
testConnect(const testServer *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 60};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, server->path, sizeof(address.sun_path));
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

void
testSendRaw(int fd, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

        g_assert_cmpint(n, >, 0);
        at += n;
        len -= (size_t)n;
    }
}

static virNetHeader
testHeader(int32_t procedure, uint32_t type, uint32_t serial, uint32_t status)
{
    return (virNetHeader){.program = TEST_PROGRAM,
                          .version = TEST_VERSION,
                          .procedure = procedure,
                          .type = type,
                          .serial = serial,
                          .status = status};
}

void
testSend(int fd, int32_t procedure, uint32_t type, uint32_t serial, uint32_t status,
         const virXdrType *xdr, const void *value)
{
    virNetHeader header = testHeader(procedure, type, serial, status);
    g_autoptr(virNetMessage) message = virNetMessageNew(&header);

    g_assert_true(virNetMessageEncode(message, value ? xdr : NULL, value, NULL));
    testSendRaw(fd, message->bytes.data, message->bytes.len);
}

void
testSendBytes(int fd, int32_t procedure, uint32_t type, uint32_t serial, uint32_t status,
              const void *bytes, size_t len)
{
    virNetHeader header = testHeader(procedure, type, serial, status);
    g_autoptr(virNetMessage) message = virNetMessageNew(&header);

    g_assert_true(virNetMessageAppend(message, bytes, len, NULL));
    testSendRaw(fd, message->bytes.data, message->bytes.len);
}

void
testSendFd(int fd, int passed)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    char byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &passed, sizeof(int));
    g_assert_cmpint(sendmsg(fd, &message, MSG_NOSIGNAL), ==, 1);
}

int
testReceiveFd(int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    char byte;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    int passed;

    g_assert_cmpint(recvmsg(fd, &message, MSG_CMSG_CLOEXEC), ==, 1);
    g_assert_nonnull(CMSG_FIRSTHDR(&message));
    memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
    return passed;
}

static bool
testReadAll(int fd, void *bytes, size_t len)
{
    uint8_t *at = bytes;

    while (len > 0) {
        ssize_t n = recv(fd, at, len, 0);

        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool
testReceive(int fd, virNetHeader *retHeader, uint8_t **retPayload)
{
    uint8_t bytes[VIR_NET_HEADER_LEN];
    size_t len;

    if (!testReadAll(fd, bytes, sizeof(bytes)))
        return false;
    virNetHeaderDecode(bytes, retHeader);
    len = retHeader->length - VIR_NET_HEADER_LEN;
    *retPayload = g_malloc(len + 1);
    return testReadAll(fd, *retPayload, len);
}

char *
testReceiveError(int fd, uint32_t type, int code)
{
    g_autofree uint8_t *payload = NULL;
    g_auto(virArena) arena = {0};
    virNetHeader header;
    rpc_error error;

    virArenaInit(&arena);
    g_assert_true(testReceive(fd, &header, &payload));
    g_assert_cmpint(header.type, ==, type);
    g_assert_cmpint(header.status, ==, RPC_MESSAGE_STATUS_ERROR);
    g_assert_true(virXdrDecode(&rpc_error_xdr, payload, header.length - VIR_NET_HEADER_LEN, &arena,
                               &error, NULL, NULL));
    g_assert_cmpint(error.code, ==, code);
    return g_strdup(error.message);
}

void
testExpect(int fd, uint32_t type, uint32_t serial, uint32_t status)
{
    g_autofree uint8_t *payload = NULL;
    virNetHeader header;

    g_assert_true(testReceive(fd, &header, &payload));
    g_assert_cmpint(header.type, ==, type);
    g_assert_cmpint(header.serial, ==, serial);
    g_assert_cmpint(header.status, ==, status);
}
