// Affihub's partners: enrolled and listed; what of one has no place in our books stands in its metadata.
import { z } from "zod";
import type { Ctx } from "../context.ts";
import { type Affiliate, type AffiliateStatus, methodOf } from "../domain/affiliate.ts";
import type { NewAffiliate } from "../domain/ledger/command.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { dialectRoute } from "../http/dialect.ts";
import { createAffiliate, requireAffiliate } from "../operations/create-affiliate.ts";
import { type MethodChoice, setPayoutMethod } from "../operations/set-payout-method.ts";
import { findAffiliate } from "../store/affiliates.ts";
import { pageAffiliates } from "../store/dialect-reads.ts";
import { instant, pageOf } from "./affihub-payout.ts";
import { pageNumber, pageSize } from "./paging.ts";
import { optionalLine } from "./texts.ts";
import { toSecond } from "./times.ts";

const STATUSES = ["invited", "active", "deactivated"] as const;
const STATUS_OUT = { active: "active", suspended: "deactivated" } as const satisfies Record<
  AffiliateStatus,
  (typeof STATUSES)[number]
>;
/** Nobody is invited here: whoever is enrolled is active. */
const STATUS_IN: Readonly<Record<(typeof STATUSES)[number], readonly AffiliateStatus[]>> = {
  invited: [],
  active: ["active"],
  deactivated: ["suspended"],
};

const METHODS = ["paypal", "stripe", "bank_transfer", "crypto"] as const;

/** Of Affihub's own, in the affiliate's metadata. */
const OWN = "affihub.";

const metadata = z
  .record(z.string().min(1).max(40), z.union([z.string().max(500), z.number(), z.boolean(), z.null()]))
  .refine((value) => Object.keys(value).length <= 40, "must have at most 40 keys")
  .refine(
    (value) => !Object.keys(value).some((name) => name.startsWith(OWN)),
    `keys must not start with ${OWN}`,
  );

const email = z.email("must be one e-mail address").max(254);

/** Whole basis points: two decimals of a per cent. */
const percent = z
  .number()
  .min(0)
  .max(100)
  .refine((value) => Number.isInteger(Number((value * 100).toFixed(6))), "has more than two decimals")
  .meta({ description: "Of the order; null: the program's own.", example: 12.5 });

const CREATE = z.object({
  email,
  first_name: optionalLine(100),
  last_name: optionalLine(100),
  slug: optionalLine(255),
  commission_pct: percent.nullish(),
  payout_method: z.enum(METHODS).nullish(),
  payout_email: email.nullish(),
  stripe_account_id: z
    .string()
    .regex(/^acct_[0-9A-Za-z]{1,64}$/, "must be a Stripe account id acct_…")
    .nullish(),
  metadata: metadata.nullish(),
});
type NewPartner = z.output<typeof CREATE>;

const partnerSchema = z.object({
  id: z.string(),
  program_id: z.string(),
  email: z.string(),
  first_name: z.string().nullable(),
  last_name: z.string().nullable(),
  slug: z.string().nullable(),
  status: z.enum(STATUSES),
  commission_pct: z.number().nullable(),
  payout_method: z.string().nullable(),
  payout_email: z.string().nullable(),
  stripe_account_id: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
  created_at: instant,
});

const metadataOf = ({ metadata: text }: Affiliate): Readonly<Record<string, unknown>> =>
  text === null ? {} : (JSON.parse(text) as Record<string, unknown>);

const textIn = (own: Readonly<Record<string, unknown>>, name: string): string | null => {
  const value = own[`${OWN}${name}`];
  return typeof value === "string" ? value : null;
};

/** A partner that was enrolled elsewhere has one name: the last word of it is the family's. */
const namesOf = ({ name }: Affiliate): [string | null, string | null] => {
  const [, first = name, last = null] = /^(.+) (\S+)$/.exec(name) ?? [];
  return [first, last];
};

export const toPartner = ({ program }: Ctx, affiliate: Affiliate): z.infer<typeof partnerSchema> => {
  const all = metadataOf(affiliate);
  const { destination, overrides, externalId } = affiliate;
  const [first, last] = namesOf(affiliate);
  const isNamed = textIn(all, "first_name") !== null || textIn(all, "last_name") !== null;
  const rate = overrides.commission_rate_bps;
  const chosen = destination === null ? textIn(all, "payout_method") : methodOf(affiliate);
  return {
    id: affiliate.id,
    program_id: program.id,
    email: affiliate.email,
    first_name: isNamed ? textIn(all, "first_name") : first,
    last_name: isNamed ? textIn(all, "last_name") : last,
    slug: externalId,
    status: STATUS_OUT[affiliate.status],
    commission_pct: rate === undefined ? null : rate / 100,
    payout_method: chosen,
    payout_email:
      destination?.method === "paypal" || destination?.method === "wise"
        ? destination.account
        : textIn(all, "payout_email"),
    stripe_account_id: destination?.method === "stripe" ? destination.account : null,
    metadata: Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith(OWN))),
    created_at: toSecond(affiliate.createdAt),
  };
};

const given = (fields: Readonly<Record<string, string | null | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value == null ? [] : [[`${OWN}${name}`, value]])),
  );

const newAffiliateOf = (partner: NewPartner): NewAffiliate => {
  const { first_name, last_name, payout_method, payout_email, commission_pct } = partner;
  const own = given({ first_name, last_name, payout_method, payout_email });
  const kept = { ...partner.metadata, ...own };
  const name = [first_name, last_name].filter((part) => part !== undefined).join(" ");
  return {
    externalId: partner.slug?.normalize("NFC") ?? null,
    name: name === "" ? (partner.slug ?? partner.email) : name,
    email: partner.email,
    country: null,
    metadata: Object.keys(kept).length === 0 ? null : JSON.stringify(kept),
    overrides: commission_pct == null ? {} : { commission_rate_bps: Math.round(commission_pct * 100) },
  };
};

const missing = (field: string, method: string): Refused =>
  new Refused(
    refuse("account_not_found", `payout_method ${method} needs ${field}.`, { pointer: `/${field}` }).refusal,
  );

/** Bank details cannot be sent through Affihub's API and nothing here pays in crypto: such partners are paid by hand. */
const choiceOf = (partner: NewPartner): MethodChoice | undefined => {
  const { payout_method: method, payout_email, stripe_account_id } = partner;
  if (method === "stripe" || (method == null && stripe_account_id != null)) {
    if (stripe_account_id == null) return undefined;
    return { method: "stripe", accountId: stripe_account_id };
  }
  if (method !== "paypal") return undefined;
  if (payout_email == null) throw missing("payout_email", method);
  return { method, email: payout_email };
};

/** A request that died, or whose method was refused, is sent again: the partner that it made before is the one. */
const enrol = async (ctx: Ctx, partner: NewPartner, requestSha: string): Promise<Affiliate> => {
  const wanted = newAffiliateOf(partner);
  const commandId = ctx.keyed === undefined ? undefined : `s:partner:${ctx.keyed.body}`;
  try {
    return (await createAffiliate(ctx, wanted, { commandId, requestSha })).affiliate;
  } catch (thrown) {
    const { externalId, email: address, name } = wanted;
    if (!(thrown instanceof Refused) || externalId === null) throw thrown;
    const known = await findAffiliate(ctx.db, ctx.program.id, { externalId });
    if (known === undefined || known.email !== address || known.name !== name || known.destination !== null)
      throw thrown;
    return known;
  }
};

export const createPartner = dialectRoute({
  method: "POST",
  path: "/api/v1/partners",
  scope: "affiliates:write",
  summary: "Enrol a partner",
  source: "chosen",
  body: CREATE,
  answers: { 201: { description: "The partner", schema: partnerSchema } },
  async handle({ ctx, body, turn, require }) {
    const choice = choiceOf(body);
    if (choice !== undefined) require("affiliates:payout_method");
    const { id } = await enrol(ctx, body, turn.requestSha);
    if (choice !== undefined) await setPayoutMethod(ctx, { id }, choice, turn);
    return { status: 201, body: toPartner(ctx, await requireAffiliate(ctx, { id })) };
  },
});

export const listPartners = dialectRoute({
  method: "GET",
  path: "/api/v1/partners",
  scope: "affiliates:read",
  summary: "List partners",
  source: "chosen",
  query: z.object({
    page: pageNumber,
    per_page: pageSize(20, 100),
    status: z.enum(STATUSES).optional(),
    search: optionalLine(200),
  }),
  answers: { 200: { description: "A page of partners", schema: pageOf(partnerSchema) } },
  async handle({ ctx, query: { page, per_page, status, search } }) {
    const filters = { status: status === undefined ? undefined : STATUS_IN[status], search };
    const { items, total } = await pageAffiliates(ctx.db, ctx.program.id, filters, { page, size: per_page });
    const data = items.map((affiliate) => toPartner(ctx, affiliate));
    return { status: 200, body: { data, total, page, per_page } };
  },
});
