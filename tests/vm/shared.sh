# SPDX-License-Identifier: GPL-2.0-only
# In the guest with two edu cards and a disk of 9p's, all three on one PCI line (check.sh places them); and then with the
# driver loaded by what is recorded.
#   shared.sh [TRANSFERS]
. "${BASH_SOURCE%/*}/guest.sh"
N=${1:-10}
LOAD=(busybox insmod "$VM/edudma.ko" log=200000)
mkdir -p /run/noise
mount -t 9p -o trans=virtio,version=9p2000.L,cache=none noise /run/noise || exit
: >"$SHARE/runs"
noise() { while :; do cat /run/noise/kver; done >/dev/null & noise=$!; }

recorded() { # name, dmarec's options, --, the command
	local name=$1
	shift
	noise
	"$B/dmarec" -o "$name.data" --label "$name" "$@" >"$name.out" 2>"$name.err"
	echo $? >"$SHARE/$name.status"
	kill $noise; wait $noise 2>/dev/null
	cp "$LOG" "$name.calls"
	echo "${IRQ:+--irq $IRQ}" >"$SHARE/$name.options"
	"$B/dmaanalyze" --verify ${IRQ:+--irq "$IRQ"} -i "$name.data" "$name.db" >"$SHARE/$name.summary" 2>&1 || echo "analysis failed" >>"$SHARE/$name.status"
	cp /proc/interrupts "$SHARE/$name.interrupts"
	cp -f "$name".{db,truth,out,err,data,calls} "$SHARE"
	echo "$name" >>"$SHARE/runs"
	echo "guest: $name done at $(cut -d. -f1 /proc/uptime) s"
}

"${LOAD[@]}" intx=1 || exit
[ -e /dev/edudma1 ] || exit
"$B/dmarec" --dry-run --device edudma -- "$B/examples/edu" >"$SHARE/shared.dry" 2>&1
# Two cards at once, of one driver: their handlers have one name, and each ends its own card's transfers. The line is named.
IRQ=$(awk '/edudma/ { sub(":", "", $1); print $1 }' /proc/interrupts) recorded line_bpf --irq-feed bpf -- "$B/examples/educard" --cards 2 -n "$N" --truth line_bpf.truth
recorded line_perf --irq-feed perf --device edudma -- "$B/examples/edu" --sleep -n "$N" --truth line_perf.truth
busybox rmmod edudma
# The driver comes while recording: to the line that the disk has already, by its name and by the card's address, and with a
# vector of its own.
for how in line pci msi; do
	cat >load_$how <<-Y
		#!/bin/bash
		sleep 1
		${LOAD[*]} intx=$([ $how = msi ] && echo 0 || echo 1)
		exec "$B/examples/edu" --sleep -n "$N" --truth come_$how.truth
	Y
	named=(--device 'edudma*')
	[ $how = pci ] && named=(--pci 00:10.0)
	recorded come_$how "${named[@]}" --profile edu -x "$B/examples/libedu.so" -- bash ./load_$how
	busybox rmmod edudma
done
