// POST /v1/affiliates/{id}/portal-links: a link and a token with which an affiliate sees, and decides, what is its own.
import { z } from "@hono/zod-openapi";
import { toInstant } from "../../domain/dates.ts";
import { mintPortalLink } from "../../operations/mint-portal-link.ts";
import { accessOf, ctxOf, type Register } from "../env.ts";
import { defineRoute } from "../route.ts";
import { affiliateRef, instantText, jsonAnswer } from "../wire.ts";
import { publicBaseOf } from "./connect.ts";

const link = defineRoute(
  { to: "affiliates:payout_method" },
  {
    method: "post",
    path: "/v1/affiliates/{affiliate_id}/portal-links",
    tags: ["affiliates"],
    summary: "Make a portal link for an affiliate",
    description:
      "For 24 hours `token`, sent as a bearer, opens this affiliate's balance, commissions, payouts and statements, and lets it set its payout method and tax form and ask for a payout; nothing else. It stops when the affiliate is suspended. The key must also hold affiliates:write, commissions:read and payouts:write: a token can do no more than the key that made it.",
    request: { params: z.object({ affiliate_id: affiliateRef }) },
    responses: {
      201: jsonAnswer(
        z.object({
          url: z.string().openapi({ format: "uri" }),
          token: z.string(),
          expires_at: instantText,
        }),
        "The link",
      ),
    },
  },
);

export const registerPortal: Register = (app) => {
  app.openapi(link, async (c) => {
    const { affiliate_id: ref } = c.req.valid("param");
    const { token, expiresAt } = await mintPortalLink(ctxOf(c), ref, accessOf(c).key.scopes);
    const body = { url: `${publicBaseOf(c)}/portal/${token}`, token, expires_at: toInstant(expiresAt) };
    return c.json(body, 201);
  });
};
