// Checks of the books: balances are the fold of the entries, keep their bounds, and agree with what commissions and payouts say.
import { ACCOUNTS } from "../domain/ledger/book.ts";

const OWN = "own(id) AS (SELECT id FROM affiliates WHERE program_id = ?1)";

/** The accounts of a row in columns, as rows. */
const ACCOUNT_ROWS = `accounts(account) AS (VALUES ${ACCOUNTS.map((account) => `('${account}')`).join(", ")})`;
const amountIn = (alias: string): string =>
  `CASE accounts.account ${ACCOUNTS.map((account) => `WHEN '${account}' THEN ${alias}.${account}`).join(" ")} END`;

/** I2: every account of every currency is what its entries add up to, in rows that exist. */
const FOLD = `WITH ${OWN}, ${ACCOUNT_ROWS},
  moved AS (
    SELECT e.affiliate_id, e.currency, e.from_account AS account, -e.amount AS folded, 0 AS stated, 0 AS rows FROM own CROSS JOIN entries e ON e.affiliate_id = own.id
    UNION ALL
    SELECT e.affiliate_id, e.currency, e.to_account, e.amount, 0, 0 FROM own CROSS JOIN entries e ON e.affiliate_id = own.id
    UNION ALL
    SELECT b.affiliate_id, b.currency, accounts.account, 0, ${amountIn("b")}, 1 FROM own CROSS JOIN balances b ON b.affiliate_id = own.id CROSS JOIN accounts)
  SELECT 'I2' AS invariant, affiliate_id, currency, account AS object_id, sum(folded) AS expected, iif(sum(rows) = 0, NULL, sum(stated)) AS found
  FROM moved GROUP BY affiliate_id, currency, account HAVING sum(folded) <> sum(stated) OR sum(rows) = 0`;

/** I2: a currency's accounts sum to zero. */
const ZERO = `WITH ${OWN}
  SELECT 'I2' AS invariant, b.affiliate_id, b.currency, 'sum of accounts' AS object_id, 0 AS expected, ${ACCOUNTS.map((account) => `b.${account}`).join(" + ")} AS found
  FROM own CROSS JOIN balances b ON b.affiliate_id = own.id WHERE ${ACCOUNTS.map((account) => `b.${account}`).join(" + ")} <> 0`;

/** I2: a balance names the last turn that moved it. */
const LAST_TURN = `WITH ${OWN}
  SELECT 'I2' AS invariant, b.affiliate_id, b.currency, 'seq' AS object_id, max(e.seq) AS expected, b.seq AS found
  FROM own CROSS JOIN balances b ON b.affiliate_id = own.id LEFT JOIN entries e ON e.affiliate_id = b.affiliate_id AND e.currency = b.currency
  GROUP BY b.affiliate_id, b.currency HAVING b.seq IS NOT max(e.seq)`;

/** I3: money cannot be below nothing, and nobody owes less than nothing. */
const BOUNDS = `WITH ${OWN}, ${ACCOUNT_ROWS},
  stated AS (SELECT b.affiliate_id, b.currency, accounts.account, ${amountIn("b")} AS amount FROM own CROSS JOIN balances b ON b.affiliate_id = own.id CROSS JOIN accounts)
  SELECT 'I3' AS invariant, affiliate_id, currency, account AS object_id, iif(account = 'recovery', 'at most 0', 'at least 0') AS expected, amount AS found
  FROM stated WHERE account <> 'program' AND iif(account = 'recovery', amount > 0, amount < 0)`;

const LIVE = "'requested', 'pending', 'approved', 'processing'";

/** Of commissions: what waits, what is free, what is owed back for them, and what they took from the program. */
const OF_COMMISSIONS = `SELECT affiliate_id, currency,
      sum(iif(status IN ('pending', 'held'), amount - reduced, 0)) AS pending, sum(iif(status = 'approved', amount - reduced, 0)) AS available,
      0 AS reserved, 0 AS paid, 0 AS store_credit, -sum(clawed_back) - sum(iif(origin IS 'release', amount, 0)) AS recovery,
      -sum(CASE WHEN origin IS NULL THEN iif(status = 'rejected', 0, amount - reduced - clawed_back) ELSE -iif(status = 'rejected', amount, reduced + clawed_back) END) AS program
    FROM commissions WHERE program_id = ?1 GROUP BY affiliate_id, currency`;

/** Of payouts: what is out or on its way, and what was kept for what was owed. `part` are those whose money came back in parts. */
const OF_PAYOUTS = `SELECT affiliate_id, currency, 0, 0, sum(iif(status IN (${LIVE}), amount, 0)),
      sum(iif(status = 'paid' AND paid_via IS NOT 'store_credit', amount - returned_amount, 0)) + sum(late_paid),
      sum(iif(status = 'paid' AND paid_via IS 'store_credit', amount, 0)),
      sum(iif(status IN (${LIVE}, 'paid') OR id IN (SELECT id FROM part), recovered, 0)) - sum(late_paid), 0
    FROM payouts WHERE program_id = ?1 GROUP BY affiliate_id, currency`;

/** Of what is neither: store credit spent and given back, and what was owed and forgiven or repaid. */
const OF_MONEY = `SELECT e.affiliate_id, e.currency, 0, 0, 0, 0,
      sum(CASE e.kind WHEN 'spend' THEN -e.amount WHEN 'refund_credit' THEN e.amount ELSE 0 END), sum(iif(e.kind = 'written_off', e.amount, 0)),
      sum(CASE e.kind WHEN 'spend' THEN e.amount ELSE -e.amount END)
    FROM own CROSS JOIN entries e ON e.affiliate_id = own.id WHERE e.kind IN ('spend', 'refund_credit', 'written_off') GROUP BY e.affiliate_id, e.currency`;

/** I5: each account is what its formula over the objects says. */
const FORMULAS = `WITH ${OWN}, ${ACCOUNT_ROWS},
  part(id) AS (SELECT DISTINCT e.payout_id FROM own CROSS JOIN entries e ON e.affiliate_id = own.id WHERE e.kind = 'return_part'),
  facts AS (${OF_COMMISSIONS} UNION ALL ${OF_PAYOUTS} UNION ALL ${OF_MONEY}),
  wanted AS (SELECT affiliate_id, currency, ${ACCOUNTS.map((account) => `sum(${account}) AS ${account}`).join(", ")} FROM facts GROUP BY affiliate_id, currency),
  sides AS (
    SELECT w.affiliate_id, w.currency, accounts.account, ${amountIn("w")} AS want, 0 AS have FROM wanted w CROSS JOIN accounts
    UNION ALL
    SELECT b.affiliate_id, b.currency, accounts.account, 0, ${amountIn("b")} FROM own CROSS JOIN balances b ON b.affiliate_id = own.id CROSS JOIN accounts)
  SELECT 'I5' AS invariant, affiliate_id, currency, account AS object_id, sum(want) AS expected, sum(have) AS found
  FROM sides GROUP BY affiliate_id, currency, account HAVING sum(want) <> sum(have)`;

/** I8: an entry is in the currency, and in the book, of what it names, and every amount is a safe integer. */
const CURRENCIES = `WITH ${OWN},
  named AS (
    SELECT e.affiliate_id, e.seq, e.line, e.currency, e.amount, e.commission_id, e.payout_id,
      c.currency AS c_currency, c.affiliate_id AS c_owner, p.currency AS p_currency, p.affiliate_id AS p_owner
    FROM own CROSS JOIN entries e ON e.affiliate_id = own.id
      LEFT JOIN commissions c ON c.program_id = ?1 AND c.id = e.commission_id LEFT JOIN payouts p ON p.program_id = ?1 AND p.id = e.payout_id)
  SELECT 'I8' AS invariant, affiliate_id, currency, coalesce(iif(c_owner IS NOT affiliate_id OR c_currency IS NOT currency, commission_id, NULL), payout_id, 'turn ' || seq || ' line ' || line) AS object_id,
    affiliate_id || ' ' || currency || ', an integer' AS expected,
    CASE WHEN typeof(amount) <> 'integer' THEN typeof(amount)
      WHEN commission_id IS NOT NULL AND (c_owner IS NOT affiliate_id OR c_currency IS NOT currency) THEN coalesce(c_owner || ' ' || c_currency, 'no such commission')
      ELSE coalesce(p_owner || ' ' || p_currency, 'no such payout') END AS found
  FROM named WHERE typeof(amount) <> 'integer' OR amount NOT BETWEEN 1 AND 9007199254740991
    OR (commission_id IS NOT NULL AND (c_owner IS NOT affiliate_id OR c_currency IS NOT currency))
    OR (payout_id IS NOT NULL AND (p_owner IS NOT affiliate_id OR p_currency IS NOT currency))`;

export const BOOK_CHECKS: readonly string[] = [FOLD, ZERO, LAST_TURN, BOUNDS, FORMULAS, CURRENCIES];
