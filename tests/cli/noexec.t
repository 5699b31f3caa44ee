#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Looking at a file runs nothing of it: an ELF file whose interpreter leaves a marker, or never returns, as
# command, argument, word of a script's comment and mapping of another process. Nor does a FIFO hold dmarec.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec
needs_recording
command -v strace >/dev/null || skip_all "no strace here (scripts/deps.sh check)"
strace -f true 2>/dev/null || skip_all "no right to trace"
workdir
pid=
trap '[ -z "$pid" ] || kill $pid 2>/dev/null; cd /; rm -rf "$tmp"' EXIT
LIMIT=60 # seconds: only a dmarec that hangs comes near
cc=${CC:-gcc}

# Interpreters without a C library: its start-up code looks for the program's headers.
cat >interp.h <<'C'
#include <sys/syscall.h>
static long call(long n, long a, long b, long c, long d)
{
#ifdef __x86_64__
	register long r10 __asm__("r10") = d;
	__asm__ volatile("syscall" : "+a"(n) : "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return n;
#else
	register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
		      x3 __asm__("x3") = d;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
#endif
}
C
cat >mark.c <<C
#include <fcntl.h>
#include "interp.h"
void _start(void)
{
	call(SYS_openat, AT_FDCWD, (long)"$tmp/marker", O_CREAT | O_WRONLY, 0600);
	call(SYS_exit_group, 0, 0, 0, 0);
}
C
cat >hang.c <<'C'
#include "interp.h"
void _start(void)
{
	for (;;)
		call(SYS_ppoll, 0, 0, 0, 0);
}
C
printf '%s\n' 'int dma_to_host(int c) { return c; }' 'int dma_wait(int c) { return c; }' \
	'int main(void) { return dma_to_host(0) + dma_wait(0); }' >prog.c
$cc -O1 -nostdlib -static -o mark mark.c && $cc -O1 -nostdlib -static -o hang hang.c &&
	$cc -O1 -o f_mark prog.c -Wl,--dynamic-linker="$tmp/mark" &&
	$cc -O1 -o f_hang prog.c -Wl,--dynamic-linker="$tmp/hang" || skip "$cc cannot link a static program"
# Maps the code of a file that it does not run.
cat >map.c <<'C'
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, open(argv[i], O_RDONLY), 0) == MAP_FAILED)
			return 1;
	puts("mapped");
	fflush(stdout);
	for (;;)
		pause();
}
C
$cc -O1 -o map map.c
printf '#!/bin/sh\n# see %s/f_mark and ./f_hang\nexit 0\n' "$tmp" >script
chmod +x script
mkfifo fifo
./f_mark; [ -e marker ] && made=1
rm -f marker
ok "(the marker's interpreter leaves one when it is run)" test -n "$made"

# What was executed, dmarec itself left out.
executed() { grep -h -E 'execve(at)?\(' trace | grep -v -F "execve(\"$B/dmarec\"" | grep -v ENOENT; }
unrun() { # status, then dmarec's arguments: nothing is executed
	local want=$1 got
	shift
	rm -f marker
	timeout "$LIMIT" strace -f -o trace -e trace=execve,execveat "$B/dmarec" "$@" </dev/null; got=$?
	[ ! -e marker ] || { echo "a marker"; return 1; }
	[ "$got" != 124 ] || { echo "hangs"; return 1; }
	grep -q -F "execve(\"$B/dmarec\"" trace || { echo "no trace"; return 1; }
	! executed || return 1
	[ "$want" = any ] || [ "$got" = "$want" ] || { echo "status $got, not $want"; return 1; }
}
for f in mark hang; do
	ok "--dry-run of a command with that interpreter ($f)" unrun 0 --dry-run -- ./f_$f
	ok "... as an argument" unrun 0 --dry-run -- cat ./f_$f
	ok "... as a word of sh -c" unrun 0 --dry-run -- sh -c "cat ./f_$f"
done
ok "... as words of a script's comment" unrun 0 --dry-run -- ./script "$tmp/f_mark"
exec 3< <(exec ./map f_mark f_hang)
pid=$!
read -r _ <&3
ok "... as a mapping of another process" unrun 0 --dry-run -p "$pid"
ok "a FIFO as command" unrun any --dry-run -- ./fifo
ok "... as an argument" unrun 0 --dry-run -- ./map ./fifo ./f_mark
ok "... as a library" unrun 0 --dry-run -x ./fifo -- ./f_mark

# In a recording the workload itself is the first that is run; `true` does not run its arguments.
first() {
	rm -f marker
	timeout "$LIMIT" strace -f -o trace -e trace=execve,execveat "$B/dmarec" -o r.data -- true ./f_mark ./f_hang </dev/null ||
		[ $? != 124 ] || { echo "hangs"; return 1; }
	[ ! -e marker ] || { echo "a marker"; return 1; }
	executed | grep -v -E '/true", \["true"' && return 1
	executed | grep -q '/true", \["true"'
}
ok "a recording runs the workload alone" first
finish
