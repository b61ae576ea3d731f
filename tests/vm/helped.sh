#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# helped.sh: the daemon of an ordinary user that was given nothing, and a helper that makes groups,
# gate and /dev of its guest on cgroup v2 with all controllers, told as TAP.
. /lib/tap.sh
uri="qemu:///session?socket=/vw/run/virtward-sock"
top=/virtward-$(printf /vw | sha256sum | cut -c1-12)
groups=/sys/fs/cgroup$top

start_daemon() {
  su -s /bin/sh virtward-qemu -c "exec virtwardd --root $root" >>$log 2>&1 &
  daemon=$!
  within 120 v uri
}
start_helper() {
  virtward-helperd --policy /vw-policy >>/helper.log 2>&1 &
  helper=$!
  within 60 grep -q serving /helper.log
}
file_is() { grep -qxF "$2" "$1" || { cat "$1"; return 1; }; } # FILE TEXT
gone() { [ ! -e "$1" ]; }
thread_groups() { cat /proc/$qemu/task/*/cgroup | sort -u; }
opened_by_user() { su -s /bin/sh virtward-qemu -c "exec 3<>$1"; }

mkdir -p $root/guest $root/etc
cat > $root/etc/virtwardd.conf <<CONF
namespaces = [ "mount" ]
handler_policy = [ "cgroup.create=handler", "cgroup.move=handler", "cgroup.set=handler", "cgroup.remove=handler", "gate.create=handler", "gate.update=handler", "gate.replace=handler", "gate.remove=handler", "mount.apply=handler" ]
CONF
cat > /vw-policy <<POLICY
[helper]
sockets=/vw/run/handler/sock
cgroups=$top
[cgroup.create]
max=16
controllers=cpu;cpuset;memory;io;pids
[cgroup.move]
from=/
uids=100
[cgroup.set]
files=cpu.weight:1-5000;cpu.max:1000-max;memory.max:0-max;cpuset.cpus:0-7;cpuset.mems
[cgroup.remove]
[gate.create]
devices=c 1:[35789];c 5:2;c 10:*;c 136:*
max=65536
modes=enforce
[gate.update]
devices=c 1:[35789];c 5:2;c 10:*;c 136:*;b 7:*
modes=enforce
[gate.replace]
devices=c 1:[35789];c 5:2;c 10:*;c 136:*
max=131072
modes=enforce
[gate.remove]
[mount.apply]
kinds=tmpfs;node;link;bind
max=4194304
devices=c 1:[35789];c 5:2;c 10:*
uids=100
gids=100
sources=devpts;tmpfs;mqueue;hugetlbfs
POLICY
cat > $root/guest/vm.xml <<XML
<domain type='qemu'>
  <name>vm</name>
  <memory unit='MiB'>64</memory>
  <vcpu>2</vcpu>
  <iothreads>1</iothreads>
  <cputune><shares>2000</shares><period>100000</period><quota>50000</quota></cputune>
  <memtune><hard_limit unit='MiB'>600</hard_limit></memtune>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices><memballoon model='none'/></devices>
</domain>
XML
chown -R 100:100 $root
check "the daemon starts" start_daemon || give_up
check "as a user" says "Uid:.100" cat /proc/$daemon/status
check "with no right" says "CapEff:.0000000000000000" cat /proc/$daemon/status
check "without a helper nothing starts" refuses "no handler is registered for cgroup.create" v create $root/guest/vm.xml
check "the helper starts" start_helper || { cat /helper.log; give_up; }
check "create" v create $root/guest/vm.xml || { sed 's/^/# /' /helper.log; give_up; }
qemu=$(cat $root/run/qemu/vm.pid)
group=$(echo $groups/*-vm)
check "its process is in the guest's leaf" says "^0::$top/[0-9]-vm/guest" cat /proc/$qemu/cgroup
check "its threads have parts" says "/guest/vcpu0$" thread_groups
check "each" says "/guest/vcpu1$" thread_groups
check "and the I/O thread" says "/guest/iothread1$" thread_groups
check "the rest is the emulator's" says "/guest/emulator$" thread_groups
check "the parts are threaded" file_is $group/guest/vcpu0/cgroup.type threaded
check "the memory's limit" file_is $group/memory.max 629145600
check "the shares" file_is $group/cpu.weight 2000
check "the quota of its vCPU" file_is $group/guest/vcpu0/cpu.max "50000 100000"
check "a gate is on the leaf" says "cgroup_device" bpftool cgroup show $group/guest
check "it has a /dev of its own" says " /dev tmpfs rw,nosuid,noexec" cat /proc/$qemu/mounts
check "whose nodes are its user's" opened_by_user /proc/$qemu/root/dev/zero
check "and no others" gone /proc/$qemu/root/dev/mem
check "QEMU has no right either" says "CapBnd:.0000000000000000" cat /proc/$qemu/status
check "memtune" v memtune vm --hard-limit 409600
check "the kernel has it" file_is $group/memory.max 419430400
check "out of the policy" refuses "outside the policy of cgroup.set" v schedinfo vm --live --set cpu_shares=6000
check "emulatorpin" v emulatorpin vm 0
check "the kernel has that" file_is $group/guest/emulator/cpuset.cpus 0
kill -9 $daemon
wait $daemon 2>/dev/null
check "kill -9 and restart" start_daemon || give_up
check "the guest is still there" says running v domstate vm
check "the helper comes back" within 60 v memtune vm --hard-limit 512000
check "destroy" v destroy vm
check "its process is gone" ends "$qemu"
check "its group is gone" within 60 gone "$group"
check "and the instance's" gone "$groups"
kill -TERM $daemon
wait $daemon
check "the daemon ends cleanly" [ $? = 0 ]

# in a group below its guests', which are its own: it moves processes itself, and QEMU is born there
kill $helper
wait $helper
sed -i 's/"cgroup.move=handler"/"cgroup.move=self"/' $root/etc/virtwardd.conf
sed -i '/^\[cgroup.move\]/,/^uids/d; s/^\[cgroup.create\]/&\nuids=100\ngids=100/' /vw-policy
mkdir -p $groups/daemon.partition
chown 100:100 $groups $groups/cgroup.procs
echo $$ > $groups/daemon.partition/cgroup.procs
check "its own place" start_daemon || give_up
echo $$ > /sys/fs/cgroup/cgroup.procs
: > /helper.log
check "the helper, which moves nobody" start_helper || { cat /helper.log; give_up; }
check "create" v create $root/guest/vm.xml || { sed 's/^/# /' /helper.log; give_up; }
qemu=$(cat $root/run/qemu/vm.pid)
group=$(echo $groups/*-vm)
check "its process is in the guest's leaf" says "^0::$top/[0-9]*-vm/guest" cat /proc/$qemu/cgroup
check "its threads have parts" says "/guest/vcpu1$" thread_groups
check "the leaf is the daemon's" says "^100 100$" stat -c "%u %g" $group/guest
check "the limits are not" says "^0 0$" stat -c "%u %g" $group/memory.max
check "nor was anybody moved by the helper" none grep "hook=cgroup.move" /helper.log
check "destroy" v destroy vm
check "its group is gone" within 60 gone "$group"
kill -TERM $daemon
wait $daemon
check "the daemon ends cleanly" [ $? = 0 ]
[ $failed = 0 ] || sed 's/^/# /' /helper.log
finish
