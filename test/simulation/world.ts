// One history's world: a fresh program over the Worker's real D1, objects and consumer, with a Stripe of its own and every port at hand.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { type Env, platformPorts, withRails } from "../../src/compose.ts";
import type { Ctx, LogLine, Program, Turnstile } from "../../src/context.ts";
import type { AffiliateId, ProgramId } from "../../src/domain/ids.ts";
import { POLICY_DEFAULTS, type Policy } from "../../src/domain/policy.ts";
import { clocksOf } from "../../src/operations/ctx-for.ts";
import { findProgram, programOf } from "../../src/store/programs.ts";
import { StripeSimulator } from "../simulators/stripe.ts";
import worker from "../worker/entry.ts";
import { seams } from "../worker/seams.ts";
import { D1Port } from "./d1-port.ts";
import { HintPump } from "./queue.ts";
import { emptySnapshot, readSnapshot, type Snapshot } from "./snapshot.ts";
import type { Tally } from "./tally.ts";

export const bindings = env as unknown as Env;

/** 1 November 2026, noon UTC. */
const NOON = Date.UTC(2026, 10, 1, 12);

/** What a client was promised: it must stand in the book from then on. */
export interface Promised {
  readonly affiliateId: AffiliateId;
  readonly amount: number;
  readonly currency: string;
}

export interface Order extends Promised {
  readonly externalId: string;
  readonly occurredAt: number;
  readonly status: "pending" | "approved" | null;
}

export class World {
  readonly programId: ProgramId;
  readonly serial: number;
  readonly tally: Tally;
  readonly stripe: StripeSimulator;
  readonly hints: HintPump;
  /** The port of everything but the objects, and the objects' own. */
  readonly edge: D1Port;
  readonly ledger: D1Port;
  readonly affiliates: AffiliateId[] = [];
  readonly accounts: string[] = [];
  /** Every order that was ever sent, whatever became of it. */
  readonly orders: Order[] = [];
  readonly promisedSales = new Map<string, Promised>();
  /** Refunds by commission and external id, in minor units. */
  readonly promisedRefunds = new Map<string, number>();
  now = NOON;
  before: Snapshot = emptySnapshot();
  /** Faults of ours that struck in this step: an operation may fail without its own fault. */
  disturbed = 0;
  /** Commands go to a second object of the same affiliate, whose memory is its own. */
  throughTwin = false;
  /** Several act at once in this step: a refusal may stand beside the changes of others. */
  crowded = false;
  /** How long the client waits for Stripe, in real milliseconds; undefined for ever. */
  patienceMs: number | undefined;
  /** What was done and answered, for whoever reads a violation. */
  readonly log: string[] = [];
  /** Faults that the code logged in a step in which none had struck. */
  readonly unexplained: string[] = [];
  #minted = 0;
  #named = 0;

  constructor(serial: number, tally: Tally) {
    this.serial = serial;
    this.tally = tally;
    this.programId = `prg_${String(serial).padStart(26, "0")}`;
    const strike = (fault: string): void => this.strike(fault);
    this.edge = new D1Port(strike);
    this.ledger = new D1Port(strike);
    this.hints = new HintPump(bindings, strike);
    let chance = 1;
    const random = (): number => {
      chance = (Math.imul(chance, 48271) >>> 0) % 2147483647;
      return chance / 2147483647;
    };
    this.stripe = new StripeSimulator({ now: () => this.now, random });
    this.#connect();
  }

  strike(fault: string): void {
    this.disturbed += 1;
    this.tally.struck(fault);
  }

  /** A name that no other in this program has. */
  name(prefix: string): string {
    return `${prefix}${++this.#named}`;
  }

  #connect(): void {
    seams.ports = (ports) => ({
      ...ports,
      ledgerOf: this.#ledgers(this.throughTwin),
      now: () => this.now,
      random: (length) => this.#random(length),
      db: this.edge.over(ports.db),
      http: (request) => this.#http(request),
      hints: { send: (hint) => this.#send(hint) },
      sleep: (ms) => this.#sleep(ms),
      log: (line) => this.#heard(line),
    });
    seams.ledger = (ports) => ({
      ...ports,
      now: () => this.now,
      sleep: (ms) => this.#sleep(ms),
      db: this.ledger.over(ports.db),
    });
  }

  /** In order of minting, and never the same in two histories. */
  #random(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, this.serial);
    if (length >= 9) view.setUint32(5, ++this.#minted);
    return bytes;
  }

  /** What the code swallowed and logged is a fault all the same where nothing had struck. */
  #heard(line: LogLine): void {
    this.log.push(`  log: ${JSON.stringify(line)}`);
    const isFault =
      line.event === "hint_failed" || line.event === "payment_fault" || line.event === "book_rewound";
    if (isFault && this.disturbed === 0) this.unexplained.push(JSON.stringify(line));
  }

  /** Whoever waits moves the clock on, and lets the others come first. */
  async #sleep(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.now += ms;
  }

  /** Other programs' histories are over: the sweeper's hints for them go nowhere. */
  async #send(hint: Parameters<HintPump["send"]>[0]): Promise<void> {
    if (hint.programId === this.programId) await this.hints.send(hint);
  }

  async #http(request: Request): Promise<Response> {
    const { patienceMs } = this;
    const asked =
      patienceMs === undefined ? request : new Request(request, { signal: AbortSignal.timeout(patienceMs) });
    const isLookUp = request.method === "GET" && new URL(request.url).pathname === "/v1/transfers";
    try {
      const response = await this.stripe.fetch(asked);
      if (response.status === 409) this.tally.struck("stripe_key_in_use_409");
      if (isLookUp && !response.ok) this.tally.struck("stripe_look_up_lost");
      return response;
    } catch (fault) {
      if (isLookUp) this.tally.struck("stripe_look_up_lost");
      throw fault;
    }
  }

  stub(affiliateId: AffiliateId, twin: boolean): DurableObjectStub {
    const name = `${this.programId}:${affiliateId}`;
    return bindings.AFFILIATE_LEDGER.getByName(twin ? `${name}:twin` : name);
  }

  /** Whoever was sent to the second object stays with it, whatever the next one is sent to. */
  #ledgers(twin: boolean): Ctx["ledgerOf"] {
    return (_programId, affiliateId) => {
      if (twin) this.tally.struck("stale_second_object");
      return this.stub(affiliateId, twin) as unknown as Turnstile;
    };
  }

  async open(policy: Partial<Policy>): Promise<void> {
    const sql =
      "INSERT INTO programs (id, name, mode, default_currency, policy, policy_version, created_at) VALUES (?1, ?2, 'test', 'USD', ?3, 1, 0)";
    const values = [`Shop ${this.serial}`, JSON.stringify({ ...POLICY_DEFAULTS, hold_days: 0, ...policy })];
    await bindings.DB.prepare(sql)
      .bind(this.programId, ...values)
      .run();
  }

  /** As a key's look-up showed it some time ago: operations must not trust it where it matters. */
  async program(): Promise<Program> {
    const [row] = this.before.programs;
    const program = row === undefined ? await findProgram(bindings.DB, this.programId) : programOf(row);
    if (program === undefined) throw new Error("the program is gone");
    return program;
  }

  async ctx(key = "key_one"): Promise<Ctx> {
    const ports = withRails(seams.ports(platformPorts(bindings, undefined)));
    const actor = { type: "key", id: key } as const;
    const program = await this.program();
    return { ...ports, ...clocksOf(ports, program), program, actor, requestId: "simulation" };
  }

  async cron(): Promise<void> {
    const execution = createExecutionContext();
    const controller = { cron: "* * * * *", scheduledTime: this.now, noRetry: () => undefined };
    await worker.scheduled(controller as ScheduledController, bindings, execution);
    await waitOnExecutionContext(execution);
  }

  /** Counts what the provider saw. */
  close(): void {
    const { faults, transfers } = this.stripe.state();
    for (const [fault, times] of Object.entries(faults.fired)) this.tally.struck(`stripe_${fault}`, times);
    this.tally.transfers += transfers.length;
  }

  /** Grows with everything that is asked to change, here or at the provider. */
  get touched(): number {
    return this.edge.writes + this.ledger.writes + this.stripe.transfers().length;
  }

  snapshot(): Promise<Snapshot> {
    return readSnapshot(bindings.DB, this.programId, this.stripe);
  }
}
