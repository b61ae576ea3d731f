#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest's passwords are in the daemon's memory only where a definition keeps them.

    secrets_memory.py VIRTWARDD [--core]

Takes guests with passwords for VNC and SPICE through their lives with stock virsh and counts, after
every call, the places in the daemon's memory where each password stands: one a definition that
holds it, none in message buffers, in freed memory of the XML and JSON libraries, in texts of files
and commands. Memory is read from /proc; with --core a core dump is taken after each call and
searched instead. Skipped (exit 77) where memory may not be read, or QEMU, virsh or gcore is missing.
"""

import json
import os
import pathlib
import random
import shutil
import stat
import string
import subprocess
import sys
import time
from xml.etree import ElementTree
from xml.sax.saxutils import escape

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "wire"))
import daemon as daemons  # noqa: E402 (beside the wire tests)
import memory  # noqa: E402

# A reply may reach the client a moment before the daemon has wiped what it sent.
SETTLED_S = 2
GUEST = "secrets"
GRAPHICS = "<graphics type='{}' port='-1' autoport='yes' listen='127.0.0.1'{}/>"
DOMAIN = """<domain type='qemu'>
  <name>{name}</name>
  <uuid>5ec2e700-0000-4000-8000-00000000000a</uuid>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>{graphics}{more}</devices>
</domain>
"""
# Stands behind the password in the document, so that texts grow after it has been written.
LONG = "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>" * 60


def password():
    """Eight characters, which is all that VNC takes; chance doesn't find them anywhere. One has to be
    escaped in XML, so that a text with the password is told from the password itself."""
    letters = random.SystemRandom().choices(string.ascii_letters + string.digits, k=7)
    return "".join(letters[:4]) + "&" + "".join(letters[4:])


class Life:
    """One daemon, the guest, and what its memory may hold."""

    def __init__(self, daemon, core):
        self.daemon, self.core = daemon, core
        self.uri = f"qemu:///system?socket={daemon.rw}"
        self.allowed = {}  # password -> places
        self.faults = self.looks = 0

    def virsh(self, *command, fails=False):
        done = subprocess.run(["virsh", "-c", self.uri, *command], capture_output=True, text=True,
                              env={**os.environ, "LC_ALL": "C.UTF-8"}, timeout=60, check=False)
        assert (done.returncode != 0) == fails, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def file(self, name, text):
        path = self.daemon.root / name
        path.write_text(text)
        return str(path)

    def domain(self, secret, more="", display="vnc"):
        return self.file("domain.xml", DOMAIN.format(
            name=GUEST, graphics=GRAPHICS.format(display, f" passwd='{escape(secret)}'"), more=more))

    def graphics(self, secret):
        """The running guest's own element, for update-device, with another password."""
        shown = self.virsh("dumpxml", GUEST, "--xpath", "/domain/devices/graphics")
        return self.file("graphics.xml", shown.replace("<graphics ", f"<graphics passwd='{escape(secret)}' ", 1))

    def memory(self):
        """What the daemon has in its memory now."""
        if self.core:
            return memory.Core(self.daemon.pid, self.daemon.root)
        return memory.Live(self.daemon.pid)

    def expected(self):
        """What is looked for: the password as it is, and as texts of XML have it."""
        return {**self.allowed, **{escape(secret): 0 for secret in self.allowed}}

    def look(self, step):
        """After a call: every password ever used is where it may be, and nowhere else."""
        self.looks += 1
        deadline = time.monotonic() + SETTLED_S
        while True:
            held = self.memory()
            wrong = {secret: found for secret, count in self.expected().items()
                     if len(found := held.places(secret.encode())) != count}
            if not wrong or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        for secret, found in wrong.items():
            self.faults += 1
            print(f"{step}: {len(found)} places instead of {self.expected()[secret]}")
            for place in found:
                print(f"  {place}\n    {held.around(place)!r}")
        if not wrong:
            print(f"{step}: {sum(self.allowed.values())}")


def private_files(life):
    """The files that hold passwords are for the daemon alone."""
    for name in (f"etc/qemu/{GUEST}.xml", f"run/qemu/{GUEST}.xml"):
        mode = stat.S_IMODE((life.daemon.root / name).stat().st_mode)
        if mode & 0o077:
            life.faults += 1
            print(f"{name} has mode {mode:o}")


def definitions(life):
    """Defined, shown, refused, replaced: without a running guest."""
    first, second, refused = password(), password(), password()
    life.virsh("define", life.domain(first))
    life.allowed[first] = 1
    life.look("define")
    assert escape(first) in life.virsh("dumpxml", GUEST, "--security-info")
    life.look("dumpxml --security-info")
    assert escape(first) not in life.virsh("dumpxml", GUEST)
    life.look("dumpxml")

    life.allowed[refused] = 0
    life.virsh("define", life.domain(refused, more="<disk type='nonsense'/>"), fails=True)
    life.look("define, refused")
    broken = life.file("broken.xml", (life.daemon.root / "domain.xml").read_text()[:-12])
    life.virsh("define", broken, fails=True)
    life.look("define, not XML")

    life.virsh("define", life.domain(second))
    life.allowed.update({first: 0, second: 1})
    life.look("define anew")
    life.virsh("desc", GUEST, "--config", "another value of the definition")
    life.look("desc --config")
    life.virsh("define", life.domain(second, more=LONG))
    life.look("define, long")
    assert escape(second) in life.virsh("dumpxml", GUEST, "--security-info")
    life.look("dumpxml --security-info, long")
    life.virsh("define", life.domain(second))
    return second


def running(life, stored):
    """The guest runs: its own definition beside the stored one, QEMU told of passwords."""
    live, by_hand, config, last = (password() for _ in range(4))
    life.virsh("start", GUEST)
    life.allowed[stored] = 2
    life.look("start")
    private_files(life)
    assert escape(stored) in life.virsh("dumpxml", GUEST, "--security-info")
    life.look("dumpxml --security-info of the running guest")

    life.virsh("update-device", GUEST, life.graphics(live), "--live")
    life.allowed.update({stored: 1, live: 1})
    life.look("update-device --live")
    life.allowed[by_hand] = 0
    life.virsh("qemu-monitor-command", GUEST, json.dumps(
        {"execute": "set_password", "arguments": {"protocol": "vnc", "password": by_hand}}))
    life.look("qemu-monitor-command")
    life.virsh("update-device", GUEST, life.graphics(config), "--config")
    life.allowed.update({stored: 0, config: 1})
    life.look("update-device --config")

    life.daemon.restart()
    life.look("kill -9 and restart")
    life.virsh("define", life.domain(last))
    life.allowed.update({config: 0, last: 1})
    life.look("define while it runs")
    life.virsh("destroy", GUEST)
    life.allowed[live] = 0
    life.look("destroy")
    life.virsh("undefine", GUEST)
    life.allowed[last] = 0
    life.look("undefine")


def transient(life):
    """Never stored; and one whose start fails."""
    alone, failed = password(), password()
    life.virsh("create", life.domain(alone))
    life.allowed[alone] = 1
    life.look("create")
    life.virsh("destroy", GUEST)
    life.allowed[alone] = 0
    life.look("destroy of a transient one")
    life.allowed[failed] = 0
    life.virsh("create", life.domain(failed, more="<disk type='file'><source file='/nonexistent'/>"
                                     "<target dev='vda' bus='virtio'/></disk>"), fails=True)
    life.look("create, failed")


def has_spice(life):
    """What QEMU says it can do."""
    offered = ElementTree.fromstring(life.virsh("domcapabilities"))
    return "spice" in [value.text for value in offered.iterfind(".//graphics/enum[@name='type']/value")]


def spice(life):
    """The other display with passwords: longer ones."""
    stored, live = password() * 3, password() * 3
    life.virsh("define", life.domain(stored, display="spice"))
    life.allowed[stored] = 1
    life.look("spice: define")
    life.virsh("start", GUEST)
    life.allowed[stored] = 2
    life.look("spice: start")
    assert escape(stored) in life.virsh("dumpxml", GUEST, "--security-info")
    life.look("spice: dumpxml --security-info")
    life.virsh("update-device", GUEST, life.graphics(live), "--live")
    life.allowed.update({stored: 1, live: 1})
    life.look("spice: update-device --live")
    life.virsh("destroy", GUEST)
    life.virsh("undefine", GUEST)
    life.allowed.update({stored: 0, live: 0})
    life.look("spice: destroy, undefine")


def main(program, *options):
    core = "--core" in options
    for tool in ("virsh", "qemu-system-x86_64", *(["gcore"] if core else [])):
        if not shutil.which(tool):
            print(f"skipped: needs {tool}")
            return 77
    with daemons.running(program, prepare=lambda folder: folder.chmod(0o755)) as daemon:
        life = Life(daemon, core)
        try:
            assert life.memory().places(b"virtward-sock-ro"), "the search finds nothing"
        except PermissionError as error:
            print(f"skipped: {error}")
            return 77
        try:
            running(life, definitions(life))
            transient(life)
            if has_spice(life):
                spice(life)
        finally:
            subprocess.run(["virsh", "-c", life.uri, "destroy", GUEST], capture_output=True,
                           timeout=60, check=False)
    print(f"{life.looks} looks at {'core dumps' if core else 'memory'}, {life.faults} faults")
    return 1 if life.faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
