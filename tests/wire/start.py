#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""start.py VIRTWARDD: how the daemon starts, what it refuses, and how it ends."""

import pathlib
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

import channel
from daemon import running
from protocol import Client, Closed, OK, Tables

PROGRAM = None
TABLES = Tables()


def fails(root, config=""):
    """What the daemon says when it does not start."""
    folder = pathlib.Path(root)
    (folder / "etc").mkdir(parents=True, exist_ok=True)
    (folder / "etc" / "virtwardd.conf").write_text(config)
    done = subprocess.run([PROGRAM, "--root", str(root)], timeout=30, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 1, done
    return done.stderr


class Start(unittest.TestCase):
    """From arguments to the end."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vw-", dir="/tmp")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def test_version_and_help(self):
        for argument, text in (("--version", "virtwardd"), ("--help", "--root")):
            done = subprocess.run([PROGRAM, argument], capture_output=True, text=True, check=True)
            self.assertIn(text, done.stdout)

    def test_unknown_argument(self):
        done = subprocess.run([PROGRAM, "--frobnicate"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("frobnicate", done.stderr)

    def test_sockets_have_their_modes_and_go_with_the_daemon(self):
        config = 'unix_sock_rw_perms = "0750"\nunix_sock_ro_perms = "0755"\n'
        with running(PROGRAM, config) as daemon:
            for path, mode in ((daemon.rw, 0o750), (daemon.ro, 0o755), (daemon.admin, 0o700)):
                self.assertEqual(stat.S_IMODE(path.stat().st_mode), mode, path)
            process = daemon.process
            sockets = (daemon.rw, daemon.ro, daemon.admin)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(30), 0)
            self.assertFalse([path for path in sockets if path.exists()])
            process.poll = lambda: None  # ended on purpose

    def test_connected_clients_do_not_keep_it_from_ending(self):
        with running(PROGRAM) as daemon:
            client = Client(daemon.rw, tables=TABLES).open()
            daemon.process.send_signal(signal.SIGTERM)
            with self.assertRaises(Closed):
                client.receive()
            self.assertEqual(daemon.process.wait(30), 0)
            daemon.process.poll = lambda: None

    def test_libvirts_own_socket_names(self):
        with running(PROGRAM, "libvirt_sockets = true\n") as daemon:
            path = daemon.root / "run" / "libvirt" / "libvirt-sock"
            self.assertEqual(Client(path, tables=TABLES).open().call("remote", 110)[0], OK)

    def test_second_daemon_on_one_folder(self):
        with running(PROGRAM) as daemon:
            self.assertIn("another virtwardd", fails(daemon.root))
            self.assertEqual(Client(daemon.rw, tables=TABLES).open().call("remote", 110)[0], OK)

    def test_stale_sockets_are_replaced(self):
        def leave(folder):
            (folder / "run").mkdir()
            with socket.socket(socket.AF_UNIX) as stale:
                stale.bind(str(folder / "run" / "virtward-sock"))

        with running(PROGRAM, prepare=leave) as daemon:
            self.assertEqual(Client(daemon.rw, tables=TABLES).open().call("remote", 110)[0], OK)

    def test_path_too_long_for_a_socket(self):
        self.assertIn("longer than 107 bytes", fails(self.root / ("x" * 100)))

    def test_mistakes_in_the_configuration(self):
        self.assertIn("virtwardd.conf:2: unknown key 'max_cleints'",
                      fails(self.root, "\nmax_cleints = 3\n"))
        self.assertIn("no group 'nobodys'", fails(self.root, 'unix_sock_group = "nobodys"\n'))

    def test_sockets_that_are_handed_over(self):
        """As a service manager does it: descriptors from 3 on, LISTEN_FDS and LISTEN_PID."""
        listeners = []
        for name in ("virtward-sock", "virtward-sock-ro"):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(self.root / name))
            listener.listen()
            listeners.append(listener)
        script = 'export LISTEN_PID=$$ LISTEN_FDS=2; exec 3<&"$2" 4<&"$3"; exec "$0" --root "$1"'
        fds = [listener.fileno() for listener in listeners]
        with subprocess.Popen(["bash", "-c", script, PROGRAM, str(self.root)] + [str(f) for f in fds],
                              pass_fds=fds) as process:
            client = Client(self.root / "virtward-sock", tables=TABLES).open()
            self.assertEqual(client.call("remote", 110)[0], OK)
            reader = Client(self.root / "virtward-sock-ro", tables=TABLES).open()
            self.assertNotEqual(reader.call("remote", "domain_create_xml", bytes(8))[0], OK)
            self.assertFalse((self.root / "run" / "virtward-sock").exists())
            process.terminate()
            self.assertEqual(process.wait(30), 0)
        for listener in listeners:
            listener.close()

    def test_a_handlers_channel_that_is_handed_over(self):
        """One end of a socket pair: nobody has to find the daemon, and clients' sockets are its own."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        script = 'export LISTEN_PID=$$ LISTEN_FDS=1; exec 3<&"$2"; exec "$0" --root "$1"'
        with subprocess.Popen(["bash", "-c", script, PROGRAM, str(self.root), str(theirs.fileno())],
                              pass_fds=[theirs.fileno()]) as process:
            theirs.close()
            answer = channel.Channel(ours).call("features", {})
            self.assertEqual(answer.status, OK)
            self.assertEqual(channel.Codec().decode("features_ret", answer.payload)["protocol"], 1)
            deadline = time.monotonic() + 30
            while not (self.root / "run" / "virtward-sock").exists():
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)
            process.terminate()
            self.assertEqual(process.wait(30), 0)
        ours.close()

    def test_handlers_of_some_groups_only(self):
        own = [line[3:] for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")]
        if not own:
            self.skipTest("no cgroup v2")
        for group, welcome in ((own[0], True), ("/", True), ("/nobodys", False), (own[0].rstrip("/") + "/below", False)):
            with self.subTest(group), running(PROGRAM, config=f'handler_groups = [ "{group}" ]\n') as daemon:
                peer = channel.Channel.connect(daemon.root / "run" / "handler" / "sock")
                if welcome:
                    self.assertEqual(peer.call("features", {}).status, OK)
                else:
                    self.assertRaises(OSError, peer.call, "features", {})
                peer.close()
        self.assertIn("'here' is no control group", fails(self.root, 'handler_groups = [ "here" ]\n'))


def main(argv):
    global PROGRAM
    PROGRAM = argv[1]
    result = unittest.main(argv=argv[:1] + argv[2:], exit=False).result
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
