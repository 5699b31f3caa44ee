# SPDX-License-Identifier: GPL-2.0-only
# In the guest with two edu cards: each scenario twice, with probes in the process and with the kernel's. Then SELinux is
# given a policy that denies what the agent needs.
#   inside.sh [TRANSFERS]
. "${BASH_SOURCE%/*}/guest.sh"
drive edudma1
for d in /sys/bus/pci/drivers/edudma/0*; do # where each card's registers are, and where it sends its MSI
	echo $(od -A n -t x4 -j 16 -N 4 "$d/config") $(od -A n -t x4 -j 68 -N 4 "$d/config")
done >"$SHARE/msi"
for irq in $(awk '/edudma$/ { sub(":", "", $1); print $1 }' /proc/interrupts); do
	echo 0 >"/proc/irq/$irq/smp_affinity_list" # so that the interrupt always comes before the wait returns
done
N=${1:-30}
: >"$SHARE/runs"
both() { # name, program, options
	local name=$1 program=$2
	shift 2
	for PROBES in process kernel; do
		scenario edudma "${name}_$PROBES" "$B/examples/$program" -n "$N" --truth "${name}_$PROBES.truth" "$@"
		echo "${name}_$PROBES" >>"$SHARE/runs"
	done
}
both c edu --cpu 0 --size 4095,512,64
both masked edu --masked
both class educard --cpu 0
both throws educard --cpu 0 --fault timeout --every 7
both restart educard --cpu 0 --fault restart --every 7
both cards educard --cpu 0 --cards 2

# ---- SELinux, enforcing ----
selinux=/sys/fs/selinux
mount -t selinuxfs selinuxfs $selinux || exit 0
for denied in execmod execmem; do
	[ -s "$VM/$denied.policy" ] || continue
	cat "$VM/$denied.policy" >$selinux/load && echo 1 >$selinux/enforce || exit
	for probes in auto process; do
		"$B/dmarec" --probes $probes -o selinux.data -- "$B/examples/edu" -n 3 --masked >"$SHARE/$denied.out" 2>"$SHARE/$denied.$probes"
		echo "status $?" >>"$SHARE/$denied.$probes"
	done
	echo "enforcing $(cat $selinux/enforce)" >>"$SHARE/$denied.auto"
done
echo 0 >$selinux/enforce
