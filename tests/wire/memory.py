# SPDX-License-Identifier: LGPL-2.1-or-later
"""memory.py: what a process has in its memory, as a core dump of this moment would hold it."""

import re


def places(pid, text):
    """Where text (bytes) stands in what pid can write to: "ADDRESS MAPPING", one a place."""
    found = []
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, rights, *rest = line.split()
            start, end = (int(part, 16) for part in span.split("-"))
            if "w" not in rights or rest[-1:] == ["[vvar]"]:
                continue
            memory.seek(start)
            try:
                held = memory.read(end - start)
            except OSError:
                continue  # a mapping of a device, or gone since
            found += [f"{start + match.start():x} {line.strip()}"
                      for match in re.finditer(re.escape(text), held)]
    return found


def around(pid, place, before=96, after=96):
    """The bytes beside a place, to see whose they are."""
    address = int(place.split()[0], 16)
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        memory.seek(address - before)
        try:
            return memory.read(before + after)
        except OSError:
            return b""
