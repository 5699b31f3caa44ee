#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The judge of the joiner keeps its rules: which seeds are for work, and what counts as wrong.
. "${BASH_SOURCE%/*}/lib.sh"
needs tests/gate/gate
workdir
gate=$B/tests/gate/gate
small=(--stratum "plain asleep" --named --transfers 100)

ok "work seeds need nothing" status 0 "$gate" "${small[@]}" --seeds 1..2
ok "the gate's seeds need --gate" status 2 "$gate" "${small[@]}" --seeds 1000001
ok "a range that reaches into them, too" status 2 "$gate" "${small[@]}" --seeds 999999..1000000
ok "--gate takes no work seeds" status 2 "$gate" "${small[@]}" --gate --seeds 1..2
ok "an unknown joiner is refused" status 2 "$gate" "${small[@]}" --joiner none
ok "what the oracle has no law for is a failure" status 1 "$gate" "${small[@]}" --joiner oracle --seeds 1
ok "the same seeds give the same figures" \
	diff <("$gate" "${small[@]}" --seeds 3..4 | cut -d'|' -f1-4) <("$gate" "${small[@]}" --seeds 3..4 | cut -d'|' -f1-4)
ok "every name of --list is a stratum" \
	status 0 bash -c "'$gate' --list | wc -l | grep -qx 24"
finish
