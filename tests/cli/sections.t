#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every section of a profile says which functions it fits; one that must fit and does not is an error, with
# names that work when they are pasted. Parameters are no pattern. One function is one role, or says when.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec
: "${CXX:=g++}"
workdir
cat >card.cc <<'X'
#include <cstddef>
namespace acme {
struct MyCard {
	volatile unsigned long v = 0;
	__attribute__((noinline)) void dma_to_host(unsigned id, void *dst, size_t size) { v = id + size + (size_t)dst; }
	__attribute__((noinline)) void dma_from_host(unsigned id, const char *src, size_t size) { v = id + size + (size_t)src; }
	__attribute__((noinline)) int dma_wait(unsigned id) { return v += id; }
	__attribute__((noinline)) int dma_wait(unsigned id, long ns) { return v += id + ns; }
	template <class T> __attribute__((noinline)) int send(T *p) { return v += (size_t)p; }
};
}
extern "C" __attribute__((noinline)) int blocking_read(int ch, void *buf, size_t len) { return ch + (size_t)buf + len; }
extern "C" __attribute__((noinline)) int bare_go(int a, int b) { return a * b; }
int main(int argc, char **)
{
	acme::MyCard c;
	char b[100];
	c.dma_to_host(1, b, 100); c.dma_from_host(1, b, 50); c.dma_wait(1); c.dma_wait(2, 3);
	c.send(b); c.send((const int *)b);
	return blocking_read(1, b, argc) + bare_go(argc, 2) == 7;
}
X
if ! $CXX -g -O1 -o card card.cc 2>err; then skip_all "no C++ compiler"; fi
dry() { "$B/dmarec" --dry-run "$@" -- ./card; }
profile() { cat >my.ini; dry --profile ./my.ini; }
fits() { # section, how many functions: as --dry-run says
	local line n
	line=$(grep -F "# $1: " out) || return 1
	n=$(grep -o ' in card' <<<"$line" | wc -l)
	[ "$n" = "$2" ] || { echo "$line"; return 1; }
}

# ---- names ----
one() { dry --start "$1" && fits "--start $1" "$2"; }
while IFS='|' read -r name n; do
	ok "--start '$name' fits $n" one "$name" "$n"
done <<'X'
dma_to_host|1
MyCard::dma_to_host|1
acme::MyCard::dma_to_host|1
_ZN4acme6MyCard11dma_to_hostEjPvm|1
acme::MyCard::dma_to_host(unsigned int, void*, unsigned long)|1
MyCard::dma_to_host(unsigned int,void *,unsigned long)|1
MyCard::dma_to_host(u_int, void *, size_t)|1
dma_from_host(unsigned, const char *, std::size_t)|1
dma_wait|2
MyCard::dma_wait(unsigned int, long)|1
MyCard::dma_*_host|2
acme::*::dma_*|4
dma_wait*|2
MyCard::send<*>|2
MyCard::send<char>|1
MyCard::send<char>(char*)|1
int acme::MyCard::send<int const>(int const*)|1
blocking_read(int, void*, unsigned long)|1
X
other() { status 1 dry --start "$1"; }
ok "another signature does not fit" other 'MyCard::dma_to_host(unsigned int, void*, int)'

# ---- sections ----
whole() { profile && fits '[start MyCard::dma_to_host(u_int, void *, size_t)] (my.ini:1)' 1 && fits '[wait dma_wait] (my.ini:5)' 2 &&
	fits '[stop MyCard::halt] (my.ini:7)' 0 && grep -q 'nothing, and need not' out &&
	grep -q 'profile my: 1 start function, 2 wait functions; nothing fits \[stop MyCard::halt\] (my.ini:7)' err; }
ok "each section says what it fits, in --dry-run and in one line" whole <<'X'
[start MyCard::dma_to_host(u_int, void *, size_t)]
channel = arg2:u32
size = arg4

[wait dma_wait]

[stop MyCard::halt]
X
missing() { status 1 profile && grep -q "no function 'MyCard::dma_wayt' for \[wait MyCard::dma_wayt\] (my.ini:2)" err && grep -q "optional = yes" err; }
ok "a wait that fits nothing is an error, with its line" missing <<'X'
[start MyCard::dma_to_host]
[wait MyCard::dma_wayt]
X
near=$(grep -oE "nearest names are '[^']*'" err | cut -d"'" -f2)
is "the nearest name is told" "$near" acme::MyCard::dma_wait
ok "and works when it is pasted" one "$near" 2
ok "a signature is answered by signatures" status 1 dry --start 'MyCard::dma_weit(unsigned int, long)'
near=$(grep -oE "'acme::[^']*long\)'" err | tr -d "'")
ok "which work when they are pasted: $near" one "$near" 1
second() { status 1 profile && grep -q "for \[start MyCard::dma_from_hots\] (my.ini:2)" err; }
ok "the second of two starts is required too" second <<'X'
[start MyCard::dma_to_host]
[start MyCard::dma_from_hots]
X
optional() { profile && grep -q '1 start function; nothing fits .*dma_from_hots.*, .*dma_wayt' err; }
ok "optional = yes: it may be missing, and is said" optional <<'X'
[start MyCard::dma_to_host]
[start MyCard::dma_from_hots]
optional = yes
[wait MyCard::dma_wayt]
optional = yes
X
required() { status 1 profile && grep -q "no function 'MyCard::halt' for \[stop" err; }
ok "optional = no: a stop is required" required <<'X'
[start MyCard::dma_to_host]
[stop MyCard::halt]
optional = no
X
none() { status 1 profile && grep -q "no function 'nobody' for \[start nobody\]" err; }
ok "no start at all is an error, optional or not" none <<'X'
[start nobody]
optional = yes
X
bad() { status 2 profile && grep -q "my.ini:2: .*yes or no" err; }
ok "optional is yes or no" bad <<'X'
[start MyCard::dma_to_host]
optional = maybe
X
stop() { status 1 dry --start MyCard::dma_to_host --stop halt && grep -q "no function 'halt' for --stop halt" err; }
ok "a stop that is named by hand is required" stop

# ---- one function, one role ----
both() { status 2 dry --start blocking_read --wait blocking_read && grep -q -- '--start blocking_read and --wait blocking_read mean one function' err &&
	grep -q -- '--transfer FUNC' err; }
ok "--start f --wait f: it is a --transfer" both
pair() { status 2 profile && grep -q "both need a 'when'" err; }
ok "start and stop of one name need a 'when'" pair <<'X'
[start blocking_read]
[stop blocking_read]
optional = no
X
told() { profile && fits '[start blocking_read] (my.ini:1)' 1 && fits '[wait blocking_read] (my.ini:4)' 1; }
ok "and with one each has its probes" told <<'X'
[start blocking_read]
mode = arg1:s32
when = mode == 1
[wait blocking_read]
mode = arg1:s32
when = mode == 2
X

# ---- what is not known, what is guessed ----
transfer() { dry --transfer blocking_read && fits '--transfer blocking_read' 1 && grep -q '1 transfer function' err &&
	grep -q "blocking_read: by the parameters' names, size=arg3 (len) is taken" err && grep -q 'blocking_read: no channel is known' err; }
ok "--transfer FUNC; what is guessed and what is missing" transfer
full() { dry --transfer 'blocking_read size=arg3 channel=arg1:s32' && ! grep -q 'is taken\|is known' err; }
ok "nothing is said where all is given" full
bare() { dry --start bare_go && grep -q 'bare_go: no size is known' err && grep -q 'bare_go: no channel is known' err; }
ok "a missing size and channel are said" bare
quiet() { dry -q --start bare_go && [ ! -s err ]; }
ok "not with -q" quiet

# ---- every shipped profile still fits its own library ----
export DMAREC_PROFILES=$SRC/examples/profiles
for p in blkdma edu; do
	dir=$B/examples/$p
	work=$(find "$dir" -maxdepth 1 -type f -perm -1 ! -name '*.so*' 2>/dev/null | head -1)
	[ "$work" ] || { skip "profile $p fits its example" "it is not built"; continue; }
	mine() { "$B/dmarec" --dry-run --profile $p -- "$work"; }
	ok "profile $p fits its example" mine
done
finish
