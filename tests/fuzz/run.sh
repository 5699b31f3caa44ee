#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# run.sh SECONDS: build the fuzz targets in build/fuzz and run each for so long. Findings fail.
set -eu
seconds=$1 dir=build/fuzz
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
for target in "$dir"/tests/fuzz/fuzz_*; do
	case $target in *.o | *.d) continue ;; esac
	name=${target##*/fuzz_}
	corpus=$dir/corpus/$name log=$dir/$name.log
	mkdir -p "$corpus"
	rc=0
	# The seeds are read where they are; what is new goes into the first directory.
	"$target" "$corpus" tests/data/fuzz/"$name" -max_total_time="$seconds" -timeout=10 \
		-rss_limit_mb=1024 -max_len=20000 -artifact_prefix="$dir/crash-$name-" >"$log" 2>&1 || rc=$?
	runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log")
	if [ "$rc" = 0 ]; then
		echo "check-fuzz: $name: ${runs:-?} runs in $seconds s, no finding"
	else
		failed=1
		echo "check-fuzz: $name: FAILED, $log:"
		tail -n 40 "$log"
	fi
done
exit $failed
