# SPDX-License-Identifier: GPL-2.0-only
# Read by tests/distros/SUITE.t: this tree in another release of Debian: built with its compilers and libraries, its demo,
# and the unit and cli tests that need no guest, in the size of make check. A database made there opens here, and one made here opens there.
. "${BASH_SOURCE%/*}/../cli/lib.sh"
suite=$(basename "$0" .t)
root=$SRC/build/distros/$suite
in_it() { "$SRC/scripts/distro.sh" run "$suite" "$@"; }

reason=$("$SRC/scripts/distro.sh" make "$suite" build test)
case $? in
0) ;;
77) skip_all "$reason" ;;
*) echo "Bail out! $suite cannot be made: $reason"; exit 1 ;;
esac
cd "$root" || exit 1
rm -f out err

ok "$suite: builds" in_it "make -j$(nproc) unit-programs cli-programs man"
ok "$suite: make demo" in_it make demo
grep -h '^demo: \|complete\|polled' out | head -5 | sed 's/^/# /'
# (In a file of its own: what follows must not take it away.)
log=$SRC/build/distros/$suite.tests
"$SRC/scripts/distro.sh" run "$suite" 'SIM_SIZE=tenth CHECK=distro scripts/tests.sh $(make -s list-tests)' >"$log" 2>&1
result $? "$suite: unit and cli tests (build/distros/$suite.tests)"
grep -E '(^| )not ok |^(Files=|Result)|Dubious|  Failed test' "$log" | sed 's/^/# /'
grep -q '^Files=' "$log" || { echo "# prove did not come to its end; the last words:"; tail -3 "$log" | sed 's/^/# /'; }

# ---- one database for all ----
db=build/demo/trace.db
ok "$suite: its sqlite3 reads its database" in_it "sqlite3 $db 'SELECT count(*) FROM completeness'"
ok "$suite: so does its Python" in_it "python3 -c 'import sqlite3; print(sqlite3.connect(\"$db\").execute(\"SELECT count(*) FROM transfer_us\").fetchone())'"
cp "$root/src/$db" here.db
ok "$suite: its database is read here" "$B/dmaanalyze" here.db
ok "$suite: ... and by the sqlite3 here" sqlite3 here.db 'SELECT count(*) FROM transfer_us'
ok "$suite: its recording is analysed here" "$B/dmaanalyze" -i "$root/src/build/demo/dma.data" again.db
mv again.db "$root/tmp/"
ok "$suite: a database made here is read there" in_it 'build/dmaanalyze /tmp/again.db && sqlite3 /tmp/again.db "SELECT * FROM completeness"'
rm -f here.db "$root/tmp/again.db"

version() { in_it "$1" 2>/dev/null | head -1; }
echo "# system kernel gcc SQLite libbpf feed transfers complete"
echo "# $suite $(uname -r) $(version 'gcc -dumpfullversion') $(version 'pkg-config --modversion sqlite3')" \
	"$(version 'pkg-config --modversion libbpf') $(sqlite3 -separator ' ' "$root/src/$db" \
	"SELECT (SELECT irq_feed FROM run), count(*), sum(state = 'complete') FROM transfer")"
finish
