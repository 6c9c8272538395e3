#!/bin/bash
# fio writes and verifies (crc32c) through qemu-nbd, mixed sizes, deep queue, both block sizes.
. "$(dirname "$0")/../peers.sh"
require qemu-nbd fio
lab_start
for lun in 0 1; do
  socket=$work/nbd$lun
  start nbd$lun qemu-nbd -t -f raw -k "$socket" "$(lab_url $lun)"
  within 10 test -S "$socket" || fail "qemu-nbd for LUN $lun"
  fio --name=verify --ioengine=nbd --uri="nbd+unix:///?socket=$socket" --rw=randwrite \
    --bsrange=4k-256k --blockalign=4k --size=64M --iodepth=32 --verify=crc32c --verify_fatal=1 \
    --aux-path="$work" --randseed=$RANDOM --output="$work/fio.log" || fail "fio on LUN $lun"
  grep -q 'err= 0' "$work/fio.log" || fail "fio on LUN $lun"
  stop nbd$lun
done
lab_stop
