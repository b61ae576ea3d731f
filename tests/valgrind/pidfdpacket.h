/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pidfdpacket.h: what pidfdpreload asks of pidfdserver: one packet there, one back, either with a
 * descriptor. Any thread, one at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names the server's socket, a number, in the environment. */
#define PIDFD_SERVER_FD "VIRTWARD_PIDFD_SERVER"

typedef enum {
    PIDFD_CALL_OPEN = 1, /* pidfd_open(number, flags): the descriptor comes with the reply */
    PIDFD_CALL_SIGNAL,   /* pidfd_send_signal(the descriptor of the request, number, NULL, flags) */
} pidfdCallType;

typedef struct {
    uint32_t type;
    int32_t number; /* a process, or a signal */
    uint32_t flags;
} pidfdCall;

typedef struct {
    int32_t errnum; /* 0: done */
} pidfdReply;

/* fd -1: none. False with errno. */
bool pidfdPacketSend(int socket, void *data, size_t size, int fd);
/* *retFd is the caller's; -1: none came. False: the other side is gone, or it is none of ours. */
bool pidfdPacketReceive(int socket, void *data, size_t size, int *retFd);
