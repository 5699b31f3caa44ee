#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A recording in parts: loaded as one it is what the same records are in one file, and each part loads by itself.
. "${BASH_SOURCE%/*}/lib.sh"
needs dmarec dmaanalyze examples/blkdma
needs_recording
rec=$B/dmarec ana=$B/dmaanalyze work=$B/examples/blkdma
workdir

# The file of one recording whose recorder was killed: the first part's head, and the data of all.
splice() { # files; to standard output
	perl -e '
		use strict;
		my $first = 1;
		for my $file (@ARGV) {
			open my $in, "<:raw", $file or die "$file: $!";
			my $all = do { local $/; <$in> };
			my ($at, $size) = unpack "Q<Q<", substr $all, 40, 16;
			$size ||= length($all) - $at;
			my $data = substr $all, $at, $size;
			if ($first) {
				my $head = substr $all, 0, $at;
				my $dir = index $head, "DMAREC\0\1";
				my $n = unpack "L<", substr $head, $dir + 8, 4;
				substr $head, 48, 8, "\0" x 8;
				substr $head, 72, 32, "\0" x 32;
				substr $head, $dir + 16 + 24 * ($n - 1) + 16, 8, "\0" x 8;
				print $head;
				$first = 0;
			}
			print $data;
		}' "$@"
}
rows() { # database
	sqlite3 "$1" 'SELECT submit_ns, doorbell_ns, irq_ns, wait_ns, woken_ns, state, irq, coalesced, reason FROM transfer ORDER BY submit_ns, id'
}
parts() { ls p.data p.data.????; }

ok "--rotate" "$rec" -o p.data --rotate 1s -- "$work" --count 1200 --pause 1500us --depth 2
n=$(parts | wc -l)
[ "$n" -ge 2 ]
result $? "... makes parts: $n"
like "... and says so" "$(cat err)" "in p.data and its $((n - 1)) more parts"
ok "the first part loads all" "$ana" -q -i p.data w.db
ok "... every transfer once" sql_is w.db 1200 'SELECT count(*) FROM transfer'
ok "... as a recording that its recorder finished" sql_is w.db 1 'SELECT finished FROM run'
ok "... with nothing missing of the calls" sql_is w.db 0 "SELECT count(*) FROM source WHERE role <> 'interrupt' AND counted IS NOT delivered"
ok "... and nothing said of parts" sql_is w.db 0 "SELECT count(*) FROM warning WHERE text LIKE '%part%'"
ok "... from when nothing was in flight" sql_is w.db 1 'SELECT from_start FROM run'
ok "... once" "$ana" -i p.data w.db
like "... which it says" "$(cat err)" 'is run 1 of w.db already'

ok "the second part loads by itself" "$ana" -q -i p.data.0002 w.db
ok "... as a run of its own" sql_is w.db 2 'SELECT count(*) FROM run'
ok "... that says what it is" sql_is w.db 1 "SELECT count(*) FROM warning WHERE run_id = 2 AND text LIKE '%is part 2 of a recording%not seen to start%'"
ok "... and that something may be in flight" sql_is w.db 0 'SELECT from_start FROM run WHERE id = 2'
ok "... that begins where the first ends" sql_is w.db 1 'SELECT min(time_ns) >= begin_ns AND max(time_ns) <= end_ns FROM sample s JOIN run r ON r.id = s.run_id WHERE r.id = 2'
ok "... and of which the whole has all" sql_is w.db 0 'SELECT count(*) FROM sample a WHERE run_id = 2 AND NOT EXISTS (SELECT 1 FROM sample b WHERE b.run_id = 1 AND b.time_ns = a.time_ns AND b.tid IS a.tid)'
ok "a pair lies across that seam" sql_least w.db 1 'SELECT count(*) FROM transfer t, run r WHERE t.run_id = 1 AND r.id = 2 AND t.submit_ns < r.begin_ns AND t.woken_ns >= r.begin_ns'

# ---- the same records in one file, and a recorder that was killed ----
unfinish() { # file: as it is when its recorder is killed
	perl -e '
		open my $f, "+<:raw", $ARGV[0] or die;
		read $f, my $all, -s $f;
		my ($at, $size) = unpack "Q<Q<", substr $all, 40, 16;
		my $dir = index $all, "DMAREC\0\1";
		my $n = unpack "L<", substr $all, $dir + 8, 4;
		seek $f, 48, 0; print $f "\0" x 8;
		seek $f, 72, 0; print $f "\0" x 32;
		seek $f, $dir + 16 + 24 * ($n - 1) + 16, 0; print $f "\0" x 8;
		truncate $f, $at + $size;' "$1"
}
mkdir killed
cp $(parts) killed
unfinish "killed/$(parts | tail -1)"
(cd killed && splice $(ls p.data p.data.????)) >one.data
ok "a recorder that was killed: its parts load" "$ana" -q -i killed/p.data killed.db
ok "... as not finished" sql_is killed.db 0 'SELECT finished FROM run'
ok "... with the end of the last not known" sql_is killed.db 1 "SELECT count(*) FROM loss WHERE kind = 'cut'"
ok "the same records in one file load" "$ana" -q -i one.data one.db
rows killed.db >killed.rows
rows one.db >one.rows
cmp -s killed.rows one.rows && [ -s one.rows ]
result $? "... and every transfer is the same, in time, state and reason"
unfinish "killed/$(parts | tail -2 | head -1)"
ok "killed between two parts" "$ana" -q -i killed/p.data between.db
rows between.db >between.rows
cmp -s between.rows one.rows
result $? "... the same, too"

# ---- what else may lie there ----
mkdir gap
cp p.data gap
ok "the first part alone loads" "$ana" -q -i gap/p.data gap.db
ok "... and says that there is more" sql_is gap.db 1 "SELECT count(*) FROM warning WHERE text LIKE '%goes on in the next, which is not loaded%'"
ok "... its counts not being known" sql_is gap.db 0 'SELECT count(counted) FROM source'
"$rec" -q -o gap/p.data.0002 -- "$work" --count 10 >/dev/null 2>&1
ok "a file of another recording with a part's name" "$ana" -q -i gap/p.data other.db
ok "... is left out" sql_is other.db 0 'SELECT count(*) FROM transfer WHERE submit_ns > (SELECT end_ns FROM run)'
mkdir cut
cp $(parts) cut
truncate -s -20000 cut/p.data
ok "a part that was cut, with others behind it, is refused" status 1 "$ana" -q -i cut/p.data cut.db
like "... by its name" "$(cat err)" 'cut/p.data: was cut or damaged, and another part'

ok "--max-size" "$rec" -q -o s.data --max-size 1M -- "$work" --count 4000
[ -f s.data.0002 ] && [ "$(stat -c %s s.data)" -ge $((1 << 20)) ]
result $? "... begins another when one has so much"
ok "... and all load as one" "$ana" -q -i s.data s.db
ok "... whole" sql_is s.db 4000 'SELECT count(*) FROM transfer'

ok "--keep is one file" status 2 "$rec" --keep 1s --rotate 10s -- true
like "... it says" "$(cat err)" 'without --rotate and --max-size'
ok "a part is a second at least" status 2 "$rec" --rotate 10ms -- true
finish
