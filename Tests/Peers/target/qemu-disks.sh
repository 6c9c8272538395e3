#!/bin/bash
# QEMU's programs write, read, compare, discard and zero both disks of the lab; what the disks hold
# is read from the files behind them, too.
. "$(dirname "$0")/../peers.sh"
require qemu-img qemu-io
lab_start

random_file "$work/image" $((24 << 20))
io() { # LUN COMMAND…: one qemu-io, every command of which must succeed
  local url
  url=$(lab_url "$1")
  shift
  local commands=() command
  for command in "$@"; do commands+=(-c "$command"); done
  qemu-io -f raw "${commands[@]}" "$url" > "$work/qemu-io.log" 2>&1 || fail "qemu-io $*"
  ! grep -qiE 'error|failed|invalid|verification' "$work/qemu-io.log" || fail "qemu-io $*"
}

for lun in 0 1; do
  url=$(lab_url $lun)
  file=$work/state/$([ $lun = 0 ] && echo thin.img || echo big-blocks.img)
  for place in "$work/state/units/${file##*/}" "$file"; do [ -e "$place" ] && file=$place; done

  qemu-img convert -n -f raw -O raw -W -m 8 "$work/image" "$url" || fail "convert to LUN $lun"
  cmp -n $((24 << 20)) "$work/image" "$file" || fail "LUN $lun: its file does not hold the image"
  qemu-img convert -f raw -O raw "$url" "$work/back" || fail "convert from LUN $lun"
  qemu-img compare -q -f raw -F raw "$work/back" "$url" || fail "LUN $lun differs from its copy"
  cmp -n $((24 << 20)) "$work/image" "$work/back" || fail "LUN $lun: wrong bytes were read"

  # A pattern, zeros inside it, and a hole on the thin disk; qemu-io compares what it reads.
  io $lun 'write -P 0x5a 1M 4M' 'flush' 'write -z 2M 64k' 'flush'
  io $lun 'read -P 0x5a 1M 1M' 'read -P 0 2M 64k' 'read -P 0x5a 2112k 2944k'
  if [ $lun = 0 ]; then
    io 0 'discard 3M 1M' 'flush' 'read -P 0x5a 2112k 960k' 'read -P 0 3M 1M' 'read -P 0x5a 4M 1M'
  fi
  io $lun 'aio_write -P 1 8M 1M' 'aio_write -P 2 9M 1M' 'aio_write -P 3 10M 1M' \
    'aio_write -P 4 11M 1M' 'aio_flush' 'flush' 'read -P 1 8M 1M' 'read -P 2 9M 1M' \
    'read -P 3 10M 1M' 'read -P 4 11M 1M'
  qemu-img map -f raw --output=json "$url" > "$work/map.json" || fail "map of LUN $lun"
  python3 -c '
import json, sys
extents = json.load(open(sys.argv[1]))
assert sum(e["length"] for e in extents) == int(sys.argv[2]), "the map has gaps"
' "$work/map.json" "$(stat -c %s "$file")" || fail "map of LUN $lun"
done

# UNMAP gives blocks back: 3 to 4 MiB of the thin disk is a hole of its file.
qemu-img map -f raw --output=json "$(lab_url 0)" > "$work/map.json"
python3 -c '
import json, sys
holes = [e for e in json.load(open(sys.argv[1])) if e["zero"]]
inside = [e for e in holes if e["start"] <= 3 << 20 and e["start"] + e["length"] >= 4 << 20]
sys.exit(not inside)
' "$work/map.json" || fail "GET LBA STATUS does not show the hole: $(head -c 2000 "$work/map.json")"

refused "a write to the read-only disk" qemu-io -f raw -c 'write 0 64k' "$(lab_url 2)"
qemu-io -r -f raw -c 'read -P 0 0 1M' "$(lab_url 2)" | grep -q '1 MiB' || fail "read of LUN 2"
lab_stop
