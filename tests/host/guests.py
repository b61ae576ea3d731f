# SPDX-License-Identifier: LGPL-2.1-or-later
"""guests.py: a virtwardd of its own with guests, for tests on a real host, and what may not be left
of them. Needs root, cgroup v2, QEMU, bpftool and the stock clients; missing() says what isn't there.
"""
import contextlib
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "wire"))
import daemon as daemons  # noqa: E402 (beside the wire tests)
import groups as control_groups  # noqa: E402 (likewise)

BOOT_S = 240  # emulated, perhaps on a busy machine
STEP_S = 60

DOMAIN = """<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='{machine}'>hvm</type>
    {boot}
  </os>
  <features><acpi/></features>
  {more}
  <devices>
    {devices}
  </devices>
</domain>
"""


def missing():
    """Why a test can't run here; None if it can."""
    for tool in ("virsh", "bpftool", "qemu-system-x86_64"):
        if not shutil.which(tool):
            return f"no {tool}"
    return None if os.geteuid() == 0 and v2_mount() else "needs root and cgroup v2"


def v2_mount():
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        fields = line.split()
        if fields[2] == "cgroup2":
            return pathlib.Path(fields[1])
    return None


def until(condition, what, seconds=STEP_S):
    """Asks again until it is so, for what nothing tells us of; returns what it was."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        select.select([], [], [], 0.05)
    return value


def alive(pid):
    """Not if it only waits for whom the daemon's death made its parent."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


class Console:
    """virsh console on a terminal of its own."""

    def __init__(self, uri, name):
        self.terminal, slave = pty.openpty()
        self.process = subprocess.Popen(
            ["virsh", "-c", uri, "console", name], stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
        os.close(slave)
        self.heard = b""
        self.expect(r"Escape character is \^\]")

    def type(self, line):
        os.write(self.terminal, line.encode() + b"\r")

    def hear(self, pattern, seconds):
        """True when the guest has said it; what came before is forgotten."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern.encode(), self.heard)):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.terminal], [], [], left)[0]:
                return False
            try:
                self.heard += os.read(self.terminal, 4096)
            except OSError as error:  # EIO: virsh has ended
                raise AssertionError(f"the console ended: {self.text()}") from error
        self.heard = self.heard[found.end():]
        return True

    def text(self):
        return self.heard.decode(errors="replace")

    def expect(self, pattern, seconds=STEP_S):
        assert self.hear(pattern, seconds), f"the console did not say '{pattern}' but: {self.text()}"

    def ask(self, line, pattern, seconds=STEP_S):
        """Types until it is answered: virsh drops what comes before its terminal is set."""
        deadline = time.monotonic() + seconds
        while True:
            self.type(line)
            if self.hear(pattern, 2):
                return
            assert time.monotonic() < deadline, f"'{line}' was not answered but: {self.text()}"

    def close(self):
        with contextlib.suppress(OSError):  # it may have ended
            os.write(self.terminal, b"\x1d")  # virsh's escape: Ctrl+]
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.terminal)


class Host:
    """A daemon on a folder and its guests."""

    def __init__(self, program, folder, config="", env=None):
        self.program, self.folder, self.env = program, pathlib.Path(folder), env
        self.mount, self.instance = v2_mount(), instance_group(folder)
        self.uri = f"qemu:///system?socket={folder}/run/virtward-sock"
        (self.folder / "etc").mkdir(exist_ok=True)
        (self.folder / "etc" / "virtwardd.conf").write_text(config)
        self.daemon = daemons.launch(program, self.folder, env)

    # --- clients

    def run(self, *command, timeout=2 * STEP_S, **popen):
        return subprocess.run(["virsh", "-c", self.uri, *map(str, command)], capture_output=True,
                              text=True, env={**os.environ, "LC_ALL": "C.UTF-8"}, timeout=timeout,
                              check=False, **popen)

    def virsh(self, *command, **options):
        done = self.run(*command, **options)
        assert done.returncode == 0, \
            f"virsh {' '.join(map(str, command))}: {done.stderr}{done.stdout}"
        return done.stdout

    def refused(self, words, *command):
        done = self.run(*command)
        assert done.returncode != 0, f"virsh {' '.join(map(str, command))} was not refused"
        assert words in done.stderr, f"virsh {' '.join(map(str, command))}: {done.stderr}"

    def define(self, name, **parts):
        self.virsh("define", self.write(name, **parts))

    def write(self, name, boot="", devices="", more="", machine="pc", memory=64):
        path = self.folder / f"{name}.domain"
        if "type='usb'" not in devices:
            devices += "<controller type='usb' model='none'/>"
        path.write_text(DOMAIN.format(name=name, boot=boot, devices=devices, more=more,
                                      machine=machine, memory=memory))
        return path

    def state(self, name):
        """As domstate --reason says it: "running (booted)"."""
        return self.virsh("domstate", name, "--reason").strip()

    def until_known(self, name):
        """The daemon, new, has taken the guest up: until then a job has it ("occupied")."""
        until(lambda: self.run("domcontrol", name).stdout.strip() == "ok", f"{name} is known again")

    def until_state(self, name, state, seconds=STEP_S):
        last = []

        def so():
            last[:] = [self.state(name)]
            return last[0] == state
        try:
            until(so, f"{name} is {state}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}: it is {last[0]}") from error

    def xml(self, name, *options):
        return self.virsh("dumpxml", name, *options)

    # --- the machine

    def status(self, name):
        return self.folder / "run" / "qemu" / f"{name}.xml"

    def pid(self, name):
        return int((self.folder / "run" / "qemu" / f"{name}.pid").read_text())

    def group(self, name):
        """The folder of the guest's group, above its leaf."""
        path = re.search(r"^0::/(.+)$", pathlib.Path(f"/proc/{self.pid(name)}/cgroup").read_text(),
                         re.M)[1]
        assert path.startswith("virtward-"), f"{name} is not in a group of ours: {path}"
        return self.mount / path

    def kill_daemon(self):
        self.daemon.process.kill()
        self.daemon.process.wait()

    def launch(self):
        self.daemon = daemons.launch(self.program, self.folder, self.env)

    def restart(self):
        self.kill_daemon()
        self.launch()

    def end(self):
        """A clean end of the daemon; nothing of it may stay."""
        assert daemons.end(self.daemon) == 0, self.daemon.log()
        left = self.left()
        assert not left, f"left over: {left}"

    def left(self):
        """What is on the machine that was not there before, as words."""
        left = [f"group {self.instance}"] if self.instance.exists() else []
        if (self.folder / "run" / "bpf").is_mount():
            left.append("bpffs")
        return left + self.left_of_guests()

    def left_of_guests(self):
        """What a guest that is gone may not leave, though its daemon runs on."""
        left = []
        for folder, pattern in (("run/qemu", "*"), ("lib", "domain-*"), ("lib/channel/target", "*"),
                                ("run/bpf", "[0-9a-f]*-*"), ("lib/nvram", "*.new"),
                                ("etc/qemu", "*.new"), ("cache", "**/*.new")):
            left += [str(path) for path in (self.folder / folder).glob(pattern)]
        if self.instance.exists():
            left += [f"group {group}" for group in self.instance.iterdir() if group.is_dir()]
        for stat in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if f"{self.folder}/lib/domain-".encode() in stat.read_bytes():
                    left.append(f"process {stat.parent.name}")
        return left

    def cleanup(self):
        """Whatever happened: no process, group or mount of this test stays."""
        if self.daemon.process.poll() is None:
            self.daemon.process.kill()
        self.daemon.process.wait()
        sweep(self.folder)


def instance_group(folder):
    """The group of the daemon on a folder (virCgroupInstanceNew)."""
    return v2_mount() / control_groups.instance_name(folder)


def sweep(folder):
    """Removes what a daemon on folder has left, guests and all."""
    groups = control_groups.of(folder)
    for group in groups:
        for pid in (group / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
    for group in groups:
        until(lambda group=group: removed(group), f"{group} is removed")
    daemons.unmount(pathlib.Path(folder) / "run" / "bpf")


def removed(group):
    """False while a process that was killed is still on its way."""
    with contextlib.suppress(OSError):
        group.rmdir()
    return not group.exists()


def interrupted(number, frame):
    """A test runner's patience is over: clean up all the same."""
    raise AssertionError(f"ended by signal {number}")


@contextlib.contextmanager
def folder():
    """A folder for a daemon that QEMU's user can pass."""
    signal.signal(signal.SIGTERM, interrupted)
    control_groups.sweep_dead()
    with tempfile.TemporaryDirectory(prefix="vw-host-", dir="/tmp") as root:
        pathlib.Path(root).chmod(0o755)
        try:
            yield root
        finally:
            sweep(root)


@contextlib.contextmanager
def host(program, config="", env=None):
    """A Host that is cleaned up, and whose daemon's log is shown if something went wrong."""
    with folder() as root:
        one = Host(program, root, config, env)
        try:
            yield one
        except BaseException:
            print(one.daemon.log(), file=sys.stderr)
            raise
        finally:
            one.cleanup()
