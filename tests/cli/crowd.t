#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Many threads, children, programs in a row, a workload that is killed, two recorders at once, no rights,
# no tracefs, a full disk: recorded whole or told plainly, and nothing stays in the kernel.
. "${BASH_SOURCE%/*}/lib.sh"
needs_recording
rec=$B/dmarec crowd=$B/tests/exits/crowd
workdir
chmod 755 "$tmp" # one test is run by another user
whole() { # starts expected, status expected, then crowd's arguments
	local starts=$1 want=$2
	shift 2
	"$rec" -o c.data -- "$crowd" "$@" 2>sum
	local got=$?
	[ "$got" = "$want" ] || { echo "status $got, not $want"; cat sum; return 1; }
	grep -q "submit .*counted $starts, delivered $starts, lost 0" sum &&
		grep -q "woken .*counted $starts, delivered $starts, lost 0" sum || { cat sum; return 1; }
}
ok "64 threads" whole 6400 5 threads 64 100
ok "100 children" whole 2000 5 fork 100 20
ok "five programs in a row" whole 500 5 exec 5 100
ok "a workload that kills itself" whole 300 137 kill 1 300
both() {
	"$rec" -o a.data -- "$crowd" threads 4 500 2>a.sum & local a=$!
	"$rec" -o b.data -- "$crowd" threads 4 500 2>b.sum & local b=$!
	wait $a; wait $b
	# each records its own workload, whole
	grep -q "submit .*counted 2000, delivered 2000, lost 0" a.sum &&
		grep -q "submit .*counted 2000, delivered 2000, lost 0" b.sum && none_left $a && none_left $b || {
		cat a.sum b.sum; return 1; }
}
ok "two recorders at once" both
interrupted() {
	env --default-signal=INT "$rec" -o i.data -- "$crowd" threads 2 1000000000 2>i.sum & local p=$!
	await bigger i.data 100000
	kill -INT $p
	wait $p
	[ $? = 130 ] && none_left $p && "$B/dmaanalyze" -q -i i.data i.db &&
		[ "$(sqlite3 i.db 'SELECT count(*) > 100 FROM transfer')" = 1 ] || { cat i.sum; return 1; }
}
ok "Ctrl-C keeps what there is" interrupted
limited() {
	"$rec" --duration 300ms -o l.data -- "$crowd" threads 1 100000 2>l.sum & local p=$!
	wait $p
	"$B/dmaanalyze" -q -i l.data l.db || { cat l.sum; return 1; }
}
ok "--duration ends a recording" timeout 60 bash -c "$(declare -f limited); rec='$rec' crowd='$crowd' B='$B'; limited"
plain() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
if command -v setpriv >/dev/null; then
	# The tree may lie in a directory of root's own.
	mkdir exits bench && cp "$rec" "$crowd" exits && cp "$B/tests/bench/libcalls.so" bench
	ok "without root" status 1 plain exits/dmarec -o /tmp/none.data -- exits/crowd threads 1 1
	ok "... says what to do" grep -qi 'sudo\|root' last.err
else
	skip "without root" "no setpriv"
fi
no_tracefs() { unshare -m sh -c 'umount -a -t tracefs; umount /sys/kernel/tracing 2>/dev/null; umount /sys/kernel/debug/tracing 2>/dev/null; umount /sys/kernel/debug 2>/dev/null; exec "$@"' - "$@"; }
if unshare -m true 2>/dev/null; then
	ok "without tracefs" status 1 no_tracefs "$rec" -o none.data -- "$crowd" threads 1 1
	ok "... says what to do" grep -q 'mount -t tracefs' last.err
else
	skip "without tracefs" "no mount namespaces"
fi
full() {
	mkdir -p small && mount -t tmpfs -o size=1m none small || return 0
	"$rec" -o small/f.data -- "$crowd" threads 2 20000 2>f.sum
	local got=$?
	umount small
	[ $got != 0 ] && grep -qi 'space' f.sum || { echo "status $got"; cat f.sum; return 1; }
}
ok "a full disk is told" full
ok "nothing is left in the kernel" sh -c "! grep -E 'dmarec_[0-9]+/dma_(to_host|wait)[^ ]* [^ ]*libcalls' /sys/kernel/tracing/uprobe_events"
finish
