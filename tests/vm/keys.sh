# SPDX-License-Identifier: GPL-2.0-only
# In the guest with two edu cards and a disk of 9p's on one PCI line (check.sh places them), and then with vectors of
# their own: what the driver's own function says of each transfer, by a key (examples/profiles/edu-driver.ini).
#   keys.sh [TRANSFERS]
. "${BASH_SOURCE%/*}/guest.sh"
N=${1:-10}
mkdir -p /run/noise
mount -t 9p -o trans=virtio,version=9p2000.L,cache=none noise /run/noise || exit
: >"$SHARE/runs"
noise() { while :; do cat /run/noise/kver; done >/dev/null & noise=$!; }

recorded() { # name, the command
	local name=$1
	shift
	noise
	"$B/dmarec" -o "$name.data" --label "$name" --profile edu-driver --device 'edudma*' -- "$@" --truth "$name.truth" >"$name.out" 2>"$name.err"
	echo $? >"$SHARE/$name.status"
	kill $noise; wait $noise 2>/dev/null
	cp "$LOG" "$name.calls"
	"$B/dmaanalyze" --verify -i "$name.data" "$name.db" >"$SHARE/$name.summary" 2>&1 || echo "analysis failed" >>"$SHARE/$name.status"
	cp -f "$name".{db,truth,out,err,data,calls} "$SHARE"
	echo "$name" >>"$SHARE/runs"
	echo "guest: $name done at $(cut -d. -f1 /proc/uptime) s"
}

busybox insmod "$VM/edudma.ko" log=200000 intx=1 || exit
[ -e /dev/edudma1 ] || exit
recorded keys_line "$B/examples/educard" --cards 2 -n "$N"
recorded keys_sleep "$B/examples/edu" --sleep -n "$N"
busybox rmmod edudma
busybox insmod "$VM/edudma.ko" log=200000 || exit
recorded keys_msi "$B/examples/educard" --cards 2 -n "$N"
# The handler leaves the work to its thread, and to a kworker: what they call is the end.
for defer in 1 2; do
	busybox rmmod edudma
	busybox insmod "$VM/edudma.ko" log=200000 defer=$defer || exit
	recorded keys_defer$defer "$B/examples/educard" --cards 2 -n "$N"
done
# A member of a structure of this kernel's, by the types that it tells of itself: the number of each interrupt.
{
	printf '[start EduCard::dma_to_host]\noptional = yes\n[start EduCard::dma_from_host]\n[interrupt]\ndevice = edudma*\n[kernel %s]\nrole = end\nkey = %s\n' \
		__handle_irq_event_percpu 'arg1->irq_data.irq' >btf.ini
	"$B/dmarec" -q --profile ./btf.ini -o btf.data -- "$B/examples/educard" -n 5 2>&1 | tail -1
	"$B/dmaanalyze" -q -i btf.data btf.db && sqlite3 btf.db "SELECT count(*) || ' by member' FROM sample s JOIN source o ON o.id = s.source_id
		WHERE o.role = 'ended' AND s.key IN (SELECT irq FROM irq WHERE name = 'edudma')"
	printf '[start EduCard::dma_to_host]\noptional = yes\n[kernel %s]\nrole = end\nkey = %s\n' __handle_irq_event_percpu 'arg1->irq_data.none' >btf.ini
	"$B/dmarec" -q --profile ./btf.ini -o no.data -- "$B/examples/educard" -n 1 2>&1 | tail -1
	echo "status ${PIPESTATUS[0]}"
} >"$SHARE/keys.member" 2>&1
{
	for function in edudma:no_such_function transfer_ende vfs_read:read state_show; do
		printf '[start edu_dma_to_host]\n[kernel %s]\nrole = end\nkey = arg1\n' "$function" >bad.ini
		"$B/dmarec" -q --profile ./bad.ini -o no.data -- "$B/examples/edu" -n 1 2>&1 | tail -1
		echo "status ${PIPESTATUS[0]}"
	done
	cat /sys/kernel/tracing/kprobe_events
	echo end
} >"$SHARE/keys.refused" 2>&1
