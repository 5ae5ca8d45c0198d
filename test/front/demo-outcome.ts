// Prints what the demo did: each affiliate's payouts with their transfers, what is still owed, and whether the books and the provider agree.
import { inParallel } from "./api-client.ts";
import type { Feed } from "./demo-feed.ts";
import type { DemoPayout } from "./demo-payouts.ts";
import { counted, money, table } from "./demo-table.ts";
import type { SimulatedTransfer, StripeControl } from "./stripe-control.ts";

export interface Outcome {
  readonly feed: Feed;
  readonly stripe: StripeControl;
  readonly payouts: readonly DemoPayout[];
  readonly leftOut: ReadonlyMap<string, number>;
}

interface Balance {
  readonly currency: string;
  readonly available: number;
  readonly paid: number;
  readonly recovery_owed: number;
}

interface Verdict {
  readonly ok: boolean;
  readonly checked: Readonly<Record<string, number>>;
  readonly findings: readonly unknown[];
}

type Say = (line: string) => void;

function payoutTable(outcome: Outcome): string {
  const names = new Map([...outcome.feed.affiliates].map(([customerId, id]) => [id, customerId]));
  const rows = outcome.payouts.map((payout) => {
    const { affiliate_id, currency, commission_count, gross_amount, reversal_amount, amount } = payout;
    return [
      names.get(affiliate_id) ?? affiliate_id,
      currency,
      String(commission_count),
      money(gross_amount, currency),
      money(reversal_amount, currency),
      money(amount, currency),
      payout.failure_code === null ? payout.status : `${payout.status} (${payout.failure_code})`,
      payout.id,
      payout.external_ref ?? "",
    ];
  });
  const place = ([affiliate = "", currency = ""]: string[]) => `${affiliate} ${currency}`;
  rows.sort((a, b) => place(a).localeCompare(place(b), "en", { numeric: true }));
  const head = [
    "affiliate",
    "cur",
    "commissions",
    "gross",
    "recovery netted",
    "amount",
    "status",
    "payout",
    "transfer",
  ];
  return table(head, rows);
}

async function balanceTable(feed: Feed): Promise<string> {
  const lines = await inParallel([...feed.affiliates], 8, async ([customerId, id]) => {
    const { balances } = await feed.api.get<{ balances: Balance[] }>(`/v1/affiliates/${id}/balance`);
    return balances
      .filter((balance) => balance.recovery_owed !== 0 || balance.available !== 0)
      .map(({ currency, paid, available, recovery_owed }) => [
        customerId,
        currency,
        money(paid, currency),
        money(available, currency),
        money(recovery_owed, currency),
      ]);
  });
  const rows = lines.flat();
  if (rows.length === 0) return "  every affiliate is paid in full and owes nothing";
  return table(["affiliate", "cur", "paid", "still available", "recovery owed"], rows);
}

/** One transfer per paid payout, of its amount: what the books say is held against what the provider did. */
function providerAgrees(payouts: readonly DemoPayout[], transfers: readonly SimulatedTransfer[]): string[] {
  const findings: string[] = [];
  const byPayout = Map.groupBy(transfers, (transfer) => transfer.metadata.payout_id ?? "");
  for (const payout of payouts) {
    const sent = byPayout.get(payout.id) ?? [];
    byPayout.delete(payout.id);
    const due = payout.status === "paid" ? 1 : 0;
    if (sent.length !== due) findings.push(`${payout.id} is ${payout.status} with ${sent.length} transfers`);
    for (const { id, amount, currency } of sent) {
      if (amount !== payout.amount || currency.toUpperCase() !== payout.currency) {
        findings.push(
          `${id} moved ${currency} ${amount}, ${payout.id} says ${payout.currency} ${payout.amount}`,
        );
      }
    }
  }
  for (const stray of byPayout.values()) findings.push(`transfers of no payout: ${stray.length}`);
  return findings;
}

/** False when the ledger or the provider does not agree with what is printed. */
export async function printOutcome(outcome: Outcome, say: Say): Promise<boolean> {
  say(`\n${payoutTable(outcome)}`);
  say(`\nWhat is open afterwards\n${await balanceTable(outcome.feed)}\n`);
  if (outcome.leftOut.size > 0) say(`rows left out: ${counted(outcome.leftOut)}`);
  const unpaid = outcome.payouts.filter((payout) => payout.status !== "paid");
  if (unpaid.length > 0) say(`payouts that are not paid: ${unpaid.length}`);
  const transfers = await outcome.stripe.transfers();
  const findings = providerAgrees(outcome.payouts, transfers);
  for (const finding of findings) say(`provider: ${finding}`);
  if (findings.length === 0) say(`provider: ${transfers.length} transfers, one for each paid payout`);
  const verdict = await outcome.feed.api.get<Verdict>("/v1/ledger/verify");
  if (verdict.ok) say(`ledger verify: ok (${counted(verdict.checked)})`);
  else say(`ledger verify: not ok\n${JSON.stringify(verdict.findings, null, 2)}`);
  return verdict.ok && findings.length === 0;
}
