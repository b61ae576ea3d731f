# SPDX-License-Identifier: LGPL-2.1-or-later
"""devices_run.py: runs the cases of devices_cases.py with stock virsh and writes down what it says.

A transcript has for each step the command, what virsh printed, its exit code if that isn't 0, and
which lines came to and went from the devices of the live (L) and of the stored (S) document. What
differs from run to run (folders, names, numbers of terminals) is written as a word."""
import collections
import contextlib
import difflib
import os
import pathlib
import re
import select
import shlex
import socket
import subprocess
import time
import xml.etree.ElementTree

import devices_cases as cases

UUID = "11111111-2222-3333-4444-5555555555%02x"
DEADLINE_S = 300  # for whatever a guest or a daemon has to do: a busy machine is no fault


def free_port(first):
    """A TCP port that nobody listens on now, of those that no client is given by chance."""
    for port in range(first, 32000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


class Place:
    """Images, a loop device, bridges and a TAP: what the cases need of the host. Several may be at
    once, each in a folder and with a number of its own."""

    def __init__(self, folder, prefix, number=0):
        self.folder, self.number = pathlib.Path(folder), number
        self.tag = tag = f"{prefix}{os.getpid() % 100000}{chr(ord('a') + number)}"
        # names of interfaces have 15 characters
        self.words = {"DIR": str(self.folder), "BRIDGE": f"{tag}b", "BRIDGE2": f"{tag}c",
                      "TAP": f"{tag}t", "NAME": tag, "LOOP": "",
                      "CID": str(100000 + 100 * os.getpid() + number),
                      "PORT": str(free_port(20000 + 100 * number))}

    def image(self, name, size=1 << 20, qcow2=False):
        path = self.folder / name
        if qcow2:
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, str(size)], check=True)
        else:
            with open(path, "wb") as file:
                file.truncate(size)
        path.chmod(0o666)

    @contextlib.contextmanager
    def made(self):
        for name in [f"{letter}.img" for letter in "acdeghns"] + [
                "first.iso", "second.iso", "floppy.img", "loop.img"]:
            self.image(name)
        self.image("b.img", 2 << 20)
        self.image("b.qcow2", 4 << 20, qcow2=True)
        with contextlib.ExitStack() as stack:
            loop = subprocess.run(["losetup", "-f", "--show", self.folder / "loop.img"],
                                  check=True, capture_output=True, text=True).stdout.strip()
            stack.callback(subprocess.run, ["losetup", "-d", loop], check=True)
            self.words["LOOP"] = loop
            for name in (self.words["BRIDGE"], self.words["BRIDGE2"]):
                subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True)
                stack.callback(subprocess.run, ["ip", "link", "del", name], check=True)
            subprocess.run(["ip", "tuntap", "add", self.words["TAP"], "mode", "tap"], check=True)
            stack.callback(subprocess.run, ["ip", "link", "del", self.words["TAP"]], check=True)
            for name, text in cases.DEVICES.items():
                (self.folder / f"{name}.xml").write_text(self.fill(text))
            yield self

    def fill(self, text):
        return re.sub(r"@\{(\w+)\}", lambda match: self.words[match[1]], text)

    def hide(self, text):
        """What differs between two runs, as words."""
        for word in ("BRIDGE2", "BRIDGE", "TAP", "LOOP", "DIR"):
            text = text.replace(self.words[word], word)
        text = text.replace(self.tag, "GUEST")
        for word in ("CID", "PORT"):
            text = re.sub(rf"\b{self.words[word]}\b", word, text)
        text = re.sub(r"  +", " ", text)  # columns are as wide as names are long
        text = re.sub(r"/dev/pts/\d+", "/dev/pts/N", text)
        text = re.sub(r"\b(vnet|BRIDGEt)\d+", r"\1N", text)
        text = re.sub(r"'[^']*/(domain-[^/']*|channel/target/[^/']*)", "'STATE", text)
        text = re.sub(r"(<source [^>]*)index='\d+'", r"\1index='N'", text)  # of a block node
        text = re.sub(r"port='59\d\d'", "port='59NN'", text)
        return re.sub(r"[ -]+$", "", text, flags=re.MULTILINE)


class Guest:
    """A domain under virsh; machine is a key of MACHINES."""

    def __init__(self, uri, place, machine, kernel):
        self.uri, self.place = uri, place
        self.name = place.tag
        facts = cases.MACHINES[machine]
        self.cdrom = facts["cdrom"]
        self.xml = place.fill(cases.GUEST.format(
            name=self.name, uuid=UUID % place.number, kernel=kernel / "vmlinuz",
            initrd=kernel / "initrd", **facts))

    def virsh(self, *words, timeout=DEADLINE_S):
        done = subprocess.run(["virsh", "-c", self.uri, *words], capture_output=True, text=True,
                              env={**os.environ, "LC_ALL": "C.UTF-8"}, timeout=timeout, check=False)
        return done.returncode, done.stdout, done.stderr

    def must(self, *words):
        code, out, err = self.virsh(*words)
        assert code == 0, f"{words}: {err}"
        return out

    def define(self):
        path = self.place.folder / "guest.xml"
        path.write_text(self.xml)
        self.must("define", str(path))

    def start(self):
        self.define()
        self.must("start", self.name)
        self.wait_ready()

    def end(self):
        self.virsh("destroy", self.name)
        self.virsh("undefine", self.name)

    @contextlib.contextmanager
    def defined(self):
        try:
            self.define()
            yield self
        finally:
            self.end()

    @contextlib.contextmanager
    def running(self):
        try:
            self.start()
            yield self
        finally:
            self.end()

    def show(self, deadline_s=DEADLINE_S, until="card "):
        """What the guest says of its disks and cards, once it answers."""
        path = self.must("ttyconsole", self.name).strip()
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        text, deadline = "", time.monotonic() + deadline_s
        try:
            while until not in text:
                assert time.monotonic() < deadline, f"no '{until}' from the guest: {text[-500:]}"
                os.write(fd, b"show\n")
                end = time.monotonic() + 1
                while time.monotonic() < end:
                    if select.select([fd], [], [], 0.2)[0]:
                        text += os.read(fd, 65536).decode(errors="replace")
        finally:
            os.close(fd)
        return text

    def wait_ready(self):
        self.show()

    def documents(self):
        """The devices of the live (L) and the stored (S) document, as lines."""
        code, out, _ = self.virsh(f"dumpxml {self.name} --security-info; "
                                  f"dumpxml {self.name} --security-info --inactive")
        assert code == 0, f"{self.name}: no documents"
        live, stored, _ = out.split("</domain>\n\n")
        return {"L": self.lines(live + "</domain>"), "S": self.lines(stored + "</domain>")}

    def lines(self, document):
        """Its devices, one a line, each with its number among its kind."""
        numbers, lines = collections.Counter(), []
        for device in xml.etree.ElementTree.fromstring(document).find("devices"):
            text = xml.etree.ElementTree.tostring(device, encoding="unicode")
            text = re.sub(r">\s+<", "><", text.strip()).replace('"', "'").replace(" />", "/>")
            lines.append(f"{numbers[device.tag]} {self.place.hide(text)}")
            numbers[device.tag] += 1
        return lines


def words_of(step, guest):
    words = []
    for word in shlex.split(step):
        word = {"GUEST": guest.name, "CDROM": guest.cdrom}.get(word, word)
        if re.match(r"@[a-z]", word):
            word = str(guest.place.folder / f"{word[1:]}.xml")
        words.append(guest.place.fill(word))
    return words


def changes(before, after):
    """Devices that went and came, each marked with its document."""
    lines = []
    for document in sorted(before):
        was = [line.partition(" ")[2] for line in before[document]]
        now = [line.partition(" ")[2] for line in after[document]]
        for kind, from_was, to_was, from_now, to_now in difflib.SequenceMatcher(
                None, was, now, autojunk=False).get_opcodes():
            if kind != "equal":
                lines += [f"{document}- {line}" for line in before[document][from_was:to_was]]
                lines += [f"{document}+ {line}" for line in after[document][from_now:to_now]]
    return lines


def lets_go(text):
    """True if the step takes a device from the live document, once its guest has let it go."""
    return text.startswith("detach") and ("--live" in text or "--config" not in text)


def wait_gone(guest, before):
    """The documents when a guest has let its device go, for which it may take longer than the
    daemon waits. If it never does, they are as before, and the transcript shows that."""
    deadline = time.monotonic() + DEADLINE_S
    while (after := guest.documents())["L"] == before["L"] and time.monotonic() < deadline:
        time.sleep(0.2)  # between two looks
    return after


def step(guest, text, before):
    code, out, err = guest.virsh(*words_of(text, guest))
    lines = [f"$ {text}"]
    lines += [line for line in guest.place.hide(out + err).splitlines() if line.strip()]
    if code:
        lines.append(f"= {code}")
    after = wait_gone(guest, before) if code == 0 and lets_go(text) else guest.documents()
    return lines + changes(before, after), after


def transcript(guest, steps):
    """A list of steps, each a list of lines."""
    documents = guest.documents()
    result = []
    for text in steps:
        lines, documents = step(guest, text, documents)
        result.append(lines)
    return result
