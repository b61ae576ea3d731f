#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Handlers of the gate that lie to the daemon, and daemons that ask a helper for too much.

    gate_liars.py VIRTWARDD VIRTWARD HELPERD [--only PART]

Between the daemon of gate_handler.py and virtward-helperd sits a go-between that changes calls and
answers: each lie is an error in words that names the hook and what is wrong, the guest does not
start or is not changed, and nothing is left of it in the kernel or among the daemon's descriptors.
On the other side a script speaks to the helper as a daemon would: what its policy does not have is
refused, whatever the descriptors are, and audited.
"""
import contextlib
import ctypes
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import threading
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "wire")]
import bpf  # noqa: E402
import channel  # noqa: E402 (beside the wire tests)
import gate_handler  # noqa: E402
import protocol  # noqa: E402
from gate_daemon import mount_of_cgroup2, until  # noqa: E402
from gate_handler import NAME, ROOM, kernel, objects, opens, until_nothing  # noqa: E402

RULES, NODES, HEADER, EVENTS, PROGRAM, LINK = (1 << i for i in range(6))
ALL = RULES | NODES | HEADER | EVENTS | PROGRAM
GATE = ("gate_create", "gate_update", "gate_replace", "gate_remove")


class Listener:
    """A socket for the helper to register at."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(gate_handler.DEADLINE)
        self.socket.bind(str(path))
        self.socket.listen(1)

    def accept(self):
        """The helper's channel, and what it registered for, as it said it."""
        connected = channel.Channel(self.socket.accept()[0])
        registered = []
        while len(registered) < len(GATE):
            message = connected.receive()
            assert message.procedure == "register", message.procedure
            registered.append(message.payload)
            connected.answer(message, {"id": len(registered)})
        return connected, registered


class GoBetween(threading.Thread):
    """Passes the daemon's calls on to the helper, and what it answers back.

    lie: a function for a call, (values, descriptors) -> the same, or None for "ok" at once; and one
    for an answer. Both may be exchanged at any time."""

    def __init__(self, host, listener):
        super().__init__(daemon=True)
        self.helper, registered = listener.accept()
        self.daemon = channel.Channel.connect(host.running.root / "run" / "handler" / "sock")
        for payload in registered:
            self.daemon.serial += 1
            self.daemon.send("register", protocol.CALL, self.daemon.serial, protocol.OK, payload)
            answer = self.daemon.receive()
            assert answer.status == protocol.OK, answer.error()
        self.codec = self.daemon.codec
        self.calls, self.answers = {}, {}  # by procedure
        self.failure = None

    def run(self):
        self.daemon.socket.settimeout(None)
        try:
            while True:
                self.serve(self.daemon.receive())
        except (ConnectionError, OSError):
            pass  # the daemon has gone, or the test
        except Exception as failure:  # pylint: disable=broad-except; told by close
            self.failure = failure
            self.daemon.close()

    def serve(self, call):
        if call.procedure not in GATE:
            if call.kind == protocol.CALL:
                self.daemon.answer(call, {})
            return
        row = self.codec.rows[call.procedure]
        values, fds = self.codec.decode(row["args"], call.payload), call.fds
        changed = self.calls.get(call.procedure, lambda *same: same)(values, fds)
        if changed is None:
            self.daemon.answer(call, {})
            return
        values, fds = changed
        answer = self.helper.call(call.procedure, values, fds)
        if answer.status != protocol.OK:
            self.daemon.send(call.procedure, protocol.REPLY, call.serial, answer.status, answer.payload)
            return
        given = self.codec.decode(row["ret"], answer.payload) if row["ret"] else {}
        given, fds = self.answers.get(call.procedure, lambda *same: same)(given, answer.fds)
        self.daemon.answer(call, given, fds)

    def close(self):
        with contextlib.suppress(OSError):
            self.daemon.socket.shutdown(socket.SHUT_RDWR)
        self.join(gate_handler.DEADLINE)
        self.daemon.close()
        self.helper.close()
        assert self.failure is None, self.failure


@contextlib.contextmanager
def between(host, **keys):
    """The helper, and the go-between in front of it."""
    path = host.folder / "between"
    listener = Listener(path)
    starting = threading.Thread(target=host.start_helper, kwargs={"socket": path, **keys})
    starting.start()
    go_between = GoBetween(host, listener)
    starting.join(gate_handler.DEADLINE)
    listener.socket.close()  # it is not let in again
    go_between.start()
    try:
        yield go_between
    finally:
        go_between.close()
        host.end_helper()
        path.unlink()


# --- lies about a new gate ---

def nothing_at_all(host, stack):
    return {"calls": lambda values, fds: None}, "it gave no 'rules' of the gate"


def no_program(host, stack):
    def lie(given, fds):
        return {"objects": ALL & ~PROGRAM}, fds[:4]
    return {"answers": lie}, "it gave no 'prog' of the gate"


def too_few(host, stack):
    return {"answers": lambda given, fds: (given, fds[:-1])}, "descriptors for"


def too_many(host, stack):
    return {"answers": lambda given, fds: (given, fds + fds[:1])}, "descriptors for"


def unknown_object(host, stack):
    def lie(given, fds):
        return {"objects": given["objects"] | 1 << 9}, fds + fds[:1]
    return {"answers": lie}, "it gave objects that no gate has"


def a_file(host, stack):
    file = os.open("/dev/null", os.O_RDWR)
    stack.callback(os.close, file)
    return {"answers": lambda given, fds: (given, [file] + fds[1:])}, "its 'rules' is no BPF object"


def in_another_order(host, stack):
    return {"answers": lambda given, fds: (given, fds[::-1])}, "its 'rules' is"


def tables_of_another_gate(host, stack):
    """Right in layout and rules, but not what the program asks."""
    kept = []

    def lie(given, fds):
        if not kept:
            kept.extend(os.dup(fd) for fd in fds)
            stack.callback(lambda: [os.close(fd) for fd in kept])
            return given, fds
        return given, [fds[0], kept[1]] + fds[2:]
    return {"answers": lie, "first": True}, "its 'prog' does not use the 'nodes' that came with it"


def gate_of_another_guest(host, stack):
    kept = []

    def lie(given, fds):
        if not kept:
            kept.extend(os.dup(fd) for fd in fds)
            stack.callback(lambda: [os.close(fd) for fd in kept])
            return given, fds
        return given, kept
    return {"answers": lie, "first": True}, "its 'hdr' is that of guest " + host.uuids


def made_elsewhere(host, stack):
    """A gate like it should be, on another group."""
    folder = host.given / "elsewhere"
    folder.mkdir()
    stack.callback(folder.rmdir)
    other = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    stack.callback(os.close, other)
    why = "its 'link' does not hold a program on the control group" if host.pinned else \
        "the device gate lets '"
    return {"calls": lambda values, fds: (values, [other] + fds[1:])}, why


def a_rule_less(host, stack):
    def lie(values, fds):
        return {**values, "rules": values["rules"][:-1]}, fds
    return {"calls": lie}, "1 of its rules are others than wanted"


def a_rule_more(host, stack):
    def lie(values, fds):
        fuse = {"type": 2, "major": 10, "minor": 229, "access": 6}
        return {**values, "capacity": 2 * ROOM, "rules": values["rules"] + [fuse]}, fds
    return {"calls": lie}, "1 of its rules are others than wanted"


def another_mode(host, stack):
    return {"calls": lambda values, fds: ({**values, "mode": 1}, fds)}, "its mode is permissive, not enforce"


def a_link_too_many(host, stack):
    if host.pinned:
        return {"calls": lambda values, fds: ({**values, "lock": 0}, fds)}, "it gave no 'link' of the gate"
    return {"calls": lambda values, fds: ({**values, "lock": 1}, fds)}, "it gave a 'link' of the gate that was not asked"


LIES = (nothing_at_all, no_program, too_few, too_many, unknown_object, a_file, in_another_order,
        tables_of_another_gate, gate_of_another_guest, made_elsewhere, a_rule_less, a_rule_more, another_mode,
        a_link_too_many)


def tell(host, go_between, make):
    """One lie about a new gate."""
    with contextlib.ExitStack() as stack:
        lie, why = make(host, stack)
        if "calls" in lie:
            go_between.calls["gate_create"] = lie["calls"]
        if "answers" in lie:
            go_between.answers["gate_create"] = lie["answers"]
        if "first" in lie:
            host.create("gateh-first")
        host.create(fails=f"the handler reported gate.create as done, but {why}" if "descriptors" not in why
                    else why)
        go_between.calls.clear()
        go_between.answers.clear()
        if "first" in lie:
            host.virsh("destroy", "gateh-first")


def check_lies_about_a_new_gate(host):
    with between(host) as go_between:
        host.create()
        host.virsh("destroy", NAME)
        until_nothing(host)
        before = host.running.fds()
        for make in LIES if host.pinned else (a_file, made_elsewhere, a_link_too_many):
            tell(host, go_between, make)
            until(f"no descriptor stays of {make.__name__}", lambda: host.running.fds() == before)
        until_nothing(host)


# --- lies about one that is there ---

def check_lies_about_changes(host):
    """What is reported as changed, exchanged, taken off, and isn't."""
    with between(host, ids="yes") as go_between:
        group = host.create()
        go_between.calls["gate_replace"] = lambda values, fds: ({**values, "capacity": ROOM}, fds)
        host.plug(host.nodes / "full", fails="the handler reported gate.replace as done, but there is no more room")
        go_between.calls.clear()
        go_between.calls["gate_update"] = lambda values, fds: None
        host.plug(host.nodes / "full", fails="the handler reported gate.update as done, but the kernel holds '' "
                  "for 'c 1:7 r")
        assert not opens(group, host.nodes / "full") and opens(group, "/dev/null")
        go_between.calls.clear()
        host.plug(host.nodes / "full")
        assert opens(group, host.nodes / "full") and not opens(group, host.nodes / "fuse")
        host.virsh("destroy", NAME)
        until_nothing(host)


# --- answers that nobody waits for any more ---

def check_late_exchanges(host):
    """The gate is exchanged after the daemon gave up: it finds out before it changes a rule."""
    with between(host, ids="yes") as go_between:
        group = host.create()
        before = objects(group)
        held, go = [], threading.Event()

        def hold(values, fds):
            held.append(values)
            assert go.wait(gate_handler.DEADLINE)
            return values, fds

        go_between.calls["gate_replace"] = hold
        host.plug(host.nodes / "full", fails="the handler of gate.replace has not answered within")
        go_between.calls.clear()
        go.set()
        until("it is exchanged", lambda: objects(group) != before)
        assert held and not opens(group, host.nodes / "full")
        host.plug(host.nodes / "full")
        assert opens(group, host.nodes / "full") and not opens(group, host.nodes / "fuse")
        assert len(objects(group)) == len(before), "nothing was attached beside it"
        host.virsh("destroy", NAME)
        until_nothing(host)


check_late_exchanges.config = "handler_timeout = 2\n"


def check_daemon_killed_in_an_exchange(host):
    """kill -9 between question and answer: the exchange happens, and nobody got what it gave."""
    with between(host, ids="yes") as go_between:
        group = host.create()
        before = objects(group)

        def kill(values, fds):
            os.kill(host.running.pid, signal.SIGKILL)
            host.running.process.wait()
            return values, fds

        go_between.calls["gate_replace"] = kill
        plugging = threading.Thread(target=host.plug, args=(host.nodes / "full",), kwargs={"fails": ""})
        plugging.start()
        until("it is exchanged", lambda: objects(group) != before)
        plugging.join(gate_handler.DEADLINE)
    assert not opens(group, host.nodes / "full") and opens(group, "/dev/null")
    host.running.restart()
    host.start_helper(ids="yes")
    host.plug(host.nodes / "fuse")
    assert opens(group, host.nodes / "fuse") and not opens(group, host.nodes / "other")
    assert len(objects(group)) == len(before), "nothing was attached beside it"
    host.virsh("destroy", NAME)
    until_nothing(host)


# --- daemons that ask for too much ---

NULL = {"type": 2, "major": 1, "minor": 3, "access": 6}


class Asker:
    """Speaks to the helper as a daemon would."""

    def __init__(self, host, stack, **keys):
        path = host.folder / "asker"
        listener = Listener(path)
        starting = threading.Thread(target=host.start_helper, kwargs={
            "socket": path, "max": 64, "devices": "c 1:[35789];c ?:[0-9]*;c 136:*", "modes": "enforce", **keys})
        starting.start()
        self.host = host
        self.channel, _ = listener.accept()
        starting.join(gate_handler.DEADLINE)
        listener.socket.close()
        self.uuid = bytes.fromhex(host.uuids + uuid.uuid4().hex[8:])
        self.request = 0
        self.stack = stack
        stack.callback(self.channel.close)

    def ask(self, hook, fds, uuid_=None, **values):
        self.request += 1
        call = {"uuid": uuid_ or self.uuid, "domain": "asker", "request": self.request, "deadline": 60000}
        return self.channel.call(hook, {"call": call, **values}, fds)

    def refused(self, why, hook, fds, **values):
        answer = self.ask(hook, fds, **values)
        assert answer.status == protocol.ERROR, (hook, values)
        assert why in answer.error(), (why, answer.error())
        line = self.host.hear(f"request={self.request} ")
        assert "verdict=refused" in line and why.split("'")[0] in line, line

    def done(self, hook, fds, **values):
        answer = self.ask(hook, fds, **values)
        assert answer.status == protocol.OK, answer.error()
        assert "verdict=done" in self.host.hear(f"request={self.request} ")
        fds, answer.fds = answer.fds, []
        for fd in fds:
            self.stack.callback(os.close, fd)
        return fds

    def group(self, path):
        """A group's descriptor; one that isn't there is made."""
        if not path.exists():
            path.mkdir(parents=True)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        self.stack.callback(os.close, fd)
        return fd


def bind(stack, source, target):
    subprocess.run(["mount", "--bind", source, target], check=True)
    stack.callback(subprocess.run, ["umount", "--lazy", target], check=True)


# What each hook asks for, so that only the group or the value is wrong.
ASKED = {"gate_create": {"capacity": 8, "rules": [NULL]}, "gate_replace": {"capacity": 8, "rules": [NULL]},
         "gate_update": {"changes": [NULL]}, "gate_remove": {}}


def refuse_groups(host, asker, stack):
    outside = mount_of_cgroup2() / f"virtward-gateh-outside-{os.getpid()}"
    rules = ASKED["gate_create"]
    elsewhere = asker.group(outside)
    stack.callback(outside.rmdir)
    masked = host.given / "masked" / "guest"
    asker.group(masked)
    bind(stack, outside, masked)
    folder = os.open(host.folder, os.O_RDONLY)
    stack.callback(os.close, folder)
    for hook, asked in ASKED.items():
        for fd in (asker.group(mount_of_cgroup2()), elsewhere, asker.group(masked)):
            asker.refused("in none of the control groups of the policy", hook, [fd], **asked)
        for fds in ([folder], [asker.channel.socket.fileno()]):
            asker.refused("is no control group", hook, fds, **asked)
        asker.refused("a descriptor is missing", hook, [], **asked)
    # its own group goes before that of the policy: the gate would reach up
    asker.refused("in none of the control groups", "gate_create", [asker.group(host.given)], **rules)


def refuse_values(host, asker, stack):
    group = [asker.group(host.given / "values" / "guest")]

    def refused(why, **values):
        for hook in ("gate_create", "gate_replace"):
            asker.refused(why.replace("gate.create", hook.replace("_", ".")), hook, group, **{**ASKED[hook], **values})
        if "capacity" not in values and len(values.get("rules", [])) < 2:
            changed = {"changes": values.pop("rules")} if "rules" in values else {}
            asker.refused(why.replace("gate.create", "gate.update"), "gate_update", group,
                          **{**ASKED["gate_update"], **changed, **values})
    refused("'c 10:232' is not among the devices of gate.create", rules=[{**NULL, "major": 10, "minor": 232}])
    refused("'b 1:3' is not among", rules=[{**NULL, "type": 1}])
    for rule in ({"major": -1}, {"minor": -1}, {"major": -1, "minor": -1}):
        refused("every-number", rules=[{**NULL, **rule}])
    for rule in ({"type": 3}, {"access": 255}, {"major": -2}, {"minor": 1 << 20}):
        refused("is no rule for a device", rules=[{**NULL, **rule}])
    refused("a number of rules of 65 is outside", capacity=65)
    refused("a number of rules of 65 is outside", rules=[{**NULL, "minor": i} for i in range(65)])
    refused("'permissive' is not among the modes", mode=1)
    refused("a gate has no mode 7", mode=7)
    file = os.open("/dev/null", os.O_RDWR)
    stack.callback(os.close, file)
    for hook, asked in ASKED.items():
        asker.refused("descriptors came for", hook, group + [file], **asked)
        asker.refused("descriptors came for", hook, group, objects=EVENTS, **asked)
        asker.refused("descriptors came for", hook, group + [file] * 7, objects=127, **asked)
    asker.refused("the ring of denials that came is none", "gate_create", group + [file], objects=EVENTS,
                  capacity=8, rules=[NULL])
    for hook in ("gate_replace", "gate_update", "gate_remove"):
        asker.refused("no gate of this guest", hook, group + [file] * 5, objects=ALL, **ASKED[hook])


def refuse_others_gates(host, asker):
    """What came must be this guest's, and what is changed must sit on the group."""
    rules = {"capacity": 8, "rules": [NULL]}
    group, other = (asker.group(host.given / name / "guest") for name in ("own", "foreign"))
    gate = asker.done("gate_create", [group], **rules)
    change = {"objects": ALL, "changes": [{**NULL, "minor": 5}]}
    asker.refused("is that of guest", "gate_update", [group, *gate], uuid_=bytes(range(16)), **change)
    asker.refused("the group has no device gate", "gate_update", [other, *gate], **change)
    asker.done("gate_update", [group, *gate], **change)
    inside = subprocess.Popen(["sleep", "1000"])
    try:
        (host.given / "own" / "guest" / "cgroup.procs").write_text(str(inside.pid))
        asker.refused("stays while there are processes", "gate_remove", [group, *gate], objects=ALL)
        assert not opens(host.given / "own" / "guest", host.nodes / "fuse")
    finally:
        inside.kill()
        inside.wait()
    asker.done("gate_remove", [group, *gate], objects=ALL)
    assert opens(host.given / "own" / "guest", host.nodes / "fuse")


def allow_part_of_a_hierarchy(host, asker, stack):
    """A container's mount shows nothing above its own group: that is found from the other end."""
    asker.group(host.given / "part" / "container" / "guest")
    shown = host.folder / "shown"
    shown.mkdir()
    bind(stack, host.given / "part" / "container", shown)
    group = asker.group(shown / "guest")
    gate = asker.done("gate_create", [group], capacity=8, rules=[NULL])
    asker.done("gate_remove", [group, *gate], objects=ALL)


def libvirts_program(rules):
    """A device program as libvirt has it, one over a hash of rules; its descriptor."""
    table = bpf.call(0, struct.pack("<IIIII", 1, 8, 4, 64, 0))[0]  # a hash
    for (major, minor), (kind, access) in rules.items():
        key = ctypes.create_string_buffer(struct.pack("<Q", major << 32 | minor), 8)
        value = ctypes.create_string_buffer(struct.pack("<I", access << 16 | kind), 4)
        bpf.call(2, struct.pack("<IIQQQ", table, 0, ctypes.addressof(key), ctypes.addressof(value), 0))
    text = bpf.instruction(0x18, dst=1, src=1, imm=table) + bpf.instruction(0)  # r1 = the hash
    code = ctypes.create_string_buffer(text + bpf.instruction(0xb7, imm=1) + bpf.instruction(0x95))
    licence = ctypes.create_string_buffer(b"GPL")
    program = bpf.call(bpf.PROG_LOAD, struct.pack(
        "<IIQQIIQII16s", bpf.TYPE_CGROUP_DEVICE, 4, ctypes.addressof(code), ctypes.addressof(licence),
        0, 0, 0, 0, 0, b""))[0]
    os.close(table)
    return program


def adopt(host, asker, hook, expected):
    """A gate of libvirt's on a running guest's group becomes ours."""
    place = host.given / hook / "guest"
    group = asker.group(place)
    program = libvirts_program({(1, 3): (2, 6), (1, 5): (2, 2), (10, 229): (2, 6)})
    bpf.call(bpf.PROG_ATTACH, struct.pack("<IIII", group, program, bpf.ATTACH_CGROUP_DEVICE, 0))
    os.close(program)
    gate = asker.done(hook, [group], capacity=8, rules=[NULL])
    assert gate_handler.names(place) == ["vw_gate"], gate_handler.names(place)
    assert opens(place, "/dev/null") and not opens(place, host.nodes / "full")
    assert opens(place, host.nodes / "fuse") == expected
    asker.done("gate_remove", [group, *gate], objects=ALL)


def check_adoption(host):
    with contextlib.ExitStack() as stack:
        asker = Asker(host, stack, ids="yes")
        adopt(host, asker, "gate_replace", True)  # what it has stays until it is updated
        adopt(host, asker, "gate_create", False)
    until("the kernel has freed all", lambda: kernel(host) == gate_handler.NONE)


check_adoption.pinned = (False,)


def check_askers(host):
    with contextlib.ExitStack() as stack:
        asker = Asker(host, stack)
        folder = f"/proc/{host.helper.pid}/fd"
        before = len(os.listdir(folder))
        refuse_groups(host, asker, stack)
        refuse_values(host, asker, stack)
        refuse_others_gates(host, asker)
        allow_part_of_a_hierarchy(host, asker, stack)
        until("the helper keeps nothing", lambda: len(os.listdir(folder)) == before)
    until("the kernel has freed all", lambda: kernel(host) == gate_handler.NONE)


check_askers.pinned = (False,)  # there are no pins in it

PARTS = {name[6:].replace("_", "-"): part for name, part in list(globals().items())
         if name.startswith("check_")}

if __name__ == "__main__":
    gate_handler.main(PARTS)
