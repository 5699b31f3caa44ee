#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Completion in a real interactive bash on a terminal of its own. What is typed ends with TAB, or with the keys that
# insert all candidates, then with those that tell what the line has become and empty it; readline takes all in turn.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze dmareport dmacompare tests/gendb
command -v script >/dev/null || skip_all "script (util-linux) is not installed"
workdir
cat >rc <<-'R'
	PATH=$B:$PATH PS1='$ ' HISTFILE=
	[ "$WITH" ] && . "$WITH"
	. "$SRC/doc/completion.bash"
	told() { printf '%s\n' "$READLINE_LINE" >>lines; READLINE_LINE= READLINE_POINT=0; }
	bind -x '"\C-xt": told' 2>/dev/null
	bind 'set bell-style none' 2>/dev/null
R
export B SRC WITH XDG_CONFIG_HOME=$tmp/none XDG_DATA_HOME=$tmp/none XDG_DATA_DIRS=$tmp/share
mkdir -p share/dmarec && cp -r "$SRC/examples/profiles" share/dmarec/
typed=() wanted=() whats=()
completes() { # description, what is typed, what the line should become
	whats+=("$1") typed+=("$2"$'\t') wanted+=("$3")
}
offers() { # likewise, of all candidates
	whats+=("$1") typed+=("$2"$'\e*') wanted+=("$3")
}
judge() { # all of them in one shell
	local i
	: >lines
	{ for i in "${typed[@]}"; do printf '%s\030t' "$i"; done; printf 'exit\r'; } |
		timeout 300 script -qc 'bash --noprofile --rcfile rc -i' /dev/null >out 2>err
	mapfile -t lines <lines
	for i in "${!typed[@]}"; do is "${whats[i]}" "${lines[i]% }" "${wanted[i]}"; done
	typed=() wanted=() whats=()
}

"$B/tests/gendb" usual two.db --n 20 --runs 4
sqlite3 two.db "UPDATE run SET label = CASE id WHEN 1 THEN 'before' WHEN 2 THEN 'firmware 4.10' WHEN 3 THEN 'it''s \"x\"'
	ELSE '\$(touch pwned)' END"
cp "$(command -v sleep)" complete-test; ./complete-test 600 & sleeper=$!
mkdir before own && touch own/own-card.ini && export DMAREC_PROFILES=/nonexistent:own; echo >text.txt
completes "a profile" "dmarec --profile blk" "dmarec --profile blkdma"
completes "... of DMAREC_PROFILES" "dmarec --profile own" "dmarec --profile own-card"
completes "... behind =" "dmarec --profile=riff" "dmarec --profile=riffa"
offers "... all that begin so" "dmarec --profile=ed" "dmarec --profile=edu edu-driver"
completes "... a file of one's own" "dmarec --profile share/dmarec/profiles/blk" "dmarec --profile share/dmarec/profiles/blkdma.ini"
offers "a run" "dmareport two.db --run " "dmareport two.db --run 1 2 3 4"
offers "... behind =" "dmaanalyze two.db --run=" "dmaanalyze two.db --run=1 2 3 4"
completes "a label, though a folder has its name" "dmacompare two.db --base be" "dmacompare two.db --base before"
completes "... with a space" "dmacompare two.db --new=fi" 'dmacompare two.db --new=firmware\ 4.10'
completes "... typed so far with it" 'dmacompare two.db --new firmware\ 4' 'dmacompare two.db --new firmware\ 4.10'
completes "... in single quotes" "dmacompare two.db --new 'fi" "dmacompare two.db --new 'firmware 4.10'"
completes "... in double quotes" 'dmacompare two.db --new="fi' 'dmacompare two.db --new="firmware 4.10"'
completes "... with quotes" "dmacompare two.db --base it" "dmacompare two.db --base it\\'s\\ \\\"x\\\""
completes "... that would be a command" 'dmacompare two.db --base \$' 'dmacompare two.db --base \$\(touch\ pwned\)'
completes "a list's last part" "dmareport --plot=tail,ti" "dmareport --plot=tail,time"
completes "... but not what is in it" "dmareport --format html,png,p" "dmareport --format html,png,pdf"
completes "a value behind =" "dmacompare --metric=noti" "dmacompare --metric=notice"
offers "... as two words" "dmacompare --metric d" "dmacompare --metric delivery device"
offers "several values" "dmacompare --by c" "dmacompare --by card channel"
completes "a process" "dmarec --pid $$" "dmarec --pid $$"
completes "... of a list, by name" "dmarec --pid=1,complete-tes" "dmarec --pid=1,complete-test"
completes "an option" "dmareport --form" "dmareport --format"
offers "a database, and no other file" "dmareport t" "dmareport two.db"
offers "... behind an option" "dmareport --term t" "dmareport --term two.db"
offers "nothing where nothing is known" "dmarec --label t" "dmarec --label t"
completes "a file" "dmaanalyze -i te" "dmaanalyze -i text.txt"
completes "the workload's own files" "dmarec --runs 3 -- cat te" "dmarec --runs 3 -- cat text.txt"
WITH='' judge
kill $sleeper
[ ! -e pwned ]; result $? "no label is run"
with=/usr/share/bash-completion/bash_completion
if [ -r $with ]; then
	completes "with bash-completion: a profile" "dmarec --profile=blk" "dmarec --profile=blkdma"
	completes "... under sudo" "sudo dmarec --irq-feed=b" "sudo dmarec --irq-feed=bpf"
	completes "... the workload's own completion" "dmarec -- dmareport --plot tai" "dmarec -- dmareport --plot tail"
	completes "... of the second command, too" "dmarec --interleave -- cat x --vs dmareport --plot=tai" \
		"dmarec --interleave -- cat x --vs dmareport --plot=tail"
	WITH=$with judge
else
	for i in 1 2 3 4; do skip "with bash-completion" "it is not installed"; done
fi
finish
