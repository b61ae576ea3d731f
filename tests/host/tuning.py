#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tuning a guest with stock virsh: what is set reads back, and the kernel has it.

    tuning.py VIRTWARDD

One guest whose CPUs never run (started paused), on the hierarchies that the machine has mounted. A
command whose controller is not mounted must say so in libvirt's words.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "wire"))
import daemon  # noqa: E402 (beside the wire tests)

SKIPPED = 77
NAME = "tuned"
XML = f"""<domain type='qemu'><name>{NAME}</name><memory unit='MiB'>64</memory>
<vcpu current='2'>4</vcpu><iothreads>1</iothreads>
<cputune><shares>2000</shares><period>100000</period><quota>50000</quota>
<vcpupin vcpu='0' cpuset='0'/><vcpusched vcpus='1' scheduler='batch'/></cputune>
<numatune><memory mode='%s' nodeset='0'/></numatune>
<memtune><hard_limit unit='MiB'>900</hard_limit></memtune>
<os><type arch='x86_64' machine='pc'>hvm</type></os>
<devices><disk type='file' device='disk'><source file='%s'/><target dev='vda' bus='virtio'/></disk>
<interface type='ethernet'><target dev='%s'/><bandwidth><inbound average='1000'/></bandwidth></interface>
</devices></domain>"""


class Guest:
    """A guest of a daemon's own; one method a look."""

    def __init__(self, server, tap):
        self.uri = f"qemu:///system?socket={server.rw}"
        self.tap = tap

    def virsh(self, *command, fails=None):
        done = subprocess.run(["virsh", "-q", "-c", self.uri, *command], capture_output=True,
                              text=True, env={**os.environ, "LC_ALL": "C.UTF-8"}, timeout=120,
                              check=False)
        if fails is None:
            assert done.returncode == 0, f"{command}: {done.stderr}"
        else:
            assert done.returncode != 0 and fails in done.stderr, f"{command}: {done.stderr}"
        return done.stdout

    def shows(self, command, **expected):
        text = self.virsh(*command)
        for name, value in expected.items():
            name = name.replace("__", ".")
            found = re.search(rf"^{re.escape(name)}\s*:\s*(.*)$", text, re.MULTILINE)
            assert found, f"{command} has no {name}:\n{text}"
            assert found.group(1).strip() == str(value), f"{command}: {name} is {found.group(1)}"


class Groups:
    """The guest's groups, by controller, from what its process says."""

    def __init__(self, pid):
        self.paths = {}
        for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            for controller in controllers.split(","):
                self.paths[controller] = path
        self.mounts = {}
        for line in pathlib.Path("/proc/mounts").read_text().splitlines():
            _, point, kind, options = line.split()[:4]
            if kind == "cgroup2":
                self.mounts[""] = point
            elif kind == "cgroup":
                for option in options.split(","):
                    self.mounts[option] = point

    def file(self, controller, name, part=None):
        """A v1 file's text; None where the controller is not on v1."""
        if controller not in self.mounts or NAME not in self.paths.get(controller, ""):
            return None
        path = pathlib.Path(self.mounts[controller] + self.paths[controller])
        while not path.name.endswith(NAME):
            path = path.parent
        return (path / (part or "") / name).read_text().strip()

    def holds(self, controller, name, value, part=None):
        text = self.file(controller, name, part)
        assert text in (None, str(value)), f"{controller} {part} {name} is {text}, not {value}"


def check_processor(guest, groups):
    if "cpu" not in groups.mounts:
        guest.virsh("schedinfo", NAME, fails="cgroup CPU controller is not mounted")
        return
    guest.shows(["schedinfo", NAME], cpu_shares=2000, vcpu_period=100000, vcpu_quota=50000)
    groups.holds("cpu", "cpu.cfs_quota_us", 50000, "vcpu1")
    guest.virsh("schedinfo", NAME, "--live", "--set", "cpu_shares=3000", "vcpu_quota=60000",
                "emulator_quota=70000", "global_quota=200000", "iothread_quota=-1")
    guest.shows(["schedinfo", NAME], cpu_shares=3000, vcpu_quota=60000, emulator_quota=70000,
                global_quota=200000)
    guest.shows(["schedinfo", NAME, "--config"], cpu_shares=2000, vcpu_quota=50000)
    for part, value in (("vcpu0", 60000), ("vcpu1", 60000), ("emulator", 70000), ("", 200000)):
        groups.holds("cpu", "cpu.cfs_quota_us", value, part)
    groups.holds("cpu", "cpu.shares", 3000)
    guest.virsh("schedinfo", NAME, "--config", "--set", "vcpu_period=20000")
    guest.shows(["schedinfo", NAME, "--config"], vcpu_period=20000)
    guest.virsh("schedinfo", NAME, "--set", "vcpu_period=5",
                fails="value of 'vcpu_period' is out of range [1000, 1000000]")


def check_memory(guest, groups):
    if "memory" not in groups.mounts:
        guest.virsh("memtune", NAME, fails="cgroup memory controller is not mounted")
        return
    guest.shows(["memtune", NAME], hard_limit=921600, swap_hard_limit="unlimited")
    guest.virsh("memtune", NAME, "--hard-limit", "1048576", "--soft-limit", "524288",
                "--swap-hard-limit", "2097152")
    guest.shows(["memtune", NAME], hard_limit=1048576, soft_limit=524288, swap_hard_limit=2097152)
    groups.holds("memory", "memory.limit_in_bytes", 1 << 30)
    groups.holds("memory", "memory.memsw.limit_in_bytes", 2 << 30)
    guest.virsh("memtune", NAME, "--hard-limit", "4194304",
                fails="hard_limit tunable value must be lower than or equal to swap_hard_limit")
    guest.virsh("memtune", NAME, "--config", "--hard-limit", "-1")
    guest.shows(["memtune", NAME, "--config"], hard_limit="unlimited")


def check_disks(guest, groups):
    if "blkio" in groups.mounts:
        guest.virsh("blkiotune", NAME, "--config", "--weight", "500",
                    "--device-read-iops-sec", "/dev/sdz,100")
        guest.shows(["blkiotune", NAME, "--config"], weight=500,
                    device_read_iops_sec="/dev/sdz,100")
        guest.virsh("blkiotune", NAME, "--device-read-iops-sec", "/dev/null,5",
                    fails="Path '/dev/null' must be a block device")
    guest.virsh("blkdeviotune", NAME, "vda", "--total-bytes-sec", "1000000", "--live", "--config")
    guest.virsh("blkdeviotune", NAME, "vda", "--total-iops-sec", "300")
    guest.shows(["blkdeviotune", NAME, "vda"], total_bytes_sec=1000000, total_iops_sec=300)
    guest.shows(["blkdeviotune", NAME, "vda", "--config"], total_bytes_sec=1000000,
                total_iops_sec=0)
    told = guest.virsh("qemu-monitor-command", NAME, '{"execute":"query-block"}')
    assert '"bps":1000000' in told and '"iops":300' in told, told
    guest.virsh("blkdeviotune", NAME, "vda", "--total-bytes-sec", "1", "--read-bytes-sec", "1",
                fails="cannot be set at the same time")


def affinity(pid, thread):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == thread:
            return sorted(os.sched_getaffinity(int(task.name)))
    raise AssertionError(f"no thread '{thread}'")


def check_places(guest, groups, pid):
    last = str(max(os.sched_getaffinity(0)))
    assert affinity(pid, "CPU 0/TCG") == [0]
    guest.virsh("vcpupin", NAME, "1", last)
    assert affinity(pid, "CPU 1/TCG") == [int(last)]
    assert re.search(rf"^\s*1\s+{last}$", guest.virsh("vcpupin", NAME), re.MULTILINE)
    groups.holds("cpuset", "cpuset.cpus", last, "vcpu1")
    guest.virsh("emulatorpin", NAME, "0")
    assert sorted(os.sched_getaffinity(pid)) == [0]
    assert affinity(pid, "CPU 1/TCG") == [int(last)]
    guest.virsh("vcpupin", NAME, "9", "0", fails="vcpu 9 is out of range of live cpu count 4")
    if "cpuset" in groups.mounts:
        guest.virsh("numatune", NAME, "--nodeset", "0")
        guest.shows(["numatune", NAME], numa_nodeset="0", numa_mode="restrictive")
        groups.holds("cpuset", "cpuset.mems", 0, "vcpu0")
    guest.virsh("numatune", NAME, "--mode", "interleave",
                fails="can't change numatune mode for running domain"
                if "cpuset" in groups.mounts else "cgroup cpuset controller is not mounted")


def check_iothreads(guest, groups, pid):
    guest.virsh("iothreadadd", NAME, "5", "--live", "--config")
    guest.virsh("iothreadpin", NAME, "5", "0")
    assert re.search(r"^\s*5\s+0$", guest.virsh("iothreadinfo", NAME), re.MULTILINE)
    assert affinity(pid, "IO iothread5") == [0]
    assert groups.file("cpu", "tasks", "iothread5") not in ("",)
    guest.virsh("iothreadset", NAME, "5", "--poll-max-ns", "4096")
    told = guest.virsh("qemu-monitor-command", NAME, '{"execute":"query-iothreads"}')
    assert '"poll-max-ns":4096' in told, told
    guest.virsh("iothreadadd", NAME, "5", fails="an IOThread is already using iothread_id '5'")
    guest.virsh("iothreaddel", NAME, "5")
    assert not re.search(r"^\s*5\s", guest.virsh("iothreadinfo", NAME), re.MULTILINE)
    assert re.search(r"^\s*5\s", guest.virsh("iothreadinfo", NAME, "--config"), re.MULTILINE)


def check_vcpus(guest, groups):
    guest.virsh("setvcpus", NAME, "3")
    assert guest.virsh("vcpucount", NAME, "--live", "--active").strip() == "3"
    assert guest.virsh("vcpucount", NAME, "--config", "--active").strip() == "2"
    groups.holds("cpu", "cpu.cfs_period_us", 100000, "vcpu2")
    guest.virsh("setvcpus", NAME, "4", "--config")
    assert guest.virsh("vcpucount", NAME, "--config", "--active").strip() == "4"
    guest.virsh("setvcpus", NAME, "9", fails="greater than max allowable vcpus for the live domain")
    if "cpuacct" in groups.mounts:
        assert re.search(r"cpu_time\s+\d+\.\d+ seconds", guest.virsh("cpu-stats", NAME, "--total"))


def check_interface(guest):
    guest.shows(["domiftune", NAME, guest.tap], inbound__average=1000)
    guest.virsh("domiftune", NAME, guest.tap, "--inbound", "300,400,50")
    guest.shows(["domiftune", NAME, guest.tap], inbound__average=300, inbound__peak=400)
    classes = subprocess.run(["tc", "class", "show", "dev", guest.tap], capture_output=True,
                             text=True, check=True).stdout
    assert "rate 2400Kbit ceil 3200Kbit" in classes, classes
    guest.virsh("domiftune", NAME, guest.tap, "--inbound", "0")
    assert "htb" not in subprocess.run(["tc", "qdisc", "show", "dev", guest.tap],
                                       capture_output=True, text=True, check=True).stdout


RESCTRL = """<domain type='%s'><name>parted</name><memory unit='MiB'>64</memory><vcpu>2</vcpu>
<cputune><cachetune vcpus='0'><cache id='0' level='3' type='both' size='1' unit='MiB'/></cachetune>
</cputune><os><type arch='x86_64' machine='pc'>hvm</type></os></domain>"""


def check_resctrl(guest, folder):
    """Parts of the cache are never dropped in silence."""
    document = folder / "parted.xml"
    document.write_text(RESCTRL % "qemu")
    guest.virsh("define", str(document), fails="cachetune is only supported for KVM domains")
    if pathlib.Path("/sys/fs/resctrl/info").exists():
        return
    document.write_text(RESCTRL % "kvm")
    has_kvm = "<domain type='kvm'>" in guest.virsh("capabilities")
    guest.virsh("create", str(document), fails="Resource control is not supported on this host"
                if has_kvm else "domaintype=kvm")


def numa_mode():
    """A mode that the machine's hierarchies can carry out; only one of them can be changed."""
    return "restrictive" if "cpuset" in Groups(os.getpid()).mounts else "strict"


def groups_left():
    return [folder for folder, _, _ in os.walk("/sys/fs/cgroup")  # others come and go meanwhile
            if folder.endswith("-" + NAME)]


def run(server, folder):
    guest = Guest(server, f"tuning{os.getpid() % 100000}")
    image = folder / "disk.img"
    image.write_bytes(b"\0" * 65536)
    document = folder / "guest.xml"
    document.write_text(XML % (numa_mode(), image, guest.tap))
    guest.virsh("define", str(document))
    guest.virsh("start", NAME, "--paused")
    try:
        pid = int((server.root / "run" / "qemu" / f"{NAME}.pid").read_text())
        groups = Groups(pid)
        check_processor(guest, groups)
        check_memory(guest, groups)
        check_disks(guest, groups)
        check_places(guest, groups, pid)
        check_iothreads(guest, groups, pid)
        check_vcpus(guest, groups)
        check_interface(guest)
        check_resctrl(guest, folder)
    finally:
        guest.virsh("destroy", NAME)
    assert not groups_left(), groups_left()


def main():
    missing = [name for name in ("virsh", "qemu-system-x86_64", "tc") if not shutil.which(name)]
    if missing or os.geteuid() != 0:
        print(f"skipped: needs root and {' '.join(missing) or 'nothing else'}")
        return SKIPPED
    with daemon.running(sys.argv[1], prepare=lambda folder: folder.chmod(0o755)) as server:
        run(server, server.root)
    print("every tuning command reads back what it wrote")
    return 0


if __name__ == "__main__":
    sys.exit(main())
