/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzzsend.h: a packet as it is, for those who speak the handlers' channel. */
#pragma once

#include <string.h>
#include <sys/socket.h>

enum { FUZZ_FDS_MAX = 8 };

/* Sends the bytes without waiting, with so many copies of the descriptor right; whether they arrive
 * is the other side's affair. */
static inline void
fuzzSend(int fd, const void *bytes, size_t len, int right, unsigned nfds)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * FUZZ_FDS_MAX)];
        struct cmsghdr align;
    } control = {0};
    struct iovec iov = {(void *)bytes, len};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    struct cmsghdr *rights;

    if (nfds > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
        rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
        for (unsigned i = 0; i < nfds; i++)
            memcpy(CMSG_DATA(rights) + i * sizeof(int), &right, sizeof(int));
    }
    (void)sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}
