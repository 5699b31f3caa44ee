#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Endurance: a recording of SOAK_SECONDS (60; make soak: 3600) whose memory stays flat, that loses nothing and
# leaves nothing; a thousand threads; tracefs unmounted meanwhile; another tracer on the same events.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze examples/blkdma
needs_recording
: "${SOAK_SECONDS:=60}"
work=$B/examples/blkdma
workdir
MEMORY_KIB=1024 # more than the first tenth's: a leak of one byte for each of a million samples

# ---- an hour, or a minute ----
# Its own memory: the rings' pages count as resident once they were touched, and are as many as the rings are large.
rss() { awk '/^RssAnon/ { print $2 }' "/proc/$1/status" 2>/dev/null; }
"$B/dmarec" --duration "${SOAK_SECONDS}s" --leave-running -o soak.data -- "$work" --count 1000000000 --file-size 16M --pause 1ms >soak.out 2>soak.err &
pid=$!
await recording $pid soak.data
first=0 most=0 seen=0
while kill -0 $pid 2>/dev/null; do
	sleep $((SOAK_SECONDS / 60))
	now=$(rss $pid)
	[ "$now" ] || break
	seen=$((seen + 1))
	[ $seen -gt 6 ] || { first=$((now > first ? now : first)); continue; }
	most=$((now > most ? now : most))
done
ok "a recording of $SOAK_SECONDS s" wait $pid
ok "... uses no more memory than at first ($first KiB, then $most)" test "$most" -gt 0 -a "$most" -le $((first + MEMORY_KIB))
like "... loses no start" "$(cat soak.err)" '^ +submit .* lost 0$'
todo "... nor an interrupt" "nothing is to be lost; this kernel skips the BPF program for some, which are counted and said: $(
	sed -n 's/^ *interrupt *irq:irq_handler_entry *//p' soak.err)" grep -q '^ *interrupt .* lost 0$' soak.err
ok "... leaves no probe" none_left $pid
worker=$(sed -n 's/.*the command (process \([0-9]*\)) goes on, unrecorded.*/\1/p' soak.err)
ok "... and says that the command goes on" test -n "$worker"
kill "$worker" 2>/dev/null

# ---- a thousand threads ----
cat >crowd.c <<'C'
#include <pthread.h>
#include <stdlib.h>
enum { THREADS = 1000, TIMES = 10 };
__attribute__((noinline)) int dma_to_host(int c) { __asm__ volatile("" : "+r"(c)); return c; }
__attribute__((noinline)) int dma_wait(int c) { __asm__ volatile("" : "+r"(c)); return c; }
static void *work(void *arg)
{
	for (int i = 0; i < TIMES; i++)
		dma_wait(dma_to_host((int)(long)arg));
	return NULL;
}
int main(void)
{
	static pthread_t t[THREADS];
	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, work, (void *)i))
			return 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	return 0;
}
C
if ${CC:-gcc} -O1 -pthread -o crowd crowd.c; then
	ok "a thousand threads" "$B/dmarec" --start dma_to_host --wait dma_wait -o crowd.data -- ./crowd
	like "... every start of theirs" "$(cat err)" 'submit .*counted 10000, delivered 10000, lost 0'
else
	skip "a thousand threads" "no compiler"
fi

# ---- tracefs goes away meanwhile ----
gone() {
	unshare -m sh -c "'$B/dmarec' -q -o gone.data -x '$B/examples/libblkdma.so' -- sh -c 'umount -l /sys/kernel/tracing; \"$work\" --count 50 >/dev/null'"
}
if unshare -m true 2>/dev/null; then
	before=$(grep -c dmarec_ /sys/kernel/tracing/uprobe_events)
	ok "tracefs is unmounted while a recording runs" gone
	ok "... which is whole" sh -c "'$B/dmaanalyze' -q -i gone.data gone.db"
	ok "... all starts" sql_is gone.db 50 "select count(*) from sample join source on source.id = source_id where role = 'submit'"
	ok "... and leaves nothing of its file" sh -c "! grep -q '$tmp' /sys/kernel/tracing/uprobe_events"
else
	skip "tracefs is unmounted" "no right to a mount namespace"
fi

# ---- another tracer ----
if command -v perf >/dev/null && perf record -q -a -e irq:irq_handler_entry -o probe.data -- true 2>/dev/null; then
	perf record -q -a -e irq:irq_handler_entry -o perf.data -- sleep 1000 2>/dev/null &
	tracer=$!
	await bigger perf.data 0
	"$B/dmarec" -o both.data -- "$work" --count 500 >/dev/null 2>both.err
	result $? "another tracer on the same interrupts"
	like "... takes no start away" "$(cat both.err)" '^ +submit .*counted 500, delivered 500, lost 0$'
	kill -INT $tracer
	wait $tracer 2>/dev/null
	missing=$(sed -nE 's/^ +interrupt .* lost ([0-9]+)$/\1/p' both.err)
	if [ "${missing:-0}" -gt 0 ]; then like "... and interrupts that it takes are said" "$(cat both.err)" "$missing are missing"; else ok "... nor an interrupt" true; fi
else
	skip "another tracer" "no perf that may trace interrupts"
fi
finish
