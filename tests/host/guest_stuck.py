#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A QEMU that is stopped with SIGSTOP harms nobody else.

    guest_stuck.py VIRTWARDD

Beside it the others answer as before, by the clock; its own queries are answered from memory; what
changes it fails by the deadline, which the configuration makes short here, naming command and seconds;
destroy ends it. Nor does anybody wait for a status file that takes long to be written. Skipped (exit 77)
where that can't be.
"""
import os
import signal
import statistics
import subprocess
import sys
import threading
import time

import guests

DEADLINE_S = 2
CONFIG = f"monitor_timeout = {DEADLINE_S}\n"
QUERIES = 20


def timed(host, *command):
    begin = time.monotonic()
    host.virsh(*command)
    return time.monotonic() - begin


def measure(host):
    """Medians of what other guests are asked, in ms."""
    return {" ".join(command): 1000 * statistics.median(timed(host, *command) for _ in range(QUERIES))
            for command in (["domstate", "fine"], ["list", "--all"], ["dominfo", "fine"],
                            ["qemu-monitor-command", "fine", '{"execute":"query-status"}'])}


def run(host):
    for name in ("fine", "stuck"):
        host.define(name)
        host.virsh("start", name, "--paused")
    check_slow_disk(host)
    free = measure(host)
    pid = host.pid("stuck")
    os.kill(pid, signal.SIGSTOP)
    waiting = threading.Thread(target=host.run, args=("resume", "stuck"))
    waiting.start()  # it holds the guest's job until the deadline
    hung = measure(host)
    waiting.join()
    for command, before in free.items():
        print(f"{command:60} {before:6.1f} ms, {hung[command]:6.1f} ms beside a stuck guest")
        assert hung[command] < 3 * before + 50, f"{command} waits for the stuck guest"
    check_queries(host)
    check_change(host)
    host.virsh("define", host.write("other"))  # and the world goes on
    host.virsh("destroy", "stuck")
    assert host.state("stuck") == "shut off (destroyed)"
    assert not guests.alive(pid)
    check_restart(host)
    host.virsh("destroy", "fine")
    assert not host.left_of_guests()
    host.end()


def check_slow_disk(host):
    """While its status file can't be written a guest is resumed and suspended as ever."""
    status = host.status("fine")
    pipe = status.with_name(status.name + ".new")
    os.mkfifo(pipe)  # who writes it waits for a reader
    for _ in range(3):
        for command in ("resume", "suspend"):
            assert timed(host, command, "fine") < guests.STEP_S / 2, f"{command} waits for a file"
    pipe.read_bytes()
    guests.until(lambda: status.is_file() and b"state='paused' reason='user'" in status.read_bytes(),
                 "what changed meanwhile is saved in the end")


def check_queries(host):
    for command in (["domstate", "stuck"], ["dominfo", "stuck"], ["dumpxml", "stuck"],
                    ["domid", "stuck"], ["vcpucount", "stuck"], ["domiflist", "stuck"]):
        seconds = timed(host, *command)
        assert seconds < DEADLINE_S, f"{command} took {seconds:.1f} s: it was asked, not remembered"
    assert host.state("stuck") == "paused (user)"


def check_restart(host):
    """A new daemon finds a guest that does not greet; that, too, is that guest's affair."""
    host.virsh("start", "stuck", "--paused")
    pid = host.pid("stuck")
    os.kill(pid, signal.SIGSTOP)
    host.restart()
    for command in (["list", "--all"], ["domstate", "stuck"], ["dumpxml", "stuck"]):
        assert timed(host, *command) < DEADLINE_S, f"{command} waits for the stuck guest"
    guests.until(lambda: host.run("qemu-monitor-command", "fine", '{"execute":"query-status"}')
                 .returncode == 0, "the other guest is taken up", DEADLINE_S)
    assert timed(host, "destroy", "stuck") < DEADLINE_S, "its end waits for its greeting"
    assert not guests.alive(pid)


def check_change(host):
    begin = time.monotonic()
    told = host.run("resume", "stuck")
    seconds = time.monotonic() - begin
    assert told.returncode != 0
    assert DEADLINE_S - 0.5 < seconds < DEADLINE_S + 5, f"it took {seconds:.1f} s"
    assert "cont" in told.stderr and f"{DEADLINE_S}.0 seconds" in told.stderr, told.stderr


def main(program):
    why = guests.missing()
    if why:
        print(f"{why}: skipped")
        return 77
    with guests.host(program, CONFIG) as host:
        run(host)
    print("a stuck guest was a matter of its own")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except subprocess.TimeoutExpired as error:
        sys.exit(f"a client waited too long: {error}")
