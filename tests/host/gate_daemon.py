#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The device gate of running guests, through the daemon and stock virsh.

    gate_daemon.py VIRTWARDD VIRTWARD [--denials N] [--cycles N] [--only PART] [--helper HELPERD]

What other managers do to a gate is seen and put right; a daemon that is killed, or comes back without
any capability, without its pins or without its bpffs goes on as docs/device-gate.md says; settings
come from the file and from the guest's own metadata; a burst of denials is accounted for to the
last one, and what the daemon suggests makes the access work. With --helper all of it with gates that
virtward-helperd makes, but for the parts where the daemon itself has other rights.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "wire")]
import bpf  # noqa: E402
import daemon  # noqa: E402 (beside the wire tests)

NAMESPACE = "urn:virtward:gate"
DOMAIN = """<domain type='qemu'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>32</memory>{metadata}
<os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features><devices><controller type='usb' model='qemu-xhci'/>
<memballoon model='none'/></devices></domain>"""


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def until(what, condition, seconds=60):
    """Looks again and again until it holds; the value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} seconds: {what}")
        time.sleep(0.05)


class Host:
    """A daemon and what is asked of it."""

    def __init__(self, running, wanted):
        self.running, self.virtward, self.virtwardd = running, wanted.virtward, wanted.virtwardd
        self.denials_wanted, self.cycles = wanted.denials, wanted.cycles
        self.uri = f"qemu:///system?socket={running.rw}"
        self.uuids = os.urandom(4).hex()  # what those of its guests begin with

    def virsh(self, *command, fails=None):
        done = subprocess.run(["virsh", "-c", self.uri, *command], capture_output=True, text=True,
                              env={**os.environ, "LC_ALL": "C.UTF-8"}, timeout=120, check=False)
        if fails is not None:
            assert done.returncode != 0 and re.search(fails, done.stderr), (command, done)
        else:
            assert done.returncode == 0, (command, done.stderr, self.running.log()[-3000:])
        return done.stdout

    def command(self, *command):
        done = subprocess.run([self.virtward, "--root", self.running.root, *command],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout

    def devices(self, name):
        return json.loads(self.command("devices", name, "--json"))

    def denials(self, name):
        return json.loads(self.command("devices", name, "--denials", "--json"))

    def said(self, pattern):
        return re.search(pattern, self.running.log())

    def document(self, name, metadata=""):
        return DOMAIN.format(name=name, metadata=metadata, uuid=self.uuids + str(uuid.uuid4())[8:])

    @contextlib.contextmanager
    def guest(self, name, metadata=""):
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(self.document(name, metadata))
            file.flush()
            self.virsh("create", file.name, "--paused")
        try:
            yield self.group(name)
            self.virsh("destroy", name)
        except BaseException:
            with contextlib.suppress(OSError, ValueError):  # gone already
                os.kill(int(self.pid_file(name).read_text()), signal.SIGKILL)
            raise

    def pid_file(self, name):
        return self.running.root / "run" / "qemu" / f"{name}.pid"

    def group(self, name):
        """The folder of the guest's own group, where its QEMU is."""
        pid = self.pid_file(name).read_text().strip()
        for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            if line.startswith("0::"):
                return mount_of_cgroup2() / line[4:]
        raise AssertionError("the guest is in no group of cgroup v2")


def mount_of_cgroup2():
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, kind = line.partition(" - ")
        if kind.startswith("cgroup2 "):
            return pathlib.Path(fields.split()[4])
    skip("needs cgroup v2")
    return None


def inside(group, path, mode=os.R_OK, times=1):
    """How often access(2) of the node was denied to a process in the group."""
    script = ("import os, sys\n"
              f"open('{group}/cgroup.procs', 'w').write('0')\n"
              f"print(sum(not os.access('{path}', {mode}) for _ in range({times})))\n")
    return int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                              timeout=120, check=True).stdout)


def bpftool(*command):
    shown = subprocess.run(["bpftool", "--json", *command], capture_output=True, text=True,
                           timeout=60, check=True).stdout
    return json.loads(shown.strip() or "[]")


def names(group):
    return sorted(program["name"] for program in bpftool("cgroup", "show", group))


@contextlib.contextmanager
def loop_device():
    """A block device of the host, nobody else's."""
    with tempfile.TemporaryDirectory(prefix="vw-loop-", dir="/tmp") as folder:
        image = pathlib.Path(folder) / "image"
        image.write_bytes(bytes(1 << 20))
        made = subprocess.run(["losetup", "--find", "--show", str(image)], capture_output=True,
                              text=True, check=False)
        if made.returncode != 0:
            skip(f"needs a loop device: {made.stderr.strip()}")
        node = made.stdout.strip()
        os.chown(node, 0, 0)
        try:
            yield node
        finally:
            subprocess.run(["losetup", "--detach", node], check=True)


# --- what others do to it ---

def check_removed_program_is_put_back(host):
    with host.guest("gate-removed") as group:
        gate = next(number for number in bpf.ids(group) if name_of(number) == "vw_gate")
        bpf.detach(group, gate)
        assert inside(group, "/dev/fuse") == 1, "its link holds meanwhile"
        until("the gate is back", lambda: names(group) == ["vw_gate", "vw_lock"])
        until("it is told", lambda: host.said("had taken its device gate off"))
        assert inside(group, "/dev/fuse") == 1
        assert inside(group, "/dev/null") == 0


def name_of(number):
    return bpftool("prog", "show", "id", str(number)).get("name", "")


def check_replacement_by_a_container_tool(host):
    """Attach one that allows everything, then detach whatever was there before."""
    with host.guest("gate-crun") as group:
        before = bpf.ids(group)
        bpf.attach(group, 1, "crun_like")
        for number in before:
            with contextlib.suppress(OSError):  # the link's can't be detached: that is the point
                bpf.detach(group, number)
        assert inside(group, "/dev/fuse") == 1, "open after a replacement"
        until("the gate is back", lambda: names(group) == ["crun_like", "vw_gate", "vw_lock"])
        until("the other is told of", lambda: host.said(r"\(crun_like\) on its own control group"))


def check_exclusive_programs_are_refused(host):
    with host.guest("gate-exclusive") as group:
        try:
            bpf.attach(group, 1, flags=0)
        except PermissionError:
            pass
        else:
            raise AssertionError("an exclusive program took the gate's place")
        assert inside(group, "/dev/fuse") == 1


def check_program_above_is_told(host):
    """What systemd does to a scope when it reloads: a program of its own, put there anew."""
    with host.guest("gate-above") as group:
        for name in ("sd_devices", "sd_devices2"):
            bpf.attach(group.parent, 1, name)
            until("it is told", lambda: host.said(rf"\({name}\) on a group above"))  # noqa: B023
        assert names(group) == ["vw_gate", "vw_lock"]
        assert inside(group, "/dev/fuse") == 1
        bpf.attach(group.parent, 0, "sd_denies")
        assert inside(group, "/dev/null") == 1, "a program above can deny"
        until("it is told", lambda: host.said(r"\(sd_denies\) on a group above"))
        for number in bpf.ids(group.parent):
            bpf.detach(group.parent, number)


def check_lost_pins_are_made_again(host):
    with host.guest("gate-pins") as group:
        pins = host.running.root / "run" / "bpf"
        own = next(folder for folder in pins.iterdir() if folder.is_dir())
        for pin in own.iterdir():
            pin.unlink()
        own.rmdir()
        until("the pins are back", lambda: (own / "link").exists())
        assert names(group) == ["vw_gate", "vw_lock"]


# --- settings ---

def check_mode_of_one_guest(host):
    gate = f"<metadata><v:gate xmlns:v='{NAMESPACE}' mode='permissive'/></metadata>"
    with host.guest("gate-lenient", gate) as group:
        assert host.devices("gate-lenient")["mode"] == "permissive"
        assert inside(group, "/dev/fuse") == 0
        until("it is told", lambda: host.denials("gate-lenient")["denials"])
        assert host.denials("gate-lenient")["denials"][0]["permissive"] is True
        host.virsh("metadata", "gate-lenient", "--live", "--uri", NAMESPACE, "--key", "gate",
                   "--set", "<gate mode='enforce'/>")
        assert host.devices("gate-lenient")["mode"] == "enforce"
        assert inside(group, "/dev/fuse") == 1
        host.virsh("metadata", "gate-lenient", "--live", "--uri", NAMESPACE, "--key", "gate",
                   "--set", "<gate mode='perhaps'/>", fails="perhaps")
        assert host.devices("gate-lenient")["mode"] == "enforce"


def check_rules_beyond_the_bound(host):
    gate = f"<metadata><v:gate xmlns:v='{NAMESPACE}' rules='4' rulesMax='{{}}'/></metadata>"
    with host.guest("gate-small", gate.format(64)) as group:
        assert len(host.devices("gate-small")["rules"]) > 4
        assert inside(group, "/dev/null") == 0
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(host.document("gate-full", gate.format(4)))
        file.flush()
        host.virsh("create", file.name, "--paused", fails="gate_rules_max allows 4")


def check_owners_are_shown(host):
    with host.guest("gate-owners") as group, loop_device() as node:
        # the guest is paused: only what needs no answer of it can be unplugged
        host.virsh("attach-disk", "gate-owners", node, "sdb", "--sourcetype", "block",
                   "--targetbus", "usb")
        rule = next(rule for rule in host.devices("gate-owners")["rules"] if rule["node"] == node)
        assert rule["owners"] == ["usb-disk1"], rule
        shown = host.command("devices", "gate-owners")
        assert re.search(rf"{node} +yes +usb-disk1", shown), shown
        assert re.search(r"c 1:3 rw +/dev/null +\w+ +policy", shown), shown
        assert inside(group, node) == 0
        host.virsh("detach-disk", "gate-owners", "sdb")
        until("the rule goes", lambda: inside(group, node) == 1)


# --- what stays ---

def uuid_in(header):
    """Of the guest whose gate this header is; "" if it has just gone."""
    try:
        value = bpftool("map", "dump", "id", str(header))[0]["value"]
    except subprocess.CalledProcessError:
        return ""
    return "".join(byte[2:] for byte in value[8:24])


def kernel_objects(host):
    """How many programs, maps and links the gates of this daemon's guests have, pinned or not."""
    headers = {shown["id"] for shown in bpftool("map", "show") if shown.get("name") == "vw_header"
               and uuid_in(shown["id"]).startswith(host.uuids)}
    programs = [program for program in bpftool("prog", "show")
                if headers & set(program.get("map_ids", []))]
    numbers = {program["id"] for program in programs}
    return {"programs": len(programs),
            "maps": len(headers.union(*(program["map_ids"] for program in programs))),
            "links": sum(link.get("prog_id") in numbers for link in bpftool("link", "show"))}


def held(host, group=None):
    """Descriptors, pins and groups of the instance, what the kernel has of its gates, and what is
    on the guest's group."""
    pins = sorted(str(pin.relative_to(host.running.root))
                  for pin in (host.running.root / "run" / "bpf").rglob("*"))
    instance = group.parent.parent if group else None
    return {"descriptors": host.running.fds(), "pins": pins,
            "groups": sorted(path.name for path in instance.iterdir() if path.is_dir())
            if instance else None,
            "kernel": kernel_objects(host), "programs": names(group) if group else None}


def until_held(host, before, group=None):
    """The kernel frees what was attached when it gets round to it."""
    try:
        until("nothing stays", lambda: held(host, group) == before)
    except AssertionError:
        print(f"before: {before}\nnow: {held(host, group)}", file=sys.stderr)
        raise


def check_plugging_leaves_nothing(host):
    with host.guest("gate-plugs") as group, loop_device() as node:
        def cycle():
            host.virsh("attach-disk", "gate-plugs", node, "sdb", "--sourcetype", "block",
                       "--targetbus", "usb")
            host.virsh("detach-disk", "gate-plugs", "sdb")
            until("the rule goes", lambda: node not in
                  [rule.get("node") for rule in host.devices("gate-plugs")["rules"]])

        cycle()
        # of those before, too, when the kernel has freed them
        until("one gate is left", lambda: kernel_objects(host) ==
              {"programs": 2, "maps": 4, "links": 1})
        before = held(host, group)
        rules = host.devices("gate-plugs")["rules"]
        for _ in range(host.cycles):
            cycle()
        until_held(host, before, group)
        assert host.devices("gate-plugs")["rules"] == rules


def check_guests_leave_nothing(host):
    with host.guest("gate-cycle") as group:
        instance = group.parent.parent
    none = {"programs": 0, "maps": 0, "links": 0}
    until("the kernel has freed the first", lambda: kernel_objects(host) == none)
    before = held(host)
    for _ in range(host.cycles):
        with host.guest("gate-cycle"):
            pass
    until_held(host, before)
    until("no group stays", lambda: not instance.exists() or
          not [path for path in instance.iterdir() if path.is_dir()])


# --- denials ---

def check_suggestion_makes_it_work(host):
    with host.guest("gate-hint") as group, loop_device() as node:
        assert inside(group, node, os.R_OK | os.W_OK) == 1
        listed = until("it is listed", lambda: host.denials("gate-hint")["denials"])
        assert [denial["node"] for denial in listed] == [node], listed
        assert listed[0]["access"] == "rw" and listed[0]["count"] == 1, listed
        assert listed[0]["thread"].startswith("python"), listed
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(listed[0]["allow"])
            file.flush()
            host.virsh("attach-device", "gate-hint", file.name, "--live")
        assert inside(group, node, os.R_OK | os.W_OK) == 0


def check_denials_are_followed(host):
    with contextlib.ExitStack() as stack:
        with host.guest("gate-follow") as group:
            follower = subprocess.Popen(
                [host.virtward, "--root", host.running.root, "devices", "gate-follow", "--denials",
                 "--follow", "--json"], stdout=subprocess.PIPE, bufsize=0)
            stack.callback(follower.wait)
            stack.callback(follower.kill)
            assert next_line(follower)["denials"] == []
            day = time.strftime("%F")  # it may be another when they are told
            inside(group, "/dev/fuse", times=2)
            while (shown := next_line(follower)["denials"][-1])["count"] < 2:
                pass  # told of the first before the second came
            assert shown["count"] == 2, shown
            assert shown["first"] <= shown["last"] <= time.monotonic(), shown
            text = host.command("devices", "gate-follow", "--denials")
            assert re.search(rf"c 10:229 r +/dev/fuse +python.* 2 times\n +(first )?at "
                             rf"({day}|{time.strftime('%F')})", text), text
            assert '"/dev/fuse" in cgroup_device_acl' in text
        assert follower.wait(60) == 0, "it ends with the guest"


def next_line(follower):
    """The next that is no blank one. Unbuffered: what was read with one before would be missed."""
    while True:
        until("it says more", lambda: select.select([follower.stdout], [], [], 0)[0])
        line = follower.stdout.readline()
        assert line, "it has ended"
        if line.strip():
            return json.loads(line)


def deny(group, times):
    """A command that is denied /dev/fuse in the group."""
    return [sys.executable, "-c", f"import os\nopen('{group}/cgroup.procs', 'w').write('0')\n"
            f"for i in range({times}): os.access('/dev/fuse', 4)"]


def wait_listens(host, group, listener):
    """virsh doesn't say when it listens: something to hear is made until it says so."""
    def heard():
        subprocess.run(deny(group, 1), check=True, timeout=30)
        return select.select([listener.stdout], [], [], 0.5)[0]
    until("virsh hears events", heard)


def heard_of(listener, names):
    """The listener's lines until each of the guests was denied /dev/fuse in one of them."""
    lines = []
    for line in listener.stdout:
        lines.append(line)
        names = [name for name in names if not re.search(f"DENIED.*'{name}'.*/dev/fuse", line)]
        if not names:
            listener.send_signal(signal.SIGINT)
            listener.communicate(timeout=60)
            return lines
    raise AssertionError(f"nothing heard of {names}: {lines[:20]}")


def check_burst_is_accounted_for(host):
    """Three guests at once; each denial is shown or counted as dropped."""
    wanted = host.denials_wanted
    each = wanted // 3
    with contextlib.ExitStack() as stack:
        guests = [f"gate-burst{number}" for number in range(3)]
        groups = [stack.enter_context(host.guest(name)) for name in guests]
        listener = stack.enter_context(subprocess.Popen(
            ["virsh", "-c", host.uri, "qemu-monitor-event", "--loop", "--timeout", "100", "--event",
             "VIRTWARD_DEVICE_DENIED"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
            text=True))
        wait_listens(host, stack.enter_context(host.guest("gate-heard")), listener)
        before = cpu_seconds(host.running.pid)
        scripts = [stack.enter_context(subprocess.Popen(deny(group, each))) for group in groups]
        for script in scripts:
            assert script.wait(120) == 0
        for name in guests:
            until(f"all of {name} are accounted for",
                  lambda: accounted(host, name) == each)  # noqa: B023
            assert host.devices(name)["denied"] == each
        spent = cpu_seconds(host.running.pid) - before
        assert spent < 5, f"{spent} seconds of CPU for {wanted} denials"
        events = heard_of(listener, guests)
        assert len(events) < wanted / 10, f"{len(events)} events for {wanted} denials"
        print(f"{wanted} denials: {spent:.2f} s of the daemon's CPU, "
              f"{len(events)} lines of events, dropped "
              f"{sum(host.devices(name)['dropped'] for name in guests)}")


def accounted(host, name):
    shown = host.denials(name)
    return (sum(denial["count"] for denial in shown["denials"]) + shown["unlisted"] +
            host.devices(name)["dropped"])


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- a /dev of the guest's own ---

def nodes_of(host, name):
    """Names of the nodes that the guest's QEMU sees, and what is mounted there."""
    dev = pathlib.Path(f"/proc/{host.pid_file(name).read_text().strip()}/root/dev")
    return {path.name for path in dev.iterdir()
            if not path.is_symlink() and (path.is_char_device() or path.is_block_device())}


def check_private_dev(host):
    with host.guest("gate-private") as group, loop_device() as node:
        wanted = {name for name in ("null", "full", "zero", "random", "urandom", "kvm", "userfaultfd", "ptmx")
                  if os.path.exists(f"/dev/{name}")}
        assert nodes_of(host, "gate-private") == wanted, nodes_of(host, "gate-private")
        assert os.path.exists("/dev/tty"), "the host's /dev is as it was"
        rules = [rule["rule"] for rule in host.devices("gate-private")["rules"]]
        assert not any(rule.endswith("m") for rule in rules), f"may make nodes: {rules}"
        assert host.devices("gate-private")["denied"] == 0, host.denials("gate-private")
        for _ in range(2):  # the second finds what the first has left
            host.virsh("attach-disk", "gate-private", node, "sdb", "--sourcetype", "block",
                       "--targetbus", "usb")
            assert pathlib.Path(node).name in nodes_of(host, "gate-private")
            assert inside(group, node) == 0
            host.virsh("detach-disk", "gate-private", "sdb")
            until("the rule goes", lambda: inside(group, node) == 1)
    assert "gate-private" not in host.virsh("list", "--name")


def check_private_dev_with_devices_at_start(host):
    with loop_device() as node, tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        more = f"<disk type='block'><source dev='{node}'/><target dev='vda' bus='virtio'/></disk>" \
               "<serial type='pty'/>"  # QEMU makes a terminal by /dev/ptmx
        file.write(host.document("gate-disk").replace("<devices>", f"<devices>{more}"))
        file.flush()
        host.virsh("create", file.name, "--paused")
        try:
            assert pathlib.Path(node).name in nodes_of(host, "gate-disk")
            assert host.devices("gate-disk")["denied"] == 0, host.denials("gate-disk")
        finally:
            host.virsh("destroy", "gate-disk")


def check_mounts_cut_short(host, group, folder):
    """The node is mounted, and nothing else of the device is there."""
    with contextlib.ExitStack() as stack:
        faults = mount_faults(host.virtwardd)
        nodes = [stack.enter_context(loop_device()) for _ in faults]  # a mounted one stays there
        for fault, node in zip(faults, nodes):
            kill(host)
            restart(host, without_capabilities(folder, host.virtwardd, "mknod"),
                    {"VIRTWARD_FAULT": fault})
            host.virsh("attach-disk", "gate-bound", node, "sdb", "--sourcetype", "block",
                       "--targetbus", "usb", fails=".")
            kill(host)
            restart(host, without_capabilities(folder, host.virtwardd, "mknod"))
            until("its rule goes", lambda: inside(group, node) == 1)  # noqa: B023
            assert "sdb" not in host.virsh("domblklist", "gate-bound")


def mount_faults(program):
    """Of a test build."""
    known = subprocess.run([program, "--list-fault-points"], capture_output=True, text=True,
                           check=True).stdout.split()
    return [f"{point}:{how}" for point in known if point == "mount:bound"
            for how in ("error", "kill")]


def check_private_dev_without_mknod(host):
    """Where nodes can't be made the host's own are mounted in their places."""
    with tempfile.TemporaryDirectory(prefix="vw-caps-", dir="/tmp") as folder:
        kill(host)
        restart(host, without_capabilities(folder, host.virtwardd, "mknod"))
        with host.guest("gate-bound") as group, loop_device() as node:
            dev = pathlib.Path(f"/proc/{host.pid_file('gate-bound').read_text().strip()}/root/dev")
            assert {"null", "zero", "urandom"} <= nodes_of(host, "gate-bound")
            assert not (dev / "tty").exists()
            mounts = (dev.parent.parent / "mounts").read_text()
            assert " /dev/null " in mounts, "it was made, not mounted"
            check_mounts_cut_short(host, group, folder)
            for _ in range(2):
                host.virsh("attach-disk", "gate-bound", node, "sdb", "--sourcetype", "block",
                           "--targetbus", "usb")
                assert f" {node} " in (dev.parent.parent / "mounts").read_text()
                assert inside(group, node) == 0
                host.virsh("detach-disk", "gate-bound", "sdb")
                until("the rule goes", lambda: inside(group, node) == 1)
        kill(host)
        restart(host)


# --- restarts ---

def kill(host):
    host.running.process.kill()
    host.running.process.wait()


def restart(host, program=None, env=None):
    """As an administrator would, after a crash."""
    again = daemon.launch(program or host.virtwardd, host.running.root, env)
    host.running.process = again.process
    host.virsh("list")  # it answers when the guests are known


def without_capabilities(folder, program, which="all"):
    """A program that is the daemon without these: every set empty."""
    script = pathlib.Path(folder) / "powerless"
    script.write_text(f"#!/bin/sh\nexec setpriv --inh-caps=-{which} --ambient-caps=-{which} "
                      f"--bounding-set=-{which} {program} \"$@\"\n")
    script.chmod(0o755)
    return str(script)


def check_restart_without_capability(host):
    with host.guest("gate-powerless") as group, loop_device() as node, \
            tempfile.TemporaryDirectory(prefix="vw-caps-", dir="/tmp") as folder:
        kill(host)
        restart(host, without_capabilities(folder, host.virtwardd))
        status = pathlib.Path(f"/proc/{host.running.pid}/status").read_text()
        for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert re.search(rf"{kind}:\s0+$", status, re.MULTILINE), status
        assert inside(group, node) == 1
        host.virsh("attach-disk", "gate-powerless", node, "sdb", "--sourcetype", "block",
                   "--targetbus", "usb")
        assert inside(group, node) == 0, "not allowed through the pinned map"
        host.virsh("detach-disk", "gate-powerless", "sdb")
        until("the rule goes", lambda: inside(group, node) == 1)
        kill(host)
        restart(host)


def check_restart_without_capability_and_pins(host):
    with host.guest("gate-orphan") as group, loop_device() as node, \
            tempfile.TemporaryDirectory(prefix="vw-caps-", dir="/tmp") as folder:
        kill(host)
        for own in (host.running.root / "run" / "bpf").iterdir():
            if own.is_dir():
                subprocess.run(["rm", "-r", own], check=True)
        restart(host, without_capabilities(folder, host.virtwardd))
        assert inside(group, "/dev/fuse") == 1, "it goes on enforcing"
        assert inside(group, "/dev/null") == 0
        until("it is told", lambda: host.said("enforced but not manageable"))
        host.virsh("attach-disk", "gate-orphan", node, "sdb", "--sourcetype", "block",
                   "--targetbus", "usb", fails="CAP_SYS_ADMIN")
        kill(host)
        restart(host)
        until("it has its link again", lambda: names(group) == ["vw_gate", "vw_lock"])
        host.virsh("attach-disk", "gate-orphan", node, "sdb", "--sourcetype", "block",
                   "--targetbus", "usb")


def check_restart_without_bpffs(host):
    with host.guest("gate-unmounted") as group:
        kill(host)
        subprocess.run(["umount", host.running.root / "run" / "bpf"], check=True)
        assert inside(group, "/dev/fuse") == 1, "the attachment goes with no pin"
        restart(host)
        until("link and pins are back", lambda: next(
            (host.running.root / "run" / "bpf").glob("*/link"), None))
        # the old link, too, where another mount namespace still has the bpffs that was unmounted
        until("both are on the group", lambda: set(names(group)) == {"vw_gate", "vw_lock"})
        assert inside(group, "/dev/fuse") == 1
        assert inside(group, "/dev/null") == 0


def check_restart_without_any_gate(host):
    with host.guest("gate-naked") as group:
        kill(host)
        for own in (host.running.root / "run" / "bpf").iterdir():
            if own.is_dir():
                subprocess.run(["rm", "-r", own], check=True)
        for number in bpf.ids(group):
            with contextlib.suppress(OSError):
                bpf.detach(group, number)
        until("it is open", lambda: inside(group, "/dev/fuse") == 0)
        restart(host)
        until("it has a gate", lambda: names(group) == ["vw_gate", "vw_lock"])
        assert inside(group, "/dev/fuse") == 1
        until("it is told", lambda: host.said("runs without its device gate"))


# --- by a helper ---

HOOKS = ("create", "update", "replace", "remove")
HANDED = "handler_policy = [ " + ", ".join(f'"gate.{hook}=handler"' for hook in HOOKS) + " ]\n"


@contextlib.contextmanager
def helper_of(host, program):
    """A helper that serves the daemon's gates; there when the daemon knows it."""
    with tempfile.TemporaryDirectory(prefix="vw-helper-", dir="/tmp") as folder:
        policy = pathlib.Path(folder) / "policy"
        keys = {"create": "max=4194304\n", "replace": "max=4194304\nids=yes\n"}
        policy.write_text(f"[helper]\nsockets={host.running.root}/run/handler/sock\ncgroups=/\n" + "".join(
            f"[gate.{hook}]\n" + ("" if hook == "remove" else "devices=*\nmodes=enforce;permissive\n")
            + keys.get(hook, "") for hook in HOOKS))
        helper = subprocess.Popen([program, "--policy", policy], stderr=subprocess.DEVNULL)
        try:
            until("the helper serves", lambda: len(json.loads(host.command("handlers", "--json"))["handlers"]) == 4)
            yield
        finally:
            helper.terminate()
            helper.wait(60)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("virtwardd")
    parser.add_argument("virtward")
    parser.add_argument("--denials", type=int, default=3000)
    parser.add_argument("--cycles", type=int, default=10)
    parser.add_argument("--only", default="")
    parser.add_argument("--helper")
    wanted = parser.parse_args()
    if os.geteuid() != 0:
        skip("needs root")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # cleaning up
    mount_of_cgroup2()
    checks = [
        check_removed_program_is_put_back, check_replacement_by_a_container_tool,
        check_exclusive_programs_are_refused, check_program_above_is_told,
        check_lost_pins_are_made_again, check_mode_of_one_guest, check_rules_beyond_the_bound,
        check_owners_are_shown, check_plugging_leaves_nothing, check_guests_leave_nothing,
        check_suggestion_makes_it_work, check_denials_are_followed, check_burst_is_accounted_for,
        check_restart_without_bpffs, check_restart_without_any_gate,
    ]
    # Guests of the daemon's own user, so that their files need no capability either.
    own_user = [check_restart_without_capability, check_restart_without_capability_and_pins]
    private_dev = [check_private_dev, check_private_dev_with_devices_at_start,
                   check_private_dev_without_mknod]
    for config, some in (("", checks), ('user = "root"\n', own_user),
                         ('namespaces = [ "mount" ]\n', private_dev)):
        chosen = [check for check in some if wanted.only in check.__name__]
        if not chosen or (wanted.helper and some is not checks):
            continue
        with contextlib.ExitStack() as stack:
            running = stack.enter_context(daemon.running(
                wanted.virtwardd, "gate_watch_interval = 1\n" + config + (HANDED if wanted.helper else ""),
                prepare=lambda folder: folder.chmod(0o755)))
            host = Host(running, wanted)
            if wanted.helper:
                stack.enter_context(helper_of(host, wanted.helper))
            for check in chosen:
                check(host)
                print(f"ok {check.__name__}", flush=True)


if __name__ == "__main__":
    main()
