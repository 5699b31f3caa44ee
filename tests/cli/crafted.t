#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Files that somebody made to be looked at: what they cost, and that they are refused whole.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmaanalyze dmacompare dmareport tests/gentrace
workdir
"$B/tests/gentrace" --count 200 -o a.data >/dev/null && "$B/tests/gentrace" --count 100 --seed 7 -o b.data >/dev/null || skip_all "gentrace wrote nothing"
ok "(a recording)" "$B/dmaanalyze" -q -i a.data t.db

# ---- two recordings in one file ----
cat a.data b.data >ab.data
ok "cat a b is refused" status 1 "$B/dmaanalyze" -q -i ab.data ab.db
like "... with where the second begins" "$(cat err)" "another recording begins at offset $(stat -c %s a.data)"
ok "... and no database" test ! -e ab.db
ok "each by its own -i" "$B/dmaanalyze" -q -i a.data -i b.data ab.db
ok "... is there" sql_is ab.db 300 "select count(*) from sample join source on source.id = source_id and source.run_id = sample.run_id where role = 'submit'"

# ---- samples that the kernel does not write ----
data=$(od -An -t u8 -j 40 -N 8 a.data | tr -d ' ') # where the data begins
first=$(od -An -t u4 -j "$data" -N 4 a.data | tr -d ' ')
is "(the recording begins with a sample)" "$first" 9
cp a.data untimed.data
dd if=/dev/zero of=untimed.data bs=1 seek=$((data + 24)) count=8 conv=notrunc 2>/dev/null # behind the header, id, pid and tid
ok "a sample whose time is 0" "$B/dmaanalyze" -i untimed.data untimed.db
like "... is said" "$(cat out err)" '1 sample carries no time.*count as lost'
ok "... with nothing certain, since it may have been anywhere" sql_is untimed.db 0 "select count(*) from transfer where state not in ('unknown', 'in_flight')"
number() { # type, offset
	od -An -t "$1" -j "$2" -N "${1#u}" a.data | tr -d ' '
}
at=$data # of two samples with one length, one after the other: the second becomes the first once more
for i in {1..100}; do
	length=$(number u2 $((at + 6))) next=$((at + length))
	[ "$(number u4 "$at")$(number u4 $next)$(number u2 $((next + 6)))" = "99$length" ] && break
	at=$next
done
cp a.data twice.data
dd if=a.data of=twice.data bs=1 skip="$at" seek=$next count="$length" conv=notrunc 2>/dev/null
ok "a sample that is in the file twice" "$B/dmaanalyze" -i twice.data twice.db
like "... is said" "$(cat out err)" '1 sample is in the recording twice'
samples() { sqlite3 "$1" 'select count(*) from sample'; }
is "... and taken once" "$(samples twice.db)" $(($(samples t.db) - 1))

# ---- databases whose schema does something else ----
bounded() { (ulimit -t 10; "$@"); }
for sql in 'drop view completeness; create view completeness as with recursive n(x) as (select 1 union all select x from n) select x from n' \
	'create trigger t after insert on run begin update transfer set total_ns = 1; end' \
	'create trigger t after delete on transfer begin insert into transfer select * from transfer; end' \
	'create view v as select 1'; do
	cp t.db x.db
	sqlite3 x.db "$sql" 2>/dev/null
	before=$(sha256sum <x.db)
	for tool in "dmaanalyze x.db" "dmaanalyze --rebuild x.db" "dmaanalyze -i b.data x.db" "dmacompare x.db t.db" "dmareport --term x.db"; do
		failed=1
		[[ $tool != dmacompare* ]] || failed=2 # 1 would be a difference
		ok "${tool/x.db/of} ${sql:0:30}..." status $failed bounded "$B/"$tool
		like "... says which is not ours" "$(cat err)" "its schema is not a trace's"
	done
	is "... and changes nothing" "$(sha256sum <x.db)" "$before"
done
finish
