#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The judge of the joiner keeps its rules: which seeds are for work, and what counts as wrong.
set -u
gate=${B:-build}/tests/gate/gate
n=0
check() { # "what" command...: true = ok
	local what=$1
	shift
	n=$((n + 1))
	if "$@"; then echo "ok $n - $what"; else echo "not ok $n - $what"; fi
}
status() { # expected command...
	local expected=$1 got
	shift
	"$@" >/dev/null 2>&1
	got=$?
	[ "$got" = "$expected" ] || echo "# exit $got, not $expected: $*"
	[ "$got" = "$expected" ]
}
small=(--stratum "plain asleep" --named --transfers 100)

check "work seeds need nothing" status 0 "$gate" "${small[@]}" --seeds 1..2
check "the gate's seeds need --gate" status 2 "$gate" "${small[@]}" --seeds 1000001
check "a range that reaches into them, too" status 2 "$gate" "${small[@]}" --seeds 999999..1000000
check "--gate takes no work seeds" status 2 "$gate" "${small[@]}" --gate --seeds 1..2
check "an unknown joiner is refused" status 2 "$gate" "${small[@]}" --joiner none
check "what the oracle has no law for is a failure" status 1 "$gate" "${small[@]}" --joiner oracle --seeds 1
check "the same seeds give the same figures" \
	diff <("$gate" "${small[@]}" --seeds 3..4 | cut -d'|' -f1-4) <("$gate" "${small[@]}" --seeds 3..4 | cut -d'|' -f1-4)
check "every name of --list is a stratum" \
	status 0 bash -c "'$gate' --list | wc -l | grep -qx 24"
echo "1..$n"
