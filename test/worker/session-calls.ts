// The calls of a payout session as tests make and read them.
import type { Answer, Loose, World } from "./world.ts";

export interface Session extends Loose {
  readonly title: string;
  readonly row_count: number;
  readonly paid_count: number;
}

interface Skipped {
  readonly affiliate_id: string;
  readonly currency: string;
  readonly reason: string;
}

export interface UnpaidGroup {
  readonly affiliate_id: string;
  readonly affiliate?: { readonly name: string };
  readonly currency: string;
  readonly gross_amount: number;
  readonly reversal_amount: number;
  readonly amount: number;
  readonly commission_count: number;
  readonly commissions: readonly { readonly id: string; readonly amount: number }[];
  readonly blockers: readonly { readonly reason: string }[];
}

export interface UnpaidPage {
  readonly data: readonly UnpaidGroup[];
  readonly skipped: readonly Skipped[];
  readonly has_more: boolean;
  readonly next_cursor: string | null;
}

export interface SessionRow {
  readonly affiliate_id: string;
  readonly currency: string;
  readonly commission_count: number;
  readonly gross_amount: number;
  readonly reversal_amount: number;
  readonly amount: number;
  readonly status: string;
  readonly payout_id: string | null;
  readonly blockers: readonly { readonly reason: string }[];
  readonly changes: readonly Loose[];
  readonly failure: { readonly code: string } | null;
}

export interface Summary {
  readonly status: string;
  readonly summary: readonly SessionRow[];
  readonly totals: readonly { readonly currency: string; readonly amount: number; readonly count: number }[];
  readonly skipped: readonly Skipped[];
  readonly has_more: boolean;
  readonly next_cursor: string | null;
}

export interface Failed {
  readonly affiliate_id: string;
  readonly currency: string;
  readonly code: string;
  readonly detail: string;
  readonly payout_id?: string;
  readonly session_id?: string;
}

export interface Paid {
  readonly status: string;
  readonly payouts: readonly (Loose & { readonly affiliate_id: string; readonly amount: number })[];
  readonly failed: readonly Failed[];
  readonly remaining: number;
  readonly code?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
  readonly [fact: string]: unknown;
}

const path = (session: Pick<Session, "id">, verb: string): string =>
  `/v1/payout-sessions/${session.id}/${verb}`;

export const start = (world: World, title = "A round"): Promise<Session> =>
  world.ok("POST", "/v1/payout-sessions", { title });

export const unpaid = (world: World, session: Session, query = ""): Promise<UnpaidPage> =>
  world.ok("GET", path(session, `unpaid${query === "" ? "" : `?${query}`}`));

const wishOf = (world: World, more: object): object => ({
  up_to: new Date(world.now()).toISOString().slice(0, 10),
  commission_ids: "all",
  ...more,
});

export const select = (world: World, session: Session, more: object = {}): Promise<Summary> =>
  world.ok("PUT", path(session, "selection"), wishOf(world, more));

export const trySelect = (world: World, session: Session, more: object = {}): Promise<Answer<Paid>> =>
  world.call("PUT", path(session, "selection"), wishOf(world, more));

export const summary = (world: World, session: Session, query = ""): Promise<Summary> =>
  world.ok("GET", path(session, `summary${query}`));

export const paySession = (
  world: World,
  session: Session,
  headers: Record<string, string> = {},
): Promise<Answer<Paid>> => world.call("POST", path(session, "pay"), {}, headers);

export const markPaid = (
  world: World,
  session: Session,
  body: object,
  headers: Record<string, string> = {},
): Promise<Answer<Paid>> => world.call("POST", path(session, "mark-paid"), body, headers);
