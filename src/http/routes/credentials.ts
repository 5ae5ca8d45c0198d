// A program's credentials with Stripe: stored sealed, checked with Stripe, never given back.
import { z } from "@hono/zod-openapi";
import { toInstant } from "../../domain/dates.ts";
import { setStripeCredentials } from "../../operations/set-stripe-credentials.ts";
import { type Credentials, findCredentials } from "../../store/credentials.ts";
import { ctxOf, type Register } from "../env.ts";
import { Problem } from "../problem.ts";
import { defineRoute } from "../route.ts";
import { instantText, jsonAnswer, jsonBody } from "../wire.ts";

const credentialsSchema = z
  .object({
    account: z.string().openapi({ description: "The Stripe account that the key belongs to." }),
    last4: z.string().openapi({ description: "The secret key's last four characters." }),
    livemode: z.boolean(),
    checked_at: instantText.openapi({ description: "When Stripe took the key." }),
  })
  .openapi("StripeCredentials");

const webhookSecret = z
  .string()
  .max(500)
  .regex(/^whsec_[\x21-\x7e]+$/, "must start with whsec_");

/** Stripe alone judges a key; no length is checked but what bounds the request. */
const BODY = z.strictObject({
  secret_key: z
    .string()
    .max(500)
    .regex(/^(sk|rk)_(test|live)_[\x21-\x7e]+$/, "must start with sk_test_, sk_live_, rk_test_ or rk_live_"),
  webhook_secret: webhookSecret.optional(),
  connect_webhook_secret: webhookSecret.optional(),
});

const put = defineRoute(
  { to: "program:admin" },
  {
    method: "put",
    path: "/v1/program/credentials/stripe",
    tags: ["programs"],
    summary: "Store the program's Stripe secrets",
    description: "Replaces all three; a secret that is not given is forgotten.",
    request: { body: jsonBody(BODY) },
    responses: { 200: jsonAnswer(credentialsSchema, "What was stored, without the secrets") },
  },
);

const read = defineRoute(
  { to: "program:admin" },
  {
    method: "get",
    path: "/v1/program/credentials/stripe",
    tags: ["programs"],
    summary: "Say which Stripe credentials are stored",
    responses: { 200: jsonAnswer(credentialsSchema, "What is stored, without the secrets") },
  },
);

const toWire = ({ account, last4, livemode, checkedAt }: Credentials): z.infer<typeof credentialsSchema> => ({
  account,
  last4,
  livemode,
  checked_at: toInstant(checkedAt),
});

export const registerCredentials: Register = (app) => {
  app.openapi(put, async (c) => {
    const body = c.req.valid("json");
    const secrets = {
      secretKey: body.secret_key,
      webhookSecret: body.webhook_secret ?? null,
      connectWebhookSecret: body.connect_webhook_secret ?? null,
    };
    return c.json(toWire(await setStripeCredentials(ctxOf(c), secrets)), 200);
  });
  app.openapi(read, async (c) => {
    const { db, program } = ctxOf(c);
    const stored = await findCredentials(db, program.id, "stripe");
    if (stored === undefined) throw new Problem("not_found", "No Stripe credentials are stored.");
    return c.json(toWire(stored), 200);
  });
};
