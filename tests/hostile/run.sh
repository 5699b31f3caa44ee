#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# run.sh [N]: N mutants (10,000) of recordings, databases, ELF files and profiles, for the tools that B holds,
# built with sanitizers (make asan). Mutant i of a kind is always the same; FIRST begins elsewhere. With
# LIMIT_SECONDS it ends after that time, having taken kinds in turn. Findings fail, and are kept in $B/hostile.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
: "${B:=build/asan}" "${FIRST:=0}" "${LIMIT_SECONDS:=}" "${KINDS:=recording database elf profile}"
n=${1:-10000} round=20
B=$(realpath "$B") dir=${DIR:-$B/hostile}
export ASAN_OPTIONS=exitcode=99:quarantine_size_mb=8:detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=exitcode=99:print_stacktrace=1 DMAREC_PROFILES=$PWD/examples/profiles
rm -rf "$dir" && mkdir -p "$dir" || exit 1

# ---- seeds ----
"$B/tests/gentrace" --count 40 -o "$dir/seed.data" >/dev/null || exit 1
"$B/dmaanalyze" -q -i "$dir/seed.data" "$dir/seed.db" || exit 1
printf '%s\n' 'int dma_to_host(int c) { return c; }' 'int dma_wait(int c) { return c; }' \
	'int main(void) { return dma_to_host(0) + dma_wait(0); }' >"$dir/prog.c"
"${CC:-gcc}" -g -O1 -o "$dir/prog" "$dir/prog.c" && "${CC:-gcc}" -O1 -shared -fPIC -o "$dir/prog.so" "$dir/prog.c" || exit 1

kind() { # name, first, how many
	local run=("$B/tests/hostile" "$dir" "$2" "$3" "$1")
	case $1 in
	recording) "${run[@]}" "$dir/seed.data" tests/data/fuzz/perfdata/* --- "$B/dmaanalyze" -q -i {} {db} ;;
	database) "${run[@]}" "$dir/seed.db" --- "$B/dmaanalyze" {} --- "$B/dmacompare" {} {} \
		--- "$B/dmaanalyze" --rebuild {} --- "$B/dmareport" --term {} ;;
	elf) "${run[@]}" "$dir/prog" "$dir/prog.so" --- "$B/dmarec" --dry-run --start dma_to_host --wait dma_wait -- {} \
		--- "$B/dmarec" --dry-run --start dma_to_host -x {} -- "$dir/prog" ;;
	profile) "${run[@]}" examples/profiles/*.ini --- "$B/dmarec" --dry-run --profile {} -- "$dir/prog" ;;
	esac
}

failed=0
for ((done = 0; done < n; done += round)); do
	[ "$LIMIT_SECONDS" ] && [ $SECONDS -ge "$LIMIT_SECONDS" ] && break
	for k in $KINDS; do
		kind "$k" $((FIRST + done)) $round >"$dir/$k.out" || { failed=1; grep -v 'mutants' "$dir/$k.out"; }
	done
done
echo "check-hostile: $done mutants each of $KINDS: $([ $failed = 0 ] && echo no finding || echo "findings in $dir")"
exit $failed
