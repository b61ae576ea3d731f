#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""hostile_daemon.py HELPERD: what a daemon that has been taken over can get out of the helper.

Everything it asks for outside the policy is refused in words and audited, and has no effect; what
races by exchanging files cannot reach a file of somebody else. The table at the end says for each
operation which test tries what: an operation that has no row fails."""

import contextlib
import ctypes
import os
import pathlib
import resource
import socket
import stat
import subprocess
import threading

import hostile
from hostile import DEADLINE, USER, Sleeper

RACES = 300
CLONE_NEWNS = 0x20000
LIBC = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def exchanging(name, over, makers):
    """Until the end, name is what each of makers puts at over, one after the other."""
    done = threading.Event()

    def exchange():
        while not done.is_set():
            for make in makers:
                over.unlink(missing_ok=True)
                make()
                over.rename(name)

    name.touch()
    thread = threading.Thread(target=exchange)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        name.unlink()
        over.unlink(missing_ok=True)


class HostileDaemon(hostile.Case):
    # --- what it may ---

    def test_what_the_policy_allows_is_done(self):
        """So that the rest refuses what is asked and not that it is asked."""
        path = self.mine / "disk"
        path.touch()
        self.assertIsNone(self.daemon.ask("own.set", {"uid": USER, "gid": USER, "mode": 0o600}, [self.open(path)]))
        self.assertEqual(path.stat().st_uid, USER)
        self.assertIsNone(self.daemon.ask("proc.tune", {"oom_score_adj": 7, "ioprio": -1}, [self.guest.pidfd]))
        self.assertEqual(pathlib.Path(f"/proc/{self.guest.pid}/oom_score_adj").read_text().strip(), "7")
        self.assertIsNone(self.daemon.ask("device.open", {"device": 7, "identity": "/dev/null", "flags": os.O_RDWR}))
        self.assertEqual(os.fstat(self.daemon.answer.fds[0]).st_rdev, os.makedev(1, 3))

    # --- processes ---

    def test_processes_of_others(self):
        ended = Sleeper(self.group)
        ended.process.kill()
        ended.process.wait(DEADLINE)
        before = resource.prlimit(self.stranger.pid, resource.RLIMIT_MEMLOCK)
        wrong = {"a process elsewhere": ([self.stranger.pidfd], "in none of the control groups"),
                 "one that ended": ([ended.pidfd], "no process, or it has ended"),
                 "a file": ([self.open(self.victim)], "no process"),
                 "a folder of /proc": ([self.open(f"/proc/{self.guest.pid}", os.O_RDONLY)], "no process"),
                 "nothing": ([], "no process|missing"),
                 "the helper itself": ([os.pidfd_open(self.helper.pid)], "in none of the control groups")}
        self.fds.append(wrong["the helper itself"][0][0])
        for name, (fds, words) in wrong.items():
            with self.subTest(name):
                self.refused(words, "memlock.set", {"soft": 4096, "hard": 4096}, fds)
                self.refused(words, "proc.tune", {"oom_score_adj": 50, "ioprio": -1}, fds)
        ended.end()
        self.assertEqual(resource.prlimit(self.stranger.pid, resource.RLIMIT_MEMLOCK), before)

    def test_values_out_of_range(self):
        for value in (1048577, 1 << 62, (1 << 64) - 1):
            self.refused("outside the policy|among the unlimited", "memlock.set", {"soft": value, "hard": value},
                         [self.guest.pidfd])
        for value in (-1, 101, -1000, 1 << 30):
            self.refused("outside the policy", "proc.tune", {"oom_score_adj": value, "ioprio": -1}, [self.guest.pidfd])

    def test_threads_of_others(self):
        tids = [self.guest.pid]
        task = self.open(f"/proc/{self.stranger.pid}/task", os.O_PATH | os.O_DIRECTORY)
        for name, threads, fds in (
                ("another's id in the folder's form", {"form": 1, "tids": [self.stranger.pid]}, [self.guest.pidfd, task]),
                ("another's pidfd", {"form": 0, "tids": tids}, [self.guest.pidfd, self.stranger.pidfd]),
                ("another's process", {"form": 0, "tids": tids}, [self.stranger.pidfd, self.guest.pidfd]),
                ("ids of nobody", {"form": 1, "tids": [0, 1 << 31]}, [self.guest.pidfd, task])):
            with self.subTest(name):
                self.refused("is not of process|in none of the control groups", "sched.set",
                             {"threads": threads, "policy": 3, "priority": 0}, fds)
                self.refused("is not of process|in none of the control groups", "affinity.set",
                             {"threads": threads, "cpus": b"\1"}, fds)
        own = {"form": 1, "tids": tids}
        task = self.open(f"/proc/{self.guest.pid}/task", os.O_PATH | os.O_DIRECTORY)
        self.refused("missing", "sched.set", {"threads": own, "policy": 3}, [])
        self.refused("'1' is not among the policies", "sched.set",
                     {"threads": own, "policy": 1, "priority": 1}, [self.guest.pidfd, task])
        self.refused("outside the policy", "sched.set", {"threads": own, "policy": 3, "priority": 99},
                     [self.guest.pidfd, task])
        self.refused("'1' is not among the cpus", "affinity.set", {"threads": own, "cpus": b"\3"},
                     [self.guest.pidfd, task])
        self.assertEqual(os.sched_getscheduler(self.stranger.pid), os.SCHED_OTHER)
        self.assertEqual(os.sched_getscheduler(self.guest.pid), os.SCHED_OTHER)

    # --- control groups ---

    def group_fd(self, *names):
        return self.open(self.group.joinpath(*names), os.O_RDONLY | os.O_DIRECTORY)

    def make_group(self, name):
        folder = self.group / name
        folder.mkdir()
        self.addCleanup(lambda: folder.exists() and folder.rmdir())
        return folder

    def test_what_the_policy_allows_of_groups(self):
        made = {"name": "one", "uid": USER, "gid": USER}
        self.assertIsNone(self.daemon.ask("cgroup.create", made, [self.group_fd()]))
        self.assertEqual((self.group / "one" / "cgroup.procs").stat().st_uid, USER)
        self.assertEqual(os.fstat(self.daemon.answer.fds[0]).st_ino, (self.group / "one").stat().st_ino)
        self.assertIsNone(self.daemon.ask("cgroup.create", made, [self.group_fd()]))  # there already
        self.assertIsNone(self.daemon.ask("cgroup.set", {"file": "cgroup.freeze", "value": "0"}, [self.group_fd("one")]))
        inner = Sleeper(self.group / "one")
        self.addCleanup(inner.end)
        self.refused("processes are in control group 'one'", "cgroup.remove", {"name": "one"}, [self.group_fd()])
        self.assertIsNone(self.daemon.ask("cgroup.remove", {"name": "one", "flags": 3}, [self.group_fd()]))
        self.assertEqual(inner.process.wait(DEADLINE), -9)
        self.assertTrue((self.group / "one").exists())
        self.assertIsNone(self.daemon.ask("cgroup.remove", {"name": "one"}, [self.group_fd()]))
        self.assertFalse((self.group / "one").exists())

    def test_groups_elsewhere(self):
        above = self.open(self.group.parent, os.O_RDONLY | os.O_DIRECTORY)
        for fds, words in (([above], "in none of the control groups"), ([self.open(self.mine)], "is no control group"),
                           ([self.open(self.victim)], "is no control group"), ([self.guest.pidfd], "is no control group"),
                           ([], "is no control group|missing")):
            with self.subTest(words):
                self.refused(words, "cgroup.create", {"name": "new"}, fds)
                self.refused(words, "cgroup.remove", {"name": "new", "flags": 1}, fds)
                self.refused(words, "cgroup.set", {"file": "cgroup.freeze", "value": "0"}, fds)
                self.refused(words, "cgroup.move", {"threads": {"form": 0, "tids": []}}, fds + [self.stranger.pidfd])
        for name in ("", ".", "..", ".hidden", "a/b", "/a", "a\nb", "../" + hostile.GROUP):
            self.refused("is no name of a group", "cgroup.create", {"name": name}, [self.group_fd()])
            self.refused("is no name of a group", "cgroup.remove", {"name": name}, [self.group_fd()])
        self.refused("cannot open control group|File exists|Not a directory", "cgroup.create", {"name": "cgroup.procs"},
                     [self.group_fd()])
        self.assertEqual([path for path in self.group.iterdir() if path.is_dir()], [])

    def test_groups_out_of_the_policy(self):
        for name in ("one", "two"):
            self.make_group(name)
        self.refused("a number of groups in one of 3 is outside", "cgroup.create", {"name": "three"}, [self.group_fd()])
        for words, owner in (("'0' is not among the uids", {"uid": 0, "gid": USER}),
                             ("'0' is not among the gids", {"uid": USER, "gid": 0})):
            self.refused(words, "cgroup.create", {"name": "one", **owner}, [self.group_fd()])
        self.assertEqual((self.group / "one").stat().st_uid, 0)
        (self.group / "one" / "below").mkdir()
        self.refused("Device or resource busy|not empty", "cgroup.remove", {"name": "one", "flags": 4}, [self.group_fd()])
        (self.group / "one" / "below").rmdir()

    def test_groups_in_one_another_without_end(self):
        """Each level has room for two; the levels are bounded as well."""
        at, made = self.group, []
        try:
            while True:
                folder = os.open(at, os.O_RDONLY | os.O_DIRECTORY)
                error = self.daemon.ask("cgroup.create", {"name": "in", "uid": 0xffffffff, "gid": 0xffffffff}, [folder])
                os.close(folder)
                if error:
                    break
                at = at / "in"
                made.append(at)
                self.assertLess(len(made), 20)
            self.assertIn("too many groups in one another", error)
            self.assertGreater(len(made), 4)  # a guest's vCPUs are that deep
        finally:
            for one in reversed(made):
                one.rmdir()

    def test_who_is_not_moved(self):
        whole = {"threads": {"form": 0, "tids": []}}
        target = self.make_group("target")
        group = self.group_fd("target")
        self.refused("stays there", "cgroup.move", whole, [group, self.guest.pidfd])
        self.refused("'0' is not among the uids", "cgroup.move", whole, [group, self.stranger.pidfd])
        self.refused("no process", "cgroup.move", whole, [group, self.open(self.victim)])
        self.refused("no process|missing", "cgroup.move", whole, [group])
        task = self.open(f"/proc/{self.stranger.pid}/task", os.O_PATH | os.O_DIRECTORY)
        self.refused("in none of the control groups|is not of process", "cgroup.move",
                     {"threads": {"form": 1, "tids": [self.stranger.pid]}}, [group, self.stranger.pidfd, task])
        self.refused("is not of process", "cgroup.move", {"threads": {"form": 1, "tids": [self.stranger.pid]}},
                     [group, self.guest.pidfd, task])
        self.assertEqual((target / "cgroup.procs").read_text(), "")

    def test_files_that_are_no_limits(self):
        group = self.group_fd()
        before = (self.group / "cgroup.subtree_control").read_text()
        for file in ("cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "cgroup.kill", "cgroup.type",
                     "release_agent", "notify_on_release", "devices.allow", "../cgroup.freeze", "/etc/passwd", ""):
            self.refused("is no limit of a guest's control group", "cgroup.set", {"file": file, "value": "1"}, [group])
        self.refused("'pids.max' is not among the files", "cgroup.set", {"file": "pids.max", "value": "1"}, [group])
        for value in ("1", "-1", "max", "0x0", "", "0 1", "0\n1", "0-3:1/2", "00", "8:0"):
            if value:
                self.refused("outside the policy", "cgroup.set", {"file": "cgroup.freeze", "value": value}, [group])
        self.assertEqual((self.group / "cgroup.subtree_control").read_text(), before)

    # --- mounts ---

    def mounter(self):
        """A process of a guest in a mount namespace of its own, with a tmpfs on /dev."""
        process = subprocess.Popen(["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /dev && echo && read x"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.read(1), b"\n")
        (self.group / "cgroup.procs").write_text(str(process.pid))

        def end():
            process.communicate(b"\n")
            os.close(pidfd)
        pidfd = os.pidfd_open(process.pid)
        self.addCleanup(end)
        return pidfd, self.open(f"/proc/{process.pid}/root/dev", os.O_PATH | os.O_DIRECTORY), f"/proc/{process.pid}/root/dev"

    def test_mounts_out_of_the_policy(self):
        pidfd, dev, path = self.mounter()
        space = self.open("/proc/self/ns/mnt", os.O_RDONLY)
        node = {"kind": 3, "target": "null", "mode": stat.S_IFCHR | 0o600, "uid": 0, "gid": 0, "major": 1, "minor": 3}
        fs = {"kind": 0, "mode": 0o755, "size": 65536, "uid": 0, "gid": 0}
        for words, mounts, more in (
                ("'c 1:1' is not among the devices", [{**node, "minor": 1}], []),
                ("is to be no node", [{**node, "mode": 0o100600}], []),
                ("'0' is not among the uids", [node], []), ("'0' is not among the uids", [fs], []),
                ("the size of a tmpfs", [{**fs, "size": 1 << 30}], []),
                ("a tmpfs comes first", [{**node, "uid": USER, "gid": USER}, fs], []),
                ("a tmpfs comes first", [{**fs, "mode": 0o7777}], []), ("a tmpfs comes first", [{**fs, "target": "x"}], []),
                ("'devpts' is not among the kinds", [{"kind": 2, "target": "pts"}], []),
                ("no mount of kind 9", [{"kind": 9, "target": "x"}], []), ("no mount is asked for", [], []),
                ("no link in /dev leads to '/etc/shadow'", [{"kind": 4, "target": "x", "text": "/etc/shadow"}], []),
                ("neither a node nor a folder", [{"kind": 1, "target": "x"}], [self.open(self.victim)]),
                ("neither a node nor a folder|'tmpfs' is not among", [{"kind": 1, "target": "x"}], [self.open("/tmp")]),
                ("'c 1:5' is not among the devices", [{"kind": 1, "target": "x"}], [self.open("/dev/zero")]),
                ("missing", [{"kind": 1, "target": "x"}], [])):
            with self.subTest(words):
                self.refused(words, "mount.apply", {"mounts": mounts}, [pidfd, space, dev, *more])
        for target in ("", ".", "..", "../x", "a/../b", "/x", "a//b"):
            self.refused("is no name below a folder", "mount.apply", {"mounts": [{**node, "target": target}]},
                         [pidfd, space, dev])
        self.assertEqual(os.listdir(path), [])

    def test_a_tmpfs_over_something_else(self):
        """With files of the guest's user over /etc of a namespace he would be anybody there."""
        pidfd, _, path = self.mounter()
        space = self.open("/proc/self/ns/mnt", os.O_RDONLY)
        root = path.rpartition("/")[0]
        before = os.listdir(f"{root}/etc")
        fs = {"kind": 0, "mode": 0o755, "size": 65536, "uid": USER, "gid": USER}
        for folder in (f"{root}/etc", f"{root}/", f"{root}/tmp", str(self.mine)):
            self.refused("is not the guest's /dev", "mount.apply", {"mounts": [fs]},
                         [pidfd, space, self.open(folder, os.O_PATH | os.O_DIRECTORY)])
        self.assertEqual(os.listdir(f"{root}/etc"), before)
        self.assertIsNone(self.daemon.ask("mount.apply", {"mounts": [fs]},
                                          [pidfd, space, self.open(path, os.O_PATH | os.O_DIRECTORY)]))

    def test_races_for_a_place_to_mount_on(self):
        """The guest puts a link to a file elsewhere where something is to be mounted."""
        pidfd, dev, path = self.mounter()
        space = self.open("/proc/self/ns/mnt", os.O_RDONLY)
        place, over = pathlib.Path(path, "place"), pathlib.Path(path, "next")
        done = threading.Event()

        def exchange():
            while not done.is_set():
                for make in (lambda: over.symlink_to(self.victim), over.touch):
                    over.unlink(missing_ok=True)
                    make()
                    try:
                        over.rename(place)
                    except OSError:  # something is mounted on it
                        pass

        place.touch()
        thread = threading.Thread(target=exchange)
        thread.start()
        null = self.open("/dev/null")
        mounted = 0
        try:
            for _ in range(RACES // 3):
                error = self.daemon.ask("mount.apply", {"mounts": [{"kind": 1, "target": "place"}]}, [pidfd, space, dev, null])
                mounted += error is None
                mounts = pathlib.Path(path).parents[1].joinpath("mountinfo").read_text()
                self.assertNotIn(str(self.victim), mounts)
                if mounted > 10:
                    break
        finally:
            done.set()
            thread.join()

    def test_mounts_elsewhere(self):
        pidfd, dev, path = self.mounter()
        space = self.open("/proc/self/ns/mnt", os.O_RDONLY)
        mine = self.open(self.mine, os.O_PATH | os.O_DIRECTORY)
        mounts = {"mounts": [{"kind": 3, "target": "null", "mode": stat.S_IFCHR | 0o600, "uid": USER, "gid": USER,
                              "major": 1, "minor": 3}]}
        for words, fds in (("in none of the control groups", [self.stranger.pidfd, space, dev]),
                           ("has no mount namespace of its own", [self.guest.pidfd, space, mine]),
                           ("is no mount namespace", [pidfd, self.open(self.victim), dev]),
                           ("is no mount namespace", [pidfd, self.open("/proc/self/ns/net", os.O_RDONLY), dev]),
                           ("is not on a /dev of the guest's own", [pidfd, space, mine]),
                           ("is not on a /dev of the guest's own", [pidfd, space, self.open("/dev", os.O_PATH)]),
                           ("is not on a /dev of the guest's own|cannot look", [pidfd, space, self.open(self.victim)]),
                           ("is not on a /dev|cannot look|missing", [pidfd, space])):
            with self.subTest(words):
                self.refused(words, "mount.apply", mounts, fds)
        self.assertFalse((self.mine / "null").exists())
        self.assertEqual(os.listdir(path), [])

    # --- files ---

    def test_files_of_others(self):
        (self.mine / "symbolic").symlink_to(self.victim)
        os.link(self.victim, self.mine / "hard")
        gone = self.mine / "gone"
        gone.touch()
        deleted = self.open(gone)
        gone.unlink()
        near = self.folder / "mine-too"
        near.touch()
        wanted = {"uid": USER, "gid": USER, "mode": 0o666}
        for name, fds in (("elsewhere", [self.open(self.victim)]), ("a symbolic link", [self.open(self.mine / "symbolic")]),
                          ("through a symbolic link", [self.open(self.mine / "symbolic", os.O_PATH)]),
                          ("a second name", [self.open(self.mine / "hard")]), ("a deleted file", [deleted]),
                          ("a name that begins alike", [self.open(near)]), ("the root", [self.open("/")]),
                          ("a socket pair", [self.daemon.channel.socket.fileno()]), ("a process", [self.stranger.pidfd]),
                          ("nothing", [])):
            with self.subTest(name):
                self.refused("none of the folders|is a link|missing", "own.set", wanted, fds)
        (self.mine / "hard").unlink()
        self.assertEqual(near.stat().st_uid, os.geteuid())

    def test_owners_and_modes_out_of_the_policy(self):
        path = self.mine / "setuid"
        path.touch()
        self.refused("'0' is not among the uids", "own.set", {"uid": 0, "gid": USER, "mode": 0o600}, [self.open(path)])
        self.refused("'0' is not among the gids", "own.set", {"uid": USER, "gid": 0, "mode": 0o600}, [self.open(path)])
        self.daemon.ask("own.set", {"uid": USER, "gid": USER, "mode": 0o6755}, [self.open(path)])
        self.assertEqual(path.stat().st_mode & 0o6000, 0)

    def mounted_elsewhere(self, name):
        """A descriptor of the victim, from a mount namespace where it has that name."""
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        pid = os.fork()
        if pid == 0:
            try:
                assert LIBC.unshare(CLONE_NEWNS) == 0
                assert LIBC.mount(None, b"/", None, 0x44000, None) == 0  # MS_REC | MS_PRIVATE
                assert LIBC.mount(bytes(self.victim), bytes(name), None, 0x1000, None) == 0  # MS_BIND
                socket.send_fds(theirs, [b"x"], [os.open(name, os.O_PATH)])
                theirs.recv(1)  # the namespace lives until the test is done
            finally:
                os._exit(0)
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
        self.fds += fds
        self.assertEqual(os.readlink(f"/proc/self/fd/{fds[0]}"), str(name))
        self.assertEqual(os.fstat(fds[0]).st_ino, self.victim.stat().st_ino)
        return fds[0], ours, pid

    def test_a_file_mounted_under_a_name_of_the_policy(self):
        name = self.mine / "mounted"
        name.touch()
        fd, ours, pid = self.mounted_elsewhere(name)
        self.refused("none of the folders", "own.set", {"uid": USER, "gid": USER, "mode": 0o666}, [fd])
        ours.send(b"x")
        os.waitpid(pid, 0)

    def test_races_by_exchanging_names(self):
        """While the calls go, the name is now a file of ours, now a link to the victim."""
        name, over = self.mine / "raced", self.mine / "next"
        with exchanging(name, over, (lambda: over.symlink_to(self.victim), over.touch)):
            for _ in range(RACES):
                fd = os.open(name, os.O_PATH)
                self.daemon.ask("own.set", {"uid": USER, "gid": USER, "mode": 0o666}, [fd])
                os.close(fd)
                self.assertEqual(self.victim.stat().st_uid, os.geteuid())

    # --- nodes and devices ---

    def test_nodes_off_the_list(self):
        folder = self.open(self.mine, os.O_PATH | os.O_DIRECTORY)
        node = {"name": "node", "mode": stat.S_IFCHR | 0o600, "major": 1, "minor": 3, "uid": USER, "gid": USER}
        for words, changes in (("'c 1:1' is not among the devices", {"minor": 1}),
                               ("'b 1:3' is not among the devices", {"mode": stat.S_IFBLK | 0o600}),
                               ("'c 1:4294967295' is not among", {"minor": (1 << 32) - 1}),
                               ("no name of a node", {"mode": stat.S_IFREG | 0o600}),
                               ("no name of a node", {"name": "../node"}), ("no name of a node", {"name": ".."}),
                               ("no name of a node", {"name": ""}), ("no name of a node", {"name": "/dev/node"}),
                               ("is not among the uids", {"uid": 0}), ("is not among the gids", {"gid": 0})):
            with self.subTest(str(changes)):
                self.refused(words, "node.create", {**node, **changes}, [folder])
        for fds in ([self.open(self.folder)], [self.open(self.victim)], []):
            self.refused("none of the folders|missing", "node.create", node, fds)
        (self.mine / "taken").symlink_to(self.victim)
        self.refused("File exists", "node.create", {**node, "name": "taken"}, [folder])
        self.assertFalse((self.mine / "node").exists())

    def test_races_for_a_new_node(self):
        """Somebody puts a link to the victim where the node was made."""
        folder = self.open(self.mine, os.O_PATH | os.O_DIRECTORY)
        name = self.mine / "racednode"
        done = threading.Event()

        def exchange():
            number = 0
            while not done.is_set():
                link = self.mine / f"link-{number}"
                number += 1
                os.link(self.victim, link)
                if name.exists():
                    link.rename(name)
                else:
                    link.unlink()

        thread = threading.Thread(target=exchange)
        thread.start()
        try:
            for _ in range(RACES):
                self.daemon.ask("node.create", {"name": name.name, "mode": stat.S_IFCHR | 0o600, "major": 1, "minor": 3,
                                                "uid": USER, "gid": USER}, [folder])
                self.assertEqual(self.victim.stat().st_uid, os.geteuid())
                self.assertEqual(self.victim.stat().st_mode & 0o777, 0o644)
                name.unlink(missing_ok=True)
        finally:
            done.set()
            thread.join()
            for left in self.mine.glob("link-*"):
                left.unlink()
            name.unlink(missing_ok=True)

    def test_devices_off_the_list(self):
        (self.mine / "link").symlink_to("/dev/zero")
        (self.mine / "file").touch()
        for words, device, identity in (
                ("'kvm' is not among the devices", 0, ""), ("'vhost-net' is not among", 1, ""),
                ("'/dev/zero' is not among the nodes", 7, "/dev/zero"), ("is not among the nodes", 7, "/dev/../dev/null"),
                ("is not among the nodes", 7, ""), ("is not among the nodes", 99, "/dev/zero"),
                ("is not among the nodes", -1, "/dev/zero"), ("symbolic link", 7, str(self.mine / "link")),
                ("is no device", 7, str(self.mine / "file")), ("is not among the nodes", 7, str(self.mine / "a/../../victim")),
                ("is no device|is not among", 7, str(self.mine / ".."))):
            with self.subTest(f"{device} {identity}"):
                self.refused(words, "device.open", {"device": device, "identity": identity, "flags": os.O_RDWR})
                self.assertEqual(self.daemon.answer.fds, [])
        self.daemon.ask("device.open", {"device": 7, "identity": str(self.mine / "file"),
                                        "flags": os.O_RDWR | os.O_TRUNC | os.O_CREAT})
        self.assertFalse((self.mine / "new").exists())

    def test_pci_devices_off_the_list(self):
        real = next((device.name for device in pathlib.Path("/sys/bus/pci/devices").glob("*")), "0000:00:00.0")
        off = "is not among the pci of "
        for words, address in ((off, real), (off, "ffff:ff:1f.7"), ("is no address", ""), ("is no address", "ffff:ff:1f.5/"),
                               ("is no address", "ffff:ff:1f.../../" + real), ("is no address", "../../../etc"),
                               ("is no address", "ffff:ff:1f.9"), ("Device ffff:ff:1f.5 not found", "ffff:ff:1f.5")):
            with self.subTest(address):
                self.refused(words, "pci.bind", {"address": address, "driver": "vfio-pci"})
                self.refused(words, "pci.release", {"address": address})
        for words, driver in (("'e1000e' is not among the drivers", "e1000e"), ("is no name of a driver", ""),
                              ("is no name of a driver", ".."), ("is no name of a driver", "vfio-../../devices")):
            with self.subTest(driver):
                self.refused(words, "pci.bind", {"address": "ffff:ff:1f.0", "driver": driver})
        for words, device, address in (("is not among the pci of device.open", 4, real), ("is no address", 5, "/dev/null"),
                                       ("not found", 4, "ffff:ff:1f.7"), ("'iommufd' is not among the devices", 6, "")):
            with self.subTest(f"{device} {address}"):
                self.refused(words, "device.open", {"device": device, "identity": address, "flags": os.O_RDWR})
                self.assertEqual(self.daemon.answer.fds, [])

    def test_races_for_a_device(self):
        """The name of the policy is now a node of its list, now a link or a file."""
        name, over = self.mine / "raced-device", self.mine / "next-device"
        with exchanging(name, over, (lambda: over.symlink_to("/dev/zero"), lambda: over.symlink_to(self.victim), over.touch,
                                     lambda: os.mknod(over, stat.S_IFCHR | 0o600, os.makedev(1, 3)))):
            for _ in range(RACES):
                if self.daemon.ask("device.open", {"device": 7, "identity": str(name), "flags": os.O_RDWR}) is None:
                    self.assertEqual(os.fstat(self.daemon.answer.fds[0]).st_rdev, os.makedev(1, 3))
                    os.close(self.daemon.answer.fds.pop())

    # --- network ---

    def test_interfaces_off_the_list(self):
        net = self.open("/proc/self/ns/net", os.O_RDONLY)
        tap = {"name": "hostile0", "queues": 1, "owner": USER}
        for words, changes in (("'eth0' is not among the names", {"name": "eth0"}), ("is not among the names", {"name": ""}),
                               ("is not among the names", {"name": "x/hostile0"}), ("no queue", {"queues": 0}),
                               ("'0' is not among the uids", {"owner": 0}), ("MTU of 9001 is outside", {"mtu": 9001}),
                               ("outside the policy", {"queues": 3}), ("outside the policy", {"queues": (1 << 31) - 1})):
            with self.subTest(str(changes)):
                self.refused(words, "tap.create", {**tap, **changes}, [net])
        macvtap = {**tap, "kind": 1, "parent": "hostilebr", "mode": 2}
        for words, changes in (("'eth0' is not among the parents", {"parent": "eth0"}), ("is not among the parents", {"parent": ""}),
                               ("'vepa' is not among the modes", {"mode": 0}), ("'passthrough' is not among", {"mode": 3}),
                               ("there is no interface of kind 1 in mode 4", {"mode": 4}), ("in mode -1", {"mode": -1}),
                               ("no interface of kind 2", {"kind": 2}), ("'macvtap0' is not among the names", {"name": "macvtap0"}),
                               ("Unable to get index for interface hostilebr", {})):
            with self.subTest(str(changes)):
                self.refused(words, "tap.create", {**macvtap, **changes}, [net])
        self.refused("'lo' is not among the names", "net.set", {"name": "lo", "up": 0}, [net])
        for hook in ("tap.remove", "net.detach"):
            self.refused("'lo' is not among the names", hook, {"name": "lo"}, [net])
        self.refused("'lo' is not among the names", "net.attach", {"name": "lo", "bridge": "hostilebr"}, [net])
        self.refused("'docker0' is not among the bridges", "net.attach", {"name": "hostile0", "bridge": "docker0"}, [net])
        for fds in ([self.open(self.victim)], [self.guest.pidfd], []):
            self.refused("namespace", "tap.create", tap, fds)
        self.assertFalse(pathlib.Path("/sys/class/net/hostile0").exists())

    def test_macvtaps_off_the_list(self):
        net = self.open("/proc/self/ns/net", os.O_RDONLY)
        for words, name in (("'eth0' is not among the names", "eth0"), ("is not among the names", ""), ("is not among the names", "../hostile0"),
                            ("is not among the names", "hostile0/../lo"), ("is neither a macvtap nor an ipvtap", "hostile0")):
            with self.subTest(name):
                self.refused(words, "device.open", {"device": 3, "identity": name, "flags": os.O_RDWR}, [net])
                self.assertEqual(self.daemon.answer.fds, [])
        for fds in ([self.open(self.victim)], [self.guest.pidfd], [self.open("/proc/self/ns/uts", os.O_RDONLY)], []):
            self.refused("namespace", "device.open", {"device": 3, "identity": "hostile0", "flags": os.O_RDWR}, fds)

    def test_bandwidths_out_of_the_policy(self):
        net = self.open("/proc/self/ns/net", os.O_RDONLY)
        rates = {"name": "hostile0", "sent_average": 1000, "received_average": 1000}
        for words, changes in (("'lo' is not among the names", {"name": "lo"}), ("'x/hostile0' is not", {"name": "x/hostile0"}),
                               ("a bandwidth of 1001 is outside", {"sent_average": 1001}),
                               ("a bandwidth of 9000 is outside", {"received_peak": 9000}),
                               ("is outside the policy", {"received_average": (1 << 64) - 1}),
                               ("a burst of 65 is outside", {"sent_burst": 65}),
                               ("'yes' is not among the unlimited", {"received_average": 0}),
                               ("'yes' is not among the unlimited", {"sent_average": 0, "sent_peak": 5}),
                               ("Interface 'hostile0' not found", {})):
            with self.subTest(words):
                self.refused(words, "net.bandwidth", {**rates, **changes}, [net])

    def test_another_network_namespace(self):
        with subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; read x"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as apart:
            apart.stdout.read(1)
            net = self.open(f"/proc/{apart.pid}/ns/net", os.O_RDONLY)
            for hook, values in (("tap.create", {"queues": 1, "owner": USER}), ("tap.remove", {}), ("net.detach", {}),
                                 ("net.attach", {"bridge": "hostilebr"}), ("net.set", {"up": 1}),
                                 ("net.bandwidth", {"sent_average": 1, "received_average": 1})):
                self.refused("'any' is not among the namespaces", hook, {"name": "hostile1", **values}, [net])
            self.refused("'any' is not among the namespaces", "device.open", {"device": 3, "identity": "hostile1"}, [net])
            apart.communicate(b"\n")

    def test_no_right_for_other_network_namespaces(self):
        """Nothing in this policy needs to enter one. mount.apply needs CAP_SYS_ADMIN itself."""
        policy = self.folder / "nets"
        policy.write_text("[helper]\nsockets=/nowhere\n[net.set]\nnames=hostile*\n")
        with subprocess.Popen([self.HELPER, "--policy", str(policy)], stderr=subprocess.PIPE, text=True) as helper:
            self.assertIn("waiting", helper.stderr.readline())
            status = pathlib.Path(f"/proc/{helper.pid}/status").read_text()
            helper.terminate()
            self.assertEqual(helper.wait(DEADLINE), 0)
        self.assertIn("CapPrm:\t0000000000001000", status)  # CAP_NET_ADMIN alone

    # --- the barrier ---

    def test_barriers_of_others(self):
        def table(*threads, stage=0, form=0):
            return {"stage": stage, "form": form, "threads": [{"role": role, "id": 0, "tid": tid} for role, tid in threads]}
        self.refused("in none of the control groups", "barrier", table((0, self.stranger.pid)),
                     [self.stranger.pidfd, self.stranger.pidfd])
        self.refused("is not of process", "barrier", table((0, self.guest.pid)), [self.guest.pidfd, self.stranger.pidfd])
        task = self.open(f"/proc/{self.stranger.pid}/task", os.O_PATH | os.O_DIRECTORY)
        self.refused("is not of process", "barrier", table((0, self.stranger.pid), form=1), [self.guest.pidfd, task])
        self.refused("missing|no process", "barrier", table((0, self.guest.pid)), [])
        self.refused("no barrier of stage 9", "barrier", table((0, self.guest.pid), stage=9), [self.guest.pidfd] * 2)
        self.refused("no role 7", "barrier", table((7, self.guest.pid)), [self.guest.pidfd] * 2)
        before = os.sched_getaffinity(self.stranger.pid)
        self.assertIsNone(self.daemon.ask("barrier", table((0, self.guest.pid)), [self.guest.pidfd] * 2))
        self.assertEqual(os.sched_getaffinity(self.guest.pid), {0})
        self.assertEqual(os.sched_getaffinity(self.stranger.pid), before)

    # --- every operation ---

    def test_descriptors_of_the_wrong_kind(self):
        """In the place of each that an operation takes: none is taken for what it is not."""
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        kinds = {"file": self.open(self.victim), "folder": self.open("/tmp", os.O_PATH | os.O_DIRECTORY),
                 "socket": theirs.fileno(), "memory": os.memfd_create("hostile"), "event": os.eventfd(0),
                 "device": self.open("/dev/zero", os.O_RDONLY), "uts": self.open("/proc/self/ns/uts", os.O_RDONLY)}
        self.fds += [kinds["memory"], kinds["event"]]
        pidfd, dev, _ = self.mounter()
        right = {"process": self.guest.pidfd, "group": self.group_fd(), "parent group": self.group_fd(),
                 "folder": self.open(self.mine, os.O_PATH | os.O_DIRECTORY),
                 "network namespace": self.open("/proc/self/ns/net", os.O_RDONLY)}
        mounts = {"process": pidfd, "mount namespace": self.open("/proc/self/ns/mnt", os.O_RDONLY), "folder": dev}
        values = {"node.create": {"name": "n", "mode": stat.S_IFCHR | 0o600, "major": 1, "minor": 3, "uid": USER, "gid": USER},
                  "tap.create": {"name": "hostile9", "queues": 1, "owner": USER}, "own.set": {"uid": USER, "gid": USER},
                  "mount.apply": {"mounts": [{"kind": 3, "target": "n", "mode": stat.S_IFCHR | 0o600, "uid": USER,
                                              "gid": USER, "major": 1, "minor": 3}]},
                  "net.attach": {"bridge": "hostilebr"}, "net.bandwidth": {"sent_average": 1, "received_average": 1}, "cgroup.create": {"uid": USER, "gid": USER},
                  "cgroup.set": {"file": "cgroup.freeze", "value": "0"}}
        for hook, row in self.served().items():
            takes = [name for name in row.get("takes", []) if not name.endswith("...")]
            for wrong in range(len(takes)):
                for kind, fd in kinds.items():
                    if (takes[wrong], kind) == ("folder", "folder"):
                        continue  # another folder: the other tests have those
                    fds = [fd if i == wrong else (mounts if hook == "mount.apply" else right).get(name, fd)
                           for i, name in enumerate(takes)]
                    with self.subTest(hook=hook, takes=takes[wrong], kind=kind):
                        self.refused(".", hook, {"name": "hostile0", **values.get(hook, {})}, fds)
                        self.assertEqual(self.daemon.answer.fds, [])
        self.assertEqual(self.victim.read_text(), "of somebody else")

    def served(self):
        """The rows of the operations that this policy switches on."""
        return {name.replace("_", ".", 1): row for name, row in self.codec.rows.items()
                if "abi" in row and f"[{name.replace('_', '.', 1)}]" in hostile.POLICY}

    def test_every_operation_has_its_row(self):
        """The issue's list, for each operation that the helper can serve."""
        source = pathlib.Path(__file__).with_name("gate_liars.py").read_text(encoding="utf-8")
        for name, row in self.codec.rows.items():
            hook = name.replace("_", ".", 1)
            if "abi" not in row or hook in NOT_SERVED:
                continue
            with self.subTest(hook):
                self.assertIn(hook, TABLE, f"{hook} has no row in TABLE of {__file__}: for each of {KINDS} name the test "
                              "that tries it (and have the policy in hostile.py switch it on), or say why it cannot be")
                self.assertEqual(len(TABLE[hook]), len(KINDS), hook)
                self.assertTrue(hook in self.served() or hook.startswith("gate."), f"{hook} is off in hostile.POLICY")
            for kind, entry in zip(KINDS, TABLE[hook]):
                with self.subTest(hook=hook, kind=kind):
                    self.assertTrue(f"def {entry[11:]}(" in source if entry.startswith("gate_liars.") else
                                    hasattr(self, entry) if entry.startswith("test_") else entry in REASONS.values(), entry)


# --- the table ---

KINDS = ("symbolic links", "foreign pidfds", "groups outside", "devices off the list", "values out of range",
         "descriptors of the wrong kind", "races by exchanging files")
NOT_SERVED = {"teardown": "the library's own: the helper remembers nothing"}
REASONS = {name: words for name, words in (
    ("no file", "takes no file and no name of one: groups' folders cannot be exchanged, descriptors stay what they are"),
    ("no process", "takes no process"), ("no group", "takes no group"), ("no device", "names no device"),
    ("no value", "has no value"), ("no descriptor", "takes no descriptor"))}
NO = REASONS
WRONG = "test_descriptors_of_the_wrong_kind"
THREADS = (NO["no file"], "test_threads_of_others", "test_processes_of_others", NO["no device"], "test_threads_of_others", WRONG,
           NO["no file"])
PROCESS = (NO["no file"], "test_processes_of_others", "test_processes_of_others", NO["no device"], "test_values_out_of_range",
           WRONG, NO["no file"])
NET = (NO["no file"], NO["no process"], NO["no group"], "test_interfaces_off_the_list", "test_interfaces_off_the_list", WRONG,
       "test_another_network_namespace")
GATE = ("gate_liars.refuse_groups", NO["no process"], "gate_liars.refuse_groups", "gate_liars.refuse_values",
        "gate_liars.refuse_values", "gate_liars.refuse_values", "gate_liars.refuse_others_gates")
PCI = (NO["no file"], NO["no process"], NO["no group"], "test_pci_devices_off_the_list", "test_pci_devices_off_the_list",
       NO["no descriptor"], NO["no file"])
TABLE = {
    "memlock.set": PROCESS, "proc.tune": PROCESS, "sched.set": THREADS, "affinity.set": THREADS,
    "barrier": (NO["no file"], "test_barriers_of_others", "test_barriers_of_others", NO["no device"],
                "test_barriers_of_others", WRONG, NO["no file"]),
    "cgroup.create": ("test_groups_elsewhere", NO["no process"], "test_groups_elsewhere", NO["no device"],
                      "test_groups_out_of_the_policy", WRONG, NO["no file"]),
    "cgroup.move": (NO["no file"], "test_who_is_not_moved", "test_groups_elsewhere", NO["no device"],
                    "test_who_is_not_moved", WRONG, NO["no file"]),
    "cgroup.set": ("test_files_that_are_no_limits", NO["no process"], "test_groups_elsewhere", NO["no device"],
                   "test_files_that_are_no_limits", WRONG, NO["no file"]),
    "cgroup.remove": ("test_groups_elsewhere", NO["no process"], "test_groups_elsewhere", NO["no device"],
                      "test_groups_out_of_the_policy", WRONG, NO["no file"]),
    "gate.create": GATE, "gate.update": GATE, "gate.replace": GATE, "gate.remove": (*GATE[:3], NO["no device"], NO["no value"],
                                                                                    *GATE[5:]),
    "node.create": ("test_nodes_off_the_list", NO["no process"], NO["no group"], "test_nodes_off_the_list",
                    "test_nodes_off_the_list", WRONG, "test_races_for_a_new_node"),
    "device.open": ("test_devices_off_the_list", NO["no process"], NO["no group"], "test_devices_off_the_list",
                    "test_devices_off_the_list", "test_macvtaps_off_the_list", "test_races_for_a_device"),
    "own.set": ("test_files_of_others", "test_files_of_others", NO["no group"], NO["no device"],
                "test_owners_and_modes_out_of_the_policy", WRONG, "test_races_by_exchanging_names"),
    "pci.bind": PCI, "pci.release": PCI,
    "tap.create": NET, "tap.remove": NET, "net.attach": NET, "net.detach": NET, "net.set": NET,
    "net.bandwidth": (*NET[:3], "test_bandwidths_out_of_the_policy", "test_bandwidths_out_of_the_policy", *NET[5:]),
    "mount.apply": ("test_mounts_out_of_the_policy", "test_mounts_elsewhere", "test_mounts_elsewhere",
                    "test_mounts_out_of_the_policy", "test_mounts_out_of_the_policy", WRONG,
                    "test_races_for_a_place_to_mount_on"),
}

if __name__ == "__main__":
    hostile.run("__main__")
