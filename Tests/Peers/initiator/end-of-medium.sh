#!/bin/bash
# tgtd goes on writing behind the end of its tape and only says end of medium: the copy stops by
# itself, says how to go on, and both tapes together hold the source.
. "$(dirname "$0")/../peers.sh"
. "$peers/initiator/copying.sh"
tgt_start
tgt_tape 1 tiny "$work/tiny.img" 1
tgt_tape 2 next "$work/next.img" 64
random_file "$work/image" $((4 << 20))

expect_equal "$(copy_status "$work/image" "$(tgt_url tiny)" --block-size 64KiB)" 108 "a full tape"
offset=$(sed -nE 's/.*--source-offset ([0-9]+).*/\1/p' "$work/ecopy.log" | head -n 1)
[ -n "$offset" ] || fail "it does not say where to go on"
tape_read "$(tgt_url tiny)" "$work/first" > "$work/listing" || fail "the tiny tape cannot be read"
expect_equal "$(stat -c %s "$work/first")" "$offset" "bytes on the first tape"
[ "$offset" -gt 0 ] && [ "$offset" -lt $((2 << 20)) ] || fail "1 MiB of tape took $offset bytes"
expect_match "$(cat "$work/listing")" ' records of 65536 bytes' "records"

copy --source-offset "$offset" "$work/image" "$(tgt_url next)" --block-size 64KiB
tape_read "$(tgt_url next)" "$work/second" > "$work/listing" || fail "the next tape cannot be read"
cat "$work/first" "$work/second" > "$work/both"
same_bytes "$work/image" "$work/both" "both tapes together"
