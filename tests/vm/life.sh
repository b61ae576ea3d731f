#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# life.sh: a guest's life with the daemon and stock virsh, told as TAP. For the small machine that
# run.py makes, as its only programs beside the kernel: nothing of the distribution is set up.
#
# The guest is a kernel that boots in QEMU's emulation, in a machine that is emulated itself; it is
# waited for only as far as QEMU, not until it has booted.
. /lib/tap.sh

in_group() { sh -c 'echo $$ > "$1/cgroup.procs" && exec 3< "$2"' _ "$group" "$1"; }

gate() { # WHEN
  check "$1: a listed node can be opened in the guest's group" in_group /dev/zero
  check "$1: an unlisted one cannot" refuses "Operation not permitted" in_group /dev/kmsg
  check "$1: bpftool shows the program" says "device.*vw_gate" bpftool cgroup show "$group" effective
  check "$1: and its map" says "lpm_trie" bpftool map list
  check "$1: the denial is told" says "/dev/kmsg" virtward --root $root devices vm --denials
}

mkdir -p $root/guest $root/etc
chmod 755 $root
cat > $root/guest/vm.xml <<XML
<domain type='qemu'>
  <name>vm</name>
  <uuid>5ec2e700-0000-4000-8000-00000000000b</uuid>
  <memory unit='MiB'>128</memory>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>/guest/vmlinuz</kernel>
    <initrd>/guest/initrd</initrd>
    <cmdline>console=ttyS0</cmdline>
  </os>
  <devices>
    <serial type='file'><source path='$root/serial.log'/></serial>
    <interface type='direct'>
      <mac address='52:54:00:00:00:0b'/>
      <source dev='dummy0' mode='bridge'/>
      <model type='virtio'/>
      <rom enabled='no'/>
    </interface>
    <memballoon model='none'/>
  </devices>
</domain>
XML

is_up() { ip link show macvtap0 | grep -qE '[<,]UP[,>]'; }
is_down() { ! is_up; }

check "cgroup v2 alone" none grep -E " cgroup .*(devices|memory)" /proc/self/mounts
check "the daemon starts" start_daemon || give_up
check "define" v define $root/guest/vm.xml || give_up
check "start" v start vm || give_up
check "it runs" says "running" v domstate vm
qemu=$(cat $root/run/qemu/vm.pid)
group=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/$qemu/cgroup)
check "in a group of its own" says "virtward-.*vm" echo "$group"
check "as virtward-qemu" says "Uid:.100" cat /proc/$qemu/status
gate "after the start"
check "its interface is a macvtap" says "macvtap0 +direct +dummy0 +virtio +52:54:00:00:00:0b" v domiflist vm
check "with the guest's address" says "52:54:00:00:00:0b" cat /sys/class/net/macvtap0/address
check "whose queue QEMU has, by number" says "/tap$(cat /sys/class/net/macvtap0/ifindex)$" ls -l /proc/$qemu/fd
check "and vhost's" says "/dev/vhost-net" ls -l /proc/$qemu/fd
check "which is up" is_up
check "suspend" v suspend vm
check "its macvtap is down" is_down
check "resume" v resume vm
check "which is up" is_up
check "statistics" says "cpu.time=[0-9]" v domstats vm

kill -9 $daemon
wait $daemon 2>/dev/null
check "kill -9 and restart" start_daemon || give_up
check "the guest is still there" says "running" v domstate vm
check "with its process" kill -0 "$qemu"
check "and its interface" says "macvtap0 +direct" v domiflist vm
gate "after the restart"
check "define what runs anew" v define $root/guest/vm.xml

check "destroy" v destroy vm
check "its process is gone" ends "$qemu"
check "its interface too" none sh -c "ip link show | grep macvtap"
check "undefine" v undefine vm
check "no guest is left" none v list --all --name
kill -TERM $daemon
wait $daemon
check "the daemon ends cleanly" [ $? = 0 ]
check "no group is left" none find /sys/fs/cgroup -name "virtward-*"
check "no program is left" none sh -c "bpftool prog list | grep vw_"
check "no map is left" none sh -c "bpftool map list | grep vw_"
check "nothing of the guest is left" none find $root/run/qemu $root/run/bpf $root/etc/qemu -type f -o -type s
finish
