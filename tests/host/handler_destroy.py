#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests that are destroyed, and a daemon that ends, while a handler's answer is waited for.

    handler_destroy.py VIRTWARDD

The handler never answers, and has an hour for it: what ends the waiting is the destroy. It speaks the
channel itself, so that it sees its call cancelled while it is still at it."""
import signal
import struct
import subprocess
import sys
import unittest

import guests
from hostile_handler import CALL, OK, REGISTER, REPLY, Channel, packet, text

NAME, HOUR_S = "vwdestroyed", 3600
CONFIG = f"handler_timeout = {HOUR_S}\n"
CANCEL, TEARDOWN, BARRIER, OWN_SET = 4, 6, 7, 26
PREPARED, RESUME = 0, 1


class Handler(Channel):
    def __init__(self, host, hook):
        super().__init__(host)
        abi, size, digest = self.hooks()[hook]
        answer = self.ask(REGISTER, struct.pack(">IIII", 1, hook, abi, size) + digest + struct.pack(">I", 0)
                          + text(NAME) + struct.pack(">I", 0))
        assert answer[3] == OK, answer

    def call(self, hook):
        """The next message, which must be a call of the hook: (serial, request, milliseconds, the rest)."""
        procedure, kind, serial, _, body = self.receive()
        assert (procedure, kind) == (hook, CALL), (procedure, kind)
        at = 16 + len(text(NAME)) + 4  # uuid, name, phase
        request, deadline = struct.unpack(">QI", body[at:at + 12])
        return serial, request, deadline, body[at + 16:]

    def answer(self, hook, serial):
        self.send(packet(hook, REPLY, serial))

    def cancelled(self):
        """The request that is cancelled by the next message."""
        procedure, _, _, _, body = self.receive()
        assert procedure == CANCEL, procedure
        return struct.unpack(">Q", body)[0]

    def undone(self):
        """The requests that the next message has undone."""
        procedure, _, serial, _, body = self.receive()
        assert procedure == TEARDOWN, procedure
        self.answer(TEARDOWN, serial)
        length, = struct.unpack(">I", body[16:20])  # of the name; then phase, request, deadline, flags
        at = 20 + length + -length % 4 + 4 + 8 + 4 + 4
        return {request for request, in struct.iter_unpack(">Q", body[at + 4:])}


class Destroyed(unittest.TestCase):
    def setUp(self):
        self.host = self.enterContext(guests.host(PROGRAM, CONFIG))
        self.disk = self.host.folder / "disk"
        self.disk.write_bytes(bytes(1 << 20))
        self.host.define(NAME)
        self.handler = None

    def tearDown(self):
        if self.handler:
            self.handler.close()
        self.host.run("destroy", NAME)

    def begin(self, *command):
        """virsh that will not come back by itself."""
        return subprocess.Popen(["virsh", "-c", self.host.uri, *map(str, command)], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def ended(self, virsh):
        out, _ = virsh.communicate(timeout=guests.STEP_S)
        return virsh.returncode, out

    def destroy_at(self, hook, *command):
        """destroy comes back though the handler of the command's call never answers."""
        waiting = self.begin(*command)
        serial, request, deadline_ms, rest = self.handler.call(hook)
        self.assertEqual(deadline_ms, HOUR_S * 1000)
        self.host.virsh("destroy", NAME)
        self.assertEqual(self.handler.cancelled(), request)
        code, out = self.ended(waiting)
        self.assertEqual(code, 1, out)
        self.assertRegex(out, f"domain '{NAME}' was destroyed while the handler of .* was waited for")
        self.assertIn("shut off", self.host.state(NAME))
        self.assertEqual(self.host.left_of_guests(), [])
        return serial, request, rest

    def test_at_the_barrier_of_a_start(self):
        self.handler = Handler(self.host, BARRIER)
        serial, request, rest = self.destroy_at(BARRIER, "start", NAME)
        self.assertEqual(struct.unpack(">I", rest[:4])[0], PREPARED)
        # too late; undone, and nobody believes it
        self.handler.answer(BARRIER, serial)
        self.assertEqual(self.handler.undone(), {request})
        # the next start is asked anew
        again = self.begin("start", "--paused", NAME)
        serial, later, _, _ = self.handler.call(BARRIER)
        self.assertGreater(later, request)
        self.handler.answer(BARRIER, serial)
        self.assertEqual(self.ended(again)[0], 0)

    def test_before_there_is_a_process(self):
        self.host.virsh("undefine", NAME)
        self.host.define(NAME, devices=f"<disk type='file' device='disk'><source file='{self.disk}'/>"
                         "<target dev='vda' bus='virtio'/></disk>")
        self.handler = Handler(self.host, OWN_SET)
        self.destroy_at(OWN_SET, "start", NAME)

    def test_at_the_barrier_of_a_resume(self):
        self.host.virsh("start", "--paused", NAME)
        self.handler = Handler(self.host, BARRIER)
        _, _, rest = self.destroy_at(BARRIER, "resume", NAME)
        self.assertEqual(struct.unpack(">I", rest[:4])[0], RESUME)
        self.assertEqual(self.host.state(NAME), "shut off (destroyed)")

    def test_a_device_that_comes(self):
        device = self.host.folder / "disk.xml"
        device.write_text(f"<disk type='file' device='disk'><source file='{self.disk}'/>"
                          "<target dev='vdb' bus='virtio'/></disk>")
        self.host.virsh("start", "--paused", NAME)
        self.handler = Handler(self.host, OWN_SET)
        self.destroy_at(OWN_SET, "attach-device", NAME, device, "--live")

    def test_a_guest_that_is_not_there(self):
        self.host.refused("domain is not running", "destroy", NAME)

    def end_daemon(self):
        self.host.daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.host.daemon.process.wait(guests.STEP_S), 0, self.host.daemon.log())

    def test_the_daemon_ends_in_the_middle_of_a_start(self):
        self.handler = Handler(self.host, BARRIER)
        waiting = self.begin("start", NAME)
        self.handler.call(BARRIER)
        pid = self.host.pid(NAME)
        self.end_daemon()
        self.assertEqual(self.ended(waiting)[0], 1)
        self.assertFalse(guests.alive(pid))
        self.assertEqual(self.host.left_of_guests(), [])
        self.host.launch()

    def test_the_daemon_ends_in_the_middle_of_a_resume(self):
        """The guest stays as it is, and its barrier stands when the daemon is back."""
        self.host.virsh("start", "--paused", NAME)
        self.handler = Handler(self.host, BARRIER)
        waiting = self.begin("resume", NAME)
        self.handler.call(BARRIER)
        self.end_daemon()
        self.assertEqual(self.ended(waiting)[0], 1)
        self.handler.close()
        self.host.launch()
        self.assertIn("paused", self.host.state(NAME))
        self.handler = Handler(self.host, BARRIER)
        waiting = self.begin("resume", NAME)
        serial, _, _, _ = self.handler.call(BARRIER)
        self.handler.answer(BARRIER, serial)
        self.assertEqual(self.ended(waiting)[0], 0)


if __name__ == "__main__":
    PROGRAM = sys.argv[1]
    if reason := guests.missing():
        print(reason)
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v"] + sys.argv[2:])
