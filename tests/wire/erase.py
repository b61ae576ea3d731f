#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""erase.py VIRTWARDD: a secret that came in a message is nowhere in the daemon afterwards.

Looks for it in all of the daemon's memory after calls that carry it: decoded, not decoded, larger
than any buffer, cut off in the middle. Then looks at the program itself: the wipe is a call that no
optimiser left out. Skipped (exit 77) where memory may not be read or objdump is missing."""

import shutil
import struct
import subprocess
import sys

from daemon import running
from memory import Live
from protocol import Client, Closed, ERROR, Least, Tables

SECRET_SET_VALUE = 145


def secret(kind):
    """Not found in this very form by accident, nor in the daemon's own strings."""
    return b"<<" + bytes(c ^ 1 for c in f"virtward-secret-{kind}".encode()) + b">>"


def payload(tables, value):
    row, = [r for r in tables.procedures("remote") if r["num"] == SECRET_SET_VALUE]

    class Given(Least):
        """The value in its place."""

        def count(self, field, limit):
            return len(value) if field.get("name") == "value" else 0

        def bytes(self, kind, size):
            return value if size == len(value) else b"x" * size

    return tables.compound("remote", row["args"], Given())


def carry(path, tables):
    """Sends each secret its way; returns them."""
    sent = []

    def client():
        return Client(path, tables=tables).open()

    value = secret("decoded")
    sent.append(value)
    assert client().call("remote", SECRET_SET_VALUE, payload(tables, value))[0] == ERROR

    value = secret("large")
    sent.append(value)
    client().call("remote", SECRET_SET_VALUE, payload(tables, value * (60000 // len(value))))

    value = secret("undecodable")
    sent.append(value)
    client().call("remote", SECRET_SET_VALUE, payload(tables, value)[:-8])

    value = secret("behind")
    sent.append(value)
    client().call("remote", "connect_get_uri", value * 5000)

    value = secret("cut")
    sent.append(value)
    cut = client()
    cut.send_raw(struct.pack(">II", 200000, tables.data["remote"]["number"]) + value * 3000)
    cut.close()

    value = secret("oversized")
    sent.append(value)
    over = client()
    over.send_raw(struct.pack(">I", 0xffffffff) + value)
    try:
        over.receive()
    except Closed:
        pass
    last = client()  # by now all the others have been handled
    last.call("remote", "connect_get_uri")
    return sent


def check_compiled(program):
    """Faults in the machine code."""
    if not shutil.which("objdump"):
        print("objdump is missing: the compiled program is not looked at")
        return 77
    for function, callee in (("virSecureErase", "explicit_bzero"), ("virArenaClear", None),
                             ("virNetBufferClear", None)):
        code = subprocess.run(["objdump", "-d", f"--disassemble={function}", program],
                              check=True, capture_output=True, text=True).stdout
        wanted = [callee] if callee else ["virSecureErase", "explicit_bzero"]
        jumps = [line for line in code.splitlines()
                 if ("call" in line or "jmp" in line) and any(name in line for name in wanted)]
        if not jumps:
            print(f"{function} does not call {' or '.join(wanted)}")
            return 1
    return 0


def main(argv):
    tables, faults = Tables(), 0
    with running(argv[1]) as daemon:
        canary = Client(daemon.rw, tables=tables).open()
        assert canary
        try:
            # Something that must be there shows that the search would find it.
            assert Live(daemon.pid).places(b"virtward-sock-ro")
        except PermissionError as error:
            print(f"skipped: {error}")
            return 77
        for value in carry(daemon.rw, tables):
            for place in Live(daemon.pid).places(value):
                faults += 1
                print(f"{value!r} is still in {place}")
    print(f"{faults} left in memory")
    return 1 if faults else check_compiled(argv[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv))
