#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dmaanalyze on real recordings of the disk: what is stored agrees with what was recorded, with perf's own
# record of the same events and with the block layer's tracepoints; and wrong input is told.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze examples/blkdma
needs_recording
rec=$B/dmarec ana=$B/dmaanalyze work=$B/examples/blkdma
workdir

# ---- one recording ----
# (of two sizes: with one, and a device as steady as a disk may be, nothing shows which vector is the end)
count=3000
"$rec" -q -o r.data --label first -- "$work" --count $count --size 4K,256K --seed 7 >truth
ok "loads" "$ana" -i r.data t.db
ok "... and says which interrupt ends transfers" grep -q 'virtio.*completion, ends transfers here' last.out
ok "every transfer is there" sql_is t.db $count 'SELECT count(*) FROM transfer'
# What others did on the same disk, or an interrupt that the kernel hid, leaves transfers open: `unknown` is right then.
hits=$(sqlite3 t.db 'SELECT count(*) FROM sample WHERE irq IN (SELECT irq FROM vector WHERE used)')
hidden=$(sqlite3 t.db "SELECT sum(lost) FROM source WHERE role = 'interrupt'")
if [ $((hits + hidden - count + hidden)) -le $((count / 100)) ]; then
	ok "nearly all are complete" sql_least t.db $((count * 98 / 100)) "SELECT count(*) FROM transfer WHERE state = 'complete'"
else
	skip "nearly all are complete" "$count transfers, $hits interrupts of a disk that others use, too, and $hidden hidden ones"
fi
ok "all submits are stored" sql_is t.db $count "SELECT count(*) FROM sample s JOIN source o ON o.id = s.source_id WHERE o.role = 'submit'"
# (of interrupts, a virtual machine's kernel may hide some from BPF: they are counted, and told)
ok "counted is delivered" sql_is t.db 0 "SELECT count(*) FROM source WHERE role <> 'interrupt' AND (counted IS NOT delivered OR lost <> 0)"
ok "... of interrupts nearly, and the rest is told" sql_is t.db 0 "SELECT count(*) FROM source WHERE role = 'interrupt' AND (counted - delivered <> lost OR lost > 0.02 * counted)"
ok "sizes, channels, directions" sql_is t.db "$count|4096|262144|0|to_host" \
	'SELECT count(*), min(size_bytes), max(size_bytes), max(channel), max(direction) FROM transfer'
ok "the vector was found, not named" sql_is t.db found 'SELECT vectors_from FROM analysis'
ok "summary and transfers agree" sql_is t.db 0 "SELECT count(*) FROM summary u WHERE channel IS NULL AND direction IS NULL AND n <>
	(SELECT CASE u.phase WHEN 'api' THEN count(api_ns) WHEN 'device' THEN count(device_ns)
	 WHEN 'notice' THEN count(notice_ns) ELSE count(total_ns) END FROM transfer t WHERE t.run_id = u.run_id)"
ok "the histogram holds as many" sql_is t.db 0 "SELECT count(*) FROM summary u WHERE channel IS NULL AND direction IS NULL AND n <>
	(SELECT coalesce(sum(n), 0) FROM histogram h WHERE h.run_id = u.run_id AND h.phase = u.phase)"
median_agrees() { # total against the workload's own clock, within the probes' cost (and a tenth)
	local own
	own=$(sed -n 's/.*median_ns=//p' truth)
	sqlite3 t.db "SELECT 1 FROM quantile q JOIN summary s USING (run_id, phase) WHERE q.phase = 'total' AND q.q = 0.5
		AND q.channel IS NULL AND s.channel IS NULL AND q.direction IS NULL AND s.direction IS NULL
		AND abs(q.value_ns - $own) <= s.error_ns + 0.1 * $own" | grep -q 1 || {
		cat truth; sqlite3 t.db "SELECT * FROM quantile WHERE phase = 'total'"; return 1; }
}
ok "the median agrees with the workload's own" median_agrees
dump() { sqlite3 "$1" 'SELECT * FROM transfer; SELECT * FROM stray; SELECT * FROM summary; SELECT * FROM quantile' | cksum; }
before=$(dump t.db)
ok "loading it again" "$ana" -i r.data t.db
ok "... says so" grep -q 'already' last.err
ok "... changes nothing" test "$before" = "$(dump t.db)"
ok "building again from the facts" "$ana" -q --rebuild t.db
ok "... gives the same" test "$before" = "$(dump t.db)"
ok "--json" "$ana" --json t.db
cp out j.json
ok "... is valid" sql_is :memory: 1 "SELECT json_valid(CAST(readfile('j.json') AS TEXT))"
ok "... with the same figures" sql_is t.db 0 "SELECT s.n - json_extract(CAST(readfile('j.json') AS TEXT), '\$.runs[0].groups[0].phases.total.n')
	FROM summary s WHERE phase = 'total' AND channel IS NULL AND direction IS NULL"
ok "--csv" "$ana" --csv t.db
ok "... has a line for each group and phase" test "$(wc -l <out)" -eq 9
ok "--verify" "$ana" --verify t.db
ok "... tells of every vector" test "$(($(grep -cE '^ +[0-9]+ .* (completion|shared|unrelated|unclear|data available)' out) + $(sed -n '/^  silent:/,/^[^ ]\|^$/p' out | grep -oE '[0-9]+' | wc -l)))" -ge "$(sqlite3 t.db 'SELECT count(DISTINCT irq) FROM vector')"
irq=$(sqlite3 t.db 'SELECT irq FROM vector WHERE used LIMIT 1')
ok "--irq and --pairing analyse again" "$ana" --irq "$irq" --pairing one t.db
ok "... and it is stored" sql_is t.db "option|option|one" 'SELECT vectors_from, pairing_from, pairing FROM analysis'
ok "--list" "$ana" --list t.db
ok "... names the label" grep -q 'first' last.out
ok "a second run" "$rec" -q -o r2.data -- "$work" --count 200 --channels 1 --size 4K,64K --mix 50%
ok "... in the same database" "$ana" -q -i r2.data --label second t.db
ok "... is run 2" sql_is t.db "2|second|200" 'SELECT r.id, r.label, count(*) FROM run r JOIN transfer t ON t.run_id = r.id WHERE r.id = 2'
sqlite3 t.db 'VACUUM INTO "esc.db"'
sqlite3 esc.db "UPDATE run SET label = 'a' || char(27) || ']0;x' || char(7), command = char(155) || '2J'; UPDATE irq SET name = char(27) || '[2J'"
raw_free() { "$ana" -q --list esc.db && "$ana" --verify esc.db && "$ana" --list esc.db; }
ok "what a recording says cannot steer the terminal" raw_free
ok "... not a control character is left" sh -c "! tr -d '\\n' <last.out | LC_ALL=C grep -q '[[:cntrl:]]'"
ok "--run picks one" "$ana" --run 1 t.db
ok "... the first" grep -q '^run 1 (first)' last.out

# ---- perf's tools on the same ----
samples=$(sqlite3 t.db 'SELECT count(*) FROM sample WHERE run_id = 1')
if command -v perf >/dev/null; then
	perf script -i r.data >script.txt 2>script.err
	ok "perf script lists every sample" test "$(wc -l <script.txt)" -eq "$samples"
	ok "... with its fields" test "$(grep -cE 'dma_to_host: .*size=(4096|262144)\b' script.txt)" -eq $count
	# interrupts of an idle CPU are lost to perf here: keep that CPU busy
	cpu=$(sqlite3 t.db "SELECT irq_cpu FROM transfer GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
	"$rec" --dry-run -- "$work" --count 1 >plan.txt 2>/dev/null
	group=probe_dma$$
	sed -n "s/^echo '\(.\):probe_dma\/\(.*\)' >>.*/\1:$group\/\2/p" plan.txt >defs
	while read -r def; do echo "$def" >>/sys/kernel/tracing/uprobe_events; done <defs
	events=$(sed "s/^.:\([^ ]*\) .*/-e \1/; s,/,:," defs)
	taskset -c "$cpu" sh -c 'while :; do :; done' & busy=$!
	perf record -q -a -k CLOCK_MONOTONIC $events -e irq:irq_handler_entry --filter "irq == $irq" -o p.data -- \
		taskset -c $((1 - cpu)) "$work" --count 500 --size 4096 >/dev/null 2>perf.err
	kill $busy; wait $busy 2>/dev/null
	sed "s/^.:\([^ ]*\) .*/-:\1/" defs | while read -r def; do echo "$def" >>/sys/kernel/tracing/uprobe_events; done
	ok "a recording of perf's loads" "$ana" --irq "$irq" -i p.data p.db
	ok "... roles guessed from the names" sql_is p.db 1 'SELECT roles_guessed FROM run'
	ok "... and gives the transfers" sql_is p.db 500 'SELECT count(*) FROM transfer WHERE size_bytes = 4096'
	# perf's samples of some tasks vanish without a trace on such machines: those transfers cannot be complete
	ok "... most of them complete" sql_least p.db 250 "SELECT count(*) FROM transfer WHERE state = 'complete'"
	# The block layer's own view of each transfer, of which perf may have lost some as well. The doorbell is the call
	# of io_submit, so it comes before the issue (always); the interrupt comes with the completion, as near as one hit of a
	# uprobe, which this recording measured.
	perf record -q -a -k CLOCK_MONOTONIC -e block:block_rq_issue -e block:block_rq_complete -o blk.data -- \
		"$rec" -q --probes kernel -o b.data -- "$work" --count 500 --size 4096 >/dev/null 2>&1
	"$ana" -q --irq "$irq" -i b.data b.db
	perf script -i blk.data --ns -F pid,time,event,trace 2>/dev/null |
		awk -v pid="$(sqlite3 b.db 'SELECT pid FROM transfer LIMIT 1')" '/rq_issue/ && $1 == pid { t = $2; sub(":", "", t); s = $0; sub(/.*\(\) /, "", s); split(s, f, " "); issue[f[1]] = t; order[++k] = f[1] }
		     /rq_complete/ { t = $2; sub(":", "", t); s = $0; sub(/.*\(\) /, "", s); split(s, f, " "); if (f[1] in issue && !(f[1] in done)) done[f[1]] = t }
		     END { for (i = 1; i <= k; i++) if (order[i] in done) printf "%.9f,%.0f\n", issue[order[i]], 1e9 * (done[order[i]] - issue[order[i]]) }' >blk.csv
	agree() {
		sqlite3 b.db >agree.txt <<-SQL
		CREATE TEMP TABLE blk (at REAL, took REAL);
		.mode csv
		.import blk.csv blk
		SELECT count(*), sum(abs(t.irq_ns - b.at * 1e9 - b.took) <= r.uprobe_cost_ns),
			sum(t.doorbell_ns <= b.at * 1e9), sum(t.irq_ns IS NULL OR t.device_ns = t.irq_ns - t.doorbell_ns)
		FROM run r, transfer t JOIN blk b ON b.at * 1e9 > t.submit_ns AND b.at * 1e9 < t.woken_ns;
		SQL
		local all ended begun told
		IFS=, read -r all ended begun told <agree.txt
		[ "$ended" -ge $((all * 9 / 10)) ] && [ "$begun" = "$all" ] && [ "$told" = "$all" ] || { cat agree.txt; head -3 blk.csv; return 1; }
	}
	if [ "$(wc -l <blk.csv)" -ge 250 ]; then
		ok "begin and end agree with the block layer, transfer by transfer" agree
	else
		skip "begin and end agree with the block layer" "perf recorded less than half of it"
	fi
else
	skip "perf's tools" "no perf here"
fi

# ---- what goes wrong ----
ok "no database named" status 2 "$ana"
ok "a doubtful number" status 2 "$ana" --run 1x t.db
ok "a role that is none" status 2 "$ana" --role a=b t.db
ok "nothing there" status 1 "$ana" nothing.db
ok "... says how to begin" grep -q 'dmarec -- ' last.err
ok "... and leaves no file" test ! -e nothing.db
ok "--run and -i" status 2 "$ana" -i r.data --run 1 t.db
ok "--label and nothing to load" status 2 "$ana" --label x --run 1 t.db
ok "an interrupt that was not recorded" status 1 "$ana" --run 1 --irq 65000 t.db
ok "... names those that were" grep -q "those that came: .*$irq" last.err
ok "... and the analysis stays" test "$(sqlite3 t.db 'SELECT count(*) FROM analysis')" = 2
cp t.db u.db
sqlite3 u.db 'DELETE FROM analysis WHERE run_id = 2; DELETE FROM transfer WHERE run_id = 2'
ok "a run that was never analysed" "$ana" u.db
ok "... is" sql_is u.db 200 'SELECT a.transfers FROM analysis a JOIN transfer t ON t.run_id = a.run_id AND t.id = 1 WHERE a.run_id = 2'
broken() { # Ctrl-C in the middle of a load
	local i
	for i in 1 2 3 4 5 6 7 8; do
		rm -f i.db*
		timeout -s INT 0.0$i "$ana" -q -i r.data i.db 2>int.err
		[ -e i.db-journal ] && { echo "a journal is left"; return 1; }
		[ ! -e i.db ] || sql_is i.db "$count" 'SELECT count(*) FROM transfer' || return 1
		[ -e i.db ] || grep -q 'interrupted' int.err || [ ! -s int.err ] || { cat int.err; return 1; }
	done
}
ok "Ctrl-C leaves all or nothing" broken
ok "no such run" status 1 "$ana" --run 77 t.db
ok "no such recording" status 1 "$ana" -i nosuch.data t.db
ok "... is named" grep -q 'nosuch.data' last.err
echo 'this is no recording' >text.data
ok "a text file" status 1 "$ana" -i text.data t.db
echo 'this is no database at all, only some words' >text.db
ok "a text file for a database" status 1 "$ana" -i r.data text.db
sqlite3 other.db 'CREATE TABLE t (x)'
ok "another program's database" status 1 "$ana" -i r.data other.db
ok "... stays as it was" sql_is other.db t "SELECT group_concat(name) FROM sqlite_master"
head -c 300000 r.data >cut.data
ok "the same recording, cut, into the same database" "$ana" -i cut.data t.db
ok "... is told" grep -q 'the file has changed' last.err
ok "a file that was cut" sh -c "'$ana' -i cut.data cut.db; [ \$? -le 1 ]"
damaged() {
	local size off
	size=$(stat -c %s r.data)
	for off in 8 16 40 104 120 200 400 1000 5000 20000 $((size / 2)) $((size - 300)) $((size - 40)); do
		cp r.data bad.data
		printf '\377\377\377\377\377\377\377\377' | dd of=bad.data bs=1 seek="$off" conv=notrunc 2>/dev/null
		rm -f bad.db
		"$ana" -i bad.data bad.db >bad.out 2>bad.err
		[ $? -le 1 ] || { echo "offset $off"; cat bad.err; return 1; }
	done
}
ok "damage anywhere is told or harmless" damaged
"$rec" -q -o k.data -- "$work" --count 100000000 --size 4K,256K --seed 7 >/dev/null 2>&1 &
pid=$!
await bigger k.data 2000000
child=$(pgrep -P $pid | head -1)
kill -9 $pid; wait $pid 2>/dev/null
[ -z "$child" ] || kill -9 "$child" 2>/dev/null
ok "a killed recorder's file loads" "$ana" -i k.data k.db
ok "... and says that it was cut" grep -q 'did not end this file' last.out
ok "... with its transfers" sql_least k.db 100 "SELECT count(*) FROM transfer WHERE state = 'complete'"
"$rec" -q -o after.data -- "$work" --count 5 >/dev/null
ok "the next start removes the killed one's probes" sh -c "! grep -q dmarec_$pid/ /sys/kernel/tracing/uprobe_events"
killed_load() {
	local i runs
	for i in 1 2 3 4 5 6; do
		rm -f kl.db*
		timeout -s KILL 0.0$((i * 2)) "$ana" -q -i r.data kl.db 2>/dev/null
		[ -e kl.db ] || continue
		runs=$(sqlite3 kl.db 'SELECT (SELECT count(*) FROM run), (SELECT count(*) FROM transfer)' 2>/dev/null)
		case $runs in '' | '0|0' | "1|$count") ;; *) echo "after a kill: $runs"; return 1 ;; esac
		"$ana" -q -i r.data kl.db || return 1
	done
}
ok "a killed load leaves nothing half done" killed_load
ok "no right to write" status 1 "$ana" -i r.data /proc/t.db
locked() { # another program writes for longer than we wait
	sqlite3 t.db 'BEGIN IMMEDIATE' '.system touch locked; sleep 4' 'ROLLBACK' & local holder=$!
	await test -e locked
	status 1 "$ana" -q --rebuild t.db; local rc=$?
	wait $holder
	return $rc
}
before=$(dump t.db)
ok "a second writer" locked
ok "... is told" grep -q 'another program is writing' last.err
ok "... and changes nothing" test "$before" = "$(dump t.db)"
full() { # a file system with less room than the database needs
	unshare -m sh -c "mkdir -p full && mount -t tmpfs -o size=300k none full && cd full &&
		'$ana' -q -i ../r.data f.db; rc=\$?; ls; exit \$rc"
}
if unshare -m true 2>/dev/null; then
	ok "a full disk" status 1 full
	ok "... is told" grep -q 'the disk is full; nothing was changed' last.err
	ok "... and leaves no database" test ! -s last.out
else
	skip "a full disk" "no right to make a mount namespace"
fi
finish
