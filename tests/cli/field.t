#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Inputs from the field, rebuilt in small: functions as compilers make them, processes that are at work
# already, files that are no recording. Each block is one kind.
B=$(realpath "${B:-build}")
: "${CC:=gcc}" "${CXX:=g++}"
DMAREC_PROFILES=$(realpath examples/profiles)
export DMAREC_PROFILES
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
n=0 failed=0
ok() { # description, then a command
	local what=$1 not=
	shift
	n=$((n + 1))
	"$@" >out 2>err || { not="not "; failed=1; }
	echo "${not}ok $n - $what"
	[ -z "$not" ] || sed 's/^/# /' out err
}
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }
may_record=
[ -w /sys/kernel/tracing/uprobe_events ] && may_record=1
recorded() { # the same where recording is possible
	if [ "$may_record" ]; then ok "$@"; else skip "$1" "no right to write uprobe_events"; fi
}
plan() { "$B/dmarec" --dry-run "$@" 2>notes; } # what would be armed; notes go to a file
probes() { plan "$@" | awk -v role="$role" '$1 == role' | wc -l; }
running() { # command...: a process that has printed a word; its pid in $pid
	rm -f ready && mkfifo ready
	"$@" >ready & pid=$!
	read -r _ <ready
}
over() { kill "$pid"; wait "$pid" 2>/dev/null; }
states() { # recording: its transfers by state
	rm -f t.db
	"$B/dmaanalyze" -q -i "$1" t.db >analysis 2>&1
	sqlite3 t.db "SELECT state, count(*) FROM transfer GROUP BY state ORDER BY state"
}

# ---- a loop that begins at the function's first instruction ----
cat >loop.c <<'X'
#include <pthread.h>
#include <stdint.h>
#include <unistd.h>
void dma_to_host(volatile uint32_t *s, unsigned size);
void dma_wait(volatile uint32_t *s);
void card_send(volatile uint32_t *s, unsigned size);
static volatile uint32_t status, over;
__attribute__((noinline)) void dma_to_host(volatile uint32_t *s, unsigned size) { *s = size | 1; }
__attribute__((noinline)) void dma_wait(volatile uint32_t *s) { while (*s & 1); }
/* tries again from its top until the card takes it */
__attribute__((noinline)) void card_send(volatile uint32_t *s, unsigned size) { do *s = size; while (!(*s & 1)); }
static void *card(void *arg)
{
	while (!over)
		if (status & 1) {
			usleep(200);
			status = 0;
		}
	return arg;
}
int main(void)
{
	pthread_t t;
	pthread_create(&t, NULL, card, NULL);
	for (int i = 0; i < 40; i++) {
		dma_to_host(&status, 4096);
		dma_wait(&status);
	}
	over = 1;
	return pthread_join(t, NULL);
}
X
$CC -O2 -fcf-protection=none -o loop loop.c -pthread
loop_note() { plan -- ./loop >plan.out && grep -q 'dma_wait: a loop goes back to its first instruction' notes && grep -q 'stack=\$stack' plan.out; }
ok "a wait that loops to its first instruction is told of, and carries the stack" loop_note
start_note() { plan --start card_send -- ./loop >plan.out && grep -q 'card_send: a loop goes back' notes; }
ok "so is a start that tries again from its top" start_note
uretprobe_note() { plan --exit-probes uretprobe -- ./loop >plan.out; ! grep -A1 '^woken' plan.out | grep -q uretprobe && grep -q '^woken' plan.out; }
ok "no return probe is set where each turn would arm it again" uretprobe_note
loop_exact() {
	"$B/dmarec" -q -o loop.data -- ./loop && states loop.data >s && cat s analysis && ! grep -q '^failed' s &&
		[ "$(sqlite3 t.db 'SELECT count(*) FROM transfer WHERE woken_ns IS NOT NULL')" = 40 ]
}
recorded "40 transfers have 40 waits, and none ended by an exception" loop_exact

# ---- C++ interfaces: calls through another base go by thunks, which may hold the body ----
cat >thunk.cc <<'X'
#include <cstdint>
#include <cstdio>
struct Log { virtual ~Log() {} virtual void log() { n++; } long n = 0; };
struct Card {
	virtual ~Card() {}
	virtual void dma_to_host(unsigned ch, unsigned long size) = 0;
	virtual int dma_wait(unsigned ch) = 0;
	virtual Card *dma_stop() = 0;
};
struct MyCard : Log, Card {
	volatile uint32_t reg[8] = {};
	void dma_to_host(unsigned ch, unsigned long size) override;
	int dma_wait(unsigned ch) override;
	MyCard *dma_stop() override;
};
struct Base { long b = 0; virtual void dma_from_host(unsigned ch) = 0; virtual ~Base() {} };
struct Virt : virtual Base { long v = 0; void dma_from_host(unsigned ch) override; };
#ifndef MAIN
void MyCard::dma_to_host(unsigned ch, unsigned long size) { reg[ch] = size; }
int MyCard::dma_wait(unsigned ch)
{
	int turns = 0;
#ifdef BIG
	while (reg[ch] & 1) {
		if (turns++ > 100) { std::printf("%d", turns); turns -= 3; }
		for (unsigned i = 0; i < 8; i++) if (reg[i] == 77) std::puts("z");
	}
#endif
	while (reg[ch] & 1) turns++;
	return turns;
}
MyCard *MyCard::dma_stop() { reg[0] += 2; return this; } /* covariant */
void Virt::dma_from_host(unsigned ch) { v = ch; }
#else
int main()
{
	MyCard m;
	Virt w;
	Card *volatile cp = &m;
	Base *volatile bp = &w;
	Card *c = cp;
	Base *b = bp;
	for (int i = 0; i < 5; i++) {
		c->dma_to_host(1, 4096);
		c->dma_wait(1);
		c = c->dma_stop();
		b->dma_from_host(3);
	}
	m.dma_to_host(0, 64); /* by the class itself: the same object */
	w.dma_from_host(2);
	return 0;
}
#endif
X
thunk=(--start 'dma_to_host card=this channel=arg2' --start 'dma_from_host card=this channel=arg2'
	--wait 'dma_wait card=this channel=arg2' --stop 'dma_stop card=this')
hits() { # role number: counted by dmarec
	local got; got=$(awk -v role="$1" '$1 == role { gsub(",", "", $4); n += $4 } END { print n + 0 }' summary)
	[ "$got" = "$2" ] || { echo "$1: $got, not $2"; return 1; }
}
thunks_exact() {
	"$B/dmarec" -o thunk.data "${thunk[@]}" -- ./thunk 2>summary || { cat summary; return 1; }
	hits submit 12 && hits started 12 && hits wait 5 && hits woken 5 && hits stop 5 &&
		states thunk.data && [ "$(sqlite3 t.db 'SELECT count(DISTINCT card) FROM sample WHERE card IS NOT NULL')" = 2 ]
}
for o in -O0 -O2 "-O2 -DBIG" "-O3 -g"; do
	$CXX $o -c -o class.o thunk.cc && $CXX $o -DMAIN -o thunk thunk.cc class.o
	ok "thunks are planned, $o" plan "${thunk[@]}" -- ./thunk
	recorded "each call counts once and each object is one card, $o" thunks_exact
done

# ---- what was asked for is not what was transferred ----
cat >short.c <<'X'
int fpga_send(void *card, int channel, void *data, int len);
__attribute__((noinline)) int fpga_send(void *card, int channel, void *data, int len)
{
	return channel == 3 ? len / 4 : card && data ? len : -1;
}
int main(void)
{
	int n = 0, word[64] = {0};
	for (int i = 0; i < 10; i++)
		n += fpga_send(word, i & 3, word, 64);
	return n == 0;
}
X
$CC -O1 -o short short.c
printf '[transfer fpga_send]\ndirection = from_host\nchannel = arg2:s32\nsize = ret * 4\nret = s32\nfail = ret < arg4\n' >short.ini
returned() {
	"$B/dmarec" -q -o short.data --profile ./short.ini -- ./short && rm -f t.db && "$B/dmaanalyze" -q -i short.data t.db &&
		[ "$(sqlite3 t.db "SELECT group_concat(DISTINCT size_bytes) FROM sample WHERE ret IS NOT NULL")" = 256,64 ]
}
recorded "the size is what was returned" returned
transferred() { [ "$(sqlite3 t.db "SELECT group_concat(n || 'x' || size_bytes || ' ' || state) FROM (SELECT count(*) n, size_bytes, state FROM transfer GROUP BY 2, 3 ORDER BY 2)")" = "2x64 failed,8x256 polled" ]; }
recorded "of the transfer too, and one that is short has failed" transferred

# ---- one function that starts and stops by an argument ----
cat >lite.c <<'X'
int litepcie_dma_writer(int fd, unsigned char enable, long *hw, long *sw);
__attribute__((noinline)) int litepcie_dma_writer(int fd, unsigned char enable, long *hw, long *sw)
{
	*hw += enable;
	return fd + (int)*sw;
}
int main(void)
{
	long hw = 0, sw = 0;
	for (int i = 0; i < 100; i++) /* at each turn of the library's loop */
		litepcie_dma_writer(3, 1, &hw, &sw);
	litepcie_dma_writer(3, 0, &hw, &sw);
	return hw != 100;
}
X
$CC -O1 -o lite lite.c
both_sections() { plan --profile litepcie -- ./lite >plan.out && grep -q '^submit .*litepcie_dma_writer' plan.out && grep -q '^stop .*litepcie_dma_writer' plan.out; }
ok "the start and the stop of one function are both armed" both_sections
sed 's/^path.*//; s/^fd.*//' "$DMAREC_PROFILES/litepcie.ini" | sed '/^\[start litepcie_dma_reader/,/^\[interrupt/{/^\[interrupt/!d}' >lite.ini
one_run() {
	"$B/dmarec" -q -o lite.data --profile ./lite.ini -- ./lite && rm -f t.db && "$B/dmaanalyze" -q -i lite.data t.db &&
		[ "$(sqlite3 t.db "SELECT count(*) FROM transfer")" = 1 ]
}
recorded "100 calls of it while the channel runs are one circular run" one_run

cat >ring.c <<'X'
int stream_ctl(int channel, int on, long *at);
__attribute__((noinline)) int stream_ctl(int channel, int on, long *at) { *at += on; return channel; }
int main(void)
{
	long at = 0;
	for (int run = 0; run < 4; run++) {
		for (int i = 0; i < 750; i++)
			stream_ctl(i % 3, 1, &at);
		for (int i = 0; i < 3; i++)
			stream_ctl(i, 0, &at);
	}
	return at != 3000;
}
X
$CC -O1 -o ring ring.c
cat >ring.ini <<'X'
[start stream_ctl]
channel = arg1:s32
mode = arg2:s32
when = mode != 0
circular = mode != 0
again = same
[stop stream_ctl]
channel = arg1:s32
mode = arg2:s32
when = mode == 0
X
# Its 9 bytes have no room for jumps at its beginning and its end: all that is armed at one place is armed in one way.
one_way() {
	plan --profile ./ring.ini -- ./ring >plan.out && cat plan.out && [ "$(grep -c '^  armed' plan.out)" = 3 ] &&
		[ "$(awk '/^submit|^stop/ { want = 1 } want && /armed/ { print $2 $3 $4; want = 0 }' plan.out | sort -u | wc -l)" = 1 ]
}
ok "the start and the stop at one place are armed in one way" one_way
four_runs() {
	"$B/dmarec" -q -o ring.data --profile ./ring.ini -- ./ring && rm -f t.db && "$B/dmaanalyze" -q -i ring.data t.db &&
		[ "$(sqlite3 t.db "SELECT count(*) || state FROM transfer GROUP BY state")" = 12circular ]
}
recorded "three channels that run four times are twelve circular runs" four_runs

# ---- copies that were inlined into callers of the same file ----
cat >inlined.c <<'X'
static volatile int reg;
void dma_to_host(int n);
int many(int n);
void dma_to_host(int n) { reg = n; }
int many(int n) { dma_to_host(n); dma_to_host(n + 1); return reg; }
int main(void) { dma_to_host(1); return many(2) == 0; }
X
inlined() {
	$CC -O2 -g -o inlined inlined.c && plan -- ./inlined >plan.out && cat notes &&
		grep -q 'put the body of dma_to_host into [1-9][0-9]* places' notes &&
		$CC -O0 -g -o inlined inlined.c && plan -- ./inlined >plan.out && ! grep -q 'put the body' notes
}
ok "with debug information, inlined copies are told of" inlined
split() { $CC -O2 -g -gsplit-dwarf -o inlined inlined.c && plan -- ./inlined >plan.out && cat notes && grep -q 'put the body of dma_to_host into [1-9][0-9]* places' notes; }
ok "also where that lies in a file beside" split

# ---- musl: the C library is the loader ----
cat >musl.c <<'X'
#include <unistd.h>
int main(void)
{
	char c[4];
	for (int i = 0; i < 6; i++)
		if (read(0, c, 0) != 0)
			return 1;
	return 0;
}
X
if command -v musl-gcc >/dev/null && musl-gcc -O1 -o musl musl.c; then
	musl_plan() { plan --start 'read size=arg3' -- ./musl >plan.out && [ "$(grep -c '^submit .*read' plan.out)" = 1 ] && cat plan.out && grep -A1 '^submit' plan.out | grep -qE 'musl|libc\.so'; }
	ok "its functions are found there" musl_plan
	musl_exact() { "$B/dmarec" -o musl.data --start 'read size=arg3' -- ./musl </dev/null 2>summary && hits submit 6; }
	recorded "and hit" musl_exact
else
	skip "musl" "no musl-gcc here"
fi

# ---- a program at work is attached to ----
cat >busy.c <<'X'
/* threads: N threads that start and wait all the time; leaderless: the same, and the first thread
 * has ended; churn: N threads at a time that live for a moment, some of which beget another */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
void dma_to_host(unsigned n);
int dma_wait(void);
static __thread volatile unsigned v;
__attribute__((noinline)) void dma_to_host(unsigned n) { v = n; }
__attribute__((noinline)) int dma_wait(void) { usleep(50); return (int)v; }
static void *works(void *arg)
{
	do {
		dma_to_host(5);
		dma_wait();
	} while (!arg);
	return NULL;
}
static void begin(void *(*how)(void *), void *arg)
{
	pthread_t t;

	if (!pthread_create(&t, NULL, how, arg))
		pthread_detach(t);
}
static void *begets(void *arg)
{
	works(arg);
	if (v % 2)
		begin(works, arg);
	return NULL;
}
int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 1;

	puts("ready");
	fflush(stdout);
	for (int i = 0; i < n && strcmp(argv[1], "churn"); i++)
		begin(works, NULL);
	if (!strcmp(argv[1], "leaderless"))
		pthread_exit(NULL);
	for (;;) {
		if (strcmp(argv[1], "churn"))
			pause();
		for (int i = 0; i < n; i++)
			begin(begets, &n);
		usleep(300);
	}
}
X
$CC -O2 -pthread -o busy busy.c
begin_ns() { grep -ao 'begin_ns=[0-9]*' "$1" | tail -1 | cut -d= -f2; }
paired() { # nothing from before the begin; on no thread is a start followed by anything but its own return and wait
	rm -f t.db && "$B/dmaanalyze" -i a.data t.db >summary || return 1
	[ "$(sqlite3 t.db "SELECT min(time_ns) >= $(begin_ns a.data) FROM sample")" = 1 ] || return 1
	sqlite3 t.db "SELECT a.role || ' ' || b.role, count(*) FROM (SELECT tid, role, lead(sample.rowid) OVER (PARTITION BY tid ORDER BY time_ns) AS next
		FROM sample JOIN source ON source.id = source_id WHERE role <> 'interrupt') a JOIN sample s ON s.rowid = a.next JOIN source b ON b.id = s.source_id GROUP BY 1" >pairs
	cat pairs
	! grep -vE '^(submit started|started wait|wait woken|woken submit)\|' pairs && grep -q '^submit started' pairs
}
grown() { [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -gt $(($2 << 10)) ]; } # file, KiB
attached() { # busy's arguments...: once, until some hundred samples are there
	local rec rc
	running ./busy "$@"
	rm -f a.data
	"$B/dmarec" -q -p "$pid" -o a.data 2>notes & rec=$!
	until grown a.data 160 || ! kill -0 $rec; do sleep 0.05; done
	kill -INT $rec
	wait $rec
	rc=$?
	over
	[ $rc = 0 ] && paired && return
	cat notes
	return 1
}
often() { # times, busy's arguments...
	local i n=$1
	shift
	for i in $(seq "$n"); do attached "$@" || return 1; done
}
counts_agree() { ! sqlite3 t.db "SELECT name, counted, delivered FROM source WHERE role <> 'interrupt' AND counted <> delivered" | grep .; }
churned() { # but for those that were in a call at the beginning, threads begin with a start
	often 4 churn "$1" || return 1
	sqlite3 t.db "SELECT count(*), sum(role NOT IN ('submit', 'wait')) FROM (SELECT role, row_number() OVER (PARTITION BY tid ORDER BY time_ns) AS nth
		FROM sample JOIN source ON source.id = source_id WHERE role <> 'interrupt') WHERE nth = 1" >threads
	cat threads
	awk -F'|' '!($1 > 4 * $2) { exit 1 }' threads
}
said() { # never whole where threads are left out
	! grep -q 'are left out' notes || { ! grep -q 'Whole:' summary && grep -q 'are left out' summary; }
}
unreaped() { # it has ended, but its parent does not look: the recording ends
	local parent rec rc
	rm -f ready && mkfifo ready
	sh -c './busy threads 1 >/dev/null & echo $!; exec sleep 60' >ready & parent=$!
	read -r pid <ready
	timeout 30 "$B/dmarec" -q -p "$pid" -o u.data 2>notes & rec=$!
	until grep -aqs begin_ns u.data || ! kill -0 $rec; do sleep 0.1; done
	kill "$pid"
	wait $rec
	rc=$?
	kill $parent
	return $rc
}
recorded "attached to eight threads at work, no start lacks what follows it" often 4 threads 8
recorded "nor to one" often 4 threads 1
recorded "what was left out before the begin is not called lost" counts_agree
recorded "the first thread has ended, the others have not" attached leaderless 3
recorded "threads that come and go do not fail the recording, and are there from their start on" churned 1
recorded "nor many that beget others" churned 12
recorded "a recording without some of the threads is not called whole" said
recorded "a program that has ended is not waited for" unreaped

# ---- Rust, with the old names and the new ----
cat >rust.rs <<'X'
use std::sync::atomic::{AtomicU32, Ordering};
pub mod card {
    use super::*;
    pub struct Card { pub reg: AtomicU32 }
    pub trait Dma { fn dma_wait(&self, ch: u32) -> i32; }
    impl Card {
        #[inline(never)]
        pub fn dma_to_host(&self, ch: u32, size: u64) { self.reg.store(ch + size as u32, Ordering::SeqCst); }
        #[inline(never)]
        pub fn copy<T: Into<u64>>(&self, x: T) -> u64 { self.reg.store(1, Ordering::SeqCst); x.into() }
    }
    pub struct Ring<const N: usize> { pub head: AtomicU32 }
    pub trait Queue<T> { fn push_all(&self, x: T) -> u32; }
    impl<const N: usize> Queue<&str> for Ring<N> {
        #[inline(never)]
        fn push_all(&self, x: &str) -> u32 { self.head.fetch_add(x.len() as u32 + N as u32, Ordering::SeqCst) }
    }
    impl Dma for Card {
        #[inline(never)]
        fn dma_wait(&self, ch: u32) -> i32 { (self.reg.load(Ordering::SeqCst) + ch) as i32 }
    }
}
use card::*;
fn main() {
    let c = Card { reg: AtomicU32::new(0) };
    let mut n: i64 = 0;
    for i in 0..7 {
        c.dma_to_host(i, 4096);
        n += c.dma_wait(i) as i64 + c.copy(i) as i64;
    }
    let r = Ring::<8> { head: AtomicU32::new(0) };
    n += r.push_all("abc") as i64;
    println!("{}", n);
}
X
rust_names() {
	plan -- ./rust >plan.out && grep -q '^wait .*dma_wait' plan.out && grep -q '^submit .*Card::dma_to_host' plan.out &&
		plan --start Card::dma_to_host --wait Card::dma_wait -- ./rust >plan.out && grep -q '^wait ' plan.out &&
		plan --start card::Card::copy --wait Dma::dma_wait -- ./rust >plan.out && grep -q '^wait ' plan.out &&
		plan --start Ring::push_all -- ./rust >plan.out && grep -q '^submit .*Ring<.*push_all' plan.out &&
		plan --start card::Queue::push_all -- ./rust >plan.out && grep -q '^submit ' plan.out
}
rust_nearest() { ! plan --start Card::dma_to_hots -- ./rust && cat notes && grep -q 'nearest names are .*Card.*::dma_to_host' notes; }
for mangling in legacy v0; do
	if ! RUSTC_BOOTSTRAP=1 rustc -O -Z unstable-options -C symbol-mangling-version=$mangling -o rust rust.rs 2>/dev/null; then
		skip "Rust names, $mangling" "no rustc here"
		continue
	fi
	ok "Rust's functions by their names, $mangling" rust_names
	ok "and the nearest where there is none, $mangling" rust_nearest
done

# ---- the file at the path is not the file that runs ----
cat >mapped.c <<'X'
void dma_to_host(unsigned n);
int dma_wait(void);
static volatile unsigned v;
void dma_to_host(unsigned n) { v = n; }
int dma_wait(void) { return (int)v; }
X
cat >runs.c <<'X'
#include <stdio.h>
#include <unistd.h>
void dma_to_host(unsigned n);
int dma_wait(void);
int main(void)
{
	puts("ready");
	fflush(stdout);
	for (;;) {
		dma_to_host(5);
		dma_wait();
		usleep(2000);
	}
}
X
$CC -O2 -shared -fPIC -Wl,-soname,libmapped.so -o libmapped.so mapped.c
$CC -o runs runs.c -L. -lmapped -Wl,-rpath,"$tmp"
offset() { awk '$1 == "submit" { getline; sub(/.*\+/, ""); print; exit }' "$1"; }
old=$(plan -- ./runs >plan.out; offset plan.out)
replaced() { # the library is rewritten with its functions elsewhere
	running ./runs
	rm libmapped.so && $CC -O0 -shared -fPIC -Wl,-soname,libmapped.so -o libmapped.so mapped.c
	"$B/dmarec" --dry-run -p "$pid" >plan.out 2>notes
	local rc=$?
	over
	cat plan.out notes
	[ $rc = 0 ] && [ "$(offset plan.out)" = "$old" ] && grep -q "libmapped.so is not the file that process $pid runs: it was replaced" notes
}
hit() { # what was asked for is what is hit; nothing was changed meanwhile, and nothing is said to have been
	"$B/dmarec" -p "$pid" --duration 300ms -o m.data 2>summary
	over
	cat summary
	! grep 'changed or removed during' summary && [ "$(awk '$1 == "submit" { gsub(",", "", $4); print $4 }' summary)" -gt 0 ]
}
replaced_hit() { running ./runs && rm libmapped.so && $CC -O2 -shared -fPIC -Wl,-soname,libmapped.so -o libmapped.so mapped.c && hit; }
namespace_hit() {
	mkdir -p there && running unshare -m sh -c "mount --bind '$tmp' '$tmp/there' && mount -t tmpfs none /mnt && cp runs libmapped.so /mnt/ &&
		LD_LIBRARY_PATH=/mnt exec /mnt/runs" && hit
}
changed_there() { # within the process's own mounts
	local rec
	running unshare -m sh -c "mount -t tmpfs none /mnt && cp runs libmapped.so /mnt/ && LD_LIBRARY_PATH=/mnt exec /mnt/runs"
	rm -f m.data
	"$B/dmarec" -q -p "$pid" -o m.data 2>notes & rec=$!
	until grown m.data 64 || ! kill -0 $rec; do sleep 0.05; done
	nsenter -m -t "$pid" sh -c 'cp /mnt/libmapped.so /mnt/new && mv /mnt/new /mnt/libmapped.so'
	kill -INT $rec
	wait $rec
	over
	cat notes
	grep -q 'libmapped.so was replaced, changed or removed during the recording' notes
}
if [ "$may_record" ] && unshare -m true 2>/dev/null; then
	ok "of a library that was replaced the mapped one is planned, and told of" replaced
	ok "and its functions are hit" replaced_hit
	ok "those of a mount namespace of the process's own" namespace_hit
	ok "a library that is replaced there meanwhile is told of" changed_there
else
	skip "the file at the path is not the file that runs" "needs root and mount namespaces"
fi

# ---- roles given by hand, to what perf record wrote of events with names of one's own ----
named_events() { # 40 transfers with names of one's own
	sed 's/while (\*s & 1);/while (*s \& 1) usleep(20);/' loop.c >plain.c && $CC -O2 -o plain plain.c -pthread &&
		perf probe -q -x ./plain --add 'mystart=dma_to_host' --add 'mystart=dma_to_host%return' &&
		perf probe -q -x ./plain --add 'mywait=dma_wait' --add 'mywait=dma_wait%return' &&
		perf record -q -k CLOCK_MONOTONIC -o perf.data -e 'probe_plain:*' -- ./plain
	local rc=$?
	perf probe -q --del 'probe_plain:*'
	return $rc
}
by_hand() { # roles: no transfer has failed, and all are there
	rm -f p.db
	"$B/dmaanalyze" -q -i perf.data "$@" p.db >analysis 2>&1 || { cat analysis; return 1; }
	sqlite3 p.db "SELECT state, count(*) FROM transfer GROUP BY state" >s
	cat s; ! grep -q '^failed' s && [ "$(sqlite3 p.db 'SELECT count(*) FROM transfer')" = 40 ]
}
started=(--role mystart=submit:to_host --role mystart__return=started)
waited=(--role mywait=wait --role mywait__return=woken)
role_option() { # there is no recording: that is another error
	"$B/dmaanalyze" -i none.data --role X=submit:sideways none.db
	[ $? = 2 ] && "$B/dmaanalyze" -i none.data --role X=wait:to_host none.db
	[ $? = 2 ] && "$B/dmaanalyze" -i none.data --role X=ended none.db # of dmarec's own only
	[ $? = 2 ] && "$B/dmaanalyze" -i none.data --role X=submit:to_host none.db
	[ $? = 1 ]
}
ok "--role takes a direction behind submit" role_option
if [ "$may_record" ] && perf --version >/dev/null 2>&1; then
	ok "perf records events with names of one's own" named_events
	ok "start and wait with their exits" by_hand "${started[@]}" "${waited[@]}"
	ok "without the start's exit" by_hand --role mystart=submit "${waited[@]}"
	ok "entries only" by_hand --role mystart=submit --role mywait=wait
	ok "a start only" by_hand --role mystart=submit
	ok "an exit taken away" by_hand "${started[@]}" --role mywait=wait --role mywait__return=other
	two_roles() { # the place and the remedy
		rm -f p.db
		"$B/dmaanalyze" -q -i perf.data "${started[@]}" "${waited[@]}" --role probe_plain:mywait__return=other p.db
		[ $? = 2 ] && [ ! -e p.db ] && grep -q 'two roles, by --role mywait__return=woken and by --role probe_plain:mywait__return=other' err
	}
	ok "two roles for one event are refused" two_roles
	later_roles() { # facts stay: another role needs another database
		rm -f p.db
		"$B/dmaanalyze" -q -i perf.data "${started[@]}" "${waited[@]}" p.db || return 1
		"$B/dmaanalyze" -q -i perf.data "${started[@]}" p.db; [ $? = 2 ] || return 1
		grep -q 'the event probe_plain:mywait was given the role wait' err || return 1
		"$B/dmaanalyze" -q --role mywait=other p.db; [ $? = 2 ] || return 1
		"$B/dmaanalyze" -q -i perf.data "${waited[@]}" "${started[@]}" p.db && "$B/dmaanalyze" -q -i perf.data p.db
	}
	ok "other roles for what was loaded are refused" later_roles
else
	skip "roles by hand" "no perf, or no right to probe"
fi

# ---- files that are something else, and what perf packs ----
refused() { # file words: refused with what it is and what to do
	"$B/dmaanalyze" -i "$1" refused.db
	[ $? = 1 ] && grep -q "$2" err
}
"$B/dmaanalyze" -i nothing.data none.db 2>/dev/null
printf 'words of a person\n' >words
gzip -c words >words.gz
ok "gzip is told of" refused words.gz 'gunzip'
ok "so is a text" refused words 'is a text'
mkdir ctf perfs && : >ctf/metadata && : >perfs/data
ok "and a directory of CTF" refused ctf 'CTF trace'
ok "of perf record --threads" refused perfs 'without --threads'
ok "or of nobody's" refused . 'name the file'
if command -v zstd >/dev/null; then zstd -q -f words -o words.zst; ok "so is zstd" refused words.zst 'zstd -d'; else skip "zstd" "no zstd here"; fi
printf '\027\010\104tracing6\0' >trace.dat
ok "trace-cmd's file" refused trace.dat 'trace.dat of trace-cmd'
if [ "$may_record" ] && perf --version >/dev/null 2>&1; then
	perf_files() { # of 40 transfers: plain, through a pipe, packed
		local g=probe_plain$$ # perf's names are the machine's, whatever their group: names of our own
		perf probe -q -x ./plain --add "$g:dma_to_host_$$=dma_to_host" --add "$g:dma_to_host_$$=dma_to_host%return" &&
			perf probe -q -x ./plain --add "$g:dma_wait_$$=dma_wait" --add "$g:dma_wait_$$=dma_wait%return" &&
			perf record -q -k CLOCK_MONOTONIC -z -o packed.data -e "$g:*" -- ./plain &&
			perf record -q -k CLOCK_MONOTONIC -o - -e "$g:*" -- ./plain >piped.data &&
			perf record -q -k CLOCK_MONOTONIC -z -o - -e "$g:*" -- ./plain >packed.pipe
		local rc=$?
		perf probe -q --del "$g:*"
		return $rc
	}
	ok "perf packs a recording, and writes one into a pipe" perf_files
	packed() {
		rm -f z.db && "$B/dmaanalyze" -q -i packed.data z.db &&
			[ "$(perf script -i packed.data -F event | sort | uniq -c | awk '{ print $1 }' | paste -sd,)" = 40,40,40,40 ] &&
			[ "$(sqlite3 z.db 'SELECT group_concat(n) FROM (SELECT count(*) n FROM sample GROUP BY source_id)')" = 40,40,40,40 ]
	}
	ok "perf record -z is read" packed
	of_pipe() { # file: 40 of each of the four events
		rm -f i.db && "$B/dmaanalyze" -q -i "$1" i.db && [ "$(sqlite3 i.db 'SELECT group_concat(n) FROM (SELECT count(*) n FROM sample GROUP BY source_id)')" = 40,40,40,40 ]
	}
	ok "what went through a pipe is read" of_pipe piped.data
	ok "packed as well" of_pipe packed.pipe
	# That of perf 6.1 cannot be read by perf itself.
	rewritten() {
		perf inject -i piped.data -o unpiped.data 2>/dev/null
		if perf script -i unpiped.data >/dev/null 2>&1; then of_pipe unpiped.data; else refused unpiped.data "give that file itself"; fi
	}
	ok "what perf inject makes of it is read if it is whole, or refused with what is" rewritten
	pipe_cut() { # of a pipe that broke, what came
		head -c 21003 piped.data >broken.data && rm -f i.db && "$B/dmaanalyze" -i broken.data i.db && [ "$(sqlite3 i.db 'SELECT count(*) FROM sample')" -gt 50 ]
	}
	ok "of a pipe that broke, what came through it" pipe_cut
	cut_short() { # of a packed file that was cut, what is whole; of one that is damaged, where
		local size; size=$(stat -c %s packed.data)
		head -c $((size - 3000)) packed.data >cut.data
		"$B/dmaanalyze" -q -i cut.data cut.db; [ $? -le 1 ]
	}
	ok "a packed file that was cut does no harm" cut_short
else
	skip "what perf packs" "no perf, or no right to probe"
fi

# ---- a start that is nothing but its return, and a process that is killed within its wait, below a shell ----
cat >bare.c <<-'C'
	#include <signal.h>
	#include <stdlib.h>
	__attribute__((noipa)) void ship(int channel, unsigned long n) { (void)channel; (void)n; }
	__attribute__((noipa)) int await(int last)
	{
		int r = last ? raise(SIGKILL) : 0;
		__asm__ volatile("" : "+r"(r)); /* or the call would be a jump */
		return r;
	}
	int main(int argc, char **argv)
	{
		int n = atoi(argv[1]);
		for (int i = 0; i < n; i++) {
			ship(i, 4096);
			await(argc > 2 && i == n - 1);
		}
		return 0;
	}
C
$CC -O2 -fcf-protection=none -o bare bare.c
bare() { # how probes are armed: nothing failed, and of what was killed no more is known
	rm -f b.db
	"$B/dmarec" -q --probes "$1" -o b.data -x ./bare --start ship --wait await -- sh -c './bare 20; ./bare 30 kill; true' &&
		"$B/dmaanalyze" -q -i b.data b.db && [ "$(sqlite3 b.db "SELECT count(*), sum(state = 'failed'), sum(woken_ns IS NULL) FROM transfer")" = '50|0|1' ]
}
recorded "a start of one instruction, a killed process: by the kernel's probes" bare kernel
recorded "... and by those in the process" bare process

echo "1..$n"
exit $failed
