#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dmarec --count against perf stat, which runs within the same recording: a clock's events, whose rate is the same in any
# part of it, and one that only grows.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze dmareport tests/watch/card
needs_recording
command -v perf >/dev/null && perf version >/dev/null 2>&1 || skip_all "perf is not installed"
[ -e /sys/bus/event_source/devices/msr/events/tsc ] || skip_all "this machine has no msr/tsc/"
workdir
irq=$(sed -nE '/PCI-MSI/s/^ *([0-9]+):.*/\1/p' /proc/interrupts | head -n 1)
truncate -s 4096 bar
# perf stat begins and ends when it is told to, and answers: so the span that it counts in is known by two clocks around
# either word, however long a program takes to start here.
mkfifo ctl ack
cat >run <<EOF
perf stat -x, -o stat -a -D -1 --control fifo:ctl,ack -e msr/tsc/,cpu-clock,page-faults -- bash inner
EOF
cat >inner <<EOF
exec 8>ctl 9<ack
outer0=\$EPOCHREALTIME
echo enable >&8; read -r -u 9 _
inner0=\$EPOCHREALTIME
"$B/tests/watch/card" "$PWD/bar" log 50 1000 1
for ((i = 0; i < FAULTS; i++)); do (:); done
sleep \$SECONDS_OF_IT
inner1=\$EPOCHREALTIME
echo disable >&8; read -r -u 9 _
echo "\$outer0 \$EPOCHREALTIME" >outer; echo "\$inner0 \$inner1" >inner.span
EOF
sed -i 's/FAULTS/200/' inner
record() { # output, more options
	local out=$1
	shift
	"$B/dmarec" --start 'dma_to_host channel=arg2 size=arg3' --wait 'dma_wait channel=arg2' -x "$B/tests/watch/card" --irq "$irq" -o "$out" "$@" -- bash run
}
export SECONDS_OF_IT=1.5
ok "recorded" record c.data --count msr/tsc/ --count cpu-clock --count page-faults
ok "analysed" "$B/dmaanalyze" -i c.data c.db
like "the summary has them" "$(cat out)" 'msr/tsc/: [0-9.e+]+ in [0-9.]+ s'
is "... all three" "$(sqlite3 c.db 'SELECT event FROM counts')" $'msr/tsc/\ncpu-clock\npage-faults'
ok "nothing is lost" sql_is c.db 0 "SELECT sum(lost) FROM source WHERE role = 'count'"
ok "it was read again and again" sql_least c.db 5 'SELECT min(readings) FROM counts'
ok "... and never ran back" sql_is c.db 0 'SELECT count(*) FROM (SELECT value - lag(value) OVER (PARTITION BY source_id
	ORDER BY time_ns) AS more FROM count) WHERE more < 0'
# perf stat: value,unit,event,ns that it ran; of the two clocks within 1 %, each by its own time
cp stat stat.csv
for event in msr/tsc/ cpu-clock; do
	perfs=$(awk -F, -v e="$event" '$3 == e { v = $1; if ($2 == "msec") v *= 1e6; print v / $4 }' stat.csv)
	ours=$(sqlite3 c.db "SELECT 1.0 * max(value) / max(enabled_ns) FROM count c JOIN counted d USING (source_id) WHERE d.text = '$event'")
	awk -v a="$ours" -v b="$perfs" 'BEGIN { exit !(a > 0 && b > 0 && a / b < 1.01 && a / b > 0.99) }'
	result $? "$event: within 1 % of perf stat" || echo "# $ours, perf stat $perfs a ns"
	echo "# $event: $(awk -v a="$ours" -v b="$perfs" 'BEGIN { printf "%.4f", a / b }') of perf stat's"
done
# The sums. perf stat's is of a span as long as it says, which begins between the two clocks around the first word and ends
# between those around the second; ours is of as long a one in the middle of what that leaves. (Between two readings, 10 ms
# apart, along the line: a thousandth is left for that.)
ncpu=$(getconf _NPROCESSORS_ONLN)
span() { # event: when perf stat's begins and ends, s
	awk -F, -v e="$1" -v n="$ncpu" 'FILENAME == "stat.csv" { if ($3 == e) long = $4 / n / 1e9; next }
		FILENAME == "outer" { split($0, o, " "); next } { split($0, i, " ") }
		END { first = o[1] > i[2] - long ? o[1] : i[2] - long; last = i[1] < o[2] - long ? i[1] : o[2] - long
			printf "%.6f %.6f\n", (first + last) / 2, (first + last) / 2 + long }' stat.csv outer inner.span
}
between() { # event, begin and end
	sqlite3 c.db "WITH r AS (SELECT time_ns, value FROM count c JOIN counted d USING (source_id) WHERE d.text = '$1'),
		t AS (SELECT begin_ns + CAST(round(1e9 * (k - strftime('%s', started_utc) - substr(started_utc, 20, 7))) AS INTEGER) AS ns
			FROM run, (SELECT $2 AS k UNION ALL SELECT $3)),
		v AS (SELECT ns, (SELECT value FROM r WHERE time_ns <= ns ORDER BY time_ns DESC LIMIT 1) AS a, (SELECT time_ns FROM r WHERE time_ns <= ns ORDER BY time_ns DESC LIMIT 1) AS at,
			(SELECT value FROM r WHERE time_ns > ns ORDER BY time_ns LIMIT 1) AS b, (SELECT time_ns FROM r WHERE time_ns > ns ORDER BY time_ns LIMIT 1) AS bt FROM t)
		SELECT max(a + (b - a) * 1.0 * (ns - at) / (bt - at)) - min(a + (b - a) * 1.0 * (ns - at) / (bt - at)) FROM v"
}
for event in msr/tsc/ cpu-clock page-faults; do
	perfs=$(awk -F, -v e="$event" '$3 == e { v = $1; if ($2 == "msec") v *= 1e6; print v }' stat.csv)
	inner=$(between "$event" $(cat inner.span)) outer=$(between "$event" $(cat outer)) same=$(between "$event" $(span "$event"))
	if [ "$event" != page-faults ]; then # (which do not come along the line)
		awk -v a="$inner" -v b="$outer" -v p="$perfs" 'BEGIN { exit !(a > 0 && p > a * 0.999 && p < b * 1.001) }'
		result $? "$event: perf stat's sum lies between the sums within its words and around them" || echo "# $inner, $perfs, $outer"
	fi
	awk -v a="$same" -v p="$perfs" 'BEGIN { exit !(a / p > 0.99 && a / p < 1.01) }'
	result $? "$event: the sum of the same span within 1 % of perf stat's"
	echo "# $event: within, as long as, and around perf stat's span $(awk -v a="$inner" -v c="$same" -v b="$outer" -v p="$perfs" \
		'BEGIN { printf "%.4f, %.4f, %.4f", a / p, c / p, b / p }') of its sum"
done
faults=$(awk -F, '$3 == "page-faults" { print $1 }' stat.csv)
ok "page-faults: no less than perf stat's, which runs within" sql_least c.db "$faults" "SELECT value FROM counts WHERE event = 'page-faults'"
ok "figures as JSON" bash -c "\"$B/dmaanalyze\" --json c.db | jq -e '.runs[0].counts | length == 3 and .[0].value > 0'"
ok "the page" "$B/dmareport" -o page c.db
ok "... has what was counted" grep -qE 'What the machine.{1,6}s units counted' page/index.html
ok "... and draws it under throughput" grep -q 'Below, what the machine counted: msr/tsc/' page/index.html
ok "perf prints the readings" perf script -i c.data
like "... as events of dmarec's" "$(grep -m 1 count0 out)" 'dmarec:count0_msr_tsc_: value=[0-9]+ enabled=[0-9]+ running=[0-9]+'
ok "the machine's units are listed" "$B/dmarec" --list
like "... with those that count DMA, or that there is none" "$(cat out)" 'Units that count DMA'
ok "... as JSON" bash -c "\"$B/dmarec\" --list --json | jq -e '.counting_units | type == \"array\"'"
for bad in nothing 'nowhere/event=1/' 'msr/speed=1/' 'msr/tsc'; do
	ok "$bad is refused" status 1 record no.data --count "$bad"
	like "... with a sentence" "$(cat err)" "--count '$bad': .*an event is PMU/EVENT/"
done
finish
