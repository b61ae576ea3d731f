#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""barrier.py VIRTWARDD BUILD-FOLDER: what a handler is told of a guest's threads, when, and what
its word leads to. A Python handler of this process, stock virsh, a QEMU without an operating system.
"""

import os
import pathlib
import sys

import barrier_fixture
from barrier_fixture import ISOLATED, SCHED, SCHEDULER, libvirt_internal

GUEST = f"""<domain type='qemu'><name>at-the-barrier</name><memory unit='MiB'>64</memory>
<vcpu current='2'>4</vcpu><iothreads>1</iothreads>
<memtune><hard_limit unit='GiB'>1</hard_limit></memtune>
<cputune><vcpupin vcpu='1' cpuset='{ISOLATED}'/><vcpusched vcpus='1-2' {SCHED}/><iothreadsched iothreads='1' {SCHED}/></cputune>
<os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features>
<devices><controller type='usb' model='none'/></devices></domain>"""


class Barrier(barrier_fixture.BarrierCase):
    NAME, GUEST = "at-the-barrier", GUEST

    def test_prepared_then_resume_before_any_vcpu_has_run(self):
        self.ok("start", self.NAME)
        self.assertEqual(self.stages(), [libvirt_internal.PREPARED, libvirt_internal.RESUME])
        self.assertNotIn("running", self.states)
        self.assertEqual(self.virsh("domstate", self.NAME).stdout.strip(), "running")
        for one in self.reached:
            self.assertEqual(one.ticks, [0, 0])

    def test_the_document_s_schedulers_and_pins_are_there_before(self):
        """At prepared, with no CPU time used, and for a vCPU that comes later."""
        self.ok("start", "--paused", self.NAME)
        one, = self.reached
        self.assertEqual(one.ticks, [0, 0])
        first, second = one.tids(libvirt_internal.VCPU)
        self.assertEqual(one.scheduled[first], (os.SCHED_OTHER, 0))
        self.assertEqual(one.scheduled[second], SCHEDULER)
        self.assertEqual(one.cpus[second], {ISOLATED})
        for tid in one.tids(libvirt_internal.IOTHREAD):
            self.assertEqual(one.scheduled[tid], SCHEDULER)
        self.ok("setvcpus", self.NAME, "3", "--live")
        third, = self.reached[-1].tids(libvirt_internal.VCPU)
        self.assertEqual(self.reached[-1].scheduled[third], SCHEDULER)

    def test_roles_are_what_qemu_says(self):
        self.ok("start", "--paused", self.NAME)
        one, = self.reached
        vcpus = [(cpu["cpu-index"], cpu["thread-id"]) for cpu in self.ask("query-cpus-fast")]
        iothread, = self.ask("query-iothreads")
        self.assertEqual(one.of(libvirt_internal.VCPU), vcpus)
        self.assertEqual(one.of(libvirt_internal.IOTHREAD), [(1, iothread["thread-id"])])
        self.assertEqual(one.of(libvirt_internal.EMULATOR), [(0, one.pid)])
        tids = [thread.tid for thread in one.threads]
        self.assertEqual(len(set(tids)), len(tids))
        if one.folder < 0:  # descriptors and table are in one order
            self.assertEqual(one.fds, tids)

    def test_resume_waits_for_the_first_time_only(self):
        self.ok("start", "--paused", self.NAME)
        self.assertEqual(self.stages(), [libvirt_internal.PREPARED])
        self.ok("resume", self.NAME)
        self.assertEqual(self.stages(), [libvirt_internal.PREPARED, libvirt_internal.RESUME])
        self.assertEqual(self.reached[1].ticks, [0, 0])
        self.ok("suspend", self.NAME)
        self.ok("resume", self.NAME)
        self.assertEqual(len(self.reached), 2)

    def test_a_refusal_at_prepared_ends_the_start(self):
        self.refuse[libvirt_internal.PREPARED] = "no seat is free"
        out, code = self.served("start", self.NAME)
        self.assertEqual(code, 1)
        self.assertIn("the handler of barrier: no seat is free", out)
        self.assertEqual(self.virsh("domstate", self.NAME).stdout.strip(), "shut off")
        self.assertFalse(pathlib.Path(f"/proc/{self.reached[0].pid}").exists())
        self.refuse.clear()
        self.ok("start", self.NAME)

    def test_a_refusal_at_resume_ends_the_start(self):
        self.refuse[libvirt_internal.RESUME] = "not today"
        out, code = self.served("start", self.NAME)
        self.assertEqual(code, 1)
        self.assertIn("not today", out)
        self.assertEqual(self.virsh("domstate", self.NAME).stdout.strip(), "shut off")

    def test_a_refusal_at_a_later_resume_leaves_it_paused(self):
        self.ok("start", "--paused", self.NAME)
        self.refuse[libvirt_internal.RESUME] = "not yet"
        out, code = self.served("resume", self.NAME)
        self.assertEqual(code, 1)
        self.assertIn("not yet", out)
        self.assertEqual(self.virsh("domstate", self.NAME).stdout.strip(), "paused")
        self.refuse.clear()
        self.ok("resume", self.NAME)
        self.assertEqual(self.reached[-1].ticks, [0, 0])

    def test_a_restart_of_the_daemon_forgets_nothing(self):
        self.ok("start", "--paused", self.NAME)
        self.session.close()
        self.daemon.restart()
        self.connect()
        self.ok("resume", self.NAME)
        self.assertEqual(self.stages(), [libvirt_internal.PREPARED, libvirt_internal.RESUME])

    def test_a_plugged_vcpu(self):
        self.ok("start", self.NAME)
        self.ok("setvcpus", self.NAME, "3", "--live")
        one = self.reached[-1]
        self.assertEqual((one.stage, one.phase), (libvirt_internal.HOTPLUG_VCPU, 1))
        tids = {cpu["cpu-index"]: cpu["thread-id"] for cpu in self.ask("query-cpus-fast")}
        self.assertEqual([tuple(thread)[:3] for thread in one.threads],
                         [(libvirt_internal.VCPU, 2, tids[2])])

    def test_a_guest_that_comes_as_a_stream(self):
        """The same barriers, before the first byte of it is loaded and before its CPUs go on."""
        self.ok("start", self.NAME)
        path = self.save()
        self.reached.clear()
        self.ok("restore", str(path))
        self.assertEqual([(one.stage, one.phase) for one in self.reached],
                         [(libvirt_internal.PREPARED, 2), (libvirt_internal.RESUME, 2)])
        self.assertEqual(self.reached[0].ticks, [0, 0])
        self.assertEqual(self.virsh("domstate", self.NAME, "--reason").stdout.strip(), "running (restored)")
        self.virsh("destroy", self.NAME)
        self.ok("restore", "--paused", str(path))
        self.assertEqual(self.virsh("domstate", self.NAME, "--reason").stdout.strip(), "paused (migrating)")
        self.assertEqual(self.ask("query-status")["status"], "paused")
        self.ok("resume", self.NAME)
        self.virsh("destroy", self.NAME)
        self.refuse[libvirt_internal.PREPARED] = "no stream today"
        out, code = self.served("restore", str(path))
        self.assertEqual(code, 1)
        self.assertIn("no stream today", out)
        self.assertEqual(self.virsh("domstate", self.NAME).stdout.strip(), "shut off")

    def test_a_file_that_is_no_saved_guest(self):
        self.ok("start", self.NAME)
        path = self.save()
        whole = path.read_bytes()
        for content, words in ((whole[:40000], "QEMU could not load the guest's state"),
                               (whole[:50], "failed to read qemu header"),
                               (whole[:500], "failed to read domain XML"),
                               (b"LibvirtQemudPart" + whole[16:], "save image is incomplete"),
                               (b"x" + whole[1:], "image magic is incorrect"),
                               (whole[:28] + b"\1" + whole[29:], "is compressed"),
                               (whole[:20] + b"\xff" * 4 + whole[24:], "invalid header data length")):
            path.write_bytes(content)
            out, code = self.served("restore", str(path))
            self.assertEqual(code, 1)
            self.assertIn(words, out)
            self.assertEqual(self.virsh("domstate", self.NAME).stdout.strip(), "shut off")

    def test_a_hard_limit_that_cannot_be_locked_holds_nothing_up(self):
        """Nothing of this guest is locked: neither its start nor a device that comes needs a right."""
        self.ok("start", self.NAME)
        device = self.folder / "rng.xml"
        device.write_text("<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>")
        self.ok("attach-device", self.NAME, str(device), "--live")

    def test_nobody_there(self):
        """A handler that went away holds starts up; one that took leave does not."""
        self.session.close()
        done = self.virsh("start", self.NAME, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the handler of barrier is not connected", done.stderr)
        self.connect()
        self.session.unregister("barrier")
        self.virsh("start", self.NAME)


if __name__ == "__main__":
    barrier_fixture.main(sys.argv)
