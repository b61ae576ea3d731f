#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""leaks.py VIRTWARDD [COUNT]: COUNT connections (10,000) leave nothing behind.

A third each say goodbye, vanish after opening, and vanish in the middle of a message. After a
warm-up, the daemon's descriptors must be as many as before and its memory must not have grown."""

import struct
import sys

from daemon import running
from protocol import Client, Tables

WARM_UP = 1000
GROWTH_KIB = 512


def visit(path, tables, kind):
    client = Client(path, tables=tables).open()
    if kind == 0:
        client.call("remote", "connect_close")
    elif kind == 1:
        client.send_raw(struct.pack(">II", 5000, tables.data["remote"]["number"]) + bytes(2000))
    client.close()


def settle(daemon, tables):
    """The daemon has seen all that vanished when a later client is the only one left."""
    client = Client(daemon.rw, tables=tables).open()
    client.call("remote", "connect_get_uri")
    client.close()


def main(argv):
    tables = Tables()
    count = int(argv[2]) if len(argv) > 2 else 10000
    # An address-sanitized daemon keeps what it has freed, for a while.
    with running(argv[1], env={"ASAN_OPTIONS": "quarantine_size_mb=1"}) as daemon:
        settle(daemon, tables)
        fds = daemon.fds()
        for i in range(WARM_UP):
            visit(daemon.rw, tables, i % 3)
        before = daemon.rss_kib()
        for i in range(count):
            visit(daemon.rw, tables, i % 3)
        settle(daemon, tables)
        grown = daemon.rss_kib() - before
        now = daemon.fds()
    print(f"{count} connections: memory {grown:+d} KiB, descriptors {fds} before, {now} after")
    return 1 if grown > GROWTH_KIB or now > fds + 1 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
