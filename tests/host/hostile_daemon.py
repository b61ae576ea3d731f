#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""hostile_daemon.py HELPERD: what a daemon that has been taken over can get out of the helper.

A script speaks the handlers' channel in the daemon's place. Everything it asks for outside the
policy is refused in words and audited, and has no effect; what races by exchanging files cannot
reach a file of somebody else; garbage and silence end the one session and nobody else's."""

import ctypes
import os
import pathlib
import resource
import select
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "wire"))
import channel  # noqa: E402
import protocol  # noqa: E402

DEADLINE = 60
USER = 54321  # nobody's
RACES = 300
GROUP = f"hostile-{os.getpid()}"
CLONE_NEWNS = 0x20000
LIBC = ctypes.CDLL(None, use_errno=True)


def unified():
    """Where cgroup v2 is mounted."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        words = line.split()
        if words[words.index("-") + 1] == "cgroup2":
            return pathlib.Path(words[4])
    return None


def own_group():
    """This process's group on cgroup v2, as /proc/self/cgroup writes it."""
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        number, _, path = line.split(":", 2)
        if number == "0":
            return path.rstrip("/")
    return None


class Sleeper:
    """A process that does nothing, in a group of its own or where this one is."""

    def __init__(self, group=None):
        self.process = subprocess.Popen(["sleep", "600"])
        if group:
            (group / "cgroup.procs").write_text(str(self.process.pid))
        self.pid = self.process.pid
        self.pidfd = os.pidfd_open(self.pid)

    def end(self):
        self.process.kill()
        self.process.wait(DEADLINE)
        os.close(self.pidfd)


class Daemon:
    """The hostile one: listens where the helper's policy says, and takes its registrations."""

    def __init__(self, folder, codec):
        self.path = folder / "sock"
        self.codec = codec
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listening.settimeout(DEADLINE)
        self.listening.bind(str(self.path))
        self.listening.listen()
        self.channel = None
        self.request = 0
        self.registered = []

    def serve(self, hooks):
        """Waits for the helper to connect and to register for so many hooks."""
        if self.channel:
            self.channel.close()
        connected, _ = self.listening.accept()
        self.channel = channel.Channel(connected, self.codec, DEADLINE)
        self.registered = []
        while len(self.registered) < hooks:
            call = self.channel.receive()
            assert call.procedure == "register", call.procedure
            args = self.codec.decode("register_args", call.payload)
            self.registered.append(args["hook"])
            self.channel.answer(call, {"id": len(self.registered)})
        return self

    def head(self, **more):
        self.request += 1
        return {"uuid": b"u" * 16, "domain": "victim", "request": self.request, "deadline": 5000, **more}

    def ask(self, hook, values=None, fds=(), **head):
        """The error's text; None: it was done. What came with it is in self.answer."""
        self.answer = self.channel.call(hook.replace(".", "_"), {"call": self.head(**head), **(values or {})}, fds)
        return self.answer.error() if self.answer.status == protocol.ERROR else None

    def close(self):
        if self.channel:
            self.channel.close()
        self.listening.close()


POLICY = """[helper]
sockets={sockets}
cgroups={group}
[memlock.set]
max=1048576
[sched.set]
policies=0;3
min=0
max=0
[affinity.set]
cpus=0
[proc.tune]
min=0
max=100
[own.set]
folders={folder}/mine
uids={user}
gids={user}
[node.create]
folders={folder}/mine
devices=c 1:3
uids={user}
gids={user}
[device.open]
devices=vfio-group;vfio-cdev
nodes=/dev/null;{folder}/mine/*
names=hostile*
pci=ffff:ff:1f.*
[pci.bind]
pci=ffff:ff:1f.[0-6]
drivers=vfio-*
[pci.release]
pci=ffff:ff:1f.[0-6]
[tap.create]
names=hostile*
max=2
uids={user}
mtu=9000
[tap.remove]
names=hostile*
[net.attach]
names=hostile*
bridges=hostilebr
[net.set]
names=hostile*
[cgroup.create]
max=2
uids={user}
gids={user}
[cgroup.move]
from={from_group}
uids={user}
[cgroup.set]
files=cgroup.freeze:0-0;cpu.weight
[cgroup.remove]
[mount.apply]
kinds=tmpfs;node;bind;link
max=1048576
devices=c 1:3
uids={user}
gids={user}
sources=devpts
"""


class HostileDaemon(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.codec = channel.Codec()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="vwx-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.folder.chmod(0o755)
        cls.mine = cls.folder / "mine"
        cls.mine.mkdir()
        cls.group = unified() / own_group().lstrip("/") / GROUP
        cls.group.mkdir()
        cls.addClassCleanup(cls.group.rmdir)
        cls.guest, cls.stranger = Sleeper(cls.group), Sleeper()
        cls.addClassCleanup(cls.guest.end)
        cls.addClassCleanup(cls.stranger.end)
        cls.daemons = []
        for name in ("one", "two"):
            (cls.folder / name).mkdir(0o700)
            cls.daemons.append(Daemon(cls.folder / name, cls.codec))
            cls.addClassCleanup(cls.daemons[-1].close)
        policy = cls.folder / "policy"
        policy.write_text(POLICY.format(sockets=";".join(str(daemon.path) for daemon in cls.daemons), folder=cls.folder,
                                        group=f"{own_group()}/{GROUP}", user=USER,
                                        from_group=own_group() or "/"))
        cls.hooks = POLICY.count("\n[") + POLICY.startswith("[") - 1
        with open(cls.folder / "log", "w", encoding="utf-8") as log:
            cls.helper = subprocess.Popen([HELPERD, "--policy", str(policy)], stderr=log)
        cls.addClassCleanup(cls.end_helper)
        cls.daemon, cls.other = (daemon.serve(cls.hooks) for daemon in cls.daemons)

    @classmethod
    def end_helper(cls):
        cls.helper.terminate()
        code = cls.helper.wait(DEADLINE)
        assert code == 0, f"the helper ended with {code}"

    def setUp(self):
        self.victim = self.folder / "victim"
        self.victim.write_text("of somebody else")
        self.fds = []

    def tearDown(self):
        for fd in self.fds:
            os.close(fd)
        status = self.victim.stat()
        self.assertEqual((status.st_uid, status.st_gid), (os.geteuid(), os.getegid()))
        self.assertIsNone(self.helper.poll(), "the helper has ended")

    def open(self, path, flags=os.O_PATH | os.O_NOFOLLOW):
        fd = os.open(path, flags)
        self.fds.append(fd)
        return fd

    def audited(self):
        return (self.folder / "log").read_text(encoding="utf-8")

    def refused(self, words, hook, values=None, fds=(), **head):
        """It is refused with these words, and the audit has a line that says so."""
        error = self.daemon.ask(hook, values, fds, **head)
        self.assertIsNotNone(error, f"{hook} was done: {values}")
        self.assertRegex(error, words)
        lines = [line for line in self.audited().splitlines() if f" request={self.daemon.request} " in line]
        self.assertEqual(len(lines), 1, f"{hook}: {lines}")
        self.assertIn(f"hook={hook} ", lines[0])
        self.assertIn("verdict=refused", lines[0])

    # --- what it may ---

    def test_what_the_policy_allows_is_done(self):
        """So that the rest refuses what is asked and not that it is asked."""
        path = self.mine / "disk"
        path.touch()
        self.assertIsNone(self.daemon.ask("own.set", {"uid": USER, "gid": USER, "mode": 0o600}, [self.open(path)]))
        self.assertEqual(path.stat().st_uid, USER)
        self.assertIsNone(self.daemon.ask("proc.tune", {"oom_score_adj": 7, "ioprio": -1}, [self.guest.pidfd]))
        self.assertEqual(pathlib.Path(f"/proc/{self.guest.pid}/oom_score_adj").read_text().strip(), "7")
        self.assertIsNone(self.daemon.ask("device.open", {"device": 7, "identity": "/dev/null", "flags": os.O_RDWR}))
        self.assertEqual(os.fstat(self.daemon.answer.fds[0]).st_rdev, os.makedev(1, 3))

    # --- processes ---

    def test_processes_of_others(self):
        ended = Sleeper(self.group)
        ended.process.kill()
        ended.process.wait(DEADLINE)
        before = resource.prlimit(self.stranger.pid, resource.RLIMIT_MEMLOCK)
        wrong = {"a process elsewhere": ([self.stranger.pidfd], "in none of the control groups"),
                 "one that ended": ([ended.pidfd], "no process, or it has ended"),
                 "a file": ([self.open(self.victim)], "no process"),
                 "a folder of /proc": ([self.open(f"/proc/{self.guest.pid}", os.O_RDONLY)], "no process"),
                 "nothing": ([], "no process|missing"),
                 "the helper itself": ([os.pidfd_open(self.helper.pid)], "in none of the control groups")}
        self.fds.append(wrong["the helper itself"][0][0])
        for name, (fds, words) in wrong.items():
            with self.subTest(name):
                self.refused(words, "memlock.set", {"soft": 4096, "hard": 4096}, fds)
                self.refused(words, "proc.tune", {"oom_score_adj": 50, "ioprio": -1}, fds)
        ended.end()
        self.assertEqual(resource.prlimit(self.stranger.pid, resource.RLIMIT_MEMLOCK), before)

    def test_values_out_of_range(self):
        for value in (1048577, 1 << 62, (1 << 64) - 1):
            self.refused("outside the policy|among the unlimited", "memlock.set", {"soft": value, "hard": value},
                         [self.guest.pidfd])
        for value in (-1, 101, -1000, 1 << 30):
            self.refused("outside the policy", "proc.tune", {"oom_score_adj": value, "ioprio": -1}, [self.guest.pidfd])

    def test_threads_of_others(self):
        tids = [self.guest.pid]
        task = self.open(f"/proc/{self.stranger.pid}/task", os.O_PATH | os.O_DIRECTORY)
        for name, threads, fds in (
                ("another's id in the folder's form", {"form": 1, "tids": [self.stranger.pid]}, [self.guest.pidfd, task]),
                ("another's pidfd", {"form": 0, "tids": tids}, [self.guest.pidfd, self.stranger.pidfd]),
                ("another's process", {"form": 0, "tids": tids}, [self.stranger.pidfd, self.guest.pidfd]),
                ("ids of nobody", {"form": 1, "tids": [0, 1 << 31]}, [self.guest.pidfd, task])):
            with self.subTest(name):
                self.refused("is not of process|in none of the control groups", "sched.set",
                             {"threads": threads, "policy": 3, "priority": 0}, fds)
                self.refused("is not of process|in none of the control groups", "affinity.set",
                             {"threads": threads, "cpus": b"\1"}, fds)
        own = {"form": 1, "tids": tids}
        task = self.open(f"/proc/{self.guest.pid}/task", os.O_PATH | os.O_DIRECTORY)
        self.refused("missing", "sched.set", {"threads": own, "policy": 3}, [])
        self.refused("'1' is not among the policies", "sched.set",
                     {"threads": own, "policy": 1, "priority": 1}, [self.guest.pidfd, task])
        self.refused("outside the policy", "sched.set", {"threads": own, "policy": 3, "priority": 99},
                     [self.guest.pidfd, task])
        self.refused("'1' is not among the cpus", "affinity.set", {"threads": own, "cpus": b"\3"},
                     [self.guest.pidfd, task])
        self.assertEqual(os.sched_getscheduler(self.stranger.pid), os.SCHED_OTHER)
        self.assertEqual(os.sched_getscheduler(self.guest.pid), os.SCHED_OTHER)

    # --- control groups ---

    def group_fd(self, *names):
        return self.open(self.group.joinpath(*names), os.O_RDONLY | os.O_DIRECTORY)

    def make_group(self, name):
        folder = self.group / name
        folder.mkdir()
        self.addCleanup(lambda: folder.exists() and folder.rmdir())
        return folder

    def test_what_the_policy_allows_of_groups(self):
        made = {"name": "one", "uid": USER, "gid": USER}
        self.assertIsNone(self.daemon.ask("cgroup.create", made, [self.group_fd()]))
        self.assertEqual((self.group / "one" / "cgroup.procs").stat().st_uid, USER)
        self.assertEqual(os.fstat(self.daemon.answer.fds[0]).st_ino, (self.group / "one").stat().st_ino)
        self.assertIsNone(self.daemon.ask("cgroup.create", made, [self.group_fd()]))  # there already
        self.assertIsNone(self.daemon.ask("cgroup.set", {"file": "cgroup.freeze", "value": "0"}, [self.group_fd("one")]))
        inner = Sleeper(self.group / "one")
        self.addCleanup(inner.end)
        self.refused("processes are in control group 'one'", "cgroup.remove", {"name": "one"}, [self.group_fd()])
        self.assertIsNone(self.daemon.ask("cgroup.remove", {"name": "one", "flags": 3}, [self.group_fd()]))
        self.assertEqual(inner.process.wait(DEADLINE), -9)
        self.assertTrue((self.group / "one").exists())
        self.assertIsNone(self.daemon.ask("cgroup.remove", {"name": "one"}, [self.group_fd()]))
        self.assertFalse((self.group / "one").exists())

    def test_groups_elsewhere(self):
        above = self.open(self.group.parent, os.O_RDONLY | os.O_DIRECTORY)
        for fds, words in (([above], "in none of the control groups"), ([self.open(self.mine)], "is no control group"),
                           ([self.open(self.victim)], "is no control group"), ([self.guest.pidfd], "is no control group"),
                           ([], "is no control group|missing")):
            with self.subTest(words):
                self.refused(words, "cgroup.create", {"name": "new"}, fds)
                self.refused(words, "cgroup.remove", {"name": "new", "flags": 1}, fds)
                self.refused(words, "cgroup.set", {"file": "cgroup.freeze", "value": "0"}, fds)
                self.refused(words, "cgroup.move", {"threads": {"form": 0, "tids": []}}, fds + [self.stranger.pidfd])
        for name in ("", ".", "..", ".hidden", "a/b", "/a", "a\nb", "../" + GROUP):
            self.refused("is no name of a group", "cgroup.create", {"name": name}, [self.group_fd()])
            self.refused("is no name of a group", "cgroup.remove", {"name": name}, [self.group_fd()])
        self.refused("cannot open control group|File exists|Not a directory", "cgroup.create", {"name": "cgroup.procs"},
                     [self.group_fd()])
        self.assertEqual([path for path in self.group.iterdir() if path.is_dir()], [])

    def test_groups_out_of_the_policy(self):
        for name in ("one", "two"):
            self.make_group(name)
        self.refused("a number of groups in one of 3 is outside", "cgroup.create", {"name": "three"}, [self.group_fd()])
        for words, owner in (("'0' is not among the uids", {"uid": 0, "gid": USER}),
                             ("'0' is not among the gids", {"uid": USER, "gid": 0})):
            self.refused(words, "cgroup.create", {"name": "one", **owner}, [self.group_fd()])
        self.assertEqual((self.group / "one").stat().st_uid, 0)
        (self.group / "one" / "below").mkdir()
        self.refused("Device or resource busy|not empty", "cgroup.remove", {"name": "one", "flags": 4}, [self.group_fd()])
        (self.group / "one" / "below").rmdir()

    def test_who_is_not_moved(self):
        whole = {"threads": {"form": 0, "tids": []}}
        target = self.make_group("target")
        group = self.group_fd("target")
        self.refused("stays there", "cgroup.move", whole, [group, self.guest.pidfd])
        self.refused("'0' is not among the uids", "cgroup.move", whole, [group, self.stranger.pidfd])
        self.refused("no process", "cgroup.move", whole, [group, self.open(self.victim)])
        self.refused("no process|missing", "cgroup.move", whole, [group])
        task = self.open(f"/proc/{self.stranger.pid}/task", os.O_PATH | os.O_DIRECTORY)
        self.refused("in none of the control groups|is not of process", "cgroup.move",
                     {"threads": {"form": 1, "tids": [self.stranger.pid]}}, [group, self.stranger.pidfd, task])
        self.refused("is not of process", "cgroup.move", {"threads": {"form": 1, "tids": [self.stranger.pid]}},
                     [group, self.guest.pidfd, task])
        self.assertEqual((target / "cgroup.procs").read_text(), "")

    def test_files_that_are_no_limits(self):
        group = self.group_fd()
        before = (self.group / "cgroup.subtree_control").read_text()
        for file in ("cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "cgroup.kill", "cgroup.type",
                     "release_agent", "notify_on_release", "devices.allow", "../cgroup.freeze", "/etc/passwd", ""):
            self.refused("is no limit of a guest's control group", "cgroup.set", {"file": file, "value": "1"}, [group])
        self.refused("'pids.max' is not among the files", "cgroup.set", {"file": "pids.max", "value": "1"}, [group])
        for value in ("1", "-1", "max", "0x0", "", "0 1", "0\n1"):
            if value:
                self.refused("outside the policy", "cgroup.set", {"file": "cgroup.freeze", "value": value}, [group])
        self.assertEqual((self.group / "cgroup.subtree_control").read_text(), before)

    # --- mounts ---

    def mounter(self):
        """A process of a guest in a mount namespace of its own, with a tmpfs on /dev."""
        process = subprocess.Popen(["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /dev && echo && read x"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.read(1), b"\n")
        (self.group / "cgroup.procs").write_text(str(process.pid))

        def end():
            process.communicate(b"\n")
            os.close(pidfd)
        pidfd = os.pidfd_open(process.pid)
        self.addCleanup(end)
        return pidfd, self.open(f"/proc/{process.pid}/root/dev", os.O_PATH | os.O_DIRECTORY), f"/proc/{process.pid}/root/dev"

    def test_mounts_out_of_the_policy(self):
        pidfd, dev, path = self.mounter()
        space = self.open("/proc/self/ns/mnt", os.O_RDONLY)
        node = {"kind": 3, "target": "null", "mode": stat.S_IFCHR | 0o600, "uid": 0, "gid": 0, "major": 1, "minor": 3}
        fs = {"kind": 0, "mode": 0o755, "size": 65536, "uid": 0, "gid": 0}
        for words, mounts, more in (
                ("'c 1:1' is not among the devices", [{**node, "minor": 1}], []),
                ("is to be no node", [{**node, "mode": 0o100600}], []),
                ("'0' is not among the uids", [node], []), ("'0' is not among the uids", [fs], []),
                ("the size of a tmpfs", [{**fs, "size": 1 << 30}], []),
                ("a tmpfs comes first", [{**node, "uid": USER, "gid": USER}, fs], []),
                ("a tmpfs comes first", [{**fs, "mode": 0o7777}], []), ("a tmpfs comes first", [{**fs, "target": "x"}], []),
                ("'devpts' is not among the kinds", [{"kind": 2, "target": "pts"}], []),
                ("no mount of kind 9", [{"kind": 9, "target": "x"}], []), ("no mount is asked for", [], []),
                ("no link in /dev leads to '/etc/shadow'", [{"kind": 4, "target": "x", "text": "/etc/shadow"}], []),
                ("neither a node nor a folder", [{"kind": 1, "target": "x"}], [self.open(self.victim)]),
                ("neither a node nor a folder|'tmpfs' is not among", [{"kind": 1, "target": "x"}], [self.open("/tmp")]),
                ("'c 1:5' is not among the devices", [{"kind": 1, "target": "x"}], [self.open("/dev/zero")]),
                ("missing", [{"kind": 1, "target": "x"}], [])):
            with self.subTest(words):
                self.refused(words, "mount.apply", {"mounts": mounts}, [pidfd, space, dev, *more])
        for target in ("", ".", "..", "../x", "a/../b", "/x", "a//b"):
            self.refused("is no name below a folder", "mount.apply", {"mounts": [{**node, "target": target}]},
                         [pidfd, space, dev])
        self.assertEqual(os.listdir(path), [])

    def test_mounts_elsewhere(self):
        pidfd, dev, path = self.mounter()
        space = self.open("/proc/self/ns/mnt", os.O_RDONLY)
        mine = self.open(self.mine, os.O_PATH | os.O_DIRECTORY)
        mounts = {"mounts": [{"kind": 3, "target": "null", "mode": stat.S_IFCHR | 0o600, "uid": USER, "gid": USER,
                              "major": 1, "minor": 3}]}
        for words, fds in (("in none of the control groups", [self.stranger.pidfd, space, dev]),
                           ("has no mount namespace of its own", [self.guest.pidfd, space, mine]),
                           ("is no mount namespace", [pidfd, self.open(self.victim), dev]),
                           ("is no mount namespace", [pidfd, self.open("/proc/self/ns/net", os.O_RDONLY), dev]),
                           ("is not on a /dev of the guest's own", [pidfd, space, mine]),
                           ("is not on a /dev of the guest's own", [pidfd, space, self.open("/dev", os.O_PATH)]),
                           ("is not on a /dev of the guest's own|cannot look", [pidfd, space, self.open(self.victim)]),
                           ("is not on a /dev|cannot look|missing", [pidfd, space])):
            with self.subTest(words):
                self.refused(words, "mount.apply", mounts, fds)
        self.assertFalse((self.mine / "null").exists())
        self.assertEqual(os.listdir(path), [])

    # --- files ---

    def test_files_of_others(self):
        (self.mine / "symbolic").symlink_to(self.victim)
        os.link(self.victim, self.mine / "hard")
        gone = self.mine / "gone"
        gone.touch()
        deleted = self.open(gone)
        gone.unlink()
        near = self.folder / "mine-too"
        near.touch()
        wanted = {"uid": USER, "gid": USER, "mode": 0o666}
        for name, fds in (("elsewhere", [self.open(self.victim)]), ("a symbolic link", [self.open(self.mine / "symbolic")]),
                          ("through a symbolic link", [self.open(self.mine / "symbolic", os.O_PATH)]),
                          ("a second name", [self.open(self.mine / "hard")]), ("a deleted file", [deleted]),
                          ("a name that begins alike", [self.open(near)]), ("the root", [self.open("/")]),
                          ("a socket pair", [self.daemon.channel.socket.fileno()]), ("nothing", [])):
            with self.subTest(name):
                self.refused("none of the folders|is a link|missing", "own.set", wanted, fds)
        (self.mine / "hard").unlink()
        self.assertEqual(near.stat().st_uid, os.geteuid())

    def test_owners_and_modes_out_of_the_policy(self):
        path = self.mine / "setuid"
        path.touch()
        self.refused("'0' is not among the uids", "own.set", {"uid": 0, "gid": USER, "mode": 0o600}, [self.open(path)])
        self.refused("'0' is not among the gids", "own.set", {"uid": USER, "gid": 0, "mode": 0o600}, [self.open(path)])
        self.daemon.ask("own.set", {"uid": USER, "gid": USER, "mode": 0o6755}, [self.open(path)])
        self.assertEqual(path.stat().st_mode & 0o6000, 0)

    def mounted_elsewhere(self, name):
        """A descriptor of the victim, from a mount namespace where it has that name."""
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        pid = os.fork()
        if pid == 0:
            try:
                assert LIBC.unshare(CLONE_NEWNS) == 0
                assert LIBC.mount(None, b"/", None, 0x44000, None) == 0  # MS_REC | MS_PRIVATE
                assert LIBC.mount(bytes(self.victim), bytes(name), None, 0x1000, None) == 0  # MS_BIND
                socket.send_fds(theirs, [b"x"], [os.open(name, os.O_PATH)])
                theirs.recv(1)  # the namespace lives until the test is done
            finally:
                os._exit(0)
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
        self.fds += fds
        self.assertEqual(os.readlink(f"/proc/self/fd/{fds[0]}"), str(name))
        self.assertEqual(os.fstat(fds[0]).st_ino, self.victim.stat().st_ino)
        return fds[0], ours, pid

    def test_a_file_mounted_under_a_name_of_the_policy(self):
        name = self.mine / "mounted"
        name.touch()
        fd, ours, pid = self.mounted_elsewhere(name)
        self.refused("none of the folders", "own.set", {"uid": USER, "gid": USER, "mode": 0o666}, [fd])
        ours.send(b"x")
        os.waitpid(pid, 0)

    def test_races_by_exchanging_names(self):
        """While the calls go, the name is now a file of ours, now a link to the victim."""
        name, over = self.mine / "raced", self.mine / "next"
        done = threading.Event()

        def exchange():
            while not done.is_set():
                over.unlink(missing_ok=True)
                over.symlink_to(self.victim)
                over.rename(name)
                over.touch()
                over.rename(name)

        name.touch()
        thread = threading.Thread(target=exchange)
        thread.start()
        try:
            for _ in range(RACES):
                fd = os.open(name, os.O_PATH)
                self.daemon.ask("own.set", {"uid": USER, "gid": USER, "mode": 0o666}, [fd])
                os.close(fd)
                self.assertEqual(self.victim.stat().st_uid, os.geteuid())
        finally:
            done.set()
            thread.join()

    # --- nodes and devices ---

    def test_nodes_off_the_list(self):
        folder = self.open(self.mine, os.O_PATH | os.O_DIRECTORY)
        node = {"name": "node", "mode": stat.S_IFCHR | 0o600, "major": 1, "minor": 3, "uid": USER, "gid": USER}
        for words, changes in (("'c 1:1' is not among the devices", {"minor": 1}),
                               ("'b 1:3' is not among the devices", {"mode": stat.S_IFBLK | 0o600}),
                               ("'c 1:4294967295' is not among", {"minor": (1 << 32) - 1}),
                               ("no name of a node", {"mode": stat.S_IFREG | 0o600}),
                               ("no name of a node", {"name": "../node"}), ("no name of a node", {"name": ".."}),
                               ("no name of a node", {"name": ""}), ("no name of a node", {"name": "/dev/node"}),
                               ("is not among the uids", {"uid": 0}), ("is not among the gids", {"gid": 0})):
            with self.subTest(str(changes)):
                self.refused(words, "node.create", {**node, **changes}, [folder])
        for fds in ([self.open(self.folder)], [self.open(self.victim)], []):
            self.refused("none of the folders|missing", "node.create", node, fds)
        (self.mine / "taken").symlink_to(self.victim)
        self.refused("File exists", "node.create", {**node, "name": "taken"}, [folder])
        self.assertFalse((self.mine / "node").exists())

    def test_races_for_a_new_node(self):
        """Somebody puts a link to the victim where the node was made."""
        folder = self.open(self.mine, os.O_PATH | os.O_DIRECTORY)
        name = self.mine / "racednode"
        done = threading.Event()

        def exchange():
            number = 0
            while not done.is_set():
                link = self.mine / f"link-{number}"
                number += 1
                os.link(self.victim, link)
                if name.exists():
                    link.rename(name)
                else:
                    link.unlink()

        thread = threading.Thread(target=exchange)
        thread.start()
        try:
            for _ in range(RACES):
                self.daemon.ask("node.create", {"name": name.name, "mode": stat.S_IFCHR | 0o600, "major": 1, "minor": 3,
                                                "uid": USER, "gid": USER}, [folder])
                self.assertEqual(self.victim.stat().st_uid, os.geteuid())
                self.assertEqual(self.victim.stat().st_mode & 0o777, 0o644)
                name.unlink(missing_ok=True)
        finally:
            done.set()
            thread.join()
            for left in self.mine.glob("link-*"):
                left.unlink()
            name.unlink(missing_ok=True)

    def test_devices_off_the_list(self):
        (self.mine / "link").symlink_to("/dev/zero")
        (self.mine / "file").touch()
        for words, device, identity in (
                ("'kvm' is not among the devices", 0, ""), ("'vhost-net' is not among", 1, ""),
                ("'tap' is not among the devices", 3, "hostile0"),
                ("'/dev/zero' is not among the nodes", 7, "/dev/zero"), ("is not among the nodes", 7, "/dev/../dev/null"),
                ("is not among the nodes", 7, ""), ("is not among the nodes", 99, "/dev/zero"),
                ("is not among the nodes", -1, "/dev/zero"), ("symbolic link", 7, str(self.mine / "link")),
                ("is no device", 7, str(self.mine / "file")), ("is not among the nodes", 7, str(self.mine / "a/../../victim")),
                ("is no device|is not among", 7, str(self.mine / ".."))):
            with self.subTest(f"{device} {identity}"):
                self.refused(words, "device.open", {"device": device, "identity": identity, "flags": os.O_RDWR})
                self.assertEqual(self.daemon.answer.fds, [])
        self.daemon.ask("device.open", {"device": 7, "identity": str(self.mine / "file"),
                                        "flags": os.O_RDWR | os.O_TRUNC | os.O_CREAT})
        self.assertFalse((self.mine / "new").exists())

    def test_pci_devices_off_the_list(self):
        real = next((device.name for device in pathlib.Path("/sys/bus/pci/devices").glob("*")), "0000:00:00.0")
        off = "is not among the pci of "
        for words, address in ((off, real), (off, "ffff:ff:1f.7"), ("is no address", ""), ("is no address", "ffff:ff:1f.5/"),
                               ("is no address", "ffff:ff:1f.../../" + real), ("is no address", "../../../etc"),
                               ("is no address", "ffff:ff:1f.9"), ("Device ffff:ff:1f.5 not found", "ffff:ff:1f.5")):
            with self.subTest(address):
                self.refused(words, "pci.bind", {"address": address, "driver": "vfio-pci"})
                self.refused(words, "pci.release", {"address": address})
        for words, driver in (("'e1000e' is not among the drivers", "e1000e"), ("is no name of a driver", ""),
                              ("is no name of a driver", ".."), ("is no name of a driver", "vfio-../../devices")):
            with self.subTest(driver):
                self.refused(words, "pci.bind", {"address": "ffff:ff:1f.0", "driver": driver})
        for words, device, address in (("is not among the pci of device.open", 4, real), ("is no address", 5, "/dev/null"),
                                       ("not found", 4, "ffff:ff:1f.7"), ("'iommufd' is not among the devices", 6, "")):
            with self.subTest(f"{device} {address}"):
                self.refused(words, "device.open", {"device": device, "identity": address, "flags": os.O_RDWR})
                self.assertEqual(self.daemon.answer.fds, [])

    # --- network ---

    def test_interfaces_off_the_list(self):
        net = self.open("/proc/self/ns/net", os.O_RDONLY)
        tap = {"name": "hostile0", "queues": 1, "owner": USER}
        for words, changes in (("'eth0' is not among the names", {"name": "eth0"}), ("is not among the names", {"name": ""}),
                               ("is not among the names", {"name": "x/hostile0"}), ("no queue", {"queues": 0}),
                               ("'0' is not among the uids", {"owner": 0}), ("MTU of 9001 is outside", {"mtu": 9001}),
                               ("outside the policy", {"queues": 3}), ("outside the policy", {"queues": (1 << 31) - 1})):
            with self.subTest(str(changes)):
                self.refused(words, "tap.create", {**tap, **changes}, [net])
        self.refused("'lo' is not among the names", "net.set", {"name": "lo", "up": 0}, [net])
        self.refused("'lo' is not among the names", "tap.remove", {"name": "lo"}, [net])
        self.refused("'docker0' is not among the bridges", "net.attach", {"name": "hostile0", "bridge": "docker0"}, [net])
        for fds in ([self.open(self.victim)], [self.guest.pidfd], []):
            self.refused("namespace", "tap.create", tap, fds)
        self.assertFalse(pathlib.Path("/sys/class/net/hostile0").exists())

    def test_another_network_namespace(self):
        with subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; read x"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as apart:
            apart.stdout.read(1)
            net = self.open(f"/proc/{apart.pid}/ns/net", os.O_RDONLY)
            self.refused("'any' is not among the namespaces", "tap.create", {"name": "hostile1", "queues": 1, "owner": USER}, [net])
            apart.communicate(b"\n")

    # --- the channel ---

    def test_words_make_no_lines_of_their_own(self):
        forged = "x\naudit: hook=own.set guest=\"good\" verdict=done"
        self.refused("is not among the nodes", "device.open", {"device": 7, "identity": forged}, domain=forged)
        self.assertNotIn("\naudit: hook=own.set guest=\"good\"", self.audited())

    def test_surplus_descriptors(self):
        open_before = len(os.listdir(f"/proc/{self.helper.pid}/fd"))
        null = self.open("/dev/null", os.O_RDONLY)
        for count in (2, 253):
            self.assertIsNotNone(self.daemon.ask("memlock.set", {"soft": 1, "hard": 1}, [self.stranger.pidfd] + [null] * (count - 1)))
        deadline = time.monotonic() + DEADLINE  # they are closed behind the answer
        while len(os.listdir(f"/proc/{self.helper.pid}/fd")) != open_before:
            self.assertLess(time.monotonic(), deadline, os.listdir(f"/proc/{self.helper.pid}/fd"))

    def again(self, daemon):
        """The helper drops the session and registers anew."""
        daemon.serve(self.hooks)

    def test_garbage_ends_one_session(self):
        header = protocol.HEADER
        data = self.codec.data
        number = self.codec.rows["own_set"]["num"]
        for name, packet in (
                ("noise", os.urandom(500)), ("too short", b"\0\0\0\4"),
                ("a wrong length", header.pack(1 << 30, data["number"], 1, number, protocol.CALL, 1, 0)),
                ("another program", header.pack(28, 0x20008086, 1, number, protocol.CALL, 1, 0)),
                ("arguments cut off", header.pack(38, data["number"], 1, number, protocol.CALL, 1, 0) + b"x" * 10),
                ("a string of 4 GiB", header.pack(52, data["number"], 1, number, protocol.CALL, 1, 0) + b"u" * 16
                 + struct.pack(">II", 0xffffffff, 0)),
                ("a stream", header.pack(28, data["number"], 1, number, protocol.STREAM, 1, 0))):
            with self.subTest(name):
                self.daemon.channel.send_raw(packet)
                self.assertIsNone(self.other.ask("device.open", {"device": 7, "identity": "/dev/null"}))
                self.again(self.daemon)

    def test_a_message_without_end(self):
        """More and more of one message: it is bounded, and so is the helper's memory."""
        data, number = self.codec.data, self.codec.rows["own_set"]["num"]
        piece = protocol.HEADER.pack(channel.PACKET_MAX, data["number"], 1, number, protocol.CALL, 1,
                                     protocol.CONTINUE) + bytes(channel.PACKET_MAX - 28)
        with self.assertRaises(OSError):
            for _ in range(2000):
                self.daemon.channel.send_raw(piece)
        peak = [line for line in pathlib.Path(f"/proc/{self.helper.pid}/status").read_text().splitlines()
                if line.startswith("VmHWM")][0].split()[1]
        self.assertLess(int(peak), 200 << 10)
        self.again(self.daemon)

    def test_a_daemon_that_reads_nothing_holds_up_nobody(self):
        call = protocol.HEADER.pack
        args = self.codec.encode("device_open_args", {"call": self.daemon.head(), "device": 7, "identity": "/dev/null"})
        packet = call(28 + len(args), self.codec.data["number"], 1, self.codec.rows["device_open"]["num"], protocol.CALL, 7,
                      0) + args
        self.daemon.channel.socket.setblocking(False)
        try:
            while True:
                self.daemon.channel.send_raw(packet)
        except BlockingIOError:
            pass
        began = time.monotonic()
        self.assertIsNone(self.other.ask("device.open", {"device": 7, "identity": "/dev/null"}))
        self.assertLess(time.monotonic() - began, 20)
        self.daemon.channel.close()
        self.again(self.daemon)

    def test_answers_to_nothing(self):
        for serial in range(100):
            self.daemon.channel.send("register", protocol.REPLY, serial + 5000, protocol.OK,
                                     self.codec.encode("register_ret", {"id": 1}))
        self.daemon.channel.send("cancel", protocol.MESSAGE, 0, protocol.OK,
                                 self.codec.encode("cancel_msg", {"request": 1 << 63}))
        self.assertIsNone(self.daemon.ask("device.open", {"device": 7, "identity": "/dev/null"}))


if __name__ == "__main__":
    HELPERD = os.path.abspath(sys.argv[1])
    if os.geteuid() != 0 or not unified():
        print("needs root and cgroup v2")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v"] + sys.argv[2:])
