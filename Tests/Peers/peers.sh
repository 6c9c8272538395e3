# What the tests against other people's programs share. Sourced, not run. Each test gets:
#   $work      a directory of its own, removed at the end
#   $ecopy     our program to copy with; $ecopyd our disk system (ECOPY=, ECOPYD= name others)
# Whatever a test starts with `start` ends with the test. A test fails by `fail`, or by any command
# that fails.
set -euo pipefail
PATH="$PATH:/usr/sbin:/sbin"

peers=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$peers/../.." && pwd)
built=$root/.build/peers
PATH="$built:$PATH"
ecopy=${ECOPY:-$root/.build/debug/ecopy}
ecopyd=${ECOPYD:-$root/.build/debug/ecopyd}
work=$(mktemp -d "${TMPDIR:-/tmp}/ecopy-peers-XXXXXX")
tgt_name=iqn.2026-11.org.ecopy.test.tgt
lab_name=iqn.2026-11.org.ecopy:disks
declare -A started=()

say() { printf '%s\n' "$*"; }

# Ends the test, and shows the end of what everything it started had to say.
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  for log in "$work"/*.log; do
    [ -s "$log" ] || continue
    printf -- '--- %s\n' "${log##*/}" >&2
    tail -n 25 "$log" >&2
  done
  exit 1
}

require() {
  for program in "$@"; do
    command -v "$program" > /dev/null || fail "$program is not here: .ci/prerequisites test"
  done
}

finish() {
  local status=$? name
  [ $BASHPID = $$ ] || exit $status # a subshell that was ended before it forgot this trap
  trap - EXIT
  for name in "${!started[@]}"; do stop "$name" KILL; done
  rm -rf "$work"
  exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM

# start NAME COMMAND…: in the background; what it prints goes to $work/NAME.log.
start() {
  local name=$1
  shift
  "$@" >> "$work/$name.log" 2>&1 < /dev/null &
  started[$name]=$!
}

# stop NAME [SIGNAL]: and wait until it is gone, at most 10 s before it is killed. The shell's own
# words about a killed process are not wanted.
stop() {
  local pid=${started[$1]:-} signal=${2:-TERM}
  [ -n "$pid" ] || return 0
  {
    kill "-$signal" "$pid" || true
    within 10 not_running "$pid" || kill -KILL "$pid" || true
    wait "$pid" || true
  } 2> /dev/null
  unset "started[$1]"
}

is_running() { [ -n "${started[$1]:-}" ] && kill -0 "${started[$1]}" 2> /dev/null; }

not_running() { ! kill -0 "$1"; }

# within SECONDS COMMAND…: until it succeeds.
within() {
  local tries=$(($1 * 10))
  shift
  while ! "$@" > /dev/null 2>&1; do
    [ $((tries -= 1)) -gt 0 ] || return 1
    sleep 0.1
  done
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

random_file() { head -c "$2" /dev/urandom > "$1"; }
sum_of() { sha256sum < "$1" | cut -d ' ' -f 1; }
same_bytes() { cmp "$1" "$2" >&2 || fail "$1 and $2 differ${3:+: $3}"; }

expect_equal() { # FOUND WANTED WHAT
  [ "$1" = "$2" ] || fail "$3: found '$1', wanted '$2'"
}
expect_match() { # TEXT EXTENDED-REGULAR-EXPRESSION WHAT
  grep -qE -- "$2" <<< "$1" || fail "$3: nothing like '$2' in: $1"
}

# refused WHAT COMMAND…: the command must fail within its time, and end by itself.
refused() {
  local what=$1 status=0
  shift
  timeout 30 "$@" > "$work/refused.log" 2>&1 || status=$?
  [ $status != 0 ] || fail "$what: was allowed"
  [ $status -lt 124 ] || fail "$what: ended with $status"
}

# ---- The independent checker. -------------------------------------------------------------------

# cdb …: iscsi-cdb, compiled where its source is newer.
cdb() { iscsi-cdb "$@"; }
compile_checker() {
  mkdir -p "$built"
  (
    flock 9
    [ "$built/iscsi-cdb" -nt "$peers/iscsi-cdb.c" ] && exit
    gcc -std=gnu17 -O2 -Wall -Wextra -Werror -o "$built/iscsi-cdb" "$peers/iscsi-cdb.c" \
      -liscsi -lcrypto
  ) 9> "$built/lock" || fail "iscsi-cdb does not compile"
}

# What a tape holds from its beginning: runs of records, filemarks, end of data, totals. Reads ask
# for twice the longest record or more, since tgtd 1.0.85 gives wrong bytes to a read that asks
# for less.
tape_read() { # URL FILE
  cdb -q "$1" rewind , tread "$2" max=4194304
}
expect_tape() { # URL FILE LISTING…: the bytes of FILE in just these records
  local url=$1 file=$2 listing
  shift 2
  listing=$(tape_read "$url" "$work/tape.read") || fail "the tape cannot be read: $listing"
  expect_equal "$(grep '^  ' <<< "$listing" | sed 's/^ *//')" "$(printf '%s\n' "$@")" "the tape"
  same_bytes "$work/tape.read" "$file" "what is on the tape"
  rm "$work/tape.read"
}

# ---- tgtd, a target that is not ours. -----------------------------------------------------------

tgtadm_() { TGT_IPC_SOCKET=$work/tgt.ipc tgtadm --lld iscsi "$@"; }

# tgt_start: on $tgt_portal. After a kill it comes back on the same port; add its units again then.
tgt_start() {
  require tgtd tgtadm tgtimg
  : "${tgt_port:=$(free_port)}"
  tgt_portal=127.0.0.1:$tgt_port
  rm -f "$work"/tgt.ipc*
  start tgtd env TGT_IPC_SOCKET="$work/tgt.ipc" tgtd -f --iscsi "portal=$tgt_portal"
  within 10 tgtadm_ --mode target --op show || fail "tgtd did not start"
}

tgt_new_target() { # TID NAME
  tgtadm_ --mode target --op new --tid "$1" -T "$tgt_name:$2"
  tgtadm_ --mode target --op bind --tid "$1" -I ALL
}

# A disk as LUN 1 of a new target: iscsi://$tgt_portal/$tgt_name:NAME/1
tgt_disk() { # TID NAME FILE MIB BLOCK_BYTES
  [ -e "$3" ] || truncate -s "$4M" "$3"
  tgt_new_target "$1" "$2"
  tgtadm_ --mode logicalunit --op new --tid "$1" --lun 1 -b "$3" --blocksize "$5"
}

# A tape drive with its cartridge as LUN 1 of a new target; FILE is kept if it is there.
tgt_tape() { # TID NAME FILE MIB
  [ -e "$3" ] || tgtimg --op new --device-type tape --barcode "$(printf 'T%07d' "$1")" \
    --size "$4" --type data --file "$3" --thin-provisioning > /dev/null
  tgt_new_target "$1" "$2"
  tgtadm_ --mode logicalunit --op new --tid "$1" --lun 1 -b "$3" --device-type tape --bstype ssc
}

# CHAP for a target; with two more words mutual.
tgt_chap() { # TID USER PASSWORD [TARGET_USER TARGET_PASSWORD]
  tgtadm_ --mode account --op new --user "$2" --password "$3"
  tgtadm_ --mode account --op bind --tid "$1" --user "$2"
  [ $# -ge 5 ] || return 0
  tgtadm_ --mode account --op new --user "$4" --password "$5"
  tgtadm_ --mode account --op bind --tid "$1" --user "$4" --outgoing
}

# Nothing but CRC32C for headers and data.
tgt_digests() { # TID
  tgtadm_ --mode target --op update --tid "$1" --name HeaderDigest --value CRC32C
  tgtadm_ --mode target --op update --tid "$1" --name DataDigest --value CRC32C
}

tgt_url() { printf 'iscsi://%s%s/%s:%s/1' "${2:+$2@}" "$tgt_portal" "$tgt_name" "$1"; }

# ---- Our disk system. ---------------------------------------------------------------------------

# lab_start [CONFIGURATION]: on $lab_portal, with its state in $work/state. PEER_TARGET=tgtd puts
# tgtd in its place, one LUN higher: then a test that fails is wrong itself, or tgtd is.
lab_start() {
  local configuration=${1:-$root/examples/lab.yaml}
  if [ "${PEER_TARGET:-ecopyd}" = tgtd ]; then
    tgtd_as_lab
    return
  fi
  : > "$work/ecopyd.log"
  start ecopyd "$ecopyd" --config "$configuration" --state "$work/state" \
    --listen "127.0.0.1:${lab_port:-0}"
  within 30 grep -q '^ecopyd: listening on ' "$work/ecopyd.log" || fail "ecopyd did not start"
  lab_portal=$(sed -n 's/^ecopyd: listening on //p' "$work/ecopyd.log" | head -n 1)
  lab_port=${lab_portal##*:}
}

tgtd_as_lab() {
  local lun file
  mkdir -p "$work/state"
  tgt_start
  lab_name=$tgt_name:lab lab_portal=$tgt_portal lab_port=$tgt_port
  tgt_disk 1 lab "$work/state/thin.img" 512 512
  for file in big-blocks:256:4096 read-only:64:512; do
    lun=3
    [ "${file%%:*}" = read-only ] || lun=2
    truncate -s "$(cut -d : -f 2 <<< "$file")M" "$work/state/${file%%:*}.img"
    tgtadm_ --mode logicalunit --op new --tid 1 --lun "$lun" -b "$work/state/${file%%:*}.img" \
      --blocksize "${file##*:}"
    tgtadm_ --mode logicalunit --op update --tid 1 --lun "$lun" --params thin_provisioning=1
  done
  tgtadm_ --mode logicalunit --op update --tid 1 --lun 1 --params thin_provisioning=1
  tgtadm_ --mode logicalunit --op update --tid 1 --lun 3 --params readonly=1
  [ -z "${chap_name:-}" ] || {
    chap_name=$tgt_name:chap
    tgt_disk 2 chap "$work/state/guarded.img" 16 512
    tgt_chap 2 alice alice-password-1 target target-password-2
  }
}

# It must end by SIGTERM within its time, and say so by its exit status.
lab_stop() {
  local pid status=0
  if [ "${PEER_TARGET:-ecopyd}" = tgtd ]; then
    stop tgtd KILL
    return
  fi
  pid=${started[ecopyd]}
  kill -TERM "$pid"
  within 10 not_running "$pid" || fail "ecopyd goes on after SIGTERM"
  wait "$pid" || status=$?
  unset "started[ecopyd]"
  expect_equal $status 0 "the exit status of ecopyd after SIGTERM"
}

lab_lun() {
  local lun=$1
  [ "${PEER_TARGET:-ecopyd}" = ecopyd ] || lun=$((lun + 1))
  echo "$lun"
}
lab_url() { # LUN [USER%PASSWORD]
  printf 'iscsi://%s%s/%s/%s' "${2:+$2@}" "$lab_portal" "$lab_name" "$(lab_lun "$1")"
}

compile_checker
