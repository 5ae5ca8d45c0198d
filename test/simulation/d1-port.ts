// A D1 port that loses requests and answers on demand, and that lets something else happen just before or after a commit.

const LOST = "D1_ERROR: Network connection lost.";

/** `commit` is a batch that writes turns, `write` any other that writes, `read` the rest. */
export type Trip = "commit" | "write" | "read";

export interface Mishap {
  readonly fault: string;
  readonly on: readonly Trip[];
  readonly when: "before" | "after";
  times: number;
}

/** Holds the next commit open while something else happens. */
export interface Gate {
  readonly when: "before" | "after";
  /** 0 where nothing has come by, 1 while a commit waits, 2 when it may go on. */
  stage: 0 | 1 | 2;
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

type Asking = (...options: unknown[]) => Promise<unknown>;

const isWrite = (sql: string): boolean => /^\s*(INSERT|UPDATE|DELETE)\b/i.test(sql);

export class D1Port {
  /** How often anything was to be written. */
  writes = 0;
  pending: Mishap[] = [];
  gate: Gate | undefined;
  readonly #struck: (fault: string) => void;

  constructor(struck: (fault: string) => void) {
    this.#struck = struck;
  }

  clear(): void {
    this.pending = [];
    if (this.gate !== undefined) this.gate.stage = 2;
    this.gate = undefined;
  }

  /** The same database, over which the mishaps come. */
  over(db: D1Database): D1Database {
    const texts = new WeakMap<object, string>();
    const dress = (statement: D1PreparedStatement, sql: string): D1PreparedStatement => {
      texts.set(statement, sql);
      const bind = statement.bind.bind(statement);
      statement.bind = (...values: unknown[]) => dress(bind(...values), sql);
      for (const name of ["first", "all", "run", "raw"] as const) {
        const ask = (Reflect.get(statement, name) as Asking).bind(statement);
        const trip: Trip = isWrite(sql) ? "write" : "read";
        Reflect.set(statement, name, (...options: unknown[]) => this.#travel(trip, () => ask(...options)));
      }
      return statement;
    };
    const tripOf = (statements: readonly object[]): Trip => {
      const sqls = statements.map((statement) => texts.get(statement) ?? "");
      if (sqls.some((sql) => sql.startsWith("INSERT INTO turns"))) return "commit";
      return sqls.some(isWrite) ? "write" : "read";
    };
    return new Proxy(db, {
      get: (target, name) => {
        if (name === "prepare") return (sql: string) => dress(target.prepare(sql), sql);
        if (name === "batch")
          return (statements: D1PreparedStatement[]) =>
            this.#travel(tripOf(statements), () => target.batch(statements));
        return Reflect.get(target, name).bind(target);
      },
    });
  }

  async #travel<T>(trip: Trip, ask: () => Promise<T>): Promise<T> {
    if (trip !== "read") this.writes += 1;
    if (trip === "commit") await this.#wait("before");
    const mishap = this.pending.find(({ on, times }) => times > 0 && on.includes(trip));
    if (mishap === undefined) {
      const answer = await ask();
      if (trip === "commit") await this.#wait("after");
      return answer;
    }
    mishap.times -= 1;
    this.#struck(mishap.fault);
    if (mishap.when === "after") await ask();
    throw new Error(LOST);
  }

  async #wait(when: Gate["when"]): Promise<void> {
    const { gate } = this;
    if (gate === undefined || gate.when !== when || gate.stage !== 0) return;
    gate.stage = 1;
    while (gate.stage === 1) await pause();
  }
}
