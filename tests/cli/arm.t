#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The agent on aarch64, built by the cross compiler and run under qemu-user, where there are no uprobes.
B=$(realpath "${B:-build}")
root=/usr/aarch64-linux-gnu
for need in aarch64-linux-gnu-gcc qemu-aarch64; do
	command -v $need >/dev/null || { echo "1..0 # SKIP no $need"; exit 0; }
done
[ -e $root/lib/ld-linux-aarch64.so.1 ] || { echo "1..0 # SKIP no C library for aarch64"; exit 0; }
n=0
ok() { # description, then a command
	local what=$1 not=
	shift
	n=$((n + 1))
	"$@" >"$tmp/out" 2>"$tmp/err" || not="not "
	echo "${not}ok $n - $what"
	[ -z "$not" ] || sed 's/^/# /' "$tmp/out" "$tmp/err"
}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
arm=$B/arm
build() {
	make --no-print-directory -s B="$arm" CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++ "$arm/dmarec-agent.so" \
		"$arm/tests/agent/ways"
}
ok "it is built" build
export INSIDE_SET=QEMU_SET_ENV
qemu=(qemu-aarch64 -L $root "$arm/tests/agent/ways")
inside=("$B/tests/agent/inside" -q -a "$arm/dmarec-agent.so" -L $root/lib/ld-linux-aarch64.so.1)
libs=(-x "$arm/tests/agent/libprobed.so" -x "$arm/tests/agent/libloaded.so" -f probed -f loaded)
same() { # hits, then arguments of ways
	local want=$1
	shift
	"${qemu[@]}" "$@" >"$tmp/plain"
	echo "status $?" >>"$tmp/plain"
	"${inside[@]}" "${libs[@]}" "${qemu[@]}" "$@" >"$tmp/all"
	echo "status $?" >>"$tmp/all"
	grep -v '^all\|^#' "$tmp/all" | sed 's/LD_PRELOAD .*/LD_PRELOAD none/' >"$tmp/traced"
	cmp "$tmp/plain" "$tmp/traced" && grep -q "^all counted $want delivered $want lost 0 unequal 0 " "$tmp/all" ||
		{ cat "$tmp/all"; return 1; }
}
ok "entries and exits" same 100 calls 50
ok "64 threads" same 19200 threads 50
ok "dlopen and dlclose; the constructor's call counts" same 2044 dlopen 50 "$arm/tests/agent/libloaded.so"
killed() {
	"${inside[@]}" "${libs[@]}" "${qemu[@]}" kill 50 >"$tmp/all"
	[ $? = 137 ] && grep -q "^all counted 100 delivered 100 lost 0 unequal 0 " "$tmp/all" || { cat "$tmp/all"; return 1; }
}
ok "killed by -9" killed
library() { # every function of the C library, a part at a time, under a program with threads
	local libc=$root/lib/libc.so.6 hits=0
	aarch64-linux-gnu-nm -D --defined-only $libc | awk '$2 == "T" || $2 == "W" { sub(/@.*/, "", $3); print $3 }' |
		sort -u >"$tmp/names"
	split -l 400 "$tmp/names" "$tmp/part."
	"${qemu[@]}" threads 5 >"$tmp/plain"
	for part in "$tmp"/part.*; do
		"${inside[@]}" -e -n "$part" -x $libc "${qemu[@]}" threads 5 >"$tmp/all"
		[ $? = 3 ] && grep -q 'lost 0 unequal 0' "$tmp/all" || { cat "$tmp/all"; return 1; }
		grep -v '^all\|^#' "$tmp/all" | sed 's/LD_PRELOAD .*/LD_PRELOAD none/' | cmp - "$tmp/plain" || return 1
		hits=$((hits + $(awk '/^all/ { print $3 }' "$tmp/all")))
	done
	[ $hits -gt 1000 ]
}
ok "every function of the C library, in parts" library
echo "1..$n"
