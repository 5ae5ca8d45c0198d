// One cell of the table rails × situations: a payout that is due, the edge of the process that pays it, and what must hold in the end.
import { expect } from "vitest";
import type { Hint } from "../../src/context.ts";
import type { AttemptState, PayoutMethod } from "../../src/domain/payout.ts";
import { expectSound, rowsOf } from "./books.ts";
import { type Edge, meddleWith } from "./conformance-edge.ts";
import { type Answer, deliverBatch, type Loose, openWorld, type World } from "./world.ts";

export const SITUATIONS = [
  "pays once, exactly what is due, to the destination that is due",
  "asked for again and again, and at once, pays once",
  "a process that ends before the payment begins loses nothing",
  "a process that ends once the payment has begun loses nothing",
  "a process that ends before the send loses nothing",
  "a process that ends after the send pays nothing twice",
  "a process that ends before its conclusion is written pays nothing twice",
  "a process that ends after its conclusion was written pays nothing twice",
  "a process that ends between two steps goes on from there",
  "no answer in time, and nothing was done: it is done once",
  "no answer in time, and it was done: it is not done again",
  "too many requests: it waits as long as it is told to",
  "a refusal gives the money back, and the retry is attempt 2 and pays",
  "garbage in place of an answer is believed in nothing",
  "garbage in place of a look-up is never taken for nothing being there",
  "past the key's window what was made is found, and nothing is sent",
  "past the key's window what was not made is not sent, and is given back",
  "nobody can call it refused while it may still be paid",
  "a person closes what nobody else can tell, and what comes back later still counts",
  "all of it comes back, once",
  "a part of it comes back, if there are parts",
  "a destination that changes before the payment begins gets nothing unasked",
  "a destination that changes before the send redirects nothing",
  "a currency that it cannot carry is skipped before anything is reserved",
  "a message that comes again changes nothing more",
  "messages in the wrong order end where the right order ends",
  "a message of somebody else changes nothing",
] as const;
export type Situation = (typeof SITUATIONS)[number];

/** No rail leaves one out: what cannot happen to it has a test that shows why. */
export type Cells = Readonly<Record<Situation, (cell: Cell) => Promise<void>>>;

/** What a rail is to the table: its two destinations for an affiliate, and what moved through it. */
export interface RailDriver {
  readonly method: PayoutMethod;
  /** Stores the program's secrets, where the rail has any. */
  prepare(world: World): Promise<void>;
  /** Gives the affiliate its first or second destination; answers it as `moved` names it. */
  choose(world: World, affiliateId: string, n: 1 | 2): Promise<string>;
  /** Money that left for a payout, whatever became of it later; empty where a rail moves none by itself. */
  moved(world: World, payoutId: string): readonly Moved[];
}

export interface Moved {
  readonly ref: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly destination: string;
  /** How much of it is back, minor units. */
  readonly back: number;
}

export interface AttemptRow {
  readonly n: number;
  readonly key: string;
  readonly state: AttemptState;
  readonly ref: string | null;
  readonly request: string;
}

export const AMOUNT = 1_234;
export const CURRENCY = "EUR";

export interface Cell {
  readonly world: World;
  readonly edge: Edge;
  readonly driver: RailDriver;
  readonly affiliateId: string;
  readonly payoutId: string;
  /** `/v1/payouts/{id}` */
  readonly path: string;
  /** The two destinations; the second exists once it is chosen. */
  readonly destinations: string[];
  choose(n: 1 | 2): Promise<void>;
  read(): Promise<Loose>;
  attempts(): Promise<AttemptRow[]>;
  moved(): readonly Moved[];
  balance(): Promise<Loose>;
  call(verb: string, body?: unknown): Promise<Answer<Loose>>;
  ok(verb: string, body?: unknown): Promise<Loose>;
  /** Asks for the payment and delivers the hint. */
  pay(): Promise<void>;
  /** Time passes, the clockwork ticks, and what it or anybody hinted at is delivered. */
  later(ms: number): Promise<void>;
  /** Time passes, and only the payment's own hint is delivered. */
  look(ms: number): Promise<void>;
  /** So often. */
  laterTimes(times: number, ms: number): Promise<void>;
}

/** Other cells of the same database are not this one's to pay. */
const deliverOwn = async (world: World): Promise<void> => {
  const own = world.hints.splice(0).filter(({ programId }) => programId === world.program.id);
  if (own.length > 0) await deliverBatch(own);
};

const attemptsOf = (payoutId: string): Promise<AttemptRow[]> =>
  rowsOf<AttemptRow>(
    "SELECT n, idempotency_key AS key, state, provider_ref AS ref, request FROM attempts WHERE payout_id = ?1 ORDER BY n",
    payoutId,
  );

const dueOf = async (world: World, affiliateId: string): Promise<string> => {
  await world.sale(affiliateId, AMOUNT, { currency: CURRENCY });
  const { payouts } = await world.generate({ affiliate_ids: [affiliateId] });
  const [payout] = payouts;
  if (payout === undefined) throw new Error("nothing is due");
  return payout.id;
};

export const openCell = async (driver: RailDriver): Promise<Cell> => {
  const world = await openWorld({ destination_cooldown_hours: 0 });
  const edge = meddleWith(world);
  await driver.prepare(world);
  const affiliateId = await world.affiliate();
  const destinations = [await driver.choose(world, affiliateId, 1)];
  const payoutId = await dueOf(world, affiliateId);
  const path = `/v1/payouts/${payoutId}`;
  edge.requests.splice(0);
  const cell: Cell = {
    ...{ world, edge, driver, affiliateId, payoutId, path, destinations },
    async choose(n) {
      destinations[n - 1] = await driver.choose(world, affiliateId, n);
    },
    read: () => world.ok("GET", path),
    attempts: () => attemptsOf(payoutId),
    moved: () => driver.moved(world, payoutId),
    async balance() {
      const { balances } = await world.ok<{ balances: Loose[] }>(
        "GET",
        `/v1/affiliates/${affiliateId}/balance`,
      );
      return balances.find(({ currency }) => currency === CURRENCY) ?? ({} as Loose);
    },
    call: (verb, body) => world.call("POST", `${path}/${verb}`, body),
    ok: (verb, body) => world.ok("POST", `${path}/${verb}`, body),
    async pay() {
      await cell.ok("pay");
      await deliverOwn(world);
    },
    async later(ms) {
      world.advance(ms);
      await world.cron();
      await deliverOwn(world);
    },
    async look(ms) {
      world.advance(ms);
      await deliverBatch([{ kind: "pay", programId: world.program.id, affiliateId, payoutId } as Hint]);
    },
    async laterTimes(times, ms) {
      for (let n = 0; n < times; n++) await cell.later(ms);
    },
  };
  return cell;
};

/** After every cell: sound books, one movement of money at most, the same bytes under a key, and a payout that says what is out. */
export const expectHeld = async ({ world, edge, moved, read, driver }: Cell): Promise<void> => {
  edge.heal();
  await expectSound(world);
  const [one, ...more] = moved();
  expect(more).toEqual([]);
  const bodies = new Map<string, Set<string>>();
  for (const { key, body } of edge.sends()) bodies.set(key, (bodies.get(key) ?? new Set()).add(body));
  expect([...bodies.values()].filter((different) => different.size > 1)).toEqual([]);
  const payout = await read();
  const isByProvider = ["stripe", "paypal", "wise"].includes(String(payout["paid_via"]));
  const said = isByProvider ? Number(payout["amount"]) - Number(payout["returned_amount"]) : 0;
  expect({ rail: driver.method, out: (one?.amount ?? 0) - (one?.back ?? 0) }).toEqual({
    rail: driver.method,
    out: said,
  });
  if (one !== undefined) expect([one.amount, one.currency]).toEqual([payout["amount"], payout["currency"]]);
};
