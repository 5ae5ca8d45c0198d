// The front door: what npm start says, keeps, and stops.
import { existsSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ApiClient } from "../front/api-client.ts";
import { runWrangler } from "../front/project.ts";
import { endAll, familyOf, newStateDir, runToEnd, startProcess, survivors } from "./stipend-process.ts";

afterAll(endAll);

const listPrograms = async (url: string, rootKey: string): Promise<string[]> => {
  const page = await new ApiClient(url, rootKey).get<{ data: { id: string }[] }>("/v1/programs");
  return page.data.map((program) => program.id);
};

async function countPrograms(stateDir: string): Promise<number> {
  const command = "select count(*) as n from programs";
  const args = ["d1", "execute", "DB", "--local", "--persist-to", stateDir, "--json", "--command", command];
  const printed = await runWrangler(args);
  const [answer] = JSON.parse(printed.slice(printed.indexOf("["))) as [{ results: [{ n: number }] }];
  return answer.results[0].n;
}

describe("npm start", () => {
  test("says ready with a demo program as its last line, and wrangler sees the same database", async () => {
    const stateDir = newStateDir();
    const stipend = await startProcess({ STATE_DIR: stateDir });
    const { ready } = stipend;
    expect(Object.keys(ready)).toEqual(["url", "root_key", "program_id", "api_key", "stripe_simulator"]);
    expect(ready.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(ready.program_id).toMatch(/^prg_/);
    expect(ready.api_key).toMatch(/^stp_test_/);
    expect(ready.stripe_simulator).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${ready.url}/health`)).status).toBe(200);
    const program = await new ApiClient(ready.url, ready.api_key ?? "").get<{ id: string }>("/v1/program");
    expect(program.id).toBe(ready.program_id);
    expect(statSync(join(stateDir, "secrets.json")).mode & 0o777).toBe(0o600);
    expect(await countPrograms(stateDir)).toBe(1);
    expect(stipend.stdout().trimEnd().split("\n").at(-1)).toBe(`ready ${JSON.stringify(ready)}`);
    expect(await stipend.end("SIGTERM")).toBe(0);
    expect(stipend.stdout().trimEnd().split("\n").at(-1)).toBe(`ready ${JSON.stringify(ready)}`);
  });

  test("keeps state, keys and addresses over a stop and over a kill -9, and leaves nothing running", async () => {
    const stateDir = newStateDir();
    const first = await startProcess({ STATE_DIR: stateDir, CRON_EVERY_S: "1" });
    const firstFamily = familyOf(first.pid);
    expect(firstFamily.filter(({ command }) => command.includes("workerd serve"))).toHaveLength(1);
    expect(await first.end("SIGTERM")).toBe(0);
    expect(await survivors(firstFamily)).toEqual([]);

    const port = new URL(first.ready.url).port;
    const second = await startProcess({ STATE_DIR: stateDir, PORT: port });
    expect(second.ready).toEqual(first.ready);
    const secondFamily = familyOf(second.pid);
    expect(await second.end("SIGKILL")).toBeNull();
    expect(await survivors(secondFamily)).toEqual([]);

    const third = await startProcess({ STATE_DIR: stateDir, PORT: port });
    expect(third.ready).toEqual(first.ready);
    expect(await listPrograms(third.ready.url, third.ready.root_key)).toEqual([first.ready.program_id]);
    expect(await third.end("SIGINT")).toBe(0);
  });

  test("makes no program with SEED=none and no simulator where STRIPE_API_BASE names a provider", async () => {
    const stateDir = newStateDir();
    const env = { STATE_DIR: stateDir, SEED: "none", STRIPE_API_BASE: "http://127.0.0.1:9" };
    const { ready, end } = await startProcess(env);
    expect(ready).toMatchObject({ program_id: null, api_key: null, stripe_simulator: null });
    expect(await listPrograms(ready.url, ready.root_key)).toEqual([]);
    expect(existsSync(join(stateDir, "stripe-simulator.json"))).toBe(false);

    const rival = await runToEnd({ STATE_DIR: stateDir, SEED: "none" });
    expect(rival.code).toBe(1);
    expect(rival.stderr).toContain(`${stateDir} is in use by process`);
    expect(await end("SIGTERM")).toBe(0);
    expect(readdirSync(stateDir)).not.toContain("holder");
  });

  test("says so when another program has the port", async () => {
    const rival = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => rival.once("listening", resolve));
    const { port } = rival.address() as AddressInfo;
    const refused = await runToEnd({ STATE_DIR: newStateDir(), PORT: String(port) });
    rival.close();
    expect(refused.code).toBe(1);
    expect(refused.stdout).toBe("");
    expect(refused.stderr).toContain(`port ${port} is taken by another program`);
  });
});
