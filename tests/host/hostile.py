# SPDX-License-Identifier: LGPL-2.1-or-later
"""hostile.py: what the tests with a hostile daemon share: a script that speaks the handlers' channel in
the daemon's place, a policy, the helper under it, and a look that what it asks for is refused in
words and audited."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "wire"))
import channel  # noqa: E402
import protocol  # noqa: E402

DEADLINE = 60
USER = 54321  # nobody's
GROUP = f"hostile-{os.getpid()}"


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
devices=vfio-group;vfio-cdev;tap
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
parents=hostile*
modes=bridge
[tap.remove]
names=hostile*
[net.attach]
names=hostile*
bridges=hostilebr
[net.detach]
names=hostile*
[net.set]
names=hostile*
[net.bandwidth]
names=hostile*
max=1000
burst=64
[barrier]
housekeeping=0
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


class Case(unittest.TestCase):
    """One helper with two daemons, of which the first means harm; HELPER is its program."""

    HELPER = None

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
            cls.helper = subprocess.Popen([cls.HELPER, "--policy", str(policy)], stderr=log)
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

    def again(self, daemon):
        """The helper drops the session and registers anew."""
        daemon.serve(self.hooks)


def run(case):
    """Runs the cases against the helper of the command line."""
    Case.HELPER = os.path.abspath(sys.argv[1])
    if os.geteuid() != 0 or not unified():
        print("needs root and cgroup v2")
        sys.exit(77)
    unittest.main(case, argv=[sys.argv[0], "-v"] + sys.argv[2:])
