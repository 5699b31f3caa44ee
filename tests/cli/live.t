#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What dmarec shows while it records, against the same recording analysed afterwards; and what ends a recording.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze examples/blkdma
needs_recording
rec=$B/dmarec ana=$B/dmaanalyze work=$B/examples/blkdma
workdir

# ---- lines of JSON, and their sums ----
jq_sql() { # file of lines, query over l(x)
	sqlite3 :memory: 'CREATE TABLE l(x)' '.mode ascii' '.separator "\001" "\n"' ".import $1 l" '.mode list' '.separator "|"' "$2"
}
live_sums() { # file of lines
	jq_sql "$1" "SELECT sum(r.value->>'transfers'), sum(r.value->>'bytes'), sum(r.value->>'\$.states.complete'),
		sum(r.value->>'\$.states.unknown'), sum(r.value->>'\$.states.no_interrupt'), sum(r.value->>'\$.states.late'),
		sum(r.value->>'\$.states.polled'), sum(r.value->>'\$.states.in_flight') FROM l, json_each(x, '\$.rows') r"
}
db_sums() { # database: what its whole can take back for the kernel's counts alone is told apart
	sqlite3 "$1" "SELECT count(*), sum(size_bytes), sum(state = 'complete'), sum(state = 'unknown' AND coalesce(reason, '') NOT LIKE 'no interrupt, but%'),
		sum(state = 'no_interrupt' OR coalesce(reason, '') LIKE 'no interrupt, but%'), sum(state = 'late'), sum(state = 'polled'), sum(state = 'in_flight') FROM transfer"
}
agrees() { # name, options of dmarec, -- options of blkdma
	local name=$1
	shift
	"$rec" -q -o "$name.data" --live=json,300ms --live-output "$name.json" "$@" >out 2>err && "$ana" -q -i "$name.data" "$name.db" || return
	[ "$(jq_sql "$name.json" "SELECT count(*) FROM l WHERE x->>'last'")" = 1 ] || { echo "no last line, or several"; return 1; }
	if [ "$(jq_sql "$name.json" "SELECT x->>'differs' FROM l WHERE x->>'last'")" = 1 ]; then
		echo "the whole shows other vectors, and the view says so"
		return 77
	fi
	live=$(live_sums "$name.json") db=$(db_sums "$name.db")
	[ "$live" = "$db" ] || { echo "live: $live"; echo "db:   $db"; return 1; }
}
sums() { # description, then agrees' own
	local what=$1 status
	shift
	agrees "$@" >agrees.out
	status=$?
	cp agrees.out out
	if [ $status = 77 ]; then skip "$what" "$(cat agrees.out)"; else result $status "$what"; fi
}
sums "the sums over all intervals are the database's" k --probes kernel -- "$work" --count 6000 --size 4K,64K
sums "... of probes in the process" p --probes process -- "$work" --count 9000 --size 4K,256K
sums "... of queues, channels and both directions" q -- "$work" --count 6000 --channels 2 --depth 4 --mix 50% --size 4K,64K
keyed() { # the driver's word: as many have it as the analysis says, but for what only the counts at the end take back
	"$rec" -q -o y.data --profile block --live=json,300ms --live-output y.json -- "$work" --count 4000 --size 4K,64K && "$ana" -q -i y.data y.db || return
	sqlite3 y.db "SELECT CASE WHEN n BETWEEN d AND d + 4 * lost + 4 AND t = 4000 AND abs(live - m) <= m / 10 THEN 'same' ELSE 'not: ' || n || ' ' || d || ' ' || lost || ' ' || live || ' ' || m END
		FROM (SELECT count(device_ns) AS d FROM transfer), (SELECT value_ns AS m FROM quantile WHERE phase = 'notice' AND q = 0.5 AND channel IS NULL AND direction IS NULL),
		(SELECT sum(lost) AS lost FROM source), (SELECT $(jq_sql y.json "SELECT r.value->>'\$.since_start.device.n' || ' AS n, ' || (r.value->>'\$.since_start.notice.median_ns') || ' AS live, ' ||
		(r.value->>'\$.since_start.transfers') || ' AS t' FROM l, json_each(x, '\$.rows') r WHERE x->>'last'"))" | grep -x same
}
ok "... and the times by the driver's keys are the analysis's" keyed
ok "medians and maxima are the database's" sql_is p.db "$(jq_sql p.json "SELECT r.value->>'\$.since_start.total.median_ns', r.value->>'\$.since_start.total.max_ns' FROM l, json_each(x, '\$.rows') r WHERE x->>'last'")" \
	"SELECT value_ns, (SELECT max(total_ns) FROM transfer) FROM quantile WHERE phase = 'total' AND q = 0.5 AND channel IS NULL AND direction IS NULL"
ok "... of device, too" sql_is p.db "$(jq_sql p.json "SELECT r.value->>'\$.since_start.device.median_ns' FROM l, json_each(x, '\$.rows') r WHERE x->>'last'")" \
	"SELECT value_ns FROM quantile WHERE phase = 'device' AND q = 0.5 AND channel IS NULL AND direction IS NULL"
is "a histogram holds as many as its phase" "$(jq_sql p.json "SELECT count(*) FROM l, json_each(x, '\$.rows') r WHERE r.value->>'\$.total.n' <>
	(SELECT coalesce(sum(h.value->>2), 0) FROM json_each(r.value, '\$.histogram.total') h)")" 0
is "every line has the documented keys" "$(jq_sql p.json "SELECT group_concat(j.key, ' ') FROM (SELECT x FROM l LIMIT 1), json_each(x) j")" \
	"format interval from_ns to_ns last decided held late_channels behind_ns skipped_bytes unseen_files lost starts triggered differs vectors rows"
documented() { # every key of a line stands in the man page
	local k
	for k in $(jq_sql p.json "SELECT DISTINCT f.key FROM l, json_tree(x) f WHERE typeof(f.key) = 'text' AND f.path NOT LIKE '%.states'"); do
		grep -Eq "_${k}_|\*$k\*" "$SRC/doc/dmarec.1.scd" || { echo "$k"; return 1; }
	done
}
ok "... and the man page has them all" documented
is "nothing was skipped" "$(jq_sql p.json "SELECT max(x->>'skipped_bytes') FROM l")" 0

# ---- text where it is no terminal ----
ok "plain lines" "$rec" -q -o t.data --live=300ms -- "$work" --count 3000 --size 4K,64K
ok "... without escape sequences" sh -c '! grep -q "$(printf "\033")" last.err'
cp err plain.err
cp last.err plain.err
ok "... and at the end all transfers" grep -q 'has recorded.* 3000 transfers, 0 not decided' plain.err
ok "a view that cannot be written leaves the recording whole" "$rec" -q -o full.data --live=300ms --live-output /dev/full -- "$work" --count 2000
ok "... and says so" grep -q 'live view cannot be written' last.err
"$ana" -q -i full.data full.db
ok "... with every transfer" sql_is full.db 2000 'SELECT count(*) FROM transfer'

# ---- wrong use ----
for w in '--live=' '--live=0' '--live=10ms' '--live=xml' '--stop-if=' '--stop-if=device' '--stop-if=device>' '--stop-if=device>1x' \
	'--stop-if=frob>1' '--stop-if=late>1' '--stop-if=in_flight>1ms' '--stop-if=gap<1s' '--live-output=x' '--on-trigger=' '--on-trigger=x'; do
	ok "refused: $w" status 2 "$rec" "$w" -- "$work"
	ok "... with a sentence" grep -Eq -- '--(live|stop-if|on-trigger)' last.err
done

# ---- triggers ----
stopped() { # database, least transfers it has less than the whole: the recording ended before the command did
	sql_least "$1" 1 "SELECT count(*) FROM transfer" && sql_is "$1" 0 "SELECT count(*) >= $2 FROM transfer"
}
ends_within() { # seconds, database, SQL of the moment that should have ended it
	sql_is "$2" 1 "SELECT end_ns - ($3) BETWEEN 0 AND $1 * 1000000000 FROM run"
}
# (what is open is so until the recording's end, at which nothing need be sampled)
over="coalesce(woken_ns, (SELECT end_ns FROM run)) - submit_ns > 1000000000"
# (rare enough that the joiner, which wants a hundred transfers of hindsight, has not decided it in time)
ok "--stop-if: a transfer over its time" "$rec" -o s.data --stop-if 'total > 1s' -- "$work" --count 3000 --pause 3ms --stall 2000:3s
cp err story.lines
"$ana" -q -i s.data s.db
# (where a sentence is broken into lines goes by the width of its figures)
tr -s '\n ' ' ' <story.lines >story
ok "... ends it before the command" stopped s.db 3000
ok "... tells which transfer it was about" grep -q "about a transfer of 4 KiB, channel 0, to_host, which thread" story
ok "... how long it was open, or took" grep -Eq 'been open for|total: [0-9.]+ m?s' story
ok "... and what is usual" grep -Eq 'usual.* \(median of [0-9]+; p99' story
ok "... and what else there was" grep -q 'Meanwhile 0 other transfers were in flight on its channel, 0 on others' story
ok "... has that transfer" sql_least s.db 1 "SELECT count(*) FROM transfer WHERE $over"
ok "... within a second" ends_within 1 s.db "SELECT min(submit_ns) + 1000000000 FROM transfer WHERE $over"
ok "--stop-if: too many in flight" "$rec" -q -o n.data --stop-if 'in_flight > 5' -- "$work" --count 100000 --depth 8
"$ana" -q -i n.data n.db
ok "... ends it before the command" stopped n.db 100000
ok "--stop-if: a gap" "$rec" -q -o g.data --stop-if 'gap > 600ms' --on-trigger "$ana"' -q -i "$DMAREC_FILE" on.db; echo "$DMAREC_TRIGGER" >on' -- "$work" --count 3 --pause 2s
"$ana" -q -i g.data g.db
is "--on-trigger: the rule" "$(cat on)" 'gap > 600ms'
ok "... and the whole file are there" sql_is on.db "$(sqlite3 g.db 'SELECT count(*) FROM sample')" 'SELECT count(*) FROM sample'
ok "... at the first gap" sql_is g.db 1 'SELECT count(*) FROM transfer'
ok "--stop-if: what does not happen ends nothing" "$rec" -q -o w.data --stop-if 'total > 1h' --stop-if 'gap > 1h' -- "$work" --count 2000
"$ana" -q -i w.data w.db
ok "... all is there" sql_is w.db 2000 'SELECT count(*) FROM transfer'

# ---- terminals ----
export LC_ALL=C.UTF-8 # columns, not bytes
if command -v tmux >/dev/null; then
	export -n TMUX
	pane() { tmux -L "live$$" "$@"; }
	trap 'pane kill-server 2>/dev/null; cd /; rm -rf "$tmp"' EXIT
	begin_pane() { # columns, rows, options of dmarec: a workload that writes lines of its own
		pane kill-server 2>/dev/null
		pane -f /dev/null new-session -d -x "$1" -y "$2" "PS1='$ ' TERM=screen DMAREC_PROFILES='$DMAREC_PROFILES' exec bash --norc"
		pane send-keys "cd '$tmp'; clear; '$rec' -q -o x.data $3 --live=300ms -- sh -c 'echo begins; $work --count 1000000 --size 4K,64K & trap \"kill \$!\" INT EXIT; i=0; while kill -0 \$!; do i=\$((i+1)); echo line \$i of the command; sleep 0.2; done'; echo status \$?" Enter
	}
	screen_has() { pane capture-pane -p >screen; grep -Eq "$1" screen; }
	fits() { # columns: no line is longer, and the last line is ours
		local line
		while IFS= read -r line; do [ ${#line} -le "$1" ] || return 1; done <screen
	}
	for size in 80x24 200x50 40x10; do
		columns=${size%x*}
		begin_pane "$columns" "${size#*x}" ''
		await screen_has '^0 (to_host|<) +[1-9]'
		result $? "a table at $size"
		cp screen out
		fits "$columns"
		result $? "... that fits"
		screen_has 'line [0-9]+ of the command'
		result $? "... below the command's own lines"
		last=$(grep -n 'of the command' screen | tail -1 | cut -d: -f1) first=$(grep -n '^dmarec records' screen | tail -1 | cut -d: -f1)
		[ -n "$first" ] && [ "$(grep -c '^dmarec records' screen)" = 1 ] && [ "${last:-0}" -lt "$first" ]
		result $? "... which it does not touch"
		case $size in
		80x24) next=40x10 ;;
		*) next=80x24 ;;
		esac
		pane resize-window -x "${next%x*}" -y "${next#*x}"
		await screen_has "^dmarec records"
		await eval 'screen_has "^0 (to_host|<) +[1-9]" && fits "${next%x*}" && [ "$(grep -c "^dmarec records" screen)" = 1 ]'
		result $? "... and after a change to $next"
		pane send-keys C-c
		await screen_has '^status '
		result $? "Ctrl-C ends it"
		pane capture-pane -p -S -50 | grep -q 'dmarec has recorded'
		result $? "... and leaves the last figures as lines"
		pane send-keys 'clear; seq 100' Enter
		await eval 'screen_has "^100$" && [ "$(pane display -p "#{scroll_region_lower}")" = "$((${next#*x} - 1))" ]'
		result $? "... and the whole terminal to its owner"
	done
	begin_pane 100 30 ''
	pane kill-server
	trap 'cd /; rm -rf "$tmp"' EXIT
else
	skip "terminals" "tmux is not installed"
fi

finish
