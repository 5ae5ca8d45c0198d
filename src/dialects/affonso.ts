// Affonso.
import { z } from "zod";
import type { Dialect } from "../http/dialect.ts";

export const affonso: Dialect = {
  name: "affonso",
  title: "Affonso",
  owns: [],
  routes: [],
  unserved: [],
  refuse: ({ status, code, message }) => ({ status, body: { error: { code, message } } }),
  errorSchema: z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
};
