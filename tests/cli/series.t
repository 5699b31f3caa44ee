#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Several recordings of the disk, in turns: a program that spins 200 us longer in its wait is found, equal ones
# raise no alarm, one run a side cannot tell.
B=$(realpath "${B:-build}")
if [ ! -x "$B/dmarec" ] || [ ! -x "$B/examples/blkdma" ] || [ ! -w /sys/kernel/tracing/uprobe_events ]; then
	echo "1..0 # SKIP dmarec is not built, or no right to write uprobe_events"
	exit 0
fi
DMAREC_PROFILES=$(realpath examples/profiles); export DMAREC_PROFILES
work=$B/examples/blkdma
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
count=0
ok() { # status name
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else
		echo "not ok $count - $2"
		sed 's/^/# /' out err | tail -n 30
	fi
}
"$B/dmarec" --runs 4 --interleave --label old --label 'new one' -- "$work" --count 400 --vs "$work" --count 400 \
	--delay 0:200us >out 2>err
ok $? "--runs 4 --interleave"
[ "$(echo dma-*)" = "$(echo dma-new_one-{1,2,3,4}.data dma-old-{1,2,3,4}.data)" ]; ok $? "a file for each run, named by its label"
next=$(sed -n 's/^next: dmaanalyze //p' err)
PATH=$B:$PATH bash -c "dmaanalyze $next" >out 2>err; ok $? "the line that is to be typed loads them"
[ "$(sqlite3 trace.db "SELECT group_concat(label, ' ') FROM (SELECT label FROM run ORDER BY begin_ns)")" = \
	'old new one new one old old new one new one old' ]; ok $? "recorded in turns"
"$B/dmacompare" -q --metric total --base old --new 'new one' trace.db >out 2>err; [ $? = 1 ]; ok $? "a spin of 200 us is found by four runs a side"
"$B/dmacompare" -q --metric total --base 1,2 --new 3,4 trace.db >out 2>err; [ $? != 1 ]; ok $? "the old program is not slower than itself"
"$B/dmarec" -q --runs 3 -x "$B/examples/libblkdma.so" -o x.data -- sh -c 'exit 7' >out 2>err
[ $? = 7 ] && [ -e x-1.data ]; ok $? "a run that fails hands on its status"
"$B/dmarec" --interleave -- "$work" >out 2>err; [ $? = 2 ] && grep -q 'COMMAND --vs COMMAND' err; ok $? "--interleave of one command"
"$B/dmarec" --label a --label b -- "$work" >out 2>err; [ $? = 2 ]; ok $? "a second label without --interleave"
for n in 0 x 1000 ''; do "$B/dmarec" --runs "$n" -- "$work" >out 2>err; [ $? = 2 ]; ok $? "--runs '$n'"; done
echo "1..$count"
