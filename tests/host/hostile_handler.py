#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A handler that means harm, beside a daemon with a running guest.

    hostile_handler.py VIRTWARDD

It speaks the channel itself (docs/handler-protocol.md): garbage, messages without end, answers that
nobody asked for, descriptors by the hundred, no reading, no end of connections, promises that are not
kept. All the while calls about another guest are answered; afterwards the daemon has as many
descriptors as before and hardly more memory, and believes nothing."""
import array
import contextlib
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

import guests

PROGRAM_NUMBER, OWN_SET, DEADLINE_S = 0x56574852, 26, 3
CALL, REPLY, MESSAGE = range(3)
OK, ERROR, CONTINUE = range(3)
REGISTER, FEATURES, STATUS = 1, 3, 29
PACKET_MAX = 200000
CONFIG = f"handler_timeout = {DEADLINE_S}\n"
VICTIM, BYSTANDER = "vwhostile", "vwbystander"


def packet(procedure, kind, serial, status=OK, body=b""):
    return struct.pack(">IIIiIII", 28 + len(body), PROGRAM_NUMBER, 1, procedure, kind, serial, status) + body


def text(value):
    value = value.encode()
    return struct.pack(">I", len(value)) + value + bytes(-len(value) % 4)


class Channel:
    """A connection, from the harmful side."""

    def __init__(self, host):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(guests.STEP_S)
        self.socket.connect(str(host.folder / "run/handler/sock"))
        self.serial = 0

    def send(self, data, fds=()):
        """False: the daemon has cut the connection off."""
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            self.socket.sendmsg([data], ancillary)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def receive(self):
        """(procedure, type, serial, status, body); None: cut off."""
        try:
            data, fds, _, _ = socket.recv_fds(self.socket, PACKET_MAX, 253)
        except ConnectionResetError:
            return None
        for fd in fds:
            os.close(fd)
        return struct.unpack(">iIII", data[12:28]) + (data[28:],) if data else None

    def ask(self, procedure, body=b""):
        self.serial += 1
        self.send(packet(procedure, CALL, self.serial, OK, body))
        return self.receive()

    def hooks(self):
        """{number: (abi, size, digest)}, as the daemon has them."""
        body = self.ask(FEATURES)[4]
        at = 8 + struct.unpack(">I", body[4:8])[0]
        at += -at % 4
        (count,), at, hooks = struct.unpack(">I", body[at:at + 4]), at + 4, {}
        for _ in range(count):
            number, abi, size = struct.unpack(">III", body[at:at + 12])
            hooks[number] = (abi, size, body[at + 12:at + 28])
            (length,) = struct.unpack(">I", body[at + 28:at + 32])
            at += 32 + length + -length % 4
        return hooks

    def register(self):
        abi, size, digest = self.hooks()[OWN_SET]
        answer = self.ask(REGISTER, struct.pack(">IIII", 1, OWN_SET, abi, size) + digest + struct.pack(">I", 0)
                          + text(VICTIM) + struct.pack(">I", 0))
        assert answer[3] == OK, answer

    def close(self):
        self.socket.close()

    def gone(self):
        """The daemon has closed its side."""
        while self.receive() is not None:
            pass


class Bystander(threading.Thread):
    """Somebody else's calls, all the time; how long the longest took."""

    def __init__(self, host):
        super().__init__()
        self.host, self.over, self.calls, self.longest, self.failure = host, threading.Event(), 0, 0.0, None

    def run(self):
        while not self.over.is_set():
            began = time.monotonic()
            done = self.host.run("domstate", BYSTANDER)
            self.longest = max(self.longest, time.monotonic() - began)
            self.calls += 1
            if done.returncode != 0 or "paused" not in done.stdout:
                self.failure = done.stdout + done.stderr
                return


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.context = guests.host(PROGRAM, CONFIG)
        cls.host = cls.context.__enter__()
        cls.disk = cls.host.folder / "disk"
        cls.disk.write_bytes(bytes(1 << 20))
        for name, disk in ((VICTIM, f"<disk type='file' device='disk'><source file='{cls.disk}'/>"
                            "<target dev='vda' bus='virtio'/></disk>"), (BYSTANDER, "")):
            cls.host.define(name, devices=disk)
        cls.host.virsh("start", "--paused", BYSTANDER)
        cls.pid = cls.host.pid(BYSTANDER)

    @classmethod
    def tearDownClass(cls):
        cls.host.virsh("destroy", BYSTANDER)
        cls.context.__exit__(None, None, None)

    def setUp(self):
        self.channels = []
        self.fds, self.memory = self.host.daemon.fds(), self.host.daemon.rss_kib()
        self.bystander = Bystander(self.host)
        self.bystander.start()
        self.addCleanup(self.check)

    def check(self):
        """The daemon is as it was, and has served others meanwhile."""
        for channel in self.channels:
            channel.close()
        self.bystander.over.set()
        self.bystander.join()
        self.assertIsNone(self.bystander.failure)
        self.assertGreater(self.bystander.calls, 0)
        self.assertLess(self.bystander.longest, guests.STEP_S / 2)
        self.assertIsNone(self.host.daemon.process.poll(), "the daemon has ended")
        guests.until(lambda: self.host.daemon.fds() <= self.fds, "no descriptor is left")
        self.assertLess(self.host.daemon.rss_kib() - self.memory, 32 * 1024)
        self.assertTrue(guests.alive(self.pid))

    def channel(self):
        self.channels.append(Channel(self.host))
        return self.channels[-1]

    def start(self):
        """virsh start of the guest whose disk the handler would have to give away."""
        return subprocess.Popen(["virsh", "-c", self.host.uri, "start", "--paused", VICTIM],
                                stderr=subprocess.PIPE, text=True)

    def refused(self, start, words):
        with start:
            error = start.communicate(timeout=guests.STEP_S)[1]
        self.assertNotEqual(start.returncode, 0)
        self.assertIn(words, error)
        self.assertEqual(self.disk.stat().st_uid, 0)

    def serial_of_call(self, channel):
        """Of the daemon's next call of own.set."""
        while True:
            procedure, kind, serial, _, _ = channel.receive()
            if (procedure, kind) == (OWN_SET, CALL):
                return serial

    # --- speaking

    def test_garbage(self):
        dice = random.Random(4)
        for size in [0, 1, 27, 28, 29, 4096, PACKET_MAX] + [dice.randrange(PACKET_MAX) for _ in range(40)]:
            channel = self.channel()
            if size and channel.send(dice.randbytes(size)):
                channel.gone()
            channel.close()

    def test_lying_lengths(self):
        for length in (0, 27, 29, 1 << 20, 0xffffffff):
            channel = self.channel()
            channel.send(struct.pack(">I", length) + packet(FEATURES, CALL, 1)[4:])
            channel.gone()

    def test_messages_without_end(self):
        for fds in ((), (0,) * 253):
            channel = self.channel()
            part = packet(OWN_SET, REPLY, 1, CONTINUE, bytes(1000 if fds else PACKET_MAX - 28))
            for _ in range(100):
                if not channel.send(part, fds):
                    break
            else:
                self.fail("the daemon takes messages without end")

    def test_half_a_message_and_silence(self):
        for _ in range(20):
            self.channel().send(packet(OWN_SET, REPLY, 1, CONTINUE, bytes(1000)), (0,) * 10)

    def test_answers_to_nothing(self):
        channel = self.channel()
        channel.register()
        for serial in range(1 << 20, (1 << 20) + 20000):
            self.assertTrue(channel.send(packet(OWN_SET, REPLY, serial), (0,) if serial % 16 == 0 else ()))
        self.assertEqual(channel.ask(STATUS)[3], OK)

    def test_other_kinds_of_messages(self):
        for kind in (MESSAGE, 3, 6, 99):
            channel = self.channel()
            channel.send(packet(OWN_SET, kind, 1))
            channel.gone()

    def test_registrations_that_make_no_sense(self):
        channel = self.channel()
        for _ in range(500):
            self.assertEqual(channel.ask(REGISTER, os.urandom(60))[3], ERROR)

    # --- not reading

    def test_questions_without_reading_the_answers(self):
        channel = self.channel()
        channel.socket.setblocking(False)
        for serial in range(1, 100000):
            try:
                if not channel.send(packet(FEATURES, CALL, serial)):
                    break
            except BlockingIOError:
                select.select([], [channel.socket], [], 1)
        else:
            self.fail("the daemon answers who never reads")

    def test_calls_that_are_never_read(self):
        channel = self.channel()
        channel.register()
        self.refused(self.start(), f"has not answered within {DEADLINE_S} s")

    # --- connections

    def test_connections_without_end(self):
        kept = self.channel()
        kept.register()
        for _ in range(300):
            with contextlib.suppress(BlockingIOError, ConnectionResetError):
                self.channel()
        self.assertEqual(kept.ask(STATUS)[3], OK)  # who serves something is not pushed out

    # --- promises

    def answer(self, reply, fds=(), times=1):
        """A start whose handler answers its calls so; the virsh that runs it."""
        channel = self.channel()
        channel.register()
        start = self.start()
        serial = self.serial_of_call(channel)
        for _ in range(times):
            channel.send(reply(serial), fds)
        return start

    def test_done_that_is_not_done(self):
        start = self.answer(lambda serial: packet(OWN_SET, REPLY, serial, OK, struct.pack(">III", 0, 0, 0)))
        self.refused(start, "reported own.set as done, but")

    def test_done_that_makes_no_sense(self):
        start = self.answer(lambda serial: packet(OWN_SET, REPLY, serial, OK, b"yes!"))
        self.refused(start, "own.set")

    def test_done_for_another_hook(self):
        start = self.answer(lambda serial: packet(OWN_SET + 1, REPLY, serial))
        self.refused(start, "answered another call")

    def test_done_ten_times_with_descriptors(self):
        start = self.answer(lambda serial: packet(OWN_SET, REPLY, serial, OK, struct.pack(">III", 0, 0, 0)),
                            (0,) * 253, 10)
        self.refused(start, "own.set")

    def test_an_error_that_cannot_be_read(self):
        start = self.answer(lambda serial: packet(OWN_SET, REPLY, serial, ERROR, os.urandom(64)))
        self.refused(start, "own.set")

    def test_gone_in_the_middle(self):
        channel = self.channel()
        channel.register()
        start = self.start()
        self.serial_of_call(channel)
        channel.close()
        self.refused(start, "went away in the middle of the call")


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv[1])
    why = guests.missing()
    if why:
        print(f"{why}: skipped")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v"])
