// Records what an affiliate earned or is given; the caller's own id of it guards for ever, with an idempotency key or without.
import type { Ctx } from "../context.ts";
import type { Commission } from "../domain/commission.ts";
import type { AffiliateId } from "../domain/ids.ts";
import type { CommissionCommand } from "../domain/ledger/command.ts";
import type { Currency } from "../domain/money.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { type AffiliateRef, findAffiliateId } from "../store/affiliates.ts";
import { findCommission } from "../store/commissions.ts";
import { findProgram } from "../store/programs.ts";
import { applyTurn, type TurnInput } from "./apply-turn.ts";
import { requireAffiliate } from "./create-affiliate.ts";

export interface NewSale {
  readonly affiliate: AffiliateRef;
  readonly externalId: string;
  /** Minor units; exactly one of amount and orderAmount. */
  readonly amount: number | null;
  readonly orderAmount: number | null;
  readonly currency: Currency;
  /** Epoch milliseconds. */
  readonly occurredAt: number;
  readonly status: "pending" | "approved" | null;
  readonly metadata: string | null;
  /** Whether the caller's key holds commissions:approve. */
  readonly mayApprove: boolean;
}

export interface NewCredit {
  readonly grant: "credit" | "bonus";
  readonly amount: number;
  readonly currency: Currency;
  readonly note: string;
  readonly externalId: string | null;
}

export interface Recorded {
  readonly commission: Commission;
  /** The instant that the answer is of, epoch milliseconds. */
  readonly at: number;
  /** `replayed` by the caller's idempotency key: the stored answer. `known` by its external id: as it stands now. */
  readonly outcome: "recorded" | "replayed" | "known";
}

const AHEAD_MAX_MS = 24 * 3_600_000;

/** Clocks differ and time zones are mistaken for each other, but no order is of the day after tomorrow. */
const assertNotAhead = (ctx: Ctx, occurredAt: number): void => {
  if (occurredAt <= ctx.now() + AHEAD_MAX_MS) return;
  const detail = "occurred_at is more than 24 hours in the future.";
  throw new Refused(refuse("period_invalid", detail, { pointer: "/occurred_at" }).refusal);
};

/**
 * A key without commissions:approve may say `approved` only where the program approves by itself; then the program's
 * own rule is asked in the turn, which cannot run on a policy that changed meanwhile.
 */
const statusOf = async (ctx: Ctx, sale: NewSale): Promise<NewSale["status"]> => {
  if (sale.status !== "approved" || sale.mayApprove) return sale.status;
  const program = await findProgram(ctx.db, ctx.program.id);
  if (program?.policy.auto_approve_commissions === true) return null;
  const detail =
    "Recording a commission as approved needs the scope commissions:approve, which the key does not hold.";
  const more = { pointer: "/status", facts: { required_scope: "commissions:approve" } };
  throw new Refused(refuse("scope_not_held", detail, more).refusal);
};

/** Refusals that come before the external id: nobody to earn it, or the caller's own idempotency key used for something else. */
const isFinal = ({ refusal }: Refused, input: TurnInput): boolean =>
  refusal.code === "affiliate_not_found" ||
  (refusal.code === "idempotency_mismatch" && input.commandId !== undefined);

/** The external id belongs to a commission: the same request again, or another one under its name. */
const known = async (ctx: Ctx, externalId: string, requestSha: string): Promise<Recorded | undefined> => {
  const commission = await findCommission(ctx.db, ctx.program.id, { externalId });
  if (commission === undefined) return undefined;
  if (commission.requestSha === requestSha) return { commission, at: ctx.now(), outcome: "known" };
  const detail = "This external_id belongs to a commission that was recorded with another body.";
  const more = { pointer: "/external_id", facts: { commission_id: commission.id } };
  throw new Refused(refuse("duplicate_external_id", detail, more).refusal);
};

type Entered = Extract<CommissionCommand, { kind: "record" | "credit" }>;

/** Warm, and new, it costs the turn's one round trip; only a refusal is looked into. */
const enter = async (
  ctx: Ctx,
  affiliateId: AffiliateId,
  command: Entered,
  input: TurnInput,
): Promise<Recorded> => {
  const { externalId } = command;
  const { requestSha } = input;
  const ownId = externalId === null ? undefined : `s:${command.kind}:${externalId}`;
  try {
    const turn = { commandId: input.commandId ?? ownId, requestSha };
    const done = await applyTurn(ctx, affiliateId, command, turn, "commission");
    const { commission } = done.result;
    if (!done.replayed) return { commission, at: done.at, outcome: "recorded" };
    if (input.commandId !== undefined) return { commission, at: done.at, outcome: "replayed" };
    return (await known(ctx, externalId ?? "", requestSha)) ?? { commission, at: done.at, outcome: "known" };
  } catch (thrown) {
    if (!(thrown instanceof Refused) || externalId === null || isFinal(thrown, input)) throw thrown;
    const earlier = await known(ctx, externalId, requestSha);
    if (earlier === undefined) throw thrown;
    return earlier;
  }
};

export const recordCommission = async (ctx: Ctx, sale: NewSale, input: TurnInput): Promise<Recorded> => {
  assertNotAhead(ctx, sale.occurredAt);
  const affiliateId = await findAffiliateId(ctx.db, ctx.program.id, sale.affiliate);
  if (affiliateId === undefined) {
    const pointer = "/affiliate_id";
    throw new Refused(
      refuse("affiliate_not_found", "No such affiliate in this program.", { pointer }).refusal,
    );
  }
  const { externalId, amount, orderAmount, currency, occurredAt, metadata } = sale;
  const status = await statusOf(ctx, sale);
  const { requestSha } = input;
  const order = { externalId, amount, orderAmount, currency, occurredAt, metadata, requestSha };
  return enter(ctx, affiliateId, { kind: "record", status, ...order }, input);
};

export const grantCredit = async (
  ctx: Ctx,
  ref: AffiliateRef,
  credit: NewCredit,
  input: TurnInput,
): Promise<Recorded> => {
  const { id } = await requireAffiliate(ctx, ref);
  return enter(ctx, id, { kind: "credit", ...credit, requestSha: input.requestSha }, input);
};
