// The simulated Stripe answers, lists, gates and reverses as Stripe's own description and documentation say.

import { describe, expect, it } from "vitest";
import spec from "../fixtures/stripe/connect-shapes.json" with { type: "json" };
import { StripeSimulator } from "../simulators/stripe.ts";
import { SECRET_KEY, stripeOver } from "../simulators/stripe-client.ts";
import { type Schema, type Schemas, violations } from "../support/json-schema.ts";

const START = Date.UTC(2026, 10, 2, 9);
const schemas = spec.components.schemas as unknown as Schemas;
const paths = spec.paths as unknown as Record<string, Record<string, { accepts: string[]; answers: Schema }>>;

const PAYEE = "acct_payee000000001";

function fresh() {
  const clock = { ms: START };
  const simulator = new StripeSimulator({ now: () => clock.ms });
  simulator.seedAccount({ id: PAYEE });
  return { clock, simulator, stripe: stripeOver(simulator) };
}

type Asked = { method?: string; path: string; form?: Record<string, string>; key?: string };

async function ask(simulator: StripeSimulator, asked: Asked) {
  const response = await simulator.fetch(
    new Request(`https://api.stripe.com${asked.path}`, {
      method: asked.method ?? "GET",
      headers: { authorization: `Bearer ${asked.key ?? SECRET_KEY}` },
      ...(asked.form === undefined ? {} : { body: new URLSearchParams(asked.form) }),
    }),
  );
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const TRANSFER = {
  amount: "1250",
  currency: "USD",
  destination: PAYEE,
  transfer_group: "po_1",
  "metadata[payout_id]": "po_1",
};

/** A world in which every kind of object exists, and the address of one of each. */
async function furnished() {
  const { simulator } = fresh();
  const post = (path: string, form: Record<string, string>) => ask(simulator, { method: "POST", path, form });
  const account = await post("/v1/accounts", {
    country: "DE",
    "controller[stripe_dashboard][type]": "express",
    "capabilities[transfers][requested]": "true",
    "tos_acceptance[service_agreement]": "recipient",
  });
  const link = await post("/v1/account_links", {
    account: String(account.body.id),
    type: "account_onboarding",
    refresh_url: "https://shop.example/again",
    return_url: "https://shop.example/done",
  });
  const transfer = await post("/v1/transfers", TRANSFER);
  const reversal = await post(`/v1/transfers/${transfer.body.id}/reversals`, { amount: "50" });
  simulator.payOut(PAYEE, "usd", 100);
  return { simulator, post, account, link, transfer, reversal };
}

const shapeOf = (path: string, method: string): Schema => {
  const found = paths[path]?.[method];
  if (found === undefined) throw new Error(`${method} ${path} is not described`);
  return found.answers;
};

describe("the simulated Stripe answers in Stripe's shapes", () => {
  it("fits the description for every object it creates or updates", async () => {
    const { post, account, link, transfer, reversal } = await furnished();
    const login = await post(`/v1/accounts/${PAYEE}/login_links`, {});
    const updated = await post(`/v1/transfers/${transfer.body.id}`, { "metadata[a]": "b" });
    const changed = await post(`/v1/accounts/${account.body.id}`, { email: "payee@example.com" });
    const noted = await post(`/v1/transfers/${transfer.body.id}/reversals/${reversal.body.id}`, {
      "metadata[a]": "b",
    });
    const answers = [
      [account, "/v1/accounts"],
      [link, "/v1/account_links"],
      [transfer, "/v1/transfers"],
      [reversal, "/v1/transfers/{id}/reversals"],
      [login, "/v1/accounts/{account}/login_links"],
      [updated, "/v1/transfers/{transfer}"],
      [changed, "/v1/accounts/{account}"],
      [noted, "/v1/transfers/{transfer}/reversals/{id}"],
    ] as const;
    for (const [answer, path] of answers) {
      expect(answer.status, path).toBe(200);
      expect(violations(answer.body, shapeOf(path, "post"), schemas), path).toEqual([]);
    }
  });

  it("fits the description for every object and list it is asked for", async () => {
    const { simulator, account, transfer, reversal } = await furnished();
    const event = simulator.events("transfer.created")[0];
    const transaction = String(transfer.body.balance_transaction);
    const asked = [
      ["/v1/accounts", "/v1/accounts"],
      [`/v1/accounts/${account.body.id}`, "/v1/accounts/{account}"],
      ["/v1/account", "/v1/accounts/{account}"],
      [
        `/v1/accounts/${account.body.id}/capabilities/transfers`,
        "/v1/accounts/{account}/capabilities/{capability}",
      ],
      ["/v1/transfers", "/v1/transfers"],
      [`/v1/transfers/${transfer.body.id}`, "/v1/transfers/{transfer}"],
      [`/v1/transfers/${transfer.body.id}/reversals`, "/v1/transfers/{id}/reversals"],
      [
        `/v1/transfers/${transfer.body.id}/reversals/${reversal.body.id}`,
        "/v1/transfers/{transfer}/reversals/{id}",
      ],
      ["/v1/balance", "/v1/balance"],
      ["/v1/balance_transactions", "/v1/balance_transactions"],
      [`/v1/balance_transactions/${transaction}`, "/v1/balance_transactions/{id}"],
      ["/v1/payouts", "/v1/payouts"],
      ["/v1/events", "/v1/events"],
      [`/v1/events/${event?.id}`, "/v1/events/{id}"],
    ] as const;
    for (const [path, described] of asked) {
      const answer = await ask(simulator, { path });
      expect(answer.status, path).toBe(200);
      expect(violations(answer.body, shapeOf(described, "get"), schemas), path).toEqual([]);
    }
  });

  it("fits the description for every event it records", async () => {
    const { simulator, post, account, link } = await furnished();
    simulator.followLink(String(link.body.url).split("/").pop() ?? "");
    await post(`/v1/transfers/${simulator.transfers()[0]?.id}`, { description: "x" });
    const seen = new Set<string>();
    for (const event of simulator.events()) {
      const shape = schemas[`event_${event.type.replaceAll(".", "_")}`];
      if (shape === undefined) throw new Error(`${event.type} is not described`);
      expect(violations(event, shape, schemas), event.type).toEqual([]);
      seen.add(event.type);
    }
    expect([...seen].sort()).toEqual([
      "account.updated",
      "capability.updated",
      "payout.paid",
      "transfer.created",
      "transfer.reversed",
      "transfer.updated",
    ]);
    const ready = await ask(simulator, { path: `/v1/accounts/${account.body.id}` });
    expect(ready.body).toMatchObject({ payouts_enabled: true, capabilities: { transfers: "active" } });
  });

  it("accepts every parameter that the description lists, and no other", async () => {
    const { simulator, post, transfer, reversal } = await furnished();
    const places: Record<string, string> = {
      "/v1/accounts/{account}": `/v1/accounts/${PAYEE}`,
      "/v1/accounts/{account}/login_links": `/v1/accounts/${PAYEE}/login_links`,
      "/v1/transfers/{transfer}": `/v1/transfers/${transfer.body.id}`,
      "/v1/transfers/{id}/reversals": `/v1/transfers/${transfer.body.id}/reversals`,
      "/v1/transfers/{transfer}/reversals/{id}": `/v1/transfers/${transfer.body.id}/reversals/${reversal.body.id}`,
    };
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, { accepts }] of Object.entries(operations)) {
        const place = places[path] ?? path;
        if (place.includes("{")) continue;
        const filled = Object.fromEntries(accepts.map((name) => [name, "?"]));
        const send = (form: Record<string, string>) =>
          method === "post"
            ? post(place, form)
            : ask(simulator, { path: `${place}?${new URLSearchParams(form)}` });
        const known = await send(filled);
        expect(known.body, `${method} ${path}`).not.toMatchObject({ error: { code: "parameter_unknown" } });
        const other = await send({ ...filled, colour: "red" });
        expect(other.body, `${method} ${path}`).toMatchObject({
          error: { type: "invalid_request_error", code: "parameter_unknown", param: "colour" },
        });
        expect(violations(other.body, schemas.error ?? {}, schemas)).toEqual([]);
      }
    }
  });

  it("says nothing in a transfer that Stripe does not say", async () => {
    const { transfer } = await furnished();
    const described = Object.keys(schemas.transfer?.properties ?? {});
    expect(Object.keys(transfer.body).filter((name) => !described.includes(name))).toEqual([]);
    expect(transfer.body).toMatchObject({ amount: 1250, currency: "usd", livemode: false });
    expect(transfer.body.id).toMatch(/^tr_[A-Za-z0-9]{24}$/);
  });
});

describe("the simulated Stripe lists", () => {
  it("walks every page newest first, in both directions, without gap or repeat", async () => {
    const { clock, simulator, stripe } = fresh();
    for (let n = 0; n < 25; n += 1) {
      clock.ms += 1000;
      const group = n % 2 === 0 ? "even" : "odd";
      await stripe.transfers.create({
        amount: 100 + n,
        currency: "usd",
        destination: PAYEE,
        transfer_group: group,
      });
    }
    const made = simulator.transfers().map((transfer) => transfer.id);
    const walked: string[] = [];
    for await (const transfer of stripe.transfers.list({ limit: 7 })) walked.push(transfer.id);
    expect(walked).toEqual(made.toReversed());
    const evens = await stripe.transfers.list({ transfer_group: "even", limit: 100 });
    expect(evens.data).toHaveLength(13);
    expect(evens.has_more).toBe(false);
    const before = await stripe.transfers.list({ ending_before: made[0] ?? "", limit: 3 });
    expect(before.data.map((transfer) => transfer.id)).toEqual(made.slice(1, 4).toReversed());
    expect(before.has_more).toBe(true);
    const since = Math.floor(START / 1000) + 20;
    const late = await stripe.transfers.list({ created: { gte: since, lt: since + 3 } });
    expect(late.data.map((transfer) => transfer.amount)).toEqual([121, 120, 119]);
    expect((await stripe.transfers.list({ destination: "acct_other" })).data).toEqual([]);
    await expect(stripe.transfers.list({ limit: 101 })).rejects.toMatchObject({ param: "limit" });
  });

  it("keeps platform accounts and modes apart, and lets keys of one account share it", async () => {
    const { simulator, stripe } = fresh();
    const made = await stripe.transfers.create({ amount: 5, currency: "usd", destination: PAYEE });
    const sibling = stripeOver(simulator, "rk_test_shop_reader");
    expect((await sibling.transfers.retrieve(made.id)).id).toBe(made.id);
    for (const stranger of ["sk_test_other_1", "sk_live_shop_1"]) {
      const other = stripeOver(simulator, stranger);
      expect((await other.transfers.list()).data).toEqual([]);
      await expect(other.transfers.retrieve(made.id)).rejects.toMatchObject({ statusCode: 404 });
    }
    const [mine, theirs] = await Promise.all(
      [stripe, stripeOver(simulator, "sk_test_other_1")].map((client) => client.accounts.retrieveCurrent()),
    );
    expect(mine?.id).toMatch(/^acct_[A-Za-z0-9]{16}$/);
    expect(mine?.id).not.toBe(theirs?.id);
  });

  it("hides new transfers for as long as a list_lag fault says, though not from a look by id", async () => {
    const { clock, simulator, stripe } = fresh();
    simulator.addFault({ fault: "list_lag", delay_ms: 60_000 });
    const made = await stripe.transfers.create({ amount: 5, currency: "usd", destination: PAYEE });
    expect((await stripe.transfers.list()).data).toEqual([]);
    expect((await stripe.transfers.retrieve(made.id)).id).toBe(made.id);
    clock.ms += 60_000;
    expect((await stripe.transfers.list()).data).toHaveLength(1);
  });
});
