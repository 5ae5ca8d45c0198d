// The reference: /openapi.json from the routes, and /docs, a page whose script and styles come from this Worker alone.
import type { StipendApp } from "../env.ts";
import { Problem } from "../problem.ts";

/** Served by the Worker's static assets; the build copies them out of the npm package. */
const FILES = ["swagger-ui-bundle.js", "swagger-ui.css"] as const;

/** swagger-ui sets style attributes and draws its icons from data URLs. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stipend API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/init.js"></script>
</body>
</html>
`;

/** validatorUrl null: the badge would ask another host. */
const INIT = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
});
`;

const INFO = {
  title: "Stipend",
  version: "1",
  description:
    "Records affiliate commissions, gathers them into payouts, moves the money once. Amounts are integers of minor " +
    "units beside `currency`; times are UTC; every refusal is RFC 9457 problem+json with a stable `code`.",
};

const documentOf = (app: StipendApp, publicUrl: string): object =>
  app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: INFO,
    servers: [{ url: publicUrl === "" ? "/" : publicUrl }],
  });

export const registerDocs = (app: StipendApp): void => {
  // The routes do not change while the isolate lives.
  let document: object | undefined;
  app.get("/openapi.json", (c) => {
    document ??= documentOf(app, c.get("ports").config.publicUrl);
    return c.json(document);
  });
  app.get("/docs", (c) => c.html(PAGE, 200, { "Content-Security-Policy": PAGE_POLICY }));
  app.get("/docs/init.js", (c) => c.body(INIT, 200, { "Content-Type": "text/javascript; charset=utf-8" }));
  for (const file of FILES) {
    app.get(`/docs/${file}`, async (c) => {
      const answer = await c.env.ASSETS?.fetch(c.req.raw);
      if (answer === undefined || answer.status === 404)
        throw new Problem("not_found", "The file was not built in.");
      const headers = new Headers(answer.headers);
      headers.set("Cache-Control", "public, max-age=3600");
      return new Response(answer.body, { status: answer.status, headers });
    });
  }
};
