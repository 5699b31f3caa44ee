#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# make bench: the speed that is promised, as ratios against a peer in the same run, each the median of
# several turns taken side by side. Needs root, perf and a quiet machine; fails nothing.
set -u
B=$(realpath "${B:-build}")
DMAREC_PROFILES=$(realpath examples/profiles)
export DMAREC_PROFILES
turns=${TURNS:-5} calls=${CALLS:-300000}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
row() { printf '%-58s %10s %10s %8s  %s\n' "$@"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
row what ours peer ratio promised

# ---- one hit: the least of many rounds, as what comes in between only adds ----
hit() { # column, then a command that runs hit: the least of some turns
	local column=$1
	shift
	for _ in $(seq "$turns"); do "$@" 2>/dev/null | grep -E '^[0-9.]+ [0-9.]+$'; done | awk -v c="$column" '{ print $c }' | sort -g | head -1
}
per() { awk -v a="$1" -v b="$2" -v n="$3" 'BEGIN { printf "%.1f", (a - b) / n }'; }
plain=$(hit 1 "$B/tests/bench/hit" 1000 100) clock=$(hit 2 "$B/tests/bench/hit" 1000 100)
process=$(per "$(hit 1 "$B/dmarec" -q --probes process -o h.data -- "$B/tests/bench/hit" 1000 100)" "$plain" 2)
kernel=$(per "$(hit 1 "$B/dmarec" -q --probes kernel -o h.data -- "$B/tests/bench/hit" 40 20)" "$plain" 2)
row "one probe in the process, against a uprobe, ns" "$process" "$kernel" "$(awk -v a="$process" -v b="$kernel" 'BEGIN { printf "1/%.0f", b / a }')" "<= 1/50"
row "... against clock_gettime, ns" "$process" "$clock" "$(ratio "$process" "$clock")" "<= 3"
audit=$(per "$(hit 1 env LD_AUDIT="$B/tests/bench/audit.so" "$B/tests/bench/hit" 1000 100)" "$plain" 1)
row "... against LD_AUDIT that reads the clock, ns" "$process" "$audit" "$(ratio "$process" "$audit")" "< 1"
if command -v uftrace >/dev/null; then
	pg=$(per "$(hit 1 uftrace record --force --no-libcall -d uf.data "$B/tests/bench/pg/hit" 200 100)" "$plain" 2)
	row "... against uftrace (half of entry and exit), ns" "$process" "$pg" "$(ratio "$process" "$pg")" "< 1"
fi

# ---- many: what is kept ----
for rate in 1000000 5000000; do
	reached=$("$B/dmarec" --probes process -o s.data -- "$B/tests/bench/storm" 2 $rate 2 2>storm.err)
	kept=$(awk '/counted/ && !/interrupt|warning/ { gsub(",", ""); c += $4; d += $6; l += $8 } END { printf "%.4f %s", d / c, c == d + l ? "equal" : "NOT equal" }' storm.err)
	row "$rate probes a second wanted, $reached reached: kept" "${kept% *}" "-" "-" "$([ $rate = 1000000 ] && echo 1.0000)"
	echo "    counted against delivered + lost: ${kept#* }; $(grep -o '[0-9]* of [0-9]* probes are armed in the process' storm.err || echo NOT in the process)"
done

# (behind what is kept: its probes leave the library a while after it, and a place that holds one is the kernel's)
if command -v bpftrace >/dev/null; then
	bpf=$(per "$(hit 1 bpftrace -e "uprobe:$B/tests/bench/libcalls.so:dma_wait { @ = count(); }" -c "$B/tests/bench/hit 40 20")" "$plain" 1)
	row "one probe in the process, against bpftrace, ns" "$process" "$bpf" "$(awk -v a="$process" -v b="$bpf" 'BEGIN { printf "1/%.0f", b / a }')" "< 1"
fi

# ---- recording: the same probes under dmarec and under perf record ----
group=probe_bench$$
"$B/dmarec" --dry-run -- "$B/tests/bench/caller" 1 >plan.txt 2>plan.err || cat plan.err
sed -n "s/^echo '\(.\):probe_dma\/\(.*\)' >>.*/\1:$group\/\2/p" plan.txt >defs
while read -r def; do echo "$def" >>/sys/kernel/tracing/uprobe_events; done <defs
events=$(sed "s/^.:\([^ ]*\) .*/-e \1/; s,/,:," defs)
for _ in $(seq "$turns"); do
	"$B/tests/bench/caller" "$calls" >>plain.txt
	"$B/dmarec" -q --probes process -o i.data -- "$B/tests/bench/caller" "$calls" >>inside.txt 2>>inside.err
	"$B/dmarec" -q --probes kernel -o d.data -- "$B/tests/bench/caller" "$calls" >>dmarec.txt 2>>dmarec.err
	perf record -q -a -k CLOCK_MONOTONIC -m 4M $events -o p.data -- "$B/tests/bench/caller" "$calls" >>perf.txt 2>/dev/null
done
sed "s/^.:\([^ ]*\) .*/-:\1/" defs | while read -r def; do echo "$def" >>/sys/kernel/tracing/uprobe_events; done
a=$(median <dmarec.txt) b=$(median <perf.txt) c=$(median <plain.txt)
row "$calls starts and waits, dmarec against perf record, s" "$a" "$b" "$(ratio "$a" "$b")" "<= 1.1"
i=$(median <inside.txt)
row "... added by probes in the process, against perf's, s" "$(awk -v a="$i" -v c="$c" 'BEGIN { print a - c }')" \
	"$(awk -v b="$b" -v c="$c" 'BEGIN { print b - c }')" "$(awk -v a="$i" -v b="$b" -v c="$c" 'BEGIN { printf "1/%.0f", (b - c) / (a - c) }')" "<= 1/30"
row "... one probe hit, dmarec against no recording, ns" \
	"$(awk -v a="$a" -v c="$c" -v n="$calls" 'BEGIN { printf "%.0f", (a - c) / n / 4 * 1e9 }')" - - -
grep -q missing dmarec.err && row "... samples were lost under dmarec" "$(grep -c missing dmarec.err)" - - 0

# ---- the live view: the same calls with it and without, side by side ----
live() { # recorder's options: what the calls took, in seconds
	"$B/dmarec" -q -o v.data "$@" -- "$B/tests/bench/caller" "$calls" 2>/dev/null
}
for _ in $(seq "$turns"); do
	for probes in process kernel; do
		live --probes $probes >>"$probes.without"
		live --probes $probes --live=json --live-output v.json >>"$probes.with"
	done
done
for probes in process kernel; do
	a=$(median <$probes.with) b=$(median <$probes.without)
	row "$calls calls with --live=json, without, probes in the $probes, s" "$a" "$b" "$(ratio "$a" "$b")" "<= 1.1"
done
sqlite3 :memory: 'CREATE TABLE l(x)' '.mode ascii' '.separator "\001" "\n"' '.import v.json l' \
	"SELECT '    of the last, the view skipped ' || max(x->>'skipped_bytes') || ' bytes' FROM l"

# ---- loading: against inserting the same rows and nothing else ----
"$B/dmaanalyze" -q -i d.data rows.db
samples=$(sqlite3 rows.db 'SELECT count(*) FROM sample')
seconds() { local s e; s=$(date +%s.%N); "$@"; e=$(date +%s.%N); awk -v s="$s" -v e="$e" 'BEGIN { print e - s }'; }
for _ in $(seq "$turns"); do
	rm -f load.db
	seconds "$B/dmaanalyze" -q -i d.data load.db >>load.txt
	"$B/tests/bench/insert" rows.db peer.db >>insert.txt
done
a=$(median <load.txt) b=$(median <insert.txt)
row "load and join $samples samples, against inserting them, s" "$a" "$b" "$(ratio "$a" "$b")" "<= 1.5"

# ---- reports: what they cost in all processes, as a person waits for it ----
cpu() { local TIMEFORMAT='%U %S'; { time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ print $1 + $2 }'; }
for seed in 1 2 3 4 5; do
	"$B/tests/gentrace" --seed $seed --count 2000 --channels 2 --depth 2 --latency tail -o g.data --truth /dev/null 2>/dev/null || break
	"$B/dmaanalyze" -q -i g.data runs.db
done
if [ -s runs.db ] && command -v gnuplot >/dev/null; then
	for _ in $(seq "$turns"); do
		cpu "$B/dmareport" -o one runs.db >>one.txt
		cpu "$B/dmareport" -o five $(seq -f '--run %.0f' 1 5) runs.db >>five.txt
	done
	row "report of one run of 2,000 transfers, s of CPU" "$(median <one.txt)" - - "<= 2"
	row "... of five such runs in one page, s of CPU" "$(median <five.txt)" - - "<= 2"
fi

# ---- memory: does not grow with the recording ----
rss() { /usr/bin/env -S bash -c '"$@" & p=$!; m=0; while kill -0 $p 2>/dev/null; do v=$(awk "/VmHWM/ { print \$2 }" /proc/$p/status 2>/dev/null); m=${v:-$m}; sleep 0.02; done; echo $m' - "$@"; }
rm -f load.db
a=$(rss "$B/dmaanalyze" -q -i d.data load.db)
row "resident memory of that load, KiB" "$a" - - "< 131072"
if [ -x "$B/tests/gentrace" ]; then
	for million in 1 10; do
		"$B/tests/gentrace" --seed 1 --count $((million * 200000)) -o g.data --truth /dev/null 2>/dev/null || continue
		rm -f load.db
		a=$(rss "$B/dmaanalyze" -q -i g.data load.db)
		row "... $(sqlite3 load.db 'SELECT count(*) FROM sample') generated samples, KiB" "$a" - - "< 131072"
	done
fi
