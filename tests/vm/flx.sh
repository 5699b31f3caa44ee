# SPDX-License-Identifier: GPL-2.0-only
# In the guest with the fast card.
. "${BASH_SOURCE%/*}/guest.sh"
drive flx0
N=${1:-2000}
run() { # name, mode, fault
	scenario flx "$1" "$B/tests/vm/flxload" "$N" "$2" "$3" 100 "$1.truth"
}
run flx_masked masked none
run flx_clear sleep none
run flx_rush rush none
run flx_flood flood none
run flx_drop poll drop
run flx_double sleep double
run flx_late poll late
run flx_early sleep early
run flx_nodata sleep nodata
"$B/dmarec" --list >"$SHARE/flx.list"
"$B/dmarec" --list --json >"$SHARE/flx.json"
cp /proc/interrupts "$SHARE/flx.interrupts"
cp /proc/flx "$SHARE/flx.proc"
