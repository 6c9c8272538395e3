#!/bin/bash
# A tape that libiscsi wrote is read: records of 256 KiB, 1 MiB and odd lengths, up to a filemark.
. "$(dirname "$0")/../peers.sh"
. "$peers/initiator/copying.sh"
tgt_start
tgt_tape 1 tape "$work/tape.img" 512
random_file "$work/a" $((20 * 262144 + 777))
random_file "$work/b" $((6 * 1048576 + 4097))
random_file "$work/c" $((40 * 12345))
cdb -q "$(tgt_url tape)" rewind , twrite "$work/a" 262144 , wfm 1 , twrite "$work/b" 1048576 , wfm 1 \
  , twrite "$work/c" 12345 , wfm 2 > "$work/cdb.log" || fail "the tape is not written"

copy "$(tgt_url tape)" "$work/back" --block-size 256KiB
same_bytes "$work/a" "$work/back" "the first file"
# 22 objects: 21 records and the filemark. The second file has records of another length.
copy "$(tgt_url tape),position=22" "$work/back" --block-size 1MiB
same_bytes "$work/b" "$work/back" "the second file"
copy "$(tgt_url tape),position=30" "$work/back"
same_bytes "$work/c" "$work/back" "the third file, with records shorter than what was expected"

# A record that is longer than what was said is an error, and nothing is made of it.
expect_equal "$(copy_status "$(tgt_url tape)" "$work/short" --block-size 64KiB | grep -c '^0$')" 0 \
  "records longer than --block-size"
