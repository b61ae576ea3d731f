#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""macvtap_guest.py VIRTWARDD HELPERD LIBRARY: interfaces on macvtaps, of a daemon without any right.

Somebody made the interface (as the platforms' network plugins do) and the helper opens its character
device, one descriptor a queue; or the helper makes it, on an interface of its policy, sets it up while
the guest runs, and removes it. A handler that gives something else is not believed."""

import os
import pathlib
import subprocess
import sys
import time
import unittest

import unprivileged
from macvtap import index, ip, number, on, open_queue, possible
from unprivileged import DEADLINE, GROUP_HOOKS, NAME, daemons

PARENT, PEER, READY = (f"vw{kind}{os.getpid() % 1000000}" for kind in ("p", "q", "m"))
HOOKS = GROUP_HOOKS + ("device.open", "tap.create", "tap.remove", "net.set", "net.bandwidth")
READY_NIC = (f"<interface type='ethernet'><target dev='{READY}' managed='no'/><model type='virtio'/>"
             "<driver name='qemu' queues='%d'/></interface>")
MAC = "52:54:00:0a:0b:07"
DIRECT = (f"<interface type='direct'><mac address='{MAC}'/><source dev='{PARENT}' mode='%s'/>"
          "<model type='virtio'/><driver name='qemu' queues='2'/>%s</interface>")
XML = f"""<domain type='qemu'><name>{NAME}</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features><devices>%s<memballoon model='none'/></devices></domain>"""


class Macvtap(unprivileged.Unprivileged):
    hooks = HOOKS

    def setUp(self):
        ip("link", "add", PARENT, "type", "veth", "peer", "name", PEER)
        self.addCleanup(ip, "link", "del", PARENT)
        ip("link", "add", "link", PARENT, "name", READY, "type", "macvtap", "mode", "bridge")
        super().setUp()

    def policy(self):
        return {**super().policy(), "device.open": f"devices=tap\nnames={READY}\n",
                "tap.create": f"names=macvtap*\nmax=4\nparents={PARENT}\nmodes=bridge;passthrough\n",
                "tap.remove": "names=macvtap*\n", "net.set": f"names=macvtap*;{PARENT}\n",
                "net.bandwidth": "names=macvtap*\nmax=1000\nunlimited=yes\n"}

    def made(self):
        """Names of the macvtaps on the parent, but for the ready one."""
        return sorted(set(on(PARENT)) - {READY})

    def wait_for(self, what):
        deadline = time.monotonic() + DEADLINE
        while not what():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def up(self, name):
        return bool(int(pathlib.Path(f"/sys/class/net/{name}/flags").read_text(), 16) & 1)

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

    def test_a_life_on_one_of_its_own(self):
        self.start_helper()
        made = self.create_with(DIRECT % ("bridge", "<bandwidth><outbound average='100'/></bandwidth>"))
        self.assertEqual(made.returncode, 0, made.stderr)
        name, = self.made()
        self.assertEqual(self.queues(name), 2)
        self.assertIn(f"<target dev='{name}'/>", self.done("dumpxml", NAME))
        self.assertNotIn("<target dev", self.done("dumpxml", NAME, "--inactive").split("<interface")[1].split("</interface")[0])
        self.assertEqual(pathlib.Path(f"/sys/class/net/{name}/address").read_text().strip(), MAC)
        shaped = subprocess.run(["tc", "class", "show", "dev", name], capture_output=True, text=True, check=True).stdout
        self.assertIn("rate 800Kbit", shaped)  # what the guest sends the interface sends
        self.assertFalse(self.up(name), "no CPU has run yet")
        self.done("resume", NAME)
        self.assertTrue(self.up(name) and self.up(PARENT))
        self.done("suspend", NAME)
        self.assertFalse(self.up(name))
        self.done("resume", NAME)
        self.daemon.restart()
        self.wait_line("serving")
        self.assertIn(name, self.done("domiflist", NAME))
        nic = self.folder / "nic.xml"
        nic.write_text(DIRECT.replace(MAC, MAC[:-1] + "9") % ("bridge", ""))
        self.done("attach-device", NAME, str(nic))
        self.assertEqual(len(self.made()), 2)
        self.assertTrue(all(self.up(one) for one in self.made()))
        self.done("destroy", NAME)
        self.assertEqual(self.made(), [])

    def test_what_nobody_removed(self):
        """A helper that comes later does, also for a daemon that was killed meanwhile."""
        def refuse(_):
            raise RuntimeError("not today")
        self.without("tap.remove")
        self.lie("tap.remove", refuse)
        made = self.create_with(DIRECT % ("bridge", ""))
        self.assertEqual(made.returncode, 0, made.stderr)
        self.done("destroy", NAME)
        self.assertEqual(len(self.made()), 1)
        self.doCleanup()
        self.daemon.restart()
        self.assertEqual(len(self.made()), 1)
        self.end_helper()
        self.start_helper()
        self.wait_for(lambda: not self.made())

    def test_one_that_is_alone_lends_its_address(self):
        ip("link", "del", READY)
        self.start_helper()
        address = pathlib.Path(f"/sys/class/net/{PARENT}/address")
        before = address.read_text()
        made = self.create_with(DIRECT % ("passthrough", ""))
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(address.read_text().strip(), MAC)
        self.done("destroy", NAME)
        self.assertEqual(address.read_text(), before)
        self.assertEqual(self.made(), [])

    def test_what_the_policy_refuses_is_not_made(self):
        self.start_helper()
        for mode, parent, words in (("vepa", PARENT, "'vepa' is not among the modes of tap.create"),
                                    ("bridge", PEER, f"'{PEER}' is not among the parents of tap.create")):
            made = self.create_with(DIRECT.replace(PARENT, parent) % (mode, ""))
            self.assertEqual(made.returncode, 1)
            self.assertIn(words, made.stderr)
        made = self.create_with(DIRECT.replace("'direct'", "'direct' trustGuestRxFilters='yes'") % ("bridge", ""))
        self.assertIn("trustGuestRxFilters of interface 'net0' is not supported", made.stderr)
        made = self.create_with(DIRECT.replace("<source", f"<target dev='{PEER}'/><source") % ("bridge", ""))
        self.assertIn(f"error creating macvtap interface {PEER}@{PARENT} ({MAC}): File exists", made.stderr)
        self.assertTrue(pathlib.Path(f"/sys/class/net/{PEER}").exists(), "it is somebody else's")
        self.assertEqual(self.made(), [])

    def test_another_interface_is_not_believed(self):
        """It has the name, and is of another mode, or on another parent."""
        self.without("tap.create")

        def answer(request):
            name = request["name"]
            ip("link", "add", "link", PEER, "name", name, "address", MAC, "type", "macvtap", "mode", "bridge")
            self.addCleanup(subprocess.run, ["ip", "link", "del", name], check=False)
            for _ in range(2):
                request.add_fd(open_queue(name, self.folder))
            request["name"], request["ifindex"], request["created"] = name, index(name), 1
        self.lie("tap.create", answer)
        made = self.create_with(DIRECT % ("bridge", ""))
        self.assertEqual(made.returncode, 1)
        self.assertIn("reported tap.create as done, but the interface is not what was asked for", made.stderr)

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
        for lie in (lambda: open_queue(other, self.folder), lambda: os.open("/dev/null", os.O_RDWR)):
            with self.subTest(lie):
                self.lie("device.open", lambda request, lie=lie: request.add_fd(lie()))
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


class Privileged(unittest.TestCase):
    """The same by a daemon that has the rights itself."""

    def setUp(self):
        ip("link", "add", PARENT, "type", "veth", "peer", "name", PEER)
        self.addCleanup(ip, "link", "del", PARENT)
        running = daemons.running(unprivileged.VIRTWARDD, prepare=lambda folder: folder.chmod(0o755))
        self.daemon = running.__enter__()
        self.addCleanup(running.__exit__, None, None, None)
        self.document = self.daemon.root / "guest.xml"
        self.addCleanup(self.virsh, "destroy", NAME)

    def virsh(self, *command):
        return subprocess.run(["virsh", "-q", "-c", f"qemu:///system?socket={self.daemon.rw}", *command],
                              capture_output=True, text=True, timeout=DEADLINE, check=False)

    def done(self, *command):
        result = self.virsh(*command)
        self.assertEqual(result.returncode, 0, result.stderr + self.daemon.log())
        return result.stdout

    def test_a_life(self):
        self.document.write_text(XML % (DIRECT % ("vepa", "")))
        self.done("create", str(self.document))
        name, = on(PARENT)
        self.assertRegex(self.done("domiflist", NAME), rf"{name} +direct +{PARENT} +virtio +{MAC}")
        self.assertIn(f"{name} rx_bytes", self.done("domifstat", NAME, name))
        self.done("domif-setlink", NAME, name, "down")
        self.assertIn("down", self.done("domif-getlink", NAME, name))
        self.done("domiftune", NAME, name, "--outbound", "100,200,64")
        shaped = subprocess.run(["tc", "class", "show", "dev", name], capture_output=True, text=True, check=True).stdout
        self.assertIn("rate 800Kbit ceil 1600Kbit", shaped)
        self.done("attach-interface", NAME, "direct", PARENT, "--model", "virtio")
        self.assertEqual(len(on(PARENT)), 2)
        self.daemon.restart()  # and it knows them still
        self.assertEqual(self.done("domiflist", NAME).count("direct"), 2)
        self.done("destroy", NAME)
        self.assertEqual(on(PARENT), [])

    def test_names_of_others_stay_theirs(self):
        for _ in range(3):
            self.document.write_text(XML % (DIRECT % ("bridge", "")))
            self.done("create", str(self.document))
            name, = on(PARENT)
            self.done("destroy", NAME)
        taken = f"macvtap{int(name[len('macvtap'):]) + 1}"
        ip("link", "add", "link", PARENT, "name", taken, "address", MAC, "type", "macvtap", "mode", "bridge")
        ip("link", "set", taken, "up")
        before = index(taken)
        refused = self.virsh("create", str(self.document))  # it cannot be up beside one of its address
        self.assertEqual(refused.returncode, 1)
        self.assertEqual((on(PARENT), index(taken)), ([taken], before))
        self.document.write_text(XML % (DIRECT.replace(MAC, MAC[:-1] + "8") % ("bridge", "")))
        self.done("create", str(self.document))
        self.done("destroy", NAME)
        self.assertEqual((on(PARENT), index(taken)), ([taken], before))


if __name__ == "__main__":
    if os.geteuid() == 0 and not possible():
        print("skipped: needs macvtap in the kernel")
        sys.exit(77)
    unprivileged.main()
