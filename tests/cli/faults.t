#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What goes wrong while a recording or a load runs: promised and happened. A full disk, signals, PID namespaces,
# a workload that leaves children behind, a library that is replaced, a recording that is cut.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze examples/blkdma
needs_recording
work=$B/examples/blkdma
workdir
started=() # what a test leaves running is ended by its number
trap 'kill "${started[@]}" 2>/dev/null; umount "$tmp/small" 2>/dev/null; cd /; rm -rf "$tmp"' EXIT
said() { # pattern, file
	grep -Eq -- "$1" "$2"
}

# ---- no room ----
mkdir small
if mount -t tmpfs -o size=1M none small 2>/dev/null; then
	"$B/dmarec" -o small/r.data -- sh -c "'$work' --count 20000 --file-size 1M >/dev/null; until [ -e go ]; do sleep 0.1; done; echo done >ended" >full.out 2>full.err &
	pid=$!
	await said 'goes on unrecorded' full.err
	ok "a full disk is said while the command runs" said 'No space left.*the command \(process [0-9]+\) goes on unrecorded' full.err
	ok "... no probe is left then" none_left $pid
	ok "... and dmarec is there still" kill -0 $pid
	touch go
	ok "... until the command ends; and that failed" status 1 wait $pid
	is "... which was not disturbed" "$(cat ended)" "done"
	ok "what was written can be loaded" sh -c "cp small/r.data f.data && '$B/dmaanalyze' -q -i f.data f.db"
	umount small
else
	skip "a full disk" "no right to mount"
fi
(ulimit -f 1024; exec "$B/dmarec" -o limit.data -- "$work" --count 20000 --file-size 1M >full.out 2>full.err) &
pid=$!
ok "a file that may not grow (SIGXFSZ)" status 1 wait $pid
ok "... is said" said 'File too large' full.err
ok "... and no probe is left" none_left $pid

# ---- signals ----
for s in QUIT USR1 ALRM VTALRM; do
	rm -f s.data
	# (a shell starts what runs in the background with SIGINT and SIGQUIT ignored)
	env --default-signal "$B/dmarec" -q -o s.data -- "$work" --count 100000000 >/dev/null 2>&1 &
	pid=$!
	await recording $pid s.data
	kill -$s $pid
	ok "SIG$s is handed on" status $((128 + $(kill -l $s))) wait $pid
	ok "... and no probe is left" none_left $pid
	ok "... the recording is whole" sh -c "rm -f s.db; '$B/dmaanalyze' -q -i s.data s.db"
done

# ---- two recorders with one number ----
if unshare -pf --mount-proc true 2>/dev/null; then
	space() { # a recorder as number 2 of its PID namespace
		unshare -pf --mount-proc sh -c "'$B/dmarec' -q -o $1.data -- sh -c 'touch $1.in; until [ -e go2 ]; do sleep 0.05; done; \"$work\" --count 50 >/dev/null'; exit \$?" >$1.out 2>$1.err
	}
	space a & one=$!
	await test -e a.in
	space b & two=$!
	await test -e b.in
	ok "recorders of two PID namespaces have groups of their own" sh -c "grep -o 'dmarec_[0-9]*_[0-9]*/' /sys/kernel/tracing/uprobe_events | sort -u | wc -l | grep -qx 2"
	ok "(a start beside them takes nothing away)" "$B/dmarec" -q -o c.data -- "$work" --count 5
	touch go2
	ok "both record: one" wait $one
	ok "... and the other" wait $two
	for x in a b; do
		ok "... all of its own" sh -c "'$B/dmaanalyze' -q -i $x.data $x.db"
		ok "... 50 starts" sql_is $x.db 50 "select count(*) from sample join source on source.id = source_id and source.run_id = sample.run_id where role = 'submit'"
	done
	ok "nothing is left" sh -c "! grep 'dmarec_[0-9]*_' /sys/kernel/tracing/uprobe_events"
else
	skip "two PID namespaces" "no right to make one"
fi

# ---- what the command leaves behind ----
ok "a command that leaves its work to a daemon" status 3 "$B/dmarec" -o d.data -x "$B/examples/libblkdma.so" -- sh -c "setsid sh -c 'sleep 0.5; \"$work\" --count 300 >/dev/null' & exit 3"
like "... which is said" "$(cat err)" 'what it started has not: [0-9]+ \('
like "... and followed to its end" "$(cat err)" 'dmarec: 300 transfers started'
"$B/dmarec" -o e.data -x "$B/examples/libblkdma.so" -- sh -c "setsid '$work' --count 100000000 >/dev/null 2>&1 & echo \$! >daemon; exit 0" 2>e.err &
pid=$!
await said 'what it started has not' e.err
started+=("$(cat daemon)")
kill -INT $pid
ok "... or until Ctrl-C" wait $pid
ok "... and then who lives on is said" said 'still running when the recording ended.*[0-9]+ \(' e.err
ok "... also by the recording" grep -aq 'still running when the recording ended' e.data
ok "... with no probe in it" none_left $pid
kill "$(cat daemon)" 2>/dev/null
ok "transfers of two processes" "$B/dmarec" -o two.data -x "$B/examples/libblkdma.so" -- sh -c "'$work' --count 30 >/dev/null; '$work' --count 70 >/dev/null"
like "... are counted apart" "$(cat err)" 'process +[0-9]+ +blkdma +30 starts'
like "... each" "$(cat err)" 'process +[0-9]+ +blkdma +70 starts'

# ---- a library that is replaced ----
mkdir lib
cp "$work" lib; cp "$B/examples/libblkdma.so" lib
export LD_LIBRARY_PATH=$tmp/lib
ok "a library is replaced between two programs" "$B/dmarec" -o l.data -x "$tmp/lib/libblkdma.so" -- sh -c './lib/blkdma --count 20 >/dev/null; cp lib/libblkdma.so new; mv new lib/libblkdma.so; ./lib/blkdma --count 20 >/dev/null'
like "... which is said" "$(cat err)" 'libblkdma.so was replaced'
ok "... also by the recording" grep -aq 'libblkdma.so was replaced' l.data
ok "one that stays" "$B/dmarec" -o l.data -x "$tmp/lib/libblkdma.so" -- sh -c './lib/blkdma --count 20 >/dev/null'
ok "... is not accused" sh -c '! grep -q "was replaced" err.last 2>/dev/null && ! grep -aq "was replaced" l.data'
unset LD_LIBRARY_PATH

# ---- a recording that is cut while it is loaded ----
"$B/dmarec" -q -m 1M -o cut.data -- "$work" --count 20000 --file-size 1M >/dev/null 2>&1
size=$(stat -c %s cut.data)
cut() {
	rm -f cut.db*
	cp cut.data now.data
	"$B/dmaanalyze" -i now.data cut.db &
	local pid=$!
	await bigger cut.db-journal 0 || await bigger cut.db 0
	truncate -s $((size / 8)) now.data
	wait $pid
}
ok "a recording cut while it is loaded is an error" status 1 cut
like "... that is said" "$(cat err)" 'was cut while it was read'
ok "... and leaves no database" test ! -e cut.db
finish
