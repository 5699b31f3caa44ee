#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# How the tools are built: what root runs is position independent, has its tables read-only before main, no
# executable stack, guarded stacks and checked copies.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze dmareport dmacompare
command -v readelf >/dev/null || skip_all "readelf is not installed"
nm -D "$B/dmarec" 2>/dev/null | grep -q __asan && skip_all "built with sanitizers"
header() { LC_ALL=C readelf -hlW "$B/$1"; }
for t in dmarec dmaanalyze dmareport dmacompare; do
	like "$t: position independent" "$(header $t)" 'Type: +DYN'
	like "$t: relocations read-only" "$(header $t)" 'GNU_RELRO'
	like "$t: ... and all bound at once" "$(LC_ALL=C readelf -dW "$B/$t")" 'BIND_NOW|FLAGS_1.*NOW'
	like "$t: no code on the stack" "$(header $t)" 'GNU_STACK.* RW '
	like "$t: guarded stacks" "$(LC_ALL=C readelf --dyn-syms -W "$B/$t")" '__stack_chk_fail'
	like "$t: checked copies" "$(LC_ALL=C readelf --dyn-syms -W "$B/$t")" '__(v?snprintf|memcpy|printf|fprintf)_chk'
done
if [ "$(uname -m)" = x86_64 ]; then
	like "jumps are guarded (CET)" "$(LC_ALL=C readelf -n "$B/record/session.o")" 'IBT, SHSTK'
else
	skip "jumps are guarded (CET)" "x86-64 alone"
fi
finish
