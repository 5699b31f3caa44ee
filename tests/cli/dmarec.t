#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dmarec: a whole recording of the disk, statuses, errors, and nothing left in the kernel.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec examples/blkdma
needs_recording
rec=$B/dmarec work=$B/examples/blkdma lib=$B/examples/libblkdma.so
workdir
delivered() { # every event that was counted was delivered
	"$rec" -o r.data -- "$work" --count 300 2>summary >/dev/null &&
		grep -q 'submit .*counted 300, delivered 300, lost 0' summary &&
		grep -q '^dmarec: 300 transfers started' summary || { cat summary; return 1; }
}
ok "300 transfers, all delivered" delivered
ok "the workload's status" status 7 "$rec" -q -x "$lib" -o s.data -- sh -c 'exit 7'
ok "the workload's signal" status 137 "$rec" -q -x "$lib" -o s.data -- sh -c 'kill -9 $$'
ok "no such command" status 127 "$rec" -o s.data -- /nowhere/at/all
ok "a file that cannot be run" status 126 "$rec" -o s.data -- /etc/passwd
ok "a directory" status 126 "$rec" -o s.data -- /etc
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

ok "a program that starts no transfer" status 0 "$rec" -o u.data -- "$work" --help
ok "... is told so, with what was probed and where else to look" grep -q \
	'no start function was called while recording (dma_[a-z_]* in /[^ ]*libblkdma.so.*inlined.*another copy.*-p PID' last.err
ok "one that starts only some" status 0 "$rec" -o u.data -- "$work" --count 5
ok "... the functions it never called are named" grep -q 'never called while recording: dma_[a-z]*_host' last.err
"$rec" -q -o i.data -- "$work" --count 100000000 >/dev/null 2>&1 &
pid=$!
await recording $pid i.data
kill -TERM $pid
ok "a signal ends the recording and is handed on" status 143 wait $pid
ok "... and no probe is left" none_left $pid
finish
