#!/bin/bash
# What libiscsi can ask of a session: header digests, no immediate data, InitialR2T=No, resets;
# every way the same bytes.
. "$(dirname "$0")/../peers.sh"
lab_start
random_file "$work/data" $((3 << 20))
lba=0
for options in "" -H -N -R "-H -N" "-H -R" "-N -R" "-H -N -R"; do
  # shellcheck disable=SC2086
  cdb -q $options "$(lab_url 0)" dwrite $lba "$work/data" 512 , dread $lba 6144 512 "$work/back" \
    > "$work/cdb.log" || fail "session with '$options'"
  same_bytes "$work/data" "$work/back" "session with '$options'"
  lba=$((lba + 8192))
done
cdb -q "$(lab_url 1)" dwrite 5 "$work/data" 4096 , dread 5 768 4096 "$work/back" > "$work/cdb.log" \
  || fail "blocks of 4096 bytes"
same_bytes "$work/data" "$work/back" "blocks of 4096 bytes"

# A unit attention after the login and after a reset, each once (SAM-5 5.14).
cdb -n "$(lab_url 0)" tur expect=6/29/00 , tur , lunreset , tur expect=cc , tur > "$work/cdb.log" \
  || cdb -n "$(lab_url 0)" tur expect=6/29/01 , tur , lunreset , tur expect=cc , tur > "$work/cdb.log" \
  || fail "unit attentions"
# An operation code that nobody has, a range behind the end, and a logical unit that is not there.
cdb "$(lab_url 0)" cdb ff00000000000000000000000000 expect=5/20/00 \
  , cdb 28000020000000000100 in=512 expect=5/21/00 > "$work/cdb.log" || fail "illegal requests"
cdb -n "$(lab_url 9)" cdb 000000000000 expect=5/25/00 > "$work/cdb.log" || fail "a missing LUN"
cdb "$(lab_url 2)" cdb 2a000000000000000100 outz=512 expect=7/27/00 > "$work/cdb.log" \
  || fail "a write to the read-only disk"
lab_stop
