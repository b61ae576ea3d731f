#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What stock virsh shows of guests and host: the same as of libvirtd 9.0, or explained.

    commands.py VIRTWARDD [--all] [--only PATTERN] [--but COMMAND]

Starts a daemon of its own and the distribution's libvirtd (peer.py), each in a folder of its own,
runs the lines of commands/commands.txt against both, with the same guests on both sides, and
compares output, errors and exit code. What must differ from run to run (paths, ids, times) is made
equal first; every other line that stands on one side alone must be explained by a row of
docs/differences.md, and every row there must explain something.

--all: show explained differences too. --only: show commands that contain PATTERN, equal or not.
--but: a COMMAND whose answer may differ, as that about the CPU does where valgrind runs the daemon.
Skipped (exit 77) without root, QEMU, virsh or libvirtd. """
import argparse
import concurrent.futures
import contextlib
import difflib
import fnmatch
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
FILES = HERE / "commands"
TOP = HERE.parent.parent
TABLE = TOP / "docs" / "differences.md"
sys.path.insert(0, str(HERE.parent / "wire"))
import daemon  # noqa: E402 (beside the wire tests)
import peer  # noqa: E402

USER = "virtward-qemu"
DEADLINE = 120

# Figures that come from clocks, counters and the machine's load: by command, a pattern of the lines
# whose numbers are made equal.
FIGURES = [
    ("domstats*", r"^\s*(cpu|vcpu\.\d+|net\.\d+|block\.\d+)\.\S*(time|user|system|wait|delay|halted"
     r"|\.(reqs|bytes|times|pkts|errs|drop)|exits)="),
    ("domstats*", r"^\s*block\.\d+\.(allocation|physical)="),
    ("domstats*", r"^\s*(balloon\.rss|dirtyrate\.)"),
    ("dommemstat*", r"^rss"), ("domblkstat*", r"."), ("domifstat*", r"."),
    ("domblkinfo*", r"Allocation|Physical|^ \S+ +\S"),
    ("vcpuinfo*", r"CPU time|CPU:"), ("dominfo*", r"CPU time"),
    ("nodecpustats*", r"."), ("nodememstats*", r"free|buffers|cached"),
    ("freecell*", r"."), ("freepages*", r"."), ("node-memory-tune*", r"."),
    ("qemu-monitor-command*", r"libvirt-\d+"), ("*", r"/dev/pts/\d+"),
]
# Kinds of events that all guests of the list bring about, whatever the machine's speed.
EVENTS = [f"event '{kind}' for domain '{guest}'" for guest in ("plain", "other", "passing")
          for kind in ("lifecycle", "reboot", "metadata-change")]
NUMBER = re.compile(r"(?<![\w.])-?\d+(\.\d+)?|(?<=pts/)\d+|(?<=libvirt-)\d+")

# What the guest's own driver tells once it runs, which is sooner on one side than on the other.
LATER = [
    ("dommemstat*", r"^(?!actual|rss)"),
    ("domstats*", r"^\s*balloon\.(?!current|maximum|rss)"),
]

# Displays: both sides take the next free port.
PORTS = [(r"port='59\d\d'", "port='59NN'"), (r"127\.0\.0\.1:\d+", "127.0.0.1:N"),
         (r"^:\d+$", ":N")]


class Side:
    """One daemon with its guests' files."""

    def __init__(self, name, uri, folder, shared, tap):
        self.name, self.uri, self.folder = name, uri, folder
        self.names = {"dir": str(folder), "shared": str(shared), "tap": tap, "files": str(FILES)}
        self.paths = []  # (what only this side calls so, what both are taken to say)

    def fill(self, text):
        for name, value in self.names.items():
            text = text.replace("{" + name + "}", value)
        return text

    def level(self, text):
        """The text with what names this side made equal."""
        for pattern, common in self.paths:
            text = re.sub(pattern, common, text)
        return text.replace(str(self.folder), "DIR").replace(self.names["tap"], "TAP")

    def virsh(self, *words, env=None):
        return subprocess.run(
            ["virsh", "-c", self.uri, *words], capture_output=True, text=True, timeout=DEADLINE,
            stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC",
                                           **(env or {})}, check=False)


def make_files(side):
    """The disks of the guest, as the user that guests run as may use them."""
    side.folder.mkdir()
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", side.folder / "disk.qcow2", "16M"],
                   check=True)
    (side.folder / "serial.log").touch()
    with open(side.folder / "disk.img", "wb") as image:
        image.truncate(8 << 20)
    (side.folder / "plain.xml").write_text(side.fill((FILES / "guest.xml").read_text()))
    for path in side.folder.iterdir():
        shutil.chown(path, USER, USER)
    shutil.chown(side.folder, USER, USER)


def steps():
    """Of the list: commands as (line, environment, words) and waits as (line, None, words)."""
    for line in (FILES / "commands.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        words = shlex.split(line)
        env = {}
        if words[0] == "%":
            yield line, None, words[1:]
            continue
        while re.match(r"[A-Z]+=", words[0]):
            name, value = words.pop(0).split("=", 1)
            env[name] = value
        yield line, env, words


def wait(side, words):
    """False if it does not come."""
    deadline = time.monotonic() + DEADLINE
    while not arrived(side, words):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)  # neither daemon tells of a file's text
    return True


def arrived(side, words):
    kind, what, *rest = words
    if kind == "state":
        return side.virsh("domstate", what).stdout.strip() == " ".join(rest)
    count = int(rest.pop()) if rest[-1].isdigit() else 1
    text = pathlib.Path(side.fill(what)).read_text(errors="replace")
    return text.count(" ".join(rest)) >= count


@contextlib.contextmanager
def listening(side, shown):
    """Meanwhile virsh hears of all events; at the end they are as further commands in shown: of each
    kind and guest the events in their order, repetitions in a row once."""
    with tempfile.TemporaryFile("w+") as told:
        listener = subprocess.Popen(["virsh", "-c", side.uri, "event", "--all", "--loop"],
                                    stdout=told, stderr=subprocess.STDOUT,
                                    stdin=subprocess.DEVNULL)
        try:
            yield
        finally:
            listener.send_signal(signal.SIGINT)
            listener.wait(DEADLINE)
        told.seek(0)
        kinds = {}
        for line in told.read().splitlines():
            kind, separator, what = line.partition(": ")
            events = kinds.setdefault(kind, [])
            if what.startswith("Shutdown Finished after host request"):
                continue  # a QEMU that is killed may or may not get to say so
            if separator and events[-1:] != [what]:
                events.append(figures(kind, side.level(what)))
        for kind in EVENTS:
            shown.append((kind, kinds.get(kind, []), 0))


def run(side):
    """All steps; a list of (line, lines of what was shown, seconds)."""
    shown, heard = [], []
    with listening(side, heard):
        run_steps(side, shown)
    return shown + heard


def run_steps(side, shown):
    for line, env, words in steps():
        begin = time.monotonic()
        if env is None:
            shown.append((line, ["" if wait(side, words) else "waited in vain"],
                          time.monotonic() - begin))
            continue
        done = side.virsh(*[side.fill(word) for word in words], env=env)
        text = side.level(by_guest(line, done.stdout) + done.stderr)
        lines = [figures(line, part) for part in text.splitlines()
                 if not any(applies(line, part, row) for row in LATER)]
        shown.append((line, lines + [f"exit code {done.returncode}"], time.monotonic() - begin))


def by_guest(command, text):
    """The statistics of several guests by name: libvirtd takes them out of a table that is shuffled
    anew with each start."""
    if not fnmatch.fnmatch(command, "domstats*"):
        return text
    first, *others = re.split(r"(?m)^(?=Domain: )", text)
    return first + "".join(sorted(others))


def applies(command, line, row):
    return fnmatch.fnmatch(command, row[0]) and re.search(row[1], line)


def figures(command, line):
    """The line without what differs from run to run."""
    for pattern, common in PORTS:
        line = re.sub(pattern, common, line)
    if any(applies(command, line, row) for row in FIGURES):
        line = NUMBER.sub("N", line)
    return re.sub(r"(?<=\S) +", " ", line)  # widths of columns follow the figures


# --- the table ---

class Row:
    """command | here | libvirtd 9.0 | why: patterns; a side's lines that are explained."""

    def __init__(self, cells):
        plain = [cell.strip().replace("\\|", "|") for cell in cells]
        self.commands = re.findall(r"`([^`]*)`", plain[0])
        self.ours, self.theirs = (re.findall(r"`([^`]*)`", cell) for cell in plain[1:3])
        self.why, self.used = plain[3], False
        self.text = " | ".join(plain)

    def explains(self, command, line, ours):
        if not any(fnmatch.fnmatch(command, pattern) for pattern in self.commands):
            return False
        if not any(re.fullmatch(pattern, line.strip()) for pattern in
                   (self.ours if ours else self.theirs)):
            return False
        self.used = True
        return True


def read_table():
    rows = []
    for line in TABLE.read_text().splitlines():
        if line.startswith("| `"):
            rows.append(Row(re.split(r"(?<!\\)\|", line.strip())[1:-1]))
    return rows


def compare(ours, theirs, rows, options):
    """The number of commands with a difference that nothing explains."""
    bad = 0
    for (line, here, _), (_, there, _) in zip(ours, theirs, strict=True):
        unexplained, explained = [], []
        for part in difflib.ndiff(there, here):
            if part[0] not in "+-":
                continue
            known = any([row.explains(line, part[2:], part[0] == "+") for row in rows])
            (explained if known else unexplained).append(part)
        bad += bool(unexplained) and line not in options.but
        wanted = options.only and options.only in line
        if unexplained or wanted or (options.all and explained):
            print(f"$ virsh {line}")
            for part in unexplained + (explained if options.all or wanted else []):
                print("  " + part)
            if wanted:
                print("\n".join("    " + text for text in here))
    return bad


def slowest(*sides):
    for name, shown in zip(("here", "there"), sides):
        print(f"{name}: {sum(seconds for *_, seconds in shown):.1f} s")
        for line, _, seconds in sorted(shown, key=lambda step: -step[2])[:15]:
            print(f"  {seconds:.2f} {line}")


def unused(rows):
    for row in rows:
        if not row.used:
            print(f"docs/differences.md: explains nothing: {row.text}")
    return sum(not row.used for row in rows)


# --- both sides ---

def without_kvm(program, folder):
    """A program that runs this one in the same /dev as the peer's."""
    path = folder / "virtwardd"
    path.write_text("#!/bin/sh\n" + 'if [ "$inside" ]; then\n' + peer.WITHOUT_KVM.replace(
        "$1", str(folder / "hidden")) + f'exec {program} "$@"\nfi\n'
        f'inside=1 exec unshare -m --propagation private sh "$0" "$@"\n')
    path.chmod(0o755)
    return path


def both(program, options):
    rows = read_table()
    with tempfile.TemporaryDirectory(prefix="vw-", dir="/tmp") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        shared = folder / "guest"
        subprocess.run([TOP / "tools" / "mkguest", shared], check=True, stdout=subprocess.DEVNULL)
        with daemon.running(without_kvm(program, folder), config=f'user = "{USER}"\n',
                            prepare=lambda root: root.chmod(0o755)) as own, \
                peer.running(folder / "peer", USER) as other:
            ours = Side("virtward", f"qemu:///system?socket={own.rw}", folder / "a", shared, "vwqa0")
            theirs = Side("libvirtd", other.uri, folder / "b", shared, "vwqb0")
            ours.paths = [(re.escape(f"{own.root}/lib"), "/var/lib/libvirt"),
                          (re.escape(f"{own.root}/run/virtward-sock"), "SOCKET")]
            theirs.paths = [("/var/lib/libvirt/qemu", "/var/lib/libvirt"),
                            (re.escape(str(other.socket)), "SOCKET")]
            make_files(ours)
            make_files(theirs)
            begin = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor() as pool:
                shown = list(pool.map(run, [ours, theirs]))
            print(f"{len(shown[0])} commands in {time.monotonic() - begin:.0f} s")
            bad = compare(*shown, rows, options)
            if options.times:
                slowest(*shown)
    print(f"{len(shown[0])} commands: {bad} differ without reason")
    return 1 if bad + unused(rows) else 0


def lacking():
    if os.geteuid() != 0:
        return "root"
    for tool in ("virsh", "qemu-system-x86_64", "qemu-img"):
        if not shutil.which(tool):
            return tool
    return None if peer.LIBVIRTD else "libvirtd"


def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--but", action="append", default=[])
    parser.add_argument("--times", action="store_true")
    options = parser.parse_args(argv)
    if lacking():
        print(f"no {lacking()}: skipped")
        return 77
    return both(options.program, options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
