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
append="console=ttyS0 $quiet tsc=reliable no_timer_check panic=-1 intel_iommu=on iommu=pt ${VM_APPEND:-} SHARE=$share SCRIPT=$script ARGS=$args"
qemu() { # (whatever else this machine does, the guest's processors run: an interrupt that waits for them is a slow one)
	exec nice -n -10 \
		qemu-system-x86_64 -accel tcg -cpu max -smp 2 -m "${VM_MEMORY:-1024}" -nodefaults -display none -no-reboot \
		-serial $serial -machine "q35,kernel-irqchip=split${VM_MACHINE:+,$VM_MACHINE}" \
		-device intel-iommu,intremap=on \
		-kernel "$dir/vmlinuz" -initrd "$dir/initramfs" -append "$append" \
		-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
		-device virtio-9p-pci,fsdev=root,mount_tag=root \
		-fsdev local,id=share,path="$share",security_model=none,multidevs=remap \
		-device virtio-9p-pci,fsdev=share,mount_tag=share \
		"$@"
}
if [ ! "$script" ]; then
	qemu -monitor none "$@" || true
	exit 0
fi

# What the processors of a guest that does not end are at: their registers twice, then an interrupt that cannot be
# masked, on which the kernel says where each was and gives up.
post_mortem() {
	echo "boot: not within $limit s; the guest's processors, twice:"
	for _ in 1 2; do
		timeout 5 sh -c 'echo "info registers -a" >"$0.in"' "$monitor" || break
		timeout 2 cat "$monitor.out" | tr -d '\r' | grep -E '^(CPU#|RIP=|CR3=|R.P=|RAX=|RSI=)' || true
	done
	timeout 5 sh -c 'echo nmi >"$0.in"' "$monitor" || true
	timeout 20 tail --pid="$pid" -f /dev/null || true
}

monitor=$(mktemp -u -t guest-monitor-XXXXXX)
mkfifo "$monitor.in" "$monitor.out"
pid=
trap 'rm -f "$monitor.in" "$monitor.out"; [ ! "$pid" ] || kill $pid 2>/dev/null || true' EXIT
trap 'exit 143' TERM INT
append+=" unknown_nmi_panic softlockup_all_cpu_backtrace=1 sysctl.kernel.hung_task_timeout_secs=60"
qemu -monitor pipe:"$monitor" "$@" </dev/stdin & pid=$!
if [ "$limit" != 0 ]; then
	timeout "$limit" tail --pid=$pid -f /dev/null & end=$!
	wait $end || { # (a signal is taken while it waits)
		post_mortem
		exit 124
	}
fi
wait $pid && rc=0 || rc=$?
pid=
[ $rc = 0 ] || exit $rc
[ -s "$share/status" ] || exit 125
exit "$(cat "$share/status")"
