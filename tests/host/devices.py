#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changes of guests' devices by stock virsh: what it says, and what the documents become.

    devices.py VIRTWARDD MKGUEST [--all] [--record URI] [GROUP …]

Each step of devices_cases.py is held against devices/MACHINE.GROUP.txt, which libvirtd 9.0 wrote:
output, exit code, and the devices that came to and went from the live and the stored document.
What must differ stands in DIFFERENCES with what is said instead. Without --all only SAMPLE.
--record has the libvirtd at URI write the files anew. Needs root and QEMU.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "wire"))
import daemon  # noqa: E402 (beside the wire tests)
import devices_cases as cases  # noqa: E402
import devices_run as run  # noqa: E402

EXPECTED = pathlib.Path(__file__).resolve().parent / "devices"
SAMPLE = [("pc", "stopped"), ("pc", "media")]

# Where the answer cannot be libvirtd's: the step, and the error that stands instead of its lines.
DIFFERENCES = {
    # the model's name is chosen before the check here
    "attach-device GUEST @pci --config": "Cannot automatically add a new PCI bus",
    "attach-device GUEST @pci --live": "'pci' controller cannot be hot plugged.",
    "attach-device GUEST @pci-bridge --live": "'pci' controller cannot be hot plugged.",
    # a device without source is refused for what it lacks first there
    "update-device GUEST @vdz-bare --config": "target vdz doesn't exist.",
    # which version a TPM has matters when there is one
    "attach-device GUEST @tpm --config": "persistent attach of device 'tpm' is not supported",
    "attach-device GUEST @tpm --live": "live attach of device 'tpm' is not supported",
    "attach-device GUEST @broken --config": "Couldn't find end of Start Tag disk",
    "attach-device GUEST @broken --live": "Couldn't find end of Start Tag disk",
    # there are no networks, locks and USB devices of the host
    "attach-device GUEST @network --live": "network driver not available",
    "attach-device GUEST @lease --live": "no lock manager is there",
    "attach-device GUEST @hostdev-usb --live": "",
    "attach-device GUEST @vsock --live": "/dev/vhost-vsock",
}


def groups(wanted):
    everything = [(machine, group) for machine in cases.MACHINES
                  for group in [*cases.STOPPED, *cases.RUNNING]
                  if (EXPECTED / f"{machine}.{group}.txt").exists()]
    if "--all" in wanted:
        return everything
    chosen = [pair for pair in everything if pair[1] in wanted]
    return chosen or SAMPLE


def write_down(uri, folder, kernel, machine, group):
    tag = f"vwd{os.getpid() % 100000}"
    with run.Place(folder, tag).made() as place:
        guest = run.Guest(uri, place, machine, 9, kernel)
        stopped = group in cases.STOPPED
        with guest.defined() if stopped else guest.running():
            return run.transcript(guest, (cases.STOPPED if stopped else cases.RUNNING)[group])


def excused(step):
    """True if the answer is the one that DIFFERENCES has for the step."""
    text = DIFFERENCES.get(step[0].removeprefix("$ "))
    return text is not None and step[-1] == "= 1" and any(text in line for line in step)


def compare(machine, group, steps):
    """Differences in words."""
    text = (EXPECTED / f"{machine}.{group}.txt").read_text()
    expected = [entry.splitlines() for entry in text.strip("\n").split("\n\n")]
    assert len(expected) == len(steps), f"{machine} {group}: record it anew"
    return ["\n".join([f"{machine} {group}:", *(f"  libvirtd: {line}" for line in theirs),
                       *(f"  virtward: {line}" for line in ours)])
            for theirs, ours in zip(expected, steps) if theirs != ours and not excused(ours)]


def record(uri, chosen, folder, kernel):
    EXPECTED.mkdir(exist_ok=True)
    for machine, group in chosen:
        steps = write_down(uri, folder, kernel, machine, group)
        (EXPECTED / f"{machine}.{group}.txt").write_text(
            "\n".join("\n".join(step) + "\n" for step in steps))


def main(program, mkguest, *wanted):
    if os.geteuid() != 0 or not shutil.which("virsh") or not shutil.which("qemu-system-x86_64"):
        print("needs root, virsh and QEMU: skipped")
        return 77
    with tempfile.TemporaryDirectory(prefix="vwd-", dir="/tmp") as root:
        folder = pathlib.Path(root)
        folder.chmod(0o777)
        kernel = folder / "guest"
        subprocess.run([mkguest, kernel], check=True, capture_output=True)
        if "--record" in wanted:
            rest = list(wanted)
            uri = rest.pop(rest.index("--record") + 1)
            chosen = [(machine, group) for machine in cases.MACHINES
                      for group in [*cases.STOPPED, *cases.RUNNING] if group in rest] or SAMPLE
            record(uri, chosen, folder, kernel)
            return 0
        faults, count = [], 0
        with daemon.running(program, prepare=lambda root: root.chmod(0o755)) as running:
            uri = f"qemu:///system?socket={running.rw}"
            for machine, group in groups(wanted):
                steps = write_down(uri, folder, kernel, machine, group)
                faults += compare(machine, group, steps)
                count += len(steps)
    print("\n".join(faults))
    print(f"{count} calls, {len(faults)} not as libvirtd's")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
