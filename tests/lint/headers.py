#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every header compiles alone.

Each is given to the compiler as the only line of a source, with the flags of the build. A header
that passed is not tried again until it, or one of ours that it includes, changes: what passed is
remembered in the build folder.

    tests/lint/headers.py SOURCE_ROOT BUILD_ROOT      TAP, exit status 1 on a finding, 77 if skipped
"""
import concurrent.futures
import hashlib
import json
import pathlib
import re
import shlex
import subprocess
import sys

INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)
# Not for every include: what they are about is included by one file that has the rest.
NOT_ALONE = {
    "src/qmp/qmpcapsflags.h",       # a table of rows for a macro
}
JOBS = 2


def compiler_flags(build):
    """The compiler and its flags out of a source of the daemon, which sees every library."""
    commands = json.loads((build / "compile_commands.json").read_text())
    best = max((c for c in commands if "/src/" in c["file"] and c["file"].endswith(".c")),
               key=lambda c: c["command"].count(" -I"))
    words = shlex.split(best["command"])
    flags = [words[0]]
    skip = False
    for word in words[1:]:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MQ", "-MT"):
            skip = True
        elif word not in ("-c", "-MD", "-Werror") and not word.endswith(".c"):
            flags.append(word)
    return flags


def closure(root, header, seen):
    """The header and all of ours that it includes."""
    if header in seen or not header.exists():
        return
    seen.add(header)
    for name in INCLUDE.findall(header.read_text()):
        closure(root, root / "src" / name, seen)
        closure(root, header.parent / name, seen)


def digest(root, header):
    seen = set()
    closure(root, header, seen)
    whole = hashlib.sha256()
    for path in sorted(seen):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def compile_alone(build, flags, header):
    text = '#define VIR_INTERNAL_UNSTABLE_API_OPT_IN 1\n#include "%s"\n' % header
    # a header without any declaration is no translation unit of its own
    done = subprocess.run(flags + ["-fsyntax-only", "-Wno-unused-function", "-x", "c", "-"],
                          cwd=build, input=text, capture_output=True, text=True)
    return done.returncode == 0, done.stderr


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    build = pathlib.Path(sys.argv[2]).resolve()
    print("1..1")
    if not (build / "compile_commands.json").exists():
        print("ok 1 headers compile alone # SKIP no compile_commands.json in %s" % build)
        return 0
    memory = build / "tests/lint/headers.json"
    known = json.loads(memory.read_text()) if memory.exists() else {}
    flags = compiler_flags(build)
    headers = [path for top in ("src", "tools") for path in sorted((root / top).rglob("*.h"))
               if path.relative_to(root).as_posix() not in NOT_ALONE]
    digests = {str(path): digest(root, path) for path in headers}
    fresh = [path for path in headers if known.get(str(path)) != digests[str(path)]]
    failed = []
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for path, (good, said) in zip(fresh, pool.map(
                lambda header: compile_alone(build, flags, header), fresh)):
            if good:
                known[str(path)] = digests[str(path)]
            else:
                failed.append((path, said))
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps(known))
    for path, said in failed:
        print("# %s does not compile alone" % path.relative_to(root))
        for line in said.splitlines()[:5]:
            print("#   %s" % line)
    print("%s 1 headers compile alone" % ("not ok" if failed else "ok"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
