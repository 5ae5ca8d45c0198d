// The statement of a payout as a page to print: who pays whom for what, every commission, every deduction, and its own number.
import { html } from "hono/html";
import { dateOf } from "../domain/dates.ts";
import { toDecimal } from "../domain/money.ts";
import type { Payout } from "../domain/payout.ts";

/** A party as a document names it. */
export interface Party {
  readonly name: string;
  readonly address: string | null;
  readonly vatId: string | null;
}

export interface StatementFacts {
  readonly payout: Payout;
  readonly merchant: Party;
  readonly affiliate: Party & { readonly externalId: string | null };
  readonly invoiceNumber: number | null;
  readonly creditNoteNumber: number | null;
  readonly isReverseCharge: boolean;
  readonly zone: string;
  readonly nonce: string;
}

export interface StatementLine {
  readonly reference: string;
  readonly kind: string;
  readonly note: string | null;
  readonly occurredAt: number;
  /** Minor units as recorded. */
  readonly amount: number;
  /** Minor units that this payout claimed of it. */
  readonly claimed: number;
}

const STYLE = `body{font:14px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1.5rem;color:#16161d}
h1{font-size:1.5rem;margin:0 0 .25rem}section{display:flex;gap:3rem;margin:1.5rem 0}address{font-style:normal;white-space:pre-line;flex:1}
table{border-collapse:collapse;width:100%}th,td{padding:.35rem .5rem;border-bottom:1px solid #d5d5dd;text-align:left;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}tfoot td{border:0}tfoot tr.total td{font-weight:700;border-top:2px solid #16161d}
small{color:#55555f}dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1.5rem}dd{margin:0;overflow-wrap:anywhere}
@media print{body{margin:0;max-width:none}thead{display:table-header-group}tr{break-inside:avoid}}`;

const partyOf = (title: string, party: Party) =>
  html`<address><strong>${title}</strong>\n${party.name}${party.address === null ? "" : `\n${party.address}`}${
    party.vatId === null ? "" : `\nVAT id ${party.vatId}`
  }</address>`;

const titleOf = ({ payout, invoiceNumber }: StatementFacts): string =>
  invoiceNumber === null ? `Statement of ${payout.id}` : `Statement no. ${invoiceNumber}`;

const fact = (name: string, value: string | null) =>
  value === null ? "" : html`<dt>${name}</dt><dd>${value}</dd>`;

/** Everything above the lines. */
export const statementHead = (facts: StatementFacts) => {
  const { payout, merchant, affiliate, zone } = facts;
  const day = (ms: number | null): string | null => (ms === null ? null : dateOf(ms, zone));
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>${titleOf(facts)}</title><link rel="icon" href="data:,">
<style nonce="${facts.nonce}">${STYLE}</style></head>
<body><main><h1>${titleOf(facts)}</h1><small>Self-billed by the payer. Dates are those of ${zone}.</small>
<section>${partyOf("Payer", merchant)}${partyOf("Payee", affiliate)}</section>
<dl>${fact("Payout", payout.id)}${fact("Payee’s number", affiliate.externalId)}${fact("Period", `${payout.periodStart} to ${payout.periodEnd}`)}${fact("Status", payout.status)}${fact("Method", payout.paidVia ?? payout.method)}${fact("Reference", payout.externalRef)}${fact("Paid on", day(payout.paidAt))}${fact("Message", payout.partnerMessage)}${fact("Credit note no.", facts.creditNoteNumber === null ? null : String(facts.creditNoteNumber))}</dl>
<table><thead><tr><th>Date</th><th>Commission</th><th>Kind</th><th class="n">Amount</th><th class="n">Reversed before</th><th class="n">In this payout</th></tr></thead>
<tbody>`;
};

export const statementLine = (line: StatementLine, currency: string, zone: string) =>
  html`<tr><td>${dateOf(line.occurredAt, zone)}</td><td>${line.reference}${
    line.note === null ? "" : html`<br><small>${line.note}</small>`
  }</td><td>${line.kind}</td><td class="n">${toDecimal(line.amount, currency)}</td><td class="n">${toDecimal(
    line.amount - line.claimed,
    currency,
  )}</td><td class="n">${toDecimal(line.claimed, currency)}</td></tr>
`;

const sum = (name: string, amount: number, currency: string, className = "") =>
  html`<tr class="${className}"><td colspan="5">${name}</td><td class="n">${toDecimal(amount, currency)} ${currency}</td></tr>
`;

/** Everything below the lines: how the sum of the lines becomes what was paid. */
export const statementFoot = ({ payout, isReverseCharge }: StatementFacts) => {
  const { currency } = payout;
  return html`</tbody><tfoot>${sum(payout.commissionCount === 1 ? "1 commission" : `${payout.commissionCount} commissions`, payout.gross, currency)}${
    payout.refunded === 0 ? "" : sum("Refunded before payment", -payout.refunded, currency)
  }${payout.recovered === 0 ? "" : sum("Owed from earlier refunds", -payout.recovered, currency)}${sum(
    "Net",
    payout.amount,
    currency,
    "total",
  )}${payout.returnedAmount === 0 ? "" : sum("Came back", -payout.returnedAmount, currency)}${
    payout.latePaid === 0 ? "" : sum("Paid by a payment that had been refused", payout.latePaid, currency)
  }</tfoot></table>
${isReverseCharge ? html`<p>Reverse charge: the recipient of the service accounts for the VAT (articles 44 and 196 of Directive 2006/112/EC).</p>` : ""}
</main></body></html>
`;
};
