/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgateprobe.c: see virgateprobe.h. The child calls access(2) and _exit(2), nothing else, so it
 * may be a plain clone of a daemon with threads. Its verdicts are the bits of its exit status. */
#include "util/cgroup/virgateprobe.h"

#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virspawn.h"
#include "util/virutil.h"

/* Nodes that hosts have; the first that a rule names, and the first that none does, are asked. */
static const char *const nodes[] = {"/dev/null", "/dev/zero", "/dev/full",         "/dev/kmsg",
                                    "/dev/mem",  "/dev/port", "/dev/loop-control", "/dev/fuse",
                                    "/dev/tty",  "/dev/ptmx", "/dev/console"};

enum { ALLOWED_FAILED = 1, DENIED_PASSED = 2, CANNOT_TELL = 4 };

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
    for (size_t i = 0; i < rules->len; i++) {
        const virDeviceRule *rule = &g_array_index(rules, virDeviceRule, i);

        if ((rule->access & VIR_DEVICE_READ) && virDeviceRuleCompare(rule, node) == 0)
            return true;
    }
    return false;
}

static void
virGateProbeChoose(const GArray *rules, const char **retListed, const char **retUnlisted)
{
    *retListed = *retUnlisted = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(nodes); i++) {
        virDeviceRule node;

        /* What we can't reach ourselves says nothing about the gate. */
        if (virDeviceRuleFromNode(nodes[i], VIR_DEVICE_READ, &node, NULL) !=
                VIR_DEVICE_NODE_FOUND ||
            access(nodes[i], R_OK) < 0)
            continue;
        if (!*retListed && virGateProbeIsReadable(rules, &node))
            *retListed = nodes[i];
        if (!*retUnlisted && virGateProbeIsUnlisted(rules, &node))
            *retUnlisted = nodes[i];
    }
}

static G_GNUC_NORETURN void
virGateProbeChild(const char *listed, const char *unlisted)
{
    int verdict = 0;

    if (listed && access(listed, R_OK) < 0)
        verdict |= errno == EPERM ? ALLOWED_FAILED : CANNOT_TELL;
    if (unlisted && access(unlisted, R_OK) == 0)
        verdict |= DENIED_PASSED;
    _exit(verdict);
}

static bool
virGateProbeRun(int groupFd, const char *listed, const char *unlisted, int *retStatus,
                GError **error)
{
    VIR_AUTOCLOSE pidfd = -1;
    struct clone_args args = {
        .flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP,
        .pidfd = (uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
        .cgroup = (uint64_t)groupFd,
    };
    sigset_t all;
    sigset_t before;
    long pid;
    int errnum;

    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = syscall(SYS_clone3, &args, sizeof(args));
    if (pid == 0)
        virGateProbeChild(listed, unlisted);
    errnum = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return virErrorErrnoValue(error, errnum, _("cannot create a process in the control group"));
    return virSpawnReap(pidfd, retStatus, error);
}

bool
virGateProbe(int groupFd, const GArray *rules, virGateMode mode, GError **error)
{
    const char *listed;
    const char *unlisted;
    int status = 0;

    virGateProbeChoose(rules, &listed, &unlisted);
    if (mode == VIR_GATE_PERMISSIVE)
        unlisted = NULL;
    if (!listed && !unlisted)
        return true;
    if (!virGateProbeRun(groupFd, listed, unlisted, &status, error))
        return false;
    if (WIFEXITED(status) && (WEXITSTATUS(status) & DENIED_PASSED))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("the device gate lets '%s' pass, which no rule allows"), unlisted);
    if (WIFEXITED(status) && (WEXITSTATUS(status) & ALLOWED_FAILED))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                           _("the device gate denies '%s', which a rule allows"), listed);
    return true;
}
