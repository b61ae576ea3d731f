#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs test programs on another kernel: in a QEMU, from memory, with cgroup v2 alone.

    tests/vm/run.py [--kernel VMLINUZ] [--cgroup v2|hybrid|v1] [--env NAME=VALUE]... [--kvm] PROGRAM[=GUEST_PATH]...

The machine is the kernel and an initramfs made here: busybox, the programs (which speak TAP) and the
libraries they need. Nothing is mounted from the host, and no disk is used. What the programs say
becomes one TAP stream: a case that failed there fails here, one that was skipped there is skipped
here. A =GUEST_PATH puts a program where another one looks for it and doesn't run it. With --guests
the machine can run guests of its own: it gets this machine's QEMU, virsh and bpftool, and a kernel
with its initrd in /guest. With --newer kernel, modules and QEMU are those of the folder that VIRTWARD_VM_TREE
names, into which packages were unpacked (dpkg-deb -x); skipped without one. With --systemd the first process is systemd, and the programs are a service
of it (booted.py).

Needs qemu-system-x86_64 and busybox-static; the kernel is by default the newest in /boot, its modules
those beside it in /lib/modules (tun, bridge, loop and what they need are loaded where they are
modules). It is emulation unless --kvm is given: keep the counts small.
"""
import argparse
import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import booted

# In the order they need each other.
MODULES = ["tun", "tap", "macvlan", "macvtap", "dummy", "vhost_iotlb", "vhost", "vhost_net", "llc", "stp", "bridge", "loop", "sch_ingress", "sch_htb", "sch_sfq", "cls_u32", "act_police"]
MARK = "@@virtward@@"
USERS = b"""root:x:0:0::/:/bin/sh
nobody:x:65534:65534::/:/bin/sh
virtward-qemu:x:100:100::/:/bin/sh
"""
SKIP = 77

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /tmp /run
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
%(cgroup)s
mount -t bpf bpf /sys/fs/bpf
%(modules)s
ip link set lo up
%(last)s
"""
PROGRAMS = """%(env)s
exec < /dev/null
echo "%(mark)s kernel $(uname -r)"
%(programs)s
echo "%(mark)s end"
poweroff -f
"""

# Mounted as systemd does it where the kernel is told systemd.unified_cgroup_hierarchy=0.
V1 = """for c in cpu,cpuacct cpuset memory blkio freezer devices pids; do
  mkdir /sys/fs/cgroup/$c && mount -t cgroup -o $c cgroup /sys/fs/cgroup/$c
done"""
CGROUP = {
    "v2": "mount -t cgroup2 cgroup2 /sys/fs/cgroup",
    "hybrid": """mount -t tmpfs cgroup /sys/fs/cgroup
mkdir /sys/fs/cgroup/unified && mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
""" + V1,
    "v1": "mount -t tmpfs cgroup /sys/fs/cgroup\n" + V1,
}


class Archive:
    """An initramfs: the "newc" form of cpio (Linux Documentation/driver-api/early-userspace)."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.inode = 0
        self.folders = set()

    def entry(self, name, mode, data=b""):
        self.inode += 1
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields)
        for part in (head + name.encode() + b"\0", data):
            self.file.write(part + b"\0" * (-len(part) % 4))

    def folder(self, name):
        if name and name not in self.folders:
            self.folder(os.path.dirname(name))
            self.folders.add(name)
            self.entry(name, 0o040755)

    def add(self, name, data, mode=0o755):
        name = name.lstrip("/")
        self.folder(os.path.dirname(name))
        self.entry(name, 0o100000 | mode, data)

    def link(self, name, to):
        name = name.lstrip("/")
        self.folder(os.path.dirname(name))
        self.entry(name, 0o120777, to.encode())

    def close(self):
        self.entry("TRAILER!!!", 0)
        self.file.close()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def libraries(program):
    """The shared libraries of a program with the loader, by the paths it looks for."""
    text = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    return re.findall(r"(?:=> )?(/\S+) \(0x", text)


UNPACKERS = {".ko": ["cat"], ".xz": ["xz", "-dc"], ".zst": ["zstd", "-dc"]}


def module_lines(tree, release, names, archive):
    lines = []
    for name in names:
        found = glob.glob("%s/lib/modules/%s/kernel/**/%s.ko*" % (tree, release, name), recursive=True)
        if found:
            unpacker = UNPACKERS[os.path.splitext(found[0])[1]]
            module = subprocess.run([*unpacker, found[0]], check=True, capture_output=True).stdout
            archive.add("/modules/%s.ko" % name, module, 0o644)
            lines.append("insmod /modules/%s.ko" % name)
    return "\n".join(lines)


# What QEMU reads to boot a kernel: where Debian has it -> where QEMU looks.
FIRMWARE = {
    "/usr/share/seabios/bios-256k.bin": "/usr/share/qemu/bios-256k.bin",
    "/usr/share/qemu/kvmvapic.bin": "/usr/share/qemu/kvmvapic.bin",
    "/usr/share/qemu/linuxboot_dma.bin": "/usr/share/qemu/linuxboot_dma.bin",
}
TOOLS = ("qemu-system-x86_64", "virsh", "bpftool", "tc")


def tool(name):
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def of_tree(tree, path):
    """The tree's file if it has one, else this machine's."""
    return tree + path if os.path.exists(tree + path) else path


def add_guests(archive, folder, tree):
    """All that a guest's life needs; the programs in the form of the arguments."""
    mkguest = pathlib.Path(__file__).resolve().parents[2] / "tools" / "mkguest"
    subprocess.run([mkguest, folder], check=True)
    for name in ("vmlinuz", "initrd"):
        archive.add("/guest/" + name, read(os.path.join(folder, name)), 0o644)
    for source, place in FIRMWARE.items():
        archive.add(place, read(of_tree(tree, source)), 0o644)
    for module in glob.glob("/usr/lib/*/qemu/accel-tcg-x86_64.so"):
        archive.add(module, read(module), 0o644)
    return ["%s=%s" % (of_tree(tree, tool(name)), tool(name)) for name in TOOLS]


def build(options, programs, path):
    archive = Archive(path)
    seen = set()
    runs = []
    archive.add("/bin/busybox", read(shutil.which("busybox")))
    archive.link("/bin/sh", "busybox")
    archive.add("/lib/tap.sh", read(pathlib.Path(__file__).resolve().parent / "tap.sh"), 0o644)
    archive.add("/etc/passwd", USERS, 0o644)
    archive.add("/etc/group", b"root:x:0:\nnogroup:x:65534:\nvirtward-qemu:x:100:\n", 0o644)
    if options.systemd:
        programs = programs + [f"{path}={path}" for path in booted.PROGRAMS]
    if options.guests:
        programs = programs + add_guests(archive, os.path.dirname(path), options.tree)
    for program in programs:
        source, _, place = program.partition("=")
        target = place or os.path.abspath(source)
        archive.add(target, read(source))
        for library in libraries(source):
            if library not in seen:
                seen.add(library)
                archive.add(library, read(library))
        if not place:
            runs.append('echo "%s run %s"; %s 2>&1; echo "%s exit $?"' % (MARK, target, target, MARK))
    release = os.path.basename(options.kernel).replace("vmlinuz-", "")
    last = PROGRAMS % {
        "env": "\n".join("export '%s'" % pair for pair in options.env),
        "programs": "\n".join(runs),
        "mark": MARK,
    }
    if options.systemd:
        booted.add(archive, last)
        last = "exec /lib/systemd/systemd"
    script = INIT % {
        "cgroup": CGROUP[options.cgroup],
        "modules": module_lines(options.tree, release, MODULES + options.module, archive),
        "last": last,
    }
    archive.add("/init", script.encode())
    archive.close()
    return len(runs)


def boot(options, initramfs):
    command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
               "-machine", "q35,accel=" + ("kvm" if options.kvm else "tcg"), "-cpu", "max", "-m", str(options.memory), "-smp", "2",
               "-no-reboot", "-serial", "stdio", "-kernel", options.kernel, "-initrd", initramfs,
               "-append", " ".join(["console=ttyS0 quiet panic=-1 random.trust_cpu=on", *options.append])]
    for device in options.device:
        command += ["-device", device]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=options.timeout)
        return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace") + "\n# the time is over\n"


def report(output, wanted):
    """The programs' TAP as one stream; true if all is well."""
    number = 0
    well = True
    program = ""
    finished = 0
    for line in output.replace("\r", "").split("\n"):
        mark = re.match(r".*%s (\w+) ?(.*)" % MARK, line)
        case = re.match(r"(ok|not ok) \d+ (.*)", line)
        if mark and mark.group(1) == "run":
            program = os.path.basename(mark.group(2))
        elif mark and mark.group(1) == "exit":
            finished += 1
            if int(mark.group(2)) not in (0, SKIP):
                number, well = number + 1, False
                print("not ok %d %s: exit status %s" % (number, program, mark.group(2)))
        elif mark:
            print("# %s %s" % (mark.group(1), mark.group(2)))
        elif case:
            number += 1
            well = well and case.group(1) == "ok"
            print("%s %d %s: %s" % (case.group(1), number, program, case.group(2)))
        elif "# SKIP" in line and line.startswith("1..0"):
            number += 1
            print("ok %d %s # SKIP %s" % (number, program, line.partition("# SKIP")[2].strip()))
        elif line.strip() and not re.match(r"1\.\.\d+$", line):
            print("# " + line.lstrip("# "))
    if finished != wanted:
        number, well = number + 1, False
        print("not ok %d %d of %d programs came to their end" % (number, finished, wanted))
    print("1..%d" % number)
    return well


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    kernels = sorted(glob.glob("/boot/vmlinuz-*"))
    parser.add_argument("--kernel", default=kernels[-1] if kernels else None)
    parser.add_argument("--cgroup", choices=sorted(CGROUP), default="v2")
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--systemd", action="store_true", help="as the first process (booted.py)")
    parser.add_argument("--guests", action="store_true", help="the machine can run guests")
    parser.add_argument("--newer", action="store_true", help="kernel and QEMU of VIRTWARD_VM_TREE")
    parser.add_argument("--module", action="append", default=[], help="one more to load")
    parser.add_argument("--device", action="append", default=[], help="one more of the machine, as QEMU's -device has it")
    parser.add_argument("--append", action="append", default=[], help="one more word for the kernel")
    parser.add_argument("--memory", type=int, default=512, help="MiB")
    parser.add_argument("--timeout", type=int, default=900)
    parser.add_argument("--kvm", action="store_true", help="where a guest of a guest is no trouble")
    parser.add_argument("programs", nargs="+")
    options = parser.parse_args()
    options.tree = os.environ.get("VIRTWARD_VM_TREE", "") if options.newer else ""
    if options.newer:
        options.kernel = next(iter(sorted(glob.glob(options.tree + "/boot/vmlinuz-*"), reverse=True) if options.tree else []), None)
    tools = TOOLS if options.guests else TOOLS[:1]
    for need, there in (("VIRTWARD_VM_TREE, a folder with a kernel and a QEMU" if options.newer else "a kernel in /boot", options.kernel), ("busybox", shutil.which("busybox")),
                        *((name, tool(name)) for name in tools),
                        (booted.missing(), not (options.systemd and booted.missing()))):
        if not there:
            print("1..0 # SKIP needs %s" % need)
            return SKIP
    with tempfile.TemporaryDirectory(prefix="virtward-vm-") as folder:
        initramfs = os.path.join(folder, "initramfs")
        count = build(options, options.programs, initramfs)
        return 0 if report(boot(options, initramfs), count) else 1


if __name__ == "__main__":
    sys.exit(main())
