/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * example.c: a handler that stands beside a virtward daemon and gives files to guests' users.
 *
 *     cc example.c $(pkg-config --cflags --libs libvirt-internal) -o example
 *     ./example 'qemu:///system?socket=/run/virtward/virtward-sock'
 *
 * With a guest's name behind the URI it starts that guest, and answers the daemon meanwhile: the
 * library has a thread of its own. Else it serves until its standard input ends. Needs CAP_CHOWN
 * and CAP_FOWNER. */
#define _GNU_SOURCE
#define VIR_INTERNAL_UNSTABLE_API_OPT_IN
#include <libvirt/libvirt-internal.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file is a descriptor (O_PATH): nobody can exchange it under us. */
static int
set_owner(const virInternalCall *call, int fd, uid_t uid, gid_t gid, mode_t mode)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    printf("%s: descriptor %d to %u:%u %o\n", call->domain, fd, (unsigned)uid, (unsigned)gid,
           (unsigned)mode);
    fflush(stdout);
    if (uid == 0) {
        virInternalFail(call, "root's files stay root's");
        return -1;
    }
    if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0 || chmod(path, mode) < 0) {
        virInternalFail(call, "%s", strerror(errno));
        return -1;
    }
    return 0;
}

static int
start_guest(virConnectPtr conn, const char *name)
{
    virDomainPtr guest = virDomainLookupByName(conn, name);
    int started = guest ? virDomainCreate(guest) : -1;

    if (guest)
        virDomainFree(guest);
    return started;
}

int
main(int argc, char **argv)
{
    virConnectPtr conn = virConnectOpen(argc > 1 ? argv[1] : NULL);
    char line[16];
    int failed = 0;

    if (!conn)
        return 1; /* the library has said why */
    if (virInternalSetFileSetOwnerHandler(conn, set_owner) < 0) {
        fprintf(stderr, "%s\n", virInternalGetLastError());
        return 1;
    }
    puts("serving");
    fflush(stdout);
    if (argc > 2)
        failed = start_guest(conn, argv[2]) < 0;
    while (argc <= 2 && read(STDIN_FILENO, line, sizeof(line)) > 0)
        continue;
    virInternalClose(conn);
    virConnectClose(conn);
    return failed;
}
