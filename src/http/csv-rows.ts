// The columns of the exports: what each is called and where it comes from.
import type { Commission } from "../domain/commission.ts";
import { toInstant } from "../domain/dates.ts";
import type { Cell } from "../domain/files/csv.ts";
import { toDecimal } from "../domain/money.ts";
import type { PlacedEntry } from "../store/entries.ts";
import type { ExportedPayout, Payee } from "../store/exports.ts";

interface Column<Row> {
  readonly name: string;
  cell(row: Row): Cell;
}

const text = <Row>(name: string, of: (row: Row) => string | null): Column<Row> => ({
  name,
  cell: (row) => ({ text: of(row) ?? "" }),
});

/** What we write ourselves and must arrive as it is: ids, words, dates, numbers that are never negative. */
const exact = <Row>(name: string, of: (row: Row) => string | number | null): Column<Row> => ({
  name,
  cell: (row) => ({ exact: String(of(row) ?? "") }),
});

const at = (ms: number | null): string | null => (ms === null ? null : toInstant(ms));

const PAYOUT: readonly Column<ExportedPayout>[] = [
  exact("id", ({ payout }) => payout.id),
  exact("status", ({ payout }) => payout.status),
  exact("affiliate_id", ({ payout }) => payout.affiliateId),
  text("affiliate_external_id", ({ payee }) => payee.externalId),
  text("affiliate_name", ({ payee }) => payee.name),
  text("affiliate_email", ({ payee }) => payee.email),
  exact("currency", ({ payout }) => payout.currency),
  exact("gross_amount", ({ payout }) => toDecimal(payout.gross, payout.currency)),
  exact("reversal_amount", ({ payout }) => toDecimal(payout.recovered + payout.refunded, payout.currency)),
  exact("amount", ({ payout }) => toDecimal(payout.amount, payout.currency)),
  exact("returned_amount", ({ payout }) => toDecimal(payout.returnedAmount, payout.currency)),
  exact("late_paid_amount", ({ payout }) => toDecimal(payout.latePaid, payout.currency)),
  exact("commission_count", ({ payout }) => payout.commissionCount),
  exact("period_start", ({ payout }) => payout.periodStart),
  exact("period_end", ({ payout }) => payout.periodEnd),
  exact("payout_method", ({ payout }) => payout.method),
  exact("paid_via", ({ payout }) => payout.paidVia),
  text("external_ref", ({ payout }) => payout.externalRef),
  text("external_id", ({ payout }) => payout.externalId),
  exact("invoice_number", ({ invoiceNumber }) => invoiceNumber),
  exact("credit_note_number", ({ creditNoteNumber }) => creditNoteNumber),
  exact("created_at", ({ payout }) => at(payout.createdAt)),
  exact("approved_at", ({ payout }) => at(payout.approvedAt)),
  exact("approved_by", ({ payout }) => payout.approvedBy),
  exact("paid_at", ({ payout }) => at(payout.paidAt)),
  text("failure_code", ({ payout }) => payout.failureCode),
  text("failure_detail", ({ payout }) => payout.failureDetail),
  text("admin_note", ({ payout }) => payout.adminNote),
  text("partner_message", ({ payout }) => payout.partnerMessage),
  exact("run_id", ({ payout }) => payout.runId),
  exact("session_id", ({ payout }) => payout.sessionId),
];

interface Earned {
  readonly commission: Commission;
  readonly payee: Payee;
}

const COMMISSION: readonly Column<Earned>[] = [
  exact("id", ({ commission }) => commission.id),
  text("external_id", ({ commission }) => commission.externalId),
  exact("kind", ({ commission }) => commission.kind),
  exact("status", ({ commission }) => commission.status),
  exact("affiliate_id", ({ commission }) => commission.affiliateId),
  text("affiliate_external_id", ({ payee }) => payee.externalId),
  text("affiliate_name", ({ payee }) => payee.name),
  text("affiliate_email", ({ payee }) => payee.email),
  exact("currency", ({ commission }) => commission.currency),
  exact("amount", ({ commission }) => toDecimal(commission.amount, commission.currency)),
  exact("reversed_amount", ({ commission }) =>
    toDecimal(commission.reduced + commission.clawedBack, commission.currency),
  ),
  exact("order_amount", ({ commission }) =>
    commission.orderAmount === null ? null : toDecimal(commission.orderAmount, commission.currency),
  ),
  exact("occurred_at", ({ commission }) => at(commission.occurredAt)),
  exact("payable_at", ({ commission }) => at(commission.payableAt)),
  exact("payout_id", ({ commission }) => commission.payoutId),
  text("note", ({ commission }) => commission.note),
  exact("created_at", ({ commission }) => at(commission.createdAt)),
];

const ENTRY: readonly Column<PlacedEntry>[] = [
  exact("at", (entry) => at(entry.at)),
  exact("affiliate_id", (entry) => entry.affiliateId),
  exact("turn", (entry) => entry.seq),
  exact("line", (entry) => entry.line),
  exact("kind", (entry) => entry.kind),
  exact("currency", (entry) => entry.currency),
  exact("debit_account", (entry) => entry.to),
  exact("credit_account", (entry) => entry.from),
  exact("amount", (entry) => toDecimal(entry.amount, entry.currency)),
  exact("commission_id", (entry) => entry.commissionId),
  exact("payout_id", (entry) => entry.payoutId),
  text("note", (entry) => entry.note),
];

const cellsOf = <Row>(columns: readonly Column<Row>[], row: Row): Cell[] =>
  columns.map((column) => column.cell(row));

export const PAYOUT_HEADER = PAYOUT.map(({ name }) => name);
export const payoutCells = (row: ExportedPayout): Cell[] => cellsOf(PAYOUT, row);
export const COMMISSION_HEADER = COMMISSION.map(({ name }) => name);
export const commissionCells = (commission: Commission, payee: Payee): Cell[] =>
  cellsOf(COMMISSION, { commission, payee });
export const ENTRY_HEADER = ENTRY.map(({ name }) => name);
export const entryCells = (entry: PlacedEntry): Cell[] => cellsOf(ENTRY, entry);
