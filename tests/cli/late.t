#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A library that is opened by a name that no file holds, and a program that is executed: what of them has no
# probe is said, with the option that records it, and then it is recorded.
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
echo 'int main(void) { return 0; }' >plain.c && $CC -o plain plain.c
quiet() { PLUGIN=plain1.so OTHER=plain "$B/dmarec" -o l.data -- ./host; ! grep -q 'during the recording' err; }
ok "files without such functions are not spoken of" quiet
finish
