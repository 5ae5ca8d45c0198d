// Puts payouts into a file for a bank, PayPal or Wise: begins each payment, then binds all that began to one file in one batch.
import type { Ctx } from "../context.ts";
import { addDays, dateOf } from "../domain/dates.ts";
import { actorName } from "../domain/events.ts";
import {
  FILE_PAYOUTS_MAX,
  type FileFormat,
  type FileId,
  FORMAT_RULES,
  messageIdOf,
} from "../domain/files/format.ts";
import type { BankAccount, PaymentLine } from "../domain/files/payment-line.ts";
import { writeFile } from "../domain/files/write-file.ts";
import type { PayoutId, RunId } from "../domain/ids.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { digestOf } from "../store/key-hash.ts";
import { listRunCandidates, readCandidates, readFileItems } from "../store/payout-file-items.ts";
import {
  type FileTotal,
  filePlace,
  findPayoutFile,
  insertPayoutFile,
  type NewItem,
  type PayoutFile,
} from "../store/payout-files.ts";
import { findRun } from "../store/runs.ts";
import { newBody } from "./apply-turn.ts";
import { inLanes } from "./lanes.ts";
import {
  type FileFailure,
  fail,
  type Judged,
  judge,
  ofOneCurrency,
  type Ready,
} from "./payout-file-judgement.ts";
import { beginByHand } from "./payout-file-payment.ts";

export interface FileRequest {
  readonly format: FileFormat;
  readonly selection: { readonly payoutIds: readonly PayoutId[] } | { readonly runId: RunId };
  /** For pain.001 only. */
  readonly debtor: BankAccount | undefined;
  /** YYYY-MM-DD; undefined: today in the program's zone. */
  readonly executionDate: string | undefined;
}

export interface CreatedFile {
  /** undefined: nothing could be written, and nothing was. */
  readonly file: PayoutFile | undefined;
  readonly failed: readonly FileFailure[];
  /** Payouts of the run that are in no file yet, beyond the first FILE_PAYOUTS_MAX. */
  readonly remaining: number;
}

/** Turns under way at once: 500 payments begin within the half minute that a request may take. */
const LANES = 10;
/** A payout that was taken away meanwhile is left out, and the file is written again without it. */
const WRITES = 4;
/** Banks take orders for a year ahead at most. */
const EXECUTION_DAYS_MAX = 365;

const begin = async (ctx: Ctx, { format }: FileRequest, ready: Ready): Promise<Judged> => {
  const { rail } = FORMAT_RULES[format];
  const attempt = await beginByHand(ctx, rail, ready.candidate);
  if (!("state" in attempt)) return fail(ready.line.payoutId, attempt);
  return { ...ready, candidate: { ...ready.candidate, attempt } };
};

const totalsOf = (lines: readonly PaymentLine[]): FileTotal[] => {
  const totals = new Map<string, FileTotal>();
  for (const { currency, amount } of lines) {
    const { amount: sum, count } = totals.get(currency) ?? { amount: 0, count: 0 };
    totals.set(currency, { currency, amount: sum + amount, count: count + 1 });
  }
  return [...totals.values()].sort((x, y) => (x.currency < y.currency ? -1 : 1));
};

const seal = async (
  ctx: Ctx,
  id: FileId,
  request: FileRequest,
  executionDate: string,
  lines: readonly PaymentLine[],
): Promise<PayoutFile> => {
  const head = { ...request, messageId: messageIdOf(id), createdAt: ctx.now(), executionDate };
  const text = writeFile(head, lines);
  return {
    programId: ctx.program.id,
    id,
    format: request.format,
    sealed: await ctx.vault.seal(text, filePlace(ctx.program.id, id)),
    sha256: await digestOf(text),
    messageId: head.messageId,
    payoutCount: lines.length,
    totals: totalsOf(lines),
    runId: "runId" in request.selection ? request.selection.runId : null,
    voidedAt: null,
    voidReason: null,
    createdBy: actorName(ctx.actor),
    createdAt: head.createdAt,
  };
};

interface Item extends NewItem {
  readonly line: PaymentLine;
}

const LOST = refuse(
  "payment_under_way",
  "The payout changed meanwhile: send the request again for it.",
).refusal;

/** What waits for a hand can be bound to a file; whatever else became of a payout meanwhile is said of it. */
const itemsOf = (judged: readonly Judged[]): { readonly items: Item[]; readonly failed: FileFailure[] } => {
  const items: Item[] = [];
  const failed: FileFailure[] = [];
  for (const one of judged) {
    if (!("line" in one)) failed.push(one);
    else if (one.candidate.attempt?.state !== "needs_hand") failed.push(fail(one.line.payoutId, LOST));
    else {
      const { line } = one;
      const { payoutId, endToEndId } = line;
      items.push({ payoutId, attemptId: one.candidate.attempt.id, endToEndId, line });
    }
  }
  return { items, failed };
};

/** The lines are made anew out of what the attempts froze, so that nothing that changed meanwhile gets into the file. */
const write = async (
  ctx: Ctx,
  id: FileId,
  request: FileRequest,
  executionDate: string,
  payoutIds: readonly PayoutId[],
): Promise<Pick<CreatedFile, "file" | "failed">> => {
  const failed: FileFailure[] = [];
  let waiting = payoutIds;
  for (let written = 0; written < WRITES && waiting.length > 0; written++) {
    const candidates = await readCandidates(ctx.db, ctx.program.id, waiting);
    const judged = await inLanes(waiting, LANES, (id) => judge(ctx, request, id, candidates.get(id)));
    const standing = itemsOf(judged);
    failed.push(...standing.failed);
    waiting = standing.items.map(({ payoutId }) => payoutId);
    if (waiting.length === 0) break;
    const lines = standing.items.map(({ line }) => line);
    const sealed = await seal(ctx, id, request, executionDate, lines);
    const file = await insertPayoutFile(ctx.db, sealed, standing.items);
    if (file !== undefined) return { file, failed };
  }
  return { file: undefined, failed: [...failed, ...waiting.map((id) => fail(id, LOST))] };
};

const choose = async (
  ctx: Ctx,
  { format, selection }: FileRequest,
): Promise<{ readonly ids: readonly PayoutId[]; readonly remaining: number }> => {
  if ("payoutIds" in selection) return { ids: selection.payoutIds, remaining: 0 };
  if ((await findRun(ctx.db, ctx.program.id, selection.runId)) === undefined)
    throw new Refused(
      refuse("run_not_found", "No such run in this program.", { pointer: "/run_id" }).refusal,
    );
  const { ids, count } = await listRunCandidates(
    ctx.db,
    ctx.program.id,
    selection.runId,
    FORMAT_RULES[format],
    FILE_PAYOUTS_MAX,
  );
  return { ids, remaining: count - ids.length };
};

const executionDateOf = (ctx: Ctx, asked: string | undefined): string => {
  const today = dateOf(ctx.now(), ctx.program.policy.time_zone);
  if (asked === undefined) return today;
  if (asked < today || asked > addDays(today, EXECUTION_DAYS_MAX)) {
    throw new Refused(
      refuse(
        "period_invalid",
        `requested_execution_date must be from today (${today}) to ${EXECUTION_DAYS_MAX} days ahead.`,
        { pointer: "/requested_execution_date" },
      ).refusal,
    );
  }
  return asked;
};

/** A request whose answer was lost is taken up under its key: the file that it wrote is its answer, and the others are judged anew. */
const resume = async (ctx: Ctx, file: PayoutFile, request: FileRequest): Promise<CreatedFile> => {
  const items = await readFileItems(ctx.db, ctx.program.id, file.id);
  const { ids, remaining } = await choose(ctx, request);
  const others = ids.filter((id) => !items.some(({ payoutId }) => payoutId === id));
  if ("runId" in request.selection) return { file, failed: [], remaining: remaining + others.length };
  const candidates = await readCandidates(ctx.db, ctx.program.id, others);
  const judged = await inLanes(others, LANES, (id) => judge(ctx, request, id, candidates.get(id)));
  return {
    file,
    failed: judged.map((one) => ("line" in one ? fail(one.line.payoutId, LOST) : one)),
    remaining,
  };
};

/**
 * What cannot be written is found before its payment begins. A crash between the beginning and the file leaves payments that wait
 * for a person, and the next file takes them in.
 */
export const createPayoutFile = async (ctx: Ctx, request: FileRequest): Promise<CreatedFile> => {
  const id: FileId = `fil_${ctx.keyed?.body ?? newBody(ctx)}`;
  const written = ctx.keyed === undefined ? undefined : await findPayoutFile(ctx.db, ctx.program.id, id);
  if (written !== undefined) return resume(ctx, written, request);
  const executionDate = executionDateOf(ctx, request.executionDate);
  const { ids, remaining } = await choose(ctx, request);
  const candidates = await readCandidates(ctx.db, ctx.program.id, ids);
  const judged = ofOneCurrency(
    request.format,
    await inLanes(ids, LANES, (id) => judge(ctx, request, id, candidates.get(id))),
  );
  const begun = await inLanes(judged, LANES, async (one) => ("line" in one ? begin(ctx, request, one) : one));
  const early = begun.flatMap((one) => ("line" in one ? [] : [one]));
  const waiting = begun.flatMap((one) => ("line" in one ? [one.line.payoutId] : []));
  const { file, failed } = await write(ctx, id, request, executionDate, waiting);
  return { file, failed: [...early, ...failed], remaining };
};
