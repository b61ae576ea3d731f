#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Daemon, handler or both are killed, while a guest starts through the handler and while it runs.

    handler_restarts.py VIRTWARDD LIBVIRT_INTERNAL_SO VIRTWARD

A scripted handler (handler_script.py) kills them at each of its calls, before and after the effect.
Afterwards nothing of the guest may be left, the next handler has been told to undo every request
that may have been done, no request id has come twice, and the guest starts. While it runs: each grant
is kept or redone, once."""
import itertools
import json
import os
import pathlib
import pwd
import subprocess
import sys
import unittest

import guests

NAME = "vwrestart"
CONFIG = 'handler_policy = [ "own.set=handler" ]\n'
SCRIPT = pathlib.Path(__file__).resolve().parent / "handler_script.py"
VICTIMS = ("daemon", "handler", "both")


class Handler:
    """The script, running; what it said."""

    def __init__(self, host, *strike):
        self.log = host.folder / "handler.log"
        self.log.touch()
        self.begin = self.log.stat().st_size
        self.process = subprocess.Popen([sys.executable, str(SCRIPT), LIBRARY,
                                         str(host.folder / "run/handler/sock"), str(self.log),
                                         *map(str, strike)])
        guests.until(lambda: ["ready"] in self.said(), "the handler serves")

    def said(self):
        with open(self.log, encoding="utf-8") as lines:
            lines.seek(self.begin)
            return [line.split() for line in lines.read().splitlines()]

    def ids(self, word):
        return [int(number) for line in self.said() if line[0] == word for number in line[1:]
                if number.isdigit()]

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Case(unittest.TestCase):
    """A guest with a disk whose owner is a handler's to change."""

    def setUp(self):
        context = guests.host(PROGRAM, CONFIG)
        self.host = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.disk = self.host.folder / "disk"
        self.disk.write_bytes(bytes(1 << 20))
        self.handler = None
        self.addCleanup(lambda: self.handler and self.handler.end())
        self.host.define(NAME, devices="<disk type='file' device='disk'><source "
                         f"file='{self.disk}'/><target dev='vda' bus='virtio'/></disk>")

    def serve(self, *strike):
        if self.handler:
            self.handler.end()
        self.handler = Handler(self.host, *strike)

    def owner(self):
        return pwd.getpwuid(self.disk.stat().st_uid).pw_name

    def grants(self):
        """The guest's as `virtward handlers` shows them: {target: state}."""
        shown = subprocess.run([VIRTWARD, "--root", str(self.host.folder), "handlers", "--json"],
                               capture_output=True, text=True, check=True, timeout=guests.STEP_S)
        return {grant["target"]: grant["state"] for grant in json.loads(shown.stdout)["grants"]
                if grant["guest"] == NAME and grant["state"] != "past"}

    def until_grants(self, check, what):
        return guests.until(lambda: check(self.grants()), what)


class Restarts(Case):
    # --- in the middle of a start

    def count(self):
        """How many calls a start makes."""
        self.serve()
        self.host.virsh("start", "--paused", NAME)
        calls = len(self.handler.ids("call"))
        self.host.virsh("destroy", NAME)
        return calls

    def pids(self, victim):
        return {"daemon": [self.host.daemon.pid], "handler": [0],
                "both": [self.host.daemon.pid, 0]}[victim]

    def replace(self, victim):
        """The next ones, after the handler has ended."""
        if victim != "handler":
            self.host.daemon.process.wait(guests.STEP_S)
            self.host.launch()
        self.serve()  # what was made is taken back with its help

    def cut(self, number, moment, victim):
        """A start that is cut short at a call; its ids."""
        self.serve(number, moment, *self.pids(victim))
        with subprocess.Popen(["virsh", "-c", self.host.uri, "start", "--paused", NAME],
                              stderr=subprocess.PIPE) as start:
            self.handler.process.wait(guests.STEP_S)
            asked = self.handler.ids("call")
            self.replace(victim)
            start.communicate(timeout=guests.STEP_S)
            self.assertNotEqual(start.returncode, 0)
        return asked

    def check_undone(self, asked):
        def undone():
            return set(asked) <= set(self.handler.ids("teardown"))
        guests.until(undone, f"{asked} are undone")
        guests.until(lambda: not self.host.left_of_guests(), "nothing is left over")
        self.assertEqual(self.owner(), "root")
        self.assertIn("shut off", self.host.virsh("domstate", NAME))

    def test_in_the_middle_of_a_start(self):
        calls, seen = self.count(), set(self.handler.ids("call"))
        for number, moment, victim in itertools.product(range(1, calls + 1), ("before", "after"), VICTIMS):
            with self.subTest(number=number, moment=moment, victim=victim):
                asked = self.cut(number, moment, victim)
                self.assertFalse(seen & set(asked), "an id came twice")
                seen |= set(asked)
                self.check_undone(asked)
                seen |= set(self.handler.ids("call"))
        self.host.virsh("start", "--paused", NAME)
        self.assertFalse(seen & set(self.handler.ids("call")[-calls:]))
        self.host.virsh("destroy", NAME)

    # --- in the middle of a plug

    def plug(self, other):
        return subprocess.Popen(["virsh", "-c", self.host.uri, "attach-disk", NAME, str(other), "vdb"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def check_unplugged(self, other, asked):
        guests.until(lambda: set(asked) <= set(self.handler.ids("teardown")), f"{asked} are undone")
        self.host.until_known(NAME)
        self.assertNotIn(str(other), self.host.xml(NAME))
        guests.until(lambda: other.stat().st_uid == 0, "the disk is its owner's again")
        self.assertNotIn(str(other), self.grants())

    def test_in_the_middle_of_a_plug(self):
        other = self.host.folder / "other"
        other.write_bytes(bytes(1 << 20))
        self.serve()
        self.host.virsh("start", "--paused", NAME)
        pid, seen = self.host.pid(NAME), set(self.handler.ids("call"))
        for moment, victim in itertools.product(("before", "after"), VICTIMS):
            with self.subTest(moment=moment, victim=victim):
                self.serve(1, moment, *self.pids(victim))
                with self.plug(other) as plug:
                    self.handler.process.wait(guests.STEP_S)
                    asked = self.handler.ids("call")
                    self.replace(victim)
                    plug.communicate(timeout=guests.STEP_S)
                    self.assertNotEqual(plug.returncode, 0)
                self.assertFalse(seen & set(asked), "an id came twice")
                seen |= set(asked)
                self.check_unplugged(other, asked)
                self.assertEqual(self.host.pid(NAME), pid)
        with self.plug(other) as plug:
            plug.communicate(timeout=guests.STEP_S)
            self.assertEqual(plug.returncode, 0)
        self.assertIn(str(other), self.grants())
        self.host.virsh("destroy", NAME)

    # --- while it runs

    def test_while_it_runs(self):
        self.serve()
        self.host.virsh("start", "--paused", NAME)
        calls, seen = len(self.handler.ids("call")), set(self.handler.ids("call"))
        pid = self.host.pid(NAME)
        for victim in VICTIMS:
            with self.subTest(victim=victim):
                self.handler.end()
                if victim != "handler":
                    self.host.restart()
                self.serve()
                self.until_grants(lambda all: len(all) == calls and
                                  set(all.values()) == {"kept"}, "each grant is kept")
                self.assertEqual(self.handler.ids("call"), [])
        self.lose(seen)
        self.assertEqual(self.host.pid(NAME), pid)
        self.assertTrue(guests.alive(pid))
        self.host.virsh("destroy", NAME)
        self.assertEqual(self.owner(), "root")
        guests.until(lambda: seen <= set(self.handler.ids("teardown")), "all is undone at the end")

    def lose(self, seen):
        """While both are away, the disk is taken from the guest: it gets it again, once."""
        self.handler.end()
        self.host.kill_daemon()
        os.chown(self.disk, 0, 0)
        self.host.launch()
        self.serve()
        self.until_grants(lambda all: all.get(str(self.disk)) == "redone", "the disk is given again")
        again = self.handler.ids("call")
        self.assertEqual(len(again), 1)
        self.assertFalse(seen & set(again), "an id came twice")
        self.assertNotEqual(self.owner(), "root")


def main():
    global PROGRAM, LIBRARY, VIRTWARD  # of all cases
    PROGRAM, LIBRARY, VIRTWARD = (os.path.abspath(path) for path in sys.argv[1:4])
    why = guests.missing()
    if why:
        print(f"{why}: skipped")
        sys.exit(77)
    unittest.main("__main__", argv=[sys.argv[0], "-v", *sys.argv[4:]])


if __name__ == "__main__":
    main()
