#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dmacompare as a program, on databases of the schema that gendb made: equal, slowed, thin, unlike.
. "${BASH_SOURCE%/*}/lib.sh"
compare=$B/dmacompare gendb=$B/tests/gendb
workdir
# gendb's runs of one kind do not differ among themselves: within=() looks at the runs as they are sold
within=(--run-scatter 0%)
try() { timeout 600 "$compare" "${within[@]}" "$@" >out 2>err; }
status() { # expected pattern name args: the pattern stands in what was printed, also across its lines
	local want=$1 pattern=$2 name=$3 got; shift 3
	try "$@"; got=$?
	[ $got = "$want" ] && { cat out err; tr '\n' ' ' <out | tr -s ' '; echo; } | grep -Eq -- "$pattern"
	result $? "$name (exit $want)"
	[ $got = "$want" ] || echo "# exit $got"
}

"$gendb" ar1 a.db --seed 1; "$gendb" ar1 b.db --seed 2; "$gendb" ar1 slow.db --seed 3 --slow-channel 1 --slow 0.1
"$gendb" ar1 fast.db --seed 4 --slow-channel 0 --slow -0.2
"$gendb" ar1 thin1.db --n 20 --seed 5; "$gendb" ar1 thin2.db --n 20 --seed 6
"$gendb" ar1 two.db --runs 2 --seed 7; "$gendb" ar1 six.db --runs 6 --seed 8 --n 4000
"$gendb" usual mixed1.db --seed 9; "$gendb" usual mixed2.db --seed 10

# ---- verdicts ----
status 0 'channel 0, to_host, device +same within 5 %' "the same workload twice" a.db b.db
[ ! -s err ]; result $? "nothing on standard error"
[ "$(grep -c 'same within 5 %:' out)" = 4 ]; result $? "both channels are the same, by device and by total time"
cp out first; try a.db b.db; cmp -s out first; result $? "the same input gives the same words"
try --seed 2 a.db b.db; ! cmp -s out first && grep -q 'same within' out; result $? "another seed moves the intervals, not the verdict"
status 1 'channel 1, to_host, device +slower: \+(9|10)\.' "10 % slower on one channel" a.db slow.db
[ "$(grep -c ' slower: ' out)" = 2 ] && [ "$(grep -c '^channel 0.*same' out)" = 2 ]; result $? "that channel is named, and no other"
status 0 'channel 0, to_host, device +faster: -(19|20|21)\.' "20 % faster on one channel" a.db fast.db
status 0 'channel 1, to_host, device +same within 15 %' "10 % slower under a threshold of 15 %" --threshold 15% a.db slow.db
status 0 'same within 15 %' "the same as a share" --threshold 0.15 a.db slow.db
status 3 'channel 0, to_host, device +cannot tell: .*about [0-9,]+ transfers a side would be needed' "20 transfers a side" thin1.db thin2.db
! grep -Eq '(same|slower|faster):' out; result $? "20 transfers: no verdict at all"
cp b.db half.db; sqlite3 half.db "DELETE FROM transfer WHERE channel = 1 AND id > 40"
status 0 'channel 1, to_host, device +cannot tell' "one group cannot be told, the rest are the same" a.db half.db
status 0 'channel 0, to_host, 4 KiB, device +same' "few sizes are groups of their own" mixed1.db mixed2.db --threshold 40%
[ "$(grep -Ec '^channel.*KiB, device +(same within|cannot tell)' out)" = 16 ]; result $? "two channels, two directions, four sizes"
status 0 '^all transfers, device  *same' "no keys: one group" --by none a.db b.db
status 0 '^to_host, 4 KiB, device  *same' "keys of choice" --by size,direction a.db b.db
status 0 'mean of total \(submit to woken\)' "another phase and statistic" --metric total --stat mean a.db b.db
status 1 'p90 of device' "a quantile decides" --stat p90 a.db slow.db
for p in api notice; do status 0 "of $p" "--metric $p" --metric $p --threshold 20% a.db b.db; done
"$gendb" polled p1.db --seed 1; "$gendb" polled p2.db --seed 2
try --by channel p1.db p2.db; grep -q 'median of total (submit to woken);' out; result $? "polled runs are compared by their total time"
"$gendb" equal e1.db; "$gendb" equal e2.db --seed 2
status 0 'same within 5 %: \+0.0 %, interval \+0.0 % to \+0.0 %' "values that are all equal" e1.db e2.db
"$gendb" one one.db
status 3 'too few transfers for an interval' "one transfer" one.db one.db
status 0 'the same recording stands on both sides' "a file against itself, with a note" a.db a.db

# ---- one run a side ----
within=()
status 3 'channel 1, to_host, device +cannot tell: \+(9|10)\..* seen in one run a side' "10 % slower, seen once" a.db slow.db
tr -s '\n ' ' ' <out | grep -q 'next: .* record several, in turns: dmarec --runs 5 --interleave' ; result $? "what to record is said"
status 3 'a scatter of 10 % from run to run' "equal, seen once" a.db b.db
"$gendb" ar1 third.db --seed 3 --slow-channel 1 --slow 2
status 1 'channel 1, to_host, device +slower: \+(19|20)[0-9]\.' "three times as slow is told by one run" a.db third.db
status 0 'channel 1, to_host, device +faster: -6[0-9.]+ %, interval -[78]' "a third of the time: no bound is below -100 %" third.db a.db
status 1 'slower: ' "a scatter that is known to be less" --run-scatter 0.5% a.db slow.db
cp b.db dear.db; sqlite3 dear.db "UPDATE summary SET error_ns = error_ns + 5000"
within=(--run-scatter 0%)
sqlite3 dear.db "UPDATE transfer SET device_ns = device_ns + 5000, total_ns = total_ns + 5000"
status 3 'cannot tell: \+.*, but the probes themselves add 5.00 µs more on the new side' "a difference that the probes explain" a.db dear.db
cp slow.db power.db; sqlite3 power.db "UPDATE environment SET value = 'powersave' WHERE key = 'governor'"
status 0 'channel 1, to_host, device +cannot tell: \+.* governor is not the same' "a difference that the governor explains" a.db power.db
status 1 'channel 1, to_host, device +slower' "unless it is what is tried" --despite governor a.db power.db
for s in '' 10 -1% x 101%; do status 2 'run-scatter' "--run-scatter '$s'" --run-scatter="$s" a.db b.db; done

# ---- the sides ----
status 0 'base  two.db, run 1' "one database of two runs: the first against the second" two.db
grep -q '^new   two.db, run 2' out; result $? "the second is the new one"
status 2 'holds 6 runs; say with --base and --new' "one database of six runs: which?" six.db
status 2 'holds 1 run; say' "one database of one run" a.db
status 0 'base  six.db, runs 1, 2, 3' "lists of runs" --base 1,2 --base 3 --new 4,5,6 six.db
grep -q 'scatter between recordings' out; result $? "several runs a side: the scatter between them"
status 0 'base  two.db, run 2' "one side named: the other run is the other side" --base 2 two.db
sqlite3 two.db "UPDATE run SET label = CASE id WHEN 1 THEN 'old fw' ELSE 'new' END"
status 0 'run 2 \(new\)' "by label" --base 'old fw' --new new two.db
grep -q 'run 1 (old fw)' out; result $? "a label with a space"
sqlite3 six.db "UPDATE run SET label = CASE WHEN id < 4 THEN 'old' ELSE 'new' END"
status 0 'new   six.db, runs 4, 5, 6' "a label stands for all its runs" --base old --new new six.db
status 0 'new   six.db, run 6' "two databases, a run of one" --new 6 a.db six.db
status 2 "no run has the number or the label 'nope'" "no such label" --base nope --new new six.db
status 2 "no run has the number or the label '7'" "no such number" --base 7 --new 1 six.db
sqlite3 six.db "UPDATE run SET label = '2' WHERE id = 5"
status 2 'number of one run and the label of another' "ambiguous" --base 2 --new 1 six.db
status 2 'an empty name in the list' "an empty name" --base 1, --new 2 two.db

# ---- what else differs ----
cp b.db other.db
sqlite3 other.db "UPDATE run SET kernel = '6.6.0-y', command = './workload --other' || char(27) || '[31m';
	UPDATE environment SET value = 'powersave' WHERE key = 'governor';
	UPDATE environment SET value = '16.0 GT/s PCIe' WHERE key LIKE 'link_speed%';
	UPDATE irq SET affinity = '3' WHERE irq = 68;
	INSERT INTO environment SELECT id, 'module.flx', '2.1' FROM run;
	INSERT INTO counter SELECT id, 'firmware', '4.5', '4.5' FROM run;
	INSERT INTO counter SELECT id, 'interrupts', '10', '99' FROM run;
	UPDATE run SET uprobe_cost_ns = 5000;"
status 0 'kernel +6.1.0-x +6.6.0-y' "another kernel" a.db other.db
for w in 'governor +performance +powersave' 'link_speed.* 8.0 GT/s PCIe +16.0 GT/s' 'affinity of flx vector 2 +not known +3' \
	'module.flx +not known +2.1' 'counter firmware +not known +4.5' 'cost of a probe hit +1.20 µs +5.00 µs'; do
	grep -Eq "$w" out; result $? "differs: ${w%% *}"
done
! grep -q 'counter interrupts' out; result $? "a counter that counted is no property"
! grep -q $'\033' out && grep -q 'workload --other?\[31m' out; result $? "a recording's text does not steer the terminal"
grep -q 'the same on both sides: host' out; result $? "what is the same is said"

cp b.db label.db; sqlite3 label.db "UPDATE run SET label = 'x' || char(27) || '[31m', clock = char(27) || 'c'"
try a.db label.db; [ $? = 2 ] && grep -q 'different clocks' err && ! grep -q $'\033' out err; result $? "nor does its label or clock"
sqlite3 label.db "UPDATE run SET clock = 'monotonic'"; try a.db label.db; ! grep -q $'\033' out && grep -q '(x?\[31m)' out
result $? "a label is printed without its controls"

unlike() { # sql expected pattern name args
	local sql=$1; shift
	cp b.db unlike.db; sqlite3 unlike.db "$sql" >/dev/null
	status "$1" "$2" "$3" "${@:4}" a.db unlike.db
}
unlike "UPDATE run SET clock = 'tai'" 2 'different clocks' "another clock is refused"
unlike "DELETE FROM analysis" 2 'has not been analysed; type .dmaanalyze' "not analysed is refused"
unlike "UPDATE analysis SET doorbell_from = 'store'" 0 'only total times are compared' "another doorbell: total times"
unlike "UPDATE analysis SET doorbell_from = 'store'" 2 'not the same on both sides' "another doorbell and --metric device" \
	--metric device
unlike "UPDATE analysis SET latency_phase = 'total'" 0 'note:.*total times' "another latency: total times"
unlike "UPDATE transfer SET device_ns = NULL" 2 'the device time is known of no transfer' "no such phase on a side" --metric device
unlike "UPDATE transfer SET device_ns = NULL" 0 'note:.*device time is not compared' "no such phase on a side: the other is compared"
unlike "UPDATE transfer SET woken_ns = woken_ns + 2000, total_ns = total_ns + 2000 WHERE channel = 1" 1 'channel 1, to_host, total +slower' \
	"slower only for the program"
unlike "UPDATE run SET finished = 0" 0 'note:.*did not end the file itself' "a run that was cut short is flagged"
unlike "UPDATE source SET lost = 4000, delivered = 36000" 3 'cannot tell: .*events were lost' "much loss: no verdict"
unlike "UPDATE source SET lost = 40" 0 'note:.*80 events .* were lost' "little loss is flagged"
unlike "UPDATE source SET counted = NULL, lost = NULL" 0 'whether it is whole cannot be told' "no counts is flagged"
unlike "UPDATE transfer SET device_ns = NULL, total_ns = NULL, state = 'unknown' WHERE id % 2" 3 'time of 5[0-9.]* % of a side.s transfers is not known' \
	"half of the transfers unknown: no verdict"
unlike "UPDATE analysis SET pairing = 'drain'" 0 'note:.*other ways' "another pairing is flagged"
unlike "UPDATE transfer SET size_bytes = 65536" 0 'note:.*sizes differ' "other sizes are flagged"
unlike "UPDATE transfer SET channel = 5 WHERE channel = 1" 0 'channel 5, to_host, device +cannot tell: the base has no such' \
	"a channel of one side only"
unlike "UPDATE transfer SET channel = NULL, direction = 'unknown'" 3 'channel unknown' "keys that are not known"
unlike "UPDATE transfer SET card = id % 2" 0 'card 0, channel 0' "several cards are groups of their own"
unlike "DELETE FROM transfer" 2 'is known of no transfer' "no transfer at all"
unlike "UPDATE transfer SET channel = id" 2 'more than 4000 groups' "too many groups"

# ---- files and options ----
"$gendb" no-runs none.db; echo text >text.db; : >zero.db; head -c 60000 b.db >cut.db
dd if=/dev/urandom of=b-bad.db bs=1 count=0 2>/dev/null; cp b.db bad.db
dd if=/dev/zero of=bad.db bs=4096 seek=20 count=200 conv=notrunc 2>/dev/null
sqlite3 app.db 'CREATE TABLE t (x)'
status 2 'not an SQLite database' "no database" a.db text.db
status 2 'is empty' "an empty file" a.db zero.db
status 2 'no such database' "no file" a.db missing.db
status 2 'holds no run yet' "no run" a.db none.db
status 2 "another application" "another application's" app.db a.db
status 2 'damaged' "a database cut short" a.db cut.db
status 2 'damaged' "a database with a hole" a.db bad.db
status 2 'not a regular file' "a directory" a.db .
status 2 'which database' "no file named"
status 2 "'c.db' is a third" "three files" a.db b.db c.db
for s in '' nope device, ,total; do status 2 'metric' "--metric '$s'" --metric "$s" a.db b.db; done
status 0 'api \(submit to doorbell\) and notice' "a list of phases" --metric api,notice --threshold 20% a.db b.db
for s in '' p p0 p100 p99x 99 p-5 p1e1 nan; do status 2 'stat' "--stat '$s'" --stat "$s" a.db b.db; done
for s in '' x -1% 5%% 101% 2000% nan 1e999 1 5 10; do status 2 'threshold' "--threshold '$s'" --threshold="$s" a.db b.db; done
for s in '' x channel, ,size none,size channel,,size; do status 2 "'--by|--by" "--by '$s'" --by "$s" a.db b.db; done
for s in '' x -1 1x 99999999999999999999; do status 2 'seed' "--seed '$s'" --seed="$s" a.db b.db; done
status 2 'empty' "--base ''" --base '' a.db b.db
status 2 'empty' "--report ''" --report '' a.db b.db
status 2 'unrecognized|invalid' "no such option" --nope a.db b.db
status 0 'Usage' "--help" --help
status 0 '^dmacompare [0-9]' "--version" --version
"$compare" a.db b.db >/dev/full 2>err; [ $? = 2 ] && grep -q 'standard output' err; result $? "a full disk is no verdict"

# ---- output ----
try -q a.db slow.db; [ "$(wc -l <out)" = 4 ]; result $? "-q: only the verdicts"
try -q a.db a.db; grep -q 'same recording' err && [ "$(wc -l <out)" = 4 ]; result $? "-q: notes go to standard error"
json() { sqlite3 :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '$1')"; }
valid() { [ "$(sqlite3 :memory: "SELECT json_valid(CAST(readfile('out') AS TEXT))")" = 1 ]; }
try --json a.db slow.db; r=$?; [ $r = 1 ] && valid; result $? "--json is valid"
[ "$(json '$.verdict') $(json '$.exit') $(json '$.metrics') $(json '$.format')" = 'slower 1 ["device","total"] 2' ]; result $? "verdict, exit, metrics, format"
[ "$(json '$.groups[2].group') $(json '$.groups[2].verdict')" = "channel 1, to_host, device slower" ]; result $? "the group that is slower"
[ "$(json '$.groups[2].relative > 0')" != x ] && sqlite3 :memory: "SELECT json_extract(j, '\$.groups[2].relative_low') > 0.08
	AND json_extract(j, '\$.groups[2].relative_high') < 0.12 FROM (SELECT CAST(readfile('out') AS TEXT) AS j)" | grep -qx 1
result $? "the interval holds what was put in"
want=$(sqlite3 slow.db "SELECT device_ns FROM transfer WHERE channel = 1 AND device_ns IS NOT NULL ORDER BY device_ns
	LIMIT 1 OFFSET (SELECT (count(*) + 1) / 2 - 1 FROM transfer WHERE channel = 1 AND device_ns IS NOT NULL)")
[ "$(json '$.groups[2].statistics[0].new.value_ns')" = "$want" ]; result $? "the median is the database's own"
n=$(sqlite3 slow.db "SELECT count(device_ns) || ' ' || sum(device_ns IS NULL) FROM transfer WHERE channel = 1")
[ "$(json '$.groups[2].new.n') $(json '$.groups[2].new.excluded')" = "$n" ]; result $? "n and what is left out"
[ "$(json '$.new[0].database') $(json '$.new[0].run')" = "slow.db 1" ]; result $? "which runs"
try --json thin1.db thin2.db; [ $? = 3 ] && valid && [ "$(json '$.verdict')" = 'cannot tell' ]; result $? "--json: cannot tell"
sqlite3 other.db "UPDATE run SET label = 'q\"\\' || char(1) || CAST(x'ff' AS TEXT)"
try --json a.db other.db; valid && [ "$(json '$.environment[1].differs')" = 1 ]; result $? "--json with hostile text"
try --json a.db text.db; r=$?; [ $r = 2 ] && valid && [ "$(json '$.verdict')" = 'cannot compare' ] && [ -s err ]
result $? "--json: a refusal is JSON too"
try --json --report a.db a.db slow.db; [ $? = 2 ] && valid && [ "$(json '$.verdict')" = 'cannot compare' ]
result $? "--json: a report that cannot be written"
if command -v script >/dev/null; then
	TERM=xterm script -qec "$compare -q --run-scatter 0% a.db slow.db" /dev/null </dev/null >out 2>err; grep -q $'\033\[1;31mslower' out
	result $? "colour on a terminal"
	NO_COLOR=1 TERM=xterm script -qec "$compare -q --run-scatter 0% a.db slow.db" /dev/null </dev/null >out 2>err
	grep -q slower out && ! grep -q $'\033' out
	result $? "NO_COLOR"
fi

# ---- from recordings, by dmaanalyze ----
rec() { # label seed options: a run of rec.db
	"$B/tests/gentrace" -o g.data -t g.csv --seed $2 "${@:3}" && "$B/dmaanalyze" -q -i g.data --label $1 rec.db
}
if [ -x "$B/tests/gentrace" ] && [ -x "$B/dmaanalyze" ]; then
	for l in old:1 new:2 slow:3:--typical:11.5us; do
		IFS=: read -r label seed opt value <<<"$l"
		rec $label $seed --channels 2 --vectors 2 --latency tail --count 6000 $opt $value >out 2>err; r=$?
		[ $r = 0 ] || result $r "recording $label"
	done
	rec thin1 4 --count 20 --latency tail; rec thin2 5 --count 20 --latency tail
	rec polled 6 --polled --count 3000; rec polled2 7 --polled --count 3000
	status 0 'channel 0, to_host, device +same within' "two recordings of the same workload" --base old --new new rec.db
	status 1 'channel 1, from_host, device +slower' "a slower recording" --base old --new slow rec.db
	status 3 'channel 0, to_host, device +cannot tell' "20 transfers recorded" --base thin1 --new thin2 rec.db
	status 0 'channel 0, to_host +same within' "polled recordings" --base polled --new polled2 rec.db
	status 0 'note:.*only total times' "polled against interrupts: said" --base old --new polled rec.db
	! grep -q 'sizes differ' out; result $? "sizes that differ by chance are no news"
else
	skip "recordings" "gentrace or dmaanalyze is not built"
fi

# ---- many values ----
"$gendb" ar1 big1.db --n 700000 --seed 1; "$gendb" ar1 big2.db --n 700000 --seed 2
status 0 'note: statistics stand on' "more values than are kept: said" --by none big1.db big2.db
want=$(sqlite3 big1.db "SELECT count(device_ns) FROM transfer")
sed -n '/^  base/p' out | tr -d ', ' | grep -q "base$want"; result $? "n is of all of them"

# ---- the report ----
status 1 'rep/index.html$' "--report" --report rep a.db slow.db
r=0
for p in histogram-1 tail-1 difference-1 histogram-2 tail-2 difference-2 histogram-4 tail-4 difference-4; do
	[ -s rep/$p.png ] && grep -q '</svg>' rep/$p.svg || { r=1; echo "# $p"; }
done
result $r "three pictures of each group"
[ -z "$(find rep -name '.?*')" ] && [ ! -s err ]; result $? "no temporary file, no warning of gnuplot"
[ "$(grep -c '<svg class="wide"[^>]*role="img" aria-label="[^"]' rep/index.html)" = 12 ]; result $? "every picture has its alternative text"
grep -q 'The new side is slower' rep/index.html && [ "$(grep -n 'class="verdict' rep/index.html | head -n 1 | cut -d: -f1)" -lt \
	"$(grep -n '<svg class="wide' rep/index.html | head -n 1 | cut -d: -f1)" ]; result $? "the verdict comes first"
! grep -Eq 'src=|url\(|@import' rep/index.html; result $? "the page needs no other file"
status 2 'is there and no directory' "--report into a file" --report a.db a.db slow.db
for pair in 'one.db one.db' 'thin1.db thin2.db' 'e1.db e2.db' 'p1.db p2.db' 'six.db two.db' 'mixed1.db mixed2.db'; do
	try --report "d-${pair%% *}" $pair; r=$?; [ $r -le 3 ] && [ -s "d-${pair%% *}/index.html" ] && ! grep -Eqi 'error|warning' err
	result $? "--report of $pair"
done
"$gendb" negative n1.db; "$gendb" negative n2.db --seed 2
try --metric notice --report neg n1.db n2.db; [ -s neg/index.html ] && ! grep -qi error err; result $? "--report of times below 0"
finish
