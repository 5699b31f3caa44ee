#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The driver's own events, with a key: the disk of this machine by the block layer's tracepoints. What was joined without
# keys is held against it.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze examples/blkdma
needs_recording
T=/sys/kernel/tracing
[ -e "$T/events/block/block_rq_issue/id" ] || skip_all "this kernel has no block tracepoints"
workdir
profiles=$SRC/examples/profiles
irq=$(awk '/virtio[0-9]+-req|nvme|ahci/ { n = 0; for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) n += $i; if (n > most) { most = n; sub(":", "", $1); q = $1 } } END { print q }' /proc/interrupts)
[ -n "$irq" ] || skip_all "no interrupt of a disk is known here"
rec() { "$B/dmarec" -q --profile "$profiles/block.ini" --irq "$irq" -o "$@"; }
rows() { sqlite3 "$1" "SELECT id, state, irq_ns, ended_ns, device_ns, notice_ns, driver FROM transfer ORDER BY id"; }
sums() { sqlite3 "$1" "SELECT count(*) FROM transfer WHERE $2"; }

# one at a time: the joiner is certain of nearly all, and so is the key
ok "recorded" rec one.data -- "$B/examples/blkdma" -n 1200
ok "analysed" "$B/dmaanalyze" -i one.data one.db
like "the summary says what the driver tells" "$(cat out)" 'What the driver tells'
told=$(sums one.db 'ended_ns IS NOT NULL')
[ "$told" -ge 1100 ]; result $? "it told the end of nearly all" || echo "# $told of 1200"
is "device: from issue to complete, to the nanosecond" "$(sqlite3 one.db "SELECT count(*) FROM transfer t
	JOIN sample s ON s.time_ns = t.doorbell_ns JOIN source a ON a.id = s.source_id AND a.role = 'issued'
	JOIN sample e ON e.time_ns = t.ended_ns AND e.key = s.key JOIN source b ON b.id = e.source_id AND b.role = 'ended'
	WHERE t.device_ns = e.time_ns - s.time_ns")" "$told"
ok "... and none ends before it is issued" sql_is one.db 0 'SELECT count(*) FROM transfer WHERE ended_ns < doorbell_ns'
agree=$(sums one.db "driver = 'agrees'") differ=$(sums one.db "driver = 'differs'")
[ "$agree" -ge 1000 ] && [ $((1000 * differ)) -le $((agree + differ)) ]
result $? "the interrupts joined without keys agree in 99.9 % or more" || echo "# $agree agree, $differ differ"
echo "# $agree agree, $differ differ, of $told"
rows one.db >raw
ok "... again from the tables" "$B/dmaanalyze" --rebuild one.db
rows one.db | cmp -s raw -
result $? "... they give the same"
ok "as JSON" bash -c "\"$B/dmaanalyze\" --json one.db | jq -e '.runs[0].driver.agrees == $agree'"

ok "what waiting cost: all its calls, and each end before or behind its interrupt" bash -c "\"$B/dmaanalyze\" --json one.db | jq -e '.runs[0]
	| .waits == 1200 and .audit.in_wait_ns > 0 and .audit.pending == 0 and .audit.overlapping_starts == 0
	and .audit.behind_irq + .audit.before_irq == .paired'"

# several channels on one vector, with a queue: what order and times cannot tell, the key does
ok "recorded with a queue" rec queue.data -- "$B/examples/blkdma" -n 200 -c 2 -d 4 --size 4K,64K
ok "... analysed" "$B/dmaanalyze" -q -i queue.data queue.db
keyed=$(sums queue.db "state IN ('complete', 'late') AND ended_ns IS NOT NULL")
ok "... and without keys" "$B/dmaanalyze" -q --run 1 --no-keys queue.db
without=$(sums queue.db "state IN ('complete', 'late')")
ok "... nothing is the driver's then" sql_is queue.db 0 'SELECT count(*) FROM transfer WHERE ended_ns IS NOT NULL OR driver IS NOT NULL'
[ "$keyed" -ge 160 ] && [ "$keyed" -gt "$without" ]
result $? "more is certain with keys" || echo "# $keyed with, $without without"
echo "# of 200 the end of $keyed is told by the key, of $without by the interrupt alone"

# what the kernel has not
bad() { # what, lines in place of the tracepoints, the sentence
	sed '/^; within/,$d' "$profiles/block.ini" >bad.ini
	printf '%b\n' "$2" >>bad.ini
	ok "$1" status 1 "$B/dmarec" --profile ./bad.ini --irq "$irq" -o bad.data -- "$B/examples/blkdma" -n 5
	like "... with a sentence" "$(cat err)" "$3"
}
bad "no such event" '[tracepoint block:block_no]\nrole = end\nkey = dev' 'this kernel has no event .block:block_no., or its module is not loaded'
bad "no such function" '[kernel no_such_function_here]\nrole = end\nkey = arg1' 'no_such_function_here|kprobe_events of tracefs is not there'
bad "no field of that name" '[tracepoint block:block_rq_issue]\nrole = end\nkey = devil' "block:block_rq_issue.*event .block:block_rq_issue. has no field .devil."
sed 's/block_rq_complete/block_no/; s/^role = end/&\noptional = yes/' "$profiles/block.ini" >absent.ini
ok "an optional one is left out" "$B/dmarec" --profile ./absent.ini --irq "$irq" -o absent.data -- "$B/examples/blkdma" -n 5
like "... and told" "$(cat err)" 'no event .block:block_no.'
finish
