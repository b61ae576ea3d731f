# SPDX-License-Identifier: LGPL-2.1-or-later
"""peer.py: the distribution's libvirtd, run privately for a test to compare with.

Its configuration, state and sockets lie in a folder of the test's, in a mount namespace of its own;
no service is started and nothing of an installed libvirt is touched. Guests run as the same user as
ours. Needs root."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

LIBVIRTD = shutil.which("libvirtd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

# Hides KVM, so that all that both daemons say holds on any machine: a /dev with the same nodes but
# that. (Something bound over the node itself makes libvirtd ask QEMU anew for each call.)
WITHOUT_KVM = """
set -e
if [ -e /dev/kvm ]; then
  new=$1/dev; mkdir -p "$new"; mount -t tmpfs -o mode=755 dev "$new"
  for node in /dev/*; do
    [ "$node" != /dev/kvm ] || continue
    if [ ! -d "$node" ] || [ -L "$node" ]; then cp -a "$node" "$new/"; continue; fi
    mkdir "$new/${node#/dev/}"
    if mountpoint -q "$node"; then mount --bind "$node" "$new/${node#/dev/}"
    else cp -a "$node/." "$new/${node#/dev/}/"; fi
  done
  umount -R -l /dev; mount --move "$new" /dev
fi
"""

# Binds the folders, hides the v1 hierarchies, becomes libvirtd, which asks for a user that only the
# package with its services makes, even if its configuration names another. $1: the folder.
INSIDE = WITHOUT_KVM + """
for pair in etc:/etc/libvirt lib:/var/lib/libvirt cache:/var/cache/libvirt log:/var/log/libvirt; do
  mkdir -p "${pair#*:}"; mount --bind "$1/${pair%%:*}" "${pair#*:}"
done
if ! getent passwd libvirt-qemu >/dev/null; then
  cp /etc/passwd /etc/group "$1/"
  echo "libvirt-qemu:x:64055:64055::/nonexistent:/usr/sbin/nologin" >>"$1/passwd"
  echo "libvirt-qemu:x:64055:" >>"$1/group"
  for table in passwd group; do mount --bind "$1/$table" "/etc/$table"; done
fi
mkdir -p /run/libvirt; mount -t tmpfs -o mode=755 run /run/libvirt
while read -r _ at type _; do [ "$type" != cgroup ] || umount "$at"; done < /proc/self/mounts
exec "$2" -f "$1/etc/libvirtd.conf" -p "$1/libvirtd.pid"
"""

DAEMON_CONF = """
listen_tls = 0
listen_tcp = 0
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_dir = "{root}/sock"
unix_sock_rw_perms = "0700"
log_outputs = "2:file:{root}/log/libvirtd.log"
"""

QEMU_CONF = """
user = "{user}"
group = "{user}"
stdio_handler = "file"
namespaces = []
vnc_listen = "127.0.0.1"
"""


class Peer:
    """A running libvirtd."""

    def __init__(self, process, root):
        self.process, self.root = process, root
        self.socket = root / "sock" / "libvirt-sock"
        self.uri = f"qemu:///system?socket={self.socket}"

    def log(self):
        log = self.root / "log" / "libvirtd.log"
        return log.read_text() if log.exists() else ""


@contextlib.contextmanager
def running(root, user="root"):
    """Starts one below the folder, waits until it answers, ends it and its guests."""
    root = pathlib.Path(root)
    for name in ("etc", "lib", "cache", "log", "sock"):
        (root / name).mkdir(parents=True)
    (root / "etc" / "libvirtd.conf").write_text(DAEMON_CONF.format(root=root))
    (root / "etc" / "qemu.conf").write_text(QEMU_CONF.format(user=user))
    with open(root / "stderr", "w", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            ["unshare", "-m", "--propagation", "private", "sh", "-c", INSIDE, "sh", str(root),
             LIBVIRTD], stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr)
    peer = Peer(process, root)
    try:
        wait_ready(peer)
        yield peer
    finally:
        end(peer)


def wait_ready(peer):
    deadline = time.monotonic() + 60
    while subprocess.run(["virsh", "-c", peer.uri, "uri"], capture_output=True, check=False,
                         timeout=60).returncode != 0:
        if peer.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("libvirtd did not start: "
                               + (peer.root / "stderr").read_text() + peer.log())
        time.sleep(0.1)  # it says nothing when it is ready


def end(peer):
    if peer.process.poll() is None:
        names = subprocess.run(["virsh", "-c", peer.uri, "list", "--name"], capture_output=True,
                               text=True, check=False, timeout=60).stdout.split()
        for name in names:
            subprocess.run(["virsh", "-c", peer.uri, "destroy", name], capture_output=True,
                           check=False, timeout=60)
        peer.process.send_signal(signal.SIGTERM)
    try:
        peer.process.wait(30)
    except subprocess.TimeoutExpired:
        peer.process.kill()
        peer.process.wait()
