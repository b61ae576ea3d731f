#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What users read can be translated.

po/POTFILES lists every source with a text marked by _() or N_(), and nothing else; xgettext makes
the template of them without a complaint.

    tests/lint/texts.py SOURCE_ROOT             TAP, exit status 1 on a finding
    tests/lint/texts.py --update SOURCE_ROOT    writes po/POTFILES anew
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# a mark before a string; \b keeps PRI_() and the like out
MARK = re.compile(r'(?<![\w])N?_\(\s*"')
# what translators would never see the end of; the macros of <inttypes.h> are understood
BROKEN = re.compile(r'(?<![\w])N?_\((?:\s*"[^"]*")*\s*(G_\w+_FORMAT)')
FOLDERS = ("src", "tools")
HEADER = "# SPDX-License-Identifier: LGPL-2.1-or-later\n"


def marked(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.[ch]")):
            if not path.name.endswith("_test.c") and MARK.search(path.read_text()):
                yield path.relative_to(root).as_posix()


def listed(root):
    lines = (root / "po/POTFILES").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def template(root):
    """What xgettext says of the sources; the number of texts, and its complaints."""
    with tempfile.TemporaryDirectory() as folder:
        pot = pathlib.Path(folder) / "virtward.pot"
        done = subprocess.run(
            ["xgettext", "--files-from=po/POTFILES", "--output=%s" % pot, "--from-code=UTF-8",
             "--keyword=_", "--keyword=N_", "--language=C", "--add-comments=TRANSLATORS"],
            cwd=root, capture_output=True, text=True)
        count = pot.read_text().count("\nmsgid ") if pot.exists() else 0
        return count, done.stderr.splitlines()


def main():
    if sys.argv[1] == "--update":
        root = pathlib.Path(sys.argv[2])
        (root / "po/POTFILES").write_text(HEADER + "".join("%s\n" % name for name in marked(root)))
        return 0
    root = pathlib.Path(sys.argv[1])
    want, have = list(marked(root)), listed(root)
    found = ["%s is missing" % name for name in want if name not in have]
    found += ["%s has no marked text" % name for name in have if name not in want]
    found = ["po/POTFILES: %s" % line for line in found]
    if found:
        found.append("tests/lint/texts.py --update . brings po/POTFILES up to date")
    for name in want:
        for match in BROKEN.finditer((root / name).read_text()):
            found.append("%s: a text is cut off at %s" % (name, match.group(1)))
    print("1..2")
    for line in found:
        print("# %s" % line)
    print("%s 1 po/POTFILES lists every source with texts" % ("not ok" if found else "ok"))
    if not shutil.which("xgettext"):
        print("ok 2 the template can be made # SKIP there is no xgettext")
        return 1 if found else 0
    count, said = template(root)
    for line in said:
        print("# %s" % line)
    bad = bool(said) or count < 100
    print("%s 2 the template can be made: %d texts" % ("not ok" if bad else "ok", count))
    return 1 if found or bad else 0


if __name__ == "__main__":
    sys.exit(main())
