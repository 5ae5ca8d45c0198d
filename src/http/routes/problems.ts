// GET /problems/{code}: the page that a problem's `type` leads to.
import type { StipendApp } from "../env.ts";
import { Problem, problemPage } from "../problem.ts";

export const registerProblems = (app: StipendApp): void => {
  app.get("/problems/:code", (c) => {
    const page = problemPage(c.req.param("code"));
    if (page === undefined) throw new Problem("not_found", "There is no such problem.");
    return c.text(page);
  });
};
