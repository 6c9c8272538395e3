#!/bin/bash
# Usage: guest/build.sh
# Makes a machine to boot under QEMU out of Debian packages, without installing them: a kernel with
# iSCSI, disk and tape drivers, open-iscsi, mt-st, and e2fsprogs of this machine. Made once, and
# again when the files it is made from change: .build/guest/vmlinuz and base.cpio.gz.
set -euo pipefail
# Users of the guest read its files, whoever asked for it.
umask 022
PATH="$PATH:/usr/sbin:/sbin"
here=$(cd "$(dirname "$0")" && pwd)
guest=$(cd "$here/../../.." && pwd)/.build/guest
packages=(open-iscsi libisns0 libopeniscsiusr mt-st lsscsi)
programs_here=(mke2fs e2fsck blkdiscard fstrim setpriv)
modules=(virtio_pci virtio_net virtio_rng sd_mod st sg iscsi_tcp crc32c_generic crc32c_intel ext4
  crct10dif_generic)
applets=(sh ls cat echo mount umount mkdir dd cmp sha256sum sleep modprobe dmesg ifconfig kill grep
  sed awk head tail cut wc rm cp mv date seq tr sort find touch chmod chown env true false printf tee
  poweroff sync cpio stat basename dirname readlink timeout blockdev mknod test expr od id diff tar)

mkdir -p "$guest"
exec 9> "$guest/lock"
flock 9
stamp=$(cat "$0" "$here/init" | sha256sum)
[ "$stamp" = "$(cat "$guest/stamp" 2> /dev/null)" ] && exit 0
rm -f "$guest/stamp"
for program in busybox cpio depmod apt-get dpkg-deb "${programs_here[@]}"; do
  command -v "$program" > /dev/null || {
    echo "$program is not here: .ci/prerequisites test" >&2
    exit 1
  }
done

kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[^ ]*\).*/\1/p' | head -n 1)
mkdir -p "$guest/debs"
cd "$guest/debs"
for package in "$kernel" "${packages[@]}"; do
  ls "${package}"_*.deb > /dev/null 2>&1 || apt-get download -qq "$package" 2> apt.log || {
    cat apt.log >&2
    exit 1
  }
done
cd "$guest"
rm -rf kernel unpacked root
for package in "${packages[@]}"; do dpkg-deb -x debs/"${package}"_*.deb unpacked; done
dpkg-deb -x debs/"${kernel}"_*.deb kernel
version=${kernel#linux-image-}
depmod -b kernel "$version"
cp "kernel/boot/vmlinuz-$version" vmlinuz

mkdir -p root/{bin,proc,sys,dev,run,tmp,mnt,root,lib64,etc/iscsi,usr/lib,lib/modules}
for path in sbin usr/bin usr/sbin; do mkdir -p "root/${path%/*}" && ln -sfn /bin "root/$path"; done
mkdir -p root/var/lib/iscsi/{nodes,send_targets,ifaces,isns,slp,static}
cp -L unpacked/sbin/iscsid unpacked/sbin/iscsiadm unpacked/bin/mt-st unpacked/usr/bin/lsscsi root/bin/
for program in "${programs_here[@]}"; do cp -L "$(command -v "$program")" root/bin/; done
cp "$(command -v busybox)" root/bin/busybox
for applet in "${applets[@]}"; do ln -sf busybox "root/bin/$applet"; done

# Every shared library, where the loader of this machine finds it.
library_path=$guest/unpacked/usr/lib/x86_64-linux-gnu:$guest/unpacked/lib/x86_64-linux-gnu
for program in root/bin/*; do
  [ -L "$program" ] || [ "${program##*/}" = busybox ] || LD_LIBRARY_PATH=$library_path ldd "$program"
done | sed -n 's/.* => \(\/[^ ]*\).*/\1/p' | sort -u | while read -r library; do
  cp -L "$library" root/usr/lib/
done
cp -L /lib64/ld-linux-x86-64.so.2 root/lib64/

for module in "${modules[@]}"; do
  modprobe -d "$guest/kernel" -S "$version" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
done | sort -u | while read -r file; do
  place=root/lib/modules/${file#*/lib/modules/}
  mkdir -p "${place%/*}"
  cp "$file" "$place"
done
cp kernel/lib/modules/"$version"/modules.{builtin,builtin.modinfo,order} "root/lib/modules/$version/"
depmod -b root "$version"

echo 'root:x:0:0:root:/root:/bin/sh' > root/etc/passwd
echo 'nobody:x:65534:65534:nobody:/tmp:/bin/sh' >> root/etc/passwd
printf 'root:x:0:\nnogroup:x:65534:\n' > root/etc/group
echo 'InitiatorName=iqn.2026-11.org.ecopy.test:guest' > root/etc/iscsi/initiatorname.iscsi
cat > root/etc/iscsi/iscsid.conf <<'CONFIGURATION'
iscsid.startup = /bin/iscsid
node.startup = manual
node.session.timeo.replacement_timeout = 20
node.conn[0].timeo.login_timeout = 15
node.conn[0].timeo.logout_timeout = 15
node.conn[0].timeo.noop_out_interval = 5
node.conn[0].timeo.noop_out_timeout = 10
node.session.err_timeo.abort_timeout = 15
node.session.err_timeo.lu_reset_timeout = 30
node.session.initial_login_retry_max = 2
node.session.cmds_max = 128
node.session.queue_depth = 32
node.session.iscsi.InitialR2T = No
node.session.iscsi.ImmediateData = Yes
node.session.iscsi.FirstBurstLength = 262144
node.session.iscsi.MaxBurstLength = 16776192
node.conn[0].iscsi.MaxRecvDataSegmentLength = 262144
node.session.scan = auto
CONFIGURATION
cp "$here/init" root/init
chmod 755 root/init
(cd root && find . | cpio -o -H newc --quiet | gzip -1) > base.cpio.gz
rm -rf kernel unpacked root
echo "$stamp" > stamp
