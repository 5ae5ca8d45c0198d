// POST /v1/payout_requests: a partner's whole payable balance in a currency, or chosen rewards of it.
import { z } from "zod";
import type { Ctx } from "../context.ts";
import { type Affiliate, methodOf } from "../domain/affiliate.ts";
import type { PayoutId } from "../domain/ids.ts";
import { dialectRoute } from "../http/dialect.ts";
import type { TurnInput } from "../operations/apply-turn.ts";
import { requireAffiliate } from "../operations/create-affiliate.ts";
import { requestPayout } from "../operations/request-payout.ts";
import { createPayout } from "../operations/review-payout.ts";
import { type MethodChoice, setPayoutMethod } from "../operations/set-payout-method.ts";
import { listByEmail } from "../store/dialect-reads-partnero.ts";
import { findProgram } from "../store/programs.ts";
import { resolveCommissions } from "../store/refs.ts";
import { envelope, enveloped, no, requestSchema, toRequest } from "./partnero-answers.ts";
import { currencyIn, paypalEmail } from "./partnero-fields.ts";
import { requirePayout } from "./partnero-pages.ts";
import { affiliateRefOf, commissionRefOf } from "./refs.ts";

const GATEWAYS = ["", "paypal", "wise", "crypto", "venmo"] as const;
const ref = z.string().min(1).max(260);

const CREATE = z.object({
  partner: z
    .object({ id: ref.nullish(), key: ref.nullish(), email: z.string().max(254).nullish() })
    .refine(({ id, key, email }) => (id ?? key ?? email) != null, "must have id, key or email"),
  amount_units: currencyIn.meta({ description: "The currency of the balance." }),
  gateway: z.enum(GATEWAYS).nullish().meta({ description: "Empty: the partner's own choice." }),
  payout_settings: z.object({ username: paypalEmail.nullish() }).nullish(),
  reward_ids: z
    .array(z.union([ref, z.int()]))
    .max(1_000)
    .nullish()
    .meta({
      description: "Ids of commissions, ours or the merchant's; the whole payable balance unless given.",
    }),
});
type Create = z.output<typeof CREATE>;

const partnerOf = async (ctx: Ctx, { id, key, email }: Create["partner"]): Promise<Affiliate> => {
  const name = id ?? key;
  if (name != null) return requireAffiliate(ctx, affiliateRefOf(name));
  const [partner, ...others] = await listByEmail(ctx.db, ctx.program.id, email ?? "");
  if (partner !== undefined && others.length === 0) return partner;
  const many = "Several partners of this program have this address: name the one meant by its id.";
  throw no(
    "affiliate_not_found",
    partner === undefined ? "No such partner in this program." : many,
    "/partner/email",
  );
};

/** A new destination to be paid to; undefined where the saved one stands. */
const destinationOf = async (
  ctx: Ctx,
  affiliate: Affiliate,
  { gateway, payout_settings: settings }: Create,
): Promise<MethodChoice | undefined> => {
  if (gateway == null || gateway === "") return undefined;
  if (gateway === "crypto" || gateway === "venmo")
    throw no("rail_not_available", `Nothing here pays by ${gateway}: leave gateway out.`, "/gateway");
  const username = gateway === "paypal" ? settings?.username : undefined;
  const { destination } = affiliate;
  if (username == null) {
    if (methodOf(affiliate) === gateway) return undefined;
    const detail = `The partner has no ${gateway} details: PUT /v1/partners/{id}/payout_settings first.`;
    throw no("payout_method_not_ready", detail, "/gateway");
  }
  if (destination?.method === "paypal" && destination.account === username) return undefined;
  const program = (await findProgram(ctx.db, ctx.program.id)) ?? ctx.program;
  if (program.policy.payout_methods.includes("paypal")) return { method: "paypal", email: username };
  throw no("rail_not_available", "The program does not offer paypal.", "/gateway");
};

const chosen = async (
  ctx: Ctx,
  affiliate: Affiliate,
  { amount_units: currency, reward_ids }: Create,
  turn: TurnInput,
): Promise<PayoutId | undefined> => {
  if (reward_ids == null || reward_ids.length === 0) return undefined;
  const refs = reward_ids.map((id) => commissionRefOf(String(id)));
  const known = await resolveCommissions(ctx.db, ctx.program.id, refs);
  const commissionIds = known.map((id, i) => {
    if (id !== undefined) return id;
    throw no("commission_not_found", "No such reward in this program.", `/reward_ids/${i}`);
  });
  // Taken up after a crash it is the same command, and answers with the payout that it made.
  const commandId = ctx.keyed === undefined ? undefined : `s:rewards:${ctx.keyed.body}`;
  const wish = { affiliateId: affiliate.id, currency, commissionIds, adminNote: null };
  const { result } = await createPayout(ctx, wish, { ...turn, commandId });
  return result.payout.id;
};

export const createRequest = dialectRoute({
  method: "POST",
  path: "/v1/payout_requests",
  scope: "payouts:write",
  summary: "Raise a payout for a partner",
  source: "chosen",
  body: CREATE,
  answers: { 201: { description: "The payout request", schema: enveloped(requestSchema) } },
  async handle({ ctx, body, turn, require }) {
    const affiliate = await partnerOf(ctx, body.partner);
    const destination = await destinationOf(ctx, affiliate, body);
    if (destination !== undefined) require("affiliates:payout_method");
    const payoutId =
      (await chosen(ctx, affiliate, body, turn)) ??
      (await requestPayout(ctx, { id: affiliate.id }, body.amount_units)).result.payout.id;
    // After the request, which may be refused and then changes nothing; approval is for what stands by then.
    if (destination !== undefined) await setPayoutMethod(ctx, { id: affiliate.id }, destination, turn);
    const made = await requirePayout(ctx, payoutId);
    return { status: 201, body: envelope(toRequest(made.payout, made.affiliate)) };
  },
});
