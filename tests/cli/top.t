#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dmarec --top: all processes that use the library, those that run, those that begin later and those whose files nobody
# had mapped yet. Other programs of the machine may have functions of these names, too: figures are of the test's processes.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze
needs_recording
command -v "${CC:=gcc}" >/dev/null || skip_all "no C compiler"
rec=$B/dmarec ana=$B/dmaanalyze
workdir
chmod 755 .

cat >prog.c <<'X'
#include <stdlib.h>
#include <unistd.h>
static volatile int v;
__attribute__((noipa)) int START(int channel, long size) { v += channel + (int)size; return v; }
__attribute__((noipa)) int WAIT(int channel) { return v += channel; }
int main(int argc, char **argv)
{
	int channel = atoi(argv[1]), count = argc > 2 ? atoi(argv[2]) : 0;

	/* without a count until the file is there, and 40 more */
	for (int left = count ? count : 40; left; usleep(500)) {
		left -= count || !access("go", F_OK);
		START(channel, 4096);
		WAIT(channel);
	}
	return 0;
}
X
$CC -O1 -g -DSTART=dma_from_host -DWAIT=dma_wait -o prog prog.c && $CC -O1 -g -DSTART=top_go_now -DWAIT=top_come_back -o late prog.c || skip_all "the compiler makes no program"
lines() { # file of lines, query over l(x)
	sqlite3 :memory: 'CREATE TABLE l(x)' '.mode ascii' '.separator "\001" "\n"' ".import $1 l" '.mode list' '.separator "|"' "$2"
}
sums() { # file of lines, process
	lines "$1" "SELECT r.value->>'channel', sum(r.value->>'transfers'), sum(r.value->>'bytes'), sum(r.value->>'\$.states.polled') FROM l, json_each(x, '\$.rows') r
		WHERE r.value->>'pid' = $2 GROUP BY 1 ORDER BY 1"
}
named() { # file of lines, process
	lines "$1" "SELECT DISTINCT r.value->>'process' FROM l, json_each(x, '\$.rows') r WHERE r.value->>'pid' = $2"
}

# ---- those that run and those that begin later, with a file, so that both can be compared ----
./prog 7 &
old=$!
"$rec" --top -x prog -o t.data --live=json,200ms --live-output t.json 2>err &
pid=$!
await recording $pid t.data
sh -c 'exec ./prog 3 120' &
new=$!
wait $new
./prog 4 80 &
other=$!
wait $other
await grep -q '"pid":0,' t.json # both have ended, and are decided
kill -INT $pid
wait $pid
result $? "--top ends by SIGINT, with status 0"
cp err told
is "a process that began later has all that it did" "$(sums t.json $new)" "3|120|491520|120"
is "... and so has another" "$(sums t.json $other)" "4|80|327680|80"
is "... by its name" "$(named t.json $new) $(named t.json $other)" "prog prog"
is "the one that ran before, too" "$(named t.json $old)" prog
ok "the file of -o loads" "$ana" -q -i t.data t.db
is "... with as many of each process" "$(for p in $old $new $other; do sums t.json $p | cut -d\| -f1-3; done)" \
	"$(for p in $old $new $other; do sqlite3 t.db "SELECT channel, count(*), sum(size_bytes) FROM transfer WHERE pid = $p GROUP BY 1"; done)"
like "the summary names the processes" "$(cat told)" "process +$new +prog +120 starts"
is "rows of processes that ended are one a direction" "$(lines t.json "SELECT max(n) FROM (SELECT count(*) AS n FROM l, json_each(x, '\$.rows') r WHERE r.value->>'pid' = 0 GROUP BY x, r.value->>'direction')")" 1
is "... and nothing is lost by that" "$(lines t.json "SELECT sum(r.value->>'\$.since_start.transfers') FROM l, json_each(x, '\$.rows') r WHERE x->>'last'")" \
	"$(lines t.json "SELECT sum(r.value->>'transfers') FROM l, json_each(x, '\$.rows') r")"
none_left $pid
result $? "... and nothing is left in the kernel"

# ---- what no process has yet is waited for; no file ----
"$rec" --top --start top_go_now --wait top_come_back --live=json,200ms --live-output w.json 2>err &
pid=$!
await grep -q 'are waited for' err
./late 5 &
late=$!
await grep -q 'recorded from .* later on' err
touch go
wait $late $old
kill -INT $pid
wait $pid
result $? "functions that no process has yet are waited for, and armed when one comes"
like "... and its transfers are shown" "$(sums w.json $late)" '^5\|([4-9][0-9]|[0-9]{3,})\|'
is "... every one of them counted" "$(sums w.json $late | cut -d\| -f2)" "$(sed -nE "s/.* ([0-9]+) transfers started.*/\1/p" err)"
like "... and said that there is no file" "$(cat err)" 'no file was asked for \(-o\)'
is "... nor is there one" "$(ls ./*.data)" ./t.data

# ---- a terminal ----
if command -v tmux >/dev/null; then
	export -n TMUX
	export LC_ALL=C.UTF-8
	pane() { tmux -L "top$$" "$@"; }
	trap 'pane kill-server 2>/dev/null; cd /; rm -rf "$tmp"' EXIT
	rm -f go
	./prog 6 &
	pane -f /dev/null new-session -d -x 80 -y 24 "PS1='$ ' TERM=screen DMAREC_PROFILES='$DMAREC_PROFILES' exec bash --norc"
	pane send-keys "cd '$tmp'; clear; '$rec' -q --top -x prog --live=200ms; echo status \$?" Enter
	screen_has() { pane capture-pane -p >screen; grep -Eq "$1" screen; }
	fits() { # columns
		local line
		while IFS= read -r line; do [ ${#line} -le "$1" ] || return 1; done <screen
	}
	await screen_has "^$! prog 6 [<>] +[1-9]"
	result $? "a row for the process at 80x24"
	fits 80
	result $? "... that fits"
	pane resize-window -x 40 -y 10
	await eval "screen_has '^$! prog 6 [<>] +[1-9]' && fits 40"
	result $? "... and after a change to 40x10"
	pane send-keys C-c
	await screen_has '^status 0'
	result $? "Ctrl-C ends it"
	touch go
	wait
else
	skip "a terminal" "tmux is not installed"
fi

# ---- wrong use ----
for w in '-- true' '-p 1' '--keep=1s' '--rotate=5s' '--probes=process' '--runs=2' '--list'; do
	# shellcheck disable=SC2086
	ok "refused: --top $w" status 2 "$rec" --top $w
	ok "... with a sentence" grep -q -- '--top' last.err
done
finish
