# SPDX-License-Identifier: LGPL-2.1-or-later
"""groups.py: control groups of daemons that tests run, in every hierarchy of the machine, and what a
test run that was killed has left of them."""

import contextlib
import hashlib
import os
import pathlib
import re
import time

OLD_S = 3600  # no test takes as long


def hierarchies():
    """Where cgroup v2 and the hierarchies of v1 are mounted."""
    rows = [line.split()[:3] for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
    return [pathlib.Path(mount) for _, mount, kind in rows if kind in ("cgroup", "cgroup2")]


def instance_name(folder):
    """Of the daemon on a folder (virCgroupInstanceNew)."""
    return "virtward-" + hashlib.sha256(os.path.realpath(folder).encode()).hexdigest()[:12]


def tree(group):
    """The group and all below it, from the inside out."""
    return [pathlib.Path(path) for path, _, _ in os.walk(group, topdown=False)]


def of(folder):
    """All groups of the daemon on a folder, from the inside out in each hierarchy."""
    return [group for mount in hierarchies() for group in tree(mount / instance_name(folder))]


def living():
    """The names of instances whose daemons run; None if one cannot be told."""
    names = set()
    for cmdline in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = cmdline.read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        except PermissionError:
            return None
        if "--root" in words[:-1]:
            root = words[words.index("--root") + 1]
            if not os.path.isabs(root):
                return None
            names.add(instance_name(root))
    return names


def is_old(group):
    with contextlib.suppress(FileNotFoundError):
        return time.time() - group.stat().st_mtime > OLD_S
    return False


def sweep_dead():
    """Removes groups of daemons on folders that are gone for long: those without a process, all of
    whose groups are old. What somebody is in is refused by the kernel."""
    names = living()
    for group in [one for mount in hierarchies() if names is not None for one in mount.glob("virtward-*")]:
        if not re.fullmatch("virtward-[0-9a-f]{12}", group.name) or group.name in names:
            continue
        below = tree(group)
        if all(is_old(one) for one in below):
            for one in below:
                with contextlib.suppress(OSError):  # somebody is in it
                    one.rmdir()
