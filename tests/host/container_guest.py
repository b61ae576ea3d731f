#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""container_guest.py VIRTWARDD HELPERD LIBRARY: a guest in an unprivileged container, with the helper outside.

bubblewrap makes the container for an ordinary user: user, process, IPC and network namespaces of its own, nothing
writable but the daemon's folder, no capability. Daemon and stock virsh run in it; groups, gate, the guest's /dev and
a TAP on a bridge of the container's network come from the helper, which is in none of these namespaces."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import uuid

import unprivileged
import unprivileged_guest
from unprivileged import DEADLINE, NAME

XML = """<domain type='qemu'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features><devices>
<interface type='bridge'><source bridge='{bridge}'/><model type='virtio'/></interface>
<memballoon model='none'/></devices></domain>"""


class Container(unprivileged_guest.Guest):
    config = 'namespaces = [ "mount" ]\nhandler_users = [ "nobody" ]\n'

    def setUp(self):
        if not self.nests():
            self.skipTest("there are no user namespaces here (in a chroot there never are)")
        super().setUp()

    @staticmethod
    def nests():
        user = unprivileged.pwd.getpwnam(unprivileged.USER)
        tried = subprocess.run(["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups",
                                "bwrap", "--unshare-user", "--ro-bind", "/", "/", "unshare", "--user", "--mount", "true"],
                               check=False, capture_output=True, text=True)
        return tried.returncode == 0

    def policy(self):
        anywhere = {hook: keys + "namespaces=any\n" for hook, keys in super().policy().items() if hook.split(".")[0] in ("tap", "net")}
        anywhere["net.attach"] = anywhere["net.attach"].replace(unprivileged_guest.BRIDGE, "br0")
        return {**super().policy(), **anywhere}

    def user_words(self):
        return ("setpriv", "--reuid", str(self.user.pw_uid), "--regid", str(self.user.pw_gid), "--clear-groups",
                "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--")

    def starter(self):
        """Runs the container, in which the daemon is the first process; the signal to end is for that."""
        path = self.folder / "start"
        path.write_text(f"""#!/bin/sh
cd "$2"
trap 'kill -TERM "$(grep -o "[0-9][0-9]*" container | head -n 1)"' TERM
{" ".join(self.user_words())} bwrap --as-pid-1 --unshare-user --unshare-pid --unshare-ipc --unshare-net --unshare-uts \
  --ro-bind / / --proc /proc --dev-bind /dev /dev --bind "$2" "$2" --cap-drop ALL --info-fd 9 {unprivileged.VIRTWARDD} "$@" 9>container &
until wait $!; code=$?; [ $code -le 128 ] || ! kill -0 $! 2>/dev/null; do :; done
exit $code
""")
        path.chmod(0o755)
        return str(path)

    def inside(self):
        """The daemon's process, as it is known outside."""
        return json.loads((self.daemon.root / "container").read_text())["child-pid"]

    def run_inside(self, *command):
        """As the container's user, who has no capability there either."""
        return subprocess.run([*self.user_words(), "nsenter", "--target", str(self.inside()), "--user", "--preserve-credentials",
                               "--pid", "--mount", "--ipc", "--net", "--", *command],
                              capture_output=True, text=True, timeout=DEADLINE, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})

    def virsh(self, *command):
        return self.run_inside("virsh", "-q", "-c", f"qemu:///session?socket={self.daemon.rw}", *command)

    def test_a_whole_life(self):
        before = unprivileged_guest.kernel_objects()
        self.start_helper()
        made = subprocess.run(["nsenter", "--target", str(self.inside()), "--net", "ip", "link", "add", "br0", "type", "bridge"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(made.returncode, 0, made.stderr)
        document = self.daemon.root / "guest.xml"
        document.write_text(XML.format(name=NAME, uuid=uuid.uuid4(), bridge="br0"))
        self.done("define", str(document))
        self.done("start", NAME)
        self.assertEqual(self.done("list", "--name"), NAME)
        self.no_capabilities(self.inside())
        self.no_capabilities(self.guest())
        for name in ("user", "pid", "net"):
            self.assertNotEqual(os.readlink(f"/proc/self/ns/{name}"), os.readlink(f"/proc/{self.guest()}/ns/{name}"))
        self.assertEqual(len(self.taps()), 1)
        self.assertGreater(len(unprivileged_guest.kernel_objects() - before), 0)
        dev = pathlib.Path(f"/proc/{self.guest()}/root/dev")
        self.assertTrue((dev / "zero").is_char_device())
        self.assertFalse((dev / "tty").exists())
        nic = self.daemon.root / "nic.xml"
        nic.write_text("<interface type='bridge'><source bridge='br0'/><model type='virtio'/></interface>")
        self.done("attach-device", NAME, str(nic))
        self.assertEqual(len(self.taps()), 2)
        self.done("destroy", NAME)
        self.assertEqual(self.done("list", "--name"), "")
        self.wait_for(lambda: not self.taps() and not unprivileged_guest.kernel_objects() - before)
        self.done("undefine", NAME)

    def guest(self):
        """QEMU, as it is known outside: the only process in the guest's group."""
        procs, = pathlib.Path(next(mount for mount in unprivileged.hierarchies() if (mount / "cgroup.controllers").exists())
                                           / self.top[1:]).rglob("guest/cgroup.procs")
        pid, = procs.read_text().split()
        return int(pid)

    def taps(self):
        """The bridge's ports in the container."""
        listed = subprocess.run(["nsenter", "--target", str(self.inside()), "--net", "ip", "-o", "link", "show", "master", "br0"],
                                capture_output=True, text=True, check=True, timeout=DEADLINE)
        return listed.stdout.splitlines()


if __name__ == "__main__":
    if not shutil.which("bwrap"):
        print("skipped: needs bubblewrap")
        sys.exit(77)
    unprivileged.main()
