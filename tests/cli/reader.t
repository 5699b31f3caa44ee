#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The reader's memory does not grow with the recording: 10 and 100 MB take the same, little.
bench=${B:-build}/tests/bench/bench_reader
if [ ! -x "$bench" ]; then
	echo "1..0 # SKIP bench_reader is not built"
	exit 0
fi
echo "1..2"
"$bench" 100000 1000000 | awk '
	/event_decode/ { n++; for (i = 1; i < NF; i++) if ($i == "peak") mib[n] = $(i + 1) }
	{ print "# " $0 }
	END {
		print (n == 2 ? "ok" : "not ok") " 1 - both are read to their end"
		print (n == 2 && mib[2] < 16 && mib[2] < mib[1] + 4 ? "ok" : "not ok") " 2 - memory is bounded"
	}'
