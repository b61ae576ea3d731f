#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What becomes of guests, told by stock virsh, none of which has to boot.

    guest_states.py VIRTWARDD

Each test_ function has a daemon of its own: how a guest ended, what a restarted daemon knows, transient
and renamed guests, autostart, changes for now and for the next start, the variable store of UEFI,
processors. Skipped (exit 77) where that can't be.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import guests

CODE = "/usr/share/OVMF/OVMF_CODE_4M.fd"
QEMU_NS = "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"


def kill(pid):
    """SIGKILL, and until it is so."""
    process = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert guests.select.select([process], [], [], guests.STEP_S)[0]
    os.close(process)


def log(host, name):
    return (host.folder / "log" / "qemu" / f"{name}.log").read_text()


def names(text):
    return text.split()


# --- how a guest ended


def test_a_qemu_that_is_killed_has_crashed(host):
    host.define("dies")
    host.virsh("start", "dies", "--paused")
    assert host.state("dies") == "paused (user)"
    kill(host.pid("dies"))
    host.until_state("dies", "shut off (crashed)")
    assert "shutting down, reason=crashed (" in log(host, "dies")
    assert not host.left_of_guests()
    host.virsh("start", "dies", "--paused")
    host.virsh("destroy", "dies")


def test_a_qemu_that_quits_by_itself_has_shut_down(host):
    host.define("quits")
    host.virsh("start", "quits", "--paused")
    host.run("qemu-monitor-command", "quits", '{"execute":"quit"}')
    host.until_state("quits", "shut off (shutdown)")
    assert log(host, "quits").endswith("shutting down, reason=shutdown\n")
    assert not host.left_of_guests()


def test_destroy_ends_any_process(host):
    host.define("ends")
    host.virsh("start", "ends", "--paused")
    host.virsh("destroy", "ends", "--graceful")
    assert host.state("ends") == "shut off (destroyed)"
    host.virsh("start", "ends")
    assert host.state("ends") == "running (booted)"
    os.kill(host.pid("ends"), signal.SIGSTOP)
    host.virsh("destroy", "ends")
    assert host.state("ends") == "shut off (destroyed)"
    assert not host.left_of_guests()
    host.refused("domain is not running", "destroy", "ends")


def test_a_start_that_fails_leaves_nothing(host):
    host.define("fails", devices="<disk type='file' device='disk'><source file='/nowhere/a.img'/>"
                                 "<target dev='vda' bus='virtio'/></disk>")
    host.refused("/nowhere/a.img", "start", "fails")
    assert host.state("fails") == "shut off (failed)"
    assert not host.left_of_guests()


# --- a daemon that comes back


def test_a_restarted_daemon_knows_running_paused_and_ended_guests(host):
    for name in ("runs", "waits", "dies", "powers", "rests"):
        host.define(name)
    for name in ("waits", "dies"):
        host.virsh("start", name, "--paused")
    for name in ("runs", "powers"):
        host.virsh("start", name)
    pids = {name: host.pid(name) for name in ("runs", "waits")}
    dying, powered = host.pid("dies"), host.pid("powers")
    lives = {name: host.xml(name) for name in pids}
    host.kill_daemon()
    kill(dying)
    os.kill(powered, signal.SIGTERM)  # QEMU's own way out, with nobody there to hear SHUTDOWN
    guests.until(lambda: not guests.alive(powered), "QEMU ends on SIGTERM")
    host.launch()
    host.until_state("runs", "running (booted)")
    host.until_state("waits", "paused (user)")
    host.until_state("dies", "shut off (crashed)")
    host.until_state("rests", "shut off (unknown)")
    assert host.state("powers").startswith("shut off")
    for name, pid in pids.items():
        host.until_known(name)
        assert host.pid(name) == pid
        assert host.xml(name) == lives[name]
    host.virsh("resume", "waits")
    host.until_state("waits", "running (unpaused)")
    host.virsh("destroy", "runs")
    host.virsh("destroy", "waits")
    assert not host.left_of_guests()


def test_a_daemon_that_ends_well_leaves_its_guests(host):
    host.define("stays")
    host.virsh("start", "stays")
    pid = host.pid("stays")
    assert guests.daemons.end(host.daemon) == 0
    assert guests.alive(pid)
    host.launch()
    host.until_state("stays", "running (booted)")
    host.virsh("destroy", "stays")


def test_autostart_is_for_the_machines_start(host):
    host.define("auto")
    host.virsh("autostart", "auto")
    assert re.search(r"^Autostart: +enable$", host.virsh("dominfo", "auto"), re.M)
    assert names(host.virsh("list", "--all", "--autostart", "--name")) == ["auto"]
    host.restart()
    assert host.state("auto") == "shut off (unknown)"  # the machine runs as it did
    assert guests.daemons.end(host.daemon) == 0
    shutil.rmtree(host.folder / "run")  # as a machine does that is booted
    host.launch()
    host.until_state("auto", "running (booted)")
    assert names(host.virsh("list", "--name")) == ["auto"]
    host.virsh("destroy", "auto")
    host.restart()
    assert names(host.virsh("list", "--all", "--name")) == ["auto"]
    assert host.state("auto") == "shut off (unknown)"
    host.virsh("autostart", "auto", "--disable")
    assert not list((host.folder / "etc" / "qemu" / "autostart").iterdir())


# --- documents


def test_a_change_is_for_now_or_for_the_next_start(host):
    host.define("twice", memory=64)
    host.virsh("start", "twice", "--paused")
    host.virsh("desc", "twice", "--config", "--title", "later")
    host.virsh("desc", "twice", "--live", "--title", "now")
    host.define("twice", memory=80, more=f"<uuid>{host.virsh('domuuid', 'twice').strip()}</uuid>"
                                         "<title>later</title>")
    assert "<memory unit='KiB'>65536<" in host.xml("twice")
    assert "<memory unit='KiB'>81920<" in host.xml("twice", "--inactive")
    assert "<title>now</title>" in host.xml("twice")
    host.restart()
    host.until_known("twice")
    assert "<title>now</title>" in host.xml("twice")
    assert "<title>later</title>" in host.xml("twice", "--inactive")
    host.virsh("destroy", "twice")
    assert "<title>later</title>" in host.xml("twice")
    host.virsh("start", "twice", "--paused")
    assert "<memory unit='KiB'>81920<" in host.xml("twice")
    host.virsh("undefine", "twice")
    assert re.search(r"^Persistent: +no$", host.virsh("dominfo", "twice"), re.M)
    host.virsh("destroy", "twice")
    assert not names(host.virsh("list", "--all", "--name"))


def test_a_transient_guest_ends_with_its_process(host):
    host.virsh("create", host.write("passes"), "--paused")
    assert host.state("passes") == "paused (user)"
    assert names(host.virsh("list", "--transient", "--name")) == ["passes"]
    host.restart()
    host.until_state("passes", "paused (user)")
    host.virsh("destroy", "passes")
    assert not names(host.virsh("list", "--all", "--name"))
    host.virsh("create", host.write("passes"), "--paused")
    kill(host.pid("passes"))
    guests.until(lambda: not names(host.virsh("list", "--all", "--name")), "it is gone")
    assert not host.left_of_guests()


def test_a_guest_may_end_with_its_client(host):
    host.define("owned")
    told = host.run(input="start owned --paused --autodestroy\ndomstate owned\n")
    assert "paused" in told.stdout, told.stderr
    host.until_state("owned", "shut off (destroyed)")
    assert not host.left_of_guests()


def test_a_renamed_guest_is_the_same(host):
    host.define("old")
    uuid = host.virsh("domuuid", "old")
    host.virsh("autostart", "old")
    host.virsh("domrename", "old", "new")
    host.refused("failed to get domain", "domstate", "old")
    assert host.virsh("domuuid", "new") == uuid
    host.restart()
    assert names(host.virsh("list", "--all", "--autostart", "--name")) == ["new"]
    host.virsh("start", "new", "--paused")
    host.refused("cannot rename active domain", "domrename", "new", "newer")
    host.virsh("destroy", "new")


# --- the command line


def test_uefi_variables_are_the_guests_own(host):
    if not os.path.exists(CODE):
        print(f"  no {CODE}: left out")
        return
    boot = f"<loader readonly='yes' type='pflash'>{CODE}</loader>"
    store = host.folder / "lib" / "nvram" / "uefi_VARS.fd"
    host.define("uefi", boot=boot, machine="q35")
    host.virsh("start", "uefi", "--paused")
    assert store.stat().st_uid == os.stat(f"/proc/{host.pid('uefi')}").st_uid
    assert f"<nvram template='{CODE.replace('CODE', 'VARS')}'>{store}</nvram>" in host.xml("uefi")
    host.refused("cannot undefine domain with nvram", "undefine", "uefi")
    host.virsh("destroy", "uefi")
    store.write_bytes(b"mine" + store.read_bytes()[4:])
    host.virsh("start", "uefi", "--paused")
    host.virsh("destroy", "uefi")
    assert store.read_bytes()[:4] == b"mine"
    host.virsh("start", "uefi", "--paused", "--reset-nvram")
    host.virsh("destroy", "uefi")
    assert store.read_bytes()[:4] != b"mine"
    host.refused("cannot undefine domain with nvram", "undefine", "uefi")
    host.virsh("undefine", "uefi", "--keep-nvram")
    assert store.exists()
    host.define("uefi", boot=boot, machine="q35")
    host.virsh("undefine", "uefi", "--nvram")
    assert not store.exists()


def test_boot_files_change_hands_and_may_go_afterwards(host):
    kernels = sorted(pathlib.Path("/boot").glob("vmlinuz-*"))
    if not kernels:
        print("  no kernel in /boot: left out")
        return
    kernel = host.folder / "vmlinuz"
    shutil.copy(kernels[-1], kernel)
    kernel.chmod(0o600)
    host.define("boots", boot=f"<kernel>{kernel}</kernel>")
    host.virsh("start", "boots", "--paused")
    assert kernel.stat().st_uid == os.stat(f"/proc/{host.pid('boots')}").st_uid
    host.virsh("destroy", "boots")
    assert kernel.stat().st_uid == os.getuid()
    host.virsh("start", "boots", "--paused")
    kernel.unlink()
    host.restart()
    host.until_known("boots")
    assert "its device gate:" not in host.daemon.log()
    host.virsh("destroy", "boots")


def test_usb_devices_get_ports_and_reboots_their_action(host):
    host.define("parts", more="<on_reboot>destroy</on_reboot>",
                devices="<controller type='usb' model='qemu-xhci'/><input type='tablet' bus='usb'/>")
    host.virsh("start", "parts")
    assert "<address type='usb' bus='0' port='1'/>" in host.xml("parts")
    host.virsh("reset", "parts")  # which is a reboot, which is its end
    host.until_state("parts", "shut off (shutdown)")


def test_capabilities_of_a_document_are_taken(host):
    xml = host.write("less", more="<on_reboot>destroy</on_reboot>")
    text = xml.read_text().replace("<domain type='qemu'>", f"<domain type='qemu' {QEMU_NS}>")
    for name, words in (("set-action", None), ("nonsense", "invalid qemu namespace capability")):
        xml.write_text(text.replace("</devices>", f"</devices><qemu:capabilities><qemu:del "
                                                  f"capability='{name}'/></qemu:capabilities>"))
        host.virsh("define", xml)
        if words:
            host.refused(words, "start", "less")
        else:
            host.virsh("start", "less", "--paused")
            assert "'-no-reboot'" in log(host, "less")
            host.virsh("destroy", "less")
        host.virsh("undefine", "less")


def test_processors_by_mode(host):
    for mode, words in (("<cpu mode='host-model'/>", "<cpu mode='custom'"),
                        ("<cpu mode='maximum'/>", "<cpu mode='maximum'"),
                        ("<cpu mode='custom'><model>qemu64</model></cpu>", ">qemu64</model>")):
        host.define("cpu", more=mode)
        host.virsh("start", "cpu", "--paused")
        assert words in host.xml("cpu"), host.xml("cpu")
        host.virsh("destroy", "cpu")
        host.virsh("undefine", "cpu")


def main(program, *wanted):
    why = guests.missing()
    if why:
        print(f"{why}: skipped")
        return 77
    tests = {name: func for name, func in globals().items()
             if name.startswith("test_") and (not wanted or name in wanted)}
    failed = 0
    for name, func in tests.items():
        print(name.replace("_", " "), flush=True)
        try:
            with guests.host(program) as host:
                func(host)
                host.end()
        except (AssertionError, subprocess.SubprocessError, OSError) as error:
            print(f"FAILED: {name}: {error}", file=sys.stderr)
            failed += 1
    print(f"{len(tests) - failed} of {len(tests)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
