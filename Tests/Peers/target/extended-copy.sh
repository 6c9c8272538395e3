#!/bin/bash
# EXTENDED COPY between the disks of the lab, sent by libiscsi: from the thin disk to itself and
# to the disk with larger blocks; the answers to wrong lists are those of the standard.
. "$(dirname "$0")/../peers.sh"
lab_start
random_file "$work/data" $((4 << 20))
cdb -q "$(lab_url 0)" dwrite 0 "$work/data" 512 > "$work/cdb.log" || fail "write of the source"

naa_of() { # LUN: the NAA designator of VPD page 83h, in hex
  cdb -q "$(lab_url "$1")" vpd 0x83 save="$work/vpd" > "$work/cdb.log" || fail "VPD page 83h"
  python3 -c '
import sys
page = open(sys.argv[1], "rb").read()
at = 4
while at + 4 <= len(page):
    kind, length = page[at + 1], page[at + 3]
    if kind & 0x3F == 3 and page[at] & 15 == 1:
        print(page[at + 4 : at + 4 + length].hex())
        break
    at += 4 + length
' "$work/vpd"
}
cscd() { # LUN BLOCK_BYTES: an identification descriptor, SPC-4 6.4.4.2
  local naa
  naa=$(naa_of "$1")
  [ -n "$naa" ] || fail "LUN $1 has no NAA designator"
  printf 'e4000000 010300%02x %s%0*d 00%06x' $((${#naa} / 2)) "$naa" $((40 - ${#naa})) 0 "$2"
}
list() { # TARGETS SEGMENTS: with the 16-byte header
  local targets segments
  targets=$(tr -d ' ' <<< "$1")
  segments=$(tr -d ' ' <<< "$2")
  printf '0110%04x00000000%08x00000000%s%s' $((${#targets} / 2)) $((${#segments} / 2)) \
    "$targets" "$segments"
}
block_to_block() { # SOURCE DESTINATION BLOCKS SOURCE_LBA DESTINATION_LBA
  printf '02000018%04x%04x0000%04x%016x%016x' "$@"
}

both="$(cscd 0 512)$(cscd 1 4096)"
cdb -q "$(lab_url 0)" xcopy "$(list "$both" "$(block_to_block 0 1 8192 0 16)")" > "$work/cdb.log" \
  || fail "thin disk to large blocks"
cdb -q "$(lab_url 1)" dread 16 1024 4096 "$work/back" > "$work/cdb.log"
same_bytes "$work/data" "$work/back" "the copy on LUN 1"
cdb -q "$(lab_url 0)" xcopy "$(list "$(cscd 0 512)" "$(block_to_block 0 0 8192 0 20000)")" \
  > "$work/cdb.log" || fail "thin disk to itself"
cdb -q "$(lab_url 0)" dread 20000 8192 512 "$work/back" > "$work/cdb.log"
same_bytes "$work/data" "$work/back" "the copy on LUN 0"

readonly_too="$(cscd 0 512)$(cscd 2 512)"
cdb "$(lab_url 0)" xcopy "$(list "$readonly_too" "$(block_to_block 0 1 8 0 0)")" expect=cc \
  , rcr 3 , xcopy "$(list "$both" "$(block_to_block 0 9 8 0 0)")" expect=cc \
  , xcopy 01100000000000 expect=5/1a/00 > "$work/cdb.log" || fail "wrong lists"
lab_stop
