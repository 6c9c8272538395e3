#!/bin/bash
# Disks over iSCSI in every direction, with blocks of 512 and of 4096 bytes; what they hold is read
# from tgtd's own files and by qemu-img.
. "$(dirname "$0")/../peers.sh"
. "$peers/initiator/copying.sh"
require qemu-img
tgt_start
tgt_disk 1 small "$work/small.img" 32 512
tgt_disk 2 large "$work/large.img" 32 4096
random_file "$work/image" $((32 << 20))

copy "$work/image" "$(tgt_url small)"
same_bytes "$work/image" "$work/small.img" "file to disk"
copy "$(tgt_url small)" "$(tgt_url large)"
same_bytes "$work/image" "$work/large.img" "disk to disk"
copy "$(tgt_url large)" "$work/back"
same_bytes "$work/image" "$work/back" "disk to file"
qemu-img compare -q -f raw -F raw "$work/back" "$(tgt_url small)" || fail "qemu-img sees another disk"

# A source that ends inside a block leaves what is behind it alone; one that is too long is refused
# before anything is written.
head -c $(((1 << 20) + 512)) /dev/zero > "$work/zeros"
copy "$work/zeros" "$(tgt_url small)"
cmp -n $(((1 << 20) + 512)) "$work/zeros" "$work/small.img" || fail "the beginning was not written"
cmp -i $(((1 << 20) + 512)) "$work/image" "$work/small.img" || fail "too much was written"
truncate -s 33M "$work/long"
sum=$(sum_of "$work/large.img")
[ "$(copy_status "$work/long" "$(tgt_url large)")" != 0 ] || fail "33 MiB went onto 32 MiB"
expect_equal "$(sum_of "$work/large.img")" "$sum" "the disk that is too small"
