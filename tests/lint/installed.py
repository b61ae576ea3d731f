#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `meson install` puts on a machine: the names that were promised, and symbols that are meant.

    tests/lint/installed.py MESON BUILD_ROOT      TAP, exit status 1 on a finding

Installs into a temporary folder. A program exports nothing; a library what its row here says. A
new installed file needs a row.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ALWAYS, OPTION = True, False  # OPTION: only where an option or a library of the build has it
PROGRAM, LIBRARY, DATA = "program", "library", "data"

# Path below the prefix or from the root -> always there?, what it is, symbols it may export.
INSTALLED = [
    (r"usr/sbin/virtwardd", ALWAYS, PROGRAM, None),
    (r"usr/sbin/virtward-helperd", OPTION, PROGRAM, None),
    (r"usr/bin/virtward", ALWAYS, PROGRAM, None),
    (r"usr/bin/virt-qemu-sev-validate", OPTION, DATA, None),
    (r"usr/libexec/virtward-spawn", ALWAYS, PROGRAM, None),
    (r"usr/lib/.*/libvirt-internal\.so(\.\d+)*", OPTION, LIBRARY,
     r"virInternal\w+|LIBVIRT_INTERNAL_[\d.]+"),
    (r"usr/lib/.*/pkgconfig/libvirt-internal\.pc", OPTION, DATA, None),
    (r"usr/include/libvirt/libvirt-internal\.h", OPTION, DATA, None),
    (r"usr/lib/python3/dist-packages/libvirt_internal\.py", OPTION, DATA, None),
    (r"etc/virtward/virtwardd\.conf", ALWAYS, DATA, None),
    (r"etc/virtward/[\w-]+\.conf", OPTION, DATA, None),
    (r"usr/share/virtward/.*", OPTION, DATA, None),
    (r"usr/share/locale/\w+/LC_MESSAGES/virtward\.mo", OPTION, DATA, None),
    (r"usr/share/man/man[1578]/(virtwardd|virtward|virtward-spawn|virtward-helperd|virtward-platforms|virt-qemu-sev-validate)\.[1578]",
     OPTION, DATA, None),
    (r"usr/lib/systemd/system/virtwardd(\.service|(-ro|-admin)?\.socket)", OPTION, DATA, None),
    (r"usr/lib/systemd/system/virtward-helperd\.service", OPTION, DATA, None),
    (r"usr/lib/sysusers\.d/virtward\.conf", OPTION, DATA, None),
]


def row_of(name):
    return next((row for row in INSTALLED if re.fullmatch(row[0], name)), None)


def names(root):
    for name in sorted(str(path.relative_to(root)) for path in root.rglob("*")
                       if not path.is_dir()):
        if not row_of(name):
            yield "%s: nothing says that it is to be installed" % name
    for pattern, always, *_ in INSTALLED:
        if always and not any(re.fullmatch(pattern, str(path.relative_to(root)))
                              for path in root.rglob("*")):
            yield "%s: not installed" % pattern


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def exported(path):
    """Names of the dynamic symbols that others could use. A copy of a library's variable (stderr)
    stands in the program because the ABI wants it there: that is a relocation, no export."""
    symbols = re.findall(r"^[0-9a-f]+ [A-Za-z] (\S+)$", output("nm", "-D", "--defined-only", path), re.M)
    copies = {name.partition("@")[0]
              for name in re.findall(r"_COPY\s+[0-9a-f]+ (\S+)", output("readelf", "-rW", path))}
    return [name for name in symbols if name.partition("@")[0] not in copies]


def exports(root):
    looked = 0
    for path in root.rglob("*"):
        row = row_of(str(path.relative_to(root)))
        if not row or row[2] == DATA or path.is_symlink():
            continue
        looked += 1
        for name in exported(path):
            if not row[3] or not re.fullmatch(row[3], name.partition("@")[0]):
                yield "%s exports %s" % (path.relative_to(root), name)
    if looked < 3:
        yield "only %d programs and libraries found" % looked


def pages(root):
    """A manual page for each program, if the build makes pages at all."""
    man = root / "usr/share/man"
    if not man.is_dir():
        return
    for path in root.rglob("*"):
        row = row_of(str(path.relative_to(root)))
        if row and row[2] == PROGRAM and not list(man.glob("man*/%s.?" % path.name)):
            yield "%s has no manual page" % path.name


def units(root):
    """What systemd says of the units, with a program that is there in place of ours."""
    folder = root / "usr/lib/systemd/system"
    if not folder.is_dir() or not shutil.which("systemd-analyze"):
        return
    with tempfile.TemporaryDirectory() as place:
        copies = []
        for unit in folder.iterdir():
            copies.append(pathlib.Path(place) / unit.name)
            copies[-1].write_text(re.sub(r"=/usr/sbin/virtward\S+", "=/bin/true", unit.read_text()))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", *copies], check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            yield from done.stderr.splitlines()


CASES = (("what is installed is what was promised", names),
         ("nothing is exported that is not meant to be", exports),
         ("each program has its manual page", pages),
         ("systemd takes the units", units))


def main():
    meson, build = sys.argv[1:3]
    failed = False
    with tempfile.TemporaryDirectory(prefix="virtward-install-") as folder:
        done = subprocess.run([meson, "install", "--no-rebuild", "-C", build, "--destdir", folder],
                              check=False, capture_output=True, text=True)
        print("1..%d" % len(CASES))
        if done.returncode != 0:
            print("Bail out! meson install: %s" % done.stderr.strip())
            return 1
        for number, (what, case) in enumerate(CASES, 1):
            found = list(case(pathlib.Path(folder)))
            for line in found:
                print("# %s" % line)
            print("%s %d %s" % ("not ok" if found else "ok", number, what))
            failed = failed or bool(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
