#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One figure is the same wherever it stands: summary, --json, --csv, the page, --term, dmacompare.
b=${B:-build}
case $b in /*) ;; *) b=$PWD/$b ;; esac
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
count=0
ok() { # status name
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else
		echo "not ok $count - $2"
		head -n 60 out | sed 's/^/# /'
	fi
}
has() { grep -Eq -- "$1" out || grep -Eq -- "$1" <(tr '\n' ' ' <out | tr -s ' '); ok $? "$2"; }

# Interrupts are missing: of those transfers it is not known what ended them, and they ended for the program.
"$b/tests/gentrace" -o g.data -t g.csv --seed 3 --count 400 --missing 10% >out 2>&1 || { cat out; exit 1; }
"$b/dmaanalyze" -q -i g.data g.db >out 2>&1
rate=$(sqlite3 g.db 'SELECT bytes_per_s FROM throughput WHERE direction IS NULL')
words=$(awk -v r="$rate" 'BEGIN { split("B/s kB/s MB/s GB/s", u, " "); i = 1; while (r >= 1000) { r /= 1000; i++ }
	printf((r >= 100 ? "%.0f %s" : r >= 10 ? "%.1f %s" : "%.2f %s"), r, u[i]) }')
n=$(sqlite3 g.db "SELECT count(*) FROM transfer WHERE woken_ns IS NOT NULL AND size_bytes IS NOT NULL
	AND state NOT IN ('failed', 'aborted', 'circular', 'in_flight')")
[ "$n" = 400 ] && [ "$(sqlite3 g.db "SELECT count(*) FROM transfer WHERE state <> 'complete'")" -gt 0 ]
ok $? "all ended for the program, not all by a known interrupt"
want=$(sqlite3 g.db "SELECT printf('%.6g', 1e9 * sum(size_bytes) / (max(woken_ns) - min(submit_ns))) FROM transfer")
[ "$(printf %.6g "$rate")" = "$want" ]; ok $? "throughput is what ended for the program over the time it took"
"$b/dmaanalyze" g.db >out; has "throughput: $words" "the summary: $words"
"$b/dmaanalyze" --json g.db >out; [ "$(sqlite3 :memory: "SELECT printf('%.6g', json_extract(CAST(readfile('out') AS TEXT), '\$.runs[0].groups[0].bytes_per_s'))")" = "$want" ]
ok $? "--json"
"$b/dmaanalyze" --csv g.db >out; [ "$(awk -F, 'NR == 2 { printf "%.6g", $NF }' out)" = "$want" ]; ok $? "--csv"
"$b/dmareport" --term g.db >out; has "Throughput: $words" "--term"
"$b/dmareport" --format html --plot throughput -o rep g.db >/dev/null 2>&1; cp rep/index.html out; has "$words" "the page"
"$b/dmacompare" --by none --metric total g.db g.db >out; has "$words" "dmacompare"
# Naming the interrupt that was found changes nothing of it.
irq=$(sqlite3 g.db 'SELECT irq FROM vector WHERE used = 1 LIMIT 1')
"$b/dmaanalyze" --irq "$irq" g.db >out 2>&1; has "throughput: $words" "with --irq named"

# ---- a quantile that n does not carry is marked wherever it stands ----
"$b/dmaanalyze" g.db >out 2>&1; has '~[0-9.]+ [µnm]s' "the summary marks p99.9 of 400"
"$b/dmareport" --term g.db >out 2>&1; has '~[0-9.]+ [µnm]s' "--term too"
has '~ too few transfers for this quantile' "... and says what it means"
"$b/dmareport" --format html --plot throughput -o rep g.db >out 2>&1; cp rep/index.html out; has '>~</abbr>[0-9.]+ [µnm]s' "and the page"

# ---- a bandwidth only where latency follows size ----
"$b/tests/gentrace" -o f.data -t f.csv --seed 3 --count 4000 --latency linear >out 2>&1; "$b/dmaanalyze" -q -i f.data f.db >out 2>&1
[ "$(sqlite3 f.db "SELECT count(*) FROM fit WHERE ns_per_byte IS NOT NULL AND phase = 'device'")" -gt 0 ]; ok $? "latency that follows size has a line"
"$b/tests/gentrace" -o c.data -t c.csv --seed 3 --count 4000 --latency tail >out 2>&1; "$b/dmaanalyze" -q -i c.data c.db >out 2>&1
[ "$(sqlite3 c.db "SELECT count(*) FROM fit WHERE ns_per_byte IS NOT NULL")" = 0 ]; ok $? "latency that does not has none"
"$b/dmareport" --format html --plot size -o repc c.db >out 2>&1; cp repc/index.html out; has 'No line' "... and the page says so"
! grep -q 'bandwidth [0-9]' out; ok $? "... without a figure"

# ---- a quantile that so few values do not carry: marked in the table, no number in --csv ----
field() { awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i } $5 == "total" { print $c; exit }' out; }
"$b/dmaanalyze" --csv c.db >out 2>&1; [ "$(field p99_ns)" -gt "$(field p90_ns)" ]; ok $? "4,000 values carry a p99"
[ -z "$(field p99.99_ns)" ]; ok $? "... and no p99.99"
"$b/tests/gentrace" -o h.data -t h.csv --seed 5 --count 30 >out 2>&1; "$b/dmaanalyze" -q -i h.data h.db >out 2>&1
"$b/dmaanalyze" --csv h.db >out 2>&1; [ "$(field p50_ns)" -gt 0 ] && [ -z "$(field p90_ns)$(field p99_ns)" ]; ok $? "30 carry a median only"
echo "1..$count"
