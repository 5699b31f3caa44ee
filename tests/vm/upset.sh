# SPDX-License-Identifier: GPL-2.0-only
# In the guest with an edu card: while it is recorded, a processor goes and comes back, the clock is set back, tracefs is
# unmounted, another tracer listens to the same events.
#   upset.sh [TRANSFERS]
. "${BASH_SOURCE%/*}/guest.sh"
N=${1:-30}
T=/sys/kernel/tracing
drive edudma0
: >"$SHARE/runs"

upset() { # name, what happens while it runs: a function
	local name=$1
	(
		until [ -s "$name.data" ] && grep -aq begin_ns "$name.data"; do sleep 0.1; done
		sleep 1
		$2 >"$SHARE/$name.upset" 2>&1
		echo "status $?" >>"$SHARE/$name.upset"
	) & local other=$!
	scenario edudma "$name" "$B/examples/edu" --sleep -n "$N" --truth "$name.truth"
	wait $other
	echo "$name" >>"$SHARE/runs"
}
cpu_away() { echo 0 >/sys/devices/system/cpu/cpu1/online && sleep 1 && echo 1 >/sys/devices/system/cpu/cpu1/online; }
clock_back() { busybox date -s @1000000000; }
no_tracefs() { umount -l $T; }
other_tracer() { echo 1 >$T/events/irq/enable && sleep 1 && [ "$(grep -c irq_handler_entry $T/trace)" -gt 0 ]; }
upset cpu_away cpu_away
upset clock_back clock_back
upset other_tracer other_tracer
echo 0 >$T/events/irq/enable
upset no_tracefs no_tracefs
mount -t tracefs tracefs $T
grep -c dmarec $T/uprobe_events >"$SHARE/upset.left" || true # (none: 0, and a status of 1)
