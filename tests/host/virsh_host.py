#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What stock virsh shows of the host.

    virsh_host.py VIRTWARDD [PEER-URI]

Starts a daemon of its own and holds virsh's output against the kernel's files; with the URI of a
libvirtd on the same machine also against what virsh shows of that, line for line. Differences that
must be are in EXPECTED (docs/host.md says why).
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "wire"))
import daemon  # noqa: E402 (beside the wire tests)

# Commands whose output doesn't change from one second to the next.
STEADY = [
    ["nodeinfo"], ["nodecpumap"], ["nodememstats", "9999"], ["nodecpustats", "99999"],
    ["freecell", "9999"], ["freepages", "0", "8"], ["freepages", "9999", "4"], ["hostname"],
    ["sysinfo"], ["cpu-models", "x86_64"], ["cpu-models", "i686"], ["cpu-models", "s390x"],
    ["cpu-models", "nonsense"], ["capabilities"], ["maxvcpus"], ["maxvcpus", "nonsense"],
    ["domcapabilities"], ["domcapabilities", "--virttype", "qemu"],
    ["domcapabilities", "--virttype", "nonsense"], ["domcapabilities", "--arch", "i686"],
    ["domcapabilities", "--arch", "nonsense"], ["domcapabilities", "--machine", "q35"],
    ["domcapabilities", "--machine", "isapc"], ["domcapabilities", "--machine", "nonsense"],
    ["domcapabilities", "--emulatorbin", "/nonsense"],
    ["domcapabilities", "--emulatorbin", "/usr/bin/qemu-system-x86_64", "--arch", "aarch64"],
]
# Lines that may stand on one side only.
EXPECTED = {
    "capabilities": [
        r"<uuid>",  # random where the firmware has none
        r"<counter name='tsc'", r"<feature name='[a-z0-9-]*'/>",  # asked of KVM
        r"<(/?secmodel|model|doi|baselabel|domain type='kvm')",  # rights and configuration
    ],
}


def virsh(uri, *command):
    done = subprocess.run(["virsh", "-c", uri, *command], capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8"}, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def field(text, name):
    found = re.search(rf"^{re.escape(name)}\s*:\s*(.*)$", text, re.MULTILINE)
    assert found, f"no '{name}' in:\n{text}"
    return found.group(1).strip()


def cells():
    return sorted(pathlib.Path("/sys/devices/system/node").glob("node[0-9]*"))


def memory_kib():
    files = [cell / "meminfo" for cell in cells()] or [pathlib.Path("/proc/meminfo")]
    return sum(int(re.search(r"MemTotal:\s*(\d+)", file.read_text()).group(1)) for file in files)


def check_nodeinfo(uri):
    code, out, _ = virsh(uri, "nodeinfo")
    assert code == 0
    online = len(os.sched_getaffinity(0) | set(range(os.cpu_count())))
    assert field(out, "CPU model") == os.uname().machine
    assert int(field(out, "CPU(s)")) == online, out
    assert field(out, "Memory size") == f"{memory_kib()} KiB", out


def check_statistics(uri):
    code, out, _ = virsh(uri, "nodecpustats")
    assert code == 0
    user = sum(int(word) for word in
               pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:3])
    ticks = os.sysconf("SC_CLK_TCK")
    assert 0 < int(field(out, "user")) <= user * 10**9 // ticks, out
    code, out, _ = virsh(uri, "nodememstats")
    total = int(re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())[1])
    assert code == 0 and field(out, "total") == f"{total} KiB", out


def check_errors(uri):
    last = len(cells()) - 1 if cells() else 0
    for command, text in [
            (["nodecpustats", "99999"], "Invalid cpuNum in virHostCPUGetStatsLinux"),
            (["nodememstats", "9999"],
             f"cellNum in virHostMemGetStats must be less than or equal to {last}"),
            (["freecell", "9999"], f"internal error: start cell 9999 out of range (0-{last})"),
            (["freepages", "0", "8"],
             "operation failed: page size 8 is not available on node 0"),
            (["cpu-models", "nonsense"], "invalid argument: cannot find architecture nonsense")]:
        code, _, err = virsh(uri, *command)
        assert code == 1 and f"error: {text}\n" in err, f"{command}: {err}"


def check_capabilities(uri):
    code, out, _ = virsh(uri, "capabilities")
    assert code == 0
    assert f"<arch>{os.uname().machine}</arch>" in out
    assert out.count("<cell id=") == max(1, len(cells()))
    again = virsh(uri, "capabilities")[1]
    assert again == out, "two answers differ"


def check_cpu(uri, root):
    host = root / "host.xml"
    host.write_text(virsh(uri, "capabilities")[1])
    code, out, err = virsh(uri, "cpu-compare", str(host))
    assert code == 0 and "identical" in out, out + err
    code, out, err = virsh(uri, "cpu-baseline", str(host))
    assert code == 0 and "<cpu mode='custom' match='exact'>" in out, out + err


def check_emulator(uri):
    if not shutil.which("qemu-system-x86_64"):
        print("no qemu-system-x86_64: no domain capabilities looked at")
        return
    code, out, err = virsh(uri, "domcapabilities", "--arch", "x86_64", "--virttype", "qemu")
    assert code == 0 and "<path>/usr/bin/qemu-system-x86_64</path>" in out, out + err
    limit = re.search(r"<vcpu max='(\d+)'", out).group(1)
    code, out, err = virsh(uri, "maxvcpus", "qemu")
    assert code == 0 and out.strip() in (limit, "255"), out + err
    code, out, err = virsh(uri, "domcapabilities", "--machine", "nonsense")
    assert code == 1 and "the machine 'nonsense' is not supported by emulator" in err, err
    guests = re.findall(r"<arch name='(\w+)'>", virsh(uri, "capabilities")[1])
    assert "x86_64" in guests, guests


def differing(ours, theirs, expected):
    """Lines of one side that the other lacks and no pattern explains."""
    one, other = ours.splitlines(), theirs.splitlines()
    return [line for line in one if line not in other
            and not any(re.search(pattern, line) for pattern in expected)]


def compare(uri, peer):
    for command in STEADY:
        ours, theirs = virsh(uri, *command), virsh(peer, *command)
        expected = EXPECTED.get(command[0], [])
        assert ours[0] == theirs[0], f"{command}: exit codes {ours[0]} and {theirs[0]}"
        for kind in (1, 2):
            only = differing(ours[kind], theirs[kind], expected)
            missing = differing(theirs[kind], ours[kind], expected)
            assert not only and not missing, f"{command}: +{only} -{missing}"
    print(f"{len(STEADY)} commands as the peer's")


def main(program, peer=None):
    if not shutil.which("virsh"):
        print("no virsh: skipped")
        return 77
    with daemon.running(program) as running:
        uri = f"qemu:///system?socket={running.rw}"
        if os.geteuid() != 0:
            uri = uri.replace("system", "session")
        check_nodeinfo(uri)
        check_statistics(uri)
        check_errors(uri)
        check_capabilities(uri)
        if os.uname().machine == "x86_64":
            check_cpu(uri, running.root)
            check_emulator(uri)
        if peer:
            compare(uri, peer)
    print("what virsh shows of the host is what the kernel says")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
