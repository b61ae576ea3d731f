# SPDX-License-Identifier: LGPL-2.1-or-later
"""macvtap.py: what tests of macvtap interfaces share."""

import os
import pathlib
import subprocess


def ip(*command):
    subprocess.run(["ip", *command], check=True)


def possible():
    """True if this kernel makes such interfaces."""
    parent = f"vwprobe{os.getpid() % 100000}"
    made = subprocess.run(["ip", "link", "add", parent, "type", "bridge"], capture_output=True, check=False)
    if made.returncode != 0:
        return False
    try:
        return subprocess.run(["ip", "link", "add", "link", parent, "name", f"{parent}m", "type", "macvtap"],
                              capture_output=True, check=False).returncode == 0
    finally:
        ip("link", "del", parent)


def on(parent):
    """Names of the interfaces that stand on the parent."""
    return sorted(path.parent.name for path in pathlib.Path("/sys/class/net").glob(f"*/lower_{parent}"))


def index(name):
    return int(pathlib.Path(f"/sys/class/net/{name}/ifindex").read_text())


def number(name):
    """Of the interface's character device."""
    text = pathlib.Path(f"/sys/class/net/{name}/tap{index(name)}/dev").read_text()
    return os.makedev(*map(int, text.split(":")))


def open_queue(name, folder):
    """By a node in the folder, which need not be in /dev."""
    node = folder / f"tap-{name}"
    if not node.exists():
        os.mknod(node, 0o20600, number(name))
    return os.open(node, os.O_RDWR)
