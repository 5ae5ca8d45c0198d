// Runs: what each generation made, whom it skipped, and whether it is through.
import { z } from "@hono/zod-openapi";
import { Refused, refuse } from "../../domain/refusals.ts";
import { listRuns, listSkips, readRunOutcome } from "../../store/run-outcome.ts";
import { findRun, runOf } from "../../store/runs.ts";
import { ctxOf, type Register } from "../env.ts";
import { pageAnswer, pageOfQuery } from "../paging.ts";
import { defineRoute } from "../route.ts";
import { idOf, jsonAnswer, listQuery, pageOf } from "../wire.ts";
import { runSchema, runToWire, skipSchema, skipToWire } from "../wire-run.ts";

const PARAMS = z.object({ run_id: idOf("run") });

const list = defineRoute(
  { to: "payouts:read" },
  {
    method: "get",
    path: "/v1/payout-runs",
    tags: ["runs"],
    summary: "List runs",
    request: { query: listQuery({}) },
    responses: { 200: jsonAnswer(pageOf(runSchema), "A page of runs") },
  },
);

const read = defineRoute(
  { to: "payouts:read" },
  {
    method: "get",
    path: "/v1/payout-runs/{run_id}",
    tags: ["runs"],
    summary: "Read a run",
    request: { params: PARAMS },
    responses: { 200: jsonAnswer(runSchema, "The run") },
  },
);

const skipped = defineRoute(
  { to: "payouts:read" },
  {
    method: "get",
    path: "/v1/payout-runs/{run_id}/skipped",
    tags: ["runs"],
    summary: "List whom a run skipped, and why",
    request: { params: PARAMS, query: listQuery({}) },
    responses: { 200: jsonAnswer(pageOf(skipSchema), "A page of skips") },
  },
);

const notFound = (): Refused => new Refused(refuse("run_not_found", "No such run in this program.").refusal);

export const registerRuns: Register = (app) => {
  app.openapi(list, async (c) => {
    const query = c.req.valid("query");
    const { db, program } = ctxOf(c);
    const page = await pageOfQuery(c, query);
    const rows = await listRuns(db, program.id, page.after, page.order, page.limit + 1);
    const runs = rows.slice(0, page.limit).map(runOf);
    const data = await Promise.all(runs.map(async (run) => runToWire(run, await readRunOutcome(db, run, 0))));
    return c.json(await pageAnswer(c, query, data, rows.length > page.limit, runs.at(-1)?.id), 200);
  });
  app.openapi(read, async (c) => {
    const { db, program } = ctxOf(c);
    const run = await findRun(db, program.id, c.req.valid("param").run_id);
    if (run === undefined) throw notFound();
    return c.json(runToWire(run, await readRunOutcome(db, run, 0)), 200);
  });
  app.openapi(skipped, async (c) => {
    const asked = c.req.valid("query");
    const query = { ...asked, order: asked.order ?? ("asc" as const) };
    const { db, program } = ctxOf(c);
    const run = await findRun(db, program.id, c.req.valid("param").run_id);
    if (run === undefined) throw notFound();
    const page = await pageOfQuery(c, query);
    const rows = await listSkips(db, run, page);
    const shown = rows.slice(0, page.limit);
    const last = shown.at(-1);
    const lastKey = last === undefined ? undefined : `${last.affiliateId} ${last.currency}`;
    return c.json(await pageAnswer(c, query, shown.map(skipToWire), rows.length > page.limit, lastKey), 200);
  });
};
