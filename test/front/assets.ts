// Lays the files that the reference page needs beside the Worker, so that /docs loads nothing from another host.
import { copyFileSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const files = ["swagger-ui-bundle.js", "swagger-ui.css"];
const target = fileURLToPath(new URL("../../.wrangler/assets/docs/", import.meta.url));

function isThere(from: string, to: string): boolean {
  try {
    return readFileSync(to).equals(readFileSync(from));
  } catch {
    return false;
  }
}

/** Two builds may run at once, so a file appears whole or not at all. */
export function layAssets(): void {
  const source = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  mkdirSync(target, { recursive: true });
  for (const file of files) {
    const from = join(source, file);
    const to = join(target, file);
    if (isThere(from, to)) continue;
    const draft = `${to}.${process.pid}`;
    copyFileSync(from, draft);
    renameSync(draft, to);
  }
}

if (import.meta.main) layAssets();
