// The simulated PayPal over HTTP: fetch reaches it, its control routes steer it, its file outlives it.

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type ServerOptions, startPayPalSimulator } from "../simulators/paypal-server.ts";

const leftovers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const clear of leftovers.splice(0)) await clear();
});

type Loose = Record<string, unknown>;

async function started(options: ServerOptions = {}) {
  const server = await startPayPalSimulator({ slowMs: 40, ...options });
  leftovers.push(server.close);
  const control = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${server.url}/_sim/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Loose };
  };
  const granted = await fetch(`${server.url}/v1/oauth2/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa("shop:s")}` },
    body: "grant_type=client_credentials",
  });
  const { access_token } = (await granted.json()) as { access_token: string };
  const pay = (id: string) =>
    fetch(`${server.url}/v1/payments/payouts`, {
      method: "POST",
      headers: { authorization: `Bearer ${access_token}`, "content-type": "application/json" },
      body: JSON.stringify({
        sender_batch_header: { sender_batch_id: id },
        items: [
          {
            recipient_type: "EMAIL",
            receiver: "a@example.com",
            amount: { value: "1.00", currency: "EUR" },
            sender_item_id: `item of ${id}`,
          },
        ],
      }),
    });
  return { server, control, pay };
}

describe("the PayPal simulator's server", () => {
  it("pays over HTTP, and is steered over its control routes", async () => {
    const { control, pay } = await started();
    expect(await control("POST", "courses", { course: "unclaimed", times: 1 })).toMatchObject({
      status: 200,
    });
    expect((await pay("b1")).status).toBe(201);
    const shown = await control("GET", `items?sender_item_id=${encodeURIComponent("item of b1")}`);
    expect(shown.body).toMatchObject({ data: [{ transaction_status: "UNCLAIMED" }] });
    const [item] = shown.body["data"] as Loose[];
    const moved = await control("POST", `items/${item?.["payout_item_id"]}/move`, { status: "SUCCESS" });
    expect(moved.body).toMatchObject({ transaction_status: "SUCCESS" });
    const events = (await control("GET", "events?type=PAYMENT.PAYOUTS-ITEM.SUCCEEDED")).body[
      "data"
    ] as Loose[];
    const signed = await control("POST", `events/${events[0]?.["id"]}/sign`, { webhook_id: "W1" });
    expect(signed.body).toMatchObject({ headers: { "paypal-auth-algo": "SHA256withRSA" } });
    await control("POST", "balances", { currency: "EUR", amount: 1 });
    expect((await pay("b2")).status).toBe(422);
    await control("POST", "balances", { currency: "EUR", amount: 1_000, client_id: "shop" });
    await control("POST", "faults", { fault: "html_502" });
    expect((await pay("b2")).status).toBe(502);
    expect((await pay("b2")).status).toBe(201);
    expect((await control("GET", "payouts?sender_batch_id=b2")).body["data"]).toHaveLength(1);
    expect((await control("POST", "expire-tokens")).body).toEqual({ expired: 1 });
    expect((await pay("b3")).status).toBe(401);
    await control("POST", "apps", { client_id: "shop", revoked: true });
    const state = (await control("GET", "state")).body;
    expect(state).toMatchObject({
      apps: [{ client_id: "shop", revoked: true }],
      faults: { fired: { html_502: 1 } },
    });
    expect(JSON.stringify(state)).not.toContain("client_secret");
    await control("POST", "reset");
    expect((await control("GET", "payouts")).body).toEqual({ data: [] });
  });

  it("answers a control call that it does not understand with what is wrong", async () => {
    const { control } = await started();
    expect(await control("POST", "nothing")).toMatchObject({ status: 404 });
    expect(await control("POST", "courses", { course: "sunny" })).toMatchObject({
      status: 400,
      body: { error: { message: "There is no course called sunny." } },
    });
    expect(await control("POST", "balances", { currency: "EUR" })).toMatchObject({ status: 400 });
    expect(await control("POST", "items/none/move", { status: "SUCCESS" })).toMatchObject({ status: 404 });
  });

  it("drops connections and breaks bodies off on the wire too, the work being done or not", async () => {
    const { server, control, pay } = await started();
    await control("POST", "faults", { fault: "drop_before_work" });
    await expect(pay("b1")).rejects.toThrow();
    expect(server.simulator.payouts()).toEqual([]);
    await control("POST", "faults", { fault: "drop_after_work" });
    await expect(pay("b1")).rejects.toThrow();
    await control("POST", "faults", { fault: "cut_body" });
    const cut = await pay("b2");
    await expect(cut.text()).rejects.toThrow();
    expect(server.simulator.payouts()).toHaveLength(2);
  });

  it("remembers from its file what was done, what was asked of it and what is still due", async () => {
    const folder = await mkdtemp(join(tmpdir(), "paypal-"));
    leftovers.push(() => rm(folder, { recursive: true }));
    const statePath = join(folder, "paypal.json");
    const first = await started({ statePath });
    await first.pay("b1");
    await first.control("POST", "faults", { fault: "html_502", times: 2 });
    expect((await first.pay("b2")).status).toBe(502);
    await first.server.close();
    const second = await started({ statePath });
    expect((await second.pay("b2")).status).toBe(502);
    expect((await second.pay("b1")).status).toBe(400);
    expect(second.server.simulator.payouts("b1")).toHaveLength(1);
    expect(await readdir(folder)).toEqual(["paypal.json"]);
  });
});
