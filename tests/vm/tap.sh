# SPDX-License-Identifier: LGPL-2.1-or-later
# tap.sh: what the scripts of the small machine share: cases told as TAP, the daemon and virsh. Read
# by each of them first. A case's output goes to /tmp/said and is shown when it fails.
export HOME=/tmp LC_ALL=C.UTF-8 LD_BIND_NOW=1
root=/vw uri="qemu:///system?socket=/vw/run/virtward-sock" log=/vw/daemon.log
count=0 failed=0

check() { # TEXT COMMAND...
  text=$1; shift
  count=$((count + 1))
  if "$@" >/tmp/said 2>&1; then echo "ok $count $text"; return 0; fi
  failed=$((failed + 1))
  echo "not ok $count $text"
  sed 's/^/# /' /tmp/said
  return 1
}

give_up() { sed 's/^/# /' $log; for f in $root/log/qemu/*.log; do tail -n 3 "$f" | sed 's/^/# /'; done; echo "1..$count"; exit 1; }
v() { virsh -c "$uri" "$@"; }
says() { # PATTERN COMMAND...
  pattern=$1; shift
  "$@" >/tmp/output 2>&1
  cat /tmp/output
  grep -qE "$pattern" /tmp/output
}
refuses() { # ERROR COMMAND...
  pattern=$1; shift
  ! "$@" >/tmp/output 2>&1 || return 1
  cat /tmp/output
  grep -q "$pattern" /tmp/output
}
none() { # COMMAND...: it must say nothing
  found=$("$@" 2>/dev/null)
  [ -z "$found" ] || { echo "$found"; return 1; }
}
within() { # SECONDS COMMAND...: so many looks, a nap apart
  left=$1; shift
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1))
    [ $left -gt 0 ] || return 1
    sleep ${nap:-1}
  done
}
ends() { within 60 sh -c "! kill -0 $1 2>/dev/null"; }

start_daemon() {
  virtwardd --root $root >>$log 2>&1 &
  daemon=$!
  within 120 v uri
}

finish() { # the end of a script
  [ $failed = 0 ] || sed 's/^/# /' $log
  echo "1..$count"
  [ $failed = 0 ]
}
