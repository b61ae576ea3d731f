#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A handler that says of each operation in turn that it has done it, beside a daemon with a running guest.

    hostile_hooks.py VIRTWARDD

Its answers have the right form and nothing in them: no descriptor, no effect. What a guest's start or
end then is told stands in a table, an operation without a row fails; nothing of the guest stays, the
other guest's process is as it was, and the daemon has as many descriptors as before."""
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import unittest

import guests

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "wire"))
import channel  # noqa: E402
import protocol  # noqa: E402

VICTIM, BYSTANDER, TAP = "vwlied", "vwbeside", "vwlied0"
BRIDGE = f"vwlie{os.getpid() % 100000}"
LIE = "the handler reported {} as done, but "
# what the start is told; None: a lie that is none, the guest starts
STARTS = {"barrier": None, "affinity.set": None,  # its group has these CPUs alone: so it is true
          "sched.set": LIE, "own.set": LIE, "tap.create": "gave 0 of 1 queues",
          "net.attach": LIE, "net.bandwidth": LIE, "cgroup.create": "gave no descriptor", "cgroup.move": LIE,
          "cgroup.set": LIE, "gate.create": LIE, "mount.apply": LIE}
# what the log says at the end
ENDS = {"cgroup.remove": LIE}
ELSEWHERE = {"memlock.set": "takes a right", "node.create": "without a handler of mount.apply", "device.open": "a device",
             "net.set": "no use", "proc.tune": "no use", "pci.bind": "a device", "pci.release": "a device",
             "gate.update": "gate_liars.py", "gate.replace": "gate_liars.py", "gate.remove": "goes with the group",
             "tap.remove": "goes with QEMU", "net.detach": "goes with the interface", "teardown": "told, not asked"}
DEVICES = f"""<disk type='file' device='disk'><source file='{{disk}}'/><target dev='vda' bus='virtio'/></disk>
<interface type='bridge'><source bridge='{BRIDGE}'/><target dev='{TAP}'/><model type='e1000'/>
<bandwidth><inbound average='1000'/></bandwidth></interface>"""
TUNE = "<cputune><shares>500</shares><vcpupin vcpu='0' cpuset='0'/><vcpusched vcpus='0' scheduler='batch'/></cputune>"


class Liar(threading.Thread):
    """Registers for one operation of one guest, and has done everything."""

    def __init__(self, host, codec, hook):
        super().__init__(daemon=True)
        self.channel = channel.Channel.connect(host.folder / "run/handler/sock", codec=codec, timeout=guests.STEP_S)
        self.codec, self.calls = codec, 0
        known = self.codec.decode("features_ret", self.channel.call("features", {}).payload)["hooks"]
        row = next(row for row in known if row["hook"] == codec.rows[hook.replace(".", "_")]["num"])
        answer = self.channel.call("register", {"protocol": 1, "hook": row["hook"], "abi": row["abi"], "size": row["size"],
                                                "digest": row["digest"], "uuid": b"", "pattern": VICTIM, "flags": 0})
        assert answer.status == protocol.OK, answer.error()
        self.id = self.codec.decode("register_ret", answer.payload)["id"]

    def run(self):
        try:
            while True:
                call = self.channel.receive()
                if call.kind == protocol.CALL:
                    self.calls += call.procedure != "teardown"
                    self.channel.answer(call, {})
        except OSError:
            pass  # the test has ended it

    def end(self):
        """Takes its leave: the daemon does it itself from now on."""
        self.channel.serial += 1
        self.channel.send("unregister", protocol.CALL, self.channel.serial, protocol.OK,
                          self.codec.encode("unregister_args", {"id": self.id}))


class Lies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run(["ip", "link", "add", BRIDGE, "type", "bridge"], check=True)
        cls.addClassCleanup(subprocess.run, ["ip", "link", "del", BRIDGE], check=True)
        context = guests.host(PROGRAM, 'handler_timeout = 20\nnamespaces = [ "mount" ]\n')
        cls.host = context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)
        cls.codec = channel.Codec()
        cls.disk = cls.host.folder / "disk"
        cls.disk.write_bytes(bytes(1 << 20))
        cls.host.define(VICTIM, devices=DEVICES.format(disk=cls.disk), more=TUNE)
        cls.host.define(BYSTANDER)
        cls.host.virsh("start", "--paused", BYSTANDER)
        cls.addClassCleanup(cls.host.run, "destroy", BYSTANDER)
        cls.host.virsh("start", "--paused", VICTIM)  # so that what a daemon makes once is there
        cls.host.virsh("destroy", VICTIM)
        cls.pid = cls.host.pid(BYSTANDER)

    def beside(self):
        """The other guest's process, as handlers could change it."""
        parts = [pathlib.Path(f"/proc/{self.pid}/{file}").read_text() for file in ("limits", "cgroup", "oom_score_adj", "mounts")]
        for task in sorted(pathlib.Path(f"/proc/{self.pid}/task").iterdir()):
            tid = int(task.name)
            parts += [f"{os.sched_getaffinity(tid)} {os.sched_getscheduler(tid)}", (task / "cgroup").read_text()]
        return "\n".join(parts)

    def lie(self, hook):
        """The liar, when everything it was asked for is over; what the start said."""
        liar = Liar(self.host, self.codec, hook)
        liar.start()
        started = self.host.run("start", "--paused", VICTIM)
        if started.returncode == 0:
            self.host.run("destroy", VICTIM)
        liar.end()
        return liar, started

    def check_left(self):
        def gone():
            return not [left for left in self.host.left_of_guests() if VICTIM in left]
        guests.until(gone, f"nothing is left: {self.host.left_of_guests()}")
        guests.until(lambda: self.disk.stat().st_uid == 0, "the disk is root's")

    def test_every_operation_is_in_a_table(self):
        for name, row in self.codec.rows.items():
            hook = name.replace("_", ".", 1)
            self.assertTrue("abi" not in row or hook in STARTS or hook in ENDS or hook in ELSEWHERE,
                            f"{hook}: say in {__file__} what a guest's start is told when a handler only says it has done it")

    def test_done_that_is_not_done(self):
        before, fds = self.beside(), self.host.daemon.fds()
        for hook, words in {**STARTS, **ENDS}.items():
            with self.subTest(hook):
                liar, started = self.lie(hook)
                self.assertGreater(liar.calls, 0, "it was never asked")
                if hook in ENDS or words is None:
                    self.assertEqual(started.returncode, 0, started.stderr)
                else:
                    self.assertEqual(started.returncode, 1)
                    self.assertIn(words.format(hook), started.stderr)
                if hook in ENDS:
                    self.assertRegex(self.host.daemon.log(), re.escape(words.format(hook)))
                self.check_left()
                liar.channel.socket.shutdown(socket.SHUT_RDWR)
                liar.join(guests.STEP_S)
                liar.channel.close()
                self.assertEqual(self.beside(), before)
                self.assertTrue(guests.alive(self.pid))
        guests.until(lambda: self.host.daemon.fds() <= fds, "no descriptor is left")
        self.host.virsh("start", "--paused", VICTIM)
        self.host.virsh("destroy", VICTIM)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv[1])
    why = guests.missing()
    if why:
        print(f"{why}: skipped")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v"])
