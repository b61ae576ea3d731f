/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmp_fuzz.c: any bytes as what a QEMU sends on its monitor, with commands under way. */
#include <string.h>
#include <sys/socket.h>

#include "qmp/qmpclient.h"
#include "util/vircore.h"
#include "util/virevent.h"
#include "util/virfile.h"
#include "util/virutil.h"

enum { REQUESTS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fuzzOnEvent(qmpClient *client, const char *name, virJSON *data, int64_t seconds, int64_t micros,
            void *opaque)
{
    /* every event is answered by a command, as a daemon does */
    qmpRequestFree(qmpClientSend(client, "query-status", data ? virJSONCopy(data) : NULL));
}

static void
fuzzOnClosed(qmpClient *client, const GError *reason, void *opaque)
{
    virEventQuit();
}

static const qmpClientCallbacks callbacks = {fuzzOnEvent, fuzzOnClosed};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    qmpRequest *requests[REQUESTS];
    g_autoptr(qmpClient) client = NULL;
    VIR_AUTOCLOSE qemu = -1;
    int fds[2];

    if (!ready)
        ready = virEventInit(NULL);
    if (size > 64 * 1024 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return 0;
    qemu = fds[1];
    {
        VIR_CORE_GUARD;
        client = qmpClientNew(fds[0], &callbacks, NULL, NULL);
        for (int i = 0; i < REQUESTS; i++)
            requests[i] = qmpClientSend(client, "device_del", NULL);
    }
    (void)virFileWriteAll(qemu, data, size); /* it fits: a socket's buffer is larger */
    (void)shutdown(qemu, SHUT_WR);
    virEventRun();
    VIR_CORE_GUARD;
    for (int i = 0; i < REQUESTS; i++) {
        g_assert(qmpRequestIsDone(requests[i]));
        qmpRequestFree(requests[i]);
    }
    return 0;
}
