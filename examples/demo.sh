#!/bin/bash
# Usage: examples/demo.sh [--keep]        (make demo)
# Backs a disk up to a tape by EXTENDED COPY, once with a parameter list in the 12-byte-header form
# of a backup server and once in the SPC-2 form, reads the tape back, restores the disk, copies it to
# the tape drive of another iSCSI target too, and checks everything with programs that are not ours. Exit 0 only if all of it is true.
# ECOPY_DEMO_MIB sets the size of the disk (default 1024). --keep leaves the files in .build/demo.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PATH:/usr/sbin:/sbin"

disk_mib=${ECOPY_DEMO_MIB:-1024}
keep=no
[ "${1:-}" = --keep ] && keep=yes

place=.build/demo
disk=$place/disk.img
tape=$place/cartridge
restored=$place/restored.img
disk_naa=600140500000000000000000000d15c0
tape_naa=500140500000ca55
record_bytes=1048576
block_bytes=512

say() { printf '%s\n' "$*"; }
step() { printf '\n%s\n' "$*"; }
false_statement() {
  printf '\nNOT TRUE: %s\n' "$*" >&2
  exit 1
}
# What ecopy says beside its results (no locked memory, no direct I/O) is told once, at the end.
run_ecopy() { "$ecopy" "$@" 2>> $place/notes.txt; }
tell_notes() {
  [ -s $place/notes.txt ] || return 0
  step "$1"
  sort -u $place/notes.txt | fold -s -w 100 | sed 's/^/   /'
}
finish() {
  local status=$?
  [ -z "${tgtd:-}" ] || { kill -KILL "$tgtd" && wait "$tgtd"; } 2> /dev/null || true
  [ $status = 0 ] || tell_notes "What ecopy said:" >&2
  if [ "$keep" = yes ]; then say "The files are kept in $place."; else rm -rf "$place"; fi
  [ $status = 0 ] || printf '\nThe demo failed (exit %s).\n' $status >&2
}
now_ms() { echo $(($(date +%s%N) / 1000000)); }
thousands() { printf "%s" "$1" | sed -E ':a;s/^([0-9]+)([0-9]{3})/\1,\2/;ta'; }
in_seconds() { printf '%d.%02d s' $(($1 / 1000)) $(($1 % 1000 / 10)); }
rate() { printf '%d MB/s' $(($1 / 1000 / ($2 > 0 ? $2 : 1))); }
size_of() { stat -c %s "$1"; }
sum_of() { sha256sum < "$1" | cut -d ' ' -f 1; }
# The number behind the last "NAME": in a JSON text.
number() { sed -nE "s/.*\"$1\" *: *([0-9]+).*/\1/p" | tail -n 1; }

# ---- The parameter list, in bytes: two CSCD descriptors, the segments, a filemark. ---------------

hex() { printf '%0*x' $(($2 * 2)) "$1"; }
bytes() { printf '%b' "$(tr -d ' \n' <<< "$*" | sed 's/../\\x&/g')"; }

segments_in_hex() {
  local left=$((disk_mib * 1048576 / block_bytes)) at=0 count cat
  while [ $left -gt 0 ]; do
    count=$((left < 65535 ? left : 65535))
    left=$((left - count))
    cat=$((left > 0 ? 1 : 0)) # what does not fill a record goes on in the next segment
    echo "00 $(hex $cat 1) 0014 0000 0001 00 $(hex $record_bytes 3) 0000 $(hex $count 2) $(hex $at 8)"
    at=$((at + count))
  done
  echo "10 00 0008 0000 0001 00 000001"
}

targets_in_hex() {
  echo "e4 00 0000 01030010 $disk_naa 00000000 00 $(hex $block_bytes 3)"
  echo "e4 01 0000 01030008 $tape_naa 000000000000000000000000 00 000000"
}

write_lists() {
  local targets segments target_bytes segment_bytes
  targets=$(targets_in_hex | tr -d ' \n')
  segments=$(segments_in_hex | tr -d ' \n')
  target_bytes=$((${#targets} / 2))
  segment_bytes=$((${#segments} / 2))
  bytes "01 10 $(hex $target_bytes 2) 00000000 $(hex $segment_bytes 4)" \
    "$targets $segments" > $place/vendor.bin
  bytes "02 10 $(hex $target_bytes 2) 00000000 $(hex $segment_bytes 4) 00000000" \
    "$targets $segments" > $place/spc2.bin
  segment_count=$((${#segments} / 48))
}

# ---- What a disk holds: text, and files that do not compress. ------------------------------------

fill_tree() {
  local tree=$1 random_mib=$((disk_mib * 11 / 16)) i
  mkdir -p "$tree/text" "$tree/data"
  for i in $(seq 1 200); do
    seq -f "line %.0f of file $i of the demo" $((i * 100)) $((i * 100 + 4000)) \
      > "$tree/text/file-$i.txt"
  done
  cp -r README.md Sources Tests "$tree/" 2> /dev/null || true
  for i in $(seq 1 16); do
    head -c $((random_mib * 65536)) /dev/urandom > "$tree/data/part-$i.bin"
  done
}

# ---- A tape drive that is not ours: Debian's tgtd, reached over iSCSI. ----------------------------

target=iqn.2026-11.org.ecopy.demo:tape
tgt_admin() { tgtadm --lld iscsi "$@" 2>> $place/tgt.txt; }

start_tgtd() {
  local port=13260
  while (exec 3<> /dev/tcp/127.0.0.1/$port) 2> /dev/null; do port=$((port + 1)); done
  portal=127.0.0.1:$port
  export TGT_IPC_SOCKET=$PWD/$place/tgt.ipc
  tgtd -f --iscsi "portal=$portal" >> $place/tgt.txt 2>&1 &
  tgtd=$!
  local tries=100
  until tgt_admin --mode target --op show > /dev/null; do
    [ $((tries -= 1)) -gt 0 ] || return 1
    sleep 0.1
  done
  tgtimg --op new --device-type tape --barcode DEMO0001 --size $((disk_mib + 64)) --type data \
    --file $place/tgt-tape.img --thin-provisioning > /dev/null &&
    tgt_admin --mode target --op new --tid 1 -T $target &&
    tgt_admin --mode target --op bind --tid 1 -I ALL &&
    tgt_admin --mode logicalunit --op new --tid 1 --lun 1 -b "$PWD/$place/tgt-tape.img" \
      --device-type tape --bstype ssc
}

# ---- The demo. -----------------------------------------------------------------------------------

say "ecopy demo: a disk of $disk_mib MiB goes to a tape by EXTENDED COPY, twice, and comes back."

step "1. Build ecopy (release)"
began=$(now_ms)
swift build -c release -Xswiftc -enforce-exclusivity=unchecked --product ecopy 2>&1 | tail -n 1 | sed 's/^/   /'
ecopy=$(swift build -c release --show-bin-path)/ecopy
[ -x "$ecopy" ] || false_statement "the build made $ecopy"
say "   done in $(in_seconds $(($(now_ms) - began)))"

trap finish EXIT
rm -rf "$place"
mkdir -p "$place"
free_mib=$(df -Pm "$place" | awk 'NR == 2 { print $4 }')
needed_mib=$((disk_mib * 7 + 100))
[ "$free_mib" -ge $needed_mib ] ||
  false_statement "there are $needed_mib MiB free here (only $free_mib are); ECOPY_DEMO_MIB=256 asks less"

step "2. Make a disk: an ext4 file system with real files"
fill_tree $place/tree
truncate -s "${disk_mib}M" $disk
mke2fs -q -F -t ext4 -d $place/tree $disk > /dev/null
e2fsck -fn $disk > /dev/null 2>&1 || false_statement "e2fsck finds the new disk clean"
disk_bytes=$(size_of $disk)
disk_sum=$(sum_of $disk)
say "   $disk: $(thousands "$disk_bytes") bytes," \
  "$(find $place/tree -type f | wc -l) files with $(du -sm $place/tree | cut -f 1) MiB in them"
say "   SHA-256 $disk_sum"
rm -rf $place/tree

step "3. Write what a backup server would send: EXTENDED COPY parameter lists"
write_lists
say "   vendor.bin  12-byte header of a backup server, $(size_of $place/vendor.bin) bytes"
say "   spc2.bin    16-byte header of SPC-2,           $(size_of $place/spc2.bin) bytes"
say "   both: copy $(thousands $((disk_bytes / block_bytes))) blocks of $block_bytes bytes to the tape" \
  "in records of $(thousands $record_bytes) bytes, then a filemark"
run_ecopy list decode $place/vendor.bin > $place/vendor.txt ||
  false_statement "ecopy list decode reads vendor.bin"

step "4. Make an empty virtual cartridge and run both lists onto it"
run_ecopy tape create $tape | sed 's/^/   /'
position=0
total_copied=0
for list in vendor spc2; do
  began=$(now_ms)
  result=$(run_ecopy run $place/$list.bin --format json \
    --device "$disk,block=$block_bytes,naa=$disk_naa" \
    --device "tape:$tape,naa=$tape_naa,position=$position") ||
    false_statement "ecopy run $list.bin ends with GOOD: $result"
  took=$(($(now_ms) - began))
  written=$(number bytesWritten <<< "$result")
  copied=$(number payloadBytesCopied <<< "$result")
  position=$(number position <<< "$result")
  [ "$(number status <<< "$result")" = 0 ] || false_statement "the status of $list.bin is GOOD"
  [ "$written" = "$disk_bytes" ] ||
    false_statement "$list.bin wrote $disk_bytes bytes to the tape (it says $written)"
  [ "$copied" = 0 ] || false_statement "$list.bin copied no payload byte in user space (it says $copied)"
  total_copied=$((total_copied + copied))
  printf '   %-11s %s bytes in %s: %s, %s payload bytes copied in user space\n' \
    "$list.bin" "$(thousands "$written")" "$(in_seconds $took)" "$(rate "$written" $took)" "$copied"
done
say "   What is on the tape now:"
run_ecopy tape list $tape | sed 's/^/     /'

step "5. Read the tape back and compare, with sha256sum"
for file in 1 2; do
  run_ecopy tape cat $tape --file $file > $place/file.img
  file_sum=$(sum_of $place/file.img)
  [ "$file_sum" = "$disk_sum" ] || false_statement "tape file $file equals the disk (it is $file_sum)"
  say "   tape file $file: $file_sum: the same"
  rm -f $place/file.img
done

step "6. Restore to a second disk, and let e2fsck look at it"
began=$(now_ms)
run_ecopy copy "tape:$tape" $restored > /dev/null
took=$(($(now_ms) - began))
[ "$(sum_of $restored)" = "$disk_sum" ] || false_statement "the restored disk equals the first one"
e2fsck -fn $restored > $place/e2fsck.txt 2>&1 || {
  cat $place/e2fsck.txt >&2
  false_statement "e2fsck finds the restored disk clean"
}
say "   restored in $(in_seconds $took) ($(rate "$disk_bytes" $took)); SHA-256 the same; e2fsck: clean"

step "7. The same disk to the tape drive of another target (tgtd) over iSCSI, read by another initiator"
start_tgtd || {
  cat $place/tgt.txt >&2
  false_statement "tgtd starts and has a tape drive"
}
gcc -std=gnu17 -O2 -o $place/reader Tests/Peers/iscsi-cdb.c -liscsi -lcrypto
began=$(now_ms)
result=$(run_ecopy copy $disk "iscsi://$portal/$target/1" --block-size 1MiB --filemark \
  --progress none --format json) ||
  false_statement "ecopy copy to iscsi://$portal/$target/1 ends well: $result"
took=$(($(now_ms) - began))
copied=$(number payloadBytesCopied <<< "$result")
[ "$copied" = 0 ] || false_statement "no payload byte was copied in user space (it says $copied)"
say "   written in $(in_seconds $took) ($(rate "$disk_bytes" $took)), 0 payload bytes copied in user space"
$place/reader -q "iscsi://$portal/$target/1" rewind , tread $place/file.img max=4194304 \
  > $place/reader.txt || false_statement "libiscsi's initiator reads the tape"
[ "$(sum_of $place/file.img)" = "$disk_sum" ] || false_statement "the tape of tgtd equals the disk"
say "   read back by an initiator on libiscsi: $(sum_of $place/file.img): the same"

tell_notes "What this machine could give, and did not ('ecopy doctor' tells more):"
step "All of it is true: two EXTENDED COPY commands put the same $disk_mib MiB on one tape, $total_copied payload
bytes were copied in user space on the way, both tape files, the restored disk and the tape behind
iSCSI equal the source."
