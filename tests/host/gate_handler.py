#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The device gate of a daemon without any right, made by a helper outside.

    gate_handler.py VIRTWARDD VIRTWARD HELPERD [--only PART]

The daemon is a user's, in a group that was given to it, with all capability sets empty. Beside it,
virtward-helperd makes the gates of its guests, exchanges them when they are full, and takes them off. What no
rule allows is denied, seen by opening it; daemon and helper may end and come back, with pins and
without; at the end the kernel holds what it held before. A handler that lies is found out.
"""
import argparse
import contextlib
import json
import os
import pathlib
import select
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "wire")]
import daemon  # noqa: E402 (beside the wire tests)
import gate_daemon  # noqa: E402
from gate_daemon import bpftool, mount_of_cgroup2, names, skip, until  # noqa: E402

USER = 1000
NAME = "gateh"
DEADLINE = 60
# Nodes of our own: those that are listed for every guest, and two that are not.
LISTED = 57
ROOM = 64  # rules that a gate here has room for at first
FULL, FUSE, OTHER = (1, 7), (10, 229), (10, 237)
DOMAIN = """<domain type='qemu'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features><devices>
<memballoon model='none'/></devices></domain>"""
RNG = "<rng model='virtio'><backend model='random'>{node}</backend></rng>"


class Host:
    """The daemon, its helper, and what is asked of them."""

    def __init__(self, wanted, folder, group):
        self.virtwardd, self.virtward, self.helperd = wanted.virtwardd, wanted.virtward, wanted.helperd
        self.folder, self.given = folder, group
        self.nodes = folder / "nodes"
        self.helper, self.said = None, ""
        self.running = None
        self.uuids = os.urandom(4).hex()  # what those of its guests begin with

    # --- the daemon ---

    def starter(self, root):
        """A program that becomes the daemon: no user's right but its own, no capability at all."""
        path = root / "start"
        path.write_text(
            f"#!/bin/sh\necho $$ > {self.given}/cgroup.procs || "
            f"echo $$ > {self.given}/virtward-daemon/cgroup.procs\n"
            f"exec setpriv --reuid {USER} --regid {USER} --clear-groups --bounding-set=-all "
            f"--inh-caps=-all --ambient-caps=-all --no-new-privs -- {self.virtwardd} \"$@\"\n")
        path.chmod(0o755)
        for name in (root, root / "etc"):
            os.chown(name, USER, USER)
        return path

    def virsh(self, *command, fails=None, **options):
        done = subprocess.run(["virsh", "-q", "-c", f"qemu:///session?socket={self.running.rw}", *command],
                              capture_output=True, text=True, timeout=120, check=False,
                              env={**os.environ, "LC_ALL": "C.UTF-8"}, **options)
        if fails is None:
            assert done.returncode == 0, f"{command}: {done.stderr}\n{self.running.log()[-3000:]}"
        else:
            assert done.returncode != 0 and fails in done.stderr, f"{command}: {done.stderr}"
        return done.stdout

    def create(self, name=NAME, fails=None):
        document = DOMAIN.format(name=name, uuid=self.uuids + str(uuid.uuid4())[8:])
        self.virsh("create", "/dev/stdin", "--paused", fails=fails, input=document)
        return None if fails else self.group(name)

    def group(self, name=NAME):
        """Where the guest's QEMU is."""
        pid = (self.running.root / "run" / "qemu" / f"{name}.pid").read_text().strip()
        for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            if line.startswith("0::"):
                return mount_of_cgroup2() / line[4:]
        raise AssertionError("the guest is in no group of cgroup v2")

    def plug(self, node, fails=None, name=NAME):
        self.virsh("attach-device", name, "/dev/stdin", "--live", fails=fails, input=RNG.format(node=node))

    # --- the helper ---

    def start_helper(self, socket=None, **keys):
        """socket: another than the daemon's."""
        policy = self.folder / "policy"
        place = f"/{self.given.relative_to(mount_of_cgroup2())}"
        listed = "c 1:*;c 5:2;c 10:232;c 10:229;c 10:126;c 136:*;c 240:*"
        rules = {"devices": listed, "max": "1024", "modes": "enforce;permissive", **keys}
        socket = socket or f"{self.running.root}/run/handler/sock"
        text = f"[helper]\nsockets={socket}\ncgroups={place}\nother-users=yes\n"
        for hook, own in (("create", ("devices", "max", "modes")), ("update", ("devices", "modes")),
                          ("replace", ("devices", "max", "modes", "ids")), ("remove", ())):
            text += f"[gate.{hook}]\n" + "".join(f"{key}={rules[key]}\n" for key in own if key in rules)
        policy.write_text(text)
        self.helper = subprocess.Popen([self.helperd, "--policy", policy], stderr=subprocess.PIPE)
        self.said = ""
        self.hear("serving")

    def hear(self, word):
        """The helper's lines up to one with the word in it, which is returned."""
        while True:
            line, newline, rest = self.said.partition("\n")
            if newline:
                self.said = rest
                if word in line:
                    return line
            elif select.select([self.helper.stderr], [], [], DEADLINE)[0]:
                data = os.read(self.helper.stderr.fileno(), 65536).decode()
                assert data, f"the helper ended; no line with {word}"
                self.said += data
            else:
                raise AssertionError(f"no line with {word}")

    def end_helper(self, how=signal.SIGTERM):
        if self.helper:
            self.helper.send_signal(how)
            self.helper.wait(DEADLINE)
            self.helper.stderr.close()
            self.helper = None


def opens(group, node, mode=os.O_RDONLY):
    """Whether a process in the group can open the node; EPERM, or it is an error."""
    script = ("import errno, os, sys\n"
              f"open('{group}/cgroup.procs', 'w').write('0')\n"
              f"try: os.open('{node}', {mode} | os.O_NONBLOCK)\n"
              "except OSError as refused: sys.exit(1 if refused.errno == errno.EPERM else 2)\n")
    code = subprocess.run([sys.executable, "-c", script], timeout=120, check=False).returncode
    assert code < 2, f"{node} in {group}"
    return code == 0


def capabilities(pid):
    return {line.split()[0]: line.split()[1]
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
            if line.startswith("Cap")}


def kernel(host):
    return gate_daemon.kernel_objects(host)


NONE = {"programs": 0, "maps": 0, "links": 0}


def until_nothing(host):
    until("the kernel has freed all", lambda: kernel(host) == NONE)
    left = [path for path in host.given.rglob("guest")]
    assert not left, left
    pins = [pin.name for pin in (host.running.root / "run" / "bpf").iterdir()] if host.pinned else []
    # the kernel's own lists have dots
    assert [name for name in pins if "." not in name] in ([], ["events"]), pins


def restart(host):
    """kill -9 of the daemon, and the next one."""
    host.running.restart()


def objects(group):
    return [program["id"] for program in bpftool("cgroup", "show", group)]


def rules_of(host, name=NAME):
    return len(json.loads((host.running.root / "run" / "qemu" / f"{name}.rules").read_text())["rules"])


# --- what it does ---

def check_guest(host):
    """A guest's life: nothing but what is listed opens, what is plugged does, and all goes."""
    host.start_helper()
    group = host.create()
    own = capabilities(host.running.pid)
    assert own and set(own.values()) == {"0" * 16}, own
    qemu = capabilities((host.running.root / "run" / "qemu" / f"{NAME}.pid").read_text().strip())
    assert set(qemu.values()) == {"0" * 16}, qemu
    assert "verdict=done" in host.hear("hook=gate.create")
    assert names(group) == ["vw_gate"] + (["vw_lock"] if host.pinned else []), names(group)
    assert opens(group, "/dev/null") and opens(group, "/dev/zero")
    assert not opens(group, host.nodes / "full") and not opens(group, host.nodes / "fuse")
    host.plug(host.nodes / "full")
    assert "verdict=done" in host.hear("hook=gate.update")
    assert opens(group, host.nodes / "full") and not opens(group, host.nodes / "fuse")
    host.virsh("destroy", NAME)
    until_nothing(host)


def check_growing(host):
    """The gate has room for 64 rules; one more has it exchanged, and both are never off."""
    host.start_helper()
    group = host.create()
    before = objects(group)
    assert rules_of(host) == ROOM, "it is full"
    for node in ("full", "fuse"):
        host.plug(host.nodes / node)
    assert "verdict=done" in host.hear("hook=gate.replace")
    assert objects(group) != before and len(objects(group)) == len(before)
    assert opens(group, host.nodes / "full") and opens(group, host.nodes / "fuse")
    assert not opens(group, host.nodes / "other")
    host.virsh("destroy", NAME)
    until_nothing(host)


def check_daemon_comes_back(host):
    """Its helper is there at first, and then only after it: the gate goes on, and is managed again."""
    host.start_helper(ids="no" if host.pinned else "yes")
    group = host.create()
    before = objects(group)
    host.running.restart()
    host.hear("serving")
    host.plug(host.nodes / "full")
    assert opens(group, host.nodes / "full") and not opens(group, host.nodes / "fuse")
    host.end_helper()
    host.running.restart()
    assert host.virsh("domstate", NAME).strip() == "paused"
    assert not opens(group, host.nodes / "fuse") and opens(group, "/dev/null")
    host.plug(host.nodes / "fuse", fails="no handler is registered for gate.replace")
    host.start_helper(ids="no" if host.pinned else "yes")
    host.plug(host.nodes / "fuse")
    assert opens(group, host.nodes / "fuse") and opens(group, host.nodes / "full")
    assert not opens(group, host.nodes / "other")
    assert len(objects(group)) == len(before), "nothing was attached beside it"
    until("what it denies is told", lambda: opens(group, host.nodes / "other") or
          "denied: r of c {}:{}".format(*OTHER) in host.running.log())
    host.virsh("destroy", NAME)
    until_nothing(host)


def check_helper_comes_back(host):
    """What it did stays when it is killed; what needs it waits for it, and says so."""
    host.start_helper()
    group = host.create()
    host.end_helper(signal.SIGKILL)
    assert not opens(group, host.nodes / "full")
    host.plug(host.nodes / "full", fails="is not connected")
    host.start_helper()
    host.plug(host.nodes / "full")
    assert opens(group, host.nodes / "full")
    host.end_helper(signal.SIGKILL)
    host.virsh("destroy", NAME)
    host.create(fails="the handler of gate.create is not connected")
    until_nothing(host)


def check_refusals(host):
    """What the policy does not have is refused in words, audited, and changes nothing."""
    host.start_helper(devices="c 1:[35789];c 5:2;c 10:232;c 136:*;c 240:*")
    group = host.create()
    host.plug(host.nodes / "fuse", fails="'c 10:229' is not among the devices of gate.update")
    assert "verdict=refused" in host.hear("hook=gate.update")
    assert not opens(group, host.nodes / "fuse") and opens(group, "/dev/null")
    host.virsh("destroy", NAME)
    host.end_helper()
    host.start_helper(max=ROOM - 1)
    host.create(fails=f"of {ROOM} is outside the policy of gate.create")
    host.end_helper()
    host.start_helper(modes="permissive")
    host.create(fails="'enforce' is not among the modes of gate.create")
    until_nothing(host)


def check_what_others_take_away(host):
    """Pins that somebody removed are made again; the helper is asked whether it is still the gate."""
    host.start_helper()
    group = host.create()
    before = objects(group)
    pins = host.running.root / "run" / "bpf"
    mine, = [folder for folder in pins.iterdir() if folder.name.startswith(host.uuids)]
    for pin in mine.iterdir():
        pin.unlink()
    mine.rmdir()
    assert not opens(group, host.nodes / "fuse")
    host.hear("hook=gate.replace")
    until("it is pinned again", lambda: (mine / "prog").exists())
    assert objects(group)[0] == before[0] and not opens(group, host.nodes / "fuse")
    host.virsh("destroy", NAME)
    until_nothing(host)


check_what_others_take_away.pinned = (True,)

def serve_once(host, hook, handler):
    """A handler in Python, through the library, until the hook was called."""
    library = pathlib.Path(host.helperd).parents[1] / "internal" / "libvirt-internal.so.1"
    sys.path.append(str(HERE.parents[1] / "src" / "internal"))
    import libvirt_internal  # pylint: disable=import-outside-toplevel
    libvirt_internal.load(str(library))
    session = libvirt_internal.Session(path=str(host.running.root / "run" / "handler" / "sock"))
    seen = []

    def run(call, request):
        seen.append(handler(call, request))
        raise RuntimeError(f"no gates here, for {len(seen[0]['rules'])} rules")

    session.register(hook, run)

    def serve():
        while not seen:
            if select.select([session], [], [], DEADLINE)[0]:
                session.dispatch()

    thread = threading.Thread(target=serve)
    thread.start()
    return thread, session, seen


def check_python_handler(host):
    """Rules, numbers and descriptors of a request as a handler's author sees them."""
    def look(_call, request):
        request.add_object("link", os.open("/dev/null", os.O_RDONLY))
        with contextlib.suppress(KeyError):
            request.add_object("link", request.fd(0))
            raise AssertionError("each goes once")
        return {"rules": request.rules(), "none": request.rules("changes"), "mode": request["mode"],
                "capacity": request["capacity"], "events": request.object("events"),
                "program": request.object("program"), "fds": len(request.fds()),
                "group": os.stat(request.fd(0)).st_ino}

    thread, session, seen = serve_once(host, "gate.create", look)
    host.create(fails=f"no gates here, for {ROOM} rules")
    thread.join(DEADLINE)
    session.close()
    request, = seen
    assert (2, 1, 3, 6) in request["rules"] and (2, 136, -1, 6) in request["rules"], request
    assert request["none"] == [] and request["mode"] == 0 and request["capacity"] == ROOM, request
    assert request["events"] == request["program"] == -1 and request["fds"] == 1, request
    until_nothing(host)


check_python_handler.pinned = (False,)

PARTS = {name[6:].replace("_", "-"): part for name, part in list(globals().items())
         if name.startswith("check_")}


# --- the stage ---

@contextlib.contextmanager
def given_group():
    """A group that belongs to the user; gone at the end."""
    folder = mount_of_cgroup2() / f"virtward-gateh-{os.getpid()}"
    folder.mkdir()
    for name in (".", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"):
        os.chown(folder / name, USER, USER)
    try:
        yield folder
    finally:
        (folder / "cgroup.kill").write_text("1")
        until("it is empty", lambda: "populated 0" in (folder / "cgroup.events").read_text())
        for place, _, _ in os.walk(folder, topdown=False):
            os.rmdir(place)


def make_nodes(folder):
    """Character devices that nobody else uses, and two that others do, open to everybody."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "gateh", folder], check=True)
    numbers = {"full": FULL, "fuse": FUSE, "other": OTHER, **{f"listed{i}": (240, i) for i in range(LISTED)}}
    for name, (high, low) in numbers.items():
        os.mknod(folder / name, 0o666 | stat.S_IFCHR, os.makedev(high, low))
        os.chmod(folder / name, 0o666)


@contextlib.contextmanager
def stage(wanted, config, pinned):
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vw-gateh-")))
        folder.chmod(0o755)
        host = Host(wanted, folder, stack.enter_context(given_group()))
        host.pinned = pinned
        make_nodes(host.nodes)
        stack.callback(subprocess.run, ["umount", "--lazy", host.nodes], check=True)

        class Started:
            def __fspath__(self):
                return str(self.path)

        started = Started()

        def prepare(root):
            started.path = host.starter(root)
            if pinned:
                bpffs = root / "run" / "bpf"
                bpffs.mkdir(parents=True)
                for path in (root / "run", bpffs):
                    os.chown(path, USER, USER)
                subprocess.run(["mount", "-t", "bpf", "-o", f"uid={USER},gid={USER},mode=0700", "bpf", bpffs],
                               check=True)

        listed = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/ptmx", "/dev/kvm"]
        listed += [str(host.nodes / f"listed{i}") for i in range(LISTED)]
        policy = ", ".join(f'"gate.{hook}=handler"' for hook in ("create", "update", "replace", "remove"))
        policy = f"handler_policy = [ {policy} ]\n"
        acl = ", ".join(f'"{node}"' for node in listed)
        host.running = stack.enter_context(daemon.running(
            started, config=f"cgroup_device_acl = [ {acl} ]\ngate_rules = {ROOM}\n{policy}{config}", prepare=prepare))
        stack.callback(host.end_helper)
        yield host


def missing():
    if os.geteuid() != 0:
        return "root"
    if subprocess.run(["setpriv", "--reuid", str(USER), "--clear-groups", "test", "-x", sys.argv[1]],
                      check=False).returncode:
        return f"a daemon that user {USER} can reach"
    return None


def main(parts):
    parser = argparse.ArgumentParser()
    for name in ("virtwardd", "virtward", "helperd"):
        parser.add_argument(name, type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--only", choices=sorted(parts))
    wanted = parser.parse_args()
    if missing():
        skip(f"needs {missing()}")
    if "VW_OWN_MOUNTS" not in os.environ:  # what is mounted here is nobody else's
        os.execvpe("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv],
                   {**os.environ, "VW_OWN_MOUNTS": "1"})
    for name, part in parts.items():
        for pinned in getattr(part, "pinned", (True, False)):
            if wanted.only in (None, name):
                with stage(wanted, getattr(part, "config", ""), pinned) as host:
                    part(host)
                print(f"ok: {name}, {'with' if pinned else 'without'} pins")


if __name__ == "__main__":
    main(PARTS)
