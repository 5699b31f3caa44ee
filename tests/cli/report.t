#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dmarec --report: recording, database and page by one command. And runs that are renamed and taken away.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze dmareport tests/gentrace
workdir

# ---- runs ----
for n in 1 2 3; do
	"$B/tests/gentrace" -o $n.data -t $n.csv --count 40 --seed $n >/dev/null 2>&1 || "$B/tests/gentrace" -o $n.data -t $n.csv --count 4$n >/dev/null
	"$B/dmaanalyze" -q -i $n.data --label "l$n" t.db 2>/dev/null
done
rows() { sqlite3 t.db "SELECT count(*) FROM $1 WHERE run_id = $2"; }
tables=$(sqlite3 t.db "SELECT DISTINCT m.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'run_id'")
kept=$(for t in $tables; do rows "$t" 1; rows "$t" 3; done | paste -sd' ')
ok "--rename-run" "$B/dmaanalyze" --rename-run 3=newest t.db
like "the list of what is there is printed" "$(cat out)" newest
is "the label is another" "$(sqlite3 t.db 'SELECT group_concat(label) FROM (SELECT label FROM run ORDER BY id)')" l1,l2,newest
ok "--rename-run ID= takes the label away" "$B/dmaanalyze" -q --rename-run 3= t.db
is "to none" "$(sqlite3 t.db 'SELECT label IS NULL FROM run WHERE id = 3')" 1
ok "--remove-run" "$B/dmaanalyze" --remove-run 2 t.db
is "nothing of it stays" "$(for t in $tables; do rows "$t" 2; done | sort -u)" 0
is "all of the others does" "$(for t in $tables; do rows "$t" 1; rows "$t" 3; done | paste -sd' ')" "$kept"
ok "the others are read as before" "$B/dmaanalyze" --run 3 t.db
ok "it can be loaded again" "$B/dmaanalyze" -q -i 2.data t.db
is "and is there once" "$(sqlite3 t.db 'SELECT count(*) FROM run')" 3
ok "a run that is not there is an error" status 1 "$B/dmaanalyze" --remove-run 9 t.db
like "which says so" "$(cat err)" 'no run 9 in t.db; --list shows'
ok "nothing else is done with it" status 2 "$B/dmaanalyze" --remove-run 1 --run 1 t.db
ok "a label without a run is wrong usage" status 2 "$B/dmaanalyze" --rename-run newest t.db

# ---- one command ----
if [ ! -w /sys/kernel/tracing/uprobe_events ]; then
	skip "dmarec --report" "no right to write uprobe_events"
	finish
	exit
fi
: "${CC:=gcc}"
cat >work.c <<'X'
#include <unistd.h>
static volatile long v;
__attribute__((noinline)) int dma_to_host(int channel, long size) { v += channel + size; return 0; }
__attribute__((noinline)) int dma_wait(int channel) { usleep(200); v += channel; return 0; }
int main(int argc, char **argv)
{
	(void)argv;
	for (int i = 0; i < 200; i++) {
		dma_to_host(1, 4096);
		dma_wait(1);
	}
	return argc > 1 ? 7 : 0;
}
X
$CC -O1 -g -o work work.c
ok "dmarec --report DIR" "$B/dmarec" --report page -- ./work
like "the summary is printed" "$(cat out)" '200 transfers of 4 KiB'
is "the folder holds recording, database and page" "$(ls page | grep -cxE 'dma\.data|trace\.db|index\.html')" 3
is "of all transfers" "$(sqlite3 page/trace.db 'SELECT count(*) FROM transfer')" 200
ok "the exit status is the workload's; again into the same folder" status 7 "$B/dmarec" --report page -- ./work fail
is "it shows the new recording alone" "$(sqlite3 page/trace.db 'SELECT count(*), max(exit_status) FROM run')" '1|7'
ok "a command that is not there makes no report" status 127 "$B/dmarec" --report none -- ./no-such-command
ok "and none is drawn" test ! -e none/trace.db
touch file
ok "a file is no folder" status 2 "$B/dmarec" --report file -- ./work
ok "not with --runs" status 2 "$B/dmarec" --report page --runs 2 -- ./work
finish
