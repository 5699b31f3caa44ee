#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dmarec: a whole recording of the disk, statuses, errors, and nothing left in the kernel.
B=$(realpath "${B:-build}")
if [ ! -x "$B/dmarec" ] || [ ! -x "$B/examples/blkdma" ]; then
	echo "1..0 # SKIP dmarec is not built"
	exit 0
fi
if [ ! -w /sys/kernel/tracing/uprobe_events ]; then
	echo "1..0 # SKIP no right to write uprobe_events"
	exit 0
fi
rec=$B/dmarec work=$B/examples/blkdma lib=$B/examples/libblkdma.so
DMAREC_PROFILES=$(realpath examples/profiles)
export DMAREC_PROFILES
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
touch out err
n=0
ok() { # description, then a command
	local what=$1 not=
	shift
	n=$((n + 1))
	mv -f out last.out; mv -f err last.err # for a look at the one before
	"$@" >out 2>err || not="not "
	echo "${not}ok $n - $what"
	[ -z "$not" ] || sed 's/^/# /' out err
}
status() { # expected status, then a command
	local want=$1 got
	shift
	"$@"
	got=$?
	[ "$got" = "$want" ] || { echo "status $got, not $want"; return 1; }
}
ended() { # 1 when nothing of that pid's group is left
	! grep -q "dmarec_$1/" /sys/kernel/tracing/uprobe_events
}
delivered() { # every event that was counted was delivered
	"$rec" -o r.data -- "$work" --count 300 2>summary >/dev/null &&
		grep -q 'submit .*counted 300, delivered 300, lost 0' summary &&
		grep -q '^dmarec: 300 transfers started' summary || { cat summary; return 1; }
}
ok "300 transfers, all delivered" delivered
ok "the workload's status" status 7 "$rec" -q -x "$lib" -o s.data -- sh -c 'exit 7'
ok "the workload's signal" status 137 "$rec" -q -x "$lib" -o s.data -- sh -c 'kill -9 $$'
ok "no such command" status 127 "$rec" -o s.data -- /nowhere/at/all
ok "no such function" status 1 "$rec" -o s.data -- sh -c 'exit 0'
ok "... names -x" grep -q -e '-x LIB' last.err
ok "no such interrupt" status 1 "$rec" --irq 4000 -o s.data -- "$work" --count 5
ok "no such device" status 1 "$rec" --device nosuch -o s.data -- "$work" --count 5
ok "a bad number is wrong usage" status 2 "$rec" --irq 1x -- "$work" --count 5
ok "an empty value is wrong usage" status 2 "$rec" -o '' -- "$work" --count 5
ok "nothing to record is wrong usage" status 2 "$rec"
ok "output that cannot be written" status 1 "$rec" -o /nowhere/r.data -- "$work" --count 5
ok "dry run" status 0 "$rec" --dry-run -o dry.data -- "$work" --count 5
ok "... says what it would arm" grep -q 'libblkdma.so+0x' last.out
ok "... and writes nothing" test ! -e dry.data

"$rec" -q -o i.data -- "$work" --count 100000000 >/dev/null 2>&1 &
pid=$!
for _ in $(seq 100); do
	[ -s i.data ] && grep -q "dmarec_$pid/" /sys/kernel/tracing/uprobe_events && break
	sleep 0.05
done
kill -TERM $pid
ok "a signal ends the recording and is handed on" status 143 wait $pid
ok "... and no probe is left" ended $pid
echo "1..$n"
