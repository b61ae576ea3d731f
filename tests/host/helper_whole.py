#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""helper_whole.py VIRTWARDD HELPERD LIBRARY: a guest's whole life, of a daemon without any right.

Every operation is a handler's. The guest has a TAP on a bridge, a block device of the host, pinned
vCPUs, a share of the CPUs, its gate and its /dev; one more disk and one more interface are plugged and unplugged. It
starts, stops, and leaves nothing. What the daemon may not do itself, nobody but the helper has done."""

import os
import pathlib
import subprocess

import bpf
import unprivileged
from gate_daemon import loop_device
from unprivileged import NAME

DEVICES = "devices=c 1:[35789];c 5:2;c 10:*;c 136:*;b 7:*\n"
MORE = """<features><acpi/></features><cputune><shares>900</shares><vcpupin vcpu='0' cpuset='0'/>
<emulatorpin cpuset='0'/></cputune>"""
NIC = """<interface type='bridge'><mac address='52:54:00:77:01:0{number}'/><source bridge='whole0'/>
<model type='virtio'/></interface>"""
DISK = "<disk type='block' device='disk'><source dev='{node}'/><target dev='vda' bus='virtio'/></disk>"


class Whole(unprivileged.Unprivileged):
    hooks = ("*",)
    config = 'namespaces = [ "mount" ]\n'

    def starter(self):
        """In a network namespace of its own, with a bridge."""
        path = pathlib.Path(super().starter())
        lines = path.read_text().splitlines(keepends=True)
        path.write_text(lines[0] + "[ $1 = --apart ] || exec unshare --net -- $0 --apart \"$@\"\nshift\n"
                        "ip link set lo up && ip link add whole0 type bridge && ip link set whole0 up || exit 1\n"
                        + "".join(lines[1:]))
        return str(path)

    def policy(self):
        uid, gid = self.user.pw_uid, self.user.pw_gid
        net = "names=vnet*\nnamespaces=any\n"
        return {**super().policy(),
                "gate.create": DEVICES + "max=65536\nmodes=enforce\n", "gate.update": DEVICES + "modes=enforce\n",
                "gate.replace": DEVICES + "max=131072\nmodes=enforce\n", "gate.remove": "",
                "mount.apply": f"kinds=tmpfs;node;link;bind\nmax=4194304\n{DEVICES}uids={uid}\ngids={gid}\n"
                               "sources=devpts;tmpfs;mqueue;hugetlbfs\n",
                "affinity.set": "cpus=0;1\n", "proc.tune": "min=0\nmax=1000\n",
                "own.set": f"folders={self.daemon.root}\nuids={uid}\ngids={gid}\n",
                "device.open": "devices=kvm;vhost-net;vhost-vsock\nnodes=\n",
                "tap.create": net + "max=4\nmtu=9000\n", "tap.remove": net, "net.attach": net + "bridges=whole0\n",
                "net.detach": net, "net.set": net, "barrier": "housekeeping=0-1\n"}

    def start_helper(self, only=None, **changes):
        super().start_helper(only or tuple(self.policy()), **changes)

    def ports(self):
        """The bridge's ports, in the daemon's network namespace."""
        shown = subprocess.run(["nsenter", f"--net=/proc/{self.daemon.pid}/ns/net", "ip", "-o", "link", "show", "master", "whole0"],
                               capture_output=True, text=True, timeout=unprivileged.DEADLINE, check=True)
        return [line.split(":")[1].strip() for line in shown.stdout.splitlines()]

    def test_from_start_to_end(self):
        self.start_helper()
        with loop_device() as node, loop_device() as other:
            for one in (node, other):
                os.chmod(one, 0o644)  # the daemon may look what it holds
            self.document = MORE, DISK.format(node=node) + NIC.format(number=1)
            made = self.create()
            self.assertEqual(made.returncode, 0, made.stderr + self.daemon.log())
            self.check_rights()
            self.check_made()
            self.done("resume", NAME)
            self.assertEqual(self.done("domstate", NAME), "running")
            self.check_plugged(other)
            self.done("destroy", NAME)
        self.assertEqual(self.ports(), [])
        self.assertEqual(self.left(), [])
        self.end_helper()
        lines = self.heard.all
        self.assertEqual([line for line in lines if "verdict=refused" in line], [])
        for hook in ("cgroup.create", "cgroup.move", "cgroup.set", "cgroup.remove", "gate.create", "mount.apply",
                     "tap.create", "net.attach", "affinity.set", "barrier"):
            self.assertTrue(any(f"hook={hook} " in line for line in lines), f"{hook} was not asked of the helper")

    def create(self, more=""):
        head, devices = self.document
        document = self.folder / "guest.xml"
        text = unprivileged.XML % head
        document.write_text(text.replace("<devices>", "<devices>" + devices))
        return self.virsh("create", str(document), "--paused")

    def check_rights(self):
        for process in (self.daemon.pid, self.pid()):
            status = pathlib.Path(f"/proc/{process}/status").read_text()
            for kind in ("Prm", "Eff", "Bnd"):
                self.assertIn(f"Cap{kind}:\t0000000000000000", status)

    def check_made(self):
        self.assertEqual(self.ports(), ["vnet0"])
        place = self.places(self.pid())[""]
        leaf = unprivileged.hierarchies()[0] / place[1:place.index("/guest") + len("/guest")]
        self.assertTrue(bpf.ids(leaf), "no gate on the leaf")

    def check_plugged(self, node):
        self.done("attach-disk", NAME, node, "vdb", "--sourcetype", "block", "--targetbus", "virtio")
        document = self.folder / "nic.xml"
        document.write_text(NIC.format(number=2))
        self.done("attach-device", NAME, str(document))
        self.assertEqual(len(self.ports()), 2)
        self.assertTrue((pathlib.Path(f"/proc/{self.pid()}/root") / node[1:]).exists())


if __name__ == "__main__":
    unprivileged.main()
