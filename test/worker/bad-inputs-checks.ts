// The sentences of the cases of bad input as checks; a sentence that is no check fails its case.
import { runInDurableObject } from "cloudflare:test";
import { expect } from "vitest";
import { formatKey } from "../../src/domain/api-key.ts";
import { type BadCase, type Seen, send } from "./bad-inputs-case.ts";
import type { Scene } from "./bad-inputs-scene.ts";
import { changedTables, readTables, type Tables } from "./tables.ts";
import { bindings, type Loose, unique } from "./world.ts";

export interface Outcome {
  readonly scene: Scene;
  readonly bad: BadCase;
  readonly seen: Seen;
  readonly before: Tables;
  readonly after: Tables;
}

export type Check = (outcome: Outcome) => void | Promise<void>;

const bodyOf = ({ seen }: Outcome): Loose => JSON.parse(seen.text) as Loose;

const unchanged: Check = ({ before, after }) => expect(changedTables(before, after)).toEqual([]);

const headersText = ({ headers }: Seen): string => JSON.stringify([...headers]);

/** A turn for nobody is decided on the book, which has none: the object that was asked keeps nothing, so there is none of it. */
const keepsNothing =
  (affiliateIdOf: (outcome: Outcome) => string): Check =>
  async (outcome) => {
    const name = `${outcome.scene.world.program.id}:${affiliateIdOf(outcome)}`;
    const stub = bindings.AFFILIATE_LEDGER.getByName(name);
    expect(await runInDurableObject(stub, async (_, state) => (await state.storage.list()).size)).toBe(0);
    unchanged(outcome);
  };

const storedAmount: Check = async (outcome) => {
  const row = await bindings.DB.prepare("SELECT amount, currency FROM commissions WHERE id = ?1")
    .bind(bodyOf(outcome).id)
    .first();
  expect(row).toEqual({ amount: 1_000, currency: "JPY" });
};

const paysThousandYen: Check = async (outcome) => {
  const { world } = outcome.scene;
  await world.ok("POST", `/v1/commissions/${bodyOf(outcome).id}/approve`);
  const { payouts } = await world.generate({ currency: "JPY" });
  const [payout] = payouts;
  await world.ok("POST", `/v1/payouts/${payout?.id}/pay`, {}, { prefer: "wait=10" });
  expect(world.stripe.transfers(payout?.id)).toMatchObject([{ amount: 1_000, currency: "jpy" }]);
};

const storedInstant: Check = async (outcome) => {
  const row = await bindings.DB.prepare("SELECT occurred_at FROM commissions WHERE id = ?1")
    .bind(bodyOf(outcome).id)
    .first<{ occurred_at: number }>();
  expect(bodyOf(outcome)["occurred_at"]).toBe("2026-11-01T00:00:00.000Z");
  expect(row?.occurred_at).toBe(Date.UTC(2026, 10, 1));
};

const inOnePayout: Check = async (outcome) => {
  const { payouts } = bodyOf(outcome) as unknown as {
    payouts: { commission_ids: string[]; amount: number }[];
  };
  expect(payouts).toMatchObject([{ amount: 300 }]);
  expect(payouts[0]?.commission_ids).toHaveLength(2);
  for (const id of payouts[0]?.commission_ids ?? []) {
    const { results } = await bindings.DB.prepare(
      "SELECT payout_id FROM payout_lines WHERE commission_id = ?1",
    )
      .bind(id)
      .all();
    expect(results).toHaveLength(1);
  }
};

/** A key that is well formed and nobody's. */
const strangersKey = (): string =>
  formatKey("test", "key_01JZ0000000000000000000000", crypto.getRandomValues(new Uint8Array(32)));

const saysNothingOfTheKey: Check = async (outcome) => {
  const headers = { authorization: `Bearer ${strangersKey()}`, "x-request-id": "same" };
  const stranger = await send({ ...outcome.bad, headers }, outcome.scene.names);
  const own = await send(
    { ...outcome.bad, headers: { ...outcome.bad.headers, "x-request-id": "same" } },
    outcome.scene.names,
  );
  expect([stranger.status, stranger.text]).toEqual([own.status, own.text]);
};

export const CHECKS: Readonly<Record<string, Check>> = {
  "no commission row, ledger entry or webhook event is created": unchanged,
  "other tenant's ledger unchanged": unchanged,
  "row unchanged": unchanged,
  "destination unchanged": unchanged,
  "stored minor units = 1000": storedAmount,
  "Stripe transfer amount = 1000, currency jpy": paysThousandYen,
  "stored instant is 2026-11-01T00:00:00.000Z": storedInstant,
  "sum of payouts per affiliate and period unchanged": ({ before, after }) =>
    expect(changedTables(before, after)).toEqual(["events", "payout_runs", "run_items"]),
  "each commission in exactly one payout": inOnePayout,
  "other tenant's Durable Object not created or touched": keepsNothing(
    ({ scene }) => scene.names["OTHER_TENANT_AFFILIATE_ID"] ?? "",
  ),
  "no Durable Object created for a made-up id": keepsNothing(() => "aff_doesnotexist"),
  "body does not say whether the key exists": saysNothingOfTheKey,
  "({}).is_admin === undefined after the request": () => expect(Reflect.get({}, "is_admin")).toBeUndefined(),
  "no access-control-allow-origin header": ({ seen }) =>
    expect(seen.headers.get("access-control-allow-origin")).toBeNull(),
  "no access-control-allow-origin: null": ({ seen }) =>
    expect(seen.headers.get("access-control-allow-origin")).toBeNull(),
  "evil.example not in body or headers": ({ seen }) =>
    expect(headersText(seen) + seen.text).not.toContain("evil.example"),
  "no set-cookie header": ({ seen }) => expect(seen.headers.get("set-cookie")).toBeNull(),
  "id replaced by a server id": ({ seen }) => expect(seen.headers.get("x-request-id")).toMatch(/^req_/),
  "value never in logs": ({ scene }) =>
    expect(JSON.stringify(scene.lines)).not.toMatch(/078-05-1120|DE89370400440532013000/),
  "no outbound request is made": ({ scene }) => expect(scene.outbound).toEqual([]),
  "endpoint still enabled": unchanged,
  "attempt.status=failed": (outcome) => expect(bodyOf(outcome).status).toBe("failed"),
  "attempt.http_status=302": (outcome) => expect(bodyOf(outcome)["http_status"]).toBe(302),
  "second host never contacted": ({ scene }) =>
    expect(scene.outbound).toEqual(["https://redirect.example.com/in"]),
  "no stack trace, no file path": ({ seen }) =>
    expect(seen.text).not.toMatch(/\n\s*at |\.ts\b|node_modules|does-not-exist/),
};

/** What must be there before some cases are sent. */
export const PREPARE: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  async "generate.dst_boundary"({ world, names }) {
    for (const occurred_at of ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"])
      await world.sale(names["AFFILIATE_ID"] ?? "", 150, { external_id: unique("repeated"), occurred_at });
  },
};

export const outcomeOf = async (scene: Scene, bad: BadCase): Promise<Outcome> => {
  await PREPARE[bad.name]?.(scene);
  const before = await readTables();
  scene.outbound.length = 0;
  const seen = await send(bad, scene.names);
  return { scene, bad, seen, before, after: await readTables() };
};
