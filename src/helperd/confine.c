/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * confine.c: see confine.h. A call that is missing in the lists is refused, not fatal: whoever
 * needs it says so in words. */
#include "helperd/confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if WITH_SECCOMP
#include <seccomp.h>
#endif

#include "helperd/operations.h"
#include "util/virerror.h"
#include "util/virutil.h"

/* What this process has not got is said, and refused by the kernel when it is asked for. */
static void
keepCapability(const char *hook, const uint32_t *had, int cap)
{
    if (cap < 64 && had[cap / 32] >> cap % 32 & 1)
        (void)capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
                           (unsigned)cap); /* fails for numbers that don't exist only */
    else
        fprintf(stderr, "virtward-helperd: %s: this process lacks the capability %s\n", hook,
                capng_capability_to_name((unsigned)cap));
}

/* caps: ended by -1. */
static void
keepCapabilitiesOf(const char *hook, const uint32_t *had, const int *caps)
{
    for (; *caps >= 0; caps++)
        keepCapability(hook, had, *caps);
}

static bool
keepCapabilities(const helperPolicy *policy, GError **error)
{
    uint32_t had[2] = {0, 0};

    for (unsigned cap = 0; cap < 64; cap++) {
        if (capng_have_capability(CAPNG_PERMITTED, cap))
            had[cap / 32] |= UINT32_C(1) << cap % 32;
    }
    capng_clear(CAPNG_SELECT_BOTH);
    for (const helperOperation *one = helperOperations; one->hook; one++) {
        if (!helperPolicyServes(policy, one->hook))
            continue;
        keepCapabilitiesOf(one->hook, had, one->capabilities);
        if (one->also.key &&
            helperPolicyWord(policy, one->hook, one->also.key, one->also.word, NULL))
            keepCapabilitiesOf(one->hook, had, one->also.capabilities);
    }
    if (helperPolicyOtherUsers(policy) && (had[0] & CAP_TO_MASK(CAP_DAC_OVERRIDE)))
        (void)capng_update(CAPNG_ADD, CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
                           CAP_DAC_OVERRIDE); /* not in effect: helperConfineReach */
    if (capng_apply(CAPNG_SELECT_BOTH) < 0)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("cannot drop capabilities: virtward-helperd is to be run as root"));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return virErrorErrno(error, _("cannot give up new privileges"));
    return true;
}

/* The sanitizers' own calls are nobody's to list. */
#if defined(__SANITIZE_ADDRESS__)
#define FILTERS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FILTERS 0
#endif
#endif
#ifndef FILTERS
#define FILTERS WITH_SECCOMP
#endif

#if FILTERS

/* Of every helper: its channel, its threads, looking at descriptors and policy, memory, its end. */
static const char *const base[] = {"access",
                                   "brk",
                                   "clock_gettime",
                                   "clock_nanosleep",
                                   "close",
                                   "connect",
                                   "dup",
                                   "dup3",
                                   "exit",
                                   "exit_group",
                                   "faccessat",
                                   "faccessat2",
                                   "fcntl",
                                   "fstat",
                                   "fstatfs",
                                   "futex",
                                   "getdents64",
                                   "geteuid",
                                   "getegid",
                                   "getgid",
                                   "getpid",
                                   "getrandom",
                                   "getsockopt",
                                   "gettid",
                                   "gettimeofday",
                                   "getuid",
                                   "kcmp",
                                   "lseek",
                                   "lstat",
                                   "madvise",
                                   "mmap",
                                   "mprotect",
                                   "mremap",
                                   "munmap",
                                   "newfstatat",
                                   "open",
                                   "openat",
                                   "openat2",
                                   "pidfd_open",
                                   "poll",
                                   "ppoll",
                                   "pread64",
                                   "read",
                                   "readlink",
                                   "readlinkat",
                                   "readv",
                                   "recvfrom",
                                   "recvmsg",
                                   "restart_syscall",
                                   "rseq",
                                   "rt_sigaction",
                                   "rt_sigprocmask",
                                   "rt_sigreturn",
                                   "sched_getaffinity",
                                   "sched_yield",
                                   "sendmsg",
                                   "sendto",
                                   "set_robust_list",
                                   "set_tid_address",
                                   "sigaltstack",
                                   "stat",
                                   "statfs",
                                   "statx",
                                   "sysinfo",
                                   "tgkill",
                                   "uname",
                                   "write",
                                   "writev",
                                   "getpriority",
                                   "membarrier",
                                   "sched_getparam",
                                   "getrlimit",
                                   "sched_getscheduler",
                                   NULL};

/* To reach the sockets of other users. */
static const char *const reach[] = {"capget", "capset", NULL};

static const char *const makers[] = {"clone", "clone3", "vfork", "waitid", "wait4", NULL};

/* Of an operation besides; an operation without a row makes no others. */
static const struct {
    const char *hook;
    bool processes; /* it makes processes, not only threads */
    const char *calls[20];
} own[] = {
    {"memlock.set", false, {"prlimit64"}},
    {"sched.set", false, {"sched_setscheduler", "sched_getscheduler", "sched_getparam"}},
    {"affinity.set", false, {"sched_setaffinity", "sched_getaffinity"}},
    {"barrier", false, {"sched_setaffinity", "sched_getaffinity"}},
    {"cgroup.create", false, {"mkdirat", "unlinkat", "fchownat"}},
    {"cgroup.remove", false, {"unlinkat", "pidfd_send_signal"}},
    {"mount.apply",
     true,
     {"setns", "ioctl", "fsopen", "fsconfig", "fsmount", "open_tree", "move_mount", "mkdirat",
      "mknodat", "symlinkat", "fchownat", "chmod"}},
    {"own.set", false, {"fchownat", "chmod"}},
    {"node.create", false, {"mknodat", "fchownat", "chmod"}},
    {"gate.create", false, {"bpf"}},
    {"gate.update", false, {"bpf"}},
    {"gate.replace", false, {"bpf"}},
    {"gate.remove", false, {"bpf"}},
    {"device.open",
     false,
     {"socket", "setns", "fsopen", "fsconfig", "fsmount", "mknodat", "bind", "getsockname",
      "setsockopt"}},
    {"tap.create",
     false,
     {"socket", "setns", "ioctl", "bind", "getsockname", "setsockopt", "fsopen", "fsconfig",
      "fsmount", "mknodat"}},
    {"tap.remove", false, {"socket", "setns", "ioctl", "bind", "getsockname", "setsockopt"}},
    {"net.attach", false, {"socket", "setns", "ioctl", "bind", "getsockname", "setsockopt"}},
    {"net.detach", false, {"socket", "setns", "ioctl", "bind", "getsockname", "setsockopt"}},
    {"net.bandwidth", false, {"socket", "setns", "ioctl", "bind", "getsockname", "setsockopt"}},
    {"net.set", false, {"socket", "setns", "ioctl", "bind", "getsockname", "setsockopt"}},
};

static bool
allow(scmp_filter_ctx filter, const char *const *names)
{
    for (; *names; names++) {
        int number = seccomp_syscall_resolve_name(*names);

        /* Not every architecture has each of them. */
        if (number != __NR_SCMP_ERROR && number >= 0 &&
            seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0) < 0)
            return false;
    }
    return true;
}

/* A socket for the channel, and a name for a thread; what else these calls can do is nobody's. */
static bool
allowNarrow(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                            SCMP_A0(SCMP_CMP_EQ, AF_UNIX)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                            SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME)) == 0;
}

/* Threads, but no processes; clone3's flags can't be seen, so libraries are sent to clone. */
static bool
allowThreads(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

static bool
fillFilter(scmp_filter_ctx filter, const helperPolicy *policy)
{
    bool processes = false;

    for (size_t i = 0; i < G_N_ELEMENTS(own); i++) {
        if (!helperPolicyServes(policy, own[i].hook))
            continue;
        processes |= own[i].processes;
        if (!allow(filter, own[i].calls))
            return false;
    }
    return allow(filter, base) && allowNarrow(filter) &&
           (!helperPolicyOtherUsers(policy) || allow(filter, reach)) &&
           (processes ? allow(filter, makers) : allowThreads(filter));
}

static bool
keepCalls(const helperPolicy *policy, GError **error)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    bool loaded = filter && fillFilter(filter, policy) && seccomp_load(filter) == 0;

    if (filter)
        seccomp_release(filter);
    return loaded || virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                                 _("cannot set the filter of system calls (seccomp)"));
}

#else

static bool
keepCalls(const helperPolicy *policy, GError **error)
{
    return true;
}

#endif

bool
helperConfine(const helperPolicy *policy, GError **error)
{
    return keepCapabilities(policy, error) && keepCalls(policy, error);
}

bool
helperConfineReach(const helperPolicy *policy, bool on)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    uint32_t *set = &data[CAP_TO_INDEX(CAP_DAC_OVERRIDE)].effective;
    bool had;

    if (!helperPolicyOtherUsers(policy) || syscall(SYS_capget, &head, data) < 0)
        return false;
    had = *set & CAP_TO_MASK(CAP_DAC_OVERRIDE);
    *set = on ? *set | CAP_TO_MASK(CAP_DAC_OVERRIDE) : *set & ~CAP_TO_MASK(CAP_DAC_OVERRIDE);
    return had != on && syscall(SYS_capset, &head, data) == 0;
}
