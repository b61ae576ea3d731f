#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tuning.sh: each tuning command of stock virsh on a running guest, told as TAP: what is set reads
# back from virsh, and stands in the kernel's file, on the hierarchies that the small machine has
# mounted: v2 alone, every controller on v1 beside an empty v2, v1 alone. Where the kernel has no file
# for a limit, the command must say so.
#
# The guest has no disk to boot from: its firmware waits, so it costs next to nothing.
. /lib/tap.sh

# --- looking ---

shows() { # "COMMAND" [NAME VALUE]...
  v $1 >/tmp/output 2>&1 || { cat /tmp/output; return 1; }
  shift
  while [ $# -gt 0 ]; do
    grep -qE "^$1 *: *$2 *$" /tmp/output || { echo "wanted $1 : $2 in"; cat /tmp/output; return 1; }
    shift 2
  done
}

# The guest's group in the hierarchy that has the controller.
place() { # CONTROLLER
  if [ $version = v2 ]; then
    echo "$unified$(sed -n 's/^0::\(.*-tuned\).*/\1/p' /proc/$qemu/cgroup)"
  else
    sed -nE "s|^[0-9]+:([^:]*,)?$1(,[^:]*)?:(.*-tuned).*|\3|p" /proc/$qemu/cgroup |
      sed "s|^|$(sed -nE "s/^[^ ]+ ([^ ]+) cgroup [^ ]*\b$1\b.*/\1/p" /proc/mounts)|"
  fi
}

# A file of the guest, or of a part of it ("vcpu0"; "-": the whole), has this text.
file_is() { # CONTROLLER PART FILE TEXT
  folder=$(place $1)
  case $version$2 in
    *-) ;;
    v2*) folder=$folder/guest/$2 ;;
    *) folder=$folder/$2 ;;
  esac
  now=$(cat "$folder/$3") || return 1
  echo "$now" | grep -qxF -- "$4" || { echo "$folder/$3 is '$now', not '$4'"; return 1; }
}
# The same by version: V1FILE=TEXT V2FILE=TEXT.
holds() { # CONTROLLER PART V1FILE=TEXT V2FILE=TEXT
  wanted=$3
  [ $version = v1 ] || wanted=$4
  file_is "$1" "$2" "${wanted%%=*}" "${wanted#*=}"
}

thread_is_on() { # THREAD CPUS
  for task in /proc/$qemu/task/*; do
    [ "$(cat $task/comm)" = "$1" ] || continue
    grep -qE "^Cpus_allowed_list:[[:space:]]*$2$" $task/status || { grep Cpus_allowed_list $task/status; return 1; }
    return 0
  done
  echo "there is no thread '$1'"
  return 1
}
thread_in_part() { # THREAD PART
  file=$(place cpu)/$2/tasks
  [ $version = v1 ] || file=$(place cpu)/guest/$2/cgroup.threads
  for task in $(cat "$file"); do
    [ "$(cat /proc/$qemu/task/$task/comm)" = "$1" ] && return 0
  done
  echo "'$1' is not in $file"
  return 1
}

# --- the guest ---

unified=$(sed -nE 's/^[^ ]+ ([^ ]+) cgroup2 .*/\1/p' /proc/mounts)
version=v1
grep -qw memory "$unified/cgroup.controllers" 2>/dev/null && version=v2
echo "# limits by cgroup $version, unified hierarchy: ${unified:-not mounted}"
loop=/dev/loop0

mkdir -p $root/guest $root/etc
chmod 755 $root
dd if=/dev/zero of=$root/guest/disk bs=1024 count=1024 2>/dev/null
dd if=/dev/zero of=/tmp/other bs=1024 count=1024 2>/dev/null
losetup $loop /tmp/other
cat > $root/guest/tuned.xml <<XML
<domain type='qemu'>
  <name>tuned</name>
  <memory unit='MiB'>64</memory>
  <vcpu current='2'>4</vcpu>
  <iothreads>1</iothreads>
  <cputune>
    <shares>2000</shares>
    <period>100000</period><quota>50000</quota>
    <emulator_period>90000</emulator_period><emulator_quota>80000</emulator_quota>
    <vcpupin vcpu='0' cpuset='0'/>
  </cputune>
  <numatune><memory mode='restrictive' nodeset='0'/></numatune>
  <memtune><hard_limit unit='MiB'>600</hard_limit><swap_hard_limit unit='MiB'>700</swap_hard_limit></memtune>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'><source file='$root/guest/disk'/><target dev='vda' bus='virtio'/></disk>
    <interface type='ethernet'><target dev='tuned0'/><model type='virtio'/><rom enabled='no'/><bandwidth><inbound average='1000'/></bandwidth></interface>
    <memballoon model='none'/>
  </devices>
</domain>
XML

# --- the commands ---

processor() { # shares, periods, quotas
  check "schedinfo shows the document's" shows "schedinfo tuned" cpu_shares 2000 vcpu_period 100000 \
    vcpu_quota 50000 emulator_period 90000 emulator_quota 80000
  check "the kernel has the shares" holds cpu - cpu.shares=2000 cpu.weight=2000
  check "and the quota of a vCPU" holds cpu vcpu1 cpu.cfs_quota_us=50000 "cpu.max=50000 100000"
  check "and the emulator's" holds cpu emulator cpu.cfs_quota_us=80000 "cpu.max=80000 90000"
  check "schedinfo --set" v schedinfo tuned --live --set cpu_shares=3000 vcpu_quota=60000 vcpu_period=120000 \
    emulator_quota=70000 global_period=110000 global_quota=200000 iothread_period=80000 iothread_quota=40000
  check "schedinfo reads back" shows "schedinfo tuned" cpu_shares 3000 vcpu_quota 60000 vcpu_period 120000 \
    emulator_quota 70000 global_period 110000 global_quota 200000 iothread_period 80000 iothread_quota 40000
  check "shares in the kernel" holds cpu - cpu.shares=3000 cpu.weight=3000
  check "global quota in the kernel" holds cpu - cpu.cfs_quota_us=200000 "cpu.max=200000 110000"
  check "quota of vCPU 0 in the kernel" holds cpu vcpu0 cpu.cfs_quota_us=60000 "cpu.max=60000 120000"
  check "quota of vCPU 1 in the kernel" holds cpu vcpu1 cpu.cfs_quota_us=60000 "cpu.max=60000 120000"
  check "quota of the emulator in the kernel" holds cpu emulator cpu.cfs_quota_us=70000 "cpu.max=70000 90000"
  check "quota of the I/O thread in the kernel" holds cpu iothread1 cpu.cfs_quota_us=40000 "cpu.max=40000 80000"
  check "no quota" v schedinfo tuned --live --set global_quota=-1 vcpu_quota=-1
  check "no quota in the kernel" holds cpu - cpu.cfs_quota_us=-1 "cpu.max=max 110000"
  check "the stored guest keeps its own" shows "schedinfo tuned --config" cpu_shares 2000 vcpu_quota 50000
  if [ $version = v2 ]; then
    check "shares of v1 are explained" refuses "20480 of cgroup v1 is 2000" v schedinfo tuned --set cpu_shares=20480
  else
    check "shares beyond v1's range are refused" refuses "must be in range" v schedinfo tuned --set cpu_shares=300000
  fi
}

memory() { # in KiB
  check "memtune shows the document's" shows "memtune tuned" hard_limit 614400 soft_limit unlimited swap_hard_limit 716800
  check "the kernel has the hard limit" holds memory - memory.limit_in_bytes=629145600 memory.max=629145600
  check "and what swap is left beside it" holds memory - memory.memsw.limit_in_bytes=734003200 memory.swap.max=104857600
  check "memtune" v memtune tuned --hard-limit 409600 --soft-limit 204800 --swap-hard-limit 512000
  check "memtune reads back" shows "memtune tuned" hard_limit 409600 soft_limit 204800 swap_hard_limit 512000
  check "hard limit in the kernel" holds memory - memory.limit_in_bytes=419430400 memory.max=419430400
  check "soft limit in the kernel" holds memory - memory.soft_limit_in_bytes=209715200 memory.high=209715200
  check "swap in the kernel" holds memory - memory.memsw.limit_in_bytes=524288000 memory.swap.max=104857600
  check "more memory than with swap is refused" refuses "must be lower than or equal to swap_hard_limit" \
    v memtune tuned --hard-limit 921600
  check "no soft limit" v memtune tuned --soft-limit -1
  check "no soft limit reads back" shows "memtune tuned" soft_limit unlimited
  check "the stored guest keeps its own" shows "memtune tuned --config" hard_limit 614400
}

disks() { # weights and throttles of block devices
  number=$(cat /sys/block/loop0/dev)
  check "per device" v blkiotune tuned --device-read-iops-sec $loop,100 --device-write-iops-sec $loop,200 \
    --device-read-bytes-sec $loop,1000000 --device-write-bytes-sec $loop,2000000
  check "per device reads back" shows "blkiotune tuned" device_read_iops_sec $loop,100 device_write_iops_sec $loop,200 \
    device_read_bytes_sec $loop,1000000 device_write_bytes_sec $loop,2000000
  all="$number rbps=1000000 wbps=2000000 riops=100 wiops=200"
  check "read operations in the kernel" holds blkio - "blkio.throttle.read_iops_device=$number 100" "io.max=$all"
  check "written operations in the kernel" holds blkio - "blkio.throttle.write_iops_device=$number 200" "io.max=$all"
  check "read bytes in the kernel" holds blkio - "blkio.throttle.read_bps_device=$number 1000000" "io.max=$all"
  check "written bytes in the kernel" holds blkio - "blkio.throttle.write_bps_device=$number 2000000" "io.max=$all"
  check "none for one of them" v blkiotune tuned --device-read-iops-sec $loop,0
  check "the others stay" shows "blkiotune tuned" device_write_iops_sec $loop,200
  check "no block device is refused" refuses "must be a block device" \
    v blkiotune tuned --device-read-iops-sec /dev/null,5
  if [ -e "$(place blkio)/blkio.bfq.weight" ] || [ $version = v2 ]; then weights; else
    check "no file for weights" refuses "unable to set blkio weight\|blkio.weight" v blkiotune tuned --weight 400
  fi
  check "blkdeviotune" v blkdeviotune tuned vda --total-bytes-sec 1000000 --total-iops-sec 300
  check "blkdeviotune reads back" shows "blkdeviotune tuned vda" total_bytes_sec 1000000 total_iops_sec 300
  check "QEMU has it" says '"bps":1000000.*"iops":300|"iops":300.*"bps":1000000' \
    v qemu-monitor-command tuned '{"execute":"query-block"}'
}
weights() {
  echo bfq > /sys/block/loop0/queue/scheduler || echo "# no bfq: weights of devices are not tried"
  check "weight" v blkiotune tuned --weight 400
  check "weight reads back" shows "blkiotune tuned" weight 400
  if [ -e "$(place blkio)/io.bfq.weight" ]; then weight="io.bfq.weight"; else weight="io.weight"; fi
  check "weight in the kernel" holds blkio - blkio.bfq.weight=400 "$weight=default 400"
  grep -q '\[bfq\]' /sys/block/loop0/queue/scheduler || return 0
  check "weight of a device" v blkiotune tuned --device-weights $loop,300
  check "weight of a device reads back" shows "blkiotune tuned" device_weight $loop,300
  check "weight of a device in the kernel" holds blkio - "blkio.bfq.weight_device=$number 300" "io.bfq.weight=$number 300"
}

places() { # CPUs and memory nodes
  check "numatune shows the document's" shows "numatune tuned" numa_mode restrictive numa_nodeset 0
  check "numatune" v numatune tuned --nodeset 0
  check "nodes in the kernel" file_is cpuset vcpu0 cpuset.mems 0
  check "another mode is refused while it runs" refuses "can't change numatune mode for running domain" \
    v numatune tuned --mode interleave
  check "a vCPU is pinned by the document" thread_is_on "CPU 0/TCG" 0
  check "vcpupin" v vcpupin tuned 1 1
  check "vcpupin reads back" says "^ *1 +1$" v vcpupin tuned
  check "CPUs in the kernel" file_is cpuset vcpu1 cpuset.cpus 1
  check "and of the thread" thread_is_on "CPU 1/TCG" 1
  check "emulatorpin" v emulatorpin tuned 0
  check "emulatorpin reads back" says ": +0$" v emulatorpin tuned
  check "its CPUs in the kernel" file_is cpuset emulator cpuset.cpus 0
}

iothreads() {
  check "the first I/O thread is in its part" thread_in_part "IO iothread1" iothread1
  check "iothreadadd" v iothreadadd tuned 5
  check "iothreadinfo shows it" says "^ *5 " v iothreadinfo tuned
  check "it is in a part of its own" thread_in_part "IO iothread5" iothread5
  check "with the quota of I/O threads" holds cpu iothread5 cpu.cfs_quota_us=40000 "cpu.max=40000 80000"
  check "iothreadpin" v iothreadpin tuned 5 1
  check "iothreadpin reads back" says "^ *5 +1$" v iothreadinfo tuned
  check "its CPUs in the kernel" file_is cpuset iothread5 cpuset.cpus 1
  check "and of the thread" thread_is_on "IO iothread5" 1
  check "iothreadset" v iothreadset tuned 5 --poll-max-ns 4096
  check "QEMU has it" says '"poll-max-ns":4096' v qemu-monitor-command tuned '{"execute":"query-iothreads"}'
  check "iothreaddel" v iothreaddel tuned 5
  check "its part is gone" none find /sys/fs/cgroup -name iothread5
}

vcpus() {
  check "setvcpus" v setvcpus tuned 3
  check "vcpucount reads back" says "^3$" v vcpucount tuned --live --active
  check "the new vCPU is in its part" thread_in_part "CPU 2/TCG" vcpu2
  check "with the period of vCPUs" holds cpu vcpu2 cpu.cfs_period_us=120000 "cpu.max=max 120000"
  check "cpu-stats in all" says "cpu_time +[0-9.]+ seconds" v cpu-stats tuned --total
  if [ $version = v2 ]; then
    check "cgroup v2 has no times of each CPU" refuses "CPU0\|not supported\|unsupported" v cpu-stats tuned --start 0
  else
    check "cpu-stats of each CPU" says "cpu_time +[0-9.]+ seconds" v cpu-stats tuned --start 0 --count 1
  fi
}

interface() {
  check "domiftune shows the document's" shows "domiftune tuned tuned0" inbound.average 1000
  check "domiftune" v domiftune tuned tuned0 --inbound 300,400,50 --outbound 200
  check "domiftune reads back" shows "domiftune tuned tuned0" inbound.average 300 inbound.peak 400 \
    inbound.burst 50 outbound.average 200
  check "what it receives in the kernel" says "rate 2400Kbit ceil 3200Kbit" /usr/sbin/tc class show dev tuned0
  check "what it sends in the kernel" says "police .*rate 1600Kbit" /usr/sbin/tc filter show dev tuned0 parent ffff:
  check "no limit" v domiftune tuned tuned0 --inbound 0 --outbound 0
  check "no limit in the kernel" none sh -c "/usr/sbin/tc qdisc show dev tuned0 | grep -E 'htb|ingress'"
}

# --- in order ---

check "the daemon starts" start_daemon || give_up
check "define" v define $root/guest/tuned.xml || give_up
check "start" v start tuned || give_up
qemu=$(cat $root/run/qemu/tuned.pid)
check "it runs" says running v domstate tuned
processor
memory
disks
places
iothreads
vcpus
interface
kill -9 $daemon
wait $daemon 2>/dev/null
check "kill -9 and restart" start_daemon || give_up
check "what was set is still shown" shows "schedinfo tuned" cpu_shares 3000 emulator_quota 70000
check "and can be set" v schedinfo tuned --live --set emulator_quota=75000
check "as before" holds cpu emulator cpu.cfs_quota_us=75000 "cpu.max=75000 90000"
check "destroy" v destroy tuned
check "its process is gone" ends "$qemu"
kill -TERM $daemon
wait $daemon
check "the daemon ends cleanly" [ $? = 0 ]
check "no group is left" none find /sys/fs/cgroup -name "virtward-*"
finish
