#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virt_install.py VIRTWARDD MKGUEST: guests made and changed by stock virt-install and virt-xml.

A small Linux boots by virt-install --import with a kernel of its own and says so on its serial port;
what virt-install writes for Linux and for Windows, on q35 and on pc, is taken, is by the schema, and
starts; virt-xml changes a stored guest and a running one. Skipped (exit 77) where virt-install, virsh
or QEMU is missing or the caller isn't root."""

import os
import pathlib
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "wire"))
import daemon as daemons  # noqa: E402 (beside the wire tests)

NEEDED = ("virt-install", "virt-xml", "virsh", "qemu-system-x86_64", "busybox", "cpio")
CALL_S = 120  # a busy machine
BOOT_S = 90  # emulated, on a busy machine
GUESTS = [("linux2022", "q35"), ("linux2022", "pc"), ("win10", "q35"), ("win10", "pc")]
# not to be started here: the machine's sound, and a port of the display for each guest
PLAIN = ["--graphics", "vnc,listen=none", "--sound", "none"]


class Host:
    def __init__(self, daemon):
        self.daemon = daemon
        self.uri = f"qemu:///system?socket={daemon.rw}"
        self.disk = daemon.root / "disk.img"
        self.disk.touch(mode=0o666)
        os.truncate(self.disk, 16 << 20)

    def run(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(self.daemon.root)},
                              timeout=CALL_S, check=False)
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def virsh(self, *command):
        return self.run("virsh", "-c", self.uri, *command)

    def install(self, name, *options):
        return self.run("virt-install", "--connect", self.uri, "--name", name, "--memory", "192", "--vcpus", "1",
                        "--virt-type", "qemu", "--import", "--noautoconsole", "--network", "user", *options)

    def edit(self, name, *options):
        return self.run("virt-xml", "--connect", self.uri, name, *options)

    def document(self, name, *options):
        return ElementTree.fromstring(self.virsh("dumpxml", name, *options))

    def end(self, name):
        if self.virsh("domstate", name).strip() != "shut off":
            self.virsh("destroy", name)
        self.virsh("undefine", name, "--nvram")


def wait_for(text, file):
    deadline = time.monotonic() + BOOT_S
    while text not in (file.read_text(errors="replace") if file.exists() else ""):
        assert time.monotonic() < deadline, f"the guest didn't say '{text}': {file.read_text(errors='replace')}"
        time.sleep(0.1)


def check_linux_boots(host, guest):
    serial = host.daemon.root / "serial.log"
    serial.touch(mode=0o666)
    host.install("schema-linux", "--osinfo", "linux2022", "--disk", f"source.file={host.disk},driver.type=raw",
                 "--boot", f"kernel={guest}/vmlinuz,initrd={guest}/initrd,kernel_args=console=ttyS0",
                 "--serial", f"file,source.path={serial}", *PLAIN)
    assert host.virsh("domstate", "schema-linux").strip() == "running"
    wait_for("GUEST READY", serial)
    document = host.document("schema-linux")
    assert document.find("devices/interface").get("type") == "user"
    assert document.find("devices/disk/source").get("file") == str(host.disk)


def check_running_guest_changes(host):
    """virt-xml asks for a device by its element; the guest has it, now and after its next start."""
    host.edit("schema-linux", "--add-device", "--rng", "/dev/urandom", "--update")
    for options in ([], ["--inactive"]):
        found = host.document("schema-linux", *options).findall("devices/rng")
        assert len(found) == 2, f"{len(found)} <rng> {options}"
    host.edit("schema-linux", "--remove-device", "--rng", "2", "--update")
    assert len(host.document("schema-linux", "--inactive").findall("devices/rng")) == 1


def check_stored_guest_changes(host, name):
    host.edit(name, "--edit", "--memory", "256")
    host.edit(name, "--edit", "--metadata", "title=changed")
    host.edit(name, "--add-device", "--watchdog", "i6300esb")
    document = host.document(name)
    assert document.find("memory").text == str(256 << 10)
    assert document.find("title").text == "changed"
    assert document.find("devices/watchdog").get("model") == "i6300esb"
    host.edit(name, "--remove-device", "--watchdog", "all")
    left = host.document(name).findall("devices/watchdog[@model='i6300esb']")
    assert not left, "the watchdog is still there"


def check_what_is_written_is_taken(host, system, machine):
    """As much as virt-install would ask for of itself, spice and sound included."""
    name = f"schema-{system}-{machine}"
    text = host.install(name, "--osinfo", system, "--machine", machine, "--disk",
                        f"source.file={host.disk},driver.type=raw", "--print-xml")
    file = host.daemon.root / f"{name}.xml"
    file.write_text(text)
    host.virsh("define", str(file), "--validate")
    written, taken = ElementTree.fromstring(text), host.document(name)
    for element in ("devices/disk", "devices/interface", "devices/graphics", "devices/video", "clock/timer",
                    "features/hyperv/*"):
        assert len(taken.findall(element)) >= len(written.findall(element)), f"{name}: {element} is missing"
    host.virsh("undefine", name, "--nvram")


def check_started(host, system, machine):
    name = f"schema-{system}-{machine}"
    host.install(name, "--osinfo", system, "--machine", machine, "--disk",
                 f"source.file={host.disk},driver.type=raw", *PLAIN)
    assert host.virsh("domstate", name).strip() == "running"
    stored = host.document(name, "--inactive")
    assert stored.find("os/type").get("machine").startswith("pc-q35" if machine == "q35" else "pc-i440fx")
    host.virsh("destroy", name)
    return name


def main(program, mkguest):
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing or os.geteuid() != 0:
        print(f"skipped: needs root and {', '.join(missing) or 'nothing else'}")
        return 77
    with daemons.running(program) as daemon:
        host = Host(daemon)
        daemon.root.chmod(0o755)
        guest = daemon.root / "guest"
        subprocess.run([mkguest, guest], check=True, stdout=subprocess.DEVNULL)
        for system, machine in GUESTS:
            check_what_is_written_is_taken(host, system, machine)
        for machine in ("q35", "pc"):
            name = check_started(host, "win10", machine)
            if machine == "pc":
                check_stored_guest_changes(host, name)
            host.end(name)
        check_linux_boots(host, guest)
        check_running_guest_changes(host)
        host.end("schema-linux")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
