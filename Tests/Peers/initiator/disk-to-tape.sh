#!/bin/bash
# A disk image goes to tgtd's tape: records of 256 KiB, 1 MiB and an odd length, the last one short,
# filemarks, a second file behind the first; read back by a program that is not ours.
. "$(dirname "$0")/../peers.sh"
. "$peers/initiator/copying.sh"
tgt_start
tgt_tape 1 tape "$work/tape.img" 512
random_file "$work/a" $((24 * 262144 + 1000))
random_file "$work/b" $((8 * 1048576))
random_file "$work/c" $((50 * 99999 + 17))

copy "$work/a" "$(tgt_url tape)" --block-size 256KiB --filemark
expect_tape "$(tgt_url tape)" "$work/a" "24 records of 262144 bytes" "1 records of 1000 bytes" \
  filemark "end of data"

copy "$work/b" "$(tgt_url tape)" --block-size 1MiB --filemark --append
cat "$work/a" "$work/b" > "$work/ab"
expect_tape "$(tgt_url tape)" "$work/ab" "24 records of 262144 bytes" "1 records of 1000 bytes" \
  filemark "8 records of 1048576 bytes" filemark "end of data"

# What is there is not lost without being asked for.
expect_equal "$(copy_status "$work/c" "$(tgt_url tape)" --block-size 99999)" 7 "a tape that holds data"
copy "$work/c" "$(tgt_url tape)" --block-size 99999 --overwrite
expect_tape "$(tgt_url tape)" "$work/c" "50 records of 99999 bytes" "1 records of 17 bytes" \
  "end of data"
