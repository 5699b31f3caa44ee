-- Statements of the tools, by name (lib/db/db.h: db_prepare_named). Parameters are bound and columns
-- are read by name, so every expression has one (AS). Nothing newer than SQLite 3.26 (tests/cli/format.t).

-- name: run_by_identity
SELECT id, raw_sha256 = :sha AS same_raw FROM run WHERE uuid = :uuid OR raw_sha256 = :sha;

-- name: run_insert
INSERT INTO run (uuid, label, host, kernel, arch, cpus, command, started_utc, begin_ns, end_ns, duration_ns,
	clock, profile, pairing, tool, irq_feed, workload_pid, exit_status, exit_signal, finished, from_start, roles_guessed,
	uprobe_cost_ns, process_cost_ns, irq_cost_ns, disordered, raw_path, raw_sha256)
VALUES (:uuid, :label, :host, :kernel, :arch, :cpus, :command, :started, :begin, :end, :duration,
	:clock, :profile, :pairing, :tool, :feed, :pid, :status, :signal, :finished, :from_start, :guessed,
	:uprobe_cost, :process_cost, :irq_cost, 0, :path, :sha);

-- name: run_times
UPDATE run SET begin_ns = :begin, end_ns = :end, duration_ns = :end - :begin, started_utc = :started,
	disordered = :disordered
WHERE id = :run;

-- Samples have no foreign key, which a million of them would pay for; the rest goes with the run.
-- name: run_remove_samples
DELETE FROM sample WHERE run_id = :run;

-- name: run_remove
DELETE FROM run WHERE id = :run;

-- name: run_rename
UPDATE run SET label = :label WHERE id = :run;

-- name: run_sha
UPDATE run SET raw_sha256 = :text WHERE id = :run;

-- name: runs
SELECT id, label, started_utc, duration_ns, host, command, profile, tool, finished,
	(SELECT transfers FROM analysis a WHERE a.run_id = run.id) AS transfers
FROM run ORDER BY id;

-- The cost of a probe's hit is that of the dearer kind that was armed.
-- name: run
SELECT label, host, kernel, command, started_utc, begin_ns, end_ns, duration_ns, clock, profile, pairing, tool,
	irq_feed, workload_pid, exit_status, exit_signal, finished, from_start, roles_guessed,
	coalesce(max(uprobe_cost_ns, process_cost_ns), uprobe_cost_ns, process_cost_ns) AS probe_cost_ns, irq_cost_ns, disordered,
	raw_path, uuid, raw_sha256, arch, cpus
FROM run WHERE id = :run;

-- name: source_insert
INSERT INTO source (run_id, name, role, direction, function, file, offset, armed, counted)
VALUES (:run, :name, :role, :direction, :function, :file, :offset, :armed, :counted);

-- name: source_delivered
UPDATE source SET delivered = :delivered, lost = counted - :delivered WHERE id = :id;

-- name: sources
SELECT id, name, role, direction, function, counted, delivered, lost FROM source WHERE run_id = :run ORDER BY id;

-- name: irq_insert
INSERT OR IGNORE INTO irq (run_id, irq, name, chip, vector, bdf, affinity, affinity_after, masked, count_before,
	count_after, recorded, named, named_channel)
VALUES (:run, :irq, :name, :chip, :vector, :bdf, :affinity, :affinity_after, :masked, :before, :after,
	:recorded, :named, :named_channel);

-- name: irqs
SELECT irq, CASE WHEN EXISTS (SELECT 1 FROM irq h WHERE h.run_id = i.run_id AND h.irq = i.irq + 1000000)
	THEN NULL ELSE count_after - count_before END AS counted, recorded, named, named_channel, name
FROM irq i WHERE run_id = :run;

-- name: handler_insert
INSERT OR IGNORE INTO irq (run_id, irq, name, chip, vector, bdf, affinity, affinity_after, masked, recorded, named,
	named_channel)
SELECT run_id, :irq, :name, chip, vector, bdf, affinity, affinity_after, masked, 1, named, named_channel
FROM irq WHERE run_id = :run AND irq = :line UNION ALL
SELECT :run, :irq, :name, NULL, NULL, NULL, NULL, NULL, NULL, 1, 0, NULL LIMIT 1;

-- name: handler_name
UPDATE irq SET name = :name WHERE run_id = :run AND irq = :irq AND :line IS NOT NULL;

-- name: card_insert
INSERT OR IGNORE INTO card (run_id, card, key, name) VALUES (:run, :card, :key, :name);

-- name: counter_insert
INSERT INTO counter (run_id, name, before, after) VALUES (:run, :name, :before, :after);

-- name: environment_insert
INSERT OR IGNORE INTO environment (run_id, key, value) VALUES (:run, :key, :value);

-- name: warning_insert
INSERT INTO warning (run_id, text) VALUES (:run, :text);

-- name: warnings
SELECT text FROM warning WHERE run_id = :run ORDER BY rowid;

-- name: loss_insert
INSERT INTO loss (run_id, cpu, from_ns, to_ns, lost, kind) VALUES (:run, :cpu, :from, :to, :lost, :kind);

-- name: losses
SELECT cpu, from_ns, to_ns, lost, kind FROM loss WHERE run_id = :run ORDER BY from_ns;

-- name: sample_insert
INSERT INTO sample (run_id, time_ns, cpu, pid, tid, source_id, irq, card, channel, direction, size_bytes, addr,
	flags, ret, key, bits)
VALUES (:run, :time, :cpu, :pid, :tid, :source, :irq, :card, :channel, :direction, :size, :addr, :flags, :ret, :key, :bits);

-- name: samples
SELECT time_ns, cpu, pid, tid, source_id, irq, card, channel, direction, size_bytes, addr, flags, ret, key, bits
FROM sample WHERE run_id = :run ORDER BY rowid;

-- name: register_insert
INSERT INTO register (run_id, source_id, name, bdf, file, offset, width, busy, channel, channels, mode, cpu, shared_cpu,
	link_bytes_per_s, readings, read_min_ns, read_median_ns, read_p99_ns, read_max_ns, gap_ns, watched_ns, ended)
VALUES (:run, :source, :name, :bdf, :file, :offset, :width, :busy, :channel, :channels, :mode, :cpu, :shared, :link, :readings, :min,
	:median, :p99, :max, :gap, :watched, :ended);

-- name: registers
SELECT name, bdf, file, offset, width, busy, mode, cpu, shared_cpu, link_bytes_per_s, readings, read_min_ns,
	read_median_ns, read_p99_ns, read_max_ns, gap_ns, watched_ns, ended,
	(SELECT count(*) FROM edge e WHERE e.run_id = r.run_id AND e.source_id = r.source_id AND busy = 1) AS starts,
	(SELECT count(*) FROM edge e WHERE e.run_id = r.run_id AND e.source_id = r.source_id AND busy = 0) AS clears
FROM register r WHERE run_id = :run ORDER BY rowid;

-- name: counted_insert
INSERT INTO counted (run_id, source_id, text, unit, scale, cpus) VALUES (:run, :source, :text, :unit, :scale, :cpus);

-- name: count_insert
INSERT INTO count (run_id, source_id, time_ns, value, enabled_ns, running_ns)
VALUES (:run, :source, :time, :value, :enabled, :running);

-- name: counts
SELECT event, unit, value, scaled, seconds, readings,
	(SELECT size_bytes FROM throughput t WHERE t.run_id = c.run_id AND t.direction IS NULL) AS given_bytes
FROM counts c WHERE run_id = :run;

-- name: edge_insert
INSERT INTO edge (run_id, source_id, time_ns, since_ns, card, channel, busy, value)
VALUES (:run, :source, :time, :since, :card, :channel, :busy, :value);

-- name: watched
SELECT (SELECT count(*) FROM register WHERE run_id = :run) AS registers,
	(SELECT count(*) FROM (SELECT DISTINCT card FROM transfer WHERE run_id = :run)) AS cards,
	(SELECT count(*) FROM (SELECT DISTINCT channel FROM transfer WHERE run_id = :run)) AS channels;

-- name: clears
SELECT card, channel, since_ns, time_ns FROM edge WHERE run_id = :run AND busy = 0 ORDER BY time_ns;

-- name: witness_transfers
SELECT id, card, channel, direction, size_bytes, state, submit_ns, doorbell_ns, irq_ns, woken_ns,
	EXISTS (SELECT 1 FROM register r WHERE r.run_id = t.run_id AND (r.channel = t.channel OR t.channel < r.channels
		OR (r.channel IS NULL AND r.channels IS NULL))) AS watched
FROM transfer t WHERE run_id = :run ORDER BY card, channel, id;

-- name: witness_update
UPDATE transfer SET cleared_ns = :cleared, cleared_error_ns = :error, card_ns = :card_time, delivery_ns = :delivery,
	witness = :witness, notice_ns = coalesce(notice_ns, :notice)
WHERE run_id = :run AND id = :id;

-- name: witnesses
SELECT witness, count(*) AS n, max(cleared_error_ns) AS worst_error_ns,
	sum(witness = 'alone' AND woken_ns IS NOT NULL) AS noticed,
	sum(witness = 'after' AND woken_ns < irq_ns) AS overtaken
FROM transfer WHERE run_id = :run AND witness IS NOT NULL GROUP BY witness;

-- name: heard
WITH heard AS (SELECT woken_ns - irq_ns AS ns FROM transfer WHERE run_id = :run AND woken_ns IS NOT NULL AND irq_ns IS NOT NULL),
	behind AS (SELECT ns, row_number() OVER (ORDER BY ns) AS rank, count(*) OVER () AS n FROM heard WHERE ns >= 0),
	before AS (SELECT -ns AS ns, row_number() OVER (ORDER BY -ns) AS rank, count(*) OVER () AS n FROM heard WHERE ns < 0)
SELECT (SELECT count(*) FROM behind) AS behind, (SELECT ns FROM behind WHERE rank = (n + 1) / 2) AS behind_ns,
	(SELECT count(*) FROM before) AS before, (SELECT ns FROM before WHERE rank = (n + 1) / 2) AS before_ns;

-- name: driver_words
SELECT driver AS word, count(*) AS n FROM transfer WHERE run_id = :run AND driver IS NOT NULL GROUP BY driver;

-- name: transfer_insert
INSERT INTO transfer (run_id, id, card, channel, direction, size_bytes, pid, tid, submit_ns, doorbell_ns, irq_ns,
	wait_ns, woken_ns, irq, irq_cpu, coalesced, irq_count, state, reason, api_ns, device_ns, notice_ns,
	total_ns, ended_ns, driver)
VALUES (:run, :id, :card, :channel, :direction, :size, :pid, :tid, :submit, :doorbell, :irq_time, :wait, :woken, :irq,
	:irq_cpu, :coalesced, :irq_count, :state, :reason, :api, :device, :notice, :total, :ended, :driver);

-- name: stray_insert
INSERT INTO stray (run_id, kind, time_ns, card, channel, irq, cpu, tid, reason)
VALUES (:run, :kind, :time, :card, :channel, :irq, :cpu, :tid, :reason);

-- name: vector_insert
INSERT INTO vector (run_id, irq, card, channel, score, verdict, used, transfers, one, none, many, interrupts,
	outside, position, to_end_ns, slope_ns_per_byte, intercept_ns, why)
VALUES (:run, :irq, :card, :channel, :score, :verdict, :used, :transfers, :one, :none, :many, :interrupts,
	:outside, :position, :to_end, :slope, :intercept, :why);

-- name: vectors
SELECT v.irq, i.name, v.card, v.channel, v.verdict, v.used, v.transfers, v.one, v.none, v.many, v.interrupts,
	v.outside, v.position, v.to_end_ns, v.slope_ns_per_byte, v.score, v.why,
	CASE WHEN EXISTS (SELECT 1 FROM irq h WHERE h.run_id = i.run_id AND h.irq = i.irq + 1000000)
		THEN NULL ELSE i.count_after - i.count_before END AS counted
FROM vector v LEFT JOIN irq i ON i.run_id = v.run_id AND i.irq = v.irq
WHERE v.run_id = :run
ORDER BY v.card IS NOT NULL OR v.channel IS NOT NULL, v.score DESC, v.irq, v.card, v.channel;

-- name: analysis_insert
INSERT INTO analysis (run_id, tool, pairing, pairing_from, vectors_from, latency_phase, doorbell_from, submits,
	transfers, interrupts, interrupts_used, interrupts_stray, interrupts_ignored, waits, waits_used,
	waits_stray, in_wait_ns, pending, pending_ns, overlapping, undone, undone_maybe, undone_apart_ns, shortest_ns, negative,
	disordered, advice)
VALUES (:run, :tool, :pairing, :pairing_from, :vectors_from, :latency, :doorbell, :submits, :transfers,
	:interrupts, :irq_used, :irq_stray, :irq_ignored, :waits, :waits_used, :waits_stray, :in_wait, :pending,
	:pending_time, :overlapping, :undone, :undone_maybe, :undone_apart, :shortest, :negative, :disordered, :advice);

-- name: analysis
SELECT tool, pairing, pairing_from, vectors_from, latency_phase, doorbell_from, submits, transfers, interrupts,
	interrupts_used, interrupts_stray, interrupts_ignored, waits, waits_used, waits_stray, in_wait_ns, pending,
	pending_ns, overlapping, undone, undone_maybe, undone_apart_ns, shortest_ns, negative, disordered, advice
FROM analysis WHERE run_id = :run;

-- name: summary_insert
INSERT INTO summary (run_id, card, channel, direction, phase, n, excluded, negative, min_ns, max_ns, mean_ns,
	stddev_ns, error_ns)
VALUES (:run, :card, :channel, :direction, :phase, :n, :excluded, :negative, :min, :max, :mean, :stddev, :error);

-- name: summaries
SELECT card, channel, direction, phase, n, excluded, negative, min_ns, max_ns, mean_ns, stddev_ns, error_ns
FROM summary WHERE run_id = :run
ORDER BY direction IS NOT NULL, card, channel, direction,
	CASE phase WHEN 'api' THEN 0 WHEN 'device' THEN 1 WHEN 'notice' THEN 2 WHEN 'total' THEN 3 ELSE 4 END;

-- name: quantile_insert
INSERT INTO quantile (run_id, card, channel, direction, phase, q, value_ns, bound_low_ns, bound_high_ns,
	ci_low_ns, ci_high_ns)
VALUES (:run, :card, :channel, :direction, :phase, :q, :value, :low, :high, :ci_low, :ci_high);

-- name: quantiles
SELECT q, value_ns, bound_low_ns, bound_high_ns, ci_low_ns, ci_high_ns FROM quantile
WHERE run_id = :run AND card IS :card AND channel IS :channel AND direction IS :direction AND phase = :phase
ORDER BY q;

-- name: histogram_insert
INSERT INTO histogram (run_id, card, channel, direction, phase, low_ns, high_ns, n)
VALUES (:run, :card, :channel, :direction, :phase, :low, :high, :n);

-- name: state_insert
INSERT INTO state_count (run_id, card, channel, direction, state, n, size_bytes)
VALUES (:run, :card, :channel, :direction, :state, :n, :size);

-- name: states
SELECT card, channel, direction, state, n FROM state_count WHERE run_id = :run
ORDER BY card, channel, direction, n DESC;

-- name: pairs
SELECT count(*) AS paired, sum(coalesced > 1) AS coalesced, max(coalesced) AS most_coalesced,
	sum(irq_count > 1) AS repeated, max(irq_count) AS most_repeated
FROM transfer WHERE run_id = :run AND irq_ns IS NOT NULL;

-- name: reasons
SELECT state, reason, count(*) AS n FROM transfer WHERE run_id = :run AND reason IS NOT NULL
GROUP BY state, reason ORDER BY n DESC;

-- name: strays
SELECT kind, reason, count(*) AS n FROM stray WHERE run_id = :run GROUP BY kind, reason ORDER BY n DESC;

-- name: throughput_insert
INSERT INTO throughput (run_id, card, channel, direction, transfers, size_bytes, from_ns, to_ns, bytes_per_s)
VALUES (:run, :card, :channel, :direction, :transfers, :size, :from, :to, :rate);

-- name: throughput
SELECT transfers, size_bytes, to_ns - from_ns AS took_ns, bytes_per_s,
	(SELECT sum(n) FROM state_count s WHERE s.run_id = t.run_id AND (t.direction IS NULL
		OR (s.card IS t.card AND s.channel IS t.channel AND s.direction = t.direction))) - transfers AS left_out
FROM throughput t
WHERE run_id = :run AND card IS :card AND channel IS :channel AND direction IS :direction;

-- name: fit_insert
INSERT INTO fit (run_id, card, channel, direction, phase, n, sizes, a_ns, a_low_ns, a_high_ns, ns_per_byte,
	ns_per_byte_low, ns_per_byte_high, r2)
VALUES (:run, :card, :channel, :direction, :phase, :n, :sizes, :a, :a_low, :a_high, :b, :b_low, :b_high, :r2);

-- name: drop_analysis
DELETE FROM analysis WHERE run_id = :run;
-- name: drop_transfer
DELETE FROM transfer WHERE run_id = :run;
-- name: drop_stray
DELETE FROM stray WHERE run_id = :run;
-- name: drop_vector
DELETE FROM vector WHERE run_id = :run;
-- name: drop_summary
DELETE FROM summary WHERE run_id = :run;
-- name: drop_quantile
DELETE FROM quantile WHERE run_id = :run;
-- name: drop_histogram
DELETE FROM histogram WHERE run_id = :run;
-- name: drop_state_count
DELETE FROM state_count WHERE run_id = :run;
-- name: drop_throughput
DELETE FROM throughput WHERE run_id = :run;
-- name: drop_fit
DELETE FROM fit WHERE run_id = :run;

-- ---- dmacompare ----
-- name: compare_labelled
SELECT id FROM run WHERE label = :label ORDER BY id;

-- name: compare_run
SELECT r.label, r.uuid, r.clock, r.finished, r.roles_guessed,
	coalesce(max(r.uprobe_cost_ns, r.process_cost_ns), r.uprobe_cost_ns, r.process_cost_ns) AS probe_cost_ns, a.latency_phase, a.doorbell_from,
	a.transfers,
	(SELECT sum(counted) FROM source s WHERE s.run_id = r.id AND s.role <> 'other') AS counted,
	(SELECT sum(delivered) FROM source s WHERE s.run_id = r.id AND s.role <> 'other') AS delivered,
	(SELECT sum(lost) FROM source s WHERE s.run_id = r.id AND s.role <> 'other') AS lost_by_count,
	(SELECT sum(lost) FROM loss l WHERE l.run_id = r.id) AS lost_by_window,
	(SELECT count(DISTINCT card) FROM transfer t WHERE t.run_id = r.id) AS cards,
	r.started_utc, r.duration_ns
FROM run r LEFT JOIN analysis a ON a.run_id = r.id WHERE r.id = :run;

-- What may differ between two runs beside the latencies, as key and value. A driver's counter that stood still
-- is a property of the machine (a firmware's version); one that counted is not.
-- name: compare_facts
SELECT key, value FROM (
	SELECT 1 AS place, 'host' AS key, host AS value FROM run WHERE id = :run
	UNION ALL SELECT 2, 'kernel', kernel FROM run WHERE id = :run
	UNION ALL SELECT 3, 'architecture', arch FROM run WHERE id = :run
	UNION ALL SELECT 4, 'CPUs', CAST(cpus AS TEXT) FROM run WHERE id = :run
	UNION ALL SELECT 5, 'command', command FROM run WHERE id = :run
	UNION ALL SELECT 6, 'exit of the workload',
		CASE WHEN exit_signal IS NOT NULL THEN 'signal ' || exit_signal ELSE CAST(exit_status AS TEXT) END
		FROM run WHERE id = :run
	UNION ALL SELECT 7, 'profile', profile FROM run WHERE id = :run
	UNION ALL SELECT 8, 'clock', clock FROM run WHERE id = :run
	UNION ALL SELECT 9, 'recorder', tool FROM run WHERE id = :run
	UNION ALL SELECT 10, 'interrupts by', irq_feed FROM run WHERE id = :run
	UNION ALL SELECT 11, 'whole to its end', CASE finished WHEN 0 THEN 'no' ELSE 'yes' END FROM run WHERE id = :run
	UNION ALL SELECT 12, 'roles of events', CASE roles_guessed WHEN 0 THEN 'told' ELSE 'guessed' END
		FROM run WHERE id = :run
	UNION ALL SELECT 13, 'analysed by', tool FROM analysis WHERE run_id = :run
	UNION ALL SELECT 14, 'pairing', pairing FROM analysis WHERE run_id = :run
	UNION ALL SELECT 15, 'doorbell from', doorbell_from FROM analysis WHERE run_id = :run
	UNION ALL SELECT 16, 'latency is', latency_phase FROM analysis WHERE run_id = :run
	UNION ALL SELECT 20, 'affinity of ' || coalesce(name, 'interrupt ' || irq) || coalesce(' vector ' || vector, ''),
		affinity || CASE WHEN affinity_after <> affinity THEN ', then ' || affinity_after ELSE '' END
		FROM irq WHERE run_id = :run AND recorded = 1
	UNION ALL SELECT 30, key, value FROM environment WHERE run_id = :run
	UNION ALL SELECT 40, 'counter ' || name, before FROM counter WHERE run_id = :run AND before = after)
ORDER BY place, key, value;

-- name: compare_sizes
SELECT DISTINCT size_bytes FROM transfer WHERE run_id = :run LIMIT 6;

-- name: compare_errors
SELECT phase, error_ns FROM summary
WHERE run_id = :run AND card IS NULL AND channel IS NULL AND direction IS NULL;

-- name: compare_transfers
SELECT card, channel, direction, size_bytes, state, submit_ns, woken_ns, irq_ns, api_ns, device_ns, notice_ns, total_ns,
	card_ns, delivery_ns
FROM transfer WHERE run_id = :run ORDER BY id;

-- ---- dmareport ----
-- name: report_run
SELECT label, host, kernel, command, started_utc, begin_ns, end_ns, clock, profile, tool, finished,
	coalesce(max(uprobe_cost_ns, process_cost_ns), uprobe_cost_ns, process_cost_ns) AS probe_cost_ns
FROM run WHERE id = :run;

-- name: report_events
SELECT sum(counted) AS counted, sum(delivered) AS delivered, sum(lost) AS lost FROM source WHERE run_id = :run AND role <> 'other';

-- name: report_losses
SELECT from_ns, to_ns, lost FROM loss WHERE run_id = :run ORDER BY from_ns LIMIT 2000;

-- name: report_analysis
SELECT latency_phase, transfers, submits FROM analysis WHERE run_id = :run;

-- name: report_states
SELECT state, sum(n) AS n FROM state_count WHERE run_id = :run GROUP BY state;

-- name: report_groups
SELECT card, channel, direction, sum(n) AS n FROM state_count WHERE run_id = :run GROUP BY card, channel, direction;

-- name: report_summary
SELECT phase, n, excluded, negative, min_ns, max_ns, mean_ns, error_ns FROM summary
WHERE run_id = :run AND card IS NULL AND channel IS NULL AND direction IS NULL;

-- name: report_quantiles
SELECT phase, q, value_ns, ci_high_ns FROM quantile
WHERE run_id = :run AND card IS NULL AND channel IS NULL AND direction IS NULL;

-- name: report_fits
SELECT card, channel, direction, phase, a_ns, a_low_ns, a_high_ns, ns_per_byte, ns_per_byte_low, ns_per_byte_high, sizes
FROM fit WHERE run_id = :run;

-- name: report_extent
SELECT min(submit_ns) AS first_submit_ns, max(submit_ns) AS last_submit_ns, max(woken_ns) AS last_woken_ns,
	max(irq_ns) AS last_irq_ns, min(size_bytes) AS smallest, max(size_bytes) AS largest
FROM transfer WHERE run_id = :run;

-- name: report_least
SELECT min(CASE WHEN api_ns > 0 THEN api_ns END) AS api_ns, min(CASE WHEN device_ns > 0 THEN device_ns END) AS device_ns,
	min(CASE WHEN notice_ns > 0 THEN notice_ns END) AS notice_ns, min(CASE WHEN total_ns > 0 THEN total_ns END) AS total_ns,
	sum(api_ns = 0) AS api_0, sum(device_ns = 0) AS device_0, sum(notice_ns = 0) AS notice_0, sum(total_ns = 0) AS total_0
FROM transfer WHERE run_id = :run;

-- name: report_transfers
SELECT id, card, channel, direction, size_bytes, submit_ns, doorbell_ns, irq_ns, woken_ns, irq, irq_cpu, state,
	api_ns, device_ns, notice_ns, total_ns
FROM transfer WHERE run_id = :run;

-- name: report_strays
SELECT time_ns FROM stray WHERE run_id = :run AND kind = 'interrupt';

-- name: report_around
SELECT submit_ns, irq_ns, woken_ns, irq_cpu, id FROM transfer WHERE run_id = :run AND id >= :id ORDER BY id;

-- name: report_strays_around
SELECT time_ns, cpu FROM stray WHERE run_id = :run AND kind = 'interrupt' AND time_ns BETWEEN :from AND :to;

-- name: report_histogram
SELECT card, channel, direction, low_ns, high_ns, n FROM histogram WHERE run_id = :run AND phase = :phase
ORDER BY low_ns;

-- name: report_intervals
SELECT q, ci_low_ns, ci_high_ns, bound_low_ns, bound_high_ns FROM quantile
WHERE run_id = :run AND card IS NULL AND channel IS NULL AND direction IS NULL AND phase = :phase ORDER BY q;

-- name: report_phases
SELECT card, channel, direction, phase, q, value_ns FROM quantile
WHERE run_id = :run AND value_ns IS NOT NULL AND (abs(q - 0.5) < 1e-9 OR abs(q - 0.99) < 1e-9)
ORDER BY direction IS NOT NULL, card, channel, direction;

-- The link of the device whose interrupts end transfers; or the only one that was recorded.
-- name: report_link
SELECT s.value AS speed, w.value AS width
FROM environment s JOIN environment w ON w.run_id = s.run_id AND w.key = 'link_width.' || substr(s.key, 12)
WHERE s.run_id = :run AND s.key LIKE 'link_speed.%'
	AND (substr(s.key, 12) IN (SELECT i.bdf FROM irq i JOIN vector v ON v.run_id = i.run_id AND v.irq = i.irq
			WHERE i.run_id = :run AND v.used = 1)
		OR (SELECT count(*) FROM environment WHERE run_id = :run AND key LIKE 'link_speed.%') = 1)
LIMIT 1;

-- name: page_environment
SELECT key, value FROM environment WHERE run_id = :run ORDER BY key;

-- name: page_advice
SELECT advice FROM analysis WHERE run_id = :run;

-- name: page_events
SELECT event, role, function, counted, delivered, lost FROM completeness WHERE run_id = :run
	AND (counted IS NULL OR counted > 0 OR delivered > 0 OR lost > 0);

-- name: page_events_rest
SELECT CASE count(*) WHEN 0 THEN NULL WHEN 1 THEN 'One event never happened.' ELSE count(*) || ' events never happened.' END AS text
FROM completeness WHERE run_id = :run AND counted = 0 AND NOT (coalesce(delivered, 0) > 0 OR coalesce(lost, 0) > 0);

-- name: page_phases
SELECT s.card, s.channel, s.direction, s.phase, s.n, s.excluded, s.negative, s.min_ns,
	max(CASE WHEN abs(q.q - 0.5) < 1e-9 THEN q.value_ns END) AS p50_ns,
	s.mean_ns,
	max(CASE WHEN abs(q.q - 0.9) < 1e-9 THEN CASE WHEN q.ci_high_ns IS NULL THEN '~' ELSE '' END || q.value_ns END) AS p90_ns,
	max(CASE WHEN abs(q.q - 0.99) < 1e-9 THEN CASE WHEN q.ci_high_ns IS NULL THEN '~' ELSE '' END || q.value_ns END) AS p99_ns,
	max(CASE WHEN abs(q.q - 0.999) < 1e-9 THEN CASE WHEN q.ci_high_ns IS NULL THEN '~' ELSE '' END || q.value_ns END) AS p999_ns,
	s.max_ns, s.error_ns
FROM summary s LEFT JOIN quantile q ON q.run_id = s.run_id AND q.card IS s.card AND q.channel IS s.channel
	AND q.direction IS s.direction AND q.phase = s.phase
WHERE s.run_id = :run AND (s.n > 0 OR s.excluded > 0) AND (s.direction IS NOT NULL OR (SELECT count(*) FROM summary o WHERE o.run_id = s.run_id
	AND o.phase = s.phase AND o.direction IS NOT NULL) <> 1)
GROUP BY s.card, s.channel, s.direction, s.phase
ORDER BY s.card, s.channel, s.direction, s.rowid;

-- name: report_throughput
SELECT bytes_per_s, size_bytes, transfers,
	(SELECT sum(n) FROM state_count s WHERE s.run_id = t.run_id) - transfers AS left_out
FROM throughput t WHERE run_id = :run AND direction IS NULL;

-- name: page_throughput
SELECT card, channel, direction, bytes_per_s, size_bytes, to_ns - from_ns AS took_ns, transfers,
	(SELECT sum(n) FROM state_count s WHERE s.run_id = t.run_id AND (t.direction IS NULL
		OR (s.card IS t.card AND s.channel IS t.channel AND s.direction = t.direction))) - transfers AS left_out
FROM throughput t WHERE run_id = :run AND transfers > 0 AND (direction IS NOT NULL OR (SELECT count(*) FROM throughput o
	WHERE o.run_id = t.run_id AND o.direction IS NOT NULL) <> 1)
ORDER BY card, channel, direction;

-- name: page_fits
SELECT card, channel, direction, phase, n, sizes, a_ns, a_low_ns, a_high_ns,
	CASE WHEN ns_per_byte > 0 THEN 1e9 / ns_per_byte END AS bytes_per_s,
	CASE WHEN ns_per_byte_high > 0 THEN 1e9 / ns_per_byte_high END AS bytes_per_s_low,
	CASE WHEN ns_per_byte_low > 0 THEN 1e9 / ns_per_byte_low END AS bytes_per_s_high
FROM fit WHERE run_id = :run AND a_ns IS NOT NULL;

-- name: page_vectors
SELECT v.irq, i.name, i.vector, v.verdict, CASE v.used WHEN 1 THEN 'yes' ELSE 'no' END AS used, v.interrupts, v.outside, v.why
FROM vector v LEFT JOIN irq i ON i.run_id = v.run_id AND i.irq = v.irq
WHERE v.run_id = :run AND v.card IS NULL AND v.channel IS NULL AND (v.used OR v.verdict <> 'silent')
ORDER BY v.used DESC, v.score DESC;

-- name: page_vectors_rest
SELECT 'Silent: ' || group_concat(irq || coalesce(' ' || name, ''), ', ') || '.' AS text
FROM (SELECT v.irq, i.name FROM vector v LEFT JOIN irq i ON i.run_id = v.run_id AND i.irq = v.irq
	WHERE v.run_id = :run AND v.card IS NULL AND v.channel IS NULL AND NOT v.used AND v.verdict = 'silent' ORDER BY v.irq);

-- name: page_registers
SELECT name, coalesce(bdf, file) AS place, mode, readings, read_median_ns, gap_ns,
	(SELECT count(*) FROM edge e WHERE e.run_id = r.run_id AND e.source_id = r.source_id AND busy = 0) AS clears, ended
FROM register r WHERE run_id = :run ORDER BY rowid;

-- name: page_witness
SELECT CASE witness WHEN 'after' THEN 'after the clear' WHEN 'before' THEN 'before the clear'
	WHEN 'alone' THEN 'none, though it cleared' WHEN 'unpaired' THEN 'not known which' WHEN 'unseen' THEN 'no clear was seen'
	ELSE 'unclear whose clear' END AS witness, count(*) AS n, max(cleared_error_ns) AS error_ns
FROM transfer WHERE run_id = :run AND witness IS NOT NULL GROUP BY transfer.witness;

-- name: page_counts
SELECT event, scaled, coalesce(unit, '') AS unit, seconds, readings FROM counts WHERE run_id = :run;

-- name: report_counts
SELECT c.source_id, d.text, c.time_ns, c.value FROM count c JOIN counted d ON d.run_id = c.run_id AND d.source_id = c.source_id
WHERE c.run_id = :run ORDER BY c.time_ns;

-- ---- the answer (lib/db/answer.h) ----
-- name: answer
SELECT a.latency_phase, a.vectors_from, a.doorbell_from, a.transfers, a.advice,
	(SELECT sum(n) FROM state_count s WHERE s.run_id = a.run_id AND state IN ('complete', 'late')) AS by_interrupt,
	(SELECT sum(n) FROM state_count s WHERE s.run_id = a.run_id AND state = 'unknown') AS uncertain,
	(SELECT sum(n) FROM state_count s WHERE s.run_id = a.run_id AND state = 'polled') AS polled,
	(SELECT sum(n) FROM state_count s WHERE s.run_id = a.run_id AND state = 'no_interrupt') AS no_interrupt,
	(SELECT sum(n) FROM state_count s WHERE s.run_id = a.run_id AND state IN ('failed', 'aborted')) AS failed,
	(SELECT max(sum(coalesce(counted, 0)), sum(coalesce(delivered, 0))) FROM source o WHERE o.run_id = a.run_id AND role = 'submit') AS starts,
	(SELECT replace(group_concat(DISTINCT function), ',', ', ') FROM source o WHERE o.run_id = a.run_id AND role = 'submit') AS functions,
	(SELECT sum(lost) FROM source o WHERE o.run_id = a.run_id AND role <> 'other') AS lost,
	(SELECT sum(counted) FROM source o WHERE o.run_id = a.run_id AND role <> 'other') AS counted,
	(SELECT count(*) FROM source o WHERE o.run_id = a.run_id AND role <> 'other' AND counted IS NULL) AS uncounted,
	(SELECT count(*) FROM loss l WHERE l.run_id = a.run_id) AS losses,
	(SELECT count(*) FROM loss l WHERE l.run_id = a.run_id AND kind = 'ring') AS ring_losses,
	(SELECT count(*) FROM warning w WHERE w.run_id = a.run_id) AS warnings,
	(SELECT bytes_per_s FROM throughput t WHERE t.run_id = a.run_id AND direction IS NULL) AS bytes_per_s,
	(SELECT min(size_bytes) FROM transfer t WHERE t.run_id = a.run_id) AS smallest,
	(SELECT max(size_bytes) FROM transfer t WHERE t.run_id = a.run_id) AS largest,
	(SELECT '''' || label || '''' FROM run r WHERE r.id = a.run_id AND instr(label, '''') = 0 AND length(label) < 38) AS label,
	(SELECT '''' || r.label || '''' FROM run r JOIN run own ON own.id = a.run_id WHERE r.id < own.id AND r.label <> own.label
		AND instr(r.label, '''') = 0 AND length(r.label) < 38 ORDER BY r.id DESC LIMIT 1) AS base,
	(SELECT count(DISTINCT channel) FROM state_count s WHERE s.run_id = a.run_id) AS channels,
	(SELECT min(channel) FROM state_count s WHERE s.run_id = a.run_id) AS channel
FROM analysis a WHERE run_id = :run;

-- name: answer_phase
SELECT n, negative, max_ns,
	(SELECT value_ns FROM quantile q WHERE q.run_id = s.run_id AND q.phase = s.phase AND direction IS NULL AND card IS NULL
		AND channel IS NULL AND abs(q - 0.5) < 1e-9) AS median_ns,
	(SELECT value_ns FROM quantile q WHERE q.run_id = s.run_id AND q.phase = s.phase AND direction IS NULL AND card IS NULL
		AND channel IS NULL AND abs(q - 0.99) < 1e-9) AS p99_ns,
	(SELECT ci_high_ns FROM quantile q WHERE q.run_id = s.run_id AND q.phase = s.phase AND direction IS NULL AND card IS NULL
		AND channel IS NULL AND abs(q - 0.99) < 1e-9) AS p99_high_ns,
	(SELECT id FROM transfer t WHERE t.run_id = s.run_id AND CASE s.phase WHEN 'device' THEN device_ns ELSE total_ns END = max_ns
		LIMIT 1) AS worst,
	(SELECT submit_ns FROM transfer t WHERE t.run_id = s.run_id AND CASE s.phase WHEN 'device' THEN device_ns ELSE total_ns END = max_ns
		LIMIT 1) - (SELECT min(submit_ns) FROM transfer t WHERE t.run_id = s.run_id) AS worst_at_ns
FROM summary s WHERE run_id = :run AND phase = :phase AND direction IS NULL AND card IS NULL AND channel IS NULL;

-- name: answer_groups
SELECT CASE WHEN (SELECT count(DISTINCT card) FROM state_count c WHERE c.run_id = :run) > 1 THEN card END AS card,
	channel, direction, value_ns AS median_ns FROM quantile
WHERE run_id = :run AND phase = :phase AND direction IS NOT NULL AND abs(q - 0.5) < 1e-9 AND value_ns IS NOT NULL
ORDER BY value_ns, card, channel, direction;

-- name: answer_vectors
SELECT v.irq, i.name, v.verdict FROM vector v LEFT JOIN irq i ON i.run_id = v.run_id AND i.irq = v.irq
WHERE v.run_id = :run AND v.used = 1 AND v.card IS NULL AND v.channel IS NULL ORDER BY v.irq;
