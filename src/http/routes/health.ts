// GET /health: whether the Worker reaches its database; needs no key.
import { z } from "@hono/zod-openapi";
import { pingDatabase } from "../../store/ping.ts";
import type { StipendApp } from "../env.ts";
import { faultLine } from "../fault.ts";
import { Problem } from "../problem.ts";
import { defineRoute } from "../route.ts";
import { jsonAnswer } from "../wire.ts";

const health = defineRoute(
  { to: "public" },
  {
    method: "get",
    path: "/health",
    tags: ["service"],
    summary: "Say whether the service and its database answer",
    responses: { 200: jsonAnswer(z.object({ status: z.literal("ok") }), "Both answer") },
  },
);

export const registerHealth = (app: StipendApp): void => {
  app.openapi(health, async (c) => {
    const ports = c.get("ports");
    try {
      await pingDatabase(ports.db);
    } catch (thrown) {
      ports.log(faultLine(c.get("requestId"), thrown));
      throw new Problem("busy", "The database does not answer.", { headers: { "Retry-After": "5" } });
    }
    return c.json({ status: "ok" as const }, 200);
  });
};
