// A program's credentials with payment providers: stored sealed, checked with the provider, never given back.
import { z } from "@hono/zod-openapi";
import { toInstant } from "../../domain/dates.ts";
import { setPayPalCredentials } from "../../operations/set-paypal-credentials.ts";
import { setStripeCredentials } from "../../operations/set-stripe-credentials.ts";
import { setWiseCredentials } from "../../operations/set-wise-credentials.ts";
import { type Credentials, findCredentials, type Provider } from "../../store/credentials.ts";
import { ctxOf, type Register, type StipendApp } from "../env.ts";
import { Problem } from "../problem.ts";
import { defineRoute } from "../route.ts";
import { instantText, jsonAnswer, jsonBody } from "../wire.ts";

const NAMES = { stripe: "Stripe", paypal: "PayPal", wise: "Wise" } as const satisfies Record<
  Provider,
  string
>;

const OVERLAP =
  "what its messages were signed with before is believed for 24 hours more, so that the provider can be changed over.";

const shown = <P extends Provider>(provider: P, secret: string) =>
  z
    .object({
      account: z
        .string()
        .openapi({ description: `The ${NAMES[provider]} account that the secrets belong to.` }),
      last4: z.string().openapi({ description: `The last four characters of ${secret}.` }),
      livemode: z.boolean(),
      checked_at: instantText.openapi({ description: `When ${NAMES[provider]} took the secrets.` }),
    })
    .openapi(`${NAMES[provider]}Credentials`);

const toWire = ({ account, last4, livemode, checkedAt }: Credentials) => ({
  account,
  last4,
  livemode,
  checked_at: toInstant(checkedAt),
});

const putRoute = <P extends Provider, Body extends z.ZodType>(
  provider: P,
  description: string,
  body: Body,
  schema: ReturnType<typeof shown<P>>,
) =>
  defineRoute(
    { to: "program:admin" },
    {
      method: "put",
      path: `/v1/program/credentials/${provider}`,
      tags: ["programs"],
      summary: `Store the program's ${NAMES[provider]} secrets`,
      description,
      request: { body: jsonBody(body) },
      responses: { 200: jsonAnswer(schema, "What was stored, without the secrets") },
    },
  );

const registerRead = <P extends Provider>(
  app: StipendApp,
  provider: P,
  schema: ReturnType<typeof shown<P>>,
): void => {
  const route = defineRoute(
    { to: "program:admin" },
    {
      method: "get",
      path: `/v1/program/credentials/${provider}`,
      tags: ["programs"],
      summary: `Say which ${NAMES[provider]} credentials are stored`,
      responses: { 200: jsonAnswer(schema, "What is stored, without the secrets") },
    },
  );
  app.openapi(route, async (c) => {
    const { db, program } = ctxOf(c);
    const stored = await findCredentials(db, program.id, provider);
    if (stored === undefined) throw new Problem("not_found", `No ${NAMES[provider]} credentials are stored.`);
    return c.json(toWire(stored), 200);
  });
};

const STRIPE = shown("stripe", "the secret key");
const PAYPAL = shown("paypal", "the client secret");
const WISE = shown("wise", "the API token");

/** The provider alone judges a secret; no length is checked but what bounds the request. */
const secretText = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[\x21-\x7e]+$/, "must be printable ASCII without spaces");

const webhookSecret = z
  .string()
  .max(500)
  .regex(/^whsec_[\x21-\x7e]+$/, "must start with whsec_");

const putStripe = putRoute(
  "stripe",
  `Replaces all three; a secret that is not given is forgotten, and ${OVERLAP}`,
  z.strictObject({
    secret_key: z
      .string()
      .max(500)
      .regex(
        /^(sk|rk)_(test|live)_[\x21-\x7e]+$/,
        "must start with sk_test_, sk_live_, rk_test_ or rk_live_",
      ),
    webhook_secret: webhookSecret.optional(),
    connect_webhook_secret: webhookSecret.optional(),
  }),
  STRIPE,
);

const putPayPal = putRoute(
  "paypal",
  `Replaces all three; a webhook_id that is not given is forgotten, and ${OVERLAP} Without one, PayPal's messages are not believed and payments are concluded by asking.`,
  z.strictObject({
    // It stands in front of a colon in the request for a token.
    client_id: secretText.regex(/^[^:]*$/, "must not hold a colon"),
    client_secret: secretText,
    webhook_id: secretText.optional(),
  }),
  PAYPAL,
);

const putWise = putRoute(
  "wise",
  `Replaces all three; a webhook_public_key that is not given is forgotten, and ${OVERLAP} Without one, Wise's messages are not believed and payments are concluded by asking.`,
  z.strictObject({
    api_token: secretText,
    // It stands in the path of requests to Wise.
    profile_id: z
      .string()
      .min(1)
      .max(64)
      .regex(/^[A-Za-z0-9-]+$/, "must be letters, digits and hyphens"),
    webhook_public_key: z.string().trim().min(1).max(4_000).optional(),
  }),
  WISE,
);

const registerStripe = (app: StipendApp): void => {
  app.openapi(putStripe, async (c) => {
    const body = c.req.valid("json");
    const secrets = {
      secretKey: body.secret_key,
      webhookSecret: body.webhook_secret ?? null,
      connectWebhookSecret: body.connect_webhook_secret ?? null,
    };
    return c.json(toWire(await setStripeCredentials(ctxOf(c), secrets)), 200);
  });
  registerRead(app, "stripe", STRIPE);
};

const registerPayPal = (app: StipendApp): void => {
  app.openapi(putPayPal, async (c) => {
    const body = c.req.valid("json");
    const secrets = {
      clientId: body.client_id,
      clientSecret: body.client_secret,
      webhookId: body.webhook_id ?? null,
    };
    return c.json(toWire(await setPayPalCredentials(ctxOf(c), secrets)), 200);
  });
  registerRead(app, "paypal", PAYPAL);
};

const registerWise = (app: StipendApp): void => {
  app.openapi(putWise, async (c) => {
    const body = c.req.valid("json");
    const secrets = {
      apiToken: body.api_token,
      profileId: body.profile_id,
      webhookPublicKey: body.webhook_public_key ?? null,
    };
    return c.json(toWire(await setWiseCredentials(ctxOf(c), secrets)), 200);
  });
  registerRead(app, "wise", WISE);
};

export const registerCredentials: Register = (app) => {
  registerStripe(app);
  registerPayPal(app);
  registerWise(app);
};
