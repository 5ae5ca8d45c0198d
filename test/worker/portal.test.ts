// Portal tokens: for a day one affiliate's own things and nothing else, by a token that nobody can make, change or keep.
import { exports } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { expectSound, rowsOf } from "./books.ts";
import { generate, payoutOfDue } from "./generated.ts";
import { BODIES, ownedBy, pathFor, readDocument, readOperations } from "./isolation-matrix.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Answer, type Loose, openWorld, type World } from "./world.ts";

const self = (exports as unknown as { default: Fetcher }).default;

interface Link {
  readonly url: string;
  readonly token: string;
  readonly expires_at: string;
}

let world: World;

afterEach(async () => {
  await expectSound(world);
});

const DAY_MS = 86_400_000;

const linkOf = (affiliateId: string): Promise<Link> =>
  world.ok("POST", `/v1/affiliates/${affiliateId}/portal-links`);

const as = ({ token }: Pick<Link, "token">) => ({ authorization: `Bearer ${token}` });

const call = <T = Loose>(link: Link, method: string, path: string, body?: unknown): Promise<Answer<T>> =>
  world.call<T>(method, path, body, as(link));

const keyOf = async (...scopes: string[]): Promise<Record<string, string>> => {
  const { secret } = await world.ok("POST", "/v1/api-keys", { name: "Key", scopes });
  return { authorization: `Bearer ${secret}` };
};

const openWith = async (policy: Record<string, unknown> = {}) => {
  world = await openWorld(policy);
  const ada = await world.affiliate({ external_id: "ada", metadata: { level: "gold" } });
  const bea = await world.affiliate({ external_id: "bea" });
  return { ada, bea, link: await linkOf(ada) };
};

/** The portal's operations, as the reference names them. */
const portalOperations = async (): Promise<string[]> => {
  const { paths } = await readDocument<{
    paths: Record<string, Record<string, { "x-portal-token"?: boolean }>>;
  }>();
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) =>
      operation["x-portal-token"] === true ? [`${method.toUpperCase()} ${path}`] : [],
    ),
  );
};

describe("a portal link", () => {
  it("is for one affiliate and a day, and nothing of its token is kept", async () => {
    const { ada, link } = await openWith();
    expect(link.token).toMatch(/^stp_portal_/);
    expect(link.url).toBe(`http://stipend.test/portal/${link.token}`);
    expect(Date.parse(link.expires_at)).toBe(world.now() + DAY_MS);
    const tables = Object.values(await readTables()).join();
    expect(tables).not.toContain(link.token.split("_").at(-1));
    expect((await linkOf("ext:ada")).token).toBe(link.token);
    expect(link.token).toContain(ada.slice(4));
  });

  it("can do no more than the key that makes it", async () => {
    const { ada } = await openWith();
    const scopes = ["affiliates:payout_method", "affiliates:write", "commissions:read", "payouts:write"];
    const path = `/v1/affiliates/${ada}/portal-links`;
    expect((await world.call("POST", path, {}, await keyOf(...scopes))).status).toBe(201);
    for (const missing of scopes) {
      const held = scopes.filter((scope) => scope !== missing);
      const answer = await world.call("POST", path, {}, await keyOf(...held));
      expect([answer.status, answer.body.code, answer.body["required_scope"]]).toEqual([
        403,
        "scope_not_held",
        missing,
      ]);
    }
  });

  it("is not made for somebody suspended, or for nobody", async () => {
    const { ada } = await openWith();
    await world.ok("PATCH", `/v1/affiliates/${ada}`, { status: "suspended" });
    const suspended = await world.call("POST", `/v1/affiliates/${ada}/portal-links`);
    expect([suspended.status, suspended.body.code]).toEqual([409, "affiliate_suspended"]);
    const nobody = await world.call("POST", "/v1/affiliates/ext:nobody/portal-links");
    expect([nobody.status, nobody.body.code]).toEqual([404, "affiliate_not_found"]);
  });
});

describe("its token", () => {
  it("opens the affiliate's balance, commissions, payouts and statements", async () => {
    const { ada, link } = await openWith();
    const sale = await world.sale(ada, 1_500);
    const payout = await payoutOfDue(world);
    const balance = await call(link, "GET", `/v1/affiliates/${ada}/balance`);
    expect(balance.body).toMatchObject({ affiliate_id: ada, balances: [{ reserved: 1_500 }] });
    const commissions = await call<{ data: Loose[] }>(link, "GET", "/v1/affiliates/ext:ada/commissions");
    expect(commissions.body.data.map(({ id }) => id)).toEqual([sale.id]);
    const payouts = await call<{ data: Loose[] }>(link, "GET", "/v1/payouts");
    expect(payouts.body.data.map(({ id }) => id)).toEqual([payout.id]);
    expect((await call(link, "GET", `/v1/payouts/${payout.id}`)).body.id).toBe(payout.id);
    const lines = await call<{ data: Loose[] }>(link, "GET", `/v1/payouts/${payout.id}/commissions`);
    expect(lines.body.data.map(({ id }) => id)).toEqual([sale.id]);
    const page = await self.fetch(`http://stipend.test/v1/payouts/${payout.id}/statement`, {
      headers: as(link),
    });
    expect([page.status, (await page.text()).includes("15.00")]).toEqual([200, true]);
  });

  it("lets the affiliate set its payout method and ask for a payout, in its own name", async () => {
    const { ada, link } = await openWith();
    await world.sale(ada, 1_500);
    const method = { payout_method: "paypal", paypal_email: "ada@example.com" };
    const set = await call(link, "PUT", `/v1/affiliates/${ada}/payout-method`, method);
    expect(set.body).toMatchObject({ payout_method: "paypal", metadata: null });
    const asked = await call(link, "POST", `/v1/affiliates/${ada}/payout-requests`, {});
    expect([asked.status, asked.body.status, asked.body["amount"]]).toEqual([201, "requested", 1_500]);
    expect(asked.body["history"]).toMatchObject([{ to: "requested", actor: `affiliate:${ada}` }]);
    const { data } = await world.ok<{ data: Loose[] }>("GET", "/v1/events?after=0");
    const own = data.filter(({ actor }) => (actor as { type: string }).type === "affiliate");
    expect(own.map(({ type, actor }) => [type, actor])).toEqual([
      ["affiliate.payout_method_changed", { type: "affiliate", id: ada }],
      ["payout.requested", { type: "affiliate", id: ada }],
    ]);
  });

  it("opens exactly what the reference says, and every other operation is 403", async () => {
    const { ada, link } = await openWith();
    const operations = await readOperations();
    const opened = await portalOperations();
    expect(opened.sort()).toEqual(
      [
        "GET /v1/affiliates/{affiliate_id}/balance",
        "GET /v1/affiliates/{affiliate_id}/commissions",
        "GET /v1/payouts",
        "GET /v1/payouts/{payout_id}",
        "GET /v1/payouts/{payout_id}/commissions",
        "GET /v1/payouts/{payout_id}/statement",
        "PUT /v1/affiliates/{affiliate_id}/payout-method",
        "PUT /v1/affiliates/{affiliate_id}/tax-form",
        "POST /v1/affiliates/{affiliate_id}/payout-requests",
      ].sort(),
    );
    const own = { ...(await ownedBy(world)), affiliate_id: ada };
    const before = await readTables();
    const ids = new Proxy<Record<string, string>>(
      { ...own },
      { get: (of, name) => Reflect.get(of, name) ?? "x_1" },
    );
    for (const operation of operations.filter(
      ({ name, needs }) => needs !== undefined && !opened.includes(name),
    )) {
      const path = pathFor(operation, ids);
      const { status, body } = await call(link, operation.method, path, BODIES[operation.name]?.(own));
      expect([operation.name, status, body.code]).toEqual([operation.name, 403, "forbidden"]);
    }
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("finds nothing of another affiliate: it is not there", async () => {
    const { ada, bea, link } = await openWith();
    await world.sale(bea, 900);
    const payout = await payoutOfDue(world);
    const before = await readTables();
    for (const [method, path, body] of [
      ["GET", `/v1/affiliates/${bea}/balance`, undefined],
      ["GET", "/v1/affiliates/ext:bea/commissions", undefined],
      ["PUT", `/v1/affiliates/${bea}/payout-method`, { payout_method: "manual" }],
      ["PUT", "/v1/affiliates/ext:bea/tax-form", {}],
      ["POST", `/v1/affiliates/${bea}/payout-requests`, {}],
      ["GET", `/v1/payouts/${payout.id}`, undefined],
      ["GET", `/v1/payouts/${payout.id}/commissions`, undefined],
      ["GET", `/v1/payouts/${payout.id}/statement`, undefined],
      ["GET", `/v1/payouts?affiliate_id=${bea}`, undefined],
      ["GET", `/v1/payouts?affiliate_id=${ada}&affiliate_id=${bea}`, undefined],
      ["GET", "/v1/affiliates/aff_01JZ0000000000000000000000/balance", undefined],
      ["GET", "/v1/payouts/po_01JZ0000000000000000000000", undefined],
    ] as const)
      expect([path, (await call(link, method, path, body)).status]).toEqual([path, 404]);
    const mine = await call<{ data: Loose[] }>(
      link,
      "GET",
      `/v1/payouts?status=pending&affiliate_id=ext:ada`,
    );
    expect([mine.status, mine.body.data]).toEqual([200, []]);
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("finds nothing of another program, whose affiliate has the same external id", async () => {
    const other = await openWorld();
    const theirs = await other.affiliate({ external_id: "ada" });
    await other.sale(theirs, 100);
    const payout = (await generate(other)).body.payouts[0];
    const { link } = await openWith();
    for (const path of [`/v1/affiliates/${theirs}/balance`, `/v1/payouts/${payout?.id}`])
      expect((await call(link, "GET", path)).status).toBe(404);
    expect((await call<{ data: Loose[] }>(link, "GET", "/v1/payouts")).body.data).toEqual([]);
  });

  it("pages through its own payouts, and only with cursors of its own list", async () => {
    const { ada, link } = await openWith();
    for (let i = 0; i < 3; i++) {
      await world.sale(ada, 100);
      await generate(world);
      world.advance(1_000);
    }
    type Page = { data: Loose[]; next_cursor: string | null };
    const first = await call<Page>(link, "GET", "/v1/payouts?limit=2");
    const second = await call<Page>(link, "GET", `/v1/payouts?limit=2&cursor=${first.body.next_cursor}`);
    expect([first.body.data.length, second.body.data.length, second.body.next_cursor]).toEqual([2, 1, null]);
    const whole = await world.ok<Page>("GET", "/v1/payouts?limit=2");
    expect((await call(link, "GET", `/v1/payouts?limit=2&cursor=${whole.next_cursor}`)).status).toBe(400);
  });
});

describe("what merchants write for themselves", () => {
  it("is never shown to a token; the message to the affiliate is", async () => {
    const { ada, link } = await openWith();
    const sale = await world.sale(ada, 1_500, { metadata: { margin: "thin" } });
    await world.ok("POST", `/v1/commissions/${sale.id}/hold`, { reason: "suspected fraud" });
    await world.ok("POST", `/v1/commissions/${sale.id}/release`);
    const payout = await payoutOfDue(world);
    const notes = { admin_note: "pays late", partner_message: "Thank you!" };
    await world.ok("PATCH", `/v1/payouts/${payout.id}`, notes);
    await world.ok("POST", `/v1/payouts/${payout.id}/cancel`, { reason: "we are short of cash" });
    const key = await world.ok("GET", `/v1/payouts/${payout.id}`);
    expect(key).toMatchObject({ ...notes, failure_detail: "we are short of cash" });
    const shown = await call(link, "GET", `/v1/payouts/${payout.id}`);
    expect(shown.body).toMatchObject({
      admin_note: null,
      failure_detail: null,
      partner_message: "Thank you!",
    });
    const texts = await Promise.all(
      [
        `/v1/payouts/${payout.id}/commissions`,
        "/v1/payouts",
        `/v1/affiliates/${ada}/commissions`,
        `/v1/affiliates/${ada}/balance`,
      ].map(async (path) => JSON.stringify((await call(link, "GET", path)).body)),
    );
    for (const secret of ["pays late", "suspected fraud", "short of cash", "thin"])
      for (const text of texts) expect(text).not.toContain(secret);
  });

  it("nor what the provider said to them", async () => {
    const { ada, link } = await openWith();
    await world.useStripe(ada);
    await world.sale(ada, 1_500);
    const payout = await payoutOfDue(world);
    world.stripe.setBalance({ currency: "usd", amount: 0 });
    await world.ok("POST", `/v1/payouts/${payout.id}/pay`, {}, { prefer: "wait=10" });
    const key = await world.ok("GET", `/v1/payouts/${payout.id}`);
    const said = String(key["failure_detail"]);
    expect([key.status, said.length > 5]).toEqual(["failed", true]);
    for (const path of [`/v1/payouts/${payout.id}`, `/v1/affiliates/${ada}/balance`]) {
      const text = JSON.stringify((await call(link, "GET", path)).body);
      expect(text).toContain("payment_failed");
      expect(text).not.toContain(said);
    }
  });
});

describe("an idempotency key of a token", () => {
  it("is the affiliate's own: it finds nothing of the program's keys, and takes nothing from them", async () => {
    const { ada, link } = await openWith();
    await world.sale(ada, 1_500);
    const path = `/v1/affiliates/${ada}/payout-requests`;
    const key = { "idempotency-key": "order-1" };
    const asked = await world.call("POST", path, {}, { ...as(link), ...key });
    expect(asked.status).toBe(201);
    const again = await world.call("POST", path, {}, { ...as(link), ...key });
    expect([again.status, again.body]).toEqual([201, asked.body]);
    const order = { affiliate_id: ada, external_id: "o-1", amount: 5, currency: "USD" };
    const sale = { ...order, occurred_at: "2026-10-31T00:00:00Z" };
    expect((await world.call("POST", "/v1/commissions", sale, key)).status).toBe(201);
    const merchants = await world.call("POST", path, {}, { "idempotency-key": "mine" });
    expect([merchants.status, merchants.body.code]).toEqual([409, "request_open"]);
    const method = { payout_method: "manual" };
    const put = `/v1/affiliates/${ada}/payout-method`;
    expect((await world.call("PUT", put, method, { "idempotency-key": "m" })).status).toBe(200);
    const own = await world.call("PUT", put, method, { ...as(link), "idempotency-key": "m" });
    expect([own.status, own.headers.get("idempotent-replayed")]).toEqual([200, null]);
  });
});

describe("a token that is over, or was never made", () => {
  const opens = async (token: string, ada: string): Promise<number> =>
    (await call({ token, url: "", expires_at: "" }, "GET", `/v1/affiliates/${ada}/balance`)).status;

  it("by expiry opens nothing from that instant", async () => {
    const { ada, link } = await openWith();
    world.advance(DAY_MS - 1);
    expect(await opens(link.token, ada)).toBe(200);
    world.advance(1);
    expect(await opens(link.token, ada)).toBe(401);
  });

  it("goes by real time, also where the program's clock is moved", async () => {
    const { ada, link } = await openWith();
    const advance_to = new Date(world.now() + 3 * DAY_MS).toISOString();
    await world.ok("POST", "/v1/test-clock", { advance_to });
    expect(await opens(link.token, ada)).toBe(200);
    const later = await linkOf(ada);
    expect(Date.parse(later.expires_at)).toBe(world.now() + DAY_MS);
  });

  it("by suspension opens nothing at once, and again when that is over", async () => {
    const { ada, link } = await openWith();
    await world.ok("PATCH", `/v1/affiliates/${ada}`, { status: "suspended" });
    expect(await opens(link.token, ada)).toBe(401);
    await world.ok("PATCH", `/v1/affiliates/${ada}`, { status: "active" });
    expect(await opens(link.token, ada)).toBe(200);
  });

  it("is not believed with one letter of it changed, for another affiliate, or for longer", async () => {
    const { ada, bea, link } = await openWith();
    const before = await readTables();
    const parts = link.token.split("_");
    const [program = "", affiliate = "", end = "", signature = ""] = parts.slice(2);
    const made = (...own: string[]) => ["stp_portal", ...own].join("_");
    const flipped = `${signature.slice(0, -1)}${signature.endsWith("0") ? "1" : "0"}`;
    const forged = [
      made(program, bea.slice(4), end, signature),
      made(program, affiliate, String(Number(end) + 60), signature),
      made(affiliate, program, end, signature),
      made(program, affiliate, end, flipped),
      made(program, affiliate, end, signature.toUpperCase()),
      made(program, affiliate, end, "0".repeat(64)),
      made(program, affiliate, `0${end}`, signature),
      `${link.token}_`,
      link.token.toLowerCase(),
      "stp_portal_",
    ];
    for (const token of forged) expect([token, await opens(token, ada)]).toEqual([token, 401]);
    expect(await opens(made(program, bea.slice(4), end, signature), bea)).toBe(401);
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("is told nothing more than a wrong key is", async () => {
    const { ada, link } = await openWith();
    const wrong = await world.call("GET", `/v1/affiliates/${ada}/balance`, undefined, {
      authorization: "Bearer stp_test_wrong",
    });
    world.advance(2 * DAY_MS);
    const over = await call(link, "GET", `/v1/affiliates/${ada}/balance`);
    expect([over.status, over.body["detail"]]).toEqual([wrong.status, wrong.body["detail"]]);
    const root = await call(link, "GET", "/v1/programs");
    expect(root.status).toBe(401);
    expect(
      await rowsOf(
        "SELECT 1 FROM events WHERE actor_type = 'affiliate' AND program_id = ?1",
        world.program.id,
      ),
    ).toEqual([]);
  });
});
