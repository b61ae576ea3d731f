#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bad days: the daemon is killed, or a step fails, at every point of a guest's definition, start and
end; the next daemon must find the guest whole or fully gone, and nothing left over.

    guest_faults.py VIRTWARDD (--sample | --all | POINT[:kill|:error[:N]] …)

VIRTWARDD is a test build (-Dfault_points=true). --all is every point it lists, each killed, failed,
and killed the third time it is reached; --sample is every fourth of these. A line is printed for
each, with what the guest is afterwards and the command that was cut short: "whole" (it runs behind
its gate), "gone", or "kept" (of a definition: it is on disk whole). Then "N cases: A gone, …, 0 left
over". A point that this life never comes to fails the test: ELSEWHERE has those of other doings.
Skipped (exit 77) where that can't be.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import guests
import macvtap

NAME = "faulty"
UUID = "fa017000-5eed-4bad-b001-00000000da75"
TAP = "vwfaulty0"
PARENT = "vwfaulty1"  # of its macvtap
CONFIG = "remote_display_port_min = 15900\n"  # other guests of the machine have the usual ones
HEADER = "vw_header"  # of each gate: it holds the guest's uuid (src/util/cgroup/virgateprogram.h)
DIRECT = [f"<interface type='direct'><source dev='{PARENT}' mode='bridge'/><model type='virtio'/></interface>"
          ] if macvtap.possible() else []
NVRAM = pathlib.Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
CODE = pathlib.Path("/usr/share/OVMF/OVMF_CODE_4M.fd")

# Points of other doings than a life without plugging: each has its own test.
ELSEWHERE = {
    "cgroup:scope-started": "scopes of systemd's: scopes",
    "gate:adopted": "a gate of libvirt's: gate_fault_test",
    "gate:covered": "a gate of libvirt's: gate_fault_test",
    "gate:grown-pinned": "a full map: gate_fault_test",
    "gate:rule-changing": "plugging: devices_fault, gate_fault_test",
    "gate:swapped": "a full map: gate_fault_test",
    "gate:theirs-detached": "a gate of libvirt's: gate_fault_test",
    "net:bridge-set": "an interface on a bridge: devices_fault",
    "node:made": "a private /dev: devices_fault",
    "mount:bound": "a private /dev without mknod: gate_daemon",
    "plug:owner-set": "plugging: devices_fault",
    "plug:rules-allowed": "plugging: devices_fault",
    "plug:step": "plugging: devices_fault",
}

# Points that a daemon comes to once.
ONCE = {"daemon:instance-group-made", "daemon:store-prepared"}


def gate_headers():
    """Ids of the maps that say a gate is our guest's: no program of it is without one."""
    wanted = bytes.fromhex(UUID.replace("-", "")).hex()
    shown = subprocess.run(["bpftool", "-j", "map", "show"], check=True, capture_output=True,
                           text=True).stdout
    ours = []
    for entry in json.loads(shown or "[]"):
        if entry.get("name") != HEADER:
            continue
        dump = subprocess.run(["bpftool", "-j", "map", "dump", "id", str(entry["id"])],
                              check=False, capture_output=True, text=True)
        if dump.returncode == 0 and wanted in "".join(re.findall(r"0x([0-9a-f]{2})", dump.stdout)):
            ours.append(entry["id"])
    return ours


def interfaces():
    return {path.name for path in pathlib.Path("/sys/class/net").iterdir()}


@contextlib.contextmanager
def parent():
    subprocess.run(["ip", "link", "add", PARENT, "type", "bridge"], check=True)
    try:
        yield
    finally:
        subprocess.run(["ip", "link", "del", PARENT], check=True)


class Trial:
    """One fault, one daemon, one guest."""

    def __init__(self, program, folder, fault):
        self.point = ":".join(fault.split(":")[:2])
        self.stillborn = False
        try:
            self.host = guests.Host(program, folder, CONFIG, {"VIRTWARD_FAULT": fault})
        except RuntimeError:  # the daemon's own start was hit
            self.host = guests.Host(program, folder, CONFIG)
            self.stillborn = True
        self.image = self.host.folder / "disk.img"
        with open(self.image, "wb") as image:
            image.truncate(1 << 20)
        self.xml = self.host.write(
            NAME, machine="q35",
            boot=f"<loader readonly='yes' type='pflash'>{CODE}</loader>" if CODE.exists() else "",
            more=f"<uuid>{UUID}</uuid><cputune><emulatorpin cpuset='0'/></cputune>",
            devices=f"<disk type='file' device='disk'><driver name='qemu' type='raw'/><source "
                    f"file='{self.image}'/><target dev='vda' bus='virtio'/></disk>"
                    f"<interface type='ethernet'><target dev='{TAP}'/><model type='virtio'/>"
                    f"</interface>{''.join(DIRECT)}<channel type='unix'><target type='virtio' name='org.test.0'/>"
                    "</channel><serial type='pty'/><graphics type='vnc' port='-1' "
                    "autoport='yes'/>")

    def live(self, rounds):
        """The guest's life, to where it is cut short; (what was done last, was it cut by a kill)."""
        for _ in range(rounds):
            for command in (["define", self.xml], ["autostart", NAME], ["start", NAME],
                            ["destroy", NAME], ["autostart", NAME, "--disable"],
                            ["undefine", NAME, "--nvram"]):
                done = self.host.run(*command)
                if done.returncode == 0:
                    continue
                if "fault point" in done.stderr:
                    assert self.point in done.stderr or self.fault_in_log(), done.stderr
                    return command[0], False
                self.expect_death(f"virsh {command}: {done.stderr}")
                return command[0], True
            if self.fault_in_log():
                return "end", False  # what an end could not do is the next daemon's
        return None, False

    def expect_death(self, otherwise):
        """A client knows of it before the daemon's parent does."""
        try:
            code = self.host.daemon.process.wait(10)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"{otherwise}\n{self.host.daemon.log()}") from error
        assert code == -signal.SIGKILL, self.host.daemon.log()

    def fault_in_log(self):
        """A step whose failure is not the client's affair (an end) is in the log."""
        return f"fault point {self.point}" in self.host.daemon.log()

    # --- afterwards

    def find(self):
        """What the guest is under a daemon without faults; what it may not be is an error."""
        shown = self.host.run("domstate", NAME)
        if shown.returncode != 0:
            return "gone"
        if shown.stdout.strip() in ("running", "paused"):
            self.check_whole()
            return "whole"
        assert shown.stdout.strip() == "shut off", shown.stdout
        return "gone" if self.had_run else "kept"

    def settle(self):
        """Until the daemon has taken up or taken back what it found."""
        def known():
            shown = self.host.run("domcontrol", NAME)
            return shown.stdout.strip() == "ok" or "not running" in shown.stderr or \
                "failed to get domain" in shown.stderr
        guests.until(known, "the guest is known again")

    def check_whole(self):
        pid = self.host.pid(NAME)
        assert guests.alive(pid)
        self.host.virsh("qemu-monitor-command", NAME, '{"execute":"query-status"}')
        assert self.host.group(NAME).is_dir()
        assert len(gate_headers()) == 1, "its gate"
        assert TAP in interfaces()
        assert len(macvtap.on(PARENT)) == len(DIRECT), macvtap.on(PARENT)

    def left(self):
        left = self.host.left_of_guests()
        left += [f"gate {number}" for number in gate_headers()]
        left += [f"interface {TAP}"] if TAP in interfaces() else []
        left += [f"interface {name}" for name in macvtap.on(PARENT)]
        if os.stat(self.image).st_uid != os.getuid():
            left.append(f"the owner of {self.image}")
        return left

    def check_nothing_left(self):
        last = []

        def gone():  # the kernel frees a gate some milliseconds after its group
            last[:] = self.left()
            return not last
        try:
            guests.until(gone, "nothing is left over", 10)
        except AssertionError as error:
            raise AssertionError(f"left over: {last}\n{self.host.daemon.log()}") from error

    def run(self, rounds):
        command, killed = self.live(rounds) if not self.stillborn else ("launch", False)
        assert command, "this life must come there, or the table say why not"
        self.had_run = command not in ("launch", "define")
        if killed or command == "end":
            self.renew()
        found = self.find()
        if found != "whole":
            self.check_nothing_left()
        self.bury()
        return found, command

    def renew(self):
        """A daemon without faults, if this one has any."""
        if self.host.env:
            self.host.env = None
            self.host.restart()
            self.settle()

    def bury(self):
        """Another daemon lets the guest live and end as if nothing had been."""
        self.renew()
        if self.host.run("domid", NAME).stdout.strip() not in ("", "-"):
            self.host.virsh("destroy", NAME)
        self.host.virsh("define", self.xml)
        self.host.virsh("start", NAME, "--paused")
        self.check_whole()
        self.host.virsh("destroy", NAME)
        self.check_nothing_left()
        self.host.virsh("undefine", NAME, "--nvram")
        self.host.end()
        for folder in ("etc/qemu", "lib/nvram"):
            left = [path for path in (self.host.folder / folder).rglob("*") if path.is_file()]
            assert not left, f"left over: {left}"


def attempt(program, fault):
    rounds = 3 if fault.rpartition(":")[2].isdigit() else 1
    with guests.folder() as folder, parent():
        trial = Trial(program, folder, fault)
        try:
            return trial.run(rounds)
        finally:
            trial.host.cleanup()


def points(program):
    return subprocess.run([program, "--list-fault-points"], check=True, capture_output=True,
                          text=True).stdout.split()


def faults(program, arguments):
    if arguments.fault:
        return arguments.fault
    every = [f"{point}:{mode}" for point in points(program)
             if point not in ELSEWHERE and (DIRECT or not point.startswith("macvtap:"))
             for mode in ("kill", "error", "kill:3")
             if mode != "kill:3" or point not in ONCE]
    # each file that is written whole comes by here
    every += [f"file:written:{what}:{count}" for what in ("kill", "error") for count in range(2, 11)
              if (what, count) != ("kill", 3)]
    return every if arguments.all else every[::4]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("fault", nargs="*")
    arguments = parser.parse_args()
    why = guests.missing() or (None if points(arguments.program) else "a build without fault points")
    if why:
        print(f"{why}: skipped")
        return 77
    counts = dict.fromkeys(("gone", "whole", "kept", "left over"), 0)
    for fault in faults(arguments.program, arguments):
        try:
            outcome, command = attempt(arguments.program, fault)
        except (AssertionError, RuntimeError, OSError, subprocess.SubprocessError) as error:
            outcome, command = "left over", ""
            print(f"{fault}: {error}", file=sys.stderr)
        print(f"{fault:40} {outcome:9} {command}", flush=True)
        counts[outcome] += 1
    if not DIRECT:
        print("macvtap:*: skipped, the kernel has none")
    for point, where in sorted(ELSEWHERE.items()):
        print(f"{point:40} elsewhere: {where}")
    print(f"{sum(counts.values())} cases: " +
          ", ".join(f"{number} {what}" for what, number in counts.items()))
    return 1 if counts["left over"] else 0


if __name__ == "__main__":
    sys.exit(main())
