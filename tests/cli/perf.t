#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What dmarec writes is a perf.data file to perf's own tools: they read it without a warning,
# and see what our reader sees.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec examples/blkdma
needs_recording
perf --version >/dev/null 2>&1 || skip_all "no perf here (Debian: linux-perf)"
workdir
quiet() { # the command succeeds without a word on stderr
	"$@" && [ ! -s err ]
}
ok "a recording" "$B/dmarec" -q -o r.data -- "$B/examples/blkdma" --count 25 --file-size 1M
ok "perf script reads it" quiet perf script --ns -i r.data -F trace:tid,time,event,trace
cp out script
seen() { # 25 starts with their size, and 25 waits
	[ "$(grep -c ':dma_to_host: .* size=4096' script)" = 25 ] && [ "$(grep -c ':dma_wait: ' script)" = 25 ]
}
ok "... and sees 25 transfers" seen
ok "perf report --header-only" quiet perf report --header-only -I -i r.data
named() { # command line, clock, CPU and time of the samples
	perf report --header-only -i r.data >header
	for f in '^# cmdline : .*dmarec' '^# clockid: monotonic' '^# time of first sample : [1-9]' \
		'^# perf version : dmarec ' '^# hostname : .' '^# nrcpus online : '; do
		grep -q "$f" header || { echo "no $f"; return 1; }
	done
	! grep -iq unknown header
}
ok "... has what perf record writes" named
ok "perf evlist -v" quiet perf evlist -v -i r.data
injected() { # perf rewrites the file, and nothing is lost of the samples
	perf inject -i r.data -o i.data && perf script --ns -i i.data -F trace:tid,time,event,trace | cmp - script
}
ok "perf inject" injected
json() {
	if perf data convert --help 2>&1 | grep -q -e --to-json; then
		perf data convert -i r.data --to-json r.json --force && grep -q '"cpu-desc"' r.json
	else
		echo "this perf has no --to-json"
	fi
}
grep -q '^model name' /proc/cpuinfo && ok "perf data convert --to-json" json
"$B/dmarec" -q -o k.data -- "$B/examples/blkdma" --count 100000 --pause 1ms --file-size 1M >/dev/null 2>&1 &
pid=$!
await bigger k.data 40000
pkill -9 -P "$pid"
kill -9 "$pid"
wait "$pid" 2>/dev/null
# perf says "The data size field is 0" and reads nothing, or what is there: it must not crash.
no_crash() {
	"$@"
	case $? in 134 | 136 | 139) return 1 ;; esac
}
ok "perf on a killed recorder's file" no_crash perf script -i k.data
"$B/dmarec" -q -o n.data -- "$B/examples/blkdma" --count 1 --file-size 1M >/dev/null 2>&1 # lets go of the killed one's probes
finish
