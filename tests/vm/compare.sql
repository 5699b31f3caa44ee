-- One scenario's database against its truth, as one line. check.sh imports two tables:
--   truth    number, card, channel, direction, size, state, begin_ns, end_ns; raised: how many interrupts it made,
--            the first its own ('' with raising); raising: which of the card's own count of interrupts is its own
--            ('' = none, or see raised); device_ns: what it took the card; kick_ns: when the card says it raised it
--   handler  irq, ns, told: each call of the driver's handler, in order, with the card's count of interrupts then
-- The nth interrupt that was recorded of a vector is the nth call of its handler, so the card's count says which
-- interrupt is whose without a comparison of clocks. (A transfer may begin and end between the record and the
-- handler: an interrupt recorded before it began is not its own, then another follows.) One that found nothing new
-- to tell cannot be told from the one before: both are right for what it stands for. A state `complete` is truly `late` when that interrupt was
-- recorded after the exit of the wait that saw the end.
CREATE TABLE card_vector AS
SELECT irq, card FROM (SELECT irq, name, row_number() OVER (PARTITION BY name ORDER BY irq) - 1 AS k,
                              CASE name WHEN 'flx' THEN 0 ELSE row_number() OVER (PARTITION BY name ORDER BY irq) - 1 END AS card
                       FROM irq WHERE name IN ('flx', 'edudma'))
WHERE name = 'edudma' OR k = 2;
CREATE TABLE irqs AS
SELECT s.irq, s.time_ns, row_number() OVER (PARTITION BY s.irq ORDER BY s.time_ns) AS n
FROM sample s JOIN source o ON o.id = s.source_id
WHERE o.role = 'interrupt' AND s.irq IN (SELECT irq FROM irq WHERE name IN ('flx', 'edudma'));
CREATE TABLE call AS
SELECT irq, ns, told, row_number() OVER (PARTITION BY irq ORDER BY rowid) AS n FROM handler;
-- The edu card counts nothing. What came before its first transfer (its vector was masked until then) is none's.
UPDATE call SET told = n - (SELECT count(*) FROM call o WHERE o.irq = call.irq)
                         + (SELECT sum(raised) FROM truth JOIN card_vector USING (card) WHERE irq = call.irq)
WHERE EXISTS (SELECT 1 FROM truth WHERE raised <> '');
UPDATE truth SET raising = 1 + (SELECT coalesce(sum(o.raised), 0) FROM truth o WHERE o.card = truth.card AND o.number < truth.number)
WHERE raised <> '' AND raised > 0;
CREATE TABLE heard AS SELECT c.irq, c.n, c.told, c.ns, i.time_ns FROM call c JOIN irqs i USING (irq, n);
CREATE INDEX heard_told ON heard (irq, told, n);
CREATE TABLE woken AS
SELECT s.time_ns FROM sample s JOIN source o ON o.id = s.source_id WHERE o.role = 'woken';
CREATE INDEX woken_time ON woken (time_ns);
CREATE TABLE answer AS
SELECT h.number, v.irq, h.begin_ns,
       (SELECT min(told) FROM heard c WHERE c.irq = v.irq AND c.told >= h.raising AND c.time_ns > h.begin_ns) AS told,
       (SELECT max(time_ns) FROM woken WHERE time_ns BETWEEN h.begin_ns AND h.end_ns) AS seen_ns
FROM truth h JOIN card_vector v USING (card) WHERE h.state = 'complete';
CREATE TABLE own AS -- the first and the last interrupt that may be the transfer's own
SELECT a.*, min(c.time_ns) AS first_ns, max(c.time_ns) AS last_ns, min(c.ns) AS handler_ns
FROM answer a LEFT JOIN heard c ON c.irq = a.irq AND c.told = a.told AND c.time_ns > a.begin_ns GROUP BY a.number;
CREATE TABLE pair AS
SELECT h.number, h.state AS told_state, t.state AS found, t.irq_ns, t.device_ns AS traced_ns, o.first_ns, o.last_ns, o.seen_ns,
       nullif(h.device_ns, '') AS true_ns, t.reason,
       t.id IS NOT NULL AND t.channel IS h.channel AND coalesce(t.card, 0) = h.card
       AND t.direction IS h.direction AND t.size_bytes IS h.size
       AND t.submit_ns BETWEEN h.begin_ns AND h.end_ns AS same,
       t.irq_ns IS NOT NULL AND t.state IN ('complete', 'late')
       AND NOT coalesce(t.irq IS o.irq AND t.irq_ns IN (o.first_ns, o.last_ns), 0) AS wrong_pair,
       CASE WHEN h.state <> 'complete' THEN h.state
            WHEN (CASE WHEN t.irq_ns IS o.last_ns THEN o.last_ns ELSE o.first_ns END) > o.seen_ns THEN 'late'
            ELSE 'complete' END AS state
FROM truth h LEFT JOIN transfer t ON t.id = h.number LEFT JOIN own o ON o.number = h.number;
CREATE TABLE difference AS
SELECT ns, row_number() OVER (ORDER BY ns) AS rank, count(*) OVER () AS n
FROM (SELECT traced_ns - true_ns AS ns FROM pair
      WHERE true_ns IS NOT NULL AND traced_ns IS NOT NULL AND found IN ('complete', 'late'));
SELECT (SELECT count(*) FROM truth),
       (SELECT count(*) FROM transfer),
       (SELECT count(*) FROM pair WHERE NOT same),
       (SELECT count(*) FROM pair WHERE found IS NOT state AND found IS NOT 'unknown'),
       (SELECT count(*) FROM pair WHERE found IS NOT state AND found IS 'unknown'),
       (SELECT count(*) FROM pair WHERE wrong_pair),
       (SELECT count(*) FROM irqs),
       -- with those that came for a transfer that was given up: the truth here names none for it
       (SELECT count(*) FROM stray WHERE kind = 'interrupt')
       + (SELECT count(DISTINCT irq_ns) FROM transfer WHERE state IN ('failed', 'aborted') AND irq_ns NOT NULL),
       (SELECT count(*) FROM heard JOIN card_vector USING (irq)) - (SELECT count(DISTINCT irq || ' ' || told) FROM own WHERE first_ns NOT NULL),
       (SELECT coalesce(sum(lost), 0) FROM source),
       (SELECT group_concat(DISTINCT irq) FROM vector WHERE used),
       (SELECT ns FROM difference WHERE rank = (n + 1) / 2),
       (SELECT ns FROM difference WHERE rank = (n * 99 + 99) / 100),
       (SELECT count(*) FROM pair WHERE traced_ns NOT NULL AND found IN ('complete', 'late')
        AND traced_ns NOT BETWEEN 98000000 AND max(130000000, coalesce(true_ns, 0) + 30000000)),
       (SELECT count(*) FROM difference WHERE ns < -2000),
       -- the truth against itself: calls that were not recorded or before they were recorded, transfers that no
       -- call answers, that were answered before they were raised (200 us are left to the card's clock), or whose
       -- end no wait saw
       (SELECT count(*) FROM call LEFT JOIN irqs USING (irq, n) WHERE time_ns IS NULL OR time_ns > ns)
       + (SELECT count(*) FROM own JOIN truth USING (number) WHERE first_ns IS NULL OR seen_ns IS NULL
          OR handler_ns < coalesce(nullif(truth.kick_ns, ''), truth.begin_ns) - 200000),
       (SELECT group_concat(n || ' ' || state, ', ') FROM (SELECT state, count(*) n FROM pair GROUP BY state)),
       (SELECT group_concat(n || ' ' || state, ', ') FROM (SELECT state, count(*) n FROM transfer GROUP BY state));
