#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A step of a device's plan fails, or the daemon is killed at it: for every device and every step.

    devices_fault.py VIRTWARDD VIRTWARD MKGUEST [--all] [NAME …]

One guest runs through all of it; the daemon is started anew for each case, with the fault point
"plug:step" told to fail, or to kill, the n-th time; with --all also at the points of ACCESS.
Afterwards the device is whole (in the document, in QEMU, with its rules, interfaces and files) or
gone: whatever QEMU and the host have is as before. Without --all only SAMPLE. Needs a build with
-Dfault_points=true, root and QEMU.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "wire"))
import daemon  # noqa: E402 (beside the wire tests)
import devices_run as run  # noqa: E402
import macvtap  # noqa: E402

# name: how it comes, how it goes back where it does not simply leave
CASES = {
    "file": ("attach-device GUEST @vdb --live", None),
    "block": ("attach-device GUEST @vdd --live", None),
    "qcow2": ("attach-device GUEST @vdc --live", None),
    "limits": ("attach-device GUEST @vdf-limits --live", None),
    "scsi": ("attach-device GUEST @sdb-scsi --live", None),
    "usb": ("attach-device GUEST @sdd-usb --live", None),
    "user": ("attach-device GUEST @user-virtio --live", None),
    "down": ("attach-device GUEST @user-down --live", None),
    "bridge": ("attach-device GUEST @bridge --live", None),
    "direct": ("attach-device GUEST @direct --live", None),
    "ethernet": ("attach-device GUEST @ethernet --live", None),
    "unmanaged": ("attach-device GUEST @ethernet-unmanaged --live", None),
    "channel": ("attach-device GUEST @channel-unix --live", None),
    "pty": ("attach-device GUEST @channel-pty --live", None),
    "guestfwd": ("attach-device GUEST @channel-guestfwd --live", None),
    "serial": ("attach-device GUEST @serial-pci --live", None),
    "rng": ("attach-device GUEST @rng --live", None),
    "input": ("attach-device GUEST @input-virtio --live", None),
    "redirdev": ("attach-device GUEST @redirdev --live", None),
    "shmem": ("attach-device GUEST @shmem --live", None),
    "controller": ("attach-device GUEST @scsi --live", None),
    "media": ("change-media GUEST CDROM @{DIR}/second.iso --update --live",
              "change-media GUEST CDROM @{DIR}/first.iso --update --live"),
    "move": ("update-device GUEST @bridge-first-moved --live",
             "update-device GUEST @bridge-first-back --live"),
    "link": ("update-device GUEST @user-first-down --live",
             "update-device GUEST @user-first-up --live"),
    "display": ("update-device GUEST @vnc-local --live", "update-device GUEST @vnc-back --live"),
    "both": ("attach-device GUEST @vdb --live --config", None),
}
SAMPLE = ("limits", "bridge", "direct", "media")
# Points before and inside of a plan's steps, at a device that comes to them.
ACCESS = {
    "file": ("plug:owner-set",),
    "block": ("plug:owner-set", "plug:rules-allowed", "gate:rule-changing", "node:made"),
    "rng": ("plug:rules-allowed",),
    "bridge": ("tap:made", "tap:configured", "start:tap-made", "net:bridge-set"),
    "direct": ("macvtap:recorded", "macvtap:made", "macvtap:configured", "start:tap-made"),
    "ethernet": ("tap:made", "tap:configured", "start:tap-made"),
    "move": ("net:bridge-set",),
}
# A node in the guest's own /dev stays there until its end, denied by its gate: made once.
ONCE = ("node:made",)
STEPS_MAX = 40
OUTCOMES = ("gone", "whole")


class Life:
    """A daemon that comes and goes on a folder, and what is to be seen while it is there."""

    def __init__(self, program, virtward, folder):
        self.program, self.virtward, self.folder = program, virtward, folder
        self.daemon = None

    def start(self, fault=""):
        self.daemon = daemon.launch(self.program, self.folder, {"VIRTWARD_FAULT": fault})

    def stop(self):
        if self.daemon and self.daemon.process.poll() is None:
            daemon.end(self.daemon)
        self.daemon = None

    def killed(self):
        """True if it ended by SIGKILL within a moment."""
        try:
            return self.daemon.process.wait(20) == -9
        except subprocess.TimeoutExpired:
            return False


def monitor(guest, command, **arguments):
    text = json.dumps({"execute": command, "arguments": arguments})
    deadline = time.monotonic() + 60
    while True:
        code, out, err = guest.virsh("qemu-monitor-command", guest.name, text)
        if code == 0:
            return json.loads(out)["return"]
        # right after a restart the monitor may not be connected yet
        assert "still being connected" in err and time.monotonic() < deadline, err
        time.sleep(0.1)


def names(guest, path):
    return sorted(entry["name"] for entry in monitor(guest, "qom-list", path=path))


def seen(guest, life):
    """What QEMU, the host and the daemon have of the guest."""
    monitor(guest, "query-status")  # answered once a restarted daemon knows its guest again
    status = (life.folder / "run" / "qemu" / f"{guest.name}.xml").read_text()
    pid = re.search(r" pid='(\d+)'", status)[1]
    links = [os.readlink(fd) for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir()
             if os.path.lexists(fd)]
    files = [path for path in guest.place.folder.iterdir() if path.suffix != ".xml"]
    return {
        "front ends": names(guest, "/machine/peripheral"),
        "objects": names(guest, "/objects"),
        "nodes": sorted(node["node-name"]
                        for node in monitor(guest, "query-named-block-nodes")),
        "drives": sorted((drive.get("qdev", ""), drive.get("tray_open", False),
                          drive.get("inserted", {}).get("node-name", ""))
                         for drive in monitor(guest, "query-block")),
        "character devices": sorted(chardev["label"]
                                    for chardev in monitor(guest, "query-chardev")),
        "sets": monitor(guest, "query-fdsets"),
        "network": monitor(guest, "human-monitor-command", **{"command-line": "info network"}),
        "open nodes": sorted(link for link in links if link.startswith("/dev/")
                             and not link.startswith("/dev/pt")),
        "interfaces": sorted(f"{name} {os.path.realpath(f'/sys/class/net/{name}/master')[-15:]}"
                             for name in os.listdir("/sys/class/net")
                             if own(guest.place, name)),
        "files": sorted((path.name, path.stat().st_uid) for path in files),
        "block device": os.stat(guest.place.words["LOOP"]).st_uid,
        "rules": rules(life, guest),
        "resources": sorted(re.findall(r"<resource [^>]*>", status)),
        "change": re.findall(r"<change [^>]*>", status),
        "document": guest.documents(),
    }


def own(place, name):
    """Bridges of this test, and what is a port of them, stands on them or has its name."""
    if name.startswith(place.tag) or any(
            entry.startswith(f"lower_{place.tag}") for entry in os.listdir(f"/sys/class/net/{name}")):
        return True
    master = f"/sys/class/net/{name}/master"
    return os.path.exists(master) and \
        os.path.basename(os.path.realpath(master)).startswith(place.tag)


def rules(life, guest):
    """The gate's rules, as the kernel has them."""
    done = subprocess.run([life.virtward, "--root", life.folder, "devices", "--json", guest.name],
                          capture_output=True, text=True, check=True)
    gate = json.loads(done.stdout)
    gate = gate[0] if isinstance(gate, list) else gate
    return sorted(" ".join(str(rule.get(key)) for key in ("rule", "access", "owners", "type",
                                                          "major", "minor"))
                  for rule in gate["rules"])


def difference(before, after):
    return {what: (before[what], after[what]) for what in before if before[what] != after[what]}


def command(guest, text):
    return guest.virsh(*run.words_of(text, guest), timeout=120)


def arrived(before, after):
    """Aliases that came with the change, controllers last: they go only when nothing hangs on
    them."""
    was, now = set(before["document"]["L"]), after["document"]["L"]
    fresh = [line for line in now
             if line.partition(" ")[2] not in {entry.partition(" ")[2] for entry in was}]
    found = [(("<controller" in line), re.search(r"<alias name='([^']*)'", line)[1])
             for line in fresh if "<alias" in line]
    return [alias for _, alias in sorted(found)]


def take_out(guest, before, after):
    for alias in arrived(before, after):
        code, _, err = guest.virsh("detach-device-alias", guest.name, alias, "--live", timeout=120)
        assert code == 0, err
        deadline = time.monotonic() + 90
        while f"<alias name='{alias}'" in "".join(guest.documents()["L"]):
            assert time.monotonic() < deadline, f"{alias} does not leave"
            time.sleep(0.2)
    if before["document"]["S"] != after["document"]["S"]:
        code, _, err = command(guest, "detach-device GUEST @vdb --config")
        assert code == 0, err


def settle(guest, life, before):
    """As before, once the guest has let go what it was asked to; else what differs."""
    deadline = time.monotonic() + 60
    left = difference(before, seen(guest, life))
    while left and time.monotonic() < deadline:
        time.sleep(0.5)
        left = difference(before, seen(guest, life))
    return left


class Fault:
    """One case at one point, reached for the n-th time, one way."""

    def __init__(self, guest, life, name, point, way, step):
        self.guest, self.life, self.name = guest, life, name
        self.point, self.way, self.step = point, way, step

    def __str__(self):
        return f"{self.name} {self.way} at {self.point} {self.step}"

    def run(self):
        """'done' if it is not reached so often, else 'gone' or 'whole'."""
        come, back = CASES[self.name]
        self.life.start()
        before = seen(self.guest, self.life)
        self.life.stop()
        self.life.start(f"{self.point}:{self.way}:{self.step}")
        code, _, err = command(self.guest, come)
        if code == 0:
            self.life.stop()
            self.life.start()  # the way back has steps too
            return self.undo(before, back, "done")
        if self.way == "error":
            assert f"fault point {self.point}" in err, f"{self}: {err}"
        else:
            assert self.life.killed(), f"{self}: the daemon lives: {err}"
            self.life.start()
        after = seen(self.guest, self.life)
        assert not after["change"], f"{self}: {after['change']}"
        if after["document"] == before["document"]:
            left = settle(self.guest, self.life, before)
            assert not left, f"{self}: left over: {left}"
            self.life.stop()
            return "gone"
        return self.undo(before, back, "whole")

    def undo(self, before, back, result):
        """It is there: all of it must be, and all of it must go."""
        if back:
            code, _, err = command(self.guest, back)
            assert code == 0, f"{self}: {err}"
        else:
            after = seen(self.guest, self.life)
            assert arrived(before, after) or self.name == "guestfwd", f"{self}: in part there"
            take_out(self.guest, before, after)
            left = settle(self.guest, self.life, before)
            assert not left, f"{self}: left over: {left}"
        self.life.stop()
        return result


def sweep(guest, life, name, point, way):
    """How often it was gone, and whole: at each time that the point is reached."""
    counts = dict.fromkeys(OUTCOMES, 0)
    for step in range(1, STEPS_MAX):
        result = Fault(guest, life, name, point, way, step).run()
        if result == "done":
            assert step > 1, f"{name}: {point} is not reached: is this a build with fault points?"
            return counts
        counts[result] += 1
        if point in ONCE:
            return counts
    raise AssertionError(f"{name}: {point} is reached more than {STEPS_MAX} times")


def ways(name, everything):
    """What is tried with a device: (point, way). What is made once is tried first."""
    points = ["plug:step", *(ACCESS.get(name, ()) if everything else ())]
    points.sort(key=lambda point: point not in ONCE)
    return [(point, way) for point in points for way in ("kill", "error")
            if (point, way) not in [(once, "error") for once in ONCE]]


def main(program, virtward, mkguest, *wanted):
    if os.geteuid() != 0 or not shutil.which("virsh") or not shutil.which("qemu-system-x86_64"):
        print("needs root, virsh and QEMU: skipped")
        return 77
    everything = "--all" in wanted
    chosen = [name for name in wanted if name != "--all"] or (CASES if everything else SAMPLE)
    if not macvtap.possible():
        print("direct: skipped, the kernel has no macvtap")
        chosen = [name for name in chosen if name != "direct"]
    total = dict.fromkeys(OUTCOMES, 0)
    with tempfile.TemporaryDirectory(prefix="vwf-", dir="/tmp") as root:
        folder = pathlib.Path(root)
        folder.chmod(0o755)
        (folder / "etc").mkdir()
        (folder / "etc" / "virtwardd.conf").write_text(
            'namespaces = [ "mount" ]\n' if everything else "")
        subprocess.run([mkguest, folder / "guest"], check=True, capture_output=True)
        (folder / "images").mkdir(mode=0o777)
        (folder / "images").chmod(0o777)
        life = Life(program, virtward, folder)
        with run.Place(folder / "images", "vwf").made() as place:
            uri = f"qemu:///system?socket={folder}/run/virtward-sock"
            guest = run.Guest(uri, place, "pc", folder / "guest")
            life.start()
            try:
                guest.start()
                life.stop()
                for name in chosen:
                    for point, way in ways(name, everything):
                        counts = sweep(guest, life, name, point, way)
                        print(f"{name} {point} {way}: {counts['gone']} gone, "
                              f"{counts['whole']} whole", flush=True)
                        for what, count in counts.items():
                            total[what] += count
            finally:
                if not life.daemon or life.daemon.process.poll() is not None:
                    life.start()
                guest.end()
                life.stop()
                daemon.unmount(folder / "run" / "bpf")
    print(f"{sum(total.values())} cases: {total['gone']} gone, {total['whole']} whole, 0 left over")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
