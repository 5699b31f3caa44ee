#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dmarec --watch, with a card whose registers lie in a file (tests/watch/card.c): each end that the register is said to
# have told is held against the card's own log. How many are seen depends on who else runs here; what is said of
# those that are seen, and that none is missed which was longer than the readings were apart, does not.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze tests/watch/card
needs_recording
workdir
N=500
bar=$tmp/bar
truncate -s 4096 "$bar"
cat >card.ini <<EOF
[profile]
auto = no
[start dma_to_host]
card = arg1
channel = arg2:u32
size = arg3
doorbell = store +0x400
[wait dma_wait]
card = arg1
channel = arg2:u32
[register ENABLE]
file = $bar
offset = 0x400
busy = bit(channel)
channels = 8
EOF
irq=$(sed -nE '/PCI-MSI/s/^ *([0-9]+):.*/\1/p' /proc/interrupts | head -n 1)
[ -n "$irq" ] || skip_all "no device interrupt to record here"
# the card is polled: the interrupt is one that belongs to nothing
watch() { # output, busy ns, more options of dmarec
	local out=$1 busy=$2
	shift 2
	"$B/dmarec" --profile ./card.ini --irq "$irq" -o "$out.data" "$@" -- \
		"$B/tests/watch/card" "$bar" "$out.log" $N "$busy" 8
}
analyze() { # name: into a database, and the card's log into another
	"$B/dmaanalyze" -q -i "$1.data" "$1.db" && rm -f "$1.logdb" &&
		sqlite3 "$1.logdb" 'CREATE TABLE log (channel INTEGER, seen_ns INTEGER, before_ns INTEGER, behind_ns INTEGER)' \
			'.mode csv' ".import $1.log log"
}
by_log() { # name, expected, query over both
	sql_is "$1.db" "$2" "ATTACH '$1.logdb' AS l; $3"
}
# Transfers and lines of the log have one order.
wrong="SELECT count(*) FROM transfer t JOIN log l ON l.rowid = t.id
	WHERE t.channel <> l.channel OR (cleared_ns IS NOT NULL
		AND (cleared_ns + cleared_error_ns < before_ns OR cleared_ns - cleared_error_ns > behind_ns))"
missed="SELECT count(*) FROM transfer t JOIN log l ON l.rowid = t.id WHERE witness = 'unseen'
	AND before_ns - seen_ns > (SELECT gap_ns FROM register)" # the program may be held up before the store

for busy in 20000 5000 1000; do
	ok "recorded at $busy ns" watch d$busy $busy --watch
	said=$(cat err)
	like "... its cost is said" "$said" 'register ENABLE: read [0-9]+ times on CPU [0-9]+, .* a change is known to'
	ok "... analysed" analyze d$busy
	ok "... every change was delivered" sql_is d$busy.db 0 "SELECT lost FROM source WHERE role = 'register'"
	ok "... each has its row" sql_is d$busy.db 1 "SELECT (SELECT count(*) FROM edge) = delivered FROM source WHERE role = 'register'"
	ok "... all transfers are there" by_log d$busy $N 'SELECT count(*) FROM transfer t JOIN log l ON l.rowid = t.id'
	ok "... no end is wrong by the card's log" by_log d$busy 0 "$wrong"
	ok "... none is missed that took longer than the readings were apart" by_log d$busy 0 "$missed"
	echo "# $busy ns: $(sqlite3 d$busy.db "SELECT group_concat(n || ' ' || witness, ', ') FROM
		(SELECT count(*) AS n, witness FROM transfer GROUP BY witness)"), widest gap $(sqlite3 d$busy.db 'SELECT gap_ns FROM register') ns"
done
ok "ends are told" sql_least d20000.db 1 'SELECT count(cleared_ns) FROM transfer'
ok "what was told has its phases" sql_is d20000.db 0 "SELECT count(*) FROM transfer WHERE (cleared_ns IS NULL) <> (card_ns IS NULL)
	OR card_ns <> cleared_ns - doorbell_ns OR (irq_ns IS NULL AND notice_ns <> woken_ns - cleared_ns)"
ok "... and their figures" sql_is d20000.db 1 "SELECT n = (SELECT count(card_ns) FROM transfer) FROM summary
	WHERE phase = 'card' AND direction IS NULL"
ok "dmacompare knows what the card took" bash -c "\"$B/dmacompare\" --json --metric card d20000.db d20000.db >cmp; [ \$? -le 3 ] && jq -e '.metrics == [\"card\"]' cmp"
ok "the summary says what it means" "$B/dmaanalyze" --verify d20000.db
like "... in one sentence" "$(tr -s ' \n' ' ' <out)" 'The interrupt is not essential to the DMA: all [0-9]+ ended on the card without one\.'
ok "the figures as JSON" "$B/dmaanalyze" --json d20000.db
cp out figures.json
ok "... hold the register" jq -e '.runs[0].registers[0] | .name == "ENABLE" and .readings > 0 and .clears > 0' figures.json
ok "... and the two phases" jq -e '.runs[0].groups[0].phases | .card.n > 0 and .delivery.n == 0' figures.json
sqlite3 d20000.db 'SELECT id, cleared_ns, witness FROM transfer' >before
ok "built again from the rows" "$B/dmaanalyze" -q --rebuild d20000.db
is "... it is the same" "$(sqlite3 d20000.db 'SELECT id, cleared_ns, witness FROM transfer')" "$(cat before)"
if command -v perf >/dev/null && perf version >/dev/null 2>&1; then
	ok "perf prints the changes" perf script -i d20000.data
	like "... as events of dmarec's" "$(grep ENABLE out | head -n 1)" 'dmarec:ENABLE: channel=[0-7] busy=[01] value=[0-9]+ since=[0-9]+'
else
	skip "perf prints the changes" "perf is not installed"
fi
if [ -x "$B/dmareport" ]; then
	ok "the page" "$B/dmareport" -o page d20000.db
	ok "... has the register" grep -q 'Registers of the card that were read' page/index.html
fi

# ---- when it is read ----
ok "in flight" watch flight 20000 --watch --watch-mode in-flight
ok "... analysed" analyze flight
ok "... no end is wrong" by_log flight 0 "$wrong"
# A program that is stopped behind its doorbell's probe, before the store, for longer than the watch goes on is missed.
ok "... none is missed whose store came in time" by_log flight 0 "$missed AND before_ns - doorbell_ns < 5000000"
ok "... ends are told" sql_least flight.db 1 'SELECT count(cleared_ns) FROM transfer'
ok "every 50 us" watch every 200000 --watch --watch-mode 50us
ok "... analysed" analyze every
ok "... no end is wrong" by_log every 0 "$wrong"
ok "... none is missed" by_log every 0 "$missed"
ok "... and it was not read more often" sql_is every.db 1 'SELECT readings <= watched_ns + (end_ns - begin_ns) / 50000 + 1
	AND readings <= (end_ns - begin_ns) / 50000 + 1 FROM register, run'
is "... as the recording says" "$(sqlite3 every.db 'SELECT mode FROM register')" 'every 50.0 µs'

# ---- without a profile's ----
ok "a register that is named" "$B/dmarec" --profile ./card.ini --irq "$irq" -o named.data --watch "$bar+0x400:32:value & 1" -- \
	"$B/tests/watch/card" "$bar" named.log 50 20000 1
ok "... analysed" analyze named
ok "... no end is wrong" by_log named 0 "$wrong"
ok "what would be read" "$B/dmarec" --dry-run --profile ./card.ini --watch -- "$B/tests/watch/card"
like "... is said" "$(cat out)" "register ENABLE: $bar \+ 0x400, 32 bits, busy: bit\(channel\), read always"
"$B/dmarec" -q --profile ./card.ini --irq "$irq" -o none.data -- "$B/tests/watch/card" "$bar" none.log 20 1000 1
ok "without --watch nothing is read" bash -c "\"$B/dmaanalyze\" -q -i none.data none.db; sqlite3 none.db 'SELECT count(*) FROM register' | grep -x 0"

# ---- what is refused: a sentence, and exit 1 or, where the option is none, 2 ----
refused() { # status, what is said, arguments
	local want=$1 text=$2
	shift 2
	ok "$* is refused" status "$want" "$B/dmarec" --profile ./card.ini --irq "$irq" -o no.data "$@" -- "$B/tests/watch/card" "$bar" ran 1 1000
	like "... $text" "$(cat err)" "$text"
	[ ! -e ran ]
	result $? "... and nothing runs"
	rm -f ran
}
head -c 4096 /dev/zero | tr '\0' '\377' >ones
refused 1 'there is no PCI device' --watch 0000:ff:1f.7:0+0:32
refused 1 'beyond the end' --watch "$bar+0x1000:32"
refused 1 'answers all ones' --watch "$PWD/ones+0:32"
refused 1 'cannot be mapped' --watch "$PWD/absent+0:32"
refused 1 'no regular file' --watch "$PWD+0:32"
refused 2 'expected the number of a CPU' --watch --watch-cpu x
refused 1 'may not run on CPU' --watch --watch-cpu 1023
refused 2 'when the register is read' --watch --watch-mode often
refused 2 'is no register' --watch=here
if [ "$(id -u)" = 0 ] && id nobody >/dev/null 2>&1; then
	install -m 600 /dev/null secret && truncate -s 4096 secret
	ok "a file that is not the user's is refused" status 1 env SUDO_UID=65534 SUDO_GID=65534 \
		"$B/dmarec" --profile ./card.ini --irq "$irq" -o no.data --watch "$PWD/secret+0:32" -- "$B/tests/watch/card" "$bar" ran 1 1000
	like "... by whose it is" "$(cat err)" 'secret is not yours to read'
fi

# ---- what goes while it is watched ----
gone() { # what happens to the file, the reason that is said
	truncate -s 4096 gone.bar
	printf '%s\n' '#!/bin/bash' "\"$B/tests/watch/card\" \"$bar\" log 5 1000" "$1" "sleep 0.5" >go
	ok "$1" status 1 "$B/dmarec" --profile ./card.ini -x "$B/tests/watch/card" --irq "$irq" -o gone.data \
		--watch "$PWD/gone.bar+0x400:32" -- bash go
	like "... is said" "$(cat err)" "the watch of registers ended before the recording: .*$2"
	ok "... and the recording holds" "$B/dmaanalyze" -i gone.data "gone$tests.db"
	like "... with the reason" "$(tr -s ' \n' ' ' <out)" 'the watch ended before the recording'
}
gone 'truncate -s 0 gone.bar' 'not there any more'
gone "head -c 4096 /dev/zero | tr '\\0' '\\377' | dd of=gone.bar conv=notrunc status=none" 'answers all ones'
finish
