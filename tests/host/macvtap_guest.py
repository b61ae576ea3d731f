#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""macvtap_guest.py VIRTWARDD HELPERD LIBRARY: interfaces on macvtaps, of a daemon without any right.

Somebody made the interface (as the platforms' network plugins do) and the helper opens its character
device: one descriptor a queue. A handler that gives something else is not believed."""

import os
import pathlib
import subprocess

import unprivileged
from unprivileged import GROUP_HOOKS, NAME

PARENT, PEER, READY = (f"vw{kind}{os.getpid() % 1000000}" for kind in ("p", "q", "m"))
HOOKS = GROUP_HOOKS + ("device.open",)
READY_NIC = (f"<interface type='ethernet'><target dev='{READY}' managed='no'/><model type='virtio'/>"
             "<driver name='qemu' queues='%d'/></interface>")
XML = f"""<domain type='qemu'><name>{NAME}</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features><devices>%s<memballoon model='none'/></devices></domain>"""


def ip(*command):
    subprocess.run(["ip", *command], check=True)


def index(name):
    return int(pathlib.Path(f"/sys/class/net/{name}/ifindex").read_text())


def number(name):
    """Of the interface's character device."""
    text = pathlib.Path(f"/sys/class/net/{name}/tap{index(name)}/dev").read_text()
    return os.makedev(*map(int, text.split(":")))


class Macvtap(unprivileged.Unprivileged):
    hooks = HOOKS

    def setUp(self):
        ip("link", "add", PARENT, "type", "veth", "peer", "name", PEER)
        self.addCleanup(ip, "link", "del", PARENT)
        ip("link", "add", "link", PARENT, "name", READY, "type", "macvtap", "mode", "bridge")
        super().setUp()

    def policy(self):
        return {**super().policy(), "device.open": f"devices=tap\nnames={READY}\n"}

    def create_with(self, nic):
        document = self.folder / "guest.xml"
        document.write_text(XML % nic)
        return self.virsh("create", str(document), "--paused")

    def queues(self, name=READY):
        """How many descriptors QEMU has of the interface's device."""
        folder, wanted = pathlib.Path(f"/proc/{self.pid()}/fd"), number(name)
        return sum(path.stat().st_rdev == wanted for path in folder.iterdir() if path.exists())

    def test_one_that_is_ready(self):
        self.start_helper()
        made = self.create_with(READY_NIC % 3)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(self.queues(), 3)
        self.assertIn(f"<target dev='{READY}' managed='no'/>", self.done("dumpxml", NAME))
        self.assertIn(f"{READY} rx_bytes", self.done("domifstat", NAME, READY))
        for _ in range(3):
            self.assertIn("verdict=done", self.wait_line("audit: hook=device.open"))
        self.done("destroy", NAME)
        self.assertTrue(pathlib.Path(f"/sys/class/net/{READY}").exists(), "it was not made for the guest")

    def test_it_comes_and_goes(self):
        self.start_helper()
        made = self.create_with("")
        self.assertEqual(made.returncode, 0, made.stderr)
        nic = self.folder / "nic.xml"
        nic.write_text(READY_NIC % 1)
        self.done("attach-device", NAME, str(nic))
        self.assertEqual(self.queues(), 1)
        self.assertIn(READY, self.done("domiflist", NAME))

    def test_one_that_may_not_be_opened(self):
        self.start_helper(**{"device.open": "devices=tap\nnames=others*\n"})
        made = self.create_with(READY_NIC % 1)
        self.assertEqual(made.returncode, 1)
        self.assertIn(f"'{READY}' is not among the names of device.open", made.stderr)
        self.assertEqual(self.left(), [])

    def test_another_device_is_not_believed(self):
        self.without("device.open")
        other = READY + "x"
        ip("link", "add", "link", PARENT, "name", other, "type", "macvtap", "mode", "bridge")
        folder = self.folder / "nodes"
        folder.mkdir()
        os.mknod(folder / "tap", 0o20600, number(other))
        for path in (folder / "tap", "/dev/null"):
            with self.subTest(path):
                self.lie("device.open", lambda request, path=path: request.add_fd(os.open(path, os.O_RDWR)))
                made = self.create_with(READY_NIC % 1)
                self.assertEqual(made.returncode, 1)
                self.assertIn("reported device.open as done, but what it gave is no queue of the interface",
                              made.stderr)
                self.assertEqual(self.left(), [])
                self.doCleanup()

    def doCleanup(self):
        """The handler that lied takes its leave."""
        function, args, kwargs = self._cleanups.pop()
        function(*args, **kwargs)


if __name__ == "__main__":
    unprivileged.main()
