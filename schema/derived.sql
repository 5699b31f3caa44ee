-- Derived: everything here can be dropped and rebuilt from the facts (dmaanalyze --rebuild).

CREATE TABLE analysis ( -- one row for each run that was analysed
	run_id        INTEGER PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
	tool          TEXT NOT NULL,        -- "dmaanalyze 0.1.0"
	pairing       TEXT NOT NULL,        -- as used
	pairing_from  TEXT NOT NULL,        -- option, profile, inferred
	vectors_from  TEXT NOT NULL,        -- option, recording (named to dmarec or by its profile), found, none
	latency_phase TEXT NOT NULL,        -- phase that stands for "latency" in this run: device or total
	doorbell_from TEXT NOT NULL,        -- store, exit, none; driver: its event (and its word of the end); "store, driver": the store, and the driver's word
	submits       INTEGER NOT NULL, transfers INTEGER NOT NULL,
	interrupts    INTEGER NOT NULL, interrupts_used INTEGER NOT NULL,
	interrupts_stray INTEGER NOT NULL,
	interrupts_ignored INTEGER NOT NULL, -- of vectors that end nothing
	waits         INTEGER NOT NULL, waits_used INTEGER NOT NULL, waits_stray INTEGER NOT NULL,
	in_wait_ns    INTEGER NOT NULL,     -- within waits that returned, all threads
	pending       INTEGER NOT NULL, pending_ns INTEGER NOT NULL, -- of those, that said "not yet"
	overlapping   INTEGER NOT NULL,     -- starts begun while another thread was between a start's entry and its store
	undone        INTEGER NOT NULL,     -- starts whose bit another thread's store took away (analyze/undone.h)
	undone_maybe  INTEGER NOT NULL,     -- starts of which that is not certain
	undone_apart_ns INTEGER,            -- the longest time between the two stores of one that was; NULL = none was
	shortest_ns   INTEGER,              -- transfer, from its store to its wait's return; NULL = not known
	negative      INTEGER NOT NULL,     -- phases found negative
	disordered    INTEGER NOT NULL,
	advice        TEXT                  -- what to do when the evidence is thin
);

CREATE TABLE transfer (
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	id            INTEGER NOT NULL,     -- 1, 2, ... in order of submit_ns within the run
	card          INTEGER,
	channel       INTEGER,
	direction     TEXT NOT NULL,        -- to_host from_host unknown
	size_bytes    INTEGER,
	pid           INTEGER,
	tid           INTEGER,
	submit_ns     INTEGER,              -- entry of the start function
	doorbell_ns   INTEGER,              -- the store that starts, or the start function's exit
	irq_ns        INTEGER,              -- handler entry of the interrupt that ended it
	wait_ns       INTEGER,              -- entry of the wait that saw its end
	woken_ns      INTEGER,              -- exit of that wait
	irq           INTEGER,
	irq_cpu       INTEGER,
	coalesced     INTEGER,              -- transfers that this interrupt ended, this one included; NULL = none, or not known
	irq_count     INTEGER,              -- interrupts that this transfer had
	state         TEXT NOT NULL,        -- complete polled no_interrupt late aborted failed in_flight unknown circular
	reason        TEXT,                 -- why, where the state does not say it all
	api_ns        INTEGER,              -- phases: NULL where an end is missing or means nothing
	device_ns     INTEGER,
	notice_ns     INTEGER,
	total_ns      INTEGER,
	cleared_ns    INTEGER,              -- its channel's bit in the card's register cleared, the middle of what is known
	cleared_error_ns INTEGER,           -- so much earlier or later at most
	card_ns       INTEGER,              -- doorbell to cleared
	delivery_ns   INTEGER,              -- cleared to interrupt; below 0: the interrupt came first
	ended_ns      INTEGER,              -- the driver's own word of its end, by a key (lib/key/key.h)
	driver        TEXT,                 -- what its events say: agrees differs alone (with ended_ns) unclear unseen; NULL = nothing
	witness       TEXT,                 -- after before alone unpaired unseen unclear (analyze/witness.h); NULL = not watched
	PRIMARY KEY (run_id, id),
	CHECK (typeof(size_bytes) IN ('integer', 'null')
		AND typeof(submit_ns) IN ('integer', 'null')
		AND typeof(coalesced) IN ('integer', 'null')
		AND typeof(irq_count) IN ('integer', 'null')
		AND typeof(api_ns) IN ('integer', 'null')
		AND typeof(device_ns) IN ('integer', 'null')
		AND typeof(notice_ns) IN ('integer', 'null')
		AND typeof(total_ns) IN ('integer', 'null'))
) WITHOUT ROWID;

CREATE TABLE stray ( -- what belongs to no transfer
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	kind          TEXT NOT NULL,        -- interrupt wait doorbell exit stop
	time_ns       INTEGER NOT NULL,
	card          INTEGER,
	channel       INTEGER,
	irq           INTEGER,
	cpu           INTEGER,
	tid           INTEGER,
	reason        TEXT NOT NULL
);

CREATE TABLE vector ( -- verdict for each vector, with its evidence (lib/vector/vector.h)
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	irq           INTEGER NOT NULL,
	card          INTEGER,              -- NULL = over all
	channel       INTEGER,              -- NULL = over all
	score         REAL NOT NULL,        -- 0 .. 1
	verdict       TEXT NOT NULL,        -- completion, data available, shared, unrelated, silent, unclear
	used          INTEGER NOT NULL,     -- 1 = transfers were joined with it
	transfers     INTEGER NOT NULL,     -- intervals doorbell -> woken looked at
	one           INTEGER NOT NULL,     -- of those, with exactly one of its interrupts inside
	none          INTEGER NOT NULL,
	many          INTEGER NOT NULL,
	interrupts    INTEGER NOT NULL,
	outside       INTEGER NOT NULL,     -- of its interrupts, inside no interval
	position      REAL,                 -- median place within the interval, 0 .. 1
	to_end_ns     REAL,                 -- median from interrupt to woken
	slope_ns_per_byte REAL,
	intercept_ns  REAL,
	why           TEXT NOT NULL
);

CREATE TABLE summary ( -- one row for each group and phase; the group of NULLs is the whole run
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	card          INTEGER,              -- NULL = all
	channel       INTEGER,              -- NULL = all
	direction     TEXT,                 -- NULL = all
	phase         TEXT NOT NULL,        -- api device notice total; card delivery where a register was watched
	n             INTEGER NOT NULL,     -- values that the figures stand on
	excluded      INTEGER NOT NULL,     -- transfers of the group whose value is not known
	negative      INTEGER NOT NULL,     -- values below 0 among n (evidence, not dropped)
	min_ns INTEGER, max_ns INTEGER,     -- exact
	mean_ns REAL, stddev_ns REAL,       -- exact; sample standard deviation
	error_ns INTEGER                    -- what the probes add to each of them on that host; at most min_ns
);

CREATE TABLE quantile (
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	card          INTEGER,              -- NULL = all
	channel       INTEGER,
	direction     TEXT,
	phase         TEXT NOT NULL,
	q             REAL NOT NULL,        -- 0 < q < 1
	value_ns      INTEGER,              -- nearest rank, within 0.4 %
	bound_low_ns  INTEGER,              -- had all excluded transfers been fastest
	bound_high_ns INTEGER,              -- had they been slowest
	ci_low_ns     INTEGER,              -- 95 % by order statistics, if values were independent
	ci_high_ns    INTEGER,
	CHECK (typeof(q) = 'real'
		AND typeof(value_ns) IN ('integer', 'null'))
);

CREATE TABLE histogram ( -- log-linear, relative error at most 0.4 % (lib/hist.h)
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	card          INTEGER,
	channel       INTEGER,
	direction     TEXT NOT NULL,
	phase         TEXT NOT NULL,
	low_ns        INTEGER NOT NULL,     -- values v with low_ns <= v < high_ns
	high_ns       INTEGER NOT NULL,
	n             INTEGER NOT NULL
);

CREATE TABLE state_count (
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	card          INTEGER,
	channel       INTEGER,
	direction     TEXT NOT NULL,
	state         TEXT NOT NULL,
	n             INTEGER NOT NULL,
	size_bytes    INTEGER,              -- sum of known sizes
	CHECK (typeof(n) IN ('integer', 'null'))
);

CREATE TABLE throughput ( -- bytes of what ended for the program over the time it took as a group (lib/dma.h)
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	card          INTEGER,              -- NULL = all
	channel       INTEGER,
	direction     TEXT,
	transfers     INTEGER NOT NULL,     -- complete polled no_interrupt late unknown, with a known end and size
	size_bytes    INTEGER,              -- NULL when the sum is beyond 63 bits
	from_ns       INTEGER,              -- first submit
	to_ns         INTEGER,              -- last end
	bytes_per_s   REAL                  -- NULL when it cannot be told
);

CREATE TABLE fit ( -- latency = a + size / bandwidth, Theil and Sen's line (lib/line.h)
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	card          INTEGER,
	channel       INTEGER,
	direction     TEXT NOT NULL,
	phase         TEXT NOT NULL,        -- device or total
	n             INTEGER NOT NULL,
	sizes         INTEGER NOT NULL,     -- distinct sizes (1 = no line)
	-- NULL: no line is supported (one size, few transfers, or the slope not above 0 or not known to a factor of 3)
	a_ns REAL, a_low_ns REAL, a_high_ns REAL, -- 95 %
	ns_per_byte REAL, ns_per_byte_low REAL, ns_per_byte_high REAL,
	r2 REAL                             -- share of the variance that size explains (least squares, outliers and all)
);
