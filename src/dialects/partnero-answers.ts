// Partnero's envelope, money, people and payouts over ours: what each answer is made of.
import { z } from "zod";
import type { Affiliate } from "../domain/affiliate.ts";
import { toInstant } from "../domain/dates.ts";
import { isId } from "../domain/ids.ts";
import type { Payout, PayoutStatus } from "../domain/payout.ts";
import { type RefusalCode, Refused, refuse } from "../domain/refusals.ts";
import { toNumber } from "./amounts.ts";

/** The guide's words. */
export const GUIDE_STATUSES = ["pending", "completed", "failed", "cancelled"] as const;
export type GuideStatus = (typeof GUIDE_STATUSES)[number];

/** The API's words; nothing of ours is ever resubmitted. */
export const API_STATUSES = [
  "requested",
  "approved",
  "finished",
  "rejected",
  "resubmit_requested",
  "resubmitted",
] as const;
export type ApiStatus = (typeof API_STATUSES)[number];

export const GUIDE_OUT: Readonly<Record<PayoutStatus, GuideStatus>> = {
  requested: "pending",
  pending: "pending",
  approved: "pending",
  processing: "pending",
  paid: "completed",
  failed: "failed",
  cancelled: "cancelled",
  returned: "failed",
};

export const API_OUT: Readonly<Record<PayoutStatus, ApiStatus>> = {
  requested: "requested",
  pending: "requested",
  approved: "approved",
  processing: "approved",
  paid: "finished",
  failed: "rejected",
  cancelled: "rejected",
  returned: "rejected",
};

/** Ours that a table shows as the asked one. */
export const statusesOf = <Word extends string>(
  table: Readonly<Record<PayoutStatus, Word>>,
  asked: Word,
): PayoutStatus[] => (Object.keys(table) as PayoutStatus[]).filter((status) => table[status] === asked);

export const enveloped = <Data extends z.ZodType>(data: Data) => z.object({ data, status: z.literal(1) });
export const envelope = <Data>(data: Data) => ({ data, status: 1 as const });

export const no = (code: RefusalCode, detail: string, pointer?: string): Refused =>
  new Refused(refuse(code, detail, pointer === undefined ? {} : { pointer }).refusal);

const instant = z.string().meta({ format: "date-time", example: "2025-04-30T16:44:13.000000Z" });

/** With six decimals, as Partnero writes them. */
export const toMicros = (ms: number): string => toInstant(ms).replace("Z", "000Z");
const toMicrosOrNull = (ms: number | null): string | null => (ms === null ? null : toMicros(ms));

/** The merchant's own id where there is one that reads back as itself. */
export const idOut = ({ id, externalId }: Affiliate): string =>
  externalId === null || externalId.startsWith("ext:") || isId("aff", externalId) ? id : externalId;

/** One name is kept: its last word is the surname. */
const namesOf = ({ name }: Affiliate): [string, string | null] => {
  const [, first = name, last = null] = /^(.+) (\S+)$/.exec(name) ?? [];
  return [first, last];
};

const NOT_TRACKED = "Not tracked here.";

const identity = {
  email: z.string(),
  created_at: instant,
  updated_at: instant,
  name: z.string(),
  id: z.string(),
  key: z.string().meta({ description: "Our own id, aff_…; taken wherever an id or a key is." }),
  surname: z.string().nullable(),
  tos: z.boolean().meta({ description: NOT_TRACKED }),
  approved: z.boolean(),
  status: z.enum(["active", "archived"]),
  referrals_count: z.int().meta({ description: NOT_TRACKED }),
  referral_link: z.null().meta({ description: NOT_TRACKED }),
  referral_links: z.array(z.string()).meta({ description: NOT_TRACKED }),
};

export const personSchema = z.object(identity);

export const toPerson = (affiliate: Affiliate): z.infer<typeof personSchema> => {
  const [name, surname] = namesOf(affiliate);
  return {
    email: affiliate.email,
    created_at: toMicros(affiliate.createdAt),
    updated_at: toMicros(affiliate.updatedAt),
    name,
    id: idOut(affiliate),
    key: affiliate.id,
    surname,
    tos: false,
    approved: affiliate.status === "active",
    status: affiliate.status === "active" ? "active" : "archived",
    referrals_count: 0,
    referral_link: null,
    referral_links: [],
  };
};

const partner = z.object({
  id: z.string(),
  key: z.string(),
  email: z.string(),
  name: z.string(),
  surname: z.string().nullable(),
});

const toPartner = (affiliate: Affiliate): z.infer<typeof partner> => {
  const [name, surname] = namesOf(affiliate);
  return { id: idOut(affiliate), key: affiliate.id, email: affiliate.email, name, surname };
};

const money = {
  amount: z.number(),
  amount_units: z.string().meta({ description: "The currency.", example: "USD" }),
  is_currency: z.literal(true),
};

export const moneySchema = z.object(money);

export const toMoney = (amount: number, currency: string): z.infer<typeof moneySchema> => ({
  amount: toNumber(amount, currency),
  amount_units: currency,
  is_currency: true,
});

const payout = {
  id: z.string(),
  ...money,
  gateway: z.string().meta({ description: "How it is or was paid." }),
  partner,
  reference: z.string().nullable(),
  failure: z.string().nullable(),
  created_at: instant,
  approved_at: instant.nullable(),
  paid_at: instant.nullable(),
  updated_at: instant,
};

export const requestSchema = z.object({ ...payout, status: z.enum(API_STATUSES) });
export const historySchema = z.object({ ...payout, status: z.enum(GUIDE_STATUSES) });

const toPayout = (of: Payout, affiliate: Affiliate) => ({
  id: of.id,
  ...toMoney(of.amount, of.currency),
  gateway: of.paidVia ?? of.method,
  partner: toPartner(affiliate),
  reference: of.externalRef,
  failure: of.failureDetail,
  created_at: toMicros(of.createdAt),
  approved_at: toMicrosOrNull(of.approvedAt),
  paid_at: toMicrosOrNull(of.paidAt),
  updated_at: toMicros(of.updatedAt),
});

export const toRequest = (of: Payout, affiliate: Affiliate): z.infer<typeof requestSchema> => ({
  ...toPayout(of, affiliate),
  status: API_OUT[of.status],
});

export const toHistory = (of: Payout, affiliate: Affiliate): z.infer<typeof historySchema> => ({
  ...toPayout(of, affiliate),
  status: GUIDE_OUT[of.status],
});
