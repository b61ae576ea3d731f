#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""helper_groups.py VIRTWARDD HELPERD LIBRARY: a daemon without any right, whose guests' groups a helper makes.

The helper makes the guest's groups in every hierarchy, moves its process in before anything of
QEMU runs, moves its threads, sets limits and removes it all; what its policy does not allow is
refused in words and leaves nothing behind. Helpers that lie are found out."""

import os
import pathlib
import time

import guests
import unprivileged
from unprivileged import NAME, daemons, hierarchies, own_groups

ONLY_EMPTY = 4  # of a removal's flags


class Groups(unprivileged.Unprivileged):
    def test_a_guest_from_start_to_end(self):
        self.start_helper()
        made = self.create()
        self.assertEqual(made.returncode, 0, made.stderr + self.daemon.log())
        for process in (self.daemon.pid, self.pid()):
            status = pathlib.Path(f"/proc/{process}/status").read_text()
            for kind in ("Prm", "Eff", "Bnd"):
                self.assertIn(f"Cap{kind}:\t0000000000000000", status)
            self.assertIn(f"Uid:\t{self.user.pw_uid}\t", status)
        guest = f"{self.top}/1-{NAME}"
        inside = {path for path in self.places(self.pid()).values() if path.startswith(guest)}
        self.assertTrue(any(f"{guest}/guest" in path for path in inside), inside)
        self.assertEqual([mount for mount in hierarchies() if not (mount / guest[1:]).exists()], [])
        self.check_threads(guest)
        self.check_limits(guest)
        self.done("destroy", NAME)
        self.assertEqual(self.left(), [])

    def test_who_may_not_be_moved_does_not_start(self):
        self.start_helper(**{"cgroup.move": f"from=/elsewhere\nuids={self.user.pw_uid}\n"})
        self.expect_refusal("comes from none of the groups of cgroup.move")
        self.wait_line("hook=cgroup.move")

    def test_another_users_process_is_not_moved(self):
        self.start_helper(**{"cgroup.move": f"from={';'.join(sorted(own_groups()))}\nuids=0\n"})
        self.expect_refusal(f"'{self.user.pw_uid}' is not among the uids of cgroup.move")

    def test_groups_are_made_in_one_place_only(self):
        self.top += "-other"
        self.start_helper()
        self.expect_refusal("is in none of the control groups of the policy")

    def test_nobody_steps_in(self):
        self.expect_refusal("no handler is registered for cgroup.create")

    def test_the_helper_may_come_back(self):
        self.start_helper()
        self.assertEqual(self.create().returncode, 0, self.daemon.log())
        self.end_helper()
        again = self.virsh("schedinfo", NAME, "cpu_shares=1200")
        if self.mount_of("cpu"):
            self.assertIn("the handler of cgroup.set is not connected", again.stderr)
        self.assertEqual(self.done("domstate", NAME), "paused")
        self.start_helper()
        if self.mount_of("cpu"):
            self.done("schedinfo", NAME, "cpu_shares=1200")
        self.daemon.restart()
        self.wait_line("serving")
        self.assertEqual(self.done("domstate", NAME), "paused")
        self.done("destroy", NAME)
        self.assertEqual(self.left(), [])

    def move_to_emulator(self, thread):
        """Out of its vCPU's groups, in every hierarchy that has some."""
        for mount in hierarchies():
            for group in (mount / self.top[1:]).glob(f"1-{NAME}/**/emulator"):
                (group / ("tasks" if (group / "tasks").exists() else "cgroup.threads")).write_text(str(thread))

    def test_groups_that_were_left_go_when_the_helper_is_back(self):
        """The guest ended while nobody could remove its groups."""
        self.start_helper()
        self.assertEqual(self.create().returncode, 0, self.daemon.log())
        self.end_helper()
        self.virsh("destroy", NAME)
        self.assertNotEqual(self.left(), [])
        self.assertEqual(self.processes(), [])
        self.start_helper()
        deadline = time.monotonic() + unprivileged.DEADLINE
        while any((mount / self.top[1:] / f"1-{NAME}").exists() for mount in hierarchies()):
            self.assertLess(time.monotonic(), deadline, self.daemon.log())
            time.sleep(0.05)

    def test_what_is_lost_while_both_are_away_is_done_again(self):
        if not self.mount_of("cpu"):
            self.skipTest("no cpu controller")
        self.start_helper()
        self.assertEqual(self.create().returncode, 0, self.daemon.log())
        self.done("schedinfo", NAME, "cpu_shares=1500")
        limit, = [mount / f"{self.top[1:]}/1-{NAME}" / file for mount in hierarchies()
                  for file in ("cpu.shares", "cpu.weight") if (mount / f"{self.top[1:]}/1-{NAME}" / file).exists()]
        thread = next(int(task.name) for task in pathlib.Path(f"/proc/{self.pid()}/task").iterdir()
                      if "/vcpu0" in " ".join(self.places(int(task.name)).values()))
        place = self.places(thread)
        self.end_helper()
        self.daemon.process.kill()
        self.daemon.process.wait()
        limit.write_text("300")
        self.move_to_emulator(thread)
        self.assertNotEqual(self.places(thread), place)
        self.daemon.process = daemons.launch(self.daemon.program, self.daemon.root).process
        self.start_helper()
        self.wait_line("hook=cgroup.set guest=\"grouped\"")
        guests.until(lambda: limit.read_text().strip() == "1500" and self.places(thread) == place, "all is as it was")
        self.done("destroy", NAME)
        self.assertEqual(self.left(), [])

    def test_a_group_that_was_not_made(self):
        self.without("cgroup.create")
        self.lie("cgroup.create", lambda request: None)
        self.expect_refusal("the handler of cgroup.create gave no descriptor of")

    def test_another_groups_descriptor(self):
        self.without("cgroup.create")
        self.lie("cgroup.create", lambda request: request.add_fd(os.dup(request.fd(0))))
        self.expect_refusal("or another's")

    def test_a_file_in_place_of_a_group(self):
        self.without("cgroup.create")
        self.lie("cgroup.create", lambda request: request.add_fd(os.open("/etc/passwd", os.O_RDONLY)))
        self.expect_refusal("or another's")

    def test_a_process_that_was_not_moved(self):
        self.without("cgroup.move")
        self.lie("cgroup.move", lambda request: None)
        self.expect_refusal("the handler reported cgroup.move as done, but the process is in another group")

    def test_a_process_in_another_group(self):
        def elsewhere(request):
            pid = next(line.split()[1] for line in pathlib.Path(f"/proc/self/fdinfo/{request.fd(1)}").read_text()
                       .splitlines() if line.startswith("Pid:"))
            above = os.open("..", os.O_WRONLY | os.O_DIRECTORY | os.O_PATH, dir_fd=request.fd(0))
            with open(f"/proc/self/fd/{above}/cgroup.procs", "w", encoding="ascii") as procs:
                procs.write(pid)
            os.close(above)
        self.without("cgroup.move")
        self.lie("cgroup.move", elsewhere)
        self.expect_refusal("the process is in another group")

    def test_a_limit_that_was_not_set(self):
        if not self.mount_of("cpu"):
            self.skipTest("no cpu controller")
        self.without("cgroup.set")
        self.lie("cgroup.set", lambda request: None)
        self.expect_refusal("the handler reported cgroup.set as done, but the file reads otherwise",
                            "<cputune><shares>1300</shares></cputune>")

    def test_a_group_that_was_not_removed(self):
        self.without("cgroup.remove")
        self.lie("cgroup.remove", lambda request: None)
        self.assertEqual(self.create().returncode, 0, self.daemon.log())
        self.done("destroy", NAME)
        self.assertIn("the handler reported cgroup.remove as done, but the group is still there", self.daemon.log())
        self.assertNotEqual(self.left(), [])
        self.remove_left()

    def test_shared_groups_that_were_not_removed(self):
        """Each is asked for once: a handler that says it has gone is not asked for ever."""
        asked = []

        def only_guests(request):
            if request["flags"] & ONLY_EMPTY:
                asked.append(os.fstat(request.fd(0)).st_dev)
            elif not request["flags"]:
                below = f"/proc/self/fd/{request.fd(0)}/{request['name']}"
                for place, _, _ in os.walk(below, topdown=False):
                    os.rmdir(place)
        self.without("cgroup.remove")
        self.lie("cgroup.remove", only_guests)
        self.assertEqual(self.create().returncode, 0, self.daemon.log())
        self.done("destroy", NAME)
        left = self.left()
        self.remove_left()
        self.assertEqual(sorted(asked), sorted({folder.stat().st_dev for folder in hierarchies()}))
        self.assertEqual(len(asked), len(left))

    def check_threads(self, guest):
        """Each vCPU and the I/O thread is in a part of its own, where a hierarchy can tell threads apart."""
        tasks = [self.places(f"{self.pid()}/task/{task}") for task in os.listdir(f"/proc/{self.pid()}/task")]
        parts = {path.rsplit("/", 1)[1] for places in tasks for path in places.values() if path.startswith(guest)}
        if self.mount_of("cpu"):
            self.assertLessEqual({"emulator", "vcpu0", "vcpu1", "iothread1"}, parts)

    def check_limits(self, guest):
        if not self.mount_of("cpu"):
            return
        self.done("schedinfo", NAME, "cpu_shares=1500")
        values = [(mount / guest[1:] / file).read_text().strip() for mount in hierarchies()
                  for file in ("cpu.shares", "cpu.weight") if (mount / guest[1:] / file).exists()]
        self.assertIn("1500", values)
        refused = self.virsh("schedinfo", NAME, "cpu_shares=5000")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("'5000' is outside the policy of cgroup.set", refused.stderr)
        self.wait_line("hook=cgroup.set guest=\"grouped\"")


if __name__ == "__main__":
    unprivileged.main()
