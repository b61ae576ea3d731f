#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A made-up systemd with its machined on a private bus: it makes scopes, as they do, and nothing else.

    machines.py ADDRESS CALLS [systemd]     speaks until its bus ends; each call is a line of CALLS
    machines.bus(FOLDER)                    a bus with it, for a test

With "systemd" there is no machined. A scope is a folder of the unified hierarchy with the leader in
it, in slices that go with the last scope. A machine whose name has "refused" in it is refused.
"""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys

MANAGER = """<node><interface name='org.freedesktop.machine1.Manager'>
<method name='CreateMachineWithNetwork'><arg type='s'/><arg type='ay'/><arg type='s'/><arg type='s'/>
<arg type='u'/><arg type='s'/><arg type='ai'/><arg type='a(sv)'/><arg type='o' direction='out'/></method>
<method name='TerminateMachine'><arg type='s'/></method></interface></node>"""
SYSTEMD = """<node><interface name='org.freedesktop.systemd1.Manager'>
<method name='Subscribe'/>
<method name='StartTransientUnit'><arg type='s'/><arg type='s'/><arg type='a(sv)'/><arg type='a(sa(sv))'/>
<arg type='o' direction='out'/></method>
<method name='StopUnit'><arg type='s'/><arg type='s'/><arg type='o' direction='out'/></method>
<method name='SetUnitProperties'><arg type='s'/><arg type='b'/><arg type='a(sv)'/></method>
<signal name='JobRemoved'><arg type='u'/><arg type='o'/><arg type='s'/><arg type='s'/></signal>
</interface></node>"""


def mount():
    """Of the unified hierarchy; None if there is none."""
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        if line.split()[2] == "cgroup2":
            return pathlib.Path(line.split()[1])
    return None


def scope_of(machine):
    return "machine-" + machine.replace("-", "\\x2d") + ".scope"


class Scopes:
    """Folders of scopes, by unit."""

    def __init__(self):
        self.folders = {}

    def start(self, unit, slice_, leader):
        folder = mount()
        words = slice_.removesuffix(".slice").split("-")
        for count in range(1, len(words) + 1):
            folder = folder / ("-".join(words[:count]) + ".slice")
        folder = folder / unit
        folder.mkdir(parents=True, exist_ok=False)
        (folder / "cgroup.procs").write_text(str(leader))
        self.folders[unit] = folder

    def stop(self, unit):
        """False if there is none; a process that is left in it ends."""
        folder = self.folders.pop(unit, None)
        if not folder:
            return False
        if (folder / "cgroup.kill").exists():
            (folder / "cgroup.kill").write_text("1")
        with contextlib.suppress(OSError):  # others are in the slice
            while folder != mount():
                folder.rmdir()
                folder = folder.parent
        return True


class Speaker:
    """The interfaces; one method a method of theirs."""

    def __init__(self, connection, calls):
        self.connection, self.calls, self.scopes, self.jobs = connection, calls, Scopes(), 0

    def register(self, text, path):
        node = self.gio.DBusNodeInfo.new_for_xml(text)
        self.connection.register_object(path, node.interfaces[0], self.answer, None, None)

    def answer(self, _connection, _sender, _path, _interface, method, arguments, invocation):
        values = arguments.unpack()
        self.calls.write(json.dumps([method, values]) + "\n")
        self.calls.flush()
        getattr(self, method)(invocation, *values)

    def refuse(self, invocation, name, text):
        invocation.return_dbus_error(name, text)

    def give(self, invocation, kind="()", *values):
        invocation.return_value(self.glib.Variant(kind, values))

    def CreateMachineWithNetwork(self, invocation, name, _uuid, _service, _class, leader, _root,
                                 _interfaces, properties):
        if "refused" in name:
            self.refuse(invocation, "org.freedesktop.machine1.MachineExists",
                        f"Machine '{name}' already exists")
            return
        self.scopes.start(scope_of(name), dict(properties)["Slice"], leader)
        self.give(invocation, "(o)", "/org/freedesktop/machine1/machine/x")

    def TerminateMachine(self, invocation, name):
        if self.scopes.stop(scope_of(name)):
            self.give(invocation)
        else:
            self.refuse(invocation, "org.freedesktop.machine1.NoSuchMachine",
                        f"No machine '{name}' known")

    def Subscribe(self, invocation):
        self.give(invocation)

    def StartTransientUnit(self, invocation, name, _mode, properties, _others):
        values = dict(properties)
        self.jobs += 1
        job = f"/org/freedesktop/systemd1/job/{self.jobs}"
        self.give(invocation, "(o)", job)
        if "refused" not in name:
            self.scopes.start(name, values["Slice"], values["PIDs"][0])
        self.connection.emit_signal(
            None, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "JobRemoved",
            self.glib.Variant("(uoss)", (self.jobs, job, name,
                                         "failed" if "refused" in name else "done")))

    def StopUnit(self, invocation, name, _mode):
        if self.scopes.stop(name):
            self.give(invocation, "(o)", "/org/freedesktop/systemd1/job/9")
        else:
            self.refuse(invocation, "org.freedesktop.systemd1.NoSuchUnit", f"Unit {name} not loaded.")

    def SetUnitProperties(self, invocation, name, _runtime, _properties):
        if name in self.scopes.folders:
            self.give(invocation)
        else:
            self.refuse(invocation, "org.freedesktop.systemd1.NoSuchUnit", f"Unit {name} not loaded.")


def speak(address, calls, with_machined):
    import gi  # of the distribution's Python alone
    gi.require_version("Gio", "2.0")
    from gi.repository import Gio, GLib
    Speaker.gio, Speaker.glib = Gio, GLib
    connection = Gio.DBusConnection.new_for_address_sync(
        address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
        | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
    speaker = Speaker(connection, calls)
    speaker.register(SYSTEMD, "/org/freedesktop/systemd1")
    names = ["org.freedesktop.systemd1"]
    if with_machined:
        speaker.register(MANAGER, "/org/freedesktop/machine1")
        names.append("org.freedesktop.machine1")
    for name in names:
        connection.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus",
                             "org.freedesktop.DBus", "RequestName",
                             GLib.Variant("(su)", (name, 4)), None, 0, -1, None)
    print("ready", flush=True)
    GLib.MainLoop().run()


CONFIG = """<busconfig><type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context='default'><allow send_destination='*' eavesdrop='false'/><allow own='*'/>
<allow receive_sender='*'/><allow user='*'/></policy></busconfig>"""


@contextlib.contextmanager
def bus(folder, *how):
    """Its address, and the file of calls."""
    socket, calls = folder / "bus", folder / "calls"
    (folder / "bus.conf").write_text(CONFIG.format(socket=socket))
    address = f"unix:path={socket}"
    with contextlib.ExitStack() as stack:
        server = subprocess.Popen(["dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork",
                                   "--print-address"], stdout=subprocess.PIPE, text=True,
                                  stderr=subprocess.DEVNULL)  # it says what it may not raise
        stack.callback(end, server)
        assert server.stdout.readline(), "the bus did not start"
        speaker = subprocess.Popen(["/usr/bin/python3", __file__, address, calls, *how],
                                   stdout=subprocess.PIPE, text=True)
        stack.callback(end, speaker)
        assert speaker.stdout.readline() == "ready\n", "nobody speaks on the bus"
        yield address, calls


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    process.wait(30)
    process.stdout.close()


if __name__ == "__main__":
    with open(sys.argv[2], "a", encoding="utf-8") as file:
        speak(sys.argv[1], file, "systemd" not in sys.argv[3:])
