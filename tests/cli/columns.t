#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the tools print for people fits 80 columns and begins with the answer.
b=${B:-build}
case $b in /*) ;; *) b=$PWD/$b ;; esac
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
export LC_ALL=C.UTF-8
count=0
ok() { # status name
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else
		echo "not ok $count - $2"
		head -n 40 out | sed 's/^/# /'
	fi
}
narrow() { # name command: no line of more than 80 characters
	"${@:2}" >out 2>/dev/null
	[ -s out ] && ! grep -Eq '^.{81}' out; ok $? "$1: 80 columns"
}
"$b/tests/gentrace" -o g.data -t g.csv --seed 3 --count 900 --channels 2 --vectors 3 --missing 5% --stray 5% \
	--latency tail --data-vector >out 2>&1 || exit 1
"$b/dmaanalyze" -q -i g.data --label 'a label' g.db >out 2>&1
"$b/tests/gentrace" -o h.data -t h.csv --seed 4 --count 900 --channels 2 --vectors 3 --latency tail >out 2>&1
"$b/dmaanalyze" -q -i h.data h.db >out 2>&1
"$b/tests/gendb" usual u.db --seed 1; "$b/tests/gendb" usual w.db --seed 2
narrow "dmaanalyze" "$b/dmaanalyze" g.db
"$b/dmaanalyze" g.db >out 2>/dev/null
sed -n '/^$/,/^$/p' out | head -n 12 | tr '\n' ' ' | tr -s ' ' >answer
for w in 'Interrupts? [0-9, ()a-z]* ends? the transfers: named when recording; [0-9,]+ of 900' \
	'A transfer takes [0-9.]+ [µm]s \(median' '[0-9.]+ [µm]s at p99' 'at worst \(transfer [0-9]+\)' \
	'900 transfers of .* on 2 channels, [0-9.]+ GB/s' 'Nothing was lost|Not whole|Whether anything was lost' 'Next: '; do
	grep -Eq -- "$w" answer; ok $? "the answer says: $w"
done
worst=$(sed -n 's/.*at worst (transfer \([0-9]*\)).*/\1/p' answer)
[ "$(sqlite3 g.db "SELECT device_ns = (SELECT max(device_ns) FROM transfer) FROM transfer WHERE id = $worst")" = 1 ]; ok $? "the worst is the worst"
"$b/dmareport" --term g.db >out 2>/dev/null; grep -q 'ends* the transfers: named when recording' <(tr '\n' ' ' <out); ok $? "--term begins with it"
narrow "dmaanalyze --verify -v" "$b/dmaanalyze" --verify -v g.db
sqlite3 h.db "UPDATE run SET label = 'the label of a run that somebody liked to write out', command = '/opt/experiment/readout/build/bin/readout --card 0'"
narrow "dmaanalyze of a run with long names" "$b/dmaanalyze" h.db
"$b/dmaanalyze" --verify -v g.db >out 2>/dev/null
awk '/^Which interrupt/ { getline; print; exit }' out | grep -q 'ends transfers here'; ok $? "--verify: the winner comes first"
narrow "dmareport --term" "$b/dmareport" --term g.db
narrow "dmacompare" "$b/dmacompare" g.db h.db
narrow "dmacompare of many groups" "$b/dmacompare" u.db w.db
narrow "dmaanalyze of a database with negative times" "$b/dmaanalyze" u.db
for t in dmarec dmaanalyze dmareport dmacompare; do narrow "$t --help" "$b/$t" --help; done
for t in dmarec dmaanalyze dmareport dmacompare; do "$b/$t" -h >out 2>&1 && grep -q '^Usage' out; ok $? "$t -h is --help"; done
echo "1..$count"
