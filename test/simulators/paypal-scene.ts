// A rail over the simulated PayPal for tests without a Worker: one program, one affiliate, attempts as the ledger would keep them.

import type { Affiliate } from "../../src/domain/affiliate.ts";
import type { Attempt, Payout } from "../../src/domain/payout.ts";
import { type PayPalRailPorts, paypalRail } from "../../src/rails/paypal.ts";
import type { RailProgram } from "../../src/rails/rail.ts";
import { PayPalSimulator, type SimulatorOptions } from "./paypal.ts";

/** 2 November 2026, 9 o'clock UTC. */
export const START = Date.UTC(2026, 10, 2, 9);
export const DAY_MS = 86_400_000;
export const RECEIVER = "Ada.Payee@example.com";
export const WEBHOOK_ID = "4JH86294D6297924G";

const body = (n: number): string => `01JBQ${String(n).padStart(21, "0")}`;

let serial = 0;

const AFFILIATE: Affiliate = {
  id: `aff_${body(1)}`,
  externalId: null,
  name: "Ada Lovelace",
  email: "ada@example.com",
  country: null,
  metadata: null,
  status: "active",
  overrides: {},
  destination: {
    method: "paypal",
    sha: "sha of the address",
    account: RECEIVER,
    display: RECEIVER,
    sealed: null,
    currency: null,
  },
  destinationChangedAt: null,
  ready: true,
  missing: [],
  readyAsOf: null,
  onboardedAt: null,
  taxForm: null,
  createdAt: START,
  updatedAt: START,
};

const payoutOf = (amount: number, currency: string, n: number): Payout => ({
  id: `po_${body(n)}`,
  affiliateId: AFFILIATE.id,
  currency,
  gross: amount,
  recovered: 0,
  refunded: 0,
  amount,
  returnedAmount: 0,
  latePaid: 0,
  commissionCount: 1,
  periodStart: "2026-10-01",
  periodEnd: "2026-10-31",
  status: "processing",
  sent: false,
  method: "paypal",
  destinationSha: "sha of the address",
  attemptCount: 0,
  externalRef: null,
  externalId: null,
  createdBy: "key",
  approvedAt: null,
  approvedBy: null,
  paidAt: null,
  paidVia: null,
  expectedBy: null,
  stalledAt: null,
  failureCode: null,
  failureDetail: null,
  adminNote: null,
  partnerMessage: null,
  runId: null,
  sessionId: null,
  claims: 1,
  history: [],
  createdAt: START,
  updatedAt: START,
});

export type SceneOptions = SimulatorOptions & {
  mode?: RailProgram["mode"];
  apiBase?: string;
  receiver?: string;
};

/** Everything is fresh: the simulator, its clock, and an app of its own, since tokens are kept by app. */
export function paypalScene(options: SceneOptions = {}) {
  const { mode = "test", apiBase = "", receiver = RECEIVER, ...rest } = options;
  const clock = { ms: START };
  const simulator = new PayPalSimulator({ now: () => clock.ms, ...rest });
  const clientId = `app-${++serial}-${crypto.randomUUID()}`;
  const stored = {
    secrets: {
      clientId,
      clientSecret: "the secret",
      webhookId: WEBHOOK_ID as string | null,
      account: clientId,
    },
  };
  const asked: Request[] = [];
  const ports: PayPalRailPorts = {
    http: (request) => {
      asked.push(request.clone() as Request);
      return simulator.fetch(request);
    },
    apiBase,
    now: () => clock.ms,
    secretOf: async () => stored.secrets,
  };
  const rail = paypalRail(ports);
  const program: RailProgram = { id: `prg_${body(7)}`, mode };
  const affiliate: Affiliate = {
    ...AFFILIATE,
    destination: AFFILIATE.destination === null ? null : { ...AFFILIATE.destination, account: receiver },
  };

  const freeze = (amount = 1_234, currency = "USD", n = 1) => {
    const payout = payoutOf(amount, currency, 40 + n);
    const next = { attemptId: `att_${body(90 + n)}` as const, key: `po:${payout.id}:1` };
    return { payout, next, frozen: rail.freeze(program, payout, affiliate, next) };
  };

  /** An attempt as begin_payment writes it, a moment ago. */
  const begun = async (amount?: number, currency?: string, n?: number): Promise<Attempt> => {
    const { payout, next, frozen } = freeze(amount, currency, n);
    const instruction = await frozen;
    if ("refusal" in instruction) throw new Error(instruction.refusal.detail);
    return {
      id: next.attemptId,
      payoutId: payout.id,
      affiliateId: affiliate.id,
      n: 1,
      rail: "paypal",
      providerAccount: instruction.providerAccount,
      apiVersion: instruction.apiVersion,
      destination: instruction.destination,
      key: next.key,
      request: instruction.request,
      amount: payout.amount,
      currency: payout.currency,
      state: "begun",
      providerRef: null,
      detail: null,
      tries: 0,
      emptySince: null,
      nextAttemptAt: null,
      createdAt: clock.ms,
      updatedAt: clock.ms,
    };
  };

  /** An attempt that PayPal has taken, and what it answered. */
  const sent = async (amount?: number, currency?: string, n?: number): Promise<Attempt> => {
    const attempt = await begun(amount, currency, n);
    const outcome = await rail.send(program, attempt);
    if (outcome.kind !== "accepted") throw new Error(`not accepted: ${JSON.stringify(outcome)}`);
    return { ...attempt, state: "accepted", providerRef: outcome.ref, tries: 1 };
  };

  return { clock, simulator, stored, asked, ports, rail, program, affiliate, clientId, freeze, begun, sent };
}

export type PayPalScene = ReturnType<typeof paypalScene>;

/** The same attempt after an answer that said nothing. */
export const afterSilence = (attempt: Attempt): Attempt => ({ ...attempt, state: "unknown", tries: 1 });
