# SPDX-License-Identifier: LGPL-2.1-or-later
"""booted.py: systemd as the small machine's first process, with a system bus and systemd-machined.

The programs are this machine's own, of the distribution's packages; the units are here: just the bus,
machined, and the tests as one service, whose end switches the machine off.
"""
import os

PROGRAMS = ("/lib/systemd/systemd", "/lib/systemd/systemd-machined", "/usr/bin/dbus-daemon",
            "/usr/bin/systemctl", "/usr/bin/machinectl")
TESTS = "/programs.sh"

BUS = b"""<busconfig><type>system</type><listen>systemd:</listen><auth>EXTERNAL</auth>
<policy context='default'><allow user='*'/><allow own='*'/><allow send_destination='*'/>
<allow receive_sender='*'/></policy></busconfig>"""
DEFAULTS = "[Unit]\nDefaultDependencies=no\n"
TO_CONSOLE = "StandardOutput=file:/dev/console\nStandardError=file:/dev/console\n"
UNITS = {
    "dbus.socket": DEFAULTS + """[Socket]
ListenStream=/run/dbus/system_bus_socket
""",
    "dbus.service": DEFAULTS + """Requires=dbus.socket
[Service]
Type=notify
ExecStart=/usr/bin/dbus-daemon --system --nofork --nopidfile --nosyslog
""" + TO_CONSOLE,
    "systemd-machined.service": DEFAULTS + """After=dbus.service
Requires=dbus.service
[Service]
Type=dbus
BusName=org.freedesktop.machine1
ExecStart=/lib/systemd/systemd-machined
""" + TO_CONSOLE,
    "programs.service": DEFAULTS + """After=dbus.service systemd-machined.service
Wants=dbus.service systemd-machined.service
[Service]
Type=oneshot
Environment=PATH=/bin:/usr/bin:/usr/sbin:/sbin
ExecStart=/bin/sh """ + TESTS + """
ExecStopPost=/bin/busybox poweroff -f
TimeoutStartSec=infinity
""" + TO_CONSOLE,
    "default.target": DEFAULTS + "Requires=programs.service\n",
}


def missing():
    """A program that isn't installed here; None if all are."""
    return next((path for path in PROGRAMS if not os.path.exists(path)), None)


def add(archive, script):
    """Units, the bus's rules and what the service runs."""
    for name, text in UNITS.items():
        archive.add("/etc/systemd/system/" + name, text.encode(), 0o644)
    archive.add("/usr/share/dbus-1/system.conf", BUS, 0o644)
    archive.add("/etc/os-release", b"ID=small\nNAME=small\n", 0o644)
    archive.add(TESTS, script.encode())
