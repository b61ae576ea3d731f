#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A user's daemon and the control group that it was given, or was not.

    session_groups.py VIRTWARDD

Given a group, its guests have groups below it, which are found again after kill -9 and go with the
guest; it says that there is no gate. Given none, there is nothing, and it says why. The user's rights are
those of virtward-qemu.
"""
import os
import pathlib
import pwd
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "wire"))
import daemon  # noqa: E402 (beside the wire tests)

SKIPPED = 77
USER = "virtward-qemu"
NAME = "given"
XML = f"""<domain type='qemu'><name>{NAME}</name><memory unit='MiB'>32</memory>%s
<os><type arch='x86_64' machine='pc'>hvm</type></os><devices><memballoon model='none'/></devices>
</domain>"""
LIMIT = "<memtune><hard_limit unit='MiB'>500</hard_limit></memtune>"


def mount():
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        if line.split()[2] == "cgroup2":
            return pathlib.Path(line.split()[1])
    return None


class Given:
    """A group that belongs to the user; gone at the end."""

    def __init__(self, user):
        self.folder = mount() / f"virtward-given-{os.getpid()}"
        self.user = user

    def __enter__(self):
        self.folder.mkdir()
        for name in (".", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"):
            os.chown(self.folder / name, self.user.pw_uid, self.user.pw_gid)
        return self.folder

    def __exit__(self, *_):
        for folder, _, _ in os.walk(self.folder, topdown=False):
            os.rmdir(folder)


def starter(folder, program, user, group):
    """A program that becomes the user's daemon, in the group."""
    path = folder / "start"
    join = f'echo $$ > {group}/cgroup.procs || echo $$ > {group}/virtward-daemon/cgroup.procs' \
        if group else ":"
    path.write_text(f"#!/bin/sh\n{join}\nexec setpriv --reuid {user.pw_uid} --regid {user.pw_gid} "
                    f"--clear-groups -- {program} \"$@\"\n")
    path.chmod(0o755)
    for name in (folder, folder / "etc"):
        os.chown(name, user.pw_uid, user.pw_gid)


def virsh(server, *command, fails=None):
    done = subprocess.run(["virsh", "-q", "-c", f"qemu:///session?socket={server.rw}", *command],
                          capture_output=True, text=True, timeout=120, check=False,
                          env={**os.environ, "LC_ALL": "C.UTF-8"})
    if fails is None:
        assert done.returncode == 0, f"{command}: {done.stderr}\n{server.log()}"
    else:
        assert done.returncode != 0 and fails in done.stderr, f"{command}: {done.stderr}"
    return done.stdout


def create(server, more="", fails=None):
    document = server.root / "guest.xml"
    document.write_text(XML % more)
    virsh(server, "create", str(document), "--paused", fails=fails)


def place(server):
    pid = (server.root / "run" / "qemu" / f"{NAME}.pid").read_text().strip()
    for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        if line.startswith("0::"):
            return mount() / line[4:]
    raise AssertionError("no group of cgroup v2")


def check_given(server, given):
    assert "without device gate: no right" in server.log(), server.log()
    create(server)
    group = place(server)
    assert given in group.parents and f"1-{NAME}/guest" in str(group), group
    daemon_place = pathlib.Path(f"/proc/{server.pid}/cgroup").read_text()
    assert f"{given.name}/virtward-daemon" in daemon_place, daemon_place
    if "memory" not in (given / "cgroup.controllers").read_text():
        virsh(server, "memtune", NAME, fails="cgroup memory controller is not mounted")
        virsh(server, "schedinfo", NAME, fails="cgroup CPU controller is not mounted")
    server.restart()
    assert virsh(server, "domstate", NAME).strip() == "paused"
    assert place(server) == group
    virsh(server, "destroy", NAME)
    assert not group.exists(), f"{group} is left"


def check_not_given(server):
    assert "without control group and device gate: this user's daemon was given" in server.log(), \
        server.log()
    create(server, LIMIT, fails="Memory tuning is not available in session mode")
    create(server)
    virsh(server, "memtune", NAME, fails="Memory tuning is not available in session mode")
    virsh(server, "destroy", NAME)


def missing():
    if os.geteuid() != 0 or not mount():
        return "root and cgroup v2"
    for tool in ("virsh", "qemu-system-x86_64", "setpriv"):
        if not shutil.which(tool):
            return tool
    return None


def main():
    if missing():
        print(f"skipped: needs {missing()}")
        return SKIPPED
    program = str(pathlib.Path(sys.argv[1]).resolve())
    user = pwd.getpwnam(USER)
    reach = subprocess.run(["setpriv", "--reuid", str(user.pw_uid), "--clear-groups", "test", "-x",
                            program], check=False)
    if reach.returncode:
        print(f"skipped: {USER} cannot reach {program}")
        return SKIPPED
    with Given(user) as given:
        def prepare(folder, group=given):
            starter(folder, program, user, group)
        with running(prepare) as server:
            check_given(server, given)
    with running(lambda folder: starter(folder, program, user, None)) as server:
        check_not_given(server)
    print("a user's guests have groups as far as they were given")
    return 0


def running(prepare):
    """The starter lies in the daemon's own folder, which is known only then."""
    class Started:
        def __fspath__(self):
            return str(self.path)

    started = Started()

    def remember(folder):
        prepare(folder)
        started.path = folder / "start"
    return daemon.running(started, prepare=remember)


if __name__ == "__main__":
    sys.exit(main())
