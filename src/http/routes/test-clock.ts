// POST /v1/test-clock: a test program's time goes forward, and what falls due is set going.
import { z } from "@hono/zod-openapi";
import { toInstant } from "../../domain/dates.ts";
import { advanceClock } from "../../operations/advance-clock.ts";
import { accessOf, ctxOf, type Register } from "../env.ts";
import { Problem } from "../problem.ts";
import { defineRoute } from "../route.ts";
import { instant, instantText, jsonAnswer, jsonBody } from "../wire.ts";

const advance = defineRoute(
  { to: "program:admin" },
  {
    method: "post",
    path: "/v1/test-clock",
    tags: ["programs"],
    summary: "Move a test program's clock forward",
    description:
      "Moves holds, periods, schedules and due retries of the program, and sets going what falls due. Providers' memories of keys, signatures, tokens and the expiry of keys go by real time. A live program answers 403.",
    request: {
      body: jsonBody(
        z.strictObject({
          advance_to: instant.openapi({
            description: "Later than the program's present time; at most ten years ahead.",
          }),
        }),
      ),
    },
    responses: {
      200: jsonAnswer(
        z.object({ now: instantText, before: instantText }).openapi("TestClock"),
        "The program's time, now and before",
      ),
    },
  },
);

export const registerTestClock: Register = (app) => {
  app.openapi(advance, async (c) => {
    const { program } = accessOf(c);
    if (program.mode === "live") throw new Problem("forbidden", "A live program's clock is real time.");
    const { now, before } = await advanceClock(ctxOf(c), c.req.valid("json").advance_to);
    c.get("keyRing").forget(program.id);
    return c.json({ now: toInstant(now), before: toInstant(before) }, 200);
  });
};
