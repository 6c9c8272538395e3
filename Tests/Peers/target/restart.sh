#!/bin/bash
# What SYNCHRONIZE CACHE acknowledged is there after kill -9 and a new start, with the same
# identification; a clean end leaves the same.
. "$(dirname "$0")/../peers.sh"
# The same portal each time: its ports keep their relative identifiers.
lab_port=$(free_port)
lab_start
random_file "$work/data" $((2 << 20))
cdb -q "$(lab_url 0)" dwrite 100 "$work/data" 512 , cdb 35000000000000000000 > "$work/cdb.log" \
  || fail "write and SYNCHRONIZE CACHE"
identification() { cdb "$(lab_url 0)" vpd 0x83 , vpd 0x80; }
identification > "$work/before"
stop ecopyd KILL
lab_start
identification > "$work/after"
same_bytes "$work/before" "$work/after" "VPD pages 83h and 80h after kill -9"
cdb -q "$(lab_url 0)" dread 100 4096 512 "$work/back" > "$work/cdb.log" || fail "read after kill -9"
same_bytes "$work/data" "$work/back" "data after kill -9"
lab_stop
lab_start
cdb -q "$(lab_url 0)" dread 100 4096 512 "$work/back" > "$work/cdb.log" || fail "read after SIGTERM"
same_bytes "$work/data" "$work/back" "data after SIGTERM"
lab_stop
