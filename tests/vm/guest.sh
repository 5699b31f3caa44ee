# SPDX-License-Identifier: GPL-2.0-only
# Read by the guest's scripts. A scenario records a workload, analyses the recording, and leaves for the host
# in $SHARE: NAME.db, NAME.truth, NAME.out (what the workload printed), NAME.delta (/proc/interrupts after
# minus before, of the driver's vectors), NAME.calls (what the driver's handler logged: interrupt, ns, what the
# card said then), NAME.status.
VM=${SHARE%/share}
B=${VM%/*}

# Sum over the processors, for each vector of this name: "irq count".
proc_counts() {
	awk -v name="$1" 'NR == 1 { cpus = NF; next }
		$NF == name { n = 0; for (i = 2; i <= cpus + 1; i++) n += $i; sub(":", "", $1); print $1, n }' \
		/proc/interrupts
}

LOG=/sys/kernel/debug/edudma/log
drive() { # load the driver, with a log of every call of its handler
	busybox insmod "$VM/edudma.ko" log=200000
	[ -e "$LOG" ] && [ -e "/dev/$1" ] && return
	echo "guest: the card is not there"
	dmesg | tail -5
	exit 1
}

# With IRQ set, the analysis is told which interrupt ends transfers; with PROBES, dmarec where probes are armed.
scenario() { # name of the vectors, name of the scenario, workload with its options
	local vectors=$1 name=$2 before calls
	shift 2
	rm -f "$name.db" "$name.truth"
	before=$(proc_counts "$vectors")
	calls=$(wc -l <"$LOG")
	if "$B/dmarec" -q --irq-feed "$(cat "$VM/feed")" ${PROBES:+--probes "$PROBES"} -o "$name.data" --label "$name" -- "$@" >"$name.out" 2>"$name.err"; then
		echo 0 >"$SHARE/$name.status"
	else
		echo $? >"$SHARE/$name.status"
	fi
	sleep 0.2
	join <(sort <<<"$before") <(proc_counts "$vectors" | sort) | sort -n | awk '{ print $1, $3 - $2 }' >"$SHARE/$name.delta"
	tail -n +$((calls + 1)) "$LOG" >"$name.calls"
	echo "${IRQ:+--irq $IRQ}" >"$SHARE/$name.options"
	"$B/dmaanalyze" ${IRQ:+--irq "$IRQ"} -i "$name.data" "$name.db" >"$SHARE/$name.summary" 2>&1 ||
		echo "analysis failed" >>"$SHARE/$name.status"
	cp -f "$name".{db,truth,out,err,data,calls} "$SHARE" 2>/dev/null
	echo "guest: $name done at $(cut -d. -f1 /proc/uptime) s"
}
