#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The tutorial's commands run as they are printed.
b=$(realpath "${B:-build}")
if [ ! -x "$b/dmarec" ] || [ ! -x "$b/examples/blkdma" ] || [ ! -w /sys/kernel/tracing/uprobe_events ]; then
	echo "1..0 # SKIP dmarec is not built, or no right to write uprobe_events"
	exit 0
fi
mapfile -t line < <(sed -n 's/^    \(dma.*\)/\1/p' doc/tutorial.md)
DMAREC_PROFILES=$(realpath examples/profiles); export DMAREC_PROFILES
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
ln -s "$b" build
PATH=$b:$PATH
count=0
ok() { # status name
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; tail -n 20 out err | sed 's/^/# /'; fi
}
[ ${#line[@]} -ge 9 ]; ok $? "the tutorial holds commands"
for l in "${line[@]}"; do
	timeout 120 bash -c "$l" >out 2>err; r=$?
	case $l in dmacompare*) [ $r != 2 ] && grep -q "channel 0, to_host" out ;; *) [ $r = 0 ] ;; esac
	ok $? "${l:0:70}"
done
[ -s report/index.html ]; ok $? "the page is there"
echo "1..$count"
