#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What dmarec finds by reading is what the system's own loader maps: for the programs of /usr/bin, and
# rule by rule of ld.so(8) for programs that are made here.
. "${BASH_SOURCE%/*}/lib.sh"
needs tests/resolve/resolve
resolve=$B/tests/resolve/resolve
: "${CC:=gcc}"
workdir
unset LD_LIBRARY_PATH LD_PRELOAD

interpreter() { LC_ALL=C readelf -lW "$1" 2>/dev/null | sed -n 's/.*program interpreter: \(.*\)\]/\1/p'; }
real() { while read -r f; do realpath "$f"; done | sort -u; }
# What the loader says, without itself and the kernel's page of code.
loader() {
	local i; i=$(interpreter "$1")
	LD_TRACE_LOADED_OBJECTS=1 "$i" "$1" 2>/dev/null | sed -n 's/^\t\(.* => \)\{0,1\}\(\/[^ ]*\) (0x.*/\2/p' | real | grep -vxF "$(realpath "$i")"
}
ours() { "$resolve" "$1" | sed -n "s|^$1: \(/.*\)|\1|p" | real; }
same() { # program, what is shown
	local a b
	a=$(loader "$1") b=$(ours "$1")
	[ "$a" = "$b" ] || { echo "# the loader maps: $a"; echo "# found by reading: $b"; false; }
	result $? "$2"
}

# ---- a part of /usr/bin; all of it with RESOLVE_ALL ----
compared=0 differ=0
# One of 17; of a small system's more.
step=$(($(find /usr/bin -type f -perm -1 | wc -l) / 60))
[ "$step" -lt 17 ] || step=17
for f in $(find /usr/bin -type f -perm -1 | sort | awk -v every="${RESOLVE_ALL:+1}" -v step="$step" 'every || NR % step == 0'); do
	i=$(interpreter "$f"); [ "$i" ] && [ -x "$i" ] || continue
	compared=$((compared + 1))
	[ "$(loader "$f")" = "$(ours "$f")" ] || { differ=$((differ + 1)); echo "# $f differs"; }
done
[ "$compared" -ge 20 ] && [ "$differ" = 0 ]; result $? "$compared programs of /usr/bin load what the loader says"

# ---- the rules, one by one ----
lib() { # directory name [flags]: a library whose function is its directory's name
	mkdir -p "$1"
	echo "int f_$2(void); int f_$2(void) { return 1; }" >"$2.c"
	$CC -shared -fPIC -Wl,-soname,"libt$2.so" -o "$1/libt$2.so" "$2.c" "${@:3}"
}
prog() { # name flags
	echo 'int main(void) { return 0; }' >main.c
	$CC -Wl,--no-as-needed -Wl,-rpath-link,"$tmp/a:$tmp/b:$tmp/deep" -o "$1" main.c "${@:2}"
}
lib a x; lib b x; lib b y; lib deep z
lib a mid -Wl,--no-as-needed -Wl,-rpath-link,"$tmp/deep" -Ldeep -ltz

prog runpath -La -ltx -Wl,--enable-new-dtags,-rpath,"$tmp/a"; same "$tmp/runpath" "RUNPATH"
prog rpath -La -ltx -Wl,--disable-new-dtags,-rpath,"$tmp/a"; same "$tmp/rpath" "RPATH"
LD_LIBRARY_PATH=$tmp/b same "$tmp/runpath" "LD_LIBRARY_PATH goes before RUNPATH"
LD_LIBRARY_PATH=$tmp/b same "$tmp/rpath" "and behind RPATH"
prog origin -La -ltx -Wl,--enable-new-dtags,-rpath,'$ORIGIN/a'; same "$tmp/origin" '$ORIGIN'
mkdir -p elsewhere; ln -sf ../origin elsewhere/link
[ "$(ours "$tmp/elsewhere/link")" = "$(ours "$tmp/origin")" ]; result $? '$ORIGIN is where the program is, not a link to it'
prog chain -La -ltmid -Wl,--disable-new-dtags,-rpath,"$tmp/a:$tmp/deep"
same "$tmp/chain" "the RPATH of a program serves the libraries of its libraries"
prog nochain -La -ltmid -Wl,--enable-new-dtags,-rpath,"$tmp/a:$tmp/deep"
same "$tmp/nochain" "a RUNPATH does not"
"$resolve" "$tmp/nochain" | grep -q 'not found libtz.so'; result $? "and what is missing is said"
LD_PRELOAD=$tmp/b/libty.so same "$tmp/runpath" "LD_PRELOAD"
LD_PRELOAD="libty.so" LD_LIBRARY_PATH=$tmp/b same "$tmp/runpath" "LD_PRELOAD by name"
prog order -Lb -lty -La -ltx -Wl,--enable-new-dtags,-rpath,"$tmp/a:$tmp/b"; same "$tmp/order" "directories in their order"
prog nodef -Wl,-z,nodefaultlib; same "$tmp/nodef" "a program that wants no default directories" 

# ---- what a stranger may have made ----
lib loop p; lib loop q -Wl,--no-as-needed -Lloop -ltp
$CC -shared -fPIC -Wl,-soname,libtp.so -Wl,--no-as-needed -o loop/libtp.so p.c -Lloop -ltq
prog cyclic -Lloop -ltp -Wl,--disable-new-dtags,-rpath,"$tmp/loop" -Wl,-rpath-link,"$tmp/loop"; same "$tmp/cyclic" "libraries that need each other"
mkfifo fifo; timeout 20 "$resolve" "$tmp/fifo" >/dev/null; [ $? -lt 124 ]; result $? "a FIFO is not waited for"
mkdir -p odd; mkfifo odd/libtx.so
LD_LIBRARY_PATH=$tmp/odd timeout 20 "$resolve" "$tmp/runpath" >out; rc=$?
[ $rc = 0 ] && grep -q "$tmp/a/libtx.so" out; result $? "nor one that has a library's name"
for at in 0 40 64 200 700 1500 3000; do
	head -c $at "$tmp/runpath" >cut; timeout 20 "$resolve" "$tmp/cut" >/dev/null 2>&1; [ $? -lt 124 ] || break
done
[ "$at" = 3000 ]; result $? "a file that was cut"

finish
