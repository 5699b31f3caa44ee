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

# ---- recording: the same probes under dmarec and under perf record ----
group=probe_bench$$
"$B/dmarec" --dry-run -- "$B/tests/bench/caller" 1 >plan.txt 2>plan.err || cat plan.err
sed -n "s/^echo '\(.\):probe_dma\/\(.*\)' >>.*/\1:$group\/\2/p" plan.txt >defs
while read -r def; do echo "$def" >>/sys/kernel/tracing/uprobe_events; done <defs
events=$(sed "s/^.:\([^ ]*\) .*/-e \1/; s,/,:," defs)
for _ in $(seq "$turns"); do
	"$B/tests/bench/caller" "$calls" >>plain.txt
	"$B/dmarec" -q -o d.data -- "$B/tests/bench/caller" "$calls" >>dmarec.txt 2>>dmarec.err
	perf record -q -a -k CLOCK_MONOTONIC -m 4M $events -o p.data -- "$B/tests/bench/caller" "$calls" >>perf.txt 2>/dev/null
done
sed "s/^.:\([^ ]*\) .*/-:\1/" defs | while read -r def; do echo "$def" >>/sys/kernel/tracing/uprobe_events; done
a=$(median <dmarec.txt) b=$(median <perf.txt) c=$(median <plain.txt)
row "$calls starts and waits, dmarec against perf record, s" "$a" "$b" "$(ratio "$a" "$b")" "<= 1.1"
row "... one probe hit, dmarec against no recording, ns" \
	"$(awk -v a="$a" -v c="$c" -v n="$calls" 'BEGIN { printf "%.0f", (a - c) / n / 4 * 1e9 }')" - - -
grep -q missing dmarec.err && row "... samples were lost under dmarec" "$(grep -c missing dmarec.err)" - - 0

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
