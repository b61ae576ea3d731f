/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * wire.c: what Python is too slow for: trivial calls on the bare protocol, and what the machine
 * itself allows. One JSON object on standard output.
 *
 *   wire calls SOCKET CLIENTS SECONDS [CPU]   virConnectGetLibVersion, a call in flight a client
 *   wire echo CLIENTS SECONDS [CPU]           the limit: as many bytes to and fro, no daemon
 *   wire file FOLDER TIMES BYTES              the limit of a define: write, fsync, rename
 *   wire reap COMMAND...                      runs COMMAND and reaps what it leaves behind at once
 *
 * CPU: everything of ours on this one. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    HEADER_SIZE = 28,
    REPLY_SIZE = 36, /* of a header and one number */
    MESSAGE_MAX = 65536,
    PROGRAM = 0x20008086,
    PROC_CONNECT_OPEN = 1,
    PROC_CONNECT_GET_LIB_VERSION = 157,
    TIMES_MAX = 1 << 20, /* measured calls of one client */
    CLIENTS_MAX = 64,
};

/* A client's figures, in memory that parent and children share. */
typedef struct {
    uint64_t n;
    uint32_t ns[TIMES_MAX];
} Times;

typedef struct {
    int ready; /* atomic */
    int go, stop;
} Control;

static void
die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void
pin(int cpu)
{
    cpu_set_t set;

    if (cpu < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) < 0)
        die("sched_setaffinity");
}

static void *
shared(size_t size)
{
    void *at =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (at == MAP_FAILED)
        die("mmap");
    return at;
}

static bool
readAll(int fd, void *to, size_t len)
{
    for (char *p = to; len > 0;) {
        ssize_t n = read(fd, p, len);

        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* --- the protocol --- */

static bool
call(int fd, uint32_t procedure, uint32_t serial, const void *body, size_t len)
{
    uint32_t message[HEADER_SIZE / 4 + 8] = {htobe32((uint32_t)(HEADER_SIZE + len)),
                                             htobe32(PROGRAM),
                                             htobe32(1),
                                             htobe32(procedure),
                                             0,
                                             htobe32(serial)};
    char reply[MESSAGE_MAX];
    uint32_t size;

    memcpy(message + HEADER_SIZE / 4, body, len);
    if (write(fd, message, HEADER_SIZE + len) != (ssize_t)(HEADER_SIZE + len) ||
        !readAll(fd, &size, sizeof(size)))
        return false;
    size = be32toh(size);
    if (size < HEADER_SIZE || size > sizeof(reply) || !readAll(fd, reply, size - sizeof(size)))
        return false;
    return ((const uint32_t *)(const void *)reply)[5] == 0; /* status: ok */
}

static int
openConnection(const char *path)
{
    static const char name[] = "qemu:///system";
    struct {
        uint32_t given, len;
        char text[16];
        uint32_t flags;
    } args = {htobe32(1), htobe32(sizeof(name) - 1), "", 0};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(args.text, name, sizeof(name) - 1);
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        die(path);
    if (!call(fd, PROC_CONNECT_OPEN, 1, &args, sizeof(args)))
        die("connection refused");
    return fd;
}

static bool
callOnce(int fd)
{
    return call(fd, PROC_CONNECT_GET_LIB_VERSION, 2, "", 0);
}

/* --- the echo --- */

static bool
echoOnce(int fd)
{
    char text[REPLY_SIZE] = {0};

    return write(fd, text, HEADER_SIZE) == HEADER_SIZE && readAll(fd, text, REPLY_SIZE);
}

static void
echoServe(const int *fds, int n)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    char text[REPLY_SIZE] = {0};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < n; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fds[i]};

        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event) < 0)
            die("epoll_ctl");
    }
    for (;;) {
        struct epoll_event events[CLIENTS_MAX];
        int ready = epoll_wait(epoll, events, CLIENTS_MAX, -1);

        for (int i = 0; i < ready; i++) {
            if (!readAll(events[i].data.fd, text, HEADER_SIZE) ||
                write(events[i].data.fd, text, REPLY_SIZE) != REPLY_SIZE)
                _exit(0);
        }
    }
}

/* --- many clients --- */

static void
clientRun(int fd, bool (*once)(int fd), Control *control, Times *times)
{
    for (int i = 0; i < 100; i++) {
        if (!once(fd))
            _exit(1);
    }
    __atomic_add_fetch(&control->ready, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&control->go, __ATOMIC_SEQ_CST))
        usleep(100);
    while (!__atomic_load_n(&control->stop, __ATOMIC_RELAXED) && times->n < TIMES_MAX) {
        uint64_t begin = now_ns();

        if (!once(fd))
            _exit(1);
        times->ns[times->n++] = (uint32_t)(now_ns() - begin);
    }
    _exit(0);
}

static int
compareTimes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void
report(const Times *times, int clients, double seconds)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    for (int i = 0; i < clients; i++)
        g_array_append_vals(all, times[i].ns, (guint)times[i].n);
    if (all->len == 0) {
        fprintf(stderr, "no call was answered\n");
        exit(1);
    }
    g_array_sort(all, compareTimes);
    printf("{\"p50_us\": %.2f, \"p99_us\": %.2f, \"per_s\": %.0f}\n",
           g_array_index(all, uint32_t, all->len / 2) / 1e3,
           g_array_index(all, uint32_t, (guint)(all->len * 0.99)) / 1e3, all->len / seconds);
}

/* fds: one a client. Returns when all have ended. */
static void
clientsRun(const int *fds, int clients, double seconds, bool (*once)(int fd))
{
    Times *times = shared(sizeof(Times) * (size_t)clients);
    Control *control = shared(sizeof(Control));
    uint64_t begin;

    for (int i = 0; i < clients; i++) {
        pid_t pid = fork();

        if (pid < 0)
            die("fork");
        if (pid == 0)
            clientRun(fds[i], once, control, &times[i]);
    }
    while (__atomic_load_n(&control->ready, __ATOMIC_SEQ_CST) < clients)
        usleep(1000);
    __atomic_store_n(&control->go, 1, __ATOMIC_SEQ_CST);
    begin = now_ns();
    usleep((useconds_t)(seconds * 1e6));
    __atomic_store_n(&control->stop, 1, __ATOMIC_SEQ_CST);
    seconds = (double)(now_ns() - begin) / 1e9;
    for (int i = 0; i < clients; i++)
        (void)wait(NULL);
    report(times, clients, seconds);
}

static int
clientsWanted(const char *text)
{
    int clients = atoi(text);

    if (clients < 1 || clients > CLIENTS_MAX) {
        fprintf(stderr, "1 to %d clients\n", CLIENTS_MAX);
        exit(2);
    }
    return clients;
}

static void
commandCalls(char **args)
{
    int clients = clientsWanted(args[1]);
    int fds[CLIENTS_MAX];

    pin(args[3] ? atoi(args[3]) : -1);
    for (int i = 0; i < clients; i++)
        fds[i] = openConnection(args[0]);
    clientsRun(fds, clients, atof(args[2]), callOnce);
}

static void
commandEcho(char **args)
{
    int clients = clientsWanted(args[0]);
    int ours[CLIENTS_MAX];
    int theirs[CLIENTS_MAX];
    pid_t server;

    pin(args[2] ? atoi(args[2]) : -1);
    for (int i = 0; i < clients; i++) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
            die("socketpair");
        ours[i] = pair[0];
        theirs[i] = pair[1];
    }
    server = fork();
    if (server < 0)
        die("fork");
    if (server == 0)
        echoServe(theirs, clients);
    for (int i = 0; i < clients; i++)
        close(theirs[i]);
    /* the server is a child too, and ends last */
    clientsRun(ours, clients, atof(args[1]), echoOnce);
    kill(server, SIGKILL);
}

/* --- files, processes --- */

static void
commandFile(char **args)
{
    g_autofree char *path = g_build_filename(args[0], "bench-file", NULL);
    g_autofree char *temporary = g_strconcat(path, ".new", NULL);
    int times = atoi(args[1]);
    size_t len = (size_t)atol(args[2]);
    g_autofree char *text = g_malloc0(len);
    uint64_t begin = now_ns();

    for (int i = 0; i < times; i++) {
        int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        if (fd < 0 || write(fd, text, len) != (ssize_t)len || fsync(fd) < 0 || close(fd) < 0 ||
            rename(temporary, path) < 0)
            die(temporary);
    }
    printf("{\"each_us\": %.1f}\n", (double)(now_ns() - begin) / 1e3 / times);
    unlink(path);
}

/* As a machine's first process does; where that is slow, who polls for a process's end waits. */
static void
commandReap(char **args)
{
    pid_t pid;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        execvp(args[0], args);
        die(args[0]);
    }
    while (wait(NULL) > 0 || errno == EINTR)
        ;
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int args;
        void (*run)(char **args);
    } commands[] = {{"calls", 3, commandCalls},
                    {"echo", 2, commandEcho},
                    {"file", 3, commandFile},
                    {"reap", 1, commandReap}};

    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (argc >= 2 + commands[i].args && g_str_equal(argv[1], commands[i].name)) {
            commands[i].run(argv + 2);
            return 0;
        }
    }
    fprintf(stderr, "wire calls SOCKET CLIENTS SECONDS [CPU] | echo CLIENTS SECONDS [CPU] | file "
                    "FOLDER TIMES BYTES | reap COMMAND...\n");
    return 2;
}
