# SPDX-License-Identifier: LGPL-2.1-or-later
"""daemon.py: a virtwardd of its own for a test, in a folder of its own."""

import contextlib
import os
import pathlib
import socket
import subprocess
import tempfile
import time

import groups


class Daemon:
    """A running daemon; sockets by kind."""

    def __init__(self, program, process, root, env):
        self.program, self.process, self.env = program, process, env
        self.root = pathlib.Path(root)
        self.rw = self.root / "run" / "virtward-sock"
        self.ro = self.root / "run" / "virtward-sock-ro"
        self.admin = self.root / "run" / "virtward-admin-sock"

    @property
    def pid(self):
        return self.process.pid

    def restart(self):
        """kill -9, and the next one on the same folder."""
        self.process.kill()
        self.process.wait()
        self.process = launch(self.program, self.root, self.env).process

    def log(self):
        return (self.root / "stderr").read_text()

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def rss_kib(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise RuntimeError("no VmRSS")


def launch(program, folder, env=None):
    """A daemon on folder that has said it is ready; its caller ends it."""
    address = folder / "notify"
    address.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, \
            open(folder / "stderr", "a", encoding="utf-8") as stderr:
        notify.bind(str(address))
        process = subprocess.Popen(
            [program, "--root", str(folder)], stderr=stderr, stdin=subprocess.DEVNULL,
            env={**os.environ, "NOTIFY_SOCKET": str(address), **(env or {})})
        daemon = Daemon(program, process, folder, env)
        try:
            wait_ready(notify, process, daemon)
        except BaseException:
            process.kill()
            process.wait()
            raise
    return daemon


def end(daemon):
    """Its exit code after SIGTERM."""
    daemon.process.terminate()
    return daemon.process.wait(30)


@contextlib.contextmanager
def running(program, config="", env=None, prepare=None):
    """Starts program, waits until it says it is ready, ends it with SIGTERM and checks that.

    prepare is called with the daemon's folder before the start."""
    groups.sweep_dead()
    with tempfile.TemporaryDirectory(prefix="vw-", dir="/tmp") as root:
        folder = pathlib.Path(root)
        (folder / "etc").mkdir()
        if prepare:
            prepare(folder)
        (folder / "etc" / "virtwardd.conf").write_text(config)
        daemon = None
        try:
            daemon = launch(program, folder, env)
            yield daemon  # whose process a test may have exchanged for another
            assert daemon.process.poll() is None, f"the daemon ended: {daemon.log()}"
            code = end(daemon)
        finally:
            if daemon and daemon.process.poll() is None:
                daemon.process.kill()
                daemon.process.wait()
            unmount(folder / "run" / "bpf")
        assert code == 0, f"exit code {code}: {daemon.log()}"


def unmount(folder):
    """The pins of a daemon that was killed outlive it; the folder of a test doesn't."""
    if folder.is_mount():
        subprocess.run(["umount", folder], check=True)


def wait_ready(notify, process, daemon):
    deadline = time.monotonic() + 30
    notify.settimeout(0.2)
    while time.monotonic() < deadline:
        try:
            if b"READY=1" in notify.recv(4096):
                return
        except TimeoutError:
            pass
        # A build without libsystemd does not say; then the sockets do.
        if process.poll() is not None:
            raise RuntimeError(f"the daemon did not start: {daemon.log()}")
        if daemon.admin.exists() and connects(daemon.admin):
            return
    raise RuntimeError("the daemon is not ready after 30 seconds")


def connects(path):
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
