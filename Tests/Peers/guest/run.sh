#!/bin/bash
# Usage: guest/run.sh JOB.sh SECONDS [FOLDER]
# Boots the guest under QEMU without hardware help, runs JOB.sh in it as root, with FOLDER as
# /opt/extra, and prints its console. Exit 0 only if the job ended with 0 within SECONDS. The guest's
# network exists inside QEMU only (TEST-NET, no way out): 192.0.2.2 there is 127.0.0.1 here.
set -euo pipefail
# Users of the guest read its files, whoever asked for it.
umask 022
here=$(cd "$(dirname "$0")" && pwd)
guest=$(cd "$here/../../.." && pwd)/.build/guest
job=$1 seconds=$2 extra=${3:-}
"$here/build.sh"

place=$(mktemp -d "${TMPDIR:-/tmp}/ecopy-guest-XXXXXX")
trap 'rm -rf "$place"' EXIT
mkdir "$place/files"
cat "$here/job.sh" "$job" > "$place/files/job.sh"
mkdir "$place/files/opt"
[ -z "$extra" ] || cp -rL "$extra" "$place/files/opt/extra"
(cd "$place/files" && find . | cpio -o -H newc --quiet | gzip -1) > "$place/files.gz"
cat "$guest/base.cpio.gz" "$place/files.gz" > "$place/initrd"

timeout -k 5 "$seconds" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 1536 \
  -display none -no-reboot -nodefaults -kernel "$guest/vmlinuz" -initrd "$place/initrd" \
  -append "console=ttyS0 loglevel=3 panic=-1 rdinit=/init tsc=nowatchdog mitigations=off" \
  -netdev "user,id=net,net=192.0.2.0/24,host=192.0.2.2,dns=192.0.2.3,ipv6=off" \
  -device virtio-net-pci,netdev=net,romfile= -device virtio-rng-pci -serial stdio < /dev/null \
  2>&1 | tr -d '\r' | tee "$place/console" || echo "guest: QEMU ended with ${PIPESTATUS[0]}"
grep -q '^guest: job ended with 0$' "$place/console"
