#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What cannot be taken back when a guest ends, since its handler stays away or refuses.

    handler_owed.py VIRTWARDD LIBVIRT_INTERNAL_SO VIRTWARD

It is kept over a restart of the daemon, and taken back once, when a handler comes or the daemon may do
it itself; not from a file that has become another one, nor from a guest that uses it again."""
import os
import pwd

import guests
import handler_restarts
from handler_restarts import NAME


class Owed(handler_restarts.Case):
    def owed(self):
        return self.host.folder / "run/owed.xml"

    def leave(self):
        """The guest ends without the handler, whose time runs out."""
        self.serve()
        self.host.virsh("start", "--paused", NAME)
        self.handler.end()
        self.host.virsh("destroy", NAME)
        self.assertNotEqual(self.owner(), "root")
        self.assertIn(str(self.disk), self.owed().read_text())

    def until_owner(self, name):
        guests.until(lambda: self.owner() == name, f"the disk is {name}'s")

    def until_settled(self):
        guests.until(lambda: not self.owed().exists(), "nothing is owed any more")

    def test_given_back_when_the_handler_returns(self):
        self.leave()
        self.serve()
        self.until_owner("root")
        self.until_settled()
        self.assertEqual(len(self.handler.ids("call")), 1)

    def test_given_back_by_another_daemon(self):
        self.leave()
        self.host.kill_daemon()
        self.host.launch()
        self.assertNotEqual(self.owner(), "root")
        self.serve()
        self.until_owner("root")
        self.until_settled()
        self.serve()
        self.assertEqual(self.handler.ids("call"), [], "once is enough")

    def test_given_back_by_the_daemon_itself(self):
        """It may do it once nobody else has to."""
        self.leave()
        self.host.kill_daemon()
        (self.host.folder / "etc/virtwardd.conf").write_text("")
        self.host.launch()
        self.until_owner("root")
        self.until_settled()

    def test_another_file_of_that_name(self):
        self.leave()
        other = self.host.folder / "other"
        other.write_bytes(b"somebody's")
        os.chown(other, pwd.getpwnam("virtward-qemu").pw_uid, 0)
        other.rename(self.disk)
        self.serve()
        self.until_settled()
        self.assertEqual(self.owner(), "virtward-qemu")
        self.assertEqual(self.handler.ids("call"), [])

    def test_a_guest_that_uses_it_again_gives_it_back(self):
        os.environ["HANDLER_REFUSES"] = "0"
        self.addCleanup(os.environ.pop, "HANDLER_REFUSES", None)
        self.serve()
        self.host.virsh("start", "--paused", NAME)
        self.host.virsh("destroy", NAME)
        self.assertTrue(self.owed().exists())
        self.host.virsh("start", "--paused", NAME)
        del os.environ["HANDLER_REFUSES"]
        self.serve()
        self.until_grants(lambda all: set(all.values()) <= {"kept"}, "the handler has been asked")
        self.assertEqual(self.owner(), "virtward-qemu")
        self.host.restart()
        self.assertEqual(self.owner(), "virtward-qemu")
        self.serve()
        self.host.virsh("destroy", NAME)
        self.until_owner("root")
        self.until_settled()


if __name__ == "__main__":
    handler_restarts.main()
