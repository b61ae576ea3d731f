#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""vCPUs that come and go, told by stock virsh.

    vcpus.py VIRTWARDD MKGUEST [HELPERD]

A small Linux (tools/mkguest, emulated) with two vCPUs and places for two more: they are plugged by
number and by name, taken out again, and the documents, QEMU, the scheduler and the groups agree each
time. A guest that cannot answer lets the request time out; when it can, the document follows; one whose
kernel refuses keeps all. A vCPU that goes and comes again is the end of a QEMU 7.2, which must be told. Guests
whose documents have vCPUs that can go start with all of them. Skipped (exit 77) where that can't be.
"""
import json
import os
import re
import subprocess
import sys

import guest_life
import guests

BATCH = 3  # SCHED_BATCH
VCPUS = """<vcpu current='2'>5</vcpu>
  <cputune><vcpusched vcpus='2-4' scheduler='batch'/></cputune>"""
BOOT = "<kernel>{folder}/vmlinuz</kernel><initrd>{folder}/initrd</initrd><cmdline>console=ttyS0 quiet</cmdline>"


class Guest:
    def __init__(self, host, name):
        self.host, self.name = host, name

    def define(self, vcpus, machine, boot="", devices=""):
        path = self.host.write(self.name, boot=boot, devices=devices, machine=machine, memory=128)
        path.write_text(path.read_text().replace("<vcpu>1</vcpu>", vcpus))
        self.host.virsh("define", path)

    def virsh(self, command, *rest):
        return self.host.virsh(command, self.name, *rest)

    def refused(self, words, command, *rest):
        self.host.refused(words, command, self.name, *rest)

    def ask(self, command):
        return json.loads(self.virsh("qemu-monitor-command", json.dumps({"execute": command})))["return"]

    def tids(self):
        return {cpu["cpu-index"]: cpu["thread-id"] for cpu in self.ask("query-cpus-fast")}

    def listed(self, *options):
        """<vcpus> as {id: (enabled, hotpluggable, order)}."""
        return {int(one[0]): one[1:] for one in re.findall(
            r"<vcpu id='(\d+)' enabled='(\w+)' hotpluggable='(\w+)'(?: order='(\d+)')?/>",
            self.host.xml(self.name, *options))}

    def unplug(self, command, *rest, left):
        """However long the guest takes: when virsh's patience is over the document still follows."""
        done = self.host.run(command, self.name, *rest, "--live")
        assert done.returncode == 0 or "vcpu unplug request timed out" in done.stderr, done.stderr
        guests.until(lambda: self.count() == str(len(left)), f"{left} are left", guests.BOOT_S)
        self.has(*left)

    def count(self):
        return self.virsh("vcpucount", "--live", "--active").strip()

    def has(self, *ids):
        """QEMU, the document and the groups have just these vCPUs on."""
        tids = self.tids()
        assert sorted(tids) == sorted(ids), f"QEMU has {sorted(tids)}, not {sorted(ids)}"
        assert self.count() == str(len(ids)), f"{self.count()} in the document, not {len(ids)}"
        listed = self.listed()
        on = [one for one in listed if listed[one][0] == "yes"]
        assert not listed or sorted(on) == sorted(ids), f"<vcpus> has {on}, not {ids}"
        parts = sorted(path.name for path in self.host.group(self.name).rglob("vcpu*"))
        if parts:  # where a hierarchy gives threads limits of their own
            assert set(parts) == {f"vcpu{one}" for one in ids}, f"groups {parts}"
        for one in ids:
            policy = os.sched_getscheduler(tids[one])
            assert policy == (BATCH if one >= 2 else os.SCHED_OTHER), f"vCPU {one} has policy {policy}"


def plugged(guest):
    guest.has(0, 1)
    guest.virsh("setvcpus", "3", "--live")
    guest.has(0, 1, 2)
    guest.virsh("setvcpu", "4", "--enable", "--live")
    guest.has(0, 1, 2, 4)
    assert guest.listed() == {0: ("yes", "no", "1"), 1: ("yes", "no", "2"), 2: ("yes", "yes", "3"),
                              3: ("no", "yes", ""), 4: ("yes", "yes", "4")}, guest.listed()
    guest.refused("vcpu '4' is already in requested state", "setvcpu", "4", "--enable", "--live")
    guest.refused("vcpu '1' can't be unplugged", "setvcpu", "1", "--disable", "--live")
    guest.refused("vcpu 9 is not present in live config", "setvcpu", "9", "--enable", "--live")
    guest.refused("only one hotpluggable entity can be selected", "setvcpu", "2,4", "--disable", "--live")
    guest.has(0, 1, 2, 4)


def kept_through_a_restart(guest):
    """One came behind the daemon's back, as if it had been killed in the middle."""
    free = {place["props"]["socket-id"]: place for place in guest.ask("query-hotpluggable-cpus")}[3]
    guest.virsh("qemu-monitor-command", json.dumps(
        {"execute": "device_add", "arguments": {"driver": free["type"], "id": "vcpu3", **free["props"]}}))
    guest.host.restart()
    guests.until(lambda: guest.host.run("qemu-monitor-command", guest.name, '{"execute":"query-status"}')
                 .returncode == 0, "the monitor answers after the restart")
    guest.has(0, 1, 2, 3, 4)
    assert guest.listed()[4] == ("yes", "yes", "4") and guest.listed()[3] == ("yes", "yes", "5"), guest.listed()


def tell(guest, word):
    """On its console."""
    console = guests.Console(guest.host.uri, guest.name)
    console.ask(word, f"guest does {word}", guests.BOOT_S)
    console.close()


def refused_by_the_guest(guest):
    """Its kernel ejects no processor: it says so (_OST), and all stays. It may be slow to say so."""
    def rejected():
        done = guest.host.run("setvcpu", guest.name, "2", "--disable", "--live")
        assert done.returncode == 1, done.stdout
        if "vcpu unplug request timed out" not in done.stderr:
            assert "vcpu unplug request was rejected by the guest" in done.stderr, done.stderr
        return "rejected by the guest" in done.stderr

    before = guest.listed()
    tell(guest, "keep")
    guests.until(rejected, "the guest rejects it", guests.BOOT_S)
    guest.has(0, 1, 2, 3, 4)
    assert guest.listed() == before, guest.listed()
    tell(guest, "yield")


def plugged_again(guest):
    """A vCPU that went comes again; QEMU 7.2 emulates that with a crash, of which nothing is left."""
    pid = guest.host.pid(guest.name)
    listener = guest_life.Listener(guest.host, guest.name)
    guests.until(lambda: guest.virsh("suspend") and guest.virsh("resume") and listener.heard(), "it listens")
    done = guest.host.run("setvcpu", guest.name, "2", "--enable", "--live")
    if done.returncode == 0:
        guests.until(lambda: not guests.alive(pid) or sorted(guest.tids()) == [0, 1, 2], "it runs with it")
    if guests.alive(pid):
        guest.has(0, 1, 2)
        guest.virsh("destroy")
    else:
        guest.host.until_state(guest.name, "shut off (crashed)")
        listener.expect("Stopped Failed")
        assert guest.host.left_of_guests() == [], guest.host.left_of_guests()
        assert not guest.listed("--inactive"), "the stored document has changed"
    listener.close()


def unplugged(guest):
    guest.unplug("setvcpu", "2", "--disable", left=(0, 1, 3, 4))
    assert guest.listed()[2] == ("no", "yes", "") and guest.listed()[4][2] == "3", guest.listed()
    guest.virsh("suspend")
    guest.refused("vcpu unplug request timed out", "setvcpus", "3", "--live")
    guest.has(0, 1, 3, 4)
    guest.virsh("resume")
    guests.until(lambda: guest.count() == "3", "the document follows what the guest lets go of", guests.BOOT_S)
    guest.unplug("setvcpus", "2", left=(0, 1))
    guest.refused("failed to find appropriate hotpluggable vcpus", "setvcpus", "1", "--live")


def placed_or_gone(guest, helperd):
    """A helper puts the emulator on CPU 0 and knows no place for what is plugged: it is taken out."""
    policy = guest.host.folder / "policy"
    groups = guest.host.instance.relative_to(guest.host.mount)
    policy.write_text(f"[helper]\nsockets={guest.host.folder}/run/handler/sock\ncgroups=/{groups}\n"
                      "[barrier]\nhousekeeping=0\nvcpus=16000\n")
    helper = subprocess.Popen([helperd, "--policy", str(policy)], stderr=subprocess.PIPE, text=True)
    try:
        while "serving" not in (line := helper.stderr.readline()):
            assert line, "the helper ended"
        boot(guest)
        pid, tids = guest.host.pid(guest.name), guest.tids()
        assert os.sched_getaffinity(pid) == {0}, os.sched_getaffinity(pid)
        done = guest.host.run("setvcpu", guest.name, "3", "--enable", "--live")
        if os.cpu_count() > 1:
            assert "the handler of barrier: cannot set the CPUs of thread" in done.stderr, done.stderr
            guests.until(lambda: guest.tids() == tids, "the vCPU is gone again", guests.BOOT_S)
            guest.has(0, 1)
        guest.virsh("destroy")
    finally:
        helper.terminate()
        helper.wait()
        helper.stderr.close()


def stored(guest):
    """setvcpu --config, and a start with what it left."""
    guest.refused("vCPU '0' can't be modified", "setvcpu", "0", "--disable", "--config")
    guest.refused("vcpu 9 is not present in persistent config", "setvcpu", "9", "--enable", "--config")
    guest.refused("Failed to parse bitmap 'x'", "setvcpu", "x", "--enable", "--config")
    guest.virsh("setvcpu", "1", "--disable", "--config")
    guest.virsh("setvcpu", "2,3", "--enable", "--config")
    assert guest.listed("--inactive") == {0: ("yes", "no", ""), 1: ("no", "yes", ""), 2: ("yes", "yes", ""),
                                          3: ("yes", "yes", ""), 4: ("no", "yes", "")}, guest.listed("--inactive")
    guest.virsh("start")
    guest.has(0, 2, 3)
    assert [guest.listed()[one][2] for one in (0, 2, 3)] == ["1", "2", "3"], guest.listed()
    assert {cpu["qom-path"] for cpu in guest.ask("query-cpus-fast")} >= {
        "/machine/peripheral/vcpu2", "/machine/peripheral/vcpu3"}
    guest.virsh("destroy")


def orders(guest):
    """They come in the order that the document gives."""
    guest.virsh("undefine")
    guest.define("""<vcpu current='3'>4</vcpu><vcpus><vcpu id='0' enabled='yes' hotpluggable='no' order='1'/>
<vcpu id='1' enabled='no' hotpluggable='yes'/><vcpu id='2' enabled='yes' hotpluggable='yes' order='3'/>
<vcpu id='3' enabled='yes' hotpluggable='yes' order='2'/></vcpus>
<cputune><vcpusched vcpus='2-3' scheduler='batch'/></cputune>""", "pc")
    guest.virsh("start", "--paused")
    guest.has(0, 2, 3)
    tids = guest.tids()
    assert tids[0] < tids[3] < tids[2], tids
    assert [guest.listed()[one][2] for one in (0, 2, 3)] == ["1", "3", "2"], guest.listed()
    guest.virsh("destroy")


def boot(guest):
    guest.virsh("start", "--paused")
    console = guests.Console(guest.host.uri, guest.name)
    guest.virsh("resume")
    console.expect("GUEST READY", guests.BOOT_S)
    console.close()


def run(host, mkguest, helperd):
    folder = host.folder / "guest"
    folder.mkdir()
    subprocess.run([mkguest, str(folder)], check=True)
    guest = Guest(host, "vcpus-come-and-go")
    guest.define(VCPUS, "q35", boot=BOOT.format(folder=folder), devices="<serial type='pty'/>")
    boot(guest)
    plugged(guest)
    kept_through_a_restart(guest)
    refused_by_the_guest(guest)
    unplugged(guest)
    plugged_again(guest)
    if helperd:
        placed_or_gone(guest, helperd)
        host.restart()  # which has heard of no helper
    stored(guest)
    orders(guest)
    guest.virsh("undefine")
    host.end()


def main(program, mkguest, helperd=None):
    why = guests.missing()
    if why:
        print(f"{why}: skipped")
        return 77
    with guests.host(program) as host:
        run(host, mkguest, helperd)
    print("vCPUs came and went")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
