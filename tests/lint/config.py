#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every key of the configuration is in the manual and in the file that is installed.

    tests/lint/config.py SOURCE_ROOT      TAP, exit status 1 on a finding
"""
import pathlib
import re
import sys


def main():
    root = pathlib.Path(sys.argv[1])
    keys = re.findall(r'^    \{"(\w+)", KEY_', (root / "src/daemon/config.c").read_text(), re.M)
    manual = set(re.findall(r"^\| `(\w+)` \|", (root / "docs/configuration.md").read_text(), re.M))
    installed = set(re.findall(r"^#(\w+) = ", (root / "src/daemon/virtwardd.conf").read_text(), re.M))
    found = []
    if not keys:
        found.append("no key found in src/daemon/config.c")
    for key in keys:
        if key not in manual:
            found.append("%s is not in docs/configuration.md" % key)
        if key not in installed:
            found.append("%s is not in src/daemon/virtwardd.conf" % key)
    found += ["docs/configuration.md: there is no key %s" % key for key in sorted(manual - set(keys))]
    print("1..1")
    for line in found:
        print("# %s" % line)
    print("%s 1 every key is explained" % ("not ok" if found else "ok"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
