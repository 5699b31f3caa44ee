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
