// The Wise rail over a simulated Wise, without a book: what it freezes becomes an attempt, and every request that leaves is kept.
import type { Affiliate } from "../../src/domain/affiliate.ts";
import type { Attempt, Payout } from "../../src/domain/payout.ts";
import type { RailProgram } from "../../src/rails/rail.ts";
import { type WiseRailPorts, wiseRail } from "../../src/rails/wise.ts";
import { type SimulatorOptions, WiseSimulator } from "../simulators/wise.ts";
import { TOKEN } from "../simulators/wise-caller.ts";

export const NOON = Date.UTC(2026, 10, 1, 12);

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | null;
  readonly body: string;
  readonly redirect: string;
}

const program: RailProgram = { id: "prg_01JZ0000000000000000000001", mode: "test" };

const PAYOUT = {
  id: "po_01JZ00000000000000ABCDEFGH",
  affiliateId: "aff_01JZ0000000000000000000003",
  amount: 10_050,
  currency: "USD",
  method: "wise",
} as unknown as Payout;

const AFFILIATE = {
  id: "aff_01JZ0000000000000000000003",
  name: "Ada Lovelace",
  email: "not-this-one@example.com",
  destination: {
    method: "wise",
    sha: "f".repeat(64),
    account: "Ada@Example.com",
    display: "Ada@Example.com",
    sealed: null,
    currency: "EUR",
  },
} as unknown as Affiliate;

export const payoutOf = (more: Partial<Payout> = {}): Payout => ({ ...PAYOUT, ...more });
export const affiliateOf = (more: Partial<Affiliate> = {}): Affiliate => ({ ...AFFILIATE, ...more });
export const wiseAddress = (more: Partial<NonNullable<Affiliate["destination"]>>): Affiliate =>
  affiliateOf({
    destination: { ...(AFFILIATE.destination as NonNullable<Affiliate["destination"]>), ...more },
  });

export interface SceneOptions extends Omit<SimulatorOptions, "now"> {
  readonly country?: string;
  readonly apiBase?: string;
  readonly mode?: RailProgram["mode"];
}

export const openScene = (options: SceneOptions = {}) => {
  const clock = { now: NOON };
  const simulator = new WiseSimulator({ slowMs: 20, ...options, now: () => clock.now });
  const { id: profile } = simulator.seedProfile({ token: TOKEN, country: options.country ?? "US" });
  const sent: Sent[] = [];
  const secret = {
    present: {
      apiToken: TOKEN,
      profileId: String(profile),
      webhookPublicKey: null,
      account: String(profile),
    } as Awaited<ReturnType<WiseRailPorts["secretOf"]>> | undefined,
  };
  /** Answers in the simulator's place, where it is set and answers at all. */
  const stand: { in: ((request: Request) => Response | undefined) | undefined } = { in: undefined };
  const ports: WiseRailPorts = {
    http: async (request) => {
      const body = request.method === "POST" ? await request.clone().text() : "";
      const { method, url, headers, redirect } = request;
      sent.push({ method, url, authorization: headers.get("authorization"), body, redirect });
      return stand.in?.(request) ?? simulator.fetch(request);
    },
    apiBase: options.apiBase ?? "",
    now: () => clock.now,
    secretOf: async () => secret.present,
  };
  const mode = options.mode ?? "test";
  return {
    clock,
    simulator,
    profile,
    sent,
    secret,
    stand,
    ports,
    rail: wiseRail(ports),
    program: { ...program, mode },
  };
};

export type Scene = ReturnType<typeof openScene>;

/** Freezes the n-th attempt of a payout and begins it, as the turn would. */
export const beginAttempt = async (
  scene: Scene,
  more: { n?: number; payout?: Payout; affiliate?: Affiliate } = {},
): Promise<Attempt> => {
  const payout = more.payout ?? payoutOf();
  const n = more.n ?? 1;
  const key = `po:${payout.id}:${n}`;
  const attemptId = `att_${n}` as const;
  const frozen = await scene.rail.freeze(scene.program, payout, more.affiliate ?? affiliateOf(), {
    attemptId,
    key,
  });
  if ("refusal" in frozen) throw new Error(`refused: ${frozen.refusal.code} ${frozen.refusal.detail}`);
  return {
    id: attemptId,
    payoutId: payout.id,
    affiliateId: payout.affiliateId,
    n,
    rail: frozen.rail,
    providerAccount: frozen.providerAccount,
    apiVersion: frozen.apiVersion,
    destination: frozen.destination,
    key,
    request: frozen.request,
    amount: frozen.amount,
    currency: frozen.currency,
    state: "begun",
    providerRef: null,
    detail: null,
    tries: 0,
    emptySince: null,
    nextAttemptAt: null,
    createdAt: scene.clock.now,
    updatedAt: scene.clock.now,
  };
};

export const json = (status: number, body: unknown): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });

export const send = (scene: Scene, attempt: Attempt) => scene.rail.send(scene.program, attempt);
export const find = (scene: Scene, attempt: Attempt, ref?: string) =>
  scene.rail.find(scene.program, attempt, ref);

/** What there is at Wise: how many transfers, how often money left, and how much. */
export const counted = ({ simulator }: Scene) => {
  const transfers = simulator.transfers();
  return {
    made: transfers.length,
    payments: transfers.reduce((sum, { payments }) => sum + payments, 0),
    paid: transfers.reduce((sum, { paid }) => sum + paid, 0),
  };
};

/** The one transfer that was made. */
export const onlyTransfer = ({ simulator }: Scene) => {
  const [transfer, other] = simulator.transfers();
  if (transfer === undefined || other !== undefined) throw new Error("not exactly one transfer");
  return transfer;
};

/** What went out, in order, without the ids. */
export const callsOf = ({ sent }: Scene): string[] =>
  sent.map(({ method, url }) => `${method} ${new URL(url).pathname.replaceAll(/\d{8}/g, "{id}")}`);
