-- One scenario's database against its truth, as one line. The table truth (check.sh imports it): number, card,
-- channel, direction, size, state, begin_ns, end_ns, kick_ns, device_ns; the last two '' where not known.
-- A transfer is right in its fields when the program's own times enclose the submit. A state `late` stands
-- for `complete` where the interrupt really came after the program had seen the end. A pair is wrong when the
-- interrupt is not the vector's first after the card's kick (100 us are left to the comparison of clocks).
CREATE TABLE pair AS
SELECT h.*, t.state AS found, t.irq_ns, t.woken_ns, t.doorbell_ns, t.device_ns AS traced_ns,
       t.id IS NOT NULL AND t.channel IS h.channel AND coalesce(t.card, 0) = h.card
       AND t.direction IS h.direction AND t.size_bytes IS h.size
       AND t.submit_ns BETWEEN h.begin_ns AND h.end_ns AS same,
       t.state IS h.state OR (h.state = 'complete' AND t.state = 'late' AND t.irq_ns > t.woken_ns) AS right_state,
       nullif(h.device_ns, '') AS true_ns, nullif(h.kick_ns, '') AS kick
FROM truth h LEFT JOIN transfer t ON t.id = h.number;
CREATE TABLE irqs AS
SELECT s.irq, s.time_ns FROM sample s JOIN source o ON o.id = s.source_id
WHERE o.role = 'interrupt' AND s.irq IN (SELECT irq FROM irq WHERE name IN ('flx', 'edudma'));
CREATE INDEX irqs_time ON irqs (time_ns);
CREATE TABLE difference AS
SELECT traced_ns - true_ns AS ns, row_number() OVER (ORDER BY traced_ns - true_ns) AS rank, count(*) OVER () AS n
FROM pair WHERE true_ns IS NOT NULL AND traced_ns IS NOT NULL AND found IN ('complete', 'late');
SELECT (SELECT count(*) FROM truth),
       (SELECT count(*) FROM transfer),
       (SELECT count(*) FROM pair WHERE NOT same),
       (SELECT count(*) FROM pair WHERE NOT right_state AND found IS NOT 'unknown'),
       (SELECT count(*) FROM pair WHERE NOT right_state AND found IS 'unknown'),
       (SELECT count(*) FROM pair p WHERE kick IS NOT NULL AND irq_ns IS NOT NULL AND found IN ('complete', 'late')
        AND irq_ns NOT BETWEEN kick - 100000
            AND coalesce((SELECT min(time_ns) FROM irqs WHERE time_ns >= kick + 100000
                          AND irq IN (SELECT irq FROM vector WHERE used)), irq_ns)),
       (SELECT count(*) FROM irqs),
       (SELECT count(*) FROM stray WHERE kind = 'interrupt'),
       (SELECT coalesce(sum(lost), 0) FROM source),
       (SELECT group_concat(DISTINCT irq) FROM vector WHERE used),
       (SELECT ns FROM difference WHERE rank = (n + 1) / 2),
       (SELECT ns FROM difference WHERE rank = (n * 99 + 99) / 100),
       (SELECT min(traced_ns) FROM pair WHERE found IN ('complete', 'late')),
       (SELECT max(traced_ns) FROM pair WHERE found IN ('complete', 'late')),
       (SELECT group_concat(n || ' ' || state, ', ') FROM (SELECT state, count(*) n FROM truth GROUP BY state)),
       (SELECT group_concat(n || ' ' || state, ', ') FROM (SELECT state, count(*) n FROM transfer GROUP BY state));
