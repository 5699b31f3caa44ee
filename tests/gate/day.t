#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The gate on seeds that nobody has chosen: those of the day.
day=$(($(date +%s) / 86400 * 100 + 1000000))
GATE_SEEDS=$day..$((day + 19)) exec "${BASH_SOURCE%/*}/gate.t"
