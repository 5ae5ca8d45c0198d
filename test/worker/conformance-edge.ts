// The edge of the process under test: what leaves it is written down, can be answered otherwise, and the process can end at any point.
import type { Turnstile } from "../../src/context.ts";
import type { Command } from "../../src/domain/ledger/command.ts";
import { type EdgePorts, seams } from "./seams.ts";
import type { World } from "./world.ts";

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

export interface Send {
  /** What the provider knows the instruction by. */
  readonly key: string;
  readonly body: string;
}

type CommandKind = Command["kind"];

/** Answers a request in the provider's place, before or after `forward` has asked the provider. */
export type Meddler = (sent: Sent, forward: () => Promise<Response>) => Promise<Response>;

export interface Edge {
  /** All that was to leave the process, oldest first. */
  readonly requests: Sent[];
  /** Instructions to pay among them. */
  sends(): Send[];
  meddler: Meddler | undefined;
  /** The process ends before or after the next turn of a kind. */
  endAt(when: "before" | "after", kind: CommandKind): void;
  /** The process ends now: nothing that it does from here on reaches anything. */
  end(): never;
  readonly hasEnded: boolean;
  /** Another process takes over. */
  restart(): void;
  /** The next turns of a kind are told that the ledger is busy. */
  makeBusy(kind: CommandKind, times: number): void;
  /** The database commits the next turn of the object, and its answer is lost. */
  loseNextCommit(): void;
  readonly commitsLost: number;
  /** The turns that were asked for, by kind. */
  readonly turns: CommandKind[];
  /** Nothing is meddled with any more. */
  heal(): void;
}

const GONE = "the process has ended";

const sentBy = async (request: Request): Promise<Sent> => ({
  method: request.method,
  url: request.url,
  headers: new Headers(request.headers),
  body: request.method === "GET" ? "" : await request.clone().text(),
});

/** The key under which a provider does an instruction once; undefined where the request is none. */
const keyOf = ({ method, url, headers, body }: Sent): string | undefined => {
  const { pathname } = new URL(url);
  if (method !== "POST") return undefined;
  if (pathname === "/v1/transfers") return headers.get("idempotency-key") ?? "";
  if (pathname === "/v1/payments/payouts")
    return (JSON.parse(body) as { sender_batch_header: { sender_batch_id: string } }).sender_batch_header
      .sender_batch_id;
  if (/^\/2026Q3\/transfers$/.test(pathname))
    return (JSON.parse(body) as { customerTransactionId: string }).customerTransactionId;
  return undefined;
};

interface State {
  hasEnded: boolean;
  end: { readonly when: "before" | "after"; readonly kind: CommandKind } | undefined;
  busy: { readonly kind: CommandKind; times: number } | undefined;
  isLosing: boolean;
  commitsLost: number;
}

const turnstileOf = (inner: Turnstile, state: State, turns: CommandKind[]): Turnstile => {
  const alive = <T>(work: () => Promise<T>): Promise<T> =>
    state.hasEnded ? Promise.reject(new Error(GONE)) : work();
  const endsAt = (when: "before" | "after", kind: CommandKind): boolean => {
    if (state.end?.when !== when || state.end.kind !== kind) return false;
    state.end = undefined;
    state.hasEnded = true;
    return true;
  };
  return {
    leaseCall: (request) => alive(() => inner.leaseCall(request)),
    endCall: (attemptId) => alive(() => inner.endCall(attemptId)),
    apply: (request) =>
      alive(async () => {
        const { kind } = request.command;
        if (endsAt("before", kind)) throw new Error(GONE);
        if (state.busy?.kind === kind && state.busy.times-- > 0) return { kind: "busy", retryAfterS: 1 };
        turns.push(kind);
        const answer = await inner.apply(request);
        if (endsAt("after", kind)) throw new Error(GONE);
        return answer;
      }),
  };
};

const losing = (db: D1Database, state: State): D1Database =>
  new Proxy(db, {
    get(target, name) {
      if (name !== "batch") return Reflect.get(target, name).bind(target);
      return async (statements: D1PreparedStatement[]) => {
        const answer = await target.batch(statements);
        const isCommit = answer.some(({ meta }) => (meta.rows_written ?? 0) > 0);
        if (!state.isLosing || !isCommit) return answer;
        state.isLosing = false;
        state.commitsLost += 1;
        throw new Error("D1_ERROR: Network connection lost.");
      };
    },
  });

/** Lays itself over the ports of a world that is just open: objects keep the ports that they began with. */
export const meddleWith = (_world: World): Edge => {
  const state: State = { hasEnded: false, end: undefined, busy: undefined, isLosing: false, commitsLost: 0 };
  const requests: Sent[] = [];
  const turns: CommandKind[] = [];
  const [plainPorts, plainLedger] = [seams.ports, seams.ledger];
  const http =
    (made: EdgePorts): EdgePorts["http"] =>
    async (request) => {
      if (state.hasEnded) throw new Error(GONE);
      const sent = await sentBy(request);
      requests.push(sent);
      const forward = () => made.http(request);
      return edge.meddler === undefined ? forward() : edge.meddler(sent, forward);
    };
  seams.ports = (ports) => {
    const made = plainPorts(ports);
    return {
      ...made,
      http: http(made),
      ledgerOf: (programId, affiliateId) => turnstileOf(made.ledgerOf(programId, affiliateId), state, turns),
    };
  };
  seams.ledger = (ports) => {
    const made = plainLedger(ports);
    return { ...made, db: losing(made.db, state) };
  };
  const edge: Edge = {
    ...{ requests, turns, meddler: undefined },
    sends: () =>
      requests.flatMap((sent) => {
        const key = keyOf(sent);
        return key === undefined ? [] : [{ key, body: sent.body }];
      }),
    endAt: (when, kind) => {
      state.end = { when, kind };
    },
    end: () => {
      state.hasEnded = true;
      throw new Error(GONE);
    },
    get hasEnded() {
      return state.hasEnded;
    },
    restart: () => {
      state.hasEnded = false;
      edge.meddler = undefined;
    },
    makeBusy: (kind, times) => {
      state.busy = { kind, times };
    },
    loseNextCommit: () => {
      state.isLosing = true;
    },
    get commitsLost() {
      return state.commitsLost;
    },
    heal: () => {
      Object.assign(state, { hasEnded: false, end: undefined, busy: undefined, isLosing: false });
      edge.meddler = undefined;
    },
  };
  return edge;
};
