#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""helper_groups.py VIRTWARDD HELPERD LIBRARY: a daemon without any right, whose guests' groups a helper makes.

The daemon is an ordinary user with empty capability sets, bounding set included, and was given no
control group. The helper makes the guest's groups in every hierarchy, moves its process in before anything of
QEMU runs, moves its threads, sets limits and removes it all; what its policy does not allow is
refused in words and leaves nothing behind. Helpers that lie are found out."""

import contextlib
import hashlib
import os
import pathlib
import pwd
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "wire"))
import daemon as daemons  # noqa: E402
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "src" / "internal"))

USER = "virtward-qemu"
NAME = "grouped"
XML = f"""<domain type='qemu'><name>{NAME}</name><memory unit='MiB'>32</memory><vcpu>2</vcpu><iothreads>1</iothreads>
%s<os><type arch='x86_64' machine='pc'>hvm</type></os><devices><memballoon model='none'/></devices></domain>"""
HOOKS = ("create", "move", "set", "remove")
CONFIG = "handler_policy = [ %s ]\nhandler_timeout = 20\n" % ", ".join(f'"cgroup.{hook}=handler"' for hook in HOOKS)
DEADLINE = 60


def hierarchies():
    """Mount points that guests get groups in: of the unified hierarchy, and of v1 controllers that it has not."""
    rows = [line.split()[:4] for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
    unified = [pathlib.Path(mount) for _, mount, kind, _ in rows if kind == "cgroup2"]
    others = {"devices", "freezer"} if unified else set()
    of_guests = {"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids"} - others
    return unified + [pathlib.Path(mount) for _, mount, kind, options in rows
                      if kind == "cgroup" and of_guests & set(options.split(","))]


def own_groups():
    """Where this process is, in any hierarchy: the daemon, its child, will be there too."""
    lines = pathlib.Path("/proc/self/cgroup").read_text().splitlines()
    return {line.split(":", 2)[2] for line in lines}


class Groups(unittest.TestCase):
    def setUp(self):
        self.user = pwd.getpwnam(USER)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vwg-"))
        self.folder.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.folder)
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.daemon = stack.enter_context(daemons.running(self.starter(), config=CONFIG, prepare=self.give))
        name = hashlib.sha256(str(self.daemon.root.resolve()).encode()).hexdigest()[:12]
        self.top = f"/virtward-{name}"
        self.addCleanup(self.expect_nothing_left)
        self.helper = None
        self.addCleanup(self.end_helper)
        self.addCleanup(self.virsh, "destroy", NAME)

    def starter(self):
        path = self.folder / "start"
        path.write_text("#!/bin/sh\n" f"exec setpriv --reuid {self.user.pw_uid} --regid {self.user.pw_gid} --clear-groups"
                        f" --inh-caps=-all --bounding-set=-all --no-new-privs -- {VIRTWARDD} \"$@\"\n")
        path.chmod(0o755)
        return str(path)

    def give(self, folder):
        for place in (folder, folder / "etc"):
            os.chown(place, self.user.pw_uid, self.user.pw_gid)

    def virsh(self, *command):
        return subprocess.run(["virsh", "-q", "-c", f"qemu:///session?socket={self.daemon.rw}", *command],
                              capture_output=True, text=True, timeout=DEADLINE, check=False,
                              env={**os.environ, "LC_ALL": "C.UTF-8"})

    def create(self, more=""):
        document = self.folder / "guest.xml"
        document.write_text(XML % more)
        return self.virsh("create", str(document), "--paused")

    def done(self, *command):
        result = self.virsh(*command)
        self.assertEqual(result.returncode, 0, result.stderr + self.daemon.log())
        return result.stdout.strip()

    def start_helper(self, only=HOOKS, **changes):
        policy = {"cgroup.create": "max=64\ncontrollers=cpu;cpuset;io;memory;pids\n",
                  "cgroup.move": f"from={';'.join(sorted(own_groups()))}\nuids={self.user.pw_uid}\n",
                  "cgroup.set": "files=cpu.shares:2-2048;cpu.weight:1-2000;memory.max;memory.limit_in_bytes;"
                                "cpuset.cpus;cpuset.mems\n", "cgroup.remove": ""}
        policy.update(changes)
        path = self.folder / "policy"
        path.write_text(f"[helper]\nsockets={self.daemon.root}/run/handler/sock\ncgroups={self.top}\n"
                        + "".join(f"[{hook}]\n{keys}" for hook, keys in policy.items() if hook[7:] in only))
        self.helper = subprocess.Popen([HELPERD, "--policy", str(path)], stderr=subprocess.PIPE)
        self.said = ""
        self.wait_line("serving")

    def wait_line(self, word):
        """Reads the helper's lines up to one with the word in it."""
        while True:
            line, newline, rest = self.said.partition("\n")
            if newline:
                self.said = rest
                if word in line:
                    return line
            elif select.select([self.helper.stderr], [], [], DEADLINE)[0]:
                data = os.read(self.helper.stderr.fileno(), 65536).decode()
                self.assertTrue(data, "the helper ended")
                self.said += data
            else:
                self.fail(f"no line with {word}")

    def end_helper(self):
        if self.helper:
            self.helper.terminate()
            self.helper.wait(DEADLINE)
            self.helper.stderr.close()
            self.helper = None

    def left(self):
        return [mount / self.top[1:] for mount in hierarchies() if (mount / self.top[1:]).exists()]

    def remove_left(self):
        for folder in self.left():
            for place, _, _ in os.walk(folder, topdown=False):
                os.rmdir(place)

    def expect_nothing_left(self):
        left = self.left()
        self.remove_left()
        self.assertEqual(left, [])

    def pid(self):
        return int((self.daemon.root / "run/qemu" / f"{NAME}.pid").read_text())

    def places(self, task):
        """Where the thread is: {controllers: path}."""
        lines = pathlib.Path(f"/proc/{task}/cgroup").read_text().splitlines()
        return {line.split(":", 2)[1]: line.split(":", 2)[2] for line in lines}

    def mount_of(self, controller):
        for mount in hierarchies():
            if (mount / "cgroup.controllers").exists():
                if controller in (mount / "cgroup.controllers").read_text().split():
                    return mount
            elif mount.name == controller or controller in mount.name.split(","):
                return mount
        return None

    def test_a_guest_from_start_to_end(self):
        self.start_helper()
        made = self.create()
        self.assertEqual(made.returncode, 0, made.stderr + self.daemon.log())
        for process in (self.daemon.pid, self.pid()):
            status = pathlib.Path(f"/proc/{process}/status").read_text()
            for kind in ("Prm", "Eff", "Bnd"):
                self.assertIn(f"Cap{kind}:\t0000000000000000", status)
            self.assertIn(f"Uid:\t{self.user.pw_uid}\t", status)
        guest = f"{self.top}/1-{NAME}"
        inside = {path for path in self.places(self.pid()).values() if path.startswith(guest)}
        self.assertTrue(any(f"{guest}/guest" in path for path in inside), inside)
        self.assertEqual([mount for mount in hierarchies() if not (mount / guest[1:]).exists()], [])
        self.check_threads(guest)
        self.check_limits(guest)
        self.done("destroy", NAME)
        self.assertEqual(self.left(), [])

    def test_who_may_not_be_moved_does_not_start(self):
        self.start_helper(**{"cgroup.move": f"from=/elsewhere\nuids={self.user.pw_uid}\n"})
        self.expect_refusal("comes from none of the groups of cgroup.move")
        self.wait_line("hook=cgroup.move")

    def test_another_users_process_is_not_moved(self):
        self.start_helper(**{"cgroup.move": f"from={';'.join(sorted(own_groups()))}\nuids=0\n"})
        self.expect_refusal(f"'{self.user.pw_uid}' is not among the uids of cgroup.move")

    def test_groups_are_made_in_one_place_only(self):
        self.top += "-other"
        self.start_helper()
        self.expect_refusal("is in none of the control groups of the policy")

    def test_nobody_steps_in(self):
        self.expect_refusal("no handler is registered for cgroup.create")

    def test_the_helper_may_come_back(self):
        self.start_helper()
        self.assertEqual(self.create().returncode, 0, self.daemon.log())
        self.end_helper()
        again = self.virsh("schedinfo", NAME, "cpu_shares=1200")
        if self.mount_of("cpu"):
            self.assertIn("the handler of cgroup.set is not connected", again.stderr)
        self.assertEqual(self.done("domstate", NAME), "paused")
        self.start_helper()
        if self.mount_of("cpu"):
            self.done("schedinfo", NAME, "cpu_shares=1200")
        self.daemon.restart()
        self.wait_line("serving")
        self.assertEqual(self.done("domstate", NAME), "paused")
        self.done("destroy", NAME)
        self.assertEqual(self.left(), [])

    def expect_refusal(self, words, more=""):
        """It does not start, the reason is said, and nothing of it is left."""
        made = self.create(more)
        self.assertEqual(made.returncode, 1)
        self.assertIn(words, made.stderr)
        self.assertEqual(self.left(), [])
        self.assertEqual(self.processes(), [])

    def processes(self):
        """What the daemon has for children: of a guest that did not start, none."""
        return pathlib.Path(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children").read_text().split()

    # --- handlers that lie ---

    def lie(self, hook, answer):
        """Has answer(request), which does nothing, in the helper's place for one operation."""
        import libvirt_internal
        libvirt_internal.load(LIBRARY)
        session = libvirt_internal.Session(path=f"{self.daemon.root}/run/handler/sock")
        session.register(hook, lambda call, request: answer(request))
        over, ended = os.pipe()

        def serve():
            while over not in select.select([session, over], [], [])[0]:
                session.dispatch()
        thread = threading.Thread(target=serve)
        thread.start()

        def end():
            os.close(ended)
            thread.join(DEADLINE)
            os.close(over)
            session.close()
        self.addCleanup(end)

    def without(self, hook):
        """The helper, with the others."""
        keep = [other for other in HOOKS if f"cgroup.{other}" != hook]
        self.start_helper(only=keep)

    def test_a_group_that_was_not_made(self):
        self.without("cgroup.create")
        self.lie("cgroup.create", lambda request: None)
        self.expect_refusal("the handler of cgroup.create gave no descriptor of")

    def test_another_groups_descriptor(self):
        self.without("cgroup.create")
        self.lie("cgroup.create", lambda request: request.add_fd(os.dup(request.fd(0))))
        self.expect_refusal("or another's")

    def test_a_file_in_place_of_a_group(self):
        self.without("cgroup.create")
        self.lie("cgroup.create", lambda request: request.add_fd(os.open("/etc/passwd", os.O_RDONLY)))
        self.expect_refusal("or another's")

    def test_a_process_that_was_not_moved(self):
        self.without("cgroup.move")
        self.lie("cgroup.move", lambda request: None)
        self.expect_refusal("the handler reported cgroup.move as done, but the process is in another group")

    def test_a_process_in_another_group(self):
        def elsewhere(request):
            pid = next(line.split()[1] for line in pathlib.Path(f"/proc/self/fdinfo/{request.fd(1)}").read_text()
                       .splitlines() if line.startswith("Pid:"))
            above = os.open("..", os.O_WRONLY | os.O_DIRECTORY | os.O_PATH, dir_fd=request.fd(0))
            with open(f"/proc/self/fd/{above}/cgroup.procs", "w", encoding="ascii") as procs:
                procs.write(pid)
            os.close(above)
        self.without("cgroup.move")
        self.lie("cgroup.move", elsewhere)
        self.expect_refusal("the process is in another group")

    def test_a_limit_that_was_not_set(self):
        if not self.mount_of("cpu"):
            self.skipTest("no cpu controller")
        self.without("cgroup.set")
        self.lie("cgroup.set", lambda request: None)
        self.expect_refusal("the handler reported cgroup.set as done, but the file reads otherwise",
                            "<cputune><shares>1300</shares></cputune>")

    def test_a_group_that_was_not_removed(self):
        self.without("cgroup.remove")
        self.lie("cgroup.remove", lambda request: None)
        self.assertEqual(self.create().returncode, 0, self.daemon.log())
        self.done("destroy", NAME)
        self.assertIn("the handler reported cgroup.remove as done, but the group is still there", self.daemon.log())
        self.assertNotEqual(self.left(), [])
        self.remove_left()

    def check_threads(self, guest):
        """Each vCPU and the I/O thread is in a part of its own, where a hierarchy can tell threads apart."""
        tasks = [self.places(f"{self.pid()}/task/{task}") for task in os.listdir(f"/proc/{self.pid()}/task")]
        parts = {path.rsplit("/", 1)[1] for places in tasks for path in places.values() if path.startswith(guest)}
        if self.mount_of("cpu"):
            self.assertLessEqual({"emulator", "vcpu0", "vcpu1", "iothread1"}, parts)

    def check_limits(self, guest):
        if not self.mount_of("cpu"):
            return
        self.done("schedinfo", NAME, "cpu_shares=1500")
        values = [(mount / guest[1:] / file).read_text().strip() for mount in hierarchies()
                  for file in ("cpu.shares", "cpu.weight") if (mount / guest[1:] / file).exists()]
        self.assertIn("1500", values)
        refused = self.virsh("schedinfo", NAME, "cpu_shares=5000")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("'5000' is outside the policy of cgroup.set", refused.stderr)
        self.wait_line("hook=cgroup.set guest=\"grouped\"")


def missing():
    if os.geteuid() != 0 or not hierarchies():
        return "root and control groups"
    for tool in ("virsh", "qemu-system-x86_64", "setpriv"):
        if not shutil.which(tool):
            return tool
    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        return f"the user {USER}"
    reach = subprocess.run(["setpriv", "--reuid", str(user.pw_uid), "--clear-groups", "test", "-x", VIRTWARDD],
                           check=False)
    return f"a build folder that {USER} can reach" if reach.returncode else None


if __name__ == "__main__":
    VIRTWARDD, HELPERD, LIBRARY = (os.path.abspath(path) for path in sys.argv[1:4])
    if missing():
        print(f"skipped: needs {missing()}")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v"])
