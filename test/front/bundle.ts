// Builds the Worker as a deployment would and reads the result as Miniflare modules.
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { V4ModuleDefinition } from "miniflare";
import { runWrangler } from "./project.ts";

const moduleTypes: Readonly<Record<string, V4ModuleDefinition["type"]>> = {
  ".js": "ESModule",
  ".mjs": "ESModule",
  ".txt": "Text",
  ".html": "Text",
  ".sql": "Text",
  ".bin": "Data",
  ".wasm": "CompiledWasm",
};

/** The entry comes first, because Miniflare takes the first module for it. */
export async function buildBundle(
  outDir: string,
  options: { readonly minify?: boolean; readonly entry?: string; readonly signal?: AbortSignal } = {},
): Promise<V4ModuleDefinition[]> {
  const entry = options.entry === undefined ? [] : [options.entry];
  const minify = options.minify === true ? ["--minify"] : [];
  await runWrangler(["deploy", ...entry, "--dry-run", ...minify, "--outdir", outDir], options.signal);
  const modules: V4ModuleDefinition[] = [];
  for (const name of readdirSync(outDir).sort()) {
    const type = moduleTypes[extname(name)];
    if (type === undefined) continue;
    const module = { type, path: join(outDir, name), contents: readFileSync(join(outDir, name)) };
    if (type === "ESModule" && !modules.some((other) => other.type === "ESModule")) modules.unshift(module);
    else modules.push(module);
  }
  return modules;
}
