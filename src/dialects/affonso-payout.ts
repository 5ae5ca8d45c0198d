// Affonso's payout: its statuses and fields over ours, and the method that a person names for a payment by hand.
import { z } from "zod";
import type { Affiliate } from "../domain/affiliate.ts";
import type { Commission } from "../domain/commission.ts";
import type { Payout, PayoutMethod, PayoutStatus } from "../domain/payout.ts";
import type { NumberedPayout } from "../store/dialect-reads.ts";
import { toNumber } from "./amounts.ts";
import { toSecond, toSecondOrNull } from "./times.ts";

export const AFFONSO_STATUSES = ["pending", "processing", "completed", "failed", "cancelled"] as const;
export type AffonsoStatus = (typeof AFFONSO_STATUSES)[number];

export const STATUS_OUT: Readonly<Record<PayoutStatus, AffonsoStatus>> = {
  requested: "pending",
  pending: "pending",
  approved: "pending",
  processing: "processing",
  paid: "completed",
  failed: "failed",
  cancelled: "cancelled",
  returned: "failed",
};

/** Ours that Affonso shows as the asked one. */
export const statusesOf = (asked: AffonsoStatus): PayoutStatus[] =>
  (Object.keys(STATUS_OUT) as PayoutStatus[]).filter((status) => STATUS_OUT[status] === asked);

export const METHOD_MAX = 50;
const METHOD_LINE = /^Affonso paymentMethod: (.+)$/m;

/** What a person called the method; the books know only that it was paid by hand, so the payout's note keeps the word. */
export const namedMethodOf = ({ adminNote }: Pick<Payout, "adminNote">): string | null =>
  METHOD_LINE.exec(adminNote ?? "")?.[1] ?? null;

/** The note with the method's name in it, the rest as it was. */
export const noteNaming = ({ adminNote }: Pick<Payout, "adminNote">, method: string): string => {
  const line = `Affonso paymentMethod: ${method}`;
  if (adminNote === null || adminNote === "") return line;
  return METHOD_LINE.test(adminNote) ? adminNote.replace(METHOD_LINE, () => line) : `${adminNote}\n${line}`;
};

export const methodOutOf = (payout: Payout): string =>
  namedMethodOf(payout) ?? payout.paidVia ?? payout.method;

const MANAGED: readonly PayoutMethod[] = ["stripe", "paypal", "wise"];

/** A rail of ours pays it, and no person did. */
const isManaged = ({ method, paidVia }: Payout): boolean =>
  MANAGED.includes(method) && (paidVia === null || MANAGED.includes(paidVia));

const instant = z.string().meta({ format: "date-time", example: "2024-01-25T14:30:00Z" });

export const payoutSchema = z.object({
  id: z.string(),
  affiliateId: z.string(),
  invoiceNumber: z.int().nullable().meta({ description: "Given when the payout is paid; null before." }),
  amount: z.number(),
  status: z.enum(AFFONSO_STATUSES),
  paymentMethod: z.string(),
  paymentReference: z.string().nullable(),
  processedAt: instant.nullable(),
  managedPayout: z.boolean(),
  affiliate: z.object({ name: z.string(), email: z.string() }),
  createdAt: instant,
  updatedAt: instant,
});

export const toWire = (
  { payout, invoiceNumber }: NumberedPayout,
  affiliate: Pick<Affiliate, "name" | "email"> | undefined,
): z.infer<typeof payoutSchema> => ({
  id: payout.id,
  affiliateId: payout.affiliateId,
  invoiceNumber,
  amount: toNumber(payout.amount, payout.currency),
  status: STATUS_OUT[payout.status],
  paymentMethod: methodOutOf(payout),
  paymentReference: payout.externalRef,
  processedAt: toSecondOrNull(payout.paidAt),
  managedPayout: isManaged(payout),
  affiliate: { name: affiliate?.name ?? "", email: affiliate?.email ?? "" },
  createdAt: toSecond(payout.createdAt),
  updatedAt: toSecond(payout.updatedAt),
});

const transactionSchema = z.object({
  id: z.string(),
  amount: z.number(),
  commission: z.object({
    id: z.string(),
    amount: z
      .number()
      .nullable()
      .meta({ description: "The order's; null where only the commission is known." }),
    commissionAmount: z.number(),
    createdAt: instant,
  }),
  createdAt: instant,
});

export const detailSchema = payoutSchema.extend({ transactions: z.array(transactionSchema) });

/** `claimed` is what the payout took of the commission, minor units. */
export const transactionOf = (commission: Commission, claimed: number): z.infer<typeof transactionSchema> => {
  const { id, currency, amount, orderAmount, createdAt } = commission;
  return {
    id,
    amount: toNumber(claimed, currency),
    commission: {
      id,
      amount: orderAmount === null ? null : toNumber(orderAmount, currency),
      commissionAmount: toNumber(amount, currency),
      createdAt: toSecond(createdAt),
    },
    createdAt: toSecond(createdAt),
  };
};
