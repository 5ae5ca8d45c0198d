// The ledger of a program: its entries in the order of the books, and the proof that everything else follows from them.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { findAffiliateId } from "../../store/affiliates.ts";
import { listEntries, type PlacedEntry } from "../../store/entries.ts";
import { verifyProgram } from "../../store/verify.ts";
import { type AppEnv, ctxOf, type Register } from "../env.ts";
import { pageAnswer, pageOfQuery } from "../paging.ts";
import { defineRoute } from "../route.ts";
import { affiliateRef, jsonAnswer, listQuery, pageOf, payoutId } from "../wire.ts";
import { entrySchema, entryToWire, placeOf, placeText } from "../wire-entry.ts";

const LIST = listQuery({ affiliate_id: affiliateRef.optional(), payout_id: payoutId.optional() });

const list = defineRoute(
  { to: "reports:read" },
  {
    method: "get",
    path: "/v1/ledger/entries",
    tags: ["ledger"],
    summary: "List the entries of all books",
    description: "By affiliate, turn and line, unless `order=desc`.",
    request: { query: LIST },
    responses: { 200: jsonAnswer(pageOf(entrySchema), "A page of entries") },
  },
);

const found = z.union([z.number(), z.string()]).nullable();

const findingSchema = z
  .object({
    invariant: z
      .string()
      .openapi({ description: "The invariant that does not hold, I2 to I13; more may be added." }),
    affiliate_id: z.string().nullable(),
    currency: z.string().optional(),
    object_id: z.string().optional().openapi({ description: "The row or the account in question." }),
    expected: found,
    found,
  })
  .openapi("Finding");

const count = z.number().int();

const verify = defineRoute(
  { to: "reports:read" },
  {
    method: "get",
    path: "/v1/ledger/verify",
    tags: ["ledger"],
    summary: "Recompute everything and say what does not agree",
    description: "Changes nothing. At most 1,000 findings.",
    responses: {
      200: jsonAnswer(
        z
          .object({
            ok: z.boolean(),
            checked: z.object({ affiliates: count, entries: count, commissions: count, payouts: count }),
            findings: z.array(findingSchema),
          })
          .openapi("Verification"),
        "What was checked and found",
      ),
    },
  },
);

const pageOfEntries = async (c: Context<AppEnv>, asked: z.output<typeof LIST>) => {
  const query = { ...asked, order: asked.order ?? ("asc" as const) };
  const { db, program } = ctxOf(c);
  const ref = query.affiliate_id;
  const affiliateId = ref === undefined ? undefined : await findAffiliateId(db, program.id, ref);
  const { limit, order, after } = await pageOfQuery(c, query);
  const nothing: { entries: readonly PlacedEntry[]; hasMore: boolean } = { entries: [], hasMore: false };
  const filters = { affiliateId, payoutId: query.payout_id };
  const isNobody = ref !== undefined && affiliateId === undefined;
  const page = isNobody
    ? nothing
    : await listEntries(db, program.id, filters, { limit, order, after: placeOf(after) });
  const last = page.entries.at(-1);
  const next = last === undefined ? undefined : placeText(last);
  return pageAnswer(c, query, page.entries.map(entryToWire), page.hasMore, next);
};

export const registerLedger: Register = (app) => {
  app.openapi(list, async (c) => c.json(await pageOfEntries(c, c.req.valid("query")), 200));
  app.openapi(verify, async (c) => {
    const { db, program } = ctxOf(c);
    const { ok, checked, findings } = await verifyProgram(db, program.id);
    const wire = findings.map((finding) => ({
      invariant: finding.invariant,
      affiliate_id: finding.affiliateId,
      ...(finding.currency === null ? {} : { currency: finding.currency }),
      ...(finding.objectId === null ? {} : { object_id: finding.objectId }),
      expected: finding.expected,
      found: finding.found,
    }));
    return c.json({ ok, checked, findings: wire }, 200);
  });
};
