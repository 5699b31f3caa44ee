-- Behind shared.sql: what the driver's function says of each transfer, as one line. It is called within the handler, behind
-- the line of the log: of a card's own call it is the next one, and no other call of the log lies between.
CREATE TABLE word AS
SELECT h.number, t.driver, t.ended_ns, t.irq_ns, o.time_ns AS own_ns, o.ns,
       (SELECT min(ns) FROM call c WHERE c.ns > o.ns) AS next_ns,
       (SELECT min(ns) FROM call c WHERE c.ns > o.ns AND c.card = o.card AND c.own <> 0) AS next_own_ns
FROM (SELECT *, row_number() OVER (PARTITION BY card ORDER BY number) AS n FROM truth) h
LEFT JOIN (SELECT card, time_ns, ns, row_number() OVER (PARTITION BY card ORDER BY ns) AS n FROM call WHERE own <> 0) o USING (card, n)
LEFT JOIN transfer t ON t.id = h.number AND t.direction = h.direction AND t.size_bytes = h.size;
-- Where the handler leaves the work to another (keys_defer...), it is called behind the log's line and before the card's own
-- next one, and the interrupt, on another processor perhaps, stays where it is the last before the end there.
SELECT (SELECT count(*) FROM word WHERE ended_ns IS NOT NULL),
       (SELECT count(*) FROM word WHERE ended_ns IS NOT NULL AND NOT CASE WHEN (SELECT label LIKE 'keys_defer%' FROM run)
        THEN ended_ns >= ns AND (next_own_ns IS NULL OR ended_ns < next_own_ns) AND (irq_ns IS NULL OR irq_ns = own_ns)
        ELSE ended_ns >= ns AND (next_ns IS NULL OR ended_ns < next_ns) AND irq_ns IS own_ns END),
       (SELECT count(*) FROM word WHERE ended_ns IS NULL);
