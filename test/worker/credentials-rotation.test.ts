// Secrets that change under way: two webhook secrets are live for a day, two changes at once lose neither, and an unreadable one is replaced.
import { expect, test } from "vitest";
import { makeVault } from "../../src/store/vault.ts";
import { seams } from "./seams.ts";
import { bindings, openWorld, unique, type World } from "./world.ts";

const PATH = "/v1/program/credentials/stripe";
const HOUR_MS = 3_600_000;

const hex = (bytes: ArrayBuffer): string =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** As Stripe signs: HMAC-SHA256 over the stamp, a dot and the body. */
const signed = async (secret: string, body: string, nowMs: number): Promise<string> => {
  const stamp = Math.floor(nowMs / 1000);
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), hmac, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`${stamp}.${body}`));
  return `t=${stamp},v1=${hex(mac)}`;
};

/** The status that a message signed with this secret is answered with. */
const heard = async (world: World, secret: string): Promise<number> => {
  const event = {
    id: unique("evt_"),
    object: "event",
    type: "ping",
    livemode: false,
    data: { object: { id: "none" } },
  };
  const header = await signed(secret, JSON.stringify(event), world.now());
  const path = `/v1/callbacks/stripe/${world.program.id}`;
  return (await world.call("POST", path, event, { "stripe-signature": header, authorization: "" })).status;
};

const secretsOf = (n: number, webhook: string | undefined, connect?: string) => ({
  secret_key: `sk_test_rotating_${n}`,
  ...(webhook === undefined ? {} : { webhook_secret: `whsec_${webhook}` }),
  ...(connect === undefined ? {} : { connect_webhook_secret: `whsec_${connect}` }),
});

test("messages signed with the secret before are believed for 24 hours after it was replaced", async () => {
  const world = await openWorld();
  await world.ok("PUT", PATH, secretsOf(1, "old", "connect"));
  expect(await heard(world, "whsec_old")).toBe(200);
  expect(await heard(world, "whsec_new")).toBe(400);
  await world.ok("PUT", PATH, secretsOf(1, "new", "connect"));
  for (const secret of ["whsec_new", "whsec_old", "whsec_connect"])
    expect(await heard(world, secret)).toBe(200);
  world.advance(24 * HOUR_MS - 1_000);
  expect(await heard(world, "whsec_old")).toBe(200);
  world.advance(1_000);
  expect(await heard(world, "whsec_old")).toBe(400);
  for (const secret of ["whsec_new", "whsec_connect"]) expect(await heard(world, secret)).toBe(200);
});

test("a secret that is not given is forgotten, a day later", async () => {
  const world = await openWorld();
  await world.ok("PUT", PATH, secretsOf(1, "old", "connect"));
  await world.ok("PUT", PATH, secretsOf(1, undefined));
  expect([await heard(world, "whsec_old"), await heard(world, "whsec_connect")]).toEqual([200, 200]);
  world.advance(24 * HOUR_MS);
  expect([await heard(world, "whsec_old"), await heard(world, "whsec_connect")]).toEqual([400, 400]);
});

test("a program that has not stored any believes nobody", async () => {
  const world = await openWorld();
  expect(await heard(world, "whsec_old")).toBe(400);
  await world.ok("PUT", PATH, secretsOf(1, undefined));
  expect(await heard(world, "whsec_old")).toBe(400);
});

/** Something else happens between what the next change reads and what it writes. */
const beforeNextSeal = (happens: () => Promise<unknown>): void => {
  const before = seams.ports;
  let isOver = false;
  seams.ports = (ports) => {
    const made = before(ports);
    return {
      ...made,
      vault: {
        ...made.vault,
        async seal(text, place) {
          if (!isOver) {
            isOver = true;
            await happens();
          }
          return made.vault.seal(text, place);
        },
      },
    };
  };
};

test("a change that comes between another's reading and writing is not lost: the two overlap", async () => {
  const world = await openWorld();
  await world.ok("PUT", PATH, secretsOf(0, "first"));
  beforeNextSeal(() => world.ok("PUT", PATH, secretsOf(1, "between")));
  await world.ok("PUT", PATH, secretsOf(2, "last"));
  expect([await heard(world, "whsec_last"), await heard(world, "whsec_between")]).toEqual([200, 200]);
  expect(await heard(world, "whsec_first")).toBe(400);
});

test("the first credentials of a program may come twice at once", async () => {
  const world = await openWorld();
  beforeNextSeal(() => world.ok("PUT", PATH, secretsOf(1, "between")));
  await world.ok("PUT", PATH, secretsOf(2, "last"));
  expect([await heard(world, "whsec_last"), await heard(world, "whsec_between")]).toEqual([200, 200]);
});

const withMasterKey = (id: string, base64: string): void => {
  const before = seams.ports;
  seams.ports = (ports) => ({ ...before(ports), vault: makeVault([{ id, base64 }], ports.random) });
};

test("secrets whose master key is lost are replaced all the same, and the loss is logged without them", async () => {
  const world = await openWorld();
  await world.ok("PUT", PATH, secretsOf(1, "lost"));
  const lines: unknown[] = [];
  withMasterKey("k9", btoa("another master key of 32 bytes.."));
  const before = seams.ports;
  seams.ports = (ports) => ({ ...before(ports), log: (line) => void lines.push(line) });
  await world.ok("PUT", PATH, secretsOf(2, "found"));
  expect(lines).toContainEqual({
    ...{ event: "credentials_unreadable", program_id: world.program.id, provider: "stripe", name: "Error" },
  });
  expect(await heard(world, "whsec_found")).toBe(200);
  const row = await bindings.DB.prepare("SELECT sealed FROM credentials WHERE program_id = ?1")
    .bind(world.program.id)
    .first<{ sealed: string }>();
  expect(row?.sealed).toMatch(/^v1\.k9\./);
});
