#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tests.sh TEST...: TAP programs and scripts under prove, JOBS at a time (all processors). What records (it says
# needs_recording) or boots a guest for exact figures comes last, one at a time, with nothing beside it; but the soak,
# which records for a minute and sleeps most of it, comes first, on top of what JOBS fill. With CHECK_BEGAN, in
# seconds since 1970, the time since then is told above prove's totals.
set -u -o pipefail
: "${B:=build}" "${JOBS:=$(nproc)}" "${ALONE:=}"
rules=$B/tests/order.yml
together=() alone=() soak=()
for t in "$@"; do
	if [[ $t == */soak.t ]]; then
		soak=("$t")
	elif [[ " $ALONE " == *" $t "* ]] || { [[ $t == *.t ]] && grep -q 'needs_recording\|uprobe_events' "$t"; }; then
		alone+=("$t")
	else
		together+=("$t")
	fi
done
mkdir -p "${rules%/*}"
{
	echo '---'
	echo 'seq:'
	for t in "${soak[@]}" "${together[@]}"; do echo "$t"; done | sed '1i\  - par:' | sed '2,$s/^/      - /'
	for t in "${alone[@]}"; do echo "  - seq: $t"; done
} >"$rules"

# Prove's own exit status is this one's.
HARNESS_RULESFILE=$rules CMOCKA_MESSAGE_OUTPUT=TAP \
	prove -j $((JOBS + ${#soak[@]})) --timer --failures --comments -e '' "${soak[@]}" "${together[@]}" "${alone[@]}" 2>&1 |
	while IFS= read -r line; do
		if [ "${CHECK_BEGAN:-}" ] && [[ $line == Files=* ]]; then
			took=$(($(date +%s) - CHECK_BEGAN))
			echo "make ${CHECK:-check}: $((took / 60)) min $((took % 60)) s in all"
		fi
		printf '%s\n' "$line"
	done
