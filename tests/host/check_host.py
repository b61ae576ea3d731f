#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtward check-host, with all rights and with none.

    check_host.py VIRTWARD

Every facility says what it is for, what is lost and what to do; what root finds agrees with what
the machine's own files say; without rights the same things are "denied", not "no"; and nothing stays.
"""
import json
import os
import pathlib
import subprocess
import sys

DENIED_WITHOUT_RIGHTS = ["device-programs", "bpf-trie", "bpf-ring", "bpf-program", "bpffs",
                         "mount-namespace", "device-nodes"]


def ask(virtward, *prefix):
    done = subprocess.run([*prefix, virtward, "check-host", "--json"], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return {facility["name"]: facility for facility in json.loads(done.stdout)["facilities"]}


def check_complete(found):
    assert len(found) > 20
    for name, facility in found.items():
        assert facility["state"] in ("yes", "no", "denied"), facility
        for part in ("use", "lost", "do"):
            assert facility[part], f"{name} says nothing under '{part}'"


def check_true(found):
    mounts = pathlib.Path("/proc/self/mounts").read_text()
    assert (found["cgroup2"]["state"] == "yes") == (" cgroup2 " in mounts)
    for name, path in (("kvm", "/dev/kvm"), ("tun", "/dev/net/tun"),
                       ("vhost-net", "/dev/vhost-net"), ("vhost-vsock", "/dev/vhost-vsock"),
                       ("vfio", "/dev/vfio/vfio")):
        if not os.path.exists(path):
            assert found[name]["state"] == "no", found[name]
    whole = pathlib.Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]
    assert (found["initial-user-namespace"]["state"] == "yes") == whole


def check_without_rights(found, powerless):
    for name in DENIED_WITHOUT_RIGHTS:
        if found[name]["state"] == "yes":
            assert powerless[name]["state"] == "denied", powerless[name]


def check_text(virtward, found):
    done = subprocess.run([virtward, "check-host"], capture_output=True, text=True, timeout=60,
                          check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    for name, facility in found.items():
        assert name in done.stdout
        assert (facility["lost"] in done.stdout) or facility["state"] == "yes"


def main():
    virtward = sys.argv[1]
    before = pathlib.Path("/proc/self/mounts").read_text()
    found = ask(virtward)
    check_complete(found)
    check_true(found)
    check_text(virtward, found)
    if os.geteuid() == 0:
        powerless = ask(virtward, "setpriv", "--inh-caps=-all", "--ambient-caps=-all",
                        "--bounding-set=-all")
        check_complete(powerless)
        check_without_rights(found, powerless)
    after = pathlib.Path("/proc/self/mounts").read_text()
    assert "/tmp tmpfs" not in after or "/tmp tmpfs" in before, "a mount stayed"
    print(f"{len(found)} facilities:",
          ", ".join(f"{name} {facility['state']}" for name, facility in found.items()
                    if facility["state"] != "yes") or "all there")


if __name__ == "__main__":
    main()
