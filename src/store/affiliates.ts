// Reads of affiliates: one, a list, and all that an affiliate's balance is made of in one round trip.
import type { Affiliate, AffiliateStatus } from "../domain/affiliate.ts";
import type { AffiliateId, ProgramId } from "../domain/ids.ts";
import { type Balance, type DueSummary, ZERO_BALANCE } from "../domain/ledger/book.ts";
import type { Currency } from "../domain/money.ts";
import type { Payout } from "../domain/payout.ts";
import { DUE_SUMS, dueOf } from "./due.ts";
import { among, type PageWindow, selectPage } from "./filters.ts";
import { programOf, type StoredProgram } from "./programs.ts";
import { affiliateOf, balanceOf, numberIn, payoutOf, type Row } from "./rows.ts";

export type AffiliateRef = { readonly id: AffiliateId } | { readonly externalId: string };

/** Where an affiliate's sealed bank details stand: moved to another row they do not open. */
export const destinationPlace = (programId: ProgramId, affiliateId: AffiliateId): string =>
  `${programId}|affiliates|${affiliateId}|destination`;

/** SQL of the affiliate's id, with the program as ?1 and the reference as ?2. */
const idSql = (ref: AffiliateRef): { readonly sql: string; readonly value: string } =>
  "id" in ref
    ? { sql: "?2", value: ref.id }
    : {
        sql: "(SELECT id FROM affiliates WHERE program_id = ?1 AND external_id = ?2)",
        value: ref.externalId,
      };

export const findAffiliate = async (
  db: D1Database,
  programId: ProgramId,
  ref: AffiliateRef,
): Promise<Affiliate | undefined> => {
  const { sql, value } = idSql(ref);
  const select = `SELECT * FROM affiliates WHERE program_id = ?1 AND id = ${sql}`;
  const row = await db.prepare(select).bind(programId, value).first<Row>();
  return row === null ? undefined : affiliateOf(row);
};

/** An id passes as it is, without a round trip: whether it is there, the book that is loaded by it says. */
export const findAffiliateId = async (
  db: D1Database,
  programId: ProgramId,
  ref: AffiliateRef,
): Promise<AffiliateId | undefined> => {
  if ("id" in ref) return ref.id;
  const sql = "SELECT id FROM affiliates WHERE program_id = ?1 AND external_id = ?2";
  return (await db.prepare(sql).bind(programId, ref.externalId).first<{ id: AffiliateId }>())?.id;
};

export interface AffiliateFilters {
  readonly status?: readonly AffiliateStatus[] | undefined;
  readonly externalId?: string | undefined;
  /** Epoch milliseconds, inclusive after, exclusive before. */
  readonly createdAfter?: number | undefined;
  readonly createdBefore?: number | undefined;
}

export const listAffiliates = async (
  db: D1Database,
  programId: ProgramId,
  filters: AffiliateFilters,
  page: PageWindow,
): Promise<{ affiliates: readonly Affiliate[]; hasMore: boolean }> => {
  const select = selectPage(
    db,
    "affiliates",
    programId,
    [
      among("status", filters.status),
      [(at) => `external_id = ${at}`, filters.externalId],
      [(at) => `created_at >= ${at}`, filters.createdAfter],
      [(at) => `created_at < ${at}`, filters.createdBefore],
    ],
    page,
  );
  const { results } = await select.all<Row>();
  return { affiliates: results.slice(0, page.limit).map(affiliateOf), hasMore: results.length > page.limit };
};

/** One currency of an affiliate. Amounts are minor units. */
export interface CurrencyStanding {
  readonly currency: Currency;
  readonly balance: Balance;
  readonly due: DueSummary;
  /** Approved and not yet payable. */
  readonly inHoldAmount: number;
  /** What will be payable at the instant that was asked about. */
  readonly laterGross: number;
}

export interface Standing {
  /** As it is now, not as the key remembers it. */
  readonly program: StoredProgram;
  readonly affiliate: Affiliate;
  readonly currencies: readonly CurrencyStanding[];
  /** Live ones, and failed ones whose commissions nobody claimed since. */
  readonly openPayouts: readonly Payout[];
}

const UNTIL_ALWAYS = Number.MAX_SAFE_INTEGER;
const OPEN_PAYOUTS_MAX = 200;

const NOTHING_DUE: DueSummary = {
  count: 0,
  gross: 0,
  oldestAt: null,
  newestAt: null,
  held: 0,
  pending: 0,
  inHold: 0,
  nextPayableAt: null,
  outside: 0,
};

const NO_MONEY = { balance: ZERO_BALANCE, due: NOTHING_DUE, inHoldAmount: 0, laterGross: 0 };

const SUMS = `SELECT currency, ${DUE_SUMS},
    sum(iif(status = 'approved' AND payable_at > ?3, amount - reduced, 0)) AS in_hold_amount,
    sum(iif(status = 'approved' AND payable_at <= ?6 AND occurred_at < ?6, amount - reduced, 0)) AS later_gross
  FROM commissions WHERE program_id = ?1 AND affiliate_id = {id} AND status IN ('pending', 'approved', 'held') GROUP BY currency`;

const OPEN = `SELECT * FROM payouts p WHERE p.program_id = ?1 AND p.affiliate_id = {id}
    AND (p.status IN ('requested', 'pending', 'approved', 'processing')
      OR p.status = 'failed' AND EXISTS (SELECT 1 FROM payout_lines l JOIN commissions c ON c.program_id = ?1 AND c.id = l.commission_id
        WHERE l.payout_id = p.id AND c.status = 'approved'))
  ORDER BY p.id DESC LIMIT ${OPEN_PAYOUTS_MAX}`;

const standingsOf = (balances: readonly Row[], sums: readonly Row[]): CurrencyStanding[] => {
  const byCurrency = new Map(balances.map((row) => [String(row["currency"]), balanceOf(row)]));
  const sumsByCurrency = new Map(sums.map((row) => [String(row["currency"]), row]));
  const currencies = [...new Set([...byCurrency.keys(), ...sumsByCurrency.keys()])].sort();
  return currencies.map((currency) => {
    const balance = byCurrency.get(currency) ?? ZERO_BALANCE;
    const row = sumsByCurrency.get(currency);
    if (row === undefined) return { ...NO_MONEY, currency, balance };
    const [inHoldAmount, laterGross] = [numberIn(row, "in_hold_amount"), numberIn(row, "later_gross")];
    return { currency, balance, due: dueOf(row), inHoldAmount, laterGross };
  });
};

/** One round trip. A currency is listed from its first entry on; an affiliate without money has its program's default one. */
export const readStanding = async (
  db: D1Database,
  programId: ProgramId,
  ref: AffiliateRef,
  at: { readonly now: number; readonly later: number },
): Promise<Standing | undefined> => {
  const { sql, value } = idSql(ref);
  const [programs, affiliates, balances, sums, payouts] = await db.batch<Row>([
    db.prepare("SELECT * FROM programs WHERE id = ?1").bind(programId),
    db.prepare(`SELECT * FROM affiliates WHERE program_id = ?1 AND id = ${sql}`).bind(programId, value),
    db
      .prepare(
        `SELECT b.* FROM affiliates a JOIN balances b ON b.affiliate_id = a.id WHERE a.program_id = ?1 AND a.id = ${sql}`,
      )
      .bind(programId, value),
    db.prepare(SUMS.replace("{id}", sql)).bind(programId, value, at.now, 0, UNTIL_ALWAYS, at.later),
    db.prepare(OPEN.replace("{id}", sql)).bind(programId, value),
  ]);
  const [program, affiliate] = [programs?.results[0], affiliates?.results[0]];
  if (program === undefined || affiliate === undefined) return undefined;
  const owner = programOf(program);
  const known = standingsOf(balances?.results ?? [], sums?.results ?? []);
  return {
    program: owner,
    affiliate: affiliateOf(affiliate),
    currencies: known.length === 0 ? [{ ...NO_MONEY, currency: owner.defaultCurrency }] : known,
    openPayouts: (payouts?.results ?? []).map(payoutOf),
  };
};
