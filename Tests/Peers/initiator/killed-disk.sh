#!/bin/bash
# tgtd is killed in the middle of a copy to its disk, and of one from it, and started again: the
# copy logs in again and ends with the right bytes.
. "$(dirname "$0")/../peers.sh"
. "$peers/initiator/copying.sh"
with_disk() {
  tgt_start
  tgt_disk 1 disk "$work/disk.img" 64 512
}
# A copy of 2 s, and a kill after 0.7; the source is limited to 32 MB/s.
killed() { # WHAT ARGUMENT…
  local what=$1 status=0
  shift
  start copy timeout 100 "$ecopy" copy "$@" --progress none
  sleep 0.7
  is_running copy || fail "$what: over before the kill"
  stop tgtd KILL
  sleep 0.5
  with_disk
  wait "${started[copy]}" || status=$?
  unset "started[copy]"
  expect_equal $status 0 "$what: exit status"
}
random_file "$work/image" $((64 << 20))
with_disk
killed "to the disk" "$work/image,rate=32MB" "$(tgt_url disk)"
same_bytes "$work/image" "$work/disk.img" "to the disk"
killed "from the disk" "$(tgt_url disk)" "$work/back,rate=32MB"
same_bytes "$work/image" "$work/back" "from the disk"
