#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""readonly.py VIRTWARDD [PEER-SOCKET-RO]

Calls every procedure on a read-only socket of a daemon of its own and holds the refusals against the tables' rw marks,
each condition met and not met. With a second socket, of a libvirtd, also against what that one
answers, text for text. Arguments are the least that decode."""

import sys

from daemon import running
from protocol import Client, Closed, Least, OK, Tables, error_of

DENIED = 29
# Would end the connection or change what it is.
SKIPPED = {"connect_open", "connect_close", "auth_list", "auth_sasl_init", "auth_sasl_start",
           "auth_sasl_step", "auth_polkit"}
# libvirtd looks at an argument of these first.
PEER_CHECKS_ARGUMENT = {"domain_open_graphics", "domain_send_process_signal", "domain_rename",
                        "connect_baseline_hypervisor_cpu", "domain_set_launch_security_state",
                        "domain_fd_associate", "domain_attach",
                        "connect_domain_monitor_event_deregister"}
NEWER_THAN_PEER = 443


def cases(tables, program, row):
    """(arguments given, refused?) for each way to call it that the mark tells apart."""
    mark = row.get("rw")
    if not mark or mark is True:
        yield {}, bool(mark)
        return
    (kind, value), = mark.items()
    flags = tables.data[program]["flag_values"]
    if kind == "if_arg":
        yield {value[0]: flags[value[1]]}, True
        yield {value[0]: flags[value[1]] + 1}, False
        return
    assert kind == "if_any_flag", kind
    for name in value:
        yield {"flags": flags[name]}, True
    yield {"flags": 0}, False


def ask(path, tables, program, row, given):
    """(code, text) of the error, or None."""
    client = Client(path, tables=tables).open()
    payload = b""
    if row["args"]:
        payload = tables.compound(program, row["args"], Least(given))
    try:
        status, reply = client.call(program, row["num"], payload)
    except Closed:
        return "closed", ""
    finally:
        client.close()
    if status == OK:
        return None
    code, _, text = error_of(reply)
    return code, text


def check(tables, program, row, own, peer):
    """(cases, faults) of one procedure."""
    count = faults = 0
    for given, refused in cases(tables, program, row):
        count += 1
        ours = ask(own, tables, program, row, given)
        if (ours is not None and ours[0] == DENIED) != refused:
            faults += 1
            print(f"{program}.{row['name']} {given}: table says {refused}, got {ours}")
        if not peer or not refused or row["num"] > NEWER_THAN_PEER or \
                row["name"] in PEER_CHECKS_ARGUMENT:
            continue
        theirs = ask(peer, tables, program, row, given)
        if theirs != ours:
            faults += 1
            print(f"{program}.{row['name']} {given}: peer {theirs}, ours {ours}")
    return count, faults


def main(argv):
    tables, count, faults = Tables(), 0, 0
    peer = argv[2] if len(argv) > 2 else None
    with running(argv[1]) as daemon:
        for program in ("remote", "qemu"):
            for row in tables.procedures(program):
                if row["kind"] == "event" or row["name"] in SKIPPED:
                    continue
                more, wrong = check(tables, program, row, daemon.ro, peer)
                count, faults = count + more, faults + wrong
    print(f"{count} cases, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
