#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Daemon, helper or both are killed while a guest runs, and in the middle of its start, with every operation handed out.

    handler_resync.py VIRTWARDD HELPERD VIRTWARD

The guest has a grant of each operation that leaves one and that a test machine can have; an operation in
neither table fails. Afterwards each grant is reported kept, seen to hold or not to be seen, and the helper
was asked for nothing again; what was lost meanwhile is done again, once."""
import json
import os
import pathlib
import pwd
import re
import subprocess
import sys
import unittest

import guests
import macvtap
from unprivileged import Lines, hierarchies, own_groups

NAME, TAP, MACVTAP, BRIDGE = "vwresync", "vwresync0", "vwresync1", "vwresyncbr"
# Left behind by this guest, and what is said of it when everything is as it was.
LEAVE = {"sched.set": {"kept"}, "affinity.set": {"kept"}, "own.set": {"kept"}, "tap.create": {"seen"}, "net.attach": {"seen"},
         "net.bandwidth": {"seen", "granted"}, "cgroup.create": {"seen"}, "cgroup.move": {"seen", "granted"},
         "cgroup.set": {"seen"}, "gate.create": {"seen"}, "mount.apply": {"granted"}}
# Looked at or put right after a restart by asking again.
REPAIRS = {"gate.replace", "gate.update", "cgroup.move"}
ELSEWHERE = {"memlock.set": "takes a right that test machines lack: tests/vm", "gate.replace": "gate_handler.py",
             "gate.update": "gate_handler.py",
             "node.create": "for guests without a handler of mount.apply", "device.open": "a device: virhandlergrants_test",
             "net.set": "macvtap interfaces: macvtap_guest.py", "proc.tune": "the driver has no use for it; virhandlergrants_test",
             "pci.bind": "a device that may be taken: tests/vm"}
NOTHING_LASTS = {"teardown", "barrier", "cgroup.remove", "gate.remove", "tap.remove", "net.detach", "pci.release"}
DEVICES = f"""<disk type='file' device='disk'><source file='{{disk}}'/><target dev='vda' bus='virtio'/></disk>
<interface type='bridge'><source bridge='{BRIDGE}'/><target dev='{TAP}'/><model type='e1000'/>
<bandwidth><inbound average='1000'/></bandwidth></interface>"""
if macvtap.possible():
    DEVICES += f"<interface type='direct'><source dev='{BRIDGE}' mode='bridge'/><target dev='{MACVTAP}'/><model type='e1000'/></interface>"
TUNE = """<cputune><shares>500</shares><vcpupin vcpu='0' cpuset='0'/><vcpusched vcpus='0' scheduler='batch'/></cputune>"""
RULES = "devices=*\nmodes=enforce;permissive\n"


def codec_hooks():
    rows = json.loads((pathlib.Path(__file__).resolve().parents[2] / "protocol/handler.json").read_text())["procedures"]
    return {row["name"].replace("_", ".", 1) for row in rows if "abi" in row}


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


class Resync(unittest.TestCase):
    def setUp(self):
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        self.addCleanup(run, "ip", "link", "del", BRIDGE)
        hooks = ", ".join(f'"{hook}=handler"' for hook in sorted(codec_hooks() - set(ELSEWHERE) - {"teardown"}
                                                                   | {"gate.replace", "gate.update"}))
        context = guests.host(PROGRAM, f'handler_policy = [ {hooks} ]\nhandler_timeout = 20\nnamespaces = [ "mount" ]\n')
        self.host = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.disk = self.host.folder / "disk"
        self.disk.write_bytes(bytes(1 << 20))
        self.helper = None
        self.addCleanup(self.end_helper)
        self.addCleanup(self.host.run, "destroy", NAME)
        self.start_helper()
        self.host.define(NAME, devices=DEVICES.format(disk=self.disk), more=TUNE)

    # --- the helper

    def policy(self):
        user = pwd.getpwnam("virtward-qemu")
        ids = f"uids=0;{user.pw_uid}\ngids=0;{user.pw_gid}\n"
        names = f"names={TAP};{MACVTAP}\n"
        return {"sched.set": "policies=0;3\nmin=0\nmax=0\n", "affinity.set": "cpus=*\n",
                "own.set": f"folders={self.host.folder}\n{ids}", "tap.create": f"{names}max=4\nuids=*\nmtu=9000\nparents={BRIDGE}\nmodes=bridge\n",
                "tap.remove": names, "net.attach": f"{names}bridges={BRIDGE}\n", "net.detach": names, "net.bandwidth": names + "max=125000\nburst=1024\nunlimited=yes\n",
                "barrier": f"housekeeping=0-{os.cpu_count() - 1}\n", "cgroup.create": "max=64\ncontrollers=cpu;cpuset;io;memory;pids\n",
                "cgroup.move": f"from={';'.join(sorted(own_groups()))}\nuids=0;{user.pw_uid}\n",
                "cgroup.set": "files=cpu.shares:2-2048;cpu.weight:1-2000;cpuset.cpus;cpuset.mems\n", "cgroup.remove": "",
                "gate.create": RULES + "max=65536\n", "gate.update": RULES, "gate.replace": RULES + "max=131072\nids=yes\n",
                "gate.remove": "", "mount.apply": f"kinds=tmpfs;node;link;bind\nmax=8388608\ndevices=*\n{ids}"
                                                  "sources=devpts;tmpfs;mqueue;hugetlbfs\n"}

    def start_helper(self):
        path = self.host.folder / "policy"
        path.write_text(f"[helper]\nsockets={self.host.folder}/run/handler/sock\ncgroups=/{self.host.instance.name}\n"
                        + "".join(f"[{hook}]\n{keys}" for hook, keys in self.policy().items()))
        self.helper = subprocess.Popen([HELPERD, "--policy", str(path)], stderr=subprocess.PIPE, text=True)
        self.heard = Lines(self.helper.stderr)
        self.assertIsNotNone(self.heard.next("serving"), self.heard.all)

    def end_helper(self):
        if self.helper:
            self.helper.kill()
            self.helper.wait(guests.STEP_S)
            self.heard.end()
            self.helper = None

    def asked(self):
        """Operations that this helper has done, as often as it has."""
        return [match[1] for line in self.heard.all if (match := re.match(r"audit: hook=(\S+) .*verdict=done", line))]

    # --- the guest

    def grants(self):
        shown = subprocess.run([VIRTWARD, "--root", str(self.host.folder), "handlers", "--json"], capture_output=True, text=True,
                               check=True, timeout=guests.STEP_S)
        return [grant for grant in json.loads(shown.stdout)["grants"] if grant["guest"] == NAME and grant["state"] != "past"]

    def states(self):
        states = {}
        for grant in self.grants():
            states.setdefault(grant["hook"], set()).add(grant["state"])
        return states

    def start(self):
        self.host.virsh("start", "--paused", NAME)

    def vcpu(self):
        """Its thread."""
        return next(int(task.name) for task in pathlib.Path(f"/proc/{self.host.pid(NAME)}/task").iterdir()
                    if "/vcpu0" in (task / "cgroup").read_text())

    def limit(self):
        return next(path for mount in hierarchies() for path in (mount / self.host.instance.name).glob(f"*-{NAME}/cpu.*")
                    if path.name in ("cpu.shares", "cpu.weight"))

    def replace(self, victim):
        if victim != "daemon":
            self.end_helper()
        if victim != "helper":
            self.host.kill_daemon()
            self.host.launch()
        if victim != "daemon":
            self.start_helper()

    # --- the tests

    def test_every_operation_is_in_a_table(self):
        for hook in sorted(codec_hooks() - NOTHING_LASTS):
            with self.subTest(hook):
                self.assertTrue(hook in LEAVE or hook in ELSEWHERE, f"{hook} leaves something behind: have the guest of "
                                f"{__file__} ask for it (LEAVE), or say in ELSEWHERE where its resync is tested")

    def test_while_the_guest_runs(self):
        self.start()
        ids = {grant["request"] for grant in self.grants()}
        self.assertEqual(set(self.states()) - {"gate.replace", "gate.update"}, set(LEAVE))
        pid = self.host.pid(NAME)
        for victim in ("helper", "daemon", "both"):
            with self.subTest(victim):
                told = len(self.asked()) if victim == "daemon" else 0
                self.replace(victim)
                guests.until(lambda: all(self.states().get(hook, {"-"}) <= wanted | {"kept"} for hook, wanted in LEAVE.items()),
                             f"each grant is kept: {self.states()}")
                self.assertEqual(set(self.asked()[told:]) - REPAIRS, set())
                new = [grant for grant in self.grants() if grant["request"] not in ids and grant["hook"] not in REPAIRS]
                self.assertEqual(new, [], "nothing was asked for twice")
        self.assertEqual(self.host.pid(NAME), pid)
        self.lose()
        self.host.virsh("destroy", NAME)
        self.assertEqual(macvtap.on(BRIDGE), [])
        self.assertEqual(self.disk.stat().st_uid, 0)
        self.assertEqual(self.host.left_of_guests(), [])

    def lose(self):
        """While both are away, somebody takes what can be taken."""
        thread, limit = self.vcpu(), self.limit()
        before = limit.read_text()
        self.end_helper()
        self.host.kill_daemon()
        os.chown(self.disk, 0, 0)
        os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))
        run("ip", "link", "set", TAP, "nomaster")
        limit.write_text("77")
        lost = {"own.set", "sched.set", "net.attach", "cgroup.set"}
        if os.cpu_count() > 1:
            os.sched_setaffinity(thread, range(os.cpu_count()))
            if os.sched_getaffinity(thread) != {0}:  # its group may have no other
                lost.add("affinity.set")
        self.host.launch()
        self.start_helper()
        guests.until(lambda: all("redone" in self.states().get(hook, ()) for hook in lost), f"{lost} are done again: {self.states()}")
        self.assertEqual({hook for hook in self.asked() if hook not in REPAIRS}, lost)
        for hook in lost - {"affinity.set", "sched.set"}:
            self.assertEqual(self.asked().count(hook), 1, f"{hook}: once")
        self.assertNotEqual(self.disk.stat().st_uid, 0)
        self.assertEqual(os.sched_getscheduler(thread), os.SCHED_BATCH)
        self.assertEqual(os.sched_getaffinity(thread), {0})
        self.assertEqual(pathlib.Path(f"/sys/class/net/{TAP}/master").resolve().name, BRIDGE)
        self.assertEqual(limit.read_text(), before)
        self.assertNotIn("lost", {state for states in self.states().values() for state in states})

    def test_both_in_the_middle_of_a_start(self):
        """When each operation has been done for the first time."""
        for hook in LEAVE:
            with self.subTest(hook):
                with subprocess.Popen(["virsh", "-c", self.host.uri, "start", "--paused", NAME], stderr=subprocess.PIPE) as start:
                    self.assertIsNotNone(self.heard.next(f"hook={hook} "), hook)
                    self.replace("both")
                    start.communicate(timeout=2 * guests.STEP_S)
                guests.until(lambda: self.host.run("domstate", NAME).stdout.strip() in ("shut off", "paused"), "it is known again")
                self.host.run("destroy", NAME)  # the start may have been over
                guests.until(lambda: not self.host.left_of_guests(), "nothing is left over")
                guests.until(lambda: not macvtap.on(BRIDGE), "no interface is left over")
                guests.until(lambda: self.disk.stat().st_uid == 0, "the disk is root's")
        self.start()
        self.assertEqual(set(self.states()) - {"gate.replace", "gate.update"}, set(LEAVE))
        self.host.virsh("destroy", NAME)


if __name__ == "__main__":
    PROGRAM, HELPERD, VIRTWARD = (os.path.abspath(path) for path in sys.argv[1:4])
    why = guests.missing()
    if why:
        print(f"{why}: skipped")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[4:]])
