#!/bin/bash
# Header and data digests: one target has nothing but CRC32C, the other nothing but none.
. "$(dirname "$0")/../peers.sh"
. "$peers/initiator/copying.sh"
tgt_start
tgt_disk 1 checked "$work/checked.img" 8 512
tgt_digests 1
tgt_disk 2 plain "$work/plain.img" 8 512
tgt_tape 3 tape "$work/tape.img" 64
tgt_digests 3
random_file "$work/image" $((8 << 20))
digests='?header-digest=crc32c&data-digest=crc32c'

copy "$work/image" "$(tgt_url checked)$digests"
same_bytes "$work/image" "$work/checked.img" "written with digests"
copy "$(tgt_url checked)$digests" "$work/back"
same_bytes "$work/image" "$work/back" "read with digests"
copy "$work/image" "$(tgt_url tape)$digests" --block-size 100001
copy "$(tgt_url tape)$digests" "$work/back" --block-size 100001
same_bytes "$work/image" "$work/back" "a tape with digests"
copy "$work/image" "$(tgt_url plain)"
same_bytes "$work/image" "$work/plain.img" "written without digests"
# Who insists on digests does not go on without them, RFC 7143 13.1.
[ "$(copy_status "$work/image" "$(tgt_url plain)$digests")" != 0 ] || fail "went on without digests"
