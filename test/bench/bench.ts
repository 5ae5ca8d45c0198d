// The budgets of the design, measured against the built Worker in workerd: counts are asserted, times are ratios within this run.
import { parseArgs } from "node:util";
import { measureBundle } from "./measure-bundle.ts";
import { measureExport } from "./measure-export.ts";
import { measureGenerate } from "./measure-generate.ts";
import { measureLoad } from "./measure-load.ts";
import { measurePay } from "./measure-pay.ts";
import { measureCounts } from "./measure-record.ts";
import { Report } from "./report.ts";
import { type Stage, setStage } from "./stage.ts";

type Measure = (stage: Stage, report: Report, quick: boolean) => Promise<void>;

const PARTS: Readonly<Record<string, Measure>> = {
  counts: measureCounts,
  pay: measurePay,
  generate: measureGenerate,
  load: measureLoad,
  export: measureExport,
  bundle: measureBundle,
};

const HELP = `npm run bench                      every budget, about two minutes
npm run bench -- --quick           runs over 1,000 affiliates only, and a shorter load
npm run bench -- --only load,bundle  some of ${Object.keys(PARTS).join(", ")}
npm run bench -- --trace           also the round trips of what is counted, with their times`;

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const partsOf = (only: string | undefined): [string, Measure][] => {
  const wanted = only?.split(",") ?? Object.keys(PARTS);
  const unknown = wanted.find((name) => !(name in PARTS));
  if (unknown !== undefined) throw new Error(`there is no part ${unknown}\n${HELP}`);
  return Object.entries(PARTS).filter(([name]) => wanted.includes(name));
};

const main = async (): Promise<void> => {
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({
    options: { quick: flag, trace: flag, help: flag, only: { type: "string" } },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const parts = partsOf(values.only);
  const began = Date.now();
  say("building the Worker and its database");
  const stage = await setStage();
  const stopEarly = () => stage.stop().finally(() => process.exit(130));
  process.once("SIGINT", stopEarly).once("SIGTERM", stopEarly);
  const report = new Report(values.trace);
  try {
    await stage.start();
    for (const [name, measure] of parts) {
      say(name);
      await measure(stage, report, values.quick);
    }
  } finally {
    await stage.stop();
  }
  report.note(`\ntook ${((Date.now() - began) / 1000).toFixed(0)} s`);
  report.print();
  process.exitCode = report.isKept ? 0 : 1;
};

await main();
