#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What dmarec finds by reading is what the system's own loader maps: for the programs of /usr/bin, and
# rule by rule of ld.so(8) for programs that are made here.
: "${B:=build}" "${CC:=gcc}"
resolve=$(realpath "$B/tests/resolve/resolve")
n=0 failed=0
ok() { n=$((n + 1)); [ "$1" = 0 ] && echo "ok $n - $2" || { echo "not ok $n - $2"; failed=1; }; }
dir=$(mktemp -d) && cd "$dir" || exit 1
trap 'rm -rf "$dir"' EXIT
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
	ok $? "$2"
}

# ---- a part of /usr/bin; all of it with RESOLVE_ALL ----
compared=0 differ=0
for f in $(find /usr/bin -type f -perm -1 | sort | awk -v every="${RESOLVE_ALL:+1}" 'every || NR % 17 == 0'); do
	i=$(interpreter "$f"); [ "$i" ] && [ -x "$i" ] || continue
	compared=$((compared + 1))
	[ "$(loader "$f")" = "$(ours "$f")" ] || { differ=$((differ + 1)); echo "# $f differs"; }
done
[ "$compared" -ge 20 ] && [ "$differ" = 0 ]; ok $? "$compared programs of /usr/bin load what the loader says"

# ---- the rules, one by one ----
lib() { # directory name [flags]: a library whose function is its directory's name
	mkdir -p "$1"
	echo "int f_$2(void); int f_$2(void) { return 1; }" >"$2.c"
	$CC -shared -fPIC -Wl,-soname,"libt$2.so" -o "$1/libt$2.so" "$2.c" "${@:3}"
}
prog() { # name flags
	echo 'int main(void) { return 0; }' >main.c
	$CC -Wl,--no-as-needed -Wl,-rpath-link,"$dir/a:$dir/b:$dir/deep" -o "$1" main.c "${@:2}"
}
lib a x; lib b x; lib b y; lib deep z
lib a mid -Wl,--no-as-needed -Wl,-rpath-link,"$dir/deep" -Ldeep -ltz

prog runpath -La -ltx -Wl,--enable-new-dtags,-rpath,"$dir/a"; same "$dir/runpath" "RUNPATH"
prog rpath -La -ltx -Wl,--disable-new-dtags,-rpath,"$dir/a"; same "$dir/rpath" "RPATH"
LD_LIBRARY_PATH=$dir/b same "$dir/runpath" "LD_LIBRARY_PATH goes before RUNPATH"
LD_LIBRARY_PATH=$dir/b same "$dir/rpath" "and behind RPATH"
prog origin -La -ltx -Wl,--enable-new-dtags,-rpath,'$ORIGIN/a'; same "$dir/origin" '$ORIGIN'
mkdir -p elsewhere; ln -sf ../origin elsewhere/link
[ "$(ours "$dir/elsewhere/link")" = "$(ours "$dir/origin")" ]; ok $? '$ORIGIN is where the program is, not a link to it'
prog chain -La -ltmid -Wl,--disable-new-dtags,-rpath,"$dir/a:$dir/deep"
same "$dir/chain" "the RPATH of a program serves the libraries of its libraries"
prog nochain -La -ltmid -Wl,--enable-new-dtags,-rpath,"$dir/a:$dir/deep"
same "$dir/nochain" "a RUNPATH does not"
"$resolve" "$dir/nochain" | grep -q 'not found libtz.so'; ok $? "and what is missing is said"
LD_PRELOAD=$dir/b/libty.so same "$dir/runpath" "LD_PRELOAD"
LD_PRELOAD="libty.so" LD_LIBRARY_PATH=$dir/b same "$dir/runpath" "LD_PRELOAD by name"
prog order -Lb -lty -La -ltx -Wl,--enable-new-dtags,-rpath,"$dir/a:$dir/b"; same "$dir/order" "directories in their order"
prog nodef -Wl,-z,nodefaultlib; same "$dir/nodef" "a program that wants no default directories" 

# ---- what a stranger may have made ----
lib loop p; lib loop q -Wl,--no-as-needed -Lloop -ltp
$CC -shared -fPIC -Wl,-soname,libtp.so -Wl,--no-as-needed -o loop/libtp.so p.c -Lloop -ltq
prog cyclic -Lloop -ltp -Wl,--disable-new-dtags,-rpath,"$dir/loop" -Wl,-rpath-link,"$dir/loop"; same "$dir/cyclic" "libraries that need each other"
mkfifo fifo; timeout 20 "$resolve" "$dir/fifo" >/dev/null; [ $? -lt 124 ]; ok $? "a FIFO is not waited for"
mkdir -p odd; mkfifo odd/libtx.so
LD_LIBRARY_PATH=$dir/odd timeout 20 "$resolve" "$dir/runpath" >out; rc=$?
[ $rc = 0 ] && grep -q "$dir/a/libtx.so" out; ok $? "nor one that has a library's name"
for at in 0 40 64 200 700 1500 3000; do
	head -c $at "$dir/runpath" >cut; timeout 20 "$resolve" "$dir/cut" >/dev/null 2>&1; [ $? -lt 124 ] || break
done
[ "$at" = 3000 ]; ok $? "a file that was cut"

echo "1..$n"
exit $failed
