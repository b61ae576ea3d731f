/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pidfdserver.c: runs a program under a valgrind that doesn't know all system calls, and makes
 * those calls for it from outside.
 *
 *     pidfdserver PRELOAD PROGRAM [ARGUMENT …]
 *
 * The program becomes this process; the server, which is nobody's child, ends when the program has.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "valgrind/pidfdpacket.h"

static void
serve(int socket)
{
    pidfdCall call;
    int fd;

    while (pidfdPacketReceive(socket, &call, sizeof(call), &fd)) {
        int made = -1;
        pidfdReply reply = {0};

        if (call.type == PIDFD_CALL_OPEN)
            reply.errnum = (made = pidfd_open(call.number, call.flags)) < 0 ? errno : 0;
        else
            reply.errnum = pidfd_send_signal(fd, call.number, NULL, call.flags) < 0 ? errno : 0;
        if (fd >= 0)
            (void)close(fd);
        if (!pidfdPacketSend(socket, &reply, sizeof(reply), made))
            return; /* nobody waits for it any more */
        if (made >= 0)
            (void)close(made);
    }
}

/* The server as nobody's child: the program counts its own. False with errno. */
static bool
begin(int socket, int other)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid > 0 && waitpid(pid, NULL, 0) == pid;
    (void)close(other);
    (void)setsid(); /* a signal to the program's group isn't for us */
    if (fork() == 0)
        serve(socket);
    _exit(0);
}

int
main(int argc, char **argv)
{
    char number[16];
    int pair[2];

    if (argc < 3) {
        fprintf(stderr, "usage: pidfdserver PRELOAD PROGRAM [ARGUMENT ...]\n");
        return 2;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0 || !begin(pair[1], pair[0])) {
        perror("pidfdserver");
        return 1;
    }
    (void)close(pair[1]);
    snprintf(number, sizeof(number), "%d", pair[0]);
    setenv(PIDFD_SERVER_FD, number, 1);
    setenv("LD_PRELOAD", argv[1], 1);
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 127;
}
