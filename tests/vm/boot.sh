#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Boot the guest of prepare.sh: its output is this one's, its script's status is this one's.
#   boot.sh DIR SHARE [-t SECONDS] [-s SCRIPT[,ARG...]] [-- QEMU OPTION...]
# SHARE is the one directory that the guest can write to. Exit 124 when the time was over, 125 when the
# guest ended without a status.
set -eu
dir=$1 share=$2 limit=0 script= args=
shift 2
while getopts t:s: o; do
	case $o in
	t) limit=$OPTARG ;;
	s) script=${OPTARG%%,*}; [ "$script" = "$OPTARG" ] || args=${OPTARG#*,} ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
rm -f "$share/status"
serial=stdio quiet=quiet
[ "$script" ] || serial=mon:stdio
# Whatever else this machine does, the guest's processors run: an interrupt that waits for them is a slow one.
timeout --foreground -k 5 "$limit" nice -n -10 \
qemu-system-x86_64 -accel tcg -cpu max -smp 2 -m "${VM_MEMORY:-1024}" -nodefaults -display none -no-reboot \
	-monitor none -serial $serial -machine "q35,kernel-irqchip=split${VM_MACHINE:+,$VM_MACHINE}" \
	-device intel-iommu,intremap=on \
	-kernel "$dir/vmlinuz" -initrd "$dir/initramfs" \
	-append "console=ttyS0 $quiet tsc=reliable no_timer_check panic=-1 intel_iommu=on iommu=pt ${VM_APPEND:-} SHARE=$share SCRIPT=$script ARGS=$args" \
	-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
	-device virtio-9p-pci,fsdev=root,mount_tag=root \
	-fsdev local,id=share,path="$share",security_model=none,multidevs=remap \
	-device virtio-9p-pci,fsdev=share,mount_tag=share \
	"$@" </dev/stdin && rc=0 || rc=$?
[ "$script" ] || exit 0
[ $rc = 0 ] || exit $rc
[ -s "$share/status" ] || exit 125
exit "$(cat "$share/status")"
