// One Stripe account per affiliate, whoever asks for it, however often, and whatever breaks on the way.
import { describe, expect, it } from "vitest";
import { atOnce, expectSound, rowsOf } from "./books.ts";
import {
  accountOf,
  affiliateOf,
  atStripe,
  connectStripe,
  destinationOf,
  follow,
  madeFor,
  onboarding,
  pathOf,
  secretKeyOf,
  timesAnnounced,
  visit,
} from "./onboarding-walk.ts";
import { seams } from "./seams.ts";
import { type Answer, type Loose, openWorld, ROOT_KEY, unique, type World } from "./world.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ACCOUNTS = { method: "POST", path: "/v1/accounts$" } as const;

const ask = (world: World, id: string, body: object = {}) =>
  world.call<Loose & { url: string; expires_at: string }>("POST", pathOf(id), body);

const outcomeOf = ({ status, body }: Answer<Loose>) => [status, body.code];

const rowsFor = (id: string) =>
  rowsOf<{ n: number; account_id: string | null; idempotency_key: string; refused_at: number | null }>(
    "SELECT n, account_id, idempotency_key, refused_at FROM stripe_onboardings WHERE affiliate_id = ?1 ORDER BY n",
    id,
  );

const ready = async (): Promise<{ world: World; id: string }> => {
  const world = await openWorld();
  await connectStripe(world);
  return { world, id: await world.affiliate({ country: "DE" }) };
};

describe("the first call", () => {
  it("makes the account, sends the affiliate's money there, and answers a link of seven days", async () => {
    const { world, id } = await ready();
    const answer = await ask(world, id);
    expect(answer.status).toBe(201);
    expect(answer.body.url).toMatch(
      /^http:\/\/stipend\.test\/connect\/stripe\/[A-Za-z0-9_-]+\.[0-9a-f]{64}$/,
    );
    expect(answer.body.expires_at).toBe(new Date(world.now() + 7 * DAY_MS).toISOString());
    const [account, ...others] = madeFor(world, id);
    expect(others).toEqual([]);
    expect(account).toMatchObject({
      country: "DE",
      email: "ada@example.com",
      metadata: { program_id: world.program.id, affiliate_id: id },
    });
    expect(await affiliateOf(world, id)).toMatchObject({
      payout_method: "stripe",
      payout_destination: {
        display: account?.id,
        ready: false,
        missing: ["business_type", "external_account", "tos_acceptance.date", "tos_acceptance.ip"],
        changed_at: null,
      },
    });
    expect(await rowsFor(id)).toEqual([
      { n: 1, account_id: account?.id, idempotency_key: `acct:${id}:1`, refused_at: null },
    ]);
    expect(await timesAnnounced(world, "affiliate.payout_method_changed", id)).toBe(1);
    await expectSound(world);
  });

  it("takes ext: ids and the country of the request", async () => {
    const world = await openWorld();
    await connectStripe(world);
    const id = await world.affiliate({ external_id: "ada" });
    expect((await ask(world, "ext:ada", { country: "FR" })).status).toBe(201);
    expect(madeFor(world, id)).toMatchObject([{ country: "FR" }]);
  });

  it("does not pay the account before Stripe lets it, and pays it then", async () => {
    const world = await openWorld();
    const { id, url, account } = await onboarding(world);
    await world.sale(id, 1_000);
    const [payout] = (await world.generate()).payouts;
    expect(payout?.["blockers"]).toMatchObject([{ reason: "payout_method_not_ready" }, {}]);
    const pay = () => world.call("POST", `/v1/payouts/${payout?.id}/pay`, {}, { prefer: "wait=20" });
    expect(outcomeOf(await pay())).toEqual([422, "payout_method_not_ready"]);
    expect((await visit(await atStripe(world, await follow(url)))).status).toBe(200);
    expect((await destinationOf(world, id)).ready).toBe(true);
    expect(await pay()).toMatchObject({ status: 200, body: { status: "paid" } });
    expect(world.stripe.transfers()).toMatchObject([{ destination: account, amount: 1_000 }]);
    await expectSound(world);
  });
});

describe("a later call", () => {
  it("leads to the same account and changes nothing", async () => {
    const world = await openWorld();
    const { id, account } = await onboarding(world);
    const before = await affiliateOf(world, id);
    world.advance(DAY_MS);
    const again = await ask(world, id, { country: "DE" });
    expect([again.status, await accountOf(world, id)]).toEqual([201, account]);
    expect(await affiliateOf(world, id)).toEqual(before);
    expect(madeFor(world, id)).toHaveLength(1);
    expect(await timesAnnounced(world, "affiliate.updated", id)).toBe(0);
  });

  it("notes what Stripe says of the account by now", async () => {
    const world = await openWorld();
    const { id, account } = await onboarding(world);
    world.advance(1_000);
    world.stripe.seedAccount({ id: account, capabilities: { transfers: "active" }, currently_due: [] });
    await ask(world, id);
    expect(await destinationOf(world, id)).toMatchObject({ ready: true, missing: [] });
    expect(await timesAnnounced(world, "affiliate.onboarded", id)).toBe(1);
  });

  it("under the same idempotency key gives the same link", async () => {
    const { world, id } = await ready();
    const once = () => world.call<Loose>("POST", pathOf(id), {}, { "idempotency-key": "once" });
    const first = await once();
    world.advance(HOUR_MS);
    const again = await once();
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect((await ask(world, id)).body.url).not.toBe(first.body["url"]);
  });

  it("leads to an account of this platform that the merchant named itself", async () => {
    const { world, id } = await ready();
    const account = String(world.stripe.seedAccount({ key: secretKeyOf(world), country: "FR" }).id);
    const method = { payout_method: "stripe", stripe_account_id: account };
    await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, method);
    expect((await ask(world, id)).status).toBe(201);
    expect([await accountOf(world, id), madeFor(world, id)]).toEqual([account, []]);
  });

  it("brings the same account back after another method, as a change that must cool down", async () => {
    const world = await openWorld();
    const { id, account } = await onboarding(world);
    await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, { payout_method: "manual" });
    world.advance(HOUR_MS);
    expect((await ask(world, id)).status).toBe(201);
    expect(await destinationOf(world, id)).toMatchObject({
      display: account,
      changed_at: new Date(world.now()).toISOString(),
    });
    expect(madeFor(world, id)).toHaveLength(1);
    await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, { payout_method: "manual" });
    expect((await ask(world, id)).status).toBe(201);
    expect(await accountOf(world, id)).toBe(account);
  });

  it("makes another account where the program moved to another platform, or lost the first", async () => {
    const world = await openWorld();
    const { id, account } = await onboarding(world);
    await connectStripe(world, "elsewhere");
    expect((await ask(world, id)).status).toBe(201);
    const second = await accountOf(world, id);
    expect(second).not.toBe(account);
    expect((await destinationOf(world, id)).changed_at).not.toBeNull();
    world.stripe.deauthorize(second);
    expect((await ask(world, id)).status).toBe(201);
    const third = await accountOf(world, id);
    expect([account, second]).not.toContain(third);
    expect(await rowsFor(id)).toMatchObject([
      { n: 1, account_id: account },
      { n: 2, account_id: second },
      { n: 3, account_id: third },
    ]);
    await connectStripe(world);
    expect((await ask(world, id)).status).toBe(201);
    expect(await accountOf(world, id)).toBe(account);
  });

  it("with another country is refused, for an account keeps its country", async () => {
    const world = await openWorld();
    const { id } = await onboarding(world);
    const answer = await world.call<Loose & { errors: { pointer: string }[] }>("POST", pathOf(id), {
      country: "FR",
    });
    expect(outcomeOf(answer)).toEqual([409, "invalid_state"]);
    expect(answer.body.errors[0]?.pointer).toBe("/country");
    expect(madeFor(world, id)).toHaveLength(1);
  });
});

describe("calls at once", () => {
  it("make one account, one change and good links all", async () => {
    const { world, id } = await ready();
    const answers = await atOnce(12, () => ask(world, id));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(madeFor(world, id)).toHaveLength(1);
    expect(await rowsFor(id)).toHaveLength(1);
    expect(await timesAnnounced(world, "affiliate.payout_method_changed", id)).toBe(1);
    for (const { body } of answers) await follow(body.url);
    await expectSound(world);
  });

  it("make one account also where Stripe is slow to make it", async () => {
    const { world, id } = await ready();
    seams.ports = ((plain) => (ports) => ({
      ...plain(ports),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms / 10)),
    }))(seams.ports);
    world.stripe.addFault({ fault: "slow", match: ACCOUNTS, delay_ms: 150 });
    const answers = await atOnce(2, () => ask(world, id));
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(madeFor(world, id)).toHaveLength(1);
  });

  it("of different countries make one account, and tell whose wish was not met", async () => {
    const { world, id } = await ready();
    const answers = await Promise.all(["FR", "IT"].map((country) => ask(world, id, { country })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(madeFor(world, id)).toHaveLength(1);
  });
});

describe("an answer that got lost", () => {
  it.each([
    "drop_after_work",
    "cut_body",
    "garbage_200",
    "empty_503_after_work",
    "error_500_after_work",
  ] as const)("(%s) is looked up at once among Stripe's accounts", async (fault) => {
    const { world, id } = await ready();
    world.stripe.addFault({ fault, match: ACCOUNTS });
    expect((await ask(world, id)).status).toBe(201);
    expect(madeFor(world, id).map((account) => account.id)).toEqual([await accountOf(world, id)]);
  });

  it("is 503 where Stripe cannot be asked at all, and the next call finds the account that was made", async () => {
    const { world, id } = await ready();
    world.stripe.addFault({ fault: "drop_after_work", match: ACCOUNTS });
    world.stripe.addFault({ fault: "html_502", match: { method: "GET", path: "/v1/accounts$" } });
    const answer = await ask(world, id);
    expect(outcomeOf(answer)).toEqual([503, "busy"]);
    expect(answer.headers.get("retry-after")).toBe("10");
    expect(await affiliateOf(world, id)).toMatchObject({ payout_method: null });
    expect((await ask(world, id)).status).toBe(201);
    expect(madeFor(world, id).map((account) => account.id)).toEqual([await accountOf(world, id)]);
    expect(await rowsFor(id)).toHaveLength(1);
  });

  it("is found a day later too, when Stripe has forgotten the key", async () => {
    const { world, id } = await ready();
    world.stripe.addFault({ fault: "drop_after_work", match: ACCOUNTS });
    world.stripe.addFault({ fault: "error_500_not_cached", match: { method: "GET", path: "/v1/accounts$" } });
    expect((await ask(world, id)).status).toBe(503);
    world.advance(25 * HOUR_MS);
    world.stripe.expireKeys();
    expect((await ask(world, id)).status).toBe(201);
    expect(madeFor(world, id).map((account) => account.id)).toEqual([await accountOf(world, id)]);
  });

  it("of a request that never arrived is no account: the same key makes it", async () => {
    const { world, id } = await ready();
    world.stripe.addFault({ fault: "drop_before_work", match: ACCOUNTS });
    expect((await ask(world, id)).status).toBe(503);
    expect(await rowsFor(id)).toMatchObject([{ n: 1, account_id: null, refused_at: null }]);
    expect((await ask(world, id)).status).toBe(201);
    expect(await rowsFor(id)).toMatchObject([{ n: 1, account_id: await accountOf(world, id) }]);
    expect(madeFor(world, id)).toHaveLength(1);
  });

  it("of a request that never arrived is made anew under the next key once the first is too old", async () => {
    const { world, id } = await ready();
    world.stripe.addFault({ fault: "drop_before_work", match: ACCOUNTS });
    expect((await ask(world, id)).status).toBe(503);
    world.advance(25 * HOUR_MS);
    expect((await ask(world, id)).status).toBe(201);
    expect(await rowsFor(id)).toMatchObject([
      { n: 1, account_id: null },
      { n: 2, account_id: await accountOf(world, id) },
    ]);
    expect(madeFor(world, id)).toHaveLength(1);
  });

  it("that Stripe repeats for ever (a cached 500) holds the affiliate up for ten minutes, not for a day", async () => {
    const { world, id } = await ready();
    world.stripe.addFault({ fault: "error_500_cached", match: ACCOUNTS });
    for (const _ of [1, 2]) expect((await ask(world, id)).status).toBe(503);
    world.advance(10 * 60_000);
    expect((await ask(world, id)).status).toBe(201);
    expect(madeFor(world, id)).toHaveLength(1);
  });

  it.each([
    ["before", "UPDATE stripe_onboardings"],
    ["after", "UPDATE stripe_onboardings"],
    ["before", "INSERT INTO stripe_onboardings"],
    ["after", "INSERT INTO stripe_onboardings"],
  ] as const)(
    "of the database, lost %s its work (%s), costs nothing but a second call",
    async (when, words) => {
      const { world, id } = await ready();
      const plain = seams.ports;
      let struck = 0;
      const lost = () => new Error("D1_ERROR: Network connection lost.");
      const failing = (db: D1Database): D1Database => {
        const prepare = (sql: string) => {
          if (!sql.startsWith(words) || struck > 0) return db.prepare(sql);
          struck += 1;
          const run = async (bound: D1PreparedStatement) => {
            if (when === "after") await bound.run();
            throw lost();
          };
          return { bind: (...values: unknown[]) => ({ run: () => run(db.prepare(sql).bind(...values)) }) };
        };
        return { prepare, batch: db.batch.bind(db) } as unknown as D1Database;
      };
      seams.ports = (ports) => ({ ...plain(ports), db: failing(plain(ports).db) });
      expect(outcomeOf(await ask(world, id))).toEqual([503, "busy"]);
      expect((await ask(world, id)).status).toBe(201);
      expect(struck).toBe(1);
      expect(madeFor(world, id).map((account) => account.id)).toEqual([await accountOf(world, id)]);
      expect(await timesAnnounced(world, "affiliate.payout_method_changed", id)).toBe(1);
    },
  );

  it.each(["before", "after"] as const)(
    "of the affiliate's object, lost %s its turn, costs nothing either",
    async (when) => {
      const { world, id } = await ready();
      const plain = seams.ports;
      let struck = 0;
      seams.ports = (ports) => ({
        ...plain(ports),
        ledgerOf: (programId, affiliateId) => {
          const ledger = plain(ports).ledgerOf(programId, affiliateId);
          const apply: typeof ledger.apply = async (request) => {
            if (request.command.kind !== "set_payout_method" || struck === 3) return ledger.apply(request);
            struck += 1;
            if (when === "after") await ledger.apply(request);
            throw new Error("Network connection lost.");
          };
          return { ...ledger, apply };
        },
      });
      expect(outcomeOf(await ask(world, id))).toEqual([503, "busy"]);
      expect((await ask(world, id)).status).toBe(201);
      expect(struck).toBe(3);
      expect(madeFor(world, id).map((account) => account.id)).toEqual([await accountOf(world, id)]);
      expect(await timesAnnounced(world, "affiliate.payout_method_changed", id)).toBe(1);
      await expectSound(world);
    },
  );
});

describe("a refusal", () => {
  it("of Stripe's is 422 in Stripe's words, and another country asks under the next key", async () => {
    const { world, id } = await ready();
    world.stripe.setPlatform(secretKeyOf(world), { country: "DE", approved: false });
    const refused = await ask(world, id);
    expect(outcomeOf(refused)).toEqual([422, "onboarding_refused"]);
    expect(refused.body["detail"]).toContain("Your platform needs approval");
    expect(await affiliateOf(world, id)).toMatchObject({ payout_method: null });
    expect((await ask(world, id, { country: "FR" })).status).toBe(201);
    expect(await rowsFor(id)).toMatchObject([
      { n: 1, account_id: null, refused_at: world.now() },
      { n: 2, idempotency_key: `acct:${id}:2`, account_id: await accountOf(world, id) },
    ]);
    expect(madeFor(world, id)).toMatchObject([{ country: "FR" }]);
  });

  it("of Stripe's is over when its reason is, though Stripe repeats the old answer under the old key", async () => {
    const { world, id } = await ready();
    world.stripe.setPlatform(secretKeyOf(world), { country: "DE", approved: false });
    expect((await ask(world, id)).status).toBe(422);
    world.stripe.setPlatform(secretKeyOf(world), { approved: true });
    expect((await ask(world, id)).status).toBe(201);
    expect(madeFor(world, id)).toHaveLength(1);
  });

  it("of the key is 422 and leaves what was asked for open", async () => {
    const { world, id } = await ready();
    world.stripe.addFault({ fault: "unauthorized_401", match: ACCOUNTS });
    const answer = await ask(world, id);
    expect(outcomeOf(answer)).toEqual([422, "credentials_refused"]);
    expect(answer.body["errors"]).toEqual([]);
    expect(await rowsFor(id)).toMatchObject([{ n: 1, refused_at: null }]);
    expect((await ask(world, id)).status).toBe(201);
  });

  it("names what is missing before anything is asked for", async () => {
    const world = await openWorld({ payout_methods: ["manual"] });
    const id = await world.affiliate();
    expect(outcomeOf(await ask(world, id))).toEqual([422, "rail_not_available"]);
    await world.ok("PATCH", "/v1/program", { payout_methods: ["stripe", "manual"] });
    expect(outcomeOf(await ask(world, id))).toEqual([422, "credentials_missing"]);
    await connectStripe(world);
    expect(outcomeOf(await ask(world, id))).toEqual([422, "country_missing"]);
    expect(outcomeOf(await ask(world, "aff_01JZ0000000000000000000000"))).toEqual([
      404,
      "affiliate_not_found",
    ]);
    expect(world.stripe.state().accounts).toEqual([]);
    expect(await rowsFor(id)).toEqual([]);
  });

  it("meets a neighbour, a key without the scope, and nobody at all", async () => {
    const other = await openWorld();
    const theirs = await other.affiliate({ country: "DE", external_id: "neighbour" });
    const { world } = await ready();
    expect(outcomeOf(await ask(world, theirs))).toEqual([404, "affiliate_not_found"]);
    expect(outcomeOf(await ask(world, "ext:neighbour"))).toEqual([404, "affiliate_not_found"]);
    const wish = { name: "Key", scopes: ["affiliates:write"] };
    const { secret } = await world.ok<{ secret: string }>("POST", "/v1/api-keys", wish);
    for (const [authorization, outcome] of [
      [`Bearer ${secret}`, [403, "scope_not_held"]],
      ["", [401, "unauthorized"]],
    ] as const)
      expect(outcomeOf(await world.call("POST", pathOf(theirs), {}, { authorization }))).toEqual(outcome);
    expect(await rowsFor(theirs)).toEqual([]);
  });

  it("of the body names the field", async () => {
    const { world, id } = await ready();
    const bodies: [object, string][] = [
      [{ country: "de" }, "/country"],
      [{ country: "ZZ" }, "/country"],
      [{ return_url: "http://shop.example/" }, "/return_url"],
      [{ return_url: "javascript:alert(1)" }, "/return_url"],
      [{ return_url: "https://user@shop.example/" }, "/return_url"],
      [{ return_url: "/done" }, "/return_url"],
      [{ return_url: `https://shop.example/${"x".repeat(1_024)}` }, "/return_url"],
      [{ return_url: null }, "/return_url"],
      [{ email: "x@y.example" }, "/email"],
    ];
    for (const [body, pointer] of bodies) {
      const answer = await world.call<Loose & { errors: { pointer: string }[] }>("POST", pathOf(id), body);
      expect([...outcomeOf(answer), answer.body.errors[0]?.pointer]).toEqual([
        422,
        "validation_failed",
        pointer,
      ]);
    }
    expect(await rowsFor(id)).toEqual([]);
    expect((await ask(world, id, { return_url: "http://localhost:3000/done" })).status).toBe(201);
  });

  it("of plain http is a live program's, on one's own machine too", async () => {
    const world = await openWorld();
    const made = await world.call<{ api_key: { secret: string } }>(
      "POST",
      "/v1/programs",
      { name: unique("Live"), default_currency: "EUR", mode: "live" },
      { authorization: `Bearer ${ROOT_KEY}` },
    );
    const headers = { authorization: `Bearer ${made.body.api_key.secret}` };
    const person = { name: "Ada", email: "ada@example.com" };
    const { id } = (await world.call<Loose>("POST", "/v1/affiliates", person, headers)).body;
    const call = (return_url: string) => world.call<Loose>("POST", pathOf(id), { return_url }, headers);
    expect(outcomeOf(await call("http://localhost:3000/"))).toEqual([422, "validation_failed"]);
    expect(outcomeOf(await call("https://shop.example/"))).toEqual([422, "credentials_missing"]);
  });
});
