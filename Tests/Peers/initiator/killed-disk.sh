#!/bin/bash
# tgtd is killed in the middle of a copy to its disk, and of one from it, and started again. The
# copy from it logs in again and ends with the right bytes. The copy to it does, too, but the disk
# may have lost what was in its cache: it fails, says so, and succeeds when it is run again.
. "$(dirname "$0")/../peers.sh"
. "$peers/initiator/copying.sh"
with_disk() {
  tgt_start
  tgt_disk 1 disk "$work/disk.img" 64 512
}
# A copy of 2 s, and a kill after 0.7; the source is limited to 32 MB/s.
killed() { # WHAT STATUS ARGUMENT…
  local what=$1 expected=$2 status=0
  shift 2
  start copy timeout 100 "$ecopy" copy "$@" --progress none
  sleep 0.7
  is_running copy || fail "$what: over before the kill"
  stop tgtd KILL
  sleep 0.5
  with_disk
  wait "${started[copy]}" || status=$?
  unset "started[copy]"
  expect_equal $status $expected "$what: exit status"
}
random_file "$work/image" $((64 << 20))
with_disk
killed "to the disk" 6 "$work/image,rate=32MB" "$(tgt_url disk)"
expect_match "$(cat "$work/copy.log")" 'restarted with writes in its cache.*run the copy again' \
  "to the disk: message"
copy "$work/image" "$(tgt_url disk)"
same_bytes "$work/image" "$work/disk.img" "to the disk, again"
killed "from the disk" 0 "$(tgt_url disk)" "$work/back,rate=32MB"
same_bytes "$work/image" "$work/back" "from the disk"
