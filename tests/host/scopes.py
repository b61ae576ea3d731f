#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests in scopes of systemd's, held against a made-up systemd and machined (machines.py).

    scopes.py VIRTWARDD VIRTWARD

The process that becomes QEMU is the leader of a scope with libvirt's name, in the slice that the
document names; its own group lies below, with the gate; after kill -9 all of it is found again; a
weight is told to systemd; the end of the guest ends the unit. What is refused leaves nothing.
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "wire")]
import daemon  # noqa: E402 (beside the wire tests)
import machines  # noqa: E402
from guests import until  # noqa: E402

SKIPPED = 77
UUID = uuid.UUID("5ec2e700-0000-4000-8000-00000000005c")
SLICE = f"vwscope{os.getpid()}"
XML = f"""<domain type='qemu'><name>%s</name><uuid>{UUID}</uuid><memory unit='MiB'>32</memory>
<resource><partition>/{SLICE}/a-b</partition></resource>
<os><type arch='x86_64' machine='pc'>hvm</type></os><devices><memballoon model='none'/></devices>
</domain>"""


class Host:
    """A daemon on a bus, and what is asked of it."""

    def __init__(self, server, calls, virtward):
        self.server, self.calls, self.virtward = server, calls, virtward

    def virsh(self, *command, fails=None):
        done = subprocess.run(["virsh", "-q", "-c", f"qemu:///system?socket={self.server.rw}",
                               *command], capture_output=True, text=True, timeout=120,
                              env={**os.environ, "LC_ALL": "C.UTF-8"}, check=False)
        if fails is None:
            assert done.returncode == 0, f"{command}: {done.stderr}\n{self.server.log()}"
        else:
            assert done.returncode != 0 and fails in done.stderr, f"{command}: {done.stderr}"
        return done.stdout

    def create(self, name, fails=None):
        document = self.server.root / "guest.xml"
        document.write_text(XML % name)
        self.virsh("create", str(document), "--paused", fails=fails)

    def pid(self, name):
        return int((self.server.root / "run" / "qemu" / f"{name}.pid").read_text())

    def last(self, method):
        """Arguments of the last call of it."""
        calls = [json.loads(line) for line in self.calls.read_text().splitlines()]
        return [values for name, values in calls if name == method][-1]

    def clear(self):
        os.truncate(self.calls, 0)


def unified(pid):
    for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        if line.startswith("0::"):
            return line[3:]
    raise AssertionError("no group of cgroup v2")


def open_inside(group, path):
    """Whether a process in the group may open it."""
    script = f"open({str(group / 'cgroup.procs')!r}, 'w').write('0')\nopen({path!r})\n"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60,
                          check=False).returncode == 0


def check_gate(group):
    assert open_inside(group, "/dev/zero"), "a listed node is denied"
    assert not open_inside(group, "/dev/kmsg"), "an unlisted node is allowed"


def check_place(host, name):
    """In libvirt's scope, below it our leaf; the folder of the leaf."""
    place = unified(host.pid(name))
    scope = f"/{SLICE}.slice/{SLICE}-a\\x2db.slice/machine-qemu\\x2dembed\\x2d"
    assert place.startswith(scope), place
    assert f"\\x2d{name}.scope/virtward-" in place and "/guest" in place, place
    return machines.mount() / place[1:].partition("/guest")[0] / "guest"


def check_machine(host, name):
    called, given, service, kind, leader, _, _, properties = host.last("CreateMachineWithNetwork")
    assert called.startswith("qemu-embed-") and called.endswith("-" + name), called
    assert bytes(given) == UUID.bytes and (service, kind) == ("libvirt-qemu", "vm")
    assert leader == host.pid(name), "the leader is not QEMU"
    assert dict(properties)["Slice"] == f"{SLICE}-a\\x2db.slice"


def check_unit(host, name):
    _, mode, properties, _ = host.last("StartTransientUnit")
    values = dict(properties)
    assert mode == "fail" and values["Delegate"] is True, values
    assert values["PIDs"] == [host.pid(name)], "QEMU is not what the scope was made for"


def check_weight(host, name):
    """Where there are weights, systemd is told: it would overwrite the scope's else."""
    with contextlib.suppress(AssertionError):
        host.virsh("schedinfo", name, fails="cgroup CPU controller is not mounted")
        return
    host.virsh("schedinfo", name, "--set", "cpu_shares=3000")
    unit, runtime, properties = host.last("SetUnitProperties")
    assert unit.endswith(f"\\x2d{name}.scope") and runtime is True
    assert properties in ([["CPUWeight", 3000]], [["CPUShares", 3000]]), properties


def ended(pid):
    """Or it is dead and not its parent's concern yet, who is whoever adopted it."""
    try:
        return "\nState:\tZ" in pathlib.Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True


def slices():
    """Ours, in every hierarchy."""
    root = pathlib.Path("/sys/fs/cgroup")
    return [*root.glob(f"{SLICE}*"), *root.glob(f"*/{SLICE}*")]


def no_slice_left():
    until(lambda: not slices(), f"{slices()} are gone")


def check_life(host, check_made, ended_by):
    host.create("scoped")
    group = check_place(host, "scoped")
    check_made(host, "scoped")
    check_gate(group)
    check_weight(host, "scoped")
    assert json.loads(subprocess.run(
        [host.virtward, "--root", host.server.root, "devices", "scoped", "--json"],
        capture_output=True, check=True, timeout=60).stdout)
    host.server.restart()
    assert host.virsh("domstate", "scoped").strip() == "paused"
    check_gate(check_place(host, "scoped"))
    pid = host.pid("scoped")
    host.virsh("destroy", "scoped")
    assert ended(pid), "QEMU is still there"
    assert host.last(ended_by)
    no_slice_left()


def check_refusal(host, words):
    host.create("refused", fails=words)
    assert host.virsh("list", "--all", "--name").strip() == ""
    children = pathlib.Path(f"/proc/{host.server.pid}/task/{host.server.pid}/children").read_text()
    assert not children.split(), "the process that waited is still there"
    no_slice_left()


def check_without_daemon(host):
    """The guest's end while no daemon looked on: the next one ends the unit."""
    host.create("alone")
    pid = host.pid("alone")
    host.server.process.kill()
    host.server.process.wait()
    os.kill(pid, 9)
    host.clear()
    host.server.process = daemon.launch(host.server.program, host.server.root,
                                        host.server.env).process
    host.virsh("list")
    until(lambda: host.calls.read_text(), "the unit is ended")
    no_slice_left()


def check_cut_short(host):
    """In a test build: the scope is there, and the start ends."""
    known = subprocess.run([host.server.program, "--list-fault-points"], capture_output=True,
                           text=True, check=True).stdout.split()
    for how in ("error", "kill") if "cgroup:scope-started" in known else ():
        daemon.end(host.server)
        host.server.process = daemon.launch(
            host.server.program, host.server.root,
            {**host.server.env, "VIRTWARD_FAULT": f"cgroup:scope-started:{how}"}).process
        host.create("short", fails="")
        if how == "error":
            no_slice_left()
        host.server.process.kill()
        host.server.process.wait()
        until(lambda: not any(processes(folder) for folder in slices()), "the leader ends")
        remove_empty(slices())  # systemd does that
        host.server.process = daemon.launch(host.server.program, host.server.root,
                                            host.server.env).process
        assert host.virsh("list", "--all", "--name").strip() == ""


def processes(folder):
    """Of the group and those below it, in one hierarchy."""
    return [pid for procs in folder.rglob("cgroup.procs") for pid in procs.read_text().split()]


def remove_empty(folders):
    for folder in folders:
        for below, _, _ in os.walk(folder, topdown=False):
            os.rmdir(below)


def check_choice(program, virtward):
    """--root makes its own groups; a manager that is named must be there."""
    with tempfile.TemporaryDirectory(prefix="vw-bus-", dir="/tmp") as folder, \
            machines.bus(pathlib.Path(folder)) as (address, calls):
        env = {"DBUS_SYSTEM_BUS_ADDRESS": address}
        with daemon.running(program, env=env, prepare=readable) as server:
            host = Host(server, calls, virtward)
            host.create("direct")
            assert ".scope" not in unified(host.pid("direct"))
            host.virsh("destroy", "direct")
        found = check_host(virtward, env)
        assert found["state"] == "yes" and "machined" in found["detail"], found
    found = check_host(virtward, {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere"})
    assert found["state"] == "no" and "daemon itself" in found["detail"], found
    try:
        with daemon.running(program, 'cgroup_manager = "machined"\n', prepare=readable,
                            env={"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere"}):
            raise AssertionError("started without machined")
    except RuntimeError as refused:
        assert "not on the system bus" in str(refused), refused


def check_host(virtward, env):
    done = subprocess.run([virtward, "check-host", "--json"], capture_output=True, timeout=60,
                          env={**os.environ, **env}, check=True)
    return next(one for one in json.loads(done.stdout)["facilities"]
                if one["name"] == "cgroup-manager")


def readable(folder):
    folder.chmod(0o755)


def run(program, virtward, how, check_made, ended_by, words):
    with tempfile.TemporaryDirectory(prefix="vw-bus-", dir="/tmp") as folder, \
            machines.bus(pathlib.Path(folder), *how) as (address, calls), \
            daemon.running(program, f'cgroup_manager = "{(how or ("machined",))[0]}"\n',
                           env={"DBUS_SYSTEM_BUS_ADDRESS": address}, prepare=readable) as server:
        host = Host(server, calls, virtward)
        check_life(host, check_made, ended_by)
        check_refusal(host, words)
        check_without_daemon(host)
        check_cut_short(host)


def missing():
    if os.geteuid() != 0 or not machines.mount():
        return "root and cgroup v2"
    for tool in ("virsh", "qemu-system-x86_64", "dbus-daemon"):
        if not shutil.which(tool):
            return tool
    probe = subprocess.run(["/usr/bin/python3", "-c", "from gi.repository import Gio"], check=False)
    return "python3-gi" if probe.returncode else None


def main():
    if missing():
        print(f"skipped: needs {missing()}")
        return SKIPPED
    program, virtward = sys.argv[1:3]
    run(program, virtward, (), check_machine, "TerminateMachine", "already exists")
    run(program, virtward, ("systemd",), check_unit, "StopUnit", "could not start")
    check_choice(program, virtward)
    print("guests are in scopes, are found again there, and end with them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
