#!/bin/bash
# The program's purpose: a server sends EXTENDED COPY to a target port, the disk system finds an
# initiator port that reaches tgtd's drive, and copies: disk to tape with filemarks, back again, to
# a disk of tgtd; the tape is read back by libiscsi. Then what cannot be reached, and a drive that
# is killed.
. "$(dirname "$0")/../peers.sh"
tgt_start
tgt_tape 1 tape "$work/tape.img" 256
tgt_disk 2 disk "$work/disk.img" 64 512
first=$(free_port)
second=$(free_port)
cat > "$work/san.yaml" << YAML
ports:
  CH A(CL1): {designation: target, address: "127.0.0.1:$first", wwn: "5000000000000001"}
  CH B(CL1): {designation: target, address: "127.0.0.1:$second", wwn: "5000000000000002"}
  CH E(CL1): {designation: initiator, san: elsewhere}
  CH F(CL1): {designation: initiator, san: back, address: 127.0.0.1}
groups:
  one: [CH A(CL1), CH E(CL1), CH F(CL1)]
devices:
  tape:
    target: $tgt_name:tape
    unit: 1
    ports: [{san: back, address: "$tgt_portal", wwn: "50000000000000a1"}]
  disk:
    target: $tgt_name:disk
    unit: 1
    ports: [{san: back, address: "$tgt_portal", wwn: "50000000000000a2"}]
units:
  source: {file: source.img, size: 64 MiB}
targets:
  - name: $lab_name
    access:
      - {initiators: any, authentication: none, units: {0: source}}
YAML
: > "$work/ecopyd.log"
start ecopyd "$ecopyd" --config "$work/san.yaml" --state "$work/state"
within 30 grep -q '^ecopyd: listening on ' "$work/ecopyd.log" || fail "ecopyd did not start"
unit="iscsi://127.0.0.1:$first/$lab_name/0"
other="iscsi://127.0.0.1:$second/$lab_name/0"

own=5000000000000001 tape=50000000000000a1 disk=50000000000000a2
wwn() { # WWN LUN TYPE PARAMETERS: E0h, SPC-4 6.4.4.3
  printf 'e0%02x0000 %016x %s%016d %s' "$3" $(($2 << 48)) "$1" 0 "$4"
}
own_disk() { wwn $own 0 0 00000200; }
remote_disk() { wwn $disk 1 0 00000200; }
remote_tape() { wwn "${1:-$tape}" 1 1 04000000; }
list() { # TARGETS SEGMENTS: with the 16-byte header
  local targets segments
  targets=$(tr -d ' ' <<< "$1")
  segments=$(tr -d ' ' <<< "$2")
  printf '0110%04x00000000%08x00000000%s%s' $((${#targets} / 2)) $((${#segments} / 2)) \
    "$targets" "$segments"
}
# TYPE SOURCE DESTINATION RECORD_BYTES BLOCKS LBA: 00h and 01h
stream() { printf '%02x000014%04x%04x00%06x0000%04x%016x' "$@"; }
filemark() { printf '10000008%04x%04x00%06x' 0 "$1" 1; } # DESTINATION
space_to() { printf '11000008%04x%04x%02x%06x' 0 "$1" "$2" $(($3 & 0xffffff)); }
blocks() { printf '02000018%04x%04x0000%04x%016x%016x' "$@"; }
copy() { cdb -q "${3:-$unit}" xcopy "$(list "$1" "$2")" ${4:+expect=$4} > "$work/cdb.log" || fail "$5"; }

random_file "$work/data" $((4 << 20))
cdb -q "$unit" dwrite 0 "$work/data" 512 > "$work/cdb.log" || fail "write of the source"

copy "$(own_disk)$(remote_tape)" "$(stream 0 0 1 65536 8192 0)$(filemark 1)" "$unit" "" \
  "disk to tape"
# The tape stays where the copy left it: a second one goes behind it.
copy "$(own_disk)$(remote_tape)" "$(stream 0 0 1 262144 2048 0)$(filemark 1)" "$unit" "" \
  "disk to tape, behind the first"
head -c $((1 << 20)) "$work/data" | cat "$work/data" - > "$work/all"
expect_tape "$(tgt_url tape)" "$work/all" "64 records of 65536 bytes" filemark \
  "4 records of 262144 bytes" filemark "end of data"

cdb -q "$(tgt_url tape)" rewind > "$work/cdb.log"
copy "$(remote_tape)$(own_disk)" "$(stream 1 0 1 65536 8192 16384)" "$unit" "" "tape to disk"
cdb -q "$unit" dread 16384 8192 512 "$work/back" > "$work/cdb.log"
same_bytes "$work/data" "$work/back" "what was restored"

copy "$(own_disk)$(remote_disk)" "$(blocks 0 1 8192 0 64)" "$unit" "" "disk to another system"
cdb -q "$(tgt_url disk)" dread 64 8192 512 "$work/back" > "$work/cdb.log"
same_bytes "$work/data" "$work/back" "the copy on the other system"

expect_match "$(cat "$work/ecopyd.log")" 'tape through CH E\(CL1\): .*another SAN' \
  "the port that cannot reach the drive"

# A device that is not there, one that another group's port would have to reach, and a drive that was
# killed.
copy "$(own_disk)$(remote_tape 50000000000000ff)" "$(stream 0 0 1 65536 128 0)" "$unit" a/0d/02 \
  "an unknown device"
copy "$(own_disk)$(remote_tape)" "$(stream 0 0 1 65536 128 0)" "$other" 5/26/07 "a port in no group"
stop tgtd KILL
copy "$(own_disk)$(remote_tape)" "$(stream 0 0 1 65536 128 0)" "$unit" a/0d/02 "a drive that is gone"
expect_match "$(cat "$work/ecopyd.log")" 'tape through CH F\(CL1\): .*no connection' "the reason"
# Page 30h belongs to the nexus: the copy and the question go in one session.
cdb -k "$unit" xcopy "$(list "$(own_disk)$(remote_tape)" "$(stream 0 0 1 65536 128 0)")" expect=a/0d/02 \
  , cdb 4d007000000000100000 in=4096 save="$work/page" > "$work/cdb.log" || fail "log page 30h"
expect_match "$(tr -c '[:print:]' ' ' < "$work/page")" 'tape through CH F.CL1.: .*no connection' \
  "log page 30h"
cdb -q "$unit" tur > "$work/cdb.log" || fail "the disk after all that"
lab_stop
