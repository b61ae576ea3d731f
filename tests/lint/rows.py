#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every row of a device kind is in the kind's manual.

PROGRAM prints the rows; each path (of what is more than a row, each beginning of one)
must stand between backquotes in <kind>/<kind>.md, those of all
devices in device.md, those that several kinds share in common/*.md if not in the kind's own.

    tests/lint/rows.py SOURCE_ROOT PROGRAM      TAP, exit status 1 on a finding
"""
import pathlib
import re
import subprocess
import sys

FENCED = re.compile(r"^```.*?^```", re.M | re.S)
CODE = re.compile(r"`([^`\n]+)`")


def words(*paths):
    found = set()
    for path in paths:
        if path.exists():
            found.update(CODE.findall(FENCED.sub("", path.read_text())))
    return found


def main():
    root = pathlib.Path(sys.argv[1])
    device = root / "src/device"
    rows = subprocess.run([sys.argv[2]], check=True, capture_output=True, text=True).stdout
    shared = words(*sorted((device / "common").glob("*.md")))
    info = words(device / "device.md")
    missing = []
    manuals = {}
    for line in rows.splitlines():
        kind, path, table, form = line.split("\t")
        if kind not in manuals:
            manuals[kind] = words(device / kind / (kind + ".md"))
        known = info if table == "info" else manuals[kind] | shared
        there = path in known or (form == "code" and any(
            word.startswith((path + "@", path + "/")) for word in known))
        if not there:
            missing.append((kind if table != "info" else "device", path))
    print("1..1")
    for kind, path in sorted(set(missing)):
        print("# `%s` is not in the manual of %s" % (path, kind))
    print("%s 1 every row is in a manual" % ("not ok" if missing else "ok"))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
