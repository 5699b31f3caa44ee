#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The reader's memory does not grow with the recording: 10 and 100 MB take the same, little.
. "${BASH_SOURCE%/*}/lib.sh"
needs tests/bench/bench_reader
workdir
peaks() { # of both recordings, in MiB
	"$B/tests/bench/bench_reader" 100000 1000000 >lines && awk '
		/event_decode/ { for (i = 1; i < NF; i++) if ($i == "peak") print $(i + 1) }
		{ print "# " $0 >"/dev/stderr" }' lines
}
bounded() {
	awk '{ mib[NR] = $1 } END { exit !(NR == 2 && mib[2] < 16 && mib[2] < mib[1] + 4) }' last.out
}
ok "both are read to their end" peaks
sed 's/^/# /' lines
ok "memory is bounded" bounded
finish
