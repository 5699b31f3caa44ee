#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The joiner before the gate (doc/judge.md): the same seeds every time; with SIM_SIZE=tenth fewer and shorter
# recordings of them. GATE_SEEDS and GATE_TRANSFERS choose others.
. "${BASH_SOURCE%/*}/../cli/lib.sh"
needs tests/gate/gate
cd "$SRC" || exit 1
[ "${SIM_SIZE:-full}" = tenth ] && seeds=1000001..1000002 transfers=200 || seeds=1000001..1000020 transfers=2000
exec nice "$B/tests/gate/gate" --gate --tap --todo tests/gate/todo --seeds "${GATE_SEEDS:-$seeds}" \
	--transfers "${GATE_TRANSFERS:-$transfers}" --jobs 1
