#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Make the guest in DIR: vmlinuz, initramfs and edudma.ko, of the kernel whose headers are installed here, or of another
# release of Debian (scripts/distro.sh).
#   prepare.sh DIR [SUITE]    exit 0, or 77 with a reason on stdout where this machine cannot have one
set -eu
dir=$1 suite=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
top=$here/../.. system=
skip() { echo "$*"; exit 77; }

[ "$(uname -m)" = x86_64 ] || skip "the guest is for x86_64 hosts"
[ "$(id -u)" = 0 ] || skip "the guest's root is the host's, so it needs root"
command -v apt-get >/dev/null || skip "the guest's kernel is Debian's, and there is no apt-get"
mkdir -p "$dir/share"
"$top"/scripts/deps.sh vm ${suite:-headers} >"$dir/deps.log" 2>&1 || skip "packages are missing, see $dir/deps.log"
if [ "$suite" ]; then
	"$top"/scripts/distro.sh make "$suite" headers || exit $?
	system=$top/build/distros/$suite
fi
qemu-system-x86_64 -accel help | grep -qx tcg || skip "qemu has no software emulation (tcg)"
kver=$(cd "$system/lib/modules" && ls -d ./*-amd64/build | sort -V | tail -1 | cut -d/ -f2)
[ "$kver" ] || skip "there are no kernel headers in $system/lib/modules"

if [ "$(cat "$dir/kver" 2>/dev/null)" != "$kver" ]; then
	rm -rf "$dir/image"
	mkdir -p "$dir/image"
	fetch() {
		local get="apt-get -o APT::Sandbox::User=root download linux-image-$kver"
		[ "$suite" ] || { (cd "$dir/image" && $get); return; }
		"$top"/scripts/distro.sh run "$suite" "cd /tmp && rm -f *.deb && $get" && mv "$system"/tmp/linux-image-*.deb "$dir/image"
	}
	{ fetch || { apt-get update && fetch; }; } >"$dir/deps.log" 2>&1 || skip "linux-image-$kver cannot be had, see $dir/deps.log"
	# (Which of the directories there are differs from kernel to kernel.)
	dpkg-deb --fsys-tarfile "$dir"/image/linux-image-*.deb | tar -x -C "$dir/image" --wildcards \
		'./boot/vmlinuz*' '*/kernel/fs/9p/*' '*/kernel/net/9p/*' '*/kernel/fs/netfs/*' \
		'*/kernel/fs/fscache/*' '*/kernel/drivers/virtio/*' 2>/dev/null || true
	find "$dir/image" -name '*.ko.xz' -exec xz -d {} +
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
	find "$dir/image" -name "$m.ko" -exec cp {} "$root/modules" \;
done
(cd "$root" && find . | cpio --quiet -o -H newc) | gzip -1 >"$dir/initramfs.new"
mv "$dir/initramfs.new" "$dir/initramfs"

# The driver, by the compiler that built that kernel.
if [ "$suite" ]; then
	"$top"/scripts/distro.sh run "$suite" "make -s --no-print-directory edudma B=build KDIR=/lib/modules/$kver/build" >&2
	cp "$system/src/build/examples/edudma/edudma.ko" "$dir/edudma.ko"
else
	MAKEFLAGS='' ${MAKE:-make} -s --no-print-directory -C "$top" edudma B="${dir%/*}" KDIR="/lib/modules/$kver/build" >&2
	cp "${dir%/*}/examples/edudma/edudma.ko" "$dir/edudma.ko"
fi
echo "$kver" >"$dir/kver"
