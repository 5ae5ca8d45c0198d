// What Stripe says by itself: believed only as a hint, whatever it says, how often, in which order and how late.
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Delivery } from "../simulators/stripe-events.ts";
import { signBody } from "../simulators/stripe-events.ts";
import { expectSound } from "./books.ts";
import {
  affiliateOf,
  connectStripe,
  destinationOf,
  onboarding,
  secretKeyOf,
  timesAnnounced,
} from "./onboarding-walk.ts";
import { seams } from "./seams.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Loose, openWorld, type World } from "./world.ts";

const self = (exports as unknown as { default: Fetcher }).default;

const PLATFORM = "whsec_platform";
const CONNECT = "whsec_connect";

const deliver = async (world: World, { body, headers }: Delivery, programId = world.program.id) => {
  const url = `http://stipend.test/v1/callbacks/stripe/${programId}`;
  return (await self.fetch(url, { method: "POST", headers, body })).status;
};

const latest = (world: World, type: string) => {
  const event = world.stripe.events(type).at(-1);
  if (event === undefined) throw new Error(`Stripe said no ${type}`);
  return event.id;
};

/** Signed now, whenever it happened. */
const say = async (world: World, eventId: string, secret = CONNECT): Promise<number> =>
  deliver(world, await world.stripe.signedEvent(eventId, secret));

const sayLatest = (world: World, type: string, secret = CONNECT): Promise<number> =>
  say(world, latest(world, type), secret);

const become = (world: World, account: string, transfers: "active" | "inactive"): string => {
  const currently_due = transfers === "active" ? [] : ["individual.verification.document"];
  world.advance(1_000);
  world.stripe.seedAccount({ id: account, capabilities: { transfers }, currently_due });
  return latest(world, "account.updated");
};

const accountsAsked = (world: World): number => world.stripe.state().requests["GET /v1/accounts/{id}"] ?? 0;

const NOT_READY = { ready: false, missing: ["individual.verification.document"] };
const READY = { ready: true, missing: [] };

describe("what Stripe says of a connected account", () => {
  it.each([
    ["account.updated", CONNECT],
    ["account.updated", PLATFORM],
    ["capability.updated", CONNECT],
  ])("(%s, signed with %s) is looked up and kept", async (type, secret) => {
    const world = await openWorld();
    const { id, account } = await onboarding(world);
    become(world, account, "active");
    expect(await sayLatest(world, type, secret)).toBe(200);
    expect(await destinationOf(world, id)).toMatchObject(READY);
    await expectSound(world);
  });

  it("is announced as onboarded once, though it can be paid, cannot, and can again", async () => {
    const world = await openWorld();
    const { id, account } = await onboarding(world);
    for (const [transfers, standing] of [
      ["active", READY],
      ["inactive", NOT_READY],
      ["active", READY],
      ["inactive", NOT_READY],
    ] as const) {
      world.advance(60_000);
      expect(await say(world, become(world, account, transfers))).toBe(200);
      expect(await destinationOf(world, id)).toMatchObject(standing);
    }
    expect(await timesAnnounced(world, "affiliate.onboarded", id)).toBe(1);
    expect(await timesAnnounced(world, "affiliate.updated", id)).toBe(4);
  });

  it("stops its money at once, and lets it go again", async () => {
    const world = await openWorld();
    const { id, account } = await onboarding(world);
    await say(world, become(world, account, "active"));
    await world.sale(id, 1_000);
    const [payout] = (await world.generate()).payouts;
    await say(world, become(world, account, "inactive"));
    const pay = () => world.call<Loose>("POST", `/v1/payouts/${payout?.id}/pay`, {}, { prefer: "wait=20" });
    expect((await pay()).body.code).toBe("payout_method_not_ready");
    expect(world.stripe.transfers()).toEqual([]);
    await say(world, become(world, account, "active"));
    expect((await pay()).body.status).toBe("paid");
    await expectSound(world);
  });

  it("said ten times has the effect of once", async () => {
    const world = await openWorld();
    const { id, account } = await onboarding(world);
    const delivery = await world.stripe.signedEvent(become(world, account, "active"), CONNECT);
    const answers = await Promise.all(Array.from({ length: 10 }, () => deliver(world, delivery)));
    expect(answers).toEqual(answers.map(() => 200));
    expect(await timesAnnounced(world, "affiliate.updated", id)).toBe(1);
    expect(await timesAnnounced(world, "affiliate.onboarded", id)).toBe(1);
  });

  it("said late and in any order leaves what is so now", async () => {
    const world = await openWorld();
    const { id, account } = await onboarding(world);
    const events = (["active", "inactive", "active", "inactive"] as const).map((transfers) => {
      world.advance(60_000);
      return become(world, account, transfers);
    });
    world.advance(60_000);
    for (const event of [...events.toReversed(), ...events]) {
      expect(await say(world, event)).toBe(200);
      expect(await destinationOf(world, id)).toMatchObject(NOT_READY);
    }
  });

  it("does not overwrite what is newer when its own look-up was overtaken", async () => {
    const world = await openWorld();
    const { id, account } = await onboarding(world);
    await say(world, become(world, account, "active"));
    const older = become(world, account, "inactive");
    const plain = seams.ports;
    let overtaken: number | undefined;
    seams.ports = (ports) => ({
      ...plain(ports),
      http: async (request) => {
        const answer = await plain(ports).http(request);
        if (overtaken !== undefined || !request.url.includes("/v1/accounts/")) return answer;
        // Before this answer arrives the account can be paid again, which finds nothing to write: the book never heard of the pause.
        overtaken = 0;
        overtaken = await say(world, become(world, account, "active"));
        return answer;
      },
    });
    expect(await say(world, older)).toBe(200);
    expect(overtaken).toBe(200);
    expect(await destinationOf(world, id)).toMatchObject(READY);
    await expectSound(world);
  });

  it("reaches every affiliate that is paid through the account, and nobody of another program", async () => {
    const other = await openWorld();
    await connectStripe(other);
    const world = await openWorld();
    const { id, account } = await onboarding(world);
    const method = { payout_method: "stripe", stripe_account_id: account };
    const second = await world.affiliate();
    await world.ok("PUT", `/v1/affiliates/${second}/payout-method`, method);
    await say(world, become(world, account, "active"));
    for (const affiliate of [id, second]) expect(await destinationOf(world, affiliate)).toMatchObject(READY);
  });

  it("that nobody is paid through is taken without a question to Stripe", async () => {
    const world = await openWorld();
    await onboarding(world);
    const stranger = String(world.stripe.seedAccount({ key: secretKeyOf(world) }).id);
    const before = [accountsAsked(world), await readTables()] as const;
    expect(await say(world, become(world, stranger, "inactive"))).toBe(200);
    expect(accountsAsked(world)).toBe(before[0]);
    expect(changedTables(before[1], await readTables())).toEqual([]);
  });

  it("is taken later where Stripe cannot be asked now: it will say so again", async () => {
    const world = await openWorld();
    const { id, account } = await onboarding(world);
    const event = become(world, account, "active");
    world.stripe.addFault({ fault: "html_502", match: { method: "GET", path: "/v1/accounts/" } });
    expect(await say(world, event)).toBe(503);
    expect((await destinationOf(world, id)).ready).toBe(false);
    expect(await say(world, event)).toBe(200);
    expect((await destinationOf(world, id)).ready).toBe(true);
  });
});

describe("an account that was taken away from the platform", () => {
  it("can no longer be paid, and says why", async () => {
    const world = await openWorld();
    const { id, account } = await onboarding(world);
    await say(world, become(world, account, "active"));
    world.advance(1_000);
    world.stripe.deauthorize(account);
    expect(await sayLatest(world, "account.application.deauthorized")).toBe(200);
    expect(await destinationOf(world, id)).toMatchObject({
      display: account,
      ready: false,
      missing: ["account.application.deauthorized"],
    });
    const before = await affiliateOf(world, id);
    expect(await sayLatest(world, "account.application.deauthorized")).toBe(200);
    expect(await affiliateOf(world, id)).toEqual(before);
    await expectSound(world);
  });

  it("and is the platform's by now is as Stripe shows it", async () => {
    const world = await openWorld();
    const { id, account } = await onboarding(world);
    become(world, account, "active");
    const body = JSON.stringify({
      id: "evt_old",
      object: "event",
      type: "account.application.deauthorized",
      account,
      livemode: false,
      data: { object: { id: "ca_1", object: "application" } },
    });
    expect(await deliver(world, await signBody(body, CONNECT, world.now() / 1000))).toBe(200);
    expect(await destinationOf(world, id)).toMatchObject(READY);
  });

  it("is not believed to be lost because of another message, or of a key that may not ask", async () => {
    const world = await openWorld();
    const { id, account } = await onboarding(world);
    const event = become(world, account, "active");
    await say(world, event);
    world.advance(1_000);
    const plain = seams.ports;
    const denied = { type: "invalid_request_error", message: "The key lacks the permission." };
    seams.ports = (ports) => ({
      ...plain(ports),
      http: (request) =>
        request.url.includes("/v1/accounts/")
          ? Promise.resolve(Response.json({ error: denied }, { status: 403 }))
          : plain(ports).http(request),
    });
    world.stripe.deauthorize(account);
    expect(await sayLatest(world, "account.application.deauthorized")).toBeGreaterThanOrEqual(400);
    expect((await destinationOf(world, id)).ready).toBe(true);
    seams.ports = plain;
    expect(await say(world, event)).toBe(200);
    expect((await destinationOf(world, id)).ready).toBe(true);
  });
});

describe("what is not Stripe's own", () => {
  it("is 400 and changes nothing, whatever is wrong with it", async () => {
    const world = await openWorld();
    const { account } = await onboarding(world);
    const event = become(world, account, "active");
    const nowS = Math.floor(world.now() / 1000);
    const good = await world.stripe.signedEvent(event, CONNECT);
    const header = good.headers["stripe-signature"] ?? "";
    const old = await world.stripe.signedEvent(event, CONNECT, { timestampS: nowS - 301 });
    const withHeader = (value: string): Delivery => ({
      ...good,
      headers: { ...good.headers, "stripe-signature": value },
    });
    const live = JSON.stringify({ ...JSON.parse(good.body), livemode: true });
    const before = await readTables();
    const asked = accountsAsked(world);
    for (const [why, delivery] of [
      ["tampered with", { ...good, body: good.body.replace(account, "acct_of_mine") }],
      ["another secret", await world.stripe.signedEvent(event, "whsec_of_somebody")],
      ["old", old],
      ["from the future", await world.stripe.signedEvent(event, CONNECT, { timestampS: nowS + 61 })],
      ["two stamps", withHeader(`${header},t=${nowS}`)],
      ["an old one under a new stamp", withHeader(`${old.headers["stripe-signature"]},t=${nowS}`)],
      ["no header", { ...good, headers: { "content-type": "application/json" } }],
      ["the other mode", await signBody(live, CONNECT, nowS)],
    ] as const)
      expect([why, await deliver(world, delivery)]).toEqual([why, 400]);
    expect(await deliver(world, good, "prg_01JZ0000000000000000000000")).toBe(400);
    expect(accountsAsked(world)).toBe(asked);
    expect(changedTables(before, await readTables())).toEqual([]);
    expect(await deliver(world, good)).toBe(200);
  });

  it("is also what was signed for another program", async () => {
    const other = await openWorld();
    await other.ok("PUT", "/v1/program/credentials/stripe", {
      secret_key: secretKeyOf(other),
      connect_webhook_secret: "whsec_of_the_other",
    });
    const world = await openWorld();
    const { account } = await onboarding(world);
    const delivery = await world.stripe.signedEvent(become(world, account, "active"), "whsec_of_the_other");
    expect(await deliver(world, delivery)).toBe(400);
  });
});

describe("what Stripe says of a transfer", () => {
  const paying = async (world: World) => {
    const { id, account } = await onboarding(world);
    await say(world, become(world, account, "active"));
    await world.sale(id, 1_000);
    const [payout] = (await world.generate()).payouts;
    return { id, account, path: `/v1/payouts/${payout?.id}` };
  };

  it("settles a payment whose answer was lost, though Stripe's list does not show it yet", async () => {
    const world = await openWorld();
    const { path } = await paying(world);
    world.stripe.addFault({ fault: "drop_after_work" });
    world.stripe.addFault({ fault: "list_lag", delay_ms: 3_600_000 });
    await world.call("POST", `${path}/pay`, {}, { prefer: "wait=1" });
    expect(await world.ok("GET", path)).toMatchObject({ status: "processing" });
    world.advance(1_000);
    expect(await sayLatest(world, "transfer.created", PLATFORM)).toBe(200);
    expect(await world.ok("GET", path)).toMatchObject({
      status: "paid",
      external_ref: world.stripe.transfers()[0]?.id,
    });
    await expectSound(world);
  });

  it("brings back what was reversed, in parts and as often as it is said, once", async () => {
    const world = await openWorld();
    const { path } = await paying(world);
    await world.ok("POST", `${path}/pay`, {}, { prefer: "wait=20" });
    const transfer = world.stripe.transfers()[0]?.id ?? "";
    world.stripe.reverseTransfer(transfer, 300);
    const first = latest(world, "transfer.reversed");
    world.stripe.reverseTransfer(transfer, 200);
    const second = latest(world, "transfer.reversed");
    for (const event of [second, first, second, first]) {
      expect(await say(world, event, PLATFORM)).toBe(200);
      expect(await world.ok("GET", path)).toMatchObject({ status: "paid", returned_amount: 500 });
    }
    world.stripe.reverseTransfer(transfer);
    await sayLatest(world, "transfer.reversed", PLATFORM);
    expect(await world.ok("GET", path)).toMatchObject({ status: "returned", returned_amount: 1_000 });
    await expectSound(world);
  });
});
