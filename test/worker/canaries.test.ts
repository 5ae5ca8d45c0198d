// Nothing private gets out: words planted in names, accounts, notes and secrets are looked for in everything that others read.
import { expect, test } from "vitest";
import { rowsOf } from "./books.ts";
import { KINDS, openTrapped, type Trapped, tablesWith } from "./canaries-trap.ts";
import { breakProviders, fail, live, refuse } from "./canaries-walk.ts";

const PRIVATE = ["person", "email", "bank", "tax", "secret"] as const;

/** Where of the given texts which canary was heard. */
const leaks = (
  { trap }: Trapped,
  texts: readonly (readonly [where: string, text: string])[],
  kinds: readonly (typeof KINDS)[number][] = KINDS,
): string[] => [
  ...new Set(
    texts.flatMap(([where, text]) => trap.found(text, kinds).map((canary) => `${where} ← ${canary}`)),
  ),
];

const isProblem = (headers: Headers): boolean =>
  (headers.get("content-type") ?? "").startsWith("application/problem+json");

test("no log line, no problem, no event, no message and no verdict tells what was planted", async () => {
  const trapped = await openTrapped();
  const ids = await live(trapped);
  const succeeded = trapped.heard.filter(({ status }) => status < 300).length;
  expect(succeeded).toBeGreaterThan(120);
  await refuse(trapped, ids);
  await breakProviders(trapped);
  await fail(trapped, ids);
  const { lines, heard } = trapped;
  const statuses: Record<string, number> = {};
  for (const { status } of heard) statuses[status] = (statuses[status] ?? 0) + 1;
  const problems = heard.filter(({ headers, status }) => isProblem(headers) || status === 0);
  const tables = await tablesWith(trapped, [
    "person",
    "email",
    "bank",
    "tax",
    "secret",
    "provider",
    "header",
  ]);
  const out = {
    statuses,
    planted: trapped.trap.planted.length,
    succeeded,
    lines: lines.length,
    faults: lines.filter((line) => line.includes('"event":"fault"')).length,
    inLines: leaks(
      trapped,
      lines.map((line) => [line.slice(0, 200), line]),
    ).slice(0, 30),
    inProblems: leaks(
      trapped,
      problems.map(({ request, status, text }) => [`${request} ${status} ${text}`.slice(0, 300), text]),
    ).slice(0, 30),
    tables: [...new Set(tables)],
  };
  throw new Error(JSON.stringify(out, null, 1));
});
