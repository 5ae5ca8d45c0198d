// What a deployment uploads, and how long a runtime takes to answer with it against one that has nothing to load.
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { V4ModuleDefinition } from "miniflare";
import { claimPort } from "../front/ports.ts";
import { startRuntime } from "../front/runtime.ts";
import type { Report } from "./report.ts";
import type { Stage } from "./stage.ts";

const KIB = 1024;
const BUDGET_KIB = 400;
const STARTS = 3;

const EMPTY = `import { DurableObject } from "cloudflare:workers";
export class AffiliateLedger extends DurableObject {}
export default { fetch: () => new Response("ok") };`;

/** From the start of the process to the first answer of a path that touches no binding. */
const startMs = async (stage: Stage, modules: V4ModuleDefinition[]): Promise<number> => {
  const port = await claimPort(0, 0, () => undefined);
  const began = performance.now();
  const { bindings } = stage;
  const stateDir = stage.deployedDir;
  const runtime = await startRuntime({ modules, port, stateDir, bindings, log: () => undefined });
  try {
    await (await fetch(`http://127.0.0.1:${port}/nothing`)).text();
    return performance.now() - began;
  } finally {
    await runtime.stop();
  }
};

export const measureBundle = async (stage: Stage, report: Report): Promise<void> => {
  const bytes = Buffer.concat(stage.deployed.map(({ contents }) => Buffer.from(contents ?? "")));
  const gzipKib = gzipSync(bytes).length / KIB;
  const measured = `${gzipKib.toFixed(0)} KiB (${(bytes.length / KIB).toFixed(0)} KiB unpacked)`;
  report.check("bundle, minified and gzipped", measured, `≤ ${BUDGET_KIB} KiB`, gzipKib <= BUDGET_KIB);
  const path = join(stage.deployedDir, "build/index.js");
  const nothing: V4ModuleDefinition = { type: "ESModule", path, contents: EMPTY };
  const ours: number[] = [];
  const empty: number[] = [];
  for (let n = 0; n < STARTS; n++) {
    ours.push(await startMs(stage, stage.deployed));
    empty.push(await startMs(stage, [nothing]));
  }
  // The least of a few: whatever else the machine does only ever adds.
  const [withBundle, without] = [Math.min(...ours), Math.min(...empty)];
  const difference = Math.max(withBundle - without, 0).toFixed(0);
  report.show(
    "start-up: what the bundle adds to a runtime's first answer",
    `${difference} ms (${withBundle.toFixed(0)} ms : ${without.toFixed(0)} ms)`,
    "≤ 1,000 ms",
    withBundle - without <= 1000,
  );
};
