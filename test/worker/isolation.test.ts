// Who may call what: every operation of the reference, without a key, with a wrong one, without its scope, with a neighbour's ids.
import { describe, expect, it } from "vitest";
import { formatKey, SCOPES, type Scope } from "../../src/domain/api-key.ts";
import {
  BODIES,
  BODY_NAMES,
  type Neighbours,
  type Operation,
  openNeighbours,
  pathFor,
  readOperations,
} from "./isolation-matrix.ts";
import { changedTables, readTables } from "./tables.ts";
import { type Answer, type Loose, openWorld, ROOT_KEY, type World } from "./world.ts";

type Ids = Readonly<Record<string, string>>;

const ask = (
  { world, theirs }: Neighbours,
  operation: Operation,
  headers: Record<string, string>,
  ids: Ids = { ...theirs },
): Promise<Answer<Loose>> =>
  world.call(operation.method, pathFor(operation, ids), BODIES[operation.name]?.(theirs), headers);

const asKey = (key: string) => ({ authorization: `Bearer ${key}` });

const isGuarded = ({ needs }: Operation): boolean => needs !== undefined;
const isRoots = ({ needs }: Operation): boolean => needs === "root";
const isPrograms = (operation: Operation): boolean => isGuarded(operation) && !isRoots(operation);
const namesSomething = ({ path }: Operation): boolean => path.includes("{");

/** Every scope but those that open the operation. */
const scopesWithout = (needed: string): Scope[] => {
  const opening = ["program:admin", needed, needed.replace(/:read$/, ":write")];
  return SCOPES.filter((scope) => !opening.includes(scope));
};

const keysWithout = (world: World) => {
  const made = new Map<string, Promise<string>>();
  return (needed: string): Promise<string> => {
    const make = async () =>
      String(
        (await world.ok("POST", "/v1/api-keys", { name: "Key", scopes: scopesWithout(needed) }))["secret"],
      );
    const key = made.get(needed) ?? make();
    made.set(needed, key);
    return key;
  };
};

/** A key like ours that was never made, one of another mode, and what is none at all. */
const wrongKeys = ({ program }: World): string[] => {
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const id = `key_${program.key.split("_")[2]}` as const;
  return [
    formatKey("test", "key_01JZ0000000000000000000000", secret),
    formatKey("test", id, secret),
    formatKey("live", id, secret),
    `${ROOT_KEY}x`,
  ];
};

const refusals = (answers: readonly (readonly [string, Answer<Loose>])[]) =>
  answers.map(([name, { status, body }]) => [name, status, body?.code]);

const each = async <T>(items: readonly T[], call: (item: T) => Promise<Answer<Loose>>) =>
  Promise.all(items.map(async (item) => [(item as Operation).name, await call(item)] as const));

describe("every operation of the reference", () => {
  it("is in the matrix, and the matrix holds no other", async () => {
    await openWorld();
    expect(Object.keys(BODIES).sort()).toEqual((await readOperations()).map(({ name }) => name).sort());
  });

  it("without a key, or with a wrong one, is 401 and tells nothing more", async () => {
    const neighbours = await openNeighbours();
    const before = await readTables();
    const guarded = neighbours.operations.filter(isGuarded);
    const answers = await each(guarded, (operation) => ask(neighbours, operation, { authorization: "" }));
    for (const key of wrongKeys(neighbours.world))
      answers.push(...(await each(guarded, (operation) => ask(neighbours, operation, asKey(key)))));
    expect(refusals(answers)).toEqual(answers.map(([name]) => [name, 401, "unauthorized"]));
    expect(new Set(answers.map(([, { body }]) => body["detail"])).size).toBe(1);
    for (const [, { headers }] of answers) expect(headers.get("www-authenticate")).toBe("Bearer");
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("with every scope but its own is 403 and names the one that is missing", async () => {
    const neighbours = await openNeighbours();
    const keyWithout = keysWithout(neighbours.world);
    const operations = neighbours.operations.filter(isPrograms);
    await Promise.all(operations.map(({ needs }) => keyWithout(needs ?? "")));
    const before = await readTables();
    const answers = await each(operations, async (operation) =>
      ask(neighbours, operation, asKey(await keyWithout(operation.needs ?? ""))),
    );
    expect(
      answers.map(([name, { status, body }]) => [name, status, body.code, body["required_scope"]]),
    ).toEqual(operations.map(({ name, needs }) => [name, 403, "scope_not_held", needs]));
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("of a program is closed to the root key, and the root's to every program's key", async () => {
    const neighbours = await openNeighbours();
    const before = await readTables();
    const { operations, world } = neighbours;
    const answers = [
      ...(await each(operations.filter(isPrograms), (operation) =>
        ask(neighbours, operation, asKey(ROOT_KEY)),
      )),
      ...(await each(operations.filter(isRoots), (operation) =>
        ask(neighbours, operation, asKey(world.program.key)),
      )),
    ];
    expect(answers.length).toBe(operations.filter(isGuarded).length);
    expect(refusals(answers)).toEqual(answers.map(([name]) => [name, 403, "forbidden"]));
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("answers for a neighbour's id as for one that is not there", async () => {
    const neighbours = await openNeighbours();
    const { operations, world, theirs } = neighbours;
    const named = operations.filter(
      (of) => isPrograms(of) && (namesSomething(of) || BODY_NAMES.includes(of.name)),
    );
    const strange = Object.fromEntries(
      Object.entries(theirs).map(([name, id]) => [name, `${id.split("_")[0]}_01JZ0000000000000000000000`]),
    );
    const external: Ids = { ...theirs, affiliate_id: "ext:neighbour", commission_id: "ext:neighbours-order" };
    const before = await readTables();
    const key = asKey(world.program.key);
    const asked = await each(named, (operation) => ask(neighbours, operation, key));
    expect(asked.map(([name, { status }]) => [name, status])).toEqual(asked.map(([name]) => [name, 404]));
    for (const ids of [strange, external]) {
      const others = await each(named.filter(namesSomething), (operation) =>
        ask(neighbours, operation, key, ids),
      );
      const same = asked.filter(([name]) => others.some(([other]) => other === name));
      expect(refusals(others)).toEqual(refusals(same));
      expect(others.map(([, { body }]) => body["detail"])).toEqual(
        same.map(([, { body }]) => body["detail"]),
      );
    }
    expect(changedTables(before, await readTables())).toEqual([]);
  });

  it("that lists lists nothing of a neighbour, filtered by its ids or not", async () => {
    const neighbours = await openNeighbours();
    const { operations, theirs, world } = neighbours;
    const lists = operations.filter((of) => isPrograms(of) && of.method === "GET" && !namesSomething(of));
    const { affiliate_id, payout_id, run_id } = theirs;
    const filtered = [
      `/v1/commissions?affiliate_id=${affiliate_id}`,
      `/v1/commissions?payout_id=${payout_id}`,
      "/v1/affiliates?external_id=neighbour",
      `/v1/payouts?affiliate_id=${affiliate_id}`,
      `/v1/payouts?run_id=${run_id}`,
      `/v1/ledger/entries?affiliate_id=${affiliate_id}`,
      `/v1/ledger/entries?payout_id=${payout_id}`,
    ];
    for (const path of filtered)
      expect(await world.ok("GET", path), path).toMatchObject({
        data: [],
        has_more: false,
        next_cursor: null,
      });
    const texts = await Promise.all(
      lists.map(async (of) => JSON.stringify((await ask(neighbours, of, asKey(world.program.key))).body)),
    );
    for (const [i, text] of texts.entries())
      for (const id of Object.values(theirs)) expect(text, lists[i]?.name).not.toContain(id);
  });
});

describe("a key that is over", () => {
  const make = (world: World, more: object = {}) =>
    world.ok("POST", "/v1/api-keys", { name: "Key", scopes: ["affiliates:read"], ...more });
  const tryOut = async (world: World, key: Loose): Promise<number> =>
    (await world.call("GET", "/v1/affiliates", undefined, asKey(String(key["secret"])))).status;

  it("by revocation opens nothing half a minute later, however often it was used meanwhile", async () => {
    const { world } = await openNeighbours();
    const key = await make(world);
    expect(await tryOut(world, key)).toBe(200);
    expect((await world.call("DELETE", `/v1/api-keys/${key.id}`)).status).toBe(204);
    for (let second = 0; second < 30; second++) {
      await tryOut(world, key);
      world.advance(1_000);
    }
    expect(await tryOut(world, key)).toBe(401);
  });

  it("by expiry opens nothing at that instant, warm or not", async () => {
    const { world } = await openNeighbours();
    const key = await make(world, { expires_at: new Date(world.now() + 10_000).toISOString() });
    world.advance(9_999);
    expect(await tryOut(world, key)).toBe(200);
    world.advance(1);
    expect(await tryOut(world, key)).toBe(401);
  });
});
