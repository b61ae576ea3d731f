#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# scope.sh: a guest where systemd keeps the control groups, told as TAP: a machine of
# systemd-machined, then a scope of systemd alone, each with its gate and limits through kill -9 of
# the daemon and systemd's daemon-reload. For the small machine of run.py --systemd.
#
# The guest has no disk to boot from: its firmware waits, so it costs next to nothing.
. /lib/tap.sh

in_leaf() { sh -c 'echo $$ > "$1/cgroup.procs" && exec 3< "$2"' _ "$leaf" "$1"; }
gate() { # WHEN
  check "$1: a listed node can be opened in the guest's group" in_leaf /dev/zero
  check "$1: an unlisted one cannot" refuses "Operation not permitted" in_leaf /dev/kmsg
}
file_is() { grep -qxF "$2" "$1" || { cat "$1"; return 1; }; } # FILE TEXT
gone() { [ ! -e "$1" ]; }
life() { # MANAGER LISTED...: how the guest is seen
  manager=$1; shift
  echo "cgroup_manager = \"$manager\"" > $root/etc/virtwardd.conf
  check "$manager: the daemon starts" start_daemon || give_up
  check "$manager: create" v create $root/guest/vm.xml || give_up
  qemu=$(cat $root/run/qemu/vm.pid)
  place=$(sed -n 's/^0:://p' /proc/$qemu/cgroup)
  scope=/sys/fs/cgroup${place%%/virtward-*} leaf=/sys/fs/cgroup${place%%/guest*}/guest
  unit=${scope##*/}
  check "$manager: below a scope with libvirt's name" says \
    '^/machine.slice/machine-web.slice/machine-qemu\\x2dembed\\x2d[0-9a-f]{8}\\x2d1\\x2dvm\.scope/virtward-' echo "$place"
  check "$manager: systemd has the unit" says "^active" systemctl is-active "$unit"
  check "$manager: it is delegated" says "Delegate=yes" systemctl show -p Delegate "$unit"
  check "$manager: it is listed" says "$@"
  gate "$manager, after the start"
  check "$manager: the memory's limit is there" file_is "${leaf%/guest}/memory.max" 629145600
  check "$manager: so is the scope's weight" file_is "$scope/cpu.weight" 2000
  check "$manager: schedinfo" v schedinfo vm --live --set cpu_shares=3000
  check "$manager: the scope has it" file_is "$scope/cpu.weight" 3000
  check "$manager: daemon-reload of systemd" systemctl daemon-reload
  gate "$manager, after the daemon-reload"
  check "$manager: the scope's weight is as it was" file_is "$scope/cpu.weight" 3000
  check "$manager: the memory's limit too" file_is "${leaf%/guest}/memory.max" 629145600
  kill -9 $daemon
  wait $daemon 2>/dev/null
  check "$manager: kill -9 and restart" start_daemon || give_up
  check "$manager: the guest is still there" says running v domstate vm
  gate "$manager, after the restart"
  check "$manager: its limits can be set" v memtune vm --hard-limit 409600
  check "$manager: destroy" v destroy vm
  check "$manager: its process is gone" ends "$qemu"
  check "$manager: its scope is gone" within 60 gone "$scope"
  check "$manager: and its unit" within 60 sh -c "! systemctl is-active '$unit'"
  kill -TERM $daemon
  wait $daemon
  check "$manager: the daemon ends cleanly" [ $? = 0 ]
}

mkdir -p $root/guest $root/etc
chmod 755 $root
cat > $root/guest/vm.xml <<XML
<domain type='qemu'>
  <name>vm</name>
  <uuid>5ec2e700-0000-4000-8000-00000000005d</uuid>
  <memory unit='MiB'>64</memory>
  <resource><partition>/machine/web</partition></resource>
  <cputune><shares>2000</shares></cputune>
  <memtune><hard_limit unit='MiB'>600</hard_limit></memtune>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices><memballoon model='none'/></devices>
</domain>
XML
check "the first process is systemd" says "^systemd" cat /proc/1/comm
check "check-host tells of machined" says "cgroup-manager.*yes.*systemd-machined" virtward check-host
life machined "qemu-embed-[0-9a-f]{8}-1-vm +vm +libvirt-qemu" machinectl list
check "no machine is left" says "No machines" machinectl list
life systemd 'machine-qemu.*\.scope.*Virtual Machine qemu-embed' systemctl list-units --type=scope --full --no-pager
check "no group is left" none find /sys/fs/cgroup -name "virtward-*"
check "no program is left" none sh -c "bpftool prog list | grep vw_"
finish
