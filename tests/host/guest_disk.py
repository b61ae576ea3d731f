#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A full disk or a read-only folder is an error, and what was there before stays as it was.

    guest_disk.py VIRTWARDD

The test has a mount namespace of its own and small file systems in it. Skipped (exit 77) where that
can't be.
"""
import ctypes
import pathlib
import subprocess
import sys

import guests

CLONE_NEWNS = 0x00020000
LONG = "<description>" + "x" * 200_000 + "</description>"


def own_mounts():
    """Nobody outside sees what is mounted from here on."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


class Small:
    """A file system of a few KiB over a folder of the daemon, filled on demand."""

    def __init__(self, folder, kib):
        self.folder = pathlib.Path(folder)
        before = {path.relative_to(folder): path.read_bytes()
                  for path in self.folder.rglob("*") if path.is_file()}
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "small", folder], check=True)
        for path, text in before.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(text)

    def fill(self):
        with open(self.folder / "ballast", "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(b"\0" * 4096)
            except OSError:
                pass

    def empty(self):
        (self.folder / "ballast").unlink()

    def readonly(self, so):
        subprocess.run(["mount", "-o", f"remount,{'ro' if so else 'rw'}", self.folder], check=True)

    def gone(self):
        subprocess.run(["umount", self.folder], check=True)


def files(folder):
    return {str(path): path.read_bytes() for path in pathlib.Path(folder).rglob("*")
            if path.is_file() and path.name != "ballast"}


def check_config(host):
    """Definitions: define, redefine, edit, autostart, rename, undefine."""
    etc = host.folder / "etc" / "qemu"
    (etc / "autostart").rmdir()  # the daemon makes it again
    small = Small(etc, 1024)
    (etc / "autostart").mkdir()
    host.define("here")
    uuid = f"<uuid>{host.virsh('domuuid', 'here').strip()}</uuid>"
    before = files(etc)
    small.fill()
    host.refused("No space left", "define", host.write("here", more=uuid + LONG))
    host.refused("No space left", "define", host.write("more"))
    host.refused("No space left", "setmem", "here", "32M", "--config")
    assert files(etc) == before, "a full disk has changed a definition"
    small.empty()
    small.readonly(True)
    host.refused("Read-only", "define", host.write("here", more=uuid + LONG))
    host.refused("Read-only", "autostart", "here")
    host.refused("Read-only", "domrename", "here", "there")
    host.refused("Read-only", "undefine", "here")
    assert files(etc) == before, "a read-only folder has changed"
    small.readonly(False)
    assert host.virsh("list", "--all", "--name").split() == ["here"]
    host.restart()
    assert host.virsh("list", "--all", "--name").split() == ["here"]
    host.virsh("undefine", "here")
    small.gone()


def check_state(host):
    """What a start writes: status, log, sockets. A guest that runs stays in control."""
    run = host.folder / "run" / "qemu"
    host.define("starts")
    small = Small(run, 256)
    small.fill()
    host.refused("No space left", "start", "starts", "--paused")
    assert host.state("starts") == "shut off (failed)"
    small.empty()
    assert not host.left_of_guests()
    host.virsh("start", "starts", "--paused")
    status = host.status("starts").read_bytes()
    small.fill()
    host.virsh("domstate", "starts")
    host.refused("No space left", "desc", "starts", "--live", "--title", "x" * 9000)
    assert host.status("starts").read_bytes() == status, "the status file has changed"
    small.empty()
    small.readonly(True)
    assert host.state("starts") == "paused (user)"
    small.readonly(False)
    host.restart()
    host.until_state("starts", "paused (user)")
    host.virsh("destroy", "starts")
    assert not host.left_of_guests()
    host.virsh("undefine", "starts")
    small.gone()


def check_library(host):
    """Where monitor sockets and the like are made."""
    host.define("starts")
    lib = host.folder / "lib"
    small = Small(lib, 64)
    for below in ("nvram", "channel/target"):
        (lib / below).mkdir(parents=True)
    small.readonly(True)
    host.refused("Read-only", "start", "starts", "--paused")
    small.readonly(False)
    assert not host.left_of_guests()
    host.virsh("start", "starts", "--paused")
    host.virsh("destroy", "starts")
    small.gone()
    host.virsh("undefine", "starts")


def check_log(host):
    """A log that can't be written is no reason to refuse a guest its start."""
    host.define("quiet")
    small = Small(host.folder / "log" / "qemu", 16)
    small.fill()
    host.virsh("start", "quiet", "--paused")
    host.virsh("destroy", "quiet")
    small.gone()
    host.virsh("undefine", "quiet")


def main(program):
    why = guests.missing()
    if why:
        print(f"{why}: skipped")
        return 77
    own_mounts()
    with guests.host(program) as host:
        for check in (check_config, check_state, check_library, check_log):
            print(check.__doc__.splitlines()[0], flush=True)
            check(host)
        host.end()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
