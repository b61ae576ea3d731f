#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""helper_gates.py VIRTWARDD HELPERD LIBRARY: a daemon without any right and without a group of its own, whose
guests' groups and device gates a helper makes.

The daemon may have no process born in such a group: the one that looks whether the gate decides is moved there by
the helper, like QEMU is."""

import unprivileged
from gate_handler import opens
from unprivileged import NAME, hierarchies

GATE_HOOKS = ("gate.create", "gate.update", "gate.replace", "gate.remove")
RULES = "devices=c 1:*;c 5:2;c 10:*;c 136:*\nmodes=enforce\n"


class Gates(unprivileged.Unprivileged):
    hooks = unprivileged.GROUP_HOOKS + GATE_HOOKS

    def policy(self):
        return {**super().policy(), "gate.create": RULES + "max=65536\n", "gate.update": RULES,
                "gate.replace": RULES + "max=65536\nids=yes\n", "gate.remove": ""}

    def place(self):
        return hierarchies()[0] / self.places(self.pid())[""][1:]

    def test_a_guest_behind_its_gate(self):
        self.start_helper()
        made = self.create()
        self.assertEqual(made.returncode, 0, made.stderr + self.daemon.log())
        self.assertIn("verdict=done", self.wait_line("hook=gate.create"))
        place = self.place()
        self.assertTrue(opens(place, "/dev/null"))
        self.assertFalse(opens(place, "/dev/tty0"))
        self.daemon.restart()
        self.assertIn("verdict=done", self.wait_line("hook=gate.replace"))
        self.assertFalse(opens(place, "/dev/tty0"))
        self.done("destroy", NAME)
        self.assertEqual(self.left(), [])

    def test_who_may_not_be_moved_proves_nothing(self):
        self.start_helper(**{"cgroup.move": f"from=/elsewhere\nuids={self.user.pw_uid}\n"})
        self.expect_refusal("comes from none of the groups of cgroup.move")
        self.assertIn("verdict=done", self.wait_line("hook=gate.create"))
        self.wait_line("hook=cgroup.move")

    def test_a_gate_that_was_not_made(self):
        self.without("gate.create")
        self.lie("gate.create", lambda request: None)
        self.expect_refusal("the handler reported gate.create as done, but it gave no 'rules' of the gate")


if __name__ == "__main__":
    unprivileged.main()
