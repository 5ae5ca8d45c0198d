// Fills a program as if its affiliates had been created and their commissions recorded one by one: whole books, set-based.
import { PAGE, type Seed } from "../control.ts";

/** ?1 program, ?2 first number, ?3 one past the last, ?4 commissions each, ?5 now. `k` is the turn: 0 creates, the others record. */
const BOUND = `WITH RECURSIVE bound AS (SELECT ?1, ?2, ?3, ?4, ?5),
  a(i) AS (SELECT ?2 UNION ALL SELECT i + 1 FROM a WHERE i + 1 < ?3),
  k(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM k WHERE k < ?4),
  t AS MATERIALIZED (SELECT i, k, 'aff_' || printf('%026d', i) AS aff, 'com_' || printf('%026d', i * 100 + k) AS com,
    'order-' || i || '-' || k AS ext, 1000 + (i * 7 + k * 13) % 9000 AS amount, ?5 - 864000000 - k * 3600000 AS occurred,
    printf('%064d', i * 100 + k) AS sha FROM a CROSS JOIN k)`;

const AFFILIATES = `${BOUND} INSERT INTO affiliates (program_id, id, external_id, name, email, country, metadata, status, overrides, destination, ready, missing, created_at, updated_at)
  SELECT ?1, aff, 'seed-' || i, 'Affiliate ' || i, 'a' || i || '@example.com', 'US', NULL, 'active', '{}', NULL, 0, '[]', ?5, ?5 FROM t WHERE k = 0`;

const VERDICT = `iif(k = 0, json_object('kind', 'affiliate', 'affiliateId', aff), json_object('kind', 'commission', 'commission',
  json_object('reduced', 0, 'clawedBack', 0, 'heldFrom', NULL, 'orderAmount', NULL, 'rateBps', NULL, 'orderRefunded', 0, 'orderReversed', 0,
    'payoutId', NULL, 'note', NULL, 'metadata', NULL, 'origin', NULL, 'id', com, 'affiliateId', aff, 'externalId', ext, 'kind', 'sale',
    'currency', 'USD', 'amount', amount, 'status', 'approved', 'occurredAt', occurred, 'payableAt', occurred, 'requestSha', sha,
    'createdAt', ?5, 'updatedAt', ?5)))`;

const TURNS = `${BOUND} INSERT INTO turns (affiliate_id, seq, program_id, command_id, request_sha, verdict, event_seq, at)
  SELECT aff, k + 1, ?1, iif(k = 0, 's:create_affiliate:' || i, 's:record:' || ext), sha, ${VERDICT}, k + 1, ?5 FROM t ORDER BY i, k`;

const ENTRIES = `${BOUND} INSERT INTO entries (affiliate_id, seq, line, kind, currency, from_account, to_account, amount, commission_id, payout_id, note)
  SELECT aff, k + 1, 0, 'record', 'USD', 'program', 'available', amount, com, NULL, NULL FROM t WHERE k > 0 ORDER BY i, k`;

const BALANCES = `${BOUND} INSERT INTO balances (affiliate_id, currency, seq, program, available)
  SELECT aff, 'USD', max(k) + 1, -sum(amount), sum(amount) FROM t WHERE k > 0 GROUP BY aff`;

const COMMISSIONS = `${BOUND} INSERT INTO commissions (program_id, id, affiliate_id, external_id, kind, currency, amount, reduced, clawed_back, status,
    order_refunded, order_reversed, occurred_at, payable_at, request_sha, created_at, updated_at)
  SELECT ?1, com, aff, ext, 'sale', 'USD', amount, 0, 0, 'approved', 0, 0, occurred, occurred, sha, ?5, ?5 FROM t WHERE k > 0 ORDER BY i, k`;

const EVENTS = `${BOUND} INSERT INTO events (program_id, position, type, at, livemode, affiliate_id, sequence, actor_type, actor_id, data)
  SELECT ?1, (SELECT coalesce(max(position), 0) FROM events WHERE program_id = ?1) + row_number() OVER (ORDER BY i, k),
    iif(k = 0, 'affiliate.created', 'commission.created'), ?5, 0, aff, k + 1, 'key', 'bench',
    iif(k = 0, json_object('object', 'affiliate', 'id', aff, 'affiliate_id', aff, 'status', 'active'),
      json_object('object', 'commission', 'id', com, 'affiliate_id', aff, 'status', 'approved', 'amount', amount, 'currency', 'USD'))
  FROM t`;

export const seedProgram = async (db: D1Database, seed: Seed): Promise<void> => {
  const end = seed.from + seed.affiliates;
  for (let from = seed.from; from < end; from += PAGE) {
    const values = [seed.programId, from, Math.min(from + PAGE, end), seed.commissions, Date.now()];
    const texts = [AFFILIATES, TURNS, ENTRIES, BALANCES, COMMISSIONS, EVENTS];
    await db.batch(texts.map((text) => db.prepare(text).bind(...values)));
  }
};
