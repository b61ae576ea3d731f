/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pidfdpacket.c: see pidfdpacket.h. */
#include "valgrind/pidfdpacket.h"

#include <string.h>
#include <sys/socket.h>

typedef union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
} pidfdControl;

bool
pidfdPacketSend(int socket, void *data, size_t size, int fd)
{
    pidfdControl control = {0};
    struct iovec iov = {data, size};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    if (fd >= 0) {
        struct cmsghdr *cmsg;

        msg.msg_control = control.bytes;
        msg.msg_controllen = sizeof(control.bytes);
        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
    }
    return sendmsg(socket, &msg, MSG_NOSIGNAL) == (ssize_t)size;
}

bool
pidfdPacketReceive(int socket, void *data, size_t size, int *retFd)
{
    pidfdControl control = {0};
    struct iovec iov = {data, size};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    const struct cmsghdr *cmsg;

    *retFd = -1;
    if (recvmsg(socket, &msg, MSG_CMSG_CLOEXEC) != (ssize_t)size)
        return false;
    cmsg = CMSG_FIRSTHDR(&msg);
    if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
        memcpy(retFd, CMSG_DATA(cmsg), sizeof(*retFd));
    return true;
}
