// The simulated Stripe over HTTP: the stripe package reaches it, broken connections break, its file outlives it.

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Stripe from "stripe";
import { afterEach, describe, expect, it } from "vitest";
import { SECRET_KEY } from "../simulators/stripe-client.ts";
import { type ServerOptions, startStripeSimulator } from "../simulators/stripe-server.ts";

const PAYEE = "acct_payee000000001";
const leftovers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const clear of leftovers.splice(0)) await clear();
});

async function started(options: ServerOptions = {}) {
  const server = await startStripeSimulator({ slowMs: 40, ...options });
  leftovers.push(server.close);
  const { hostname, port } = new URL(server.url);
  const stripe = new Stripe(SECRET_KEY, {
    host: hostname,
    port,
    protocol: "http",
    httpClient: Stripe.createFetchHttpClient(),
    maxNetworkRetries: 0,
    telemetry: false,
  });
  const control = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${server.url}/_sim/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.json()) as Record<string, unknown>;
  };
  return { server, stripe, control };
}

const pay = (stripe: Stripe, key: string) =>
  stripe.transfers.create(
    { amount: 1250, currency: "eur", destination: PAYEE, metadata: { payout_id: "po_1" } },
    { idempotencyKey: key },
  );

/** Everything a raw client is sent until the connection ends. */
function rawAnswer(url: string, body: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let seen = "";
    const socket = connect(Number(port), hostname);
    socket.on("data", (part) => {
      seen += part.toString();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(seen));
    socket.write(
      `POST /v1/transfers HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${SECRET_KEY}\r\n` +
        `content-type: application/x-www-form-urlencoded\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  });
}

describe("the Stripe simulator's server", () => {
  it("serves the stripe package, and is steered over its control routes", async () => {
    const { stripe, control } = await started();
    await control("POST", "accounts", { id: PAYEE, country: "DE" });
    expect(await stripe.accounts.retrieve(PAYEE)).toMatchObject({ country: "DE", default_currency: "eur" });
    const made = await pay(stripe, "k1");
    expect(await control("GET", "transfers?payout_id=po_1")).toMatchObject({ data: [{ id: made.id }] });
    expect(await control("POST", `transfers/${made.id}/reverse`, { amount: 50 })).toMatchObject({
      amount: 50,
    });
    expect(await control("POST", "payouts", { account: PAYEE, currency: "eur" })).toMatchObject({
      amount: 1200,
    });
    await control("POST", "balances", { currency: "eur", amount: 1 });
    await expect(pay(stripe, "k2")).rejects.toMatchObject({ code: "balance_insufficient" });
    expect(await control("POST", "expire-keys")).toEqual({ expired: 2 });
    await control("POST", "keys", { revoke: SECRET_KEY });
    await expect(pay(stripe, "k3")).rejects.toMatchObject({ statusCode: 401 });
    await control("POST", "keys", { restore: [SECRET_KEY] });
    expect(await control("POST", "faults", { fault: "tornado" })).toMatchObject({ error: {} });
    await control("POST", "faults", { fault: "empty_503" });
    await control("DELETE", "faults");
    expect(await control("GET", "state")).toMatchObject({
      faults: { pending: [], fired: {} },
      keys: 0,
      requests: { "POST /v1/transfers": 3, "GET /v1/accounts/{id}": 1 },
    });
    const [event] = (await control("GET", "events?type=transfer.created")).data as { id: string }[];
    const signed = await control("POST", `events/${event?.id}/sign`, { secret: "whsec_1" });
    expect(signed).toMatchObject({
      headers: { "stripe-signature": expect.stringMatching(/^t=\d+,v1=[0-9a-f]{64}$/) },
    });
    await control("POST", "reset");
    expect(await control("GET", "state")).toMatchObject({ transfers: [], accounts: [] });
  });

  it("drops the connection without a byte, before or after the work", async () => {
    const { server, stripe } = await started();
    server.simulator.seedAccount({ id: PAYEE });
    for (const [fault, made] of [
      ["drop_before_work", 0],
      ["drop_after_work", 1],
    ] as const) {
      server.simulator.addFault({ fault });
      expect(await rawAnswer(server.url, `amount=1&currency=eur&destination=${PAYEE}`)).toBe("");
      expect(server.simulator.transfers()).toHaveLength(made);
    }
    server.simulator.addFault({ fault: "drop_after_work" });
    await expect(pay(stripe, "k1")).rejects.toMatchObject({ type: "StripeConnectionError" });
    expect(server.simulator.transfers()).toHaveLength(2);
  });

  it("sends half of a body under its full length, then drops the connection", async () => {
    const { server, stripe } = await started();
    server.simulator.seedAccount({ id: PAYEE });
    server.simulator.addFault({ fault: "cut_body", times: 2 });
    const seen = await rawAnswer(server.url, `amount=1&currency=eur&destination=${PAYEE}`);
    const [head = "", body = ""] = seen.split("\r\n\r\n");
    const promised = Number(/content-length: (\d+)/.exec(head)?.[1]);
    expect(head).toMatch(/^HTTP\/1.1 200/);
    expect(body.length).toBeGreaterThan(0);
    expect(body.length).toBe(Math.ceil(promised / 2));
    await expect(pay(stripe, "k1")).rejects.toMatchObject({ type: "StripeConnectionError" });
    expect((await pay(stripe, "k1")).id).toBe(server.simulator.transfers()[1]?.id);
  });

  it("leads an affiliate through onboarding once", async () => {
    const { server, stripe } = await started();
    const account = await stripe.accounts.create({
      country: "DE",
      controller: { stripe_dashboard: { type: "express" } },
      capabilities: { transfers: { requested: true } },
      tos_acceptance: { service_agreement: "recipient" },
    });
    expect(account.capabilities?.transfers).toBe("inactive");
    const link = await stripe.accountLinks.create({
      account: account.id,
      type: "account_onboarding",
      refresh_url: "https://shop.example/again",
      return_url: "https://shop.example/done",
    });
    expect(link.url.startsWith(server.url)).toBe(true);
    const visit = async () => (await fetch(link.url, { redirect: "manual" })).headers.get("location");
    expect(await visit()).toBe("https://shop.example/done");
    expect(await visit()).toBe("https://shop.example/again");
    expect((await stripe.accounts.retrieve(account.id)).capabilities?.transfers).toBe("active");
  });

  it("finds its transfers, keys and balances again after a restart", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stripe-simulator-"));
    leftovers.push(() => rm(folder, { recursive: true }));
    const statePath = join(folder, "stripe.json");
    const first = await started({ statePath });
    await first.control("POST", "accounts", { id: PAYEE });
    const made = await Promise.all(["k1", "k2", "k3"].map((key) => pay(first.stripe, key)));
    await first.control("POST", "faults", { fault: "drop_after_work" });
    await expect(pay(first.stripe, "k4")).rejects.toMatchObject({ type: "StripeConnectionError" });
    await first.server.close();
    const second = await started({ statePath });
    expect(second.server.simulator.transfers()).toHaveLength(4);
    expect((await pay(second.stripe, "k1")).id).toBe(made[0]?.id);
    expect((await pay(second.stripe, "k4")).id).toBe(second.server.simulator.transfers()[3]?.id);
    const balance = await second.stripe.balance.retrieve({}, { stripeAccount: PAYEE });
    expect(balance.available).toMatchObject([{ amount: 5000, currency: "eur" }]);
    expect(await readdir(folder)).toEqual(["stripe.json"]);
  });
});
