// Counts what D1 is asked: each batch, and each statement that runs by itself, is one round trip.
import { seams } from "./seams.ts";

export interface Trips {
  count: number;
}

const RUNS: readonly PropertyKey[] = ["first", "all", "run", "raw"];

const counted = (db: D1Database, trips: Trips): D1Database => {
  const inner = new WeakMap<object, D1PreparedStatement>();
  const watch = (statement: D1PreparedStatement): D1PreparedStatement => {
    const watched = new Proxy(statement, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        return (...values: unknown[]) => {
          if (RUNS.includes(name)) trips.count += 1;
          const result: unknown = Reflect.apply(member, target, values);
          return name === "bind" ? watch(result as D1PreparedStatement) : result;
        };
      },
    });
    inner.set(watched, statement);
    return watched;
  };
  const batch = (statements: D1PreparedStatement[]) => {
    trips.count += 1;
    return db.batch(statements.map((statement) => inner.get(statement) ?? statement));
  };
  return { prepare: (sql: string) => watch(db.prepare(sql)), batch } as unknown as D1Database;
};

/** From now on every request of the Worker and of its objects is counted; objects that live already keep their ports. */
export const countTrips = (): Trips => {
  const trips: Trips = { count: 0 };
  const { ports, ledger } = seams;
  seams.ports = (made) => {
    const own = ports(made);
    return { ...own, db: counted(own.db, trips) };
  };
  seams.ledger = (made) => {
    const own = ledger(made);
    return { ...own, db: counted(own.db, trips) };
  };
  return trips;
};
