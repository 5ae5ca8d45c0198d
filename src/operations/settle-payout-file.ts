// Settles a file's payouts by what the bank's statement says of them: each line by its end-to-end id, each payment in a turn of its own.
import type { Ctx } from "../context.ts";
import { parseInstant, startOfDate } from "../domain/dates.ts";
import type { FileId } from "../domain/files/format.ts";
import { judgeLine, type SettleFailure, type StatementLine } from "../domain/files/settlement.ts";
import type { PayoutId } from "../domain/ids.ts";
import { type RefusalCode, Refused, refuse } from "../domain/refusals.ts";
import { findFilesOfIds, readFileItems, type StoredItem } from "../store/payout-file-items.ts";
import { findPayoutFile } from "../store/payout-files.ts";
import { askTurn, newBody } from "./apply-turn.ts";
import { readCamt053 } from "./camt-053.ts";
import { inLanes } from "./lanes.ts";
import { readSettlementCsv, SETTLEMENT_COLUMNS } from "./settlement-csv.ts";

export const STATEMENT_FORMATS = ["camt.053", "csv"] as const;
export type StatementFormat = (typeof STATEMENT_FORMATS)[number];

export interface SettledLine {
  readonly place: string;
  readonly payoutId: PayoutId;
  readonly endToEndId: string;
  readonly externalRef: string | null;
}

export interface FailedLine extends Omit<SettledLine, "externalRef"> {
  readonly code: SettleFailure | RefusalCode;
  readonly detail: string;
}

export interface UnmatchedLine {
  readonly place: string;
  readonly endToEndId: string | null;
  readonly amounts: StatementLine["amounts"];
  /** The file of this program that the payment is in. */
  readonly fileId: FileId | undefined;
}

export interface Settlement {
  readonly settled: readonly SettledLine[];
  /** Settled before by the same payment. */
  readonly already: readonly SettledLine[];
  /** Said to have failed, and paid after all: the affiliate owes it back. */
  readonly paidLate: readonly SettledLine[];
  readonly failed: readonly FailedLine[];
  /** Booked debits that are none of this file's. */
  readonly unmatched: readonly UnmatchedLine[];
}

const LANES = 6;

type Verdict =
  | { readonly kind: "settled" | "already" | "paidLate"; readonly line: SettledLine }
  | { readonly kind: "failed"; readonly line: FailedLine };

const linesOf = (format: StatementFormat, content: string): readonly StatementLine[] => {
  const lines = format === "camt.053" ? readCamt053(content) : readSettlementCsv(content);
  if (lines !== undefined) return lines;
  const expected =
    format === "camt.053"
      ? "a well-formed camt.053 document without a document type"
      : `CSV whose first row names ${SETTLEMENT_COLUMNS.slice(0, 4).join(", ")}, and perhaps ${SETTLEMENT_COLUMNS.slice(4).join(", ")}`;
  throw new Refused(
    refuse("statement_unreadable", `The content must be ${expected}.`, { pointer: "/content" }).refusal,
  );
};

/** The start of the booking date in the program's zone; a date that lies ahead, by zones or by mistake, is now. */
const paidAtOf = (ctx: Ctx, bookedOn: string | null): number => {
  const now = ctx.now();
  if (bookedOn === null) return now;
  const start = startOfDate(bookedOn.slice(0, 10), ctx.program.policy.time_zone);
  return Math.min(bookedOn.length > 10 ? (parseInstant(bookedOn) ?? start) : start, now);
};

/** Concluding this very attempt, and no other of its payout: one that was said to have failed turns out to have paid. */
const settle = async (ctx: Ctx, item: StoredItem, line: StatementLine, ref: string): Promise<Verdict> => {
  const { payoutId, endToEndId, attemptId, affiliateId } = item;
  const { place } = line;
  const outcome = { kind: "settled", ref, paidAt: paidAtOf(ctx, line.bookedOn) } as const;
  const mint = newBody(ctx);
  const answer = await askTurn(ctx, {
    programId: ctx.program.id,
    affiliateId,
    commandId: `s:settle:${mint}`,
    requestSha: "",
    actor: ctx.actor,
    mint,
    command: { kind: "conclude_payment", payoutId, attemptId, outcome },
  });
  const no = (code: FailedLine["code"], detail: string): Verdict => ({
    kind: "failed",
    line: { place, payoutId, endToEndId, code, detail },
  });
  if (answer.kind === "busy")
    return no("payment_under_way", "The affiliate's ledger is busy: send the statement again.");
  if (answer.kind === "refused") return no(answer.refusal.code, answer.refusal.detail);
  if (answer.result.kind !== "attempt") throw new Error(`a conclusion answered ${answer.result.kind}`);
  const { state } = answer.result.attempt;
  const done = { place, payoutId, endToEndId, externalRef: ref };
  if (!answer.written && !answer.replayed) return { kind: "already", line: done };
  return { kind: state === "paid_late" ? "paidLate" : "settled", line: done };
};

const take = async (ctx: Ctx, item: StoredItem, line: StatementLine): Promise<Verdict> => {
  const verdict = judgeLine(line, item);
  const { payoutId, endToEndId } = item;
  const place = line.place;
  if (verdict.kind === "settle") return settle(ctx, item, line, verdict.ref);
  if (verdict.kind === "already")
    return { kind: "already", line: { place, payoutId, endToEndId, externalRef: verdict.ref } };
  return {
    kind: "failed",
    line: { place, payoutId, endToEndId, code: verdict.code, detail: verdict.detail },
  };
};

/** One payment's lines in their order: a second booking of it is judged by what the first one did. */
const takeAll = async (ctx: Ctx, before: StoredItem, lines: readonly StatementLine[]): Promise<Verdict[]> => {
  const verdicts: Verdict[] = [];
  let item = before;
  for (const line of lines) {
    const verdict = await take(ctx, item, line);
    verdicts.push(verdict);
    if (verdict.kind === "settled" || verdict.kind === "paidLate") {
      const state = verdict.kind === "settled" ? "settled" : "paid_late";
      const { externalRef } = verdict.line;
      item = { ...item, state, settledRefs: externalRef === null ? [] : [externalRef] };
    }
  }
  return verdicts;
};

const unmatchedOf = async (ctx: Ctx, lines: readonly StatementLine[]): Promise<UnmatchedLine[]> => {
  const strange = lines.filter(
    ({ direction, isBooked, isReversal }) => direction === "debit" && isBooked && !isReversal,
  );
  const ids = strange.flatMap(({ endToEndId }) => endToEndId ?? []);
  const files = await findFilesOfIds(ctx.db, ctx.program.id, ids);
  return strange.map(({ place, endToEndId, amounts }) => ({
    place,
    endToEndId,
    amounts,
    fileId: files.get(endToEndId ?? ""),
  }));
};

/** Safe to run with the same statement any number of times, and with others in any order. */
export const settlePayoutFile = async (
  ctx: Ctx,
  fileId: string,
  statement: { readonly format: StatementFormat; readonly content: string },
): Promise<Settlement> => {
  const file = await findPayoutFile(ctx.db, ctx.program.id, fileId);
  if (file === undefined)
    throw new Refused(refuse("file_not_found", "No such payout file in this program.").refusal);
  const lines = linesOf(statement.format, statement.content);
  const items = await readFileItems(ctx.db, ctx.program.id, file.id);
  const byId = new Map(items.map((item) => [item.endToEndId, item]));
  const linesById = Map.groupBy(lines, ({ endToEndId }) => byId.get(endToEndId ?? ""));
  const own = [...linesById].flatMap(([item, of]) => (item === undefined ? [] : [{ item, of }]));
  const verdicts = (await inLanes(own, LANES, ({ item, of }) => takeAll(ctx, item, of))).flat();
  const linesOfKind = (kind: "settled" | "already" | "paidLate"): SettledLine[] =>
    verdicts.flatMap((verdict) => (verdict.kind === kind ? [verdict.line] : []));
  return {
    settled: linesOfKind("settled"),
    already: linesOfKind("already"),
    paidLate: linesOfKind("paidLate"),
    failed: verdicts.flatMap((verdict) => (verdict.kind === "failed" ? [verdict.line] : [])),
    unmatched: await unmatchedOf(ctx, linesById.get(undefined) ?? []),
  };
};
