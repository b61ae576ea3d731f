#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""hostile_channel.py HELPERD: the channel itself as a daemon's weapon against the helper.

Garbage, silence, messages without end, words that would be lines of the audit, floods: each ends or
slows down the one session and nobody else's. And what the helper does when it is told to end while a
daemon keeps it waiting."""

import os
import pathlib
import signal
import socket
import struct
import subprocess
import time

import hostile
from hostile import DEADLINE, USER
import channel
import protocol


class HostileChannel(hostile.Case):
    def test_words_make_no_lines_of_their_own(self):
        forged = "x\naudit: hook=own.set guest=\"good\" verdict=done"
        self.refused("is not among the nodes", "device.open", {"device": 7, "identity": forged}, domain=forged)
        self.assertNotIn("\naudit: hook=own.set guest=\"good\"", self.audited())

    def test_surplus_descriptors(self):
        open_before = len(os.listdir(f"/proc/{self.helper.pid}/fd"))
        null = self.open("/dev/null", os.O_RDONLY)
        for count in (2, 253):
            self.assertIsNotNone(self.daemon.ask("memlock.set", {"soft": 1, "hard": 1}, [self.stranger.pidfd] + [null] * (count - 1)))
        deadline = time.monotonic() + DEADLINE  # they are closed behind the answer
        while len(os.listdir(f"/proc/{self.helper.pid}/fd")) != open_before:
            self.assertLess(time.monotonic(), deadline, os.listdir(f"/proc/{self.helper.pid}/fd"))

    def test_garbage_ends_one_session(self):
        header = protocol.HEADER
        data = self.codec.data
        number = self.codec.rows["own_set"]["num"]
        for name, packet in (
                ("noise", os.urandom(500)), ("too short", b"\0\0\0\4"),
                ("a wrong length", header.pack(1 << 30, data["number"], 1, number, protocol.CALL, 1, 0)),
                ("another program", header.pack(28, 0x20008086, 1, number, protocol.CALL, 1, 0)),
                ("arguments cut off", header.pack(38, data["number"], 1, number, protocol.CALL, 1, 0) + b"x" * 10),
                ("a string of 4 GiB", header.pack(52, data["number"], 1, number, protocol.CALL, 1, 0) + b"u" * 16
                 + struct.pack(">II", 0xffffffff, 0)),
                ("a stream", header.pack(28, data["number"], 1, number, protocol.STREAM, 1, 0))):
            with self.subTest(name):
                self.daemon.channel.send_raw(packet)
                self.assertIsNone(self.other.ask("device.open", {"device": 7, "identity": "/dev/null"}))
                self.again(self.daemon)

    def test_a_message_without_end(self):
        """More and more of one message: it is bounded, and so is the helper's memory."""
        data, number = self.codec.data, self.codec.rows["own_set"]["num"]
        piece = protocol.HEADER.pack(channel.PACKET_MAX, data["number"], 1, number, protocol.CALL, 1,
                                     protocol.CONTINUE) + bytes(channel.PACKET_MAX - 28)
        with self.assertRaises(OSError):
            for _ in range(2000):
                self.daemon.channel.send_raw(piece)
        peak = [line for line in pathlib.Path(f"/proc/{self.helper.pid}/status").read_text().splitlines()
                if line.startswith("VmHWM")][0].split()[1]
        self.assertLess(int(peak), 200 << 10)
        self.again(self.daemon)

    def test_a_daemon_that_reads_nothing_holds_up_nobody(self):
        call = protocol.HEADER.pack
        args = self.codec.encode("device_open_args", {"call": self.daemon.head(), "device": 7, "identity": "/dev/null"})
        packet = call(28 + len(args), self.codec.data["number"], 1, self.codec.rows["device_open"]["num"], protocol.CALL, 7,
                      0) + args
        self.daemon.channel.socket.setblocking(False)
        try:
            while True:
                self.daemon.channel.send_raw(packet)
        except BlockingIOError:
            pass
        began = time.monotonic()
        self.assertIsNone(self.other.ask("device.open", {"device": 7, "identity": "/dev/null"}))
        self.assertLess(time.monotonic() - began, 20)
        self.daemon.channel.close()
        self.again(self.daemon)

    def test_answers_to_nothing(self):
        for serial in range(100):
            self.daemon.channel.send("register", protocol.REPLY, serial + 5000, protocol.OK,
                                     self.codec.encode("register_ret", {"id": 1}))
        self.daemon.channel.send("cancel", protocol.MESSAGE, 0, protocol.OK,
                                 self.codec.encode("cancel_msg", {"request": 1 << 63}))
        self.assertIsNone(self.daemon.ask("device.open", {"device": 7, "identity": "/dev/null"}))

    # --- words ---

    def test_long_words_make_no_lines_of_their_own(self):
        """journald breaks a line of more than 48 KiB into several: what comes first in one would be forged."""
        forged = "x" * 60000 + 'audit: hook=own.set guest="good" verdict=done'
        self.refused("is not among the nodes", "device.open", {"device": 7, "identity": forged}, domain=forged)
        lines = self.audited().splitlines()
        self.assertLess(max(len(line) for line in lines), 4096)
        self.assertNotIn('hook=own.set guest="good"', self.audited())

    def test_words_of_a_refused_registration(self):
        """What a daemon says of a registration is no line of the audit either."""
        forged = 'x\naudit: hook=own.set guest="better" verdict=done'
        self.daemon.channel.close()
        connected, _ = self.daemon.listening.accept()
        refusing = channel.Channel(connected, self.codec, DEADLINE)
        call = refusing.receive()
        refusing.refuse(call, forged)
        with self.assertRaises((ConnectionError, OSError)):
            while True:
                refusing.receive()
        refusing.close()
        self.again(self.daemon)
        self.assertIn("guest=", self.audited())
        self.assertFalse([line for line in self.audited().splitlines() if line.startswith("audit: hook=own.set guest=\"better")])

    def test_a_flood_of_refusals_is_slowed_down(self):
        """Each has its line, and the daemon waits for it; the other one does not."""
        count = 900
        began = time.monotonic()
        for _ in range(count):
            self.assertIsNotNone(self.daemon.ask("device.open", {"device": 7, "identity": "/dev/zero"}))
        took = time.monotonic() - began
        self.assertGreater(took, 4)  # 500 at once, then 50 a second
        began = time.monotonic()
        self.assertIsNone(self.other.ask("device.open", {"device": 7, "identity": "/dev/null"}))
        self.assertLess(time.monotonic() - began, took)
        self.assertGreaterEqual(self.audited().count("'/dev/zero' is not among"), count)


class HelperEnds(hostile.Case):
    """Told to end while a daemon keeps it waiting."""

    POLICY = "[helper]\nsockets={path}\n[own.set]\nfolders=/nowhere\n"

    def end(self, helper, words=None):
        """It ends by itself, long before the 30 s that a daemon's answer may take."""
        began = time.monotonic()
        helper.send_signal(signal.SIGTERM)
        self.assertEqual(helper.wait(DEADLINE), 0)
        self.assertLess(time.monotonic() - began, 20)
        said = helper.stderr.read()
        helper.stderr.close()
        if words:
            self.assertIn(words, said)

    def start(self, path, policy=POLICY):
        file = self.folder / "ending"
        file.write_text(policy.format(path=path))
        return subprocess.Popen([self.HELPER, "--policy", str(file)], stderr=subprocess.PIPE, text=True)

    def listen(self, backlog=1):
        path = self.folder / "silent"
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(listening.close)
        listening.settimeout(DEADLINE)
        listening.bind(str(path))
        listening.listen(backlog)
        return path, listening

    def test_while_a_daemon_does_not_answer_its_registration(self):
        path, listening = self.listen()
        helper = self.start(path)
        silent, _ = listening.accept()
        self.addCleanup(silent.close)
        self.assertTrue(silent.recv(65536))  # it asks, and waits
        self.end(helper)

    def test_while_a_daemon_lets_nobody_in(self):
        path, _ = self.listen(0)
        full = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(3)]
        for one in full:
            self.addCleanup(one.close)
            one.setblocking(False)
            try:
                one.connect(str(path))
            except BlockingIOError:
                break
        helper = self.start(path)
        self.assertIn("waiting", helper.stderr.readline())
        self.end(helper)

    def test_while_a_daemon_does_not_read_its_answers(self):
        path, listening = self.listen()
        helper = self.start(path)
        connected, _ = listening.accept()
        busy = channel.Channel(connected, self.codec, DEADLINE)
        self.addCleanup(busy.close)
        busy.answer(busy.receive(), {"id": 1})
        args = self.codec.encode("own_set_args", {"call": self.daemon.head(), "uid": USER})
        busy.socket.setblocking(False)
        try:
            while True:
                busy.send("own_set", protocol.CALL, 7, protocol.OK, args)
        except BlockingIOError:
            pass
        self.end(helper)

    def test_a_policy_with_a_mistake_serves_nobody(self):
        for policy, words in (("[helper]\nsockets={path}\ncgroups=/a;;/b\n", ":3: [helper] cgroups: ''"),
                              ("[helper]\nsockets={path}\n[memlock.set]\nmax=64G\n", ":4: [memlock.set] max: '64G'")):
            helper = self.start("/nowhere", policy)
            self.assertEqual(helper.wait(DEADLINE), 1)
            self.assertIn(words, helper.stderr.read())
            helper.stderr.close()


if __name__ == "__main__":
    hostile.run("__main__")
