#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# realtime.sh: real-time vCPUs, housekeeping CPUs and locked memory, told as TAP: done by the daemon
# itself, then by the reference helper; when a guest boots and when it comes as a stream. Each time
# while every vCPU's thread has used no CPU time, which a guest that was started paused shows at
# leisure. Needs rights that a build machine may lack: to raise limits, real-time scheduling.
#
# The guest has no disk to boot from: its firmware waits. Its vCPUs stay on one CPU of two, so that
# real time leaves one to us.
#
# An emulated processor is so slow that QEMU spends a tick or two on making a thread. So the kernel is
# told that its time stamp counter runs at 200 GHz (tsc_early_khz), where it is the host's: the
# machine's clock goes some 50 to 100 times slower than ours, and by that clock its processors are
# quicker than real ones. All of it keeps the one clock: a tick is a tick. Naps are shorter for it.
. /lib/tap.sh
nap=0.01

exec 3>&1 # what is told though all is well
mkdir -p $root/guest $root/etc
chmod 755 $root $root/guest

write_guest() { # EMULATORPIN
  cat > $root/guest/rt.xml <<XML
<domain type='qemu'>
  <name>rt</name>
  <uuid>5ec2e700-0000-4000-8000-0000000000c9</uuid>
  <memory unit='MiB'>32</memory>
  <memoryBacking><locked/></memoryBacking>
  <vcpu>2</vcpu>
  <iothreads>1</iothreads>
  <cputune>
    <vcpupin vcpu='0' cpuset='1'/><vcpupin vcpu='1' cpuset='1'/>$1
    <vcpusched vcpus='0-1' scheduler='fifo' priority='3'/>
    <iothreadsched iothreads='1' scheduler='rr' priority='2'/>
  </cputune>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices><controller type='usb' model='none'/><memballoon model='none'/></devices>
</domain>
XML
}

# --- looking ---

ask() { v qemu-monitor-command rt "{\"execute\":\"$1\"}"; }
# A vCPU's place has a "thread-id" too: 0.
tids() { ask "$1" | grep -oE '"thread-id": ?[0-9]+' | grep -oE '[1-9][0-9]*$'; }

# The n-th field of a thread's stat, as proc(5) counts: 14 and 15 CPU time, 40 priority, 41 policy.
field() { # TID N
  sed 's/.*) //' /proc/$qemu/task/$1/stat | cut -d' ' -f$(($2 - 2))
}
thread_has() { # TID POLICY PRIORITY CPUS
  policy=$(field $1 41) priority=$(field $1 40)
  [ "$policy:$priority" = "$2:$3" ] || { echo "thread $1 has policy $policy, priority $priority"; return 1; }
  grep -qE "^Cpus_allowed_list:[[:space:]]*$4$" /proc/$qemu/task/$1/status || {
    grep Cpus_allowed_list /proc/$qemu/task/$1/status; return 1; }
}
no_ticks() { # TID
  ticks=$(($(field $1 14) + $(field $1 15)))
  echo "# vCPU's thread $1: $ticks ticks, $(cut -d' ' -f1 /proc/$qemu/task/$1/schedstat) ns" >&3
  [ $ticks = 0 ]
}
# The registers are those of a processor that has not executed anything.
untouched() {
  v qemu-monitor-command --hmp rt "info registers -a" > /tmp/registers || return 1
  [ $(grep -c "EIP=0000fff0 EFL=00000002" /tmp/registers) = 2 ] || { grep EIP /tmp/registers; return 1; }
}
vcpus_are_placed() { # how many must there be: 2
  found=0
  for tid in $(tids query-cpus-fast); do
    found=$((found + 1))
    thread_has $tid 1 3 1 && no_ticks $tid || return 1
  done
  [ $found = 2 ] || { echo "$found vCPUs"; return 1; }
}
iothread_is_placed() { thread_has $(tids query-iothreads) 2 2 0-1; }
# All threads but the vCPUs' and the I/O thread's: on CPU 0, as any other program's.
housekeeping() {
  others=" $(tids query-cpus-fast | tr '\n' ' ') $(tids query-iothreads) "
  for task in /proc/$qemu/task/*; do
    tid=${task##*/}
    case "$others" in *" $tid "*) continue ;; esac
    thread_has $tid 0 0 0 || return 1
  done
}
locked() { # at least the guest's memory
  says "Max locked memory +unlimited" cat /proc/$qemu/limits || return 1
  kib=$(sed -nE 's/^VmLck:[[:space:]]*([0-9]+) kB/\1/p' /proc/$qemu/status)
  [ "$kib" -gt 32768 ] || { echo "$kib KiB are locked"; return 1; }
}

# --- what is done each time ---

looks_right() { # WHEN
  qemu=$(cat $root/run/qemu/rt.pid)
  check "$1: real-time vCPUs with no CPU time used" vcpus_are_placed
  check "$1: nor an instruction executed" untouched
  check "$1: a real-time I/O thread" iothread_is_placed
  check "$1: the rest on the housekeeping CPU" housekeeping
  check "$1: its memory is locked" locked
}

number() { # N: four bytes, the lowest first
  printf "\\$(printf %o $(($1 & 255)))\\$(printf %o $(($1 >> 8 & 255)))\\$(printf %o $(($1 >> 16 & 255)))\\0"
}
# The paused guest's state, in a file as libvirt would have saved it.
save() {
  nc -l -p 4444 > /tmp/stream &
  listener=$!
  within 60 listens || return 1
  v qemu-monitor-command rt '{"execute":"migrate","arguments":{"uri":"tcp:127.0.0.1:4444"}}' || return 1
  wait $listener
  v dumpxml rt --migratable > /tmp/xml || return 1
  { printf LibvirtQemudSave; number 2; number $(wc -c < /tmp/xml); number 1; dd if=/dev/zero bs=64 count=1 2>/dev/null
    cat /tmp/xml /tmp/stream; } > $root/guest/saved
}
listens() { grep -qE ':115C [0-9A-F:]+ 0A ' /proc/net/tcp /proc/net/tcp6; }

life() { # WHO
  check "$1: define" v define $root/guest/rt.xml || give_up
  check "$1: start" v start --paused rt || give_up
  looks_right "$1, cold boot"
  check "$1: save" save
  check "$1: destroy" v destroy rt
  check "$1: restore" v restore --paused $root/guest/saved || give_up
  looks_right "$1, incoming"
  check "$1: it runs" v resume rt
  check "$1: and says so" says running v domstate rt
  check "$1: destroy again" v destroy rt
}

write_guest "<emulatorpin cpuset='0'/>"
check "the daemon starts" start_daemon || give_up
life "by itself"
kill $daemon
wait $daemon

# --- by the helper ---

helper_log=/tmp/helper.log
cat > $root/etc/virtwardd.conf <<CONF
handler_policy = [ "memlock.set=handler", "sched.set=handler", "barrier=handler" ]
CONF
write_policy() { # PRIORITIES-UP-TO UNLIMITED
  cat > /tmp/policy <<CONF
[helper]
sockets=$root/run/handler/sock
cgroups=$(cd /sys/fs/cgroup && echo virtward-* | sed "s|^|/|")
[memlock.set]
max=1073741824
unlimited=$2
[sched.set]
policies=0;1;2
min=0
max=$1
[barrier]
housekeeping=0
CONF
}
start_helper() {
  virtward-helperd --policy /tmp/policy 2>>$helper_log &
  helper=$!
  within 60 grep -q serving $helper_log
}
end_helper() { kill $helper; wait $helper; : > $helper_log; }

write_guest ""
check "the daemon starts anew" start_daemon || give_up
check "nobody steps in for a helper" refuses "no handler is registered for" v start --paused rt
write_policy 10 yes
check "the helper starts" start_helper || { cat $helper_log; give_up; }
life "by the helper"
for hook in memlock.set sched.set barrier; do
  check "$hook was its doing" grep -q "hook=$hook guest=.rt.*verdict=done" $helper_log
done
end_helper
write_policy 2 yes
check "a helper with other bounds" start_helper || give_up
check "a priority beyond them ends the start" refuses "a priority of 3 is outside the policy" v start --paused rt
end_helper
write_policy 10 no
check "a helper with yet others" start_helper || give_up
check "unlimited locking as well" refuses "'yes' is not among the unlimited of memlock.set" v start --paused rt
check "nothing is left of it" says "shut off" v domstate rt
kill $helper $daemon
finish
