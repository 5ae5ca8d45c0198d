// Affihub.
import { z } from "zod";
import type { Dialect } from "../http/dialect.ts";

export const affihub: Dialect = {
  name: "affihub",
  title: "Affihub",
  owns: ["/api/v1/**"],
  routes: [],
  unserved: [],
  refuse: ({ status, code, message }) => ({ status, body: { error: { code, message } } }),
  errorSchema: z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
};
