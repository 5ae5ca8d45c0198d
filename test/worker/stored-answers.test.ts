// Keys on routes that are more than one turn: one effect, equal answers, and a request that died is taken up with the same ids.
import { describe, expect, it } from "vitest";
import { seams } from "./seams.ts";
import { changedTables, readTables } from "./tables.ts";
import { bindings, type Loose, openWorld, ROOT_KEY, unique, type World } from "./world.ts";

const MINUTE = 60_000;
const withKey = (key: string) => ({ "idempotency-key": key });
const mint = (world: World, key: string, name = "Reader") =>
  world.call("POST", "/v1/api-keys", { name, scopes: ["events:read"] }, withKey(key));
const keysOf = async (world: World): Promise<number> =>
  (await world.ok<{ data: unknown[] }>("GET", "/v1/api-keys")).data.length;

describe("a stored answer", () => {
  it("is given again, whole, to the same request, and the effect is one", async () => {
    const world = await openWorld();
    const first = await mint(world, "a");
    const before = await keysOf(world);
    const again = await mint(world, "a");
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    expect([first.headers.get("idempotent-replayed"), again.headers.get("idempotent-replayed")]).toEqual([
      null,
      "true",
    ]);
    expect(again.headers.get("content-type")).toBe(first.headers.get("content-type"));
    expect(await keysOf(world)).toBe(before);
  });

  it("holds no secret in the clear", async () => {
    const world = await openWorld();
    const { body } = await mint(world, "secret");
    const rows = await bindings.DB.prepare("SELECT * FROM idempotency_keys").all();
    expect(JSON.stringify(rows.results)).not.toContain(String(body["secret"]));
  });

  it("belongs to one body and one route", async () => {
    const world = await openWorld();
    await mint(world, "b");
    const other = await mint(world, "b", "Another");
    expect([other.status, other.body.code]).toEqual([422, "idempotency_mismatch"]);
    const elsewhere = await world.call("PATCH", "/v1/program", { hold_days: 3 }, withKey("b"));
    expect([elsewhere.status, elsewhere.body.code]).toEqual([422, "idempotency_mismatch"]);
  });

  it("and a turn's or a run's key are one space of names", async () => {
    const world = await openWorld();
    await mint(world, "stored");
    const affiliate = { name: "Ada", email: "ada@example.com" };
    const turn = await world.call("POST", "/v1/affiliates", affiliate, withKey("stored"));
    expect([turn.status, turn.body.code]).toEqual([422, "idempotency_mismatch"]);
    const period = { period_end: "2026-10-31" };
    const run = await world.call("POST", "/v1/payouts/generate", period, withKey("stored"));
    expect([run.status, run.body.code]).toEqual([422, "idempotency_mismatch"]);

    await world.ok("POST", "/v1/affiliates", affiliate, withKey("turn"));
    await world.ok("POST", "/v1/payouts/generate", period, withKey("run"));
    for (const key of ["turn", "run"]) {
      const answer = await mint(world, key);
      expect([answer.status, answer.body.code], key).toEqual([422, "idempotency_mismatch"]);
    }
  });

  it("is the same fifty times at once, or says that it is being made", async () => {
    const world = await openWorld();
    const before = await keysOf(world);
    const answers = await Promise.all(Array.from({ length: 50 }, () => mint(world, "fifty")));
    const made = answers.filter(({ status }) => status === 201);
    const waiting = answers.filter(({ status }) => status === 409);
    expect(made.length).toBeGreaterThan(0);
    expect(made.length + waiting.length).toBe(50);
    expect(new Set(made.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    for (const { body, headers } of waiting)
      expect([body.code, headers.get("retry-after")]).toEqual(["idempotency_in_flight", "1"]);
    expect(await keysOf(world)).toBe(before + 1);
    expect((await mint(world, "fifty")).body).toEqual(made[0]?.body);
  });

  it("is not kept of a refusal: the same key decides anew", async () => {
    const world = await openWorld();
    const wish = { name: "Wide", scopes: ["no:scope"] };
    expect((await world.call("POST", "/v1/api-keys", wish, withKey("later"))).status).toBe(422);
    const wrong = { default_currency: "XXX" };
    expect((await world.call("PATCH", "/v1/program", wrong, withKey("later"))).status).toBe(422);
    expect((await mint(world, "later")).status).toBe(201);
  });

  it("ends after 30 days", async () => {
    const world = await openWorld();
    await mint(world, "old");
    world.advance(30 * 24 * 60 * MINUTE + 1);
    await world.cron();
    const rows = await bindings.DB.prepare("SELECT key FROM idempotency_keys WHERE program_id = ?1")
      .bind(world.program.id)
      .all();
    expect(rows.results).toEqual([]);
  });

  it("serves the root key's requests too", async () => {
    await openWorld();
    const root = { authorization: `Bearer ${ROOT_KEY}`, ...withKey(unique("root")) };
    const world = await openWorld();
    const wish = { name: "Shop", default_currency: "EUR" };
    const first = await world.ok<{ program: Loose }>("POST", "/v1/programs", wish, root);
    const again = await world.ok<{ program: Loose }>("POST", "/v1/programs", wish, root);
    expect(again).toEqual(first);
  });
});

describe("a request that died", () => {
  /** The answer's row cannot be written: as if the process ended between the effect and the answer. */
  const dieBeforeKeeping = () => {
    const inner = seams.ports;
    seams.ports = (ports) => {
      const made = inner(ports);
      const db = new Proxy(made.db, {
        get(target, name) {
          if (name !== "prepare") return Reflect.get(target, name).bind(target);
          return (sql: string) => {
            if (sql.startsWith("UPDATE idempotency_keys")) throw new Error("the process is gone");
            return target.prepare(sql);
          };
        },
      });
      return { ...made, db };
    };
    return () => {
      seams.ports = inner;
    };
  };

  it("is in flight for a minute, and then answered with the ids and the secret that it had made", async () => {
    const world = await openWorld();
    const before = await keysOf(world);
    const revive = dieBeforeKeeping();
    const lost = await mint(world, "crash");
    revive();
    expect(lost.status).toBe(201);
    const early = await mint(world, "crash");
    expect([early.status, early.body.code]).toEqual([409, "idempotency_in_flight"]);
    world.advance(MINUTE + 1);
    const recovered = await mint(world, "crash");
    expect(recovered.status).toBe(201);
    expect([recovered.body.id, recovered.body["secret"]]).toEqual([lost.body.id, lost.body["secret"]]);
    expect(await keysOf(world)).toBe(before + 1);
    const auth = { authorization: `Bearer ${recovered.body["secret"]}` };
    expect((await world.call("GET", "/v1/events", undefined, auth)).status).toBe(200);
  });

  it("makes one program, and a rotated key one successor", async () => {
    const world = await openWorld();
    const root = { authorization: `Bearer ${ROOT_KEY}`, ...withKey(unique("crash")) };
    const wish = { name: unique("Shop"), default_currency: "EUR" };
    const old = await world.ok("POST", "/v1/api-keys", { name: "Old", scopes: ["events:read"] });
    const rotate = () =>
      world.call("POST", `/v1/api-keys/${old.id}/rotate`, { overlap_hours: 0 }, withKey("rotate"));
    const revive = dieBeforeKeeping();
    const first = await world.call("POST", "/v1/programs", wish, root);
    const rotated = await rotate();
    revive();
    world.advance(MINUTE + 1);
    const before = await readTables();
    expect((await world.call("POST", "/v1/programs", wish, root)).body).toEqual(first.body);
    const again = await rotate();
    expect([again.status, again.body.id, again.body["secret"]]).toEqual([
      201,
      rotated.body.id,
      rotated.body["secret"],
    ]);
    expect(changedTables(before, await readTables())).toEqual(["idempotency_keys"]);
  });
});
