#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The flight recorder: --keep writes what came last, whoever ends the recording, and the file is one like others.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze examples/blkdma
needs_recording
rec=$B/dmarec ana=$B/dmaanalyze work=$B/examples/blkdma
workdir

whole() { # recording: it loads, its recorder finished it, and no sample is missing that is not told
	rm -f w.db
	"$ana" -q -i "$1" w.db && sql_is w.db 1 'SELECT finished FROM run' &&
		sql_is w.db 0 "SELECT count(*) FROM source WHERE role <> 'interrupt' AND counted IS NOT delivered"
}
spans() { # database, least seconds, most seconds
	sql_is "$1" 1 "SELECT max(time_ns) - min(time_ns) BETWEEN $2 * 1e9 AND $3 * 1e9 FROM sample"
}

ok "--keep with a trigger" "$rec" -q -o t.data --keep 1s --stop-if 'total > 1s' -- "$work" --count 4000 --pause 3ms --stall 2000:3s
ok "... loads whole" whole t.data
ok "... has the transfer that it is about" sql_least w.db 1 'SELECT count(*) FROM transfer WHERE coalesce(woken_ns, (SELECT end_ns FROM run)) - submit_ns > 1e9'
ok "... and a second before it" sql_is w.db 1 'SELECT t.submit_ns + 1e9 - min(s.time_ns) > 1e9 FROM sample s, (SELECT max(submit_ns) AS submit_ns FROM transfer) t'
ok "... not all" sql_is w.db 1 'SELECT count(*) BETWEEN 1 AND 1900 FROM transfer'
ok "... and says that it begins in the middle" sql_least w.db 1 "SELECT count(*) FROM warning WHERE text LIKE '%begins in the middle%'"
ok "... as its facts do" sql_is w.db 0 'SELECT from_start FROM run'
# (rings are read one after another: of the last round that was forgotten a few are there)
ok "... since the time that it names" sql_is w.db 1 'SELECT abs(min(s.time_ns) - begin_ns) < 5e8 FROM sample s, run'

ok "--keep of all that there was" "$rec" -q -o a.data --keep 1h -- "$work" --count 1000
ok "... loads whole" whole a.data
ok "... is all of it" sql_is w.db 1000 'SELECT count(*) FROM transfer'
ok "... from its beginning" sql_is w.db 0 "SELECT count(*) FROM warning WHERE text LIKE '%begins in the middle%'"
ok "... when nothing was in flight" sql_is w.db 1 'SELECT from_start FROM run'

"$work" --help >/dev/null 2>&1
ok "--keep of a size" "$rec" -q -o s.data --keep 256K -- "$work" --count 20000
size() { stat -c %s s.data; }
ok "... has that much" [ "$(size)" -ge $((256 * 1024)) ]
# (a round of the rings is kept whole; all of it would be 8 MiB)
ok "... and not much more" [ "$(size)" -le $((4 << 20)) ]
ok "... loads whole" whole s.data
ok "... and ends with the last transfer" sql_is w.db 1 "SELECT max(woken_ns) > end_ns - 1e9 FROM transfer, run"

# ---- memory ----
"$rec" -q -o m.data --keep 512K -- "$work" --count 100000000 >/dev/null 2>&1 &
pid=$!
await recording $pid m.data
# (the rings' own pages are shared ones, and are touched in their first lap)
rss() { awk '/RssAnon/ { print $2 }' /proc/$pid/status; }
read_so_far() { awk '/^wchar/ { print $2 }' "/proc/$(pgrep -P $pid | head -1)/io"; }
grown() { [ "$(awk '/voluntary_ctxt/ { s += $2 } END { print s }' /proc/$pid/status)" -gt $((switches + $1)) ]; }
switches=$(awk '/voluntary_ctxt/ { s += $2 } END { print s }' /proc/$pid/status)
await grown 20
first=$(rss)
await grown 120
second=$(rss)
kill -TERM $pid
wait $pid
[ "$second" -le $((first + 4096)) ]
result $? "memory does not grow: $first, then $second KiB"

# ---- SIGUSR2: what is kept goes into a file of its own, and the recording goes on ----
"$rec" -o u.data --keep 2s -- "$work" --count 100000000 --pause 1ms >/dev/null 2>told &
pid=$!
await recording $pid u.data
child=$(pgrep -P $pid | head -1)
paused() { [ "$(awk '/^voluntary_ctxt/ { print $2 }' /proc/$child/status)" -ge "$1" ]; }
await paused 300
kill -USR2 $pid
await grep -q 'snapshot: dmaanalyze -i u.data.snap-1' told
result $? "SIGUSR2 writes a snapshot, and it is said"
await paused 900
kill -USR2 $pid
await grep -q 'u.data.snap-2' told
result $? "... and another"
# (the file that the end writes has what came between, so that they can be compared)
kill -TERM $pid
wait $pid
for i in 1 2; do
	ok "snapshot $i loads" "$ana" -q -i u.data.snap-$i snap.db
	ok "... finished, and says what it is" sql_is snap.db 1 "SELECT finished AND EXISTS (SELECT 1 FROM warning w WHERE w.run_id = r.id AND text LIKE 'a snapshot of what was kept%') FROM run r WHERE id = $i"
	ok "... with transfers between its times" sql_is snap.db 1 "SELECT count(*) > 100 AND min(time_ns) >= begin_ns AND max(time_ns) < end_ns FROM sample s JOIN run r ON r.id = s.run_id WHERE r.id = $i"
done
ok "... the second two seconds at least, or from the beginning" sql_is snap.db 1 'SELECT b.begin_ns = a.begin_ns OR b.end_ns - b.begin_ns >= 2e9 FROM run a, run b WHERE a.id = 1 AND b.id = 2'
ok "the recording goes on" "$ana" -q -i u.data snap.db
ok "... beyond them" sql_is snap.db 1 'SELECT a.end_ns < b.end_ns AND b.end_ns < c.end_ns FROM run a, run b, run c WHERE a.id = 1 AND b.id = 2 AND c.id = 3'
ok "... and has every sample of the second that is as late as it begins" sql_is snap.db 0 'SELECT count(*) FROM sample s JOIN run c ON c.id = 3 WHERE s.run_id = 2 AND s.time_ns >= c.begin_ns AND NOT EXISTS (SELECT 1 FROM sample o WHERE o.run_id = 3 AND o.time_ns = s.time_ns AND o.tid IS s.tid)'
# ---- --snapshots: of the worst ----
# (the first command lasts longer than the view's patience, 4 s, to find which vector ends transfers)
ok "--snapshots" "$rec" -o w.data --keep 10s --stop-if 'total > 500ms' --snapshots 1 -x "$B/examples/libblkdma.so" -- sh -c \
	"$work --count 5000 --pause 1ms; $work --count 700 --pause 1ms --stall 100:1s; $work --count 2000 --pause 1ms --stall 100:3s; $work --count 2000 --pause 1ms --stall 100:2s"
is "... lets the recording go on, and writes what is worse than what there is" "$(grep -c 'snapshot of' err)" 2
tr -s '\n ' ' ' <err >told
is "... each with a page of sentences" "$(grep -oE "dmarec: snapshot w.data.snap-[12] by 'total > 500ms' It is about a transfer of 4 KiB, channel 0" told | wc -l)" 2
like "... which says what it took" "$(cat told)" "snap-2 by 'total > 500ms'.*(total: 3\.[0-9]+ s, |open for [1-9])"
is "... keeping the worst" "$(ls w.data.snap-*)" w.data.snap-2
ok "... which loads" "$ana" -q -i w.data.snap-2 worst.db
ok "... and has that transfer, of the right time" sql_is worst.db 1 'SELECT max(coalesce(woken_ns, (SELECT max(time_ns) FROM sample)) - submit_ns) BETWEEN 3e9 AND 4e9 FROM transfer'
ok "--snapshots without --keep" status 2 "$rec" --snapshots 1 --stop-if late -- true
ok "--snapshots of what is no transfer" status 2 "$rec" --snapshots 1 --keep 1s --stop-if 'gap > 1s' -- true

ok "without --keep it is the command's" "$rec" -q -o n.data --start write --wait read -- sh -c 'trap "echo got >usr2" USR2; kill -USR2 $PPID; for i in 1 2 3 4 5 6 7 8 9 10; do [ -f usr2 ] && break; sleep 0.2; done'
ok "... which gets it" test -f usr2

# ---- 20 ends at random moments ----
RANDOM=7
for i in $(seq 20); do
	signal=$([ $((i % 2)) = 0 ] && echo TERM || echo KILL)
	rm -f e.data e.data.old
	"$rec" -q -o e.data --keep 300ms -- "$work" --count 100000000 --pause 100us >/dev/null 2>err &
	pid=$!
	await recording $pid e.data
	# a moment by how much the workload has done, not by the clock
	child=$(pgrep -P $pid | head -1)
	target=$((RANDOM % 300 + 1))
	ran() { [ "$(awk '/^voluntary_ctxt/ { print $2 }' /proc/$child/status 2>/dev/null || echo 999999)" -ge $target ]; }
	await ran
	case $signal in
	KILL) kill -KILL $child ;; # the command is killed
	TERM) kill -TERM $pid ;;   # the recorder is told to end
	esac
	wait $pid
	whole e.data && sql_least w.db 1 'SELECT count(*) FROM transfer' &&
		sql_is w.db 1 'SELECT max(time_ns) > end_ns - 500000000 FROM sample, run'
	result $? "end $i by SIG$signal behind $target pauses: what was kept is there, up to the end"
	none_left $pid || { result 1 "... and nothing is left in the kernel"; }
done

# ---- wrong use ----
for w in --keep= --keep=0s --keep=1x --keep=12 --keep=-1s; do
	ok "refused: $w" status 2 "$rec" "$w" -- "$work"
	ok "... with a sentence" grep -q -- '--keep' last.err
done
finish
