// Affonso's reads: the list of payouts with its filters, sort and pages, and one payout with its transactions.
import { z } from "zod";
import type { Ctx } from "../context.ts";
import type { AffiliateId, PayoutId } from "../domain/ids.ts";
import { Refused, refuse } from "../domain/refusals.ts";
import { dialectRoute } from "../http/dialect.ts";
import { findNumbered, type NumberedPayout, type PayoutSort, pagePayouts } from "../store/dialect-reads.ts";
import { listPayoutLines, readAffiliatesOf } from "../store/payouts.ts";
import { resolveAffiliates } from "../store/refs.ts";
import { commissionOf } from "../store/rows.ts";
import {
  AFFONSO_STATUSES,
  detailSchema,
  payoutSchema,
  statusesOf,
  toWire,
  transactionOf,
} from "./affonso-payout.ts";
import { pageNumber, pageSize } from "./paging.ts";
import { affiliateRefOf } from "./refs.ts";
import { dayOrInstant, endIn, startIn } from "./times.ts";

const SORTS: Readonly<Record<string, PayoutSort>> = {
  createdAt: "created_at",
  updatedAt: "updated_at",
  amount: "amount",
  processedAt: "paid_at",
};

const SORT = new RegExp(`^(${Object.keys(SORTS).join("|")}):(asc|desc)$`);

const LIST = z.object({
  page: pageNumber,
  limit: pageSize(50, 200),
  status: z.enum(AFFONSO_STATUSES).optional(),
  affiliateId: z.string().min(1).max(260).optional(),
  sort: z
    .string()
    .regex(SORT, `must be one of ${Object.keys(SORTS).join(", ")} with :asc or :desc`)
    .optional()
    .meta({ example: "createdAt:desc" }),
  dateFrom: dayOrInstant.optional(),
  dateTo: dayOrInstant.optional(),
});

const pageSchema = z.object({
  success: z.literal(true),
  data: z.array(payoutSchema),
  pagination: z.object({
    page: z.int(),
    limit: z.int(),
    total: z.int(),
    totalPages: z.int(),
    hasNextPage: z.boolean(),
    hasPrevPage: z.boolean(),
  }),
});

const sortOf = (asked = "createdAt:desc"): { sort: PayoutSort; order: "asc" | "desc" } => {
  const [, name = "", order] = SORT.exec(asked) ?? [];
  return { sort: SORTS[name] ?? "created_at", order: order === "asc" ? "asc" : "desc" };
};

const NOBODY = "aff_" as AffiliateId;

/** Affonso names no currency: its payouts are the program's default one's. */
const listed = async ({ db, program }: Ctx, query: z.output<typeof LIST>) => {
  const { affiliateId, status, dateFrom, dateTo, page, limit } = query;
  const zone = program.policy.time_zone;
  const [affiliate] =
    affiliateId === undefined ? [] : await resolveAffiliates(db, program.id, [affiliateRefOf(affiliateId)]);
  const filters = {
    currency: program.defaultCurrency,
    status: status === undefined ? undefined : statusesOf(status),
    affiliateId: affiliateId === undefined ? undefined : (affiliate ?? NOBODY),
    createdAfter: dateFrom === undefined ? undefined : startIn(dateFrom, zone),
    createdBefore: dateTo === undefined ? undefined : endIn(dateTo, zone),
  };
  return pagePayouts(db, program.id, filters, sortOf(query.sort), { page, size: limit });
};

export const listPayouts = dialectRoute({
  method: "GET",
  path: "/v1/payouts",
  scope: "payouts:read",
  summary: "List payouts",
  source: "documented",
  query: LIST,
  answers: { 200: { description: "A page of payouts", schema: pageSchema } },
  async handle({ ctx, query }) {
    const { items, total } = await listed(ctx, query);
    const affiliates = await readAffiliatesOf(
      ctx.db,
      ctx.program.id,
      items.map(({ payout }) => payout.affiliateId),
    );
    const { page, limit } = query;
    const totalPages = Math.ceil(total / limit);
    return {
      status: 200,
      body: {
        success: true,
        data: items.map((item) => toWire(item, affiliates.get(item.payout.affiliateId))),
        pagination: {
          page,
          limit,
          total,
          totalPages,
          hasNextPage: page < totalPages,
          hasPrevPage: page > 1 && total > 0,
        },
      },
    };
  },
});

/** A payout of another currency does not exist here. */
export const requirePayout = async ({ db, program }: Ctx, id: string): Promise<NumberedPayout> => {
  const found = await findNumbered(db, program.id, id);
  if (found === undefined || found.payout.currency !== program.defaultCurrency)
    throw new Refused(refuse("payout_not_found", "No such payout in this program.").refusal);
  return found;
};

/** So many transactions are shown; the header says where there are more. */
const TRANSACTIONS_MAX = 1_000;
const MORE = { "X-Stipend-More-Transactions": "true" };

export const readPayout = dialectRoute({
  method: "GET",
  path: "/v1/payouts/{id}",
  scope: "payouts:read",
  summary: "Read a payout with its transactions",
  source: "documented",
  answers: {
    200: {
      description: `The payout, with its first ${TRANSACTIONS_MAX} transactions`,
      schema: z.object({ success: z.literal(true), data: detailSchema }),
    },
  },
  async handle({ ctx, params }) {
    const { db, program } = ctx;
    const found = await requirePayout(ctx, params["id"] ?? "");
    const { id, affiliateId } = found.payout;
    const [affiliates, { lines, hasMore }] = await Promise.all([
      readAffiliatesOf(db, program.id, [affiliateId]),
      listPayoutLines(db, program.id, id as PayoutId, {
        limit: TRANSACTIONS_MAX,
        order: "asc",
        after: undefined,
      }),
    ]);
    const transactions = lines.map(({ commission, claimed }) =>
      transactionOf(commissionOf(commission), claimed),
    );
    return {
      status: 200,
      body: { success: true, data: { ...toWire(found, affiliates.get(affiliateId)), transactions } },
      headers: hasMore ? MORE : {},
    };
  },
});
