# SPDX-License-Identifier: LGPL-2.1-or-later
"""bpf.py: device programs on groups, as other managers put them there: bpf(2) through libc."""

import ctypes
import os
import struct

PROG_LOAD, PROG_ATTACH, PROG_DETACH, PROG_GET_FD_BY_ID, PROG_QUERY = 5, 8, 9, 13, 16
TYPE_CGROUP_DEVICE, ATTACH_CGROUP_DEVICE = 15, 6
ALLOW_MULTI = 2

libc = ctypes.CDLL(None, use_errno=True)
SYS_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]


def call(command, attr):
    buffer = ctypes.create_string_buffer(attr.ljust(256, b"\0"), 256)
    got = libc.syscall(SYS_BPF, command, buffer, 256)
    if got < 0:
        errnum = ctypes.get_errno()
        raise OSError(errnum, os.strerror(errnum))
    return got, buffer.raw


def instruction(code, dst=0, src=0, off=0, imm=0):
    return struct.pack("<BBhi", code, dst | src << 4, off, imm)


def load(verdict, name="foreign"):
    """A program that always says verdict; its descriptor."""
    code = ctypes.create_string_buffer(instruction(0xb7, imm=verdict) + instruction(0x95))
    text = ctypes.create_string_buffer(b"GPL")
    attr = struct.pack("<IIQQIIQII16s", TYPE_CGROUP_DEVICE, 2, ctypes.addressof(code),
                       ctypes.addressof(text), 0, 0, 0, 0, 0, name.encode())
    return call(PROG_LOAD, attr)[0]


def attach(group, verdict, name="foreign", flags=ALLOW_MULTI):
    """A new program that always says verdict; it lives as long as it is attached."""
    program = load(verdict, name)
    folder = os.open(group, os.O_RDONLY | os.O_DIRECTORY)
    try:
        call(PROG_ATTACH, struct.pack("<IIII", folder, program, ATTACH_CGROUP_DEVICE, flags))
    finally:
        os.close(folder)
        os.close(program)


def detach(group, number):
    """The program of this id."""
    program = call(PROG_GET_FD_BY_ID, struct.pack("<I", number))[0]
    folder = os.open(group, os.O_RDONLY | os.O_DIRECTORY)
    try:
        call(PROG_DETACH, struct.pack("<III", folder, program, ATTACH_CGROUP_DEVICE))
    finally:
        os.close(folder)
        os.close(program)


def ids(group):
    """Of the programs attached to the group."""
    folder = os.open(group, os.O_RDONLY | os.O_DIRECTORY)
    room = (ctypes.c_uint32 * 64)()
    try:
        _, answer = call(PROG_QUERY, struct.pack("<IIIIQI", folder, ATTACH_CGROUP_DEVICE, 0, 0,
                                                 ctypes.addressof(room), 64))
    finally:
        os.close(folder)
    return list(room)[:struct.unpack_from("<I", answer, 24)[0]]
