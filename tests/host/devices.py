#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changes of guests' devices by stock virsh: what it says, and what the documents become.

    devices.py VIRTWARDD MKGUEST [--sample] [--machine pc|q35] [--record URI] [GROUP …]

Each step of devices_cases.py is held against devices/MACHINE.GROUP.txt, which libvirtd 9.0 wrote:
output, exit code, and the devices that came to and went from the live and the stored document.
What must differ stands in DIFFERENCES with what is said instead. Without --machine and GROUP
everything, with --sample SAMPLE. --record has the libvirtd at URI write the files anew. Needs root
and QEMU.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "wire"))
import daemon  # noqa: E402 (beside the wire tests)
import devices_cases as cases  # noqa: E402
import devices_run as run  # noqa: E402

# as much as runs in a minute: three guests to boot
SAMPLE = [("pc", "media"), ("pc", "others"), ("q35", "controllers"), ("pc", "stopped"),
          ("q35", "stopped")]
EXPECTED = pathlib.Path(__file__).resolve().parent / "devices"

# Where the answer is not libvirtd's: the step, and the line that stands in the answer instead.
DIFFERENCES = {
    "pc": {
        "attach-device GUEST @pci --config": "Cannot automatically add a new PCI bus",
    },
    "q35": {
        # the model's name is chosen before the check here, so one more port can be had
        "attach-device GUEST @pci --config": "Device attached successfully",
        # such a guest could not even be defined
        "attach-device GUEST @hdc-ide --config": "IDE controllers are unsupported",
    },
    "": {
        # the model's name is chosen before the check here
        "attach-device GUEST @pci --live": "'pci' controller cannot be hot plugged.",
        "attach-device GUEST @pci-bridge --live": "'pci' controller cannot be hot plugged.",
        # which version a TPM has matters when there is one
        "attach-device GUEST @tpm --config": "persistent attach of device 'tpm' is not supported",
        "attach-device GUEST @tpm --live": "live attach of device 'tpm' is not supported",
        # the line that is no XML may hold a password: it is not repeated
        "attach-device GUEST @broken --config": "Couldn't find end of Start Tag disk",
        "attach-device GUEST @broken --live": "Couldn't find end of Start Tag disk",
        "update-device GUEST @broken --live --config": "Couldn't find end of Start Tag disk",
        # a source that cannot be one is found before QEMU is asked, and before a tray opens
        "attach-disk GUEST @{DIR}/a.img vdm --subdriver qcow2 --live": "not of the format 'qcow2'",
        "attach-disk GUEST @{DIR} vdm --live": "is neither a file nor a block device",
        "change-media GUEST CDROM @{DIR} --update --live": "is neither a file nor a block device",
        # there are no networks, locks and USB devices of the host
        "attach-device GUEST @network --live": "network driver not available",
        "attach-device GUEST @lease --live": "no lock manager is there",
        "attach-device GUEST @hostdev-usb --live": "= 1",
        # the file is named that cannot be opened
        "attach-device GUEST @vsock --live": "/dev/vhost-vsock",
    },
}


def groups(machines, wanted, sample):
    """Pairs of a machine and a group; without words all there are."""
    machines = machines or list(cases.MACHINES)
    if sample:
        return SAMPLE
    return [(machine, group) for machine in machines for group in [*cases.STOPPED, *cases.RUNNING]
            if group in wanted or not wanted]


def write_down(uri, folder, kernel, number, machine, group):
    place = folder / f"{machine}.{group}"
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    with run.Place(place, "vwd", number).made() as made:
        guest = run.Guest(uri, made, machine, kernel)
        stopped = group in cases.STOPPED
        with guest.defined() if stopped else guest.running():
            return run.transcript(guest, (cases.STOPPED if stopped else cases.RUNNING)[group])


def write_all(uri, folder, kernel, chosen):
    """Transcripts in the order of chosen. Each guest is its own, so that as many live at once as
    the machine has processors."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda item: write_down(uri, folder, kernel, item[0], *item[1]),
                             enumerate(chosen)))


def excused(machine, step):
    """True if the answer is the one that DIFFERENCES has for the step."""
    words = step[0].removeprefix("$ ")
    text = DIFFERENCES[machine].get(words) or DIFFERENCES[""].get(words)
    return text is not None and any(text in line for line in step)


def placeless(step):
    """A step without the places of controllers: they stay where they are written here, while
    libvirtd sorts them when it copies a document."""
    lines = [re.sub(r"^([LS][-+]) \d+ <controller", r"\1 <controller", line) for line in step]
    moved = {line[:1] + line[2:] for line in lines if re.match("[LS][-] <controller", line)} & \
            {line[:1] + line[2:] for line in lines if re.match("[LS][+] <controller", line)}
    return [line for line in lines if line[:1] + line[2:] not in moved]


def compare(machine, group, steps):
    """Differences in words."""
    text = (EXPECTED / f"{machine}.{group}.txt").read_text()
    expected = [entry.splitlines() for entry in text.strip("\n").split("\n\n")]
    assert len(expected) == len(steps), f"{machine} {group}: record it anew"
    return ["\n".join([f"{machine} {group}:", *(f"  libvirtd: {line}" for line in theirs),
                       *(f"  virtward: {line}" for line in ours)])
            for theirs, ours in zip(expected, steps)
            if placeless(theirs) != placeless(ours) and not excused(machine, ours)]


def record(chosen, transcripts):
    EXPECTED.mkdir(exist_ok=True)
    for (machine, group), steps in zip(chosen, transcripts):
        (EXPECTED / f"{machine}.{group}.txt").write_text(
            "\n".join("\n".join(step) + "\n" for step in steps))


def check(chosen, transcripts):
    """Exit code; says what differs."""
    faults = [fault for pair, steps in zip(chosen, transcripts) for fault in compare(*pair, steps)]
    print("\n".join(faults))
    print(f"{sum(map(len, transcripts))} calls, {len(faults)} not as libvirtd's")
    return 1 if faults else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", metavar="VIRTWARDD")
    parser.add_argument("mkguest", metavar="MKGUEST")
    parser.add_argument("--machine", action="append", choices=cases.MACHINES)
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--record", metavar="URI")
    parser.add_argument("groups", metavar="GROUP", nargs="*")
    options = parser.parse_intermixed_args()
    if os.geteuid() != 0 or not shutil.which("virsh") or not shutil.which("qemu-system-x86_64"):
        print("needs root, virsh and QEMU: skipped")
        return 77
    chosen = groups(options.machine, options.groups, options.sample)
    with tempfile.TemporaryDirectory(prefix="vwd-", dir="/tmp") as root:
        folder = pathlib.Path(root)
        folder.chmod(0o777)
        kernel = folder / "guest"
        subprocess.run([options.mkguest, kernel], check=True, capture_output=True)
        if options.record:
            record(chosen, write_all(options.record, folder, kernel, chosen))
            return 0
        with daemon.running(options.program, prepare=lambda root: root.chmod(0o755)) as running:
            uri = f"qemu:///system?socket={running.rw}"
            return check(chosen, write_all(uri, folder, kernel, chosen))


if __name__ == "__main__":
    sys.exit(main())
