#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dmareport as a program, on databases of the schema that gendb made: usual and degenerate ones.
. "${BASH_SOURCE%/*}/lib.sh"
report=$B/dmareport gendb=$B/tests/gendb
workdir
try() { timeout 60 "$@" >out 2>err; }
png() { [ "$(head -c 4 "$1" | tail -c 3)" = PNG ]; }

"$gendb" usual trace.db --n 20000
try "$report" trace.db
result $? "no option at all"
[ "$(cat out)" = trace-report/index.html ]
result $? "prints where the page is: a directory named after the database"
[ ! -s err ]; result $? "says nothing else"
r=0
for p in histogram histogram-api histogram-notice histogram-total tail time size throughput phases \
	slowest interrupts; do
	png trace-report/$p.png && grep -q '</svg>' trace-report/$p.svg || { r=1; echo "# $p"; }
done
result $r "eight kinds of plots as PNG and SVG"
[ -z "$(find trace-report -name '.?*')" ]; result $? "leaves no temporary file"

page=trace-report/index.html
! grep -Eq 'src=|url\(|@import|<link[^>]*href="[^d]' "$page" &&
	! grep -o 'https\?://[^" ]*' "$page" | grep -qv www.w3.org
result $? "the page needs no network and no other file"
grep -q 'This recording is whole: 40,000 events' "$page"; result $? "completeness in plain words"
line() { grep -n "$1" "$page" | head -n 1 | cut -d: -f1; }
[ "$(line 'class="verdict')" -lt "$(line '<svg class="wide')" ]; result $? "completeness comes before the plots"
grep -q 'prefers-color-scheme:dark' "$page" && grep -q '@media print' "$page"; result $? "light, dark and print"
[ "$(grep -c '<svg class="wide"[^>]*role="img" aria-label="[^"]' "$page")" = 11 ]
result $? "every picture has its alternative text"
! grep -q 'rgb(' "$page"; result $? "every colour of the inline pictures follows the scheme"
! grep -q '<&>' "$page" && grep -q '&lt;&amp;&gt;' "$page"; result $? "texts are escaped"

try "$report" -o one --plot tail --format svg trace.db
[ "$(ls one)" = tail.svg ]; result $? "one plot in one format"
try "$report" -o two --plot time,size --format pdf trace.db
[ "$(echo two/*)" = "two/size.pdf two/time.pdf" ]; result $? "a list of plots as PDF"

"$gendb" loss loss.db; try "$report" -o loss loss.db
grep -q 'class="verdict hole"' loss/index.html && grep -q 'has holes: 40 of 40,000' loss/index.html
result $? "a recording with holes is never presented as whole"
for kind in empty one none-complete one-size equal negative channels polled; do
	"$gendb" $kind $kind.db
	try "$report" -o $kind --format html,png,svg,pdf $kind.db && ! grep -qi 'warning' err
	result $? "$kind: draws or says why not, without a warning of gnuplot"; cp err $kind.err
done
grep -q 'No plots: the recording holds no transfer' empty/index.html; result $? "empty: the page says why"
! grep -q '>0 B<\|data-label="phase"\|class="cards"' empty/index.html; result $? "... no table and no card of nothing"
[ "$(grep -c 'is not drawn\|are not drawn' empty.err)" = 1 ]; result $? "... and one note on standard error"
[ "$(grep -c '<svg class="wide"' one/index.html)" = 1 ] && grep -q 'The only transfer with a latency' one/index.html
result $? "one transfer: one picture holds all there is"
grep -q '<p class="whynot">Not drawn: Latency histogram[^<]*; The tail[^<]* – there is only one transfer\.</p>' one/index.html
result $? "... the others are named in one sentence"
[ "$(grep -c "<h2" empty/index.html)" -le 2 ]; result $? "... in one sentence, not under a heading for each"
grep -q 'No line: all transfers have one size' one-size/index.html; result $? "one size: no line, and it says why"
! grep -q 'Lines: .* others: a = ' channels/index.html; result $? "64 channels: no fit of \"others\""
grep -q '122 others' channels/index.html; result $? "64 channels: the rest is named"
grep -q 'of the values are below 0' negative/index.html; result $? "negative values are told"

"$gendb" usual runs.db --n 300 --runs 10
try "$report" -o runs --format html $(seq -f '--run %.0f' 1 10) runs.db
[ "$(grep -c '<h2 id="run' runs/index.html)" = 10 ]; result $? "ten runs, a section each"
mkdir counting && printf '#!/bin/sh\necho x >>%s\nexec %s "$@"\n' "$PWD/starts" "$(command -v gnuplot)" >counting/gnuplot && chmod +x counting/gnuplot
PATH=$PWD/counting:$PATH try "$report" -o counted --run 2 --run 9 --run 4 runs.db; three=$(wc -l <starts); : >starts
PATH=$PWD/counting:$PATH try "$report" -o counted --run 3 --format html,svg runs.db
is "three runs: no more gnuplots are started than for one" "$three" "$(wc -l <starts)"
[ -s counted/run9-tail.svg ] && ! ls counted/*.png >/dev/null 2>&1
result $? "... and PNG is drawn of one run, or when asked for"
try "$report" -o counted --run 2 --run 3 --plot tail --format png runs.db; png counted/run2-tail.png && png counted/run3-tail.png
result $? "... as here"
"$gendb" usual most.db --n 20 --runs 20; try "$report" -o most --format html --run $(seq -s, 1 20) most.db
[ "$(grep -c '<h2 id="run' most/index.html)" = 20 ] && [ "$(grep -c '<svg class="wide"' most/index.html)" = 20 ] && grep -q 'latency over time is drawn for each' err
result $? "twenty runs as a list: an overview, one picture of each, and it says so"
[ -z "$(grep -o '<[a-z0-9]* [^>]*id="[^"]*"' runs/index.html | grep -v 'id="gp' | grep -o ' id=.*' | sort | uniq -d)" ]
result $? "no id twice in the page"

env -i PATH="$PATH" LC_ALL=C HOME=/nonexistent "$report" -o bare trace.db >out 2>err && [ ! -s err ] &&
	cmp -s bare/time.svg trace-report/time.svg
result $? "the same pictures with no environment at all"
export COLUMNS=80
LC_ALL=C.UTF-8 try "$report" --term trace.db
r=$?; [ $r = 0 ] && grep -q '█' out && ! grep -q $'\033' out; result $? "--term: blocks, no colour into a file"
for w in 40 60 80 120; do
	LC_ALL=C.UTF-8 COLUMNS=$w "$report" --term trace.db >out
	LC_ALL=C.UTF-8 grep -Eq "^.{$((w + 1)),}" out; [ $? = 1 ]; result $? "--term keeps to $w columns"
done
try "$report" --term --ascii trace.db; ! LC_ALL=C grep -q '[^ -~]' out; result $? "--term --ascii"
LC_ALL=C try "$report" --term trace.db; ! LC_ALL=C grep -q '[^ -~]' out
result $? "plain ASCII in a locale without UTF-8"
try "$report" --term empty.db; grep -q 'No histogram: the recording holds no transfer' out
result $? "--term with nothing to draw"

status() { # expected pattern args
	local want=$1 pattern=$2; shift 2
	try "$report" "$@"; [ $? = "$want" ] && grep -Eq -- "$pattern" err
	result $? "exit $want: dmareport $*"
}
"$gendb" unanalysed raw.db; "$gendb" no-runs none.db; echo text >text.db; : >zero.db
status 1 'type `dmaanalyze raw.db`' raw.db
status 1 'holds no run yet' none.db
status 1 'not an SQLite database' text.db
status 1 'is empty' zero.db
status 1 'no such database' missing.db
status 1 'no run 7' --run 7 trace.db
status 2 'which database' --term
status 2 "'nonsense' is none of" --plot nonsense trace.db
status 2 "'gif' is none of" --format gif trace.db
status 2 'empty' --format '' trace.db
status 2 '--run' --run 1x trace.db
status 2 'empty directory' -o '' trace.db
: >file; status 1 'no directory' -o file trace.db
mkdir tools; for t in timeout grep head sed cat; do ln -s "$(command -v $t)" tools/; done
PATH=$tmp/tools status 1 'apt-get install gnuplot-nox' -o x trace.db

# ---- a gnuplot that complains, and an end in the middle ----
real=$(command -v gnuplot)
mkdir -p odd; printf '#!/bin/sh\necho "Pango-WARNING: no font for you" >&2\nexec %s "$@"\n' "$real" >odd/gnuplot; chmod +x odd/gnuplot
PATH=$tmp/odd:$PATH try "$report" --plot histogram -o warned trace.db; r=$?
[ $r = 0 ] && png warned/histogram.png && [ -s warned/index.html ]; result $? "what a library of gnuplot's warns of is no failure"
grep -q 'gnuplot said, though it drew: .*Pango-WARNING' err; result $? "... and is handed on"
printf '#!/bin/sh\nexit 3\n' >odd/gnuplot; PATH=$tmp/odd:$PATH try "$report" --plot histogram -o failed trace.db
[ $? = 1 ] && grep -q 'exit 3' err; result $? "an exit status is"
# It waits in the middle, with a child that would outlive it; the end comes when both are there.
cat >odd/gnuplot <<-G
	#!/bin/bash
	script=\$(cat)
	case \$script in *GPVAL*) exec "$real" -d - <<<"\$script" ;; esac
	echo \$\$ >"$tmp/child.\$\$"
	exec sleep 600
G
PATH=$tmp/odd:$PATH "$report" -o ended trace.db >out 2>err & pid=$!
until [ -n "$(ls child.* 2>/dev/null)" ] && [ -s "$(ls child.* | head -n 1)" ]; do kill -0 $pid || break; done
kill -TERM $pid; wait $pid; r=$?
[ $r = 143 ]; result $? "a signal in the middle ends it"
[ ! -e ended ]; result $? "... leaves nothing behind"
r=0; for c in child.*; do kill -0 "$(cat $c)" 2>/dev/null && r=1; done; result $r "... and no gnuplot"

# A script's job in the background ignores it, as under nohup.
"$report" --format html --plot histogram -o ignored trace.db >out 2>err & pid=$!
until [ -d ignored ]; do kill -0 $pid || break; done
kill -INT $pid; wait $pid && [ -s ignored/index.html ]; result $? "a signal that is ignored ends nothing"

# ---- what the page says once ----
grep -q '<b>68, 1 more</b><span>interrupts that end them (flx, …)' "$page"; result $? "a card: the interrupts that end them"
grep -q '≤ 0: 8,045~' negative/index.html; result $? "the bin below 0 says that a value of 0 is in it"
sqlite3 one.db <<-'S'
	CREATE TEMP TABLE v AS SELECT * FROM vector;
	UPDATE v SET verdict = 'silent', used = 0;
	UPDATE v SET irq = 70; INSERT INTO vector SELECT * FROM v;
	UPDATE v SET irq = 71; INSERT INTO vector SELECT * FROM v;
	CREATE TEMP TABLE s AS SELECT * FROM source WHERE role = 'submit';
	UPDATE s SET id = 99, name = 'dma:never', counted = 0, delivered = 0; INSERT INTO source SELECT * FROM s;
S
try "$report" -o told --format html one.db; sed -n '/id="tables/,/<footer/p' told/index.html >tables
! grep -q '>silent<' tables && grep -q '<p class="whynot">Silent: 70, 71\.' tables; result $? "silent vectors stand in one line"
! grep -q 'dma:never' tables && grep -q 'One event never happened' tables; result $? "... and so do events that never happened"
[ "$(grep -c 'data-label="phase">device' tables)" = 1 ]; result $? "one group is not told twice, as itself and as all"

# ---- a long command line ----
"$gendb" one long.db --n 20 --sql "UPDATE run SET command = './load é' || printf('%0400d', 7)"; "$report" --format=html -o long long.db >/dev/null
ok "of a long command line the rest is folded" grep -q '<details class="sub"><summary>./load é0*…</summary>./load é0*7</details>' long/index.html

# ---- in a browser ----
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -z "$browser" ]; then
	skip "the page at 380 px" "chromium is not installed"
	skip "captions at 380 px" "chromium is not installed"
	skip "... of 64 channels" "chromium is not installed"
	skip "a strip below 0" "chromium is not installed"
else
	"$gendb" negative below.db --n 777; "$report" --format=html -o below below.db >/dev/null
	# In a frame of 380 px (a headless window has a least width); its title tells what came out.
	cat >frame.html <<-'H'
	<!DOCTYPE html><iframe style="width:380px;height:800px;border:0"></iframe><iframe style="width:380px;height:800px;border:0"></iframe><iframe style="width:380px;height:800px;border:0"></iframe>
	<script>
	var told = "", pages = ["trace-report", "channels", "below"];
	function texts_meet(d) { // words of a drawing that lie on each other
		var met = [];
		d.querySelectorAll("svg.narrow").forEach(function (s) {
			var t = Array.from(s.querySelectorAll("text")).map(function (x) { return [x.getBoundingClientRect(), x.textContent]; });
			t.forEach(function (a, i) {
				t.slice(i + 1).forEach(function (b) {
					var w = Math.min(a[0].right, b[0].right) - Math.max(a[0].left, b[0].left),
						h = Math.min(a[0].bottom, b[0].bottom) - Math.max(a[0].top, b[0].top);
					if (w > 3 && h > 3) met.push(a[1] + " on " + b[1]);
				});
			});
		});
		return met;
	}
	function caption_out(t) { // left or right of its drawing
		var b = t.getBoundingClientRect(), s = t.closest("svg").getBoundingClientRect();
		return b.left < s.left - 1 || b.right > s.right + 1;
	}
	document.querySelectorAll("iframe").forEach(function (f, i) {
		f.onload = function () {
			var d = f.contentDocument, texts = d.querySelectorAll("svg.narrow text");
			if (!d.querySelector("svg")) return;
			told += pages[i] + " over " + (d.documentElement.scrollWidth - d.documentElement.clientWidth) + " narrow " +
				f.contentWindow.getComputedStyle(d.querySelector("svg.narrow")).display + " points " +
				d.querySelectorAll(".hover[tabindex]").length + " captions " + (texts.length > 99) + " out " +
				Array.from(texts).filter(caption_out).map(function (t) { return t.textContent; }) + " met " + texts_meet(d) + ". ";
			document.title = told;
		};
		f.src = pages[i] + "/index.html";
	});</script>
	H
	timeout 60 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync \
		--allow-file-access-from-files --user-data-dir="$tmp/profile" --virtual-time-budget=10000 \
		--dump-dom "file://$tmp/frame.html" >out 2>/dev/null
	title=$(grep -o '<title>[^<]*' out)
	like "380 px: nothing is wider, the phone's drawings, values under the pointer" "$title" \
		'trace-report over 0 narrow block points 11 '
	for p in trace-report channels below; do
		like "... $p: no caption runs off its drawing" "$title" "$p over[^.]* captions true out  met"
		like "... $p: none lies on another" "$title" "$p over[^.]* met \\. "
	done
fi
finish
