#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# run.sh [SECONDS]: build the fuzz targets in build/fuzz and run each, from the seeds in tests/data/fuzz.
# Without SECONDS the runs are counted and always the same, so that a check says the same twice; with
# SECONDS they are random, and what they learn is kept in build/fuzz/corpus. Findings fail.
set -eu
seconds=${1:-} dir=build/fuzz
: "${CLANG:=clang}" "${MAKE:=make}"
mkdir -p "$dir"

skip() { echo "check-fuzz: SKIPPED: $*"; exit 0; }
command -v "$CLANG" >/dev/null || skip "no $CLANG here"
printf '%s\n' '#include <stddef.h>' '#include <stdint.h>' \
	'int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);' \
	'int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n) { return d && n ? 0 : 0; }' >"$dir/probe.c"
"$CLANG" -fsanitize=fuzzer,address,undefined -o "$dir/probe" "$dir/probe.c" 2>/dev/null ||
	skip "$CLANG has no fuzzer runtime (Debian: libclang-rt-14-dev)"

"$MAKE" --no-print-directory B="$dir" CC="$CLANG" CXX="$CLANG++" SAN=1 OPT='-O1 -g' \
	CFLAGS=-fsanitize=fuzzer-no-link fuzz-programs
failed=0
for source in tests/fuzz/fuzz_*.c; do
	name=${source##*/fuzz_} name=${name%.c}
	corpus=$dir/corpus/$name log=$dir/$name.log rc=0
	mkdir -p "$corpus"
	if [ -n "$seconds" ]; then
		set -- -max_total_time="$seconds"
	else
		rm -rf "$corpus" && mkdir -p "$corpus"
		runs=60000
		[ "$name" = join ] && runs=6000 # it weighs every assignment
		set -- -seed=1 -runs="$runs" -max_total_time=60
	fi
	# New inputs go into the first directory, the seeds stay as they are.
	"$dir/tests/fuzz/fuzz_$name" "$corpus" "tests/data/fuzz/$name" "$@" -timeout=10 \
		-rss_limit_mb=1024 -max_len=20000 -artifact_prefix="$dir/crash-$name-" >"$log" 2>&1 || rc=$?
	if [ "$rc" = 0 ]; then
		sed -n "s/^Done \([0-9]*\) runs in \([0-9]*\) .*/check-fuzz: $name: \1 runs in \2 s, no finding/p" "$log"
	else
		failed=1
		echo "check-fuzz: $name: FAILED, $log:"
		grep -v '^#[0-9]' "$log" | tail -n 40
	fi
done
exit $failed
