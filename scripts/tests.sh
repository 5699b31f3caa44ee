#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tests.sh TEST...: TAP programs and scripts under prove, JOBS at a time (all processors). What records (it says
# needs_recording) goes one after the other, so that no recording sees another's, but beside the rest, which computes:
# a recording waits more than it works. The soak, which records for a minute and sleeps most of it, comes on top of what
# JOBS fill. ALONE names what has the machine to itself, at the end. With CHECK_BEGAN, in seconds since 1970, the time
# since then is told above prove's totals.
set -u -o pipefail
: "${B:=build}" "${JOBS:=$(nproc)}" "${ALONE:=}"
rules=$B/tests/order.yml
together=() records=() alone=() soak=()
for t in "$@"; do
	if [[ $t == */soak.t ]]; then
		soak=("$t")
	elif [[ " $ALONE " == *" $t "* ]]; then
		alone+=("$t")
	elif [[ $t == *.t ]] && grep -q 'needs_recording\|uprobe_events' "$t"; then
		records+=("$t")
	else
		together+=("$t")
	fi
done
mkdir -p "${rules%/*}"
# (Prove takes the members of a list before its lists, and those in their order.)
{
	echo '---'
	echo 'seq:'
	echo '  - par:'
	for t in "${soak[@]}"; do echo "      - $t"; done
	for t in "${records[@]}"; do echo "          - $t"; done | sed '1i\      - seq:'
	for t in "${together[@]}"; do echo "          - $t"; done | sed '1i\      - par:'
	for t in "${alone[@]}"; do echo "  - seq: $t"; done
} >"$rules"

# Prove's own exit status is this one's.
HARNESS_RULESFILE=$rules CMOCKA_MESSAGE_OUTPUT=TAP \
	prove -j $((JOBS + ${#soak[@]})) --timer --failures --comments -e '' "$@" 2>&1 |
	while IFS= read -r line; do
		if [ "${CHECK_BEGAN:-}" ] && [[ $line == Files=* ]]; then
			took=$(($(date +%s) - CHECK_BEGAN))
			echo "make ${CHECK:-check}: $((took / 60)) min $((took % 60)) s in all"
		fi
		printf '%s\n' "$line"
	done
