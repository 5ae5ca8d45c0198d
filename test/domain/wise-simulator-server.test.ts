// The simulated Wise over HTTP: it is steered over its control routes, broken connections break, its file outlives it.

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { FAULTS, type FaultName, fundingOf } from "../simulators/wise.ts";
import { TOKEN } from "../simulators/wise-caller.ts";
import { startWiseSimulator } from "../simulators/wise-server.ts";

const leftovers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const clear of leftovers.splice(0)) await clear();
});

type Fields = Record<string, unknown> & { id: number };

async function started(options: Parameters<typeof startWiseSimulator>[0] = {}) {
  const server = await startWiseSimulator({ slowMs: 40, ...options });
  leftovers.push(server.close);
  const ask = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${server.url}${path}`, {
      method,
      redirect: "manual",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text };
  };
  const call = async (method: string, path: string, body?: object) => {
    const answer = await ask(method, `/2026Q3${path}`, body);
    return { ...answer, body: (answer.text === "" ? {} : JSON.parse(answer.text)) as Fields };
  };
  const control = async (method: string, path: string, body?: object) =>
    JSON.parse((await ask(method, `/_sim/${path}`, body)).text) as Fields & { data: Fields[] };
  return { server, ask, call, control };
}

type Started = Awaited<ReturnType<typeof started>>;

let serial = 0;

/** Everything up to the order of a transfer. */
async function order({ call }: Started, profile: number) {
  const recipient = await call("POST", "/accounts", {
    profile,
    accountHolderName: "Ada Lovelace",
    currency: "EUR",
    type: "email",
    details: { email: "ada@example.com" },
  });
  const quote = await call("POST", `/profiles/${profile}/quotes`, {
    sourceCurrency: "USD",
    targetCurrency: "EUR",
    sourceAmount: 100,
  });
  serial += 1;
  return {
    targetAccount: recipient.body.id,
    quoteUuid: quote.body.id,
    customerTransactionId: `54a6bc09-cef9-59a8-9041-${String(serial).padStart(12, "0")}`,
    details: { reference: "PO 1" },
  };
}

describe("the Wise simulator's server", () => {
  it("is steered over its control routes", async () => {
    const world = await started();
    const { call, control } = world;
    const { id: profile } = await control("POST", "profiles", { token: TOKEN, country: "DE" });
    await control("POST", "balances", { profile, currency: "USD", amount: 100 });
    const { body: transfer } = await call("POST", "/transfers", await order(world, profile));
    const fund = () =>
      call("POST", `/profiles/${profile}/transfers/${transfer.id}/payments`, { type: "BALANCE" });
    expect((await fund()).status).toBe(403);
    await control("POST", `transfers/${transfer.id}/pay`);
    expect(await control("POST", `transfers/${transfer.id}/pay`)).toMatchObject({ error: {} });
    await control("POST", `transfers/${transfer.id}/status`, {
      status: ["funds_converted", "outgoing_payment_sent"],
    });
    expect(await control("GET", "transfers?reference=PO%201")).toMatchObject({
      data: [{ id: transfer.id, status: "outgoing_payment_sent", paid: 100, profile }],
    });
    expect(await control("GET", "transfers?reference=PO%202")).toEqual({ data: [] });
    const { data: events } = await control("GET", "events?type=transfers%23state-change");
    expect(events).toHaveLength(4);
    expect(await control("POST", `events/${events[0]?.id}/sign`)).toMatchObject({
      headers: { "x-signature-sha256": expect.stringMatching(/^[A-Za-z0-9+/]{342}==$/) },
    });
    expect(await control("GET", "public-key")).toMatchObject({
      pem: expect.stringContaining("BEGIN PUBLIC KEY"),
    });
    await control("POST", "behaviour", { page_max: 1, repeats_after_expiry: false });
    await control("POST", "tokens", { revoke: TOKEN });
    expect((await call("GET", "/profiles")).status).toBe(401);
    await control("POST", "tokens", { restore: TOKEN });
    expect(await control("POST", "faults", { fault: "tornado" })).toMatchObject({ error: {} });
    await control("POST", "faults", { fault: "empty_503" });
    await control("DELETE", "faults");
    expect(await control("GET", "state")).toMatchObject({
      faults: { pending: [], fired: {} },
      requests: { "POST /transfers": 1, "GET /profiles": 1 },
    });
    expect(await control("GET", "nowhere")).toMatchObject({ error: {} });
    await control("POST", "reset");
    expect(await control("GET", "state")).toMatchObject({ transfers: [], profiles: {} });
  });

  const whole = { made: 1, seen: [200] };
  const lost = { made: 1, seen: "lost" } as const;
  const STRIKES: Record<FaultName, { made: number; seen: number[] | "lost" }> = {
    drop_before_work: { made: 0, seen: "lost" },
    error_500_not_cached: { made: 0, seen: [500] },
    empty_503: { made: 0, seen: [503] },
    html_502: { made: 0, seen: [502] },
    html_403: { made: 0, seen: [403] },
    redirect_302: { made: 0, seen: [302] },
    rate_limit_429: { made: 0, seen: [429] },
    unauthorized_401: { made: 0, seen: [401] },
    slow: whole,
    error_500_after_work: { made: 1, seen: [500] },
    balance_insufficient: { made: 0, seen: [201] },
    account_closed: { made: 0, seen: [422] },
    drop_after_work: lost,
    cut_body: lost,
    endless_body: lost,
    empty_503_after_work: { made: 1, seen: [503] },
    html_502_after_work: { made: 1, seen: [502] },
    garbage_200: { made: 1, seen: [200] },
    wrong_amount: whole,
    wrong_id: whole,
    slow_after_work: whole,
    list_lag: whole,
  };

  it.each(FAULTS)("strikes once with %s, before or after the work as it says", async (fault) => {
    const world = await started();
    const { id: profile } = await world.control("POST", "profiles", { token: TOKEN });
    const body = await order(world, profile);
    world.server.simulator.addFault({ fault, retry_after_s: 7 });
    const { made, seen } = STRIKES[fault];
    const patience = AbortSignal.timeout(1500);
    const answer = await fetch(`${world.server.url}/2026Q3/transfers`, {
      method: "POST",
      redirect: "manual",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: patience,
    })
      .then(async (response) => {
        await response.text();
        return [response.status];
      })
      .catch(() => "lost");
    expect(answer).toEqual(seen);
    expect(world.server.simulator.transfers()).toHaveLength(made);
    expect((await world.call("POST", "/transfers", body)).status).toBe(200);
    expect(world.server.simulator.transfers()).toHaveLength(1);
    expect(world.server.simulator.state().faults).toEqual({ pending: [], fired: { [fault]: 1 } });
  });

  it("strikes the payment for a transfer alone where it is told to, and keeps what had nothing to spoil", async () => {
    const world = await started();
    const { id: profile } = await world.control("POST", "profiles", { token: TOKEN });
    const { simulator } = world.server;
    simulator.addFault({ fault: "error_500_after_work", match: fundingOf(profile) });
    simulator.addFault({ fault: "wrong_amount", match: fundingOf(profile) });
    const { body: transfer } = await world.call("POST", "/transfers", await order(world, profile));
    const fund = () =>
      world.call("POST", `/profiles/${profile}/transfers/${transfer.id}/payments`, { type: "BALANCE" });
    expect((await fund()).status).toBe(500);
    expect((await fund()).status).toBe(422);
    expect(simulator.funded()).toHaveLength(1);
    expect(simulator.state().faults).toMatchObject({
      pending: [{ fault: "wrong_amount" }],
      fired: { error_500_after_work: 1 },
    });
  });

  it("finds its transfers, balances and key again after a restart", async () => {
    const folder = await mkdtemp(join(tmpdir(), "wise-simulator-"));
    leftovers.push(() => rm(folder, { recursive: true }));
    const statePath = join(folder, "wise.json");
    const first = await started({ statePath });
    const { id: profile } = await first.control("POST", "profiles", { token: TOKEN });
    await first.control("POST", "balances", { profile, currency: "USD", amount: 150 });
    const body = await order(first, profile);
    const made = await first.call("POST", "/transfers", body);
    await first.call("POST", `/profiles/${profile}/transfers/${made.body.id}/payments`, { type: "BALANCE" });
    const { pem } = await first.control("GET", "public-key");
    await first.server.close();
    const second = await started({ statePath });
    expect((await second.call("POST", "/transfers", body)).body).toMatchObject({
      id: made.body.id,
      status: "processing",
    });
    expect(second.server.simulator.balance(profile, "USD")).toBe(50);
    expect(await second.control("GET", "public-key")).toEqual({ pem });
    expect(await readdir(folder)).toEqual(["wise.json"]);
  });
});
