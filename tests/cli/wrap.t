#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Rings that are small and go round often: records that lie on both ends of a ring are whole, what dmarec
# says was delivered is what the file holds, and what is missing is told.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze examples/blkdma
needs_recording
workdir
ask() { sqlite3 r.db "$1"; }
same() { # two queries
	[ "$(ask "$1")" = "$(ask "$2")" ] || { ask "$1"; ask "$2"; return 1; }
}
for ring in 4K 8K 64K; do
	rm -f r.db
	ok "rings of $ring" "$B/dmarec" -q -m "$ring" -o r.data -- "$B/examples/blkdma" --count 3000 --file-size 1M
	ok "... the file can be read" "$B/dmaanalyze" -q -i r.data r.db
	ok "... holds what was delivered" same 'select sum(delivered) from source' 'select count(*) from sample'
	ok "... event by event" same 'select group_concat(delivered) from (select delivered from source order by id)' \
		'select group_concat(n) from (select count(sample.source_id) n from source left join sample on sample.source_id = source.id and sample.run_id = source.run_id group by source.id order by source.id)'
	ok "... and every start was counted" same "select sum(counted) from source where role = 'submit'" 'select 3000'
done
finish
