#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The joiner before the gate (doc/judge.md): GATE_SEEDS and GATE_TRANSFERS say how much of it.
exec nice "$B/tests/gate/gate" --gate --tap --todo tests/gate/todo --seeds "$GATE_SEEDS" \
	--transfers "$GATE_TRANSFERS" --jobs 2
