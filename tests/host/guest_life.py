#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The life of a real guest, told by stock virsh.

    guest_life.py VIRTWARDD MKGUEST

A small Linux (tools/mkguest, emulated) is defined, started, talked to on its console, suspended,
resumed, given a disk and relieved of it, reset, rebooted, made to panic, kept through kill -9 of the
daemon, and ended by its own will and by its power button. Its device gate is tried from inside its
group before and after the kill. A second client listens to its events. At the end nothing is left of
it. Skipped (exit 77) where that can't be.
"""
import contextlib
import errno
import os
import pathlib
import re
import stat
import subprocess
import sys

import guests

# joins the group, opens the node, prints the error number
PROBE = """
import os, sys
with open(sys.argv[1] + "/cgroup.procs", "w") as procs:
    procs.write(str(os.getpid()))
try:
    os.close(os.open(sys.argv[2], os.O_RDONLY | os.O_NONBLOCK))
    print(0)
except OSError as error:
    print(error.errno)
"""


class Listener:
    """virsh event: what another client is told."""

    def __init__(self, host, name):
        self.file = host.folder / "events"
        self.out = open(self.file, "wb")
        self.process = subprocess.Popen(
            ["virsh", "-c", host.uri, "event", name, "--event", "lifecycle", "--loop"],
            stdout=self.out, stderr=self.out, stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C.UTF-8"})

    def heard(self):
        return re.findall(r"event 'lifecycle' for domain '?[\w-]+'?: (.+)", self.file.read_text())

    def expect(self, *wanted):
        guests.until(lambda: self.heard()[-len(wanted):] == list(wanted) or None,
                     f"events {wanted}, heard {self.heard()}")

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.out.close()


def check_gate(host, group):
    def opening(node):
        return int(subprocess.run([sys.executable, "-c", PROBE, str(group), str(node)], check=True,
                                  capture_output=True, text=True).stdout)

    unlisted = host.folder / "unlisted"
    if not unlisted.exists():
        os.mknod(unlisted, stat.S_IFBLK | 0o600, os.makedev(7, 250))
    assert opening(unlisted) == errno.EPERM, "an unlisted node is open to the guest"
    assert opening("/dev/zero") == 0, "a listed node is closed to the guest"


def check_running(host, pid):
    assert host.state("life") == "running (booted)"
    assert re.search(r"^ \S+ +life +running$", host.virsh("list"), re.M)
    live = host.xml("life")
    assert re.search(r"<domain type='qemu' id='\d+'>", live)
    assert "<alias name='virtio-disk0'/>" in live
    assert "id='" not in host.xml("life", "--inactive").splitlines()[0]
    log = (host.folder / "log" / "qemu" / "life.log").read_text()
    assert "starting up" in log and "'-smp' '1," in log, log
    assert os.readlink(f"/proc/{pid}/exe").endswith("qemu-system-x86_64")
    owner = os.stat(host.folder / "guest" / "disk.img").st_uid
    assert owner == os.stat(f"/proc/{pid}").st_uid, "the image is not QEMU's while it runs"


def check_memory(host):
    """The guest gives back what <currentMemory> and setmem ask for, and the document follows."""
    def current():
        return int(re.search(r"<currentMemory unit='KiB'>(\d+)<", host.xml("life"))[1])

    guests.until(lambda: "actual 180224\n" in host.virsh("dommemstat", "life"), "176 MiB")
    host.virsh("setmem", "life", "160M", "--live")
    guests.until(lambda: current() == 163840, "160 MiB in the live document")
    assert "<currentMemory unit='KiB'>180224<" in host.xml("life", "--inactive")


def check_pause(host, console, listener):
    host.virsh("suspend", "life")
    assert host.state("life") == "paused (user)"
    listener.expect("Suspended Paused")
    host.virsh("resume", "life")
    assert host.state("life") == "running (unpaused)"
    listener.expect("Suspended Paused", "Resumed Unpaused")
    console.ask("after the pause", "guest: after the pause")


def holds(pid, file):
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if os.readlink(fd) == str(file):
                return True
    return False


def check_disk(host, console, pid):
    extra = host.folder / "guest" / "extra.img"
    with open(extra, "wb") as image:
        image.truncate(32 << 20)
    host.virsh("attach-disk", "life", extra, "vdb", "--driver", "qemu", "--subdriver", "raw",
               "--targetbus", "virtio")
    assert str(extra) in host.xml("life")
    assert str(extra) not in host.xml("life", "--inactive")
    assert holds(pid, extra), "QEMU does not have the new disk open"
    console.ask("show", "disk vdb 65536 sectors")
    host.virsh("detach-disk", "life", "vdb")
    guests.until(lambda: str(extra) not in host.xml("life"), "the disk is gone")
    assert not holds(pid, extra), "QEMU still has the disk open"


def check_new_boots(host, console, listener):
    """Each way to boot anew keeps the process; the console stays with it."""
    pid = host.pid("life")
    host.virsh("reset", "life")
    console.expect("GUEST READY", guests.BOOT_S)
    host.virsh("reboot", "life", "--mode", "acpi")
    console.expect("GUEST READY", guests.BOOT_S)
    host.until_state("life", "running (booted)")
    host.virsh("set-lifecycle-action", "life", "poweroff", "restart", "--live")
    console.type("off")
    console.expect("GUEST READY", guests.BOOT_S)
    host.virsh("set-lifecycle-action", "life", "poweroff", "destroy", "--live")
    host.virsh("set-lifecycle-action", "life", "crash", "restart", "--live")
    console.type("panic")
    console.expect("GUEST READY", guests.BOOT_S)
    host.until_state("life", "running (booted)")
    assert host.pid("life") == pid, "the process is another"
    assert "Crashed Panicked" in listener.heard(), listener.heard()
    assert "<on_poweroff>destroy</on_poweroff>" in host.xml("life", "--inactive")


def gates(group):
    shown = subprocess.run(["bpftool", "-j", "cgroup", "show", str(group)], check=True,
                           capture_output=True, text=True).stdout
    return re.findall(r'"id":(\d+)', shown)


def check_kill(host, pid, group):
    """The daemon dies without a word; the guest and its gate are whole under the next one."""
    before = host.xml("life")
    gate = gates(group)
    assert gate, "no program is attached to the guest's group"
    host.kill_daemon()
    assert guests.alive(pid), "the guest died with the daemon"
    check_gate(host, group)
    host.launch()
    host.until_state("life", "running (booted)")
    host.until_known("life")
    assert host.xml("life") == before, "the live document has changed"
    assert host.pid("life") == pid
    assert gates(group) == gate, "the gate's program is another"
    check_gate(host, group)


def check_ended(host, pid, group):
    guests.until(lambda: not guests.alive(pid), "the process is gone")
    assert not group.exists(), "the group is still there"
    left = host.left_of_guests()
    assert not left, f"left over: {left}"
    assert os.stat(host.folder / "guest" / "disk.img").st_uid == 0, "the image was not given back"


def run(host):
    guest = host.folder / "guest"
    host.define(
        "life", memory=192, machine="pc",
        boot=f"<kernel>{guest}/vmlinuz</kernel><initrd>{guest}/initrd</initrd>"
             "<cmdline>console=ttyS0 quiet no_timer_check tsc=reliable</cmdline>",
        more="<currentMemory unit='MiB'>176</currentMemory>",
        devices=f"<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
                f"<source file='{guest}/disk.img'/><target dev='vda' bus='virtio'/></disk>"
                "<serial type='pty'/><panic model='isa'/>")
    assert host.state("life") == "shut off (unknown)"
    with contextlib.closing(Listener(host, "life")) as listener:
        host.virsh("start", "life")
        pid, group = host.pid("life"), host.group("life")
        with contextlib.closing(guests.Console(host.uri, "life")) as console:
            console.expect(r"GUEST READY", guests.BOOT_S)
            console.expect(r"disk vda \d+ sectors")
            listener.expect("Resumed Unpaused", "Started Booted")
            check_running(host, pid)
            check_memory(host)
            check_gate(host, group)
            check_pause(host, console, listener)
            check_disk(host, console, pid)
            check_new_boots(host, console, listener)
    check_kill(host, pid, group)
    with contextlib.closing(guests.Console(host.uri, "life")) as console:
        console.ask("still here", "guest: still here")
        host.virsh("set-lifecycle-action", "life", "reboot", "destroy", "--live")
        console.type("again")  # a reboot, which is to be the end now
        host.until_state("life", "shut off (shutdown)")
    check_ended(host, pid, group)
    host.virsh("start", "life")
    pid, group = host.pid("life"), host.group("life")
    with contextlib.closing(guests.Console(host.uri, "life")) as console:
        console.expect(r"GUEST READY", guests.BOOT_S)
        host.virsh("shutdown", "life", "--mode", "acpi")
        host.until_state("life", "shut off (shutdown)")
    check_ended(host, pid, group)
    host.virsh("undefine", "life")
    assert "life" not in host.virsh("list", "--all")
    host.end()


def main(program, mkguest):
    why = guests.missing()
    if why:
        print(f"{why}: skipped")
        return 77
    with guests.host(program) as host:
        (host.folder / "guest").mkdir()
        subprocess.run([mkguest, str(host.folder / "guest")], check=True)
        with open(host.folder / "guest" / "disk.img", "wb") as image:
            image.truncate(16 << 20)
        run(host)
    print("a guest lived as stock virsh told it to, and left nothing")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
