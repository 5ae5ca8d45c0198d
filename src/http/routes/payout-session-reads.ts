// Payout sessions read: the list, one, what could be paid, and what is selected with what changed since.
import { z } from "@hono/zod-openapi";
import { dateOf } from "../../domain/dates.ts";
import { readUnpaid } from "../../operations/list-unpaid.ts";
import { requireSession } from "../../operations/start-session.ts";
import type { DuePlace } from "../../store/due-page.ts";
import { listRows, rowPlace } from "../../store/session-rows.ts";
import { listSessions } from "../../store/sessions.ts";
import { ctxOf, type Register } from "../env.ts";
import { pageAnswer, pageOfQuery } from "../paging.ts";
import { defineRoute } from "../route.ts";
import { rowsToWire, unpaidToWire } from "../session-answer.ts";
import { amountText, currency, date, idOf, jsonAnswer, listQuery, pageOf } from "../wire.ts";
import { skipSchema, skipToWire } from "../wire-run.ts";
import { rowSchema, sessionSchema, sessionToWire, totalsToWire, unpaidSchema } from "../wire-session.ts";

const PARAMS = z.object({ session_id: idOf("ses") });
const EXPAND = z.enum(["affiliate"]).optional().openapi({ description: "Adds who is paid." });
const TAGS = ["sessions"];

const list = defineRoute(
  { to: "payouts:read" },
  {
    method: "get",
    path: "/v1/payout-sessions",
    tags: TAGS,
    summary: "List payout sessions",
    request: { query: listQuery({}) },
    responses: { 200: jsonAnswer(pageOf(sessionSchema), "A page of sessions") },
  },
);

const read = defineRoute(
  { to: "payouts:read" },
  {
    method: "get",
    path: "/v1/payout-sessions/{session_id}",
    tags: TAGS,
    summary: "Read a payout session",
    request: { params: PARAMS },
    responses: { 200: jsonAnswer(sessionSchema, "The session") },
  },
);

const unpaid = defineRoute(
  { to: "payouts:read" },
  {
    method: "get",
    path: "/v1/payout-sessions/{session_id}/unpaid",
    tags: TAGS,
    summary: "List what could be paid, by affiliate and currency",
    description:
      "Payable commissions that occurred up to the end of `up_to` (today unless given) in the program's zone. `min_amount` and `max_amount`, inclusive, are of what one affiliate would be paid. `skipped` says who on this page is left out, and why.",
    request: {
      params: PARAMS,
      query: listQuery({
        up_to: date.optional(),
        min_amount: amountText.optional(),
        max_amount: amountText.optional(),
        currency: currency.optional(),
        expand: EXPAND,
      }),
    },
    responses: {
      200: jsonAnswer(
        pageOf(unpaidSchema).extend({ skipped: z.array(skipSchema) }),
        "A page of what is unpaid",
      ),
    },
  },
);

const summary = defineRoute(
  { to: "payouts:read" },
  {
    method: "get",
    path: "/v1/payout-sessions/{session_id}/summary",
    tags: TAGS,
    summary: "Read what is selected, and what changed since",
    request: { params: PARAMS, query: listQuery({ expand: EXPAND }) },
    responses: {
      200: jsonAnswer(
        z.object({
          status: sessionSchema.shape.status,
          summary: z.array(rowSchema),
          totals: sessionSchema.shape.totals,
          has_more: z.boolean(),
          next_cursor: z.string().nullable(),
        }),
        "A page of the selection",
      ),
    },
  },
);

const placeIn = (after: string | undefined): DuePlace | undefined => {
  const [affiliateId, of] = after?.split(" ") ?? [];
  return affiliateId === undefined || of === undefined ? undefined : { affiliateId, currency: of };
};

export const registerPayoutSessionReads: Register = (app) => {
  app.openapi(list, async (c) => {
    const query = c.req.valid("query");
    const { db, program } = ctxOf(c);
    const page = await listSessions(db, program.id, await pageOfQuery(c, query));
    const data = page.views.map(sessionToWire);
    return c.json(await pageAnswer(c, query, data, page.hasMore, data.at(-1)?.id), 200);
  });
  app.openapi(read, async (c) =>
    c.json(sessionToWire(await requireSession(ctxOf(c), c.req.valid("param").session_id)), 200),
  );
  app.openapi(unpaid, async (c) => {
    const asked = c.req.valid("query");
    const query = { ...asked, order: asked.order ?? ("asc" as const) };
    const ctx = ctxOf(c);
    await requireSession(ctx, c.req.valid("param").session_id);
    const { limit, order, after } = await pageOfQuery(c, query);
    const found = await readUnpaid(ctx, {
      upTo: query.up_to ?? dateOf(ctx.now(), ctx.program.policy.time_zone),
      currency: query.currency ?? null,
      minAmount: query.min_amount ?? null,
      maxAmount: query.max_amount ?? null,
      limit,
      order,
      after: placeIn(after),
    });
    const data = unpaidToWire(found.groups, query.expand);
    const last = found.last === undefined ? undefined : `${found.last.affiliateId} ${found.last.currency}`;
    const page = await pageAnswer(c, query, data, found.hasMore, last);
    return c.json({ ...page, skipped: found.skipped.map(skipToWire) }, 200);
  });
  app.openapi(summary, async (c) => {
    const asked = c.req.valid("query");
    const query = { ...asked, order: asked.order ?? ("asc" as const) };
    const ctx = ctxOf(c);
    const view = await requireSession(ctx, c.req.valid("param").session_id);
    const { id } = view.session;
    const { rows, hasMore } = await listRows(ctx.db, ctx.program.id, id, await pageOfQuery(c, query));
    const last = rows.at(-1);
    const wires = await rowsToWire(c, id, rows, query.expand);
    const page = await pageAnswer(c, query, wires, hasMore, last === undefined ? undefined : rowPlace(last));
    const { data, has_more, next_cursor } = page;
    const totals = totalsToWire(view.totals);
    return c.json({ status: view.status, summary: data, totals, has_more, next_cursor }, 200);
  });
};
