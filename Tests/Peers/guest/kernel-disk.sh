#!/bin/bash
# Linux with open-iscsi, digests and CHAP, as the initiator of our disks: ext4, files, fsck.
. "$(dirname "$0")/../peers.sh"
require qemu-system-x86_64
mkdir "$work/extra"

if [ "${PEER_TARGET:-ecopyd}" = tgtd ]; then # to see that the test itself is right
  tgt_start
  tgt_disk 1 disks "$work/512.img" 512 512
  truncate -s 256M "$work/4096.img"
  tgtadm_ --mode logicalunit --op new --tid 1 --lun 2 -b "$work/4096.img" --blocksize 4096
  tgtadm_ --mode logicalunit --op update --tid 1 --lun 1 --params thin_provisioning=1
  tgtadm_ --mode logicalunit --op update --tid 1 --lun 2 --params thin_provisioning=1
  tgt_digests 1
  tgt_disk 2 chap "$work/chap.img" 8 512
  tgt_digests 2
  tgt_chap 2 alice alice-password-1 target target-password-2
  port=$tgt_port disks=$tgt_name:disks chap=$tgt_name:chap luns=(1 2 "")
else
  . "$peers/target/chap-lab.sh"
  port=$lab_port disks=$lab_name chap=$chap_name luns=(0 1 2)
fi
cat > "$work/extra/settings" <<SETTINGS
portal=192.0.2.2:$port digest=CRC32C disks=$disks
chap=$chap chap_user=alice chap_password=alice-password-1
target_user=target target_password=target-password-2
disk512=${luns[0]} disk4096=${luns[1]} disk_readonly=${luns[2]}
SETTINGS
"$peers/guest/run.sh" "$peers/guest/job-disk.sh" 240 "$work/extra" || fail "the guest's job failed"
