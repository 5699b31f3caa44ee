#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A library that is opened by a name that no file holds, and a program that is executed: they are armed when they
# appear, and recorded from then on; what came before is said, with the option that records it too.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze
needs_recording
: "${CC:=gcc}"
workdir
cat >host.c <<'X'
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int v;
__attribute__((noinline)) int dma_to_host(int channel, long size) { v += channel + (int)size; return v; }
int main(int argc, char **argv)
{
	char name[200];
	int (*go)(int, long), pid;
	void *lib;

	(void)argc;
	snprintf(name, sizeof(name), "%s/%s", getenv("PLACE"), getenv("PLUGIN"));
	lib = dlopen(name, RTLD_NOW);
	go = lib ? (int (*)(int, long))dlsym(lib, "dma_from_host") : NULL;
	for (int i = 0; go && i < 30; i++)
		v += go(1, i) + dma_to_host(1, 2);
	snprintf(name, sizeof(name), "%s/%s", getenv("PLACE"), getenv("OTHER"));
	pid = fork();
	if (!pid) {
		execl(name, argv[0], NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	return !go;
}
X
echo 'static volatile int v; int dma_from_host(int channel, long size) { v += channel + (int)size; return v; }' >plugin.c
cat >other.c <<'X'
static volatile int v;
__attribute__((noinline)) int dma_to_host(int channel, long size) { v += channel + (int)size; return v; }
int main(void) { for (int i = 0; i < 20; i++) dma_to_host(1, 3); return 0; }
X
$CC -O1 -g -o host host.c -ldl && $CC -O1 -g -shared -fPIC -o plug1.so plugin.c && $CC -O1 -g -o other1 other.c || skip_all "no compiler"
$CC -O1 -shared -fPIC -o plain1.so -x c - <<<'int nothing_here(void) { return 1; }'
export PLACE=$tmp PLUGIN=plug1.so OTHER=other1
rec() { "$B/dmarec" "$@" -o l.data -- ./host; }
counted() { sed -n "s/^ *submit *$1 .*counted \([0-9]*\),.*/\1/p" err | paste -sd' '; }
for how in auto kernel; do
	said() { rec --probes $how && grep -q "$tmp/plug1.so, which process [0-9]* mapped .* has dma_from_host:.*-x $tmp/plug1.so" err &&
		grep -q "$tmp/other1, .* has dma_to_host:.*-x $tmp/other1" err; }
	ok "what was not looked into is named, --probes $how" said
	stored() { rm -f l.db; "$B/dmaanalyze" -i l.data l.db && tr -s ' \n' ' ' <out | grep -q 'plug1.so, which process [0-9]* mapped during the recording'; }
	ok "and stands in the recording, --probes $how" stored
	armed() { rec --probes $how -x ./plug1.so -x ./other1 && ! grep -q 'mapped .*during the recording' err && [ "$(counted dma_from_host)" = 30 ] &&
		[ "$(counted dma_to_host)" = '30 20' ]; }
	ok "named by -x they are armed when they appear, --probes $how" armed
done
# ---- armed while it runs: the workload goes on until dmarec says so, and a little longer ----
cat >long.c <<'X'
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static volatile int v;
#ifdef CALLS
__attribute__((noinline)) int dma_to_host(int channel, long size) { v += channel + (int)size; return v; }
__attribute__((noinline)) int dma_wait(int channel) { return v += channel; }
#endif
int main(int argc, char **argv)
{
	char name[300];
	int (*go)(int, long), (*end)(int), left = 50;
	void *lib;

	(void)argc;
#ifdef CALLS
	dma_to_host(1, 2);
	dma_wait(1);
#endif
	snprintf(name, sizeof(name), "%s/%s", getenv("PLACE"), getenv("NEXT"));
	if (!getenv("LIBRARY"))
		return execl(name, argv[0], NULL);
	snprintf(name, sizeof(name), "%s/%s", getenv("PLACE"), getenv("LIBRARY"));
	lib = dlopen(name, RTLD_NOW);
	if (!lib)
		return 2;
	go = (int (*)(int, long))dlsym(lib, "dma_from_host");
	end = (int (*)(int))dlsym(lib, "dma_wait");
	while (left) {
		left -= !access("go", F_OK); /* before the call: it may be held up behind it */
		go(5, 4096);
		end(5);
		usleep(300);
	}
	return 0;
}
X
cat >both.c <<'X'
static volatile int v;
int dma_from_host(int channel, long size) { v += channel + (int)size; return v; }
int dma_wait(int channel) { return v += channel; }
X
$CC -O1 -g -DCALLS -o long long.c -ldl && $CC -O1 -g -shared -fPIC -o both.so both.c
cat >loop.c <<'X'
#include <unistd.h>
static volatile int v;
__attribute__((noinline)) int dma_from_host(int channel, long size) { v += channel + (int)size; return v; }
__attribute__((noinline)) int dma_wait(int channel) { return v += channel; }
int main(void)
{
	for (int left = 50; left; usleep(300)) {
		left -= !access("go", F_OK);
		dma_from_host(5, 4096);
		dma_wait(5);
	}
	return 0;
}
X
$CC -O1 -g -o loop loop.c
chmod 755 .
late() { # options of dmarec: it runs until the late functions are armed, and 50 transfers more
	rm -f go l.data l.db l.err # l.err: not what the last one said
	"$B/dmarec" "$@" -o l.data -- ./long 2>l.err &
	local pid=$!
	await grep -qs 'recorded from .* later on' l.err && touch go
	wait $pid
}
seen() { # each of the late transfers has its end, none is of another channel, the file is readable by perf, too
	sqlite3 l.db "SELECT count(*) >= 50 AND sum(state <> 'polled') <= 1 AND min(size_bytes) = 4096 FROM transfer WHERE channel = 5" | grep -qx 1 &&
		sql_is l.db '1|polled' "SELECT count(*), state FROM transfer WHERE channel = 1" &&
		sql_is l.db 0 "SELECT count(*) FROM source WHERE counted - delivered <> lost" &&
		sql_is l.db '' "SELECT name, counted, delivered FROM source WHERE role NOT IN ('interrupt', 'handled') AND counted <> delivered" &&
		perf script -f -i l.data 2>&1 | grep -q 'dma_from_host_late1: .*channel=5 size=4096'
}
for how in auto kernel; do
	opened() { LIBRARY=both.so late --probes $how && "$B/dmaanalyze" -q -i l.data l.db && seen; }
	ok "a library opened later is armed and recorded from then on, --probes $how" opened
	executed() { NEXT=loop late --probes $how && "$B/dmaanalyze" -q -i l.data l.db && seen; }
	ok "a program executed later, too, --probes $how" executed
done
shown() { # the live view has each of them, as the analysis has
	rm -f v.json
	LIBRARY=both.so late --live=json,200ms --live-output v.json && "$B/dmaanalyze" -q -i l.data l.db && tail -n 1 v.json | grep -q '"unseen_files":0,' || return
	sqlite3 :memory: 'CREATE TABLE l(x)' '.mode ascii' '.separator "\001" "\n"' '.import v.json l' '.mode list' '.separator "|"' \
		"SELECT r.value->>'channel', sum(r.value->>'transfers'), sum(r.value->>'bytes') FROM l, json_each(x, '$.rows') r GROUP BY 1 ORDER BY 1" >live.sums
	sqlite3 l.db 'SELECT channel, count(*), sum(size_bytes) FROM transfer GROUP BY 1 ORDER BY 1' | cmp - live.sums && grep -q '^5|' live.sums
}
ok "... and --live shows them, as many as the analysis" shown
lent() { LIBRARY=both.so SUDO_UID=65534 SUDO_GID=65534 late --as-root && "$B/dmaanalyze" -q -i l.data l.db && seen; }
if [ "$(id -u)" = 0 ]; then
	ok "also when root's rights were lent and have been given back" lent
else
	skip "also when root's rights were lent" "not root"
fi
one_word() { # an interrupt that this kernel did not hand over is missing, and said to be
	local word='counted was delivered, but:'
	rm -f w.db
	"$B/dmaanalyze" -i l.data w.db && sql_is w.db 0 "SELECT count(*) FROM source WHERE role <> 'interrupt' AND lost > 0" || return
	[ "$(sqlite3 w.db "SELECT sum(lost) > 0 FROM source WHERE role <> 'other'")" = 0 ] || word='Not whole:'
	! grep -q Whole: out && grep -q "$word" out && grep -q 'recorded from' out
}
ok "such a recording is not called whole above what is missing of it" one_word
shorter() { # cut anywhere in what the recorder wrote last: what it began with is read, and the rest is told
	local bytes
	for bytes in 1 24 600 1100 3000; do
		rm -f c.db
		head -c -$bytes l.data >c.data && "$B/dmaanalyze" -i c.data c.db && tr -s ' \n' ' ' <out | grep -q 'armed during the recording and cannot be read' &&
			sql_is c.db "$(sqlite3 l.db "SELECT count(*) FROM transfer WHERE channel = 1")" 'SELECT count(*) FROM transfer' || return 1
	done
}
ok "such a recording, cut, is read as far as it is known" shorter
cut() { # a recorder that is killed leaves what it began with, and says what cannot be read
	rm -f go l.data l.db l.err
	LIBRARY=both.so "$B/dmarec" -o l.data -- ./long 2>l.err &
	local pid=$!
	await grep -qs 'recorded from .* later on' l.err && await bigger l.data 100000
	kill -9 $pid
	wait $pid
	touch go
	"$B/dmaanalyze" -i l.data l.db && tr -s ' \n' ' ' <out | grep -q 'samples are of functions that were armed during the recording and cannot be read: the recorder was killed'
}
ok "a recorder that was killed: what cannot be read is said" cut
rm -f go
echo 'int main(void) { return 0; }' >plain.c && $CC -o plain plain.c
quiet() { PLUGIN=plain1.so OTHER=plain "$B/dmarec" -o l.data -- ./host; ! grep -q 'during the recording' err; }
ok "files without such functions are not spoken of" quiet
cp plug1.so loose.so && chmod 666 loose.so
foreign() { PLUGIN=loose.so OTHER=plain rec && grep -q "$tmp/loose.so, which process [0-9]* mapped .* not looked into (.*loose.so.*): .*-x $tmp/loose.so" err; }
ok "a file that others can change is not looked into, and is named with the reason" foreign
trusted() { PLUGIN=loose.so OTHER=plain rec -x ./loose.so && [ "$(counted dma_from_host)" = 30 ]; }
ok "... whose remedy holds" trusted
finish
