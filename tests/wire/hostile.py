#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""hostile.py VIRTWARDD: documents made to hurt are refused soon, and the daemon stays as it was.

Each is given to define, create and the CPU comparison by the raw protocol, where no client library
is in the way. While one is being read another client must be answered. At the end neither memory
nor descriptors may have grown, and no guest may be there."""

import os
import struct
import sys
import threading
import time

from daemon import running
from protocol import Client, Closed, ERROR, Tables, error_of

# What a document may cost the daemon, however it is made: seconds of processor for all that it is
# given to, KiB of memory at the peak.
SECONDS_MAX = 4
PEAK_KIB = 192 * 1024
LEFT_KIB = 24 * 1024
TRIM_SECONDS_MAX = 10
ANSWER_SECONDS_MAX = 2
STRING_MAX = 4 * 1024 * 1024

HEAD = b"<domain type='qemu'><name>hostile</name><memory>1024</memory><os><type>hvm</type></os>"
# The last word of every document is wrong, so that none may be taken for what it leaves out.
TAIL = b"<on_poweroff>explode</on_poweroff></domain>"
SECRET = b"hostile-file-was-read"


def guest(inner):
    return HEAD + inner + TAIL


def fill(unit, frame=guest, size=STRING_MAX):
    """As many units as a message takes."""
    return frame(unit * ((size - len(frame(b""))) // len(unit)))


def laughs():
    lines = [b'<!ENTITY a0 "ha">']
    lines += [b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 12)]
    return b"<!DOCTYPE domain [" + b"".join(lines) + b"]>" + guest(b"<title>&a11;</title>")


def quadratic():
    return b'<!DOCTYPE domain [<!ENTITY a "' + b"x" * 100000 + b'">]>' + guest(b"<title>" + b"&a;" * 100000 + b"</title>")


def outside(path):
    return (b'<!DOCTYPE domain [<!ENTITY x SYSTEM "file://%s">]>' % path.encode()
            + b"<domain type='qemu'><name>&x;</name><memory>1</memory><os><type>&x;</type></os></domain>")


def attributes():
    """No two alike: those who compare each with each other never finish."""
    return guest(b"<title" + b"".join(b" a%x=''" % i for i in range(330000)) + b"/>")


def nested(depth):
    return guest(b"<title>" + b"<a>" * depth + b"</a>" * depth + b"</title>")


def documents(file):
    yield "entities that multiply", laughs()
    yield "one entity, many times", quadratic()
    yield "a file as an entity", outside(file)
    yield "a file as a document type", b'<!DOCTYPE domain SYSTEM "file://%s">' % file.encode() + guest(b"")
    yield "ten thousand nested", nested(10000)
    yield "a million nested, none closed", guest(b"<a>" * 1000000)[:STRING_MAX]
    yield "ten thousand nested, as UTF-16", nested(10000).decode().encode("utf-16")
    yield "more attributes than can be compared", attributes()
    yield "an attribute of four million bytes", fill(b"x", lambda text: guest(b"<clock offset='" + text + b"'/>"))
    yield "a name of four million bytes", fill(b"x", lambda text: guest(b"<" + text + b"/>"))
    yield "text of four million bytes", fill(b"x", lambda text: guest(b"<vcpu>" + text + b"</vcpu>"))
    yield "half a million empty elements", fill(b"<a/>", guest)
    yield "two hundred thousand disks", fill(b"<disk/>", lambda text: guest(b"<devices>" + text + b"</devices>"))
    yield "processors without end", guest(b"<vcpu>1</vcpu><vcpus>" + b"<vcpu id='0'/>" * 200000 + b"</vcpus>")
    yield "a comment that never ends", fill(b"-", lambda text: HEAD + b"<!--" + text)
    yield "namespaces", guest(b"<title" + b"".join(b" xmlns:n%d='u'" % i for i in range(200000)) + b"/>")
    yield "attributes that an encoding hides", (b"<?xml version='1.0' encoding='UTF-7'?>"
                                                + attributes().replace(b"=", b"+AD0-"))
    yield "zeroes", b"\0" * 100000
    yield "nothing", b""


def string(data):
    return struct.pack(">I", len(data)) + data + bytes(-len(data) % 4)


class Pulse(threading.Thread):
    """Another client, which asks all the time; the longest it waited."""

    def __init__(self, daemon, tables):
        super().__init__(daemon=True)
        self.client = Client(daemon.rw, tables=tables).open()
        self.ends = threading.Event()
        self.longest = 0.0

    def run(self):
        while not self.ends.wait(0.02):
            since = time.monotonic()
            self.client.call("remote", "connect_get_uri")
            self.longest = max(self.longest, time.monotonic() - since)

    def stop(self):
        self.ends.set()
        self.join(30)
        self.client.close()
        return self.longest


def peak_kib(daemon):
    with open(f"/proc/{daemon.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def processor_seconds(daemon):
    with open(f"/proc/{daemon.pid}/stat", encoding="ascii") as stat:
        words = stat.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def forget_peak(daemon):
    with open(f"/proc/{daemon.pid}/clear_refs", "w", encoding="ascii") as refs:
        refs.write("5")


def offer(client, document, tables):
    """What each procedure says: all must refuse."""
    flags = struct.pack(">I", 0)
    for procedure, payload in (("domain_define_xml", string(document)),
                               ("domain_define_xml_flags", string(document) + struct.pack(">I", 1)),
                               ("domain_create_xml", string(document) + flags),
                               ("connect_compare_cpu", string(document) + flags)):
        status, answer = client.call("remote", procedure, payload)
        assert status == ERROR, f"{procedure} took it"
        assert SECRET not in answer, f"{procedure} tells what stands in a file"
        error_of(answer)


def try_document(daemon, tables, name, document):
    client = Client(daemon.rw, timeout=60, tables=tables).open()
    forget_peak(daemon)
    since = processor_seconds(daemon)
    offer(client, document, tables)
    seconds = processor_seconds(daemon) - since
    client.close()
    peak = peak_kib(daemon)
    print(f"{name}: {len(document)} bytes, {seconds:.2f} s, peak {peak} KiB")
    assert seconds < SECONDS_MAX, f"{name} took {seconds:.1f} s"
    assert peak < PEAK_KIB, f"{name} took {peak} KiB"


def too_large(daemon, tables):
    """A hundred million bytes are more than a message may have: that client is let go of at once."""
    client = Client(daemon.rw, tables=tables).open()
    since = time.monotonic()
    try:
        client.call("remote", "domain_define_xml", string(b"x" * 100_000_000))
    except (Closed, ConnectionError):
        print(f"a hundred million bytes: let go of after {time.monotonic() - since:.2f} s")
    else:
        raise AssertionError("a message of a hundred million bytes was answered")
    finally:
        client.close()


def memory_left(daemon, before):
    """KiB more than before, once what is free went back to the system: seconds after the last."""
    deadline = time.monotonic() + TRIM_SECONDS_MAX
    while (left := daemon.rss_kib() - before) >= LEFT_KIB and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def main(argv):
    tables = Tables()
    with running(argv[1], env={"ASAN_OPTIONS": "quarantine_size_mb=1"}) as daemon:
        file = daemon.root / "secret"
        file.write_bytes(SECRET)
        pulse = Pulse(daemon, tables)
        try_document(daemon, tables, "to get warm", b"<domain/>")
        before, fds = daemon.rss_kib(), daemon.fds()
        pulse.start()
        for name, document in documents(str(file)):
            try_document(daemon, tables, name, document)
        too_large(daemon, tables)
        longest = pulse.stop()
        left = memory_left(daemon, before)
        status, answer = Client(daemon.rw, tables=tables).open().call(
            "remote", "connect_num_of_defined_domains")
        print(f"others waited {longest:.3f} s at most; {left:+d} KiB are left")
        assert status == 0 and answer == struct.pack(">I", 0), "a hostile guest is defined"
        assert longest < ANSWER_SECONDS_MAX, f"another client waited {longest:.1f} s"
        assert left < LEFT_KIB, f"{left} KiB more than before"
        assert daemon.fds() <= fds + 1, "descriptors are left open"
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
