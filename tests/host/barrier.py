#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""barrier.py VIRTWARDD BUILD-FOLDER: what a handler is told of a guest's threads, when, and what
its word leads to. A Python handler of this process, stock virsh, a QEMU without an operating system.
"""

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

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "wire"))
import daemon as daemons  # noqa: E402

NAME = "at-the-barrier"

# Real time needs what a machine's groups may not have: tests/vm/realtime.sh.
SCHEDULER, SCHED = (os.SCHED_BATCH, 0), "scheduler='batch'"
GUEST = f"""<domain type='qemu'><name>{NAME}</name><memory unit='MiB'>64</memory>
<vcpu current='2'>4</vcpu><iothreads>1</iothreads>
<memtune><hard_limit unit='GiB'>1</hard_limit></memtune>
<cputune><vcpupin vcpu='1' cpuset='0'/><vcpusched vcpus='1-2' {SCHED}/><iothreadsched iothreads='1' {SCHED}/></cputune>
<os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features>
<devices><controller type='usb' model='none'/></devices></domain>"""
DEADLINE = 120


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, **options)


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
        self.ticks = [ticks(self.pid, one.tid) for one in self.threads
                      if one.role == libvirt_internal.VCPU]
        self.fds = [pid_of(one.fd) if one.fd >= 0 else None for one in self.threads]
        self.scheduled = {(one.role, one.id): (os.sched_getscheduler(one.tid),
                                               os.sched_getparam(one.tid).sched_priority)
                          for one in self.threads}
        self.cpus = {(one.role, one.id): os.sched_getaffinity(one.tid) for one in self.threads}

    def of(self, role):
        return [(one.id, one.tid) for one in self.threads if one.role == role]


class Barrier(unittest.TestCase):
    """One installation of the library and one daemon for all."""

    @classmethod
    def setUpClass(cls):
        global libvirt_internal
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="vwb-"))
        cls.folder.chmod(0o755)
        done = run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.folder / "dest")
        assert done.returncode == 0, done.stderr
        library, = (cls.folder / "dest").rglob("libvirt-internal.so.1")
        module, = (cls.folder / "dest").rglob("libvirt_internal.py")
        sys.path.insert(0, str(module.parent))
        import libvirt_internal
        libvirt_internal.load(str(library))
        cls.running = daemons.running(VIRTWARDD, prepare=lambda folder: folder.chmod(0o755))
        cls.daemon = cls.running.__enter__()
        cls.uri = f"qemu:///system?socket={cls.daemon.rw}"
        cls.virsh("define", "/dev/stdin", input=GUEST)

    @classmethod
    def tearDownClass(cls):
        cls.virsh("destroy", NAME, check=False)
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
        self.virsh("destroy", NAME, check=False)

    def connect(self):
        def barrier(call, request):
            one = Reached(call, request)
            self.reached.append(one)
            self.states.append(self.virsh("domstate", NAME).stdout.strip())
            if one.stage in self.refuse:
                raise PermissionError(self.refuse[one.stage])

        self.session = libvirt_internal.Session(path=f"{self.daemon.root}/run/handler/sock")
        self.session.register("barrier", barrier, pattern=NAME, flags=libvirt_internal.TAKE_OVER)

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
        return json.loads(self.virsh("qemu-monitor-command", NAME, json.dumps({"execute": command})).stdout)["return"]

    def test_prepared_then_resume_before_any_vcpu_has_run(self):
        self.ok("start", NAME)
        self.assertEqual(self.stages(), [libvirt_internal.PREPARED, libvirt_internal.RESUME])
        self.assertNotIn("running", self.states)
        self.assertEqual(self.virsh("domstate", NAME).stdout.strip(), "running")
        for one in self.reached:
            self.assertEqual(one.ticks, [0, 0])

    def test_the_document_s_schedulers_and_pins_are_there_before(self):
        """At prepared, with no CPU time used, and for a vCPU that comes later."""
        self.ok("start", "--paused", NAME)
        one, = self.reached
        self.assertEqual(one.ticks, [0, 0])
        vcpu, iothread = libvirt_internal.VCPU, libvirt_internal.IOTHREAD
        self.assertEqual(one.scheduled[vcpu, 0], (os.SCHED_OTHER, 0))
        self.assertEqual(one.scheduled[vcpu, 1], SCHEDULER)
        self.assertEqual(one.scheduled[iothread, 1], SCHEDULER)
        self.assertEqual(one.cpus[vcpu, 1], {0})
        self.ok("setvcpus", NAME, "3", "--live")
        self.assertEqual(self.reached[-1].scheduled[vcpu, 2], SCHEDULER)

    def test_roles_are_what_qemu_says(self):
        self.ok("start", "--paused", NAME)
        one, = self.reached
        vcpus = [(cpu["cpu-index"], cpu["thread-id"]) for cpu in self.ask("query-cpus-fast")]
        iothread, = self.ask("query-iothreads")
        self.assertEqual(one.of(libvirt_internal.VCPU), vcpus)
        self.assertEqual(one.of(libvirt_internal.IOTHREAD), [(1, iothread["thread-id"])])
        self.assertEqual(one.of(libvirt_internal.EMULATOR), [(0, one.pid)])
        tids = [thread.tid for thread in one.threads]
        self.assertEqual(len(set(tids)), len(tids))
        if one.folder < 0:  # descriptors and table are in one order
            self.assertEqual(one.fds, tids)

    def test_resume_waits_for_the_first_time_only(self):
        self.ok("start", "--paused", NAME)
        self.assertEqual(self.stages(), [libvirt_internal.PREPARED])
        self.ok("resume", NAME)
        self.assertEqual(self.stages(), [libvirt_internal.PREPARED, libvirt_internal.RESUME])
        self.assertEqual(self.reached[1].ticks, [0, 0])
        self.ok("suspend", NAME)
        self.ok("resume", NAME)
        self.assertEqual(len(self.reached), 2)

    def test_a_refusal_at_prepared_ends_the_start(self):
        self.refuse[libvirt_internal.PREPARED] = "no seat is free"
        out, code = self.served("start", NAME)
        self.assertEqual(code, 1)
        self.assertIn("the handler of barrier: no seat is free", out)
        self.assertEqual(self.virsh("domstate", NAME).stdout.strip(), "shut off")
        self.assertFalse(pathlib.Path(f"/proc/{self.reached[0].pid}").exists())
        self.refuse.clear()
        self.ok("start", NAME)

    def test_a_refusal_at_resume_ends_the_start(self):
        self.refuse[libvirt_internal.RESUME] = "not today"
        out, code = self.served("start", NAME)
        self.assertEqual(code, 1)
        self.assertIn("not today", out)
        self.assertEqual(self.virsh("domstate", NAME).stdout.strip(), "shut off")

    def test_a_refusal_at_a_later_resume_leaves_it_paused(self):
        self.ok("start", "--paused", NAME)
        self.refuse[libvirt_internal.RESUME] = "not yet"
        out, code = self.served("resume", NAME)
        self.assertEqual(code, 1)
        self.assertIn("not yet", out)
        self.assertEqual(self.virsh("domstate", NAME).stdout.strip(), "paused")
        self.refuse.clear()
        self.ok("resume", NAME)
        self.assertEqual(self.reached[-1].ticks, [0, 0])

    def test_a_restart_of_the_daemon_forgets_nothing(self):
        self.ok("start", "--paused", NAME)
        self.session.close()
        self.daemon.restart()
        self.connect()
        self.ok("resume", NAME)
        self.assertEqual(self.stages(), [libvirt_internal.PREPARED, libvirt_internal.RESUME])

    def test_a_plugged_vcpu(self):
        self.ok("start", NAME)
        self.ok("setvcpus", NAME, "3", "--live")
        one = self.reached[-1]
        self.assertEqual((one.stage, one.phase), (libvirt_internal.HOTPLUG_VCPU, 1))
        tids = {cpu["cpu-index"]: cpu["thread-id"] for cpu in self.ask("query-cpus-fast")}
        self.assertEqual([tuple(thread)[:3] for thread in one.threads],
                         [(libvirt_internal.VCPU, 2, tids[2])])

    def save(self):
        """The running guest's state in a file as libvirt writes it; the guest is gone."""
        stream, path = self.folder / "stream", self.folder / "saved"
        self.ok("suspend", NAME)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.settimeout(DEADLINE)
            listener.bind(str(stream))
            stream.chmod(0o777)
            listener.listen()
            self.virsh("qemu-monitor-command", NAME, json.dumps(
                {"execute": "migrate", "arguments": {"uri": f"unix:{stream}"}}))
            connection, _ = listener.accept()
            with connection:
                state = b"".join(iter(lambda: connection.recv(1 << 20), b""))
        stream.unlink()
        xml = self.virsh("dumpxml", NAME, "--migratable").stdout.encode() + b"\0"
        header = b"LibvirtQemudSave" + struct.pack("=5I", 2, len(xml), 1, 0, 0) + bytes(14 * 4)
        path.write_bytes(header + xml + state)
        self.virsh("destroy", NAME)
        return path

    def test_a_guest_that_comes_as_a_stream(self):
        """The same barriers, before the first byte of it is loaded and before its CPUs go on."""
        self.ok("start", NAME)
        path = self.save()
        self.reached.clear()
        self.ok("restore", str(path))
        self.assertEqual([(one.stage, one.phase) for one in self.reached],
                         [(libvirt_internal.PREPARED, 2), (libvirt_internal.RESUME, 2)])
        self.assertEqual(self.reached[0].ticks, [0, 0])
        self.assertEqual(self.virsh("domstate", NAME, "--reason").stdout.strip(), "running (restored)")
        self.virsh("destroy", NAME)
        self.ok("restore", "--paused", str(path))
        self.assertEqual(self.virsh("domstate", NAME, "--reason").stdout.strip(), "paused (migrating)")
        self.assertEqual(self.ask("query-status")["status"], "paused")
        self.ok("resume", NAME)
        self.virsh("destroy", NAME)
        self.refuse[libvirt_internal.PREPARED] = "no stream today"
        out, code = self.served("restore", str(path))
        self.assertEqual(code, 1)
        self.assertIn("no stream today", out)
        self.assertEqual(self.virsh("domstate", NAME).stdout.strip(), "shut off")

    def test_a_file_that_is_no_saved_guest(self):
        self.ok("start", NAME)
        path = self.save()
        whole = path.read_bytes()
        for content, words in ((whole[:40000], "QEMU could not load the guest's state"),
                               (whole[:50], "failed to read qemu header"),
                               (whole[:500], "failed to read domain XML"),
                               (b"LibvirtQemudPart" + whole[16:], "save image is incomplete"),
                               (b"x" + whole[1:], "image magic is incorrect"),
                               (whole[:28] + b"\1" + whole[29:], "is compressed"),
                               (whole[:20] + b"\xff" * 4 + whole[24:], "invalid header data length")):
            path.write_bytes(content)
            out, code = self.served("restore", str(path))
            self.assertEqual(code, 1)
            self.assertIn(words, out)
            self.assertEqual(self.virsh("domstate", NAME).stdout.strip(), "shut off")

    def test_a_hard_limit_that_cannot_be_locked_holds_nothing_up(self):
        """Nothing of this guest is locked: neither its start nor a device that comes needs a right."""
        self.ok("start", NAME)
        device = self.folder / "rng.xml"
        device.write_text("<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>")
        self.ok("attach-device", NAME, str(device), "--live")

    def test_nobody_there(self):
        """A handler that went away holds starts up; one that took leave does not."""
        self.session.close()
        done = self.virsh("start", NAME, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the handler of barrier is not connected", done.stderr)
        self.connect()
        self.session.unregister("barrier")
        self.virsh("start", NAME)


if __name__ == "__main__":
    VIRTWARDD, BUILD = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    if os.geteuid() != 0:
        print("needs root")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v"] + sys.argv[3:])
