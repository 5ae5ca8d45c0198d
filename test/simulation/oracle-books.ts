// The books against plain sums over every row: balances, bounds, what each account must hold, and that currencies never mix.
import { amountIn, groupBy, type Row, type Snapshot, sumOf, textIn } from "./snapshot.ts";
import { must } from "./violation.ts";

const ACCOUNTS = ["program", "pending", "available", "reserved", "paid", "recovery", "store_credit"];
const LIVE = ["requested", "pending", "approved", "processing"];

const foldOf = (entries: readonly Row[]): Map<string, number> => {
  const accounts = new Map(ACCOUNTS.map((account) => [account, 0]));
  for (const entry of entries) {
    const [from, to] = [textIn(entry, "from_account"), textIn(entry, "to_account")];
    accounts.set(from, (accounts.get(from) ?? 0) - amountIn(entry, "amount"));
    accounts.set(to, (accounts.get(to) ?? 0) + amountIn(entry, "amount"));
  }
  return accounts;
};

/** I2 and I3: balances are the fold of the entries, their sum is zero, and no account crosses its bound. */
const checkFold = (place: string, entries: readonly Row[], balance: Row | undefined): void => {
  const fold = foldOf(entries);
  for (const [account, amount] of fold) {
    const stands = balance === undefined ? 0 : amountIn(balance, account);
    must(stands === amount, "I2", () => `${place} ${account} is ${stands}, its entries add up to ${amount}`);
    if (account === "recovery") must(amount <= 0, "I3", () => `${place} recovery is ${amount}`);
    else if (account !== "program") must(amount >= 0, "I3", () => `${place} ${account} is ${amount}`);
  }
  if (balance !== undefined) must(sumOf([balance], ...ACCOUNTS) === 0, "I2", () => `${place} is not zero`);
};

interface Holdings {
  readonly commissions: readonly Row[];
  readonly payouts: readonly Row[];
  readonly entries: readonly Row[];
}

const left = (rows: readonly Row[]): number => sumOf(rows, "amount") - sumOf(rows, "reduced");
const reversed = (rows: readonly Row[]): number => sumOf(rows, "reduced", "clawed_back");
const among = (rows: readonly Row[], column: string, ...values: readonly string[]): Row[] =>
  rows.filter((row) => values.includes(textIn(row, column)));

/** Returned in parts: what came back became credits, so its claim stays ended as it was. */
export const isReturnedInParts = (payout: Row, entries: readonly Row[]): boolean =>
  entries.some((entry) => entry["kind"] === "return_part" && entry["payout_id"] === payout["id"]);

const expectedOf = ({ commissions, payouts, entries }: Holdings): Record<string, number> => {
  const live = among(payouts, "status", ...LIVE);
  const paid = among(payouts, "status", "paid");
  const onCredit = among(paid, "paid_via", "store_credit");
  const offCredit = paid.filter((payout) => payout["paid_via"] !== "store_credit");
  const inParts = among(payouts, "status", "returned").filter((payout) => isReturnedInParts(payout, entries));
  const ofKind = (kind: string) => sumOf(among(entries, "kind", kind), "amount");
  const spent = ofKind("spend") - ofKind("refund_credit");
  const writtenOff = ofKind("written_off");
  const late = sumOf(payouts, "late_paid");
  const standing = commissions.filter((commission) => commission["status"] !== "rejected");
  const earned = standing.filter((commission) => commission["origin"] === null);
  const credits = commissions.filter((commission) => commission["origin"] !== null);
  const given = credits.filter((commission) => commission["status"] !== "rejected");
  const refusedCredits = among(credits, "status", "rejected");
  const recovered = sumOf([...live, ...paid, ...inParts], "recovered");
  const owed =
    sumOf(commissions, "clawed_back") +
    sumOf(among(commissions, "origin", "release"), "amount") -
    recovered +
    late -
    writtenOff;
  const earnings =
    sumOf(earned, "amount") - reversed(earned) - reversed(given) - sumOf(refusedCredits, "amount");
  return {
    pending: left(among(commissions, "status", "pending", "held")),
    available: left(among(commissions, "status", "approved")),
    reserved: sumOf(live, "amount"),
    paid: sumOf(offCredit, "amount") - sumOf(offCredit, "returned_amount") + late,
    store_credit: sumOf(onCredit, "amount") - spent,
    recovery: 0 - owed,
    program: 0 - (earnings - spent + writtenOff),
  };
};

/** I5: every account against the commissions and payouts that it stands for. */
const checkMeaning = (place: string, holdings: Holdings, balance: Row | undefined): void => {
  for (const [account, expected] of Object.entries(expectedOf(holdings))) {
    const stands = balance === undefined ? 0 : amountIn(balance, account);
    must(stands === expected, "I5", () => `${place} ${account} is ${stands}, should be ${expected}`);
  }
};

const MONEY: Partial<Record<keyof Snapshot, readonly string[]>> = {
  commissions: ["amount", "reduced", "clawed_back"],
  payouts: ["gross", "recovered", "refunded", "amount", "returned_amount", "late_paid"],
  entries: ["amount"],
  balances: ACCOUNTS,
  attempts: ["amount"],
  payout_lines: ["amount"],
  refunds: ["amount"],
};

/** I8: every amount is a safe integer, and what belongs together is in one currency. */
const checkCurrencies = (now: Snapshot): void => {
  for (const [table, columns] of Object.entries(MONEY) as [keyof Snapshot, readonly string[]][]) {
    for (const row of now[table] as readonly Row[])
      for (const column of columns)
        must(Number.isSafeInteger(row[column]), "I8", () => `${table}.${column} is ${row[column]}`);
  }
  const commissions = new Map(now.commissions.map((row) => [row["id"], row]));
  const payouts = new Map(now.payouts.map((row) => [row["id"], row]));
  const same = (row: Row, other: Row | undefined): void => {
    if (other === undefined) return;
    for (const column of ["currency", "affiliate_id"])
      must(row[column] === other[column], "I8", () => `${row["id"]} and ${other["id"]} differ in ${column}`);
  };
  for (const row of [...now.entries, ...now.commissions, ...now.attempts])
    same(row, payouts.get(row["payout_id"] ?? null));
  for (const entry of now.entries) same(entry, commissions.get(entry["commission_id"] ?? null));
};

/** A commission's refunds are what was taken from it, wherever it stood at the time. */
const checkRefunds = (now: Snapshot): void => {
  const refunds = groupBy(now.refunds, "commission_id");
  for (const commission of now.commissions) {
    const asked = sumOf(refunds.get(textIn(commission, "id")) ?? [], "amount");
    const taken = reversed([commission]);
    must(taken === asked, "I5", () => `${commission["id"]} lost ${taken}, its refunds add up to ${asked}`);
    must(left([commission]) >= 0, "I8", () => `${commission["id"]} is worth ${left([commission])}`);
  }
};

export const checkBooks = (now: Snapshot): void => {
  const by = ["affiliate_id", "currency"] as const;
  const [commissions, payouts, entries, balances] = [
    groupBy(now.commissions, ...by),
    groupBy(now.payouts, ...by),
    groupBy(now.entries, ...by),
    groupBy(now.balances, ...by),
  ];
  const places = new Set([...commissions, ...payouts, ...entries, ...balances].map(([place]) => place));
  for (const place of places) {
    const [balance, ...more] = balances.get(place) ?? [];
    must(more.length === 0, "I2", () => `${place} has two balances`);
    const own = entries.get(place) ?? [];
    checkFold(place, own, balance);
    const holdings = {
      commissions: commissions.get(place) ?? [],
      payouts: payouts.get(place) ?? [],
      entries: own,
    };
    checkMeaning(place, holdings, balance);
  }
  checkCurrencies(now);
  checkRefunds(now);
};
