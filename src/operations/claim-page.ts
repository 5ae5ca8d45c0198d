// One page of a run: decide a claim for every affiliate on it, commit all of them in one batch, and take those who moved through their objects.
import type { Ctx } from "../context.ts";
import { endOfDate, startOfDate } from "../domain/dates.ts";
import type { AffiliateId, PayoutId } from "../domain/ids.ts";
import type { Book } from "../domain/ledger/book.ts";
import type { ClaimCommand } from "../domain/ledger/command.ts";
import { decide, fold } from "../domain/ledger/decide.ts";
import type { Payout } from "../domain/payout.ts";
import { type Blocker, planClaim, type Reason } from "../domain/plan.ts";
import type { Policy } from "../domain/policy.ts";
import { automaticStatements } from "../store/automatic-payments.ts";
import { commitTurns, type DecidedTurn, type RunItem, runItemStatements } from "../store/book.ts";
import { type DueGroup, type DuePage, readDuePage, readHeads } from "../store/due-page.ts";
import { readPayouts } from "../store/payouts.ts";
import { finishRunStatements } from "../store/run-finish.ts";
import type { Run } from "../store/runs.ts";
import { askTurn, newBody } from "./apply-turn.ts";
import { explainSkips, type Refusal } from "./explain-skips.ts";

/** Affiliates that one page reads, decides and commits together. */
export const PAGE_SIZE = 1000;

export interface Skip {
  readonly affiliateId: AffiliateId;
  readonly currency: string;
  readonly reason: Reason;
  readonly blockers: readonly Blocker[];
}

export interface PageOutcome {
  readonly payouts: readonly Payout[];
  readonly skipped: readonly Skip[];
  /** Where the run goes on. */
  readonly cursor: string;
  readonly isLast: boolean;
}

export const dueQueryOf = (
  run: Pick<
    Run,
    "programId" | "asOf" | "periodStart" | "periodEnd" | "currency" | "affiliateIds" | "timeZone" | "cursor"
  >,
) => ({
  programId: run.programId,
  asOf: run.asOf,
  currency: run.currency,
  affiliateIds: run.affiliateIds,
  cursor: run.cursor,
  pageSize: PAGE_SIZE,
  from: run.periodStart === null ? 0 : startOfDate(run.periodStart, run.timeZone),
  until: endOfDate(run.periodEnd, run.timeZone),
});

type Query = ReturnType<typeof dueQueryOf>;

const commandOf = (run: Run, query: Query, currency: string): ClaimCommand => ({
  kind: "claim",
  by: "generate",
  selector: { by: "due", currency, asOf: query.asOf, from: query.from, until: query.until },
  periodStart: run.periodStart,
  periodEnd: run.periodEnd,
  runId: run.id,
  sessionId: null,
  adminNote: null,
});

export const commandIdOf = (run: Run, affiliateId: AffiliateId, currency: string): string =>
  `s:gen:${run.id}:${affiliateId}:${currency}`;

interface Planned {
  readonly turns: readonly DecidedTurn[];
  readonly skipped: readonly Skip[];
}

/** Pure but for the ids it mints: the page's groups in order, each affiliate's second currency decided on the book after its first. */
export const planPage = (
  ctx: Pick<Ctx, "now" | "random" | "actor">,
  run: Run,
  query: Query,
  page: Pick<DuePage, "groups" | "policy" | "policyVersion" | "livemode">,
): Planned => {
  const turns: DecidedTurn[] = [];
  const skipped: Skip[] = [];
  const now = ctx.now();
  let book: Book | undefined;
  for (const group of page.groups) {
    const { affiliate, currency, due } = group;
    const head: Book = book?.affiliateId === affiliate.id ? book : bookOf(run, page, group);
    book = head;
    const owed = -(head.balances[currency]?.recovery ?? 0);
    const { stops } = planClaim({ affiliate, policy: page.policy, currency, due, owed, now });
    const [first] = stops;
    if (first !== undefined) {
      skipped.push({ affiliateId: affiliate.id, currency, reason: first.reason, blockers: stops });
      continue;
    }
    const verdict = decide({ ...head, due }, commandOf(run, query, currency), {
      now,
      actor: ctx.actor,
      mint: newBody(ctx),
    });
    if (verdict.kind !== "change" || verdict.change.insertedPayout === undefined)
      throw new Error(`a planned claim of ${affiliate.id} was ${verdict.kind}`);
    const { change } = verdict;
    turns.push({
      book: head,
      change,
      result: { kind: "payout_ref", payoutId: verdict.change.insertedPayout.id },
      commandId: commandIdOf(run, affiliate.id, currency),
      requestSha: "",
      actor: ctx.actor,
      at: now,
    });
    book = fold(head, change);
  }
  return { turns, skipped };
};

const bookOf = (
  run: Run,
  page: Pick<DuePage, "policy" | "policyVersion" | "livemode">,
  group: DueGroup,
): Book => ({
  programId: run.programId,
  livemode: page.livemode,
  policyVersion: page.policyVersion,
  policy: page.policy,
  affiliateId: group.affiliate.id,
  affiliate: group.affiliate,
  seq: group.seq,
  eventSeq: group.eventSeq,
  balances: group.balances,
});

const doneItem = (run: Run, payout: Pick<Payout, "id" | "affiliateId" | "currency">): RunItem => ({
  runId: run.id,
  affiliateId: payout.affiliateId,
  currency: payout.currency,
  payoutId: payout.id,
  reason: null,
  blockers: null,
});

const skipItem = (run: Run, skip: Skip): RunItem => ({
  runId: run.id,
  affiliateId: skip.affiliateId,
  currency: skip.currency,
  payoutId: null,
  reason: skip.reason,
  blockers: JSON.stringify(skip.blockers),
});

export const payoutsOf = (turns: readonly DecidedTurn[]): Payout[] =>
  turns.flatMap(({ change }) => change.insertedPayout ?? []);

/** What a run writes down beside its turns: who is done, who is not, and which payouts are paid without anyone asking. */
export const itemStatements = (
  ctx: Ctx,
  run: Run,
  policy: Policy,
  payouts: readonly Payout[],
  skipped: readonly Skip[],
): D1PreparedStatement[] => [
  ...runItemStatements(ctx.db, [
    ...payouts.map((payout) => doneItem(run, payout)),
    ...skipped.map((skip) => skipItem(run, skip)),
  ]),
  ...(run.kind === "scheduled" && policy.automatic_payouts
    ? automaticStatements(ctx.db, run, payouts, policy, ctx.realNow())
    : []),
];

/** The run moves behind the page, and ends with the last one, in the batch that completes it: before that, the page is taken again. */
export const passStatements = (
  ctx: Ctx,
  run: Run,
  page: Pick<DuePage, "cursor" | "isLast" | "livemode">,
): D1PreparedStatement[] => [
  ctx.db
    .prepare(
      "UPDATE payout_runs SET cursor = ?3, touched_at = ?4 WHERE program_id = ?1 AND id = ?2 AND cursor < ?3",
    )
    .bind(run.programId, run.id, page.cursor, ctx.now()),
  ...(page.isLast ? finishRunStatements(ctx.db, run, page.livemode, ctx.now()) : []),
];

/** Those whose book moved between the page's read and its commit, one after another through their own objects. */
const claimThroughObjects = async (
  ctx: Ctx,
  run: Run,
  query: Query,
  moved: readonly DecidedTurn[],
): Promise<{ payouts: Payout[]; skipped: readonly Skip[] }> => {
  const payouts: Payout[] = [];
  const refused: Refusal[] = [];
  const replayed: PayoutId[] = [];
  for (const turn of moved) {
    const { affiliateId } = turn.book;
    const currency = turn.change.insertedPayout?.currency ?? "";
    const answer = await askTurn(ctx, {
      programId: run.programId,
      affiliateId,
      commandId: turn.commandId,
      requestSha: "",
      actor: ctx.actor,
      mint: newBody(ctx),
      command: commandOf(run, query, currency),
    });
    if (answer.kind === "busy")
      throw Object.assign(new Error("an affiliate's ledger is busy"), { retryAfterS: answer.retryAfterS });
    if (answer.kind === "done" && answer.result.kind === "payout") payouts.push(answer.result.payout);
    // This run's own batch got through although its answer was lost.
    if (answer.kind === "done" && answer.result.kind === "payout_ref") replayed.push(answer.result.payoutId);
    if (answer.kind === "refused") refused.push({ affiliateId, currency, refusal: answer.refusal });
  }
  return {
    payouts: [...payouts, ...(await readPayouts(ctx.db, run.programId, replayed))],
    skipped: await explainSkips(ctx, query, refused),
  };
};

/** How often a page is read again because the policy or a book moved, before all of it goes through the objects. */
const REREADS = 5;

/** Of decided turns, those whose affiliates stand where they were read. */
export const stayedOf = async (ctx: Ctx, turns: readonly DecidedTurn[]): Promise<readonly DecidedTurn[]> => {
  const heads = await readHeads(
    ctx.db,
    turns.map(({ book }) => book.affiliateId),
  );
  const readAt = new Map<AffiliateId, number>();
  for (const { book } of turns) if (!readAt.has(book.affiliateId)) readAt.set(book.affiliateId, book.seq);
  return turns.filter(({ book }) => heads.get(book.affiliateId) === readAt.get(book.affiliateId));
};

/** Commits what did not move; answers who did. */
const commitUnmoved = async (
  ctx: Ctx,
  run: Run,
  page: DuePage,
  planned: Planned,
): Promise<{ committed: readonly DecidedTurn[]; moved: readonly DecidedTurn[] }> => {
  const moved: DecidedTurn[] = [];
  let open = planned.turns;
  for (let read = 1; ; read++) {
    const outcome = await commitTurns(ctx.db, open, ctx.sleep, [
      ...itemStatements(ctx, run, page.policy, payoutsOf(open), planned.skipped),
      ...(moved.length === 0 ? passStatements(ctx, run, page) : []),
    ]);
    if (outcome.kind === "committed") return { committed: open, moved };
    const stayed = await stayedOf(ctx, open);
    // Where no head moved it was the policy: the objects decide on the new one.
    const keep = new Set(stayed.length === open.length || read === REREADS ? [] : stayed);
    moved.push(...open.filter((turn) => !keep.has(turn)));
    open = open.filter((turn) => keep.has(turn));
  }
};

export const claimPage = async (ctx: Ctx, run: Run): Promise<PageOutcome> => {
  const query = dueQueryOf(run);
  const page = await readDuePage(ctx.db, query);
  const planned = planPage(ctx, run, query, page);
  const { committed, moved } = await commitUnmoved(ctx, run, page, planned);
  const through = await claimThroughObjects(ctx, run, query, moved);
  if (moved.length > 0) {
    const items = itemStatements(ctx, run, page.policy, through.payouts, through.skipped);
    await commitTurns(ctx.db, [], ctx.sleep, [...items, ...passStatements(ctx, run, page)]);
  }
  return {
    payouts: [...payoutsOf(committed), ...through.payouts],
    skipped: [...planned.skipped, ...through.skipped],
    cursor: page.cursor,
    isLast: page.isLast,
  };
};
