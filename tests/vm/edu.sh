# SPDX-License-Identifier: GPL-2.0-only
# In the guest with two edu cards. $SHARE/runs has a line for each run of the workload: its name, and how
# often it wrote the command register of each card, so that QEMU's own trace can be told apart.
#   edu.sh [TRANSFERS [SCENARIO...]]       30 transfers of every scenario
. "${BASH_SOURCE%/*}/guest.sh"
drive edudma1
for d in /sys/bus/pci/drivers/edudma/0*; do # where each card's registers are, and where it sends its MSI
	echo $(od -A n -t x4 -j 16 -N 4 "$d/config") $(od -A n -t x4 -j 68 -N 4 "$d/config")
done >"$SHARE/msi"
irq=$(awk '/edudma$/ { sub(":", "", $1); print $1; exit }' /proc/interrupts)
N=${1:-30}
shift 2>/dev/null
chosen=" $* "

run() { # name, options
	local name=$1 program=$2
	[ "$chosen" = "  " ] || [[ $chosen == *" $name "* ]] || return
	shift 2
	scenario edudma "$name" "$B/examples/$program" -n "$N" --truth "$name.truth" "$@"
	echo "$name" >>"$SHARE/runs"
}
# A vector goes to another processor with its next interrupt only: that one is of a transfer that nobody records.
moved=0
to_cpu() {
	local name=moved$((++moved))
	echo "$1" >"/proc/irq/$irq/smp_affinity_list"
	"$B/examples/edu" -n 1 --truth "$SHARE/$name.truth" >/dev/null
	echo "$name" >>"$SHARE/runs"
}
: >"$SHARE/runs"
run masked edu --masked
run sleep edu --sleep
to_cpu 0
run c edu --cpu 0 --size 4095,512,64
run same_cpu educard --cpu 0
to_cpu 1
run other_cpu educard --cpu 0
to_cpu 0 # so that the interrupt always comes before the wait returns
run missing educard --cpu 0 --fault no-interrupt --every 7
run spurious educard --cpu 0 --fault spurious --every 7
run restart educard --cpu 0 --fault restart --every 7
run stop educard --cpu 0 --fault stop --every 7
run timeout educard --cpu 0 --fault timeout --every 7
[ ! -e "$SHARE/timeout.status" ] || "$B/examples/educard" -n "$N" --cpu 0 --fault timeout --every 7 >"$SHARE/timeout.plain" 2>&1
run two_cards educard --cards 2
"$B/dmarec" --list >"$SHARE/edu.list"
cp /proc/edudma "$SHARE/edu.proc"
