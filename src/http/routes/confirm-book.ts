// POST /v1/affiliates/{id}/confirm-book: the way out of book_rewound.
import { z } from "@hono/zod-openapi";
import { Refused, refuse } from "../../domain/refusals.ts";
import { confirmBook } from "../../operations/confirm-book.ts";
import { resolveAffiliates } from "../../store/refs.ts";
import { ctxOf, type Register } from "../env.ts";
import { commandOf } from "../idempotency.ts";
import { defineRoute } from "../route.ts";
import { affiliateRef, jsonAnswer, jsonBody, noteText } from "../wire.ts";

const confirm = defineRoute(
  { to: "program:admin", idempotency: "honoured" },
  {
    method: "post",
    path: "/v1/affiliates/{affiliate_id}/confirm-book",
    tags: ["affiliates"],
    summary: "Say that a restored book was compared with the providers",
    description: "Money leaves for this affiliate again. The evidence is kept with the turn.",
    request: {
      params: z.object({ affiliate_id: affiliateRef }),
      body: jsonBody(z.strictObject({ evidence: noteText })),
    },
    responses: { 200: jsonAnswer(z.object({ affiliate_id: z.string() }), "Confirmed") },
  },
);

export const registerConfirmBook: Register = (app) => {
  app.openapi(confirm, async (c) => {
    const ctx = ctxOf(c);
    const [affiliateId] = await resolveAffiliates(ctx.db, ctx.program.id, [
      c.req.valid("param").affiliate_id,
    ]);
    if (affiliateId === undefined)
      throw new Refused(refuse("affiliate_not_found", "No such affiliate in this program.").refusal);
    const done = await confirmBook(ctx, affiliateId, c.req.valid("json").evidence, await commandOf(c));
    if (done.replayed) c.header("Idempotent-Replayed", "true");
    return c.json({ affiliate_id: affiliateId }, 200);
  });
};
