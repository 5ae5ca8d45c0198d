// Programs: made and listed by the root key, read and changed by their own keys.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { createAdminKey } from "../../operations/create-api-key.ts";
import { createProgram } from "../../operations/create-program.ts";
import { updateProgram } from "../../operations/update-program.ts";
import { findProgram, listPrograms } from "../../store/programs.ts";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import { type AppEnv, accessOf, ctxOf, type Register } from "../env.ts";
import { Problem } from "../problem.ts";
import { defineRoute } from "../route.ts";
import { idOf, jsonAnswer, jsonBody, listQuery, nameText, pageOf } from "../wire.ts";
import {
  assertReturnUrl,
  newKeySchema,
  newKeyToWire,
  newProgramBody,
  policyPatchOf,
  programPatchBody,
  programSchema,
  programToWire,
} from "../wire-program.ts";

const create = defineRoute(
  { to: "root" },
  {
    method: "post",
    path: "/v1/programs",
    tags: ["programs"],
    summary: "Create a program and its first key",
    request: { body: jsonBody(newProgramBody) },
    responses: {
      201: jsonAnswer(
        z.object({ program: programSchema, api_key: newKeySchema }),
        "The program, and a key that holds program:admin",
      ),
    },
  },
);

const LIST = listQuery({});

const list = defineRoute(
  { to: "root" },
  {
    method: "get",
    path: "/v1/programs",
    tags: ["programs"],
    summary: "List the programs",
    request: { query: LIST },
    responses: { 200: jsonAnswer(pageOf(programSchema), "A page of programs") },
  },
);

const createKey = defineRoute(
  { to: "root" },
  {
    method: "post",
    path: "/v1/programs/{program_id}/api-keys",
    tags: ["programs"],
    summary: "Mint a program:admin key for a program",
    request: {
      params: z.object({ program_id: idOf("prg") }),
      body: jsonBody(z.strictObject({ name: nameText.optional() }), false),
    },
    responses: { 201: jsonAnswer(newKeySchema, "The key") },
  },
);

const read = defineRoute(
  { to: "affiliates:read" },
  {
    method: "get",
    path: "/v1/program",
    tags: ["programs"],
    summary: "Read the key's program and its policy",
    responses: { 200: jsonAnswer(programSchema, "The program") },
  },
);

const update = defineRoute(
  { to: "program:admin" },
  {
    method: "patch",
    path: "/v1/program",
    tags: ["programs"],
    summary: "Change the program's policy",
    description:
      "A field that is given replaces its whole value. What is recorded or claimed already stays as it is.",
    request: { body: jsonBody(programPatchBody) },
    responses: { 200: jsonAnswer(programSchema, "The program") },
  },
);

const ROOT_LIST = { route: "/v1/programs", programId: "root" };

const pageOfPrograms = async (c: Context<AppEnv>, query: z.output<typeof LIST>) => {
  const { db, config } = c.get("ports");
  const { limit, cursor, order = "desc" } = query;
  const place = { ...ROOT_LIST, filters: { order } };
  const [after] = cursor === undefined ? [] : await decodeCursor(config.cursorKey, place, cursor);
  const page = { limit, order, after: after === undefined ? undefined : String(after) };
  const { programs, hasMore } = await listPrograms(db, page);
  const last = programs.at(-1)?.id;
  const isMore = hasMore && last !== undefined;
  const next = isMore ? await encodeCursor(config.cursorKey, place, [last]) : null;
  return { data: programs.map(programToWire), has_more: isMore, next_cursor: next };
};

export const registerPrograms: Register = (app) => {
  app.openapi(create, async (c) => {
    const { mode, ...body } = c.req.valid("json");
    assertReturnUrl(mode, body.onboarding_return_url);
    const { name, default_currency: defaultCurrency } = body;
    const wish = { name, defaultCurrency, mode, policy: policyPatchOf(body) };
    const { program, minted } = await createProgram(c.get("ports"), wish);
    return c.json({ program: programToWire(program), api_key: newKeyToWire(minted) }, 201);
  });
  app.openapi(list, async (c) => c.json(await pageOfPrograms(c, c.req.valid("query")), 200));
  app.openapi(createKey, async (c) => {
    const { name = "Key of the root" } = c.req.valid("json");
    const minted = await createAdminKey(c.get("ports"), c.req.valid("param").program_id, name);
    if (minted === undefined) throw new Problem("not_found", "Not found.");
    return c.json(newKeyToWire(minted), 201);
  });
  app.openapi(read, async (c) => {
    const program = await findProgram(ctxOf(c).db, accessOf(c).program.id);
    return c.json(programToWire(program ?? accessOf(c).program), 200);
  });
  app.openapi(update, async (c) => {
    const body = c.req.valid("json");
    assertReturnUrl(accessOf(c).program.mode, body.onboarding_return_url);
    const patch = { name: body.name, defaultCurrency: body.default_currency, policy: policyPatchOf(body) };
    return c.json(programToWire(await updateProgram(ctxOf(c), patch)), 200);
  });
};
