#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# storm.sh [RUNS [SEED]]: the functions of libc and libstdc++ that a busy program calls most (busy.names),
# a random choice of them armed at their entries and exits, and the program run: its output and status must
# be the same every time. 20 runs of each choice.
set -u
B=$(realpath "${B:-build}")
runs=${1:-200} seed=${2:-1} each=20
here=$(realpath "$(dirname "$0")")
libc=$(ldd "$B/tests/agent/busy" | awk '/libc\.so/ { print $3 }') cxx=$(ldd "$B/tests/agent/busy" | awk '/libstdc/ { print $3 }')
loader=$(ldd "$B/tests/agent/busy" | awk '/ld-linux/ { print $1 }')
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
"$B/tests/agent/busy" x >plain
[ $? = 5 ] || exit 1
done=0 bad=0 hits=0
while [ $done -lt "$runs" ]; do
	"$B/tests/agent/inside" -a "$B/dmarec-agent.so" -q -R $each -C "$libc" -L "$loader" -r "60,$seed" \
		-n "$here/busy.names" -x "$libc" -x "$cxx" -- "$B/tests/agent/busy" x >out 2>err
	status=$?
	grep -v '^all\|^#' out >lines
	for _ in $(seq $each); do cat plain; done >want
	if [ $status != 5 ] || ! cmp -s lines want || ! grep -q '^all .* lost 0 unequal 0 ' out; then
		echo "seed $seed: status $status"
		diff lines want | head -5
		grep '^all\|^#' out
		cat err
		bad=$((bad + 1))
	fi
	hits=$((hits + $(awk '/^all/ { print $3 }' out)))
	done=$((done + each)) seed=$((seed + 1))
done
echo "$done runs, $hits hits, $bad choices with a difference"
[ $bad = 0 ]
