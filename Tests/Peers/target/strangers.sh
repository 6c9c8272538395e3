#!/bin/bash
# Many who come and go, in good order or not, and many who come and say nothing: the daemon keeps its
# memory and its descriptors, and a session that is there goes on meanwhile.
. "$(dirname "$0")/../peers.sh"
require python3
strangers() { "$peers/strangers" "$@" >&2; }
descriptors() { find "/proc/${started[ecopyd]}/fd" -mindepth 1 | wc -l; }
resident() { sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB$/\1/p' "/proc/${started[ecopyd]}/status"; }
same_descriptors() { [ "$(descriptors)" -eq "$open" ]; }
# What has come back may be kept for later, but does not grow.
as_before() { # WHAT
  within 20 same_descriptors || fail "$1: $(descriptors) descriptors, $open before"
  local kilobytes
  kilobytes=$(resident)
  [ "$kilobytes" -le $((before + 8192)) ] || fail "$1: $kilobytes kB, $before before"
}

lab_start
open=$(descriptors)
strangers cycles "$lab_portal" 500 --target "$lab_name" || fail "logins"
strangers cut "$lab_portal" 300 --target "$lab_name" || fail "sessions that are cut"
within 20 same_descriptors || fail "warm up: $(descriptors) descriptors, $open before"
before=$(resident)

strangers cycles "$lab_portal" 10000 --target "$lab_name" || fail "10,000 logins"
as_before "10,000 logins and logouts"
strangers cut "$lab_portal" 3000 --target "$lab_name" || fail "3,000 sessions that are cut"
as_before "3,000 sessions cut in the middle of something"

# Reads of one session, over the whole time in which strangers hold every place for logins.
reads=()
for _ in {1..3000}; do reads+=(, dread 0 2048 512 /dev/null); done
start reader iscsi-cdb -q "$(lab_url 0)" tur "${reads[@]}"
reader=${started[reader]}
strangers silent "$lab_portal" 10000 || fail "10,000 silent connections"
wait "$reader" || fail "the session that was there: $(tail -n 3 "$work/reader.log")"
unset "started[reader]"
as_before "10,000 connections that say nothing"

# All room is there again: a write of 8 MiB, and reading it back.
random_file "$work/data" $((8 << 20))
cdb -q "$(lab_url 0)" dwrite 0 "$work/data" 512 , dread 0 16384 512 "$work/back" > "$work/cdb.log" \
  || fail "a session afterwards"
same_bytes "$work/data" "$work/back" "a session afterwards"
lab_stop
