// Messages that payment providers send by themselves: the raw bytes are verified, and answered before anything is believed twice.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { InboundProvider } from "../../context.ts";
import type { ProgramId } from "../../domain/ids.ts";
import { takeProviderEvent } from "../../operations/take-provider-event.ts";
import { readText } from "../body.ts";
import type { AppEnv, Register, StipendApp } from "../env.ts";
import { Problem } from "../problem.ts";
import { defineRoute } from "../route.ts";
import { jsonAnswer } from "../wire.ts";

const PARAMS = z.object({
  program_id: z.string().max(60).openapi({ description: "The program whose secrets verify the message." }),
});

const RECEIVED = z.object({ received: z.literal(true) });

const SIGNED: Readonly<Record<InboundProvider, string>> = {
  stripe:
    "For both of Stripe's endpoints, the platform's and Connect's. `Stripe-Signature` is verified with either secret, and must be fresh.",
  paypal:
    "PayPal itself is asked whether the message is its own; the stored `webhook_id` is what it signs for.",
  wise: "`X-Signature-SHA256` is verified with the stored public key of Wise.",
};

const routeFor = <P extends InboundProvider>(provider: P) =>
  defineRoute(
    { to: "public", idempotency: "ignored", rawBody: true },
    {
      method: "post",
      path: `/v1/callbacks/${provider}/{program_id}` as const,
      tags: ["callbacks"],
      summary: `Take a message of ${provider}`,
      description: `${SIGNED[provider]} A message is a hint: the provider is asked for the object again before anything changes.`,
      request: { params: PARAMS },
      responses: { 200: jsonAnswer(RECEIVED, "Taken; the same message again has no further effect") },
    },
  );

const take = async (c: Context<AppEnv>, provider: InboundProvider, programId: string): Promise<void> => {
  const message = { headers: c.req.raw.headers, rawBody: await readText(c) };
  const taken = await takeProviderEvent(c.get("ports"), provider, programId as ProgramId, message);
  if (taken === undefined)
    throw new Problem("bad_request", "The message is not from the provider, or not for this program.");
};

const registerOne = (app: StipendApp, provider: InboundProvider): void => {
  app.openapi(routeFor(provider), async (c) => {
    await take(c, provider, c.req.valid("param").program_id);
    return c.json({ received: true as const }, 200);
  });
};

export const registerCallbacks: Register = (app) => {
  registerOne(app, "stripe");
  registerOne(app, "paypal");
  registerOne(app, "wise");
};
