// Random operations on the affiliate: suspended, paid elsewhere, looked at by the provider, and sealed under another key.
import type { PayoutMethod } from "../../src/domain/payout.ts";
import { hear } from "./memory-provider.ts";
import { type Deed, nameOf, type Operation, oneOf, type Pick, type World } from "./memory-world.ts";

const suspend = (world: World, { a }: Pick): Deed => {
  const status =
    world.memory.affiliate?.status === "suspended" ? "active" : a % 2 === 0 ? "suspended" : "active";
  return { command: { kind: "update_affiliate", patch: { status } } };
};

interface Asked {
  readonly ready: boolean;
  readonly at: number | null;
}

export const methodCommand = (
  method: PayoutMethod,
  sha: string,
  { ready, at }: Asked = { ready: true, at: null },
): Deed => ({
  command: {
    kind: "set_payout_method",
    destination: { method, sha, account: sha, display: sha, sealed: `old-key ${sha}`, currency: null },
    ready,
    missing: ready ? [] : ["id_document"],
    readyAsOf: at,
  },
});

const changeMethod = (world: World, { a, b }: Pick): Deed => {
  const asked = { ready: b % 6 !== 0, at: world.now };
  const sha = nameOf(world, "dest");
  hear(world.truth, sha, asked.ready, asked.at);
  return methodCommand(oneOf(["stripe", "stripe", "manual", "store_credit"], a), sha, asked);
};

/** The same destination again; the provider was asked now, or before someone else asked. */
const nameAgain = (world: World, { a, b, c }: Pick): Deed | undefined => {
  const destination = world.memory.affiliate?.destination;
  if (destination == null) return undefined;
  const asked = { ready: b % 3 !== 0, at: world.now - (a % 2 === 0 ? c * 60_000 : 0) };
  hear(world.truth, destination.sha, asked.ready, asked.at);
  return methodCommand(destination.method, destination.sha, asked);
};

/** The provider's word on an account: now and then an old word, or one on an account that nobody is paid at. */
const lookAtAccount = (world: World, { a, b, c }: Pick): Deed | undefined => {
  const own = world.memory.affiliate?.destination?.account;
  if (own == null) return undefined;
  const account = b % 8 === 0 ? "another account" : own;
  const readyAsOf = world.now - (c % 4 === 0 ? c * 60_000 : 0);
  const ready = a % 3 !== 0;
  hear(world.truth, account, ready, readyAsOf);
  const missing = ready ? [] : [oneOf(["id_document", "tos_acceptance"], a)];
  return {
    command: { kind: "set_readiness", account, ready, missing, readyAsOf },
  };
};

const reseal = (world: World, { a }: Pick): Deed | undefined => {
  const sealed = world.memory.affiliate?.destination?.sealed;
  if (sealed == null) return undefined;
  const resealed = nameOf(world, "new-key");
  return {
    command: { kind: "reseal_destination", sealed: a % 4 === 0 ? "what stood before" : sealed, resealed },
  };
};

export const AFFILIATE_OPERATIONS: readonly Operation[] = [
  { name: "suspend", weight: 1, deed: suspend },
  { name: "change method", weight: 2, deed: changeMethod },
  { name: "name again", weight: 2, deed: nameAgain },
  { name: "look at account", weight: 4, deed: lookAtAccount },
  { name: "reseal", weight: 1, deed: reseal },
];
