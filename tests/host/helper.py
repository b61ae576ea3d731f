#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""helper.py VIRTWARDD HELPERD VIRTWARD: the reference helper beside a real daemon, with stock virsh.

A guest's disk is given to its user by the helper, within its policy; what the policy does not
allow is refused, audited, and reaches virsh; the helper can be killed and come back."""

import json
import os
import pathlib
import pwd
import select
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "wire"))
import daemon as daemons  # noqa: E402

GUEST = """<domain type='qemu'><name>helped</name><memory unit='MiB'>64</memory>
<os><type arch='x86_64' machine='pc'>hvm</type></os>
<devices><disk type='file' device='disk'><source file='{disk}'/><target dev='vda' bus='virtio'/></disk></devices></domain>"""
DEADLINE = 60


class Helper(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vwp-"))
        self.folder.chmod(0o755)
        self.addCleanup(subprocess.run, ["rm", "-rf", str(self.folder)], check=True)
        running = daemons.running(VIRTWARDD, config='handler_policy = [ "own.set=handler" ]\n',
                                  prepare=lambda folder: folder.chmod(0o755))
        self.daemon = running.__enter__()
        self.addCleanup(running.__exit__, None, None, None)
        self.uri = f"qemu:///system?socket={self.daemon.rw}"
        self.disk = self.folder / "disk"
        self.disk.write_bytes(bytes(1 << 20))
        self.virsh("define", "/dev/stdin", input=GUEST.format(disk=self.disk))
        self.helper = None
        self.addCleanup(self.end_helper)
        self.addCleanup(self.virsh, "destroy", "helped")

    def virsh(self, *command, **options):
        return subprocess.run(["virsh", "-c", self.uri, *command], capture_output=True, text=True,
                              timeout=DEADLINE, **options)

    def start_helper(self, folders):
        user = pwd.getpwnam("virtward-qemu")
        policy = self.folder / "policy"
        policy.write_text(f"[helper]\nsockets={self.daemon.root}/run/handler/sock\ncgroups=/virtward\n"
                          f"[own.set]\nfolders={folders}\nuids=0;{user.pw_uid}\ngids=0;{user.pw_gid}\n")
        self.helper = subprocess.Popen([HELPERD, "--policy", str(policy)], stderr=subprocess.PIPE)
        self.said = ""
        self.wait_line("serving")

    def wait_line(self, word):
        """Reads the helper's lines up to one with the word in it."""
        while True:
            line, newline, rest = self.said.partition("\n")
            if newline:
                self.said = rest
                if word in line:
                    return line
            elif select.select([self.helper.stderr], [], [], DEADLINE)[0]:
                data = os.read(self.helper.stderr.fileno(), 65536).decode()
                self.assertTrue(data, "the helper ended")
                self.said += data
            else:
                self.fail(f"no line with {word}")

    def end_helper(self):
        if self.helper:
            self.helper.terminate()
            self.helper.wait(DEADLINE)
            self.helper.stderr.close()
            self.helper = None

    def test_within_the_policy(self):
        self.start_helper(f"{self.folder};{self.daemon.root}")
        status = pathlib.Path(f"/proc/{self.helper.pid}/status").read_text()
        # chown, dac_read_search (to look for files in folders) and fowner, and nothing else
        self.assertIn("CapEff:\t000000000000000d", status)
        self.assertIn("CapBnd:\t000000000000000d", status)
        self.assertIn("NoNewPrivs:\t1", status)
        # the sanitizers' own system calls are in no filter's list
        sanitized = b"__asan_init" in pathlib.Path(HELPERD).read_bytes()
        self.assertIn("Seccomp:\t0" if sanitized else "Seccomp:\t2", status)
        done = self.virsh("start", "--paused", "helped")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.disk.stat().st_uid, pwd.getpwnam("virtward-qemu").pw_uid)
        shown = subprocess.run([VIRTWARD, "--root", str(self.daemon.root), "handlers", "--json"],
                               capture_output=True, text=True, timeout=DEADLINE, check=True)
        row, = json.loads(shown.stdout)["handlers"]
        self.assertEqual((row["hook"], row["pid"], row["connected"], row["failures"]),
                         ("own.set", self.helper.pid, True, 0))
        self.assertGreater(row["calls"], 0)
        self.assertIn("verdict=done", self.wait_line("audit: hook=own.set guest=\"helped\""))

    def test_outside_the_policy(self):
        self.start_helper(self.daemon.root)
        done = self.virsh("start", "--paused", "helped")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"'{self.disk}' is in none of the folders of own.set", done.stderr)
        self.wait_line("verdict=refused")
        self.assertEqual(self.disk.stat().st_uid, 0)

    def test_its_successor_sees_what_it_did(self):
        self.start_helper(f"{self.folder};{self.daemon.root}")
        self.assertEqual(self.virsh("start", "--paused", "helped").returncode, 0)
        self.helper.kill()
        self.helper.wait(DEADLINE)
        self.helper.stderr.close()
        self.start_helper(f"{self.folder};{self.daemon.root}")
        self.assertIn("verdict=kept", self.wait_line("audit: resync hook=own.set guest=\"helped\""))

    def test_it_comes_back(self):
        self.start_helper(f"{self.folder};{self.daemon.root}")
        self.helper.kill()
        self.helper.wait(DEADLINE)
        self.helper.stderr.close()
        done = self.virsh("start", "--paused", "helped")
        self.assertIn("own.set", done.stderr)
        self.start_helper(f"{self.folder};{self.daemon.root}")
        done = self.virsh("start", "--paused", "helped")
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    VIRTWARDD, HELPERD, VIRTWARD = (os.path.abspath(path) for path in sys.argv[1:4])
    if os.geteuid() != 0:
        print("needs root")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v"])
