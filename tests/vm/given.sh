#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# given.sh: the daemon of an ordinary user in a control group that was given to it with some
# controllers, told as TAP: its guests are limited by those and by no other.
. /lib/tap.sh
uri="qemu:///session?socket=/vw/run/virtward-sock"
given=/sys/fs/cgroup/given

start_daemon() { # a service manager's part: into the group, then another user
  sh -c "{ echo \$\$ > $given/cgroup.procs || echo \$\$ > $given/virtward-daemon/cgroup.procs; } 2>/dev/null
    exec su -s /bin/sh virtward-qemu -c 'exec virtwardd --root $root'" >>$log 2>&1 &
  daemon=$!
  within 120 v uri
}
file_is() { grep -qxF "$2" "$1" || { cat "$1"; return 1; }; } # FILE TEXT
gone() { [ ! -e "$1" ]; }

mkdir -p $root/guest $root/etc $given
echo "+cpu +memory" > /sys/fs/cgroup/cgroup.subtree_control
chown 100:100 $given $given/cgroup.procs $given/cgroup.threads $given/cgroup.subtree_control
cat > $root/guest/vm.xml <<XML
<domain type='qemu'>
  <name>vm</name>
  <memory unit='MiB'>64</memory>
  <cputune><shares>2000</shares><period>100000</period><quota>50000</quota></cputune>
  <memtune><hard_limit unit='MiB'>600</hard_limit></memtune>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices><memballoon model='none'/></devices>
</domain>
XML
chown -R 100:100 $root
check "the daemon starts" start_daemon || give_up
check "as a user" says "Uid:.100" cat /proc/$daemon/status
check "in a group beside its guests" says "^0::/given/virtward-daemon" cat /proc/$daemon/cgroup
check "it says that there is no gate" says "without device gate" cat $log
check "create" v create $root/guest/vm.xml || give_up
qemu=$(cat $root/run/qemu/vm.pid)
group=/sys/fs/cgroup$(sed -n 's|^0::\(.*-vm\)/.*|\1|p' /proc/$qemu/cgroup)
check "in a group of its own" says "^/sys/fs/cgroup/given/virtward-[0-9a-f]*/1-vm$" echo "$group"
check "with the memory's limit" file_is $group/memory.max 629145600
check "the shares" file_is $group/cpu.weight 2000
check "and the quota of its vCPU" file_is $group/guest/vcpu0/cpu.max "50000 100000"
check "memtune" v memtune vm --hard-limit 409600
check "the kernel has it" file_is $group/memory.max 419430400
check "schedinfo" v schedinfo vm --live --set vcpu_quota=60000
check "the kernel has that" file_is $group/guest/vcpu0/cpu.max "60000 100000"
check "what was not given is refused" refuses "blkio cgroup isn't mounted" \
  v blkiotune vm --weight 200
kill -9 $daemon
wait $daemon 2>/dev/null
check "kill -9 and restart" start_daemon || give_up
check "the guest is still there" says running v domstate vm
check "its limits can be set" v memtune vm --hard-limit 512000
check "the kernel has them" file_is $group/memory.max 524288000
check "destroy" v destroy vm
check "its process is gone" ends "$qemu"
check "its group is gone" within 60 gone "$group"
kill -TERM $daemon
wait $daemon
check "the daemon ends cleanly" [ $? = 0 ]
finish
