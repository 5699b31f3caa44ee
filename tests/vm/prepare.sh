#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Make the guest in DIR: vmlinuz and initramfs, of the kernel whose headers are installed.
#   prepare.sh DIR       exit 0, or 77 with a reason on stdout where this machine cannot have one
set -eu
dir=$1
here=$(cd "$(dirname "$0")" && pwd)
skip() { echo "$*"; exit 77; }

[ "$(uname -m)" = x86_64 ] || skip "the guest is for x86_64 hosts"
[ "$(id -u)" = 0 ] || skip "the guest's root is the host's, so it needs root"
command -v apt-get >/dev/null || skip "the guest's kernel is Debian's, and there is no apt-get"
mkdir -p "$dir/share"
"$here"/../../scripts/deps.sh vm >"$dir/deps.log" 2>&1 || skip "packages are missing, see $dir/deps.log"
qemu-system-x86_64 -accel help | grep -qx tcg || skip "qemu has no software emulation (tcg)"
kver=$(cd /lib/modules && ls -d ./*-amd64/build | sort -V | tail -1 | cut -d/ -f2)
[ "$kver" ] || skip "there are no kernel headers in /lib/modules"

if [ "$(cat "$dir/kver" 2>/dev/null)" != "$kver" ]; then
	rm -rf "$dir/image"
	mkdir -p "$dir/image"
	fetch() { (cd "$dir/image" && apt-get -o APT::Sandbox::User=root download "linux-image-$kver"); }
	{ fetch || { apt-get update && fetch; }; } >"$dir/deps.log" 2>&1 || skip "linux-image-$kver cannot be had, see $dir/deps.log"
	dpkg-deb --fsys-tarfile "$dir"/image/linux-image-*.deb | tar -x -C "$dir/image" --wildcards \
		'./boot/vmlinuz*' '*/kernel/fs/9p/*' '*/kernel/net/9p/*' '*/kernel/fs/netfs/*' \
		'*/kernel/fs/fscache/*' '*/kernel/drivers/virtio/*'
	rm -f "$dir"/image/linux-image-*.deb
	mv "$dir"/image/boot/vmlinuz-* "$dir/vmlinuz"
fi

root=$dir/initramfs-root
rm -rf "$root"
mkdir -p "$root"/{bin,proc,dev,root,modules}
cp "$(command -v busybox)" "$root/bin/busybox"
cp "$here/init" "$root/init"
chmod 755 "$root/init"
for m in virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci netfs fscache 9pnet \
	9pnet_virtio 9p; do
	find "$dir/image/lib/modules" -name "$m.ko" -exec cp {} "$root/modules" \;
done
(cd "$root" && find . | cpio --quiet -o -H newc) | gzip -1 >"$dir/initramfs.new"
mv "$dir/initramfs.new" "$dir/initramfs"
echo "$kver" >"$dir/kver"
