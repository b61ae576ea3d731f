#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""internal_forms.py VIRTWARDD BUILD-FOLDER: every function of the library that a handler may be set with.

simple_forms.c has one of each simple form, full_form.c the ways in which a handler's data can be
released; both are built against the installed .pc. A script in the daemon's place asks for every
operation of the protocol and compares what arrived with what it sent; an operation without a row
fails. Then a real daemon's guest is refused by each form that its life meets, in words."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "wire")]
import channel  # noqa: E402
import daemon as daemons  # noqa: E402
import protocol  # noqa: E402

DEADLINE = 60
BRIDGE = f"vwform{os.getpid() % 100000}"
GUEST = f"""<domain type='qemu'><name>refused</name><uuid>66f0a1ce-0000-4000-8000-0000000f0f0f</uuid><memory unit='MiB'>64</memory>
{{locked}}<vcpu>1</vcpu>
<cputune><vcpupin vcpu='0' cpuset='0'/><vcpusched vcpus='0' scheduler='batch'/></cputune>
<os><type arch='x86_64' machine='pc'>hvm</type></os><devices>
<disk type='file' device='disk'><source file='{{disk}}'/><target dev='vda' bus='virtio'/></disk>
<interface type='bridge'><source bridge='{BRIDGE}'/><model type='e1000'/>
<bandwidth><inbound average='1000'/></bandwidth></interface></devices></domain>"""
LOCKED = "<memtune><hard_limit unit='MiB'>512</hard_limit></memtune><memoryBacking><locked/></memoryBacking>"
# What the life of that guest asks for; the others by the script alone.
MET = ("memlock.set", "sched.set", "affinity.set", "own.set", "tap.create", "net.attach", "net.bandwidth", "barrier",
       "cgroup.create", "gate.create")
THREADS = {"form": 0, "tids": [11, 12]}
FOLDER = {"form": 1, "tids": [11, 12]}
RULE = {"type": 2, "major": 1, "minor": 3, "access": 6}
# operation: arguments, how many descriptors, what is to arrive ({0} and so on: the descriptors), what comes back
ROWS = {
    "teardown": [({"requests": [9, 8]}, 0, "2 9", ())],
    "barrier": [({"stage": 1, "form": 1, "threads": [{"role": 1, "id": 3, "tid": 99}]}, 2, "1 {0} 1 1 3 99", ())],
    "memlock.set": [({"soft": 4096, "hard": 4096}, 1, "{0} 4096", ()),
                    ({"soft": (1 << 64) - 1, "hard": (1 << 64) - 1}, 1, "{0} 18446744073709551615", ())],
    "sched.set": [({"threads": THREADS, "policy": 3, "priority": 0}, 3, "3 0 {0} {1} {2}", ()),
                  ({"threads": FOLDER, "policy": 1, "priority": 9}, 2, "1 9 {0} 11 12", ())],
    "affinity.set": [({"threads": THREADS, "cpus": b"\5\0"}, 3, "2 5 {0} {1} {2}", ())],
    "proc.tune": [({"oom_score_adj": -7, "ioprio": -1}, 1, "{0} -7", ())],
    "own.set": [({"uid": 107, "gid": 108, "mode": 0o640}, 1, "{0} 107 108 640", ())],
    "node.create": [({"name": "kvm", "mode": 0o20660, "major": 10, "minor": 232, "uid": 1, "gid": 2}, 1,
                     "{0} kvm 20660 10 232 1 2", ())],
    "device.open": [({"device": 7, "identity": "/dev/x", "flags": 2}, 0, "7 /dev/x 2", (1,))],
    "pci.bind": [({"address": "0000:03:00.0", "driver": "vfio-pci"}, 0, "0000:03:00.0 vfio-pci", ())],
    "pci.release": [({"address": "0000:03:00.0"}, 0, "0000:03:00.0 -", ())],
    "tap.create": [({"name": "vnet%d", "mac": b"\1\2\3\4\5\6", "mtu": 1400, "queues": 2, "owner": 5, "flags": 2}, 1,
                    "{0} vnet%d 6 1400 2 5 2 0 0", (2, {"name": "made0", "ifindex": 7, "created": 1})),
                   ({"name": "macvtap0", "queues": 1, "owner": 5, "kind": 1, "parent": "eth1", "mode": 2}, 1,
                    "{0} macvtap0 -1 0 1 5 0 1eth1 2", (1, {"name": "made0", "ifindex": 7, "created": 1}))],
    "tap.remove": [({"name": "vnet0", "ifindex": 3}, 1, "{0} vnet0 3", ())],
    "net.attach": [({"name": "vnet0", "bridge": "br0"}, 1, "{0} vnet0 br0", ())],
    "net.detach": [({"name": "vnet0"}, 1, "{0} vnet0 -", ())],
    "net.set": [({"name": "vnet0", "up": 1}, 1, "{0} vnet0 1", ())],
    "net.bandwidth": [({"name": "vnet0", "sent_average": 1, "sent_peak": 2, "sent_burst": 3, "received_average": 4, "received_burst": 5},
                       1, "{0} vnet0 1 2 3 4 5", ())],
    "cgroup.create": [({"name": "vcpu0", "threaded": 1, "controllers": "cpu cpuset", "uid": 0xffffffff, "gid": 6}, 1,
                       "{0} vcpu0 1 'cpu cpuset' -1 6", (1,))],
    "cgroup.move": [({"threads": {"form": 0, "tids": []}}, 2, "{0} {1}", ()), ({"threads": THREADS}, 4, "{0} {1} {2} {3}", ())],
    "cgroup.set": [({"file": "cpu.weight", "value": "300"}, 1, "{0} cpu.weight 300", ())],
    "cgroup.remove": [({"name": "vcpu0", "flags": 5}, 1, "{0} vcpu0 5", ())],
    "mount.apply": [({"mounts": [{"kind": 1, "target": "pts"}]}, 4, "{0} {1} {2} 1 1 {3} 1 pts", ())],
    "gate.create": [({"mode": 1, "lock": 1, "capacity": 64, "objects": 8, "rules": [RULE]}, 2, "{0} 8 1 1 64 1",
                     (2, {"objects": 17}))],
    "gate.replace": [({"capacity": 128, "objects": 31, "rules": [RULE, RULE]}, 6, "{0} 31 0 0 128 2",
                      (2, {"objects": 17, "reattached": 1}))],
    "gate.update": [({"mode": 1, "objects": 1, "changes": [RULE]}, 2, "{0} 1 1 0 0 1", ())],
    "gate.remove": [({"objects": 0}, 1, "{0} 0 0 0 0 0", ())],
}


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False, **options)


class Forms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="vwf-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.folder.chmod(0o755)
        done = run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.folder / "dest")
        assert done.returncode == 0, done.stderr
        cls.library, = (cls.folder / "dest").rglob("libvirt-internal.so.1")
        cls.pc, = (cls.folder / "dest").rglob("libvirt-internal.pc")
        cls.programs = [cls.build(name) for name in ("simple_forms", "full_form")]
        cls.running = daemons.running(VIRTWARDD, config="handler_timeout = 5\n", prepare=lambda folder: folder.chmod(0o755))
        cls.daemon = cls.running.__enter__()
        cls.addClassCleanup(cls.running.__exit__, None, None, None)
        cls.codec = channel.Codec()
        # a folder with the daemon's socket, and beside it a handlers' socket that is ours
        (cls.folder / "handler").mkdir(0o700)
        (cls.folder / "virtward-sock").symlink_to(cls.daemon.rw)
        cls.listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        cls.addClassCleanup(cls.listening.close)
        cls.listening.settimeout(DEADLINE)
        cls.listening.bind(str(cls.folder / "handler/sock"))
        cls.listening.listen()

    @classmethod
    def build(cls, name):
        prefix = cls.pc.parents[3] if cls.pc.parents[1].name.startswith("x86") else cls.pc.parents[2]
        flags = run("pkg-config", f"--define-variable=prefix={prefix}", "--cflags", "--libs", "libvirt-internal",
                    env={**os.environ, "PKG_CONFIG_PATH": str(cls.pc.parent)})
        assert flags.returncode == 0, flags.stderr
        # what it is linked with, the program is
        cc = ["clang", "-fsanitize=address,undefined"] if b"__asan_init" in cls.library.read_bytes() else ["cc"]
        done = run(*cc, "-Wall", "-Wextra", "-Werror", "-pthread", HERE / f"{name}.c", "-o", cls.folder / name,
                   *flags.stdout.split())
        assert done.returncode == 0, done.stderr
        return cls.folder / name

    def env(self):
        return {**os.environ, "LD_LIBRARY_PATH": str(self.library.parent)}

    def start(self, socket_path, *forms):
        """simple_forms, serving; the caller ends it."""
        program = subprocess.Popen([self.programs[0], f"qemu:///system?socket={socket_path}", *forms], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.env())
        self.addCleanup(lambda: program.poll() is None and program.kill())
        return program

    def end(self, program):
        program.stdin.close()
        code = program.wait(DEADLINE)
        said = program.stderr.read()
        program.stdout.close()
        program.stderr.close()
        self.assertEqual(code, 0, said)

    def accept(self, program):
        """The program's channel when it serves."""
        connected, _ = self.listening.accept()
        asked = channel.Channel(connected, self.codec, DEADLINE)
        self.addCleanup(asked.close)
        hooks = {row["num"] for name, row in self.codec.rows.items() if "abi" in row and name != "teardown"}
        while hooks:
            call = asked.receive()
            self.assertEqual(call.procedure, "register")
            hooks.remove(self.codec.decode("register_args", call.payload)["hook"])  # each once
            asked.answer(call, {"id": 100 + len(hooks)})
        self.assertEqual(program.stdout.readline(), "serving\n")
        return asked

    def ask(self, asked, hook, values, fds, domain="web1"):
        head = {"uuid": b"u" * 16, "domain": domain, "phase": 1, "request": 5, "deadline": 5000}
        return asked.call(hook.replace(".", "_"), {"call": head, **values}, fds)

    def test_each_simple_form_gets_what_was_sent(self):
        program = self.start(self.folder / "virtward-sock")
        asked = self.accept(program)
        files = [os.memfd_create(f"form{i}") for i in range(6)]
        inodes = [os.fstat(fd).st_ino for fd in files]
        try:
            for name in (name for name, row in self.codec.rows.items() if "abi" in row):
                hook = name.replace("_", ".", 1)
                with self.subTest(hook):
                    self.assertIn(hook, ROWS, f"{hook} has no row in ROWS of {__file__}, and no simple form in "
                                  "simple_forms.c perhaps: what is asked, and what is to arrive")
                for values, count, text, back in ROWS.get(hook, ()):
                    with self.subTest(hook, values=values):
                        answer = self.ask(asked, hook, values, files[:count])
                        self.assertEqual(answer.status, protocol.OK, answer.payload)
                        line = program.stdout.readline().rstrip("\n")
                        self.assertEqual(line, f"{hook} web1 1 {text.format(*inodes)}".rstrip())
                        self.assertEqual(len(answer.fds), back[0] if back else 0)
                        given = self.codec.decode(self.codec.rows[name]["ret"], answer.payload) if len(back) > 1 else {}
                        self.assertEqual({key: given[key] for key in (back[1] if len(back) > 1 else {})},
                                         back[1] if len(back) > 1 else {})
                        answer.close()
                        answer = self.ask(asked, hook, values, files[:count], "refused")
                        self.assertIn(f"{hook} refused", program.stdout.readline())
                        self.assertEqual(answer.status, protocol.ERROR)
                        self.assertEqual(answer.error(), f"operation failed: the simple form of {hook} says 100% no")
                        self.assertEqual(answer.fds, [])
        finally:
            for fd in files:
                os.close(fd)
        before = len(os.listdir(f"/proc/{program.pid}/fd"))
        self.ask(asked, "proc.tune", {"oom_score_adj": 1, "ioprio": -1}, [])
        self.assertEqual(len(os.listdir(f"/proc/{program.pid}/fd")), before)
        self.end(program)

    def answer_registrations(self, arrived):
        """Takes all but two kinds, until the program has closed every session; arrived: told of what is not answered."""
        numbers = {row["num"]: name for name, row in self.codec.rows.items()}
        for _ in range(3):
            connected, _ = self.listening.accept()
            asked = channel.Channel(connected, self.codec, DEADLINE)
            try:
                while True:
                    call = asked.receive()
                    args = self.codec.decode(f"{call.procedure}_args", call.payload)
                    hook = numbers[args["hook"]] if "hook" in args else ""
                    if hook == "memlock_set":
                        asked.refuse(call, "not this one")
                    elif hook == "sched_set":
                        os.write(arrived, b"!")
                    else:
                        asked.answer(call, {"id": 1} if hook else {})
            except (ConnectionError, OSError):
                asked.close()

    def test_data_is_released_once(self):
        told, arrived = os.pipe()
        answering = threading.Thread(target=self.answer_registrations, args=(arrived,))
        answering.start()
        done = run(self.programs[1], str(self.folder / "handler/sock"), env=self.env(), stdin=told)
        answering.join(DEADLINE)
        os.close(told)
        os.close(arrived)
        self.assertEqual((done.stdout, done.returncode), ("once each\n", 0), done.stderr)

    def virsh(self, *command, **options):
        return run("virsh", "-c", f"qemu:///system?socket={self.daemon.rw}", *command, **options)

    def take_leave(self, hooks):
        """The daemon does it itself again: by one of its user."""
        leaving = channel.Channel.connect(self.daemon.rw.parent / "handler/sock", codec=self.codec)
        try:
            answer = leaving.call("features", {})
            known = {row["hook"]: row for row in self.codec.decode("features_ret", answer.payload)["hooks"]}
            for hook in hooks:
                row = known[self.codec.rows[hook.replace(".", "_")]["num"]]
                answer = leaving.call("register", {"protocol": 1, "hook": row["hook"], "abi": row["abi"], "size": row["size"],
                                                   "digest": row["digest"], "uuid": b"", "pattern": "*", "flags": 1})
                self.assertEqual(answer.status, protocol.OK)
                leaving.call("unregister", {"id": self.codec.decode("register_ret", answer.payload)["id"]})
        finally:
            leaving.close()

    def test_a_guest_is_refused_by_each_form_that_it_meets(self):
        disk = self.folder / "disk"
        disk.write_bytes(bytes(1 << 20))
        self.assertEqual(run("ip", "link", "add", BRIDGE, "type", "bridge").returncode, 0)
        self.addCleanup(run, "ip", "link", "del", BRIDGE)
        for form in MET:
            with self.subTest(form):
                locked = LOCKED if form == "memlock.set" else ""  # raising that limit takes a right
                defined = self.virsh("define", "/dev/stdin", input=GUEST.format(disk=disk, locked=locked))
                self.assertEqual(defined.returncode, 0, defined.stderr)
                program = self.start(self.daemon.rw, form)
                self.assertEqual(program.stdout.readline(), "serving\n")
                started = self.virsh("start", "--paused", "refused")
                self.assertEqual(started.returncode, 1, started.stdout)
                self.assertIn(f"the handler of {form}: the simple form of {form} says 100% no", started.stderr)
                self.assertIn(f"{form} refused 0", program.stdout.readline())
                self.end(program)
                self.take_leave({form, "net.detach"} if form == "net.attach" else {form})
        started = self.virsh("start", "--paused", "refused")
        self.assertEqual(started.returncode, 0, started.stderr)
        self.assertEqual(self.virsh("destroy", "refused").returncode, 0)


if __name__ == "__main__":
    VIRTWARDD, BUILD = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    if os.geteuid() != 0:
        print("needs root")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v"])
