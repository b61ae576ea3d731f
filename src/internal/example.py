#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""example.py [URI]: a handler in python3-libvirt's own event loop.

Does own.set, memlock.set and sched.set for every guest of a virtward daemon, and prints a line a
call, and one an event of a guest: both come from the same loop. Ends when the daemon does, or with
SIGTERM. Needs CAP_CHOWN, CAP_FOWNER, CAP_SYS_RESOURCE and CAP_SYS_NICE for what it is asked to do."""

import os
import resource
import signal
import sys

import libvirt
import libvirt_internal

RUNNING = [True]


def pid_of(pidfd):
    """The process behind a pidfd, as the kernel says; -1 if it has ended."""
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as info:
        return next(int(line.split()[1]) for line in info if line.startswith("Pid:"))


def own_set(call, request):
    file = f"/proc/self/fd/{request.fd(0)}"
    if request["uid"] == 0:
        raise PermissionError("nothing is given to root")
    os.chown(file, request["uid"], request["gid"])
    os.chmod(file, request["mode"])
    print(f"own.set {call.domain.decode()} {request['uid']}:{request['gid']}", flush=True)


def memlock_set(call, request):
    resource.prlimit(pid_of(request.fd(0)), resource.RLIMIT_MEMLOCK, (request["soft"], request["hard"]))
    print(f"memlock.set {call.domain.decode()} {request['soft']}", flush=True)


def sched_set(call, request):
    _, fds, _, tids = request.threads()
    for tid in map(pid_of, fds) if fds else tids:
        os.sched_setscheduler(tid, request["policy"], os.sched_param(request["priority"]))
    print(f"sched.set {call.domain.decode()} {len(tids)} threads", flush=True)


def on_input(_watch, _fd, _events, session):
    try:
        session.dispatch()
    except libvirt_internal.Error as why:
        print(why, flush=True)
        RUNNING[0] = False


def on_event(_conn, domain, event, _detail, _opaque):
    print(f"event {domain.name()} {event}", flush=True)


def main():
    libvirt.virEventRegisterDefaultImpl()
    conn = libvirt.open(sys.argv[1] if len(sys.argv) > 1 else "qemu:///system")
    session = libvirt_internal.Session(conn)
    for hook, function in (("own.set", own_set), ("memlock.set", memlock_set), ("sched.set", sched_set)):
        session.register(hook, function)
    libvirt.virEventAddHandle(session.fileno(), libvirt.VIR_EVENT_HANDLE_READABLE, on_input, session)
    conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, on_event, None)
    signal.signal(signal.SIGTERM, lambda *_: RUNNING.__setitem__(0, False))
    libvirt.virEventAddTimeout(1000, lambda *_: None, None)  # so that Python sees its signals
    print("serving", flush=True)
    while RUNNING[0]:
        libvirt.virEventRunDefaultImpl()


if __name__ == "__main__":
    main()
