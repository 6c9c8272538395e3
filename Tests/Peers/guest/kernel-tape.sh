#!/bin/bash
# In a guest with Linux 6.1, ecopy with the Swift runtime linked in copies a disk to /dev/nst0 and
# back: tgtd's tape behind the kernel's own initiator and st driver. What is on the tape is read
# there with dd, and here with libiscsi.
. "$(dirname "$0")/../peers.sh"
require qemu-system-x86_64 strip
mkdir -p "$work/extra/lib"

(cd "$root" && swift build -c release -Xswiftc -enforce-exclusivity=unchecked --static-swift-stdlib \
  --product ecopy --scratch-path .build/static) > "$work/build.log" 2>&1 || fail "the static build"
program=$root/.build/static/release/ecopy
! ldd "$program" | grep -q 'libswift\|libFoundation' || fail "the Swift runtime is not linked in"
strip -o "$work/extra/ecopy" "$program"
ldd "$program" | sed -n 's/.* => \(\/[^ ]*\).*/\1/p' | while read -r library; do
  cp -L "$library" "$work/extra/lib/"
done

tgt_start
random_file "$work/disk.img" $((12 << 20))
tgt_disk 1 disk "$work/disk.img" 12 512
tgt_tape 2 tape "$work/tape.img" 256
cat > "$work/extra/settings" << SETTINGS
portal=192.0.2.2:$tgt_port digest=None disk_target=$tgt_name:disk tape_target=$tgt_name:tape
disk_sum=$(sum_of "$work/disk.img")
SETTINGS
"$peers/guest/run.sh" "$peers/guest/job-tape.sh" 300 "$work/extra" || fail "the guest's job failed"

expect_tape "$(tgt_url tape)" "$work/disk.img" "12 records of 1048576 bytes" filemark "end of data"
