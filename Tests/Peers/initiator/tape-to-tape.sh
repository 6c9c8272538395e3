#!/bin/bash
# A whole tape goes to another drive: every record with its length, every filemark.
. "$(dirname "$0")/../peers.sh"
. "$peers/initiator/copying.sh"
tgt_start
tgt_tape 1 from "$work/from.img" 512
tgt_tape 2 to "$work/to.img" 512
random_file "$work/a" $((12 * 262144))
random_file "$work/b" $((3 * 1048576 + 100))
cdb -q "$(tgt_url from)" rewind , twrite "$work/a" 262144 , wfm 2 , twrite "$work/b" 1048576 , wfm 1 \
  > "$work/cdb.log" || fail "the tape is not written"
copy "$(tgt_url from)" "$(tgt_url to)" --block-size 1MiB
cat "$work/a" "$work/b" > "$work/ab"
expect_tape "$(tgt_url to)" "$work/ab" "12 records of 262144 bytes" filemark filemark \
  "3 records of 1048576 bytes" "1 records of 100 bytes" filemark "end of data"

# And between a drive and a cartridge of our own, both ways; our own is compared only with itself.
"$ecopy" tape create "$work/cartridge" > "$work/ecopy.log" || fail "ecopy tape create"
copy "$(tgt_url from)" "tape:$work/cartridge" --block-size 1MiB
copy "tape:$work/cartridge" "$(tgt_url to)" --block-size 1MiB --overwrite
expect_tape "$(tgt_url to)" "$work/ab" "12 records of 262144 bytes" filemark filemark \
  "3 records of 1048576 bytes" "1 records of 100 bytes" filemark "end of data"
