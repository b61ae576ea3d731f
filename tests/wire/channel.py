# SPDX-License-Identifier: LGPL-2.1-or-later
"""channel.py: the handlers' channel as either side speaks it, for tests.

Codec: values of any type of protocol/handler.json, as dicts, to and from bytes.
Channel: a SEQPACKET socket that sends what it is told, right or wrong, with any descriptors.
Standard library only; written from ../../docs/handler-protocol.md, not from the C that it tests."""

import array
import json
import os
import socket
import struct

import protocol

PACKET_MAX = 200000
FDS_MAX = 253


class Codec:
    """Values to bytes and back. A field that is not given is 0, empty or the first of its enum."""

    def __init__(self):
        self.tables = protocol.Tables()
        path = protocol.FOLDER / "handler.json"
        self.data = self.tables.data["handler"] = json.loads(path.read_text())
        self.rows = {row["name"]: row for row in self.data["procedures"]}

    def fields(self, name):
        return [self.tables.flatten("handler", field) for field in self.data["structs"][name]]

    def encode(self, name, values):
        return b"".join(self._encode(field, values.get(field["name"])) for field in self.fields(name))

    def _encode(self, field, value):
        kind, shape = field["type"], field.get("array")
        if kind in ("string", "opaque"):
            data = value.encode() if isinstance(value, str) else bytes(value or b"")
            if shape == "fixed":
                return data.ljust(field["max"], b"\0") + bytes(-field["max"] % 4)
            return struct.pack(">I", len(data)) + data + bytes(-len(data) % 4)
        if shape == "variable":
            one = {key: field[key] for key in field if key not in ("array", "max")}
            return struct.pack(">I", len(value or ())) + b"".join(self._encode(one, item) for item in value or ())
        if kind in protocol.WORDS:
            return struct.pack(protocol.WORDS[kind], value or 0)
        if kind in self.data["enums"]:
            return struct.pack(">i", value or 0)
        return self.encode(kind, value or {})

    def decode(self, name, data):
        values, rest = self._decode_struct(name, data)
        assert not rest, f"{len(rest)} bytes after {name}"
        return values

    def _decode_struct(self, name, data):
        values = {}
        for field in self.fields(name):
            values[field["name"]], data = self._decode(field, data)
        return values, data

    def _decode(self, field, data):
        kind, shape = field["type"], field.get("array")
        if kind in ("string", "opaque"):
            size = field["max"]
            if shape != "fixed":
                size, data = struct.unpack_from(">I", data)[0], data[4:]
            value, data = data[:size], data[size + -size % 4:]
            return value.decode() if kind == "string" else value, data
        if shape == "variable":
            one = {key: field[key] for key in field if key not in ("array", "max")}
            count, data, items = struct.unpack_from(">I", data)[0], data[4:], []
            for _ in range(count):
                item, data = self._decode(one, data)
                items.append(item)
            return items, data
        if kind in protocol.WORDS or kind in self.data["enums"]:
            word = struct.Struct(protocol.WORDS.get(kind, ">i"))
            return word.unpack_from(data)[0], data[word.size:]
        return self._decode_struct(kind, data)


class Message:
    """What came in, whole; its descriptors are closed with it."""

    def __init__(self, procedure, kind, serial, status):
        self.procedure, self.kind, self.serial, self.status = procedure, kind, serial, status
        self.payload, self.fds = b"", []

    def close(self):
        while self.fds:
            os.close(self.fds.pop())

    __del__ = close

    def error(self):
        """The text of an error."""
        return protocol.error_of(self.payload)[2]


class Channel:
    def __init__(self, connected, codec=None, timeout=60):
        self.socket = connected
        self.socket.settimeout(timeout)
        self.codec = codec or Codec()
        self.serial = 0

    @classmethod
    def connect(cls, path, **options):
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connected.connect(str(path))
        return cls(connected, **options)

    def close(self):
        self.socket.close()

    def send_raw(self, data, fds=()):
        extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.socket.sendmsg([data], extra)

    def send(self, procedure, kind, serial, status, payload=b"", fds=()):
        """procedure: its name. In as many packets as it takes."""
        data, number = self.codec.data, self.codec.rows[procedure]["num"]
        fds = list(fds)
        while True:
            piece, payload = payload[:PACKET_MAX - 28], payload[PACKET_MAX - 28:]
            some, fds = fds[:FDS_MAX], fds[FDS_MAX:]
            now = protocol.CONTINUE if payload or fds else status
            self.send_raw(protocol.HEADER.pack(28 + len(piece), data["number"], data["version"], number, kind,
                                               serial, now) + piece, some)
            if not payload and not fds:
                return

    def receive(self):
        """The next message; ConnectionError at the end."""
        names = {row["num"]: name for name, row in self.codec.rows.items()}
        message = None
        while True:
            data, fds, _, _ = socket.recv_fds(self.socket, PACKET_MAX, FDS_MAX)
            if not data:
                raise ConnectionError("the other side has closed the channel")
            _, _, _, number, kind, serial, status = protocol.HEADER.unpack_from(data)
            message = message or Message(names[number], kind, serial, status)
            message.payload += data[protocol.HEADER.size:]
            message.fds += fds
            message.status = status
            if status != protocol.CONTINUE:
                return message

    def call(self, procedure, values, fds=()):
        """The answer to a call; whatever else comes before it is dropped."""
        self.serial += 1
        args = self.codec.rows[procedure]["args"]
        self.send(procedure, protocol.CALL, self.serial, protocol.OK,
                  self.codec.encode(args, values) if args else b"", fds)
        while True:
            message = self.receive()
            if message.kind == protocol.REPLY and message.serial == self.serial:
                return message

    def answer(self, call, values=None, fds=()):
        """Success."""
        ret = self.codec.rows[call.procedure]["ret"]
        self.send(call.procedure, protocol.REPLY, call.serial, protocol.OK,
                  self.codec.encode(ret, values or {}) if ret else b"", fds)

    def refuse(self, call, text):
        """An error with this text (remote_error of the wire)."""
        data = text.encode()
        payload = struct.pack(">iiII", 1, 0, 1, len(data)) + data + bytes(-len(data) % 4)
        payload += struct.pack(">iIIIIiiI", 2, 0, 0, 0, 0, 0, 0, 0)
        self.send(call.procedure, protocol.REPLY, call.serial, protocol.ERROR, payload)
