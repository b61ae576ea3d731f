# SPDX-License-Identifier: LGPL-2.1-or-later
"""protocol.py: the protocol tables as a client speaks them, for tests.

Tables: all types and procedures, values of any type (least, random, at a limit) as bytes.
Client: a bare connection to a daemon's socket that sends what it is told, right or wrong.
Standard library only; written from ../../protocol/README.md, not from the C codec it tests."""

import json
import pathlib
import socket
import struct

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "protocol"
PROGRAMS = ("rpc", "remote", "qemu", "admin", "keepalive")
WORDS = {"int": ">i", "uint": ">I", "char": ">i", "uchar": ">I", "short": ">i", "ushort": ">I",
         "hyper": ">q", "uhyper": ">Q", "double": ">d"}
BITS = {"char": 8, "uchar": 8, "short": 16, "ushort": 16, "int": 32, "uint": 32, "hyper": 64,
        "uhyper": 64}

CALL, REPLY, MESSAGE, STREAM, CALL_WITH_FDS, REPLY_WITH_FDS, STREAM_HOLE = range(7)
OK, ERROR, CONTINUE = range(3)
HEADER = struct.Struct(">IIIiIII")
OBJECTS = {"remote": {"domain", "network", "network_port", "nwfilter", "nwfilter_binding",
                      "interface", "storage_pool", "storage_vol", "node_device", "secret",
                      "domain_checkpoint", "domain_snapshot"},
           "admin": {"server", "client"}}


class Tables:
    """What the JSON files say."""

    def __init__(self, folder=FOLDER):
        self.data = {name: json.loads((pathlib.Path(folder) / f"{name}.json").read_text())
                     for name in PROGRAMS}

    def structs(self):
        """(program, name) of every struct and union."""
        for program, data in self.data.items():
            for name in list(data["unions"]) + list(data["structs"]):
                yield program, name

    def procedures(self, program):
        return self.data[program]["procedures"]

    def c_name(self, program, name):
        middle = "nonnull_" if name in OBJECTS.get(program, ()) else ""
        return f"{program}_{middle}{name}"

    def number(self, program, value):
        return value if isinstance(value, int) else self.data[program]["constants"][value]

    def locate(self, program, name):
        owner, _, last = name.rpartition(".")
        return owner or program, last

    def flatten(self, program, field):
        """The field with its typedef resolved and its limit as a number."""
        owner, name = self.locate(program, field["type"])
        field = dict(field)
        if "max" in field:
            field["max"] = self.number(program, field["max"])
        typedef = self.data[owner]["typedefs"].get(name)
        if not typedef:
            return field
        typedef = dict(typedef, max=self.number(owner, typedef["max"]))
        if field.get("array"):  # an array of strings
            return dict(field, item=typedef)
        return {**field, **typedef}

    def value(self, program, field, choose):
        """The field's bytes; choose makes the choices (see Least, Random)."""
        field = self.flatten(program, field)
        if field.get("optional"):
            if not choose.present(field):
                return struct.pack(">I", 0)
            return struct.pack(">I", 1) + self.value(program, dict(field, optional=False), choose)
        array, limit = field.get("array"), field.get("max")
        if field["type"] in ("string", "opaque"):
            size = limit if array == "fixed" else choose.count(field, limit)
            data = choose.bytes(field["type"], size)
            head = b"" if array == "fixed" else struct.pack(">I", size)
            return head + data + bytes(-len(data) % 4)
        item = field.get("item") or {"type": field["type"]}
        if array == "fixed":
            return b"".join(self.value(program, item, choose) for _ in range(limit))
        if array == "variable":
            count = choose.count(field, limit)
            return struct.pack(">I", count) + b"".join(
                self.value(program, item, choose) for _ in range(count))
        if field["type"] in WORDS:
            return struct.pack(WORDS[field["type"]], choose.scalar(field))
        return self.compound(*self.locate(program, field["type"]), choose)

    def compound(self, program, name, choose):
        """The bytes of a struct, union or enum."""
        data = self.data[program]
        if name in data["enums"]:
            return struct.pack(">i", choose.arm(sorted(data["enums"][name].values())))
        if name in data["unions"]:
            union = data["unions"][name]
            case = choose.arm([arm["case"] for arm in union["arms"]])
            arm, = [arm for arm in union["arms"] if arm["case"] == case]
            return struct.pack(">i", case) + self.value(program, arm, choose)
        return b"".join(self.value(program, field, choose) for field in data["structs"][name])


class Least:
    """The shortest value there is; fields can be given."""

    def __init__(self, given=None):
        self.given = given or {}

    def present(self, field):
        return field.get("name") in self.given

    def count(self, field, limit):
        return len(self.given.get(field.get("name"), b""))

    def bytes(self, kind, size):
        return b"x" * size

    def scalar(self, field):
        return self.given.get(field.get("name"), 0)

    def arm(self, cases):
        return cases[0]


class Random:
    """Anything that fits."""

    def __init__(self, random, most=5):
        self.random, self.most = random, most

    def present(self, field):
        return self.random.random() < 0.6

    def count(self, field, limit):
        return self.random.randint(0, min(self.most, limit))

    def bytes(self, kind, size):
        low = 1 if kind == "string" else 0
        return bytes(self.random.randint(low, 255) for _ in range(size))

    def scalar(self, field):
        kind = field["type"]
        if kind == "double":
            return self.random.uniform(-1e9, 1e9)
        bits = BITS[kind]
        value = self.random.getrandbits(bits)
        return value if kind.startswith("u") else value - (1 << (bits - 1))

    def arm(self, cases):
        return self.random.choice(cases)


class Closed(Exception):
    """The daemon closed the connection."""


class Client:
    """A connection that speaks frames."""

    def __init__(self, path, timeout=20, tables=None):
        self.tables = tables or Tables()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.serial = 0
        self.events = []
        self.socket.connect(str(path))

    def close(self):
        self.socket.close()

    __del__ = close

    def send_raw(self, data):
        self.socket.sendall(data)

    def send(self, program, version, procedure, kind, serial, status, payload=b""):
        self.send_raw(HEADER.pack(28 + len(payload), program, version, procedure, kind, serial,
                                  status) + payload)

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            try:
                more = self.socket.recv(count - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                raise Closed
            data += more
        return data

    def receive(self):
        """(header as a dict, payload) of the next message."""
        length, = struct.unpack(">I", self._exactly(4))
        rest = self._exactly(length - 4)
        words = struct.unpack(">IIiIII", rest[:24])
        names = ("program", "version", "procedure", "type", "serial", "status")
        return dict(zip(names, words)), rest[24:]

    def call(self, program, procedure, payload=b""):
        """The reply to a call by number or name; (status, payload)."""
        data = self.tables.data[program]
        if isinstance(procedure, str):
            procedure, = [row["num"] for row in data["procedures"] if row["name"] == procedure]
        serial, self.serial = self.serial, self.serial + 1
        self.send(data["number"], data["version"], procedure, CALL, serial, OK, payload)
        return self.answer(serial)

    def answer(self, serial):
        while True:
            header, payload = self.receive()
            if header["type"] == REPLY and header["serial"] == serial:
                return header["status"], payload
            self.events.append((header, payload))

    def open(self, name=b"qemu:///system", flags=0):
        head = b"\0\0\0\1" + struct.pack(">I", len(name)) + name + bytes(-len(name) % 4)
        status, payload = self.call("remote", "connect_open", head + struct.pack(">I", flags))
        assert status == OK, error_text(payload)
        return self


def error_of(payload):
    """(code, domain, message) of an error reply."""
    code, domain, present = struct.unpack(">iiI", payload[:12])
    if not present:
        return code, domain, None
    size, = struct.unpack(">I", payload[12:16])
    return code, domain, payload[16:16 + size].decode()


def error_text(payload):
    return error_of(payload)[2]
