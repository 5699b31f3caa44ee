#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The first paragraph answers: which interrupt, how sure, how long, how bad and when, which channel, what size, what was
# lost, is it slower, what next. On recordings with loss, of two channels, that no vector ends, of several runs, of nothing.
. "${BASH_SOURCE%/*}/lib.sh"
workdir
answer() { # gentrace's options: the paragraph as one line in $said
	"$B/tests/gentrace" -o g.data -t g.csv "$@" >out 2>&1 || cat out
	rm -f g.db; "$B/dmaanalyze" -i g.data g.db >out 2>err
	paragraph
}
paragraph() { said=$(sed -n '/^$/,/^Completeness/p' out | sed '$d' | tr -s ' \n' ' '); }
of() { sqlite3 "${2:-g.db}" "$1"; }

answer --count 600 --loss 3 --counts -u --channels 2 --vectors 2 --latency tail --seed 2
like "loss: how much, and what it leaves unsure" "$said" \
	"Not whole: $(of 'SELECT sum(lost) FROM source') of 3,000 events are missing.*" # 5 events a transfer
like "... of how many it is not certain which interrupt ended them" "$said" \
	"ended by them, of $(of "SELECT count(*) FROM transfer WHERE state = 'unknown'") that is uncertain"
worst=$(of "SELECT printf('transfer %d|%d', id, submit_ns - (SELECT min(submit_ns) FROM transfer)) FROM transfer ORDER BY device_ns DESC LIMIT 1")
like "... how bad it gets, and when" "$said" "at worst \\(${worst%|*}\\), [0-9.]+ [µm]s after the first"
when=$(sed -E 's/.*\), ([0-9.]+) ([µm])s after the first.*/\1 \2/' <<<"$said")
awk -v w="$when" -v ns="${worst#*|}" 'BEGIN { split(w, a, " "); x = a[1] * (a[2] == "m" ? 1e6 : 1e3); exit !(x / ns > 0.99 && x / ns < 1.01) }'
result $? "... that is when it was"
slow=$(of "SELECT 'channel ' || channel || ', ' || direction FROM quantile WHERE phase = 'device' AND q = 0.5 AND direction IS NOT NULL ORDER BY value_ns DESC LIMIT 1")
like "two channels: which is slowest" "$said" "on 2 channels, [0-9.]+ [MG]B/s\\. Medians from .* to [0-9.]+ µs \\($slow\\)\\."
answer --count 300 --no-end -u --vectors 2
like "none that ends them" "$said" 'No interrupt is known to end the transfers; the program itself saw 300 of 300 end\..*Next: no vector was recorded'
answer --count 300 --polled
like "... one that does not" "$said" 'Next: the only vector recorded ends no transfers'

"$B/tests/gendb" usual two.db --n 300 --runs 2
of "UPDATE run SET label = CASE id WHEN 1 THEN 'before' ELSE 'after' END" two.db
"$B/dmaanalyze" two.db >out 2>err; paragraph
like "several runs: is it slower" "$said" "Next: .dmareport two.db. draws it\\. .dmacompare --base 'before' --new 'after' two.db. says whether it is slower"
"$B/dmacompare" --base 'before' --new 'after' two.db >out 2>err; [ $? != 2 ]; result $? "... and that command does"
"$B/dmaanalyze" --run 1 two.db >out 2>err; paragraph
[[ $said != *dmacompare* ]]; result $? "... the first of them is slower than nothing"
of "DELETE FROM state_count WHERE state <> 'complete'; UPDATE state_count SET state = 'unknown'; UPDATE summary SET n = 0" two.db
"$B/dmaanalyze" two.db >out 2>err; paragraph
like "nothing is certain: says so" "$said" 'which of their interrupts ended which transfer is certain of none of 300\. How long a transfer takes is not known'
like "... and what would be" "$said" 'Next: most ends are uncertain.*Record from the program.s beginning, with fewer in flight'
"$B/tests/gendb" one one.db; "$B/dmaanalyze" one.db >out 2>err; paragraph
like "one transfer: no quantiles of it" "$said" "One transfer's time is known: 98.0 ms .*1 transfer of 4 KiB"
"$B/tests/gendb" empty empty.db; "$B/dmaanalyze" empty.db >out 2>err; paragraph
like "no transfer: where to look" "$said" 'No start function was called while recording\. Nothing was lost\. Next: .dmarec --dry-run'
like "... and why there may be none" "$said" 'are probed.*may be inlined there.*another copy of it or another process'
of "UPDATE source SET counted = 1234, lost = 1234 WHERE role = 'submit' AND name = (SELECT min(name) FROM source WHERE role = 'submit')" empty.db
"$B/dmaanalyze" empty.db >out 2>err; paragraph
like "all starts were lost: that is not none" "$said" 'No transfer is known: of 1,234 starts .*Not whole: 1,234 of .*larger ring'
[[ $(cat out) != *"no start function was called"* ]]; result $? "... here neither"

# ---- vectors that came once draw no eye; the words agree ----
answer --count 1000 -u --timer-vector 25ms --silent-vector --stray 3% --missing 2% --seed 5
[ "$(of "SELECT interrupts FROM vector WHERE irq = 70 AND card IS NULL")" = 1 ]; result $? "a vector with one interrupt in 1,000 transfers"
table=$(sed -n '/^Which interrupt/,/^Transfers/p' out)
[ "$(grep -cE '^ +[0-9]+ flx' <<<"$table")" = 1 ] && [[ $table == *"68 flx"*"ends transfers here"*"and 2 vectors are unrelated, idle or silent"* ]]
result $? "... stands not beside the one that ends them"
[[ $said != *--irq* ]]; result $? "... nor is it asked for"
"$B/dmaanalyze" --verify g.db >out 2>err
evidence=$(tr -s ' \n' ' ' <out | grep -oE 'in [0-9.]+ % of 1000 transfers.{1,400}several in [0-9]+' | head -n 1)
awk '{ match($0, /in [0-9.]+ %/); p = substr($0, RSTART + 3); match($0, /none in [0-9]+/); n = substr($0, RSTART + 8)
	exit !(p + 0 == 100 - (n + 0) / 10) }' <<<"$evidence"
result $? "... 'in x %' is what 'none in y' says"
like "... the winner comes first, the silent in one line" "$(cat out)" '^  silent: 71$'
finish
