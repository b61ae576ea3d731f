/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virspawn.h: start a program with exactly the rights, limits, folders and descriptors named here.
 *
 * A forked child of a daemon with threads may call nothing that takes a lock. So clone3(2),
 * straight into the control group where one is given, only execs libexec/virtward-spawn; that reads
 * the request from a descriptor, sets everything up, closes every other descriptor and execs the
 * program. Success is the program's exec, not a child's promise; an error names the step that
 * failed. Nothing is inherited that isn't in the request: not the environment, not the signal mask.
 *
 * Any thread, without the core lock: it waits for the exec (some milliseconds), with a deadline.
 * What needs a right (another uid, a raised limit) needs it in the daemon; the daemon asks for
 * those through delegate/. Facts: clone3(2), unix(7), pidfd_open(2). */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* A descriptor of ours and the number it gets in the program; 0, 1 and 2 are allowed and go before
 * stdinFd and so on. Targets must differ. */
typedef struct {
    int fd;
    int target;
} virSpawnFd;

typedef struct {
    int resource; /* RLIMIT_... */
    struct rlimit limit;
} virSpawnLimit;

/* A node of the private /dev: path below /dev, and what it is. */
typedef struct {
    const char *name;
    mode_t mode; /* S_IFCHR or S_IFBLK with permissions */
    dev_t device;
    uid_t uid;
    gid_t gid;
} virSpawnNode;

#define VIR_SPAWN_KEEP_ID ((uid_t)-1)

typedef struct virSpawnHeld virSpawnHeld;

/* Begin with VIR_SPAWN_REQUEST_INIT, then set what is wanted. All is borrowed until virSpawn
 * returns, but for held. */
typedef struct {
    virSpawnHeld *held;      /* NULL: a new process; else this one, taken over (virSpawnHold) */
    const char *const *argv; /* argv[0] is the absolute path of the program */
    const char *const *env;  /* "NAME=value"; NULL: empty */
    const char *cwd;         /* NULL: "/" */

    int cgroupFd;       /* folder of a v2 group to be born in; -1: ours */
    const int *joinFds; /* v1: cgroup.procs of groups to join first (virCgroupOpenJoins) */
    size_t njoinFds;

    uid_t uid; /* VIR_SPAWN_KEEP_ID: identity, groups and capabilities stay as we have them */
    gid_t gid;
    const gid_t *groups; /* supplementary ones */
    size_t ngroups;
    uint64_t keepCaps; /* with a uid: bits (1 << CAP_...) that the program has, as ambient ones; all
                        * others are gone, also from its bounding set */

    const virSpawnLimit *limits;
    size_t nlimits;
    bool setOomScoreAdj;
    int oomScoreAdj;
    mode_t umask; /* default 0077 */

    const virSpawnFd *fds;
    size_t nfds;
    int stdinFd;  /* -1: /dev/null */
    int stdoutFd; /* -1: /dev/null; the log file of a guest goes here and to stderrFd */
    int stderrFd;

    bool newSession;    /* setsid(2) */
    bool noNewPrivs;    /* default true */
    bool dieWithParent; /* SIGKILL when the thread that started it ends: for programs that are
                         * of no use to the next daemon */
    const virSpawnNode *nodes; /* not NULL: a mount namespace with a /dev of these alone */
    size_t nnodes;
    bool mountNodes; /* the host's nodes are mounted there; else only if they can't be made */

    bool ownMounts; /* a mount namespace of its own, for prepare to fill; who may not make one gets
                     * it in a user namespace where only this user is, without any right there */

    /* Called when the process is in its groups and still has our rights, and waits: what has to be
     * done to it from outside before it becomes the program. False: it never does. NULL: nothing.
     */
    bool (*prepare)(pid_t pid, int pidfd, void *opaque, GError **error);
    void *prepareOpaque;

    unsigned timeout_ms; /* for the exec, but for prepare's time; 0: 30 s */
} virSpawnRequest;

#define VIR_SPAWN_REQUEST_INIT                                                                     \
    {                                                                                              \
        .cgroupFd = -1, .uid = VIR_SPAWN_KEEP_ID, .gid = VIR_SPAWN_KEEP_ID, .umask = 0077,         \
        .stdinFd = -1, .stdoutFd = -1, .stderrFd = -1, .noNewPrivs = true,                         \
    }

typedef struct {
    pid_t pid;
    int pidfd; /* readable when it ends; the caller closes it */
} virSpawnResult;

/* Sets where virtward-spawn is; default: the build's libexec folder, or for a program run from its
 * build folder the one beside it. Once, before threads. */
void virSpawnSetHelper(const char *path);

/* A process that waits to be told what to become, for whoever must know its number first (systemd).
 * It is in our control group until it is moved, does nothing, and ends when it is freed or the
 * daemon ends. The request that takes it over has no cgroupFd and no dieWithParent. */
virSpawnHeld *virSpawnHold(GError **error);
pid_t virSpawnHeldPid(const virSpawnHeld *held);
/* Borrowed. */
int virSpawnHeldPidfd(const virSpawnHeld *held);
void virSpawnHeldFree(virSpawnHeld *held);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virSpawnHeld, virSpawnHeldFree)

/* Starts the program. False: nothing of it runs, and it is reaped. */
bool virSpawn(const virSpawnRequest *request, virSpawnResult *retResult, GError **error);

/* How a child of ours ended; waits for it. status is wait(2)'s. Only for pidfds of virSpawn, once
 * each. EINTR is handled. */
bool virSpawnReap(int pidfd, int *retStatus, GError **error);
/* "exit status 3", "signal 9 (Killed)". Caller frees. */
char *virSpawnStatusText(int status);

/* Runs the program to its end with both outputs captured (at most max_output bytes each, 0: 16 MiB;
 * more is an error). request's stdoutFd and stderrFd are ours here and must be -1. After timeout_ms
 * the program is killed and VIR_ERR_OPERATION_TIMEOUT names it and the seconds. Outputs are NUL
 * terminated and may be NULL; with retStatus NULL an end other than exit 0 is an error that carries
 * the last line of stderr. */
bool virSpawnRun(const virSpawnRequest *request, unsigned timeout_ms, size_t max_output,
                 char **retStdout, char **retStderr, int *retStatus, GError **error);
