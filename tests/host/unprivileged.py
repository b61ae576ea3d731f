#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""unprivileged.py: a daemon without any right, beside a helper that has them: what its tests share.

The daemon is an ordinary user with empty capability sets, bounding set included, and was given no control group."""

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
GROUP_HOOKS = ("cgroup.create", "cgroup.move", "cgroup.set", "cgroup.remove")
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


class Lines:
    """What somebody says, read as it comes."""

    def __init__(self, file):
        self.all, self.told, self.ended = [], 0, False
        self.file, self.changed = file, threading.Condition()
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        for line in self.file:
            with self.changed:
                self.all.append(line)
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def find(self, word):
        for index in range(self.told, len(self.all)):
            if word in self.all[index]:
                return index
        return None

    def next(self, word):
        """The next line with the word, behind the last one that was told; None: there is none in time."""
        with self.changed:
            self.changed.wait_for(lambda: self.ended or self.find(word) is not None, DEADLINE)
            index = self.find(word)
            if index is None:
                return None
            self.told = index + 1
            return self.all[index]

    def end(self):
        """Of who has ended."""
        self.thread.join(DEADLINE)
        self.file.close()


class Unprivileged(unittest.TestCase):
    """A daemon of its own for each test, and what a helper of it may do."""

    hooks = GROUP_HOOKS
    config = ""

    def setUp(self):
        self.user = pwd.getpwnam(USER)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vwg-"))
        self.folder.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.folder)
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.daemon = stack.enter_context(daemons.running(self.starter(), config=self.configuration(), prepare=self.give))
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

    def configuration(self):
        hooks = ", ".join(f'"{hook}=handler"' for hook in self.hooks)
        return f"handler_policy = [ {hooks} ]\nhandler_timeout = 20\n{self.config}"

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

    def policy(self):
        """The helper's groups of keys, by hook."""
        return {"cgroup.create": "max=64\ncontrollers=cpu;cpuset;io;memory;pids\n",
                  "cgroup.move": f"from={';'.join(sorted(own_groups()))}\nuids={self.user.pw_uid}\n",
                  "cgroup.set": "files=cpu.shares:2-2048;cpu.weight:1-2000;memory.max;memory.limit_in_bytes;"
                              "cpuset.cpus;cpuset.mems\n", "cgroup.remove": ""}

    def start_helper(self, only=None, **changes):
        policy = {**self.policy(), **changes}
        path = self.folder / "policy"
        path.write_text(f"[helper]\nsockets={self.daemon.root}/run/handler/sock\ncgroups={self.top}\n"
                        + "".join(f"[{hook}]\n{keys}" for hook, keys in policy.items() if hook in (only or self.hooks)))
        self.helper = subprocess.Popen([HELPERD, "--policy", str(path)], stderr=subprocess.PIPE, text=True)
        self.heard = Lines(self.helper.stderr)
        self.wait_line("serving")

    def wait_line(self, word):
        """The helper's next line with the word in it."""
        line = self.heard.next(word)
        self.assertIsNotNone(line, f"no line with {word}: {self.heard.all}")
        return line

    def end_helper(self):
        if self.helper:
            self.helper.terminate()
            self.helper.wait(DEADLINE)
            self.heard.end()
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
        self.start_helper(only=[other for other in self.hooks if other != hook])

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


def main():
    """Runs the tests of the program: VIRTWARDD HELPERD LIBRARY on its command line."""
    global VIRTWARDD, HELPERD, LIBRARY
    VIRTWARDD, HELPERD, LIBRARY = (os.path.abspath(path) for path in sys.argv[1:4])
    if missing():
        print(f"skipped: needs {missing()}")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v"])
