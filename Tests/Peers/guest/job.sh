# What every job of the guest begins with: /opt/extra/settings has its variables.
# shellcheck shell=sh
set -eu
. /opt/extra/settings

say() { echo "job: $*"; }
fail() {
  echo "job: FAILED: $*"
  dmesg | tail -n 25
  exit 1
}
sum_of() { sha256sum < "$1" | cut -d ' ' -f 1; }

iscsi_up() {
  for module in iscsi_tcp sd_mod st sg; do modprobe $module; done
  iscsid
  sleep 1
}

# login TARGET [USER PASSWORD [TARGET_USER TARGET_PASSWORD]]; $digest is None or CRC32C. The record
# is made by hand: discovery names the portal as the target knows it, which the guest cannot reach.
login() {
  record="iscsiadm -m node -T $1 -p $portal"
  iscsiadm -m node -o new -T "$1" -p "$portal" > /dev/null
  set_record() { $record -o update -n "$1" -v "$2"; }
  set_record 'node.conn[0].iscsi.HeaderDigest' "$digest"
  set_record 'node.conn[0].iscsi.DataDigest' "$digest"
  if [ $# -ge 3 ]; then
    set_record node.session.auth.authmethod CHAP
    set_record node.session.auth.username "$2"
    set_record node.session.auth.password "$3"
  fi
  if [ $# -ge 5 ]; then
    set_record node.session.auth.username_in "$4"
    set_record node.session.auth.password_in "$5"
  fi
  $record --login > /tmp/login.log 2>&1
}

logout() { iscsiadm -m node -T "$1" -p "$portal" --logout > /dev/null; }

appears() { # DEVICE
  for _ in $(seq 100); do
    [ -e "$1" ] && return 0
    sleep 0.1
  done
  lsscsi
  fail "$1 did not appear"
}

# Sets $disk to the kernel's name, as in sda, of the disk that is LUN $1 of the only session.
find_disk() {
  for _ in $(seq 100); do
    disk=$(ls -d /sys/class/scsi_device/*:0:0:$1/device/block/sd* 2> /dev/null || true)
    disk=${disk##*/}
    [ -z "$disk" ] || [ ! -b "/dev/$disk" ] || return 0
    sleep 0.1
  done
  lsscsi
  fail "no disk is LUN $1"
}

# This busybox prefers its own applets to programs of the same name; functions come before both.
mke2fs() { /bin/mke2fs "$@"; }
fstrim() { /bin/fstrim "$@"; }
blkdiscard() { /bin/blkdiscard "$@"; }
setpriv() { /bin/setpriv "$@"; }
mt() { /bin/mt-st -f /dev/nst0 "$@"; }
