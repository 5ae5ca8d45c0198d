// The Worker as it is deployed, over a D1 binding that counts, with the bench's own paths in front of it.
/// <reference types="@cloudflare/workers-types" />

import { type Env, ledgerPorts, makeWorker, platformPorts, withRails } from "../../../src/compose.ts";
import type { Hint } from "../../../src/context.ts";
import { affiliateLedger } from "../../../src/ledger/affiliate-ledger.ts";
import type { BareGenerate, BareRecord, Seed, Span } from "../control.ts";
import { bareGenerate, bareRecord } from "./bare.ts";
import { countedDb, countsNow, resetCounts } from "./counted-db.ts";
import { seedProgram } from "./seed.ts";

export class AffiliateLedger extends affiliateLedger<Env>((env) => ({
  ...ledgerPorts(env),
  db: countedDb(env.DB),
})) {}

const worker = makeWorker<Env>((env, execution) =>
  withRails({ ...platformPorts(env, execution), db: countedDb(env.DB) }),
);

const spans: Span[] = [];

/** workerd's clock stands still between two ends of I/O, so a pause lets it catch up before it is read. */
const timed = async <T>(name: Span["name"], work: () => T | Promise<T>): Promise<T> => {
  const began = Date.now();
  try {
    return await work();
  } finally {
    await scheduler.wait(0);
    spans.push({ name, ms: Date.now() - began });
  }
};

const answer = async (request: Request, env: Env, path: string): Promise<Response> => {
  switch (path) {
    case "/__bench/reset":
      resetCounts();
      spans.length = 0;
      return Response.json({});
    case "/__bench/counts":
      return Response.json(countsNow());
    case "/__bench/spans":
      return Response.json(spans);
    case "/__bench/seed":
      await seedProgram(env.DB, await request.json<Seed>());
      return Response.json({});
    case "/__bench/bare-generate":
      return Response.json(await bareGenerate(env.DB, await request.json<BareGenerate>()));
    case "/__bench/bare-record":
      return Response.json(
        { rowsWritten: await bareRecord(env.DB, await request.json<BareRecord>()) },
        { status: 201 },
      );
    default:
      return new Response(`no ${path}`, { status: 404 });
  }
};

export default {
  fetch(request, env, execution) {
    const path = new URL(request.url).pathname;
    if (path.startsWith("/__bench/")) return answer(request, env, path);
    const handle = () => worker.fetch(request, env, execution);
    return path === "/v1/payouts/generate" ? timed("generate", handle) : handle();
  },
  queue: (batch, env, execution) => timed("queue", () => worker.queue(batch, env, execution)),
  scheduled: worker.scheduled,
} satisfies ExportedHandler<Env, Hint>;
