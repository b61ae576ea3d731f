#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""helper_mounts.py VIRTWARDD HELPERD LIBRARY: guests' own /dev, made by a helper for a daemon without any right.

The helper mounts a tmpfs on the guest's /dev while its process waits, with the nodes it may use, which are
its user's; one more comes with a device that is plugged. What the policy does not have is refused
and leaves nothing behind; a helper that only says so is found out."""

import os
import pathlib
import stat
import subprocess
import sys

import unprivileged
from gate_daemon import loop_device
from unprivileged import GROUP_HOOKS, NAME

POLICY = """kinds=tmpfs;node;link;bind
max=8388608
devices=%s
uids=%d
gids=%d
sources=devpts;tmpfs;mqueue;hugetlbfs
"""
OPENS = """
import ctypes, os, sys
pid, user, group = (int(word) for word in sys.argv[1:4])
assert ctypes.CDLL(None).setns(os.pidfd_open(pid), 0x10020000) == 0  # CLONE_NEWUSER | CLONE_NEWNS
os.setresgid(group, group, group)
os.setresuid(user, user, user)
os.open(sys.argv[4], os.O_RDWR)
"""
DEVICES = "c 1:[3-9];c 5:2;c 10:*;b 7:*"


class Mounts(unprivileged.Unprivileged):
    hooks = GROUP_HOOKS + ("mount.apply",)
    config = 'namespaces = [ "mount" ]\n'
    inside = None  # number of the daemon's user in a user namespace of its own

    def setUp(self):
        alone = subprocess.run(["setpriv", "--reuid", str(self.uid()), "--regid", str(self.uid()), "--clear-groups",
                                "unshare", "--user", "--mount", "true"], check=False, capture_output=True)
        if alone.returncode:
            self.skipTest("there are no user namespaces here (in a chroot there never are)")
        super().setUp()

    def uid(self):
        return unprivileged.pwd.getpwnam(unprivileged.USER).pw_uid

    def policy(self):
        return {**super().policy(), "mount.apply": POLICY % (DEVICES, self.user.pw_uid, self.user.pw_gid)}

    def dev(self):
        return pathlib.Path(f"/proc/{self.pid()}/root/dev")

    def opens(self, node):
        """Whether the guest's user can read and write it in the guest's namespaces."""
        ids = [self.inside or self.user.pw_uid, self.inside or self.user.pw_gid]
        return subprocess.run([sys.executable, "-c", OPENS, str(self.pid()), *map(str, ids), node],
                              capture_output=True, timeout=unprivileged.DEADLINE, check=False).returncode == 0

    def test_the_nodes_of_a_guest(self):
        self.start_helper()
        made = self.create()
        self.assertEqual(made.returncode, 0, made.stderr + self.daemon.log())
        dev = self.dev()
        self.assertEqual((dev.stat().st_uid, stat.S_IMODE(dev.stat().st_mode)), (self.user.pw_uid, 0o755))
        zero = (dev / "zero").stat()
        self.assertEqual((zero.st_uid, zero.st_rdev), (self.user.pw_uid, os.makedev(1, 5)))
        self.assertTrue(self.opens("/dev/zero"))
        self.assertFalse(self.opens("/dev/mem"))
        self.assertFalse((dev / "tty").exists())
        self.assertEqual(os.readlink(dev / "fd"), "/proc/self/fd")
        self.assertTrue((dev / "pts" / "ptmx").exists())
        mounts = pathlib.Path(f"/proc/{self.pid()}/mounts").read_text()
        self.assertIn(" /dev tmpfs rw,nosuid,noexec", mounts)
        self.assertNotEqual(os.stat(f"/proc/{self.pid()}/ns/mnt").st_ino, os.stat(f"/proc/{self.daemon.pid}/ns/mnt").st_ino)
        status = pathlib.Path(f"/proc/{self.pid()}/status").read_text()
        for kind in ("Prm", "Eff", "Bnd"):
            self.assertIn(f"Cap{kind}:\t0000000000000000", status)

    def test_a_device_that_is_plugged(self):
        self.start_helper()
        made = self.create("<features><acpi/></features>")  # without it nothing is plugged
        self.assertEqual(made.returncode, 0, made.stderr)
        with loop_device() as node:
            os.chmod(node, 0o644)  # the daemon may look what it holds
            self.assertFalse(self.opens(node))  # it isn't there
            self.done("attach-disk", NAME, node, "vdb", "--sourcetype", "block", "--targetbus", "virtio")
            there = self.dev() / pathlib.Path(node).name
            self.assertEqual((there.stat().st_uid, there.stat().st_rdev), (self.user.pw_uid, os.stat(node).st_rdev))
            self.assertTrue(self.opens(node))
            self.assertEqual(os.stat(node).st_uid, 0)
            self.done("destroy", NAME)

    def test_devices_off_the_list(self):
        self.start_helper(**{"mount.apply": POLICY % ("c 1:3", self.user.pw_uid, self.user.pw_gid)})
        self.expect_refusal("is not among the devices of mount.apply")
        self.wait_line("hook=mount.apply")

    def test_another_owner(self):
        self.start_helper(**{"mount.apply": POLICY % (DEVICES, 0, 0)})
        self.expect_refusal(f"'{self.user.pw_uid}' is not among the uids of mount.apply")

    def test_a_larger_one(self):
        self.start_helper(**{"mount.apply": (POLICY % (DEVICES, self.user.pw_uid, self.user.pw_gid))
                             .replace("max=8388608", "max=4096")})
        self.expect_refusal("the size of a tmpfs of 4194304 is outside the policy of mount.apply")

    def test_a_dev_that_was_not_made(self):
        self.without("mount.apply")
        self.lie("mount.apply", lambda request: None)
        self.expect_refusal("the handler reported mount.apply as done, but '/dev/' is not there, or is another")

    def test_nobody_makes_it(self):
        self.without("mount.apply")
        self.expect_refusal("no handler is registered for mount.apply")


class Contained(Mounts):
    """The daemon in a container's user namespace: nobody there knows the host's numbers."""

    outside, inside = 100000, 1000
    # the host's root is nobody in there
    config = Mounts.config + 'handler_users = [ "nobody" ]\n'

    def starter(self):
        path = self.folder / "start"
        path.write_text(f"""#!/usr/bin/python3
import ctypes, os, sys
pid, (ready, tell) = os.getpid(), os.pipe()
if os.fork() == 0:  # who has the right to map all of them
    os.read(ready, 1)
    for kind in ("uid", "gid"):
        with open(f"/proc/{{pid}}/{{kind}}_map", "w") as ids:
            ids.write("0 {self.outside} 65536")
    os._exit(0)
assert ctypes.CDLL(None).unshare(0x10020000) == 0  # CLONE_NEWUSER | CLONE_NEWNS
os.write(tell, b"x")
assert os.wait()[1] == 0
os.setgroups([])
os.setresgid(0, 0, 0)
os.setresuid(0, 0, 0)  # or the exec takes the rights in there
os.execvp("setpriv", ["setpriv", "--reuid", "{self.inside}", "--regid", "{self.inside}", "--clear-groups",
                      "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--", "{unprivileged.VIRTWARDD}", *sys.argv[1:]])
""")
        path.chmod(0o755)
        ids = self.outside + self.inside
        self.user = self.user.__class__((*self.user[:2], ids, ids, *self.user[4:]))
        return str(path)


if __name__ == "__main__":
    unprivileged.main()
