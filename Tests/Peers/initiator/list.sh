#!/bin/bash
# A parameter list of EXTENDED COPY whose disk and tape are both reached through an initiator port.
. "$(dirname "$0")/../peers.sh"
. "$peers/initiator/copying.sh"
tgt_start
tgt_disk 1 disk "$work/disk.img" 64 512
tgt_tape 2 tape "$work/tape.img" 256
random_file "$work/disk.img" $((64 << 20))
"$ecopy" list encode "$root/examples/backup.yaml" -o "$work/backup.bin" > "$work/ecopy.log" 2>&1 \
  || fail "ecopy list encode"
timeout 60 "$ecopy" run "$work/backup.bin" --cscd "0=$(tgt_url disk)" --cscd "1=$(tgt_url tape)" \
  --progress none > "$work/ecopy.log" 2>&1 || fail "ecopy run: exit $?"
listing=$(tape_read "$(tgt_url tape)" "$work/tape.read") || fail "the tape cannot be read"
expect_equal "$(grep '^  ' <<< "$listing" | sed 's/^ *//')" \
  "$(printf '%s\n' "1 records of 64 bytes" "1024 records of 65536 bytes" filemark "end of data")" "the tape"
tail -c +65 "$work/tape.read" > "$work/read"
same_bytes "$work/read" "$work/disk.img" "the disk on the tape"
