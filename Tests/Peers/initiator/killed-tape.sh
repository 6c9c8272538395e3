#!/bin/bash
# tgtd is killed in the middle of a copy to its tape, and started again. Its tape cannot say where
# it stands, so the copy may go on only if it knows; what it says is held against the tape: done
# means all of it, and an end before that leaves whole records from the beginning, none twice.
. "$(dirname "$0")/../peers.sh"
. "$peers/initiator/copying.sh"
with_tape() {
  tgt_start
  tgt_tape 1 tape "$work/tape.img" 256
}
random_file "$work/image" $((64 << 20))
with_tape
start copy timeout 100 "$ecopy" copy "$work/image,rate=32MB" "$(tgt_url tape)" --block-size 64KiB \
  --progress none
sleep 0.7
is_running copy || fail "over before the kill"
stop tgtd KILL
sleep 0.5
with_tape
status=0
wait "${started[copy]}" || status=$?
unset "started[copy]"
[ $status != 124 ] || fail "the copy does not end"
tape_read "$(tgt_url tape)" "$work/back" > "$work/listing" || fail "the tape cannot be read"
held=$(stat -c %s "$work/back")
[ "$held" -le $((64 << 20)) ] || fail "the tape holds $held bytes, more than the source"
cmp -n "$held" "$work/image" "$work/back" || fail "what is on the tape is no beginning of the source"
if [ $status = 0 ]; then
  expect_equal "$held" $((64 << 20)) "bytes on the tape of a copy that says it is done"
else
  [ "$held" -gt 0 ] || fail "nothing is on the tape: the kill came too early"
  ! grep ' records of ' "$work/listing" | grep -qv ' 65536 bytes$' || fail "a record was torn"
  offset=$(sed -nE 's/.*--source-offset ([0-9]+).*/\1/p' "$work/copy.log" | tail -n 1)
  [ "${offset:-0}" -le "$held" ] || fail "it says that $offset bytes are on the tape, and $held are"
  [ -s "$work/copy.log" ] || fail "it ended with $status and said nothing"
fi
