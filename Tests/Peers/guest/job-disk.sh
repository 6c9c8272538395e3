# Linux as the initiator of our disks: digests, file systems on both block sizes, CHAP both ways.
# Settings: portal digest disks chap chap_user chap_password target_user target_password
#           disk512 disk4096 disk_readonly (LUNs; the last may be empty)
iscsi_up
modprobe ext4

use_disk() { # LUN BLOCK_BYTES
  find_disk "$1"
  [ "$(cat "/sys/block/$disk/queue/logical_block_size")" = "$2" ] || fail "LUN $1: wrong block size"
  [ "$(cat "/sys/block/$disk/ro")" = 0 ] || fail "LUN $1 is read-only"
  disk=/dev/$disk
}

# A file system is made, filled, checked; mounted anew, and compared.
file_system() { # LUN BLOCK_BYTES
  use_disk "$1" "$2"
  mke2fs -q -F -t ext4 -b 4096 "$disk" || fail "mke2fs on LUN $1"
  mount -t ext4 "$disk" /mnt || fail "mount of LUN $1"
  mkdir /mnt/tree
  for number in 1 2 3 4 5 6 7 8; do
    dd if=/dev/urandom of=/mnt/tree/file$number bs=100k count=$((number * 2)) 2> /dev/null
  done
  dd if=/dev/urandom of=/mnt/direct bs=1M count=4 oflag=direct 2> /dev/null || fail "direct I/O"
  rm /mnt/tree/file3
  (cd /mnt && find . -type f | sort | while read -r file; do sha256sum "$file"; done) > /tmp/before
  umount /mnt
  echo 3 > /proc/sys/vm/drop_caches
  e2fsck -f -n "$disk" > /tmp/fsck.log 2>&1 || fail "e2fsck of LUN $1: $(cat /tmp/fsck.log)"
  mount -t ext4 "$disk" /mnt || fail "second mount of LUN $1"
  (cd /mnt && sha256sum -c -s /tmp/before) || fail "files of LUN $1 have changed"
  [ "$(wc -l < /tmp/before)" = 8 ] || fail "files of LUN $1 are missing"
  if [ "$1" = "$disk512" ]; then fstrim /mnt || fail "fstrim of LUN $1"; fi # the thin one
  (cd /mnt && sha256sum -c -s /tmp/before) || fail "fstrim of LUN $1 lost data"
  umount /mnt
  e2fsck -f -n "$disk" > /tmp/fsck.log 2>&1 || fail "e2fsck after fstrim of LUN $1"
  say "ext4 on LUN $1 with blocks of $2 bytes: clean"
}

login "$disks" || fail "login to $disks: $(cat /tmp/login.log)"
found=$(iscsiadm -m session -P 2 | sed -n 's/.*\(HeaderDigest\|DataDigest\): *//p' | sort -u)
[ "$found" = "$digest" ] || fail "digests: wanted $digest, agreed on $found"
file_system "$disk512" 512
file_system "$disk4096" 4096

if [ -n "$disk_readonly" ]; then
  find_disk "$disk_readonly"
  [ "$(cat "/sys/block/$disk/ro")" = 1 ] || fail "the read-only disk can be written"
  dd if="/dev/$disk" of=/dev/null bs=1M count=4 2> /dev/null || fail "the read-only disk is not read"
  say "the read-only disk is read-only"
fi

# Unmapped blocks read as zeros.
use_disk "$disk512" 512
dd if=/dev/urandom of="$disk" bs=1M count=4 oflag=direct 2> /dev/null
blkdiscard -o 1048576 -l 1048576 "$disk" || fail "blkdiscard"
echo 3 > /proc/sys/vm/drop_caches
zeros=$(dd if="$disk" bs=1M skip=1 count=1 2> /dev/null | tr -d '\000' | wc -c)
[ "$zeros" = 0 ] || fail "unmapped blocks hold $zeros bytes that are not zero"
say "unmapped blocks read as zeros"
complaints=$(dmesg | grep -iE 'Sense Key|I/O error|detected conn error|EXT4-fs error' || true)
[ -z "$complaints" ] || fail "the kernel complained: $complaints"
logout "$disks"

# The right login comes first: it shows that the others are refused for their names and passwords.
if [ -n "${chap:-}" ]; then
  forget() { iscsiadm -m node -o delete -T "$chap" -p "$portal"; }
  login "$chap" "$chap_user" "$chap_password" "$target_user" "$target_password" \
    || fail "mutual CHAP: $(cat /tmp/login.log)"
  logout "$chap"
  forget
  login "$chap" && fail "$chap let somebody in without CHAP"
  forget
  login "$chap" "$chap_user" wrong-password-12 && fail "$chap took a wrong password"
  forget
  login "$chap" "$chap_user" "$chap_password" "$target_user" not-the-password \
    && fail "the initiator was shown a wrong password of the target and went on"
  say "CHAP: mutual let in; no name and wrong passwords refused"
fi
