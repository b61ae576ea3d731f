#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tree keeps the order it was given.

Who may include whom, who may name a device kind, what a file begins with, how long it may be, and
which folder says what it is for. What is an exception today stands in the tables here, with the
reason, and nothing may be added to them without one.

    tests/lint/tree.py SOURCE_ROOT      TAP on standard output, exit status 1 on a finding
"""
import pathlib
import re
import sys

CODE = ("src", "tools", "tests")
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)

# --- who may include whom: one way only ---

# A folder of src -> folders it may include. "device" is the model half; "device_qemu" are the files
# *_qemu.[ch] of the same folder, and tests of kinds, which see both halves.
MAY_INCLUDE = {
    "util": {"util"},
    "host": {"util", "host"},
    "qmp": {"util", "qmp"},
    "rpc": {"util", "rpc"},
    "spawn": {"util", "spawn"},
    "delegate": {"util", "host", "rpc", "delegate"},
    "device": {"util", "device"},
    "device_qemu": {"util", "host", "qmp", "device", "device_qemu"},
    "domain": {"util", "device", "domain"},
    "qemu": {"util", "host", "qmp", "delegate", "device", "device_qemu", "domain", "qemu"},
    "api": {"util", "host", "qmp", "device", "device_qemu", "domain", "qemu", "rpc", "api"},
    "daemon": {"util", "host", "qmp", "delegate", "device", "device_qemu", "domain", "qemu", "rpc",
               "api", "daemon"},
    "internal": {"util", "rpc", "internal"},
    "helperd": {"util", "internal", "helperd"},
}

# --- who may name a kind ---

# Kinds that others are plugged into: buses, and the document a console shares with its port.
BUSES = {"controller", "common"}
# File outside the kind's own folder -> the kinds it names, and why.
NAMES_KINDS = {
    "src/api/domain_stats_groups.c": {"disk", "interface"},  # the wire names groups after kinds
    "src/api/domain_usage.c": {"disk", "interface"},         # so do the calls for one device
    "src/api/domain_bandwidth.c": {"interface"},            # the wire names one interface
    "src/api/domain_iotune.c": {"disk"},                    # the wire names one disk
    "src/api/domain_iothread.c": {"disk", "controller"},    # who uses a thread that is to go
    "src/api/domain_block.h": {"disk"},                      # as clients name one
    "src/api/domain_console.c": {"video"},                   # whose picture is taken
    "src/api/domain_graphics.c": {"graphics"},
    "src/api/domain_guestinfo.c": {"controller", "disk"},    # the agent names disks by place
    "src/api/domain_network.c": {"interface"},               # whose addresses are asked for
    "src/qemu/agent.c": {"channel"},                         # the agent's line
    "src/api/params.h": {"disk"},                            # parameters of the disks' statistics
    "src/qemu/guestmemory.c": {"memballoon"},                # setting memory is the balloon's
    "src/device/audio/audio.c": {"graphics"},       # the default follows the display
    "src/device/graphics/vnc_qemu.c": {"audio"},    # a display plays on a back end
    "src/device/sound/sound.c": {"audio"},          # a card plays on one
    "src/device/sound/sound_qemu.c": {"audio"},
    "src/device/hostdev/hostdev_qemu.c": {"graphics"},      # a mediated device may be a screen
    "src/device/console/console.c": {"serial"},     # the first console is the first port
    "src/device/console/console.h": {"serial"},
    "src/device/console/console_qemu.c": {"serial"},
    "src/device/console/serialcompat.c": {"serial"},
    "src/device/redirdev/redirdev_qemu.c": {"redirfilter"},     # its rules are a property here
    "src/device/video/video_qemu.c": {"graphics"},  # a display implies a card
    "src/domain/def.c": {"console"},
    "src/domain/memory.c": {"memory"},              # modules are part of the sum
    "src/qemu/prepare.c": {"console"},
}
KIND_TABLES = {"src/device/kinds.c", "src/device/kinds_qemu.c"}

# --- length ---

LINES_MAX = 800
LONG_FILES = {
    # flat tables
}
README_LINES_MAX = 60
GENERATED = {"protocol"}


def sources(root, *suffixes):
    for top in CODE:
        for path in sorted((root / top).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path, path.relative_to(root).as_posix()


def includes(path):
    return INCLUDE.findall(path.read_text())


def half(name):
    """The key of MAY_INCLUDE for a file of src, given by its path from the root or below src."""
    parts = name.removeprefix("src/").split("/")
    if parts[0] == "device" and re.search(r"_(qemu|test)\.[ch]$", parts[-1]):
        return "device_qemu"
    return parts[0]


def include_direction(root):
    for path, name in sources(root, ".c", ".h"):
        if not name.startswith("src/"):
            continue
        mine = half(name)
        for included in includes(path):
            theirs = half(included)
            if "/" not in included or not (root / "src" / included).exists():
                continue    # generated, or beside the file
            if theirs not in MAY_INCLUDE.get(mine, set()):
                yield "%s includes %s" % (name, included)


def kinds(root):
    return {path.name for path in (root / "src/device").iterdir() if path.is_dir()} - BUSES


def stray_kinds(root):
    for path, name in sources(root, ".c", ".h"):
        if not name.startswith("src/") or name in KIND_TABLES or name.endswith("_test.c"):
            continue
        for included in includes(path):
            parts = included.split("/")
            if parts[0] != "device" or len(parts) < 3 or parts[1] not in kinds(root):
                continue
            own = name.startswith("src/device/%s/" % parts[1])
            if not own and parts[1] not in NAMES_KINDS.get(name, set()):
                yield "%s names the kind %s" % (name, parts[1])


def licences(root):
    for path, name in sources(root, ".c", ".h", ".py", ".sh", ".rst"):
        if "SPDX-License-Identifier: LGPL-2.1-or-later" not in path.read_text()[:400]:
            yield "%s has no SPDX line" % name
    for path in sorted(root.rglob("meson.build")):
        if "SPDX-License-Identifier" not in path.read_text()[:100]:
            yield "%s has no SPDX line" % path.relative_to(root)


def headings(root):
    """The comment atop a file names it and says what it is for."""
    for path, name in sources(root, ".c", ".h"):
        if not re.search(r"^ \* %s: \S" % re.escape(path.name), path.read_text()[:600], re.M):
            yield "%s does not begin with what it is for" % name


def lengths(root):
    for path, name in sources(root, ".c", ".h", ".py"):
        count = len(path.read_text().splitlines())
        if count > LINES_MAX and name not in LONG_FILES:
            yield "%s has %d lines: which second noun does it hold?" % (name, count)


def readmes(root):
    for folder in sorted((root / "src").iterdir()):
        if not folder.is_dir() or not any(folder.glob("*.[ch]")):
            continue
        readme = folder / "README.md"
        if not readme.exists():
            yield "src/%s has no README.md" % folder.name
        elif len(readme.read_text().splitlines()) > README_LINES_MAX:
            yield "src/%s/README.md is longer than a screen" % folder.name


def manuals(root):
    for kind in sorted(kinds(root)):
        for name in ("%s.c", "%s.h", "%s.md", "%s_qemu.c", "%s_qemu.h"):
            if not (root / "src/device" / kind / (name % kind)).exists():
                yield "src/device/%s has no %s" % (kind, name % kind)


CHECKS = [
    ("folders include one way only", include_direction),
    ("only the kind tables name kinds", stray_kinds),
    ("every file has its licence", licences),
    ("every source says what it is for", headings),
    ("no file is longer than it should be", lengths),
    ("every folder of src has a README of one screen", readmes),
    ("every kind has its two halves and its manual", manuals),
]


def main():
    root = pathlib.Path(sys.argv[1])
    failed = False
    print("1..%d" % len(CHECKS))
    for number, (sentence, check) in enumerate(CHECKS, 1):
        found = list(check(root))
        for line in found:
            print("# %s" % line)
        print("%s %d %s" % ("not ok" if found else "ok", number, sentence))
        failed = failed or bool(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
