# SPDX-License-Identifier: GPL-2.0-only
# In the guest with one edu card: its command register is read while recording (dmarec --watch).
#   watch.sh [TRANSFERS]
. "${BASH_SOURCE%/*}/guest.sh"
drive edudma0
for d in /sys/bus/pci/drivers/edudma/0*; do # where the card's registers are, and where it sends its MSI
	bdf=${d##*/}
	echo $(od -A n -t x4 -j 16 -N 4 "$d/config") $(od -A n -t x4 -j 68 -N 4 "$d/config")
done >"$SHARE/msi"
N=${1:-10}
: >"$SHARE/runs"
watched() { # name, mode, workload's options
	local name=$1 mode=$2
	shift 2
	"$B/dmarec" --irq-feed "$(cat "$VM/feed")" --watch --watch-mode "$mode" -o "$name.data" --label "$name" -- \
		"$B/examples/edu" -n "$N" --truth "$name.truth" "$@" >"$name.out" 2>"$name.err"
	echo $? >"$SHARE/$name.status"
	"$B/dmaanalyze" --verify -i "$name.data" "$name.db" >"$SHARE/$name.summary" 2>&1 || echo "analysis failed" >>"$SHARE/$name.status"
	cp -f "$name".{db,truth,out,err,data} "$SHARE"
	echo "$name" >>"$SHARE/runs"
	echo "guest: $name done at $(cut -d. -f1 /proc/uptime) s"
}
watched watch_sleep always --sleep
watched watch_masked always --masked
watched watch_every 200us --sleep
watched watch_flight in-flight --sleep
# What is refused, each with its sentence and status; and a card that loses its driver meanwhile.
{
	for what in "$bdf:0+0x100000:32" "$bdf:3+0x98:32"; do
		"$B/dmarec" -q --watch "$what" -o no.data -- "$B/examples/edu" -n 1 2>&1 | tail -1
		echo "status ${PIPESTATUS[0]}"
	done
	# the card loses its driver, while a program runs that does not use it
	"$B/dmarec" -q --watch "$bdf:0+0x98:32:value & 1" --profile edu -x "$B/examples/libedu.so" -o gone.data -- \
		bash -c 'sleep 3; busybox rmmod edudma; sleep 2' 2>&1 | tail -3
	echo "status ${PIPESTATUS[0]}"
	grep -c resource0 /proc/*/maps 2>/dev/null | grep -v ':0$'
	echo end
} >"$SHARE/watch.refused" 2>&1
