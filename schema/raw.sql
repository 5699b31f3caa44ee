-- Facts: what was recorded. Append-only; nothing here is derived. Times are nanoseconds on the
-- recording's clock (run.clock); NULL means not known, never 0.
-- PRAGMA user_version is the schema's version; lib/db/db.c refuses another.
-- Made and read by SQLite 3.26 and later, so not STRICT (3.37): lib/db/db.c reads no value as what it is not, and
-- CHECK guards the columns that SQL itself counts with.

CREATE TABLE run (
	id            INTEGER PRIMARY KEY,
	uuid          TEXT NOT NULL UNIQUE, -- of the recording; derived from raw_sha256 for foreign files
	label         TEXT,                 -- the user's
	host          TEXT,
	kernel        TEXT,                 -- uname -r
	arch          TEXT,
	cpus          INTEGER,              -- online CPUs
	command       TEXT,                 -- the workload
	started_utc   TEXT,                 -- ISO 8601, when recording began
	begin_ns      INTEGER,              -- recording armed
	end_ns        INTEGER,              -- recording disarmed
	duration_ns   INTEGER,              -- end_ns - begin_ns
	clock         TEXT,                 -- monotonic, monotonic_raw, boottime, tai, perf (not told)
	profile       TEXT,
	pairing       TEXT,                 -- as the profile states: infer, one, drain, first, last
	tool          TEXT,                 -- "dmarec 0.1.0", "perf 6.1.192"
	irq_feed      TEXT,                 -- bpf, perf
	workload_pid  INTEGER,              -- the command's process; NULL = attached or not known
	exit_status   INTEGER,              -- of the workload; NULL = not known or killed by a signal
	exit_signal   INTEGER,
	finished      INTEGER NOT NULL,     -- 1 = the recorder ended the file itself
	from_start    INTEGER NOT NULL DEFAULT 0, -- 1 = the recorder started the workload when all was armed: nothing was in flight
	roles_guessed INTEGER NOT NULL,     -- 1 = roles inferred from event names (perf record)
	uprobe_cost_ns INTEGER,             -- of one hit of a uprobe, measured on that host; NULL = none was armed
	process_cost_ns INTEGER,            -- of one hit of a probe armed in the process, likewise
	irq_cost_ns   INTEGER,              -- of one interrupt sample, likewise
	disordered    INTEGER NOT NULL,     -- records that came too late for the merge by time
	raw_path      TEXT,
	raw_sha256    TEXT NOT NULL UNIQUE,
	CHECK (typeof(begin_ns) IN ('integer', 'null')
		AND typeof(end_ns) IN ('integer', 'null')
		AND typeof(duration_ns) IN ('integer', 'null'))
);

CREATE TABLE source ( -- an event that was armed
	id            INTEGER PRIMARY KEY,
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	name          TEXT NOT NULL,        -- of the trace event: group:name
	role          TEXT NOT NULL,        -- submit doorbell started interrupt handled wait woken stop register count other
	direction     TEXT NOT NULL,        -- to_host from_host unknown
	function      TEXT,
	file          TEXT,
	offset        INTEGER,              -- bytes into file
	armed         TEXT,                 -- kernel: a uprobe; process: by the agent; NULL = a tracepoint or not told
	counted       INTEGER,              -- hits by the count of the kernel or the agent
	delivered     INTEGER,              -- samples found in the recording
	lost          INTEGER,              -- counted - delivered
	CHECK (typeof(counted) IN ('integer', 'null')
		AND typeof(delivered) IN ('integer', 'null')
		AND typeof(lost) IN ('integer', 'null'))
);
CREATE INDEX source_run ON source (run_id);

CREATE TABLE irq ( -- the interrupt map, before and after
	run_id          INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	irq             INTEGER NOT NULL,   -- number; 1000000 more for each handler before it on a shared line
	name            TEXT,               -- as the driver registered it
	chip            TEXT,
	vector          INTEGER,            -- index within the device
	bdf             TEXT,               -- PCI address
	affinity        TEXT,               -- CPU list before the run
	affinity_after  TEXT,
	masked          INTEGER,            -- 1, 0
	count_before    INTEGER,            -- /proc/interrupts, all CPUs
	count_after     INTEGER,
	recorded        INTEGER NOT NULL,   -- 1 = in the recording's filter
	named           INTEGER NOT NULL,   -- 1 = user or profile named it as the completion vector
	named_channel   INTEGER,            -- only for this channel
	PRIMARY KEY (run_id, irq),
	CHECK (typeof(count_before) IN ('integer', 'null')
		AND typeof(count_after) IN ('integer', 'null'))
);

CREATE TABLE card (
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	card          INTEGER NOT NULL,     -- 0, 1, ... in order of first use
	key           INTEGER,              -- the program's own: object address, fd or number
	name          TEXT,                 -- path, where known
	PRIMARY KEY (run_id, card)
);

CREATE TABLE sample ( -- one event, in order of time (rowid)
	run_id        INTEGER NOT NULL,     -- run.id
	time_ns       INTEGER NOT NULL,
	cpu           INTEGER,
	pid           INTEGER,
	tid           INTEGER,
	source_id     INTEGER NOT NULL,     -- source.id
	irq           INTEGER,
	card          INTEGER,
	channel       INTEGER,
	direction     TEXT,                 -- to_host, from_host; NULL = no transfer's event or unknown
	size_bytes    INTEGER,
	addr          INTEGER,
	flags         INTEGER,
	ret           INTEGER,              -- return value; of a doorbell: what it stores in a register of bits
	key           INTEGER,              -- of a driver's event, or a start: what the start and the end of a transfer share
	bits          INTEGER NOT NULL      -- enum sample_bits of lib/dma.h
);

CREATE TABLE register ( -- of the card, read while recording
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	source_id     INTEGER NOT NULL,     -- source.id
	name          TEXT NOT NULL,
	bdf           TEXT,                 -- PCI address
	file          TEXT,                 -- that was mapped
	offset        INTEGER,              -- bytes into it
	width         INTEGER,              -- bits
	busy          TEXT,                 -- what says that a channel runs
	channel       INTEGER,              -- that it tells of; NULL = not told, or several
	channels      INTEGER,              -- it tells of so many, from 0
	mode          TEXT,                 -- when it was read: always, in flight, every 20.0 µs
	cpu           INTEGER,              -- that read it
	shared_cpu    INTEGER NOT NULL,     -- 1 = the workload may have run there too
	link_bytes_per_s INTEGER,           -- of the card's PCIe link, each way
	readings      INTEGER,
	read_min_ns INTEGER, read_median_ns INTEGER, read_p99_ns INTEGER, read_max_ns INTEGER, -- of one reading
	gap_ns        INTEGER,              -- the longest time that a change may lie in
	watched_ns    INTEGER,              -- for so long readings followed each other
	ended         TEXT                  -- why before the recording; NULL = it did not
);

CREATE TABLE edge ( -- a change of a channel's state in a register
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	source_id     INTEGER NOT NULL,     -- source.id
	time_ns       INTEGER NOT NULL,     -- the reading that saw it had ended
	since_ns      INTEGER NOT NULL,     -- the reading before had begun
	card          INTEGER,
	channel       INTEGER,
	busy          INTEGER NOT NULL,     -- 1 = it runs from then on
	value         INTEGER               -- of the register
);

CREATE TABLE counted ( -- an event of a counting unit of the machine (PMU), for the whole system
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	source_id     INTEGER NOT NULL,     -- source.id
	text          TEXT NOT NULL,        -- as it was asked for: uncore_iio_0/event=0x83/
	unit          TEXT,                 -- of value * scale; NULL = a plain number
	scale         REAL NOT NULL,
	cpus          INTEGER               -- on how many it was opened
);

CREATE TABLE count ( -- its readings, every 10 ms
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	source_id     INTEGER NOT NULL,     -- source.id
	time_ns       INTEGER NOT NULL,
	value         INTEGER NOT NULL,     -- since recording was armed, sum over its CPUs
	enabled_ns    INTEGER,              -- it was asked for, sum over its CPUs
	running_ns    INTEGER               -- and ran; less: value * enabled / running is what it would have been
);

CREATE TABLE loss ( -- samples known to be missing
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	cpu           INTEGER,              -- NULL = not known which
	from_ns       INTEGER,              -- NULL = from the beginning; of a cut: up to here all is there
	to_ns         INTEGER,              -- NULL = to the end
	lost          INTEGER NOT NULL,     -- how many
	source_id     INTEGER,              -- NULL = any of that ring
	kind          TEXT NOT NULL,        -- ring (LOST record), count (counted > delivered), cut (file cut short), handler
	                                    -- (of two of one name on a line: whose interrupt it was is not known)
	CHECK (typeof(lost) IN ('integer', 'null'))
);

CREATE TABLE counter ( -- driver counters the profile asks for, before and after
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	name          TEXT NOT NULL,
	before        TEXT,
	after         TEXT
);

CREATE TABLE environment ( -- what else may matter when runs are compared
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	key           TEXT NOT NULL,        -- governor, link_speed.BDF, link_width.BDF, module.NAME, ...
	value         TEXT,
	PRIMARY KEY (run_id, key)
);

CREATE TABLE warning ( -- sentences that the recorder or the loader printed
	run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	text          TEXT NOT NULL
);
