#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""faults.py VIRTWARDD: what the daemon says to broken, odd and rude clients.

The facts are protocol/README.md sections 3, 8, 9 and 10. After each case another client must be
served as before, and the daemon must still be the same process."""

import socket
import struct
import sys
import time
import unittest

from daemon import running
from protocol import (CALL, CALL_WITH_FDS, Client, Closed, ERROR, MESSAGE, OK, STREAM, STREAM_HOLE,
                      Tables, error_of)

TABLES = Tables()
REMOTE = TABLES.data["remote"]["number"]
KEEPALIVE = TABLES.data["keepalive"]["number"]
URI = 110
LENGTH_MAX = 33554436
DAEMON = None


class Faults(unittest.TestCase):
    """One connection per case."""

    def setUp(self):
        self.client = Client(DAEMON.rw, tables=TABLES)

    def tearDown(self):
        self.client.close()
        other = Client(DAEMON.rw, tables=TABLES).open()
        self.assertEqual(other.call("remote", URI)[0], OK)
        other.close()

    def error(self, code, domain=None, text=""):
        """The next message is such an error."""
        header, payload = self.client.receive()
        self.assertEqual(header["status"], ERROR)
        got = error_of(payload)
        self.assertEqual(got[0], code, got)
        if domain is not None:
            self.assertEqual(got[1], domain)
        self.assertIn(text, got[2])

    def alive(self):
        """The same connection goes on."""
        self.assertEqual(self.client.call("remote", "auth_list")[0], OK)

    def closed(self):
        with self.assertRaises(Closed):
            self.client.receive()

    def send(self, program=REMOTE, version=1, procedure=URI, kind=CALL, status=OK, payload=b""):
        self.client.send(program, version, procedure, kind, 77, status, payload)

    def test_unknown_program(self):
        self.send(program=0x12345678)
        self.error(39, 7, "305419896")
        self.alive()

    def test_unknown_version(self):
        self.send(version=2)
        self.error(39, 7, "version 2")
        self.alive()

    def test_unknown_procedures_begin_with_the_text_clients_look_for(self):
        for number in (0, -1, 457, 100000, -2147483648, 107):
            self.send(procedure=number)
            header, payload = self.client.receive()
            self.assertEqual(error_of(payload), (39, 7, f"unknown procedure: {number}"))
            self.assertEqual(header["procedure"], number)
        self.alive()

    def test_call_with_a_status(self):
        for status in (1, 2):
            self.send(status=status)
            self.error(39)
        self.alive()

    def test_arguments_that_do_not_decode(self):
        self.client.open()
        self.send(procedure=23, payload=b"\xff\xff\xff\xff")
        self.error(39, 7)
        self.alive()

    def test_bytes_behind_the_arguments_are_ignored(self):
        self.client.open()
        status, _ = self.client.call("remote", URI, b"left over")
        self.assertEqual(status, OK)

    def test_types_that_no_client_sends_are_dropped(self):
        for kind in (1, MESSAGE, 5, 7, 99):
            self.send(kind=kind, payload=bytes(4))
        self.alive()

    def test_packets_of_no_stream_are_dropped(self):
        self.send(kind=STREAM, payload=b"data")
        self.send(kind=STREAM_HOLE, payload=bytes(12))
        self.alive()

    def test_odd_keepalives_are_dropped(self):
        self.send(program=KEEPALIVE, kind=MESSAGE, procedure=9)
        self.send(program=KEEPALIVE, kind=MESSAGE, procedure=1, version=9)
        self.alive()

    def test_keepalive_as_a_call(self):
        self.send(program=KEEPALIVE, procedure=1)
        self.error(39, 7)
        self.alive()

    def test_ping_is_answered_before_anything_else(self):
        self.client.send(KEEPALIVE, 1, 1, MESSAGE, 0, OK)
        header, payload = self.client.receive()
        self.assertEqual((header["program"], header["procedure"], payload), (KEEPALIVE, 2, b""))

    def test_too_short_a_message(self):
        self.client.send_raw(struct.pack(">I", 27))
        self.closed()

    def test_too_long_a_message(self):
        self.client.send_raw(struct.pack(">I", LENGTH_MAX + 1))
        self.closed()

    def test_the_longest_message(self):
        self.client.open()
        self.send(payload=bytes(LENGTH_MAX - 28))
        header, _ = self.client.receive()
        self.assertEqual(header["status"], OK)

    def test_too_many_descriptors_announced(self):
        self.send(kind=CALL_WITH_FDS, payload=struct.pack(">I", 33))
        self.closed()

    def test_descriptor_byte_without_descriptor(self):
        self.send(kind=CALL_WITH_FDS, payload=struct.pack(">I", 1))
        self.client.send_raw(b"\0")
        self.closed()

    def test_call_with_no_descriptors(self):
        self.client.open()
        self.send(kind=CALL_WITH_FDS, payload=struct.pack(">I", 0))
        header, _ = self.client.receive()
        self.assertEqual(header["status"], OK)

    def test_call_with_descriptors_it_does_not_want(self):
        self.client.open()
        before = DAEMON.fds()
        self.send(kind=CALL_WITH_FDS, payload=struct.pack(">I", 2))
        for _ in range(2):
            socket.send_fds(self.client.socket, [b"\0"], [0])
        header, _ = self.client.receive()
        self.assertEqual(header["status"], OK)
        # an earlier client's may have been open still when they were counted: fewer is no leak
        deadline = time.monotonic() + 30
        while DAEMON.fds() > before and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertLessEqual(DAEMON.fds(), before)

    def test_call_before_open(self):
        self.send()
        self.error(1)
        self.alive()

    def test_second_open(self):
        self.client.open()
        status, payload = self.client.call("remote", 1, struct.pack(">III", 1, 0, 0))
        self.assertEqual((status, error_of(payload)[0]), (ERROR, 1))

    def test_null_name(self):
        status, payload = self.client.call("remote", 1, struct.pack(">II", 0, 0))
        self.assertEqual((status, error_of(payload)[0]), (ERROR, 1))
        self.client.open()

    def test_empty_name_probes_and_unknown_flags_pass(self):
        self.client.open(b"", flags=0xfff0)

    def test_uri_of_another_driver(self):
        status, payload = self.client.call(
            "remote", 1, struct.pack(">II", 1, 15) + b"test:///default\0" + bytes(4))
        self.assertEqual((status, error_of(payload)[0]), (ERROR, 5))
        self.client.open()

    def test_feature_before_open_is_keepalive_only(self):
        status, payload = self.client.call("remote", 60, struct.pack(">i", 10))
        self.assertEqual((status, payload), (OK, struct.pack(">i", 1)))
        status, payload = self.client.call("remote", 60, struct.pack(">i", 14))
        self.assertEqual((status, error_of(payload)[0]), (ERROR, 1))

    def test_unknown_feature(self):
        self.client.open()
        self.assertEqual(self.client.call("remote", 60, struct.pack(">i", 999)),
                         (OK, struct.pack(">i", 0)))

    def test_close_is_answered_then_the_connection_ends(self):
        self.client.open()
        self.assertEqual(self.client.call("remote", 2)[0], OK)
        self.closed()

    def test_lacking_procedure_names_its_function(self):
        self.client.open()
        row, = [r for r in TABLES.procedures("remote") if r["name"] == "network_destroy"]
        status, payload = self.client.call("remote", row["num"], bytes(4 + 16))
        self.assertEqual(status, ERROR)
        code, _, text = error_of(payload)
        self.assertEqual(code, 3)
        self.assertTrue(text.endswith("virNetworkDestroy"), text)

    def test_identity_of_others_is_for_roots_proxies(self):
        self.client.open()
        param = struct.pack(">II", 1, 9) + b"user-name\0\0\0" + struct.pack(">iI", 7, 4) + b"anna"
        status, payload = self.client.call("remote", 419, param + bytes(4))
        self.assertEqual(status, OK, payload)
        status, payload = self.client.call("remote", 419, param.replace(b"user", b"oser") + bytes(4))
        self.assertEqual((status, error_of(payload)[0]), (ERROR, 8))


def main(argv):
    global DAEMON
    with running(argv[1]) as DAEMON:
        result = unittest.main(argv=argv[:1] + argv[2:], exit=False).result
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
