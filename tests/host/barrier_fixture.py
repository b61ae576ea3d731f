# SPDX-License-Identifier: LGPL-2.1-or-later
"""barrier_fixture.py: a daemon, stock virsh, a QEMU without an operating system, and a Python handler
of the barrier in the test's own process, which looks at each thread while the guest waits."""

import json
import os
import pathlib
import re
import select
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

for folder in ("tests/wire", "src/internal"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / folder))
import daemon as daemons  # noqa: E402
import libvirt_internal  # noqa: E402

DEADLINE = 120
CPUS = sorted(os.sched_getaffinity(0))
HOUSEKEEPING, ISOLATED = CPUS[0], CPUS[-1]
# Without cpu a guest stays in the daemon's own group of that controller: where the kernel groups
# real-time threads, new groups have no time for them.
CONTROLLERS = 'cgroup_controllers = [ "cpuset", "memory", "devices", "freezer", "blkio", "pids" ]\n'


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, **options)


def becomes_realtime(group=None):
    """Whether a process may, in this one's groups or in another one."""
    child = os.fork()
    if child == 0:
        try:
            if group:
                (group / "cgroup.procs").write_text("0")
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def realtime_is_allowed():
    """Where v2 has the cpu controller, also in a new group, as a guest's is."""
    unified = pathlib.Path("/sys/fs/cgroup")
    control = unified / "cgroup.subtree_control"
    if not control.exists() or "cpu" not in control.read_text().split():
        return becomes_realtime()
    group = pathlib.Path(tempfile.mkdtemp(prefix="virtward-realtime-", dir=unified))
    try:
        return becomes_realtime(group)
    finally:
        group.rmdir()


# (policy, priority) and how a document says it
if realtime_is_allowed():
    SCHEDULER, SCHED = (os.SCHED_FIFO, 1), "scheduler='fifo' priority='1'"
else:
    print("# no real time here: SCHED_BATCH instead")
    SCHEDULER, SCHED = (os.SCHED_BATCH, 0), "scheduler='batch'"


def ticks(pid, tid):
    """CPU time of a thread as the kernel counts it, in ticks."""
    fields = pathlib.Path(f"/proc/{pid}/task/{tid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def pid_of(pidfd):
    return int(re.search(r"^Pid:\t(-?\d+)$",
                         pathlib.Path(f"/proc/self/fdinfo/{pidfd}").read_text(), re.M)[1])


class Reached:
    """One call of the barrier, looked at while the guest waits."""

    def __init__(self, call, request):
        self.stage, self.phase = request["stage"], call.phase
        pidfd, self.folder, self.threads = request.guest_threads()
        self.pid = pid_of(pidfd)
        self.fds = [pid_of(one.fd) if one.fd >= 0 else None for one in self.threads]
        self.look()

    def look(self):
        self.ticks = [ticks(self.pid, one.tid) for one in self.threads
                      if one.role == libvirt_internal.VCPU]
        self.scheduled = {one.tid: (os.sched_getscheduler(one.tid),
                                    os.sched_getparam(one.tid).sched_priority)
                          for one in self.threads}
        self.cpus = {one.tid: os.sched_getaffinity(one.tid) for one in self.threads}

    def of(self, role):
        return [(one.id, one.tid) for one in self.threads if one.role == role]

    def tids(self, *roles):
        return [one.tid for one in self.threads if one.role in roles]


class BarrierCase(unittest.TestCase):
    """One daemon for all of a class."""

    NAME = GUEST = VIRTWARDD = BUILD = None  # GUEST: its document
    CONFIG = CONTROLLERS

    @classmethod
    def setUpClass(cls):
        libvirt_internal.load(f"{cls.BUILD}/src/internal/libvirt-internal.so.1")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="vwb-"))
        cls.folder.chmod(0o755)
        cls.running = daemons.running(cls.VIRTWARDD, config=cls.CONFIG,
                                      prepare=lambda folder: folder.chmod(0o755))
        cls.daemon = cls.running.__enter__()
        cls.uri = f"qemu:///system?socket={cls.daemon.rw}"
        cls.virsh("define", "/dev/stdin", input=cls.GUEST)

    @classmethod
    def tearDownClass(cls):
        cls.virsh("destroy", cls.NAME, check=False)
        cls.running.__exit__(None, None, None)
        subprocess.run(["rm", "-rf", str(cls.folder)], check=True)

    @classmethod
    def virsh(cls, *command, check=True, **options):
        done = run("virsh", "-c", cls.uri, *command, **options)
        assert not check or done.returncode == 0, done.stderr
        return done

    def setUp(self):
        self.reached, self.states, self.refuse = [], [], {}
        self.connect()

    def tearDown(self):
        self.session.close()
        self.virsh("destroy", self.NAME, check=False)

    def connect(self):
        self.session = libvirt_internal.Session(path=f"{self.daemon.root}/run/handler/sock")
        self.serve("barrier", lambda call, request: self.at_barrier(Reached(call, request)))

    def serve(self, hook, function):
        self.session.register(hook, function, pattern=self.NAME, flags=libvirt_internal.TAKE_OVER)

    def at_barrier(self, reached):
        """What the handler does."""
        self.reached.append(reached)
        self.states.append(self.virsh("domstate", self.NAME).stdout.strip())
        if reached.stage in self.refuse:
            raise PermissionError(self.refuse[reached.stage])

    def served(self, *command):
        """virsh, with the barrier served in this process until it ends."""
        with subprocess.Popen(["virsh", "-c", self.uri, *command], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as virsh:
            pidfd = os.pidfd_open(virsh.pid)
            try:
                while pidfd not in (ready := select.select([pidfd, self.session.fileno()], [], [],
                                                           DEADLINE)[0]):
                    self.assertTrue(ready, f"{command} has not ended")
                    self.session.dispatch()
            finally:
                os.close(pidfd)
            return virsh.communicate()[0], virsh.returncode

    def ok(self, *command):
        out, code = self.served(*command)
        self.assertEqual(code, 0, out)

    def stages(self):
        return [one.stage for one in self.reached]

    def ask(self, command):
        return json.loads(self.virsh("qemu-monitor-command", self.NAME, json.dumps({"execute": command})).stdout)["return"]

    def save(self):
        """The running guest's state in a file as libvirt writes it; the guest is gone."""
        stream, path = self.folder / "stream", self.folder / "saved"
        self.ok("suspend", self.NAME)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.settimeout(DEADLINE)
            listener.bind(str(stream))
            stream.chmod(0o777)
            listener.listen()
            self.virsh("qemu-monitor-command", self.NAME, json.dumps(
                {"execute": "migrate", "arguments": {"uri": f"unix:{stream}"}}))
            connection, _ = listener.accept()
            with connection:
                state = b"".join(iter(lambda: connection.recv(1 << 20), b""))
        stream.unlink()
        xml = self.virsh("dumpxml", self.NAME, "--migratable").stdout.encode() + b"\0"
        header = b"LibvirtQemudSave" + struct.pack("=5I", 2, len(xml), 1, 0, 0) + bytes(14 * 4)
        path.write_bytes(header + xml + state)
        self.virsh("destroy", self.NAME)
        return path


def main(arguments):
    """PROGRAM VIRTWARDD BUILD-FOLDER [TEST...]"""
    BarrierCase.VIRTWARDD, BarrierCase.BUILD = map(os.path.abspath, arguments[1:3])
    if os.geteuid() != 0:
        print("needs root")
        sys.exit(77)
    unittest.main(argv=[arguments[0], "-v"] + arguments[3:])
