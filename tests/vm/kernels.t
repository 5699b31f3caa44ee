#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The edu card under the kernels of other releases of Debian, recorded by each feed and held against what is known to be
# true (check.sh). A table at the end: kernel, feed, transfers, complete.
#   KERNELS   releases ("bullseye trixie"); FEEDS ("bpf perf")
. "${BASH_SOURCE%/*}/../cli/lib.sh"
: "${KERNELS:=bullseye trixie}" "${FEEDS:=bpf perf}"
table=()
for suite in $KERNELS; do
	for feed in $FEEDS; do
		vm=$B/vm-$suite
		said=$(B=$B VM_SUITE=$suite VM_FEED=$feed VM_BOOTS=edu VM_EDU='sleep missing two_cards' VM_TIMES=0 \
			"$SRC/tests/vm/check.sh")
		rc=$?
		echo "$said" | sed 's/^/#   /'
		if [[ $said == *"# SKIP "* ]]; then
			skip "$suite, $feed feed" "${said##*# SKIP }"
			continue
		fi
		result $rc "$suite, $feed feed: the edu card is recorded and told as it was"
		used=$(sqlite3 "$vm/share/sleep.db" 'SELECT irq_feed FROM run')
		is "... by that feed" "$used" "$feed"
		table+=("$(printf '%-9s %-22s %-5s %s' "$suite" "$(cat "$vm/kver")" "$feed" "$(for n in sleep missing two_cards; do
			sqlite3 -separator / "$vm/share/$n.db" "SELECT '$n ' || count(*), sum(state = 'complete') FROM transfer"; done |
			paste -sd' ')")")
	done
done
printf '# %s\n' "system    kernel                 feed  scenario transfers/complete" "${table[@]}"
finish
