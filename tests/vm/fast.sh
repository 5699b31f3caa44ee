# SPDX-License-Identifier: GPL-2.0-only
# In the guest with the fast card: its enable register is read while recording, with each kind of fault; then two
# threads start transfers at once, and undo each other's bit.
#   fast.sh [TRANSFERS [SCENARIO...]]
. "${BASH_SOURCE%/*}/guest.sh"
drive flx0
N=${1:-2000}
shift
wanted=" $* "
for d in /sys/bus/pci/drivers/edudma/0*; do bdf=${d##*/}; done
end=$(awk '$NF == "flx" && ++n == 3 { sub(":", "", $1); print $1 }' /proc/interrupts)
echo 0 >"/proc/irq/$end/smp_affinity_list"
: >"$SHARE/runs"
recorded() { # name, dmarec's options, --, the command
	local name=$1
	[[ "$wanted" == "  " || "$wanted" == *" $name "* ]] || return 0
	shift
	"$B/dmarec" --irq-feed "$(cat "$VM/feed")" --irq "$end" -o "$name.data" --label "$name" "$@" "$name.truth" >"$name.out" 2>"$name.err"
	echo $? >"$SHARE/$name.status"
	"$B/dmaanalyze" --verify -i "$name.data" "$name.db" >"$SHARE/$name.summary" 2>&1 || echo "analysis failed" >>"$SHARE/$name.status"
	cp -f "$name".{db,truth,truth.edges,out,err,data} "$SHARE" 2>/dev/null
	echo "$name" >>"$SHARE/runs"
	echo "guest: $name done at $(cut -d. -f1 /proc/uptime) s"
}
watched() { # name, transfers, mode, fault
	recorded "$1" --watch="$bdf:2+0x400:64:bit(channel)" --watch-cpu 1 -- "$B/tests/vm/flxload" "$2" "$3" "$4" 100 0
}
watched fast_none "$N" sleep none
watched fast_masked $((N / 4)) masked none
for fault in drop late early double; do watched fast_$fault $((N / 4)) sleep $fault; done
for probes in kernel process; do
	recorded race_two_$probes --probes $probes -- "$B/tests/vm/flxload" $((N / 20)) race none 0 0
	recorded race_one_$probes --probes $probes -- "$B/tests/vm/flxload" $((N / 10)) race none 1000 0
done
recorded race_watched --watch="$bdf:2+0x400:64:bit(channel)" --watch-cpu 1 -- "$B/tests/vm/flxload" $((N / 10)) race none 1000 0
