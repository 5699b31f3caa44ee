#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# run.sh [N]: N mutants (10,000) each of recordings, perf.data, databases, ELF files, their debug files, profiles and
# texts of /proc/interrupts, for the tools that B holds, built with sanitizers (make asan). Mutant i of a kind is always the
# same; FIRST begins elsewhere. With LIMIT_SECONDS it ends after that time, having taken kinds in turn. Findings
# fail, and are kept in $B/hostile.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
: "${B:=build/asan}" "${FIRST:=0}" "${LIMIT_SECONDS:=}" "${KINDS:=recording perf database elf debug profile irqmap}"
n=${1:-10000} round=500
[ "$LIMIT_SECONDS" ] && round=50
B=$(realpath "$B") kept=${DIR:-$B/hostile}
export ASAN_OPTIONS=exitcode=99:quarantine_size_mb=8:detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=exitcode=99:print_stacktrace=1 DMAREC_PROFILES=$PWD/examples/profiles
rm -rf "$kept" && mkdir -p "$kept" || exit 1
dir=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")") || exit 1
trap 'rm -rf "$dir"' EXIT

# ---- seeds ----
"$B/tests/gentrace" --count 40 -o "$dir/seed.data" >/dev/null || exit 1
"$B/dmaanalyze" -q -i "$dir/seed.data" "$dir/seed.db" || exit 1
# (a small library beside the program, none of libc: what is read is what was damaged)
cc=("${CC:-gcc}" -g -O1 -nostdlib)
echo 'int dma_to_host(int c) { return c; }' >"$dir/lib.c"
echo 'int dma_to_host(int c); int dma_wait(int c) { return c; } void _start(void) { dma_wait(dma_to_host(0)); for (;;) ; }' >"$dir/prog.c"
"${cc[@]}" -shared -fPIC -o "$dir/libseed.so" "$dir/lib.c" && "${cc[@]}" -o "$dir/prog" "$dir/prog.c" "$dir/libseed.so" -Wl,-rpath,'$ORIGIN' || exit 1
# Two programs whose debug files the mutants are: by the name in .gnu_debuglink and by that of a .dwo.
: >"$dir/mutant"
objcopy --only-keep-debug "$dir/prog" "$dir/seed.debug" && objcopy -S --add-gnu-debuglink="$dir/mutant" "$dir/prog" "$dir/linked" &&
	(cd "$dir" && "${cc[@]}" -gsplit-dwarf -c -o seed.o prog.c && "${cc[@]}" -o split seed.o libseed.so -Wl,-rpath,'$ORIGIN') &&
	mv "$dir/seed.dwo" "$dir/unit" && ln -s mutant "$dir/seed.dwo" || exit 1

kind() { # name, first, how many
	local run=("$B/tests/hostile/hostile" "$dir" "$kept" "$2" "$3" "$1")
	case $1 in
	recording) "${run[@]}" "$dir/seed.data" tests/data/fuzz/perfdata/dmarec tests/data/fuzz/perfdata/killed --- dmaanalyze -q -i {} {db} ;;
	perf) "${run[@]}" tests/data/perf/*.data tests/data/fuzz/perfdata/p[ei]* --- dmaanalyze -q -i {} {db} \
		--- dmaanalyze --verify -i {} {db} --- dmaanalyze --json -i {} {db} ;;
	database) "${run[@]}" "$dir/seed.db" --- dmaanalyze {} --- dmacompare {} {} --- dmaanalyze --rebuild {} --- dmareport --term {} ;;
	elf) "${run[@]}" "$dir/prog" "$dir/libseed.so" --- dmarec --dry-run --start dma_to_host --wait dma_wait -- {} \
		--- dmarec --dry-run --start dma_to_host --wait dma_wait -x {} -- "$dir/prog" ;;
	debug) "${run[@]}" "$dir/seed.debug" "$dir/unit" --- dmarec --dry-run --start dma_to_host --wait dma_wait -- "$dir/linked" \
		--- dmarec --dry-run --start dma_to_host --wait dma_wait -- "$dir/split" ;;
	profile) "${run[@]}" examples/profiles/*.ini --- dmarec --dry-run --profile {} -- "$dir/prog" ;;
	irqmap) "${run[@]}" tests/data/irq/*/proc/interrupts tests/data/fuzz/irqmap/* --- irqmap {} ;;
	esac
}

failed=0
for ((done = 0; done < n; done += round)); do
	[ "$LIMIT_SECONDS" ] && [ $SECONDS -ge "$LIMIT_SECONDS" ] && break
	for k in $KINDS; do
		kind "$k" $((FIRST + done)) $((round < n - done ? round : n - done)) >"$dir/$k.out" || { failed=1; grep -v ' mutants, ' "$dir/$k.out"; }
		cat "$dir/$k.out" >>"$dir/$k.all"
	done
done
for k in $KINDS; do
	sed -nE "s/.*at most ([0-9.]+) s, ([0-9]+) KiB/\1 \2/p" "$dir/$k.all" 2>/dev/null |
		awk -v k="$k" '{ s = $1 > s ? $1 : s; m = $2 > m ? $2 : m } END { if (NR) printf "# %s: a mutant took at most %.2f s of CPU time and %d MiB\n", k, s, m / 1024 }'
done
done=$((done < n ? done : n))
echo "check-hostile: $done mutants each of $KINDS: $([ $failed = 0 ] && echo no finding || echo "findings in $kept")"
exit $failed
