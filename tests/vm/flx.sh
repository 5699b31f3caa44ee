# SPDX-License-Identifier: GPL-2.0-only
# In the guest with the fast card.
. "${BASH_SOURCE%/*}/guest.sh"
drive flx0
N=${1:-2000}
end=$(awk '$NF == "flx" && ++n == 3 { sub(":", "", $1); print $1 }' /proc/interrupts)
run() { # name, the CPU of the vector that ends transfers (the program's is 0), mode, fault
	echo "$2" >"/proc/irq/$end/smp_affinity_list"
	scenario flx "$1" "$B/tests/vm/flxload" "$N" "$3" "$4" 100 0 "$1.truth"
}
run flx_masked 0 masked none
run flx_clear 0 sleep none
run flx_poll 0 poll none
run flx_far 1 poll none
run flx_rush 0 rush none
IRQ=$end run flx_flood 0 flood none # too few sizes, and too much between them, for the evidence
run flx_drop 0 poll drop
run flx_double 0 sleep double
run flx_late 0 poll late
run flx_early 0 sleep early
run flx_nodata 0 sleep nodata
"$B/dmarec" --list >"$SHARE/flx.list"
"$B/dmarec" --list --json >"$SHARE/flx.json"
cp /proc/interrupts "$SHARE/flx.interrupts"
cp /proc/flx "$SHARE/flx.proc"
