#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""xdr_compare.py XDRPROBE.so [SEED]

Holds our codec against the XDR routines inside the stock client library, type by type: what one
decodes the other must decode, to the same bytes when encoded again, and read just as far. Random
values, spoiled ones, cut ones; every string, opaque and array at its limit and one beyond. Skipped
(exit 77) where libvirt or libtirpc is not installed."""

import ctypes
import random
import struct
import sys

from protocol import Least, Random, Tables

ROUNDS = 25
SPOILED = 25
ROOM = 64 * 1024 * 1024
DECODE, ENCODE = 1, 0

RPC_NAMES = {"header": "virNetMessageHeader", "error": "virNetMessageError",
             "error_domain": "virNetMessageNonnullDomain",
             "error_network": "virNetMessageNonnullNetwork", "stream_hole": "virNetStreamHole"}


class XDR(ctypes.Structure):
    """libtirpc's handle."""
    _fields_ = [("op", ctypes.c_int), ("ops", ctypes.c_void_p), ("public", ctypes.c_void_p),
                ("private", ctypes.c_void_p), ("base", ctypes.c_void_p), ("handy", ctypes.c_uint)]


class Stock:
    """The routines of the stock library."""

    def __init__(self):
        # Global, so that the libraries' own routines find it.
        self.tirpc = ctypes.CDLL("libtirpc.so.3", ctypes.RTLD_GLOBAL)
        self.libraries = [ctypes.CDLL("libvirt.so.0"), ctypes.CDLL("libvirt-admin.so.0")]
        self.out = ctypes.create_string_buffer(ROOM)

    def routine(self, program, name, c_name):
        symbol = "xdr_" + (RPC_NAMES[name] if program == "rpc" else c_name)
        for library in self.libraries:
            if hasattr(library, symbol):
                return getattr(library, symbol)
        return None

    def again(self, routine, data):
        """(bytes read, encoded again); encoded is None if it cannot be; None if not decoded."""
        value = ctypes.create_string_buffer(65536)
        source = ctypes.create_string_buffer(data, len(data) + 8)
        xdr = XDR()
        try:
            self.tirpc.xdrmem_create(ctypes.byref(xdr), source, len(data), DECODE)
            xdr.op = DECODE
            if not routine(ctypes.byref(xdr), value):
                return None
            used = xdr.private - xdr.base
            self.tirpc.xdrmem_create(ctypes.byref(xdr), self.out, ROOM, ENCODE)
            xdr.op = ENCODE
            if not routine(ctypes.byref(xdr), value):
                return used, None
            return used, self.out[:xdr.private - xdr.base]
        finally:
            self.tirpc.xdr_free(routine, value)


class Ours:
    """The probe."""

    def __init__(self, path):
        self.probe = ctypes.CDLL(path).xdrProbe
        self.out = ctypes.create_string_buffer(ROOM)

    def again(self, c_name, data):
        used, length = ctypes.c_size_t(), ctypes.c_size_t()
        step = self.probe(c_name.encode(), data, ctypes.c_size_t(len(data)), self.out,
                          ctypes.c_size_t(ROOM), ctypes.byref(used), ctypes.byref(length))
        assert step != 0, c_name
        if step == 1:
            return None
        return used.value, self.out[:length.value] if step == 3 else None


def spoil(rng, data):
    """data with a word changed, a byte changed, or the end cut off."""
    data = bytearray(data)
    if len(data) < 4:
        return bytes(data)
    kind, at = rng.randrange(3), rng.randrange(len(data))
    if kind == 0:
        at -= at % 4
        data[at:at + 4] = struct.pack(">I", rng.choice((0, 1, 2, 5, 257, 0x7fffffff, 0xffffffff)))
    elif kind == 1:
        data[at] = rng.randrange(256)
    else:
        del data[at:]
    return bytes(data)


class AtLimit(Least):
    """One field as long as count says, everything else the least."""

    def __init__(self, wanted, length):
        super().__init__()
        self.wanted, self.length = wanted, length

    def present(self, field):
        return field.get("name") == self.wanted

    def count(self, field, limit):
        return self.length if field.get("name") == self.wanted else 0


def limited(tables, program, name):
    """(field name, limit) of every member with one."""
    for field in tables.data[program]["structs"].get(name, ()):
        flat = tables.flatten(program, field)
        if flat.get("array") == "variable":
            yield field["name"], flat["max"]


def at_limit(tables, program, name, wanted, length):
    """A value with length items in one field; repeated, not made one by one."""
    parts = []
    for field in tables.data[program]["structs"][name]:
        flat = tables.flatten(program, field)
        long_array = flat.get("array") == "variable" and flat["type"] not in ("string", "opaque")
        if field["name"] == wanted and long_array and not flat.get("optional"):
            item = tables.value(program, flat.get("item") or {"type": flat["type"]}, Least())
            parts.append(struct.pack(">I", length) + item * length)
        else:
            parts.append(tables.value(program, field, AtLimit(wanted, length)))
    return b"".join(parts)


def main(argv):
    try:
        stock = Stock()
    except OSError as error:
        print(f"skipped: {error}")
        return 77
    tables, ours = Tables(), Ours(argv[1])
    seed = int(argv[2]) if len(argv) > 2 else random.randrange(1 << 32)
    rng = random.Random(seed)
    types = cases = faults = missing = 0
    for program, name in tables.structs():
        c_name = tables.c_name(program, name)
        routine = stock.routine(program, name, c_name)
        if not routine:
            missing += 1
            continue
        types += 1
        values = [tables.compound(program, name, Random(rng)) for _ in range(ROUNDS)]
        values += [spoil(rng, rng.choice(values)) for _ in range(SPOILED)]
        for wanted, limit in limited(tables, program, name):
            values += [at_limit(tables, program, name, wanted, limit + more) for more in (0, 1)]
        for data in values:
            cases += 1
            theirs, own = stock.again(routine, data), ours.again(c_name, data)
            if theirs != own:
                faults += 1
                shown = data[:80].hex()
                print(f"{c_name}: {len(data)} bytes {shown}: stock "
                      f"{theirs and (theirs[0], (theirs[1] or b'')[:60].hex())}, "
                      f"ours {own and (own[0], (own[1] or b'')[:60].hex())}")
    print(f"seed {seed}: {types} types, {cases} values, {faults} differences; "
          f"{missing} types are newer than the library")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
