# SPDX-License-Identifier: LGPL-2.1-or-later
# deps.sh: sourced by tools/try and tools/check: what they need from the distribution, and the user
# that guests run as. As root; without root it only says what is missing.

# to build
build_packages="gcc meson ninja-build pkg-config gettext python3 python3-docutils libglib2.0-dev
  libxml2-dev libjson-c-dev libbpf-dev libnl-3-dev libnl-route-3-dev libgnutls28-dev libsystemd-dev
  libcap-ng-dev libseccomp-dev"
# to run a guest with stock clients, and to make one
run_packages="qemu-system-x86 libvirt-clients linux-image-amd64 busybox-static kmod cpio iproute2
  bpftool procps"
# to run all tests
check_packages="clang libclang-rt-14-dev binutils libvirt0 libvirt-dev python3-libvirt qemu-utils ovmf
  libvirt-daemon libvirt-daemon-driver-qemu virtinst gdb dbus-daemon python3-gi bubblewrap
  systemd systemd-container"

install_packages() {
  local missing=""
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      missing="$missing $package"
  done
  [ -z "$missing" ] && return 0
  if [ "$(id -u)" != 0 ]; then
    echo "needed and not installed; as root: apt-get install$missing" >&2
    return 1
  fi
  echo "installing:$missing"
  # no service may start because of us
  local policy=/usr/sbin/policy-rc.d ours=
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' > $policy && chmod 755 $policy && ours=1
  fi
  apt-get update -q >/dev/null &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
  local status=$?
  [ -z "$ours" ] || rm -f $policy
  return $status
}

make_guest_user() {
  getent passwd virtward-qemu >/dev/null && return 0
  useradd --system --user-group --no-create-home --home-dir /nonexistent \
    --shell /usr/sbin/nologin virtward-qemu
}
