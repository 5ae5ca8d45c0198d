// I13: what a committed change announces, held against what it changed.
import type { Affiliate } from "../../src/domain/affiliate.ts";
import type { EventDraft } from "../../src/domain/events.ts";
import { type Balance, type Change, ZERO_BALANCE } from "../../src/domain/ledger/book.ts";
import type { Payout } from "../../src/domain/payout.ts";

/** What was there before the change; only what it may have touched. */
export interface Earlier {
  readonly balances: Readonly<Record<string, Balance>>;
  readonly payout: Payout | undefined;
  readonly affiliate: Affiliate | undefined;
}

const isOf = (object: EventDraft["data"]["object"], id: string) => (event: EventDraft) =>
  event.data.object === object && event.data.id === id;

const payoutViolation = ({ payout }: Earlier, change: Change): string | undefined => {
  const after = change.insertedPayout ?? change.updatedPayout;
  if (after === undefined || after.status === payout?.status) return undefined;
  const told = change.events.filter(isOf("payout", after.id));
  const [event] = told;
  if (told.length !== 1 || event === undefined)
    return `I13 ${after.id} moved and ${told.length} events say so`;
  const { status, previous_status, amount, currency } = event.data;
  const same = status === after.status && previous_status === payout?.status && amount === after.amount;
  return same && currency === after.currency
    ? undefined
    : `I13 ${after.id} is ${after.status}, announced ${status}`;
};

const recoveryViolation = (
  { balances }: Earlier,
  after: Earlier["balances"],
  { events }: Change,
): string | undefined => {
  for (const [currency, balance] of Object.entries(after)) {
    const before = balances[currency] ?? ZERO_BALANCE;
    const told = events.filter(({ type, data }) => type === "recovery.changed" && data.currency === currency);
    const changed = before.recovery !== balance.recovery;
    if (told.length !== (changed ? 1 : 0)) return `I13 recovery ${currency} announced ${told.length} times`;
    if (changed && told[0]?.data.amount !== 0 - balance.recovery)
      return `I13 recovery ${currency} announced wrongly`;
  }
  return undefined;
};

const commissionViolation = (change: Change): string | undefined => {
  for (const { id } of change.insertedCommissions) {
    const told = change.events.filter(isOf("commission", id));
    if (told.length !== 1 || told[0]?.type !== "commission.created")
      return `I13 ${id} is new and ${told.length} events say so`;
  }
  const count = change.lines.reduce((sum, lines) => sum + (lines.kind === "settle" ? lines.count : 0), 0);
  return count === (change.paidLines?.count ?? 0) ? undefined : `I13 ${count} commissions are paid`;
};

/** Under which key a destination is sealed, and when the provider said the same again, is nobody's business. */
const shownOf = ({ destination, readyAsOf: _asked, ...rest }: Affiliate): string =>
  JSON.stringify([rest, destination === null ? null : { ...destination, sealed: null }]);

const affiliateViolation = ({ affiliate }: Earlier, change: Change): string | undefined => {
  const after = change.insertedAffiliate ?? change.updatedAffiliate;
  const told = change.events.filter(
    ({ type, data }) => data.object === "affiliate" && type !== "affiliate.onboarded",
  ).length;
  const isShown = after !== undefined && (affiliate === undefined || shownOf(after) !== shownOf(affiliate));
  return told === (isShown ? 1 : 0)
    ? undefined
    : `I13 the affiliate ${isShown ? "changed" : "stayed"}, ${told} events say so`;
};

export const eventViolation = (
  earlier: Earlier,
  after: Earlier["balances"],
  change: Change,
): string | undefined =>
  payoutViolation(earlier, change) ??
  recoveryViolation(earlier, after, change) ??
  commissionViolation(change) ??
  affiliateViolation(earlier, change);
