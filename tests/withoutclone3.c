/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * withoutclone3.c: runs a program for which clone3(2) is missing, as under a container's profile.
 *
 *     withoutclone3 PROGRAM [ARGUMENT …]
 *
 * The filter is inherited by all that the program starts. Fails at once if clone3 is there
 * nevertheless. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
filter(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(rules) / sizeof(rules[0]), rules};

    /* A program without rights may filter itself only if it can't gain any. */
    if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int
main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: withoutclone3 PROGRAM [ARGUMENT ...]\n");
        return 2;
    }
    if (filter() < 0) {
        perror("withoutclone3: cannot filter system calls");
        return 1;
    }
    /* Without the filter these arguments are refused with EINVAL. */
    if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS) {
        fprintf(stderr, "withoutclone3: clone3 is not filtered\n");
        return 1;
    }
    execv(argv[1], argv + 1);
    perror(argv[1]);
    return 127;
}
