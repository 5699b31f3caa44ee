#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The whole path on this machine's own disk: record, analyse, draw. Every command is shown as it runs, so
# that it can be typed again. `make demo` calls it; results stay in build/demo.
set -eu
b=${B:-build}
out=$b/demo
run() {
	printf '\n$ %s\n' "$*"
	"$@"
}

[ "$(id -u)" = 0 ] || { echo "demo: recording needs root: sudo make demo" >&2; exit 1; }
scripts/tracefs.sh
rm -rf "$out"
mkdir -p "$out"
run "$b/dmarec" -o "$out/dma.data" --label demo -- \
	"$b/examples/blkdma" --count 20000 --size 4K,16K,64K,256K --mix 20% --file-size 256M
run "$b/dmaanalyze" -i "$out/dma.data" "$out/trace.db"
run "$b/dmareport" -o "$out/report" "$out/trace.db"
run "$b/dmareport" --term "$out/trace.db"

echo
echo "The page:      $out/report/index.html"
echo "The histogram: $out/report/histogram.png"
echo "The database:  sqlite3 $out/trace.db 'SELECT * FROM transfer_us LIMIT 5'"
