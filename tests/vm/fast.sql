-- A scenario of the fast card whose register was read, against the card's log: number, channel, fault (0 none, 1 drop,
-- 2 double, 3 late, 4 early), between which times the bit was cleared, when the interrupt was raised (0: not), how well the clocks are known.
-- What register and interrupt say of a transfer together: 3 ms lie between them where the card was told to be late or
-- early. An interrupt that the card raised in time may reach its handler late: it was late then.
-- Where the bounds of an edge leave both open nothing is told. A second interrupt is one that belongs to no transfer, while the
-- register says that none runs.
CREATE TABLE heard AS SELECT s.time_ns FROM sample s JOIN source o ON o.id = s.source_id
WHERE o.role = 'interrupt' AND s.irq IN (SELECT irq FROM vector WHERE used);
CREATE TABLE word AS
SELECT l.*, t.state, t.witness, t.cleared_ns, t.cleared_error_ns, t.delivery_ns, t.irq_ns,
	(SELECT count(*) FROM heard WHERE time_ns BETWEEN t.irq_ns AND t.next_ns) AS heard,
	CASE WHEN (SELECT label = 'fast_masked' FROM run) THEN CASE WHEN t.witness = 'alone' THEN 0 WHEN t.cleared_ns NOT NULL THEN -1 END
	     WHEN t.witness = 'alone' THEN 1
	     WHEN t.delivery_ns - t.cleared_error_ns >= 2000000 THEN 3
	     WHEN t.delivery_ns + t.cleared_error_ns <= -2000000 THEN 4
	     WHEN t.delivery_ns + t.cleared_error_ns < 2000000 AND t.delivery_ns - t.cleared_error_ns > -2000000
	     THEN CASE WHEN EXISTS (SELECT 1 FROM stray x WHERE x.kind = 'interrupt' AND x.time_ns BETWEEN t.irq_ns AND t.next_ns)
		  THEN 2 ELSE 0 END END AS said
FROM edge_log l LEFT JOIN (SELECT *, coalesce(lead(submit_ns) OVER (ORDER BY id), 9e18) AS next_ns FROM transfer) t ON t.id = l.number;
SELECT (SELECT count(*) FROM word),
       (SELECT count(cleared_ns) FROM word),
       -- edges that are not where the card's log has them
       (SELECT count(*) FROM word WHERE cleared_ns + cleared_error_ns + clocks_ns + 20000 < clear_ns
        OR cleared_ns - cleared_error_ns - clocks_ns - 20000 > cleared_by_ns),
       -- misses of what ran longer than the readings were apart
       (SELECT count(*) FROM word, (SELECT max(gap_ns) AS gap_ns FROM register) JOIN transfer t ON t.id = number
        WHERE word.witness = 'unseen' AND clear_ns - t.doorbell_ns > gap_ns + clocks_ns),
       -- Faults that are told wrongly, where anything is told. What the handler was called for late was late, whatever the card
       -- did; and two interrupts of which the handler was called once are one. Nor is an interrupt another transfer's own.
       (SELECT count(*) FROM (SELECT *, lead(nullif(kick_ns, 0)) OVER (ORDER BY number) AS next_kick_ns FROM word) WHERE said IS NOT NULL
        AND (said <> CASE WHEN fault <> 1 AND kick_ns > 0 AND irq_ns - cleared_by_ns BETWEEN 1500000 AND 2500000 THEN said
                          WHEN fault <> 1 AND kick_ns > 0 AND irq_ns - cleared_by_ns > 2500000 THEN 3
                          WHEN fault = 4 AND irq_ns - kick_ns > 900000 THEN said
                          WHEN fault = 2 AND heard = 1 THEN 0 ELSE fault END
             OR irq_ns < kick_ns - clocks_ns - 20000 OR irq_ns > next_kick_ns)),
       (SELECT count(*) FROM word WHERE said = fault AND fault <> 0) || ' of ' || (SELECT count(*) FROM word WHERE fault <> 0),
       (SELECT max(gap_ns) FROM register);
