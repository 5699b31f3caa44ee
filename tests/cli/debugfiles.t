#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Debug files of programs: which are read, and that none holds dmarec, whatever lies where one is looked for.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec
workdir
cc="${CC:-gcc} -nostdlib -static" # of no library is anything looked for
LIMIT=60 # seconds: only a dmarec that hangs comes near
printf '%s\n' 'int dma_to_host(const int channel, unsigned long size) { return channel + (int)size; }' \
	'int dma_wait(int c) { return c; }' 'void _start(void) { for (;;) dma_to_host(0, 1) + dma_wait(0); }' >prog.c
# Its parameters' names are in DWARF alone: what is guessed from them tells that it was read.
tells() { # yes or no, program
	timeout "$LIMIT" "$B/dmarec" --dry-run --start dma_to_host --wait dma_wait -- "$2" </dev/null >out 2>err
	[ $? != 124 ] || { echo "hangs"; return 1; }
	grep -q 'channel=arg1 (channel), size=arg2 (size) is taken' err
	[ $? = $([ "$1" = yes ]; echo $?) ]
}
linked() { # directory, options: a stripped program and its debug file
	mkdir -p "$1" && $cc -g -O1 "${@:2}" -o "$1/prog" prog.c && objcopy --only-keep-debug "$1/prog" "$1/prog.debug" &&
		objcopy -S --add-gnu-debuglink="$1/prog.debug" "$1/prog"
}
instead() { rm -f "$1" && "${@:2}" "$1"; }

linked with -Wl,--build-id || skip_all "no compiler or objcopy here"
ok "the debug file beside the program" tells yes with/prog
linked zipped -gz
mkdir with/.debug && mv with/prog.debug with/.debug
ok "... in .debug" tells yes with/prog
cp with/.debug/prog.debug right && echo >>with/.debug/prog.debug
ok "... of the same build, whatever its bytes' sum is" tells yes with/prog
ok "debug sections that are compressed" tells yes zipped/prog
linked other -Wl,--build-id -O2 && mv other/prog.debug with/.debug
ok "... of another build is left alone" tells no with/prog
instead with/.debug/prog.debug ln -s /dev/zero
ok "... a device is not opened" tells no with/prog
instead with/.debug/prog.debug mkfifo
ok "... a pipe's writer is not waited for" tells no with/prog
linked without -Wl,--build-id=none
ok "a debug file without a build id, of the sum that is said" tells yes without/prog
echo >>without/prog.debug
ok "... of another sum" tells no without/prog
if command -v dwz >/dev/null; then
	mkdir shared && (cd shared && $cc -g -O0 -include stdlib.h -include stdio.h -include pthread.h -o a ../prog.c && cp a b && dwz -m common -M common a b)
	ok "what two programs share (dwz) is read" tells yes shared/a
	instead shared/common mkfifo
	ok "... no pipe" tells no shared/a
else
	skip "what two programs share" "no dwz here"
fi

mkdir split && (cd split && $cc -g -gsplit-dwarf -O1 -c -o prog.o ../prog.c && $cc -o prog prog.o) || skip "a .dwo" "$cc has no -gsplit-dwarf"
ok "a .dwo" tells yes split/prog
chmod 777 split
ok "... where everybody can write" tells no split/prog
chmod 755 split
instead split/prog.dwo ln -s /dev/zero
ok "... a device" tells no split/prog
instead split/prog.dwo mkfifo
ok "... a pipe" tells no split/prog
mkdir split/.debug && objcopy --only-keep-debug split/prog split/.debug/prog.debug && (cd split/.debug && objcopy --strip-debug --add-gnu-debuglink=prog.debug ../prog) &&
	rm split/prog.dwo && mkfifo split/.debug/prog.dwo
ok "... a pipe beside the debug file" tells no split/prog

finish
