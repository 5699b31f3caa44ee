#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Nothing certain that was not in the original: records of recordings are taken out, change places, come twice, or
# the file is cut or its header damaged (tests/hostile/certain.c). CERTAIN of each kind of damage.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmaanalyze tests/gentrace tests/hostile/certain
: "${CERTAIN:=6}"
workdir
gen() { # name, options
	local name=$1
	shift
	"$B/tests/gentrace" --counts --count 60 "$@" -o "$name.data" >/dev/null
}
gen one --channels 2 && gen two --channels 2 --depth 2 && gen eight --channels 2 --depth 8 && gen polled --channels 2 --polled &&
	gen coalesced --depth 4 --coalesce 1-3 && gen loss --depth 2 --loss 2 --count 80 || skip_all "gentrace wrote nothing"
"$B/tests/hostile/certain" . 0 "$CERTAIN" one.data two.data eight.data polled.data coalesced.data >all 2>&1
while read -r ok words; do
	[ "$ok" != not ] || words=${words#ok }
	what=${words#* - }
	cp all out
	# That an interrupt's sample is gone the counts tell, but not where it was; and a round's end that comes twice
	# lets samples come late, which touches more transfers than are taken for uncertain.
	if [ "$ok" = not ] && [[ $what == *"a record is gone: "* || $what == *"some records are gone: "* || $what == *"comes twice: "* ]]; then
		todo "$what" "limit 0 that say what was not so" false
	else
		[ "$ok" = ok ]
		result $? "$what"
	fi
done < <(grep -E '^(not )?ok ' all)
is "all kinds of damage" "$tests" 8
ok "a record that is gone from a recording with losses of its own" "$B/tests/hostile/certain" . 1 1 loss.data
ok "... and where as many starts are gone as its records of loss tell of interrupts" "$B/tests/hostile/certain" . 53 1 loss.data
todo "a round's end that comes twice, polled" "limit 0 wrong; 1 of 60 is with number 39, failed since its exit came late" \
	"$B/tests/hostile/certain" . 39 1 polled.data
todo "an interrupt's sample that is gone, of two channels with one vector" "limit 0 wrong; 1 of 60 is with number 20" \
	"$B/tests/hostile/certain" . 20 1 one.data
finish
