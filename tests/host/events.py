#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""events.py VIRTWARDD [ROUNDS]: a guest's life seen from python3-libvirt with an event loop of its own.

The client registers its own loop (one thread, poll), opens, defines, starts, suspends, resumes, ends
and undefines a guest ROUNDS times (3), and must be told just that in just that order; the same of the
distribution's libvirtd if it is there. Skipped (exit 77) without root, QEMU or python3-libvirt."""

import os
import pathlib
import select
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "wire"))
import daemon  # noqa: E402 (beside the wire tests)
import peer  # noqa: E402

try:
    import libvirt
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

USER = "virtward-qemu"
DEADLINE = 60
GUEST = """<domain type='qemu'><name>events</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os><devices><memballoon model='none'/></devices></domain>"""
KINDS = ["Defined", "Undefined", "Started", "Suspended", "Resumed", "Stopped", "Shutdown",
         "PMSuspended", "Crashed"]


class Loop:
    """What libvirt needs of an event loop, over poll(2); all in the thread that calls turn()."""

    def __init__(self):
        self.handles, self.timers, self.gone, self.last = {}, {}, [], 0
        libvirt.virEventRegisterImpl(self.add_handle, self.update_handle, self.remove_handle,
                                     self.add_timer, self.update_timer, self.remove_timer)

    def number(self):
        self.last += 1
        return self.last

    def add_handle(self, fd, events, callback, opaque):
        watch = self.number()
        self.handles[watch] = [fd, events, callback, opaque]
        return watch

    def update_handle(self, watch, events):
        self.handles[watch][1] = events

    def remove_handle(self, watch):
        self.gone.append(self.handles.pop(watch)[3])
        return 0

    def add_timer(self, interval, callback, opaque):
        timer = self.number()
        self.timers[timer] = [interval, time.monotonic(), callback, opaque]
        return timer

    def update_timer(self, timer, interval):
        self.timers[timer][:2] = interval, time.monotonic()

    def remove_timer(self, timer):
        self.gone.append(self.timers.pop(timer)[3])
        return 0

    def turn(self, wait_ms):
        while self.gone:  # never from within its own callback
            libvirt.virEventInvokeFreeCallback(self.gone.pop())
        poll, bits = select.poll(), [(libvirt.VIR_EVENT_HANDLE_READABLE, select.POLLIN),
                                     (libvirt.VIR_EVENT_HANDLE_WRITABLE, select.POLLOUT),
                                     (libvirt.VIR_EVENT_HANDLE_ERROR, select.POLLERR),
                                     (libvirt.VIR_EVENT_HANDLE_HANGUP, select.POLLHUP)]
        for fd, events, _, _ in self.handles.values():
            poll.register(fd, sum(bit for ours, bit in bits if events & ours))
        now = time.monotonic()
        due = [max(0, start + interval / 1000 - now) * 1000
               for interval, start, _, _ in self.timers.values() if interval >= 0]
        ready = dict(poll.poll(min([wait_ms] + due)))
        for watch, (fd, _, callback, opaque) in list(self.handles.items()):
            if fd in ready and watch in self.handles:
                events = sum(ours for ours, bit in bits if ready[fd] & bit)
                callback(watch, fd, events, opaque)
        for timer, (interval, start, callback, opaque) in list(self.timers.items()):
            if timer in self.timers and 0 <= interval <= (time.monotonic() - start) * 1000:
                self.timers[timer][1] = time.monotonic()
                callback(timer, opaque)


def told(conn, dom, event, detail, seen):
    if KINDS[event] != "Shutdown":  # a QEMU that is killed may or may not get to say so
        seen.append((dom.name(), KINDS[event], detail))


def life(conn):
    dom = conn.defineXML(GUEST)
    dom.create()
    dom.suspend()
    dom.resume()
    dom.destroy()
    dom.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    dom.destroy()
    dom.undefine()


def watch(loop, uri, rounds):
    """What is told of so many lives."""
    seen = []
    conn = libvirt.open(uri)
    token = conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, told, seen)
    for _ in range(rounds):
        life(conn)
    deadline = time.monotonic() + DEADLINE
    while sum(kind == "Undefined" for _, kind, _ in seen) < rounds:
        assert time.monotonic() < deadline, f"not all was told: {seen}"
        loop.turn(1000)
    conn.domainEventDeregisterAny(token)
    conn.close()
    return seen


def tuned(loop, uri):
    """What is told of a running guest's changed limits."""
    seen = []
    conn = libvirt.open(uri)
    token = conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_TUNABLE,
                                        lambda _conn, _dom, params, _opaque: seen.append(params), None)
    dom = conn.createXML(GUEST, libvirt.VIR_DOMAIN_START_PAUSED)
    try:
        dom.pinVcpu(0, (True,))
        dom.pinEmulator((True,))
        deadline = time.monotonic() + DEADLINE
        while len(seen) < 2:
            assert time.monotonic() < deadline, f"not all was told: {seen}"
            loop.turn(1000)
    finally:
        dom.destroy()
    conn.domainEventDeregisterAny(token)
    conn.close()
    return seen


TUNED = [{"cputune.vcpupin0": "0"}, {"cputune.emulatorpin": "0"}]


def expected(rounds):
    run = [("Defined", 0), ("Resumed", 0), ("Started", 0), ("Suspended", 0), ("Resumed", 0),
           ("Stopped", 1), ("Started", 0), ("Suspended", 0), ("Stopped", 1), ("Undefined", 0)]
    return [("events", kind, detail) for kind, detail in run * rounds]


def main(argv):
    rounds = int(argv[2]) if len(argv) > 2 else 3
    if os.geteuid() != 0 or not shutil.which("qemu-system-x86_64"):
        print("no root or no qemu-system-x86_64: skipped")
        return 77
    loop = Loop()
    with tempfile.TemporaryDirectory(prefix="vw-", dir="/tmp") as name:
        os.chmod(name, 0o755)
        with daemon.running(argv[1], config=f'user = "{USER}"\n',
                            prepare=lambda root: root.chmod(0o755)) as own:
            ours = watch(loop, f"qemu:///system?socket={own.rw}", rounds)
            limits = tuned(loop, f"qemu:///system?socket={own.rw}")
        assert ours == expected(rounds), f"told: {ours}"
        assert limits == TUNED, f"told: {limits}"
        if peer.LIBVIRTD:
            with peer.running(pathlib.Path(name) / "peer", USER) as other:
                theirs = watch(loop, other.uri, 1)
                limits = tuned(loop, other.uri)
            assert theirs == expected(1), f"libvirtd tells: {theirs}"
            assert limits == TUNED, f"libvirtd tells: {limits}"
    print(f"{len(ours)} events of {rounds} lives in libvirtd's order")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
