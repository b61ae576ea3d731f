#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# vfio.sh: PCI devices of the machine given to a guest, told as TAP: at start and by plugging,
# and given back; by the daemon itself, then by the reference helper for an ordinary user's daemon that
# has no right at all.
#
# With VFIO_IOMMUFD=yes QEMU gets its cards as descriptors instead of the nodes of their groups, which
# takes a newer kernel and a newer QEMU.
#
# The machine has an IOMMU and network cards to spare: two alone in their groups, two that share one.
# The guest has nothing to boot: a slot that no driver has switched on lets its card go at once.
. /lib/tap.sh
cards=/sys/bus/pci/devices
first=0000:00:10.0 second=0000:00:12.0 shared=0000:01:01.0 neighbour=0000:01:02.0

# --- documents ---

card() { # ADDRESS MANAGED
  echo "<hostdev mode='subsystem' type='pci' managed='$2'><driver name='vfio'${VFIO_IOMMUFD:+ iommufd='yes'}/><source><address domain='0x0000' bus='0x$(echo $1 | cut -c6-7)'" \
    "slot='0x$(echo $1 | cut -c9-10)' function='0x0'/></source></hostdev>"
}
write_guest() { # NAME UUID-END DEVICES
  cat > $root/guest/$1.xml <<XML
<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>$1</name>
  <uuid>5ec2e700-0000-4000-8000-0000000000$2</uuid>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <controller type='pci' model='pcie-root'/>
    <controller type='pci' model='pcie-root-port'/>
    <controller type='pci' model='pcie-root-port'/>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    $3
  </devices>
  <qemu:commandline>
    <qemu:arg value='-global'/><qemu:arg value='ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off'/>
  </qemu:commandline>
</domain>
XML
}

# --- looking ---

driver_is() { # ADDRESS DRIVER
  driver=$(basename "$(readlink $cards/$1/driver)")
  [ "$driver" = "$2" ] || { echo "$1 has driver '$driver'"; return 1; }
}
of_the_host() { # ADDRESS
  driver_is $1 e1000 && says "^.null.$" cat $cards/$1/driver_override
}
group_of() { basename "$(readlink $cards/$1/iommu_group)"; }
open_in_qemu() { ls -l /proc/$qemu/fd | sed 's/.* -> //'; }
if [ "$VFIO_IOMMUFD" ]; then
  # its own node, whose name goes with the driver, and an IOMMU
  in_qemu() { # ADDRESS
    name=$(ls $cards/$1/vfio-dev) && open_in_qemu | grep -x "/dev/vfio/devices/$name" && open_in_qemu | grep -x /dev/iommu &&
      ! open_in_qemu | grep -E "^/dev/vfio/(vfio|[0-9]+)$"
  }
  not_in_qemu() { [ $(open_in_qemu | grep -c /dev/vfio/devices/) = 1 ]; } # but for the first one
  has_rule() { # ADDRESS ALIAS: none is needed
    virtward --root $root devices one > /tmp/output
    cat /tmp/output
    grep -q policy /tmp/output && ! grep -qE "vfio|iommu|hostdev" /tmp/output
  }
else
  in_qemu() { # ADDRESS: QEMU has the device and its group open
    open_in_qemu | grep -q "vfio-device" && open_in_qemu | grep -x "/dev/vfio/$(group_of $1)"
  }
  not_in_qemu() { ! open_in_qemu | grep -x "/dev/vfio/$(group_of $1)"; }
  has_rule() { says "/dev/vfio/$(group_of $1) .*$2" virtward --root $root devices one; } # ADDRESS ALIAS
fi
refuses_rule() { # ADDRESS
  virtward --root $root devices one > /tmp/output
  cat /tmp/output
  grep -q policy /tmp/output && ! grep -q hostdev1 /tmp/output
}
limit_is() { # KIB
  says "Max locked memory +$(($1 * 1024)) " cat /proc/$qemu/limits
}
kib_locked=$((64 * 1024 + 1024 * 1024)) # the guest's memory, and what else the devices reach

has_card() { # WHEN ADDRESS
  check "$1: the card's driver is vfio-pci" driver_is $2 vfio-pci
  check "$1: QEMU has it" in_qemu $2
  check "$1: its memory may be locked" limit_is $kib_locked
}

# --- what is done each time ---

life() { # WHO
  check "$1: start with a card" v create $root/guest/one.xml || give_up
  qemu=$(cat $root/run/qemu/one.pid)
  has_card "$1, at start" $first
  check "$1: the gate has what QEMU opens itself" has_rule $first hostdev0
  check "$1: another guest can't have it" refuses "PCI device $first is in use by driver QEMU, domain one" v create $root/guest/two.xml
  check "$1: and leaves it alone" in_qemu $first
  check "$1: plug another card" v attach-device one /tmp/second.xml --live
  has_card "$1, plugged" $second
  check "$1: and its rule" has_rule $second hostdev1
  check "$1: and again" refuses "already exists" v attach-device one /tmp/second.xml --live
  kill -9 $daemon
  wait $daemon 2>/dev/null
  check "$1: kill -9 and restart" start_daemon || give_up
  check "$1: it runs" says running v domstate one
  check "$1: the cards are still taken" refuses "PCI device $first is in use by driver QEMU, domain one" v create $root/guest/two.xml
  check "$1: unplug" v detach-device one /tmp/second.xml --live
  check "$1: it is gone from QEMU" within 60 not_in_qemu $second
  check "$1: and the host's again" within 60 of_the_host $second
  check "$1: its rule is gone" refuses_rule $second
  has_card "$1, the other one stays" $first
  check "$1: destroy" v destroy one
  check "$1: that is the host's as well" within 60 of_the_host $first
}

# Two of one group, plugged and unplugged one after the other: none has a driver of the host's meanwhile.
one_by_one() { # WHO
  echo $neighbour > $cards/$neighbour/driver/unbind
  check "$1: a guest without cards" v create $root/guest/empty.xml || give_up
  qemu=$(cat $root/run/qemu/empty.pid)
  for card in shared neighbour; do check "$1: plug one" v attach-device empty /tmp/$card.xml --live; done
  check "$1: unplug the second" v detach-device empty /tmp/neighbour.xml --live
  check "$1: the guest has given it up" within 60 gives_up $neighbour
  check "$1: the host can't have it yet" driver_is $neighbour vfio-pci
  check "$1: plug it again" v attach-device empty /tmp/neighbour.xml --live
  check "$1: unplug the first" v detach-device empty /tmp/shared.xml --live
  check "$1: and the second" v detach-device empty /tmp/neighbour.xml --live
  for card in $shared $neighbour; do check "$1: $card is the host's" within 60 of_the_host $card; done
  check "$1: destroy" v destroy empty
}
gives_up() { # ADDRESS
  v dumpxml empty > /tmp/running || return 1
  ! grep -q "bus='0x$(echo $1 | cut -c6-7)' slot='0x$(echo $1 | cut -c9-10)'" /tmp/running
}

pair() { # WHO: all that is in a group
  check "$1: a guest with a whole group" v create $root/guest/pair.xml || give_up
  qemu=$(cat $root/run/qemu/pair.pid)
  for card in $shared $neighbour; do check "$1: it has $card" in_qemu $card; done
  check "$1: destroy" v destroy pair
  for card in $shared $neighbour; do check "$1: $card is the host's" within 60 of_the_host $card; done
}

refusals() { # WHO
  check "$1: managed='no' takes nothing from the host" refuses "Unmanaged PCI device $first must be manually detached from the host" v create $root/guest/bare.xml
  check "$1: a device that isn't there" refuses "Device 0000:00:1e.0 not found" v create $root/guest/none.xml
  check "$1: a group that the host uses" refuses "device $neighbour of the same IOMMU group $(group_of $shared) is bound to driver e1000" v create $root/guest/shared.xml
  check "$1: goes back whole" within 60 of_the_host $shared
  check "$1: nothing runs" none v list --name
}

mkdir -p $root/guest $root/etc
chmod 755 $root $root/guest
write_guest one d1 "$(card $first yes)"
write_guest two d2 "$(card $first yes)"
write_guest bare d3 "$(card $first no)"
write_guest none d4 "$(card 0000:00:1e.0 yes)"
write_guest shared d5 "$(card $shared yes)"
write_guest pair d6 "$(card $shared yes)$(card $neighbour yes)"
write_guest empty d7 ""
card $second yes > /tmp/second.xml
card $shared yes > /tmp/shared.xml
card $neighbour yes > /tmp/neighbour.xml

for card in $first $second $shared $neighbour; do check "$card is the host's" of_the_host $card; done
check "two share a group" [ $(group_of $shared) = $(group_of $neighbour) ]
check "the daemon starts" start_daemon || give_up
life "by itself"
pair "by itself"
one_by_one "by itself"
refusals "by itself"
kill $daemon
wait $daemon
check "the daemon ends cleanly" [ $? = 0 ]

# --- a user's daemon without any right, and the helper ---

uri="qemu:///session?socket=/vw/run/virtward-sock"
top=/virtward-$(printf /vw | sha256sum | cut -c1-12)
start_daemon() {
  su -s /bin/sh virtward-qemu -c "exec virtwardd --root $root" >>$log 2>&1 &
  daemon=$!
  within 120 v uri
}
start_helper() {
  virtward-helperd --policy /vw-policy >/helper.log 2>&1 &
  helper=$!
  within 60 grep -q serving /helper.log
}
nodes="c 1:[35789];c 5:2;c 10:*;c 136:*;c $(sed -n 's/ vfio$//p' /proc/devices | tr -d ' '):*"
write_policy() { # ADDRESSES
  cat > /vw-policy <<POLICY
[helper]
sockets=/vw/run/handler/sock
cgroups=$top
[barrier]
housekeeping=0
[memlock.set]
max=1342177280
[cgroup.create]
max=16
controllers=cpu;cpuset;memory;io;pids
[cgroup.move]
from=/
uids=100
[cgroup.set]
files=cpu.weight:1-5000
[cgroup.remove]
[gate.create]
devices=$nodes
max=65536
modes=enforce
[gate.update]
devices=$nodes
modes=enforce
[gate.replace]
devices=$nodes
max=131072
modes=enforce
[gate.remove]
[mount.apply]
kinds=tmpfs;node;link;bind
max=4194304
devices=$nodes
uids=100
gids=100
sources=devpts;tmpfs;mqueue;hugetlbfs
[device.open]
devices=vfio-group;vfio-cdev;iommufd
pci=$1
[pci.bind]
pci=$1
drivers=vfio-pci
[pci.release]
pci=$1
POLICY
}
without_rights() { # PID
  says "^CapPrm:.0000000000000000" cat /proc/$1/status && says "^CapEff:.0000000000000000" cat /proc/$1/status &&
    says "^CapBnd:.0000000000000000" cat /proc/$1/status
}
asked_for() { grep "hook=$1 guest=.one.* verdict=done" /helper.log; } # HOOK

rm -r $root/run $root/lib $root/cache $root/log
cat > $root/etc/virtwardd.conf <<CONF
namespaces = [ "mount" ]
handler_policy = [ "*=handler" ]
CONF
chown -R 100:100 $root
write_policy "0000:00:1[0-2].0;0000:01:0[12].0"
check "a user's daemon starts" start_daemon || give_up
check "without a helper nothing is taken" refuses "no handler is registered for pci.bind" v create $root/guest/one.xml
check "the helper starts" start_helper || { cat /helper.log; give_up; }
life "by the helper"
for hook in pci.bind pci.release device.open memlock.set; do check "$hook was its doing" asked_for $hook; done
pair "by the helper"
refusals "by the helper"

# the helper is about to take the card when the daemon is killed
kill -STOP $helper
v create $root/guest/one.xml >/dev/null 2>&1 &
client=$!
check "a start waits for the helper" within 60 grep -q "resource type='pci' name='$first'" $root/run/qemu/one.xml
kill -9 $daemon
wait $daemon 2>/dev/null
wait $client
kill -CONT $helper
check "kill -9 in the middle, and restart" start_daemon || give_up
check "the card is the host's" within 60 of_the_host $first
check "nothing runs" none v list --name
check "and the guest can start when the helper is back" within 60 v create $root/guest/one.xml
check "destroy" v destroy one
check "its card is the host's" within 60 of_the_host $first
kill $helper
wait $helper
write_policy $second
check "a helper that may give away another card" start_helper || give_up
check "does not give away this one" refuses "'$first' is not among the pci of pci.bind" v create $root/guest/one.xml
check "which stays the host's" of_the_host $first
kill $helper
wait $helper
kill $daemon
wait $daemon
check "the daemon ends cleanly" [ $? = 0 ]

# nobody raises the limit: the device's mapping fails, and the figures are told
sed -i 's/"[*]=handler"/&, "memlock.set=off"/' $root/etc/virtwardd.conf
write_policy "$second"
sed -i '/^.memlock.set.$/,/^max=/d' /vw-policy
check "a daemon that leaves the limit alone" start_daemon || give_up
check "the helper" start_helper || give_up
check "a guest without cards" v create $root/guest/empty.xml || give_up
qemu=$(cat $root/run/qemu/empty.pid)
limit=$(sed -nE 's/^Max locked memory +([0-9]+) .*/\1/p' /proc/$qemu/limits)
check "a card that is plugged takes more memory than may be locked" \
  refuses "memory to be locked: $kib_locked KiB; its limit: $((limit / 1024)) KiB, of which" v attach-device empty /tmp/second.xml --live
check "the card is the host's" within 60 of_the_host $second
check "the guest runs" says running v domstate empty
check "destroy" v destroy empty
kill $helper
wait $helper
kill $daemon
wait $daemon
check "the daemon ends cleanly" [ $? = 0 ]
[ $failed = 0 ] || sed 's/^/# /' /helper.log
finish
