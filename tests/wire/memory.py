# SPDX-License-Identifier: LGPL-2.1-or-later
"""memory.py: what a process has in its memory: read off /proc, or off a core dump."""

import pathlib
import re
import struct
import subprocess

PT_LOAD = 1


class Live:
    """The memory of a process as it is now, what it can write to."""

    def __init__(self, pid):
        self.pid = pid

    def places(self, text):
        """Where text (bytes) stands: "ADDRESS MAPPING", one a place."""
        found = []
        with open(f"/proc/{self.pid}/maps", encoding="ascii") as maps, \
                open(f"/proc/{self.pid}/mem", "rb", 0) as memory:
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

    def around(self, place, before=96, after=96):
        """The bytes beside a place, to see whose they are."""
        address = int(place.split()[0], 16)
        with open(f"/proc/{self.pid}/mem", "rb", 0) as memory:
            memory.seek(address - before)
            try:
                return memory.read(before + after)
            except OSError:
                return b""


class Core:
    """The memory of a process in a core dump, taken by gdb's gcore and gone at once: it has secrets.

    Every mapping that the kernel would dump is in it, not only what can be written to; registers
    are left out."""

    def __init__(self, pid, folder):
        done = subprocess.run(["gcore", "-o", str(pathlib.Path(folder) / "core"), str(pid)],
                              capture_output=True, text=True, timeout=120, check=False)
        path = pathlib.Path(folder) / f"core.{pid}"
        assert done.returncode == 0 and path.exists(), f"gcore: {done.stdout}{done.stderr}"
        try:
            self.core = path.read_bytes()
        finally:
            path.unlink()
        self.segments = list(self.loaded())

    def loaded(self):
        """(address, offset in the file, size) of each mapping: ELF, 64 bits, of this machine."""
        assert self.core[:5] == b"\x7fELF\x02", "the core is no ELF file of 64 bits"
        table, = struct.unpack_from("=Q", self.core, 32)
        size, count = struct.unpack_from("=HH", self.core, 54)
        for at in range(table, table + size * count, size):
            kind, _, offset, address, _, length = struct.unpack_from("=IIQQQQ", self.core, at)
            if kind == PT_LOAD:
                yield address, offset, length

    def places(self, text):
        """As Live's."""
        return [f"{address + match.start() - offset:x} of a core dump"
                for address, offset, length in self.segments
                for match in re.compile(re.escape(text)).finditer(self.core, offset, offset + length)]

    def around(self, place, before=96, after=96):
        """As Live's."""
        wanted = int(place.split()[0], 16)
        for address, offset, length in self.segments:
            if address <= wanted < address + length:
                at = offset + wanted - address
                return self.core[max(at - before, 0):at + after]
        return b""
