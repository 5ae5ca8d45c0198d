// POST /v1/affiliates/{id}/stripe-onboarding: a link with which an affiliate gives Stripe what it needs to be paid.
import { z } from "@hono/zod-openapi";
import { toInstant } from "../../domain/dates.ts";
import { onboardAffiliate } from "../../operations/onboard-affiliate.ts";
import { writeConnectToken } from "../connect-token.ts";
import { accessOf, ctxOf, type Register } from "../env.ts";
import { Problem } from "../problem.ts";
import { defineRoute } from "../route.ts";
import { affiliateRef, countryCode, instantText, jsonAnswer, jsonBody } from "../wire.ts";
import { programPatchBody } from "../wire-program.ts";
import { publicBaseOf } from "./connect.ts";

const LINK_LIVES_DAYS = 7;

/** The policy's own field, shorter: it travels in the link. */
const returnUrl = programPatchBody.shape.onboarding_return_url.unwrap().unwrap().max(1_024);

const onboard = defineRoute(
  { to: "affiliates:payout_method" },
  {
    method: "post",
    path: "/v1/affiliates/{affiliate_id}/stripe-onboarding",
    tags: ["affiliates"],
    summary: "Make a link that takes an affiliate through Stripe's onboarding",
    description: `The first call makes the affiliate's Stripe account and sends its money there; every later one leads to the same account. \`url\` is for the affiliate alone: whoever opens it is taken to Stripe, as often as needed, for ${LINK_LIVES_DAYS} days. Afterwards the browser goes to \`return_url\`, else to the program's \`onboarding_return_url\`, else to a page that says what is missing. \`country\` is needed where the affiliate has none, and cannot be changed later.`,
    request: {
      params: z.object({ affiliate_id: affiliateRef }),
      body: jsonBody(
        z.strictObject({ return_url: returnUrl.optional(), country: countryCode.optional() }),
        false,
      ),
    },
    responses: {
      201: jsonAnswer(
        z.object({ url: z.string().openapi({ format: "uri" }), expires_at: instantText }),
        "The link",
      ),
    },
  },
);

/** Plain http is for trying things out on one's own machine. */
const assertReturnUrl = (mode: "test" | "live", url: string | undefined): void => {
  if (mode === "test" || url === undefined || url.startsWith("https:")) return;
  const errors = [{ pointer: "/return_url", detail: "must be an https URL" }];
  throw new Problem("validation_failed", "/return_url: must be an https URL", { errors });
};

export const registerStripeOnboarding: Register = (app) => {
  app.openapi(onboard, async (c) => {
    const { return_url: url, country } = c.req.valid("json");
    assertReturnUrl(accessOf(c).program.mode, url);
    const ctx = ctxOf(c);
    const onboarded = await onboardAffiliate(ctx, c.req.valid("param").affiliate_id, { country });
    const lives = LINK_LIVES_DAYS * 86_400;
    const expiresAt = (Math.floor(ctx.realNow() / 1000) + lives) * 1000;
    const token = await writeConnectToken(ctx.config.cursorKey, {
      ...onboarded,
      programId: ctx.program.id,
      expiresAt,
      returnUrl: url ?? null,
    });
    const body = { url: `${publicBaseOf(c)}/connect/stripe/${token}`, expires_at: toInstant(expiresAt) };
    return c.json(body, 201);
  });
};
