-- One scenario on a shared line against its truth, as one line. check.sh imports two tables:
--   truth    number, card, channel, direction, size, state, begin_ns, end_ns, raised
--   handler  irq, ns, own, card: each call of the driver's handler; own: the card had raised the line (0 = another had)
CREATE TABLE entry AS
SELECT s.time_ns, s.irq, s.cpu FROM sample s JOIN source o ON o.id = s.source_id
WHERE o.role = 'interrupt' AND s.irq IN (SELECT irq FROM irq WHERE name = 'edudma' OR (irq < 1000000 AND name LIKE '%edudma%'));
CREATE INDEX entry_time ON entry (time_ns);
CREATE TABLE handled AS
SELECT s.time_ns, s.ret FROM sample s JOIN source o ON o.id = s.source_id WHERE o.role = 'handled' AND s.irq IN (SELECT irq FROM entry);
CREATE INDEX handled_time ON handled (time_ns);
-- Handlers of a line are called one after another: the last entry before a call is that call's, and the next exit.
CREATE TABLE call AS
SELECT h.card, h.own, h.ns, (SELECT max(time_ns) FROM entry WHERE time_ns <= h.ns) AS time_ns,
       (SELECT ret FROM handled WHERE time_ns >= h.ns ORDER BY time_ns LIMIT 1) AS ret FROM handler h
WHERE h.ns BETWEEN (SELECT min(time_ns) FROM sample) AND (SELECT max(time_ns) FROM sample);
-- Each transfer raises the line once, some 100 ms before its card's next: the nth own call of a card is its nth transfer's,
-- also where the program, which polls, saw the end before it.
CREATE TABLE own AS SELECT card, time_ns, row_number() OVER (PARTITION BY card ORDER BY ns) AS n FROM call WHERE own <> 0;
CREATE TABLE pair AS
SELECT h.number, t.state, t.irq_ns, o.time_ns AS own_ns
FROM (SELECT *, row_number() OVER (PARTITION BY card ORDER BY number) AS n FROM truth) h LEFT JOIN own o USING (card, n) LEFT JOIN transfer t ON t.id = h.number AND t.direction = h.direction AND t.size_bytes = h.size;
SELECT (SELECT count(*) FROM truth),
       (SELECT count(*) FROM pair WHERE state IN ('complete', 'late') AND irq_ns = own_ns),
       (SELECT count(*) FROM pair WHERE state = 'unknown'),
       (SELECT count(*) FROM pair WHERE state <> 'unknown' AND irq_ns IS NOT own_ns),
       (SELECT count(*) FROM call WHERE own <> 0),
       (SELECT count(*) FROM call WHERE own <> 0 AND coalesce(ret, 1) <> 0) - (SELECT count(*) FROM call WHERE own = 0 AND ret IS NOT 0),
       (SELECT count(*) FROM call WHERE own = 0),
       (SELECT count(*) FROM sample s JOIN source o ON o.id = s.source_id WHERE o.role = 'handled'),
       (SELECT coalesce(sum(lost), 0) FROM source);
