-- Two threads that start at once, against the card's log: channel, when each start began, how often the card ran it.
CREATE TABLE both AS
SELECT l.channel, l.begin_ns, l.ran, t.state, coalesce(t.reason LIKE 'its start was undone%', 0) AS undone
FROM (SELECT *, row_number() OVER (PARTITION BY channel ORDER BY begin_ns) AS n FROM race_log) l
LEFT JOIN (SELECT *, row_number() OVER (PARTITION BY channel ORDER BY submit_ns) AS n FROM transfer) t USING (channel, n);
SELECT (SELECT count(*) FROM both), (SELECT count(*) FROM both WHERE state IS NULL),
       (SELECT count(*) FROM both WHERE ran = 0),
       (SELECT count(*) FROM both WHERE ran = 0 AND undone),
       -- invented
       (SELECT count(*) FROM both WHERE ran > 0 AND undone),
       -- neither found nor left open
       (SELECT count(*) FROM both WHERE ran = 0 AND NOT undone AND state <> 'unknown'),
       (SELECT count(*) FROM both WHERE state = 'unknown'),
       (SELECT undone || '|' || undone_maybe || '|' || overlapping FROM analysis);
