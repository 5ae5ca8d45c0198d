// Commissions by the hundred: recorded, approved or rejected by one batch where nothing is in the way, else one by one; each has its own outcome.
import type { Ctx } from "../context.ts";
import type { Commission } from "../domain/commission.ts";
import type { AffiliateId, CommissionId } from "../domain/ids.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { type Heads, readHeadsForSales, readHeadsOfCommissions } from "../store/heads.ts";
import type { Ref } from "../store/refs.ts";
import { createdBody } from "./apply-turn.ts";
import { eachByAffiliate, type Settled } from "./by-affiliate.ts";
import { type BulkCommand, commitInBulk } from "./commit-in-bulk.ts";
import { type NewSale, type Recorded, recordCommission } from "./record-commission.ts";
import { reviewCommission } from "./review-commission.ts";

/** A sale as a single call would record it, and that call's fingerprint: both ways answer for each other. */
export interface BatchSale {
  readonly sale: NewSale;
  readonly requestSha: string;
}

const NOBODY = "aff_" as AffiliateId;

const affiliateIn = ({ books }: Heads, ref: Ref<AffiliateId>): AffiliateId | undefined => {
  if ("id" in ref) return books.has(ref.id) ? ref.id : undefined;
  for (const [id, { affiliate }] of books) if (affiliate?.externalId === ref.externalId) return id;
  return undefined;
};

const recordCommand = (affiliateId: AffiliateId, { sale, requestSha }: BatchSale): BulkCommand => {
  const { externalId, amount, orderAmount, currency, occurredAt, status, metadata } = sale;
  const order = { externalId, amount, orderAmount, currency, occurredAt, status, metadata, requestSha };
  const commandId = `s:record:${externalId}`;
  return { affiliateId, command: { kind: "record", ...order }, commandId, requestSha, seen: {} };
};

/** What needs a closer look is left to the single call: its refusals are its own. */
const isPlain = (ctx: Ctx, { sale }: BatchSale): boolean =>
  sale.occurredAt <= ctx.now() && (sale.status !== "approved" || sale.mayApprove);

interface Placed {
  readonly affiliateIds: readonly (AffiliateId | undefined)[];
  /** Recorded before with the same body. */
  readonly known: ReadonlyMap<number, Commission>;
  readonly commands: readonly (BulkCommand | undefined)[];
}

const place = (ctx: Ctx, heads: Heads, sales: readonly BatchSale[]): Placed => {
  const standing = new Map(heads.commissions.map((commission) => [commission.externalId, commission]));
  const byRef = new Map<string, AffiliateId | undefined>();
  const find = (ref: Ref<AffiliateId>): AffiliateId | undefined => {
    const name = JSON.stringify(ref);
    if (!byRef.has(name)) byRef.set(name, affiliateIn(heads, ref));
    return byRef.get(name);
  };
  const affiliateIds = sales.map(({ sale }) => find(sale.affiliate));
  const known = new Map<number, Commission>();
  const names = new Set<string>();
  /** Behind one that goes alone, an affiliate's others do too. */
  const alone = new Set<AffiliateId | undefined>([undefined]);
  const commands = sales.map((item, i) => {
    const { externalId } = item.sale;
    const earlier = standing.get(externalId);
    if (earlier?.requestSha === item.requestSha) {
      known.set(i, earlier);
      return undefined;
    }
    const affiliateId = affiliateIds[i];
    const goesAlone = earlier !== undefined || names.has(externalId) || !isPlain(ctx, item);
    names.add(externalId);
    if (goesAlone) alone.add(affiliateId);
    return affiliateId === undefined || alone.has(affiliateId) ? undefined : recordCommand(affiliateId, item);
  });
  return { affiliateIds, known, commands };
};

export const recordBatch = async (
  ctx: Ctx,
  sales: readonly BatchSale[],
): Promise<readonly Settled<Recorded>[]> => {
  const { db, program } = ctx;
  const affiliates = sales.map(({ sale }) => sale.affiliate);
  const externalIds = sales.map(({ sale }) => sale.externalId);
  const heads = await readHeadsForSales(db, program.id, affiliates, externalIds);
  const { affiliateIds, known, commands } = place(ctx, heads, sales);
  const committed = await commitInBulk(ctx, heads.books, commands);
  const at = ctx.now();
  return eachByAffiliate(
    [...sales.keys()],
    (i) => affiliateIds[i] ?? NOBODY,
    async (i): Promise<Recorded> => {
      const earlier = known.get(i);
      if (earlier !== undefined) return { commission: earlier, at, outcome: "known" };
      const done = committed.get(i);
      if (done?.result.kind === "commission")
        return { commission: done.result.commission, at: done.at, outcome: "recorded" };
      const { sale, requestSha } = sales[i] as BatchSale;
      return recordCommission(ctx, sale, { commandId: undefined, requestSha });
    },
  );
};

export interface Reviewed {
  readonly commission: Commission;
  /** The instant that the answer is of, epoch milliseconds. */
  readonly at: number;
}

export const reviewBatch = async (
  ctx: Ctx,
  refs: readonly Ref<CommissionId>[],
  review: { readonly kind: "approve" | "reject"; readonly reason: string | null },
): Promise<readonly Settled<Reviewed>[]> => {
  const heads = await readHeadsOfCommissions(ctx.db, ctx.program.id, refs);
  const byId = new Map(heads.commissions.map((commission) => [commission.id as string, commission]));
  const byExternalId = new Map(heads.commissions.map((commission) => [commission.externalId, commission]));
  const found = refs.map((ref) => ("id" in ref ? byId.get(ref.id) : byExternalId.get(ref.externalId)));
  // With an idempotency key the same commands again: a request that is taken up finds what it did.
  const commandIds = refs.map((_, i) => `s:${review.kind}:${createdBody(ctx, i)}`);
  const taken = new Set<CommissionId>();
  const commands = found.map((commission, i): BulkCommand | undefined => {
    if (commission === undefined || taken.has(commission.id)) return undefined;
    taken.add(commission.id);
    const { id, affiliateId } = commission;
    const command = { ...review, commission: { id } };
    return { affiliateId, command, commandId: commandIds[i] ?? "", requestSha: "", seen: { commission } };
  });
  const committed = await commitInBulk(ctx, heads.books, commands);
  return eachByAffiliate(
    [...refs.keys()],
    (i) => found[i]?.affiliateId ?? NOBODY,
    async (i): Promise<Reviewed> => {
      const done = committed.get(i);
      if (done?.result.kind === "commission") return { commission: done.result.commission, at: done.at };
      const commission = found[i];
      if (commission === undefined)
        throw new Refused(refuse("commission_not_found", "No such commission in this program.").refusal);
      const named = { commandId: commandIds[i], requestSha: "" };
      const { result, at } = await reviewCommission(ctx, { id: commission.id }, review, named);
      return { commission: result.commission, at };
    },
  );
};
