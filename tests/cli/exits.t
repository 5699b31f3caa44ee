#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A C++ class that throws, as compilers, options and ways of loading make it: the workload's output and
# status are the same under dmarec, and what was called, left and thrown is counted exactly.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec
needs_recording
src=$SRC/tests/exits
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
library() { # compiler options...: libFlxCard.so and a program that links it
	local cxx=$1
	shift
	$cxx "$@" -fPIC -shared -Wl,-soname,libFlxCard.so -o libFlxCard.so "$src/FlxCard.cc" &&
		$cxx "$@" -o prog "$src/program.cc" -L. -lFlxCard -Wl,-rpath,"$tmp"
}
whole() { # compiler options...: all in one program
	local cxx=$1
	shift
	$cxx "$@" -o prog "$src/FlxCard.cc" "$src/program.cc"
}
attach() {
	rm -f r.data go
	./prog "$count" go >plain.out & local pid=$!
	"$B/dmarec" -o r.data -p "$pid" 2>summary & local rec=$!
	await recording $rec r.data
	touch go
	wait $pid; [ $? = 7 ] || return 1
	wait $rec || { cat summary; return 1; }
	rm -f go
	exact
}

for cxx in "${CXX:-g++}" clang++; do
	command -v "$cxx" >/dev/null || continue
	for o in -O0 -O1 -O2 -O3; do
		library "$cxx" $o -g
		ok "$cxx $o, a library" same ./prog "$count"
	done
done
cxx=${CXX:-g++}
library "$cxx" -O2 && strip libFlxCard.so prog
ok "stripped" same ./prog "$count"
ok "attached with -p" attach
"$cxx" -O2 -DDLOPEN -o prog_dl "$src/program.cc" -ldl -Wl,-rpath,"$tmp"
ok "opened by dlopen" same ./prog_dl "$count"
printf '#!/bin/sh\nhere=$(dirname "$0")\n"$here/prog" "$@"\n' >run.sh
chmod +x run.sh
ok "started from a shell script" same ./run.sh "$count"
ok "started by sh -c" same sh -c "./prog $count"
for o in -O0 -O2 -O3; do
	whole "$cxx" $o -pie -fPIE
	ok "PIE $o" same ./prog "$count"
	whole "$cxx" $o -no-pie -fno-PIE
	ok "no PIE $o" same ./prog "$count"
	whole "$cxx" $o -static
	ok "static $o" same ./prog "$count"
done
finish
