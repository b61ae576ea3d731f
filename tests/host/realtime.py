#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""realtime.py VIRTWARDD BUILD-FOLDER: real-time vCPUs and housekeeping, placed while no vCPU's thread
has used a tick of CPU time, when a guest boots and when it comes as a stream: by the daemon and by
handlers. And what is said where the kernel has no real time for a group.

tests/vm/realtime.sh is the same on Debian's kernel, by the daemon and the reference helper."""

import os
import pathlib
import re
import sys

import barrier_fixture
from barrier_fixture import HOUSEKEEPING, ISOLATED, SCHED, SCHEDULER, libvirt_internal, pid_of, ticks

NAME = "barrier-realtime"
RUNTIME = "cpu.rt_runtime_us"
ORDINARY = (os.SCHED_OTHER, 0)


def document(tuning):
    return f"""<domain type='qemu'><name>{NAME}</name>
<uuid>b0a7c2d4-31e6-4f0a-9c55-0d6ba4e11e01</uuid><memory unit='MiB'>64</memory>
<vcpu>2</vcpu><iothreads>1</iothreads><cputune>{tuning}</cputune>
<os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features>
<devices><controller type='usb' model='none'/><memballoon model='none'/></devices></domain>"""


VCPUS = f"""<vcpupin vcpu='0' cpuset='{ISOLATED}'/><vcpupin vcpu='1' cpuset='{ISOLATED}'/>
<vcpusched vcpus='0-1' {SCHED}/><iothreadsched iothreads='1' {SCHED}/>"""
EMULATOR = f"<emulatorpin cpuset='{HOUSEKEEPING}'/>"


def mount_of(controller):
    """Where a v1 hierarchy is mounted; None."""
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, point, kind, options = line.split()[:4]
        if kind == "cgroup" and controller in options.split(","):
            return pathlib.Path(point)
    return None


def group_of(tid, controller):
    """The folder of a thread's group in a v1 hierarchy that is mounted."""
    for line in pathlib.Path(f"/proc/{tid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return mount_of(controller) / path.lstrip("/")
    raise AssertionError(f"{controller} is mounted, and thread {tid} in no group of it")


def time_is_shared_out():
    """Among groups of v1, by a file of each."""
    mount = mount_of("cpu")
    return mount is not None and (mount / RUNTIME).exists()


class RealtimeCase(barrier_fixture.BarrierCase):
    NAME, GUEST = NAME, document(VCPUS + EMULATOR)

    def check_placed(self, reached):
        """Real time and housekeeping, and no CPU time used by a vCPU."""
        vcpus, iothreads = reached.tids(libvirt_internal.VCPU), reached.tids(libvirt_internal.IOTHREAD)
        others = reached.tids(libvirt_internal.EMULATOR, libvirt_internal.OTHER)
        self.assertEqual(len(vcpus), 2)
        self.assertEqual(reached.ticks, [0, 0])
        for tids, scheduler, cpus in ((vcpus, SCHEDULER, {ISOLATED}), (iothreads, SCHEDULER, None),
                                      (others, ORDINARY, {HOUSEKEEPING})):
            for tid in tids:
                self.assertEqual(reached.scheduled[tid], scheduler)
                self.assertEqual(reached.cpus[tid], cpus or reached.cpus[tid])

    def check_untouched(self):
        """The registers are those of a processor that has not executed anything."""
        registers = self.virsh("qemu-monitor-command", NAME, "--hmp", "info registers -a").stdout
        self.assertEqual(registers.count("EIP=0000fff0 EFL=00000002"), 2, registers)

    def both_ways(self, check):
        """Started, saved before it ran, restored: check gets the one barrier that was reached."""
        self.ok("start", "--paused", NAME)
        self.check_untouched()
        check(*self.reached)
        path = self.save()
        self.reached.clear()
        self.ok("restore", "--paused", str(path))
        self.check_untouched()
        check(*self.reached)
        self.ok("resume", NAME)
        check(*self.reached[1:])
        self.assertEqual([one.stage for one in self.reached],
                         [libvirt_internal.PREPARED, libvirt_internal.RESUME])
        self.assertEqual(self.virsh("domstate", NAME).stdout.strip(), "running")


class ByTheDaemon(RealtimeCase):
    def test_before_any_vcpu_runs(self):
        self.both_ways(self.check_placed)


class ByHandlers(RealtimeCase):
    """The emulator's place is the barrier's handler's own idea; the rest is the document's."""

    GUEST = document(VCPUS)

    def connect(self):
        super().connect()
        self.placed = {}
        self.serve("sched.set", self.sched_set)
        self.serve("affinity.set", self.affinity_set)

    def each(self, request):
        """The request's threads; how many ticks each has used when it has been placed is kept."""
        fds, _, tids = request.threads()[1:]
        for tid in [pid_of(fd) for fd in fds] if fds else tids:
            yield tid
            self.placed.setdefault(tid, []).append(ticks(pid_of(request.threads()[0]), tid))

    def sched_set(self, _call, request):
        for tid in self.each(request):
            os.sched_setscheduler(tid, request["policy"], os.sched_param(request["priority"]))

    def affinity_set(self, _call, request):
        cpus = int.from_bytes(request["cpus"], "little")
        for tid in self.each(request):
            os.sched_setaffinity(tid, [cpu for cpu in range(cpus.bit_length()) if cpus >> cpu & 1])

    def at_barrier(self, reached):
        if reached.stage == libvirt_internal.PREPARED:
            self.keep_house(reached.tids(libvirt_internal.EMULATOR, libvirt_internal.OTHER))
            reached.look()
        super().at_barrier(reached)

    def keep_house(self, tids):
        """To the housekeeping CPU; on v1 to a group for it as well, beside the emulator's."""
        house = group_of(tids[0], "cpuset").parent / "housekeeping" if mount_of("cpuset") else None
        if house:
            house.mkdir()
            (house / "cpuset.mems").write_text((house.parent / "cpuset.mems").read_text())
            (house / "cpuset.cpus").write_text(str(HOUSEKEEPING))
        for tid in tids:
            if house:
                (house / "tasks").write_text(str(tid))
            os.sched_setaffinity(tid, {HOUSEKEEPING})

    def check_by_handlers(self, reached):
        vcpus = reached.tids(libvirt_internal.VCPU)
        self.check_placed(reached)
        for tid in vcpus:
            self.assertEqual(self.placed[tid], [0, 0])  # its scheduler, its CPUs
        for tid in reached.tids(libvirt_internal.EMULATOR) if mount_of("cpuset") else []:
            self.assertEqual(group_of(tid, "cpuset").name, "housekeeping")

    def test_before_any_vcpu_runs(self):
        """vCPUs have used no ticks when each was placed, nor at the barriers."""
        self.both_ways(self.check_by_handlers)
        house = group_of(self.reached[0].pid, "cpuset") if mount_of("cpuset") else None
        self.virsh("destroy", NAME)
        self.assertFalse(house and house.exists())


class GroupsByAHandler(RealtimeCase):
    """All controllers, and a handler that gives some time to the groups that it makes, where the
    kernel shares it out among them."""

    CONFIG = ""
    # Microseconds of each second, of what the group above has; by the beginning of its name.
    TIME = {"virtward-": 200000, r"\d+-": 160000, "": 40000}

    def connect(self):
        super().connect()
        if time_is_shared_out():
            self.serve("cgroup.create", self.make)

    def make(self, _call, request):
        group = pathlib.Path(os.readlink(f"/proc/self/fd/{request.fd(0)}"), request["name"])
        group.mkdir(exist_ok=True)
        for file in ("cpuset.cpus", "cpuset.mems"):
            if (group / file).exists() and not (group / file).read_text().strip():
                (group / file).write_text((group.parent / file).read_text())
        if (group / RUNTIME).exists():
            time = next(us for begin, us in self.TIME.items() if re.match(begin, group.name))
            (group / RUNTIME).write_text(str(time))
        request.add_fd(os.open(group, os.O_RDONLY | os.O_DIRECTORY))

    def test_before_any_vcpu_runs(self):
        self.both_ways(self.check_placed)


class WithoutTime(barrier_fixture.BarrierCase):
    """The daemon with all controllers, on a kernel that may group real-time threads."""

    NAME, GUEST, CONFIG = NAME, document(VCPUS), ""

    def restart(self, config):
        (self.daemon.root / "etc/virtwardd.conf").write_text(config)
        self.session.close()
        self.daemon.restart()
        self.connect()

    def test_a_group_without_real_time_is_named(self):
        grouped = time_is_shared_out() and SCHEDULER[0] == os.SCHED_FIFO
        out, code = self.served("start", "--paused", NAME)
        self.assertEqual(code, 1 if grouped else 0, out)
        if grouped:
            self.assertRegex(out, f"Operation not permitted: control group {mount_of('cpu')}/virtward-.*/vcpu0 "
                             "has no time for real-time threads")
            self.assertIn("leave cpu out of cgroup_controllers", out)

    def test_groups_that_are_not_used_any_more_go_with_their_guest(self):
        """A daemon that leaves a controller out removes what an earlier one made there."""
        self.virsh("define", "/dev/stdin", input=document("<shares>512</shares>"))
        self.ok("start", "--paused", NAME)
        pid = int((self.daemon.root / "run/qemu" / f"{NAME}.pid").read_text())
        folder = group_of(pid, "cpu").parent if mount_of("cpu") else None
        self.restart(barrier_fixture.CONTROLLERS)
        self.virsh("destroy", NAME)
        if folder:
            self.assertIn(NAME, folder.name)
            self.assertFalse(folder.exists())
        out, code = self.served("start", "--paused", NAME)
        self.assertEqual(code, 1)
        self.assertIn("CPU tuning is not available on this host", out)
        self.restart(self.CONFIG)
        self.virsh("define", "/dev/stdin", input=self.GUEST)


if __name__ == "__main__":
    barrier_fixture.main(sys.argv)
