/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgateprobe.c: see virgateprobe.h. The child calls access(2) and _exit(2), nothing else, and
 * where it waits to be moved close(2) and read(2). Like vfork(2)'s it shares the daemon's memory,
 * and the thread that made it waits until it has ended. Its verdicts are the bits of its exit
 * status. Where clone3 is missing (util/virclone.h) it is a plain copy that first joins the group,
 * and where it may not, one that somebody else puts there. */
#include "util/cgroup/virgateprobe.h"

#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/virclone.h"
#include "util/virerror.h"
#include "util/virspawn.h"
#include "util/virutil.h"

/* Nodes that hosts have; the first that a rule names, and the first that none does, are asked. */
static const char *const nodes[] = {"/dev/null", "/dev/zero", "/dev/full",         "/dev/kmsg",
                                    "/dev/mem",  "/dev/port", "/dev/loop-control", "/dev/fuse",
                                    "/dev/tty",  "/dev/ptmx", "/dev/console"};

enum { PROBE_STACK = 16384 };

enum { ALLOWED_FAILED = 1, DENIED_PASSED = 2, CANNOT_TELL = 4, NOT_JOINED = 8 };

/* True if the rules grant nothing at all on the node. */
static bool
virGateProbeIsUnlisted(const GArray *rules, const virDeviceRule *node)
{
    for (size_t i = 0; i < rules->len; i++) {
        const virDeviceRule *rule = &g_array_index(rules, virDeviceRule, i);

        if ((rule->type & node->type) &&
            (rule->major == VIR_DEVICE_ANY || rule->major == node->major) &&
            (rule->minor == VIR_DEVICE_ANY || rule->minor == node->minor))
            return false;
    }
    return true;
}

static bool
virGateProbeIsReadable(const GArray *rules, const virDeviceRule *node)
{
    guint index = 0;

    return g_array_binary_search((GArray *)rules, node, (GCompareFunc)virDeviceRuleCompare,
                                 &index) &&
           (g_array_index(rules, virDeviceRule, index).access & VIR_DEVICE_READ);
}

typedef struct {
    const char *listed;
    const char *unlisted;
} virGateProbeQuestion;

static void
virGateProbeChoose(const GArray *rules, virGateProbeQuestion *question, virDeviceRule *retProbed)
{
    *question = (virGateProbeQuestion){NULL, NULL};
    *retProbed = (virDeviceRule){.access = 0};
    for (size_t i = 0; i < G_N_ELEMENTS(nodes) && !(question->listed && question->unlisted); i++) {
        virDeviceRule node;

        /* What we can't reach ourselves says nothing about the gate. */
        if (virDeviceRuleFromNode(nodes[i], VIR_DEVICE_READ, &node, NULL) !=
                VIR_DEVICE_NODE_FOUND ||
            access(nodes[i], R_OK) < 0)
            continue;
        if (!question->listed && virGateProbeIsReadable(rules, &node)) {
            question->listed = nodes[i];
            *retProbed = node;
        }
        if (!question->unlisted && virGateProbeIsUnlisted(rules, &node))
            question->unlisted = nodes[i];
    }
}

void
virGateProbeRule(const GArray *rules, virDeviceRule *retProbed)
{
    virGateProbeQuestion question;

    virGateProbeChoose(rules, &question, retProbed);
}

/* --- the child --- */

/* Runs in the daemon's memory while the thread that made it waits: nothing may be written but the
 * child's own stack, and errno. */
__attribute__((no_sanitize("address", "undefined"))) static G_GNUC_NORETURN void
virGateProbeChild(const virGateProbeQuestion *question)
{
    int verdict = 0;

    if (question->listed && access(question->listed, R_OK) < 0)
        verdict |= errno == EPERM ? ALLOWED_FAILED : CANNOT_TELL;
    if (question->unlisted && access(question->unlisted, R_OK) == 0)
        verdict |= DENIED_PASSED;
    _exit(verdict);
}

/* clone3 with a child that begins in virGateProbeChild on a stack of its own. There is no C
 * function for that: one that returned in the child would return into its parent's frames. Where
 * the few instructions aren't known, the child is a plain copy, which costs the daemon's page
 * tables. */
static long
virGateProbeClone(struct clone_args *args, const virGateProbeQuestion *question)
{
#if defined(__x86_64__)
    register void (*run)(const virGateProbeQuestion *) __asm__("r8") = virGateProbeChild;
    register const virGateProbeQuestion *asked __asm__("r9") = question;
    long pid;

    args->flags |= CLONE_VM | CLONE_VFORK;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%r9, %%rdi\n\t"
                     "call *%%r8\n\t"
                     "hlt\n"
                     "1:"
                     : "=a"(pid)
                     : "0"((long)SYS_clone3), "D"(args), "S"(sizeof(*args)), "r"(run), "r"(asked)
                     : "rcx", "r11", "memory");
    if (pid < 0)
        errno = (int)-pid;
    return pid;
#elif defined(__aarch64__)
    register struct clone_args *x0 __asm__("x0") = args;
    register size_t x1 __asm__("x1") = sizeof(*args);
    register long x8 __asm__("x8") = SYS_clone3;
    register void (*run)(const virGateProbeQuestion *) __asm__("x9") = virGateProbeChild;
    register const virGateProbeQuestion *asked __asm__("x10") = question;
    long pid;

    args->flags |= CLONE_VM | CLONE_VFORK;
    __asm__ volatile("svc #0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x29, xzr\n\t"
                     "mov x0, x10\n\t"
                     "blr x9\n\t"
                     "brk #1\n"
                     "1:"
                     : "+r"(x0)
                     : "r"(x1), "r"(x8), "r"(run), "r"(asked)
                     : "x30", "memory", "cc");
    pid = (long)x0;
    if (pid < 0)
        errno = (int)-pid;
    return pid;
#else
    long pid;

    args->stack = args->stack_size = 0;
    pid = syscall(SYS_clone3, args, sizeof(*args));
    if (pid == 0)
        virGateProbeChild(question);
    return pid;
#endif
}

/* Without clone3: the child joins the group itself. One that can't has no verdict. */
static long
virGateProbeClonePlain(int groupFd, int *retPidfd, const virGateProbeQuestion *question)
{
    VIR_AUTOCLOSE procsFd = virCloneOpenProcs(groupFd);
    long pid = procsFd < 0 ? -1 : virClonePlain(retPidfd);

    if (pid == 0 && write(procsFd, "0", 1) == 1)
        virGateProbeChild(question);
    if (pid == 0)
        _exit(NOT_JOINED);
    return pid;
}

/* The child goes on when it was moved, and ends without a verdict if it can't be, or if there is
 * nobody any more to tell it. */
static G_GNUC_NORETURN void
virGateProbeWait(int goFd, int parentFd, const virGateProbeQuestion *question)
{
    char go = 0;

    (void)close(parentFd); /* else it would wait for itself */
    if (read(goFd, &go, 1) == 1 && go)
        virGateProbeChild(question);
    _exit(NOT_JOINED);
}

static bool
virGateProbeRunMoved(const virGateMover *mover, const virGateProbeQuestion *question,
                     int *retStatus, GError **error)
{
    VIR_AUTOCLOSE pidfd = -1;
    VIR_AUTOCLOSE childFd = -1;
    VIR_AUTOCLOSE ownFd = -1;
    int pair[2];
    char go;
    long pid;
    bool told;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return virErrorErrno(error, _("cannot create a process to ask the device gate"));
    childFd = pair[0];
    ownFd = pair[1];
    pid = virClonePlain(&pidfd);
    if (pid == 0)
        virGateProbeWait(childFd, ownFd, question);
    if (pid < 0)
        return virErrorErrno(error, _("cannot create a process to ask the device gate"));
    go = mover->move(pidfd, mover->opaque, error);
    told = send(ownFd, &go, 1, MSG_NOSIGNAL) == 1;
    return virSpawnReap(pidfd, retStatus, go ? error : NULL) && go &&
           (told || virErrorErrno(error, _("cannot create a process to ask the device gate")));
}

static bool
virGateProbeRun(int groupFd, const virGateProbeQuestion *question, int *retStatus, GError **error)
{
    VIR_AUTOCLOSE pidfd = -1;
    char stack[PROBE_STACK] __attribute__((aligned(16)));
    struct clone_args args = {
        .flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP,
        .pidfd = (uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
        .stack = (uintptr_t)stack,
        .stack_size = sizeof(stack),
        .cgroup = (uint64_t)groupFd,
    };
    sigset_t all;
    sigset_t before;
    long pid;
    int errnum;

    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = virGateProbeClone(&args, question);
    if (pid < 0 && errno == ENOSYS)
        pid = virGateProbeClonePlain(groupFd, &pidfd, question);
    errnum = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return virErrorErrnoValue(error, errnum, _("cannot create a process in the control group"));
    return virSpawnReap(pidfd, retStatus, error);
}

bool
virGateProbe(int groupFd, const GArray *rules, virGateMode mode, const virGateMover *mover,
             virDeviceRule *retProbed, GError **error)
{
    virGateProbeQuestion question;
    int status = 0;

    virGateProbeChoose(rules, &question, retProbed);
    if (mode == VIR_GATE_PERMISSIVE)
        question.unlisted = NULL;
    if (!question.listed && !question.unlisted)
        return true;
    if (!virGateProbeRun(groupFd, &question, &status, mover ? NULL : error) &&
        (!mover || !virGateProbeRunMoved(mover, &question, &status, error)))
        return false;
    if (WIFEXITED(status) && (WEXITSTATUS(status) & NOT_JOINED))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("a process to ask the device gate cannot join its control group"));
    if (WIFEXITED(status) && (WEXITSTATUS(status) & DENIED_PASSED))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("the device gate lets '%s' pass, which no rule allows"),
                           question.unlisted);
    if (WIFEXITED(status) && (WEXITSTATUS(status) & ALLOWED_FAILED))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("the device gate denies '%s', which a rule allows"), question.listed);
    return true;
}
