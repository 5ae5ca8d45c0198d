// What is due to whom, and what stands in the way: the preview of a generate as a list, page by page.
import { z } from "@hono/zod-openapi";
import type { Ctx } from "../../context.ts";
import { dateOf } from "../../domain/dates.ts";
import { byPrecedence, planClaim } from "../../domain/plan.ts";
import { dueQueryOf } from "../../operations/claim-page.ts";
import { type DueGroup, type DuePlace, listDue } from "../../store/due-page.ts";
import { resolveAffiliates } from "../../store/refs.ts";
import { ctxOf, type Register } from "../env.ts";
import { pageAnswer, pageOfQuery } from "../paging.ts";
import { defineRoute } from "../route.ts";
import { affiliateRef, currency, date, jsonAnswer, listQuery, pageOf } from "../wire.ts";
import { blockerSchema, blockerToWire } from "../wire-payout.ts";

const minor = (description: string) =>
  z
    .number()
    .int()
    .openapi({ description: `${description} Minor units of \`currency\`.` });

const payableSchema = z
  .object({
    affiliate_id: z.string(),
    currency: z.string(),
    due: z.boolean().openapi({ description: "Whether a generate would make this payout now." }),
    gross_amount: minor("What is left of the commissions that are due."),
    reversal_amount: minor("What of it settles what is owed from refunds after payment."),
    amount: minor("gross_amount − reversal_amount."),
    commission_count: z.number().int(),
    blockers: z.array(blockerSchema).openapi({
      description:
        "What keeps the payout from being made, or from being paid once it is; the first by precedence first.",
    }),
  })
  .openapi("Payable");

const list = defineRoute(
  { to: "payouts:read" },
  {
    method: "get",
    path: "/v1/payouts/payable",
    tags: ["payouts"],
    summary: "List what is due to whom, and what stands in the way",
    description:
      "Everybody with a commission that is in no payout, in order of affiliate and currency unless `order=desc`. Up to today where no `period_end` is given.",
    request: {
      query: listQuery({
        period_end: date.optional(),
        currency: currency.optional(),
        affiliate_id: affiliateRef.optional(),
      }),
    },
    responses: { 200: jsonAnswer(pageOf(payableSchema), "A page of what is due") },
  },
);

type Listed = Awaited<ReturnType<typeof listDue>>;

const payableToWire = ({ policy }: Listed, group: DueGroup, now: number): z.infer<typeof payableSchema> => {
  const { affiliate, currency: code, due } = group;
  const owed = -(group.balances[code]?.recovery ?? 0);
  const claim = planClaim({ affiliate, policy, currency: code, due, owed, now });
  const reversal = Math.min(owed, due.gross);
  return {
    affiliate_id: affiliate.id,
    currency: code,
    due: claim.stops.length === 0 && due.count > 0,
    gross_amount: due.gross,
    reversal_amount: reversal,
    amount: due.gross - reversal,
    commission_count: due.count,
    blockers: byPrecedence([...claim.stops, ...claim.warnings]).map(blockerToWire),
  };
};

const placeOf = (key: string | undefined): DuePlace | undefined => {
  const [affiliateId, code] = key?.split(" ") ?? [];
  return affiliateId === undefined || code === undefined ? undefined : { affiliateId, currency: code };
};

const termsOf = (ctx: Ctx, periodEnd: string | undefined, code: string | undefined) => {
  const timeZone = ctx.program.policy.time_zone;
  const now = ctx.now();
  return dueQueryOf({
    programId: ctx.program.id,
    asOf: now,
    periodStart: null,
    periodEnd: periodEnd ?? dateOf(now, timeZone),
    currency: code ?? null,
    affiliateIds: null,
    timeZone,
    cursor: "",
  });
};

export const registerPayable: Register = (app) => {
  app.openapi(list, async (c) => {
    const asked = c.req.valid("query");
    const query = { ...asked, order: asked.order ?? ("asc" as const) };
    const ctx = ctxOf(c);
    const page = await pageOfQuery(c, query);
    const [affiliateId] =
      query.affiliate_id === undefined
        ? [null]
        : await resolveAffiliates(ctx.db, ctx.program.id, [query.affiliate_id]);
    if (affiliateId === undefined) return c.json(await pageAnswer(c, query, [], false, undefined), 200);
    const terms = termsOf(ctx, query.period_end, query.currency);
    const { order, limit } = page;
    const found = await listDue(ctx.db, { ...terms, affiliateId, order, limit, after: placeOf(page.after) });
    const data = found.groups.map((group) => payableToWire(found, group, ctx.now()));
    const last = data.at(-1);
    const lastKey = last === undefined ? undefined : `${last.affiliate_id} ${last.currency}`;
    return c.json(await pageAnswer(c, query, data, found.hasMore, lastKey), 200);
  });
};
