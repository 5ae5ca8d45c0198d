// The front door: what npm start says, keeps, and stops.
import { readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { ApiClient } from "../front/api-client.ts";
import { runWrangler } from "../front/project.ts";
import { StripeControl } from "../front/stripe-control.ts";
import {
  endAll,
  familyOf,
  newStateDir,
  type Ready,
  runToEnd,
  startProcess,
  survivors,
} from "./stipend-process.ts";

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

/** Makes an affiliate, pays what it is due by the method, and answers what became of the payout within 30 seconds. */
async function payOnce(api: ApiClient, method: { readonly payout_method: string }): Promise<string> {
  const name = `${method.payout_method} payee`;
  const { id } = await api.post<{ id: string }>("/v1/affiliates", { name, email: "ines@example.com" });
  await api.put(`/v1/affiliates/${id}/payout-method`, method);
  await api.post("/v1/commissions", {
    affiliate_id: id,
    external_id: `order-of-${id}`,
    amount: 1_234,
    currency: "USD",
    occurred_at: new Date(Date.now() - 60_000).toISOString(),
  });
  const { payouts } = await api.post<{ payouts: { id: string }[] }>("/v1/payouts/generate", {
    period_end: new Date().toISOString().slice(0, 10),
    affiliate_ids: [id],
  });
  const path = `/v1/payouts/${payouts[0]?.id}`;
  await api.post(`${path}/pay`, undefined);
  const until = Date.now() + 30_000;
  for (;;) {
    const { status } = await api.get<{ status: string }>(path);
    if (status !== "processing" || Date.now() > until) return status;
    await sleep(200);
  }
}

const countPaid = ({ stripe_simulator, paypal_simulator, wise_simulator }: Ready): Promise<number[]> =>
  Promise.all(
    [
      `${stripe_simulator}/_sim/transfers`,
      `${paypal_simulator}/_sim/payouts`,
      `${wise_simulator}/_sim/transfers`,
    ].map(async (url) => ((await (await fetch(url)).json()) as { data: unknown[] }).data.length),
  );

describe("npm start", () => {
  test("says ready with a demo program as its last line, and wrangler sees the same database", async () => {
    const stateDir = newStateDir();
    const stipend = await startProcess({ STATE_DIR: stateDir });
    const { ready } = stipend;
    expect(Object.keys(ready)).toEqual([
      "url",
      "root_key",
      "program_id",
      "api_key",
      "stripe_simulator",
      "paypal_simulator",
      "wise_simulator",
    ]);
    expect(ready.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(ready.program_id).toMatch(/^prg_/);
    expect(ready.api_key).toMatch(/^stp_test_/);
    const simulators = [ready.stripe_simulator, ready.paypal_simulator, ready.wise_simulator];
    for (const simulator of simulators) expect(simulator).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(new Set([ready.url, ...simulators]).size).toBe(4);
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

  test("pays by Stripe, PayPal and Wise with what the demo program has, and finds all three as they were left", async () => {
    const stateDir = newStateDir();
    const first = await startProcess({ STATE_DIR: stateDir, CRON_EVERY_S: "1" });
    const { ready } = first;
    const api = new ApiClient(ready.url, ready.api_key ?? "");
    const stripe = new StripeControl(ready.stripe_simulator ?? "");
    const methods = [
      { payout_method: "stripe", stripe_account_id: await stripe.seedAccount() },
      { payout_method: "paypal", paypal_email: "ines@example.com" },
      { payout_method: "wise", wise_email: "ines@example.com", currency: "EUR" },
    ];
    for (const method of methods) expect(await payOnce(api, method)).toBe("paid");
    expect(await countPaid(ready)).toEqual([1, 1, 1]);
    expect(await first.end("SIGTERM")).toBe(0);
    const second = await startProcess({ STATE_DIR: stateDir, PORT: new URL(ready.url).port });
    expect(second.ready).toEqual(ready);
    expect(await countPaid(second.ready)).toEqual([1, 1, 1]);
    expect(await second.end("SIGTERM")).toBe(0);
  });

  test("makes no program with SEED=none and no simulator where a provider is named", async () => {
    const stateDir = newStateDir();
    const elsewhere = "http://127.0.0.1:9";
    const bases = { STRIPE_API_BASE: elsewhere, PAYPAL_API_BASE: elsewhere, WISE_API_BASE: elsewhere };
    const { ready, end } = await startProcess({ STATE_DIR: stateDir, SEED: "none", ...bases });
    expect(ready).toMatchObject({
      program_id: null,
      api_key: null,
      stripe_simulator: null,
      paypal_simulator: null,
      wise_simulator: null,
    });
    expect(await listPrograms(ready.url, ready.root_key)).toEqual([]);
    expect(readdirSync(stateDir).filter((name) => name.includes("simulator"))).toEqual([]);

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
