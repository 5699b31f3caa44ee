#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Processes that run already, by number and by name; what becomes of a command whose --duration is over; and
# no probe where a process runs other code than its file has.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze
needs_recording
: "${CC:=gcc}"
workdir
name=att$$
cat >work.c <<'X'
#include <unistd.h>
static volatile long v;
__attribute__((noinline)) int dma_to_host(int channel, long size) { usleep(1000); v += channel + size; return (int)v; }
__attribute__((noinline)) int dma_wait(int channel) { v += channel; return (int)v; }
int main(void)
{
	for (;;) {
		dma_to_host(1, 4096);
		dma_wait(1);
	}
}
X
$CC -O1 -g -o $name work.c || skip_all "no compiler"
started=()
trap 'kill -9 "${started[@]}" $(pgrep -x $name) 2>/dev/null; cd /; rm -rf "$tmp"' EXIT
begin() { ./$name & started+=($!); await runs $!; }
runs() { [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$name" ] && grep -q "$name" "/proc/$1/maps"; }
nobody() { ! pgrep -x $name >/dev/null; }
stop() { kill -9 "$@"; wait "$@" 2>/dev/null; }

# ---- --duration ----
short() { "$B/dmarec" --duration 200ms -o d.data -- "$@"; }
ended() { short ./$name && nobody && grep -q "duration is over: ended [0-9]* ($name) by SIGTERM (--leave-running" err; }
ok "--duration ends the command, and says so" ended
stubborn() { (trap '' TERM; short sh -c "./$name & wait") && # ignored from its beginning
	 nobody && grep -q 'and what stayed by SIGKILL' err; }
ok "and what it started, by SIGKILL where SIGTERM is ignored" stubborn
# A short recording may end before the command has begun its work, on a busy machine.
left() {
	local d
	for d in 200ms 1s 4s 16s; do
		"$B/dmarec" --duration $d --leave-running -o d.data -- ./$name && pgrep -x $name >/dev/null && grep -q 'goes on, unrecorded' err || return 1
		[ "$(starts)" -gt 0 ] && return
		kill -9 "$(pgrep -x $name)"; await nobody; : >err
	done
}
starts() { local n; n=$(sed -n 's/^ *submit .*counted \([0-9]*\),.*/\1/p' err | tail -n 1); echo "${n:-0}"; }
ok "--leave-running: it goes on" left
ok "--leave-running without --duration is wrong usage" status 2 "$B/dmarec" --leave-running -- true

# ---- other code than the file's ----
pid=$(pgrep -x $name)
if grep -q dmarec-agent "/proc/$pid/maps"; then
	refused() { status 1 "$B/dmarec" "$@" && grep -q "process $pid has probes of another recording in it" err && runs "$pid"; }
	ok "a process with another recording's probes is not probed" refused -p "$pid" --duration 100ms -o e.data
	# The kernel leaves its pages alone, and it lives.
	beside() { "$B/dmarec" --probes kernel --duration 500ms -o e.data -- ./$name && runs "$pid"; }
	ok "another process of the file is, and does it no harm" beside
	started+=("$pid"); kill -9 "$pid"; await nobody
else
	skip "a process with another recording's probes" "no probe is armed in the process here"
	kill -9 "$pid"; await nobody
fi

# ---- -p ----
begin; one=$!
begin; two=$!
attach() { "$B/dmarec" --duration 600ms -o p.data -p "$@"; }
by_number() { attach "$one" && [ "$(grep -c '^  submit' err)" = 1 ] && [ "$(starts)" -gt 0 ] && ! grep -q '^  process' err; }
ok "-p NUMBER records one" by_number
both() { grep -q "recorded are .*$one ($name).*$two ($name)\|recorded are .*$two ($name).*$one ($name)" err &&
	[ "$(grep -c "^  process  *[0-9]* *$name" err)" = 2 ]; }
by_name() { attach $name && both; }
ok "-p NAME records all of that name" by_name
by_list() { attach "$one,$two" && both && [ "$(grep -c '^  submit' err)" = 1 ]; }
ok "-p NUMBER,NUMBER records both, and probes their file once" by_list
twice() { attach "$one" -p "$two" && both; }
ok "-p twice records both" twice
ok "after it they live" runs "$one"
ok "a name that nobody has is an error" status 1 attach no-such-process
stop "$two"
gone() { status 1 attach 999999999; }
ok "as is a number" gone
ok "-p and a command are wrong usage" status 2 "$B/dmarec" -p "$one" -- true
stop "$one"
begin
"$B/dmarec" -q -o q.data -p $name & d=$!
await recording $d q.data
stop "${started[-1]}"
ok "the recording ends with the last of them" wait $d
ok "nothing is left in the kernel" none_left $d
ok "it loads" "$B/dmaanalyze" -q -i q.data q.db
ok "... as one that something may be in flight in when it begins" sql_is q.db 0 'SELECT from_start FROM run'
finish
