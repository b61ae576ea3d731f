#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""python_clients.py VIRTWARDD [COUNT]: python3-libvirt opens and closes COUNT times (10,000).

With its event loop running and an event registered each time. The daemon's memory and descriptors
must not grow. Skipped (exit 77) without python3-libvirt."""

import sys
import threading

from daemon import running

try:
    import libvirt
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

WARM_UP = 1000
GROWTH_KIB = 512


def loop():
    while True:
        libvirt.virEventRunDefaultImpl()


def visit(uri):
    conn = libvirt.open(uri)
    token = conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                        lambda *args: None, None)
    assert conn.getURI().startswith("qemu://")
    conn.domainEventDeregisterAny(token)  # else the library itself keeps the connection open
    conn.close()


def main(argv):
    count = int(argv[2]) if len(argv) > 2 else 10000
    libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=loop, daemon=True).start()
    with running(argv[1], env={"ASAN_OPTIONS": "quarantine_size_mb=1"}) as daemon:
        uri = f"qemu:///system?socket={daemon.rw}"
        before_fds = daemon.fds()
        for _ in range(WARM_UP):
            visit(uri)
        before = daemon.rss_kib()
        for _ in range(count):
            visit(uri)
        grown, fds = daemon.rss_kib() - before, daemon.fds()
    print(f"{count} connections: memory {grown:+d} KiB, descriptors {before_fds} before, {fds} after")
    return 1 if grown > GROWTH_KIB or fds > before_fds + 2 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
