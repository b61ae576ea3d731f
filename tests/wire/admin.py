#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""admin.py VIRTWARDD: the distribution's virt-admin on the admin socket.

Skipped (exit 77) where it is not installed."""

import os
import shutil
import subprocess
import sys
import unittest

from daemon import running
from protocol import Client, Closed

DAEMON = None


def admin(*words):
    """(exit code, output) of virt-admin."""
    done = subprocess.run(["virt-admin", "-c", f"libvirtd:///system?socket={DAEMON.admin}", *words],
                          capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C.UTF-8"})
    return done.returncode, done.stdout + done.stderr


class Admin(unittest.TestCase):
    """What an administrator asks."""

    def test_servers(self):
        code, text = admin("server-list")
        self.assertEqual(code, 0, text)
        self.assertIn("admin", text)
        self.assertIn("virtwardd", text)
        code, text = admin("client-list", "nowhere")
        self.assertEqual((code, text.strip()),
                         (1, "error: Server not found: No server named 'nowhere'"))

    def test_a_client_is_listed_described_and_thrown_out(self):
        client = Client(DAEMON.ro).open()
        code, text = admin("client-list", "virtwardd")
        self.assertEqual(code, 0, text)
        number = text.strip().splitlines()[-1].split()[0]
        code, text = admin("client-info", "virtwardd", number)
        facts = dict((part.strip() for part in line.split(":", 1))
                     for line in text.strip().splitlines())
        self.assertEqual(facts["readonly"], "yes")
        self.assertEqual(facts["unix_user_id"], str(os.getuid()))
        self.assertEqual(facts["unix_process_id"], str(os.getpid()))
        self.assertEqual(admin("client-disconnect", "virtwardd", number)[0], 0)
        with self.assertRaises(Closed):
            client.receive()
        code, text = admin("client-info", "virtwardd", number)
        self.assertEqual(code, 1)
        self.assertIn(f"No client with matching ID '{number}'", text)

    def test_the_limit_of_clients_can_be_changed(self):
        self.assertEqual(admin("server-clients-set", "virtwardd", "--max-clients", "77")[0], 0)
        self.assertIn("nclients_max        : 77", admin("server-clients-info", "virtwardd")[1])


def main(argv):
    global DAEMON
    if not shutil.which("virt-admin"):
        print("skipped: virt-admin is not installed")
        return 77
    with running(argv[1]) as DAEMON:
        result = unittest.main(argv=argv[:1] + argv[2:], exit=False).result
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
