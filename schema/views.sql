-- What a person asks for: `sqlite3 trace.db 'SELECT * FROM ...'` or any notebook.

-- Completeness first: what was counted, delivered, lost, for each event.
CREATE VIEW completeness AS
SELECT run_id, name AS event, role, function, counted, delivered, lost,
       CASE WHEN counted IS NULL THEN NULL WHEN counted = 0 THEN 100.0
            ELSE round(100.0 * delivered / counted, 3) END AS delivered_pct
FROM source;

-- Transfers with times in microseconds from the start of the recording.
CREATE VIEW transfer_us AS
SELECT t.run_id, t.id, t.card, t.channel, t.direction, t.size_bytes, t.state, t.reason,
       (t.submit_ns - r.begin_ns) / 1e3 AS at_us,
       t.api_ns / 1e3 AS api_us, t.device_ns / 1e3 AS device_us,
       t.notice_ns / 1e3 AS notice_us, t.total_ns / 1e3 AS total_us,
       t.card_ns / 1e3 AS card_us, t.delivery_ns / 1e3 AS delivery_us, t.cleared_error_ns / 1e3 AS cleared_error_us,
       t.irq, t.irq_cpu, t.coalesced
FROM transfer t JOIN run r ON r.id = t.run_id;

-- The interrupt as the kernel counted it against what was recorded.
CREATE VIEW interrupt_check AS
SELECT i.run_id, i.irq, i.name, i.chip, i.vector, i.bdf,
       i.count_after - i.count_before AS proc_interrupts,
       (SELECT count(*) FROM sample s JOIN source o ON o.id = s.source_id
        WHERE s.run_id = i.run_id AND s.irq = i.irq AND o.role = 'interrupt') AS recorded,
       (SELECT verdict FROM vector v WHERE v.run_id = i.run_id AND v.irq = i.irq
        AND v.channel IS NULL AND v.card IS NULL) AS verdict
FROM irq i;

-- What the registers and the interrupts say of the transfers, together.
CREATE VIEW witnesses AS
SELECT run_id, card, channel, witness, state, count(*) AS n, avg(delivery_ns) / 1e3 AS mean_delivery_us,
       max(cleared_error_ns) / 1e3 AS worst_error_us
FROM transfer WHERE witness IS NOT NULL GROUP BY run_id, card, channel, witness, state;

-- What the machine's units counted in all, as `perf stat` would print it.
CREATE VIEW counts AS
SELECT c.run_id, d.text AS event, d.unit, max(c.value) AS value,
       max(c.value) * d.scale * CASE WHEN max(c.running_ns) > 0 THEN 1.0 * max(c.enabled_ns) / max(c.running_ns) ELSE 1 END AS scaled,
       (max(c.time_ns) - min(c.time_ns)) / 1e9 AS seconds, count(*) AS readings
FROM count c JOIN counted d ON d.run_id = c.run_id AND d.source_id = c.source_id
GROUP BY c.run_id, c.source_id;
