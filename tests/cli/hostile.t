#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A minute of make check-hostile: damaged files of every kind, always the same, for the tools with sanitizers where
# they are built (make check-asan builds what they are made of), else as they are.
. "${BASH_SOURCE%/*}/lib.sh"
cd "$SRC" || exit 1
[ -x build/asan/tests/hostile/hostile ] && [ -x build/asan/dmaanalyze ] && B=$SRC/build/asan
needs dmaanalyze tests/gentrace tests/hostile/hostile
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
touch "$tmp/out" "$tmp/err"
MINUTE=60
for k in recording perf database elf profile irqmap; do
	out=$(B=$B DIR=$tmp/$k KINDS=$k LIMIT_SECONDS=$((MINUTE / 6)) tests/hostile/run.sh 400 2>&1)
	like "$k: $(tail -n 1 <<<"$out")" "$out" '^check-hostile: [1-9][0-9]* mutants .*no finding$'
done
finish
