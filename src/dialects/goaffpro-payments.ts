// GoAffPro's payments: the notes of what was paid, in the order of paying, and what is unpaid per affiliate.
import { z } from "zod";
import type { Ctx } from "../context.ts";
import type { Affiliate } from "../domain/affiliate.ts";
import { toInstant } from "../domain/dates.ts";
import { isId } from "../domain/ids.ts";
import { dialectRoute } from "../http/dialect.ts";
import { type Candidate, judgeGroups } from "../operations/plan-selection.ts";
import type { NumberedPayout } from "../store/dialect-reads.ts";
import { type PaymentRef, listPayments as readPayments } from "../store/dialect-reads-goaffpro.ts";
import { type DuePlace, listDue } from "../store/due-page.ts";
import { readAffiliatesOf } from "../store/payouts.ts";
import { toNumber } from "./amounts.ts";
import { pageSize } from "./paging.ts";
import { dayOrInstant, startIn } from "./times.ts";

const instant = z.string().meta({ format: "date-time", example: "2024-01-15T18:14:33.000Z" });

const paymentSchema = z.object({
  id: z.int().meta({ description: "The invoice number: it grows in the order of paying." }),
  payout_id: z.string().meta({ description: "Ours, not GoAffPro's: the payout." }),
  affiliate_id: z.string(),
  amount: z.number(),
  currency: z.string(),
  payment_method: z.string(),
  payment_details: z.string().nullable().meta({
    description:
      "What may be seen of the destination, where it is still the affiliate's and the key has affiliates:read.",
  }),
  affiliate_message: z.string().nullable().meta({ description: "The partner message of the payment note." }),
  admin_note: z.string().nullable(),
  created_at: instant,
});
type Payment = z.infer<typeof paymentSchema>;

const detailsOf = (
  { payout }: NumberedPayout,
  affiliate: Pick<Affiliate, "destination"> | undefined,
): string | null => {
  const { method, paidVia, destinationSha } = payout;
  const destination = affiliate?.destination ?? null;
  if (destination === null || destination.sha !== destinationSha || (paidVia ?? method) !== method)
    return null;
  return destination.display;
};

const toWire = (numbered: NumberedPayout, affiliate: Affiliate | undefined): Payment => {
  const { payout, invoiceNumber } = numbered;
  if (invoiceNumber === null || payout.paidAt === null)
    throw new Error(`payout ${payout.id} is paid and has no number`);
  return {
    id: invoiceNumber,
    payout_id: payout.id,
    affiliate_id: payout.affiliateId,
    amount: toNumber(payout.amount, payout.currency),
    currency: payout.currency,
    payment_method: payout.paidVia ?? payout.method,
    payment_details: detailsOf(numbered, affiliate),
    affiliate_message: payout.partnerMessage,
    admin_note: payout.adminNote,
    created_at: toInstant(payout.paidAt),
  };
};

const NUMBER = /^\d{1,15}$/;

const isRef = (text: string): boolean => NUMBER.test(text) || isId("po", text);
const toRef = (text: string): PaymentRef => (NUMBER.test(text) ? Number(text) : text);

const REF_WANTED = "must be a payment's number or a payout's id";

const listed = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

const LIST = z.object({
  since_id: z.string().refine(isRef, REF_WANTED).transform(toRef).optional().meta({ type: "string" }),
  id: z
    .string()
    .transform(listed)
    .refine((parts) => parts.length > 0 && parts.length <= 250 && parts.every(isRef), REF_WANTED)
    .transform((parts) => parts.map(toRef))
    .optional()
    .meta({ type: "string", description: "One, or several with commas between them." }),
  created_at_min: dayOrInstant.optional(),
  limit: pageSize(250, 250),
  fields: z
    .string()
    .transform(listed)
    .optional()
    .meta({ type: "string", description: "With commas between them; all where none are asked for." }),
});

const chosenFrom = (payment: Payment, fields: readonly string[] | undefined): Partial<Payment> =>
  fields === undefined || fields.length === 0
    ? payment
    : Object.fromEntries(Object.entries(payment).filter(([name]) => fields.includes(name)));

export const listPayments = dialectRoute({
  method: "GET",
  path: "/v1/admin/payments",
  scope: "payouts:read",
  summary: "List payments, in the order in which they were made",
  source: "chosen",
  query: LIST,
  answers: {
    200: {
      description: "Payments behind since_id; the last one's id is the next since_id",
      schema: z.object({ payments: z.array(paymentSchema.partial()) }),
    },
  },
  async handle({ ctx, query, holds }) {
    const { db, program } = ctx;
    const { since_id: since, id: refs, created_at_min: min, limit, fields } = query;
    const paidAfter = min === undefined ? undefined : startIn(min, program.policy.time_zone);
    const paid = await readPayments(db, program.id, { since, refs, paidAfter }, limit);
    const owners = paid.map(({ payout }) => payout.affiliateId);
    const affiliates = holds("affiliates:read")
      ? await readAffiliatesOf(db, program.id, owners)
      : new Map<string, Affiliate>();
    const payments = paid.map((one) =>
      chosenFrom(toWire(one, affiliates.get(one.payout.affiliateId)), fields),
    );
    return { status: 200, body: { payments } };
  },
});

const pendingSchema = z.object({
  affiliate_id: z.string(),
  name: z.string(),
  currency: z.string(),
  total: z.number().meta({ description: "paid_out, and what could be paid now" }),
  paid_out: z.number(),
  amount: z.number().meta({ description: "What could be paid now: total minus paid_out." }),
});

const toPending = ({ group, plan }: Candidate): z.infer<typeof pendingSchema> => {
  const { affiliate, currency, balances } = group;
  const paid = balances[currency]?.paid ?? 0;
  return {
    affiliate_id: affiliate.id,
    name: affiliate.name,
    currency,
    total: toNumber(paid + plan.net, currency),
    paid_out: toNumber(paid, currency),
    amount: toNumber(plan.net, currency),
  };
};

const EVERYONE = { minAmount: null, maxAmount: null };
const PAGE = 500;
const PAGES_MAX = 20;

/** Those whom a session could pay; who is kept from it does not fill the list. */
const readPending = async (ctx: Ctx, limit: number) => {
  const { db, program } = ctx;
  const now = ctx.now();
  const terms = { programId: program.id, asOf: now, from: 0, until: now + 1, currency: null };
  const found: Candidate[] = [];
  let after: DuePlace | undefined;
  for (let page = 0; page < PAGES_MAX && found.length <= limit; page++) {
    const read = await listDue(db, { ...terms, affiliateId: null, order: "asc", after, limit: PAGE });
    found.push(...judgeGroups(read.groups, read.policy, EVERYONE, now).candidates);
    const last = read.groups.at(-1);
    if (!read.hasMore || last === undefined) return { found, isWhole: true };
    after = { affiliateId: last.affiliate.id, currency: last.currency };
  }
  return { found, isWhole: false };
};

const MORE = "X-Stipend-More";

export const listPending = dialectRoute({
  method: "GET",
  path: "/v1/admin/payments/pending",
  scope: "payouts:read",
  summary: "List what is unpaid, per affiliate and currency",
  source: "chosen",
  query: z.object({ limit: pageSize(250, 250) }),
  answers: {
    200: {
      description: `Whom a payout session could pay now; ${MORE} is true where there are more`,
      schema: z.object({ pending: z.array(pendingSchema) }),
    },
  },
  async handle({ ctx, query: { limit } }) {
    const { found, isWhole } = await readPending(ctx, limit);
    const hasMore = !isWhole || found.length > limit;
    return {
      status: 200,
      body: { pending: found.slice(0, limit).map(toPending) },
      headers: hasMore ? { [MORE]: "true" } : {},
    };
  },
});
