#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon in a user namespace, as in a container without privileges: its guests' /dev.

    userns.py VIRTWARDD

Device nodes that are made there can't be opened, so the host's own are mounted in the guest's /dev,
at its start and when a device is plugged. There is no control group to be had, which the daemon
says. Needs root, to give the namespace its ids, and QEMU.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "wire"))
import daemon  # noqa: E402 (beside the wire tests)
import gate_daemon  # noqa: E402

CONFIG = 'user = "root"\ngroup = "root"\nnamespaces = [ "mount" ]\n'
NAME = "contained"
XML = f"""<domain type='qemu'><name>{NAME}</name><memory unit='MiB'>64</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><controller type='usb' model='qemu-xhci'/><console type='pty'/></devices></domain>"""


def contained(folder, program):
    """A program that is the daemon as root of a user namespace, without control groups."""
    script = pathlib.Path(folder) / "contained"
    script.write_text("#!/bin/sh\nexec unshare --user --map-root-user --mount sh -c '"
                      f"mount -t tmpfs none /sys/fs/cgroup && exec {program} \"$@\"' sh \"$@\"\n")
    script.chmod(0o755)
    return str(script)


def mounts_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/mounts").read_text().splitlines()
    return {line.split()[1] for line in lines}


def opens(pid, node):
    """Whether the host's own root may open it in the guest's namespaces: it can't if it was made there."""
    return subprocess.run(["nsenter", f"--target={pid}", "--user", "--mount", "--preserve-credentials",
                           "dd", f"if={node}", "of=/dev/null", "bs=1", "count=1"],
                          capture_output=True, timeout=60, check=False).returncode == 0


def run(virtwardd):
    with tempfile.TemporaryDirectory(prefix="vw-userns-", dir="/tmp") as folder, \
            gate_daemon.loop_device() as node, \
            daemon.running(contained(folder, virtwardd), CONFIG) as server:
        def virsh(*command):
            done = subprocess.run(["virsh", "-q", "-c", f"qemu:///system?socket={server.rw}", *command],
                                  capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 0, (command, done.stderr, server.log())
            return done.stdout

        assert "without control group and device gate" in server.log(), server.log()
        document = pathlib.Path(folder) / "guest.xml"
        document.write_text(XML)
        virsh("create", str(document), "--paused")
        pid = int((server.root / "run/qemu" / f"{NAME}.pid").read_text())
        try:
            assert {"/dev/null", "/dev/urandom"} <= mounts_of(pid), mounts_of(pid)
            assert opens(pid, "/dev/zero")
            assert not os.path.exists(f"/proc/{pid}/root/dev/tty")
            assert virsh("ttyconsole", NAME).startswith("/dev/pts/")
            virsh("attach-disk", NAME, node, "sdb", "--sourcetype", "block", "--targetbus", "usb")
            assert node in mounts_of(pid) and opens(pid, node)
            virsh("detach-disk", NAME, "sdb")
        finally:
            virsh("destroy", NAME)


def main():
    if os.geteuid() != 0:
        print("skipped: needs root")
        sys.exit(77)
    if subprocess.run(["unshare", "--user", "--map-root-user", "true"], check=False).returncode:
        print("skipped: there are no user namespaces here (in a chroot there never are)")
        sys.exit(77)
    run(str(pathlib.Path(sys.argv[1]).resolve()))
    print("ok")


if __name__ == "__main__":
    main()
