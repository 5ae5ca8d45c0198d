// The house's laws, held against the source: who imports whom, what the domain may not know, and how large a room may be.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it, test } from "vitest";
import { COUNTED_ONE_IN, FUSES } from "../src/http/fuse.ts";

const root = resolve(import.meta.dirname, "..");
const src = join(root, "src");

interface Source {
  /** Below src, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

const sources: readonly Source[] = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => ({ path: name.replaceAll("\\", "/"), text: readFileSync(join(src, name), "utf8") }));

const roomOf = (path: string): string =>
  path.includes("/") ? path.slice(0, path.indexOf("/")) : path.replace(/\.ts$/, "");

interface Import {
  readonly from: string;
  readonly to: string;
}

const IMPORT = /^(?:import|export)\b(?:[^"';=]*?\bfrom)?\s*"([^"]+)";$|\bimport\("([^"]+)"\)/gm;

const importsOf = ({ path, text }: Source): readonly Import[] =>
  [...text.matchAll(IMPORT)]
    .map(([, named, dynamic]) => named ?? dynamic ?? "")
    .map((specifier) => ({
      from: path,
      to: specifier.startsWith(".")
        ? relative(src, resolve(src, dirname(path), specifier)).replaceAll("\\", "/")
        : specifier,
    }));

const imports = sources.flatMap(importsOf);
const own = imports.filter(({ to }) => sources.some(({ path }) => path === to));
const foreign = imports.filter(({ to }) => !sources.some(({ path }) => path === to));

/** Which rooms a room may look into; store reads are the edge's, store's writers are not. */
const LAW: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  context: ["domain", "rails/rail.ts"],
  store: ["domain"],
  rails: ["domain"],
  ledger: ["domain", "store/book.ts", "store/book-load.ts", "store/book-standing.ts"],
  operations: ["domain", "store", "rails/rail.ts", "context.ts"],
  jobs: ["operations", "domain", "context.ts"],
  http: ["operations", "domain", "context.ts", "store"],
  // Of the edge a dialect sees its contract alone, as operations see a rail's.
  dialects: ["operations", "domain", "context.ts", "store", "http/dialect.ts"],
  compose: ["domain", "context.ts", "store", "rails", "ledger", "operations", "jobs", "http", "dialects"],
  index: [
    "domain",
    "context.ts",
    "store",
    "rails",
    "ledger",
    "operations",
    "jobs",
    "http",
    "dialects",
    "compose.ts",
  ],
};

const allows = (room: string, to: string): boolean =>
  roomOf(to) === room || (LAW[room] ?? []).some((allowed) => to === allowed || to.startsWith(`${allowed}/`));

describe("the import law", () => {
  it("knows every room", () => {
    expect(
      [...new Set(sources.map(({ path }) => roomOf(path)))].filter((room) => LAW[room] === undefined),
    ).toEqual([]);
  });

  it("lets each room import only what stands below it", () => {
    expect(own.filter(({ from, to }) => !allows(roomOf(from), to))).toEqual([]);
  });

  it("lets nothing import the entry", () => {
    expect(own.filter(({ to }) => to === "index.ts")).toEqual([]);
  });

  it("keeps the edge away from the writers of the book", () => {
    const writers = [
      "store/book.ts",
      "store/book-journal.ts",
      "store/book-objects.ts",
      "store/statements.ts",
    ];
    expect(
      own.filter(
        ({ from, to }) => ["http", "jobs", "dialects"].includes(roomOf(from)) && writers.includes(to),
      ),
    ).toEqual([]);
  });

  it.each([
    ["drizzle-orm", ["store"]],
    ["hono", ["http"]],
    ["@hono/zod-openapi", ["http"]],
    ["stripe", ["rails"]],
    ["ibantools", ["http", "operations"]],
    ["cloudflare:workers", ["ledger"]],
  ])("keeps %s in its room", (name, rooms) => {
    const strays = foreign.filter(
      ({ from, to }) => (to === name || to.startsWith(`${name}/`)) && !rooms.includes(roomOf(from)),
    );
    expect(strays).toEqual([]);
  });

  it("lets one module alone make transfers", () => {
    expect(sources.filter(({ text }) => text.includes("transfers.create(")).map(({ path }) => path)).toEqual([
      "rails/stripe.ts",
    ]);
  });
});

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");

describe("the domain", () => {
  const domain = sources.filter(({ path }) => roomOf(path) === "domain");

  it("imports no package", () => {
    expect(foreign.filter(({ from }) => roomOf(from) === "domain")).toEqual([]);
  });

  it.each([
    "async",
    "await",
    "Date.now",
    "new Date()",
    "Math.random",
    "crypto",
    "fetch",
    "env",
    "console",
    "setTimeout",
  ])("does without %s", (word) => {
    const pattern = new RegExp(`(?<![\\w.])${word.replace(/[.()]/g, "\\$&")}(?!\\w)`);
    expect(domain.filter(({ text }) => pattern.test(withoutComments(text))).map(({ path }) => path)).toEqual(
      [],
    );
  });
});

/** Formatted code closes a function at the indentation at which it opened. */
const longFunctions = ({ path, text }: Source): string[] => {
  const lines = text.split("\n");
  return lines.flatMap((line, start) => {
    const opens =
      /^(\s*)(?!.*\b(?:if|for|while|switch|else|try|catch|class|interface|return class)\b).*(?:=>|\)|\)?: [^=]*) \{$/.exec(
        line,
      );
    if (opens === null) return [];
    const end = lines.findIndex((other, at) => at > start && other.startsWith(`${opens[1]}}`));
    return end - start + 1 > 60 ? [`${path}:${start + 1} has ${end - start + 1} lines`] : [];
  });
};

describe("every source file", () => {
  it("has at most 300 lines", () => {
    expect(
      sources.filter(({ text }) => text.trimEnd().split("\n").length > 300).map(({ path }) => path),
    ).toEqual([]);
  });

  it("has no function over 60 lines", () => {
    expect(sources.flatMap(longFunctions)).toEqual([]);
  });

  it("opens with one sentence of purpose", () => {
    expect(
      sources.filter(({ text }) => !/^\/\/ [A-Z`/].+[.:?]\n/.test(text)).map(({ path }) => path),
    ).toEqual([]);
  });

  it("exports by name, but for the entry", () => {
    expect(
      sources
        .filter(({ path, text }) => path !== "index.ts" && /^export default/m.test(text))
        .map(({ path }) => path),
    ).toEqual([]);
  });

  it("is not a drawer without a name", () => {
    expect(
      sources
        .filter(({ path }) => /(^|\/|-)(utils?|helpers?|common|manager|service|misc)(-|\.|\/)/.test(path))
        .map(({ path }) => path),
    ).toEqual([]);
  });
});

test.each(["key", "address"] as const)("the %s fuse names the limit of its binding", (kind) => {
  const toml = readFileSync(new URL("../wrangler.toml", import.meta.url), "utf8");
  const binding = new RegExp(`name = "${kind.toUpperCase()}_FUSE"\\n.*\\nsimple = (.*)`).exec(toml)?.[1];
  const counted = FUSES[kind].limit / COUNTED_ONE_IN;
  expect(binding).toBe(`{ limit = ${counted}, period = ${FUSES[kind].periodS} }`);
});
