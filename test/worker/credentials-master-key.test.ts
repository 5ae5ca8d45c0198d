// The master key changes: everything sealed is sealed again under the new one, and opens afterwards without the old one.
import { beforeEach, expect, test } from "vitest";
import { type PlatformPorts, platformPorts, withRails } from "../../src/compose.ts";
import type { LogLine, Vault } from "../../src/context.ts";
import { resealSecrets } from "../../src/operations/reseal-secrets.ts";
import { destinationPlace } from "../../src/store/affiliates.ts";
import { credentialsPlace } from "../../src/store/credentials.ts";
import { sealedPlace } from "../../src/store/sealed.ts";
import { makeVault } from "../../src/store/vault.ts";
import { bankAffiliate, bankPayout, download, makeFile, pain, readFile } from "./payout-files-scene.ts";
import { seams } from "./seams.ts";
import { bindings, openWorld, unique, type World } from "./world.ts";

const OLD = { id: "1", base64: bindings.MASTER_KEY };
const NEW = { id: "k_2", base64: btoa("the next master key, of 32 bytes") };
const HOUR_MS = 3_600_000;
const BANK = { account_name: "Ada Lovelace", iban: "DE89370400440532013000", swift: "COBADEFFXXX" };

beforeEach(async () => {
  await bindings.DB.prepare("DELETE FROM counters WHERE program_id = ''").run();
});

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
const both = makeVault([NEW, OLD], random);
const onlyNew = makeVault([NEW], random);

const underVault = (
  vault: Vault,
  more: (ports: PlatformPorts) => Partial<PlatformPorts> = () => ({}),
): void => {
  const before = seams.ports;
  seams.ports = (ports) => {
    const made = before(ports);
    return { ...made, vault, ...more(made) };
  };
};

interface Round {
  readonly resealed: number;
  readonly lines: readonly LogLine[];
  /** Statements that were prepared. */
  readonly asked: number;
}

/** One call of what cron does; the clock is the world's. */
const reseal = async (vault: Vault, over: Partial<PlatformPorts> = {}): Promise<Round> => {
  const lines: LogLine[] = [];
  let asked = 0;
  const made = seams.ports(platformPorts(bindings, undefined));
  const db = new Proxy(made.db, {
    get(target, name) {
      if (name === "prepare") asked++;
      const member = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  const ports = withRails({ ...made, db, ...over, vault, log: (line) => void lines.push(line) });
  return { resealed: await resealSecrets(ports), lines, asked };
};

const untilDone = async (vault: Vault, over: Partial<PlatformPorts> = {}): Promise<number> => {
  let resealed = 0;
  for (let round = 0; round < 20; round++) {
    const { resealed: more } = await reseal(vault, over);
    if (more === 0) return resealed;
    resealed += more;
  }
  throw new Error("there is always something left");
};

const insert = (table: string, row: Record<string, string | number | null>) =>
  bindings.DB.prepare(
    `INSERT INTO ${table} (${Object.keys(row).join()}) VALUES (${Object.keys(row)
      .map((_, i) => `?${i + 1}`)
      .join()})`,
  )
    .bind(...Object.values(row))
    .run();

const W9 = {
  form: "w9",
  legal_name: "Ada Lovelace",
  address: "1 Main Street, Springfield",
  country: "US",
  tax_id: "123-45-6789",
  signed_on: "2026-03-04",
};

interface Sealed {
  readonly place: string;
  readonly sealed: string;
}

/** All that is sealed for a program, each with its place. */
const sealedOf = async ({ program: { id } }: World): Promise<Sealed[]> => {
  const at = (table: string, key: string, column: string): string =>
    `SELECT ?1 || '|${table}|' || ${key} || '|${column}' AS place, ${column} AS sealed FROM ${table} WHERE program_id = ?1 AND ${column} IS NOT NULL`;
  const columns = [
    at("credentials", "provider", "sealed"),
    at("webhook_endpoints", "id", "sealed_secret"),
    at("webhook_endpoints", "id", "sealed_previous"),
    at("payout_files", "id", "sealed"),
    at("tax_forms", "affiliate_id || '|' || created_at", "sealed"),
    at("idempotency_keys", "key", "sealed"),
    "SELECT ?1 || '|affiliates|' || id || '|destination' AS place, destination ->> '$.sealed' AS sealed FROM affiliates WHERE program_id = ?1 AND destination ->> '$.sealed' IS NOT NULL",
  ];
  const found = await bindings.DB.batch<Sealed>(columns.map((sql) => bindings.DB.prepare(sql).bind(id)));
  return found.flatMap(({ results }) => results);
};

const opened = (vault: Vault, sealed: readonly Sealed[]): Promise<string[]> =>
  Promise.all(sealed.map((one) => vault.open(one.sealed, one.place)));

const keyIdsIn = (sealed: readonly Sealed[]): string[] => [
  ...new Set(sealed.map((one) => one.sealed.split(".")[1] ?? "")),
];

test("everything that is sealed is sealed again, and opens with the new key alone", async () => {
  const world = await openWorld();
  const stripe = { secret_key: "sk_test_mine", webhook_secret: "whsec_1" };
  await world.ok("PUT", "/v1/program/credentials/stripe", stripe);
  const payout = await bankPayout(world);
  const file = await makeFile(world, pain([payout.id]));
  const content = await (await download(world, file.id)).text();
  await world.ok("PUT", `/v1/affiliates/${payout.affiliateId}/tax-form`, W9);
  const hook = { url: "https://hooks.example.com/mine", events: ["*"] };
  const endpoint = await world.ok("POST", "/v1/webhook-endpoints", hook);
  await world.ok("POST", `/v1/webhook-endpoints/${endpoint.id}/rotate-secret`);
  const headers = { "idempotency-key": unique("kept") };
  const asked = { name: "Key", scopes: ["events:read"] };
  const key = await world.ok("POST", "/v1/api-keys", asked, headers);
  const before = await sealedOf(world);
  expect(before.map(({ place }) => place.split("|")[1]).toSorted()).toEqual([
    ...["affiliates", "credentials", "idempotency_keys", "payout_files", "tax_forms"],
    ...["webhook_endpoints", "webhook_endpoints"],
  ]);
  const texts = await opened(both, before);
  await untilDone(both);
  const after = await sealedOf(world);
  expect(keyIdsIn(after)).toEqual([NEW.id]);
  expect(await opened(onlyNew, after)).toEqual(texts);
  underVault(onlyNew);
  expect((await world.call("POST", "/v1/api-keys", asked, headers)).body).toEqual(key);
  expect(await (await download(world, file.id)).text()).toBe(content);
  await world.ok("POST", `/v1/payouts/${payout.id}/mark-paid`, { paid_via: "bank_transfer" });
});

test("a bank payment that is under way keeps the old key needed, until it is over", async () => {
  const world = await openWorld();
  const payout = await bankPayout(world);
  const file = await makeFile(world, pain([payout.id]));
  const before = { event: "older_master_keys_needed", current: NEW.id, older: OLD.id, failed: 0 };
  const said = async () => {
    world.advance(HOUR_MS);
    return [...(await reseal(both)).lines, ...(await reseal(both)).lines];
  };
  expect(await said()).toEqual([{ ...before, open_attempts: 1 }]);
  await world.ok("POST", `/v1/payouts/${payout.id}/mark-paid`, { paid_via: "bank_transfer" });
  expect(await said()).toEqual([{ ...before, event: "older_master_keys_unused", open_attempts: 0 }]);
  expect(await readFile(world, file.id)).toMatchObject({ payout_count: 1 });
});

test("destinations go through a turn: no event, no cooldown, the same payout, and sound books", async () => {
  const world = await openWorld();
  const id = await bankAffiliate(world);
  await world.sale(id, 1_000);
  const [payout] = (await world.generate()).payouts;
  const affiliate = await world.ok("GET", `/v1/affiliates/${id}`);
  const events = await world.ok("GET", "/v1/events?limit=200");
  world.advance(HOUR_MS);
  await untilDone(both);
  expect(await world.ok("GET", `/v1/affiliates/${id}`)).toEqual(affiliate);
  expect(await world.ok("GET", "/v1/events?limit=200")).toEqual(events);
  expect(await world.ok("GET", `/v1/payouts/${payout?.id}`)).toEqual(payout);
  expect(await world.verify()).toMatchObject({ ok: true });
});

test("the configuration names the keys, the current one first; a key without a name is called 1", async () => {
  const MASTER_KEY = `${NEW.id}:${NEW.base64},1:${OLD.base64}`;
  const [before, after] = [bindings, { ...bindings, MASTER_KEY }].map(
    (env) => platformPorts(env, undefined).vault,
  );
  expect([before?.keyIds, after?.keyIds]).toEqual([["1"], [NEW.id, "1"]]);
  const sealed = await before?.seal("text", "place");
  expect(await after?.open(sealed ?? "", "place")).toBe("text");
  expect(await after?.seal("text", "place")).toMatch(/^v1\.k_2\./);
});

test("a key that changes back and forth is followed each time", async () => {
  const world = await openWorld();
  await bankAffiliate(world);
  const back = makeVault([OLD, NEW], random);
  for (const [vault, id] of [
    [both, NEW.id],
    [back, OLD.id],
    [both, NEW.id],
  ] as const) {
    world.advance(2 * HOUR_MS);
    await untilDone(vault);
    expect(keyIdsIn(await sealedOf(world))).toEqual([id]);
  }
});

test("with one master key nothing is asked, and with two a finished round is not begun again for an hour", async () => {
  const world = await openWorld();
  await bankAffiliate(world);
  expect(await reseal(makeVault([OLD], random))).toEqual({ resealed: 0, lines: [], asked: 0 });
  await untilDone(both);
  expect(await reseal(both)).toEqual({ resealed: 0, lines: [], asked: 1 });
  world.advance(HOUR_MS);
  const { resealed, lines, asked } = await reseal(both);
  expect(resealed).toBe(0);
  expect(asked).toBeGreaterThan(1);
  expect(lines.map(({ event }) => event)).toEqual(["older_master_keys_unused"]);
});

test("what an older Worker seals after the round is found an hour later", async () => {
  const world = await openWorld();
  await untilDone(both);
  const late = await bankAffiliate(world);
  world.advance(HOUR_MS);
  expect(await untilDone(both)).toBe(1);
  const [sealed] = await sealedOf(world);
  expect(sealed?.place).toContain(late);
  expect(keyIdsIn(await sealedOf(world))).toEqual([NEW.id]);
});

test("the operator is told when the old key may go, and until then why not", async () => {
  const world = await openWorld();
  await bankAffiliate(world);
  const rounds = [await reseal(both), await reseal(both)];
  expect(rounds.map(({ lines }) => lines)).toEqual([
    [],
    [
      {
        ...{ event: "older_master_keys_unused", current: NEW.id, older: OLD.id },
        ...{ failed: 0, open_attempts: 0 },
      },
    ],
  ]);
  const place = credentialsPlace(world.program.id as `prg_${string}`, "stripe");
  const lost = await makeVault([{ ...NEW, id: "k0" }], random).seal("{}", place);
  await insert("credentials", {
    ...{ program_id: world.program.id, provider: "stripe", account: "acct_1", sealed: lost },
    ...{ last4: "1234", livemode: 0, checked_at: 1, updated_at: 1 },
  });
  world.advance(HOUR_MS);
  const { resealed, lines } = await reseal(both);
  expect(resealed).toBe(0);
  expect(lines).toEqual([
    { event: "reseal_failed", table: "credentials", program_id: world.program.id, name: "Error" },
    {
      ...{ event: "older_master_keys_needed", current: NEW.id, older: OLD.id },
      ...{ failed: 1, open_attempts: 0 },
    },
  ]);
  const [row] = await sealedOf(world).then((all) => all.filter((one) => one.place === place));
  expect(row?.sealed).toBe(lost);
  await bindings.DB.prepare("DELETE FROM credentials WHERE sealed = ?1").bind(lost).run();
});

test("a page is a hundred values, and the rounds after it take the rest", async () => {
  const world = await openWorld();
  await untilDone(both);
  world.advance(HOUR_MS);
  const old = makeVault([OLD], random);
  for (let n = 0; n < 130; n++) {
    const sealed = await old.seal("form", sealedPlace(world.program.id, "tax_forms", `aff_${n}|5`, "sealed"));
    await insert("tax_forms", {
      ...{
        program_id: world.program.id,
        affiliate_id: `aff_${n}`,
        seq: 1,
        kind: "w9",
        created_at: 5,
      },
      sealed,
    });
  }
  expect([(await reseal(both)).resealed, (await reseal(both)).resealed]).toEqual([100, 30]);
  expect(keyIdsIn(await sealedOf(world))).toEqual([NEW.id]);
});

test("a destination that changes while it is sealed again stays the new one", async () => {
  const world = await openWorld();
  const id = await bankAffiliate(world);
  const place = destinationPlace(world.program.id as `prg_${string}`, id as `aff_${string}`);
  let isOver = false;
  const racing: Vault = {
    ...both,
    async seal(text, where) {
      if (!isOver && where === place) {
        isOver = true;
        const changed = { ...BANK, iban: "GB33BUKB20201555555555", swift: "BUKBGB22" };
        const method = { payout_method: "bank_transfer", bank_details: changed };
        await world.ok("PUT", `/v1/affiliates/${id}/payout-method`, method);
      }
      return both.seal(text, where);
    },
  };
  await untilDone(racing);
  const [sealed] = await sealedOf(world);
  expect(JSON.parse((await opened(both, sealed === undefined ? [] : [sealed]))[0] ?? "{}")).toMatchObject({
    iban: "GB33BUKB20201555555555",
  });
});

test("a crash between two values loses nothing: the next round goes on", async () => {
  const world = await openWorld();
  for (let n = 0; n < 3; n++) await bankAffiliate(world);
  let seals = 0;
  const dying: Vault = {
    ...both,
    async seal(text, place) {
      seals++;
      if (seals === 2) throw new Error("the isolate is gone");
      return both.seal(text, place);
    },
  };
  expect((await reseal(dying)).resealed).toBe(2);
  await untilDone(both);
  expect(keyIdsIn(await sealedOf(world))).toEqual([NEW.id]);
});
