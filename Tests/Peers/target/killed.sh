#!/bin/bash
# kill -9 in the middle of writes: everything that SYNCHRONIZE CACHE or FUA acknowledged is there.
. "$(dirname "$0")/../peers.sh"
lab_port=$(free_port)
pieces=1500
random_file "$work/data" $((pieces << 16))
split -b 65536 -d -a 4 "$work/data" "$work/piece."

# Piece after piece, each made durable by `$1` before the next; answers are counted as they come.
writes=()
prepare() { # flush|fua
  local number lba
  writes=()
  for ((number = 0; number < pieces; number++)); do
    lba=$((number * 128))
    if [ "$1" = fua ]; then
      writes+=(, cdb "2a08$(printf '%08x' $lba)00008000" "out=@$work/piece.$(printf %04d $number)")
    else
      writes+=(, dwrite $lba "$work/piece.$(printf %04d $number)" 512 , cdb 35000000000000000000)
    fi
  done
}
acknowledged() { grep -c '^cdb: status 00' "$work/writer.log" || true; }
has() { [ "$(acknowledged)" -ge "$1" ]; }

for way in flush fua; do
  for after in 3 100; do
    rm -rf "$work/state" "$work/writer.log"
    lab_start
    prepare $way
    start writer iscsi-cdb "$(lab_url 0)" "${writes[@]:1}"
    within 30 has $after || fail "$way: only $(acknowledged) answers"
    stop ecopyd KILL
    stop writer KILL
    count=$(acknowledged)
    [ "$count" -lt $pieces ] || fail "$way: it was killed too late"
    lab_start
    cdb -q "$(lab_url 0)" dread 0 $((count * 128)) 512 "$work/back" > "$work/cdb.log" \
      || fail "$way: reading after the kill"
    head -c $((count << 16)) "$work/data" > "$work/wanted"
    same_bytes "$work/wanted" "$work/back" "$way: $count acknowledged writes"
    say "$way: $count acknowledged writes of $pieces are there"
    lab_stop
  done
done
