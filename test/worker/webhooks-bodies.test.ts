// What leaves the house: every type of event as it is sent, against its published schema, small, and without a word about persons.
import { expect, test } from "vitest";
import { EVENT_TYPES } from "../../src/domain/events.ts";
import type { AffiliateId } from "../../src/domain/ids.ts";
import { violations } from "../support/json-schema.ts";
import { openEventful, turn } from "./eventful.ts";
import { narrowFor, type OpenApi } from "./openapi-checks.ts";
import { verified, withWebhooks } from "./webhook-world.ts";
import { bindings, deliverBatch, type Loose, type World } from "./world.ts";

const BODY_MAX_BYTES = 20_000;

/** Told to the program in every place that takes text; none of it may leave. */
const NAME = "Zebulon Quaxley";
const EMAIL = "zebulon@quaxley.com";
const IBAN = "DE89370400440532013000";
const REASON = `${NAME} of ${EMAIL}, account ${IBAN}`;
const TOLD = /zebulon|quaxley|DE8937|"[^"]*@[^"]*"/i;

const payoutOf = async (world: World, affiliateId: string): Promise<Loose> => {
  await world.sale(affiliateId, 1_000, { metadata: { note: REASON } });
  const [payout] = (await world.generate({ affiliate_ids: [affiliateId] })).payouts;
  if (payout === undefined) throw new Error("nothing was generated");
  return payout;
};

const attemptOf = async (payoutId: string): Promise<string> => {
  const sql = "SELECT id FROM attempts WHERE payout_id = ?1";
  return (await bindings.DB.prepare(sql).bind(payoutId).first<{ id: string }>())?.id ?? "";
};

/** By Stripe refused, and then after all paid. */
const payLate = async (world: World, affiliateId: AffiliateId): Promise<void> => {
  await world.useStripe(affiliateId);
  const payout = await payoutOf(world, affiliateId);
  world.stripe.setBalance({ currency: "usd", amount: 0 });
  await world.ok("POST", `/v1/payouts/${payout.id}/pay`, {}, { prefer: "wait=10" });
  world.stripe.setBalance({ currency: "usd", amount: 1_000_000 });
  const outcome = { kind: "settled", ref: "tr_late" } as const;
  const attemptId = (await attemptOf(payout.id)) as `att_${string}`;
  await turn(world, affiliateId, {
    kind: "conclude_payment",
    payoutId: payout.id as `po_${string}`,
    attemptId,
    outcome,
  });
};

const stall = async (world: World, affiliateId: string): Promise<void> => {
  const payout = await payoutOf(world, affiliateId);
  world.hints.length = 0;
  await world.ok("POST", `/v1/payouts/${payout.id}/pay`);
  await deliverBatch(world.hints.splice(0), "stipend-payments-dead");
};

/** Whatever openEventful leaves out. */
const live = async (world: World): Promise<void> => {
  const id = (await world.affiliate({ name: NAME, email: EMAIL, metadata: { iban: IBAN } })) as AffiliateId;
  await world.ok("PATCH", `/v1/affiliates/${id}`, { name: `${NAME} Junior` });
  await payLate(world, id);
  await stall(world, id);
  const other = await world.affiliate({ name: NAME, email: EMAIL });
  await world.sale(other, 1_000);
  const asked = await world.ok("POST", `/v1/affiliates/${other}/payout-requests`, {});
  await world.ok("POST", `/v1/payouts/${asked.id}/deny`, { reason: REASON });
  const { id: payoutId } = await payoutOf(world, other);
  await world.ok("PATCH", `/v1/payouts/${payoutId}`, { admin_note: REASON, partner_message: REASON });
  await world.ok("POST", `/v1/payouts/${payoutId}/approve`);
  await world.ok("POST", `/v1/payouts/${payoutId}/cancel`, { reason: REASON });
  await world.ok("POST", `/v1/affiliates/${other}/credits`, { amount: 5, currency: "USD", note: REASON });
  const sale = await world.sale(other, 700);
  await world.ok("POST", `/v1/commissions/${sale.id}/hold`, { reason: REASON });
  await world.ok("POST", `/v1/commissions/${sale.id}/reverse`, { reason: REASON });
  const key = await world.ok("POST", "/v1/api-keys", { name: NAME, scopes: ["events:read"] });
  await world.call("DELETE", `/v1/api-keys/${key.id}`);
};

const latestOfEachType = async (world: World): Promise<Map<string, string>> => {
  const latest = new Map<string, string>();
  for (let after = 0; ; ) {
    const page = await world.ok<{
      data: (Loose & { type: string })[];
      has_more: boolean;
      last_position: number;
    }>("GET", `/v1/events?limit=200&after=${after}`);
    for (const { id, type } of page.data) latest.set(type, id);
    after = page.last_position;
    if (!page.has_more) return latest;
  }
};

const NO_COMPONENTS = { components: { schemas: {} } } as unknown as OpenApi;

test("every type of event fits its published schema, is small, and tells nothing about anybody", async () => {
  const { world: eventful } = await openEventful();
  const world = withWebhooks(eventful);
  await live(world);
  const sink = world.sink();
  const endpoint = await world.endpoint(sink.url, { description: NAME, rate_per_s: 100 });
  const other = await world.endpoint("https://hooks.example.com/zebulon");
  await world.ok("PATCH", `/v1/webhook-endpoints/${other.id}`, { active: false });
  const latest = await latestOfEachType(world);
  expect(EVENT_TYPES.filter((type) => !latest.has(type))).toEqual([]);
  world.webhookHints.length = 0;
  for (const id of latest.values())
    await world.ok("POST", `/v1/events/${id}/redeliver`, { endpoint_id: endpoint.id });
  await world.pump();
  await world.ok("POST", `/v1/webhook-endpoints/${endpoint.id}/test`);

  const { data: catalogue } = await world.ok<{ data: { type: string; schema: object }[] }>(
    "GET",
    "/v1/event-types",
  );
  const narrow = narrowFor(NO_COMPONENTS);
  const sent = new Set<string>();
  for (const got of sink.got) {
    const event = verified(endpoint.secret, got) as Loose & { type: string };
    const schema = catalogue.find(({ type }) => type === event.type)?.schema;
    expect(violations(event, narrow(schema), {}), event.type).toEqual([]);
    expect(new TextEncoder().encode(got.body).byteLength, event.type).toBeLessThan(BODY_MAX_BYTES);
    expect(got.body).not.toMatch(TOLD);
    sent.add(event.type);
  }
  expect([...sent].sort()).toEqual([...EVENT_TYPES, "webhook_endpoint.test"].sort());
});
