// Checks of claims: a commission is in one payout at most, a payout is the sum of its lines, and a claim ends once.

const LIVE = "'requested', 'pending', 'approved', 'processing'";
const OWN = "own(id) AS (SELECT id FROM affiliates WHERE program_id = ?1)";

/** Payouts whose money came back in parts: their commissions stay with them, whatever came back. */
const PART =
  "part(id) AS (SELECT DISTINCT e.payout_id FROM own CROSS JOIN entries e ON e.affiliate_id = own.id WHERE e.kind = 'return_part')";
/** Payouts that hold their commissions. */
const HOLDERS = `holders AS (SELECT * FROM payouts WHERE program_id = ?1 AND (status IN (${LIVE}, 'paid') OR id IN (SELECT id FROM part)))`;

/** I4: a claimed or paid commission points to a payout that holds it, of its own affiliate and currency; a free one to none. */
const POINTERS = `WITH ${OWN}, ${PART},
  joined AS (SELECT c.id, c.affiliate_id, c.currency, c.status, c.payout_id, p.id AS p_id, p.status AS p_status, p.affiliate_id AS p_owner, p.currency AS p_currency,
      CASE c.status WHEN 'processing' THEN p.status IN (${LIVE}) WHEN 'paid' THEN p.status = 'paid' OR p.id IN (SELECT id FROM part)
        WHEN 'reversed' THEN p.status IN (${LIVE}, 'paid') OR p.id IN (SELECT id FROM part) ELSE 0 END AS fits
    FROM commissions c LEFT JOIN payouts p ON p.program_id = ?1 AND p.id = c.payout_id WHERE c.program_id = ?1)
  SELECT 'I4' AS invariant, affiliate_id, currency, id AS object_id,
    CASE WHEN status IN ('processing', 'paid', 'reversed') THEN status || ' in a payout that holds it' ELSE status || ' in no payout' END AS expected,
    CASE WHEN payout_id IS NULL THEN 'no payout' WHEN p_id IS NULL THEN 'no such payout ' || payout_id
      WHEN p_owner <> affiliate_id OR p_currency <> currency THEN payout_id || ' of ' || p_owner || ' in ' || p_currency ELSE payout_id || ' ' || p_status END AS found
  FROM joined WHERE (payout_id IS NULL AND status IN ('processing', 'paid'))
    OR (payout_id IS NOT NULL AND (p_id IS NULL OR NOT fits OR p_owner <> affiliate_id OR p_currency <> currency))`;

/** I4: what a payout holds points back to it. */
const HELD_LINES = `WITH ${OWN}, ${PART}, ${HOLDERS}
  SELECT 'I4' AS invariant, p.affiliate_id, p.currency, l.commission_id AS object_id, 'a commission of ' || p.id AS expected,
    iif(c.id IS NULL, 'no such commission', c.status || ' in ' || coalesce(c.payout_id, 'no payout')) AS found
  FROM holders p CROSS JOIN payout_lines l ON l.payout_id = p.id LEFT JOIN commissions c ON c.program_id = ?1 AND c.id = l.commission_id
  WHERE c.id IS NULL OR c.payout_id IS NOT p.id`;

/** I4: what points to a payout is in its list. */
const UNLISTED = `SELECT 'I4' AS invariant, c.affiliate_id, c.currency, c.id AS object_id, 'a line of ' || c.payout_id AS expected, NULL AS found
  FROM commissions c WHERE c.program_id = ?1 AND c.payout_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM payout_lines l WHERE l.payout_id = c.payout_id AND l.commission_id = c.id)`;

/** I4: a commission is a line of at most one payout that holds its lines. */
const TWICE = `WITH ${OWN}, ${PART}, ${HOLDERS}
  SELECT 'I4' AS invariant, min(p.affiliate_id) AS affiliate_id, min(p.currency) AS currency, l.commission_id AS object_id, 'one payout' AS expected, group_concat(p.id, ' ') AS found
  FROM holders p CROSS JOIN payout_lines l ON l.payout_id = p.id GROUP BY l.commission_id HAVING count(*) > 1`;

/** I4: gross is the sum of the lines as claimed, and the amount what is left of it. */
const SUMS = `WITH summed AS (SELECT p.id, p.affiliate_id, p.currency, p.gross, p.recovered, p.refunded, p.amount, p.commission_count, count(l.commission_id) AS n, coalesce(sum(l.amount), 0) AS total
    FROM payouts p LEFT JOIN payout_lines l ON l.payout_id = p.id WHERE p.program_id = ?1 GROUP BY p.id)
  SELECT 'I4' AS invariant, affiliate_id, currency, id AS object_id,
    iif(amount <> gross - recovered - refunded, 'amount ' || (gross - recovered - refunded), 'gross ' || total || ' of ' || n || ' lines') AS expected,
    iif(amount <> gross - recovered - refunded, 'amount ' || amount, 'gross ' || gross || ' of ' || commission_count || ' lines') AS found
  FROM summed WHERE gross <> total OR commission_count <> n OR amount <> gross - recovered - refunded`;

/** I6: each claim ended once, by payment or release, but the one of a live payout; and what a payout reserved is out again. */
const ENDS = `WITH ${OWN},
  moves AS (SELECT e.payout_id, sum(e.kind = 'claim') AS claims, sum(e.kind = 'settle') AS settles, sum(e.kind = 'release') AS releases,
      sum(iif(e.to_account = 'reserved', e.amount, 0)) - sum(iif(e.from_account = 'reserved', e.amount, 0)) AS reserved,
      sum(iif(e.kind = 'settle', e.amount, 0)) AS settled, sum(iif(e.kind IN ('return', 'return_part'), e.amount, 0)) AS returned,
      sum(e.kind = 'return') AS returns, sum(iif(e.kind = 'paid_late', e.amount, 0)) AS late
    FROM own CROSS JOIN entries e ON e.affiliate_id = own.id WHERE e.payout_id IS NOT NULL GROUP BY e.payout_id),
  stood AS (SELECT p.*, p.status IN (${LIVE}) AS is_live, p.status IN ('paid', 'returned') AS was_paid FROM payouts p WHERE p.program_id = ?1)
  SELECT 'I6' AS invariant, p.affiliate_id, p.currency, p.id AS object_id,
    p.claims || ' claims, ' || p.was_paid || ' settled, ' || (p.claims - p.is_live - p.was_paid) || ' released, reserved ' || iif(p.is_live, p.amount, 0)
      || ', paid ' || iif(p.was_paid, p.amount, 0) || ', returned ' || p.returned_amount || ', late ' || p.late_paid AS expected,
    coalesce(m.claims || ' claims, ' || m.settles || ' settled, ' || m.releases || ' released, reserved ' || m.reserved
      || ', paid ' || m.settled || ', returned ' || m.returned || ', late ' || m.late, 'no entries') AS found
  FROM stood p LEFT JOIN moves m ON m.payout_id = p.id
  WHERE m.payout_id IS NULL OR m.claims <> p.claims OR m.settles <> p.was_paid OR m.releases <> p.claims - p.is_live - p.was_paid
    OR m.reserved <> iif(p.is_live, p.amount, 0) OR m.settled <> iif(p.was_paid, p.amount, 0) OR m.returned <> p.returned_amount
    OR m.late <> p.late_paid OR m.returns > 1 OR (p.status = 'returned' AND p.returned_amount <> p.amount) OR (p.status = 'paid' AND m.returns > 0)`;

export const CLAIM_CHECKS: readonly string[] = [POINTERS, HELD_LINES, UNLISTED, TWICE, SUMS, ENDS];
