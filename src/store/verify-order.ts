// Checks of order: turns, lines and events follow each other without gaps, and every row belongs to somebody.

const OWN = "own(id) AS (SELECT id FROM affiliates WHERE program_id = ?1)";

/** I9: a book's turns are numbered 1 to n, all of its program, and every affiliate has at least the one that made it. */
const TURNS = `WITH ${OWN},
  counted AS (SELECT own.id, count(t.seq) AS n, min(t.seq) AS low, max(t.seq) AS high, sum(t.program_id <> ?1) AS strange
    FROM own LEFT JOIN turns t ON t.affiliate_id = own.id GROUP BY own.id)
  SELECT 'I9' AS invariant, id AS affiliate_id, NULL AS currency, 'turns' AS object_id,
    iif(strange > 0, 'turns of this program', 'turns 1 to ' || max(coalesce(high, 1), 1)) AS expected,
    iif(strange > 0, strange || ' of another', n || ' turns from ' || coalesce(low, 'none')) AS found
  FROM counted WHERE n = 0 OR low <> 1 OR high <> n OR strange > 0`;

/** I9: turns of the program for an affiliate that it does not have. */
const STRAY_TURNS = `WITH ${OWN}
  SELECT 'I9' AS invariant, affiliate_id, NULL AS currency, 'turn ' || seq AS object_id, 'an affiliate of this program' AS expected, NULL AS found
  FROM turns WHERE program_id = ?1 AND affiliate_id NOT IN (SELECT id FROM own)`;

/** I9: a turn's lines are numbered from 0, and its entries have their turn. */
const LINES = `WITH ${OWN},
  counted AS (SELECT e.affiliate_id, e.seq, count(*) AS n, min(e.line) AS low, max(e.line) AS high,
      EXISTS (SELECT 1 FROM turns t WHERE t.affiliate_id = e.affiliate_id AND t.seq = e.seq) AS turned
    FROM own CROSS JOIN entries e ON e.affiliate_id = own.id GROUP BY e.affiliate_id, e.seq)
  SELECT 'I9' AS invariant, affiliate_id, NULL AS currency, 'turn ' || seq AS object_id,
    iif(turned, 'lines 0 to ' || high, 'a turn for its entries') AS expected,
    iif(turned, n || ' lines from ' || low, NULL) AS found
  FROM counted WHERE low <> 0 OR high <> n - 1 OR NOT turned`;

/** I13: an affiliate's events are numbered as its last turn counted them; the oldest may be pruned, where the feed's are. */
const SEQUENCES = `WITH ${OWN},
  sides AS (
    SELECT own.id AS affiliate_id, coalesce((SELECT event_seq FROM turns t WHERE t.affiliate_id = own.id ORDER BY seq DESC LIMIT 1), 0) AS head,
      1 AS known, 0 AS n, 0 AS different, NULL AS low, NULL AS high FROM own
    UNION ALL
    SELECT affiliate_id, 0, 0, count(*), count(DISTINCT sequence), min(sequence), max(sequence)
    FROM events WHERE program_id = ?1 AND affiliate_id IS NOT NULL GROUP BY affiliate_id),
  joined AS (SELECT affiliate_id, max(head) AS head, max(known) AS known, sum(n) AS n, sum(different) AS different, min(low) AS low, max(high) AS high,
      (SELECT coalesce(min(position), 1) > 1 FROM events WHERE program_id = ?1) AS pruned
    FROM sides GROUP BY affiliate_id)
  SELECT 'I13' AS invariant, affiliate_id, NULL AS currency, 'events' AS object_id, 'sequence 1 to ' || head AS expected,
    n || ' events from ' || coalesce(low, 'none') || ' to ' || coalesce(high, 'none') AS found
  FROM joined WHERE NOT known OR (n = 0 AND head > 0 AND NOT pruned)
    OR (n > 0 AND (high <> head OR different <> n OR n <> high - low + 1 OR (low <> 1 AND NOT pruned)))`;

/** I13: the feed's positions follow each other from the first that is kept. */
const POSITIONS = `WITH placed AS (SELECT position, lag(position) OVER (ORDER BY position) AS before FROM events WHERE program_id = ?1)
  SELECT 'I13' AS invariant, NULL AS affiliate_id, NULL AS currency, 'position ' || (before + 1) AS object_id, before + 1 AS expected, position AS found
  FROM placed WHERE position <> before + 1`;

/** I12: commissions and payouts belong to affiliates of their own program. */
const OWNERS = `WITH ${OWN},
  objects AS (SELECT id, affiliate_id, currency FROM commissions WHERE program_id = ?1
    UNION ALL SELECT id, affiliate_id, currency FROM payouts WHERE program_id = ?1)
  SELECT 'I12' AS invariant, affiliate_id, currency, id AS object_id, 'an affiliate of this program' AS expected, NULL AS found
  FROM objects WHERE affiliate_id NOT IN (SELECT id FROM own)`;

export const ORDER_CHECKS: readonly string[] = [TURNS, STRAY_TURNS, LINES, SEQUENCES, POSITIONS, OWNERS];
