#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Which recording dmaanalyze takes when none is named: ./dma.data, into a database without a run, and only when nothing
# is asked of what is in it.
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
		cat out err | head -n 20 | sed 's/^/# /'
	fi
}
runs() { sqlite3 "$1" 'SELECT count(*) FROM run'; }
ana=$b/dmaanalyze
"$b/tests/gentrace" -o old.data -t g.csv --seed 3 --count 100 >out 2>err; "$ana" -q -i old.data old.db >out 2>err
"$b/tests/gentrace" -o dma.data -t g.csv --seed 4 --count 150 >out 2>err
touch -d '2030-01-01' dma.data
irq=$(sqlite3 old.db 'SELECT irq FROM vector WHERE used = 1 LIMIT 1')
for o in --json --csv --verify --list --rebuild "--irq=$irq" --pairing=one; do
	"$ana" $o old.db >out 2>err && [ "$(runs old.db)" = 1 ]; ok $? "$o of a database with a run: nothing is loaded"
done
"$ana" old.db >out 2>err && [ "$(runs old.db)" = 1 ] && grep -q 'Transfers.*: 100' out; ok $? "nor does a bare call"
grep -q 'dma.data is newer than old.db and is not loaded: -i dma.data adds it' err; ok $? "... which says what lies there"
"$ana" new.db >out 2>err && [ "$(runs new.db)" = 1 ] && grep -q 'Transfers.*: 150' out; ok $? "a bare call with a new database loads it"
grep -q 'loading ./dma.data into new.db' err; ok $? "... and says so"
: >empty.db; "$ana" empty.db >out 2>err && [ "$(runs empty.db)" = 1 ]; ok $? "likewise with an empty file"
"$ana" --json none.db >out 2>err; [ $? = 1 ] && [ ! -e none.db ] && grep -q 'load one with -i dma.data' err
ok $? "--json of a new database is an error that says how to load"
rm dma.data; "$ana" none.db >out 2>err; [ $? = 1 ] && grep -q "record one with 'dmarec" err; ok $? "nothing there at all"
echo "1..$count"
