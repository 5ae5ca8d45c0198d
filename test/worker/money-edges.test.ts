// The narrow places of the money path: what comes back while an answer is lost, what a key may not do, and what one person may not do alone.

import { runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Delivery } from "../simulators/stripe-events.ts";
import { onboarding } from "./onboarding-walk.ts";
import { seams } from "./seams.ts";
import { bindings, type Loose, NOON, openWorld, type World } from "./world.ts";

const self = (exports as unknown as { default: Fetcher }).default;
const PLATFORM = "whsec_platform";
const CONNECT = "whsec_connect";
const HOUR = 3_600_000;

const deliver = async (world: World, { body, headers }: Delivery): Promise<number> =>
  (
    await self.fetch(`http://stipend.test/v1/callbacks/stripe/${world.program.id}`, {
      method: "POST",
      headers,
      body,
    })
  ).status;

const say = async (world: World, type: string, secret = PLATFORM): Promise<number> =>
  deliver(world, await world.stripe.signedEvent(world.stripe.events(type).at(-1)?.id ?? "", secret));

/** A payout of 10 USD to a Stripe account that can be paid, whose first answer is lost although the transfer was made. */
const lostPayment = async (): Promise<{ world: World; path: string }> => {
  const world = await openWorld();
  const { id, account } = await onboarding(world);
  world.advance(1_000);
  world.stripe.seedAccount({ id: account, capabilities: { transfers: "active" }, currently_due: [] });
  await say(world, "account.updated", CONNECT);
  await world.sale(id, 1_000);
  const [payout] = (await world.generate()).payouts;
  world.stripe.addFault({ fault: "drop_after_work" });
  world.stripe.addFault({ fault: "list_lag", delay_ms: HOUR });
  const path = `/v1/payouts/${payout?.id}`;
  await world.call("POST", `${path}/pay`, {}, { prefer: "wait=1" });
  expect(await world.ok("GET", path)).toMatchObject({ status: "processing" });
  return { world, path };
};

/** Requests that the pattern names are answered with this, until the seam is put back. */
const answerWith = (matches: (request: Request) => boolean, answer: () => Response) => {
  const plain = seams.ports;
  seams.ports = (ports) => {
    const inner = plain(ports);
    return {
      ...inner,
      http: (request) => (matches(request) ? Promise.resolve(answer()) : inner.http(request)),
    };
  };
  return () => {
    seams.ports = plain;
  };
};

describe("money that comes back", () => {
  it("is booked when the message comes again, also where the same message had settled the payment first", async () => {
    const { world, path } = await lostPayment();
    world.advance(1_000);
    world.stripe.reverseTransfer(world.stripe.transfers()[0]?.id ?? "");
    let asked = 0;
    const isSecondLook = (request: Request) =>
      request.method === "GET" && /\/v1\/transfers\/tr_/.test(request.url) && ++asked === 2;
    const mend = answerWith(isSecondLook, () => new Response("bad gateway", { status: 502 }));
    expect(await say(world, "transfer.reversed")).toBe(503);
    expect(await world.ok("GET", path)).toMatchObject({ status: "paid" });
    mend();
    expect(await say(world, "transfer.reversed")).toBe(200);
    expect(await world.ok("GET", path)).toMatchObject({ status: "returned", returned_amount: 1_000 });
    expect((await world.verify()).ok).toBe(true);
  });

  it("without a message is booked when a person says so and the rail agrees, and not otherwise", async () => {
    const world = await openWorld();
    const { id } = await world.stripeAffiliate();
    await world.sale(id, 1_000);
    const [payout] = (await world.generate()).payouts;
    const path = `/v1/payouts/${payout?.id}`;
    await world.ok("POST", `${path}/pay`, {}, { prefer: "wait=10" });
    const early = await world.call("POST", `${path}/return`, { reason: "seen at the bank" });
    expect([early.status, early.body.code]).toEqual([409, "settled_by_rail"]);
    world.stripe.reverseTransfer(world.stripe.transfers()[0]?.id ?? "", 400);
    const part = await world.ok("POST", `${path}/return`, { reason: "seen at the bank" });
    expect(part).toMatchObject({ status: "paid", returned_amount: 400 });
    expect((await world.call("POST", `${path}/return`, { reason: "again" })).status).toBe(409);
    expect((await world.verify()).ok).toBe(true);
  });
});

describe("an answer that says nothing of an earlier send", () => {
  it("releases nothing: a key without permission is a deferral", async () => {
    const { world, path } = await lostPayment();
    const forbidden = () =>
      Response.json(
        { error: { type: "invalid_request_error", message: "The key lacks the permission." } },
        { status: 403 },
      );
    const isTransfer = (request: Request) =>
      request.method === "POST" && request.url.endsWith("/v1/transfers");
    const mend = answerWith(isTransfer, forbidden);
    world.advance(3_000);
    await world.cron();
    await world.deliver();
    expect(await world.ok("GET", path)).toMatchObject({ status: "processing", failure_code: null });
    mend();
    world.advance(2 * HOUR);
    await world.drain();
    expect(await world.ok("GET", path)).toMatchObject({ status: "paid" });
    expect(world.stripe.transfers()).toHaveLength(1);
  });

  it("and that deferred from the first can be closed by a person at once, never while a call is near", async () => {
    const world = await openWorld();
    const { id } = await world.stripeAffiliate();
    await world.sale(id, 1_000);
    const [payout] = (await world.generate()).payouts;
    const path = `/v1/payouts/${payout?.id}`;
    answerWith(
      (request) => request.url.includes("/v1/transfers"),
      () =>
        Response.json({ error: { type: "invalid_request_error", message: "No such key" } }, { status: 401 }),
    );
    await world.ok("POST", `${path}/pay`);
    await world.deliver();
    const no = { outcome: "refused", evidence: "the key was taken away before anything was sent" };
    const near = await world.call("POST", `${path}/resolve`, no);
    expect([near.status, near.body.code]).toEqual([409, "payment_under_way"]);
    world.advance(3 * 60_000);
    expect(await world.ok("POST", `${path}/resolve`, no)).toMatchObject({ status: "failed" });
    expect(await world.ok("POST", `${path}/retry`)).toMatchObject({ status: "pending" });
    expect((await world.verify()).ok).toBe(true);
  });
});

describe("four eyes", () => {
  const person = async (world: World, scopes: readonly string[]) => {
    const { secret } = await world.ok("POST", "/v1/api-keys", { name: "one person", scopes });
    return { authorization: `Bearer ${secret}` };
  };

  it("are not one key's that asks as the affiliate and accepts", async () => {
    const world = await openWorld({ four_eyes: true, require_approval: true });
    const affiliate = await world.affiliate();
    await world.sale(affiliate, 5_000);
    const scopes = ["affiliates:payout_method", "affiliates:write", "commissions:read"];
    const me = await person(world, [...scopes, "payouts:write", "payouts:approve", "payouts:pay"]);
    const { token } = await world.ok<{ token: string }>(
      "POST",
      `/v1/affiliates/${affiliate}/portal-links`,
      undefined,
      me,
    );
    const asked = await world.ok(
      "POST",
      `/v1/affiliates/${affiliate}/payout-requests`,
      {},
      {
        authorization: `Bearer ${token}`,
      },
    );
    await world.ok("POST", `/v1/payouts/${asked.id}/accept`, {}, me);
    const alone = await world.call("POST", `/v1/payouts/${asked.id}/approve`, {}, me);
    expect([alone.status, alone.body.code]).toEqual([409, "four_eyes"]);
    expect(await world.ok("POST", `/v1/payouts/${asked.id}/approve`)).toMatchObject({ status: "approved" });
  });

  it("are not one key's that brings a cancelled payout back", async () => {
    const world = await openWorld({ four_eyes: true, require_approval: true });
    await world.sale(await world.affiliate(), 5_000);
    const [payout] = (await world.generate()).payouts;
    const path = `/v1/payouts/${payout?.id}`;
    await world.ok("POST", `${path}/cancel`, { reason: "fraud" });
    const me = await person(world, ["payouts:write", "payouts:approve", "payouts:pay"]);
    await world.ok("POST", `${path}/reopen`, {}, me);
    const alone = await world.call("POST", `${path}/approve`, {}, me);
    expect([alone.status, alone.body.code]).toEqual([409, "four_eyes"]);
  });
});

it("a payment that a person makes by hand is not swept into a file of its run", async () => {
  const world = await openWorld();
  const affiliate = await world.affiliate();
  const method = { payout_method: "paypal", paypal_email: "ada@example.com" };
  await world.ok("PUT", `/v1/affiliates/${affiliate}/payout-method`, method);
  await world.sale(affiliate, 5_000);
  const { run_id, payouts } = await world.generate();
  const { secret } = await world.ok("POST", "/v1/api-keys", {
    name: "Affonso's",
    scopes: ["payouts:write", "payouts:pay"],
    dialect: "affonso",
  });
  const affonso = { authorization: `Bearer ${secret}` };
  const begun = { status: "processing" };
  await world.ok("PUT", `/dialects/affonso/v1/payouts/${payouts[0]?.id}`, begun, affonso);
  const file = await world.call<Loose>("POST", "/v1/payout-files", { format: "paypal_csv", run_id });
  expect(file.status).toBe(422);
  expect(await world.ok("GET", `/v1/payouts/${payouts[0]?.id}`)).toMatchObject({
    status: "processing",
    payout_method: "manual",
  });
});

it("a book that was confirmed after a restore looks before it sends, also for a first attempt", async () => {
  const world = await openWorld();
  const { id, account } = await world.stripeAffiliate();
  await world.sale(id, 1_000);
  const [payout] = (await world.generate()).payouts;
  const po = String(payout?.id);
  // What a restore leaves: the transfer stands at Stripe under the key of attempt 1, and the book does not know it.
  const sent = { amount: "1000", currency: "usd", destination: account, transfer_group: po };
  const made = await world.stripe.fetch(
    new Request("http://stripe.test/v1/transfers", {
      method: "POST",
      headers: {
        authorization: `Bearer sk_test_${world.program.id.slice(4)}_k`,
        "content-type": "application/x-www-form-urlencoded",
        "idempotency-key": `po:${po}:1`,
      },
      body: new URLSearchParams({
        ...sent,
        "metadata[payout_id]": po,
        "metadata[attempt]": `po:${po}:1`,
      }).toString(),
    }),
  );
  expect(made.status).toBe(200);
  const stub = bindings.AFFILIATE_LEDGER.getByName(`${world.program.id}:${id}`);
  await runInDurableObject(stub, (_object, state) =>
    state.storage.put("begun", { seq: 999, commandId: `s:begin:${po}:1`, at: NOON }),
  );
  world.advance(25 * HOUR);
  await world.ok("POST", `/v1/affiliates/${id}/confirm-book`, { evidence: "looked at another account" });
  await world.ok("POST", `/v1/payouts/${po}/pay`);
  await world.deliver();
  expect(await world.ok("GET", `/v1/payouts/${po}`)).toMatchObject({ status: "paid" });
  expect(world.stripe.transfers(po)).toHaveLength(1);
});
