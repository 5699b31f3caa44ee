#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The edu card under the kernels of other releases of Debian, recorded by each feed and held against what is known to be
# true (check.sh). A table at the end: kernel, feed, transfers, complete. And a kernel that is locked down.
#   KERNELS   releases ("bullseye trixie"); FEEDS ("bpf perf")
. "${BASH_SOURCE%/*}/../cli/lib.sh"
: "${KERNELS=bullseye trixie}" "${FEEDS=bpf perf}"
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

# ---- this release's kernel, locked down as by secure boot ----
vm=$B/vm share=$B/vm/share
locked() { # mode
	rm -f "$share"/locked.*
	VM_APPEND=lockdown=$1 "$SRC/tests/vm/boot.sh" "$vm" "$share" -t 600 -s "$SRC/tests/vm/locked.sh" </dev/null >"$share/locked.console" 2>&1 ||
		{ tail -5 "$share/locked.console"; return 1; }
	grep -qF "[$1]" "$share/locked.mode"
}
if reason=$("$SRC/tests/vm/prepare.sh" "$vm"); then
	locked integrity
	result $? "a kernel locked down for integrity boots"
	[ "$(sqlite3 "$share/locked.db" 'SELECT irq_feed, count(*) > 0 FROM run, sample GROUP BY 1')" = 'bpf|1' ]
	result $? "... and records, by BPF"
	locked confidentiality
	result $? "one locked down for confidentiality boots"
	like "... and refuses, which is said with the remedy" "$(cat "$share/locked.err")" \
		'error:.* the kernel is locked down for confidentiality.*: boot with lockdown=integrity, or without secure boot'
	[ ! -e "$share/locked.db" ]
	result $? "... and nothing is recorded"
else
	skip "a kernel that is locked down" "$reason"
fi
printf '# %s\n' "system    kernel                 feed  scenario transfers/complete" "${table[@]}"
finish
