// Selects what a session shall pay: all that is due, or chosen commissions. Nothing is claimed and nobody is blocked.
import type { Ctx } from "../context.ts";
import { toInstant } from "../domain/dates.ts";
import type { AffiliateId, CommissionId } from "../domain/ids.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import type { SelectionWish, SessionId, SessionRow } from "../domain/session.ts";
import { type DueGroup, type DuePage, readDuePage } from "../store/due-page.ts";
import { type Ref, resolveCommissions } from "../store/refs.ts";
import type { SkipRow } from "../store/run-outcome.ts";
import { insertSelection, listRows, type Pair } from "../store/session-rows.ts";
import type { SessionView } from "../store/sessions.ts";
import { type ChosenCommission, readChosenCommissions } from "../store/unpaid.ts";
import { judgeGroups, untilOf } from "./plan-selection.ts";
import { requireSession } from "./start-session.ts";

export interface SelectionInput extends Omit<SelectionWish, "isAll"> {
  readonly commissions: "all" | readonly Ref<CommissionId>[];
}

/** A chosen commission that cannot be selected, and its place in the request. */
export interface NotFree {
  readonly index: number;
  readonly commission: ChosenCommission;
  readonly detail: string;
}

export type Selected =
  | {
      readonly kind: "selected";
      readonly view: SessionView;
      /** The first thousand. */
      readonly rows: readonly SessionRow[];
      readonly hasMore: boolean;
      /** The first thousand; the counts are of all. */
      readonly skipped: readonly SkipRow[];
      readonly skippedCount: Readonly<Record<string, number>>;
    }
  | { readonly kind: "not_free"; readonly notFree: readonly NotFree[] };

export const ROWS_SHOWN = 1_000;

/** Affiliates and currencies of one selection. */
const SELECTION_MAX = 10_000;
const PAGE_SIZE = 1_000;
const PAGES_MAX = 50;
const TRIES = 3;

const tooLarge = (): Refused =>
  new Refused(
    refuse(
      "selection_too_large",
      `A session selects at most ${SELECTION_MAX} affiliates and currencies: narrow it by currency, amount or up_to, or generate payouts instead.`,
    ).refusal,
  );

const whyNot = (commission: ChosenCommission, input: SelectionInput, now: number, until: number) => {
  const { id, status, payoutId, sessionId, payableAt, occurredAt, currency } = commission;
  if (payoutId !== null)
    return `${id} is claimed by ${payoutId}${sessionId === null ? "" : ` of session ${sessionId}`}.`;
  if (status !== "approved") return `${id} is ${status}.`;
  if (payableAt > now) return `${id} is inside the refund window until ${toInstant(payableAt)}.`;
  if (occurredAt >= until) return `${id} occurred after up_to.`;
  if (input.currency !== null && currency !== input.currency) return `${id} is in ${currency}.`;
  return undefined;
};

interface Choice {
  readonly commissions: readonly ChosenCommission[];
  readonly notFree: readonly NotFree[];
}

const readChoice = async (
  ctx: Ctx,
  refs: readonly Ref<CommissionId>[],
  input: SelectionInput,
  until: number,
): Promise<Choice> => {
  const { db, program } = ctx;
  const now = ctx.now();
  const ids = (await resolveCommissions(db, program.id, refs)).map((id, index) => {
    if (id !== undefined) return id;
    const more = { pointer: `/commission_ids/${index}` };
    throw new Refused(refuse("commission_not_found", "No such commission in this program.", more).refusal);
  });
  const found = await readChosenCommissions(db, program.id, ids);
  const notFree = ids.flatMap((id, index) => {
    const commission = found.get(id);
    if (commission === undefined) throw new Error(`${id} is gone`);
    const detail = whyNot(commission, input, now, until);
    return detail === undefined ? [] : [{ index, commission, detail }];
  });
  return { commissions: [...found.values()], notFree };
};

/** What of a page's group was chosen, instead of all that is due there. */
const narrowed = (group: DueGroup, chosen: readonly ChosenCommission[]): DueGroup[] => {
  const own = chosen.filter(
    ({ affiliateId, currency }) => affiliateId === group.affiliate.id && currency === group.currency,
  );
  if (own.length === 0) return [];
  const instants = own.map(({ occurredAt }) => occurredAt);
  const due = {
    ...group.due,
    count: own.length,
    gross: own.reduce((sum, { amount }) => sum + amount, 0),
    oldestAt: Math.min(...instants),
    newestAt: Math.max(...instants),
  };
  return [{ ...group, due }];
};

const groupsOf = (page: DuePage, choice: Choice | undefined): readonly DueGroup[] => {
  if (choice === undefined) return page.groups;
  const byAffiliate = Map.groupBy(choice.commissions, ({ affiliateId }) => affiliateId);
  return page.groups.flatMap((group) => narrowed(group, byAffiliate.get(group.affiliate.id) ?? []));
};

interface Planned {
  readonly pairs: readonly Pair[];
  readonly skipped: readonly SkipRow[];
}

const plan = async (
  ctx: Ctx,
  input: SelectionInput,
  until: number,
  choice: Choice | undefined,
): Promise<Planned> => {
  const now = ctx.now();
  const chosen: AffiliateId[] | null =
    choice === undefined ? null : [...new Set(choice.commissions.map(({ affiliateId }) => affiliateId))];
  const pairs: Pair[] = [];
  const skipped: SkipRow[] = [];
  const { currency } = input;
  const terms = { programId: ctx.program.id, asOf: now, from: 0, until, currency, affiliateIds: chosen };
  for (let pages = 1, cursor = ""; ; pages++) {
    const page = await readDuePage(ctx.db, { ...terms, cursor, pageSize: PAGE_SIZE });
    const judged = judgeGroups(groupsOf(page, choice), page.policy, input, now);
    for (const { group } of judged.candidates)
      pairs.push({ affiliateId: group.affiliate.id, currency: group.currency });
    skipped.push(...judged.skipped);
    if (pairs.length > SELECTION_MAX || (pages === PAGES_MAX && !page.isLast)) throw tooLarge();
    if (page.isLast) return { pairs, skipped };
    cursor = page.cursor;
  }
};

export const assertGoesOn = ({ status }: Pick<SessionView, "status">): void => {
  if (status === "done" || status === "cancelled")
    throw new Refused(
      refuse("invalid_state", `The session is ${status}; start another one.`, { facts: { status } }).refusal,
    );
};

const countReasons = (skipped: readonly SkipRow[]): Record<string, number> => {
  const count: Record<string, number> = {};
  for (const { reason } of skipped) count[reason] = (count[reason] ?? 0) + 1;
  return count;
};

/** Replaces what was selected and not claimed yet; what the session has claimed stays in it. */
export const selectForSession = async (
  ctx: Ctx,
  sessionId: SessionId,
  input: SelectionInput,
): Promise<Selected> => {
  const until = untilOf(ctx, input.upTo, "/up_to");
  assertGoesOn(await requireSession(ctx, sessionId));
  const { commissions, ...terms } = input;
  const choice = commissions === "all" ? undefined : await readChoice(ctx, commissions, input, until);
  if (choice !== undefined && choice.notFree.length > 0) return { kind: "not_free", notFree: choice.notFree };
  const { pairs, skipped } = await plan(ctx, input, until, choice);
  const commissionIds = choice === undefined ? null : choice.commissions.map(({ id }) => id);
  const wish = { ...terms, isAll: choice === undefined };
  for (let tried = 1; ; tried++) {
    const before = await requireSession(ctx, sessionId);
    assertGoesOn(before);
    const n = before.session.n + 1;
    const selecting = { programId: ctx.program.id, sessionId, n, wish, now: ctx.now(), until };
    if (await insertSelection(ctx.db, { ...selecting, pairs, commissionIds })) break;
    if (tried === TRIES)
      throw Object.assign(new Error("the session keeps being selected"), { retryAfterS: 1 });
  }
  const page = { limit: ROWS_SHOWN, order: "asc", after: undefined } as const;
  const { rows, hasMore } = await listRows(ctx.db, ctx.program.id, sessionId, page);
  const shown = skipped.slice(0, ROWS_SHOWN);
  const view = await requireSession(ctx, sessionId);
  return { kind: "selected", view, rows, hasMore, skipped: shown, skippedCount: countReasons(skipped) };
};
