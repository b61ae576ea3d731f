#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Only src/delegate/local* changes the host.

Looks through the sources for calls that change the host (groups, gates, interfaces, ownership,
nodes, limits, scheduling, mounts) and fails on one outside the door. Each writer has the files that
may call it beside the door: those that define it, and, with the reason given here, a few more.

    tests/lint/door.py SOURCE_ROOT      TAP on standard output, exit status 1 on a finding
"""
import pathlib
import re
import sys

# In the daemon, the door. On its other side: the reference helper, and the example of a handler.
DOOR = ("src/delegate/local", "src/helperd/operations", "src/internal/example.c")
GROUPS = ["src/util/cgroup/"]
NETDEV = ["src/util/netdev/"]
# A program of its own, which becomes what the request says (design: processes).
SPAWN = ["src/spawn/"]

# writer -> what may call it beside the door
WRITERS = {
    "mount|umount|umount2|fsmount|move_mount|pivot_root": SPAWN,
    "virNetDevTapNodeOpen": NETDEV,
    "unshare|setns": SPAWN,
    # The node of a macvtap, in a file system that is nowhere.
    "mknod|mknodat": SPAWN + ["src/util/netdev/virnetdevtapnode.c"],
    # The daemon's own sockets get the group of the configuration; pins get the daemon's user.
    "chown|fchown|fchownat|lchown": SPAWN + GROUPS + ["src/rpc/virnetserver.c"],
    "setrlimit|prlimit": SPAWN,
    "sched_setaffinity|sched_setscheduler|sched_setattr|sched_setparam|setpriority": SPAWN,
    "virBPF(CreateMap|LoadDeviceProg|UpdateElem|DeleteElem|AttachDeviceProg|DetachDeviceProg"
    "|CreateDeviceLink|UpdateLink|Pin)": GROUPS,
    "virCgroupV2Devices(CreateProg|AttachProg|RenewProg|AdoptProg|Uncover|PrepareProg|RepairProg"
    "|RemoveProg|SetRule|FillRules|CopyRules|CreateEvents)": GROUPS,
    "virBPFUpdateBatch": GROUPS,
    "virGatePins(Make|Publish|Remove|PinEvents|UnpinEvents)": GROUPS,
    "virCgroup(InstanceMake|InstanceRemove|Make|Remove|MakePart|RemovePart|AddProcess|AddThread|Write)"
    "": GROUPS,
    "virCgroupSettle(Move|Thread)": GROUPS,
    "virGate(StoreForget|StoreSweep|Make|Apply|Reconcile|Repair|SetMode|Grow|Destroy)": GROUPS,
    # Pins of the daemon's own, of what a handler made.
    "virGate(Take|Unpin|PinAgain)": GROUPS + ["src/delegate/handler_gate.c"],
    "virPCIDevice(Bind|Release)": ["src/util/virpci.c"],
    "virNetDevTap(Create|Delete)|virNetDevMacvtapCreate": NETDEV,
    "virNetDev(SetUp|SetMac|SetMtu|SetBridge|SetBandwidth|Delete)": NETDEV,
}


def code_only(text):
    """The text without comments and strings; lines stay where they are."""
    token = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)
    return token.sub(lambda match: "\n" * match.group().count("\n"), text)


def findings(root):
    for path in sorted((root / "src").rglob("*.c")):
        name = path.relative_to(root).as_posix()
        if name.startswith(DOOR) or name.endswith("_test.c"):
            continue
        for number, line in enumerate(code_only(path.read_text()).split("\n"), 1):
            for writers, allowed in WRITERS.items():
                match = re.search(r"(?<![\w>.])(%s)\s*\(" % writers, line)
                if match and not any(name.startswith(prefix) for prefix in allowed):
                    yield "%s:%d: %s" % (name, number, match.group(1))


def main():
    root = pathlib.Path(sys.argv[1])
    found = list(findings(root))
    print("1..1")
    for line in found:
        print("# only %s*.c may call it: %s" % (DOOR, line))
    print("%s 1 only the door changes the host" % ("not ok" if found else "ok"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
