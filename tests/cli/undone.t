#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Two threads that change a card's enable register without a lock (tests/watch/race.c): starts whose bit was taken away are
# found, and none is invented. How many there are depends on who else runs here.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze tests/watch/race
needs_recording
workdir
N=80
truncate -s 4096 bar
cat >card.ini <<EOF
[profile]
auto = no
[start dma_to_host]
card = arg1
channel = arg2:u32
size = arg3
doorbell = store +0x400
[wait dma_wait]
card = arg1
channel = arg2:u32
[register ENABLE]
file = $PWD/bar
offset = 0x400
busy = bit(channel)
channels = 8
EOF
irq=$(sed -nE '/PCI-MSI/s/^ *([0-9]+):.*/\1/p' /proc/interrupts | head -n 1)
[ -n "$irq" ] || skip_all "no device interrupt to record here"
by_log() { # database, expected, query: transfers beside the card's log
	sql_is "$1" "$2" "ATTACH 'log.db' AS l; WITH t AS (SELECT *, row_number() OVER (PARTITION BY channel ORDER BY submit_ns) AS n,
		coalesce(reason LIKE 'its start was undone%', 0) AS undone FROM transfer) SELECT count(*) FROM t JOIN log USING (channel, n) WHERE $3"
}
modes=process
if [ "${SIM_SIZE:-full}" != tenth ]; then
	modes="process kernel"
	ok "what would be recorded" "$B/dmarec" --dry-run --profile ./card.ini -- "$B/tests/watch/race"
	like "... has what the store writes" "$(cat out)" 'ret=%[a-z0-9]+:u32'
fi
for probes in $modes; do
	ok "recorded, probes by the $probes" "$B/dmarec" -q --probes $probes --profile ./card.ini --irq "$irq" -o $probes.data -- \
		"$B/tests/watch/race" log $N 4000000
	rm -f log.db
	sqlite3 log.db 'CREATE TABLE log (channel INTEGER, n INTEGER, ran INTEGER)' '.mode csv' '.import log log'
	ok "... analysed" "$B/dmaanalyze" -i $probes.data $probes.db
	cp out summary
	ok "... all starts are there" by_log $probes.db $((2 * N)) 1
	ok "... none is invented" by_log $probes.db 0 'undone AND ran > 0'
	ok "... none is missed" by_log $probes.db 0 "ran = 0 AND NOT undone AND state <> 'unknown'"
	lost=$(sqlite3 log.db 'SELECT count(*) FROM log WHERE ran = 0') found=$(sqlite3 $probes.db 'SELECT undone FROM analysis')
	echo "# the card never ran $lost of $((2 * N)); $found found, of $(sqlite3 $probes.db 'SELECT undone_maybe FROM analysis') it is not certain"
	if [ "$lost" -gt 0 ]; then
		[ "$found" -gt 0 ]
		result $? "... they are found"
	else
		skip "... they are found" "the two threads did not meet"
	fi
	if [ "$found" -gt 0 ]; then
		like "... and said" "$(tr -s ' \n' ' ' <summary)" "$found starts were undone so \(aborted\)"
		ok "... each is aborted" sql_is $probes.db "$found" "SELECT count(*) FROM transfer WHERE state = 'aborted' AND reason LIKE 'its start was undone%'"
	fi
	sqlite3 $probes.db 'SELECT id, state, reason FROM transfer' >before
	ok "... from the rows it is the same" bash -c "\"$B/dmaanalyze\" -q --rebuild $probes.db && sqlite3 $probes.db 'SELECT id, state, reason FROM transfer' | cmp - before"
done
ok "as JSON" bash -c "\"$B/dmaanalyze\" --json process.db | jq -e '.runs[0].audit | .undone_starts >= 0 and .perhaps_undone_starts >= 0'"
finish
