#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""unprivileged_guest.py VIRTWARDD HELPERD LIBRARY: a whole guest of a daemon without any right.

Everything is handed to the helper: groups, gate, the guest's own /dev, a TAP on a bridge, schedulers
and CPUs of threads. A host's block device is there at the start, another one and a second interface
are plugged, and nothing is left when it ends. Neither the daemon nor QEMU ever has a capability."""

import json
import os
import pathlib
import re
import subprocess
import time
import uuid

import unprivileged
from gate_daemon import loop_device
from unprivileged import DEADLINE, GROUP_HOOKS, NAME

BRIDGE = f"vwub{os.getpid() % 100000}"
HOOKS = GROUP_HOOKS + ("gate.create", "gate.update", "gate.replace", "gate.remove", "mount.apply", "tap.create",
                       "tap.remove", "net.attach", "net.detach", "net.set", "net.bandwidth",
                       "sched.set", "affinity.set", "barrier")
DEVICES = "c 1:[3-9];c 5:2;c 10:*;c 136:*;b 7:*"
XML = """<domain type='qemu'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>64</memory><vcpu>2</vcpu>
<iothreads>1</iothreads><cputune><shares>500</shares><emulatorpin cpuset='0'/><vcpupin vcpu='1' cpuset='1'/>
<vcpusched vcpus='0-1' scheduler='batch'/></cputune>
<os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features><devices>
<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='{disk}'/><target dev='vda' bus='virtio'/></disk>
<interface type='bridge'><mac address='52:54:00:0a:0b:01'/><source bridge='{bridge}'/><model type='virtio'/>
<bandwidth><inbound average='1000' peak='2000' burst='64'/></bandwidth></interface>
<memballoon model='none'/></devices></domain>"""
NIC = f"<interface type='bridge'><source bridge='{BRIDGE}'/><model type='virtio'/></interface>"


def ports():
    folder = pathlib.Path(f"/sys/class/net/{BRIDGE}/brif")
    return sorted(port.name for port in folder.iterdir())


def kernel_objects():
    """Device programs and their links, by what bpftool lists."""
    def listed(kind):
        shown = subprocess.run(["bpftool", "--json", kind, "show"], capture_output=True, text=True, check=True).stdout
        return json.loads(shown or "[]")
    return {row["id"] for row in listed("prog") if row.get("name", "").startswith("vw_")}


class Guest(unprivileged.Unprivileged):
    hooks = HOOKS
    config = 'namespaces = [ "mount" ]\n'

    def setUp(self):
        subprocess.run(["ip", "link", "add", BRIDGE, "type", "bridge"], check=True)
        self.addCleanup(subprocess.run, ["ip", "link", "del", BRIDGE], check=True)
        loop = loop_device()
        self.disk = loop.__enter__()
        self.addCleanup(loop.__exit__, None, None, None)
        os.chmod(self.disk, 0o644)  # the daemon may look what it holds
        super().setUp()

    def configuration(self):
        """As virtward-platforms(7) has it."""
        return 'handler_policy = [ "*=handler" ]\n' + self.config

    def policy(self):
        user = self.user.pw_uid
        rules = f"devices={DEVICES}\nmodes=enforce\n"
        return {**super().policy(),
                "gate.create": f"{rules}max=65536\n", "gate.update": rules, "gate.replace": f"{rules}max=65536\nids=yes\n",
                "gate.remove": "",
                "mount.apply": f"kinds=tmpfs;node;link;bind\nmax=8388608\ndevices={DEVICES}\nuids={user}\n"
                               f"gids={self.user.pw_gid}\nsources=devpts;tmpfs;mqueue;hugetlbfs\n",
                "tap.create": f"names=vnet*\nmax=1\nuids={user}\nmtu=9000\n", "tap.remove": "names=vnet*\n",
                "net.attach": f"names=vnet*\nbridges={BRIDGE}\n", "net.detach": "names=vnet*\n", "net.set": "names=vnet*\n",
                "net.bandwidth": "names=vnet*\nmax=5000\nburst=1024\nunlimited=yes\n",
                "sched.set": "policies=0;3\nmin=0\nmax=0\n", "affinity.set": "cpus=[0-9]*\n",
                "barrier": "housekeeping=0\n"}

    def no_capabilities(self, pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        for kind in ("Prm", "Eff", "Bnd", "Inh", "Amb"):
            self.assertIn(f"Cap{kind}:\t0000000000000000", status)
        self.assertIn(f"Uid:\t{self.user.pw_uid}\t{self.user.pw_uid}\t{self.user.pw_uid}\t{self.user.pw_uid}", status)

    def wait_for(self, what):
        deadline = time.monotonic() + DEADLINE
        while not what():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def opens(self, node):
        """What a process in the guest's group gets for it, with its user's rights."""
        group = [line[3:] for line in pathlib.Path(f"/proc/{self.pid()}/cgroup").read_text().splitlines()
                 if line.startswith("0::/")][0]
        mount = next(mount for mount in unprivileged.hierarchies() if (mount / "cgroup.controllers").exists())
        script = f"echo $$ > {mount}{group}/cgroup.procs && exec dd if={node} of=/dev/null count=0 2>&1"
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=DEADLINE, check=False)
        return done.stdout + done.stderr

    def shaped(self):
        """Rate and ceiling of the interface's class, as tc(8) tells them."""
        text = subprocess.run(["tc", "class", "show", "dev", ports()[0]], capture_output=True, text=True, check=True).stdout
        return " ".join(re.search(r"rate (\S+) ceil (\S+)", text).groups())

    def test_a_whole_life(self):
        before = kernel_objects()
        self.start_helper()
        document = self.folder / "guest.xml"
        document.write_text(XML.format(name=NAME, uuid=uuid.uuid4(), disk=self.disk, bridge=BRIDGE))
        self.done("define", str(document))
        self.done("start", NAME)
        self.no_capabilities(self.daemon.pid)
        self.no_capabilities(self.pid())
        self.assertEqual(self.done("domstate", NAME), "running")
        self.assertEqual(len(ports()), 1)

        # behind its gate, with a /dev of its own
        self.assertIn("Operation not permitted", self.opens("/dev/tty"))
        self.assertNotIn("Operation not permitted", self.opens("/dev/zero"))
        self.assertTrue(pathlib.Path(f"/proc/{self.pid()}/root{self.disk}").is_block_device())
        self.assertGreater(len(kernel_objects() - before), 0)

        # threads where they belong
        info = json.loads(self.done("qemu-monitor-command", NAME, "--pretty", '{"execute":"query-cpus-fast"}'))["return"]
        for row in info:
            self.assertEqual(os.sched_getscheduler(row["thread-id"]), os.SCHED_BATCH)
        self.assertEqual(os.sched_getaffinity(self.pid()), {0})
        self.assertEqual(os.sched_getaffinity(info[1]["thread-id"]), {1})

        # what the guest receives is shaped
        self.assertEqual(self.shaped(), "8Mbit 16Mbit")
        self.done("domiftune", NAME, ports()[0], "--inbound", "2500")
        self.assertEqual(self.shaped(), "20Mbit 20Mbit")
        refused = self.virsh("domiftune", NAME, ports()[0], "--inbound", "6000")
        self.assertIn("a bandwidth of 6000 is outside the policy of net.bandwidth", refused.stderr)
        self.assertEqual(self.shaped(), "20Mbit 20Mbit")

        # plugged: a block device, an interface
        with loop_device() as second:
            os.chmod(second, 0o644)
            self.assertIn("Operation not permitted", self.opens(second))
            self.done("attach-disk", NAME, second, "vdb", "--sourcetype", "block", "--targetbus", "virtio")
            self.assertNotIn("Operation not permitted", self.opens(second))

            # and once more by a daemon that has just begun
            self.daemon.restart()
            self.wait_line("serving")
            self.no_capabilities(self.daemon.pid)
            nic = self.folder / "nic.xml"
            nic.write_text(NIC)
            self.done("attach-device", NAME, str(nic))
            self.assertEqual(len(ports()), 2)
            shown = {row["hook"]: row for row in self.shown()}
            self.assertEqual(set(HOOKS) - set(shown), set())
            self.done("destroy", NAME)
        self.wait_for(lambda: not ports())
        self.wait_for(lambda: not kernel_objects() - before)
        self.done("undefine", NAME)
        self.assertIsNone(self.helper.poll())

    def shown(self):
        tool = pathlib.Path(unprivileged.HELPERD).parents[2] / "tools" / "virtward"
        done = subprocess.run(["setpriv", "--reuid", str(self.user.pw_uid), "--clear-groups", str(tool), "--root",
                               str(self.daemon.root), "handlers", "--json"], capture_output=True, text=True,
                              timeout=DEADLINE, check=True)
        rows = json.loads(done.stdout)["handlers"]
        for row in rows:
            self.assertEqual((row["failures"], row["late"]), (0, 0), row)
        return rows


if __name__ == "__main__":
    unprivileged.main()
