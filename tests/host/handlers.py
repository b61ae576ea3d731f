#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""handlers.py VIRTWARDD BUILD-FOLDER: external handlers from end to end, with stock virsh.

The library is installed to a folder of the test's own; the example is built against its .pc alone,
without and with the opt-in; it and a Python handler give a real guest's disk to its user."""

import os
import pathlib
import select
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "wire"))
import daemon as daemons  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "src" / "internal"
GUEST = """<domain type='qemu'><name>handled</name><memory unit='MiB'>64</memory>
<os><type arch='x86_64' machine='pc'>hvm</type></os>
<devices><disk type='file' device='disk'><source file='{disk}'/><target dev='vda' bus='virtio'/></disk></devices></domain>"""
DEADLINE = 60


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, **options)


class Handlers(unittest.TestCase):
    """One installation and one daemon for all."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="vwh-"))
                                  if hasattr(cls, "enterClassContext") else tempfile.mkdtemp(prefix="vwh-"))
        cls.folder.chmod(0o755)
        done = run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.folder / "dest")
        assert done.returncode == 0, done.stderr
        cls.library, = (cls.folder / "dest").rglob("libvirt-internal.so.1")
        cls.pc, = (cls.folder / "dest").rglob("libvirt-internal.pc")
        cls.module, = (cls.folder / "dest").rglob("libvirt_internal.py")
        sys.path.insert(0, str(cls.module.parent))
        cls.running = daemons.running(VIRTWARDD, config="handler_timeout = 3\n",
                                      prepare=lambda folder: folder.chmod(0o755))
        cls.daemon = cls.running.__enter__()
        cls.uri = f"qemu:///system?socket={cls.daemon.rw}"
        cls.disk = cls.folder / "disk"
        cls.disk.write_bytes(bytes(1 << 20))
        cls.virsh("define", "/dev/stdin", input=GUEST.format(disk=cls.disk))

    @classmethod
    def tearDownClass(cls):
        cls.virsh("destroy", "handled", check=False)
        cls.running.__exit__(None, None, None)
        subprocess.run(["rm", "-rf", str(cls.folder)], check=True)

    @classmethod
    def virsh(cls, *command, check=True, **options):
        done = run("virsh", "-c", cls.uri, *command, **options)
        assert not check or done.returncode == 0, done.stderr
        return done

    def flags(self):
        prefix = self.pc.parents[3] if self.pc.parents[1].name.startswith("x86") else self.pc.parents[2]
        done = run("pkg-config", f"--define-variable=prefix={prefix}", "--cflags", "--libs", "libvirt-internal",
                   env={**os.environ, "PKG_CONFIG_PATH": str(self.pc.parent)})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    def build(self):
        program = self.folder / "example"
        done = run(*(["clang", "-fsanitize=address,undefined"] if SANITIZED else ["cc"]), "-Wall", "-Werror",
                   SOURCE / "example.c", "-o", program, *self.flags())
        self.assertEqual(done.returncode, 0, done.stderr)
        return [str(program), self.uri]

    def env(self):
        return {**os.environ, "LD_LIBRARY_PATH": str(self.library.parent)}

    def session(self, **options):
        if SANITIZED:
            self.skipTest("this interpreter has no sanitizers")
        import libvirt
        import libvirt_internal
        libvirt_internal.load(str(self.library))
        self.connection = libvirt.open(self.uri)
        self.addCleanup(self.connection.close)
        session = libvirt_internal.Session(self.connection, **options)
        self.addCleanup(session.close)
        return session

    def start_served(self, session):
        """virsh start, with the session served in this process until it ends."""
        with subprocess.Popen(["virsh", "-c", self.uri, "start", "--paused", "handled"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as virsh:
            pidfd = os.pidfd_open(virsh.pid)
            try:
                while pidfd not in select.select([pidfd, session.fileno()], [], [], DEADLINE)[0]:
                    session.dispatch()
            finally:
                os.close(pidfd)
            return virsh.communicate()[0], virsh.returncode

    def test_1_without_the_opt_in_nothing_is_visible(self):
        text = (SOURCE / "example.c").read_text().replace("#define VIR_INTERNAL_UNSTABLE_API_OPT_IN", "")
        (self.folder / "closed.c").write_text(text)
        done = run("cc", "-fsyntax-only", self.folder / "closed.c", *self.flags())
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("VIR_INTERNAL_UNSTABLE_API_OPT_IN", done.stderr)

    def test_2_a_client_that_starts_a_guest_answers_for_it(self):
        done = run(*self.build(), "handled", env=self.env())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("handled: descriptor", done.stdout)
        self.assertNotEqual(self.disk.stat().st_uid, 0)
        self.virsh("destroy", "handled", check=False)

    def test_3_nobody_steps_in_for_a_handler_that_went_away(self):
        done = self.virsh("start", "handled", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the handler of own.set is not connected", done.stderr)
        self.assertIn("shut off", self.virsh("domstate", "handled").stdout)

    def test_4_python_serves_in_its_own_loop(self):
        calls = []

        def own(call, request):
            calls.append((call.domain.decode(), request["uid"], request.fd(0)))
            os.chown(f"/proc/self/fd/{request.fd(0)}", request["uid"], request["gid"])
            os.chmod(f"/proc/self/fd/{request.fd(0)}", request["mode"])

        session = self.session()
        session.register("own.set", own)
        out, code = self.start_served(session)
        self.assertEqual(code, 0, out)
        self.assertIn("handled", [call[0] for call in calls])
        with subprocess.Popen(["virsh", "-c", self.uri, "destroy", "handled"], stdout=subprocess.PIPE) as virsh:
            while virsh.poll() is None:
                if select.select([session], [], [], 0.2)[0]:
                    session.dispatch()
        session.unregister("own.set")

    def test_4_the_python_example_in_the_bindings_loop(self):
        """It answers for a guest that another client starts, and hears of the guest by events."""
        if SANITIZED:
            self.skipTest("the interpreter has no sanitizers")
        env = {**self.env(), "PYTHONPATH": str(self.module.parent)}
        with subprocess.Popen(["/usr/bin/python3", SOURCE / "example.py", self.uri], stdout=subprocess.PIPE, text=True,
                              env=env) as example:
            try:
                self.assertEqual(example.stdout.readline(), "serving\n")
                self.virsh("start", "--paused", "handled")
                lines = []
                while not lines or not lines[-1].startswith("event handled"):
                    lines.append(example.stdout.readline())
                    self.assertTrue(lines[-1], "the example has ended")
                self.assertTrue(any(line.startswith("own.set handled ") for line in lines), lines)
                self.virsh("destroy", "handled")
            finally:
                example.terminate()
                self.assertEqual(example.wait(DEADLINE), 0)
        # it went without taking its leave: one of its user does so in its place
        session = self.session()
        for hook in ("own.set", "memlock.set", "sched.set"):
            session.register(hook, lambda call, request: None)
            session.unregister(hook)

    def test_5_a_refusal_reaches_the_client(self):
        def own(call, request):
            raise PermissionError("no disk is given away on a Sunday")

        session = self.session()
        session.register("own.set", own)
        out, code = self.start_served(session)
        self.assertEqual(code, 1)
        self.assertIn("the handler of own.set: no disk is given away on a Sunday", out)
        session.unregister("own.set")
        self.virsh("start", "--paused", "handled")  # unregistered: the daemon does it again
        self.virsh("destroy", "handled")

    def test_6_another_abi_is_refused_at_once(self):
        import libvirt_internal
        with self.assertRaisesRegex(libvirt_internal.Error, "ABI 2.*ABI 1"):
            self.session(abi=2)

    def test_7_unknown_operations_and_second_handlers_are_refused(self):
        import libvirt_internal
        session = self.session()
        session.register("proc.tune", lambda call, request: None)
        with self.assertRaisesRegex(libvirt_internal.Error, "no operation 'make.tea'"):
            session.register("make.tea", lambda call, request: None)
        with self.assertRaisesRegex(libvirt_internal.Error, "serves proc.tune"):
            self.session().register("proc.tune", lambda call, request: None)
        session.unregister("proc.tune")


if __name__ == "__main__":
    VIRTWARDD, BUILD = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    if os.geteuid() != 0:
        print("needs root")
        sys.exit(77)
    SANITIZED = b"__asan_init" in pathlib.Path(BUILD, "src/internal/libvirt-internal.so.1").read_bytes()
    unittest.main(argv=[sys.argv[0], "-v"], failfast=True)
