// Answers of sessions: rows with what stands in their way and what changed, and what came of paying them.
import type { Context } from "hono";
import { type Affiliate, methodOf } from "../domain/affiliate.ts";
import { byPrecedence, planClaim } from "../domain/plan.ts";
import type { SessionId, SessionRow } from "../domain/session.ts";
import type { Unpaid } from "../operations/list-unpaid.ts";
import type { SessionOutcome } from "../operations/work-session.ts";
import { readAffiliatesOf } from "../store/payouts.ts";
import { readChanges } from "../store/session-rows.ts";
import { type AppEnv, ctxOf } from "./env.ts";
import { faultLine } from "./fault.ts";
import { payoutsToWire } from "./payout-answer.ts";
import { isFault, Problem } from "./problem.ts";
import { blockerToWire } from "./wire-payout.ts";
import { changeToWire, commissionsToWire, failureToWire, sumsToWire } from "./wire-session.ts";

type Expand = "affiliate" | undefined;

const personOf = (affiliate: Affiliate, expand: Expand) =>
  expand === undefined
    ? {}
    : {
        affiliate: {
          id: affiliate.id,
          external_id: affiliate.externalId,
          name: affiliate.name,
          email: affiliate.email,
        },
      };

export const unpaidToWire = (groups: Unpaid["groups"], expand: Expand) =>
  groups.map(({ group: { affiliate, currency, due }, plan, commissions }) => ({
    affiliate_id: affiliate.id,
    ...personOf(affiliate, expand),
    currency,
    gross_amount: plan.gross,
    reversal_amount: plan.recovered,
    amount: plan.net,
    commission_count: due.count,
    commissions: commissionsToWire(commissions),
    payout_method: methodOf(affiliate),
    blockers: plan.warnings.map(blockerToWire),
  }));

const blockersOf = (c: Context<AppEnv>, row: SessionRow, affiliate: Affiliate) => {
  if (row.payout !== null) return [];
  const { program, now } = ctxOf(c);
  const due = {
    count: row.commissionCount,
    gross: row.gross,
    oldestAt: null,
    newestAt: null,
    held: 0,
    pending: 0,
    inHold: 0,
    nextPayableAt: null,
    outside: 0,
  };
  const facts = { affiliate, policy: program.policy, currency: row.currency, due, owed: row.recovered };
  const { stops, warnings } = planClaim({ ...facts, now: now(), minimumWarnsOnly: true });
  return byPrecedence([...stops, ...warnings]).map(blockerToWire);
};

/** Two round trips: who the affiliates are, and what changed since the rows were selected. */
export const rowsToWire = async (
  c: Context<AppEnv>,
  sessionId: SessionId,
  rows: readonly SessionRow[],
  expand?: Expand,
) => {
  const { db, program } = ctxOf(c);
  const ids = rows.map(({ affiliateId }) => affiliateId);
  const [affiliates, changes] = await Promise.all([
    readAffiliatesOf(db, program.id, ids),
    readChanges(db, program.id, sessionId, rows),
  ]);
  return rows.map((row) => {
    const affiliate = affiliates.get(row.affiliateId);
    if (affiliate === undefined) throw new Error(`affiliate ${row.affiliateId} is gone`);
    const own = changes.filter(
      (change) =>
        row.payout === null && change.affiliateId === row.affiliateId && change.currency === row.currency,
    );
    return {
      affiliate_id: row.affiliateId,
      ...personOf(affiliate, expand),
      currency: row.currency,
      ...sumsToWire(row),
      payout_method: methodOf(affiliate),
      blockers: blockersOf(c, row, affiliate),
      changes: own.map(changeToWire),
    };
  });
};

/** A call that got nothing at all is refused as a whole; what stood in the way is named. */
const assertSomething = (outcome: SessionOutcome): void => {
  const { payouts, failed } = outcome;
  if (payouts.length > 0 || failed.length === 0 || failed.some(({ payoutId }) => payoutId !== null)) return;
  const refusals = failed.filter(({ thrown }) => !isFault(thrown));
  if (refusals.length === 0) throw failed[0]?.thrown;
  const wires = refusals.map(failureToWire);
  const errors = wires.map(({ affiliate_id: id, currency, code, detail }, i) => {
    const index = refusals[i]?.index ?? null;
    const pointer = index === null ? "" : `/payments/${index}`;
    return { pointer, detail: `${id ?? "?"} ${currency}: ${code}: ${detail}` };
  });
  const [first] = wires;
  const facts = {
    ...(first === undefined ? {} : { reason: first.code }),
    ...(first?.payout_id === undefined ? {} : { payout_id: first.payout_id }),
    ...(first?.session_id === undefined ? {} : { session_id: first.session_id }),
  };
  throw new Problem("nothing_claimed", `None of ${failed.length} row(s) could be claimed.`, {
    errors,
    facts,
  });
};

/** 202 while rows are left that no call has come to. */
export const outcomeAnswer = async (c: Context<AppEnv>, outcome: SessionOutcome) => {
  for (const { thrown } of outcome.failed)
    if (isFault(thrown)) c.get("ports").log(faultLine(c.get("requestId"), thrown));
  assertSomething(outcome);
  const body = {
    status: outcome.view.status,
    payouts: await payoutsToWire(c, outcome.payouts),
    failed: outcome.failed.map(failureToWire),
    remaining: outcome.remaining,
  };
  return [body, outcome.remaining > 0 ? 202 : 200] as [typeof body, 200 | 202];
};
