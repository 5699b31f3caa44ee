#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A C++ class that throws, as compilers, options and ways of loading make it: the workload's output and
# status are the same under dmarec, and what was called, left and thrown is counted exactly.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec
needs_recording
. "$SRC/tests/exits/programs.sh"
workdir
count=1000
# of every event of that role, in dmarec's summary
counted() { awk -v role="$1" '$1 == role { gsub(",", "", $4); n += $4 } END { print n + 0 }' "$2"; }
expect() { # role number
	local got
	got=$(counted "$1" summary)
	[ "$got" = "$2" ] || { echo "$1: $got, not $2"; cat summary; return 1; }
}
exact() { # what dmarec saw of `count` transfers, of which every hundredth wait of each card throws
	expect submit $((count + 1)) && expect doorbell "$count" && expect wait "$count" &&
		expect woken $((count - count / 100)) && expect started "$count"
}
same() { # command: same output and status, exact counts
	local plain traced plain_status traced_status
	plain=$("$@"); plain_status=$?
	traced=$("$B/dmarec" -o r.data -- "$@" 2>summary); traced_status=$?
	[ "$plain" = "$traced" ] || { echo "output: '$traced', not '$plain'"; cat summary; return 1; }
	[ "$plain_status" = "$traced_status" ] || { echo "status $traced_status, not $plain_status"; return 1; }
	exact
}
attach() {
	rm -f r.data go
	stripped/prog "$count" go >plain.out & local pid=$!
	"$B/dmarec" -o r.data -p "$pid" 2>summary & local rec=$!
	await recording $rec r.data
	touch go
	wait $pid; [ $? = 7 ] || return 1
	wait $rec || { cat summary; return 1; }
	rm -f go
	exact
}

build_programs

for c in $compilers; do
	for o in -O0 -O1 -O2 -O3; do ok "$c $o, a library" same "$c$o/prog" "$count"; done
done
ok "stripped" same stripped/prog "$count"
ok "attached with -p" attach
ok "opened by dlopen" same dlopen/prog "$count"
ok "started from a shell script" same ./run.sh "$count"
ok "started by sh -c" same sh -c "stripped/prog $count"
for o in -O0 -O2 -O3; do
	ok "PIE $o" same pie$o/prog "$count"
	ok "no PIE $o" same nopie$o/prog "$count"
	ok "static $o" same static$o/prog "$count"
done
finish
